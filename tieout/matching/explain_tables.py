"""Explain from tables: one run of the engine, its inputs and what it wrote, without a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from tieout.canonical import DETAILS, ENTRIES, ITEMS
from tieout.errors import InputError
from tieout.matching.engine import Result
from tieout.matching.explain import Explanation, Hit, Near, Row, State, money, one_of
from tieout.matching.ladder import Ladder
from tieout.matching.nearest import nearest

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

__all__ = ["Tables", "of_tables"]

#: Where a row is looked for by name, beside its id.
_NAMES: Final = {
    "entry": ("bank_ref", "entry_ref"),
    "detail": ("end_to_end_id", "reference"),
    "item": ("document_no", "end_to_end_id"),
}
_LIMIT: Final = 3


@dataclass(frozen=True, slots=True)
class Tables:
    """What the engine was given and what it concluded."""

    entries: pa.Table
    details: pa.Table | None
    items: pa.Table
    result: Result

    def sides(self) -> dict[str, tuple[pa.Table, str]]:
        """Each kind of row with its table and id column."""
        found = {"entry": (self.entries, "entry_id"), "item": (self.items, "item_id")}
        if self.details is not None and "detail_id" in self.details.column_names:
            found["detail"] = (self.details, "detail_id")
        return found


def of_tables(text: str, tables: Tables, ladder: Ladder) -> Explanation:
    """Explain what a text names.

    Args:
        text: an id, its start, a document number or a bank reference.
        tables: of one run.
        ladder: the one of that run.

    Raises:
        InputError: ``ID_UNKNOWN``, ``ID_AMBIGUOUS``, ``TABLES_OTHER``.
    """
    hits = _hits(text, tables)
    grouped = _grouped(tables.result.members)
    hit = one_of(text, hits, grouped)
    if hit.kind == "group":
        return _group(hit, tables, None)
    row = _rows(tables, hit.kind, [hit.row_id])[0]
    own = hit
    if hit.kind == "detail" and tables.details is not None:
        found = tables.details.filter(pc.equal(tables.details["detail_id"], hit.row_id))
        own = Hit("entry", found["entry_id"][0].as_py(), "id")
    group = grouped.get((hit.kind, hit.row_id)) or grouped.get((own.kind, own.row_id))
    if group:
        return _group(Hit("group", group, "id"), tables, (hit, row))
    return _open(hit, own, row, tables, ladder)


def _hits(text: str, tables: Tables) -> list[Hit]:
    hits: list[Hit] = []
    groups = {"group": (tables.result.groups, "group_id")}
    for kind, (table, column) in {**tables.sides(), **groups}.items():
        ids: Any = table[column]
        hits += [Hit(kind, i, "id") for i in ids.filter(pc.equal(ids, text)).to_pylist()]
        starts = ids.filter(pc.starts_with(ids, pattern=text))
        hits += [Hit(kind, i, "start of an id") for i in starts.to_pylist()[:10]]
        # A payment inside an entry is known by its entry: people look for what was booked.
        owner, told = ("entry", table["entry_id"]) if kind == "detail" else (kind, ids)
        for name in _NAMES.get(kind, ()):
            if name in table.column_names:
                same: Any = told.filter(pc.fill_null(pc.equal(table[name], text), False))
                hits += [Hit(owner, i, "name") for i in same.to_pylist()[:10]]
    return hits


def _grouped(members: pa.Table) -> dict[tuple[str, str], str]:
    """The group of each member, by side and id."""
    columns = (members[name].to_pylist() for name in ("side", "member_id", "group_id"))
    return {(str(side), str(own)): str(group) for side, own, group in zip(*columns, strict=True)}


def _rows(tables: Tables, kind: str, ids: Sequence[str]) -> list[Row]:
    """Rows in the order of their ids; currency and day of a detail are its entry's."""
    table, column = tables.sides()[kind]
    schema = {"entry": ENTRIES, "detail": DETAILS, "item": ITEMS}[kind]
    names = [n for n in schema.names if n in table.column_names]
    picked = table.select(names).filter(
        pc.is_in(table[column], value_set=pa.array(sorted(ids), pa.string()))
    )
    known = {row[column]: row for row in picked.to_pylist()}
    missing = [i for i in ids if i not in known]
    if missing:
        raise InputError(
            "TABLES_OTHER",
            f"{kind} {missing[0]} is a member of a group, and the table of that side lacks it",
            remedy="give the tables the match was made from: --entries, --details, --items",
        )
    return [_row(kind, row_id, known[row_id]) for row_id in ids]


def _row(kind: str, row_id: str, row: dict[str, Any]) -> Row:
    name = row.get("document_no") or row.get("bank_ref") or row.get("end_to_end_id") or ""
    amount = row.get("open_amount")
    return Row(
        kind,
        row_id,
        str(name),
        row.get("booked_on") or row.get("valued_on"),
        row.get("amount") if amount is None else amount,
        row.get("currency") or "",
        row.get("counterparty_name") or "",
        row.get("narrative") or "",
    )


def _group(hit: Hit, tables: Tables, asked: tuple[Hit, Row] | None) -> Explanation:
    groups, members = tables.result.groups, tables.result.members
    (group,) = groups.filter(pc.equal(groups["group_id"], hit.row_id)).to_pylist()
    inside = members.filter(pc.equal(members["group_id"], hit.row_id)).to_pylist()
    rows: list[Row] = []
    for kind in ("entry", "detail", "item"):
        ids = [m["member_id"] for m in inside if m["side"] == kind]
        if kind in tables.sides():
            rows += _rows(tables, kind, ids)
    residual = money(group["residual"], group["currency"])
    facts = {
        "group": hit.row_id,
        "rung": group["rung"],
        "ladder": tables.result.ladder,
        "residual": residual + (f" ({group['residual_class']})" if group["residual_class"] else ""),
    }
    state: State = group["state"]
    found, row = asked if asked else (hit, None)
    return Explanation(found.kind, found.row_id, row, state, group["evidence"], facts, tuple(rows))


def _open(hit: Hit, own: Hit, row: Row, tables: Tables, ladder: Ladder) -> Explanation:
    """What is in no group: refused, or not matched by anything."""
    refused = next(
        (
            r
            for r in tables.result.refused.to_pylist()
            if own.row_id in (*r["entry_ids"], *r["item_ids"])
        ),
        None,
    )
    groups = {g["group_id"]: g["rung"] for g in tables.result.groups.to_pylist()}
    taken = {
        member: f"group {group[:12]} (rung {groups[group]})"
        for (side, member), group in _grouped(tables.result.members).items()
        if side != "detail"
    }
    told = nearest(
        *(tables.entries, tables.details, tables.items, ladder, tables.result),
        wanted={own.row_id},
        limit=_LIMIT,
        taken=taken,
    ).get(own.row_id, [])
    other = "item" if own.kind == "entry" else "entry"
    rows = _rows(tables, other, [c.other_id for c in told])
    near = tuple(Near(r, c) for r, c in zip(rows, told, strict=True))
    facts = {"ladder": tables.result.ladder}
    state: State = "unmatched"
    sentence = "nothing on the other side has its amount, reference or counterparty"
    if near:
        sentence = f"nearest is {near[0].row.name or near[0].row.row_id[:12]}: {told[0].by}"
    if refused:
        state, sentence = "refused", refused["message"]
        facts = {"rung": refused["rung"], **facts}
    return Explanation(hit.kind, hit.row_id, row, state, sentence, facts, near=near)
