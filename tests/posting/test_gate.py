"""The outbox behind its gate: what gets no permit stays what it is, and is taken up later."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from tests.posting.books import QUICK
from tests.posting.test_delivery import attempts_of, check, ready, row_of
from tieout.connectors.fake import FakeErp
from tieout.connectors.gated import HeldError
from tieout.connectors.ports import Capability, Delivery, ErpDocument, Journal, JournalWriter, Trace
from tieout.errors import ConnectorError
from tieout.ledger.ledger import Ledger
from tieout.posting.delivery import DrainResult, drain
from tieout.posting.gate import Gate
from tieout.posting.maintenance import Rule, Window
from tieout.posting.traffic import Terms


class Counted:
    """A way to an ERP that takes a permit for each request, as a connector's transport does."""

    def __init__(self, fake: FakeErp, gate: Gate) -> None:
        self.fake, self.gate = fake, gate
        self.left: list[float] = []

    def _enter(self) -> None:
        self.gate.enter()
        self.left.append(time.monotonic())

    def capability(self, journal: Journal) -> Capability:
        return self.fake.capability(journal)

    def create(self, journal: Journal) -> Delivery:
        return self._effect(lambda: self.fake.create(journal))

    def post(self, doc_id: str) -> Delivery:
        return self._effect(lambda: self.fake.post(doc_id))

    def delete_draft(self, doc_id: str) -> Delivery:
        return self._effect(lambda: self.fake.delete_draft(doc_id))

    def find(self, journal: Journal) -> Trace:
        return self._look().find(journal)

    def read(self, doc_id: str) -> ErpDocument | None:
        return self._look().read(doc_id)

    def _effect(self, call: Callable[[], Delivery]) -> Delivery:
        try:
            self._enter()
        except HeldError as error:
            return Delivery("NOT_SENT", None, None, error.code, str(error), "")
        return call()

    def _look(self) -> FakeErp:
        try:
            self._enter()
        except HeldError as error:
            raise ConnectorError(error.code, str(error)) from error
        return self.fake


def run(
    ledger: Ledger, fake: JournalWriter, erp: str, gate: Gate, budget: float = 20
) -> DrainResult:
    return drain(ledger, fake, erp, owner="test", budget=budget, limits=QUICK, gate=gate)


def test_two_workers_deliver_within_one_budget(ledger: Ledger, erp: str) -> None:
    """Twelve intents are 48 requests; the ERP takes 30 in any 0.4 seconds."""
    terms = Terms(
        requests=30,
        period=dt.timedelta(milliseconds=400),
        burst=12,
        at_once=4,
        concurrent=2,
        late=dt.timedelta(milliseconds=600),
    )
    ready(ledger, erp, 12)
    books = FakeErp()
    fakes = [Counted(books, Gate(ledger, erp, terms, owner=name)) for name in ("one", "two")]
    results: list[DrainResult] = []
    workers = [
        threading.Thread(target=lambda fake=fake: results.append(run(ledger, fake, erp, fake.gate)))
        for fake in fakes
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(len(result.confirmed) for result in results) == 12, results
    left = sorted(moment for fake in fakes for moment in fake.left)
    assert len(left) >= 48
    spans = [last - first for first, last in zip(left, left[30:], strict=False)]
    assert min(spans) > terms.period.total_seconds()
    check(ledger)


def test_in_maintenance_rows_stay_what_they_are(ledger: Ledger, erp: str) -> None:
    always = Window("move", Rule(), dt.time(0), dt.timedelta(days=2), ZoneInfo("UTC"))
    (intent,) = ready(ledger, erp)
    shut = Gate(ledger, erp, Terms(maintenance=(always,)), owner="test")
    fake = Counted(FakeErp(), shut)
    result = run(ledger, fake, erp, shut)
    assert result.kept.startswith("maintenance: move; until ")
    assert (result.waiting, fake.left, attempts_of(ledger, intent)) == (1, [], [])
    row = row_of(ledger, intent)
    assert (row.state, row.attempts, row.fence, row.owner) == ("READY", 0, 0, None)
    fake.gate = Gate(ledger, erp, Terms(), owner="test")
    assert run(ledger, fake, erp, fake.gate).confirmed == (intent,)
    check(ledger)


def test_a_row_whose_next_request_gets_no_permit_is_let_go(ledger: Ledger, erp: str) -> None:
    """The budget ends after the draft was made: the row waits as DRAFTED, nobody's."""
    terms = Terms(requests=3, period=dt.timedelta(minutes=10), burst=2, at_once=2)
    (intent,) = ready(ledger, erp)
    gate = Gate(ledger, erp, terms, owner="test")
    fake = Counted(FakeErp(), gate)
    result = run(ledger, fake, erp, gate, budget=1)
    row = row_of(ledger, intent)
    assert (row.state, row.owner, row.attempts) == ("DRAFTED", None, 1)
    assert attempts_of(ledger, intent) == ["create OK", "read OK"]
    with ledger.session() as session:
        now = session.execute(text("SELECT clock_timestamp()")).scalar_one()
        assert row.next_at > now + dt.timedelta(minutes=4)
        session.execute(text("UPDATE outbox SET next_at = now()"))
    assert "3 requests" in run(ledger, fake, erp, gate, budget=1).kept
    fake.gate = Gate(ledger, f"{erp}-other", Terms(), owner="test")
    assert run(ledger, fake, erp, fake.gate).confirmed == (intent,)
    assert (result.confirmed, len(fake.fake.documents)) == ((), 1)
    check(ledger)


def test_what_the_erp_asks_for_is_waited_for_by_all(ledger: Ledger, erp: str) -> None:
    class Busy(FakeErp):
        def create(self, journal: Journal) -> Delivery:
            self.requests.append(("create", journal.external_ref))
            wait = dt.timedelta(seconds=70)
            return Delivery("THROTTLED", None, None, "HTTP_429", "too many", "", wait)

    (intent, other) = ready(ledger, erp, 2)
    fake, gate = Busy(), Gate(ledger, erp, Terms(), owner="test")
    result = run(ledger, fake, erp, gate)
    assert result.kept.startswith("the system asked us to wait; until ")
    assert len(fake.requests) == 1
    rows = {row_of(ledger, intent).state, row_of(ledger, other).state}
    assert rows == {"RETRY_WAIT", "READY"}
    waiting = next(row for i in (intent, other) if (row := row_of(ledger, i)).state != "READY")
    assert (waiting.attempts, waiting.next_at > waiting.changed_at + dt.timedelta(seconds=69)) == (
        0,
        True,
    )


def test_a_circuit_that_is_open_is_said_as_not_reached(ledger: Ledger, erp: str) -> None:
    """The drain that opens it fails; the next ones end quietly, until one gets through."""
    (intent, _) = ready(ledger, erp, 2)
    gate = Gate(ledger, erp, Terms(open_after=1), owner="test")

    class Line(FakeErp):
        def create(self, journal: Journal) -> Delivery:
            gate.failed("ConnectError from erp.example")
            return Delivery("NOT_SENT", None, None, "UNREACHABLE", "no listener", "")

    with pytest.raises(ConnectorError, match="no listener"):
        run(ledger, Line(), erp, gate)
    quiet = run(ledger, FakeErp(), erp, gate)
    assert (quiet.confirmed, quiet.waiting) == ((), 2)
    assert "1 failures in a row, the last: ConnectError" in quiet.kept
    gate.came_through()
    assert intent in run(ledger, FakeErp(), erp, gate).confirmed
