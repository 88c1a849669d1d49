"""The charts: equal bytes, real pictures, sensible choice of account."""

from __future__ import annotations

import io
from dataclasses import replace

from PIL import Image

from tests.reports.example import account, empty, example
from tieout.reports.charts import bridge, bridge_account, charts, matched_by_value
from tieout.reports.model import section


def test_equal_reports_give_equal_pictures_without_times() -> None:
    first, second = charts(example()), charts(example())
    assert first == second
    assert [chart.name for chart in first] == ["matched", "bridge"]
    for chart in first:
        image = Image.open(io.BytesIO(chart.png))
        assert image.size == (chart.width * 2, chart.height * 2)
        assert not {"Software", "Creation Time", "date"} & set(image.info)


def test_quiet_days_have_no_pictures() -> None:
    assert charts(empty()) == ()
    quiet = replace(empty(), accounts=(account(bank_minor=5, books_minor=5),))
    assert charts(quiet) == ()
    silent = account(bank_minor=None, books_minor=5)
    assert bridge_account(replace(empty(), accounts=(silent,))) is None
    assert bridge(silent) is None


def test_bridge_shows_the_broken_account_first_then_the_longest() -> None:
    chosen = bridge_account(example())
    assert chosen is not None
    assert chosen.code == "NORD-EUR-SAVE"
    rest = replace(example(), accounts=example().accounts[:4])
    chosen = bridge_account(rest)
    assert chosen is not None
    assert chosen.code == "NORD-EUR-COLL"


def test_alternatives_tell_the_numbers() -> None:
    matched, steps = charts(example())
    assert "NORD-EUR-COLL 76.6 %" in matched.alternative
    assert "Unexplained -25,000.00, balance per books 725,000.00 EUR" in steps.alternative


def test_odd_names_and_many_accounts_are_drawn() -> None:
    many = tuple(
        account(f"$x_{n}$", bank_minor=10**17, books_minor=10**17, entries=(n, 40), value=(n, 40))
        for n in range(40)
    )
    chart = matched_by_value(replace(empty(), accounts=many))
    assert chart is not None
    assert chart.alternative.count("$x_") == 15
    assert "$x_0$ 0.0 %" in chart.alternative
    flat = account(bank_minor=0, books_minor=0, sections=(section("staged", []),))
    assert bridge_account(replace(empty(), accounts=(flat,))) is None
