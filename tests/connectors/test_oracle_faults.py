"""Whatever breaks on the way to Oracle: the outcome says no more than what is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.rigs.oracle import DAY, OracleRig, connect, open_rig, profile
from tieout.connectors.oracle_fusion import OracleFusionConnector
from tieout.connectors.ports import Delivery, Journal, JournalLine, Trace
from tieout.errors import ConnectorError, ProfileError

REFERENCE = "ABCDEFGHIJKLMNOP"


@pytest.fixture
def rig() -> Iterator[OracleRig]:
    with open_rig() as found:
        yield found


def outcome(delivery: Delivery) -> tuple[str, str]:
    return delivery.outcome, delivery.code


FAULTS = (
    # fault, outcome, code, documents once everything has arrived and worked
    ("lost reply", "UNKNOWN", "CONNECTION_LOST", 1),
    ("no effect", "UNKNOWN", "CONNECTION_LOST", 0),
    ("late", "UNKNOWN", "CONNECTION_LOST", 1),
    ("throttle", "THROTTLED", "HTTP_429", 0),
    ("maintenance", "UNKNOWN", "HTTP_503", 0),
    ("error before", "UNKNOWN", "HTTP_500", 0),
    ("error after", "UNKNOWN", "HTTP_500", 1),
)


@pytest.mark.parametrize("liability", [False, True], ids=["journal", "invoice"])
@pytest.mark.parametrize(("fault", "told", "code", "count"), FAULTS)
def test_a_create(
    rig: OracleRig, fault: str, told: str, code: str, count: int, liability: bool
) -> None:
    journal = rig.invoice(REFERENCE) if liability else rig.journal(REFERENCE)
    rig.fault("create", fault)
    delivery = rig.connector.create(journal)
    assert outcome(delivery) == (told, code)
    assert delivery.doc_id is None
    rig.let_work()
    trace = rig.connector.find(journal)
    assert (len(trace.documents), trace.refused) == (count, "")
    assert len(rig.books(REFERENCE)) == count


@pytest.mark.parametrize(("fault", "told", "code", "posted"), FAULTS)
def test_a_post(rig: OracleRig, fault: str, told: str, code: str, posted: int) -> None:
    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    rig.let_work()
    (document,) = rig.connector.find(journal).documents
    rig.fault("post", fault)
    assert outcome(rig.connector.post(document.doc_id)) == (told, code)
    rig.let_work()
    (there,) = rig.books(REFERENCE)
    assert there.state == ("posted" if posted else "draft")
    assert rig.connector.post(document.doc_id).outcome == ("OK" if posted else "PENDING")


@pytest.mark.parametrize(("fault", "told", "code", "gone"), FAULTS)
def test_a_delete(rig: OracleRig, fault: str, told: str, code: str, gone: int) -> None:
    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    rig.let_work()
    (document,) = rig.connector.find(journal).documents
    rig.fault("delete", fault)
    assert outcome(rig.connector.delete_draft(document.doc_id)) == (told, code)
    rig.let_work()
    assert len(rig.books(REFERENCE)) == 1 - gone
    assert rig.connector.delete_draft(document.doc_id).outcome == "OK"


@pytest.mark.parametrize("fault", ["no effect", "throttle", "maintenance", "error before"])
def test_a_look_that_fails_is_not_an_answer(rig: OracleRig, fault: str) -> None:
    journal = rig.journal(REFERENCE)
    for kind in ("find", "jobs"):
        rig.fault(kind, fault)
        with pytest.raises(ConnectorError):
            rig.connector.find(journal)
    rig.fault("read", fault)
    with pytest.raises(ConnectorError):
        rig.connector.read("journal/1")
    assert rig.connector.read("journal/1") is None
    rig.fault("read", fault)
    assert rig.connector.post("journal/1").outcome == "NOT_SENT"
    rig.fault("masters", fault)
    assert rig.connector.create(journal).outcome == "NOT_SENT"
    assert rig.tenant.plan.seen().get("create") is None


def test_an_output_that_cannot_be_read_is_not_an_answer(rig: OracleRig) -> None:
    journal = rig.journal(REFERENCE)
    rig.connector.create(journal)
    rig.close_period(DAY)
    rig.let_work()
    rig.fault("status", "maintenance")
    with pytest.raises(ConnectorError):
        rig.connector.find(journal)
    assert rig.connector.find(journal).refused.startswith("PERIOD_CLOSED")


def test_nobody_listens() -> None:
    connector = connect("http://127.0.0.1:9")
    try:
        journal = _fee()
        assert outcome(connector.create(journal)) == ("NOT_SENT", "UNREACHABLE")
        assert outcome(connector.post("journal/1")) == ("NOT_SENT", "UNREACHABLE")
        with pytest.raises(ConnectorError, match="cannot be reached"):
            connector.find(journal)
    finally:
        connector.close()


@given(st.integers(200, 599), st.binary(max_size=200))
def test_no_strange_answer_is_believed(status: int, body: bytes) -> None:
    """Whatever comes back to a submission: OK and REJECT need more than that."""
    with _scripted(lambda request: httpx.Response(status, content=body)) as connector:
        delivery = connector._posting.submit(_file(connector), "create journal")
    assert delivery.outcome == ("THROTTLED" if status == 429 else "UNKNOWN")
    assert len(delivery.response_sha256) == 64


ANSWERS = (
    # status, body, outcome, code
    (201, '{"ReqstId": "12"}', "PENDING", "ACCEPTED"),
    (200, '{"RqstId": "12"}', "PENDING", "ACCEPTED"),
    (200, '{"ReqstId": 12}', "PENDING", "ACCEPTED"),
    (201, '{"ReqstId": "-1"}', "REJECT", "SUBMISSION_REFUSED"),
    (201, '{"ReqstId": "0"}', "UNKNOWN", "UNPARSABLE"),
    (201, '{"ReqstId": null}', "UNKNOWN", "UNPARSABLE"),
    (201, '{"ReqstId": "-2"}', "UNKNOWN", "UNPARSABLE"),
    (201, '["ReqstId"]', "UNKNOWN", "UNPARSABLE"),
    (202, '{"ReqstId": "12"}', "UNKNOWN", "HTTP_202"),
    (302, '{"ReqstId": "12"}', "UNKNOWN", "HTTP_302"),
    (400, '{"o:errorDetails": [{"detail": "no"}]}', "REJECT", "SUBMISSION_REFUSED"),
    (400, "no such attribute", "UNKNOWN", "HTTP_400"),
    (400, '{"title": "Bad Request"}', "UNKNOWN", "HTTP_400"),
    (401, "", "UNKNOWN", "HTTP_401"),
    (403, "", "UNKNOWN", "HTTP_403"),
    (500, "<env:Fault>JBO-25014</env:Fault>", "UNKNOWN", "HTTP_500"),
    (503, "", "UNKNOWN", "HTTP_503"),
)


@pytest.mark.parametrize(("status", "body", "told", "code"), ANSWERS)
def test_answers_to_a_submission(status: int, body: str, told: str, code: str) -> None:
    with _scripted(lambda request: httpx.Response(status, content=body.encode())) as connector:
        assert outcome(connector._posting.submit(_file(connector), "create journal")) == (
            told,
            code,
        )


REFUSALS = (
    # what is wrong, code, part of the mapping it names
    ("account", "GL_ACCOUNT_UNKNOWN", "[accounts] bank_charges"),
    ("account off", "GL_ACCOUNT_BLOCKED", "[accounts] bank_charges"),
    ("cost center", "COST_CENTER_UNKNOWN", "[dimensions.cost_centers] 6855"),
    ("cost center off", "COST_CENTER_BLOCKED", "[dimensions.cost_centers] 6855"),
    ("category", "TEXT_TOO_LONG", ""),
    ("period", "PERIOD_CLOSED", ""),
    ("future", "PERIOD_CLOSED", ""),
    ("no period", "PERIOD_CLOSED", ""),
    ("company", "COMPANY_OTHER", ""),
    ("currency", "CURRENCY_OTHER", ""),
    ("unbalanced", "UNBALANCED", ""),
    ("empty", "UNBALANCED", ""),
    ("sides", "LINE_SIDES", ""),
    ("foreign sides", "LINE_SIDES", ""),
    ("reference", "REFERENCE_MALFORMED", ""),
)


@pytest.mark.parametrize(("what", "code", "place"), REFUSALS)
def test_what_cannot_be_posted_is_refused_unsent(
    rig: OracleRig, what: str, code: str, place: str
) -> None:
    journal, world = rig.journal(REFERENCE), rig.tenant.books.world
    debit, credit = journal.lines
    if what == "account":
        del world.accounts["6855"]
    elif what == "account off":
        world.accounts["6855"].enabled = False
    elif what == "cost center":
        del world.cost_centers["110"]
    elif what == "cost center off":
        world.cost_centers["110"].ends_on = date(2026, 11, 19)
    changes: dict[str, dict[str, Any]] = {
        "category": {"journal_code": "A category of far too many letters"},
        "period": {"booked_on": date(2026, 9, 30)},
        "future": {"booked_on": date(2026, 12, 1)},
        "no period": {"booked_on": date(2031, 1, 1)},
        "company": {"company": "OTHER"},
        "currency": {"currency": "USD"},
        "unbalanced": {"lines": (debit, replace(credit, credit_minor=1))},
        "empty": {"lines": ()},
        "sides": {"lines": (replace(debit, credit_minor=350), credit)},
        "foreign sides": {
            "lines": (replace(debit, foreign_minor=-1, foreign_currency="USD"), credit)
        },
        "reference": {"external_ref": "lower-case"},
    }
    delivery = rig.connector.create(replace(journal, **changes.get(what, {})))
    assert outcome(delivery) == ("REJECT", code)
    assert place in delivery.message
    if place:
        assert "mappings/erp/oracle.toml:" in delivery.message
    assert rig.tenant.plan.seen().get("create") is None


def test_a_ledger_of_one_currency_takes_no_other() -> None:
    with open_rig(single_currency=True) as rig:
        lines = (
            JournalLine("6855", 10, 0),
            JournalLine("1840", 0, 10, foreign_minor=-11, foreign_currency="USD"),
        )
        delivery = rig.connector.create(replace(rig.journal(REFERENCE), lines=lines))
        assert outcome(delivery) == ("REJECT", "CURRENCY_MIXED")


def test_an_account_made_meanwhile_is_seen(rig: OracleRig) -> None:
    world = rig.tenant.books.world
    kept = world.accounts.pop("6855")
    assert rig.connector.create(rig.journal(REFERENCE)).outcome == "REJECT"
    world.accounts["6855"] = kept
    assert rig.connector.create(rig.journal(REFERENCE)).outcome == "PENDING"


def test_a_reference_never_sent_is_not_looked_for(rig: OracleRig) -> None:
    assert rig.connector.find(rig.journal("x' or '1'='1")) == Trace()
    assert rig.tenant.plan.seen() == {}


def test_a_document_id_of_another_system(rig: OracleRig) -> None:
    for doc_id in ("12", "journal/", "journal/x", "1010/2026/0100000067"):
        assert outcome(rig.connector.post(doc_id)) == ("NOT_SENT", "DOC_ID")
        assert outcome(rig.connector.delete_draft(doc_id)) == ("NOT_SENT", "DOC_ID")
        with pytest.raises(ConnectorError, match="not the id of a document"):
            rig.connector.read(doc_id)


WRONG = (
    # section, key, value, part of the message
    ("posting", "post_parameters", "{ledger}", "names:"),
    ("posting", "post_parameters", "{ledger_id}", "{batch_id}"),
    ("posting", "invoices_by", "mail", "invoices_by is 'mail'"),
    ("posting", "settle_minutes", 0, "settle_minutes is 0"),
    ("posting", "sourse", "Tieout", "did you mean 'source'?"),
    ("dimensions", "segments", ["company"], "exactly once"),
    ("company", "ledger_id", 7, "'ledger_id' is 7"),
    ("cash_book", "text", "(", "unterminated"),
    ("cash_book", "text", "(?P<party>x)", "party"),
)


@pytest.mark.parametrize(("section", "key", "value", "words"), WRONG)
def test_a_wrong_mapping_is_refused(section: str, key: str, value: Any, words: str) -> None:
    mapping = profile()
    mapping[section] = mapping[section] | {key: value}
    with pytest.raises(ProfileError) as error:
        OracleFusionConnector("http://x.invalid", "a", "b", company="NORD", mapping=mapping)
    assert words in str(error.value)


def _fee() -> Journal:
    lines = (JournalLine("6855", 350, 0), JournalLine("1810", 0, 350))
    return Journal(REFERENCE, "NORD", "bank", DAY, "Bank charges", "EUR", lines)


class _scripted:  # noqa: N801
    """A connector whose network is a function."""

    def __init__(self, answer: Any) -> None:
        self._transport = httpx.MockTransport(answer)

    def __enter__(self) -> OracleFusionConnector:
        self._connector = OracleFusionConnector(
            "http://oracle.invalid",
            "user",
            "secret",
            company="NORD",
            mapping=profile(),
            transport=self._transport,
        )
        return self._connector

    def __exit__(self, *_: object) -> None:
        self._connector.close()


def _file(connector: OracleFusionConnector) -> Any:
    from tieout.connectors.oracle_fbdi import journal_file

    return journal_file([_fee()], connector._profile)
