"""Report: close the day with a bank reconciliation statement of each account, mailed once.

The report is a function of the facts: it is dated by the newest row of the audit log it saw, not
by the clock, so running it again on the same facts gives the same bytes and no second mail.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tieout.audit import append
from tieout.errors import LedgerError
from tieout.home import folder
from tieout.identity import content_id
from tieout.ledger import Ledger, database_now
from tieout.ledger.models import Account, AuditRow, GroupRow, Mail
from tieout.profiles import allow_keys, load, mappings_dir, require
from tieout.reports import files
from tieout.reports.mail import Mailer, compose, file_stem
from tieout.reports.model import DayReport, check
from tieout.stages.report_rows import exception_rows, file_rows, posting_rows, proposal_rows
from tieout.stages.runs import stage_run
from tieout.stages.tie_out import account_tie_out

__all__ = ["ReportResult", "build_report", "close_report"]


@dataclass(frozen=True, slots=True)
class ReportResult:
    """What closing the day gave: the report, its files by kind, and whether it was mailed now."""

    report: DayReport
    files: dict[str, Path]
    mailed: bool
    message_id: str


@dataclass(frozen=True, slots=True)
class _Recipients:
    company_name: str
    sender: str
    recipients: Sequence[str]
    allowed: str


def close_report(ledger: Ledger, home: Path, mailer: Mailer, day: dt.date) -> ReportResult:
    """Build, write and mail the report of a day; an unchanged report is not mailed again.

    Raises:
        TieoutError: the report does not add up, or the mail server refused it.
    """
    to = _recipients("default")
    with stage_run(ledger, "report", day=day) as run:
        with ledger.session() as session:
            report = build_report(session, day, to.company_name)
        check(report)
        written = files.write(report, folder(home, "reports") / day.isoformat())
        message = compose(
            report, sender=to.sender, recipients=list(to.recipients), allowed=to.allowed
        )
        mail_path = written["html"].with_name(f"{file_stem(report)}.eml")
        mail_path.write_bytes(message.as_bytes())
        written["mail"] = mail_path
        message_id = str(message["Message-ID"])
        with ledger.session() as turn:
            # One sender at a time: two runs at once must not both find it unsent.
            turn.execute(text("SELECT pg_advisory_xact_lock(7133704)"))
            mailed = _queue(ledger, report, message_id, str(message["Subject"]), to.recipients)
            if mailed:
                mailer.send(message)
                _sent(ledger, message_id)
        run.outcome = {"mailed": mailed, "message_id": message_id}
    return ReportResult(report, written, mailed, message_id)


def build_report(session: Session, day: dt.date, company_name: str) -> DayReport:
    """Everything the report of a day says, from the ledger.

    Raises:
        LedgerError: ``REPORT_EMPTY`` before anything was recorded.
    """
    accounts = list(session.scalars(select(Account).order_by(Account.code)))
    last = session.scalars(
        select(AuditRow)
        .where(AuditRow.subject_kind != "mail")
        .order_by(AuditRow.seq.desc())
        .limit(1)
    ).first()
    if not accounts or last is None:
        raise LedgerError(
            "REPORT_EMPTY",
            "the ledger has no accounts or facts yet",
            remedy="run ingest, sync and reconcile first",
        )
    ladders = session.execute(
        select(GroupRow.ladder, GroupRow.ladder_version)
        .where(GroupRow.ladder.not_in(("own_posting", "people")))
        .distinct()
        .order_by(GroupRow.ladder, GroupRow.ladder_version)
    ).all()
    return DayReport(
        company_name=company_name,
        company=accounts[0].company,
        day=day,
        # To the second: documents carry no finer time.
        generated_at=last.at.replace(microsecond=0),
        run_id=f"audit {last.seq}/{last.row_hash[:12]}",
        accounts=tuple(account_tie_out(session, account, day) for account in accounts),
        exceptions=exception_rows(session, day),
        postings=posting_rows(session, day),
        proposals=proposal_rows(session),
        files=file_rows(session, day),
        ladder=", ".join(f"{name}@{version}" for name, version in ladders),
        policies=tuple(sorted({account.policy for account in accounts})),
    )


def _recipients(name: str) -> _Recipients:
    where = f"mappings/reports/{name}.toml"
    content = load(mappings_dir() / "reports" / f"{name}.toml")
    allow_keys(content, ("allowed", "company_name", "recipients", "sender"), where)
    return _Recipients(
        company_name=require(content, "company_name", str, where),
        sender=require(content, "sender", str, where),
        recipients=require(content, "recipients", list, where),
        allowed=require(content, "allowed", str, where),
    )


def _queue(
    ledger: Ledger, report: DayReport, message_id: str, subject: str, to: Sequence[str]
) -> bool:
    """Remember the mail before it is sent; whether it still has to be."""
    mail_id = content_id("mail", message_id)
    with ledger.session() as session:
        new = session.execute(
            insert(Mail)
            .values(
                mail_id=mail_id,
                kind="close_report",
                company=report.company,
                day=report.day,
                subject=subject,
                recipients=list(to),
                message_id=message_id,
            )
            .on_conflict_do_nothing()
            .returning(Mail.mail_id)
        ).first()
        if new is not None:
            append(session, "tieout", "queued", "mail", mail_id, {"message_id": message_id})
        return session.get_one(Mail, mail_id).sent_at is None


def _sent(ledger: Ledger, message_id: str) -> None:
    mail_id = content_id("mail", message_id)
    with ledger.session() as session:
        mail = session.get_one(Mail, mail_id, with_for_update=True)
        mail.sent_at = database_now(session)
        append(session, "tieout", "sent", "mail", mail_id, {"message_id": message_id})
