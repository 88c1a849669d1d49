"""Files described wholly by a profile: what ``[delimited]`` and ``[fixed]`` of one may say.

Shared by both: how dates, amounts and signs are written, and what proves that the file is whole:

- ``ends = "footer"``: the last line is the closing one; without it the file is cut.
- ``ends = "balances"``: opening and closing balance stand apart from the entries and must tie.
- ``ends = "open"``: nothing shows the end, so a cut between two lines cannot be seen; every
  statement of such a file carries a finding that says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from parsers._dialect86 import compiled, encoding_name
from tieout import profiles
from tieout.books_cells import amount_of, day_of
from tieout.errors import ProfileError
from tieout.money import is_currency

__all__ = ["DETAIL", "ENTRY", "FACTS", "Form", "form", "of_section", "patterns"]

#: What is told of a statement: by its preamble, footer, header or closing record.
FACTS: Final = (
    "account_id", "currency", "owner_name", "servicer_bic", "statement_ref", "sequence_no", "page",
    "from_on", "to_on", "opening", "opening_mark", "closing", "closing_mark", "count", "debits",
    "credits", "total",
)  # fmt: skip
#: What is told of an entry; `amount`, or `debit` and `credit`; `balance` is the running one.
ENTRY: Final = (
    "account_id", "currency", "booked_on", "valued_on", "amount", "debit", "credit", "mark",
    "balance", "bank_ref", "entry_ref", "code_proprietary", "swift_type",
)  # fmt: skip
DETAIL: Final = (
    "end_to_end_id", "instruction_id", "payment_info_id", "message_id", "transaction_id",
    "mandate_id", "cheque_no", "counterparty_name", "counterparty_account", "counterparty_bic",
    "ultimate_name", "reference", "narrative", "purpose", "original_amount", "original_currency",
    "fx_rate", "charges",
)  # fmt: skip
#: Keys that both sections share.
KEYS: Final = (
    "encoding", "dates", "decimal", "thousands", "places", "implied", "order", "sign", "ends",
    "account_id", "currency", "marks",
)  # fmt: skip
_MARKS: Final = ("debit", "credit", "debit_reversal", "credit_reversal")


@dataclass(frozen=True, slots=True)
class Form:
    """How a profile's file writes things.

    Attributes:
        dates: the form of its dates, as strftime has it.
        decimal: its decimal mark; ``""`` for whole minor units.
        thousands: the mark between thousands, ``""`` for none.
        places: decimals every amount must have, or None for one to five.
        implied: decimals that are not written (fixed width).
        newest_first: the running balance goes upwards through the file.
        flipped: money in is written with a minus.
        ends: what proves the end: ``footer``, ``balances``, ``open``.
        account_id: of a file that does not name its account.
        currency: of a file that does not name one.
        marks: what is written for a debit, a credit, and their reversals.
    """

    dates: str
    decimal: str
    thousands: str
    places: int | None
    implied: int
    newest_first: bool
    flipped: bool
    ends: str
    account_id: str | None
    currency: str | None
    encoding: str | None
    marks: Mapping[str, tuple[int, bool]] = field(default_factory=dict)

    def day(self, text: str) -> date | None:
        """A date, or None where it is none."""
        return _day(text.strip(), self.dates)

    def money(self, text: str) -> Decimal | None:
        """A signed amount, None when empty.

        Raises:
            ValueError: it is none in this file's writing.
        """
        text = text.strip().removeprefix("+")
        if self.implied:
            if not re.fullmatch(r"-?[0-9]{1,18}", text):
                if not text:
                    return None
                raise ValueError(text)
            return Decimal(text).scaleb(-self.implied)
        value = amount_of(text, self.decimal, self.thousands)
        if value is not None and self.places not in (None, -int(value.as_tuple().exponent)):
            raise ValueError(text)
        return value

    def sign_of(self, mark: str) -> tuple[int, bool] | None:
        """Sign and reversal of a mark; None for one the profile does not know."""
        return self.marks.get(mark.strip().casefold())


@lru_cache(maxsize=4096)
def _day(text: str, form: str) -> date | None:
    found = day_of(text, form)
    if found is not None and form.replace("%", "").isalpha() and found.strftime(form) != text:
        return None  # digits without separators: one is missing
    return found


def of_section(section: str) -> list[tuple[str, dict[str, Any]]]:
    """Profiles of ``mappings/banks`` with this section, by name."""
    return [(name, found) for name, found in profiles.load_all("banks") if section in found]


def form(found: Mapping[str, Any], where: str) -> Form:
    """The shared keys of a section.

    Raises:
        ProfileError: one of them is wrong.
    """
    marks = found.get("marks", {})
    profiles.allow_keys(marks, _MARKS, f"{where} marks")
    signs = {"debit": (-1, False), "credit": (1, False), "debit_reversal": (1, True),
             "credit_reversal": (-1, True)}  # fmt: skip
    known = {
        str(text).casefold(): signs[kind]
        for kind, texts in marks.items()
        for text in (texts if isinstance(texts, list) else [texts])
    }
    made = Form(
        profiles.require(found, "dates", str, where),
        found.get("decimal", "."),
        found.get("thousands", ""),
        profiles.require(found, "places", int, where) if "places" in found else None,
        profiles.require(found, "implied", int, where) if "implied" in found else 0,
        _one(found, "order", ("oldest", "newest"), where) == "newest",
        _one(found, "sign", ("plain", "flipped"), where) == "flipped",
        _one(found, "ends", ("open", "footer", "balances"), where),
        found.get("account_id"),
        found.get("currency"),
        encoding_name(found.get("encoding"), where),
        known,
    )
    if (
        made.decimal not in (".", ",")
        or made.thousands not in ("", ".", ",", "'", " ", "\xa0")
        or (made.decimal == made.thousands)
    ):
        raise ProfileError(
            "PROFILE_VALUE", f"decimal is {made.decimal!r}, thousands {made.thousands!r}",
            where=where, remedy='give "." and "," or one of them, never the same twice',
        )  # fmt: skip
    if made.currency is not None and not is_currency(made.currency):
        raise ProfileError("PROFILE_VALUE", f"currency is {made.currency!r}", where=where)
    return made


def _one(found: Mapping[str, Any], key: str, allowed: Sequence[str], where: str) -> str:
    value = found.get(key, allowed[0])
    if value not in allowed:
        raise ProfileError(
            "PROFILE_VALUE", f"{key} is {value!r}", where=where,
            remedy="give one of " + ", ".join(allowed),
        )  # fmt: skip
    return str(value)


def patterns(found: Mapping[str, Any], key: str, where: str) -> tuple[re.Pattern[str], ...]:
    """Expressions with statement facts as named groups.

    Raises:
        ProfileError: one is wrong, or a group has no fact's name.
    """
    made = tuple(compiled(text, f"{where} {key}") for text in found.get(key, []))
    for pattern in made:
        profiles.allow_keys(pattern.groupindex, FACTS, f"{where} {key}")
    return made
