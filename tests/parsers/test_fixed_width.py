"""Cut and hostile files of the fixed-width formats, and what tells one from the other."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

import parsers
from parsers import aeb43, cfonb120, coda
from tests.parsers.columns import CFONB, cfonb, cfonb_file, coda_file, coda_head, n43, n43_file
from tests.parsers.reading import SAMPLES, read, refusal
from tieout.commands.parse import as_json
from tieout.errors import InputError

#: Samples, and the text behind which a cut leaves a smaller whole file: CFONB 120 has no end mark.
_CUT: dict[str, bytes | None] = {
    "two_accounts.cod": None,
    "accents.cfonb": None,
    "unbroken.cfonb": b"0000000001000{" + b" " * 16 + b"01",
    "two_accounts.n43": None,
}


def _facts(path: Path) -> dict[str, Any]:
    found = as_json(Path("x"), parsers.read_file(path))
    for statement in found["statements"]:
        statement["file_id"] = ""
    return {"statements": found["statements"], "findings": found["findings"]}


@pytest.mark.parametrize("name", _CUT)
def test_no_cut_is_read_in_silence(tmp_path: Path, name: str) -> None:
    content = (SAMPLES / name).read_bytes()
    path, whole, silent, read_cuts = tmp_path / "cut", _facts(SAMPLES / name), [], 0
    for at in range(len(content)):
        path.write_bytes(content[:at])
        try:
            found = _facts(path)
        except InputError as error:
            assert error.code != "READER_FAILED", (at, error)
            assert error.where and error.remedy, (at, error)
            continue
        read_cuts += 1
        if found["statements"] != whole["statements"] and found["findings"] == whole["findings"]:
            silent.append(at)
    mark = _CUT[name]
    end = content.index(mark) + len(mark) - 2 if mark else 0
    assert silent == ([end] if mark else [])
    assert read_cuts < 300


_LONG = "x" * 12_000_000
_CODA_OPEN = "".join(f"{line}\n" for line in coda_file().splitlines()[:2])
BOMBS = {
    "coda line": _CODA_OPEN + "21" + _LONG,
    "coda unbroken": coda_head() * 50_000,
    "coda digits": _CODA_OPEN + "2100010000" + "1" * 2_000_000,
    "cfonb line": cfonb("01", 0) + "\n04" + _LONG,
    "cfonb unbroken": cfonb("01", 0) + cfonb("04", 1) * 50_000,
    "cfonb only 01": (cfonb("01", 0) + "\n") * 50_000,
    "n43 line": n43_file()[:82] + "22" + _LONG,
    "n43 no end": n43_file(*n43(1) * 50_000, closing=60_000, end=False),
    "n43 only 11": n43_file()[:82] * 50_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_quickly(tmp_path: Path, name: str) -> None:
    started = time.process_time()
    refusal(tmp_path, BOMBS[name])
    assert time.process_time() - started < 10


@pytest.mark.parametrize("joint", ["\n", ""])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, joint: str) -> None:
    path, peaks = tmp_path / "file", []
    for count in (5_500, 11_000):
        content = cfonb_file(*[cfonb("04", 1, text="ENCAISSEMENT")] * count, closing=10_000 + count)
        path.write_text(content.replace("\r\n", joint))
        tracemalloc.start()
        rows = sum(batch.entries.num_rows for batch in cfonb120.read(path))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert rows == count
    assert peaks[1] < peaks[0] * 1.2


HEADS = {
    coda_file(): "CODA",
    "\r\n\n" + coda_file(): "CODA",
    cfonb_file(): "CFONB 120",
    cfonb("04", 1): "CFONB 120",
    cfonb("01", 0, account=CFONB.replace("    ", "B001")): "CFONB 120",
    n43_file(): "AEB43",
    "00" + "9" * 60 + "\r\n" + n43_file(): "AEB43",
    "01,BANK,ME,261120,0000,1,80,1,2/": None,
    "0123456789" * 12: None,
    "22" * 60: None,
    "00000;20.11.2026;12,50": None,
    ":20:11999900010123456789": None,
}


@pytest.mark.parametrize(("head", "wanted"), HEADS.items())
def test_identification_is_by_content(head: str, wanted: str | None) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        found = [m.identify(head.encode(encoding)) for m in (coda, cfonb120, aeb43)]
        assert [name for name in found if name] == ([wanted] if wanted else [])
        if wanted:
            assert parsers.identify(head.encode(encoding)) == wanted


def test_the_same_bytes_twice_have_the_same_ids(tmp_path: Path) -> None:
    for content in (coda_file(), cfonb_file(), n43_file(*n43(5), closing=10_005)):
        first, second = read(tmp_path, content), read(tmp_path, content.replace("\r\n", "\n"))
        for name, key in (("statements", "statement_id"), ("entries", "entry_id")):
            ids = [getattr(parsed.tables, name)[key].to_pylist() for parsed in (first, second)]
            assert ids[0] == ids[1]
