"""A sample of what the ladder confirmed by itself, for people to judge: the measure of its errors.

Drawn by rung and currency, so that a rare rung is looked at too, and inside by value: a group's
chance is in proportion to its money, the largest are drawn for certain. The same ledger, size and
seed draw the same groups; what was drawn once is not drawn again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tieout.audit import append
from tieout.errors import LedgerError
from tieout.ledger import Ledger
from tieout.ledger.models import (
    Account,
    AuditSample,
    AuditVerdict,
    EntryRow,
    GroupRow,
    MemberRow,
)
from tieout.money import format_amount
from tieout.stages.groups import ENGINE
from tieout.stages.match_ids import group_of

__all__ = ["Candidate", "draw", "judge", "pick", "queue"]

Stratum = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A group that may be drawn; ``value_minor`` is absolute."""

    group_id: str
    account_code: str
    rung: str
    currency: str
    value_minor: int


def draw(
    ledger: Ledger,
    person: str,
    *,
    size: int,
    seed: int = 0,
    account_code: str | None = None,
    since: dt.date | None = None,
) -> list[Candidate]:
    """Draw groups that nobody looked at into the queue; fewer where there are not so many.

    Args:
        since: groups with an entry booked on this day or later.

    Raises:
        LedgerError: ``SAMPLE_SIZE``, ``ACCOUNT_UNKNOWN``.
    """
    if size < 1:
        raise LedgerError(
            "SAMPLE_SIZE", f"a sample of {size}", where="--size", remedy="give 1 or more"
        )
    with ledger.session() as session:
        if account_code is not None and session.get(Account, account_code) is None:
            raise LedgerError(
                "ACCOUNT_UNKNOWN",
                f"no account has the code {account_code!r}",
                where="--account",
                remedy="`tieout rates` names the accounts",
            )
        strata = _strata(_candidates(session, account_code, since))
        drawn = pick(strata, size, seed)
        for one in drawn:
            session.add(
                AuditSample(
                    group_id=one.group_id,
                    account_code=one.account_code,
                    rung=one.rung,
                    seed=seed,
                    value_minor=one.value_minor,
                    currency=one.currency,
                    drawn_from=len(strata[one.rung, one.currency]),
                    drawn_by=person,
                )
            )
        session.flush()
        for one in drawn:
            append(session, person, "drawn", "group", one.group_id, {"seed": seed})
    return drawn


def _candidates(
    session: Session, account_code: str | None, since: dt.date | None
) -> list[Candidate]:
    value = func.sum(func.abs(MemberRow.amount_minor))
    query = (
        select(
            GroupRow.group_id,
            GroupRow.account_code,
            GroupRow.rung,
            GroupRow.currency,
            value,
        )
        .join(MemberRow, MemberRow.group_id == GroupRow.group_id)
        .where(
            GroupRow.state == "confirmed",
            GroupRow.maker == ENGINE,
            GroupRow.approver.is_(None),
            GroupRow.rung != "own_posting",
            GroupRow.group_id.not_in(select(AuditSample.group_id)),
            MemberRow.side == "entry",
        )
        .group_by(GroupRow.group_id)
        .order_by(GroupRow.group_id)
    )
    if account_code is not None:
        query = query.where(GroupRow.account_code == account_code)
    if since is not None:
        query = query.join(EntryRow, EntryRow.entry_id == MemberRow.member_id)
        query = query.having(func.max(EntryRow.booked_on) >= since)
    return [
        Candidate(group_id, code, rung, currency, int(minor))
        for group_id, code, rung, currency, minor in session.execute(query)
    ]


def _strata(candidates: Sequence[Candidate]) -> dict[Stratum, list[Candidate]]:
    strata: dict[Stratum, list[Candidate]] = {}
    for one in candidates:
        strata.setdefault((one.rung, one.currency), []).append(one)
    return dict(sorted(strata.items()))


def pick(strata: Mapping[Stratum, Sequence[Candidate]], size: int, seed: int) -> list[Candidate]:
    """The sample, by stratum and id; a function of its arguments alone."""
    picked = []
    for key, count in _shares({k: len(v) for k, v in strata.items()}, size).items():
        picked += _by_value(strata[key], count, seed)
    return sorted(picked, key=lambda c: (c.rung, c.currency, c.group_id))


def _shares(counts: Mapping[Stratum, int], size: int) -> dict[Stratum, int]:
    """How many of each stratum: one of each, the largest first, the rest in proportion."""
    size = min(size, sum(counts.values()))
    ordered = sorted(counts, key=lambda k: (-counts[k], k))
    shares = {key: int(at < size) for at, key in enumerate(ordered)}
    for _ in range(size - sum(shares.values())):
        # The stratum of which the smallest part is drawn, compared as fractions, exactly.
        open_ = [k for k in ordered if shares[k] < counts[k]]
        least = open_[0]
        for key in open_[1:]:
            if shares[key] * counts[least] < shares[least] * counts[key]:
                least = key
        shares[least] += 1
    return shares


def _by_value(candidates: Sequence[Candidate], count: int, seed: int) -> list[Candidate]:
    """``count`` of them, each with a chance in proportion to its value, in integers."""
    left = sorted(candidates, key=lambda c: _chance(seed, c.group_id))
    picked: list[Candidate] = []
    while count > len(picked):
        need, total = count - len(picked), sum(max(c.value_minor, 1) for c in left)
        sure = [c for c in left if max(c.value_minor, 1) * need >= total]
        if sure:
            picked.append(sure[0])
            left.remove(sure[0])
            continue
        return picked + _systematic(left, need, total, seed)
    return picked


def _systematic(left: Sequence[Candidate], need: int, total: int, seed: int) -> list[Candidate]:
    """Equal steps along the values laid end to end, from a start that the seed decides."""
    start = _chance(seed, "start") % total
    points = [(start + step * total) // need for step in range(need)]
    found, so_far, at = [], 0, 0
    for one in left:
        so_far += max(one.value_minor, 1)
        if at < need and points[at] < so_far:
            found.append(one)
            at += 1
    return found


def _chance(seed: int, key: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}|{key}".encode()).digest()[:16], "big")


def queue(session: Session, *, judged: bool = False) -> list[dict[str, str]]:
    """The drawn groups that nobody judged (or all of them), by account, rung and id."""
    verdicts = {
        v.group_id: v
        for v in session.scalars(select(AuditVerdict).order_by(AuditVerdict.verdict_no))
    }
    query = (
        select(AuditSample, GroupRow)
        .join(GroupRow, GroupRow.group_id == AuditSample.group_id)
        .order_by(AuditSample.account_code, AuditSample.rung, AuditSample.group_id)
    )
    rows = []
    for sample, group in session.execute(query):
        verdict = verdicts.get(sample.group_id)
        if verdict is not None and not judged:
            continue
        rows.append(
            {
                "id": sample.group_id,
                "account": sample.account_code,
                "rung": sample.rung,
                "amount": f"{format_amount(sample.value_minor, sample.currency)} {sample.currency}",
                "state": group.state,
                "verdict": f"{verdict.verdict}, {verdict.person}" if verdict else "",
                "evidence": group.evidence,
            }
        )
    return rows


def judge(session: Session, given: str, verdict: str, person: str, reason: str) -> GroupRow:
    """Write what a person found of a drawn group; judging again takes the place of before.

    Raises:
        LedgerError: ``MATCH_UNKNOWN``, ``MATCH_UNCLEAR``, ``SAMPLE_UNKNOWN`` (not drawn),
            ``REASON_MISSING``.
    """
    if not reason.strip():
        raise LedgerError("REASON_MISSING", "a verdict needs a reason", remedy="give --reason TEXT")
    group = group_of(session, given)
    if session.get(AuditSample, group.group_id) is None:
        raise LedgerError(
            "SAMPLE_UNKNOWN",
            "nobody drew this match: judging what one chose oneself measures nothing",
            where=f"match {group.group_id}",
            remedy="`tieout audit-sample list` shows what was drawn; `tieout matches undo` takes "
            "any match back",
        )
    session.add(
        AuditVerdict(group_id=group.group_id, verdict=verdict, person=person, reason=reason)
    )
    detail = {"reason": reason}
    append(session, person, f"judged {verdict}", "group", group.group_id, detail)
    return group
