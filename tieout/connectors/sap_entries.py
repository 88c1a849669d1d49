"""From a `Journal` to SAP's journal entry: mapped, checked against SAP's masters, amounts exact."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from tieout.connectors.ports import Journal, JournalLine, Liability
from tieout.connectors.sap_documents import split_id
from tieout.connectors.sap_masters import Account, Masters, PartnerKind, refused
from tieout.connectors.sap_profile import Profile
from tieout.connectors.sap_soap import Amounts, Entry, EntryLine
from tieout.errors import MoneyError
from tieout.money import from_minor

__all__ = ["Entries", "clean", "spread"]

_REFERENCE: Final = re.compile(r"[A-Z0-9]{1,16}", re.ASCII)
_KIND: Final = re.compile(r"[A-Z]{2}", re.ASCII)
#: Lengths of the fields our texts go to, from the service's schema.
_HEADER_TEXT: Final = 25
_ITEM_TEXT: Final = 50
_DOCUMENT_REFERENCE: Final = 16


class Entries:
    """Builds the entries of one company code."""

    def __init__(self, masters: Masters, profile: Profile) -> None:
        self._masters, self._profile = masters, profile

    def entry(self, journal: Journal) -> Entry:
        """The entry of a journal, a reversal or a liability.

        Raises:
            RefusedError: with the code of the first thing wrong.
            ConnectorError: the masters could not be read.
        """
        profile = self._profile
        if journal.company != profile.company:
            message = f"{journal.company!r} is not {profile.company!r}"
            raise refused("COMPANY_OTHER", message)
        entry = self.header(journal)
        self._masters.company()
        if journal.reverses is not None:
            return self._reversal(journal, entry)
        _balanced(journal)
        lines = self._lines(journal)
        if journal.liability is None:
            return replace(entry, lines=lines)
        liability = journal.liability
        return replace(
            entry,
            document_on=liability.invoiced_on,
            reference=_fits("the invoice number", liability.invoice_no),
            lines=lines,
        )

    def header(self, journal: Journal) -> Entry:
        """The header of any document of ours.

        Raises:
            RefusedError: a malformed reference, an unknown journal, another company or currency.
        """
        profile = self._profile
        if not _REFERENCE.fullmatch(journal.external_ref):
            message = f"{journal.external_ref!r} is not a reference: 1 to 16 of A-Z and 0-9"
            raise refused("REFERENCE_MALFORMED", message)
        if journal.currency != profile.currency:
            message = f"the books are kept in {profile.currency}, not {journal.currency}"
            raise refused("CURRENCY_OTHER", message)
        named = "clearing" if journal.clears else journal.journal_code
        kind = str(profile.journals.get(named, named))
        if not _KIND.fullmatch(kind):
            message = f"journal {journal.journal_code!r} has no document type in the mapping"
            raise refused("JOURNAL_UNKNOWN", message, journal.journal_code)
        return Entry(
            message_id=journal.external_ref,
            kind=kind,
            company_code=profile.company_code,
            posted_on=journal.booked_on,
            document_on=journal.booked_on,
            reference=journal.external_ref,
            external_ref=journal.external_ref,
            header_text=clean(journal.narrative, _HEADER_TEXT),
            created_by=profile.created_by,
            logical_system=profile.logical_system,
            transaction_type=profile.transaction_type,
        )

    def _reversal(self, journal: Journal, entry: Entry) -> Entry:
        found = split_id(journal.reverses or "")
        if found is None or found[0] != self._profile.company_code:
            raise refused(
                "DOCUMENT_UNKNOWN", f"{journal.reverses!r} is no document of this company"
            )
        company, year, number = found
        return replace(
            entry,
            reverses=f"{number}{company}{year}",
            reversal_reason=self._profile.reversal_reason,
        )

    def _lines(self, journal: Journal) -> tuple[EntryLine, ...]:
        accounts = self._masters.accounts([line.gl_account for line in journal.lines])
        owing = _owing(journal) if journal.liability is not None else None
        return tuple(
            self._line(journal, line, accounts, amounts, line is owing)
            for line, amounts in zip(journal.lines, spread(journal), strict=True)
        )

    def _line(
        self,
        journal: Journal,
        line: JournalLine,
        accounts: dict[str, Account],
        amounts: Amounts,
        owing: bool,
    ) -> EntryLine:
        account = accounts.get(line.gl_account)
        if account is None:
            message = f"SAP has no GL account {line.gl_account!r} in the company's chart"
            raise refused("GL_ACCOUNT_UNKNOWN", message, line.gl_account)
        if account.blocked:
            message = f"GL account {line.gl_account!r} takes no postings"
            raise refused("GL_ACCOUNT_BLOCKED", message, line.gl_account)
        text = clean(line.narrative or journal.narrative, _ITEM_TEXT)
        liability = journal.liability if owing else None
        kinds = self._masters.reconciles(account.code) if account.kind == "X" else frozenset()
        if kinds or liability is not None:
            named = liability.party if liability is not None else line.party
            kind = _side(kinds, line.gl_account, liability)
            if not named:
                message = f"a line on {line.gl_account!r} needs a party"
                raise refused("PARTY_MISSING", message, line.gl_account)
            partner = self._masters.partner(kind, named, line.gl_account)
            return EntryLine(kind, partner, amounts, text, due=_due(liability))
        tax = str(self._profile.tax_codes.get(line.gl_account, ""))
        center = self._cost_center(journal, account)
        return EntryLine("S", account.code, amounts, text, center, tax)

    def _cost_center(self, journal: Journal, account: Account) -> str:
        """The cost center of a line on an account of primary costs; empty for the others."""
        if account.kind != "P":
            return ""
        profile = self._profile
        center = str(profile.cost_centers.get(account.code, profile.cost_center))
        if not center:
            message = f"GL account {account.code!r} needs a cost center, the mapping names none"
            raise refused("COST_CENTER_MISSING", message, account.code)
        self._masters.check_cost_center(center, journal.booked_on)
        return center


def spread(journal: Journal) -> list[Amounts]:
    """The amounts of each line in the document's one currency and in the company's.

    SAP keeps a document in one currency. Lines that name no amount in it share what is left, by
    their amounts in the company's currency.

    Raises:
        RefusedError: ``CURRENCIES_MIXED``, ``FOREIGN_MISSING``, ``LINE_SIDES``.
    """
    foreign = {line.foreign_currency for line in journal.lines if line.foreign_minor is not None}
    named = sorted(code for code in foreign if code and code != journal.currency)
    if len(named) > 1:
        raise refused("CURRENCIES_MIXED", f"one SAP document cannot hold {' and '.join(named)}")
    signed = [line.debit_minor - line.credit_minor for line in journal.lines]
    currency = named[0] if named else journal.currency
    minor = _shared(journal, signed, currency) if named else signed
    try:
        return [
            Amounts(
                from_minor(amount, currency),
                currency,
                from_minor(company, journal.currency),
                journal.currency,
                company > 0,
            )
            for amount, company in zip(minor, signed, strict=True)
        ]
    except MoneyError as error:
        raise refused(error.code, error.message) from error


def _shared(journal: Journal, signed: Sequence[int], currency: str) -> list[int]:
    given = [
        line.foreign_minor if line.foreign_currency == currency else None for line in journal.lines
    ]
    open_places = [place for place, amount in enumerate(given) if amount is None]
    rest = -sum(amount for amount in given if amount is not None)
    base = sum(signed[place] for place in open_places)
    if rest and (not open_places or rest * base <= 0):
        message = f"the lines' amounts in {currency} do not balance"
        raise refused("FOREIGN_MISSING", message)
    passed, told = 0, 0
    for place in open_places:
        # The rounded running total: the shares add up, and none changes its side.
        passed += signed[place]
        share = Decimal(rest) * passed / base if base else Decimal(0)
        total = int(share.quantize(Decimal(1), ROUND_HALF_UP))
        given[place], told = total - told, total
    amounts = [amount or 0 for amount in given]
    for line, amount, company in zip(journal.lines, amounts, signed, strict=True):
        if amount * company < 0:
            message = f"the line on {line.gl_account!r} has its two amounts on different sides"
            raise refused("LINE_SIDES", message)
    return amounts


def clean(text: str, longest: int) -> str:
    """One printable line; a narrative may be cut, a reference never is."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:longest].rstrip()


def _balanced(journal: Journal) -> None:
    for line in journal.lines:
        if min(line.debit_minor, line.credit_minor) != 0 or line.debit_minor == line.credit_minor:
            message = f"the line on {line.gl_account!r} is not on exactly one side"
            raise refused("LINE_SIDES", message)
    debit = sum(line.debit_minor for line in journal.lines)
    credit = sum(line.credit_minor for line in journal.lines)
    if debit != credit or not journal.lines:
        message = f"debits {debit} and credits {credit} (minor units) differ"
        raise refused("UNBALANCED", message)


def _fits(what: str, text: str) -> str:
    if 1 <= len(text) <= _DOCUMENT_REFERENCE and clean(text, len(text)) == text:
        return text
    message = f"{what} {text!r} does not fit SAP's {_DOCUMENT_REFERENCE} characters"
    raise refused("TEXT_TOO_LONG", message)


def _owing(journal: Journal) -> JournalLine:
    """The credit line that owes the party: the one that names it, else the only one."""
    credits = [line for line in journal.lines if line.credit_minor]
    party = journal.liability.party if journal.liability is not None else ""
    named = [line for line in credits if line.party == party]
    candidates = named or credits
    if len(candidates) != 1:
        message = "an invoice needs exactly one credit line that owes its party"
        raise refused("LIABILITY_LINES", message)
    return candidates[0]


def _side(
    kinds: frozenset[PartnerKind], gl_account: str, liability: Liability | None
) -> PartnerKind:
    if liability is not None:
        if "K" in kinds:
            return "K"
        message = f"GL account {gl_account!r} is not suppliers'"
        raise refused("PARTY_ACCOUNT_OTHER", message, gl_account)
    if len(kinds) > 1:
        message = f"GL account {gl_account!r} is both customers' and suppliers'"
        raise refused("PARTY_AMBIGUOUS", message, gl_account)
    return next(iter(kinds))


def _due(liability: Liability | None) -> tuple[date, int] | None:
    if liability is None:
        return None
    days = (liability.due_on - liability.invoiced_on).days
    if days < 0:
        raise refused("DUE_BEFORE_INVOICE", f"due on {liability.due_on}, before the invoice")
    return liability.invoiced_on, days
