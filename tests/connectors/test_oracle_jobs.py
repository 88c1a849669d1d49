"""Oracle's scheduler as the connector reads it: pages, what is known already, what a report says."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.rigs.oracle import OracleRig, open_rig
from tieout.connectors.oracle_report import Verdict, texts_of, verdict
from tieout.errors import ConnectorError


@pytest.fixture
def rig() -> Iterator[OracleRig]:
    with open_rig() as found:
        yield found


def looks(rig: OracleRig, reference: str) -> int:
    """How many lists of requests one `find` reads."""
    before = rig.tenant.plan.seen().get("jobs", 0)
    rig.connector.find(rig.journal(reference))
    return rig.tenant.plan.seen()["jobs"] - before


def test_the_list_is_read_to_its_end_once_and_then_only_what_is_new(rig: OracleRig) -> None:
    for number in range(50):  # five requests each
        rig.connector.create(rig.journal(f"JOURNAL{number:02}"))
    rig.let_work()
    assert len(rig.tenant.scheduler.jobs) == 250
    assert looks(rig, "NEVERSENT") == 3
    assert looks(rig, "NEVERSENT") == 1
    rig.connector.create(rig.journal("ANOTHER"))
    assert looks(rig, "ANOTHER") == 1
    rig.let_work()
    assert looks(rig, "NEVERSENT") == 1


def test_what_still_runs_is_read_again_however_far_back(rig: OracleRig) -> None:
    rig.fault("create", "hold")
    held = rig.journal("HELD")
    rig.connector.create(held)
    for number in range(50):
        rig.connector.create(rig.journal(f"JOURNAL{number:02}"))
    rig.let_work()
    assert "is HOLD" in rig.connector.find(held).pending
    rig.tenant.scheduler.release()
    rig.tenant.books.lag = 3600
    rig.let_work()
    assert "has imported it" in rig.connector.find(held).pending


def test_the_list_ends_where_we_no_longer_look(rig: OracleRig) -> None:
    for number in range(25):
        rig.connector.create(rig.journal(f"OLD{number:02}"))
    rig.let_work()
    rig.tenant.clock.advance(8 * 24 * 3600)
    for number in range(25):
        rig.connector.create(rig.journal(f"NEW{number:02}"))
    rig.let_work()
    assert len(rig.tenant.scheduler.jobs) == 250
    assert looks(rig, "NEVERSENT") == 2


REPORT = """Journal Import Execution Report
1   P      TIEOUT-AAAA   TIEOUT-AAAA   01-6855-110   3.50
2   P      TIEOUT-AAAA   TIEOUT-AAAA   01-1810-000         3.50
3   EF04   TIEOUT-BBBB   TIEOUT-BBBB   01-9999-110   1.00
4   NEW    TIEOUT-BBBB   TIEOUT-BBBB   01-1810-000         1.00
5   NEW    TIEOUT-CCCC   TIEOUT-CCCC   01-1810-000         1.00
6   EX99   TIEOUT-DDDD   TIEOUT-DDDD   01-1810-000         1.00

EF04   FLEX-VALUE DOES NOT EXIST
"""
WORDS = (
    # whose document, whether the group was its own, what is said of it
    ("TIEOUT-AAAA", False, Verdict(imported=True)),
    ("TIEOUT-BBBB", False, Verdict(refused="GL_ACCOUNT_UNKNOWN: EF04 FLEX-VALUE DOES NOT EXIST")),
    ("TIEOUT-CCCC", False, Verdict(refused="GL_ACCOUNT_UNKNOWN: EF04 FLEX-VALUE DOES NOT EXIST")),
    ("TIEOUT-DDDD", False, Verdict(refused="IMPORT_REFUSED: EX99")),
    ("TIEOUT-AAA", False, Verdict()),
    ("TIEOUT-EEEE", False, Verdict()),
    ("TIEOUT-EEEE", True, Verdict(refused="GL_ACCOUNT_UNKNOWN: EF04 FLEX-VALUE DOES NOT EXIST")),
)


@pytest.mark.parametrize(("word", "alone", "said"), WORDS)
def test_what_a_report_says_of_a_document(word: str, alone: bool, said: Verdict) -> None:
    assert verdict((REPORT,), word, alone=alone) == said


def test_an_invoice_is_rejected_in_payables_words() -> None:
    text = "1   REJECTED INVALID SUPPLIER SITE      4711     1252    3.50\n"
    assert verdict((text,), "4711", alone=True) == Verdict(
        refused="PARTY_UNKNOWN: INVALID SUPPLIER SITE"
    )


def test_an_empty_report_says_nothing() -> None:
    assert verdict((), "TIEOUT-AAAA", alone=True) == Verdict()
    assert texts_of(None) == texts_of("") == ()


@given(st.text(max_size=60))
def test_an_output_that_is_no_zip_is_an_error(content: str) -> None:
    if content:
        with pytest.raises(ConnectorError, match="cannot be read"):
            texts_of(content)


def test_an_output_too_large_is_an_error() -> None:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.txt", b"0" * (33 * 1024 * 1024))
    with pytest.raises(ConnectorError, match="larger than 32 MiB"):
        texts_of(base64.b64encode(memory.getvalue()).decode())
