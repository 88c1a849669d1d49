"""``tieout match``: the matching engine alone, on canonical tables in Parquet."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tieout.arrays import without_pandas
from tieout.commands.match_files import Written, written
from tieout.errors import InputError, TieoutError

if TYPE_CHECKING:
    from tieout.matching.engine import Done

__all__ = ["add", "read_table", "run"]

#: Numbers of glibc's `mallopt`: from how much on unused memory is returned, and how many pieces may
#: be mapped on their own.
_TRIM_THRESHOLD: Final = -1
_MMAP_MAX: Final = -4
#: Linux's own: huge pages, which numpy asks for, are cleared whole where a part is used.
_NO_HUGE_PAGES: Final = 41
_KEPT: Final = -1


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "match",
        help="match entries against items (Parquet, canonical columns)",
        description="Run the matching ladder on canonical tables. Columns that are absent are "
        "null; entry_id, item_id, account_id, currency, amount and a date are enough. Writes "
        "groups.parquet, members.parquet and refused.parquet, and run.json for `tieout explain`.",
        epilog="Exit code: 0 when it ran, 2 when a table or the ladder was refused.",
    )
    parser.add_argument("entries", type=Path, metavar="ENTRIES.parquet")
    parser.add_argument("items", type=Path, metavar="ITEMS.parquet")
    parser.add_argument("--details", type=Path, metavar="DETAILS.parquet")
    parser.add_argument(
        "--ladder", default="default", metavar="NAME", help="of mappings/ladders, or a file"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--threads", type=int, metavar="N", help="the result is the same for any")
    parser.add_argument(
        "--spill",
        type=Path,
        metavar="DIR",
        help="put there what can wait (members until the end, and what DuckDB holds beyond 1 GB); "
        "the result is the same",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from tieout.matching import engine
    from tieout.matching.columns import FileSource
    from tieout.matching.sources import ladder_of

    try:
        if args.threads is not None and args.threads < 1:
            raise InputError("WRONG_USAGE", f"--threads is {args.threads}", remedy="give 1 or more")
        rungs = ladder_of(args.ladder)
        _steady_memory()
        without_pandas()
        details = FileSource(args.details) if args.details else None
        entries, items = FileSource(args.entries), FileSource(args.items)
        args.out.mkdir(parents=True, exist_ok=True)
        with _collecting_seldom(), written(args.out) as files:
            done = engine.match_into(
                files, entries, details, items, rungs, threads=args.threads, spill=args.spill
            )
            files.refused(done.refused)
        (args.out / "run.json").write_text(_about(args, done), encoding="utf-8")
    except TieoutError as error:
        sys.stderr.write(f"tieout match: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"tieout match: {error.filename}: {error.strerror}\n")
        return 2
    summary = _summary(done, files, len(entries), len(items))
    sys.stdout.write(json.dumps(summary) + "\n" if args.json else _text(summary))
    return 0


def read_table(path: Path) -> pa.Table:
    """A Parquet file.

    Raises:
        InputError: ``FILE_MISSING``, ``FILE_FORMAT``.
    """
    try:
        return pq.read_table(path)
    except FileNotFoundError:
        raise InputError(
            "FILE_MISSING", "there is no such file", where=str(path), remedy="check the path"
        ) from None
    except pa.ArrowInvalid as error:
        raise InputError(
            "FILE_FORMAT", str(error).splitlines()[0], where=str(path), remedy="give Parquet"
        ) from None


def _steady_memory() -> None:
    """Keep memory that was used once, where the C library allows that: columns come and go.

    What goes back to the kernel is cleared page by page when it is asked for again; that was a
    seventh of the work, and varied threefold from run to run.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_MAX, 0)
        library.mallopt(_TRIM_THRESHOLD, _KEPT)
        library.prctl(_NO_HUGE_PAGES, 1, 0, 0, 0)


@contextlib.contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Millions of small objects are made here and none in cycles: looking for these is in vain."""
    usual = gc.get_threshold()
    gc.set_threshold(1_000_000)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _about(args: argparse.Namespace, done: Done) -> str:
    """Where the tables were and which ladder it was, for `tieout explain --in`."""
    given = {name: getattr(args, name) for name in ("entries", "details", "items")}
    about = {name: str(path.resolve()) for name, path in given.items() if path}
    return json.dumps({**about, "ladder": args.ladder, "version": done.ladder}, indent=2) + "\n"


def _summary(done: Done, files: Written, entries: int, items: int) -> dict[str, Any]:
    counted = files.counted
    sides = counted["side"]
    return {
        "ladder": done.ladder,
        "entries": entries,
        "entries_matched": sides["entry"],
        "items": items,
        "items_matched": sides["item"],
        "groups": counted["rung"].total(),
        "states": dict(sorted(counted["state"].items())),
        "rungs": dict(sorted(counted["rung"].items())),
        "refused": dict(sorted(counted["reason"].items())),
        "seconds": {name: round(spent, 3) for name, spent in done.seconds.items()},
    }


def _text(summary: dict[str, Any]) -> str:
    lines = [
        f"ladder    {summary['ladder']}",
        f"entries   {summary['entries_matched']:,} of {summary['entries']:,} matched",
        f"items     {summary['items_matched']:,} of {summary['items']:,} matched",
        f"groups    {summary['groups']:,}",
        *(f"  {name:<28}{count:>10,}" for name, count in summary["rungs"].items()),
        *(f"refused   {name:<28}{count:>10,}" for name, count in summary["refused"].items()),
    ]
    return "\n".join(lines) + "\n"
