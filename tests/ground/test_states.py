"""State models: the whole cross product of states and events, legal and illegal."""

from __future__ import annotations

import pytest

from tieout.errors import LedgerError
from tieout.states import MODELS, check_sql, move, states_of


@pytest.mark.parametrize("model", MODELS)
def test_only_the_arrows_of_the_table_are_legal(model: str) -> None:
    arrows = {(before, event): after for before, event, after in MODELS[model]}
    assert len(arrows) == len(MODELS[model]), "one event leads from one state to one state"
    events = sorted({event for _, event in arrows})
    for state in states_of(model):
        for event in events:
            if (state, event) in arrows:
                assert move(model, state, event) == arrows[state, event]
            else:
                with pytest.raises(LedgerError, match="cannot take"):
                    move(model, state, event)


@pytest.mark.parametrize("model", MODELS)
def test_the_check_names_every_state(model: str) -> None:
    assert all(f"'{state}'" in check_sql(model) for state in states_of(model))
