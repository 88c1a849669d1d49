"""Explain: why a row is in its group, or what came nearest and what kept the two apart.

The same explanation is made from a ledger (`tieout.stages.explain`) and from the tables of one run
of the engine (`of_tables`). It is a value: `lines` words it for a terminal, `as_dict` for a
program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from tieout.errors import InputError
from tieout.matching.nearest import Candidate
from tieout.money import exponent_of, is_currency

__all__ = ["Explanation", "Hit", "Near", "Row", "State", "as_dict", "lines", "money", "one_of"]

State = Literal[
    "confirmed", "proposed", "rejected", "undone", "refused", "unmatched", "explained", "not open"
]

_SIDES: Final = {"entry": "bank", "detail": "bank", "item": "books"}


@dataclass(frozen=True, slots=True)
class Row:
    """An entry, a payment inside one, or an item, as a person knows it."""

    side: str
    row_id: str
    name: str
    on: date | None
    amount: Decimal | None
    currency: str
    party: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Near:
    """A candidate: its row, and what kept the two apart."""

    row: Row
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why something matched, or did not.

    Attributes:
        kind: what was asked for: ``group``, ``entry``, ``detail`` or ``item``.
        row: the row asked for; None for a group.
        state: of its group; ``refused`` (not unique), ``unmatched``, ``explained`` (by a posting)
            or ``not open`` (nothing of it is open).
        sentence: why, in one sentence.
        facts: what an auditor asks next: rung, ladder, run, residual; ordered.
        members: of its group.
        near: candidates, nearest first.
        history: who did what to it and when, oldest first.
    """

    kind: str
    subject_id: str
    row: Row | None
    state: State
    sentence: str
    facts: Mapping[str, str] = field(default_factory=dict)
    members: tuple[Row, ...] = ()
    near: tuple[Near, ...] = ()
    history: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that a text may mean: its kind, its id, and by what it was found."""

    kind: str
    row_id: str
    by: str


def one_of(text: str, hits: Sequence[Hit], groups: Mapping[tuple[str, str], str]) -> Hit:
    """The one thing a text means; hits by id go before hits by name, whole ones before beginnings.

    Args:
        text: what a person typed.
        hits: all it may mean.
        groups: the group of each row (by kind and id): rows of one group are one thing.

    Raises:
        InputError: ``ID_UNKNOWN``, or ``ID_AMBIGUOUS`` with what it could mean.
    """
    for by in ("id", "start of an id", "name"):
        found = sorted({(h.kind, h.row_id) for h in hits if h.by == by})
        if len(found) == 1:
            return Hit(*found[0], by)
        together = {groups.get(each) for each in found}
        if len(together) == 1 and (group := together.pop()):
            return Hit("group", group, by)
        if found:
            some = ", ".join(f"{kind} {row_id[:16]}" for kind, row_id in found[:6])
            more = f" and {len(found) - 6} more" if len(found) > 6 else ""
            raise InputError(
                "ID_AMBIGUOUS",
                f"{text!r} is the {by} of {len(found)} things: {some}{more}",
                remedy="give the id of the one you mean, or more of it",
            )
    raise InputError(
        "ID_UNKNOWN",
        f"no entry, detail, item, group or exception is called {text!r}",
        remedy="give an id or its start, a document number, or a bank reference",
    )


def money(amount: Decimal | None, currency: str) -> str:
    """``-1,190.00 EUR``; an unknown amount is a dash."""
    if amount is None:
        return "-"
    digits = exponent_of(currency) if is_currency(currency) else 2
    return f"{amount:,.{digits}f} {currency}"


def lines(told: Explanation) -> list[str]:
    """The explanation for a terminal."""
    head = f"group {told.subject_id}" if told.row is None else _row(told.row)
    out = [head, f"{told.state}: {told.sentence}"]
    if told.members:
        out += [f"  {_SIDES[m.side]:<5}  {_row(m)}" for m in told.members]
    out += [f"  {name:<9}{value}" for name, value in told.facts.items()]
    if told.near:
        out.append("nearest candidates:")
    for number, near in enumerate(told.near, 1):
        out.append(f"  {number}. {_row(near.row)}")
        out.append(f"     {near.candidate.by}")
    out += [f"  {line}" for line in told.history]
    return out


def _row(row: Row) -> str:
    parts = [f"{row.side} {row.row_id[:12]}", row.name if row.name != row.row_id else ""]
    parts += [str(row.on or ""), money(row.amount, row.currency), row.party]
    parts.append(" ".join(row.text.split())[:60])
    return "  ".join(p for p in parts if p)


def as_dict(told: Explanation) -> dict[str, Any]:
    """The explanation for a program; amounts and days as text."""
    return {
        "kind": told.kind,
        "id": told.subject_id,
        "row": None if told.row is None else _plain(told.row),
        "state": told.state,
        "sentence": told.sentence,
        **{name.replace(" ", "_"): value for name, value in told.facts.items()},
        "members": [_plain(m) for m in told.members],
        "candidates": [
            {
                **_plain(near.row),
                "rung": near.candidate.rung,
                "agrees": list(near.candidate.agrees),
                "failed": [
                    {"condition": f.condition, "by": f.words} for f in near.candidate.failures
                ],
            }
            for near in told.near
        ],
        "history": list(told.history),
    }


def _plain(row: Row) -> dict[str, Any]:
    return {
        "side": row.side,
        "id": row.row_id,
        "name": row.name,
        "on": None if row.on is None else row.on.isoformat(),
        "amount": None if row.amount is None else money(row.amount, row.currency).split()[0],
        "currency": row.currency,
        "party": row.party,
        "text": row.text,
    }
