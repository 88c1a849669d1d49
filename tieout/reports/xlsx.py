"""The report as a workbook: every row in full, for those who go on working with it.

Sheets: Summary, Rates, one for each account's bank reconciliation statement, Exceptions, Postings,
Proposals, Files. XlsxWriter's guesses (formulas, addresses, numbers in strings) are off and there
are no formula cells at all; `tieout.reports.sheets` writes the cells. Equal reports give equal
bytes.
"""

from __future__ import annotations

import io
from datetime import UTC

import xlsxwriter

from tieout.reports import figures, precision
from tieout.reports.model import AccountTieOut, DayReport
from tieout.reports.plain import ready
from tieout.reports.rate_lines import rung_words
from tieout.reports.rates import RungRate
from tieout.reports.sheets import Amount, Cell, Sheets, Strong

__all__ = ["render"]


def render(report: DayReport) -> bytes:
    """The workbook's bytes, equal for equal reports.

    Raises:
        TieoutError: the report does not add up (`tieout.reports.model.check`).
    """
    report = ready(report)
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, {**options, "strings_to_numbers": False}) as book:
        created = report.generated_at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        title = f"{report.company} {report.day.isoformat()} tie-out"
        book.set_properties({"title": title, "company": report.company_name, "created": created})
        sheets = Sheets(book, report)
        _summary(sheets, report)
        _rates(sheets, report)
        for account in report.accounts:
            _statement(sheets, account)
        _exceptions(sheets, report)
        _postings(sheets, report)
        _proposals(sheets, report)
        _files(sheets, report)
    return buffer.getvalue()


def _summary(sheets: Sheets, report: DayReport) -> None:
    sheet = sheets.add("Summary", (26, 20, 10, 18, 18, 9, 9, 12, 18, 14, 70))
    title = f"{report.company_name}: {figures.headline(report)}"
    row = sheets.title(sheet, title, figures.long_day(report.day))
    heads = ["Account", "Bank", "Currency", "Balance per bank", "Balance per books", "Entries"]
    heads += ["Matched", "By value", "Unexplained", "Result", "Remark"]
    rows: list[list[Cell]] = [
        [
            Strong(account.code),
            account.bank,
            account.currency,
            Amount(account.bank_balance_minor, account.currency),
            Amount(account.books_balance_minor, account.currency),
            account.rates.entries_count,
            account.rates.matched_count,
            figures.percent(account.rates.matched_value_minor, account.rates.entries_value_minor),
            Amount(account.unexplained_minor, account.currency, strong=True),
            figures.STATUS_WORDS[account.status],
            account.remark,
        ]
        for account in report.accounts
    ]
    row = sheets.table(sheet, row, heads, rows)
    facts = (
        ("Run", report.run_id),
        ("Made", figures.instant(report.generated_at)),
        ("Ladder", report.ladder),
        ("Policies", ", ".join(report.policies)),
        ("Amounts", "Numbers to 15 digits, exact; larger amounts are written as text."),
    )
    for offset, (name, value) in enumerate(facts):
        sheets.row(sheet, row + offset, [Strong(name), value])


def _rates(sheets: Sheets, report: DayReport) -> None:
    """The four rates of each account, whole and by rung, with the counts behind them."""
    widths = (26, 26, 10, 9, 9, 10, 18, 18, 10, 9, 9, 10, 30, 11, 9, 9, 9)
    sheet = sheets.add("Rates", widths)
    heads = ["Account", "Rung", "Currency", "Entries", "Matched", "By count", "Value"]
    heads += ["Value matched", "By value", "Items", "Matched", "By item", "Precision (95 %)"]
    heads += ["Confirmed", "Undone", "Right", "Wrong"]
    rows: list[list[Cell]] = []
    for account in report.accounts:
        rates = account.rates
        whole = RungRate(
            "",
            rates.matched_count,
            rates.matched_value_minor,
            rates.items_matched_count,
            rates.precision,
        )
        rows += [_rate(account, row) for row in (whole, *rates.rungs)]
    note = "Precision is of what the ladder confirmed by itself: undone by people, or judged"
    sheets.table(sheet, sheets.title(sheet, "Matched, by account and rung", note), heads, rows)


def _rate(account: AccountTieOut, row: RungRate) -> list[Cell]:
    rates, money, known = account.rates, account.currency, row.precision
    counts: list[Cell] = [None, None, None, None]
    if known is not None:
        counts = [known.confirmed, known.undone, known.right, known.wrong]
    return [
        Strong(account.code),
        rung_words(row.rung) if row.rung else "all",
        money,
        rates.entries_count,
        row.entries_count,
        figures.percent(row.entries_count, rates.entries_count),
        Amount(rates.entries_value_minor, money),
        Amount(row.value_minor, money),
        figures.percent(row.value_minor, rates.entries_value_minor),
        rates.items_count,
        row.items_count,
        figures.percent(row.items_count, rates.items_count),
        precision.said(known),
        *counts,
    ]


def _statement(sheets: Sheets, account: AccountTieOut) -> None:
    """Account's statement: bank, each section with its lines, books, unexplained."""
    sheet = sheets.add(account.code, (13, 22, 60, 26, 18, 18))
    about = (account.name, account.bank, figures.said_iban(account.iban), account.statement_ref)
    note = " · ".join(part for part in about if part)
    row = sheets.title(sheet, f"Bank reconciliation statement: {account.code}", note)
    code = account.currency
    rows = [_sum("Balance per bank", Amount(account.bank_balance_minor, code, strong=True))]
    for part in account.sections:
        if part.lines:
            rows.append(_sum(part.title, Amount(part.effect_minor, code, signed=True)))
        for line in part.lines:
            amount = Amount(part.sign * line.amount_minor, code, signed=True)
            rows.append([line.on, line.ref, line.narrative, line.note, amount])
    rows.append(_sum("Balance per books", Amount(account.books_balance_minor, code, strong=True)))
    unexplained = Amount(account.unexplained_minor, code, strong=True)
    rows.append(_sum("Unexplained difference", unexplained))
    heads = ["Date", "Reference", "Narrative", "Note", f"Amount {code}", f"Balance {code}"]
    sheets.ruled(sheet, row, heads, rows)


def _sum(words: str, amount: Amount) -> list[Cell]:
    """A row of a statement whose amount stands in the outer column."""
    return [None, None, Strong(words), None, None, amount]


def _exceptions(sheets: Sheets, report: DayReport) -> None:
    sheet = sheets.add("Exceptions", (14, 18, 22, 48, 16, 10, 12, 28, 60, 9, 16, 20))
    heads = ["Exception", "Account", "Reason code", "Reason", "Amount", "Currency", "Date"]
    heads += ["Counterparty", "Narrative", "Age, days", "Owner", "Due"]
    rows: list[list[Cell]] = [
        [
            Strong(row.exception_id),
            row.account_code,
            row.reason_code,
            row.reason,
            Amount(row.amount_minor, row.currency),
            row.currency,
            row.on,
            row.counterparty,
            row.narrative,
            row.age_days,
            row.owner,
            figures.instant(row.due_at) if row.due_at else "",
        ]
        for row in figures.oldest_first(report.exceptions)
    ]
    sheets.table(sheet, sheets.title(sheet, "Open exceptions", "Oldest first"), heads, rows)


def _postings(sheets: Sheets, report: DayReport) -> None:
    sheet = sheets.add("Postings", (18, 14, 18, 18, 16, 10, 20, 60, 22))
    heads = ["Document", "Adjustment", "Account", "Kind", "Amount", "Currency"]
    heads += ["External reference", "Narrative", "Allowed by"]
    rows: list[list[Cell]] = [
        [
            Strong(row.document_no),
            row.adjustment_id,
            row.account_code,
            figures.kind_words(row.kind),
            Amount(row.amount_minor, row.currency),
            row.currency,
            row.external_ref,
            row.narrative,
            row.approved_by,
        ]
        for row in report.postings
    ]
    note = "Confirmed by the ERP under these document numbers"
    sheets.table(sheet, sheets.title(sheet, "Posted", note), heads, rows)


def _proposals(sheets: Sheets, report: DayReport) -> None:
    sheet = sheets.add("Proposals", (14, 18, 18, 16, 10, 12, 60, 40, 22, 28))
    heads = ["Adjustment", "Account", "Kind", "Amount", "Currency", "Date"]
    heads += ["Narrative", "Why a person decides", "Proposed by", "Approve with"]
    rows: list[list[Cell]] = [
        [
            Strong(row.adjustment_id),
            row.account_code,
            figures.kind_words(row.kind),
            Amount(row.amount_minor, row.currency),
            row.currency,
            row.on,
            row.narrative,
            row.reason,
            row.proposed_by,
            row.command,
        ]
        for row in report.proposals
    ]
    sheets.table(sheet, sheets.title(sheet, "Waiting for approval"), heads, rows)


def _files(sheets: Sheets, report: DayReport) -> None:
    sheet = sheets.add("Files", (60, 20, 14, 90))
    rows: list[list[Cell]] = [
        [Strong(row.name), row.format, figures.kind_words(row.state), row.note]
        for row in figures.worst_first(report.files)
    ]
    heads = ("File", "Format", "State", "Note")
    sheets.table(sheet, sheets.title(sheet, "Files from the banks"), heads, rows)
