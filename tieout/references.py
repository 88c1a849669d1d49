r"""References: one normal form, what does not count as one, and how they are found in free text.

The normal form is upper case without separators (blank ``- / . _ :``): ``re-2026/0417`` and
``RE 2026 0417`` are the same reference. Leading zeros are kept unless asked otherwise, because
``0417`` and ``417`` are different documents in most number ranges.

Patterns are a small, safe part of regular expressions: literals, classes, ``\d``, ``?`` and
bounded counts (``{4,6}``). Anything unbounded or nested is refused, so that finding is linear in
the text whatever a bank sends.

>>> normalise(" re-2026/0417 ")
'RE20260417'
>>> find("INV RE-2026-00\n417 THANKS", (r"RE-\d{4}-\d{4,6}",))
('RE202600417',)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from tieout.errors import ProfileError
from tieout.identity import NO_REFERENCE

__all__ = ["SENTINELS", "SEPARATORS", "check_pattern", "find", "is_reference", "normalise"]

SEPARATORS: Final = " -/._:"

_DROP: Final = str.maketrans("", "", SEPARATORS)

#: `NO_REFERENCE` in the normal form.
SENTINELS: Final = frozenset(value.translate(_DROP) for value in NO_REFERENCE)

_COUNT = re.compile(r"\{(\d+)(?:,(\d+))?\}")
_UNSAFE = re.compile(r"[*+|()^$.]|\\[^dAZ./ -]")
_COUNT_MAX: Final = 40


def normalise(text: str | None, *, zeros: Literal["keep", "strip"] = "keep") -> str:
    """Upper case without separators; empty for None.

    Args:
        text: a reference as written.
        zeros: whether leading zeros count.
    """
    value = (text or "").strip().upper().translate(_DROP)
    return value.lstrip("0") if zeros == "strip" else value


def is_reference(text: str | None, *, length_min: int = 1) -> bool:
    """Whether the text identifies something: long enough and not what banks write for none."""
    value = normalise(text)
    return len(value) >= length_min and value not in SENTINELS


def check_pattern(pattern: str, where: str) -> str:
    """The pattern itself, if it is linear-time and well formed.

    Raises:
        ProfileError: ``PATTERN_UNSAFE``.
    """
    bare = re.sub(r"\[[^\[\]]*\]", "x", pattern)
    unsafe = _UNSAFE.search(bare)
    counts = [int(high or low) for low, high in _COUNT.findall(bare)]
    problem = ""
    if unsafe:
        problem = f"{unsafe.group()!r} is not allowed"
    elif counts and max(counts) > _COUNT_MAX:
        problem = f"a count above {_COUNT_MAX} is not allowed"
    elif len(pattern) > 200:
        problem = "it is longer than 200 characters"
    else:
        try:
            re.compile(pattern)
        except re.error as error:
            problem = str(error)
    if problem:
        raise ProfileError(
            "PATTERN_UNSAFE",
            f"pattern {pattern!r}: {problem}",
            where=where,
            remedy=r"use literals, classes, \d, ? and counts such as {4,6}",
        )
    return pattern


def find(text: str | None, patterns: Sequence[str], *, length_min: int = 4) -> tuple[str, ...]:
    """References in free text, in the normal form, sorted and without repeats.

    The text is read as written and again without its line breaks, because a bank may wrap a
    number over two lines.
    """
    if not text or not patterns:
        return ()
    joined = re.compile("|".join(f"(?:{p})" for p in patterns))
    views = (text.upper(), re.sub(r"[\r\n]+", "", text.upper()))
    found = {normalise(hit) for view in views for hit in joined.findall(view)}
    return tuple(sorted(v for v in found if len(v) >= length_min and v not in SENTINELS))
