"""Post: approved adjustments become intents, and the outbox is drained into the ERP.

Killed at any moment and run again, it leaves one document in the ERP for each intent: the outbox
remembers what was tried, and the protocol asks before it acts (`tieout.posting`).
"""

from __future__ import annotations

import os
import socket
from dataclasses import asdict, dataclass

from tieout.connectors.ports import JournalWriter
from tieout.ledger import Ledger
from tieout.posting.delivery import drain
from tieout.posting.gate import Gate
from tieout.posting.hints import wake
from tieout.posting.intents import make_intents
from tieout.stages.runs import record_findings, stage_run

__all__ = ["PostResult", "post_adjustments"]

#: Seconds after which a run begins no further intent; the next run goes on.
BUDGET_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class PostResult:
    """What one run of the stage did; ``posted`` counts documents confirmed in this run.

    Attributes:
        intents: approved adjustments that got their intent.
        refused: rejected by the ERP, or not sent because the approval does not bind them.
        waiting: unfinished rows of the outbox afterwards.
        manual: rows that now need a person.
        kept: why the ERP gets nothing now, and until when (maintenance, circuit …); else empty.
    """

    intents: int
    posted: int
    refused: int
    waiting: int
    manual: int
    kept: str = ""


def post_adjustments(
    ledger: Ledger, connector: JournalWriter, erp: str, gate: Gate | None = None
) -> PostResult:
    """Make intents of approved adjustments of one ERP, then deliver all that is due.

    Args:
        gate: the same that the connector's requests pass.

    Raises:
        ConnectorError: the ERP could not be reached at all; nothing is lost.
    """
    with stage_run(ledger, "post", erp=erp) as run:
        owner = f"{socket.gethostname()}/{os.getpid()}/{run.run_id}"
        made = make_intents(ledger, erp, actor="tieout")
        with ledger.session() as session:
            record_findings(session, run.run_id, "erp", erp, made.refused)
            wake(session, erp)  # callbacks that came while their posting was in hand
        done = drain(ledger, connector, erp, owner=owner, budget=BUDGET_SECONDS, gate=gate)
        result = PostResult(
            intents=len(made.made),
            posted=len(done.confirmed),
            refused=len(done.rejected) + len(made.refused),
            waiting=done.waiting,
            manual=len(done.manual),
            kept=done.kept,
        )
        run.outcome = asdict(result)
    return result
