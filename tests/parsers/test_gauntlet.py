"""What a bank file may try: to reach out, to be in another encoding, to make a pattern slow."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import parsers
from parsers import _values
from tests.fuzz.targets import ROOT
from tests.parsers.reading import SAMPLES
from tieout import money, profiles
from tieout.canonical import Tables
from tieout.errors import InputError, MoneyError

#: Reads every file given; any socket, process or file beyond those is the end of it.
_WATCHED = """
import sys, tempfile
from pathlib import Path
import parsers
from tieout.errors import TieoutError
from tieout.commands.parse import as_json
files = [Path(name) for name in sys.argv[1:]]
def read(path):
    with parsers.opened(path) as members:
        for member in members:
            try:
                as_json(path, parsers.read_file(member.path))
            except TieoutError as error:
                print(error.code)
read(files[0])  # what is imported late is imported now
fixed = (tempfile.gettempdir(), Path.cwd(), *files, sys.prefix, sys.base_prefix, "/usr/share/zoneinfo")
inside = tuple(str(Path(p).resolve()) for p in fixed)
def watch(event, args):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "urllib.")):
        raise SystemExit(f"{event} {args}")
    if event == "open" and isinstance(args[0], str) and not str(Path(args[0]).resolve()).startswith(inside):
        raise SystemExit(f"{event} {args}")
sys.addaudithook(watch)
for path in files:
    read(path)
print("read", len(files))
"""
_LURES = {
    "schema": "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08' "
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
    "xsi:schemaLocation='x http://127.0.0.1:9/x.xsd' xsi:noNamespaceSchemaLocation='file:///etc/passwd'>"
    "<BkToCstmrStmt><Stmt><Id>S</Id></Stmt></BkToCstmrStmt></Document>",
    "include": "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08' "
    "xmlns:xi='http://www.w3.org/2001/XInclude'><BkToCstmrStmt><Stmt><Id><xi:include parse='text' "
    "href='file:///etc/passwd'/></Id></Stmt></BkToCstmrStmt></Document>",
    "stylesheet": "<?xml-stylesheet type='text/xsl' href='http://127.0.0.1:9/x.xsl'?>"
    "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt><Stmt><Id>S</Id>"
    "</Stmt></BkToCstmrStmt></Document>",
    "entity": "<!DOCTYPE D [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
    "<Document><BkToCstmrStmt><Stmt><Id>&x;</Id></Stmt></BkToCstmrStmt></Document>",
    "ofx": "<OFX><SONRS><MESSAGE><!DOCTYPE x SYSTEM 'http://127.0.0.1:9/'></SONRS></OFX>",
}


def test_no_reader_reaches_out(tmp_path: Path) -> None:
    lures = []
    for name, text in _LURES.items():
        lures.append(tmp_path / name)
        lures[-1].write_text(text)
    files = sorted(p for p in SAMPLES.iterdir() if p.suffix != ".json") + lures
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, *map(str, files)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines() == ["XML_DOCTYPE", "OFX_DOCTYPE", f"read {len(files)}"]


def test_an_include_is_an_element_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(_LURES["include"])
    found = parsers.read_file(path).tables.statements["statement_ref"].to_pylist()
    assert found == [None]


TEXT = [
    "structured.sta", "interim.mt942", "harbor.bai", "two_accounts.cod", "accents.cfonb",
    "two_accounts.n43", "two_accounts.ofx", "batch_v08.xml", "pain001_v09.xml",
]  # fmt: skip
_MIXED = {
    "nul": lambda data: data[:200] + b"\x00" + data[200:],
    "nul everywhere": lambda data: b"\x00".join(data[i : i + 50] for i in range(0, len(data), 50)),
    "c1": lambda data: data[:300] + b"\xc2\x85\x85\x9d" + data[300:],
    "lone surrogate": lambda data: data[:300] + b"\xed\xa0\x80" + data[300:],
    "half latin, half utf-8": lambda data: data[:150] + b"\xe4\xc3\xa4\xff" + data[150:],
    "bom in the middle": lambda data: data[:300] + b"\xef\xbb\xbf" + data[300:],
    "two boms": lambda data: b"\xef\xbb\xbf\xef\xbb\xbf" + data,
    "utf-16 behind utf-8": lambda data: data + data.decode("utf-8", "replace").encode("utf-16"),
}


def _recoded(name: str, data: bytes) -> bytes:
    if name in _MIXED:
        return _MIXED[name](data)
    return data.decode("utf-8", "replace").encode(name, "replace")


@pytest.mark.parametrize(
    "how",
    ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-7", "cp1252", "cp037",
     "iso-8859-15", "cp852", *_MIXED],
)  # fmt: skip
@pytest.mark.parametrize("name", TEXT)
def test_every_encoding_is_read_or_refused_with_words(tmp_path: Path, name: str, how: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(_recoded(how, (SAMPLES / name).read_bytes()))
    try:
        tables = parsers.read_file(path).tables
    except InputError as error:
        assert error.code != "READER_FAILED", error
        assert error.where and error.remedy
        return
    bad = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
    assert [text for text in _texts(tables) if bad.search(text)] == []


def _texts(tables: Tables) -> Iterator[str]:
    for rows in (tables.statements, tables.entries, tables.details, tables.payments):
        for column in rows.columns:
            yield from (value for value in column.to_pylist() if isinstance(value, str))
    yield from (f"{f.where} {f.message}" for f in tables.findings)


_ODD_AMOUNTS = [
    "1E+999999", "1e999999", "NaN", "sNaN", "Infinity", "-Infinity", "9" * 400, "0x10", "1_000",
    ",5", ".5", "--1", "1,2,3", "1.123456", "\u0661\u0662", "\uff11\uff12", "\u2212" + "5", "", " ", "\x00",
    "1" + "\u00a0" + "000", "\u00bd", "1" * 1_000_000, "1E+" + "9" * 1_000_000,
]  # fmt: skip


@pytest.mark.parametrize("text", _ODD_AMOUNTS, ids=lambda t: ascii(t[:12]))
def test_odd_amounts_are_refused_at_once(text: str) -> None:
    started = time.perf_counter()
    with pytest.raises(MoneyError):
        money.parse_amount(text)
    assert _values.amount(text) is None
    best = time.perf_counter() - started
    for _ in range(5):  # the fastest of some: other processes may run on this machine
        started = time.perf_counter()
        _values.amount(text)
        best = min(best, time.perf_counter() - started)
    assert best < 0.001


def _patterns() -> list[tuple[str, re.Pattern[str] | re.Pattern[bytes]]]:
    """Every compiled pattern of the parsers' modules and of money."""
    names = [f"parsers.{m.name}" for m in pkgutil.iter_modules(parsers.__path__)]
    found = []
    for name in [*names, "tieout.money", "tieout.references"]:
        module = importlib.import_module(name)
        for attribute, value in sorted(vars(module).items()):
            if isinstance(value, re.Pattern):
                found.append((f"{name}.{attribute}", value))
    return found


#: Runs of what patterns repeat, each with an end that lets none of them match.
_RUNS = (
    "0", "1", "A", "a", " ", "\t", "\n", "\r", "<", ">", "/", "-", ",", ".", ":", "?", "=", "'", "&",
    "&#1", "<a ", "<!--", "{1:", "?20", "/A/", "1,", "A1", "@@", "\r\n:", ":61:", "xmlns='camt.05", "16,",
)  # fmt: skip
#: Characters tried, the small text first: at a megabyte a pattern that is slow takes hours.
_SIZES = (1 << 14, 1 << 20)
#: A profile's own see a file's head, a line or a field.
_PROFILE_SIZES = (1 << 12, 1 << 16)


def _ways(name: str) -> list[str]:
    """How a module asks its pattern; one that looks for it anywhere is given to `search` too."""
    module, _, attribute = name.rpartition(".")
    source = inspect.getsource(importlib.import_module(module))
    anywhere = rf"{attribute}\.(search|sub|subn|findall|finditer|split)\b"
    return ["match", "fullmatch", *(["search"] if re.search(anywhere, source) else [])]


@pytest.mark.parametrize(
    ("name", "pattern"), _patterns(), ids=lambda v: v if isinstance(v, str) else ""
)
def test_patterns_take_linear_time(name: str, pattern: re.Pattern[str] | re.Pattern[bytes]) -> None:
    for size in _SIZES:
        assert _slow(pattern, _ways(name), size) == []


def _slow(
    pattern: re.Pattern[str] | re.Pattern[bytes], ways: list[str], size: int
) -> list[tuple[str, str]]:
    """The runs that take a pattern longer than a linear one takes for them, and how it was asked."""
    slow = []
    for run in _RUNS:
        text = run * (size // len(run)) + "\x00"
        data = text.encode() if isinstance(pattern.pattern, bytes) else text
        for way in ways:
            started = time.process_time()
            getattr(pattern, way)(data)
            if time.process_time() - started > 0.3:
                slow.append((way, run))
    return slow


def _expressions(found: object) -> Iterator[str]:
    """Every text of a profile; those that are no expression are quick ones."""
    if isinstance(found, dict):
        for value in found.values():
            yield from _expressions(value)
    elif isinstance(found, list):
        for value in found:
            yield from _expressions(value)
    elif isinstance(found, str):
        yield found


@pytest.mark.parametrize("name", [name for name, _ in profiles.load_all("banks")])
def test_patterns_of_our_profiles_take_linear_time(name: str) -> None:
    (found,) = (found for other, found in profiles.load_all("banks") if other == name)
    for text in _expressions(found):
        try:
            pattern = re.compile(text, re.MULTILINE)
        except re.error:
            continue
        for size in _PROFILE_SIZES:
            assert _slow(pattern, ["search"], size) == [], text
