"""Which entries bring a payment back: one list of codes for matching, exceptions and proposals."""

from __future__ import annotations

import pytest

from tieout.ledger.models import DetailRow, EntryRow
from tieout.matching.rung_cancel import RETURN_SUBFAMILIES
from tieout.stages.derive import is_return
from tieout.stages.returns import may_be_return


@pytest.mark.parametrize("code", sorted(RETURN_SUBFAMILIES))
def test_every_code_that_the_ladder_knows_is_a_return(code: str) -> None:
    entry = EntryRow(code_subfamily=code, reversal=False)
    assert is_return(entry, [])
    assert may_be_return(entry, [])


def test_a_reason_says_it_and_a_flag_only_hints_at_it() -> None:
    payment, flagged = EntryRow(code_subfamily="ESCT"), EntryRow(reversal=True)
    assert is_return(payment, [DetailRow(), DetailRow(return_reason="AC04")])
    assert not is_return(payment, [DetailRow()])
    assert not may_be_return(payment, [DetailRow()])
    assert not is_return(flagged, [])
    assert may_be_return(flagged, [])
