"""The models that are searched, each with its bounds."""

from __future__ import annotations

from dataclasses import replace

from tests.posting.model.design import Design
from tests.posting.model.erp import Rules

A, C, D, E = Rules("A", lag=True), Rules("C"), Rules("D", lag=True), Rules("E")
B = Rules("B", lag=True, expires=True)
QUEUE_OF_B = replace(B, lag=False, asynchronous=True)
SELF = {"self_posting": True, "lag": False}

#: Name → design; each is small enough for `make test`.
SMALL: dict[str, Design] = {
    "A": Design(A, claims_max=3, sends_max=3, flips_max=1),
    "B": Design(B, claims_max=3, sends_max=3, flips_max=1),
    "B, given up in the ERP": Design(
        replace(QUEUE_OF_B, cancels=True), claims_max=3, sends_max=3, releases_max=1
    ),
    "C": Design(C, claims_max=3, sends_max=4, flips_max=1),
    "D": Design(D, claims_max=3, sends_max=3, flips_max=2),
    "E": Design(E, claims_max=3, sends_max=3, flips_max=2, releases_max=1),
    "C, two persons, odd amounts": Design(
        replace(C, odd_max=1), sends_max=3, holds_max=1, cancels_max=1, releases_max=1
    ),
    "C, a stranger's document": Design(replace(C, stranger=True), sends_max=3),
    "C, fail-over": Design(C, claims_max=2, sends_max=3, failovers_max=1),
    "D, fail-over, cancel": Design(D, sends_max=3, failovers_max=1, cancels_max=1),
    "D, a queue": Design(replace(D, asynchronous=True), sends_max=4, flips_max=2),
    "D, batch of two": Design(D, lanes=2, relation="batch", sends_max=2),
    "C, batch of two": Design(C, lanes=2, relation="batch", claims_max=2, sends_max=4),
    "C, reversal": Design(C, lanes=2, relation="reversal", sends_max=4),
    "D, reversal, fail-over": Design(
        replace(D, lag=False), lanes=2, relation="reversal", sends_max=3, failovers_max=1
    ),
}

#: The deep ones; `make model` searches both.
DEEP: dict[str, Design] = {
    "A, deep": Design(A, claims_max=4, sends_max=4, flips_max=2),
    "A, upsert, self-posting": Design(
        replace(A, upsert=True, **SELF), claims_max=4, sends_max=5, flips_max=2
    ),
    "A, self-posting, no delete": Design(
        replace(A, deletes=False, **SELF), claims_max=4, sends_max=4, flips_max=2
    ),
    "A, a queue": Design(replace(A, asynchronous=True), claims_max=4, sends_max=4, flips_max=2),
    "A, fail-over": Design(A, claims_max=3, sends_max=3, flips_max=1, failovers_max=1),
    "A, people": Design(A, sends_max=4, flips_max=1, holds_max=2, cancels_max=1, releases_max=1),
    "B, deep": Design(B, claims_max=4, sends_max=4, flips_max=1),
    "B, a queue": Design(QUEUE_OF_B, claims_max=4, sends_max=3, flips_max=2),
    "B, a queue that is shown, self-posting": Design(
        replace(QUEUE_OF_B, queue_shown=True, self_posting=True), sends_max=4, flips_max=2
    ),
    "B, given up in the ERP, fail-over": Design(
        replace(QUEUE_OF_B, cancels=True), claims_max=3, sends_max=3, failovers_max=1
    ),
    "B, fail-over": Design(B, claims_max=3, sends_max=3, failovers_max=1),
    "C, deep": Design(C, claims_max=4, sends_max=5, flips_max=2),
    "C, fail-over, deep": Design(C, claims_max=3, sends_max=4, flips_max=1, failovers_max=1),
    "C, two fail-overs": Design(C, claims_max=3, sends_max=3, failovers_max=2),
    "C, a stranger's document, deep": Design(
        replace(C, stranger=True, lag=True), claims_max=3, sends_max=4, flips_max=1
    ),
    "C, three workers": Design(C, workers=3, claims_max=3, sends_max=4, flips_max=1),
    "D, deep": Design(D, claims_max=5, sends_max=5, flips_max=2),
    "D, fail-over, deep": Design(D, claims_max=4, sends_max=4, flips_max=1, failovers_max=1),
    "D, self-posting, no delete": Design(
        replace(D, self_posting=True, deletes=False), claims_max=3, sends_max=4, flips_max=2
    ),
    "D, a shown queue, self-posting": Design(
        replace(D, asynchronous=True, queue_shown=True, **SELF),
        claims_max=4,
        sends_max=4,
        flips_max=2,
    ),
    "D, people, odd amounts": Design(
        replace(D, odd_max=1), sends_max=4, flips_max=1, holds_max=2, cancels_max=1, releases_max=1
    ),
    "D, batch of two, closed periods": Design(
        D, lanes=2, relation="batch", claims_max=3, sends_max=3, flips_max=1
    ),
    "C, batch of two, deep": Design(C, lanes=2, relation="batch", claims_max=3, sends_max=5),
    "A, batch of two, three workers": Design(
        replace(A, lag=False), lanes=2, relation="batch", workers=3, claims_max=3, sends_max=3
    ),
    "C, reversal, fail-over": Design(
        C, lanes=2, relation="reversal", claims_max=4, sends_max=5, failovers_max=1
    ),
    "C, reversal, closed periods": Design(
        C, lanes=2, relation="reversal", claims_max=4, sends_max=5, flips_max=2
    ),
}
