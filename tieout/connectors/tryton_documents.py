"""Moves of Tryton read back as documents, with as few relations followed as there can be.

Following a relation costs Tryton more than the lines themselves, so accounts and currencies are
asked for by id and known for a minute; partners, which few lines have, each time.
"""

from __future__ import annotations

from typing import Any

from tieout.connectors.ports import ErpDocument
from tieout.connectors.tryton_masters import Masters
from tieout.connectors.tryton_records import MOVE_FIELDS, document_line, reference_in
from tieout.connectors.tryton_session import Row, Session

__all__ = ["documents"]


def documents(session: Session, masters: Masters, domain: list[Any]) -> list[ErpDocument]:
    """The moves that fit, by id, with their lines in the order they were made.

    Raises:
        ConnectorError: what a call to Tryton raised.
        KeyError: of an answer of another shape.
    """
    moves = session.rows("account.move", domain, MOVE_FIELDS)
    lines = [line for move in moves for line in move["lines."]]
    accounts = masters.codes("account.account", _ids(lines, "account"))
    currencies = masters.codes("currency.currency", _ids(lines, "second_currency"))
    named = _ids(lines, "party")
    rows = session.ask("model.party.party.read", named, ["id", "name"]) if named else []
    parties = {row["id"]: {"name": row["name"]} for row in rows}

    def full(line: Row) -> Row:
        foreign, party = line["second_currency"], line["party"]
        return line | {
            "account.": {"code": accounts[line["account"]]},
            "second_currency.": None if foreign is None else {"code": currencies[foreign]},
            "party.": None if party is None else parties[party],
        }

    currency = masters.currency()
    return [
        ErpDocument(
            str(move["id"]),
            move["state"],
            move["number"],
            reference_in(move["description"]) or "",
            move["date"],
            tuple(
                document_line(full(line), currency)
                for line in sorted(move["lines."], key=lambda line: line["id"])
            ),
        )
        for move in moves
    ]


def _ids(lines: list[Row], field: str) -> list[int]:
    return sorted({line[field] for line in lines if line[field] is not None})
