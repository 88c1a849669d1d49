"""Hostile and damaged files: refused whole with our own error, quickly, without a socket."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

import parsers
from tests.parsers.reading import SAMPLES, read, refusal
from tieout.commands.parse import as_json
from tieout.errors import InputError

_OPEN = "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt><Stmt>"
_CLOSE = "</Stmt></BkToCstmrStmt></Document>"
_LAUGHS = (
    "<!DOCTYPE Document [<!ENTITY a 'ha'>"
    + "".join(
        f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)
_OUTSIDE = "<!DOCTYPE Document SYSTEM 'http://127.0.0.1:9/x.dtd'>"
_FILE = "<!DOCTYPE Document [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a parser opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("doctype", [_LAUGHS, _OUTSIDE, _FILE, "<!doctype html>"])
@pytest.mark.parametrize(
    "before", ["", "<?xml version='1.0'?>\n", "<!-- " + "x" * 200_000 + " -->"]
)
def test_doctype_is_refused_before_parsing(
    tmp_path: Path, encoding: str, doctype: str, before: str
) -> None:
    if before.startswith("<?xml") and encoding.startswith("utf-16"):
        before = "<?xml version='1.0' encoding='UTF-16'?>\n"
    text = f"{before}{doctype}{_OPEN}<Id>&x;</Id>{_CLOSE}"
    error = refusal(tmp_path, text.encode(encoding))
    assert error.code in ("XML_DOCTYPE", "FORMAT_UNKNOWN")
    if len(before) < 1000:
        assert error.code == "XML_DOCTYPE"


def test_doctype_in_a_second_document_is_refused(tmp_path: Path) -> None:
    good = (SAMPLES / "two_documents.xml").read_bytes()
    bad = f"<?xml version='1.0'?>{_LAUGHS}{_OPEN}<Id>&i;</Id>{_CLOSE}".encode()
    assert refusal(tmp_path, good + bad).code == "XML_DOCTYPE"


@pytest.mark.parametrize("root", ["BkToCstmrAcctRpt", "BkToCstmrDbtCdtNtfctn"])
def test_doctype_is_refused_in_every_message(tmp_path: Path, root: str) -> None:
    error = refusal(tmp_path, f"{_LAUGHS}<Document><{root}>&h;</{root}></Document>")
    assert error.code == "XML_DOCTYPE"


@pytest.mark.parametrize("encoding", ["UTF-7", "IBM037", "UTF-32", "x-unknown", "utf-16"])
def test_exotic_encodings_are_refused(tmp_path: Path, encoding: str) -> None:
    text = f"<?xml version='1.0' encoding='{encoding}'?>{_OPEN}{_CLOSE}"
    assert refusal(tmp_path, text.encode()).code == "XML_ENCODING"


def test_undefined_entity_is_an_error_not_an_empty_text(tmp_path: Path) -> None:
    assert refusal(tmp_path, f"{_OPEN}<Id>&x;</Id>{_CLOSE}").code == "XML_MALFORMED"


_BAI = "01,A,B,261121,0600,1,,,2/\n02,B,A,1,261120,,USD,2/\n03,1,USD,010,0,,/\n"

BOMBS = {
    "depth": _OPEN + "<a>" * 10_000 + "</a>" * 10_000 + _CLOSE,
    "depth cut": _OPEN + "<a>" * 10_000,
    "text": f"{_OPEN}<Id>{'x' * 12_000_000}</Id>{_CLOSE}",
    "attribute": f"{_OPEN}<Id a='{'x' * 12_000_000}'/>{_CLOSE}",
    "comment": f"<!--{'x' * 2_000_000}-->{_OPEN}{_CLOSE}",
    "name": f"{_OPEN}<{'x' * 12_000_000}/>{_CLOSE}",
    "mt line": ":20:X\n:25:1\n:28C:1\n:86:" + "x" * 12_000_000,
    "mt field": ":20:X\n:25:1\n:60F:C260101EUR1,\n:61:260101C1,NMSC\n:86:"
    + "xxxxxxxx\n" * 1_400_000,
    "mt tags": ":20:X\n" * 200_000,
    "mt blocks": "{1:" * 200_000 + ":20:X",
    "mt942 floor": ":20:X\n:25:1\n:34F:EUR" + "1" * 900_000,
    "camt namespaces": "<a " + "xmlns:x='camt.05" * 4_000 + "/>",
    "camt comments": "<a>" + "<!-- " * 12_000,
    "mt mark": ":20:X\n:61:260101C" + "1" * 500_000,
    "bai line": _BAI + "16,165,1,,,," + "x" * 12_000_000,
    "bai record": _BAI + "16,165,1,,,,x/\n" + "88,xxxxxxxx\n" * 1_400_000,
    "bai fields": _BAI + "16,165,1,D," + "9" * 18 + "\n" + "88,1,1\n" * 400_000,
    "bai slashes": _BAI + "/16,165,5/" * 50_000,
    "bai text": _BAI + "16,165,1,,,,x/\n" + "88,xx\n" * 250_000,
    "bai distribution": _BAI + "16,165,1,D,10000/\n" + "88,1,1/\n" * 9_000,
    "bai accounts": _BAI + "03,1,USD/\n" * 5_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_quickly(tmp_path: Path, name: str) -> None:
    started = time.process_time()
    refusal(tmp_path, BOMBS[name])
    assert time.process_time() - started < 10


def test_many_attributes_are_harmless(tmp_path: Path) -> None:
    attributes = " ".join(f"a{n}='1'" for n in range(200_000))
    parsed = read(tmp_path, f"{_OPEN}<Id {attributes}>S</Id>{_CLOSE}")
    assert parsed.tables.statements["statement_ref"].to_pylist() == ["S"]


#: Cuts that leave a smaller whole file: a document or a message ends there.
WHOLE = {"two_documents.xml": b"</Document>"}


@pytest.mark.parametrize(
    "name",
    [
        "prefixed_v02.xml",
        "two_documents.xml",
        "report_v08.xml",
        "report_v01.xml",
        "collection_v04.xml",
        "structured.sta",
        "slashes.940",
        "free_text.sta",
        "interim.mt942",
        "harbor.bai",
        "padded.bai",
    ],
)
def test_no_cut_is_read_in_silence(tmp_path: Path, name: str) -> None:
    content = (SAMPLES / name).read_bytes()
    path = tmp_path / "cut"
    whole = _facts(SAMPLES / name)
    silent: list[int] = []
    for at in range(len(content)):
        path.write_bytes(content[:at])
        try:
            found = _facts(path)
        except InputError as error:
            assert error.code != "READER_FAILED", (at, error)
            assert error.where and error.remedy, (at, error)
            continue
        if found["statements"] != whole["statements"] and found["findings"] == whole["findings"]:
            silent.append(at)
    mark = WHOLE.get(name)
    boundary = content.index(mark) + len(mark) if mark else 0
    assert silent == ([boundary, boundary + 1] if mark else [])


def _facts(path: Path) -> dict[str, Any]:
    found = as_json(Path("x"), parsers.read_file(path))
    for statement in found["statements"]:
        statement["file_id"] = ""
    return {"statements": found["statements"], "findings": found["findings"]}
