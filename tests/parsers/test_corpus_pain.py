"""Payment files and status reports of other projects: each is read completely or refused.

The corpus stands beside the checkout and is no part of it; without it these tests are skipped.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

import parsers
from parsers import Parsed
from tests.parsers.corpus import CORPUS, files
from tests.parsers.corpus_known import REFUSED, UNPROVEN
from tieout.errors import InputError

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")


def _read(path: Path) -> Parsed | None:
    try:
        parsed = parsers.read_file(path)
    except InputError as error:
        assert REFUSED.get(path.name) == error.code, error
        assert error.where and error.remedy, error
        return None
    assert path.name not in REFUSED
    return parsed


def _raw(path: Path, name: str) -> int:
    """Elements of a name counted in the bytes, without a parser."""
    return len(re.findall(rb"<(?:\w+:)?%s[\s>]" % name.encode(), path.read_bytes()))


@pytest.mark.parametrize("path", files("pain.001", "pain.002"), ids=lambda p: p.name)
def test_read_completely_or_refused(path: Path) -> None:
    parsed = _read(path)
    if parsed is None:
        return
    tables = parsed.tables
    assert tables.payments.num_rows == _raw(path, "CdtTrfTxInf")
    levels = tables.statuses["level"].to_pylist()
    assert levels.count("transaction") == _raw(path, "TxInfAndSts")
    for level, name in (("group", "GrpSts"), ("payment_info", "PmtInfSts")):
        assert levels.count(level) == _raw(path, name)
    said = sum(_raw(path, name) for name in ("GrpSts", "PmtInfSts", "TxSts"))
    assert sum(s is not None for s in tables.statuses["status"].to_pylist()) == said
    assert all(f.where and f.message for f in tables.findings)
    assert all(f.remedy for f in tables.findings if f.severity != "info")


@pytest.mark.parametrize("path", files("pain.001"), ids=lambda p: p.name)
def test_counts_and_sums_fit_where_they_are_known_to(path: Path) -> None:
    parsed = _read(path)
    if parsed is None:
        return
    broken = {f.code for f in parsed.tables.findings} & {
        "PAYMENT_COUNT_MISMATCH", "PAYMENT_SUM_MISMATCH",
    }  # fmt: skip
    assert bool(broken) == (path.name in UNPROVEN)
    amounts = re.findall(rb"<InstdAmt[^>]*>([^<]*)<", path.read_bytes())
    found = parsed.tables.payments["amount"].to_pylist()
    assert found == [Decimal(a.decode()) for a in amounts]


@pytest.mark.parametrize("path", files("pain.002"), ids=lambda p: p.name)
def test_ids_and_reasons_are_those_of_the_file(path: Path) -> None:
    parsed = _read(path)
    if parsed is None:
        return
    text = path.read_text(encoding="utf-8")
    rows = parsed.tables.statuses.to_pylist()
    for column, name in (
        ("end_to_end_id", "OrgnlEndToEndId"), ("instruction_id", "OrgnlInstrId"),
        ("uetr", "OrgnlUETR"),
    ):  # fmt: skip
        wanted = [v for v in re.findall(rf"<{name}>([^<]*)<", text) if v != "NOTPROVIDED"]
        assert [r[column] for r in rows if r[column] is not None] == wanted
    reasons = re.findall(r"<Rsn>\s*<Cd>([^<]*)<", text)
    assert [code for r in rows for code in r["reasons"] or []] == reasons
    assert sum(len(r["additional_info"] or []) for r in rows) == text.count("<AddtlInf>")
    assert sum(len(r["status_counts"] or []) for r in rows) == text.count("<NbOfTxsPerSts>")
