"""Two readers of one file: what the fast one gives, the strict one gives.

MT940, MT942 and BAI2 are compared whole, refusals as well, with blocks so small that their edges
fall anywhere. The fast reader of camt may leave a file to the strict one; what it gave before holds.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from parsers import _bai_fast, _bai_reader, _camt_fast, _mt_fast, _mt_reader
from tests.fuzz.targets import Target
from tieout import canonical
from tieout.canonical import Tables
from tieout.errors import InputError

__all__ = ["bulk", "camt"]

_TABLES: Final = ("statements", "balances", "entries", "details", "payments", "statuses")
_BLOCKS: Final = (1, 300, 3_000, 1 << 21)


def bulk(target: Target, path: Path, data: bytes) -> Iterator[str]:
    """How the bulk readers of MT940, MT942 and BAI2 differ from the strict ones."""
    fast: Any
    if target.name in ("mt940", "mt942"):
        fast, read, strict = _mt_fast, _mt_fast.messages, _mt_reader.messages
    elif target.name == "bai2":
        fast, read, strict = _bai_fast, _bai_fast.records_of, _bai_reader.strict
    else:
        return
    usual = fast._BLOCK
    # Of the input itself, so that the same input is judged alike each time.
    fast._BLOCK = _BLOCKS[zlib.crc32(data) % len(_BLOCKS)]
    try:
        mine = _outcome(read(path, None))
    finally:
        fast._BLOCK = usual
    its = _outcome(strict(path, None))
    if mine == its:
        return
    if isinstance(mine, str) or isinstance(its, str):
        said = [x if isinstance(x, str) else "read" for x in (mine, its)]
        yield f"bulk: {said[0]!s:.200} but strict {said[1]!s:.200}"
        return
    names = [name for name in its if mine[name] != its[name]]
    yield f"bulk: {' '.join(names)} differ"


def _outcome(batches: Iterator[Tables]) -> dict[str, Any] | str:
    try:
        whole = canonical.concat(batches)
    except InputError as error:
        return str(error)
    found = {name: getattr(whole, name).to_pydict() for name in _TABLES}
    return {**found, "findings": whole.findings}


def camt(target: Target, path: Path, strict: Tables) -> Iterator[str]:
    """How the fast reader of large camt files differs from the strict one."""
    if not target.name.startswith("camt."):
        return
    given = []
    try:
        given.extend(_camt_fast.batches(path))
        whole = True
    except _camt_fast.UnsureError:
        whole = False
    fast = canonical.concat(given)
    for name in _TABLES:
        mine, its = getattr(fast, name), getattr(strict, name)
        if not whole:
            its = its.slice(0, mine.num_rows)
        if mine.to_pydict() != its.to_pydict():
            yield f"fast: {name} differ" + ("" if whole else " before it was unsure")
    said = strict.findings if whole else strict.findings[: len(fast.findings)]
    if fast.findings != said:
        yield "fast: findings differ" + ("" if whole else " before it was unsure")
