"""From a `Journal` to Tryton's own values: codes become ids, and what cannot be posted is refused.

Everything is looked up in the ERP before anything is sent, so that an unknown account or a closed
period is refused by name, with nothing left behind.
"""

from __future__ import annotations

import re
import time
from datetime import date
from typing import Any, Final

from tieout.connectors.ports import Journal, JournalLine
from tieout.connectors.tryton_session import Row, Session, need
from tieout.errors import MoneyError, TieoutError
from tieout.money import from_minor

__all__ = ["Masters", "RefusedError", "clean", "stamp"]

_REFERENCE: Final = re.compile(r"[A-Z0-9]{1,16}", re.ASCII)
_TEXT_MAX: Final = 200
_LATELY: Final = 60.0  # seconds


class RefusedError(TieoutError):
    """The document cannot be posted as it is; nothing was sent."""


def stamp(external_ref: str) -> str:
    """How our reference opens the description of a move: ``[ABCDEFGHIJKLMNOP]``."""
    return f"[{external_ref}]"


def clean(text: str) -> str:
    """One printable line of at most 200 characters, as Tryton's text fields take it."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:_TEXT_MAX]


class Masters:
    """The company's master data; what cannot change its id is asked for once."""

    def __init__(self, session: Session, company: str, journals: dict[str, str]) -> None:
        self.company = company
        self._session = session
        self._journal_codes = journals
        self._company_row: Row | None = None
        self._ids: dict[tuple[str, str], int] = {}
        self._asked: dict[str, tuple[float, list[Row]]] = {}
        self._codes: dict[tuple[str, int], tuple[float, str]] = {}

    def company_row(self) -> Row:
        """The company's record, with ``currency.`` and ``party.``; its id enters the context.

        Raises:
            ConnectorError: ``COMPANY_UNKNOWN``, or what the call to Tryton raised.
        """
        if self._company_row is None:
            fields = ["party.code", "party.name", "currency.code"]
            domain = [["party.code", "=", self.company]]
            found = self._session.rows("company.company", domain, fields)
            message = f"Tryton has no company whose party has the code {self.company!r}"
            row = need(found, "COMPANY_UNKNOWN", message, "correct [company] code in the mapping")
            self._session.context["company"] = row["id"]
            self._company_row = row
        return self._company_row

    def currency(self) -> str:
        """The company's currency."""
        return str(self.company_row()["currency."]["code"])

    def accounts(self, codes: list[str]) -> dict[str, Row]:
        """GL accounts of the company by code, as they are now."""
        domain = [["code", "in", codes], ["company", "=", self.company_row()["id"]]]
        fields = ["code", "closed", "type", "party_required", "second_currency.code"]
        return {row["code"]: row for row in self._lately("account.account", domain, fields)}

    def forget(self) -> None:
        """Ask for everything anew: what was believed has proven wrong."""
        self._asked.clear()
        self._codes.clear()

    def codes(self, model: str, ids: list[int]) -> dict[int, str]:
        """Codes of records by id, as they were at most a minute ago.

        Raises:
            ConnectorError: what the call to Tryton raised.
        """
        now = time.monotonic()
        old = [i for i in ids if now - self._codes.get((model, i), (now - _LATELY,))[0] >= _LATELY]
        for row in self._session.ask(f"model.{model}.read", old, ["id", "code"]) if old else ():
            self._codes[model, row["id"]] = now, row["code"]
        return {i: self._codes[model, i][1] for i in ids}

    def _lately(self, model: str, domain: list[Any], fields: list[str]) -> list[Row]:
        """Rows as they were at most a minute ago: Tryton checks a posting against them anyway."""
        key, now = f"{model} {domain}", time.monotonic()
        asked_at, rows = self._asked.get(key, (now - _LATELY, []))
        if now - asked_at >= _LATELY:
            rows = self._session.rows(model, domain, fields)
            self._asked[key] = now, rows
        return rows

    def move_values(self, journal: Journal) -> dict[str, Any]:
        """The values of ``account.move`` for a journal.

        Raises:
            RefusedError: with the code of the first thing wrong.
            ConnectorError: the masters could not be read.
        """
        _check(journal)
        if journal.company != self.company:
            raise RefusedError("COMPANY_OTHER", f"{journal.company!r} is not {self.company!r}")
        if journal.currency != self.currency():
            message = f"the books are kept in {self.currency()}, not {journal.currency}"
            raise RefusedError("CURRENCY_OTHER", message)
        accounts = self.accounts(sorted({line.gl_account for line in journal.lines}))
        lines = [self._line(line, accounts, journal.currency) for line in journal.lines]
        return {
            "company": self.company_row()["id"],
            "journal": self._journal(journal.journal_code),
            "period": self._period(journal.booked_on),
            "date": journal.booked_on,
            "description": clean(f"{stamp(journal.external_ref)} {journal.narrative}"),
            "lines": [["create", lines]],
        }

    def _journal(self, named: str) -> int:
        code = self._journal_codes.get(named, named)
        return self._id("account.journal", code, "JOURNAL_UNKNOWN", f"journal {code!r}")

    def _period(self, on: date) -> int:
        domain = [
            ["start_date", "<=", on],
            ["end_date", ">=", on],
            ["type", "=", "standard"],
            ["company", "=", self.company_row()["id"]],
        ]
        found = self._lately("account.period", domain, ["name", "state"])
        if not found:
            raise RefusedError("PERIOD_UNKNOWN", f"Tryton has no period for {on}")
        if found[0]["state"] != "open":
            name = found[0]["name"]
            raise RefusedError(
                "PERIOD_CLOSED",
                f"period {name} is {found[0]['state']}",
                remedy="reopen the period, or correct the date",
            )
        return int(found[0]["id"])

    def _line(self, line: JournalLine, accounts: dict[str, Row], currency: str) -> dict[str, Any]:
        account = accounts.get(line.gl_account)
        if account is None:
            raise RefusedError("ACCOUNT_UNKNOWN", f"Tryton has no GL account {line.gl_account!r}")
        if account["closed"] or account["type"] is None:
            raise RefusedError(
                "ACCOUNT_CLOSED", f"GL account {line.gl_account!r} takes no postings"
            )
        values: dict[str, Any] = {
            "account": account["id"],
            "debit": from_minor(line.debit_minor, currency),
            "credit": from_minor(line.credit_minor, currency),
            "description": clean(line.narrative) or None,
        }
        if account["party_required"]:
            values["party"] = self._party(line)
        foreign = line.foreign_currency or ""
        wanted = (account["second_currency."] or {}).get("code")
        if wanted and (foreign != wanted or line.foreign_minor is None):
            message = f"a line on {line.gl_account!r} needs its amount in {wanted}"
            raise RefusedError("FOREIGN_MISSING", message)
        if foreign and foreign != currency and line.foreign_minor is not None:
            what = f"currency {foreign!r}"
            code = self._id("currency.currency", foreign, "CURRENCY_UNKNOWN", what)
            values["second_currency"] = code
            values["amount_second_currency"] = from_minor(line.foreign_minor, foreign)
        return values

    def _party(self, line: JournalLine) -> int:
        """The party a line names by code, else by exact name."""
        if not line.party:
            message = f"a line on {line.gl_account!r} needs a party"
            raise RefusedError("PARTY_MISSING", message)
        for field in ("code", "name"):
            found = self._session.rows("party.party", [[field, "=", line.party]], ["code"])
            if len(found) == 1:
                return int(found[0]["id"])
            if found:
                raise RefusedError("PARTY_AMBIGUOUS", f"several parties are called {line.party!r}")
        raise RefusedError("PARTY_UNKNOWN", f"Tryton has no party {line.party!r}")

    def _id(self, model: str, code: str, refusal: str, what: str) -> int:
        key = (model, code)
        if key not in self._ids:
            found = self._session.rows(model, [["code", "=", code]], ["code"])
            if len(found) != 1:
                problem = "no" if not found else "more than one"
                raise RefusedError(refusal, f"Tryton has {problem} {what}")
            self._ids[key] = int(found[0]["id"])
        return self._ids[key]


def _check(journal: Journal) -> None:
    """What can be told without asking anyone."""
    if not _REFERENCE.fullmatch(journal.external_ref):
        message = f"{journal.external_ref!r} is not a reference: 1 to 16 of A-Z and 0-9"
        raise RefusedError("REFERENCE_MALFORMED", message)
    for line in journal.lines:
        if min(line.debit_minor, line.credit_minor) != 0 or line.debit_minor == line.credit_minor:
            message = f"the line on {line.gl_account!r} is not on exactly one side"
            raise RefusedError("LINE_SIDES", message)
        signed = line.debit_minor - line.credit_minor
        if line.foreign_minor is not None and line.foreign_minor * signed < 0:
            message = f"the line on {line.gl_account!r} has its two amounts on different sides"
            raise RefusedError("LINE_SIDES", message)
    debit = sum(line.debit_minor for line in journal.lines)
    credit = sum(line.credit_minor for line in journal.lines)
    if debit != credit or not journal.lines:
        raise RefusedError(
            "UNBALANCED", f"debits {debit} and credits {credit} (minor units) differ"
        )
    try:
        _ = [from_minor(0, line.foreign_currency or journal.currency) for line in journal.lines]
    except MoneyError as error:
        raise RefusedError(error.code, error.message) from error
