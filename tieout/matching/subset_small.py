"""Which of many small questions have an answer at all: all their sums at once.

Most parties have a few open items, and most payments are no sum of them. These are told together,
a number of items at a time, so that only what has an answer is looked through one by one.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["SMALL", "answerable"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: Questions of more items are not looked into here.
SMALL: Final = 12
#: Sums held at once.
_HELD: Final = 1 << 18


def answerable(targets: Ints, starts: Ints, counts: Ints, amounts: Ints, most: int) -> Flags:
    """Whether some choice of a question's items may come to its target; larger ones always may.

    Args:
        targets: of each question, in minor units, signed.
        starts: where its items start among the amounts.
        counts: how many items it has.
        amounts: of the items, question by question.
        most: items a choice may have.
    """
    found = counts > SMALL
    for size in range(1, SMALL + 1):
        at = np.flatnonzero(counts == size)
        chosen = np.bitwise_count(np.arange(1 << size))
        allowed = (chosen > 0) & (chosen <= most)
        step = _HELD >> size
        for first in range(0, len(at), step):
            some = at[first : first + step]
            sums = np.zeros((len(some), 1), dtype="int64")
            for item in range(size):
                sums = np.concatenate([sums, sums + amounts[starts[some] + item][:, None]], axis=1)
            found[some] = ((sums == targets[some][:, None]) & allowed).any(axis=1)
    return found
