"""Memory does not grow with a file: each reader in a process of its own, a small and a large file.

More than twice the bytes may cost some megabytes more, not twice as much.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
    with path.open("rb") as stream:
        head = stream.read(65536)
    module = next(m for m in parsers.FORMATS if m.identify(head))
    rows = 0
    for batch in module.read(path):
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
_SIZES = {
    "camt.053": 30, "pain.001": 6, "pain.002": 6, "mt940": 24, "bai2": 24, "coda": 6, "delimited": 6,
}  # fmt: skip
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


@pytest.mark.parametrize("name", _SIZES)
def test_peak_memory_is_bounded(tmp_path: Path, name: str) -> None:
    size = _SIZES[name] << 20
    small, large, many = tmp_path / "small", tmp_path / "large", tmp_path / "many"
    big.write(name, size * 2 // 5, small)
    big.write(name, size, large)
    big.write(name, size, many, many=True)
    (few, before), (most, after), (also, last) = peaks(small, large, many)
    assert most > 2 * few > 10_000
    assert also == most
    assert after - before < _GROWTH_KIB, (before, after)
    assert last - after < _GROWTH_KIB, (after, last)
    assert last < _MOST_KIB


def test_peak_memory_of_telling_is_bounded(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    big.write("bai2", 4 << 20, small)
    big.write("bai2", 10 << 20, large)
    (_, before), (_, after) = peaks(small, large, code=_TELL)
    assert after - before < _GROWTH_KIB, (before, after)
    assert after < _MOST_KIB
