"""What a day's report says: frozen rows, money as int minor units beside its currency.

The report stage fills these from the ledger; every renderer (mail, HTML, PDF, XLSX, terminal)
reads only these. The one piece of arithmetic is the bank reconciliation statement of an account,
walked from the balance per bank to the balance per books::

      balance per bank                      what the bank's latest statement claims
    + items in transit                      in the books, not yet at the bank
    - bank entries not yet in the books     posted after the books were read, proposed, exceptions
    - residuals                             what confirmed groups leave over and nobody posted
    - staged statements                     entries of statements held back (a gap before them)
    = balance per books + unexplained       unexplained must be zero

`check` refuses a report whose numbers do not add up: a wrong statement is worse than none.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal

from tieout.errors import TieoutError
from tieout.money import exponent_of
from tieout.reports.rates import Rates

__all__ = [
    "SECTION_KINDS",
    "AccountTieOut",
    "BrsLine",
    "BrsSection",
    "DayReport",
    "ExceptionRow",
    "FileRow",
    "PostingRow",
    "ProposalRow",
    "SectionKind",
    "Status",
    "brs",
    "check",
    "section",
    "status_of",
]

Status = Literal["tied", "explained", "broken", "no_statement"]
SectionKind = Literal["in_transit", "posted", "proposed", "exceptions", "residuals", "staged"]

#: Kind of section, its title, and the sign with which it walks from bank to books; in print order.
SECTION_KINDS: Final[dict[SectionKind, tuple[str, int]]] = {
    "in_transit": ("Items in transit: in the books, not yet at the bank", 1),
    "posted": ("Bank entries posted after the books were read", -1),
    "proposed": ("Bank entries not in the books: postings proposed", -1),
    "exceptions": ("Bank entries not in the books: open exceptions", -1),
    "residuals": ("Residuals of matched groups, not posted", -1),
    "staged": ("Entries of staged statements", -1),
}


@dataclass(frozen=True, slots=True)
class BrsLine:
    """One item or entry between bank and books; ``amount_minor`` is signed, money in +."""

    ref: str
    on: date
    narrative: str
    amount_minor: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class BrsSection:
    """Lines of one kind and their sum, in the account's currency and the account's view."""

    kind: SectionKind
    title: str
    total_minor: int
    lines: tuple[BrsLine, ...]

    @property
    def sign(self) -> int:
        """With which sign its amounts walk from the balance per bank to the books: 1 or -1."""
        return SECTION_KINDS[self.kind][1]

    @property
    def effect_minor(self) -> int:
        """What the section adds when one walks from the balance per bank to the books."""
        return self.sign * self.total_minor


@dataclass(frozen=True, slots=True)
class AccountTieOut:
    """One bank account on one day.

    ``bank_balance_minor`` is None where the bank has sent no statement; ``unexplained_minor`` is
    None exactly then.
    """

    code: str
    name: str
    bank: str
    iban: str
    currency: str
    statement_ref: str
    sequence_no: str
    as_of: date | None
    bank_balance_minor: int | None
    books_balance_minor: int
    sections: tuple[BrsSection, ...]
    rates: Rates
    unexplained_minor: int | None
    status: Status
    remark: str = ""


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """Something a person must decide; ``reason`` is one line for people."""

    exception_id: str
    account_code: str
    reason_code: str
    reason: str
    amount_minor: int
    currency: str
    on: date
    counterparty: str
    narrative: str
    age_days: int
    owner: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PostingRow:
    """A posting the ERP has confirmed; ``document_no`` is the ERP's own number."""

    adjustment_id: str
    account_code: str
    kind: str
    amount_minor: int
    currency: str
    document_no: str
    external_ref: str
    narrative: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """An adjustment that waits for a person; ``reason`` says why policy did not allow it."""

    adjustment_id: str
    account_code: str
    kind: str
    amount_minor: int
    currency: str
    on: date
    narrative: str
    reason: str
    proposed_by: str

    @property
    def command(self) -> str:
        """What an approver types; the start of an id is enough, and shown as long as it is safe."""
        return f"tieout approve {shlex.quote(self.adjustment_id[:12])}"


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file the drops gave us; ``note`` says what is wrong and how to mend it."""

    name: str
    format: str
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class DayReport:
    """Everything one day's report says; ``links`` are label to http(s) address."""

    company_name: str
    company: str
    day: date
    generated_at: datetime
    run_id: str
    accounts: tuple[AccountTieOut, ...]
    exceptions: tuple[ExceptionRow, ...] = ()
    postings: tuple[PostingRow, ...] = ()
    proposals: tuple[ProposalRow, ...] = ()
    files: tuple[FileRow, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    ladder: str = ""
    policies: tuple[str, ...] = ()


def section(kind: SectionKind, lines: Iterable[BrsLine], *, title: str = "") -> BrsSection:
    """A section with its total computed and its lines in a fixed order (date, reference)."""
    ordered = tuple(sorted(lines, key=lambda line: (line.on, line.ref, line.amount_minor)))
    total = sum(line.amount_minor for line in ordered)
    return BrsSection(kind, title or SECTION_KINDS[kind][0], total, ordered)


def brs(
    bank_balance_minor: int | None, books_balance_minor: int, sections: Iterable[BrsSection]
) -> int | None:
    """The unexplained difference: bank - (books - in transit + unmatched + residuals + staged).

    None when the bank has given no balance: nothing can be proven then.
    """
    if bank_balance_minor is None:
        return None
    walked = bank_balance_minor + sum(each.effect_minor for each in sections)
    return walked - books_balance_minor


def status_of(unexplained_minor: int | None, sections: Iterable[BrsSection]) -> Status:
    """Status of an account, in precedence order: no_statement, broken, explained, tied.

    ``tied`` means that nothing but items in transit stands between bank and books; ``explained``
    that the difference is fully listed, though some of it still waits for a person or a posting.
    """
    if unexplained_minor is None:
        return "no_statement"
    if unexplained_minor:
        return "broken"
    waiting = any(each.lines for each in sections if each.kind != "in_transit")
    return "explained" if waiting else "tied"


def check(report: DayReport) -> None:
    """Refuse a report that does not add up.

    Raises:
        TieoutError: ``REPORT_UNBALANCED`` (names account and numbers) or ``REPORT_MALFORMED``.
        MoneyError: ``CURRENCY_UNKNOWN``.
    """
    if report.generated_at.tzinfo is None:
        raise TieoutError("REPORT_MALFORMED", "generated_at has no time zone", where=report.run_id)
    codes = [account.code for account in report.accounts]
    for code in sorted(codes):
        if codes.count(code) > 1:
            raise TieoutError("REPORT_MALFORMED", f"account {code} appears twice", where=code)
    for account in report.accounts:
        _check_account(account)
    currencies = {row.currency for row in report.exceptions}
    currencies |= {row.currency for row in report.postings}
    currencies |= {row.currency for row in report.proposals}
    for currency in sorted(currencies):
        exponent_of(currency)


def _check_account(account: AccountTieOut) -> None:
    """Sections sum, the walk closes, the status says what the numbers say."""
    exponent_of(account.currency)
    for each in account.sections:
        lines = sum(line.amount_minor for line in each.lines)
        _same(account, f"section {each.kind!r}", each.total_minor, lines)
    walked = brs(account.bank_balance_minor, account.books_balance_minor, account.sections)
    _same(account, "unexplained", account.unexplained_minor, walked)
    truth = status_of(walked, account.sections)
    if account.status != truth:
        raise TieoutError(
            "REPORT_UNBALANCED",
            f"status is {account.status!r}, the numbers say {truth!r}",
            where=account.code,
            remedy="take the status from status_of()",
        )
    rates = account.rates
    pairs = (
        (rates.matched_count, rates.entries_count),
        (rates.matched_value_minor, rates.entries_value_minor),
        (rates.items_matched_count, rates.items_count),
    )
    if not all(0 <= part <= whole for part, whole in pairs):
        raise TieoutError("REPORT_UNBALANCED", "more is matched than there is", where=account.code)


def _same(account: AccountTieOut, what: str, said: int | None, computed: int | None) -> None:
    if said != computed:
        raise TieoutError(
            "REPORT_UNBALANCED",
            f"{what} says {said} {account.currency} minor units, its parts give {computed}",
            where=account.code,
            remedy="build sections with section() and the difference with brs()",
        )
