"""Both sides of the books compared, as every night: on an ERP in memory, then with real Tryton."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import select, text, update

from tests.connectors.proxy import Proxy
from tests.posting.books import BOOKED_ON, QUICK, approve, approved, open_books, propose
from tests.posting.test_delivery import ready, row_of, run
from tests.services import Tryton
from tieout.cli import main
from tieout.connectors.fake import FakeErp
from tieout.errors import ConnectorError
from tieout.ledger.embedded import Server
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import ExceptionRow, Outbox, PostingIntent
from tieout.posting.delivery import drain
from tieout.posting.intents import make_intents
from tieout.posting.payload import journal_of
from tieout.stages.completeness import Checked, check_postings

pytestmark = pytest.mark.xdist_group("posting to tryton")
AT_ONCE = dt.timedelta(0)


def checked(ledger: Ledger, fake: FakeErp, erp: str, **options: object) -> Checked:
    given = {"until": BOOKED_ON, "settling": AT_ONCE, **options}
    return check_postings(ledger, fake, erp, **given)  # type: ignore[arg-type]


def exceptions(ledger: Ledger, erp: str) -> list[tuple[str, str]]:
    with ledger.session() as session:
        rows = session.scalars(
            select(ExceptionRow)
            .where(ExceptionRow.account_code == f"{erp}-EUR")
            .order_by(ExceptionRow.reason_code, ExceptionRow.exception_id)
        )
        return [(row.reason_code, row.state) for row in rows]


@pytest.fixture
def posted(ledger: Ledger, erp: str) -> tuple[FakeErp, list[str]]:
    """Three confirmed postings."""
    fake, intents = FakeErp(), ready(ledger, erp, 3)
    assert len(run(ledger, fake, erp).confirmed) == 3
    return fake, intents


def test_nothing_differs_after_a_good_day(
    ledger: Ledger, erp: str, posted: tuple[FakeErp, list[str]]
) -> None:
    result = checked(ledger, posted[0], erp)
    assert (result.documents, result.confirmed, result.differences) == (3, 3, ())
    assert (result.opened, result.resolved, result.listed) == (0, 0, True)


def test_each_difference_is_an_exception_until_it_is_gone(
    ledger: Ledger, erp: str, posted: tuple[FakeErp, list[str]]
) -> None:
    fake, _ = posted
    good = dict(fake.documents)
    one, two, three = sorted(good)
    first = good[one].lines[0]
    fake.documents[one] = replace(
        good[one], lines=(replace(first, debit_minor=1251), *good[one].lines[1:])
    )
    del fake.documents[two]
    fake.documents["77"] = replace(good[three], doc_id="77", number="F000077")
    fake.documents["78"] = replace(good[three], doc_id="78", external_ref="ZZZZZZZZZZZZZZZZ")
    fake.documents["79"] = replace(good[three], doc_id="79", external_ref="not one of ours")
    result = checked(ledger, fake, erp)
    names = ["POSTING_DIFFERS", "POSTING_DOUBLE", "POSTING_MISSING", "POSTING_UNKNOWN"]
    assert sorted(line.split()[0] for line in result.differences) == names
    assert exceptions(ledger, erp) == [(name, "open") for name in names]
    assert "debit 1251" in " ".join(result.differences)
    again = checked(ledger, fake, erp)
    assert (again.opened, again.resolved) == (0, 0)
    assert len(fake.posted("ZZZZZZZZZZZZZZZZ")) == 1  # nothing is mended by posting
    fake.documents = good
    assert checked(ledger, fake, erp).resolved == 4
    assert exceptions(ledger, erp) == [(name, "resolved") for name in names]


def test_a_document_of_a_posting_that_ended_without_one_is_found(ledger: Ledger, erp: str) -> None:
    """The refused one comes back to life: somebody restarted the job in the ERP."""
    fake, (intent,) = FakeErp(), ready(ledger, erp)
    fake.plan("create", "reject")
    run(ledger, fake, erp)
    assert checked(ledger, fake, erp).differences == ()
    with ledger.session() as session:
        made = session.get_one(PostingIntent, intent)
    other, books = FakeErp(), ready_again(ledger, erp)
    run(ledger, other, erp)
    (document,) = other.documents.values()
    fake.documents = {"5": replace(document, doc_id="5", external_ref=made.ext_ref)}
    missing, late = sorted(checked(ledger, fake, erp).differences)
    assert missing.startswith("POSTING_MISSING") and len(books) == 1
    assert "F000001 is posted, but the posting here is REJECTED" in late


def ready_again(ledger: Ledger, erp: str) -> list[str]:
    with ledger.session() as session:
        approve(session, propose(session, erp, "second"))
    return list(make_intents(ledger, erp, actor="test").made)


def test_what_is_under_way_is_left_for_the_next_night(ledger: Ledger, erp: str) -> None:
    """Posted there, its reply lost; and one confirmed that the extract does not show yet."""
    fake, intents = FakeErp(), ready(ledger, erp, 2)
    fake.plan("read", "", "lost reply")
    run(ledger, fake, erp)
    states = {row_of(ledger, intent).state for intent in intents}
    assert "DRAFTED" in states or states == {"CONFIRMED"}
    hour = dt.timedelta(hours=1)
    fake_empty = FakeErp()
    assert checked(ledger, fake, erp, settling=hour).differences == ()
    assert checked(ledger, fake_empty, erp, settling=hour).differences == ()
    assert len(checked(ledger, fake_empty, erp).differences) >= 1


def test_an_old_difference_is_looked_at_again_beyond_the_window(
    ledger: Ledger, erp: str, posted: tuple[FakeErp, list[str]]
) -> None:
    fake, _ = posted
    kept = fake.documents.pop("1")
    assert checked(ledger, fake, erp).opened == 1
    later = BOOKED_ON + dt.timedelta(days=200)
    result = checked(ledger, fake, erp, until=later)
    assert (result.since, result.resolved) == (BOOKED_ON, 0)
    fake.documents["1"] = kept
    assert checked(ledger, fake, erp, until=later).resolved == 1
    assert checked(ledger, fake, erp, until=later).documents == 0


def test_an_erp_that_does_not_answer_changes_no_exception(
    ledger: Ledger, erp: str, posted: tuple[FakeErp, list[str]]
) -> None:
    fake, _ = posted
    fake.documents.pop("1")
    checked(ledger, fake, erp)
    fake.plan("extract", "no effect")
    with pytest.raises(ConnectorError):
        checked(ledger, fake, erp)
    assert exceptions(ledger, erp) == [("POSTING_MISSING", "open")]


class Unlisted:
    """An ERP that can only be asked for one reference at a time."""

    def __init__(self, fake: FakeErp) -> None:
        for name in ("capability", "create", "post", "find", "read", "delete_draft"):
            setattr(self, name, getattr(fake, name))


def test_an_erp_without_a_list_is_asked_for_each_reference(
    ledger: Ledger, erp: str, posted: tuple[FakeErp, list[str]]
) -> None:
    fake, _ = posted
    fake.documents.pop("1")
    result = checked(ledger, Unlisted(fake), erp)  # type: ignore[arg-type]
    assert (result.listed, result.documents) == (False, 2)
    assert [line.split()[0] for line in result.differences] == ["POSTING_MISSING"]


@pytest.fixture(scope="module")
def in_tryton(
    ledger: Ledger, tryton: Tryton, postgres: Server
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Three postings in real Tryton, and its database to do there what no client may."""
    open_books(ledger, "tryton", company="NORD", journal="bank", gl_account="1810")
    approved(ledger, "tryton", 3, company="NORD", journal="bank", accounts=("6855", "1810"))
    make_intents(ledger, "tryton", actor="test")
    connector = tryton.connector()
    done = drain(ledger, connector, "tryton", owner="test", budget=60, limits=QUICK)
    connector.close()
    assert len(done.confirmed) == 3
    with psycopg.connect(postgres.libpq(tryton.process.database), autocommit=True) as database:
        yield database


def test_with_real_tryton(
    ledger: Ledger,
    tryton: Tryton,
    in_tryton: psycopg.Connection[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    connector = tryton.connector()
    result = check_postings(ledger, connector, "tryton", until=BOOKED_ON, settling=AT_ONCE)
    assert (result.documents, result.confirmed, result.differences) == (3, 3, ())
    with ledger.session() as session:
        rows = session.execute(
            select(Outbox.erp_doc_id, PostingIntent)
            .join(PostingIntent, PostingIntent.intent_id == Outbox.intent_id)
            .where(Outbox.erp == "tryton")
            .order_by(Outbox.erp_doc_id)
        ).all()
        session.execute(
            update(Outbox).values(changed_at=text("clock_timestamp() - interval '2 hours'"))
        )
    (one, _), (two, _), (_, intent) = rows
    in_tryton.execute(
        "UPDATE account_move_line SET debit = debit * 2, credit = credit * 2 WHERE move = %s", [one]
    )
    in_tryton.execute(
        "UPDATE account_move SET description = replace(description, '[', '[ZZ') WHERE id = %s",
        [two],
    )
    double = connector.create(journal_of(intent.payload, intent.ext_ref))
    assert connector.post(double.doc_id or "").outcome == "OK"
    process = tryton.process
    address = f"http://{process.login}:{process.password}@127.0.0.1:{process.port}"
    monkeypatch.setenv("TIEOUT_DATABASE", ledger.address)
    monkeypatch.setenv("TIEOUT_ERP_TRYTON", f"{address}/{process.database}")
    assert main(["outbox", "check", "--days", "3000"]) == 1
    said = capsys.readouterr().out
    assert "3 documents in the ERP, 3 confirmed here" in said  # one renamed, one more
    assert exceptions(ledger, "tryton") == [
        ("POSTING_DIFFERS", "open"),
        ("POSTING_DOUBLE", "open"),
        ("POSTING_MISSING", "open"),
    ]
    in_tryton.execute(
        "UPDATE account_move_line SET debit = debit / 2, credit = credit / 2 WHERE move = %s", [one]
    )
    in_tryton.execute(
        "UPDATE account_move SET description = replace(description, '[ZZ', '[') WHERE id = %s",
        [two],
    )
    in_tryton.execute("UPDATE account_move SET description = 'gone' WHERE id = %s", [double.doc_id])
    assert main(["outbox", "check", "--days", "3000"]) == 0
    assert {state for _, state in exceptions(ledger, "tryton")} == {"resolved"}
    connector.close()


def test_a_dry_run_shows_trytons_own_request(
    ledger: Ledger,
    tryton: Tryton,
    in_tryton: psycopg.Connection[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Byte for byte what is sent afterwards, without the session; what it would refuse is said."""
    with ledger.session() as session:
        good = propose(
            session, "tryton", "dry", company="NORD", journal="bank", accounts=("6855", "1810")
        )
        bad = propose(
            session, "tryton", "wet", company="NORD", journal="bank", accounts=("9999", "1810")
        )
        for made in (good, bad):
            approve(session, made)
    process = tryton.process
    with Proxy(process.port) as proxy:
        address = f"http://{process.login}:{process.password}@127.0.0.1:{proxy.port}"
        monkeypatch.setenv("TIEOUT_DATABASE", ledger.address)
        monkeypatch.setenv("TIEOUT_ERP_TRYTON", f"{address}/{process.database}")
        moves = "SELECT count(*) FROM account_move"
        before = in_tryton.execute(moves).fetchone()
        assert main(["post", "--dry-run"]) == 1
        said = capsys.readouterr().out
        shown = {line["id"]: line for line in map(json.loads, said.splitlines())}
        assert in_tryton.execute(moves).fetchone() == before
        assert not any(b"move.create" in request for request in proxy.seen)
        assert "ACCOUNT_UNKNOWN" in shown[bad]["refusal"]
        assert process.password not in said and "Session" not in said
        request = shown[good]["request"]
        assert request.startswith(f"POST /{process.database}/rpc/\n")
        main(["post"])
        (sent,) = [request for request in proxy.seen if b"move.create" in request]
    assert request.split("\n\n", 1)[1].encode() in sent
