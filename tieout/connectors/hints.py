"""What a system's own call to us may say: whose document to look at sooner, and nothing else.

A callback comes twice, late, in another order, or never; and whoever has its password can send one.
So nothing is concluded from it: the documents it names are looked up, and that look decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Hint", "HintReader"]


@dataclass(frozen=True, slots=True)
class Hint:
    """What is worth a look.

    Attributes:
        references: ours, each once, sorted.
        batch: it is of a request for several documents that it does not name: any may be meant.
    """

    references: tuple[str, ...] = ()
    batch: bool = False


#: Reads a callback's body; raises ConnectorError where it is none.
HintReader = Callable[[bytes], Hint]
