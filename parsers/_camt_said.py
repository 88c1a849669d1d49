"""What was written freely in the details of a chunk, as one text each."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from parsers import _camt_places as places
from parsers._camt_layout import Rows
from parsers._leaves import Texts
from tieout.arrays import fixed, flags, listed

__all__ = ["narrative"]


def narrative(rows: Rows, texts: Texts, row_of: npt.NDArray[Any], size: int) -> pa.Array[Any]:
    """All that was written, in order, joined by blanks.

    Args:
        rows: the chunk.
        texts: its texts.
        row_of: the row of each TxDtls.
        size: number of rows.
    """
    part = rows.block(places.MANY)
    leaf = np.arange(part.start, part.stop)[~texts.gone[part]]
    leaf = leaf[np.argsort(rows.start[leaf], kind="stable")]
    row = row_of[rows.rows[leaf]]
    said = texts.strings(leaf)[0]
    extra = np.flatnonzero(leaf >= rows.column(places.MANY.stop - 1).start)
    if len(extra):  # AddtlTxInf is left out where it repeats another part
        keep = np.ones(len(leaf), dtype=bool)
        first = np.searchsorted(row, row[extra])
        for i, begin in zip(extra.tolist(), first.tolist(), strict=True):
            keep[i] = begin == i or said[i].as_py() not in said[begin:i].to_pylist()
        leaf, row, said = leaf[keep], row[keep], said.filter(flags(keep))
    bounds = np.searchsorted(row, np.arange(size + 1)).astype(np.int32)
    count = np.diff(bounds)
    if count.max(initial=0) <= 1:
        return said.take(fixed(bounds[:-1], pa.int32(), count > 0))
    blank, none = listed([" ", None])
    offsets: Any = fixed(bounds, pa.int32())
    lists: Any = pa.ListArray.from_arrays(offsets, said)
    joined: pa.Array[Any] = pc.if_else(flags(count > 0), pc.binary_join(lists, blank), none)
    return joined
