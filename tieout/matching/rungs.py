"""Rungs as values: what the steps of a ladder may ask, and in which shape.

A rung says what both sides must share (``same``: keys), what the amounts may differ by
(``amount``), who the other party is (``party``) and when (``days``); what it leaves out is not
asked. Its ``shape`` says what meets:

=============  =====================================================================================
one_to_one     an entry and an item
details        each payment inside an entry and its own item
batch          an entry and all items that share the key
run            an entry and all items of a key that the bank does not state, found by their sum
together       all entries and items that are tied to each other by shared keys, many to many
subset         an entry and some of its party's items, found by their sum (``search``)
cancel         an entry and the entry that takes it back
net            an item and the item that takes it back
transfer       two entries on accounts of our own
returned       a payment, its return and its item, for a person to undo
=============  =====================================================================================

There are no flags and no SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

__all__ = [
    "AMOUNTS",
    "BANK_DETAIL",
    "BANK_ENTRY",
    "BOOKS",
    "FORMS",
    "KINDS",
    "RESIDUALS",
    "SHAPES",
    "STATES",
    "TEXT",
    "WAYS",
    "Key",
    "Ladder",
    "Party",
    "Rung",
    "Search",
    "Tolerance",
    "Window",
]

BANK_ENTRY: Final = ("entry_ref", "bank_ref")
BANK_DETAIL: Final = (
    "end_to_end_id",
    "instruction_id",
    "payment_info_id",
    "message_id",
    "transaction_id",
    "uetr",
    "mandate_id",
    "cheque_no",
    "reference",
)
BOOKS: Final = ("document_no", "reference", "payment_batch_id", "end_to_end_id", "counterparty_id")
TEXT: Final = ("narrative",)
SHAPES: Final = (
    "one_to_one",
    "details",
    "batch",
    "run",
    "together",
    "subset",
    "cancel",
    "net",
    "transfer",
    "returned",
)
FORMS: Final = ("plain", "number", "structured")
RESIDUALS: Final = ("charge", "discount", "short_payment", "fx_difference")
AMOUNTS: Final = ("exact", "original")
KINDS: Final = ("cash_book", "payment", "receivable", "payable", "expense")
WAYS: Final = ("account", "name", "text")
STATES: Final = ("confirmed", "proposed")


@dataclass(frozen=True, slots=True)
class Key:
    """One reference and the fields it stands in on each side.

    ``text`` are free-text fields of the bank: ``patterns`` are looked for in them, or without
    patterns the numbers the books state. Values shorter than ``length_min`` in the normal form
    identify nothing. ``form`` says how values are compared: ``plain``, as ``number`` (the digits at
    the end, without leading zeros), or ``structured`` (only with right check digits).
    """

    name: str
    title: str
    bank: tuple[str, ...]
    books: tuple[str, ...]
    text: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    length_min: int = 4
    form: str = "plain"


@dataclass(frozen=True, slots=True)
class Search:
    """Bounds of a search for items by their sum.

    In a rung of pairs it asks that no other choice of the party's items comes to the entry. Among
    more than ``candidates_max`` items none is searched. A solution counts if it is the only one and
    if at most ``chance_max`` solutions were to be expected among sums by chance.
    """

    candidates_max: int
    items_max: int
    chance_max: Decimal


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far the bank may move less or more than the item; both limits hold where both stand.

    ``less`` and ``more`` are seen from our purse (a fee is less both in and out), but for a
    discount or short payment of the amount's size; in units of the account's currency; the
    percentages are of the item's amount. A residual up to ``rounding`` is a rounding difference.
    ``cause`` is ``exchange`` where only money the bank exchanged may differ.
    """

    less: Decimal
    less_percent: Decimal
    more: Decimal
    more_percent: Decimal
    rounding: Decimal
    cause: str = ""
    residual: str = "charge"  # what it is called that the bank moved less

    @property
    def by_size(self) -> bool:
        """Whether less and more are of the amount's size: a discount on a payment is less, too."""
        return self.residual != "charge"


@dataclass(frozen=True, slots=True)
class Party:
    """The counterparty is the same by account, by name (similarity >= ``name_min``) or in text.

    ``asked`` is ``always``, or ``known``: only where both sides name one.
    """

    by: tuple[str, ...]
    name_min: Decimal
    asked: str = "always"


@dataclass(frozen=True, slots=True)
class Window:
    """The item's day lies at most ``before`` and ``after`` banking days from the entry's.

    ``alone`` is how far, in both directions, nothing else may fit; 0 asks only within the window.
    """

    item: str
    before: int
    after: int
    alone: int = 0


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder."""

    name: str
    shape: str
    same: tuple[Key, ...] = ()
    tolerance: Tolerance | None = None
    party: Party | None = None
    days: Window | None = None
    kinds: tuple[str, ...] = ()
    state: str = "confirmed"
    amount: str = "exact"  # exact | original (the bank's own, before it exchanged) | within
    search: Search | None = None

    @property
    def plain(self) -> bool:
        """Whether everything it asks for is equality."""
        return bool(self.same) and not (self.tolerance or self.party or self.days)


@dataclass(frozen=True, slots=True)
class Ladder:
    """Ordered rungs; ``version`` is the fingerprint of the mapping, kept with what it decided."""

    name: str
    version: str
    calendar: str
    kinds: tuple[tuple[str, ...], ...]
    rungs: tuple[Rung, ...]
