"""``tieout parse FILE…``: bank files as JSON lines, as tables for people, or as Parquet.

Exit codes: 0 every file was read, 1 at least one was quarantined (the others are still printed),
2 wrong usage.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import parquet

import parsers
from parsers import Parsed
from tieout.canonical import Tables, concat
from tieout.commands import payment_view, pgp_options
from tieout.errors import Finding, InputError, MoneyError, ProfileError
from tieout.money import exponent_of

__all__ = ["add", "as_json", "refused_as_json", "run"]

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_NO_CURRENCY_DECIMALS: Final = 2


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "parse",
        help="read bank files into canonical tables",
        description="Read bank files by their content; of a zip, tar or gzip every file in it. "
        "Exit code 0: all read; 1: one was quarantined; 2: wrong usage.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each file")
    parser.add_argument(
        "--out", type=Path, metavar="DIR",
        help="write statements, balances, entries, details, payments and statuses as Parquet",
    )  # fmt: skip
    parser.add_argument(
        "--encoding", metavar="NAME", help="of text formats, where you know better (cp852)"
    )
    pgp_options.add(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read every file; one that cannot be read never stops the others."""
    missing = [path for path in args.files if not path.is_file()]
    if missing:
        for path in missing:
            _say(f"tieout parse: {path}: no such file")
        return 2
    if args.out is not None and args.out.exists() and not args.out.is_dir():
        _say(f"tieout parse: --out {args.out}: is not a folder")
        return 2
    try:
        keys = pgp_options.keys_of(args)
    except ProfileError as error:
        _say(f"tieout parse: {error}")
        return 2
    code, read = 0, []
    for path, shown, result in _results(args.files, args.encoding, keys):
        if isinstance(result, InputError):
            code = 1
            found: dict[str, Any] = refused_as_json(path, result) | {"file": str(shown)}
        else:
            found = as_json(shown, result) if args.json else {}
            read.append(result.tables)
            if not args.json:
                _table(shown, result)
        if args.json:
            sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
        elif found:
            _refusal(shown, found["findings"])
    if args.out is not None:
        _write(args.out, read)
    return code


def _results(
    files: Iterable[Path], encoding: str | None, keys: pgp_options.Keys | None = None
) -> Iterator[tuple[Path, str, Parsed | InputError]]:
    """Every file with the name to show; of a container each file in it (``a.zip/member``)."""
    for path in files:
        try:
            with pgp_options.opened(path, keys) as members:
                for member in members:
                    shown = f"{path}/{member.name}" if member.name else str(path)
                    try:
                        yield member.path, shown, parsers.read_file(member.path, encoding)
                    except InputError as error:
                        yield member.path, shown, error
        except InputError as error:
            yield path, str(path), error


def _say(text: str) -> None:
    sys.stderr.write(_printable(text) + "\n")


def _printable(text: object) -> str:
    """Bank text for a terminal: no escape sequences, no direction marks."""
    return _CONTROL.sub("\ufffd", str(text))


def as_json(path: Path | str, parsed: Parsed) -> dict[str, Any]:
    """A read file as one JSON object: statements with balances, entries with details.

    Amounts are decimal strings with at least the currency's decimals, dates ISO 8601, instants
    UTC; columns that are null stay null. A payment file has ``payments`` and a status report
    ``statuses`` beside ``statements``.
    """
    tables = parsed.tables
    details = _grouped(tables.details, "entry_id")
    entries = _grouped(tables.entries, "statement_id")
    balances = _grouped(tables.balances, "statement_id")
    statements = []
    for row in tables.statements.to_pylist():
        key = row["statement_id"]
        mine = [e | {"details": _next(details, e["entry_id"])} for e in _next(entries, key)]
        statements.append(_plain(row) | {"balances": _next(balances, key), "entries": mine})
    return {
        "file": str(path),
        "sha256": parsed.sha256,
        "format": parsed.format,
        "statements": statements,
        **payment_view.rows(parsed, _plain),
        "findings": [finding.as_dict() for finding in tables.findings],
    }


def refused_as_json(path: Path, error: InputError) -> dict[str, Any]:
    """A refused file in the same shape: no statements, the error as a finding."""
    try:
        with path.open("rb") as stream:
            sha256: str | None = hashlib.file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            head = stream.read(parsers.HEAD_BYTES)
            exact = parsers.identify(head) or parsers.kind_of(head)
    except OSError:
        sha256 = exact = None
    finding = Finding(error.code, "error", error.where, error.message, error.remedy)
    return {
        "file": str(path),
        "sha256": sha256,
        "format": exact,
        "statements": [],
        **{kind: [] for kind in payment_view.kinds(exact)},
        "findings": [finding.as_dict()],
    }


def _grouped(table: pa.Table, key: str) -> dict[str, list[list[dict[str, Any]]]]:
    """Rows by owner; an owner that the file holds twice has two lists (ordinals begin again)."""
    groups: dict[str, list[list[dict[str, Any]]]] = {}
    for row in table.to_pylist():
        mine = groups.setdefault(row[key], [])
        if not mine or row["ordinal"] <= mine[-1][-1]["ordinal"]:
            mine.append([])
        mine[-1].append(_plain(row))
    return groups


def _next(groups: dict[str, list[list[dict[str, Any]]]], key: str) -> list[dict[str, Any]]:
    mine = groups.get(key)
    return mine.pop(0) if mine else []


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    currency = row.get("currency")
    return {
        name: _value(value, row["original_currency"] if name == "original_amount" else currency)
        if name != "fx_rate" or value is None
        else f"{value.normalize():f}"
        for name, value in row.items()
    }


def _value(value: Any, currency: str | None) -> Any:
    if isinstance(value, Decimal):
        return _amount(value, currency)
    if isinstance(value, dict):
        return {name: _value(each, currency) for name, each in value.items()}
    if isinstance(value, list):
        return [_value(each, currency) for each in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _amount(value: Decimal, currency: str | None) -> str:
    """The exact amount with at least the currency's decimals: ``12.50``, ``12``, ``0.12345``."""
    try:
        places = exponent_of(currency) if currency else _NO_CURRENCY_DECIMALS
    except MoneyError:
        places = _NO_CURRENCY_DECIMALS
    whole, _, decimals = f"{value:f}".partition(".")
    decimals = decimals.rstrip("0").ljust(places, "0")
    return f"{whole}.{decimals}" if decimals else whole


def _write(folder: Path, read: Sequence[Tables]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tables = concat(read)
    for name in ("statements", "balances", "entries", "details", "payments", "statuses"):
        parquet.write_table(getattr(tables, name), folder / f"{name}.parquet", compression="zstd")


def _table(path: Path | str, parsed: Parsed) -> None:
    """A file as a table on the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(f"{_printable(path)}  {parsed.format}"), title_justify="left")
    for name, side in (
        ("account", "left"), ("no.", "right"), ("day", "left"), ("opening", "right"),
        ("entries", "right"), ("closing", "right"), ("", "left"), ("state", "left"),
    ):  # fmt: skip
        table.add_column(name, justify="right" if side == "right" else "left")
    balances = _grouped(parsed.tables.balances, "statement_id")
    for row in parsed.tables.statements.to_pylist():
        mine = _next(balances, row["statement_id"])
        opening = next((b for b in mine if b["code"] in ("OPBD", "PRCD", "ITBD")), None)
        closing = next((b for b in reversed(mine) if b["code"] in ("CLBD", "ITBD")), None)
        cells: Iterable[object] = (
            row["account_id"] or "?",
            row["sequence_no"] or row["statement_ref"] or "",
            (closing or {}).get("on") or "",
            (opening or {}).get("amount") or "",
            row["entry_count"],
            (closing or {}).get("amount") or "",
            row["currency"] or "",
            "incomplete" if row["incomplete"] else "read",
        )
        table.add_row(*(Text(_printable(cell)) for cell in cells))
    console = Console()
    others = payment_view.rows(parsed, _plain)
    if parsed.tables.statements.num_rows or not others:
        console.print(table)
    for kind, found in others.items():
        title = f"{path}  {parsed.format}"
        console.print(payment_view.show(kind, title, found, _printable))
    for finding in parsed.tables.findings:
        console.print(_finding_line(finding.as_dict()), soft_wrap=True)


def _finding_line(finding: dict[str, str]) -> Any:
    from rich.text import Text

    style = {"error": "bold red", "warning": "yellow"}.get(finding["severity"], "dim")
    remedy = f" ({finding['remedy']})" if finding["remedy"] else ""
    return Text.assemble(
        (f"  {finding['severity']} ", style),
        _printable(f"{finding['where']}: {finding['message']}{remedy} [{finding['code']}]"),
    )


def _refusal(path: Path | str, findings: Sequence[dict[str, str]]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console()
    console.print(Text(f"{_printable(path)}  quarantined", style="bold red"))
    for finding in findings:
        console.print(_finding_line(finding), soft_wrap=True)
