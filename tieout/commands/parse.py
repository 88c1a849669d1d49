"""``tieout parse FILE…``: bank files as JSON lines, as tables for people, or as Parquet.

Exit codes: 0 every file was read, 1 at least one was quarantined (the others are still printed),
2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Final, Self

import pyarrow.compute
from pyarrow import parquet

import parsers
from parsers import Parsed, Stream
from tieout.arrays import whole
from tieout.canonical import SCHEMAS, Tables, concat, empty
from tieout.commands import payment_view, pgp_options
from tieout.commands.parse_json import (
    as_json,
    plain,
    refused_as_json,
    write_json,
)
from tieout.errors import Finding, InputError, ProfileError
from tieout.owned_rows import owned

__all__ = ["add", "as_json", "refused_as_json", "run"]

#: The stubs know too few of its signatures.
pc: Any = pyarrow.compute
#: Statements, payments or statuses in the table for people; nobody reads more, and each is kept.
_ROWS_SHOWN: Final = 1_000
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


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
    code = 0
    with ExitStack() as stack:
        sink = stack.enter_context(_Sink(args.out)) if args.out is not None else None
        for path, shown, result in _results(args.files, args.encoding, keys):
            refused = result if isinstance(result, InputError) else _show(args, shown, result, sink)
            if refused is None:
                continue
            code = 1
            found = refused_as_json(path, refused) | {"file": str(shown)}
            if args.json:
                sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
            else:
                _refusal(shown, found["findings"])
    return code


def _results(
    files: Iterable[Path], encoding: str | None, keys: pgp_options.Keys | None = None
) -> Iterator[tuple[Path, str, Stream | InputError]]:
    """Every file with the name to show; of a container each file in it (``a.zip/member``)."""
    for path in files:
        try:
            with pgp_options.opened(path, keys) as members:
                for member in members:
                    shown = f"{path}/{member.name}" if member.name else str(path)
                    try:
                        yield member.path, shown, parsers.stream_file(member.path, encoding)
                    except InputError as error:
                        yield member.path, shown, error
        except InputError as error:
            yield path, str(path), error


def _show(
    args: argparse.Namespace, shown: str, stream: Stream, sink: _Sink | None
) -> InputError | None:
    """Print one file as it is read, or give back why it is refused (then nothing is printed)."""
    batches = stream.batches if sink is None else sink.passing(stream.batches)
    try:
        first = next(batches, empty())
    except InputError as error:
        return error
    rest = replace(stream, batches=batches)
    if args.json:
        write_json(shown, rest, first, sys.stdout.write)
        return None
    kind = next(iter(payment_view.kinds(stream.format)), "statements")
    count = 0
    parts: list[Tables] = []
    findings: list[Finding] = []
    for batch in chain([first], batches):
        findings += batch.findings
        rows = getattr(batch, kind)
        if count < _ROWS_SHOWN and rows.num_rows:
            parts.append(_first(batch, kind, _ROWS_SHOWN - count))
        count += rows.num_rows
    tables = replace(concat(parts), findings=tuple(findings))
    _table(shown, Parsed(stream.format, stream.sha256, stream.size, tables))
    if count > _ROWS_SHOWN:
        more = f"and {count - _ROWS_SHOWN:,} more {kind}: --json and --out have all of them"
        sys.stdout.write(f"  ({more})\n")
    return None


def _first(batch: Tables, kind: str, most: int) -> Tables:
    """The batch with at most so many rows of a kind, and the balances of these."""
    rows = getattr(batch, kind).slice(0, most)
    if kind != "statements":
        return replace(batch, **{kind: rows})
    shown = pc.is_in(batch.balances["statement_id"], value_set=whole(rows["statement_id"]))
    return replace(batch, statements=rows, balances=batch.balances.filter(shown))


class _Sink:
    """Parquet files that take the tables of all files read, batch by batch."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._writers = {
            name: parquet.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd")
            for name, schema in SCHEMAS.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self._writers.values():
            writer.close()

    def passing(self, batches: Iterator[Tables]) -> Iterator[Tables]:
        """The batches, written as they pass."""
        for batch in batches:
            for name, writer in self._writers.items():
                rows = getattr(batch, name)
                if rows.num_rows:
                    writer.write_table(rows)
            yield batch


def _say(text: str) -> None:
    sys.stderr.write(_printable(text) + "\n")


def _printable(text: object) -> str:
    """Bank text for a terminal: no escape sequences, no direction marks."""
    return _CONTROL.sub("\ufffd", str(text))


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
    tables = parsed.tables
    for row, balances in owned(tables.statements, tables.balances, "statement_id"):
        mine = [plain(balance) for balance in balances]
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
    others = payment_view.rows(parsed, plain)
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
