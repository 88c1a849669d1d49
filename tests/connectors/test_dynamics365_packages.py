"""Dynamics 365: journals by the package API, under an execution id of ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.connectors.rigs.dynamics365 import Dynamics365Rig, open_package_rig
from tieout.connectors.dynamics365_packages import package
from tieout.connectors.http_wire import HttpAnswer
from tieout.errors import ConnectorError
from tieout.posting.readback import differences

REF = "ABCDEFGHIJKLMNOP"
EXECUTION = "TIEOUT-NORD-ABCDEFGHIJKLMNOP"


@pytest.fixture
def rig() -> Iterator[Dynamics365Rig]:
    with open_package_rig() as found:
        yield found


def import_only(rig: Dynamics365Rig) -> None:
    """Let the packages be imported, and nothing be posted yet."""
    rig.simulator.packages.run()


def test_an_execution_id_of_ours_is_a_key_with_a_lifetime(rig: Dynamics365Rig) -> None:
    found = rig.connector.capability(rig.journal(REF))
    assert (found.kind, found.key_lifetime) == ("B", timedelta(days=7))
    first, second = (rig.connector.create(rig.journal(REF)) for _ in range(2))
    assert (first.outcome, second.outcome) == ("PENDING", "EXISTS")
    assert list(rig.simulator.packages.executions) == [EXECUTION]
    rig.simulator.packages.reuse = "returned"
    assert rig.connector.create(rig.journal(REF)).outcome == "PENDING"
    rig.let_work()
    assert len(rig.books(REF)) == 1


def test_an_import_that_works_is_waited_for_and_then_found(rig: Dynamics365Rig) -> None:
    journal = rig.journal(REF)
    rig.connector.create(journal)
    rig.fault("import", "slow")
    assert "NotRun" in rig.connector.find(journal).pending
    import_only(rig)
    assert "Executing" in rig.connector.find(journal).pending
    import_only(rig)
    (document,) = rig.connector.find(journal).documents
    assert (document.state, differences(journal, document)) == ("draft", ())
    rig.let_work()
    posted = rig.connector.read(document.doc_id)
    assert posted is not None
    assert (posted.state, differences(journal, posted)) == ("posted", ())


def test_an_import_that_failed_is_refused_in_the_systems_words(rig: Dynamics365Rig) -> None:
    rig.connector.create(rig.journal(REF))
    rig.fault("import", "failed")
    import_only(rig)
    trace = rig.connector.find(rig.journal(REF))
    assert (trace.documents, trace.pending) == ((), "")
    assert "no rows of a known entity" in trace.refused


def test_an_import_that_failed_in_part_shows_its_incomplete_draft(rig: Dynamics365Rig) -> None:
    journal = rig.journal(REF)
    rig.connector.create(journal)
    rig.fault("import", "partial")
    rig.let_work()
    (document,) = rig.connector.find(journal).documents
    assert document.state == "draft", "the voucher does not balance, so no job posts it"
    assert differences(journal, document) == (
        "line 1810 debit 0 credit 350 (minor units) is missing",
    )
    assert rig.connector.delete_draft(document.doc_id).outcome == "OK"
    assert "voided" in rig.connector.find(journal).refused


@pytest.mark.parametrize(
    ("fault", "outcome", "taken"),
    [
        ("lost reply", "UNKNOWN", 1),
        ("error after", "UNKNOWN", 1),
        ("no effect", "UNKNOWN", 0),
        ("error before", "UNKNOWN", 0),
        ("maintenance", "UNKNOWN", 0),
        ("throttle", "THROTTLED", 0),
    ],
)
def test_an_unanswered_import_is_asked_for_by_its_id(
    rig: Dynamics365Rig, fault: str, outcome: str, taken: int
) -> None:
    rig.fault("create", fault)
    assert rig.connector.create(rig.journal(REF)).outcome == outcome
    assert bool(rig.connector.find(rig.journal(REF)).pending) == bool(taken)
    again = rig.connector.create(rig.journal(REF)).outcome
    assert again == ("EXISTS" if taken else "PENDING")
    rig.let_work()
    assert len(rig.books(REF)) == 1


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("fault", ["lost reply", "no effect", "maintenance", "error after"])
def test_an_upload_that_breaks_has_asked_nothing_of_the_books(
    rig: Dynamics365Rig, fault: str, which: int
) -> None:
    rig.fault("package", *([""] * which), fault)
    made = rig.connector.create(rig.journal(REF))
    assert (made.outcome, made.code) == ("NOT_SENT", "UPLOAD_FAILED")
    assert not any(name in repr(made) for name in ("/blob/", *rig.simulator.packages.blobs))
    assert rig.simulator.packages.executions == {}


def test_the_token_does_not_go_to_the_storage(rig: Dynamics365Rig) -> None:
    seen: dict[str, dict[str, str]] = {}
    inner = rig.connector.wire.exchange

    def exchange(method: str, path: str, **rest: object) -> HttpAnswer:
        seen[str(rest["point"])] = dict(rest.get("headers") or {})  # type: ignore[call-overload]
        return inner(method, path, **rest)  # type: ignore[arg-type]

    rig.connector.wire.exchange = exchange  # type: ignore[method-assign]
    rig.connector.create(rig.journal(REF))
    assert "Authorization" in seen["create"]
    assert seen["package upload"] == {
        "x-ms-blob-type": "BlockBlob",
        "Content-Type": "application/zip",
    }


def test_the_status_that_cannot_be_asked_raises(rig: Dynamics365Rig) -> None:
    rig.fault("find", "maintenance")
    with pytest.raises(ConnectorError, match="HTTP_503"):
        rig.connector.find(rig.journal(REF))


def test_the_same_journal_is_the_same_package() -> None:
    line = {"JournalBatchNumber": "J1", "LineNumber": 1, "Text": 'a "b", c'}
    first, second = (package("G", {"JournalName": "BankAdj"}, [line]) for _ in range(2))
    assert first == second
    assert b'"a ""b"", c"' in first
