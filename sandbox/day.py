"""Telling a business day: books, bank entries and the truth are written down together.

`Day` is the scribe of the stories in `sandbox.stories_*`: each story records what the ERP knows
(documents), what the bank will say (entries) and what belongs together (groups) in one place, so
that the three cannot drift apart. Amounts are unique in the whole world, and at least
`DISTANCE` apart, unless a story means them to collide.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from sandbox.model import (
    BankDetail,
    BankEntry,
    BookDocument,
    Booking,
    Outcome,
    Party,
    PartyKind,
    TruthGroup,
)
from sandbox.parties import SPECIAL

__all__ = ["BOOKINGS", "BUSINESS_DAY", "CUTOVER", "DISTANCE", "RATE_TEXT", "Day", "usd_to_eur"]

CUTOVER: Final = date(2026, 11, 19)
BUSINESS_DAY: Final = date(2026, 11, 20)

#: Least distance of two amounts in minor units: more than the largest fee-short tolerance.
DISTANCE: Final = 1501

#: The company's rate of the day, USD for one EUR, also as an exact fraction below.
RATE_TEXT: Final = "1.0850"

#: How the banks classify what happens.
BOOKINGS: Final = {
    "receipt": Booking("PMNT", "RCDT", "ESCT", "NTRF", "166", "SEPA-GUTSCHRIFT"),
    "foreign_receipt": Booking("PMNT", "RCDT", "XBCT", "NTRF", "206", "AUSLANDSUEBERWEISUNG"),
    "payment": Booking("PMNT", "ICDT", "ESCT", "NTRF", "116", "SEPA-UEBERWEISUNG"),
    "foreign_payment": Booking("PMNT", "ICDT", "XBCT", "NTRF", "202", "AUSLANDSUEBERWEISUNG"),
    "run": Booking("PMNT", "ICDT", "ESCT", "NTRF", "191", "SAMMLER-UEBERWEISUNG"),
    "debit": Booking("PMNT", "RDDT", "ESDD", "NDDT", "105", "SEPA-BASISLASTSCHRIFT"),
    "collection": Booking("PMNT", "IDDT", "ESDD", "NDDT", "192", "SAMMLER-LASTSCHRIFT"),
    "fee": Booking("PMNT", "MDOP", "CHRG", "NCHG", "808", "GEBUEHREN"),
    "interest": Booking("PMNT", "MCOP", "INTR", "NINT", "814", "ZINSEN"),
    "return": Booking("PMNT", "ICDT", "RRTN", "NRTI", "159", "RUECKUEBERWEISUNG"),
}


def usd_to_eur(minor: int) -> int:
    """US cents as EUR cents at the company's rate 1.0850, half up."""
    sign = -1 if minor < 0 else 1
    return sign * ((abs(minor) * 20000 + 10850) // (2 * 10850))


@dataclass(slots=True)
class _Group:
    kind: str
    account_code: str
    entries: list[int]
    documents: list[str]
    residual_minor: int
    outcome: Outcome


class Day:
    """The documents, entries and groups of one day while they are told."""

    def __init__(self, parties: tuple[Party, ...], rng: Random) -> None:
        self.rng = rng
        self.documents: list[BookDocument] = []
        self._parties = {party.name: party for party in parties}
        self._turn: Counter[tuple[PartyKind, bool]] = Counter()
        self._drafts: list[BankEntry] = []
        self._groups: list[_Group] = []
        self._used: set[int] = set()
        self._serials: set[int] = set()
        self._numbers = {"RE": 400, "ER": 800, "CB": 0, "E2E": 0, "BANK": 0}

    # -- values ---------------------------------------------------------------------------

    def amount(self, low: int, high: int) -> int:
        """A fresh gross amount in cents, between two whole amounts, with 19 % tax in it."""
        while True:
            gross = (self.rng.randrange(low * 2, high * 2) * 50 * 119 + 50) // 100
            if self.take(gross):
                return gross

    def take(self, minor: int) -> bool:
        """Reserve an amount; False where another is nearer than `DISTANCE`."""
        if any(abs(minor - used) < DISTANCE for used in self._used):
            return False
        self._used.add(minor)
        return True

    def number(self, series: str) -> str:
        """The next document number: ``RE`` and ``ER`` skip a few, as other users book too."""
        self._numbers[series] += 1 if series in ("CB", "E2E") else self.rng.randrange(1, 5)
        return f"{series}-2026-{self._numbers[series]:05d}"

    def serial(self) -> int:
        """A supplier's own invoice number: six digits, never twice."""
        while True:
            found = self.rng.randrange(10**5, 10**6)
            if found not in self._serials:
                self._serials.add(found)
                return found

    def end_to_end(self) -> str:
        """The next end-to-end id our ERP gives a payment."""
        self._numbers["E2E"] += 1
        return f"NORD-{BUSINESS_DAY:%y%m%d}-{self._numbers['E2E']:04d}"

    def bank_ref(self) -> str:
        """A bank's own reference of an entry, 16 characters, never twice."""
        self._numbers["BANK"] += self.rng.randrange(3, 90)
        return f"{BUSINESS_DAY:%y%m%d}{self._numbers['BANK']:06d}{self.rng.randrange(10000):04d}"

    def party(self, kind: PartyKind, *, us: bool = False) -> Party:
        """The next party of a kind, in turn; ``us`` chooses those abroad without IBAN."""
        everyone = self._parties.values()
        pool = [
            party
            for party in everyone
            if party.kind == kind and (not party.iban) == us and party.name not in SPECIAL
        ]
        self._turn[kind, us] += 1
        return pool[(self._turn[kind, us] - 1) % len(pool)]

    def named(self, name: str) -> Party:
        """A party by name."""
        return self._parties[name]

    # -- books ----------------------------------------------------------------------------

    def invoice(
        self, party: Party, minor: int, *, currency: str = "EUR", narrative: str = ""
    ) -> BookDocument:
        """Book an invoice to a customer, or of a supplier with the supplier's own number."""
        customer = party.kind == "customer"
        issued = BUSINESS_DAY - timedelta(days=self.rng.randrange(7, 45))
        text = narrative or ("" if customer else f"Rg. {self.serial()}")
        document = BookDocument(
            kind="customer_invoice" if customer else "supplier_invoice",
            account_code="",
            document_no=self.number("RE" if customer else "ER"),
            booked_on=issued,
            due_on=issued + timedelta(days=30),
            amount_minor=minor,
            currency=currency,
            company_amount_minor=minor if currency == "EUR" else usd_to_eur(minor),
            party=party.name,
            end_to_end_id="",
            payment_batch_id="",
            narrative=text,
            settles="",
        )
        self.documents.append(document)
        return document

    def cash(
        self,
        account_code: str,
        party: Party,
        minor: int,
        *,
        settles: BookDocument | None = None,
        end_to_end_id: str = "",
        batch_id: str = "",
        narrative: str = "",
    ) -> str:
        """Write a line of a bank's cash book (money in positive) and give its number."""
        usd = account_code == "NORD-USD"
        self.documents.append(
            BookDocument(
                kind="cash_book",
                account_code=account_code,
                document_no=self.number("CB"),
                booked_on=BUSINESS_DAY,
                due_on=None,
                amount_minor=minor,
                currency="USD" if usd else "EUR",
                company_amount_minor=usd_to_eur(minor) if usd else minor,
                party=party.name,
                end_to_end_id=end_to_end_id,
                payment_batch_id=batch_id,
                narrative=narrative,
                settles=settles.document_no if settles else "",
            )
        )
        return self.documents[-1].document_no

    # -- bank -----------------------------------------------------------------------------

    def entry(
        self,
        account_code: str,
        booking: str,
        *details: BankDetail,
        batch_id: str = "",
        bank_ref: bool = True,
        value_days: int = 0,
        details_shown: bool = True,
    ) -> int:
        """Write a bank entry of the sum of its details; gives its handle for `group`."""
        self._drafts.append(
            BankEntry(
                account_code=account_code,
                ordinal=0,
                amount_minor=sum(detail.amount_minor for detail in details),
                booked_on=BUSINESS_DAY,
                valued_on=BUSINESS_DAY + timedelta(days=value_days),
                booking=BOOKINGS[booking],
                bank_ref=self.bank_ref() if bank_ref else "",
                details=details,
                batch_id=batch_id,
                details_shown=details_shown,
            )
        )
        return len(self._drafts) - 1

    # -- truth ----------------------------------------------------------------------------

    def group(
        self,
        kind: str,
        account_code: str,
        entries: list[int],
        documents: list[str],
        outcome: Outcome = "matched",
        residual_minor: int = 0,
    ) -> None:
        """Write down what belongs together."""
        self._groups.append(_Group(kind, account_code, entries, documents, residual_minor, outcome))

    def entries_of(self, account_code: str) -> tuple[BankEntry, ...]:
        """The account's entries in the bank's order (shuffled once, then stable)."""
        self._number_entries(account_code)
        found = [draft for draft in self._drafts if draft.account_code == account_code]
        return tuple(sorted(found, key=lambda entry: entry.ordinal))

    def truth(self) -> tuple[TruthGroup, ...]:
        """All groups in the order told; call after `entries_of` every account."""
        return tuple(
            TruthGroup(
                kind=group.kind,
                account_code=group.account_code,
                entries=tuple(self._drafts[handle].key for handle in group.entries),
                document_nos=tuple(group.documents),
                residual_minor=group.residual_minor,
                outcome=group.outcome,
            )
            for group in self._groups
        )

    def _number_entries(self, account_code: str) -> None:
        """Give the account's entries ordinals in a shuffled order: banks sort as they like."""
        handles = [n for n, draft in enumerate(self._drafts) if draft.account_code == account_code]
        if handles and self._drafts[handles[0]].ordinal:
            return
        self.rng.shuffle(handles)
        for ordinal, handle in enumerate(handles, 1):
            self._drafts[handle] = replace(self._drafts[handle], ordinal=ordinal)
