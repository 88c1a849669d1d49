"""Every sample has its golden, every golden its sample; goldens change only by `accept`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.parsers import accept
from tests.parsers.reading import SAMPLES

_ALL = sorted(p for p in SAMPLES.iterdir() if p.suffix != ".json")


def test_samples_are_there() -> None:
    assert len(_ALL) >= 7


def test_no_golden_without_sample() -> None:
    orphans = [p for p in SAMPLES.glob("*.json") if not p.with_suffix("").exists()]
    assert orphans == []


@pytest.mark.parametrize("sample", _ALL, ids=lambda p: p.name)
def test_sample_reads_as_accepted(sample: Path) -> None:
    golden = accept.golden_of(sample)
    assert golden.exists(), f"python -m tests.parsers.accept {sample}"
    assert accept.render(sample) == golden.read_text(encoding="utf-8")


def test_every_sample_ties() -> None:
    for sample in _ALL:
        findings = json.loads(accept.golden_of(sample).read_text(encoding="utf-8"))["findings"]
        assert not [f for f in findings if f["code"].startswith("BALANCE")], sample.name


def test_accept_keeps_a_golden_that_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "a.sta"
    sample.write_bytes((SAMPLES / "free_text.sta").read_bytes())
    assert accept.main([str(sample)]) == 0
    golden = accept.golden_of(sample)
    golden.write_text("{}\n", encoding="utf-8")
    assert accept.main([str(sample)]) == 1
    assert golden.read_text(encoding="utf-8") == "{}\n"
    assert "WIRE FEE" in capsys.readouterr().out
    assert accept.main(["--replace", str(sample)]) == 0
    assert golden.read_text(encoding="utf-8") == accept.render(sample)
