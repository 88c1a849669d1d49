r"""Patterns generalised from examples, in the small safe language of `tieout.references`.

>>> generalise(["CN-004711", "CN-004712", "CN-120001"])
('CN-\\d{6}',)
>>> generalise(["RE 2026/17", "RE2026/018"])
('RE ?\\d{4}/\\d{2,3}',)
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from tieout.errors import ProfileError
from tieout.references import check_pattern

__all__ = ["generalise"]

_RUN: Final = re.compile(r"[A-Z]+|[0-9]+|[ \-/._:]+")
_LITERAL: Final = 6
_ESCAPED: Final = {".": "[.]"}


def generalise(examples: Sequence[str], *, least: int = 2) -> tuple[str, ...]:
    """Patterns that fit the examples, those with most examples first.

    Letters stay as they are where all examples have the same; digits become counts; a separator
    that some examples lack becomes optional.

    Args:
        examples: references as people wrote them, in upper case.
        least: examples a pattern needs.
    """
    shapes: dict[str, list[list[str]]] = defaultdict(list)
    for example in sorted(set(examples)):
        runs = _RUN.findall(example)
        if "".join(runs) == example and any(run.isdigit() for run in runs):
            shapes["".join(_kind(run) for run in runs if _kind(run) != "-")].append(runs)
    found = []
    for shape, rows in shapes.items():
        if len(rows) >= least:
            pattern = _pattern(shape, rows)
            try:
                found.append((-len(rows), check_pattern(pattern, "suggestion")))
            except ProfileError:
                continue  # too long, or with marks that patterns may not hold
    return tuple(pattern for _, pattern in sorted(found))


def _kind(run: str) -> str:
    return "D" if run[0].isdigit() else "L" if run[0].isalpha() else "-"


def _pattern(shape: str, rows: list[list[str]]) -> str:
    """The pattern of rows with the same letters and digits, whatever stands between them."""
    parts: list[list[str]] = [[] for _ in shape]
    between: list[list[str]] = [[] for _ in range(len(shape))]
    for runs in rows:
        at = -1
        gaps = [""] * len(shape)
        for run in runs:
            if _kind(run) == "-":
                gaps[at] = run
            else:
                at += 1
                parts[at].append(run)
        for place, gap in enumerate(gaps):
            between[place].append(gap)
    words = []
    for place, kind in enumerate(shape):
        words.append(_digits(parts[place]) if kind == "D" else _letters(parts[place]))
        if place < len(shape) - 1:
            words.append(_gap(between[place]))
    return "".join(words)


def _counted(values: Sequence[str]) -> str:
    lengths = sorted({len(v) for v in values})
    if lengths == [1]:
        return ""
    return f"{{{lengths[0]}}}" if len(lengths) == 1 else f"{{{lengths[0]},{lengths[-1]}}}"


def _digits(values: Sequence[str]) -> str:
    return r"\d" + _counted(values)


def _letters(values: Sequence[str]) -> str:
    if len(set(values)) == 1 and len(values[0]) <= _LITERAL:
        return values[0]
    return "[A-Z]" + _counted(values)


def _gap(values: Sequence[str]) -> str:
    seen = sorted(set(values) - {""})
    if not seen:
        return ""
    if len(seen) == 1 and len(seen[0]) == 1:
        word = _ESCAPED.get(seen[0], seen[0])
    else:
        marks = sorted({mark for gap in seen for mark in gap})
        word = "[" + "".join(sorted(marks, key=lambda m: m != "-")) + "]"
        longest = max(len(gap) for gap in seen)
        if longest > 1:
            return f"{word}{{{0 if '' in values else 1},{longest}}}"
    return word + "?" if "" in values else word
