"""ERPs that call us: the row they name is looked at now, and nothing they say is believed."""

from __future__ import annotations

import datetime as dt
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from sandbox.simulators.sap_ledger import Outcome
from sandbox.simulators.sap_messages import confirmation
from sandbox.simulators.serve import serving
from tests.connectors.rigs import Rig
from tests.connectors.rigs.oracle import DAY, connect
from tests.connectors.rigs.oracle import open_rig as open_oracle
from tests.connectors.rigs.sap import SapRig
from tests.connectors.rigs.sap import open_rig as open_sap
from tests.posting.books import approved, open_books
from tests.posting.test_delivery import attempts_of, check, row_of
from tieout.connectors.hints import Hint
from tieout.connectors.oracle_callbacks import read_hint as read_oracle
from tieout.connectors.ports import JournalWriter
from tieout.connectors.sap_callbacks import read_hint as read_sap
from tieout.errors import ProfileError
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import AuditRow, Callback, CallbackWake, Outbox, PostingIntent
from tieout.posting.delivery import drain
from tieout.posting.intents import make_intents
from tieout.posting.pace import Limits
from tieout.stages.callbacks import take_callback
from tieout.stages.post import post_adjustments
from tieout.tower.callbacks import BODY_MAX, Sender, application
from tieout.wiring import open_hint_reader

LOGIN = ("sap-out", "callback-canary-7f3a")
#: A wait that no test outlives: what is looked at before its end was woken.
PATIENT = Limits(backoff_base=dt.timedelta(hours=1), backoff_max=dt.timedelta(hours=1))
READERS = {"sap": read_sap, "oracle": read_oracle}
ACCOUNTS = {"sap": ("65100000", "11001000"), "oracle": ("6855", "1810")}


@dataclass
class Office:
    """A ledger with postings to one ERP, and the receiver of its calls."""

    ledger: Ledger
    erp: str
    vendor: str
    address: str

    def intents(self, count: int = 1) -> list[str]:
        approved(
            self.ledger,
            self.erp,
            count,
            company="NORD",
            journal="bank",
            accounts=ACCOUNTS[self.vendor],
            booked_on=DAY,
        )
        return sorted(make_intents(self.ledger, self.erp, actor="test").made)

    def drain(self, connector: JournalWriter) -> tuple[str, ...]:
        done = drain(self.ledger, connector, self.erp, owner="test", budget=20, limits=PATIENT)
        return done.confirmed

    def due(self, intent: str) -> bool:
        with self.ledger.session() as session:
            passed = Outbox.next_at <= func.clock_timestamp()
            return bool(session.scalar(select(passed).where(Outbox.intent_id == intent)))

    def reference(self, intent: str) -> str:
        with self.ledger.session() as session:
            return session.get_one(PostingIntent, intent).ext_ref

    def kept(self) -> list[Callback]:
        with self.ledger.session() as session:
            mine = select(Callback).where(Callback.erp == self.erp)
            return list(session.scalars(mine.order_by(Callback.received_at)))

    def wakes(self) -> int:
        with self.ledger.session() as session:
            mine = select(func.count()).select_from(CallbackWake).join(Callback)
            return int(session.scalar(mine.where(Callback.erp == self.erp)) or 0)

    def post(self, body: bytes, login: tuple[str, str] = LOGIN) -> int:
        return httpx.post(self.address, content=body, auth=login, timeout=10).status_code


@contextmanager
def office(ledger: Ledger, erp: str, vendor: str, **options: Any) -> Iterator[Office]:
    name, (_, bank) = f"{erp}-{vendor}", ACCOUNTS[vendor]
    open_books(ledger, name, company="NORD", journal="bank", gl_account=bank)
    senders = {name: Sender(name, *LOGIN, READERS[vendor])}
    with serving(application(ledger, senders, **options)) as base:
        yield Office(ledger, name, vendor, f"{base}/callbacks/{name}")


@pytest.fixture
def sap() -> Iterator[SapRig]:
    with open_sap("bulk") as rig:
        rig.tenant.caller.login = LOGIN
        yield rig


@pytest.fixture
def here(ledger: Ledger, erp: str, sap: SapRig) -> Iterator[Office]:
    with office(ledger, erp, "sap") as opened:
        sap.tenant.caller.address = opened.address
        yield opened


def message(*references: str, number: str = "RUN") -> bytes:
    """A confirmation that nothing was refused, without any document."""
    told = [(reference, Outcome(None, ())) for reference in references]
    now = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    return confirmation("Create", {"MessageHeader": {"ID": number}}, told, now)


def test_a_confirmation_has_its_posting_looked_at_at_once(here: Office, sap: SapRig) -> None:
    (intent,) = here.intents()
    assert here.drain(sap.connector) == ()
    assert (row_of(here.ledger, intent).state, here.due(intent)) == ("UNKNOWN", False)
    assert here.drain(sap.connector) == (), "its wait is an hour"
    sap.let_work()
    assert sap.tenant.caller.answers == [202]
    assert here.due(intent)
    assert here.drain(sap.connector) == (intent,)
    assert attempts_of(here.ledger, intent) == ["create PENDING", "find OK", "find OK"]
    (kept,) = here.kept()
    assert kept.refs == [here.reference(intent)] and kept.problem == ""
    assert b"JournalEntryBulkCreateConfirmation" in kept.body
    check(here.ledger)


def test_a_callback_that_comes_twice_late_or_never_changes_nothing(
    here: Office, sap: SapRig
) -> None:
    intents = here.intents(3)
    sap.fault("callback", "duplicate", "late", "lost")
    here.drain(sap.connector)
    sap.let_work()
    assert sap.tenant.caller.answers == [202, 202]
    assert (len(here.kept()), here.wakes()) == (1, 1)
    (first,) = here.drain(sap.connector)
    sap.let_work()
    (second,) = here.drain(sap.connector)
    assert (len(here.kept()), here.wakes()) == (2, 2)
    with here.ledger.session() as session:  # the one nobody told of waits its time out
        own = Outbox.intent_id.in_(intents)
        session.execute(update(Outbox).where(own).values(next_at=func.clock_timestamp()))
    (third,) = here.drain(sap.connector)
    assert sorted((first, second, third)) == intents
    assert here.post(here.kept()[0].body) == 202, "long after"
    assert (len(here.kept()), here.wakes()) == (2, 2)
    check(here.ledger)


def test_a_callback_before_the_answer_is_kept_for_the_next_run(here: Office, sap: SapRig) -> None:
    (intent,) = here.intents()
    sap.fault("create", "at once")
    assert here.drain(sap.connector) == ()
    assert sap.tenant.caller.answers == [202]
    assert (here.wakes(), here.due(intent)) == (0, False), "the worker had it in hand"
    done = post_adjustments(here.ledger, sap.connector, here.erp)
    assert (done.posted, here.wakes()) == (1, 1)
    check(here.ledger)


def test_a_callback_of_what_was_never_sent_changes_nothing(here: Office, sap: SapRig) -> None:
    (intent,) = here.intents()
    here.drain(sap.connector)
    before = row_of(here.ledger, intent)
    assert here.post(message("ABCDEFGHIJKLMNOP", "no reference", "")) == 202
    assert [callback.refs for callback in here.kept()] == [["ABCDEFGHIJKLMNOP"]]
    after = row_of(here.ledger, intent)
    assert (here.wakes(), after.next_at, after.fence) == (0, before.next_at, before.fence)


def test_what_a_callback_says_is_never_believed(here: Office, sap: SapRig) -> None:
    """It tells of a document while SAP has none, or of a refusal while SAP has one."""
    (intent,) = here.intents()
    here.drain(sap.connector)
    assert here.post(message(here.reference(intent))) == 202
    assert here.due(intent)
    assert here.drain(sap.connector) == ()
    assert row_of(here.ledger, intent).state == "UNKNOWN"
    sap.let_work()
    assert here.drain(sap.connector) == (intent,)
    assert len(sap.books(here.reference(intent))) == 1
    check(here.ledger)


def test_who_is_not_known_is_refused_and_leaves_nothing(
    here: Office, sap: SapRig, caplog: pytest.LogCaptureFixture
) -> None:
    (intent,) = here.intents()
    here.drain(sap.connector)
    forged = message(here.reference(intent))
    caplog.set_level(logging.DEBUG)
    other = here.address.rpartition("/")[0] + "/ANOTHER"
    for login in (("sap-out", "wrong"), ("other", LOGIN[1]), ("", ""), ("sap-out", "")):
        assert here.post(forged, login) == 401
    assert httpx.post(here.address, content=forged).status_code == 401
    for header in ("Basic", "Basic ???", "Bearer x", "Basic " + "A" * 9):
        refused = httpx.post(here.address, content=forged, headers={"authorization": header})
        assert refused.status_code == 401
        assert refused.content == b""
    assert httpx.post(other, content=forged, auth=LOGIN).status_code == 401
    assert (here.kept(), here.due(intent)) == ([], False)
    assert here.post(forged) == 202 and here.due(intent)
    said = caplog.text + repr(Sender(here.erp, *LOGIN, read_sap))
    assert LOGIN[1] not in said


def test_what_cannot_be_read_is_kept_for_people(here: Office) -> None:
    bombs = b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    for body in (b"", b"no xml", b"\xff\xfe<a/>"):
        assert here.post(body) == 400
    assert [callback.problem.split(":")[0] for callback in here.kept()] == (
        ["CALLBACK_UNPARSABLE"] * 3
    )
    assert here.post(bombs) in (202, 400)
    assert here.post(b"<a/>") == 202, "well-formed, and of nobody"
    assert here.kept()[-1].refs == []
    assert httpx.get(here.address, auth=LOGIN).status_code == 405


def test_a_body_has_an_end_in_size_and_time(ledger: Ledger, erp: str) -> None:
    with office(ledger, erp, "sap", seconds=0.2) as here:
        assert here.post(b"x" * (BODY_MAX + 1)) == 413

        def endless() -> Iterator[bytes]:
            while True:
                yield b"x" * 65536

        with httpx.Client() as client:
            try:
                status = client.post(here.address, content=endless(), auth=LOGIN).status_code
            except httpx.WriteError:
                status = 413  # the receiver has hung up
            assert status == 413
        parts = urlsplit(here.address)
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as slow:
            basic = httpx.BasicAuth(*LOGIN)._auth_header
            head = f"POST {parts.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
            slow.sendall(f"{head}Authorization: {basic}\r\n\r\nabc".encode())
            assert slow.recv(64).startswith(b"HTTP/1.1 408")
        assert here.kept() == []


def test_after_a_fail_over_nothing_is_woken_before_its_time(here: Office, sap: SapRig) -> None:
    """What the old database may still have in flight lands first, whatever calls."""
    (intent,) = here.intents()
    here.drain(sap.connector)
    with here.ledger.session() as session:
        own = Outbox.intent_id == intent
        session.execute(update(Outbox).where(own).values(epoch="another/1"))
    here.drain(sap.connector)
    sap.let_work()
    assert sap.tenant.caller.answers == [202]
    assert (here.wakes(), here.due(intent)) == (0, False)


def test_what_a_worker_has_in_hand_is_woken_when_it_lets_go(here: Office, sap: SapRig) -> None:
    """Else the look it makes now, which began before, would use the hint up."""
    (intent,) = here.intents()
    here.drain(sap.connector)
    own = Outbox.intent_id == intent
    with here.ledger.session() as session:
        session.execute(update(Outbox).where(own).values(owner="another worker"))
    sap.let_work()
    assert (here.wakes(), here.due(intent)) == (0, False)
    with here.ledger.session() as session:
        session.execute(update(Outbox).where(own).values(owner=None))
    assert here.post(here.kept()[0].body) == 202
    assert (len(here.kept()), here.wakes(), here.due(intent)) == (1, 1, True)


def test_a_held_posting_stays_held(here: Office, sap: SapRig) -> None:
    (intent,) = here.intents()
    here.drain(sap.connector)
    with here.ledger.session() as session:
        own = Outbox.intent_id == intent
        session.execute(update(Outbox).where(own).values(held="anna: wait"))
    sap.let_work()
    assert here.drain(sap.connector) == ()


def test_callbacks_stay_as_they_came(here: Office) -> None:
    assert here.post(message("ABCDEFGHIJKLMNOP")) == 202
    for change in (
        update(Callback).values(refs=[]),
        delete(Callback),
        update(CallbackWake).values(intent_id="x"),
    ):
        with pytest.raises(DBAPIError), here.ledger.session() as session:
            session.execute(change)
    row = "('x', 'E', 'not its hash', 'body', '{}', false)"
    with pytest.raises(DBAPIError, match="callback_body"), here.ledger.session() as session:
        session.execute(
            text(
                f"INSERT INTO callbacks (callback_id, erp, sha256, body, refs, batch) VALUES {row}"
            )
        )


def test_the_wake_is_in_the_posting_s_history(here: Office, sap: SapRig) -> None:
    (intent,) = here.intents()
    here.drain(sap.connector)
    sap.let_work()
    (kept,) = here.kept()
    with here.ledger.session() as session:
        rows = session.scalars(
            select(AuditRow).where(AuditRow.subject_id == intent, AuditRow.action == "called back")
        )
        assert [(row.actor, row.detail) for row in rows] == [
            (here.erp, {"callback": kept.callback_id})
        ]
    check(here.ledger)


@pytest.mark.parametrize(("fault", "answers"), [("", 1), ("twice", 2), ("lost", 0), ("late", 0)])
@pytest.mark.parametrize("count", [1, 3])
def test_oracle_s_message_at_the_end_of_a_chain(
    ledger: Ledger, erp: str, fault: str, answers: int, count: int
) -> None:
    """Of one document its own is woken, of a batch everything that waits."""
    with office(ledger, erp, "oracle") as here, open_oracle() as rig:
        tenant = rig.tenant
        tenant.caller.login = LOGIN
        connector = connect(rig.url, options={"callback_url": here.address})
        intents = here.intents(count)
        tenant.plan.add("callback", fault)
        assert here.drain(connector) == ()
        rig.let_work()
        assert tenant.caller.answers == [202] * answers
        assert [here.due(intent) for intent in intents] == [answers > 0] * count
        rig.let_work()
        assert [here.due(intent) for intent in intents] == [fault != "lost"] * count
        for _ in range(3):
            here.drain(connector)
            rig.let_work()
            release(here)
        assert {row_of(ledger, intent).state for intent in intents} == {"CONFIRMED"}
        assert [len(booked(rig, here.reference(intent))) for intent in intents] == [1] * count
        connector.close()
        check(ledger)


def booked(rig: Rig, reference: str) -> list[str]:
    return [one.doc_id for one in rig.books(reference) if one.state == "posted"]


def release(here: Office) -> None:
    """Everything that waits is due."""
    with here.ledger.session() as session:
        own = Outbox.erp == here.erp
        session.execute(update(Outbox).where(own).values(next_at=func.clock_timestamp()))


def test_only_systems_that_call_have_a_reader() -> None:
    assert open_hint_reader("sap")(message("ABCDEFGHIJKLMNOP")) == Hint(("ABCDEFGHIJKLMNOP",))
    for erp, code in (("tryton", "CALLBACKS_NOT_OFFERED"), ("nothing", "PROFILE_MISSING")):
        with pytest.raises(ProfileError) as caught:
            open_hint_reader(erp)
        assert caught.value.code == code
    with pytest.raises(ProfileError, match="CALLBACK_SECRET"):
        Sender("sap", "name", "", read_sap)


def test_the_same_bytes_are_one_callback(ledger: Ledger, erp: str) -> None:
    taken = [take_callback(ledger, erp, message("ABCDEFGHIJKLMNOP"), read_sap) for _ in range(2)]
    assert [(one.new, one.woken, one.problem) for one in taken] == [(True, (), ""), (False, (), "")]
    assert take_callback(ledger, f"{erp}X", message("ABCDEFGHIJKLMNOP"), read_sap).new
