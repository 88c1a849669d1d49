"""The order of ids: by their bytes, a whole column at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import handles

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["id_order"]

Ints = npt.NDArray[np.int64]


def id_order(ids: pa.Array[Any]) -> Ints:
    """The order of ids by their bytes; equal beginnings are settled by all of them."""
    count = len(ids)
    if count < 2:
        return np.arange(count)
    buffers: Any = ids.buffers()
    starts = np.frombuffer(buffers[1], dtype="int32")[ids.offset : ids.offset + count + 1]
    raw = np.frombuffer(buffers[2], dtype="uint8")
    lengths = np.diff(starts)
    if (lengths == lengths[0]).all() and lengths[0] >= 8:
        rows = raw[starts[0] : starts[-1]].reshape(count, int(lengths[0]))
        head = np.ascontiguousarray(rows[:, :8])
    else:
        head = np.zeros((count, 8), dtype="uint8")
        for column in range(8):
            has = lengths > column
            head[has, column] = raw[starts[:-1][has] + column]
    words = head.view(">u8").ravel().astype("uint64")
    order = np.argsort(words)  # what is equal is settled below
    tied = np.flatnonzero(np.diff(words[order].view("int64")) == 0)
    if len(tied):
        if len(tied) > count // 8:
            return np.asarray(pc.array_sort_indices(ids).to_numpy(), dtype="int64")
        runs = np.split(tied, np.flatnonzero(np.diff(tied) != 1) + 1)
        for run in runs:
            places = slice(int(run[0]), int(run[-1]) + 2)
            rows = order[places]
            texts: list[Any] = ids.take(handles(rows)).to_pylist()
            order[places] = rows[sorted(range(len(rows)), key=texts.__getitem__)]
    return order.astype("int64")
