"""What must hold of every input, whatever its bytes: the oracles of fuzzing and of regressions.

`violations` reads a file as one target reads it and returns what did not hold, in words that begin
with the oracle's name. An empty list is the only good answer.
"""

from __future__ import annotations

import re
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

import parsers
from parsers import _container, _ids, _rows
from tests.fuzz.peers import bulk, camt
from tests.fuzz.targets import Target
from tieout import canonical
from tieout.canonical import Tables
from tieout.commands.parse import as_json
from tieout.errors import TieoutError

__all__ = ["SECONDS_MAX", "signature", "violations"]

#: Processor seconds an input of at most 64 KiB may take.
SECONDS_MAX: Final = 2.0

_LIMIT: Final = Decimal(10) ** 18
_DIGEST: Final = "0" * 64
_SCHEMAS: Final = {
    "statements": canonical.STATEMENTS,
    "balances": canonical.BALANCES,
    "entries": canonical.ENTRIES,
    "details": canonical.DETAILS,
    "payments": canonical.PAYMENTS,
    "statuses": canonical.STATUSES,
}


def violations(target: Target, path: Path, *, twice: bool = False) -> list[str]:
    """What does not hold when the target reads the file.

    Args:
        target: which reader, or the container, or the choice of one.
        path: the input.
        twice: read it a second time and compare.
    """
    started = time.process_time()
    try:
        first = _outcome(target, path)
    except Exception as error:
        return [f"foreign: {type(error).__name__} at {_place(error)}: {error}"]
    taken = time.process_time() - started
    found = list(first[1])
    if taken > SECONDS_MAX:
        found.append(f"slow: {taken:.1f} s for {path.stat().st_size} bytes")
    if twice and _outcome(target, path)[0] != first[0]:
        found.append("determinism: read twice, read differently")
    return found


def signature(violation: str) -> str:
    """What makes two violations the same: the words without their numbers and values."""
    return re.sub(r"\d+|'[^']*'|\"[^\"]*\"", "#", violation)[:100]


def _place(error: BaseException) -> str:
    frames = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if "/parsers/" in f.filename or "/tieout/" in f.filename
    ]
    last = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


def _outcome(target: Target, path: Path) -> tuple[object, list[str]]:
    """Something to compare a second reading with, and what did not hold."""
    try:
        if target.kind == "container":
            return _container_outcome(path)
        if target.kind == "dispatch":
            return _dispatch_outcome(path)
        return _format_outcome(target, path)
    except TieoutError as error:
        found = []
        if error.code == "READER_FAILED":
            place = _place(error.__cause__) if error.__cause__ else "?"
            found.append(f"foreign: {place}: {error.message}")
        if not (error.code and error.message and error.where and error.remedy):
            found.append(f"refusal: {error.code} lacks words: {error}")
        if len(str(error)) > 2_000:
            found.append(f"refusal: {error.code} has {len(str(error))} characters")
        return str(error), found


def _container_outcome(path: Path) -> tuple[object, list[str]]:
    facts, found = [], []
    with _container.opened(path) as members:
        for member in members:
            if member.path != path and member.path.parent.name[:8] != "members-":
                found.append(f"path: member {member.name!r} was laid at {member.path}")
            facts.append((member.name, member.path.stat().st_size))
            if len(member.name) > 255 or re.search("[\x00-\x1f\x7f]", member.name):
                found.append("name: a member's name has control characters or is too long")
    return facts, found


def _dispatch_outcome(path: Path) -> tuple[object, list[str]]:
    data = path.read_bytes()
    exact = parsers.identify(data[: parsers.HEAD_BYTES])
    parsed = parsers.read_file(path)
    found = list(_checks(parsed.tables, data, local=False))
    if parsed.format != exact:
        found.append(f"identify: {exact} and {parsed.format}")
    if len(parsed.format) > 40:
        found.append("identify: the format's name is too long")
    shown = as_json(path, parsed)
    del shown["file"]
    return str(shown), found


def _format_outcome(target: Target, path: Path) -> tuple[object, list[str]]:
    assert target.module is not None
    data = path.read_bytes()
    exact = target.module.identify(data[: parsers.HEAD_BYTES])
    found = []
    if exact is not None and len(exact) > 40:
        found.append("identify: the format's name is too long")
    found += bulk(target, path, data)
    batches = list(target.module.read(path))
    tables = canonical.concat(batches)
    found += _checks(tables, data, local=True)
    found += _loss(target, tables, data)
    found += camt(target, path, tables)
    found += _checks(canonical.concat(_ids.with_ids(iter(batches), _DIGEST)), data, local=False)
    return _facts(tables), found


def _loss(target: Target, tables: Tables, data: bytes) -> Iterator[str]:
    """Where the file begins more entries than were read, something must say so."""
    if not target.entry or b"\x00" in data or b"<![CDATA[" in data:
        return
    begun = len(re.findall(target.entry, re.sub(rb"(?s)<!--.*?-->|<\?.*?\?>", b"", data)))
    read = tables.entries.num_rows + tables.payments.num_rows + tables.statuses.num_rows
    if begun > read and all(finding.severity == "info" for finding in tables.findings):
        yield f"loss: {begun} entries begin in the file, {read} were read, and nothing says why"


def _facts(tables: Tables) -> object:
    rows = tuple(str(getattr(tables, name).to_pydict()) for name in _SCHEMAS)
    return rows, tables.findings


def _checks(tables: Tables, data: bytes, *, local: bool) -> Iterator[str]:
    for name, schema in _SCHEMAS.items():
        if getattr(tables, name).schema != schema:
            yield f"schema: {name}"
    yield from _keys(tables, local)
    yield from _lines(tables, data)
    yield from _findings(tables)
    if local:
        yield from _amounts(tables, data)
        yield from _proof(tables)


def _values(table: pa.Table, name: str) -> list[Any]:
    values: list[Any] = table[name].to_pylist()
    return values


def _keys(tables: Tables, local: bool) -> Iterator[str]:
    """Ids are unique, rows belong to rows, every entry has a detail."""
    statements = _values(tables.statements, "statement_id")
    entries = _values(tables.entries, "entry_id")
    details = _values(tables.details, "entry_id")
    owned = {
        "statement_id": statements if local else [],
        "entry_id": entries if local else [],
        "detail_id": _values(tables.details, "detail_id") if local else [],
        "payment_id": _values(tables.payments, "payment_id"),
        "status_id": _values(tables.statuses, "status_id"),
    }
    for name, ids in owned.items():
        if None in ids or len(set(ids)) != len(ids):
            yield f"keys: {name} is not unique"
    for name in ("balances", "entries"):
        if not set(_values(getattr(tables, name), "statement_id")) <= set(statements):
            yield f"keys: {name} without their statement"
    if set(details) != set(entries):
        yield "keys: entries without details, or details without their entry"
    if local:
        counted = Counter(details)
        rows = zip(entries, _values(tables.entries, "detail_count"), strict=True)
        for key, said in rows:
            if said is not None and said > counted[key]:
                yield f"keys: detail_count says {said}, there are {counted[key]}"
        held = Counter(_values(tables.entries, "statement_id"))
        for row in tables.statements.select(
            ["statement_id", "entry_count", "incomplete"]
        ).to_pylist():
            if not row["incomplete"] and row["entry_count"] not in (
                None,
                held[row["statement_id"]],
            ):
                yield "keys: a whole statement counts other entries than it has"


def _lines(tables: Tables, data: bytes) -> Iterator[str]:
    last = max(data.count(b"\n"), data.count(b"\r"), data.count(b"@@")) + 2
    # A file of fixed width without line ends is counted in records.
    last += data.count(b"\r") + len(data) // 80
    last += data.count(b"@@") + data.count(b"@\x00@")
    for name in _SCHEMAS:
        numbers = _values(getattr(tables, name), "line_no")
        if any(n is None or not 0 < n <= last for n in numbers):
            yield f"line: {name} at {next(n for n in numbers if n is None or not 0 < n <= last)}"


def _findings(tables: Tables) -> Iterator[str]:
    for finding in tables.findings:
        if not (finding.code and finding.message and finding.where):
            yield f"finding: {finding.code} lacks words"
        if finding.severity == "error" and not finding.remedy:
            yield f"finding: {finding.code} has no remedy"
        if len(finding.message) > 2_000 or len(finding.where) > 500:
            yield f"finding: {finding.code} is too long"
        if re.search("[\ud800-\udfff]", finding.message + finding.where):
            yield f"finding: {finding.code} has surrogates"


def _amounts(tables: Tables, data: bytes) -> Iterator[str]:
    """In range, and made of digits that stand in the file, save for balances that are derived."""
    derived = any(str(f).startswith("delimited") for f in _values(tables.statements, "format"))
    plain = b"\x00" not in data and b"&#" not in data
    digits = re.sub(rb"[^0-9]", b"", data).decode() if plain else ""
    for name in ("balances", "entries", "details"):
        if name == "balances" and derived:
            continue
        for value in _values(getattr(tables, name), "amount"):
            if value is None:
                continue
            if not value.is_finite() or abs(value) >= _LIMIT:
                yield f"amount: {name} has {value}"
            # Without the last digit: formats with overpunched signs write it as a letter.
            known = "".join(map(str, value.as_tuple().digits)).strip("0")[:-1]
            if plain and known not in digits:
                yield f"invented: {name} has {value}, whose digits are nowhere in the file"


def _proof(tables: Tables) -> Iterator[str]:
    """A booked statement that does not tie has a finding."""
    if any(finding.severity != "info" for finding in tables.findings):
        return
    balances, entries = tables.balances.to_pylist(), tables.entries.to_pylist()
    for row in tables.statements.to_pylist():
        mine = [b for b in balances if b["statement_id"] == row["statement_id"]]
        known = _rows.edges(mine, row["currency"])
        if known is None or row["kind"] != "booked":
            continue
        moved = sum(
            (
                e["amount"]
                for e in entries
                if e["statement_id"] == row["statement_id"] and e["status"] == "booked"
            ),
            Decimal(0),
        )
        if known[0]["amount"] + moved != known[1]["amount"]:
            yield "proof: a statement does not tie and nothing says so"
        if row["incomplete"]:
            yield "proof: a statement is incomplete and nothing says why"
