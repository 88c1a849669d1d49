"""The report as HTML: the body of the mail, and a page that stands alone.

Made for mail clients first: tables, inline styles, no script, nothing remote; pictures come as
``cid:`` parts in the mail and as ``data:`` addresses in the page. Jinja2 escapes everything and
refuses unknown names; all text is cleaned before (`tieout.reports.plain.ready`), foreign text is
isolated with ``<bdi>``. Several clients cut a mail at 102 kB, so a mail shows fewer rows when the
day is long and says how many more the attachments hold.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tieout.money import format_amount
from tieout.reports import figures
from tieout.reports.charts import Chart, charts
from tieout.reports.model import DayReport, ExceptionRow, PostingRow, ProposalRow
from tieout.reports.palette import COLOURS, STATUS_TONES
from tieout.reports.plain import breakable, clip, ready
from tieout.reports.rate_lines import rate_lines

__all__ = ["BYTES_MAX", "MailBody", "mail_body", "page"]

#: Bytes a mail's HTML may have before a client would cut it.
BYTES_MAX: Final = 100_000

_FILE_TONES: Final = {"quarantined": "bad", "staged": "wait", "recorded": "good"}


@dataclass(frozen=True, slots=True)
class _Limits:
    """Rows of a table, statements, and lines of a statement's section that are shown."""

    rows: int
    statements: int
    lines: int


#: Currencies listed under a figure.
_NOTES_MAX: Final = 3

_FULL: Final = _Limits(5_000, 1_000, 5_000)
_MAIL: Final = (_Limits(40, 12, 12), _Limits(20, 8, 6), _Limits(10, 4, 3), _Limits(8, 0, 0))


@dataclass(frozen=True, slots=True)
class MailBody:
    """HTML for a mail, and the pictures its ``cid:`` addresses name (cid to chart)."""

    html: str
    pictures: Mapping[str, Chart]


def page(report: DayReport) -> str:
    """The report as one HTML file that needs nothing beside it.

    Raises:
        TieoutError: the report does not add up (`tieout.reports.model.check`).
    """
    report = ready(report)
    drawn = charts(report)
    sources = {
        chart.name: "data:image/png;base64," + base64.b64encode(chart.png).decode("ascii")
        for chart in drawn
    }
    return _render(
        report, drawn, sources, _FULL, "Everything here is also in the PDF and workbook."
    )


def mail_body(report: DayReport) -> MailBody:
    """The report as HTML for a mail, shortened until it is below `BYTES_MAX`.

    Raises:
        TieoutError: the report does not add up (`tieout.reports.model.check`).
    """
    report = ready(report)
    drawn = charts(report)
    cids = {chart.name: f"{chart.name}@tieout.invalid" for chart in drawn}
    sources = {name: f"cid:{cid}" for name, cid in cids.items()}
    closing = "The PDF is for signing, the workbook has every line in full."
    for limits in _MAIL:
        html = _render(report, drawn, sources, limits, closing)
        if len(html.encode()) < BYTES_MAX:
            break
    return MailBody(html, {cids[chart.name]: chart for chart in drawn})


def _render(
    report: DayReport,
    drawn: tuple[Chart, ...],
    sources: Mapping[str, str],
    limits: _Limits,
    closing: str,
) -> str:
    """Fill the page template; ``report`` is cleaned already."""
    troubles = figures.troubles(report)
    broken = any(account.status == "broken" for account in report.accounts)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            limits=limits,
            colour=COLOURS,
            tones=STATUS_TONES,
            words=figures.STATUS_WORDS,
            file_tones=_FILE_TONES,
            headline=figures.headline(report),
            preheader=" ".join(f"{code}: {said}" for code, said in troubles)
            or "Nothing unexplained.",
            troubles=troubles,
            tone="bad" if broken else "wait" if troubles else "good",
            long_day=figures.long_day(report.day),
            made_at=figures.instant(report.generated_at),
            tiles=_tiles(report),
            open_counts=figures.exception_counts(report),
            rates=rate_lines(report) if figures.matched_counts(report)[1] else (),
            exceptions=figures.oldest_first(report.exceptions),
            exceptions_note=f"{_sums(report.exceptions)} in all, oldest first",
            files=figures.worst_first(report.files),
            files_note=figures.file_counts(report.files),
            charts=drawn,
            sources=sources,
            links=[
                (label, address)
                for label, address in report.links.items()
                if address.startswith(("https://", "http://"))
            ],
            closing=closing,
        )
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """Jinja2 with autoescape, strict names, and our filters."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    filters: dict[str, Callable[..., Any]] = {
        "clip": clip,
        "iban": figures.said_iban,
        "money": format_amount,
        "percent": figures.percent,
        "signed": figures.signed,
        "soft": lambda text: Markup("<wbr>").join(breakable(text)),
        "words": figures.kind_words,
    }
    environment.filters.update(filters)
    return environment


def _tiles(report: DayReport) -> list[dict[str, Any]]:
    """The five figures under the headline."""
    matched, all_ = figures.matched_counts(report)
    shares = [
        (currency, figures.percent(part, whole))
        for currency, (part, whole) in figures.matched_by_currency(report).items()
        if whole
    ]
    shown = [f"of {shares[0][0]}"] if shares else ["no entries"]
    shown += [f"{share} of {currency}" for currency, share in shares[1:_NOTES_MAX]]
    return [
        _tile("Entries matched", figures.percent(matched, all_), [f"{matched:,} of {all_:,}"]),
        _tile("Matched by value", shares[0][1] if shares else "–", shown),
        _tile("Open exceptions", f"{len(report.exceptions):,}", _gross(report.exceptions)),
        _tile("Posted", f"{len(report.postings):,}", _gross(report.postings)),
        _tile("To approve", f"{len(report.proposals):,}", _gross(report.proposals)),
    ]


def _tile(label: str, big: str, notes: list[str]) -> dict[str, Any]:
    return {"label": label, "big": big, "notes": notes}


def _gross(rows: Sequence[ExceptionRow | PostingRow | ProposalRow]) -> list[str]:
    """Absolute sums, one line a currency; a last line counts the currencies left out."""
    sums = [figures.with_currency(*pair[::-1]) for pair in figures.gross_by_currency(rows).items()]
    left = len(sums) - _NOTES_MAX
    return [*sums[:_NOTES_MAX], f"and {left} more"] if left > 0 else sums


def _sums(rows: Sequence[ExceptionRow | PostingRow | ProposalRow]) -> str:
    return ", ".join(_gross(rows))
