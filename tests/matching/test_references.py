"""Reference and banking-day values."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import duckdb
import holidays
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieout import banking_days, references
from tieout.errors import ProfileError
from tieout.matching.compile import name_macros
from tieout.matching.normal import fold

INVOICE = (r"RE-\d{4}-\d{4,6}",)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Zahlung re-2026-00417 danke", ("RE202600417",)),
        ("ZAHLUNG RE-2026-00\r\n417", ("RE202600", "RE202600417")[1:]),
        ("RE-2026-0001 RE-2026-0002 RE-2026-0001", ("RE20260001", "RE20260002")),
        ("no number", ()),
        (None, ()),
    ],
)
def test_find(text: str | None, found: tuple[str, ...]) -> None:
    assert references.find(text, INVOICE) == found


def test_leading_zeros_are_kept_unless_asked() -> None:
    assert references.normalise("inv 0417") == "INV0417"
    assert references.normalise("00417") == "00417"
    assert references.normalise("00417", zeros="strip") == "417"


@pytest.mark.parametrize("none", ["NOTPROVIDED", "Not Provided", "n/a", "", "NONREF", None, "0"])
def test_sentinels_are_no_reference(none: str | None) -> None:
    assert not references.is_reference(none)


@pytest.mark.parametrize("pattern", ["a*", "a+", "(a)", "a|b", "a{50}", "[a", ".", "a$"])
def test_patterns_that_could_run_away_are_refused(pattern: str) -> None:
    with pytest.raises(ProfileError) as caught:
        references.check_pattern(pattern, "acme.toml")
    assert caught.value.code == "PATTERN_UNSAFE"


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.text(alphabet="aZ09 -/._:äé", max_size=20))
def test_the_normal_form_of_a_column_is_the_one_of_each_text(text: str) -> None:
    folded, lengths = fold(pa.array([text, "RE-1", text]))
    one = references.normalise(text)
    assert folded.to_pylist() == [one, "RE1", one]
    assert lengths.tolist() == [len(one.encode()), 3, len(one.encode())]


def test_names_are_compared_without_case_accents_order_and_legal_form() -> None:
    with duckdb.connect() as db:
        for macro in name_macros():
            db.execute(macro)
        query = "SELECT plain_name(?)"
        rows = {
            name: (db.execute(query, [name]).fetchone() or ("",))[0]
            for name in ("Müller & Söhne GmbH", "SOEHNE MUELLER", "Café du Nord S.A.", "GmbH", "")
        }
    assert rows["Müller & Söhne GmbH"] == rows["SOEHNE MUELLER"] == "MUELLER SOEHNE"
    assert rows["Café du Nord S.A."] == "CAFE DU NORD"
    assert rows["GmbH"] == rows[""] == ""


def test_banking_days() -> None:
    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    assert banking_days.between(friday, monday) == 1
    assert banking_days.between(monday, friday) == -1
    assert banking_days.between(friday, date(2026, 11, 22)) == 0
    assert banking_days.add(friday, 1) == monday
    assert banking_days.add(date(2026, 12, 24), 1) == date(2026, 12, 28)
    assert not banking_days.is_banking_day(date(2026, 5, 1))
    assert banking_days.is_banking_day(date(2026, 10, 3), "DE") is False
    with pytest.raises(ProfileError, match="TARGET2 or a country code"):
        banking_days.check_calendar("XX", "acme.toml")


def test_target_closes_on_the_days_the_library_of_holidays_knows() -> None:
    years = range(1990, 2080)
    known = set(holidays.financial_holidays("XECB", years=years))
    workdays = (
        date.fromordinal(day)
        for day in range(date(1990, 1, 1).toordinal(), date(2080, 1, 1).toordinal())
    )
    closed = {day for day in workdays if day.weekday() < 5 and not banking_days.is_banking_day(day)}
    assert closed == {day for day in known if day.weekday() < 5}


def test_without_pandas_arrow_still_makes_arrays() -> None:
    script = (
        "import sys; from tieout.arrays import without_pandas; without_pandas(); without_pandas()\n"
        "import numpy as np, pyarrow as pa\n"
        "assert pa.array(np.arange(3)).to_pylist() == [0, 1, 2] and 'pandas' not in sys.modules\n"
        "import pandas; print(pandas.Series([1]).sum())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
