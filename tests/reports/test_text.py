"""The terminal's summary: complete, plain where it must be, and deaf to escape sequences."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.reports.example import account, empty, example
from tests.reports.hostile import TEXTS, hostile
from tieout.reports.files import write
from tieout.reports.text import render, show


def test_wide_summary_names_everything() -> None:
    text = render(example(), width=120)
    lines = text.splitlines()
    save = next(line for line in lines if line.startswith("NORD-EUR-SAVE  "))
    said = "NORD-EUR-SAVE 750,412.50 725,000.00 EUR 0/1 0.0 % 1 25,000.00 Broken"
    assert " ".join(save.split()) == said
    for words in (
        "4 of 5 accounts tie out to the cent",
        "2026/11/0045",
        "tieout approve ADJ-0012",
        "Quarantined: hansebank/out/C53_20261120_224_2.xml",
        "4 recorded, 1 duplicate, 1 quarantined, 1 staged",
    ):
        assert words in text


@pytest.mark.parametrize("width", [60, 78, 80, 100, 140])
def test_no_line_is_wider_than_asked(width: int) -> None:
    assert max(len(line) for line in render(example(), width=width).splitlines()) <= width


def test_narrow_summary_keeps_amounts_whole() -> None:
    text = render(example(), width=78)
    assert "bank 750,412.50, books 725,000.00, unexplained 25,000.00" in text
    assert "matched 18/19, 99.9 % by value, 1 open exception\n" in text


def test_plain_without_terminal_red_with_one() -> None:
    assert "\x1b" not in render(example())
    buffer = io.StringIO()
    show(example(), Console(file=buffer, width=120, force_terminal=True, color_system="standard"))
    red = re.findall(r"\x1b\[1;31m([^\x1b]*)\x1b", buffer.getvalue())
    assert [words.strip() for words in red[1:]] == ["25,000.00", "Broken"]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_foreign_text_moves_no_cursor_and_is_no_markup(text: str) -> None:
    printed = render(hostile(text), width=160)
    assert not set(printed) & set("\x00\x1b\r\t\u202e\u2066")
    if text.startswith("[bold"):
        assert "[bold red]rich[/bold red]" in printed


def test_empty_day_and_exponents() -> None:
    assert "No bank accounts to tie out" in render(empty())
    accounts = (account("KW", currency="KWD", bank_minor=-1_234_567, books_minor=-1_234_567),)
    assert "-1,234.567" in render(replace(empty(), accounts=accounts))


def test_files_are_written_whole_and_the_same_again(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "er"
    first = {kind: path.read_bytes() for kind, path in write(example(), folder).items()}
    again = {kind: path.read_bytes() for kind, path in write(example(), folder).items()}
    assert first == again
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"tieout-NORD-2026-11-20.{kind}" for kind in ("html", "pdf", "txt", "xlsx")
    )
