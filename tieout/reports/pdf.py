"""The report as PDF: a page for the day, then each account's reconciliation statement to sign.

Typst sets it. The template is a file of ours; the data goes in as one JSON string in
``sys.inputs`` and is placed as text values, so bank text can never become markup. Fonts are the
ones inside the typst wheel (Libertinus Serif) with matplotlib's DejaVu Sans for other scripts;
system fonts are ignored and the time is the report's, so equal reports give equal bytes. PDF/A-2b,
because statements are kept for years.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import matplotlib
import typst

from tieout.errors import TieoutError
from tieout.money import format_amount
from tieout.reports import figures
from tieout.reports.model import AccountTieOut, BrsSection, DayReport
from tieout.reports.palette import COLOURS
from tieout.reports.plain import breakable, clip, ready
from tieout.reports.rate_lines import rate_lines

__all__ = ["ROWS_MAX", "render"]

#: Rows of a table or a section before the PDF refers to the workbook.
ROWS_MAX: Final = 1_000


def render(report: DayReport) -> bytes:
    """The report as PDF bytes, equal for equal reports.

    Raises:
        TieoutError: the report does not add up, or ``PDF_FAILED`` when it cannot be set.
    """
    report = ready(report)
    text = json.dumps(_data(report), ensure_ascii=False, sort_keys=True)
    try:
        pdf = typst.compile(
            _template(),
            font_paths=_fonts(),
            sys_inputs={"report": text},
            format="pdf",
            timestamp=report.generated_at,
            pdf_standards="a-2b",
        )
    except typst.TypstError as error:
        raise TieoutError("PDF_FAILED", error.message, where=report.run_id) from error
    if not isinstance(pdf, bytes):
        raise TieoutError("PDF_FAILED", "typst gave no bytes", where=report.run_id)
    return pdf


def _template() -> bytes:
    return (Path(__file__).parent / "templates" / "statement.typ").read_bytes()


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    """The wheel's own fonts, and the folder of those matplotlib ships."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=True,
        font_paths=[Path(matplotlib.get_data_path()) / "fonts" / "ttf"],
    )


def _data(report: DayReport) -> dict[str, Any]:
    """Everything the template prints, as strings, lists and dicts."""
    exceptions = figures.oldest_first(report.exceptions)
    lengths = [len(exceptions), len(report.postings), len(report.proposals)]
    lengths += [len(part.lines) for account in report.accounts for part in account.sections]
    return {
        "title": f"{report.company} {report.day.isoformat()}: bank reconciliation",
        "company_name": report.company_name,
        "long_day": figures.long_day(report.day),
        "run_id": report.run_id,
        "made_at": figures.instant(report.generated_at),
        "headline": figures.headline(report),
        "scope": _scope(report),
        "troubles": [
            {"code": code, "said": _about(400, said)} for code, said in figures.troubles(report)
        ],
        "colours": COLOURS,
        "accounts": [_account(account) for account in report.accounts],
        "rates": _rates(report),
        "exceptions": [
            {
                "reason": _about(160, row.reason),
                "about": _about(160, row.counterparty, row.narrative, row.exception_id),
                "account_code": row.account_code,
                "owner": clip(row.owner or "nobody", 16),
                "age": f"{row.age_days} d",
                "amount": _amount(row.amount_minor, row.currency),
            }
            for row in exceptions[:ROWS_MAX]
        ],
        "postings": [
            {
                "document_no": clip(row.document_no, 18),
                "kind": figures.kind_words(row.kind),
                "narrative": _about(120, row.narrative, row.external_ref),
                "account_code": row.account_code,
                "approved_by": clip(row.approved_by, 20),
                "amount": _amount(row.amount_minor, row.currency),
            }
            for row in report.postings[:ROWS_MAX]
        ],
        "proposals": [
            {
                "adjustment_id": row.adjustment_id,
                "kind": figures.kind_words(row.kind),
                "about": _about(160, row.narrative, row.reason),
                "account_code": row.account_code,
                "amount": _amount(row.amount_minor, row.currency),
            }
            for row in report.proposals[:ROWS_MAX]
        ],
        "cut": any(length > ROWS_MAX for length in lengths),
    }


def _rates(report: DayReport) -> list[dict[str, str]]:
    """The four rates of each account and rung; none on a day without entries."""
    if not figures.matched_counts(report)[1]:
        return []
    return [
        {
            "kind": row.kind,
            "name": clip(row.name, 40),
            "entries": row.entries,
            "count": row.count,
            "value": row.value.replace(", ", "\n"),
            "items": row.items,
            "item_share": row.item_share,
            "precision": row.precision,
        }
        for row in rate_lines(report)[:ROWS_MAX]
    ]


def _account(account: AccountTieOut) -> dict[str, Any]:
    """One account's row on the first page and its own statement."""
    unexplained = account.unexplained_minor
    bank = account.bank_balance_minor
    number = account.sequence_no and f"no. {account.sequence_no}"
    return {
        "code": account.code,
        "name": _about(60, account.name),
        "bank": _about(40, account.bank),
        "iban": _about(42, figures.said_iban(account.iban)),
        "currency": account.currency,
        "statement": _about(48, account.statement_ref, number) or "none",
        "as_of": account.as_of.isoformat() if account.as_of else "not known",
        "bank_balance": "no statement" if bank is None else _paper(bank, account.currency),
        "books_balance": _paper(account.books_balance_minor, account.currency),
        "matched": f"{account.rates.matched_count} of {account.rates.entries_count}",
        "share": figures.percent(
            account.rates.matched_value_minor, account.rates.entries_value_minor
        ),
        "unexplained": "not known"
        if unexplained is None
        else _paper(unexplained, account.currency),
        "result": figures.STATUS_WORDS[account.status],
        "tone": "good" if unexplained == 0 else "bad",
        "remark": _about(400, account.remark),
        "sections": [_section(part, account.currency) for part in account.sections if part.lines],
    }


def _section(part: BrsSection, currency: str) -> dict[str, Any]:
    """A section with its lines, signed as they walk from bank to books."""
    shown = [
        {
            "on": line.on.isoformat(),
            "ref": clip(line.ref, 26),
            "narrative": _about(110, line.narrative, line.note),
            "amount": _paper_signed(part.sign * line.amount_minor, currency),
        }
        for line in part.lines[:ROWS_MAX]
    ]
    return {
        "title": part.title,
        "effect": _paper_signed(part.effect_minor, currency),
        "lines": shown,
    }


def _scope(report: DayReport) -> str:
    """Ladder and policies that decided, in one line."""
    policies = ", ".join(report.policies)
    parts = []
    if report.ladder:
        parts.append(f"matched by ladder {report.ladder}")
    if policies:
        parts.append(f"posted under policies {policies}")
    said = "; ".join(parts)
    return said[:1].upper() + said[1:]


def _about(length_max: int, *parts: str) -> str:
    """The parts that say something, clipped; long words get places where a line may break."""
    return "\u200b".join(breakable(clip(_joined(*parts), length_max)))


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _paper(minor: int, currency: str) -> str:
    """An amount with a printed minus sign, which nobody will copy into a sheet."""
    return format_amount(minor, currency).replace("-", "\N{MINUS SIGN}")


def _paper_signed(minor: int, currency: str) -> str:
    return figures.signed(minor, currency).replace("-", "\N{MINUS SIGN}")


def _amount(minor: int, currency: str) -> str:
    return f"{_paper(minor, currency)} {currency}"
