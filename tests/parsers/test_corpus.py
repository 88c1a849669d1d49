"""Real files of other projects: the judge of `make corpus` has nothing to say against any.

The corpus stands beside the checkout and is no part of it; without it these tests are skipped.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.parsers import corpus, peers
from tests.parsers.corpus import CORPUS, Verdict, damaged, files, judge
from tests.parsers.corpus_known import BY_DETAIL, DIFFERENCES, REFUSED, UNPROVEN, UNTIED

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")

#: Damaged copies read in every run of the tests; `make corpus` reads ten times as many.
_DAMAGED = 200


@pytest.mark.parametrize("path", files(), ids=lambda p: p.name)
def test_read_completely_or_refused(path: Path) -> None:
    verdicts = judge(path)
    assert verdicts
    assert [problem for verdict in verdicts for problem in verdict.problems] == []


def test_balances_tie_where_they_are_known_to() -> None:
    """As many statements tie as the manifest counted without our readers."""
    wanted = found = 0
    for path in files("mt940"):
        note = re.search(r"balances tie (\d+)/(\d+)", corpus.notes()[f"mt940/{path.name}"])
        (verdict,) = judge(path)
        if note is not None and verdict.refused is None:
            wanted += int(note[2]) - int(note[1])
            found += verdict.counts["booked"] - verdict.counts["tie"]
    assert found == wanted > 0


def test_every_output_of_a_peer_is_compared() -> None:
    compared = {a.output for path in files() for v in judge(path) for a in v.agreements}
    assert compared == {p.name for p in (CORPUS / "expected").iterdir()}
    assert sum(len(peers.outputs(CORPUS, path)) for path in files()) == len(compared)


def test_what_is_known_is_about_files_that_are_there() -> None:
    names = {path.name for path in files()}
    outputs = {path.name for path in (CORPUS / "expected").iterdir()}
    assert set(REFUSED) <= names
    assert set(UNTIED) <= names
    assert set(UNPROVEN) <= names
    assert {output for output, _ in DIFFERENCES} | BY_DETAIL <= outputs


def test_damage_brings_nothing_but_our_own_error() -> None:
    results = list(damaged(_DAMAGED))
    assert len(results) == _DAMAGED
    assert [f"{name}: {result}" for name, result in results if result.startswith("failed")] == []
    assert {result for _, result in results} == {"read", "refused"}


def test_the_judge_finds_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def problems(folder: str, name: str, content: bytes) -> str:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        found: list[Verdict] = judge(path)
        return " ".join(problem for verdict in found for problem in verdict.problems)

    whole = (CORPUS / "mt940" / "zilverline__mt940__knab_knab_empty.txt").read_bytes()
    assert problems("mt940", "new.sta", whole) == ""
    assert "not known" in problems("mt940", "cut.sta", whole[:100])
    assert "known to be refused" in problems("mt940", "fruitl00p__php-mt940__Rabo_sample2", whole)
    more = whole + b":20:X\r\n:25:1\r\n:60F:C260101EUR1,\r\n:62F:C260101EUR2,\r\n-\r\n"
    assert "do not tie" in problems("mt940", "untied.sta", more)

    def fail(path: Path, encoding: str | None = None) -> None:
        raise ValueError("not ours")

    monkeypatch.setattr("parsers.read_file", fail)
    assert "ValueError instead of our own" in problems("mt940", "new.sta", whole)
