"""The mail's HTML: nothing foreign is markup, nothing is remote, nothing is cut by a client."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest

from tests.reports.example import account, empty, example
from tests.reports.hostile import TEXTS, hostile
from tieout.reports.html import BYTES_MAX, mail_body, page
from tieout.reports.model import BrsLine, section
from tieout.reports.plain import clean, clip

VOID = {"img", "meta", "br", "wbr"}


class _Outline(HTMLParser):
    """Tags, attributes and text; fails on tags that do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_says_what_a_treasurer_looks_for() -> None:
    text = re.sub(r"\s+", " ", _Outline(page(example())).text)
    for words in (
        "4 of 5 accounts tie out to the cent",
        "25,000.00 EUR unexplained. Statement 230 is missing",
        "88.0 %",
        "1,482,730.41",
        "2026/11/0041",
        "tieout approve ADJ-0012",
        "DE88 9991 0001 0004 4712 00",
        "Line 412: the file ends inside <Ntry>",
        "run-20261121-0530-7c1e",
    ):
        assert words in text


@cache
def _plain() -> _Outline:
    return _Outline(mail_body(example()).html)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_foreign_text_stays_text(text: str) -> None:
    html = mail_body(hostile(text)).html
    plain = _plain()
    outline = _Outline(html)
    assert outline.tags <= plain.tags | {"wbr"}
    assert {name for name, _ in outline.attributes} <= {name for name, _ in plain.attributes}
    assert clip(clean(text), 24) in outline.text
    assert not any(char in html for char in "\x00\x1b\u202e\u2066")


def test_no_script_and_nothing_remote() -> None:
    for html in (page(example()), mail_body(example()).html):
        outline = _Outline(html)
        assert not outline.tags & {"script", "iframe", "link", "object", "form", "svg"}
        sources = [value for name, value in outline.attributes if name in ("src", "background")]
        assert sources
        assert all(value.startswith(("data:image/png;base64,", "cid:")) for value in sources)
        assert not [name for name, _ in outline.attributes if name.startswith("on")]
        assert "url(" not in html


def test_pictures_have_alternatives_and_match_their_cids() -> None:
    body = mail_body(example())
    assert set(re.findall(r'src="cid:([^"]+)"', body.html)) == set(body.pictures)
    for chart in body.pictures.values():
        assert chart.png.startswith(b"\x89PNG")
        assert f'alt="{chart.alternative.split(":")[0]}' in body.html


def test_only_web_links_are_links() -> None:
    links = {"good": "https://x.example/", "bad": "javascript:alert(1)", "data": "data:text/html,x"}
    html = page(replace(example(), links=links))
    assert re.findall(r'href="([^"]*)"', html) == ["https://x.example/"]


def test_long_day_stays_below_what_clients_cut() -> None:
    day = example()
    lines = [BrsLine(f"R-{n:05}", day.day, "Überweisung & Co " * 4, n) for n in range(800)]
    many = tuple(
        account(
            f"ACC-{number:03}",
            bank_minor=0,
            books_minor=sum(line.amount_minor for line in lines),
            sections=(section("in_transit", lines),),
            entries=(1, 1),
            value=(5, 5),
        )
        for number in range(60)
    )
    rows = tuple(replace(day.exceptions[0], exception_id=f"E{n}") for n in range(900))
    html = mail_body(replace(day, accounts=many, exceptions=rows)).html
    assert len(html.encode()) < BYTES_MAX
    assert re.search(r"and 8\d\d more: all of them are in the workbook", html)


def test_equal_reports_give_equal_pages() -> None:
    assert page(example()) == page(example())
    assert mail_body(example()) == mail_body(example())


def test_empty_day_and_no_statement_and_other_exponents() -> None:
    assert "No bank accounts to tie out" in page(empty())
    accounts = (
        account("JP", currency="JPY", bank_minor=1_234_567, books_minor=1_234_567),
        account("KW", currency="KWD", bank_minor=1_234_567, books_minor=1_234_566),
        account("SILENT", bank_minor=None, books_minor=100),
    )
    text = _Outline(page(replace(empty(), accounts=accounts))).text
    for words in ("1,234,567", "1,234.567", "1,234.566", "0.001 KWD unexplained", "no statement"):
        assert words in text
    assert "1 of 3 accounts tie out" in text
