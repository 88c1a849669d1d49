"""``tieout onboard FILE``: what is particular in an unknown bank's sample, and a draft profile.

Exit codes: 0 the sample reads and ties, 1 it has doubts or could not be read, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tieout.commands.common import console
from tieout.errors import InputError
from tieout.onboarding import Report, onboard

__all__ = ["add", "run"]

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "onboard",
        help="look at an unknown bank's sample and draft its profile",
        description="Say which dialect features a sample has, what has no place, whether it ties, "
        "and draft a profile. Exit code 0: it reads and ties; 1: doubts; 2: wrong usage.",
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.toml",
        help="write the draft there (mappings/banks/NAME.toml); never overwrites",
    )  # fmt: skip
    parser.add_argument("--encoding", metavar="NAME", help="of the sample, where you know it")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look at the sample; write the draft where asked."""
    if not args.file.is_file():
        return _usage(f"{args.file}: no such file")
    if args.out is not None and args.out.exists():
        return _usage(f"--out {args.out}: is there already; choose another name or delete it")
    if args.out is not None and not args.out.parent.is_dir():
        return _usage(f"--out {args.out}: the folder {args.out.parent} is not there")
    name = args.out.stem if args.out is not None else "draft"
    try:
        report = onboard(args.file, name, args.encoding)
    except InputError as error:
        sys.stderr.write(f"tieout onboard: {args.file}: {_printable(error)}\n")
        return 1
    written = args.out is not None and report.draft is not None
    if written and report.draft is not None:
        with args.out.open("x", encoding="utf-8") as stream:
            stream.write(report.draft)
    if args.out is not None and not written:
        sys.stderr.write(f"tieout onboard: {args.out} is not written: there is nothing to draft\n")
    if args.json:
        found = report.as_dict() | {"written": str(args.out) if written else None}
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        _show(report, args.out if written else None)
    return 0 if report.is_clean and (written or args.out is None) else 1


def _usage(text: str) -> int:
    sys.stderr.write(f"tieout onboard: {_printable(text)}\n")
    return 2


def _printable(text: object) -> str:
    return _CONTROL.sub("\ufffd", str(text))


def _show(report: Report, written: Path | None) -> None:
    page = console()
    known = report.format or "unknown"
    by = f", read by mappings/banks/{report.profile}.toml" if report.profile else ""
    page.print(Text(_printable(f"{report.file}: {known}{by}"), style="bold"))
    _rows(page, "seen", ("feature", "count", "lines"), [
        (f.what, f.count, ", ".join(map(str, f.lines))) for f in report.features
    ])  # fmt: skip
    _rows(page, "without a place in any column", ("where", "count", "line", "text"), [
        (u.where, u.count, u.line, u.text) for u in report.unplaced
    ])  # fmt: skip
    _rows(page, "codes without an ISO meaning", ("code", "entries", "line"), [
        (c.code, c.count, c.line) for c in report.codes
    ])  # fmt: skip
    _rows(page, "statements", ("account", "opening", "entries", "moved", "closing", "", "state"), [
        (t.account or "?", _money(t.opening), t.entries, _money(t.moved), _money(t.closing),
         t.currency or "", "ties" if t.ties and not t.incomplete else "does not tie")
        for t in report.statements
    ])  # fmt: skip
    for finding in report.findings:
        remedy = f" ({finding.remedy})" if finding.remedy else ""
        line = f"  {finding.severity} {finding.where}: {finding.message}{remedy} [{finding.code}]"
        page.print(Text(_printable(line)), soft_wrap=True)
    _rows(page, "the draft fills", ("column", "values"), list(report.gains.items()))
    for doubt in report.doubts:
        page.print(Text(_printable(f"  doubt: {doubt}"), style="yellow"), soft_wrap=True)
    if written is not None:
        page.print(Text(f"draft written to {written}"))
    elif report.draft is not None:
        page.print(Text("a draft profile is ready: --out mappings/banks/NAME.toml writes it"))


def _money(value: object) -> str:
    return "" if value is None else f"{value:.2f}"


def _rows(
    page: Console, title: str, heads: tuple[str, ...], rows: list[tuple[object, ...]]
) -> None:
    if not rows:
        return
    table = Table(title=Text(title), title_justify="left")
    for head in heads:
        table.add_column(head)
    for row in rows:
        table.add_row(*(Text(_printable(cell)) for cell in row))
    page.print(table)
