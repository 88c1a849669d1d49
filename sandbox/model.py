"""The sandbox's words: parties, accounts, documents, bank entries and what belongs together.

All amounts are integers in minor units of the currency named beside them; money in is positive,
money out negative. Nothing here knows a file format: the renderers do (`sandbox.render_camt053`,
`sandbox.render_mt940`, `sandbox.render_sae`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

__all__ = [
    "BankAccount",
    "BankDetail",
    "BankEntry",
    "BookDocument",
    "Booking",
    "Dialect",
    "DropFile",
    "ExpenseLine",
    "ExpenseReport",
    "Outcome",
    "Party",
    "PartyKind",
    "Statement",
    "Truth",
    "TruthGroup",
    "World",
]

PartyKind = Literal["customer", "supplier", "employee", "bank"]
Dialect = Literal["camt.053.001.02", "camt.053.001.08", "mt940-structured", "mt940-free"]
Outcome = Literal[
    "matched",  # entry and books agree to the cent
    "charge",  # bank charges: alone, or taken out of a customer's payment
    "interest",
    "rounding",  # a cent or two from a currency conversion
    "receipt",  # the bank has the money of an open invoice, the cash book does not
    "expense",  # reimbursement of an expense report, known from the expense extract only
    "returned",  # an outgoing payment of an earlier period came back
    "unknown",
    "ambiguous",  # several equally good candidates: refused
    "in_transit",  # in the cash book, not yet at the bank
    "open",  # an unpaid invoice: neither in the cash book nor at the bank
]


@dataclass(frozen=True, slots=True)
class Party:
    """Someone the company pays or is paid by; ``iban`` is empty where accounts have none (US)."""

    name: str
    kind: PartyKind
    iban: str
    bic: str


@dataclass(frozen=True, slots=True)
class BankAccount:
    """One of the company's bank accounts as it stood at cutover.

    ``opening_minor`` is what bank and books both say at the close of the cutover day, in the
    account's currency; ``opening_company_minor`` the same in the company's currency.
    """

    code: str
    name: str
    bank: str
    iban_or_number: str
    bic: str
    currency: str
    gl_account: str
    dialect: Dialect
    opening_minor: int
    sequence_no: int
    opening_company_minor: int


@dataclass(frozen=True, slots=True)
class BookDocument:
    """A document of the ERP: a line of a bank's cash book, or an invoice.

    Attributes:
        account_code: bank account of a cash-book line, ``""`` for invoices.
        amount_minor: cash book: signed, in the account's currency; invoices: gross, positive.
        company_amount_minor: the same in EUR cents.
        settles: ``document_no`` of the invoice a cash-book line pays, or ``""``.
    """

    kind: Literal["cash_book", "customer_invoice", "supplier_invoice"]
    account_code: str
    document_no: str
    booked_on: date
    due_on: date | None
    amount_minor: int
    currency: str
    company_amount_minor: int
    party: str
    end_to_end_id: str
    payment_batch_id: str
    narrative: str
    settles: str


@dataclass(frozen=True, slots=True)
class Booking:
    """How a bank classifies an entry: ISO code, SWIFT type, German business code, text."""

    domain: str
    family: str
    subfamily: str
    swift_type: str
    gvc: str
    text: str


@dataclass(frozen=True, slots=True)
class BankDetail:
    """One payment inside an entry, as the bank knows it; empty where the bank is silent.

    ``fx_rate`` is decimal text: units of the original currency for one of the account's.
    ``charges_minor`` is what the banks on the way kept (positive).
    """

    amount_minor: int
    party: str = ""
    party_account: str = ""
    party_bic: str = ""
    end_to_end_id: str = ""
    mandate_id: str = ""
    reference: str = ""
    narrative: str = ""
    return_reason: str = ""
    original_minor: int = 0
    original_currency: str = ""
    fx_rate: str = ""
    charges_minor: int = 0


@dataclass(frozen=True, slots=True)
class BankEntry:
    """One booked line of a statement; ``batch_id`` names the payment run of a batch booking.

    Where ``details_shown`` is false the bank books the sum and keeps the payments to itself.
    """

    account_code: str
    ordinal: int
    amount_minor: int
    booked_on: date
    valued_on: date
    booking: Booking
    bank_ref: str
    details: tuple[BankDetail, ...]
    batch_id: str = ""
    details_shown: bool = True

    @property
    def key(self) -> str:
        """Name of the entry in the truth: ``NORD-EUR-MAIN#7``."""
        return f"{self.account_code}#{self.ordinal}"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a bank says of one account for one day."""

    account: BankAccount
    owner: str
    sequence_no: int
    previous_on: date
    on: date
    opening_minor: int
    entries: tuple[BankEntry, ...]

    @property
    def closing_minor(self) -> int:
        """Opening plus entries."""
        return self.opening_minor + sum(entry.amount_minor for entry in self.entries)


@dataclass(frozen=True, slots=True)
class ExpenseLine:
    """One expense of a report: ``gross_minor`` includes ``tax_minor``; negative is a credit."""

    entry_id: int
    expense_type: str
    gl_account: str
    spent_on: date
    gross_minor: int
    tax_minor: int
    payment_code: Literal["CASH", "CBCP"]
    vendor: str
    cost_centres: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExpenseReport:
    """An approved expense report; only its out-of-pocket lines (CASH) are owed to the employee."""

    report_key: str
    report_id: str
    name: str
    employee_id: str
    first_name: str
    last_name: str
    submitted_on: date
    lines: tuple[ExpenseLine, ...]

    @property
    def reimbursable_minor(self) -> int:
        """What the company owes the employee, in EUR cents."""
        return sum(line.gross_minor for line in self.lines if line.payment_code == "CASH")

    @property
    def total_minor(self) -> int:
        """All approved lines, in EUR cents."""
        return sum(line.gross_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class DropFile:
    """A file on the drop: path below the drop's root, and its bytes."""

    path: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TruthGroup:
    """What truly belongs together, and what a reconciliation should say of it on the day.

    Attributes:
        kind: a short name of the story (``short_paid``, ``batch_by_total``).
        entries: keys of bank entries, ordered; empty for what is only in the books.
        document_nos: cash-book lines, the invoices they pay, or the expense report's key.
        outcome: what holds once every statement before the entry's own has arrived.
        residual_minor: entries less cash-book lines where both are present and belong together,
            in the account's currency; else 0.
    """

    kind: str
    account_code: str
    entries: tuple[str, ...]
    document_nos: tuple[str, ...]
    residual_minor: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Truth:
    """Every entry and every document of the day, each in exactly one group."""

    groups: tuple[TruthGroup, ...]


@dataclass(frozen=True, slots=True)
class World:
    """One business day of one company: its books, its banks' files, and the truth."""

    seed: int
    business_day: date
    cutover_on: date
    company_name: str
    parties: tuple[Party, ...]
    accounts: tuple[BankAccount, ...]
    documents: tuple[BookDocument, ...]
    files: tuple[DropFile, ...]
    truth: Truth
    statements: tuple[Statement, ...]
    missing: Statement
    expenses: tuple[ExpenseReport, ...]
