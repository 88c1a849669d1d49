"""Every quirk of the list has a test, and every test named for one exists."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

import pytest

from tests.parsers.quirks import QUIRKS, Quirk

_HERE = Path(__file__).parent
_LIST = _HERE.parents[2] / "shared" / "formats" / "QUIRKS.md"


@cache
def _source(module: str) -> str:
    return (_HERE / f"test_{module}.py").read_text(encoding="utf-8")


@cache
def _tests(module: str) -> frozenset[str]:
    tree = ast.parse(_source(module))
    return frozenset(n.name for n in tree.body if isinstance(n, ast.FunctionDef))


@pytest.mark.parametrize("quirk", QUIRKS, ids=lambda q: q.about)
def test_the_tests_of_a_quirk_exist(quirk: Quirk) -> None:
    assert quirk.tests
    for name in quirk.tests:
        module, _, function = name.partition("::")
        assert function in _tests(module), name
    assert quirk.case in _source(quirk.tests[0].partition("::")[0])


def test_no_quirk_is_listed_twice() -> None:
    assert len({quirk.line for quirk in QUIRKS}) == len(QUIRKS)


@pytest.mark.skipif(not _LIST.is_file(), reason=f"no list at {_LIST}")
def test_every_quirk_of_the_list_is_covered_once() -> None:
    lines = [line.strip() for line in _LIST.read_text(encoding="utf-8").splitlines()]
    wanted = [hashlib.sha256(line.encode()).hexdigest()[:8] for line in lines if line[:2] == "- "]
    assert len(wanted) > 140
    assert [quirk.line for quirk in QUIRKS] == wanted
