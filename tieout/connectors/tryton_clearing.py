"""Clearing in Tryton: a reconciliation of move lines, made by its own wizard.

A reconciliation has no field for a reference of ours. It is known by what it clears: a line belongs
to one reconciliation at most, so the one that holds exactly our lines is ours, and the same
clearing sent twice is made once (class A). It has no draft and no lines of its own: it is posted as
soon as it is there.
"""

from __future__ import annotations

from typing import Final

from tieout.connectors import ports
from tieout.connectors.tryton_masters import Masters, RefusedError
from tieout.connectors.tryton_session import Row, Session
from tieout.connectors.tryton_wire import Answer

__all__ = ["CAPABILITY", "Clearing", "is_clearing"]

CAPABILITY: Final = ports.Capability("A")
_PREFIX: Final = "reconciliation/"
_WIZARD: Final = "wizard.account.move.reconcile_lines"


def is_clearing(doc_id: str) -> bool:
    """Whether a document's id is a reconciliation's, not a move's."""
    return doc_id.startswith(_PREFIX)


class Clearing:
    """Reconciliations of one company's move lines; its looks raise ConnectorError."""

    def __init__(self, session: Session, masters: Masters) -> None:
        self._session, self._masters = session, masters

    def check(self, journal: ports.Journal) -> list[int]:
        """The ids of the lines to clear.

        Raises:
            RefusedError: a line is unknown, not posted, cleared already, on another account, or
                the lines do not add up to nothing.
            ConnectorError: the lines could not be read.
        """
        if journal.company != self._masters.company:
            raise RefusedError(
                "COMPANY_OTHER", f"{journal.company!r} is not {self._masters.company!r}"
            )
        lines = self._lines(journal)
        _check(journal, lines)
        return [int(row["id"]) for row in lines]

    def open(self) -> int:
        """A session of the wizard; opening it changes no books."""
        self._masters.company_row()
        session, *_ = self._session.ask(f"{_WIZARD}.create")
        return int(session)

    def create(self, session: int, lines: list[int]) -> Answer:
        """The one request that clears."""
        chosen = {"active_model": "account.move.line", "active_ids": lines, "active_id": lines[0]}
        return self._session.write(f"{_WIZARD}.execute", session, {}, "start", context=chosen)

    def find(self, journal: ports.Journal) -> list[ports.ErpDocument]:
        """The reconciliation that holds exactly the journal's lines."""
        wanted = {int(line) for line in journal.clears if line.isdigit()}
        rows = self._session.rows(
            "account.move.line", [["id", "in", sorted(wanted)]], ["reconciliation"]
        )
        held = sorted({row["reconciliation"] for row in rows} - {None})
        found = [self._document(record, journal.external_ref) for record in held]
        return [document for document, lines in found if document and lines == wanted]

    def read(self, doc_id: str) -> ports.ErpDocument | None:
        """One reconciliation by the id we gave it, which holds our reference."""
        record, reference = doc_id.removeprefix(_PREFIX).split("/")
        return self._document(int(record), reference)[0]

    def _document(self, record: int, reference: str) -> tuple[ports.ErpDocument | None, set[int]]:
        domain = [["id", "=", record], ["company", "=", self._masters.company_row()["id"]]]
        rows = self._session.rows(
            "account.move.reconciliation", domain, ["date", "lines", "number"]
        )
        if not rows:
            return None, set()
        row, name = rows[0], f"{_PREFIX}{record}/{reference}"
        document = ports.ErpDocument(name, "posted", row["number"], reference, row["date"], ())
        return document, set(row["lines"])

    def _lines(self, journal: ports.Journal) -> list[Row]:
        wanted = [int(line) for line in journal.clears if line.isdigit()]
        if len(wanted) != len(journal.clears):
            raise RefusedError("LINE_UNKNOWN", "a line to clear is no id of Tryton's")
        domain = [["id", "in", sorted(wanted)]]
        fields = ["account.code", "credit", "debit", "move.date", "move.state", "reconciliation"]
        rows = self._session.rows("account.move.line", domain, fields)
        missing = sorted(set(wanted) - {row["id"] for row in rows})
        if missing:
            raise RefusedError("LINE_UNKNOWN", f"Tryton has no move lines {missing}")
        return rows


def _check(journal: ports.Journal, lines: list[Row]) -> None:
    """Refuse what Tryton would refuse, by name."""
    if len(lines) < 2 or len(set(journal.clears)) != len(journal.clears):
        raise RefusedError("LINES_FEW", "a clearing needs two lines or more, each once")
    for row in lines:
        if row["move."]["state"] != "posted":
            raise RefusedError("LINE_NOT_POSTED", f"line {row['id']} is not posted")
        if row["reconciliation"] is not None:
            raise RefusedError("LINE_CLEARED", f"line {row['id']} is cleared already")
    accounts = sorted({row["account."]["code"] for row in lines})
    if len(accounts) > 1:
        raise RefusedError("ACCOUNTS_DIFFER", f"the lines are on {', '.join(accounts)}")
    total = sum(row["debit"] - row["credit"] for row in lines)
    if total:
        raise RefusedError("UNBALANCED", f"the lines add up to {total}, not to nothing")
