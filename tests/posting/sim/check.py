"""The judge: the ERP's own ledger against how the intents ended; it knows no attempt, no fence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tieout.posting.protocol import TERMINAL

if TYPE_CHECKING:
    from tests.posting.sim.erp import Doc
    from tests.posting.sim.world import World


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a run.

    Attributes:
        problems: every violation, in words; none is how it must be.
        ends: how many intents ended how.
        faults: network faults, kills and wrong amounts that happened.
        trace: hash of everything that happened, in order.
        reasons: why intents ended as a person's.
    """

    seed: int
    kind: str
    problems: tuple[str, ...]
    ends: Counter[str]
    faults: int
    trace: str
    reasons: tuple[str, ...]


def judge(world: World) -> Verdict:
    """Compare both sides."""
    problems: list[str] = []
    for name, row in sorted(world.data.rows.items()):
        intent = world.data.intents[name]
        docs = world.erp.by_ref.get(intent.ext_ref, [])
        problems += [f"{name} {p}" for p in _wrong(row.state, row.erp_doc_id, docs, intent.amount)]
    if world.erp.breaches:
        problems.append(f"I13: a closed period took {world.erp.breaches} postings")
    rows = world.data.rows.values()
    return Verdict(
        world.seed,
        world.manners.kind,
        tuple(problems),
        Counter(row.state for row in rows),
        world.erp.faults + world.kills,
        world.trace.hexdigest(),
        tuple(sorted(row.reason for row in rows if row.state == "MANUAL")),
    )


def _wrong(state: str, doc_id: str | None, docs: list[Doc], amount: int) -> list[str]:
    posted = [doc for doc in docs if doc.posted]
    problems = []
    if len(posted) > 1:
        problems.append(f"I1: {len(posted)} posted documents")
    if state == "CONFIRMED":
        if [doc.doc_id for doc in posted] != [doc_id]:
            problems.append(f"I2: confirmed as {doc_id}, posted {[d.doc_id for d in posted]}")
        elif {line.debit_minor + line.credit_minor for line in posted[0].lines} != {amount}:
            problems.append("I2: confirmed with another amount")
    if state in ("REJECTED", "CANCELLED") and posted:
        problems.append(f"I3: {state.lower()}, but posted")
    if state not in TERMINAL:
        problems.append(f"I12: still {state}")
    return problems
