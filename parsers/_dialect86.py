"""Layouts of ``:86:`` that a dialect declares, where the readers' own recognition is not enough.

One of four, each falling back to `parsers._field86.decode` where the text does not have it (a bank
mixes old and new texts in one file):

- ``labels``: labelled free text (``IBAN: … NAAM: …``), label to column;
- ``subfields``: ``GVC?nn…`` with the bank's own meaning of the numbers;
- ``words``: ``/WORD/value/WORD/value`` with the bank's own words;
- ``patterns``: expressions with columns as named groups, the first that fits.

Text that no label, number or word claims stays in the narrative: nothing is lost.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

from parsers._field86 import Decoded, decode
from parsers._text import clean, reference
from tieout import profiles
from tieout.errors import ProfileError

__all__ = ["Layout", "compiled", "encoding_name", "layout"]

#: Longer texts are no payment's: they are read without the dialect.
_TEXT_CHARS_MAX: Final = 20_000

_OWN: Final = frozenset(f.name for f in fields(Decoded)) - {"structured", "more", "text"}
#: Columns of a detail beyond what the readers' own recognition fills.
_MORE: Final = frozenset(
    {"reference", "reference_type", "transaction_id", "instruction_id", "message_id", "cheque_no"}
)
TARGETS: Final = tuple(sorted(_OWN | _MORE))
_REFERENCES: Final = frozenset({
    "end_to_end_id", "payment_info_id", "mandate_id", "counterparty_account", "reference",
    "transaction_id", "instruction_id", "message_id", "cheque_no",
})  # fmt: skip
_KINDS: Final = ("labels", "subfields", "words", "patterns")


@dataclass(frozen=True, slots=True)
class Layout:
    """How the text is laid out.

    Attributes:
        split: finds the marks, its group 1 is the label, number or word; None with patterns.
        targets: column of each label, number or word.
        join: what stands between physical lines.
        head: column of the text before the first mark.
        trim: characters around a value that are no part of it.
        patterns: expressions with columns as named groups.
        lead: what must stand before the first mark; its group 1 is the business code.
    """

    split: re.Pattern[str] | None = None
    targets: Mapping[str, str] = field(default_factory=dict)
    join: str = "\n"
    head: str = "narrative"
    trim: str = " "
    patterns: tuple[re.Pattern[str], ...] = ()
    lead: re.Pattern[str] | None = None

    def decode(self, lines: Sequence[str]) -> Decoded:
        """The text in the bank's own layout, else as the readers recognise it."""
        text = self.join.join(line.strip() if self.join else line for line in lines)
        if len(text) > _TEXT_CHARS_MAX:
            return decode(lines)
        found = self._groups(text) if self.split is None else self._parts(text, self.split)
        if found is None:
            return decode(lines)
        out = Decoded(structured=self.lead is not None)
        for name, values in found.items():
            whole = clean(" ".join(filter(None, (v.strip(self.trim) for v in values))))
            value = reference(whole) if name in _REFERENCES else whole
            if name == "counterparty_account" and value is not None:
                value = "".join(value.split())
            if name in _MORE:
                if value is not None:
                    out.more[name] = value
            else:
                setattr(out, name, value)
        if not out.structured:
            out.text = clean("\n".join(line.strip() for line in lines))
        return out

    def _parts(self, text: str, split: re.Pattern[str]) -> dict[str, list[str]] | None:
        """Values by column: the text between the marks."""
        start, found = 0, dict[str, list[str]]()
        if self.lead is not None:
            opening = self.lead.match(text)
            if opening is None:
                return None
            start, found = opening.end(), {"gvc": [opening[1]]}
        marks = list(split.finditer(text, start))
        if not marks:
            return None
        if text[start : marks[0].start()].strip(self.trim):
            found.setdefault(self.head, []).append(text[start : marks[0].start()])
        ends = [mark.start() for mark in marks[1:]] + [len(text)]
        for mark, end in zip(marks, ends, strict=True):
            column = self.targets.get(mark[1], "narrative")
            value = text[mark.end() : end]
            if mark[1] not in self.targets:  # a mark nobody named is text
                value = text[mark.start() : end] if self.lead is None else value
            found.setdefault(column, []).append(value)
        return found

    def _groups(self, text: str) -> dict[str, list[str]] | None:
        for pattern in self.patterns:
            match = pattern.search(text)
            if match is not None:
                return {name: [value] for name, value in match.groupdict().items() if value}
        return None


def compiled(pattern: object, where: str) -> re.Pattern[str]:
    """An expression of a profile.

    Raises:
        ProfileError: ``PROFILE_PATTERN``.
    """
    if not isinstance(pattern, str):
        raise ProfileError(
            "PROFILE_VALUE", f"the expression is {pattern!r}", where=where,
            remedy="give it as text between single quotes",
        )  # fmt: skip
    try:
        return re.compile(pattern, re.MULTILINE)
    except re.error as error:
        raise ProfileError(
            "PROFILE_PATTERN", f"{pattern!r}: {error}", where=where, remedy="mend the expression"
        ) from None


def encoding_name(found: object, where: str) -> str | None:
    """An encoding of a profile, None where it names none.

    Raises:
        ProfileError: ``PROFILE_VALUE`` where there is no such encoding.
    """
    if found is None:
        return None
    try:
        return codecs.lookup(str(found)).name
    except LookupError:
        raise ProfileError(
            "PROFILE_VALUE", f"{found!r} is no encoding", where=where,
            remedy="give a name Python knows, such as cp852",
        ) from None  # fmt: skip


def layout(found: Mapping[str, Any], where: str) -> Layout:
    """``[field86]`` of a profile.

    Raises:
        ProfileError: a key, column or expression is wrong.
    """
    profiles.allow_keys(found, (*_KINDS, "join", "head", "trim", "lead", "mark"), where)
    kinds = [kind for kind in _KINDS if kind in found]
    if len(kinds) != 1:
        raise ProfileError(
            "PROFILE_VALUE", f"{len(kinds)} layouts are given", where=where,
            remedy="give one of " + ", ".join(_KINDS),
        )  # fmt: skip
    if kinds[0] == "patterns":
        patterns = tuple(
            compiled(p, where) for p in profiles.require(found, "patterns", list, where)
        )
        for pattern in patterns:
            profiles.allow_keys(pattern.groupindex, TARGETS, f"{where} patterns")
        return Layout(patterns=patterns, join=found.get("join", "\n"), trim=found.get("trim", " "))
    return _marked(kinds[0], found, where)


def _marked(kind: str, found: Mapping[str, Any], where: str) -> Layout:
    targets: dict[str, str] = {}
    for column, marks in profiles.require(found, kind, dict, where).items():
        profiles.allow_keys({column: marks}, TARGETS, f"{where} {kind}")
        for mark in marks if isinstance(marks, list) else [marks]:
            targets[str(mark)] = column
    names = "|".join(re.escape(name) for name in sorted(targets, key=len, reverse=True))
    lead = None
    if kind == "labels":
        split = compiled(rf"(?<!\w)({names})", where)
    elif kind == "words":
        split = compiled(rf"/({names})/", where)
    else:
        sign = re.escape(profiles.require(found, "mark", str, where))
        split = compiled(rf"{sign}(\d\d)", where)
        lead = compiled(rf"{found.get('lead', '')}(\d{{3}})(?={sign}\d\d)", where)
    return Layout(
        split, targets, found.get("join", "" if kind == "subfields" else "\n"),
        found.get("head", "narrative"), found.get("trim", " "), (), lead,
    )  # fmt: skip
