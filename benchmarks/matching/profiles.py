"""The companies a world can be: three of them, each also as its hard twin.

Weights of stories are parts of the entries, in thousandths or so; what is left out does not occur.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from benchmarks.matching.settings import Setting

__all__ = ["PROFILES", "hard", "setting"]

_MANUFACTURER: Final[Mapping[str, float]] = {
    "end_to_end": 262,
    "key_truncated": 4,
    "uetr": 10,
    "instruction": 12,
    "cheque": 8,
    "mandate": 10,
    "ref_rf": 12,
    "ref_qrr": 10,
    "ref_isr": 3,
    "ref_ogm": 8,
    "ref_kid": 8,
    "ref_fik": 5,
    "ref_viite": 6,
    "text_invoice": 150,
    "text_separators": 22,
    "text_zeros": 10,
    "text_wrapped": 22,
    "text_truncated": 8,
    "text_typo": 8,
    "text_typo_alone": 2,
    "run_details": 10,
    "run_charges": 2,
    "run_key": 7,
    "run_no_key": 2,
    "run_names": 4,
    "collective": 6,
    "deposits": 5,
    "combined_named": 32,
    "combined_short": 3,
    "combined_discount": 4,
    "netted": 8,
    "partial": 22,
    "many_to_many": 6,
    "fee_withheld": 14,
    "cash_discount": 22,
    "rounding": 5,
    "short_payment": 5,
    "over_payment": 2,
    "instalment": 2,
    "fx_book": 14,
    "fx_original": 3,
    "reversal": 3,
    "return_pair": 3,
    "return_open": 3,
    "return_repaid": 3,
    "return_fee": 2,
    "return_booked": 1,
    "own_transfer": 8,
    "own_transfer_booked": 2,
    "books_netting": 5,
    "party_amount": 65,
    "party_due": 30,
    "party_text": 10,
    "amount_only": 4,
    "payroll": 6,
    "combined_keyless": 5,
    "combined_ambiguous": 2,
    "combined_all": 4,
    "recurring_booked": 9,
    "recurring_open": 3,
    "twins": 3,
    "twins_one_item": 1,
    "twins_one_entry": 1,
    "twins_fees": 1,
    "twins_keyed": 5,
    "noise_entries": 40,
}

_RETAILER: Final[Mapping[str, float]] = {
    **_MANUFACTURER,
    "end_to_end": 180,
    "ref_qrr": 40,
    "ref_kid": 30,
    "ref_ogm": 25,
    "mandate": 40,
    "text_invoice": 240,
    "text_separators": 40,
    "text_typo": 14,
    "run_key": 5,
    "run_details": 4,
    "collective": 12,
    "deposits": 14,
    "cash_discount": 10,
    "return_open": 8,
    "return_fee": 6,
    "fx_book": 4,
    "twins": 5,
    "amount_only": 6,
    "party_due": 60,
    "recurring_open": 6,
    "payroll": 2,
    "own_transfer": 3,
    "flood": 4,
}

_TREASURY: Final[Mapping[str, float]] = {
    **_MANUFACTURER,
    "end_to_end": 380,
    "uetr": 40,
    "text_invoice": 60,
    "text_separators": 8,
    "run_details": 20,
    "run_key": 24,
    "payroll": 90,
    "own_transfer": 60,
    "own_transfer_booked": 15,
    "party_amount": 90,
    "recurring_booked": 30,
    "fx_book": 30,
    "fx_original": 8,
    "reversal": 6,
    "party_due": 10,
    "collective": 1,
    "deposits": 1,
}

_EUROPE: Final = (("EUR", 50), ("EUR", 20), ("USD", 8), ("CHF", 6), ("GBP", 5), ("SEK", 4),
                  ("NOK", 3), ("JPY", 2), ("KWD", 2))  # fmt: skip

PROFILES: Final = {
    "manufacturer": Setting(
        "manufacturer", "a manufacturer: suppliers in runs, customers by invoice", _EUROPE,
        median=95_000, spread=1.3, listed=0.05, prices=600, parties=25, stories=_MANUFACTURER,
    ),
    "retailer": Setting(
        "retailer", "a retailer: many small receivables, prices from a list",
        (("EUR", 60), ("CHF", 15), ("NOK", 10), ("SEK", 10), ("EUR", 5)),
        median=8_900, spread=0.8, listed=0.35, prices=400, parties=160, stories=_RETAILER,
        open_items=0.2, account_known=0.4,
    ),
    "treasury": Setting(
        "treasury", "a group treasury: payroll, pooling, foreign exchange",
        (("EUR", 30), ("EUR", 20), ("EUR", 10), ("USD", 15), ("USD", 5), ("GBP", 8), ("JPY", 5),
         ("KWD", 2), ("CHF", 5)),
        median=400_000, spread=1.6, listed=0.02, prices=200, parties=12, stories=_TREASURY,
    ),
}  # fmt: skip

#: Stories the hard twin has more of (times), and those it has less of.
_HARDER: Final[Mapping[str, float]] = {
    "end_to_end": 0.4,
    "text_invoice": 0.7,
    "text_separators": 2,
    "text_zeros": 3,
    "text_wrapped": 2,
    "text_truncated": 4,
    "key_truncated": 4,
    "text_typo": 4,
    "text_typo_alone": 5,
    "run_no_key": 4,
    "run_names": 3,
    "combined_keyless": 5,
    "combined_ambiguous": 5,
    "combined_short": 4,
    "party_amount": 1.5,
    "party_due": 2,
    "party_text": 2,
    "amount_only": 4,
    "recurring_open": 3,
    "twins": 4,
    "twins_one_item": 4,
    "twins_one_entry": 4,
    "noise_entries": 2.5,
    "instalment": 4,
}


def hard(easy: Setting) -> Setting:
    """The same company with worse banks: fewer references, more damage, denser amounts."""
    return replace(
        easy,
        name=f"{easy.name}-hard",
        title=f"{easy.title}; few references, much damage, dense amounts",
        stories={story: weight * _HARDER.get(story, 1) for story, weight in easy.stories.items()},
        listed=min(0.6, easy.listed * 3 + 0.2),
        prices=easy.prices // 4,
        open_items=easy.open_items * 3,
        sentinel=0.8,
        damaged=0.9,
        iban_shown=0.25,
        account_known=0.4,
    )


def setting(name: str) -> Setting:
    """The setting of a name: a profile, a profile with ``-hard``, ``day`` or ``flood``.

    ``day`` has four hundred open items an entry; ``flood`` is one party with one amount.

    Raises:
        KeyError: there is none of that name.
    """
    if name == "day":
        return replace(
            PROFILES["manufacturer"],
            name=name,
            title="a manufacturer's new entries against all it has open",
            open_items=400,
            parties=8_000,
        )
    if name == "flood":
        return replace(
            PROFILES["retailer"],
            name=name,
            title="very many equal amounts of one party",
            stories={"flood": 100.0, "end_to_end": 5.0},
        )
    if name.endswith("-hard"):
        return hard(PROFILES[name.removesuffix("-hard")])
    return PROFILES[name]
