"""The workbook, opened by another library: texts are texts, amounts exact, bytes equal."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal

import openpyxl  # type: ignore[import-untyped]
import pytest
from openpyxl.workbook import Workbook  # type: ignore[import-untyped]

from tests.reports.example import account, empty, example
from tests.reports.hostile import FORMULAS, TEXTS, hostile
from tieout.reports.model import BrsLine, section
from tieout.reports.plain import clean
from tieout.reports.sheets import EXACT_MAX
from tieout.reports.xlsx import render


def _book(report_bytes: bytes) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(report_bytes))


def _values(book: Workbook, sheet: str) -> list[object]:
    return [cell.value for row in book[sheet].iter_rows() for cell in row if cell.value is not None]


def test_sheets_and_what_stands_in_them() -> None:
    book = _book(render(example()))
    codes = [each.code for each in example().accounts]
    last = ["Exceptions", "Postings", "Proposals", "Files"]
    assert book.sheetnames == ["Summary", "Rates", *codes, *last]
    rates = {(r[0].value, r[1].value): r for r in book["Rates"].iter_rows(min_row=5)}
    told = [cell.value for cell in rates["NORD-EUR-MAIN", "Reference with charges"]]
    assert told[9:] == [18, 1, "5.5 %", "93.8 % (75.4 to 98.0 %)", 86, 1, 19, 1]
    assert [c.value for c in rates["NORD-EUR-COLL", "By hand"]][12:] == [
        "–",
        None,
        None,
        None,
        None,
    ]
    assert "2026/11/0041" in _values(book, "Postings")
    assert "tieout approve ADJ-0012" in _values(book, "Proposals")
    narrative = example().exceptions[3].narrative
    assert narrative in _values(book, "Exceptions")
    assert len(narrative) > 100


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_no_formula_and_no_link_cells(text: str) -> None:
    book = _book(render(hostile(text)))
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                assert cell.hyperlink is None


def test_formula_like_text_is_kept_and_quoted() -> None:
    for text in FORMULAS:
        book = _book(render(hostile(text)))
        cells = [cell for cell in book["Exceptions"]["I"] if cell.value == clean(text)]
        assert len(cells) == len(example().exceptions)
        assert all(cell.quotePrefix for cell in cells)


def test_statement_column_sums_to_the_books() -> None:
    book = _book(render(example()))
    for tie_out in example().accounts:
        outer = [
            Decimal(str(cell.value)).quantize(Decimal("0.01"))
            for cell in book[tie_out.code]["F"]
            if isinstance(cell.value, int | float)
        ]
        *walk, books, unexplained = outer
        assert sum(walk) - unexplained == books


@pytest.mark.parametrize(
    ("currency", "minor", "value", "shape"),
    [
        ("EUR", EXACT_MAX, 9_999_999_999_999.99, "#,##0.00;-#,##0.00"),
        ("EUR", EXACT_MAX + 1, "10,000,000,000,000.00", "General"),
        ("EUR", -(10**17), "-1,000,000,000,000,000.00", "General"),
        ("JPY", 1_234_567, 1_234_567, "#,##0;-#,##0"),
        ("KWD", 1_234_567, 1_234.567, "#,##0.000;-#,##0.000"),
    ],
)
def test_amounts_are_exact_or_text(currency: str, minor: int, value: object, shape: str) -> None:
    one = account("A", currency=currency, bank_minor=minor, books_minor=minor)
    cell = _book(render(replace(empty(), accounts=(one,))))["Summary"]["D5"]
    assert (cell.value, cell.number_format) == (value, shape)


def test_sheet_names_are_legal_and_unlike() -> None:
    codes = ["A/B[1]*?:'", "a-b-1-----", "History", "Summary", "X" * 40, "X" * 41, "files"]
    accounts = tuple(account(code, bank_minor=1, books_minor=1) for code in codes)
    names = _book(render(replace(empty(), accounts=accounts))).sheetnames
    assert len({name.lower() for name in names}) == len(names) == 6 + len(codes)
    assert all(len(name) <= 31 for name in names)


def test_equal_reports_give_equal_bytes() -> None:
    assert render(example()) == render(example())
    assert render(empty()) != render(example())


def test_empty_day_says_none() -> None:
    book = _book(render(empty()))
    assert book.sheetnames == ["Summary", "Rates", "Exceptions", "Postings", "Proposals", "Files"]
    assert all("none" in _values(book, name) for name in book.sheetnames)


def test_every_line_of_a_long_statement_is_there() -> None:
    lines = [BrsLine(f"R{n:04}", example().day, f"line {n}", 1) for n in range(3_000)]
    long = account(bank_minor=0, books_minor=3_000, sections=(section("in_transit", lines),))
    values = _values(_book(render(replace(empty(), accounts=(long,)))), long.code)
    assert {f"line {n}" for n in range(3_000)} <= set(values)
