"""The day's summary for the terminal, and the plain part of the mail.

Built of `rich` renderables; bank text goes in as `rich.text.Text`, never as markup, and is cleaned
of control characters before, so that it cannot move a cursor. Where the output is not a terminal
rich writes no colours, so the words carry the meaning.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tieout.money import format_amount
from tieout.reports import figures
from tieout.reports.model import AccountTieOut, DayReport
from tieout.reports.plain import clip, ready
from tieout.reports.rate_lines import rate_lines

__all__ = ["render", "show"]

#: Columns taken where there is no terminal to ask.
_WIDE: Final = 108
_STYLES: Final = {
    "tied": "green",
    "explained": "green",
    "broken": "bold red",
    "no_statement": "yellow",
}
_FILE_STYLES: Final = {"quarantined": "red", "staged": "yellow", "duplicate": "yellow"}


def show(report: DayReport, console: Console | None = None) -> None:
    """Print the summary to the console (standard output when none is given).

    Raises:
        TieoutError: the report does not add up (`tieout.reports.model.check`).
    """
    if console is None:
        console = Console()
        if not console.is_terminal:
            console = Console(width=_WIDE)
    report = ready(report)
    unbounded = console.options.update(width=1_000)
    needed = console.measure(_accounts(report), options=unbounded).maximum
    wide = needed <= console.width
    for part in _parts(report, wide=wide):
        console.print(part, highlight=False)


def render(report: DayReport, *, width: int = _WIDE) -> str:
    """The summary as plain text of at most ``width`` columns, without colours.

    Raises:
        TieoutError: the report does not add up (`tieout.reports.model.check`).
    """
    buffer = io.StringIO()
    show(report, Console(file=buffer, width=width, color_system=None, force_terminal=False))
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _parts(report: DayReport, *, wide: bool) -> Iterator[RenderableType]:
    """Headline, troubles, accounts, then each table that has rows."""
    yield Text(f"{report.company_name} · {figures.long_day(report.day)}", style="dim")
    ties = figures.tied_count(report) == len(report.accounts)
    yield Text(figures.headline(report), style="bold green" if ties else "bold red")
    for code, said in figures.troubles(report):
        yield Text(f"{code}: {said}", style="red")
    if report.accounts:
        yield from _titled("Accounts", _accounts(report) if wide else None)
    if not wide:
        yield from _account_lines(report)
    if report.exceptions:
        yield from _titled("Open exceptions", _exceptions(report))
    if report.postings:
        yield from _titled("Posted", _postings(report))
    if report.proposals:
        yield from _titled("Waiting for approval", _proposals(report))
    if figures.matched_counts(report)[1]:
        yield from _titled("Matched", _rates(report))
    files = [row for row in figures.worst_first(report.files) if row.note]
    if report.files:
        yield from _titled(f"Files: {figures.file_counts(report.files)}", None)
        for row in files:
            state = Text(
                f"{figures.kind_words(row.state)}: ", style=_FILE_STYLES.get(row.state, "dim")
            )
            state.append(f"{clip(row.name, 80)}. {row.note}".rstrip(), style="default")
            yield Padding(state, (0, 0, 0, 2))
    yield Text(f"\nRun {report.run_id}, made {figures.instant(report.generated_at)}", style="dim")


def _titled(title: str, table: Table | None) -> Iterator[RenderableType]:
    yield Text(f"\n{title}", style="bold")
    if table is not None:
        yield table


def _table(*columns: tuple[str, str]) -> Table:
    """A table with a rule under its heads; each column is (head, ``left`` | ``right``)."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    for head, justify in columns:
        right = justify == "right"
        table.add_column(
            head,
            justify="right" if right else "left",
            no_wrap=right,
            overflow="fold",
            min_width=len(head),
        )
    return table


def _accounts(report: DayReport) -> Table:
    table = _table(
        ("Account", "left"),
        ("Bank", "right"),
        ("Books", "right"),
        ("", "left"),
        ("Matched", "right"),
        ("By value", "right"),
        ("Open", "right"),
        ("Unexplained", "right"),
        ("Result", "left"),
    )
    open_counts = figures.exception_counts(report)
    for account in report.accounts:
        table.add_row(*_account_cells(account, open_counts[account.code]))
    return table


def _account_cells(account: AccountTieOut, open_count: int) -> Iterator[Text]:
    style = _STYLES[account.status]
    bank, unexplained = account.bank_balance_minor, account.unexplained_minor
    yield Text(account.code)
    yield Text("no statement" if bank is None else format_amount(bank, account.currency))
    yield Text(format_amount(account.books_balance_minor, account.currency))
    yield Text(account.currency)
    yield Text(f"{account.rates.matched_count}/{account.rates.entries_count}")
    yield Text(
        figures.percent(account.rates.matched_value_minor, account.rates.entries_value_minor)
    )
    yield Text(str(open_count))
    said = "not known" if unexplained is None else format_amount(unexplained, account.currency)
    yield Text(said, style=style)
    yield Text(figures.STATUS_WORDS[account.status], style=style)


def _rates(report: DayReport) -> Table:
    """The four rates of each account, then of each rung."""
    table = _table(
        ("", "left"),
        ("Entries", "right"),
        ("By value", "right"),
        ("Items", "right"),
        ("Precision", "right"),
    )
    for row in rate_lines(report):
        name = Text(row.name if row.kind != "rung" else f"  {row.name}")
        # A currency a line: sums never mix them.
        value = row.value.replace(", ", "\n")
        table.add_row(name, Text(row.count), Text(value), Text(row.item_share), Text(row.precision))
    return table


def _account_lines(report: DayReport) -> Iterator[Text]:
    """Three lines an account, for narrow terminals and mails."""
    open_counts = figures.exception_counts(report)
    for account in report.accounts:
        code, bank, books, currency, matched, value, _, unexplained, result = _account_cells(
            account, open_counts[account.code]
        )
        yield Text.assemble("  ", (code.plain, "bold"), " ", currency, ": ", result)
        yield Text.assemble("    bank ", bank, ", books ", books, ", unexplained ", unexplained)
        opened = figures.counted(open_counts[account.code], "open exception")
        yield Text.assemble("    matched ", matched, ", ", value, " by value, ", opened)


def _exceptions(report: DayReport) -> Table:
    table = _table(
        ("Account", "left"),
        ("Reason", "left"),
        ("Of", "left"),
        ("Age", "right"),
        ("Amount", "right"),
    )
    for row in figures.oldest_first(report.exceptions):
        about = row.counterparty or row.narrative
        table.add_row(
            Text(row.account_code),
            Text(clip(row.reason, 90)),
            Text(clip(about, 32)),
            Text(f"{row.age_days} d"),
            Text(figures.with_currency(row.amount_minor, row.currency)),
        )
    return table


def _postings(report: DayReport) -> Table:
    table = _table(
        ("Document", "left"), ("Account", "left"), ("Posting", "left"), ("Amount", "right")
    )
    for row in report.postings:
        table.add_row(
            Text(clip(row.document_no, 30)),
            Text(row.account_code),
            Text(f"{figures.kind_words(row.kind)}: {clip(row.narrative, 48)}"),
            Text(figures.with_currency(row.amount_minor, row.currency)),
        )
    return table


def _proposals(report: DayReport) -> Table:
    table = _table(
        ("Approve with", "left"), ("Account", "left"), ("Posting", "left"), ("Amount", "right")
    )
    for row in report.proposals:
        table.add_row(
            Text(row.command, style="cyan"),
            Text(row.account_code),
            Text(f"{figures.kind_words(row.kind)}: {clip(row.narrative, 48)}"),
            Text(figures.with_currency(row.amount_minor, row.currency)),
        )
    return table
