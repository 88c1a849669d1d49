"""Runs: each execution of a stage leaves a row with its parameters, code version and outcome."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tieout.errors import Finding
from tieout.home import code_version
from tieout.identity import content_id
from tieout.ledger import Ledger, database_now
from tieout.ledger.models import FindingRow, Run

__all__ = ["RunRecord", "record_findings", "stage_run"]


class RunRecord:
    """An open run: its id, and the outcome to be written when it ends."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.outcome: dict[str, Any] = {}


@contextmanager
def stage_run(ledger: Ledger, stage: str, **parameters: Any) -> Iterator[RunRecord]:
    """Record a run of a stage; its outcome (or the error's text) is written at the end."""
    record = RunRecord(uuid.uuid4().hex)
    plain = {k: str(v) if isinstance(v, dt.date) else v for k, v in sorted(parameters.items())}
    with ledger.session() as session:
        session.add(
            Run(
                run_id=record.run_id,
                stage=stage,
                parameters=plain,
                code_version=code_version(),
            )
        )
    try:
        yield record
    except BaseException as error:
        record.outcome["error"] = f"{type(error).__name__}: {error}"[:500]
        raise
    finally:
        with ledger.session() as session:
            session.execute(
                update(Run)
                .where(Run.run_id == record.run_id)
                .values(outcome=record.outcome, ended_at=database_now(session))
            )


def record_findings(
    session: Session,
    run_id: str | None,
    subject_kind: str,
    subject_id: str,
    findings: Iterable[Finding],
) -> None:
    """Write findings; the same finding about the same subject is one row however often found."""
    for finding in findings:
        plain = finding.as_dict()
        key = content_id("finding", subject_kind, subject_id, *plain.values())
        row = {"finding_id": key, "run_id": run_id, **plain}
        statement = insert(FindingRow).values(
            **row, subject_kind=subject_kind, subject_id=subject_id
        )
        session.execute(statement.on_conflict_do_nothing())
