"""The whole day on the seeded world, against its ground truth: every stage, real PostgreSQL.

The books are the world's documents read straight (the real Tryton runs the same day in
``tests/dags``), so that every entry's outcome can be compared with what the world knows is true.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, text

from sandbox import world as worlds
from tieout.adjustments.store import decide
from tieout.audit import verify
from tieout.connectors.fake import FakeErp
from tieout.connectors.reads import CashBookLine, OpenItem, Rate
from tieout.drops.local import LocalDrop
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.ledger.embedded import Server
from tieout.ledger.models import Adjustment, EntryRow, ExceptionRow, FileRow, FindingRow, MemberRow
from tieout.posting.invariants import violations
from tieout.reports.mail import MemoryMailer
from tieout.reports.model import DayReport
from tieout.stages import expenses, ingest, post, reconcile, report, sync

DAY = dt.date(2026, 11, 20)


@dataclass
class WorldBooks:
    """The world's documents as an ERP shows them, and what was posted to the in-memory ERP."""

    world: worlds.World
    erp: FakeErp = field(default_factory=FakeErp)

    def cash_book(self, gl_account: str, *, since: dt.date) -> list[CashBookLine]:
        account = next(a for a in self.world.accounts if a.gl_account == gl_account)
        lines = [
            CashBookLine(
                line_id=d.document_no,
                move_id=d.document_no,
                move_number=None,
                booked_on=d.booked_on,
                amount_minor=d.amount_minor,
                currency=d.currency,
                company_amount_minor=d.company_amount_minor,
                party_code=None,
                party_name=d.party or None,
                document_no=d.document_no,
                payment_batch_id=d.payment_batch_id or None,
                end_to_end_id=d.end_to_end_id or None,
                narrative=d.narrative or None,
            )
            for d in self.world.documents
            if d.kind == "cash_book" and d.account_code == account.code
        ]
        for document in self.erp.documents.values():
            for line in document.lines:
                if document.state == "posted" and line.gl_account == gl_account:
                    own = line.debit_minor - line.credit_minor
                    lines.append(
                        CashBookLine(
                            line_id=f"posted-{document.doc_id}",
                            move_id=document.doc_id,
                            move_number=document.number,
                            booked_on=document.booked_on,
                            amount_minor=own if line.foreign_minor is None else line.foreign_minor,
                            currency=account.currency,
                            company_amount_minor=own,
                            party_code=None,
                            party_name=None,
                            document_no=None,
                            payment_batch_id=None,
                            end_to_end_id=None,
                            narrative=line.narrative,
                            external_ref=document.external_ref,
                        )
                    )
        return lines

    def book_balance(self, gl_account: str, *, on: dt.date, currency: str) -> int:
        account = next(a for a in self.world.accounts if a.gl_account == gl_account)
        lines = self.cash_book(gl_account, since=self.world.cutover_on)
        return account.opening_minor + sum(x.amount_minor for x in lines if x.booked_on <= on)

    def open_items(self, company: str, *, on: dt.date) -> list[OpenItem]:
        settled = {d.settles for d in self.world.documents}
        return [
            OpenItem(
                line_id=d.document_no,
                move_id=d.document_no,
                move_number=None,
                kind="receivable" if d.kind == "customer_invoice" else "payable",
                source="invoice",
                gl_account="",
                booked_on=d.booked_on,
                due_on=d.due_on,
                amount_minor=d.amount_minor if d.kind == "customer_invoice" else -d.amount_minor,
                currency=d.currency,
                company_amount_minor=d.company_amount_minor,
                party_code=None,
                party_name=d.party,
                document_no=d.document_no,
                reference=None,
                narrative=d.narrative,
            )
            for d in self.world.documents
            if d.kind != "cash_book" and d.document_no not in settled
        ]

    def company_rates(self) -> list[Rate]:
        return [Rate("USD", dt.date(2026, 11, 1), Decimal("1.0850"))]


@dataclass
class Office:
    """A company's day: where its files arrive, its ledger, its books, its mail."""

    ledger: Ledger
    home: Path
    world: worlds.World
    books: WorldBooks
    mailer: MemoryMailer = field(default_factory=MemoryMailer)

    def bank_drop(self) -> LocalDrop:
        return LocalDrop(self.home / "drop" / "banks", name="banks")

    def ingest(self) -> list[str]:
        claimed = ingest.claim_files(self.ledger, self.bank_drop(), self.home, settle_seconds=0)
        read = [i for i in claimed if ingest.read_file(self.ledger, self.home, i) == "identified"]
        good = ingest.validate_files(self.ledger, self.home, read)
        ingest.record_files(self.ledger, self.home, good)
        return claimed

    def run(self) -> tuple[int, int]:
        """One day; returns files newly claimed and documents posted."""
        claimed = len(self.ingest())
        drop = LocalDrop(self.home / "drop" / "expense", name="expense")
        expenses.sync_expenses(self.ledger, drop, self.home)
        posted = 0
        for _ in range(3):
            changed = sync.sync_books(self.ledger, self.books, "tryton")
            for code in reconcile.accounts(self.ledger):
                reconcile.reconcile_account(self.ledger, code, DAY)
            now = post.post_adjustments(self.ledger, self.books.erp, "tryton").posted
            posted += now
            if not now and not changed:
                break
        return claimed, posted

    def report(self) -> tuple[DayReport, bool]:
        done = report.close_report(self.ledger, self.home, self.mailer, DAY)
        return done.report, done.mailed


def open_office(ledger: Ledger, home: Path, seed: int) -> Office:
    world = worlds.build(seed)
    worlds.write(world, home / "drop")
    return Office(ledger, home, world, WorldBooks(world))


@dataclass
class Evening:
    """A finished day, to be copied by every test that goes on from it."""

    office: Office
    database: str
    first: tuple[int, int]
    report: DayReport


@pytest.fixture(scope="module")
def evening(
    postgres: Server, ledger_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Evening]:
    name = f"test_evening_{uuid.uuid4().hex[:8]}"
    postgres.ensure_database(name, template=ledger_template)
    ledger = Ledger(postgres.address(name))
    office = open_office(ledger, tmp_path_factory.mktemp("day"), 7)
    first = office.run()
    report_, mailed = office.report()
    assert mailed
    ledger.close()
    yield Evening(office, name, first, report_)
    postgres.drop_database(name)


@pytest.fixture
def office(evening: Evening, postgres: Server, tmp_path: Path) -> Iterator[Office]:
    """The evening, with a ledger, data folder and ERP of this test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    postgres.ensure_database(name, template=evening.database)
    home = tmp_path / "home"
    shutil.copytree(evening.office.home, home)
    erp = replace(evening.office.books.erp, documents=dict(evening.office.books.erp.documents))
    ledger = Ledger(postgres.address(name))
    yield Office(ledger, home, evening.office.world, WorldBooks(evening.office.world, erp))
    ledger.close()
    postgres.drop_database(name)


def test_a_day_ends_as_the_world_knows_it_is(evening: Evening) -> None:
    assert evening.first == (6, 12)
    report_ = evening.report
    status = {a.code: (a.status, a.unexplained_minor) for a in report_.accounts}
    assert status == {
        "NORD-EUR-COLL": ("explained", 0),
        "NORD-EUR-MAIN": ("explained", 0),
        "NORD-EUR-PAY": ("explained", 0),
        "NORD-EUR-SAVE": ("broken", 514437),
        "NORD-USD": ("tied", 0),
    }
    assert {(e.account_code, e.reason_code, e.amount_minor) for e in report_.exceptions} == {
        ("NORD-EUR-COLL", "RETURNED_PAYMENT", 221400),
        ("NORD-EUR-COLL", "AMBIGUOUS", 439646),
        ("NORD-EUR-MAIN", "UNMATCHED_ENTRY", 493672),
        ("NORD-EUR-SAVE", "STATEMENT_STAGED", 514437),
    }
    assert len(report_.exceptions) == 5, "both twins of the tie are shown"
    assert sorted(p.amount_minor for p in report_.postings) == sorted(
        [-2275, -3490, -1, -1850, -1250, -490, -490, -2875, -1990, -1500, -2500, 1411]
    )
    assert sorted(p.amount_minor for p in report_.proposals) == [
        -36825,
        -33290,
        -28085,
        -12145,
        319753,
    ]
    assert {f.state for f in report_.files} == {"duplicate", "quarantined", "recorded"}


def test_outcomes_entry_by_entry(office: Office) -> None:
    """Every entry of the accepted statements ends as the ground truth says, and no other way."""
    with office.ledger.session() as session:
        entries = {
            (e.account_code, e.ordinal): e.entry_id
            for e in session.scalars(
                select(EntryRow).where(EntryRow.account_code != "NORD-EUR-SAVE")
            )
        }
        groups: dict[str, str] = dict(
            session.execute(
                select(MemberRow.member_id, MemberRow.group_id).where(MemberRow.side == "entry")
            ).all()
        )
        rungs: dict[str, str] = dict(
            session.execute(text("SELECT group_id, rung FROM groups")).all()
        )
        kinds = dict(session.execute(select(Adjustment.subject_id, Adjustment.kind)).all())
        open_ = dict(
            session.execute(select(ExceptionRow.subject_id, ExceptionRow.reason_code)).all()
        )
    wrong = []
    for truth in office.world.truth.groups:
        for key in truth.entries:
            if truth.account_code == "NORD-EUR-SAVE":
                continue
            entry = entries.pop((truth.account_code, int(key.rpartition("#")[2])))
            group = groups.get(entry, "")
            found = (
                open_.get(entry)
                or kinds.get(entry)
                or kinds.get(group)
                or ("matched" if group else "")
            )
            if found != EXPECTED.get(truth.outcome, truth.outcome):
                wrong.append((truth.outcome, key, found, rungs.get(group)))
    assert wrong == []
    assert entries == {}, "the truth covers every entry"


EXPECTED = {
    "ambiguous": "AMBIGUOUS",
    "expense": "reimbursement",
    "returned": "RETURNED_PAYMENT",
    "unknown": "UNMATCHED_ENTRY",
}


def test_a_second_run_takes_nothing_in_posts_nothing_and_mails_nothing(
    office: Office, evening: Evening
) -> None:
    documents = dict(office.books.erp.documents)
    assert office.run() == (0, 0)
    second, mailed = office.report()
    assert not mailed
    assert office.mailer.sent == []
    assert second == evening.report
    assert office.books.erp.documents == documents


def test_the_missing_statement_closes_the_gap_by_itself(office: Office) -> None:
    later = worlds.missing_statement(office.world)
    target = office.home / "drop" / later.path
    target.write_bytes(later.content)
    claimed, posted = office.run()
    assert (claimed, posted) == (1, 2)
    report_, _ = office.report()
    save = next(a for a in report_.accounts if a.code == "NORD-EUR-SAVE")
    assert (save.status, save.unexplained_minor) == ("tied", 0)
    assert not [e for e in report_.exceptions if e.account_code == "NORD-EUR-SAVE"]


def test_approval_by_another_person_lets_it_be_posted(office: Office) -> None:
    with office.ledger.session() as session:
        receipt = session.scalars(select(Adjustment).where(Adjustment.kind == "receipt")).one()
        with pytest.raises(LedgerError, match="made this adjustment"):
            decide(session, receipt, "approve", "Tieout", receipt.payload_sha256, "")
        with pytest.raises(LedgerError, match="changed since"):
            decide(session, receipt, "approve", "anna", "0" * 64, "")
        decide(session, receipt, "approve", "anna", receipt.payload_sha256, "seen the advice")
        reject = session.scalars(
            select(Adjustment)
            .where(Adjustment.kind == "reimbursement")
            .order_by(Adjustment.amount_minor)
        ).first()
        assert reject is not None
        decide(session, reject, "reject", "anna", reject.payload_sha256, "paid twice?")
    assert office.run() == (0, 1)
    report_, _ = office.report()
    approved = [p for p in report_.postings if p.kind == "receipt"]
    assert [(p.amount_minor, p.approved_by) for p in approved] == [(319753, "anna")]
    assert all(a.unexplained_minor in (0, 514437) for a in report_.accounts)
    rejected = [e for e in report_.exceptions if e.reason_code == "RESIDUAL"]
    assert [e.amount_minor for e in rejected] == [-36825]
    assert "rejected" in rejected[0].reason
    assert office.run() == (0, 0), "a rejected proposal is not proposed again"


def test_the_order_in_which_files_come_does_not_matter(
    fresh_ledger: Ledger, tmp_path: Path, evening: Evening
) -> None:
    """One file a run, in reverse order, ends in the same conclusions as all at once."""
    late = open_office(fresh_ledger, tmp_path, 7)
    whole, aside = late.home / "drop" / "banks", late.home / "aside"
    whole.rename(aside)
    for path in sorted((p for p in aside.rglob("*") if p.is_file()), reverse=True):
        target = whole / path.relative_to(aside)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        late.ingest()
    late.run()
    report_, _ = late.report()
    assert report_.accounts == evening.report.accounts
    for rows in ("exceptions", "proposals"):
        ours, theirs = getattr(report_, rows), getattr(evening.report, rows)
        assert [replace(r, due_at=None) if rows == "exceptions" else r for r in ours] == [
            replace(r, due_at=None) if rows == "exceptions" else r for r in theirs
        ]
    assert [p.external_ref for p in report_.postings] == [
        p.external_ref for p in evening.report.postings
    ]


def test_what_is_quarantined_says_where_what_and_how_to_mend(office: Office) -> None:
    with office.ledger.session() as session:
        file = session.scalars(select(FileRow).where(FileRow.state == "quarantined")).one()
        found = session.scalars(
            select(FindingRow).where(FindingRow.subject_id == file.file_id)
        ).all()
    assert [f.code for f in found] == ["XML_TRUNCATED"]
    assert re.search(r"line \d+", found[0].where)
    assert found[0].remedy


def test_the_chain_verifies_and_the_invariants_hold(office: Office) -> None:
    with office.ledger.session() as session:
        count, findings = verify(session)
        assert violations(session) == []
    assert count > 100
    assert findings == []


@pytest.mark.parametrize("seed", [1, 2])
def test_other_worlds_tie_out_too(
    fresh_ledger: Ledger, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = open_office(fresh_ledger, tmp_path, seed)
    use_cutovers(office, monkeypatch)
    office.run()
    report_, _ = office.report()
    broken = {a.code: a.unexplained_minor for a in report_.accounts if a.unexplained_minor}
    assert list(broken) == ["NORD-EUR-SAVE"]
    with office.ledger.session() as session:
        assert violations(session) == []


def use_cutovers(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mappings with this world's cutover balances and numbers."""
    source = Path("mappings")
    target = office.home / "mappings"
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    for account in office.world.accounts:
        path = target / "accounts" / f"{account.code.lower()}.toml"
        amount = f"{account.opening_minor // 100}.{account.opening_minor % 100:02}"
        words = re.sub(r'balance = ".*"', f'balance = "{amount}"', path.read_text())
        path.write_text(re.sub(r"sequence_no = \d+", f"sequence_no = {account.sequence_no}", words))
    monkeypatch.setenv("TIEOUT_MAPPINGS", str(target))
