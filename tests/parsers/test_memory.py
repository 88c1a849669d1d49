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
#: The large file's megabytes; the small one has two fifths. Readers of chunks need more to settle.
_SIZES = {"camt.053": 30, "pain.001": 6, "mt940": 24, "bai2": 24}
#: What may be more after the larger file: allocators keep some of what they had. Rows that were
#: kept would be ten times the bytes of the file.
_GROWTH_KIB = 36 << 10
#: The promise, for a file of any size; KiB.
_MOST_KIB = 256 << 10


def peaks(*paths: Path) -> list[tuple[int, int]]:
    """Rows and peak memory in KiB after each file, read one after the other."""
    out = subprocess.run(
        [sys.executable, "-c", _READ, *map(str, paths)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
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
