"""Which batches of the Oracle simulator have a text in their name, without a look at each.

A tenant keeps all batches it ever had, and every posting is looked for several times. The names
stand in a few long texts, one behind the other, that are searched as a whole.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Names"]

_BLOCK: Final = 512  # names of one text
_BETWEEN: Final = "\0"  # stands in no name: nothing found reaches over two


@dataclass
class _Block:
    text: str = ""
    starts: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)


class Names:
    """Names by id, in the order they were added."""

    def __init__(self) -> None:
        self._blocks = [_Block()]

    def add(self, number: int, name: str) -> None:
        """Remember a name; ids rise."""
        block = self._blocks[-1]
        if len(block.ids) == _BLOCK:
            block = _Block()
            self._blocks.append(block)
        block.starts.append(len(block.text))
        block.ids.append(number)
        block.text += name.replace(_BETWEEN, " ") + _BETWEEN

    def holding(self, part: str) -> list[int]:
        """Ids of the names that hold a text as it is written, in order."""
        if not part:
            return [number for block in self._blocks for number in block.ids]
        found: list[int] = []
        for block in self._blocks:
            at = block.text.find(part)
            while at >= 0:
                place = bisect_right(block.starts, at) - 1
                found.append(block.ids[place])
                behind = (*block.starts[place + 1 : place + 2], len(block.text))[0]
                at = block.text.find(part, behind)
        return found
