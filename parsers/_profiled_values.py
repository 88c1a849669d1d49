"""Values of a file that a profile describes: texts of a record into amounts, days and columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from parsers._profiled import DETAIL, Form
from parsers._text import clean, reference
from parsers._values import rate
from tieout.errors import MoneyError
from tieout.money import exponent_of, is_currency

__all__ = ["Row", "Texts", "day", "detail_of", "fits", "money", "signed"]

Row = dict[str, Any]
Texts = Mapping[str, str]

_REFERENCES: Final = frozenset(n for n in DETAIL if n.endswith(("_id", "_account"))) | {"reference"}
#: A spreadsheet's way of keeping a number as text: ="0049"
_QUOTED_FORMULA = re.compile(r'="(.*)"', re.DOTALL)
_MONEY: Final = frozenset({"original_amount", "charges"})


def signed(form: Form, texts: Texts) -> tuple[Decimal, bool]:
    """The entry's amount as the account holder sees it, and whether it is a reversal.

    Raises:
        ValueError: there is none, or two.
    """
    reversal = False
    if "amount" in texts:
        value = money(form, texts, "amount")
        if value is not None and "mark" in texts:
            sign = form.sign_of(texts["mark"])
            if sign is None:
                raise ValueError(f"{texts['mark'].strip()[:20]!r} is no mark of the profile")
            if value < 0:
                raise ValueError("the amount has a sign beside its mark")
            value, reversal = value * sign[0], sign[1]
    else:
        debit, credit = money(form, texts, "debit"), money(form, texts, "credit")
        if debit and credit:
            raise ValueError("both debit and credit are given")
        if debit is not None and debit < 0 and not credit:
            debit = -debit  # some banks write the minus in the debit column as well
        zero = Decimal(0)
        value = None if debit is None is credit else (credit or zero) - (debit or zero)
    if value is None:
        raise ValueError("it has no amount")
    return (-value if form.flipped and value else value), reversal


def money(form: Form, texts: Texts, name: str) -> Decimal | None:
    """A named amount, None where it is empty.

    Raises:
        ValueError: it is none.
    """
    text = texts.get(name, "")
    try:
        return form.money(text)
    except (ValueError, MoneyError):
        raise ValueError(f"{name} {text.strip()[:40]!r} is no amount") from None


def day(form: Form, texts: Texts, name: str) -> date | None:
    """A named date, None where it is empty or zeroes.

    Raises:
        ValueError: it is none.
    """
    text = texts.get(name, "").strip()
    found = form.day(text) if text else None
    if text.strip("0") and found is None:
        raise ValueError(f"{name} {text[:40]!r} is no date")
    return found


def fits(form: Form, value: Decimal, currency: str | None, own: str | None) -> None:
    """Refuse an amount that is not one of the account's currency.

    Raises:
        ValueError: the currency is unknown or another, or the amount has too many decimals.
    """
    if currency is None or not is_currency(currency):
        raise ValueError(f"currency {currency!r} is none")
    if own is not None and currency != own:
        raise ValueError(f"it is in {currency}, the account in {own}")
    # As written: 1.250 may mean thousands. Where the profile says how many decimals, zeroes go.
    written = value if form.places is None else value.normalize()
    places = -int(written.as_tuple().exponent)
    if places > exponent_of(currency):
        raise ValueError(f"{value} has more decimals than {currency}")


def detail_of(form: Form, texts: Texts) -> Row:
    """A detail's columns; null where the texts are silent.

    Raises:
        ValueError: a foreign amount or charge is none.
    """
    row: Row = dict.fromkeys(DETAIL)
    for name in DETAIL:
        text = texts.get(name)
        if text is None:
            continue
        quoted = _QUOTED_FORMULA.fullmatch(text.strip())
        text = quoted[1] if quoted else text
        if name in _MONEY:
            row[name] = money(form, {name: text}, name)
        elif name == "fx_rate":
            row[name] = rate(text.strip().replace(form.decimal, "."))
        else:
            row[name] = reference(text) if name in _REFERENCES else clean(text)
    if row["counterparty_account"]:
        row["counterparty_account"] = "".join(row["counterparty_account"].split())
    return row
