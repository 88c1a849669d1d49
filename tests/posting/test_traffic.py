"""Budgets, circuits and calendars: pure decisions over any schedule, then shared by real workers."""

from __future__ import annotations

import datetime as dt
import threading
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieout.connectors.gated import GatedTransport, HeldError, retry_after
from tieout.connectors.http_wire import HttpWire, Timeouts
from tieout.errors import ProfileError
from tieout.ledger.ledger import Ledger
from tieout.posting.gate import Gate, standing
from tieout.posting.maintenance import Rule, Window, covering
from tieout.posting.traffic import Granted, Refused, Terms, Traffic, answered, failed, grant
from tieout.posting.traffic_profile import load_terms, terms_of
from tieout.profiles import load, mappings_dir

NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
MILLISECOND = dt.timedelta(milliseconds=1)


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Terms, list[tuple[int, list[int]]]]:
    """Terms, and for each request for a permit the pause before it and how late its requests go."""
    requests = draw(st.integers(2, 12))
    terms = Terms(
        requests=requests,
        period=draw(st.integers(1, 400)) * MILLISECOND,
        burst=draw(st.integers(1, requests - 1)),
        at_once=draw(st.integers(1, 5)),
        late=draw(st.integers(0, 60)) * MILLISECOND,
    )
    late = terms.late // MILLISECOND
    lateness = st.lists(st.integers(0, late), min_size=5, max_size=5)
    return terms, draw(st.lists(st.tuples(st.integers(0, 90), lateness), max_size=80))


@given(schedules())
@settings(max_examples=400, deadline=None)
def test_no_window_of_the_vendors_length_sees_more_than_the_budget(
    drawn: tuple[Terms, list[tuple[int, list[int]]]],
) -> None:
    """Whoever asks, whenever, and however late each request leaves within its permit."""
    terms, schedule = drawn
    traffic, now, left = Traffic(), NOW, []
    for pause, lateness in schedule:
        now += pause * MILLISECOND
        verdict = grant(terms, traffic, now, least=len(lateness))
        if isinstance(verdict, Granted):
            assert verdict.requests == min(terms.at_once, terms.burst)
            traffic = verdict.traffic
            left += [now + late * MILLISECOND for late in lateness[: verdict.requests]]
        else:
            assert verdict.why == "budget" and verdict.until > now
            assert isinstance(grant(terms, traffic, verdict.until, least=5), Granted)
    left.sort()
    spans = zip(left, left[terms.requests :], strict=False)
    assert all(last - first > terms.period for first, last in spans)


@given(schedules())
@settings(max_examples=100, deadline=None)
def test_a_clock_set_back_grants_nothing_more(
    drawn: tuple[Terms, list[tuple[int, list[int]]]],
) -> None:
    terms, schedule = drawn
    traffic, now, granted = Traffic(), NOW, 0
    for pause, _ in schedule:
        now -= pause * MILLISECOND
        verdict = grant(terms, traffic, now)
        if isinstance(verdict, Granted):
            traffic, granted = verdict.traffic, granted + verdict.requests
    assert granted <= terms.burst


def test_a_circuit_rests_longer_each_time_and_lets_one_request_try() -> None:
    terms, traffic, now, rests = Terms(open_after=3), Traffic(), NOW, []
    for _ in range(2):
        traffic = failed(terms, traffic, now, "timeout")
        assert isinstance(grant(terms, traffic, now), Granted)
    for _ in range(9):
        traffic = failed(terms, traffic, now, "timeout")
        refused = grant(terms, traffic, now)
        assert isinstance(refused, Refused) and refused.why == "circuit"
        assert "timeout" in refused.words
        rests.append((refused.until - now).total_seconds())
        now = refused.until
        probe = grant(terms, traffic, now)
        assert isinstance(probe, Granted) and probe.requests == 1
        traffic = probe.traffic
        second = grant(terms, traffic, now)
        assert isinstance(second, Refused) and second.until == now + terms.lease
    assert rests == [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]
    dead = grant(terms, traffic, now + terms.lease)  # who was let through never came back
    assert isinstance(dead, Granted) and dead.requests == 1
    free = grant(terms, answered(traffic), now)
    assert isinstance(free, Granted) and free.requests == terms.at_once


def test_requests_that_were_under_way_do_not_lengthen_the_rest() -> None:
    terms, traffic = Terms(open_after=1), failed(Terms(open_after=1), Traffic(), NOW, "first")
    after = failed(terms, traffic, NOW + dt.timedelta(seconds=5), "second")
    assert (after.opened, after.open_until) == (traffic.opened, traffic.open_until)


PACIFIC = ZoneInfo("America/Los_Angeles")
BERLIN = ZoneInfo("Europe/Berlin")
UPDATE = Window("update", Rule(4, 3), dt.time(21), dt.timedelta(hours=8), PACIFIC)


@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        ("2026-11-21T04:58:29Z", None),
        ("2026-11-21T04:59:00Z", "2026-11-21T13:00:00Z"),  # it would run into it
        ("2026-11-21T05:00:00Z", "2026-11-21T13:00:00Z"),  # Friday 21:00 in Los Angeles
        ("2026-11-21T12:59:59Z", "2026-11-21T13:00:00Z"),
        ("2026-11-21T13:00:00Z", None),
        ("2026-11-28T05:00:00Z", None),  # the fourth Friday
        ("2026-07-18T04:00:00Z", "2026-07-18T12:00:00Z"),  # summer time there
    ],
)
def test_the_third_friday_is_counted_where_the_vendor_is(moment: str, ends: str | None) -> None:
    found = covering([UPDATE], dt.datetime.fromisoformat(moment), dt.timedelta(seconds=90))
    assert (found and found[1]) == (ends and dt.datetime.fromisoformat(ends))


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        (Rule(), list(range(1, 31))),
        (Rule(5), [7, 14, 21, 28]),
        (Rule(0, 1), [2]),
        (Rule(0, 5), [30]),
        (Rule(6, 5), [29]),
        (Rule(6, -1), [29]),
        (Rule(5, 5), []),
        (Rule(5, -1), [28]),
        (Rule(on=dt.date(2026, 11, 5)), [5]),
    ],
)
def test_rules_name_the_days_of_a_month(rule: Rule, days: list[int]) -> None:
    month = [dt.date(2026, 11, day) for day in range(1, 31)]
    assert [day.day for day in month if day in rule] == days


def test_an_hour_that_comes_twice_is_covered_twice() -> None:
    night = Window("night", Rule(), dt.time(2, 30), dt.timedelta(minutes=30), BERLIN)
    day = [
        dt.datetime(2026, 10, 25, 0, tzinfo=dt.UTC) + n * dt.timedelta(minutes=10)
        for n in range(18)
    ]
    down = [
        moment.strftime("%H:%M") for moment in day if covering([night], moment, dt.timedelta(0))
    ]
    assert (down[0], down[-1], len(down)) == ("00:30", "01:50", 9)


@given(st.integers(0, 5 * 366 * 24 * 60), st.integers(1, 7 * 24 * 60))
@settings(max_examples=200, deadline=None)
def test_a_daily_window_of_a_day_leaves_no_gap(after: int, minutes: int) -> None:
    """What covers a moment ends after it; where it lasts a day (and an hour), it covers all."""
    window = Window("w", Rule(), dt.time(3, 15), dt.timedelta(minutes=minutes), BERLIN)
    now = NOW + dt.timedelta(minutes=after)
    found = covering([window], now, dt.timedelta(0))
    if minutes >= 25 * 60:
        assert found is not None
    if found is not None:
        assert now < found[1] <= now + window.lasts + dt.timedelta(hours=1)


GOOD = """[erp]
name = "x"

[traffic]
requests = 6000
per_seconds = 300
burst = 100
concurrent = 8

[[maintenance]]
name = "quarterly"
every = "third friday"
at = 21:00:00
hours = 8
timezone = "America/Los_Angeles"

[[maintenance]]
on = 2026-12-05
at = 20:30:00
minutes = 90
timezone = "UTC"
"""


def read(tmp_path: Path, text: str) -> Terms:
    path = tmp_path / "x.toml"
    path.write_text(text)
    return terms_of(load(path), path)


def test_a_profile_says_budget_and_calendar(tmp_path: Path) -> None:
    terms = read(tmp_path, GOOD)
    assert (terms.requests, terms.period, terms.burst) == (6000, dt.timedelta(minutes=5), 100)
    assert [window.rule for window in terms.maintenance] == [
        Rule(4, 3),
        Rule(on=dt.date(2026, 12, 5)),
    ]
    assert terms.lease == dt.timedelta(seconds=90)


@pytest.mark.parametrize(
    ("before", "after", "line", "says"),
    [
        ("burst = 100", "burst = 6000", 7, "not below requests"),
        ("burst = 100", "brust = 100", 7, "did you mean 'burst'"),
        ("burst = 100", 'burst = "100"', 7, "whole number"),
        ("concurrent = 8", "concurrent = 0", 8, "whole number"),
        ("per_seconds = 300", "", 5, "stands alone"),
        ('every = "third friday"', 'every = "3rd friday"', 12, "third friday"),
        ("hours = 8", "hours = 800", 14, "whole number"),
        ("minutes = 90", "minutes = 0", 17, "at most a week"),
        ("at = 20:30:00", 'at = "20:30"', 19, "at = 21:00:00"),
        ('timezone = "UTC"', 'timezone = "Mars/Base"', 21, "no time zone"),
        ("on = 2026-12-05", 'every = "day"\non = 2026-12-05', 18, "give one of"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(
    tmp_path: Path, before: str, after: str, line: int, says: str
) -> None:
    assert before in GOOD
    with pytest.raises(ProfileError) as caught:
        read(tmp_path, GOOD.replace(before, after))
    assert f"mappings/erp/x.toml:{line} " in str(caught.value)
    assert says in str(caught.value)


def test_every_mapping_of_ours_has_good_terms() -> None:
    names = sorted(path.stem for path in (mappings_dir() / "erp").glob("*.toml"))
    assert "tryton" in names
    for name in names:
        assert load_terms(name).open_after > 0


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("99999999999999", 86_400),
        ("Mon, 23 Nov 2026 08:02:00 GMT", 120),
        ("Mon, 23 Nov 2026 07:00:00 GMT", 0),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_both_forms(said: str, seconds: int | None) -> None:
    wait = retry_after(httpx.Headers({"Retry-After": said}), NOW)
    assert (None if wait is None else wait.total_seconds()) == seconds


def gate(ledger: Ledger, erp: str, terms: Terms, owner: str = "one") -> Gate:
    return Gate(ledger, erp, terms, owner=owner)


def test_two_workers_share_one_budget(ledger: Ledger, erp: str) -> None:
    """On real time and two connections: what leaves is counted as the vendor would count it."""
    terms = Terms(
        requests=12,
        period=dt.timedelta(milliseconds=300),
        burst=5,
        at_once=3,
        late=dt.timedelta(milliseconds=200),
    )
    left: list[float] = []
    lock = threading.Lock()

    def work(door: Gate, until: float) -> None:
        while time.monotonic() < until:
            if not door.ready():
                with ledger.session() as session:
                    verdict = door.reserve(session)
                if isinstance(verdict, Refused):
                    door.nap(verdict, until)
                    continue
                door.hold(verdict)
            door.enter()
            with lock:
                left.append(time.monotonic())

    until = time.monotonic() + 2
    doors = [gate(ledger, erp, terms, name) for name in ("one", "two")]
    workers = [threading.Thread(target=work, args=(door, until)) for door in doors]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    left.sort()
    assert len(left) >= 20  # 14 a second are allowed
    spans = [last - first for first, last in zip(left, left[terms.requests :], strict=False)]
    assert min(spans) > terms.period.total_seconds()


def test_permits_out_are_limited_and_end_with_their_worker(ledger: Ledger, erp: str) -> None:
    terms = Terms(concurrent=1, at_once=1)
    one, two = gate(ledger, erp, terms), gate(ledger, erp, terms, "two")
    one.enter()
    with pytest.raises(HeldError, match="under way"):
        two.enter()
    one.enter()  # its own permit comes back first
    one.rest()
    two.enter()
    dead = gate(ledger, f"{erp}x", Terms(concurrent=1, lease=dt.timedelta(0)))
    dead.enter()
    gate(ledger, f"{erp}x", terms, "two").enter()


def test_failures_of_one_worker_stop_the_other(ledger: Ledger, erp: str) -> None:
    terms = Terms(open_after=2, at_once=2)
    one, two = gate(ledger, erp, terms), gate(ledger, erp, terms, "two")
    for door in (one, two):
        door.enter()
        door.failed("ConnectTimeout from erp.example")
    for door in (one, two):
        with pytest.raises(HeldError, match="2 failures in a row") as caught:
            door.enter()
        assert caught.value.code == "HELD_CIRCUIT"
    with ledger.session() as session:
        refused = standing(session, erp, terms)
    assert refused is not None and refused.why == "circuit"
    two.came_through()
    one.enter()


def answers(*responses: httpx.Response | Exception) -> httpx.MockTransport:
    queue = list(responses)

    def answer(request: httpx.Request) -> httpx.Response:
        response = queue.pop(0)
        if isinstance(response, Exception):
            raise response
        return response

    return httpx.MockTransport(answer)


def test_every_request_of_a_connector_passes_the_gate(ledger: Ledger, erp: str) -> None:
    """A refused permit is a request of which nothing was sent; Retry-After stops all workers."""
    door = gate(ledger, erp, Terms())
    inner = answers(httpx.Response(200), httpx.Response(429, headers={"Retry-After": "70"}))
    wire = HttpWire("https://erp.example", "the ERP", Timeouts(), GatedTransport(door, inner))
    assert wire.exchange("GET", "/", point="look").kind == "answered"
    assert wire.exchange("POST", "/", point="write").status == 429
    held = wire.exchange("POST", "/", point="write")
    wire.close()
    assert (held.kind, held.code) == ("unsent", "HELD_RETRY_AFTER")
    with ledger.session() as session:
        refused = standing(session, erp, Terms())
    assert refused is not None and refused.why == "retry after"


@pytest.mark.parametrize(
    ("answer", "opens"),
    [
        (httpx.ConnectError("refused"), True),
        (httpx.ReadTimeout("silence"), True),
        (httpx.Response(502), True),
        (httpx.Response(503), True),
        (httpx.Response(500, headers={"content-type": "text/html"}), True),
        (httpx.Response(500, headers={"content-type": "application/json"}), False),
        (httpx.Response(422), False),
    ],
)
def test_what_counts_as_a_failure_of_the_line(
    ledger: Ledger, erp: str, answer: httpx.Response | Exception, opens: bool
) -> None:
    terms = Terms(open_after=1)
    wire = HttpWire(
        "https://erp.example",
        "ERP",
        Timeouts(),
        GatedTransport(gate(ledger, erp, terms), answers(answer)),
    )
    wire.exchange("POST", "/", point="write")
    wire.close()
    with ledger.session() as session:
        assert (standing(session, erp, terms) is not None) == opens
