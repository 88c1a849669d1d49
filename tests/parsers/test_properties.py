"""Whatever bytes arrive: the same answer twice, and no error but ours."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import parsers
from tests.parsers.reading import SAMPLES
from tieout.commands.parse import as_json
from tieout.errors import InputError

_SAMPLES = sorted(p.name for p in SAMPLES.iterdir() if p.suffix != ".json")
_EDITS = st.lists(
    st.tuples(st.integers(0, 6000), st.binary(max_size=12), st.integers(0, 40)), max_size=4
)


def _outcome(content: bytes) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        path.write_bytes(content)
        try:
            return repr(as_json(Path("x"), parsers.read_file(path)))
        except InputError as error:
            assert error.code != "READER_FAILED", error
            assert error.where, error
            assert error.remedy, error
            return repr(error.args)


@pytest.mark.parametrize("name", _SAMPLES)
def test_damaged_samples(name: str) -> None:
    content = (SAMPLES / name).read_bytes()

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(_EDITS)
    def check(edits: list[tuple[int, bytes, int]]) -> None:
        damaged = content
        for at, put, gone in edits:
            at = min(at, len(damaged))
            damaged = damaged[:at] + put + damaged[at + gone :]
        assert _outcome(damaged) == _outcome(damaged)

    check()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(alphabet=":20:5680FM1C/D?-{}\n\r@,ENTRXAB+>\x00é", max_size=300))
def test_soup_of_tags(text: str) -> None:
    assert _outcome(text.encode()) == _outcome(text.encode())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from(["C", "D", "RC", "RD"]), st.integers(0, 10**9)), max_size=9)
)
def test_entries_tie_with_the_balances_made_of_them(moves: list[tuple[str, int]]) -> None:
    signs = {"C": 1, "D": -1, "RC": -1, "RD": 1}
    total = sum(signs[mark] * cents for mark, cents in moves)
    lines = [f":61:260102{mark}{cents // 100},{cents % 100:02}NMSC" for mark, cents in moves]
    side, rest = ("C", total) if total >= 0 else ("D", -total)
    closing = f":62F:{side}260102EUR{rest // 100},{rest % 100:02}"
    head = (":20:R", ":25:1/2", ":28C:1/1", ":60F:C260101EUR0,")
    text = "\n".join((*head, *lines, closing, "-", ""))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        path.write_text(text)
        parsed = parsers.read_file(path)
    assert parsed.tables.findings == ()
    amounts = parsed.tables.entries["amount"].to_pylist()
    assert amounts == [Decimal(signs[mark] * cents) / 100 for mark, cents in moves]
