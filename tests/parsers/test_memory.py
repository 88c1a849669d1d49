"""Memory does not grow with a file: each reader in a process of its own, a small and a large file.

More than twice the bytes may cost some megabytes more, not twice as much.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.targets import ROOT
from tests.parsers import big

#: Reads the files given, in order, and says the peak in KiB after each.
_READ = """
import re, sys
from pathlib import Path
import parsers
for name in sys.argv[1:]:
    path = Path(name)
    rows = 0
    for batch in parsers.stream_file(path).batches:
        rows += batch.entries.num_rows + batch.payments.num_rows + batch.statuses.num_rows
    # Not what getrusage says: that remembers the process we were forked from.
    print(rows, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""
#: The same where the command tells a file as JSON.
_TELL = """
import re, sys
from pathlib import Path
import tieout.cli
for name in sys.argv[1:]:
    tieout.cli.main(["parse", "--json", name])
    peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
    print(1, peak, file=sys.stderr)
"""
#: The large file's megabytes; the small one has two fifths. Readers of chunks need more to settle.
_LARGER = {"mt940": 10, "mt942": 10, "bai2": 10, "coda": 8} | dict.fromkeys(
    ("camt.052", "camt.053", "camt.054"), 12
)
_SIZES = dict.fromkeys(big.SHAPES, 4) | _LARGER
#: Those whose readers hold something of each statement to the end, or much of each block.
_MANY = {"camt.053": 5, "mt940": 2, "bai2": 2, "delimited": 1}
#: What may be more after the larger file: allocators keep some of what they had. Rows that were
#: kept would be ten times the bytes of the file.
_GROWTH_KIB = 36 << 10
#: The promise, for a file of any size; KiB.
_MOST_KIB = 256 << 10


def peaks(*paths: Path, code: str = _READ) -> list[tuple[int, int]]:
    """Rows and peak memory in KiB after each file, read one after the other."""
    command = [sys.executable, "-c", code, *map(str, paths)]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    streams = {"stdout": pipe} if code is _READ else {"stdout": nothing, "stderr": pipe}
    ran = subprocess.run(command, cwd=ROOT, text=True, check=True, **streams)
    out = ran.stdout or ran.stderr
    return [(int(rows), int(peak)) for rows, peak in (line.split() for line in out.splitlines())]


def two(folder: Path, name: str, megabytes: int, **options: Any) -> tuple[Path, Path]:
    """A file of so many megabytes, and one of two fifths of it before."""
    small, large = folder / "small", folder / "large"
    big.write(name, (megabytes << 20) * 2 // 5, small, **options)
    big.write(name, megabytes << 20, large, **options)
    return small, large


@pytest.mark.parametrize("name", _SIZES)
def test_peak_memory_is_bounded(tmp_path: Path, name: str) -> None:
    small, large = two(tmp_path, name, _SIZES[name])
    (few, before), (most, after) = peaks(small, large)
    assert most > 2 * few > 5_000
    assert after - before < _GROWTH_KIB, (before, after)
    assert after < _MOST_KIB


@pytest.mark.parametrize("name", _MANY)
def test_peak_memory_of_many_statements_is_bounded(tmp_path: Path, name: str) -> None:
    small, large = two(tmp_path, name, _MANY[name], many=True, each=2)
    (few, before), (most, after) = peaks(small, large)
    assert most > 2 * few > 2_000
    # A chunk of camt full of short statements has many small objects at once, but no more.
    assert after - before < 2 * _GROWTH_KIB, (before, after)
    assert after < _MOST_KIB


def test_a_finding_for_every_entry_does_not_wait_in_memory(tmp_path: Path) -> None:
    """A camt file whose entries all have an impossible date: each is read by itself."""
    small, large = tmp_path / "small", tmp_path / "large"
    for path, size in ((small, 2 << 20), (large, 6 << 20)):
        big.write("camt.053", size, path)
        text = path.read_text().replace("<BookgDt><Dt>2026-11-20", "<BookgDt><Dt>2026-02-30")
        path.write_text(text)
    (_, before), (_, after) = peaks(small, large, code=_TELL)
    assert after - before < 2 * _GROWTH_KIB, (before, after)
    assert after < _MOST_KIB


def test_accounts_in_turn_do_not_wait_in_memory(tmp_path: Path) -> None:
    """A bank's export by time: the rows of its accounts are mixed."""
    small, large = tmp_path / "small", tmp_path / "large"
    for path, size in ((small, 2 << 20), (large, 5 << 20)):
        big.write("delimited", size, path)
        head, *lines, foot = path.read_text().splitlines(keepends=True)
        path.write_text("".join((head, *("".join(lines[n::50]) for n in range(50)), foot)))
    (few, before), (most, after) = peaks(small, large)
    assert most > 2 * few > 2_000
    assert after - before < _GROWTH_KIB, (before, after)


def test_peak_memory_of_telling_is_bounded(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    big.write("bai2", 2 << 20, small)
    big.write("bai2", 6 << 20, large)
    (_, before), (_, after) = peaks(small, large, code=_TELL)
    assert after - before < _GROWTH_KIB, (before, after)
    assert after < _MOST_KIB
