"""Whatever people do, in whatever order, between runs: nothing is taken twice, nothing is lost."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from tests.stages.small import DAY, NEXT, Small
from tieout.audit import verify
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.ledger.models import EntryRow, GroupRow, ItemRow, MemberRow
from tieout.stages.match_by_hand import Asked, match_by_hand
from tieout.stages.match_decide import confirm, reject, undo

STEPS = 40
BOOKED = [1000, 2500, 2500, 4000, -1500, 990, 7300]
TOLD = [1000, 2500, 2500, 3000, 1000, -1500, 1000, 7300, -40]


def world(ledger: Ledger) -> tuple[Small, list[str]]:
    small = Small(ledger)
    for at, amount in enumerate(BOOKED):
        small.book(f"RE-2026-0000{at}", amount, DAY)
    small.sync()
    told = [(amount, f"RE-2026-0000{at}") for at, amount in enumerate(TOLD)]
    return small, small.statement(DAY, *told)


def step(small: Small, entries: list[str], chance: random.Random) -> str:
    """One thing a person might do; refusals are as good as deeds."""
    who = chance.choice(["anna", "bert"])
    act = chance.choice(["add", "add", "add", "undo", "undo", "confirm", "reject", "run"])
    with small.ledger.session() as session:
        states = ("confirmed", "proposed") if act != "confirm" else ("proposed", "undone")
        query = select(GroupRow.group_id).where(GroupRow.state.in_(states))
        known = list(session.scalars(query.order_by(GroupRow.group_id)))
    try:
        if act == "run":
            small.reconcile()
        elif act == "add":
            _add(small, entries, chance, who)
        elif known:
            ids = [chance.choice(known)]
            if act == "undo":
                undo(small.ledger, ids, who, "x", again=chance.random() < 0.3)
            else:
                (confirm if act == "confirm" else reject)(small.ledger, ids, who, "x")
    except LedgerError as error:
        assert error.remedy
        return error.code
    return act


def _add(small: Small, entries: list[str], chance: random.Random, who: str) -> None:
    chosen = chance.sample(entries, chance.choice([1, 1, 2]))
    items = [
        f"RE-2026-0000{n}" for n in chance.sample(range(len(BOOKED)), chance.choice([1, 1, 2]))
    ]
    part = chance.choice([*chosen, *items])
    amounts = {part: Decimal(chance.randrange(1, 3000)) / 100} if chance.random() < 0.5 else {}
    force = chance.random() < 0.4
    match_by_hand(
        small.ledger,
        Asked(chosen, items, who, "x", amounts, chance.choice(["", "charge"]), force),
    )


def check(small: Small) -> None:
    """Conservation, and no row claimed beyond what there is."""
    tie = small.tie_out(NEXT)
    assert tie.unexplained_minor == 0
    with small.ledger.session() as session:
        for side, table, key, column in (
            ("entry", EntryRow, EntryRow.entry_id, EntryRow.amount_minor),
            ("item", ItemRow, ItemRow.item_id, ItemRow.open_minor),
        ):
            claimed = (
                select(MemberRow.member_id, func.sum(func.abs(MemberRow.amount_minor)))
                .where(MemberRow.side == side, MemberRow.live)
                .group_by(MemberRow.member_id)
            )
            there = {k: abs(v) for k, v in session.execute(select(key, column).select_from(table))}
            assert all(there[k] >= taken for k, taken in session.execute(claimed))
        live = select(GroupRow.state).join(MemberRow, MemberRow.group_id == GroupRow.group_id)
        assert set(session.scalars(live.where(MemberRow.live))) <= {"confirmed", "proposed"}
        assert verify(session)[1] == []


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_deeds_and_runs_conserves_and_settles(fresh_ledger: Ledger, seed: int) -> None:
    small, entries = world(fresh_ledger)
    chance = random.Random(seed)
    done = []
    for _ in range(STEPS):
        done.append(step(small, entries, chance))
        check(small)
    assert {"add", "undo"} <= set(done), "the walk did something"
    small.reconcile()
    with small.ledger.session() as session:
        ordered = select(GroupRow.group_id, GroupRow.state).order_by(GroupRow.group_id)
        before = session.execute(ordered).all()
    assert not small.reconcile().changed, "running again concludes nothing new"
    with small.ledger.session() as session:
        assert session.execute(ordered).all() == before
    check(small)
