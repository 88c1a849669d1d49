"""The fast readers of MT940, MT942 and BAI2 give what the strict ones give, column by column.

Compared are the samples, the files of other projects where they stand beside the checkout, files
made up by chance, and all of these damaged by chance: rows, findings and errors.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from parsers import _bai_fast, _bai_reader, _mt_fast, _mt_reader
from tests.parsers.reading import SAMPLES
from tests.parsers.wild import damaged, wild_bai, wild_mt
from tieout.canonical import Tables, concat
from tieout.errors import InputError

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
TABLES = ("statements", "balances", "entries", "details")

Reader = Callable[[Path, str | None], Iterator[Tables]]
MT: tuple[Reader, Reader] = (_mt_fast.messages, _mt_reader.messages)
BAI: tuple[Reader, Reader] = (_bai_fast.records_of, _bai_reader.strict)


def outcome(reader: Reader, path: Path, encoding: str | None = None) -> Tables | str:
    """All tables of a file, or the error that refuses it."""
    try:
        return concat(reader(path, encoding))
    except InputError as error:
        return str(error)


def compare(readers: tuple[Reader, Reader], path: Path, encoding: str | None = None) -> Tables:
    """Assert that both readers agree in everything; what they read."""
    fast, strict = (outcome(reader, path, encoding) for reader in readers)
    if isinstance(fast, str) or isinstance(strict, str):
        assert fast == strict
        return concat([])
    for name in TABLES:
        left, right = getattr(fast, name), getattr(strict, name)
        assert left.schema == right.schema
        for column in left.column_names:
            assert left[column].to_pylist() == right[column].to_pylist(), (name, column)
    # What is said of an account as a whole comes where a batch ends, which may differ.
    assert fast.findings == strict.findings
    return fast


def corpus(*folders: str) -> list[Path]:
    """Files of other projects, in order."""
    return sorted(path for folder in folders for path in (CORPUS / folder).glob("*"))


def mt_samples() -> list[Path]:
    """Our samples of MT940 and MT942."""
    return sorted(p for p in SAMPLES.iterdir() if p.suffix in (".sta", ".940", ".mt942"))


@pytest.fixture
def bulk(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts entries that were read in bulk, one number for each run."""
    taken: list[int] = []
    for driver in (_mt_fast._Driver, _bai_fast._Driver):
        run = driver._run

        def counted(self: object, block: object, first: int, stop: int, run: object = run) -> None:
            taken.append(stop - first)
            run(self, block, first, stop)  # type: ignore[operator]

        monkeypatch.setattr(driver, "_run", counted)
    return taken


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Callable[[random.Random], None]:
    """Sets blocks and batches so small that their edges fall everywhere."""

    def choose(chance: random.Random) -> None:
        size, batch = chance.choice((1, 300, 3000, 1 << 20)), chance.choice((3, 17, 5000))
        monkeypatch.setattr("parsers._text._CHUNK", chance.choice((37, 1000, 65536)))
        monkeypatch.setattr("parsers._bai_account._HELD_MAX", chance.choice((10, 40, 50_000)))
        for driver in (_mt_fast, _bai_fast):
            monkeypatch.setattr(driver, "_BLOCK", size)
            monkeypatch.setattr(driver, "BATCH_ENTRIES", batch)
        for rows in ("_rows", "_bai_rows"):
            monkeypatch.setattr(f"parsers.{rows}.BATCH_ENTRIES", batch)

    return choose


def test_samples_are_read_the_same() -> None:
    for path in mt_samples():
        assert compare(MT, path).statements.num_rows, path.name
    for path in sorted(SAMPLES.glob("*.bai")):
        assert compare(BAI, path).entries.num_rows, path.name


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
def test_files_of_other_projects_are_read_the_same() -> None:
    found = sum(compare(MT, path).entries.num_rows for path in corpus("mt940", "mt942"))
    assert found > 500
    for path in corpus("mt9xx-fragment"):
        compare(MT, path)
    assert sum(compare(BAI, path).entries.num_rows for path in corpus("bai2")) > 50


@pytest.mark.parametrize("odd", [0, 0.02, 0.3])
def test_made_up_mt_is_read_the_same(
    tmp_path: Path, bulk: list[int], small: Callable[[random.Random], None], odd: float
) -> None:
    chance, entries = random.Random(int(odd * 100) + 1), 0
    for _ in range(12):
        small(chance)
        path = tmp_path / "file"
        path.write_bytes(wild_mt(chance, chance.choice((3, 20, 60)), odd=odd))
        entries += compare(MT, path).entries.num_rows
    assert entries > 100
    assert sum(bulk) > entries * (0.8 if odd < 0.1 else 0.05)


@pytest.mark.parametrize("odd", [0, 0.02, 0.3])
def test_made_up_bai2_is_read_the_same(
    tmp_path: Path, bulk: list[int], small: Callable[[random.Random], None], odd: float
) -> None:
    chance, entries = random.Random(int(odd * 100) + 1), 0
    for _ in range(12):
        small(chance)
        path = tmp_path / "file"
        path.write_bytes(wild_bai(chance, chance.choice((3, 20, 60)), odd=odd))
        entries += compare(BAI, path).entries.num_rows
    assert entries > 100
    assert sum(bulk) > entries * (0.4 if odd < 0.1 else 0.02)


def test_damaged_mt_is_read_the_same(
    tmp_path: Path, bulk: list[int], small: Callable[[random.Random], None]
) -> None:
    chance = random.Random(5)
    sources = [path.read_bytes() for path in (*mt_samples(), *corpus("mt940", "mt942"))]
    for turn in range(100):
        small(chance)
        content = chance.choice(sources) if turn % 2 else wild_mt(chance, 12, odd=0.02)
        path = tmp_path / "file"
        path.write_bytes(damaged(chance, content))
        compare(MT, path)
    assert sum(bulk) > 50


def test_damaged_bai2_is_read_the_same(
    tmp_path: Path, bulk: list[int], small: Callable[[random.Random], None]
) -> None:
    chance = random.Random(6)
    sources = [path.read_bytes() for path in (*SAMPLES.glob("*.bai"), *corpus("bai2"))]
    for turn in range(100):
        small(chance)
        content = chance.choice(sources) if turn % 2 else wild_bai(chance, 12, odd=0.02)
        path = tmp_path / "file"
        path.write_bytes(damaged(chance, content))
        compare(BAI, path)
    assert sum(bulk) > 50


def test_lines_of_a_million_characters_and_old_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "file"
    made = wild_mt(random.Random(1), 20, odd=0, encoding="utf-8")
    usual = made.decode("utf-8").replace("\r\n", "\n")
    for extra in ("x" * 950_000, "é" * 950_000, "x" * 1_100_000, "x\r" * 400_000):
        path.write_text(usual + ":20:REF\n" + extra + "\n" + usual, encoding="utf-8", newline="")
        compare(MT, path)
    for end in ("\r", "@@", "\r\r\n"):
        path.write_text(usual.replace("\n", end), encoding="utf-8", newline="")
        compare(MT, path)
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        path.write_bytes(usual.encode(encoding, "replace"))
        compare(MT, path)
    path.write_bytes(usual.encode("ascii", "replace").replace(b"?20", b"\xed\xa0\x80?20"))
    compare(MT, path)
    compare(MT, path, "utf-7")
    compare(MT, path, "raw_unicode_escape")


def test_a_report_names_its_currency_late(
    tmp_path: Path, small: Callable[[random.Random], None]
) -> None:
    chance = random.Random(3)
    entry = ":61:2611201120D1,00NTRFNONREF//B\n"
    sums = (":90D:7EUR7,00\n-\n", f":90D:7EUR7,00\n{entry * 3}-\n")
    for end in sums:
        for _ in range(10):
            small(chance)
            path = tmp_path / "file"
            path.write_text(f":20:R\n:25:123\n:28C:1/1\n:13D:2611201015+0100\n{entry * 7}{end}" * 4)
            assert compare(MT, path).entries["currency"].to_pylist().count("EUR") > 0
