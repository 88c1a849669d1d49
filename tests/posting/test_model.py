"""Every order of events within the bounds, over the tables production runs; wrong designs fail."""

from __future__ import annotations

import pytest

from tests.posting.model.design import Design
from tests.posting.model.erp import Rules
from tests.posting.model.search import search

B = Rules("B", expires=True)
KNOWN = {
    "B is sent again without a look, after one that did not leave": Design(
        B, claims_max=3, sends_max=2
    ),
    "B is sent by a worker that slept past its lease and its key": Design(
        B, claims_max=2, sends_max=2, lease_checked=False
    ),
    "B's key is forgotten while a request is on its way": Design(
        B, claims_max=2, sends_max=2, key_margin=False
    ),
    "a voided document ends it while another create may still land": Design(
        Rules("A", upsert=True, self_posting=True), claims_max=2, sends_max=4, flips_max=2
    ),
    "a document that does not show yet is called gone": Design(
        Rules("D", lag=True), claims_max=2, sends_max=1
    ),
    "D is sent again though the system said that it works on it": Design(
        Rules("D", asynchronous=True), claims_max=2, sends_max=2
    ),
    "a cancel after a fail-over that forgot what was sent": Design(
        Rules("D"),
        claims_max=1,
        sends_max=1,
        failovers_max=1,
        cancels_max=1,
        cancel_looks="attempts",
    ),
}


#: Production does none of these: a worker sends within its grace or not at all, the key's margin
#: covers the request's way, and a cancel asks for the database's past.
WRONG = (
    "B is sent by a worker that slept past its lease and its key",
    "B's key is forgotten while a request is on its way",
    "a cancel after a fail-over that forgot what was sent",
)


@pytest.mark.parametrize("name", [name for name in KNOWN if name not in WRONG])
def test_what_the_model_found_is_mended(name: str) -> None:
    verdict = search(KNOWN[name])
    assert verdict.problem == "", "\n".join((name, verdict.problem, *verdict.trace))


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_design_is_found_out(name: str) -> None:
    assert search(KNOWN[name]).problem
