"""Inputs that once broke a reader, and every sample, through the oracles of fuzzing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.oracles import violations
from tests.fuzz.targets import ROOT, target_of

FOLDER = Path(__file__).parent / "regressions"
FOUND = sorted(p for p in FOLDER.iterdir() if p.is_file())
SAMPLES = sorted(
    p
    for folder in (FOLDER, Path(__file__).parent / "samples", ROOT / "samples")
    for p in folder.iterdir()
    if p.suffix not in (".json", ".csv")
)


@pytest.mark.parametrize("path", FOUND, ids=lambda p: p.name)
def test_a_regression_holds_for_its_format(path: Path) -> None:
    assert violations(target_of(path.name.partition("-")[0]), path, twice=True) == []


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
def test_every_file_holds_for_the_dispatch(path: Path) -> None:
    assert violations(target_of("identify"), path, twice=True) == []
