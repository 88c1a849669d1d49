"""Every failure of the list that concerns files has a test; and those that stand nowhere else."""

from __future__ import annotations

import ast
import struct
import zlib
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import parsers
from parsers import _values
from tests.parsers.big import SHAPES
from tests.parsers.failures import FAILURES, Failure
from tieout.errors import InputError, ProfileError
from tieout.profiles import load

_TESTS = Path(__file__).parents[1]
_LIST = Path(__file__).resolve().parents[3] / "shared" / "facts" / "FAILURES.md"


@cache
def _names(module: str) -> frozenset[str]:
    folder, _, name = f"parsers/{module}".rpartition("/")
    source = _TESTS / folder.removeprefix("parsers/") / f"test_{name}.py"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("failure", FAILURES, ids=lambda f: f.about)
def test_the_tests_of_a_failure_exist(failure: Failure) -> None:
    assert failure.tests
    for name in failure.tests:
        module, _, function = name.partition("::")
        assert function in _names(module), name


@pytest.mark.skipif(not _LIST.is_file(), reason=f"no list at {_LIST}")
def test_every_failure_of_files_is_listed() -> None:
    rows = [line.split("|") for line in _LIST.read_text(encoding="utf-8").splitlines()]
    numbers = [int(row[1]) for row in rows if len(row) > 4 and row[1].strip().isdigit()]
    assert [f.number for f in FAILURES] == [n for n in numbers if n <= 30 and n != 29]


_HEADER = "<4s5HLLLHH"


def _quoting() -> bytes:
    """A zip of 1 member whose first bytes are another's header: both inflate the same bytes."""
    text = b"<Document>" * 500
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(text) + packer.flush()

    def header(name: bytes, content: bytes, size: int) -> tuple[object, ...]:
        return 20, 0, 8, 0, 0x21, zlib.crc32(content), size, len(content), len(name), 0

    inner = header(b"b", text, len(body))
    quoted = struct.pack(_HEADER, b"PK\x03\x04", *inner) + b"b"
    stored = b"\x00" + struct.pack("<HH", len(quoted), len(quoted) ^ 0xFFFF) + quoted
    outer = header(b"a", quoted + text, len(stored) + len(body))
    out = struct.pack(_HEADER, b"PK\x03\x04", *outer) + b"a" + stored + body
    central = b""
    for name, facts, at in ((b"a", outer, 0), (b"b", inner, 31 + 5)):
        central += struct.pack("<4sH5HLLLHHHHHLL", b"PK\x01\x02", 20, *facts, 0, 0, 0, 0, at) + name
    end = struct.pack("<4s4HLLH", b"PK\x05\x06", 0, 0, 2, 2, len(central), len(out), 0)
    return out + central + end


def test_a_zip_whose_member_quotes_another(tmp_path: Path) -> None:
    path = tmp_path / "quoted.zip"
    path.write_bytes(_quoting())
    with pytest.raises(InputError) as caught, parsers.opened(path):
        pass
    assert caught.value.code == "CONTAINER_DAMAGED"
    assert [p.name for p in tmp_path.iterdir()] == ["quoted.zip"]


#: How an entry of 1.00 is written, and one of 1.01.
_CHANGED = {
    "camt.053": ("1.00", "1.01"),
    "mt940": ("C1,00", "C1,01"),
    "mt942": ("C1,00", "C1,01"),
    "bai2": (",100,", ",101,"),
    "coda": ("0000000000001000", "0000000000001010"),
    "cfonb120": ("00000000010{", "00000000010A"),
    "aeb43": ("00000000000100", "00000000000101"),
    "v11": ("0000000100", "0000000101"),
    "delimited": (",1.00,", ",1.01,"),
}


def _made(name: str, changed: int) -> str:
    """A whole file of nine entries, one of them of another amount."""
    shape = SHAPES[name]
    entries = [shape.entry(n) for n in range(1, 10)]
    if changed:
        old, new = _CHANGED[name]
        assert old in entries[changed - 1], entries[changed - 1]
        entries[changed - 1] = entries[changed - 1].replace(old, new, 1)
    return shape.begin + shape.open(1) + "".join(entries) + shape.close(9) + shape.end(1, 9)


@pytest.mark.parametrize("name", _CHANGED)
def test_one_amount_changed_is_said(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    path.write_text(_made(name, 0), newline="")
    good = parsers.read_file(path).tables
    assert good.entries.num_rows == 9
    usual = {f.code for f in good.findings}
    assert not usual & {"BALANCE_MISMATCH", "TOTAL_MISMATCH"}
    # The first row of a delimited file tells its opening balance: nothing else could prove it.
    for changed in range(2 if name == "delimited" else 1, 10):
        path.write_text(_made(name, changed), newline="")
        found = parsers.read_file(path).tables.findings
        assert [f for f in found if f.severity != "info" and f.code not in usual], changed


@given(
    st.integers(946_684_800, 2_240_524_800),  # 2000 to 2040
    st.integers(-14 * 60, 14 * 60),
)
def test_an_instant_is_the_same_in_every_zone(seconds: int, minutes: int) -> None:
    """Also in the hour that a change of the clocks leaves out or repeats: the offset decides."""
    moment = datetime.fromtimestamp(seconds, UTC)
    there = moment.astimezone(timezone(timedelta(minutes=minutes)))
    assert _values.instant(there.isoformat()) == moment
    assert _values.day(there.isoformat()) == there.date()


@pytest.mark.parametrize(
    "text", ["a = 1\na = 2\n", "[a]\n[a]\n", "a = " + "[" * 100_000, "a = '\x00'\n", "a = 01\n"],
    ids=["key twice", "table twice", "depth", "nul", "octal"],
)  # fmt: skip
def test_a_mapping_with_a_key_twice_or_without_an_end(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bank.toml"
    path.write_text(text)
    with pytest.raises(ProfileError) as caught:
        load(path)
    assert caught.value.code == "PROFILE_SYNTAX"
