"""A draft for a file of fixed-width records that no profile has: its records, their columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tieout.books_cells import day_of
from tieout.money import is_currency
from tieout.onboarding.columns import YEARS
from tieout.onboarding.delimited_draft import trial
from tieout.onboarding.features import best_encoding
from tieout.onboarding.mask import masked
from tieout.onboarding.rows import Feature

__all__ = ["Guess", "guess", "trial"]

_LINES: Final = 400
_AMOUNT_MIN: Final = 6
_WIDTH_MIN: Final = 30
_FORMS: Final = (("%Y%m%d", 8), ("%d%m%Y", 8), ("%y%m%d", 6), ("%d%m%y", 6))
_MARKS: Final = frozenset("DC+-12SH")
_DEBIT: Final = frozenset("D-1S")


@dataclass
class Guess:
    """What was found in a file of fixed-width records."""

    encoding: str
    width: int
    lines: list[str]
    kinds: dict[str, str] = field(default_factory=dict)  # first characters to role
    columns: dict[str, tuple[int, int]] = field(default_factory=dict)  # of an entry
    dates: str = ""
    marks: dict[str, list[str]] = field(default_factory=dict)
    currency: str = "EUR"
    account: tuple[int, int] | None = None  # in every record
    doubts: tuple[str, ...] = ()

    def features(self) -> tuple[Feature, ...]:
        """What was seen, as features."""
        out = [Feature(f"records of {self.width} columns", len(self.lines), (1,))]
        for start, role in self.kinds.items():
            hits = [n for n, line in enumerate(self.lines, 1) if line.startswith(start)]
            out.append(
                Feature(f"records that begin with {start!r}: {role}", len(hits), tuple(hits[:3]))
            )
        first = next(
            n for n, x in enumerate(self.lines, 1) if self.kinds[_start(self, x)] == "entry"
        )
        out += [
            Feature(f"{name} in columns {place[0]} to {place[1]}", 1, (first,))
            for name, place in self.columns.items()
        ]
        return tuple(out)

    def toml(self, name: str) -> str:
        """The profile."""
        samples: dict[str, str] = {}
        for line in self.lines:
            samples.setdefault(self.kinds[_start(self, line)], line)
        out = [f"#> {masked(line)}" for line in samples.values()]
        marks = ", ".join(f"{k} = {v!r}" for k, v in self.marks.items())
        out += [
            "#",
            "# Drafted by `tieout onboard`: settle what is in doubt, then say the reasons.",
            *(f"# doubt: {doubt}" for doubt in self.doubts),
            f'title = "{name}"',
            "[fixed]",
            f"width = {self.width}",
            f'dates = "{self.dates}"',
            "implied = 2",
            'ends = "open"',
            f'currency = "{self.currency}"',
            *([f'encoding = "{self.encoding}"'] if not self.encoding.startswith("utf") else []),
            *([f"marks = {{ {marks} }}"] if marks else []),
        ]
        for start, role in self.kinds.items():
            out += ["[[fixed.record]]", f'role = "{role}"', f"match = '{re.escape(start)}'"]
            if role == "open" and self.account is not None:
                out.append(
                    f"columns = {{ account_id = [{self.account[0] + 1}, {self.account[1]}] }}"
                )
            if role == "entry":
                places = ", ".join(f"{n} = [{a}, {b}]" for n, (a, b) in self.columns.items())
                out.append(f"columns = {{ {places} }}")
        return "\n".join(out) + "\n"


def _start(found: Guess, line: str) -> str:
    return next(start for start in found.kinds if line.startswith(start))


def guess(raw: bytes) -> Guess | None:
    """What a file of fixed-width records seems to say; None for any other file."""
    encoding = best_encoding(raw)
    lines = [line for line in raw.decode(encoding, "replace").splitlines() if line.strip()][:_LINES]
    if len(lines) < 3:
        return None
    width = max(len(line) for line in lines)
    if width < _WIDTH_MIN or sum(len(line) > width * 0.5 for line in lines) < 0.7 * len(lines):
        return None
    found = Guess(encoding, width, lines)
    if not _kinds(found):
        return None
    entries = [x.ljust(width) for x in lines if found.kinds[_start(found, x)] == "entry"]
    if not _columns(found, entries):
        return None
    doubts = ["amounts are read as cents; are they?", f"is the currency {found.currency}?",
              "which columns of the opening record are opening and closing balance?",
              "is there a closing record (role = close, ends = footer)?"]  # fmt: skip
    found.doubts = tuple(doubts)
    return found


def _kinds(found: Guess) -> bool:
    """Records by their first one to three characters; the first is the opening one."""
    for size in (3, 2, 1):
        starts = Counter(line[:size] for line in found.lines)
        entry, count = starts.most_common(1)[0]
        opening = found.lines[0][:size]
        if len(starts) <= 6 and opening != entry and count >= 2:
            roles = {opening: "open", entry: "entry"}
            found.kinds = {start: roles.get(start, "skip") for start in starts}
            return True
    return False


def _columns(found: Guess, entries: Sequence[str]) -> bool:
    """A day, an amount with its mark, and text, each where all entries agree."""
    digits = [all(line[at].isdigit() for line in entries) for at in range(found.width)]
    found.account = _own_account(found, entries)
    for at in range(*(found.account or (0, 0))):
        digits[at] = False  # neither a day nor an amount
    day = _day(entries, digits)
    if day is None:
        return False
    found.dates, first, last = day
    found.columns["booked_on"] = (first + 1, last)
    marked = [
        at for at in range(found.width)
        if all(line[at] in _MARKS for line in entries) and (at == 0 or digits[at - 1])
        and not first <= at < last and at > 2
    ]  # fmt: skip
    signs = [at for at in marked if not digits[at]] or marked
    spans = [part for run in _runs(digits) for part in _without(run, first, last)]
    if not spans:
        return False
    mark = next((s for s in signs if any(b == s for _, b in spans)), None)
    start, end = next((s for s in spans if s[1] == mark), max(spans, key=lambda s: s[1] - s[0]))
    found.columns["amount"] = (max(start, end - 18) + 1, end)
    if mark is not None:
        values = sorted({line[mark] for line in entries})
        found.columns["mark"] = (mark + 1, mark + 1)
        named = {
            "debit": [v for v in values if v in _DEBIT],
            "credit": [v for v in values if v not in _DEBIT],
        }
        found.marks = {kind: texts for kind, texts in named.items() if texts}
    used = {n for a, b in found.columns.values() for n in range(a - 1, b)}
    text = _longest_text(entries, [digits[n] or n in used for n in range(found.width)])
    if text is not None:
        found.columns["narrative"] = (text[0] + 1, text[1])
    codes = {c for line in found.lines for c in re.findall(r"(?<![A-Z])[A-Z]{3}(?![A-Z])", line)}
    found.currency = next((c for c in sorted(codes) if is_currency(c)), "EUR")
    return True


def _runs(digits: Sequence[bool]) -> list[tuple[int, int]]:
    text = "".join("1" if d else "0" for d in digits)
    return [match.span() for match in re.finditer("1+", text)]


def _without(run: tuple[int, int], first: int, last: int) -> list[tuple[int, int]]:
    """A run of digits less the day in it; only parts long enough for an amount."""
    apart = run[1] <= first or run[0] >= last
    parts = [run] if apart else [(run[0], first), (last, run[1])]
    return [(a, b) for a, b in parts if b - a >= _AMOUNT_MIN]


def _day(entries: Sequence[str], digits: Sequence[bool]) -> tuple[str, int, int] | None:
    for form, size in _FORMS:
        for at in range(len(digits) - size + 1):
            if not all(digits[at : at + size]):
                continue
            days = [day_of(line[at : at + size], form) for line in entries]
            if all(d is not None and d.year in YEARS for d in days):
                return form, at, at + size
    return None


def _longest_text(entries: Sequence[str], taken: Sequence[bool]) -> tuple[int, int] | None:
    """The longest stretch of columns that is not taken and holds letters."""
    letters = [any(line[at].isalpha() for line in entries) for at in range(len(taken))]
    free = "".join("0" if at else "1" for at in taken)
    found = [m.span() for m in re.finditer("1{4,}", free) if any(letters[m.start() : m.end()])]
    return max(found, key=lambda span: sum(letters[span[0] : span[1]])) if found else None


def _own_account(found: Guess, entries: Sequence[str]) -> tuple[int, int] | None:
    """Columns in which the opening record and all entries have the same digits."""
    opening = next(x for x in found.lines if found.kinds[_start(found, x)] == "open")
    rows = [opening.ljust(found.width), *entries]
    size = len(next(iter(found.kinds)))
    same = "".join(
        "1" if at >= size and len({row[at] for row in rows}) == 1 and opening[at : at + 1].isdigit()
        else "0"
        for at in range(found.width)
    )  # fmt: skip
    spans = [m.span() for m in re.finditer("1{6,}", same)]
    return max(spans, key=lambda span: span[1] - span[0]) if spans else None
