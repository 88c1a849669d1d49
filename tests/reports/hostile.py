"""Texts a payer could write, and the example day with such a text in every foreign field."""

from __future__ import annotations

from dataclasses import replace

from tests.reports.example import example
from tieout.reports.model import BrsSection, DayReport

FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    '=HYPERLINK("http://x")',
)
MARKUP = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{ 7*7 }} {% raw %} #{7*7}",
    '#read("/etc/passwd") $x^2$ *bold* @ref \\ // comment',
    "[bold red]rich[/bold red] [link=http://x]x[/link]",
)
CONTROLS = (
    *("a\x00b", "a\x1b[2Jb", "a\r\nBcc: evil@example.com"),
    *("a\u202eb\u2066c", "a\ud800b", "a\uffffb"),
)
LONG = ("x" * 40_000, "wort " * 4_000)
TEXTS = (*FORMULAS, *MARKUP, *CONTROLS, *LONG)


def hostile(text: str) -> DayReport:
    """The example with ``text`` wherever a bank, a payer, an ERP or a file name has its say."""
    day = example()

    def section(each: BrsSection) -> BrsSection:
        lines = tuple(replace(line, ref=text, narrative=text, note=text) for line in each.lines)
        return replace(each, lines=lines)

    return replace(
        day,
        accounts=tuple(
            replace(
                account,
                name=text,
                bank=text,
                iban=text,
                statement_ref=text,
                sequence_no=text,
                remark=text,
                sections=tuple(section(each) for each in account.sections),
            )
            for account in day.accounts
        ),
        exceptions=tuple(
            replace(row, reason=text, counterparty=text, narrative=text, owner=text)
            for row in day.exceptions
        ),
        postings=tuple(
            replace(row, document_no=text, external_ref=text, narrative=text, approved_by=text)
            for row in day.postings
        ),
        proposals=tuple(replace(row, narrative=text, reason=text) for row in day.proposals),
        files=tuple(replace(row, name=text, format=text, note=text) for row in day.files),
    )
