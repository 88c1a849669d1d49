"""How many requests a system gets, and when it gets none: pure functions over one small record.

A request leaves with a permit. The record of a connection (`Traffic`) is the same for all workers;
`tieout.posting.gate` keeps it in the database and uses the database's clock.

* **Budget**: the vendor counts requests in a sliding window. A token bucket, kept as the instant at
  which it will be full again, is filled so slowly that no window of the vendor's length ever sees
  more than `Terms.requests`, also when a request leaves late.
* **Concurrency**: permits that are out are leases; those of a dead worker end by themselves.
* **Circuit**: after failures in a row nobody sends for a while; then a single request is let
  through. Its success opens the way for all, its failure doubles the rest.
* **Maintenance** and the system's own ``Retry-After`` refuse everything until they end.

What is refused is not tried and does not count: the rows stay what they are.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final, Literal

from tieout.posting.maintenance import Window, covering

__all__ = [
    "Granted",
    "Refused",
    "Terms",
    "Traffic",
    "Why",
    "answered",
    "closed",
    "failed",
    "grant",
    "told_to_wait",
]

Why = Literal["maintenance", "retry after", "circuit", "budget", "concurrency"]

_MICROSECOND: Final = dt.timedelta(microseconds=1)
_LOOK_AGAIN: Final = dt.timedelta(seconds=1)  # a lease may come back long before it ends
_DOUBLINGS_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Terms:
    """What a vendor allows, and how careful we are; from ``[traffic]`` of its mapping.

    Attributes:
        requests: at most so many in any window of ``period``, at least 2; 0 for no limit.
        burst: of those, how many may leave at once; below ``requests``.
        concurrent: permits out at a time; 0 for no limit.
        at_once: requests of a permit, at most ``burst``: a worker asks the database once for so
            many. What a claim needs to get on (look, post, look again) should fit into one.
        late: how long after its permit a request may leave.
        lease: how long a permit is out at most: until its last request has been answered.
        open_after: failures in a row that open the circuit.
        open_for, open_for_max: the first rest, doubled with each, and its cap.
        maintenance: the vendor's calendar.
    """

    requests: int = 0
    period: dt.timedelta = dt.timedelta(minutes=1)
    burst: int = 1
    concurrent: int = 0
    at_once: int = 8
    late: dt.timedelta = dt.timedelta(seconds=30)
    lease: dt.timedelta = dt.timedelta(seconds=90)
    open_after: int = 5
    open_for: dt.timedelta = dt.timedelta(seconds=30)
    open_for_max: dt.timedelta = dt.timedelta(minutes=30)
    maintenance: tuple[Window, ...] = ()

    @property
    def interval(self) -> dt.timedelta:
        """How long one request takes to come back into the bucket, rounded up."""
        span = (self.period + self.late) // _MICROSECOND
        return -(-span // (self.requests - self.burst)) * _MICROSECOND

    def rest(self, opened: int) -> dt.timedelta:
        """How long the circuit stays open when it opens for the ``opened``-th time in a row."""
        return min(self.open_for * (1 << min(opened - 1, _DOUBLINGS_MAX)), self.open_for_max)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is remembered of a connection.

    Attributes:
        full_at: when the bucket is full again; None where nothing was taken yet.
        failures: in a row.
        opened: how often in a row the circuit opened; 0 while it is closed.
        open_until: the end of its rest.
        probe_until: when the request that was let through counts as lost.
        not_before: the system asked us to wait until then.
        trouble: the last failure, for people.
    """

    full_at: dt.datetime | None = None
    failures: int = 0
    opened: int = 0
    open_until: dt.datetime | None = None
    probe_until: dt.datetime | None = None
    not_before: dt.datetime | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """A permit for ``requests``; the record after it."""

    requests: int
    traffic: Traffic


@dataclass(frozen=True, slots=True)
class Refused:
    """No permit: why, in words, and when it is worth asking again."""

    why: Why
    until: dt.datetime
    words: str

    @property
    def brief(self) -> bool:
        """Whether it is a matter of our own pace, over as soon as others have had their turn."""
        return self.why in ("budget", "concurrency")


def closed(terms: Terms, traffic: Traffic, now: dt.datetime) -> Refused | None:
    """Why nothing may leave now, whoever asks; None where only the pace decides."""
    planned = covering(terms.maintenance, now, terms.lease)
    if planned is not None:
        window, ends = planned
        return Refused("maintenance", ends, f"maintenance: {window.name}")
    if traffic.not_before is not None and now < traffic.not_before:
        return Refused("retry after", traffic.not_before, "the system asked us to wait")
    if not traffic.opened or traffic.open_until is None:
        return None
    words = f"{traffic.failures} failures in a row, the last: {traffic.trouble}"
    if now < traffic.open_until:
        return Refused("circuit", traffic.open_until, words)
    if traffic.probe_until is not None and now < traffic.probe_until:
        return Refused("circuit", traffic.probe_until, f"one request tries again; {words}")
    return None


def grant(
    terms: Terms,
    traffic: Traffic,
    now: dt.datetime,
    *,
    out: int = 0,
    first_back: dt.datetime | None = None,
    least: int = 1,
) -> Granted | Refused:
    """A permit, or why there is none.

    Args:
        out: permits of others that are out now.
        first_back: when the first of those ends.
        least: fewer requests than this are no use; above `Terms.at_once` it means that.
    """
    refused = closed(terms, traffic, now)
    if refused is not None:
        return refused
    if terms.concurrent and out >= terms.concurrent:
        until = min(first_back or now + _LOOK_AGAIN, now + _LOOK_AGAIN)
        return Refused("concurrency", until, f"{out} requests are under way")
    wanted = terms.at_once
    if traffic.opened:
        wanted = 1
        traffic = replace(traffic, probe_until=now + terms.lease)
    if not terms.requests:
        return Granted(wanted, traffic)
    interval, full_at = terms.interval, max(traffic.full_at or now, now)
    there = terms.burst + (now - full_at) // interval  # rounded down
    wanted = min(wanted, terms.burst)
    least = min(least, wanted)
    if there < least:
        until = full_at - (terms.burst - least) * interval
        return Refused("budget", until, f"{terms.requests} requests in {terms.period} are spent")
    wanted = min(wanted, there)
    return Granted(wanted, replace(traffic, full_at=full_at + wanted * interval))


def answered(traffic: Traffic) -> Traffic:
    """After an answer: the way is open."""
    return replace(traffic, failures=0, opened=0, open_until=None, probe_until=None, trouble="")


def failed(terms: Terms, traffic: Traffic, now: dt.datetime, trouble: str) -> Traffic:
    """After a request that did not come through, or that nothing but a gateway answered."""
    traffic = replace(traffic, failures=traffic.failures + 1, trouble=trouble)
    if traffic.opened:
        probing = traffic.open_until is not None and now >= traffic.open_until
        again = traffic.opened + 1 if probing else 0  # others that were under way change nothing
    else:
        again = 1 if traffic.failures >= terms.open_after else 0
    if not again:
        return traffic
    until = now + terms.rest(again)
    return replace(traffic, opened=again, open_until=until, probe_until=None)


def told_to_wait(
    terms: Terms, traffic: Traffic, now: dt.datetime, wait: dt.timedelta | None
) -> Traffic:
    """After the system said that it is too busy, with its ``Retry-After`` where it gave one."""
    until = now + (terms.open_for if wait is None else wait)
    later = until if traffic.not_before is None else max(traffic.not_before, until)
    return replace(traffic, not_before=later, probe_until=None)
