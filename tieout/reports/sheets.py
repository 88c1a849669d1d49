"""Sheets of a workbook, written so that text stays text and amounts stay exact.

Each text goes through ``write_string`` with the quote prefix in its format, so that editing the
cell does not turn ``=…`` into a formula either; nothing here writes a formula. Amounts are numbers
with the currency's decimals; a spreadsheet keeps 15 digits, so an amount beyond them is written as
text rather than wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from tieout.money import exponent_of, format_amount, from_minor
from tieout.reports.model import DayReport
from tieout.reports.palette import COLOURS
from tieout.reports.plain import clip

__all__ = ["EXACT_MAX", "Amount", "Cell", "Sheets", "Strong"]

#: Amounts of at most 15 significant digits survive a spreadsheet's arithmetic unchanged.
EXACT_MAX: Final = 10**15 - 1
#: Characters and rows a sheet can hold (below Excel's own limits, leaving room for titles).
_TEXT_MAX: Final = 32_000
_ROWS_MAX: Final = 1_000_000
_NOT_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\']")


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount cell."""

    minor: int | None
    currency: str
    strong: bool = False
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Strong:
    """A text cell in bold."""

    text: str


Cell = str | int | date | None | Amount | Strong


class Sheets:
    """Makes sheets and writes rows of cells; knows formats and used names."""

    def __init__(self, book: Any, report: DayReport) -> None:
        self._book = book
        self._footer = (
            f"&L{_amp(report.company)} {report.day.isoformat()}, {_amp(report.run_id)}&R&P/&N"
        )
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._names: set[str] = set()

    def add(self, name: str, widths: Sequence[int]) -> Any:
        """A sheet set up for screen and print, with a name no other sheet has."""
        sheet = self._book.add_worksheet(self._name(name))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(self._footer)
        return sheet

    def title(self, sheet: Any, text: str, note: str = "") -> int:
        """Title and note in the first rows; the next free row."""
        look = self._format(bold=True, font_size=15, font_color=COLOURS["brand"], quote_prefix=True)
        sheet.write_string(0, 0, clip(text, _TEXT_MAX), look)
        muted = self._format(font_color=COLOURS["muted"], quote_prefix=True)
        sheet.write_string(1, 0, clip(note, _TEXT_MAX), muted)
        return 3

    def table(
        self, sheet: Any, row: int, heads: Sequence[str], rows: Sequence[Sequence[Cell]]
    ) -> int:
        """Heads, rows, frozen panes and filter; the next free row."""
        for column, head in enumerate(heads):
            right = bool(rows) and isinstance(rows[0][column], Amount | int)
            sheet.write_string(row, column, head, self._head(right))
        sheet.repeat_rows(row)
        sheet.freeze_panes(row + 1, 1)
        shown = rows[:_ROWS_MAX]
        for offset, cells in enumerate(shown, start=1):
            self.row(sheet, row + offset, cells)
        if not rows:
            self.row(sheet, row + 1, ["none"])
        else:
            sheet.autofilter(row, 0, row + len(shown), len(heads) - 1)
        if len(rows) > len(shown):
            self.row(sheet, row + len(shown) + 1, [f"and {len(rows) - len(shown)} more rows"])
        return row + max(len(shown), 1) + 2

    def ruled(
        self, sheet: Any, row: int, heads: Sequence[str], rows: Sequence[Sequence[Cell]]
    ) -> None:
        """Heads and rows without a filter, which would tear a statement apart."""
        for column, head in enumerate(heads):
            sheet.write_string(row, column, head, self._head(column >= len(heads) - 2))
        sheet.repeat_rows(row)
        sheet.freeze_panes(row + 1, 0)
        for offset, cells in enumerate(rows[:_ROWS_MAX], start=1):
            self.row(sheet, row + offset, cells)

    def row(self, sheet: Any, row: int, cells: Sequence[Cell]) -> None:
        """One row; each cell by its type, text never as anything but text."""
        for column, cell in enumerate(cells):
            if isinstance(cell, Amount):
                self._amount(sheet, row, column, cell)
            elif isinstance(cell, Strong):
                look = self._format(bold=True, valign="top", quote_prefix=True)
                sheet.write_string(row, column, clip(cell.text, _TEXT_MAX), look)
            elif isinstance(cell, int):
                sheet.write_number(
                    row, column, cell, self._format(valign="top", num_format="#,##0")
                )
            elif isinstance(cell, date):
                look = self._format(num_format="yyyy-mm-dd", align="left", valign="top")
                sheet.write_datetime(row, column, cell, look)
            elif cell:
                look = self._format(text_wrap=len(cell) > 40, valign="top", quote_prefix=True)
                sheet.write_string(row, column, clip(cell, _TEXT_MAX), look)

    def _amount(self, sheet: Any, row: int, column: int, cell: Amount) -> None:
        """A number where a spreadsheet keeps it exactly, else the exact text."""
        if cell.minor is None:
            look = self._format(align="right", valign="top", font_color=COLOURS["bad"])
            sheet.write_string(row, column, "not known", look)
        elif abs(cell.minor) > EXACT_MAX:
            look = self._format(align="right", valign="top", bold=cell.strong, quote_prefix=True)
            sheet.write_string(row, column, format_amount(cell.minor, cell.currency), look)
        else:
            exponent = exponent_of(cell.currency)
            plain = "#,##0" + ("." + "0" * exponent if exponent else "")
            shape = f"+{plain};-{plain};{plain}" if cell.signed else f"{plain};-{plain}"
            look = self._format(num_format=shape, bold=cell.strong, valign="top")
            sheet.write_number(row, column, from_minor(cell.minor, cell.currency), look)

    def _head(self, right: bool) -> Any:
        return self._format(
            bold=True,
            font_color="#ffffff",
            bg_color=COLOURS["brand"],
            align="right" if right else "left",
            valign="vcenter",
        )

    def _format(self, **wanted: Any) -> Any:
        """A format, made once: the workbook stores each of them."""
        key = tuple(sorted(wanted.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format({"font_name": "Calibri", **wanted})
        return self._formats[key]

    def _name(self, wanted: str) -> str:
        """At most 31 characters, without forbidden ones, unlike any other name in any case."""
        base = _NOT_IN_NAMES.sub("-", wanted).strip()[:31] or "Sheet"
        base = "History-" if base.lower() == "history" else base
        name, ordinal = base, 2
        while name.lower() in self._names:
            name = f"{base[:27]} {ordinal}"
            ordinal += 1
        self._names.add(name.lower())
        return name


def _amp(text: str) -> str:
    """Footers read ``&`` as a command."""
    return clip(text, 60).replace("&", "&&")
