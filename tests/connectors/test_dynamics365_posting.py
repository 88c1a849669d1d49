"""Dynamics 365: journals created, posted, found, voided, whatever the line between does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.connectors.rigs.dynamics365 import (
    DAY,
    Dynamics365Rig,
    open_rig,
    open_service_rig,
    opened,
)
from tieout.connectors.http_wire import HttpAnswer
from tieout.connectors.ports import JournalLine, Liability
from tieout.errors import ConnectorError

REF = "ABCDEFGHIJKLMNOP"


@pytest.fixture
def rig() -> Iterator[Dynamics365Rig]:
    with open_rig() as found:
        yield found


@pytest.fixture
def service() -> Iterator[Dynamics365Rig]:
    with open_service_rig() as found:
        yield found


@pytest.fixture
def numbered_there() -> Iterator[Dynamics365Rig]:
    with opened({"posting": {"way": "batch", "numbering": "sequence"}}) as found:
        yield found


def test_who_posts_and_who_numbers_decide_the_class(
    rig: Dynamics365Rig, service: Dynamics365Rig, numbered_there: Dynamics365Rig
) -> None:
    found = [r.connector.capability(r.journal(REF)) for r in (rig, service, numbered_there)]
    assert [(one.kind, one.settle) for one in found] == [
        ("A", timedelta(seconds=660)),
        ("C", timedelta(0)),
        ("D", timedelta(seconds=660)),
    ]


def test_a_journal_waits_for_the_batch_job_and_is_told_from_the_ledger(
    rig: Dynamics365Rig,
) -> None:
    made = rig.connector.create(rig.journal(REF))
    assert (made.outcome, made.doc_id) == ("OK", "nord/ABCDEFGHIJ")
    assert rig.connector.post("nord/ABCDEFGHIJ").outcome == "PENDING"
    rig.let_work()
    posted = rig.connector.post("nord/ABCDEFGHIJ")
    assert (posted.outcome, posted.number) == ("OK", "GL00000001")
    (document,) = rig.books(REF)
    assert rig.connector.read("nord/ABCDEFGHIJ") == document
    assert (document.state, document.booked_on) == ("posted", DAY)
    assert [(i.gl_account, i.debit_minor - i.credit_minor) for i in document.lines] == [
        ("6855", 350),
        ("1810", -350),
    ]


def test_the_default_cost_center_stands_behind_the_main_account(rig: Dynamics365Rig) -> None:
    rig.connector.create(rig.journal(REF))
    (journal,) = rig.simulator.books.lines.values()
    assert [row["AccountDisplayValue"] for row in journal.values()] == ["6855-100", "1810"]


def test_a_second_create_of_class_a_changes_nothing(rig: Dynamics365Rig) -> None:
    first, second = (rig.connector.create(rig.journal(REF)) for _ in range(2))
    assert (first.outcome, second.outcome) == ("OK", "EXISTS")
    assert first.doc_id == second.doc_id
    assert len(rig.books(REF)) == 1


def test_a_second_create_of_class_d_makes_a_second_journal(
    numbered_there: Dynamics365Rig,
) -> None:
    made = [numbered_there.connector.create(numbered_there.journal(REF)) for _ in range(2)]
    assert [one.doc_id for one in made] == ["nord/000001", "nord/000002"]
    numbered_there.let_work()
    assert len(numbered_there.books(REF)) == 2
    found = numbered_there.connector.find(numbered_there.journal(REF))
    assert [one.state for one in found.documents] == ["posted", "posted"]


def test_a_number_that_is_another_postings_is_refused(rig: Dynamics365Rig) -> None:
    rig.connector.create(rig.journal("ABCDEFGHIJ222222"))
    made = rig.connector.create(rig.journal(REF))
    assert (made.outcome, made.code) == ("REJECT", "NUMBER_TAKEN")
    assert rig.connector.find(rig.journal(REF)).documents == ()


def test_a_refusal_in_another_language_is_looked_into(rig: Dynamics365Rig) -> None:
    rig.simulator.books.exists = "Der Datensatz ist bereits vorhanden."
    rig.fault("create", "lost reply")
    assert rig.connector.create(rig.journal(REF)).outcome == "UNKNOWN"
    assert rig.connector.create(rig.journal(REF)).outcome == "EXISTS"
    other = rig.connector.create(rig.journal("ABCDEFGHIJ222222"))
    assert (other.outcome, other.code) == ("REJECT", "NUMBER_TAKEN")
    rig.fault("read", "maintenance")
    assert rig.connector.create(rig.journal(REF)).code == "NOT_READ_BACK"


@pytest.mark.parametrize(
    ("fault", "outcome", "there"),
    [
        ("lost reply", "UNKNOWN", 1),
        ("error after", "UNKNOWN", 1),
        ("no effect", "UNKNOWN", 0),
        ("error before", "UNKNOWN", 0),
        ("maintenance", "UNKNOWN", 0),
        ("expired token", "UNKNOWN", 0),
        ("throttle", "THROTTLED", 0),
    ],
)
@pytest.mark.parametrize("opened_rig", [open_rig, open_service_rig])
def test_a_create_tells_no_more_than_it_knows(
    opened_rig: type[Dynamics365Rig], fault: str, outcome: str, there: int
) -> None:
    with opened_rig() as rig:  # type: ignore[call-arg, attr-defined]
        rig.fault("create", fault)
        made = rig.connector.create(rig.journal(REF))
        assert (made.outcome, made.doc_id) == (outcome, None)
        assert len(rig.connector.find(rig.journal(REF)).documents) == there
        again = rig.connector.create(rig.journal(REF))
        numbered = rig.connector.capability(rig.journal(REF)).kind == "A"
        assert again.outcome == ("EXISTS" if there and numbered else "OK")
        assert len(rig.books(REF)) == (1 if numbered else 1 + there)


def test_a_throttle_says_how_long_to_wait(rig: Dynamics365Rig) -> None:
    rig.fault("create", "throttle")
    assert "asks to wait 7 s" in rig.connector.create(rig.journal(REF)).message


def test_a_late_create_finds_its_number_taken(rig: Dynamics365Rig) -> None:
    rig.fault("create", "late")
    assert rig.connector.create(rig.journal(REF)).outcome == "UNKNOWN"
    assert rig.connector.find(rig.journal(REF)).documents == ()
    assert rig.connector.create(rig.journal(REF)).outcome == "OK"
    rig.let_work()
    rig.let_work()
    assert [one.state for one in rig.books(REF)] == ["posted"]


def test_a_voided_journal_keeps_its_number_so_that_a_late_create_is_never_posted(
    rig: Dynamics365Rig,
) -> None:
    rig.fault("create", "late", "")
    rig.connector.create(rig.journal(REF))
    rig.connector.create(rig.journal(REF))
    gone = rig.connector.delete_draft("nord/ABCDEFGHIJ")
    assert (gone.outcome, gone.code) == ("OK", "DELETED")
    assert rig.connector.delete_draft("nord/ABCDEFGHIJ").code == "GONE"
    rig.let_work()
    assert rig.books(REF) == []
    assert rig.connector.read("nord/ABCDEFGHIJ") is None
    assert "voided" in rig.connector.find(rig.journal(REF)).refused
    again = rig.connector.create(rig.journal(REF))
    assert (again.outcome, again.code) == ("REJECT", "VOIDED")


def test_a_journal_of_class_c_is_deleted_and_a_late_create_is_posted_by_nobody(
    service: Dynamics365Rig,
) -> None:
    service.fault("create", "late", "")
    service.connector.create(service.journal(REF))
    made = service.connector.create(service.journal(REF))
    assert made.doc_id is not None
    assert service.connector.delete_draft(made.doc_id).code == "DELETED"
    assert list(service.simulator.books.headers) == [("nord", "000001")]
    service.let_work()
    assert [one.state for one in service.books(REF)] == ["draft"]


def test_what_is_posted_or_not_ours_is_not_voided(rig: Dynamics365Rig) -> None:
    rig.connector.create(rig.journal(REF))
    rig.let_work()
    assert rig.connector.delete_draft("nord/ABCDEFGHIJ").code == "ALREADY_POSTED"
    theirs = {"dataAreaId": "nord", "JournalName": "BankAdj", "JournalBatchNumber": "000900"}
    rig.simulator.books.insert("LedgerJournalHeaders", theirs | {"Description": "By hand"})
    assert rig.connector.delete_draft("nord/000900").code == "NOT_OURS"
    assert rig.connector.delete_draft("nord/000901").code == "GONE"


@pytest.mark.parametrize("fault", ["lost reply", "no effect", "error after"])
def test_a_void_that_is_not_answered_is_unknown_and_can_be_said_again(
    rig: Dynamics365Rig, fault: str
) -> None:
    rig.connector.create(rig.journal(REF))
    rig.fault("delete", fault)
    assert rig.connector.delete_draft("nord/ABCDEFGHIJ").outcome == "UNKNOWN"
    assert rig.connector.delete_draft("nord/ABCDEFGHIJ").outcome == "OK"
    assert rig.books(REF) == []


@pytest.mark.parametrize(
    ("meanwhile", "outcome", "code"),
    [("changed", "UNKNOWN", "CHANGED"), ("posted", "REJECT", "ALREADY_POSTED")],
)
def test_a_draft_that_changes_while_it_is_voided_is_left_as_it_is(
    rig: Dynamics365Rig, meanwhile: str, outcome: str, code: str
) -> None:
    rig.connector.create(rig.journal(REF))
    inner = rig.connector.wire.exchange

    def exchange(method: str, path: str, **rest: Any) -> HttpAnswer:
        if "$batch" in path and meanwhile == "changed":
            key = {"dataAreaId": "nord", "JournalBatchNumber": "ABCDEFGHIJ"}
            text = {"Description": f"[{REF}] by hand"}
            rig.simulator.books.update("LedgerJournalHeaders", key, text)
        elif "$batch" in path:
            rig.simulator.poster.run()
        return inner(method, path, **rest)

    rig.connector.wire.exchange = exchange  # type: ignore[method-assign]
    found = rig.connector.delete_draft("nord/ABCDEFGHIJ")
    assert (found.outcome, found.code) == (outcome, code)
    (document,) = rig.books(REF)
    assert len(document.lines) == 2


def test_a_journal_the_batch_job_left_says_why(rig: Dynamics365Rig) -> None:
    rig.connector.create(rig.journal(REF))
    rig.close_period(DAY)
    rig.let_work()
    found = rig.connector.post("nord/ABCDEFGHIJ")
    assert (found.outcome, found.code) == ("REJECT", "PERIOD_CLOSED")
    rig.open_period(DAY)
    rig.let_work()
    assert rig.connector.post("nord/ABCDEFGHIJ").outcome == "OK"


def test_the_service_posts_refuses_and_posts_once(service: Dynamics365Rig) -> None:
    made = service.connector.create(service.journal(REF))
    assert made.doc_id is not None
    service.close_period(DAY)
    refused = service.connector.post(made.doc_id)
    assert (refused.outcome, refused.code) == ("REJECT", "PERIOD_CLOSED")
    service.open_period(DAY)
    service.fault("post", "lost reply")
    assert service.connector.post(made.doc_id).outcome == "UNKNOWN"
    assert service.connector.post(made.doc_id).outcome == "OK"
    assert len(service.simulator.books.entries) == 2


def test_a_cent_the_posting_added_shows_when_read_back(rig: Dynamics365Rig) -> None:
    rig.connector.create(rig.journal(REF))
    rig.fault("poster", "rounding")
    rig.let_work()
    found = rig.connector.read("nord/ABCDEFGHIJ")
    assert found is not None
    assert [line.debit_minor for line in found.lines] == [351, 0]


def test_lines_that_never_came_leave_nothing_to_adopt(numbered_there: Dynamics365Rig) -> None:
    numbered_there.fault("create", "no effect")
    made = numbered_there.connector.create(numbered_there.journal(REF))
    assert (made.outcome, made.doc_id) == ("UNKNOWN", None)
    numbered_there.let_work()
    assert numbered_there.connector.find(numbered_there.journal(REF)).documents == ()
    assert numbered_there.connector.read("nord/000001") is None
    assert numbered_there.books(REF) == []


@pytest.mark.parametrize("fault", ["lost reply", "no effect", "error after", "expired token"])
def test_a_header_alone_is_no_journal(numbered_there: Dynamics365Rig, fault: str) -> None:
    numbered_there.fault("number", fault)
    made = numbered_there.connector.create(numbered_there.journal(REF))
    assert (made.outcome, made.doc_id) == ("UNKNOWN", None)
    numbered_there.let_work()
    assert numbered_there.connector.find(numbered_there.journal(REF)).documents == ()
    assert numbered_there.connector.create(numbered_there.journal(REF)).outcome == "OK"
    numbered_there.let_work()
    assert [one.state for one in numbered_there.books(REF)] == ["posted"]


def test_a_look_that_fails_raises(rig: Dynamics365Rig) -> None:
    for fault, code in (("lost reply", "CONNECTION_LOST"), ("throttle", "THROTTLED")):
        rig.fault("find", fault)
        with pytest.raises(ConnectorError) as raised:
            rig.connector.find(rig.journal(REF))
        assert raised.value.code == code
    rig.fault("read", "maintenance")
    with pytest.raises(ConnectorError, match="HTTP_503"):
        rig.connector.read("nord/ABCDEFGHIJ")


def test_a_journal_that_was_cleaned_up_is_not_posted_again(rig: Dynamics365Rig) -> None:
    rig.connector.create(rig.journal(REF))
    rig.let_work()
    rig.simulator.books.headers.clear()
    rig.simulator.books.lines.clear()
    with pytest.raises(ConnectorError, match="JOURNAL_CLEANED_UP"):
        rig.connector.find(rig.journal(REF))


@pytest.mark.parametrize(
    ("account", "party", "code", "named"),
    [
        ("4711", None, "GL_ACCOUNT_UNKNOWN", ""),
        ("9999", None, "GL_ACCOUNT_BLOCKED", ""),
        ("3300", None, "PARTY_MISSING", ""),
        ("3300", "V-999", "PARTY_UNKNOWN", ""),
        ("3300", "V-300", "PARTY_BLOCKED", ""),
        ("7310", None, "COST_CENTER_UNKNOWN", "dynamics365.toml:"),
    ],
)
def test_what_the_masters_rule_out_is_refused_before_it_is_sent(
    account: str, party: str | None, code: str, named: str
) -> None:
    changed = {"dimensions": {"default": {"7310": ["200"]}}}
    with opened(changed) as rig:
        lines = (JournalLine(account, 350, 0, party=party), JournalLine("1810", 0, 350))
        made = rig.connector.create(replace(rig.journal(REF), lines=lines))
        assert (made.outcome, made.code) == ("REJECT", code)
        assert rig.simulator.plan.seen().get("create", 0) == 0


def test_a_refusal_names_the_line_of_the_mapping(rig: Dynamics365Rig) -> None:
    accounts = rig.simulator.books.tables["MainAccounts"]
    accounts[:] = [row for row in accounts if row["MainAccountId"] != "6855"]
    made = rig.connector.create(rig.journal(REF))
    assert made.code == "GL_ACCOUNT_UNKNOWN"
    assert "mappings/erp/dynamics365.toml:" in made.message
    assert "[accounts] bank_charges" in made.message


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("DeleteLinesAfterPosting", "Yes", "deletes its lines"),
        ("DetailLevel", "Summary", "sums its lines up"),
        ("OffsetAccountDisplayValue", "1370", "offset account"),
    ],
)
def test_a_journal_name_under_which_nothing_could_be_proved_is_refused(
    rig: Dynamics365Rig, setting: str, value: str, says: str
) -> None:
    for row in rig.simulator.books.tables["JournalNames"]:
        row[setting] = value
    made = rig.connector.create(rig.journal(REF))
    assert (made.outcome, made.code) == ("REJECT", "JOURNAL_SETTINGS")
    assert says in made.message
    assert "[journals] bank" in made.message


def test_a_cost_center_that_has_ended_is_refused() -> None:
    with opened({"dimensions": {"default": {"6855": ["300"]}}}) as rig:
        assert rig.connector.create(rig.journal(REF)).code == "COST_CENTER_UNKNOWN"
        june = rig.journal(REF, booked_on=date(2026, 6, 30))
        assert rig.connector.create(june).outcome == "OK"


def test_a_closed_period_is_refused_before_it_is_sent(rig: Dynamics365Rig) -> None:
    rig.close_period(DAY)
    assert rig.connector.create(rig.journal(REF)).code == "PERIOD_CLOSED"
    december = rig.journal(REF, booked_on=date(2026, 12, 1))
    assert rig.connector.create(december).code == "PERIOD_CLOSED"
    rig.open_period(DAY)
    assert rig.connector.create(rig.journal(REF)).outcome == "OK"


def test_foreign_amounts_come_back_to_the_cent(rig: Dynamics365Rig) -> None:
    lines = (
        JournalLine("6880", 1234, 0),
        JournalLine("1840", 0, 1234, foreign_minor=-1333, foreign_currency="USD"),
    )
    made = rig.connector.create(replace(rig.journal(REF), lines=lines))
    assert made.doc_id is not None
    draft = rig.connector.read(made.doc_id)
    rig.let_work()
    posted = rig.connector.read(made.doc_id)
    assert draft is not None
    assert posted is not None
    for document in (draft, posted):
        last = document.lines[1]
        assert (last.gl_account, last.credit_minor) == ("1840", 1234)
        assert (last.foreign_minor, last.foreign_currency) == (-1333, "USD")


def test_a_reversal_is_a_counter_journal_of_its_own(rig: Dynamics365Rig) -> None:
    made = rig.connector.create(rig.journal(REF))
    rig.let_work()
    back = (JournalLine("6855", 0, 350), JournalLine("1810", 350, 0))
    reversal = replace(rig.journal("REVERSEABCDEFGHI"), lines=back, reverses=made.doc_id)
    done = rig.connector.create(reversal)
    rig.let_work()
    assert done.outcome == "OK"
    assert rig.connector.book_balance("1810", on=DAY, currency="EUR") == 0
    missing = replace(reversal, external_ref="MISSINGABCDEFGHI", reverses="nord/NOTTHERE")
    assert rig.connector.create(missing).code == "REVERSES_UNKNOWN"
    draft = rig.connector.create(rig.journal("DRAFTABCDEFGHIJK"))
    unposted = replace(missing, reverses=draft.doc_id)
    assert rig.connector.create(unposted).code == "REVERSES_UNKNOWN"


@pytest.mark.parametrize(
    ("kind", "account", "party"),
    [("supplier", "3300", "V-100"), ("employee", "3720", "E-001")],
)
def test_a_liability_is_owed_to_its_vendor(
    rig: Dynamics365Rig, kind: str, account: str, party: str
) -> None:
    owed = Liability(party, kind, "RPT-77", DAY, date(2026, 12, 4))  # type: ignore[arg-type]
    lines = (JournalLine("6600", 4210, 0), JournalLine(account, 0, 4210, party=party))
    made = rig.connector.create(replace(rig.journal(REF), lines=lines, liability=owed))
    assert made.doc_id is not None
    (header,) = rig.simulator.books.headers.values()
    (_, line) = rig.simulator.books.lines["nord", "ABCDEFGHIJ"].values()
    assert header["JournalName"] == "VendInv"
    assert (line["AccountType"], line["Invoice"], line["DueDate"]) == (
        "Vend",
        "RPT-77",
        date(2026, 12, 4),
    )
    rig.let_work()
    found = rig.connector.read(made.doc_id)
    assert found is not None
    assert (found.lines[1].gl_account, found.lines[1].party) == (account, party)


def test_clearing_is_not_offered(rig: Dynamics365Rig) -> None:
    made = rig.connector.create(replace(rig.journal(REF), lines=(), clears=("1", "2")))
    assert (made.outcome, made.code) == ("REJECT", "NOT_OFFERED")


def test_a_batch_has_an_outcome_for_each_journal(rig: Dynamics365Rig) -> None:
    references = [f"BATCH{letter}ABCDEFGHIJ" for letter in "ABCDE"]
    journals = [rig.journal(reference) for reference in references]
    journals[1] = replace(journals[1], lines=journals[1].lines[:1])
    assert rig.connector.create(journals[3]).outcome == "OK"
    vendors = rig.simulator.books.tables["MainAccounts"]
    rig.connector.gl_accounts("nord")
    vendors[:] = [row for row in vendors if row["MainAccountId"] != "7310"]
    spoilt = (JournalLine("7310", 350, 0), JournalLine("1810", 0, 350))
    journals[2] = replace(journals[2], lines=spoilt)
    before = rig.simulator.plan.seen()["create"]
    made = rig.connector.create_batch(tuple(journals))
    assert rig.simulator.plan.seen()["create"] == before + 1
    assert [(one.outcome, one.code) for one in made] == [
        ("OK", "DRAFTED"),
        ("REJECT", "UNBALANCED"),
        ("REJECT", "GL_ACCOUNT_UNKNOWN"),
        ("EXISTS", "EXISTS"),
        ("OK", "DRAFTED"),
    ]
    rig.let_work()
    assert [len(rig.books(reference)) for reference in references] == [1, 0, 0, 1, 1]


@pytest.mark.parametrize(("fault", "there"), [("lost reply", 1), ("no effect", 0)])
def test_a_batch_that_is_not_answered_is_unknown_for_each(
    rig: Dynamics365Rig, fault: str, there: int
) -> None:
    journals = tuple(rig.journal(f"BATCH{letter}ABCDEFGHIJ") for letter in "AB")
    rig.fault("create", fault)
    assert {one.outcome for one in rig.connector.create_batch(journals)} == {"UNKNOWN"}
    found = [len(rig.connector.find(journal).documents) for journal in journals]
    assert found == [there, there]
