"""Cleaning and clipping of foreign text, and the sentences all renderings share."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports.example import account, empty, example
from tieout.reports import figures
from tieout.reports.plain import breakable, clean, clip, ready


@pytest.mark.parametrize(
    ("given_", "cleaned"),
    [
        ("plain Ünïcode 日本", "plain Ünïcode 日本"),
        ("a\r\n\tb", "a b"),
        ("a\u2028b\x85c", "a b c"),
        ("a\x00b\x1b[2J", "a\ufffdb\ufffd[2J"),
        ("x\u202egnp.exe\u2069", "x\ufffdgnp.exe\ufffd"),
        ("a\ud800b\uffff\U000e0041", "a\ufffdb\ufffd\ufffd"),
        ("zero\u200bwidth\ufeff", "zero\ufffdwidth\ufffd"),
    ],
)
def test_clean(given_: str, cleaned: str) -> None:
    assert clean(given_) == cleaned


@given(st.text(st.characters(exclude_categories=[])))
def test_clean_gives_one_encodable_line_and_is_idempotent(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert cleaned == clean(cleaned)
    assert len(cleaned.splitlines()) <= 1
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in cleaned)


@given(st.text(max_size=200))
def test_breakable_keeps_the_text_and_leaves_no_long_run(text: str) -> None:
    pieces = breakable(text)
    assert "".join(pieces) == text
    assert all(len(run) < 42 for piece in pieces for run in piece.split())


def test_breakable_cuts_only_long_runs() -> None:
    assert breakable("a reference of 29 characters") == ["a reference of 29 characters"]
    assert breakable("see " + "x" * 30 + " now") == ["see " + "x" * 12, "x" * 12, "x" * 6, " now"]


def test_clip_says_that_it_cut() -> None:
    assert clip("abcdef", 6) == "abcdef"
    assert clip("abc def", 5) == "abc…"


def test_ready_cleans_every_field_at_any_depth() -> None:
    day = replace(example(), links={"a\x00": "http://x/\n"}, policies=("p\x1b",))
    cleaned = ready(day)
    assert cleaned.links == {"a\ufffd": "http://x/ "}
    assert cleaned.policies == ("p\ufffd",)
    assert ready(cleaned) == cleaned


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, "–"), (1, 3, "33.3 %"), (9_999, 10_000, "99.9 %"), (7, 7, "100 %"), (0, 5, "0.0 %")],
)
def test_percent_floors(part: int, whole: int, said: str) -> None:
    assert figures.percent(part, whole) == said


def test_headline_for_none_one_some_and_all() -> None:
    good, bad = account(bank_minor=5, books_minor=5), account("B", bank_minor=6, books_minor=5)
    cases = {
        (): "No bank accounts to tie out",
        (good,): "The account ties out to the cent",
        (bad,): "The account does not tie out",
        (good, bad): "1 of 2 accounts tie out to the cent",
        (good, replace(good, code="C")): "All 2 accounts tie out to the cent",
    }
    for accounts, said in cases.items():
        assert figures.headline(replace(empty(), accounts=accounts)) == said


def test_sums_never_mix_currencies() -> None:
    assert figures.gross_by_currency(example().exceptions) == {"EUR": 4_335_500, "USD": 2_500}
    assert list(figures.matched_by_currency(example())) == ["EUR", "USD"]


def test_only_ibans_are_grouped() -> None:
    assert figures.said_iban("DE88999100010004471200") == "DE88 9991 0001 0004 4712 00"
    assert figures.said_iban("7700418823") == "7700418823"
