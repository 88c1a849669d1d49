"""How long things may take, and how long to wait before trying again.

All waiting is a due time in the ledger; nothing here sleeps. The jitter is a function of the
intent and its failures, so that the same history waits the same time.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

__all__ = ["Limits", "backoff"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The protocol's numbers.

    Attributes:
        lease: how long a claim holds without a sign of life; shorter than Airflow's 300 s
            heartbeat timeout, longer than any one request.
        send_grace: after its attempt is committed, a request leaves within this or not at all.
        settle: after a fail-over or restore: how long to wait until a worker that still talks
            to the old database can have nothing in flight.
        patience: how long a system may be at work on what it has accepted before a person must
            look.
        attempts_max: effects tried for one intent before a person must look; requests that
            never left and throttled ones do not count.
        backoff_base, backoff_max: the first wait, doubled with each failure, and its cap.
    """

    lease: dt.timedelta = dt.timedelta(seconds=120)
    send_grace: dt.timedelta = dt.timedelta(seconds=30)
    settle: dt.timedelta = dt.timedelta(seconds=180)
    patience: dt.timedelta = dt.timedelta(days=1)
    attempts_max: int = 12
    backoff_base: dt.timedelta = dt.timedelta(seconds=2)
    backoff_max: dt.timedelta = dt.timedelta(seconds=300)


def backoff(limits: Limits, intent_id: str, failures: int) -> dt.timedelta:
    """The wait after ``failures`` (≥ 1) failures in a row: between half of it and all of it."""
    factor = 1 << min(max(failures, 1) - 1, 20)
    whole = min(limits.backoff_base * factor, limits.backoff_max)
    digest = hashlib.sha256(f"{intent_id}/{failures}".encode()).digest()
    half = whole / 2
    return half + half * int.from_bytes(digest[:2], "big") / 65536
