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
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tieout.arrays import without_pandas
from tieout.errors import InputError, TieoutError

__all__ = ["add", "read_table", "run"]

#: Numbers of glibc's `mallopt`: from how much on unused memory is returned, and how many pieces may
#: be mapped on their own.
_TRIM_THRESHOLD: Final = -1
_MMAP_MAX: Final = -4
#: Linux's own: huge pages, which numpy asks for, are cleared whole where a part is used.
_NO_HUGE_PAGES: Final = 41
_KEPT: Final = (1 << 31) - 1
#: Columns of few values.
_FEW: Final = frozenset(
    {
        *("rung", "cardinality", "account_id", "currency", "residual", "residual_class", "state"),
        *("side", "reason"),
    }
)
#: Columns whose values are hardly ever the same twice.
_DIFFER: Final = frozenset({"group_id", "member_id", "amount"})


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
        "--spill", type=Path, metavar="DIR", help="where to put what exceeds memory"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from tieout.matching import engine
    from tieout.matching.sources import ladder_of

    try:
        if args.threads is not None and args.threads < 1:
            raise InputError("WRONG_USAGE", f"--threads is {args.threads}", remedy="give 1 or more")
        rungs = ladder_of(args.ladder)
        _steady_memory()
        without_pandas()
        details = read_table(args.details, used=True) if args.details else None
        entries, items = read_table(args.entries, used=True), read_table(args.items, used=True)
        rows = len(entries), len(items)
        with _collecting_seldom():
            result = engine.match(
                entries, details, items, rungs, threads=args.threads, spill=args.spill
            )
        args.out.mkdir(parents=True, exist_ok=True)
        for name in ("groups", "members", "refused"):
            _write(getattr(result, name), args.out / f"{name}.parquet")
        (args.out / "run.json").write_text(_about(args, result), encoding="utf-8")
    except TieoutError as error:
        sys.stderr.write(f"tieout match: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"tieout match: {error.filename}: {error.strerror}\n")
        return 2
    summary = _summary(result, *rows)
    sys.stdout.write(json.dumps(summary) + "\n" if args.json else _text(summary))
    return 0


def read_table(path: Path, *, used: bool = False) -> pa.Table:
    """A Parquet file; only the columns matching uses, if so asked.

    Raises:
        InputError: ``FILE_MISSING``, ``FILE_FORMAT``.
    """
    from tieout.matching.conform import FEW_VALUES
    from tieout.matching.tables import UNUSED

    try:
        if not used:
            return pq.read_table(path)
        empty = _without_values(path)
        names = [n for n in pq.read_schema(path).names if n not in UNUSED and n not in empty]
        # In one piece each, so that no step has to put columns together again. `read_table` would
        # make many, and joining those costs more than reading.
        few = [name for name in names if name in FEW_VALUES]
        with pq.ParquetFile(path, read_dictionary=few) as file:
            return file.read(columns=names).combine_chunks()
    except FileNotFoundError:
        raise InputError(
            "FILE_MISSING", "there is no such file", where=str(path), remedy="check the path"
        ) from None
    except pa.ArrowInvalid as error:
        raise InputError(
            "FILE_FORMAT", str(error).splitlines()[0], where=str(path), remedy="give Parquet"
        ) from None


def _without_values(path: Path) -> frozenset[str]:
    """Columns that the file itself says are null in every row: as good as absent."""
    known = pq.read_metadata(path)
    nulls: dict[str, int] = {}
    for group in range(known.num_row_groups):
        for place in range(known.num_columns):
            column = known.row_group(group).column(place)
            told = column.statistics.null_count if column.statistics is not None else None
            count = -known.num_rows if told is None else told  # one that does not say has some
            nulls[column.path_in_schema] = nulls.get(column.path_in_schema, 0) + count
    return frozenset(n for n, count in nulls.items() if 0 < count == known.num_rows)


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


def _write(table: pa.Table, path: Path) -> None:
    """As Parquet; what is all different (ids, amounts) is neither looked up nor compressed.

    Without statistics: the rows are in no order of any column, so these would leave out nothing.
    """
    names = table.column_names
    options: dict[str, Any] = {
        "use_dictionary": [name for name in names if name in _FEW],
        "compression": {name: "none" if name in _DIFFER else "snappy" for name in names},
        "write_statistics": False,
    }
    pq.write_table(table, path, **options)


def _about(args: argparse.Namespace, result: Any) -> str:
    """Where the tables were and which ladder it was, for `tieout explain --in`."""
    given = {name: getattr(args, name) for name in ("entries", "details", "items")}
    about = {name: str(path.resolve()) for name, path in given.items() if path}
    return json.dumps({**about, "ladder": args.ladder, "version": result.ladder}, indent=2) + "\n"


def _summary(result: Any, entries: int, items: int) -> dict[str, Any]:
    rungs = _counted(result.groups["rung"])
    states = _counted(result.groups["state"])
    sides = _counted(result.members["side"])
    refused = _counted(result.refused["reason"])
    return {
        "ladder": result.ladder,
        "entries": entries,
        "entries_matched": sides.get("entry", 0),
        "items": items,
        "items_matched": sides.get("item", 0),
        "groups": len(result.groups),
        "states": dict(sorted(states.items())),
        "rungs": dict(sorted(rungs.items())),
        "refused": dict(sorted(refused.items())),
        "seconds": {name: round(spent, 3) for name, spent in result.seconds.items()},
    }


def _counted(column: Any) -> dict[str, int]:
    """How often each value of a column stands there."""
    import pyarrow.compute as pc

    counted: Any = pc.value_counts(column)  # type: ignore[attr-defined,unused-ignore]
    return {row["values"]: row["counts"] for row in counted.to_pylist()}


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
