"""The list of formats is complete, ordered, and asks content only."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import parsers
from tests.parsers.reading import SAMPLES, read, refusal

ROOT = Path(__file__).resolve().parents[2]
#: Public modules that are not bank statements: an expense extract.
_OTHER = {"concur_sae"}


def test_every_public_module_is_listed() -> None:
    folder = Path(parsers.__file__).parent
    found = {p.stem for p in folder.glob("*.py") if not p.name.startswith("_")} - _OTHER
    assert found == {m.__name__.rpartition(".")[2] for m in parsers.FORMATS}  # type: ignore[attr-defined]


def test_every_format_has_the_same_verbs_and_a_data_sheet() -> None:
    for late in parsers.FORMATS:
        module = importlib.import_module(late.__name__)  # type: ignore[attr-defined]
        assert module.__all__ == ["NAME", "identify", "read"]
        assert ">>> " in (module.__doc__ or "")


HEADS = """
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.01"><a/>          | camt.053.001.01
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.13"><a/>          | camt.053.001.13
<Document xmlns="urn:iso:20023:tech:xsd:camt.053.001.02"><a/>                  | camt.053.001.02
<x:Document xmlns:x='ISO:camt.053.001.02:APC:STUZZA:payments:003'><a/>         | camt.053.001.02
<Document Xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><a/>          | camt.053.001.08
<Document><BkToCstmrStmt>                                                      | camt.053
<Document><BkToCstmrAcctRpt>                                                   | camt.052
<Document><BkToCstmrAcctRptV01>                                                | camt.052
<n:Document><n:BkToCstmrDbtCdtNtfctn>                                          | camt.054
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.052.001.08"><a/>          | camt.052.001.08
<Document xmlns="urn:iso:20023:tech:xsd:camt.052.001.13"><a/>                  | camt.052.001.13
<Document xmlns='http://www.six-interbank-clearing.com/de/camt.054.001.04.ch.02.xsd'><a/> | camt.054.001.04
<Document xmlns="x:camt.053.001.02"><BkToCstmrAcctRpt>                         | camt.052
<!-- <BkToCstmrStmt> --><Document xmlns="x:camt.054.001.13"><BkToCstmrDbtCdtNtfctn> | camt.054.001.13
<html>camt.053.001.02</html>                                                   | None
:20:X                                                                          | MT940
{1:F01TESTDEFFAXXX0000000000}{2:O9401200261120TESTDEFFAXXX00N}{4:~:20:X        | MT940
Example~~:20:X~:25:1                                                           | MT940
ä4:~:20:X~:25:1                                                                | MT940
@@:20:X@@:25:1                                                                 | MT940
:61:2601020102C5,00NTRFNONREF                                                  | MT940
{1:F01TESTDEFFAXXX0000000000}{2:O9421200261120TESTDEFFAXXX00N}{4:~:20:X        | MT942
:20:X~:25:1~:28C:1~:34F:EUR0,                                                  | MT942
:34F:EURC0,                                                                    | MT942
:13D:2611201015+0100                                                           | MT942
:90D:1EUR2,50                                                                  | MT942
:20:X~:25:1~:28C:1~:13D:2611201015+0100~:60F:C261119EUR1,                      | MT940
:20:X~:25:1~:60F:C261119EUR1,~:62F:C261119EUR1,~-~:20:Y~:25:1~:34F:EUR0,       | MT940
:20:X~:25:1~:34F:EUR0,~-~:20:X~:25:1~:60F:C261119EUR1,~:62F:C261119EUR1,~-     | MT942
01,BANK,ME,261120,0000,1,80,1,2/                                               | BAI2
01,BANK,ME,261120,0000,1,,,3/~02,ME,BANK,1,261120,,,/                          | BAI3
01,BANK,ME,261120,0000,1/~88,,,2/                                              | BAI2
01,1999,some,table,of,numbers                                                  | None
OFXHEADER:100~DATA:OFXSGML~VERSION:102~~<OFX>                                  | OFX 102
OFXHEADER:100DATA:OFXSGMLVERSION:151SECURITY:NONE<OFX>                         | OFX 151
~OFXHEADER:100~                                                                | OFX
<?xml version="1.0"?><?OFX OFXHEADER="200" VERSION="211"?><OFX >               | OFX 211
<ofx><BANKMSGSRSV1>                                                            | OFX
<?xml version="1.0"?><!DOCTYPE OFX><OFX>                                       | OFX
<OFXX><a/>                                                                     | None
hello                                                                          | None
"""


@pytest.mark.parametrize("line", HEADS.strip().splitlines())
def test_identification_is_by_content(line: str) -> None:
    head, _, wanted = line.rpartition("|")
    found = parsers.identify(head.strip().replace("~", "\r\n").encode())
    assert str(found) == wanted.strip()


def test_the_name_says_nothing(tmp_path: Path) -> None:
    wrong = tmp_path / "statement.sta"
    wrong.write_bytes((SAMPLES / "batch_v08.xml").read_bytes())
    assert parsers.read_file(wrong).format == "camt.053.001.08"


def test_file_facts(tmp_path: Path) -> None:
    content = (SAMPLES / "structured.sta").read_bytes()
    parsed = read(tmp_path, content)
    assert parsed.size == len(content)
    assert set(parsed.tables.statements["file_id"].to_pylist()) == {parsed.sha256}


REFUSED = r"""
                                                        | FILE_EMPTY
 \n                                                     | FILE_EMPTY
hello                                                   | FORMAT_UNKNOWN
01,BANK,ME,261120,0000,1,80,1,2/                        | BAI_TRUNCATED
01,BANK,ME,261120,0000,1,80,1,1/                        | BAI_VERSION
01,BANK,ME,261120,0000,1,80,1,2/\n99,0,0,2/             | BAI_NO_STATEMENT
PK\x03\x04zzzz                                          | CONTAINER_UNOPENED
:20:X\n:25:1\n:28C:1\n:34F:EUR0,\n                      | MT_TRUNCATED
<Document><BkToCstmrAcctRpt><Rpt/>                      | XML_TRUNCATED
<Document><BkToCstmrAcctRpt/></Document>                | CAMT_NO_STATEMENT
<Document><BkToCstmrDbtCdtNtfctn/></Document>           | CAMT_NO_STATEMENT
<Document><BkToCstmrStmt/></Document>                   | CAMT_NO_STATEMENT
"""


@pytest.mark.parametrize("line", REFUSED[1:].splitlines())
def test_refused_whole_with_where_and_remedy(tmp_path: Path, line: str) -> None:
    text, _, code = line.rpartition("|")
    content = text.rstrip(" ").encode().decode("unicode_escape").encode("latin-1")
    assert refusal(tmp_path, content).code == code.strip()


def test_reading_one_format_imports_no_other() -> None:
    code = "from parsers import camt053; import sys; print(*sys.modules)"
    held = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "parsers._camt_fast" in held
    needless = {"parsers.mt940", "parsers.bai2", "parsers.ofx", "pandas", "urllib.request"}
    assert not needless & {*held}


def test_reading_and_telling_imports_no_pandas() -> None:
    """It costs 60 MB and half a second; pyarrow imports it for whoever makes an array of a list."""
    code = """
import sys
from pathlib import Path
import tieout.cli
files = sorted(str(p) for p in Path(sys.argv[1]).iterdir() if p.suffix != ".json")
status = tieout.cli.main(["parse", "--json", *files])
print(status, len(files), "pandas" in sys.modules, file=sys.stderr)
"""
    command = [sys.executable, "-c", code, str(SAMPLES)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr
    status, files, imported = told.split()
    assert (status, imported) == ("0", "False")
    assert int(files) > 20
