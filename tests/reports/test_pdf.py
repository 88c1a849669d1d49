"""The PDF: text a program can read back, bank text never markup, equal bytes."""

from __future__ import annotations

import io
from dataclasses import replace

import pypdf
import pytest

from tests.reports.example import account, empty, example
from tests.reports.hostile import TEXTS, hostile
from tieout.reports.model import BrsLine, section
from tieout.reports.pdf import render


def _pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def test_day_page_and_one_statement_an_account() -> None:
    pages = _pages(render(example()))
    assert len(pages) == 2 + len(example().accounts)
    assert "4 of 5 accounts tie out to the cent" in pages[0]
    assert "2026/11/0041" in pages[0]
    assert "99.8 % (91.1 to 99.9 %)" in pages[1], "precision of a rung"
    for number, tie_out in enumerate(example().accounts, start=2):
        text = pages[number]
        assert "Bank reconciliation statement" in text
        assert tie_out.code in text
        assert "Prepared by" in text
        assert "Reviewed by" in text
        assert f"Page {number + 1} of {len(pages)}" in text
        assert "run-20261121-0530-7c1e" in text
    assert "1,482,730.41" in pages[2]
    assert "25,000.00" in pages[6]


def test_equal_reports_give_equal_bytes_and_the_reports_time() -> None:
    first = render(example())
    assert first == render(example())
    assert first != render(replace(example(), run_id="other"))
    metadata = pypdf.PdfReader(io.BytesIO(first)).metadata
    assert metadata is not None
    assert metadata.title == "NORD 2026-11-20: bank reconciliation"
    assert metadata.creation_date == example().generated_at


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_foreign_text_is_never_markup(text: str) -> None:
    joined = "".join(_pages(render(hostile(text))))
    assert "root:" not in joined
    assert "nobody" not in joined
    assert "Bank reconciliation statement" in joined


def test_typst_markup_is_printed_as_written() -> None:
    row = replace(example().exceptions[0], reason="#strong[x] $1$ *b* _i_ @r")
    pages = _pages(render(replace(example(), exceptions=(row,))))
    assert "#strong[x] $1$ *b* _i_ @r" in pages[0]


def test_empty_day_no_statement_and_other_exponents() -> None:
    assert "No bank accounts" in _pages(render(empty()))[0]
    accounts = (
        account("JP", currency="JPY", bank_minor=-1_234_567, books_minor=-1_234_567),
        account("KW", currency="KWD", bank_minor=1_234_567, books_minor=1_234_567),
        account("SILENT", bank_minor=None, books_minor=100),
    )
    pages = _pages(render(replace(empty(), accounts=accounts)))
    assert "−1,234,567" in pages[1]
    assert "1,234.567" in pages[2]
    assert "no statement" in pages[3]


def test_long_statement_runs_over_pages_and_is_cut_with_a_word() -> None:
    lines = [BrsLine(f"R{n:04}", example().day, f"line {n}", 1) for n in range(1_100)]
    long = account(bank_minor=0, books_minor=1_100, sections=(section("in_transit", lines),))
    pages = _pages(render(replace(empty(), accounts=(long,))))
    assert len(pages) > 10
    assert "workbook of the same run has every line" in pages[0]
    assert "line 999" in "".join(pages)
