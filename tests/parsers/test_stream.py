"""Reading as a stream: the same as reading whole, whatever the size of the batches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import parsers
from parsers._ids import with_ids
from tests.parsers.accept import golden_of
from tieout import shelf
from tieout.canonical import SCHEMAS, Tables, concat, empty
from tieout.cli import main
from tieout.commands.parse_json import as_json, write_json
from tieout.identity import assign_ids

HERE = Path(__file__).parent
SAMPLES = sorted(
    p for p in (HERE / "samples").iterdir() if p.suffix != ".json" and golden_of(p).exists()
)


def _text(path: Path) -> str:
    stream = parsers.stream_file(path)
    pieces: list[str] = []
    write_json(path.name, stream, next(stream.batches), pieces.append)
    return "".join(pieces)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.name)
def test_the_streamed_text_is_the_whole_files(sample: Path) -> None:
    whole = json.dumps(as_json(sample.name, parsers.read_file(sample)), ensure_ascii=False)
    assert _text(sample) == whole + "\n"


def _sliced(tables: Tables, rows: int) -> Iterator[Tables]:
    """The tables of a file in batches of so many entries, each with its details."""
    rest = empty()
    yield Tables(tables.statements, tables.balances, rest.entries, rest.details)
    owners = tables.details["entry_id"]
    for at in range(0, tables.entries.num_rows, rows):
        entries = tables.entries.slice(at, rows)
        inside = pa.compute.is_in(owners, value_set=entries["entry_id"].combine_chunks())
        yield Tables(rest.statements, rest.balances, entries, tables.details.filter(inside))


def test_ids_do_not_depend_on_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twins in different batches are numbered as in one, also when the batches wait on disk."""
    sample = HERE / "samples" / "two_accounts.ofx"
    batches = list(parsers.ofx.read(sample))
    local = concat(batches)
    doubled = Tables(
        local.statements,
        local.balances,
        pa.concat_tables([local.entries, _renumbered(local.entries, "entry_id")]),
        pa.concat_tables([local.details, _renumbered(local.details, "detail_id", "entry_id")]),
    )
    whole = assign_ids(doubled, "f")
    ids = whole.entries["entry_id"].to_pylist()
    assert len(set(ids)) == len(ids)
    for room in (1 << 30, 0):
        monkeypatch.setattr(shelf, "_ROOM", room)
        for rows in (1, 3, 1000):
            found = concat(with_ids(_sliced(doubled, rows), "f"))
            for name, key in (("entries", "entry_id"), ("details", "detail_id")):
                rows_of = [getattr(t, name).sort_by(key).combine_chunks() for t in (found, whole)]
                assert rows_of[0].equals(rows_of[1])


def _renumbered(table: pa.Table, *names: str) -> pa.Table:
    for name in names:
        at = table.schema.get_field_index(name)
        values = pa.array([f"again-{v}" for v in table[name].to_pylist()])
        table = table.set_column(at, table.schema.field(at), values)
    return table


def test_parquet_of_several_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    chosen = [str(s) for s in SAMPLES if s.suffix in (".sta", ".xml")]
    assert main(["parse", *chosen, "--json", "--out", str(out)]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    entries = [e for one in said for s in one["statements"] for e in s["entries"]]
    written = pq.read_table(out / "entries.parquet")
    assert written.schema.equals(SCHEMAS["entries"])
    assert written["entry_id"].to_pylist() == [e["entry_id"] for e in entries]
    payments = [p for one in said for p in one.get("payments", ())]
    assert pq.read_table(out / "payments.parquet").num_rows == len(payments) > 0


def test_a_refused_file_prints_only_its_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.sta"
    cut.write_bytes((HERE / "samples" / "structured.sta").read_bytes()[:-100])
    assert main(["parse", str(cut), "--json"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["statements"] == []
    assert [f["severity"] for f in found["findings"]] == ["error"]
