"""The nightly two-way check: what we say we posted, and what the ERP says carries our references.

Each posted document of ours in the ERP must have a CONFIRMED posting; each CONFIRMED posting must
have exactly one document there, equal to what was approved. What differs becomes an exception of
its bank account and is never mended by posting; the exception goes when the difference does.

An ERP that can list documents by the form of our references (`PostingReader`) is asked once. Where
it cannot, every posting of ours is looked up by its reference; then only documents whose reference
the ledger does not know stay unseen, and the result says so.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tieout.connectors.ports import ErpDocument, Journal, JournalWriter, PostingReader
from tieout.errors import LedgerError
from tieout.exceptions import POSTINGS, ExceptionDraft, record_exceptions
from tieout.ledger import Ledger, database_now
from tieout.ledger.models import Account, Adjustment, ExceptionRow, Outbox, PostingIntent
from tieout.posting.payload import journal_of
from tieout.posting.readback import differences
from tieout.posting.reversal import REVERSAL, document_to_reverse
from tieout.stages.runs import stage_run

__all__ = ["DAYS", "Checked", "check_postings"]

#: Days back, if nobody says otherwise: a month's close, and a little more.
DAYS: Final = 40
#: What changed since then may still be under way, in the ledger or in the ERP's extract.
SETTLING: Final = dt.timedelta(hours=1)
#: Rows that have an end of their own; what else is unfinished may be about to be confirmed.
_ENDED: Final = ("REJECTED", "CANCELLED", "MANUAL")
_DUE_DAYS: Final = 1


@dataclass(frozen=True, slots=True)
class Checked:
    """What one check saw.

    Attributes:
        since: the first booking day asked for.
        documents: posted documents of ours in the ERP.
        confirmed: postings of ours that must be there.
        differences: what does not agree, one line each.
        opened, resolved: exceptions.
        listed: whether the ERP listed its documents; else each of ours was looked up.
    """

    since: dt.date
    documents: int
    confirmed: int
    differences: tuple[str, ...]
    opened: int
    resolved: int
    listed: bool


@dataclass(frozen=True, slots=True)
class _Ours:
    """One posting of ours as the ledger has it."""

    intent_id: str
    adjustment_id: str
    account_code: str
    amount_minor: int
    currency: str
    state: str
    settled: bool
    document_no: str
    journal: Journal


def check_postings(
    ledger: Ledger,
    connector: JournalWriter,
    erp: str,
    *,
    until: dt.date | None = None,
    days: int = DAYS,
    settling: dt.timedelta = SETTLING,
) -> Checked:
    """Compare both sides; write what differs as exceptions.

    Args:
        until: the day to count back from; the database's by default.
        days: how far back; open differences are looked at again however old they are.
        settling: what changed in the ledger more recently is left for the next check.

    Raises:
        ConnectorError: the ERP could not be asked; no exception is touched.
    """
    with stage_run(ledger, "check_postings", erp=erp) as run:
        with ledger.session() as session:
            since = _since(session, erp, until, days)
            before = _ours(session, erp, since, settling)
        listed = isinstance(connector, PostingReader)
        documents = _documents(connector, before, since, _companies(ledger, erp))
        with ledger.session() as session:
            # Read again: what was confirmed while the ERP answered is no difference.
            now = _ours(session, erp, since, settling)
            found = _compare(session, erp, before, now, documents)
            opened, resolved = _record(session, erp, found)
        result = Checked(
            since=since,
            documents=len(documents),
            confirmed=sum(1 for ours in now.values() if ours.state == "CONFIRMED"),
            differences=tuple(f"{d.reason_code} {code}: {d.reason}" for code, d in found),
            opened=opened,
            resolved=resolved,
            listed=listed,
        )
        run.outcome = asdict(result) | {
            "since": since.isoformat(),
            "differences": len(result.differences),
        }
    return result


def _since(session: Session, erp: str, until: dt.date | None, days: int) -> dt.date:
    """The first day; an open difference that is older is not forgotten."""
    day = (until or database_now(session).date()) - dt.timedelta(days=days)
    oldest = session.scalar(
        select(func.min(ExceptionRow.on))
        .join(Account, Account.code == ExceptionRow.account_code)
        .where(
            Account.erp == erp,
            ExceptionRow.reason_code.in_(POSTINGS),
            ExceptionRow.state != "resolved",
        )
    )
    return day if oldest is None else min(day, oldest)


def _companies(ledger: Ledger, erp: str) -> list[str]:
    with ledger.session() as session:
        found = select(Account.company).where(Account.erp == erp).distinct()
        return list(session.scalars(found.order_by(Account.company)))


def _ours(session: Session, erp: str, since: dt.date, settling: dt.timedelta) -> dict[str, _Ours]:
    """All postings of the window by reference."""
    late = database_now(session) - settling
    rows = session.execute(
        select(PostingIntent, Outbox, Adjustment)
        .join(Outbox, Outbox.intent_id == PostingIntent.intent_id)
        .join(Adjustment, Adjustment.adjustment_id == PostingIntent.adjustment_id)
        .where(PostingIntent.erp == erp, Adjustment.booked_on >= since)
        .order_by(PostingIntent.ext_ref)
    )
    found = {}
    for intent, row, adjustment in rows:
        journal = journal_of(intent.payload, intent.ext_ref)
        if adjustment.kind == REVERSAL:
            reverses = document_to_reverse(session, adjustment.adjustment_id)
            journal = replace(journal, reverses=reverses)
        found[intent.ext_ref] = _Ours(
            intent_id=intent.intent_id,
            adjustment_id=adjustment.adjustment_id,
            account_code=adjustment.account_code,
            amount_minor=adjustment.amount_minor,
            currency=adjustment.currency,
            state=row.state,
            settled=row.changed_at <= late,
            document_no=row.document_no or row.erp_doc_id or "",
            journal=journal,
        )
    return found


def _documents(
    connector: JournalWriter,
    ours: Mapping[str, _Ours],
    since: dt.date,
    companies: Sequence[str],
) -> list[ErpDocument]:
    """Posted documents of ours in the ERP."""
    if isinstance(connector, PostingReader):
        return [d for company in companies for d in connector.posted_since(company, since)]
    looked = (connector.find(each.journal).documents for each in ours.values())
    return [document for found in looked for document in found if document.state == "posted"]


def _compare(
    session: Session,
    erp: str,
    before: Mapping[str, _Ours],
    now: Mapping[str, _Ours],
    documents: Sequence[ErpDocument],
) -> list[tuple[str, ExceptionDraft]]:
    """Every difference, with the bank account it belongs to, in a fixed order."""
    there: dict[str, list[ErpDocument]] = defaultdict(list)
    for document in documents:
        there[document.external_ref].append(document)
    found = []
    for reference in sorted(now.keys() | there.keys()):
        ours, posted = now.get(reference), there.get(reference, [])
        if ours is None:
            ours = _older(session, erp, reference)
        if ours is None:
            found += [_unknown(session, erp, document) for document in posted]
            continue
        was = before.get(reference)
        draft = _judge(ours, posted, known_before=was is not None and was.state == "CONFIRMED")
        if draft is not None:
            found.append((ours.account_code, draft))
    return found


def _judge(ours: _Ours, posted: list[ErpDocument], *, known_before: bool) -> ExceptionDraft | None:
    """What is wrong with one posting of ours, or None."""
    names = ", ".join(document.number or document.doc_id for document in posted)
    if len(posted) > 1:
        return _draft(ours, "POSTING_DOUBLE", f"It is posted {len(posted)} times: {names}")
    if ours.state == "CONFIRMED":
        if not posted:
            if not (known_before and ours.settled):
                return None
            words = f"Document {ours.document_no} is no longer among the ERP's posted documents"
            return _draft(ours, "POSTING_MISSING", words)
        found = differences(ours.journal, posted[0])
        words = f"Document {names} is not what was approved: {'; '.join(found)}"
        return _draft(ours, "POSTING_DIFFERS", words) if found else None
    if posted and (ours.state in _ENDED or ours.settled):
        words = f"Document {names} is posted, but the posting here is {ours.state}"
        return _draft(ours, "POSTING_UNCONFIRMED", words)
    return None


def _draft(ours: _Ours, code: str, reason: str) -> ExceptionDraft:
    return ExceptionDraft(
        reason_code=code,
        reason=reason,
        subject=("intent", ours.intent_id),
        amount_minor=ours.amount_minor,
        currency=ours.currency,
        on=ours.journal.booked_on,
        due_days=_DUE_DAYS,
        candidates={"adjustment": ours.adjustment_id, "reference": ours.journal.external_ref},
    )


def _older(session: Session, erp: str, reference: str) -> _Ours | None:
    """A posting whose own day is before the window: its document was moved into it."""
    row = session.execute(
        select(Adjustment.booked_on)
        .join(PostingIntent, PostingIntent.adjustment_id == Adjustment.adjustment_id)
        .where(PostingIntent.erp == erp, PostingIntent.ext_ref == reference)
    ).one_or_none()
    if row is None:
        return None
    return _ours(session, erp, row.booked_on, dt.timedelta(0)).get(reference)


def _unknown(session: Session, erp: str, document: ErpDocument) -> tuple[str, ExceptionDraft]:
    """A document with a reference of our form that the ledger does not know."""
    booked = {line.gl_account for line in document.lines}
    accounts = session.scalars(
        select(Account).where(Account.erp == erp).order_by(Account.code)
    ).all()
    if not accounts:
        raise LedgerError("ACCOUNT_UNKNOWN", f"no bank account posts to {erp}", where=erp)
    account = next((a for a in accounts if a.gl_account in booked), accounts[0])
    amount = sum(
        line.debit_minor - line.credit_minor
        for line in document.lines
        if line.gl_account == account.gl_account
    )
    name = document.number or document.doc_id
    draft = ExceptionDraft(
        reason_code="POSTING_UNKNOWN",
        reason=f"Document {name} carries the reference {document.external_ref}, which has the form "
        "of ours; no posting here has it",
        subject=("document", f"{erp}/{document.doc_id}"),
        amount_minor=amount,
        currency=account.currency,
        on=document.booked_on,
        due_days=_DUE_DAYS,
        candidates={"document": name, "reference": document.external_ref},
    )
    return account.code, draft


def _record(
    session: Session, erp: str, found: Sequence[tuple[str, ExceptionDraft]]
) -> tuple[int, int]:
    opened = resolved = 0
    codes = session.scalars(select(Account.code).where(Account.erp == erp).order_by(Account.code))
    for code in codes.all():
        drafts = [draft for account, draft in found if account == code]
        more, fewer = record_exceptions(session, code, drafts, only=POSTINGS)
        opened, resolved = opened + more, resolved + fewer
    return opened, resolved
