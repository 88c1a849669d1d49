"""Money: the grammar, exact conversion, and what must never pass."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.errors import MoneyError
from tieout.money import (
    MINOR_MAX,
    exponent_of,
    format_amount,
    from_minor,
    is_currency,
    parse_amount,
    to_minor,
)

ACCEPTED = {
    "0": "0",
    "5000,": "5000",
    "1234.56": "1234.56",
    "1234,56": "1234.56",
    "+12.5": "12.5",
    "-0.00": "0",
    "000000000000149.87": "149.87",
    "0.00001": "0.00001",
}
REFUSED = [
    "",
    ".5",
    ",5",
    "1.2.3",
    "1 000",
    "1_000",
    "1E+999999",
    "1e5",
    "NaN",
    "Infinity",
    "١٢٣",
    "１２",
    "0x10",
    "12.345678",
    "1" * 19,
    "9" * 400,
    "12€",
    "--1",
    "1\n",
]


@pytest.mark.parametrize(("text", "value"), ACCEPTED.items())
def test_amounts_as_banks_write_them(text: str, value: str) -> None:
    assert parse_amount(text) == Decimal(value)
    assert str(parse_amount(text)).startswith("-") is False


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_refused_at_once(text: str) -> None:
    started = time.perf_counter()
    with pytest.raises(MoneyError) as refused:
        parse_amount(text)
    assert refused.value.code == "AMOUNT_MALFORMED"
    assert time.perf_counter() - started < 0.05


@given(st.integers(-MINOR_MAX, MINOR_MAX), st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_minor_units_and_decimals_are_the_same_amount(minor: int, currency: str) -> None:
    assert to_minor(from_minor(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("1.001", "EUR", "AMOUNT_SCALE"),
        ("0.5", "JPY", "AMOUNT_SCALE"),
        ("1", "XYZ", "CURRENCY_UNKNOWN"),
        ("1000000000000000.01", "EUR", "AMOUNT_RANGE"),
        ("NaN", "EUR", "AMOUNT_RANGE"),
        ("1E+1000000", "EUR", "AMOUNT_RANGE"),
    ],
)
def test_amounts_that_do_not_fit(amount: str, currency: str, code: str) -> None:
    with pytest.raises(MoneyError) as refused:
        to_minor(Decimal(amount), currency)
    assert refused.value.code == code


def test_exponents_follow_iso_4217() -> None:
    assert [exponent_of(c) for c in ("EUR", "JPY", "KWD", "CLF")] == [2, 0, 3, 4]
    assert is_currency("EUR")
    assert not is_currency("eur")
    assert not is_currency("")


def test_people_read_amounts_with_separators() -> None:
    assert format_amount(-123450, "EUR") == "-1,234.50"
    assert format_amount(1234, "JPY") == "1,234"
    assert format_amount(1234, "KWD") == "1.234"
