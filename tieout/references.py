r"""References: one normal form, what does not count as one, and how they are found in free text.

The normal form is upper case without separators (blank ``- / . _ :``): ``re-2026/0417`` and
``RE 2026 0417`` are the same reference. Leading zeros are kept unless asked otherwise, because
``0417`` and ``417`` are different documents in most number ranges.

Patterns are a small, safe part of regular expressions: literals, classes, ``\d``, ``?`` and
bounded counts (``{4,6}``). Anything unbounded or nested is refused, so that finding is linear in
the text whatever a bank sends.

Structured references carry check digits: `plain` gives one form to each kind, `is_valid` says
whether its check digits are right, and `reference_type` tells the kind where the text leaves no
doubt. Bare digits mean nothing without the country whose banks carry them.

>>> normalise(" re-2026/0417 ")
'RE20260417'
>>> find("INV RE-2026-00\n417 THANKS", (r"RE-\d{4}-\d{4,6}",))
('RE202600417',)
>>> reference_type("RF58 NORD 2026 4711"), reference_type("+++471/1002/02619+++")
('SCOR', 'BBA')
>>> reference_type("20261120"), reference_type("20261120", country="FI")
(None, 'VIITE')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, Literal, get_args

from tieout import check_digits
from tieout.errors import ProfileError
from tieout.identity import NO_REFERENCE

__all__ = [
    "DROPPED",
    "REFERENCE_TYPES",
    "SENTINELS",
    "SEPARATORS",
    "ReferenceType",
    "check_pattern",
    "find",
    "is_reference",
    "is_valid",
    "normalise",
    "plain",
    "reference_type",
    "structured",
]

#: ISO 11649, Swiss QR and old ISR, Belgian OGM/VCS, Norwegian KID, Danish FIK, Finnish viite,
#: Swedish OCR. The first three are ISO 20022's own names, ``BBA`` is the Belgian issuer's.
ReferenceType = Literal["SCOR", "QRR", "ISR", "BBA", "KID", "FIK", "VIITE", "OCR"]
REFERENCE_TYPES: Final[tuple[str, ...]] = get_args(ReferenceType)

SEPARATORS: Final = " -/._:"

#: What the normal form leaves out: separators, and line breaks where a bank wrapped a reference.
DROPPED: Final = SEPARATORS + "\t\n\r\x0b\x0c"

_DROP: Final = str.maketrans("", "", DROPPED)

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


def plain(text: str | None, kind: str) -> str | None:
    """A structured reference in the one form its kind has, or None where it is none of that kind.

    Two texts are the same reference exactly if their plain forms are equal: no blanks or signs,
    QR and ISR with 27 digits, Finnish ones without leading zeros, a FIK as its digits alone.

    >>> plain("26 11200 00000 00000 00000 47113", "QRR"), plain("4711000000202619", "ISR")
    ('261120000000000000000047113', '000000000004711000000202619')
    >>> plain("+71<000000047112024+12345678<", "FIK"), plain("00202 61120", "VIITE")
    ('000000047112024', '20261120')
    >>> plain("+++471/1002/02618+++", "BBA"), plain("4711", "no such kind")
    (None, None)
    """
    form = _FORMS.get(kind)
    return form("".join((text or "").split()).upper()) if form else None


def is_valid(text: str | None, kind: str) -> bool:
    """Whether the text is a reference of the kind with right check digits."""
    return plain(text, kind) is not None


def reference_type(text: str | None, *, country: str | None = None) -> ReferenceType | None:
    """The kind of a structured reference by its form and check digits; None where in doubt.

    Creditor references, marked Belgian and Danish ones and 27 Swiss digits speak for themselves;
    other digits are what the country (ISO code) of the bank that carried them says.
    """
    bare = "".join((text or "").split()).upper()
    if bare.startswith("RF"):
        return "SCOR" if is_valid(bare, "SCOR") else None
    if bare[:1] in ("+", "*"):
        return next((kind for kind in ("BBA", "FIK") if is_valid(bare, kind)), None)
    if len(bare) == _SWISS and is_valid(bare, "QRR"):
        return "QRR"
    own = _OF_COUNTRY.get((country or "").upper())
    return own if own and is_valid(bare, own) else None


def structured(text: str | None) -> str | None:
    """A reference whose own check digits prove it, marked with its scheme; None for all others.

    Only kinds that speak for themselves: creditor references, 27 Swiss digits, Belgian ones (12
    digits, marked or not) and Danish ones with their signs. Equal texts are the same reference.

    >>> structured("RF58 NORD 2026 4711"), structured("+++471/1002/02619+++")
    ('SCOR:RF58NORD20264711', 'BBA:471100202619')
    >>> structured("26 11200 00000 00000 00000 47113"), structured("4711")
    ('QRR:261120000000000000000047113', None)
    """
    bare = "".join((text or "").split()).upper()
    kind = reference_type(bare)
    if kind is None and len(bare.replace("/", "")) == _BELGIAN:
        kind = "BBA"
    form = plain(bare, kind) if kind else None
    return f"{kind}:{form}" if form else None


_BELGIAN: Final = 12
_SWISS: Final = 27
_MARKED_FIK = re.compile(r"\+?(?:71<(\d{15})|(?:04|15|75)<(\d{16}))(?:\+\d{7,8}<?)?", re.ASCII)
_OF_COUNTRY: Final[dict[str, ReferenceType]] = {
    "BE": "BBA", "CH": "ISR", "DK": "FIK", "FI": "VIITE", "LI": "ISR", "NO": "KID", "SE": "OCR",
}  # fmt: skip


def _scor(text: str) -> str | None:
    right = text.startswith("RF") and len(text) <= 25 and check_digits.mod97(text)
    return text if right and text[2:4].isdigit() else None


def _swiss(text: str) -> str | None:
    right = len(text) <= _SWISS and text.strip("0") and check_digits.recursive_mod10(text)
    return text.zfill(_SWISS) if right else None


def _belgian(text: str) -> str | None:
    bare = text
    if text[:3] == text[-3:] and text[:3] in ("+++", "***"):
        bare = text[3:-3]
    parts = bare.split("/")
    if len(parts) > 1 and [len(p) for p in parts] != [3, 4, 5]:
        return None
    digits = "".join(parts)
    return digits if check_digits.belgian(digits) and digits.strip("0") else None


def _fik(text: str) -> str | None:
    marked = _MARKED_FIK.fullmatch(text)
    bare = (marked[1] or marked[2]) if marked else text
    right = len(bare) in (15, 16) and check_digits.luhn(bare) and bare.strip("0")
    return bare if right else None


def _within(
    shortest: int, longest: int, *checks: Callable[[str], bool]
) -> Callable[[str], str | None]:
    def form(text: str) -> str | None:
        right = shortest <= len(text) <= longest and any(check(text) for check in checks)
        return text if right and text.strip("0-") else None

    return form


def _viite(text: str) -> str | None:
    bare = text.lstrip("0") if len(text) <= 20 else ""
    return bare if len(bare) >= 4 and check_digits.weights731(bare) else None


_FORMS: Final[dict[str, Callable[[str], str | None]]] = {
    "SCOR": _scor,
    "QRR": lambda text: _swiss(text) if len(text) == _SWISS else None,
    "ISR": _swiss,
    "BBA": _belgian,
    "KID": _within(4, 25, check_digits.luhn, check_digits.mod11),
    "FIK": _fik,
    "VIITE": _viite,
    "OCR": _within(2, 25, check_digits.luhn),
}
