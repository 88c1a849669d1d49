"""The examples in the data sheets run."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import parsers

_MODULES = sorted(p.stem for p in Path(parsers.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("name", _MODULES)
def test_examples_run(name: str) -> None:
    module = importlib.import_module("parsers" if name == "__init__" else f"parsers.{name}")
    flags = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL * 0
    failed, _ = doctest.testmod(module, optionflags=flags)
    assert failed == 0
