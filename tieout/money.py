"""Money: exact decimals at the edges, int64 minor units in the ledger, never a float.

Currency exponents are ISO 4217 (list one, amendment 177). Amount text is accepted only by an ASCII
grammar *before* `decimal.Decimal` sees it, because ``Decimal("1E+999999")`` is a denial of
service waiting for the first ``int()``.

>>> parse_amount("1234,56")
Decimal('1234.56')
>>> to_minor(Decimal("12.5"), "EUR")
1250
>>> from_minor(-1250, "JPY")
Decimal('-1250')
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from tieout.errors import MoneyError

__all__ = [
    "MINOR_MAX",
    "exponent_of",
    "floor_minor",
    "format_amount",
    "from_minor",
    "is_currency",
    "parse_amount",
    "to_minor",
]

#: Largest magnitude the ledger holds, in minor units; the database CHECKs repeat it.
MINOR_MAX: Final = 10**17

_AMOUNT = re.compile(r"[+-]?\d{1,18}(?:[.,]\d{0,5})?", re.ASCII)

_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
_TWO = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN "
    "BZD CAD CDF CHE CHF CHW CNH CNY COP COU CRC CUP CVE CZK DEM DKK DOP DZD EGP ERN ETB EUR FJD "
    "FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD "
    "KZT LAK LBP LKR LRD LSL LTL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD "
    "NGN NIO NLG NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
    "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES "
    "WST XCD XCG YER ZAR ZMW ZWG"
)
_EXPONENTS: Final[dict[str, int]] = {
    **dict.fromkeys(_ZERO.split(), 0),
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_THREE.split(), 3),
    **dict.fromkeys(_FOUR.split(), 4),
}


def is_currency(code: str) -> bool:
    """Whether ``code`` is a currency we know the minor unit of (current and recent ISO 4217)."""
    return code in _EXPONENTS


def exponent_of(currency: str) -> int:
    """Number of decimals of a currency's minor unit: EUR 2, JPY 0, KWD 3.

    Raises:
        MoneyError: ``CURRENCY_UNKNOWN``.
    """
    try:
        return _EXPONENTS[currency]
    except KeyError:
        raise MoneyError(
            "CURRENCY_UNKNOWN",
            f"{currency!r} is not an ISO 4217 currency",
            remedy="correct the currency at the source",
        ) from None


def parse_amount(text: str) -> Decimal:
    """Read amount text: optional sign, up to 18 digits, ``.`` or ``,``, up to 5 decimals.

    Negative zero becomes zero. No thousands separators, exponents, or non-ASCII digits.

    Raises:
        MoneyError: ``AMOUNT_MALFORMED``.
    """
    if len(text) > 32 or not _AMOUNT.fullmatch(text):
        raise MoneyError(
            "AMOUNT_MALFORMED",
            f"{text[:40]!r} is not an amount",
            remedy="expected digits with at most one decimal mark and five decimals",
        )
    value = Decimal(text.replace(",", "."))
    return value if value else abs(value)


def to_minor(amount: Decimal, currency: str) -> int:
    """Exact conversion to minor units.

    Raises:
        MoneyError: ``CURRENCY_UNKNOWN``, ``AMOUNT_SCALE`` (more decimals than the currency has),
            ``AMOUNT_RANGE`` (beyond `MINOR_MAX`).
    """
    exponent = exponent_of(currency)
    if not amount.is_finite() or amount.adjusted() > 20:
        raise MoneyError("AMOUNT_RANGE", f"{amount} is out of range", remedy="correct the amount")
    scaled = amount.scaleb(exponent)
    minor = int(scaled)
    if scaled != minor:
        raise MoneyError(
            "AMOUNT_SCALE",
            f"{amount} has more decimals than {currency} allows ({exponent})",
            remedy="ask the sender; tieout never rounds a bank's amount",
        )
    if abs(minor) > MINOR_MAX:
        raise MoneyError("AMOUNT_RANGE", f"{amount} {currency} is out of range")
    return minor


def floor_minor(limit: Decimal, currency: str) -> int:
    """A limit in minor units, rounded towards zero: ``250.00`` holds for JPY as 250.

    For limits that people write once for all currencies; amounts are never rounded.
    """
    return int(limit.scaleb(exponent_of(currency)))


def from_minor(minor: int, currency: str) -> Decimal:
    """Minor units as a decimal with exactly the currency's decimals."""
    return Decimal(minor).scaleb(-exponent_of(currency))


def format_amount(minor: int, currency: str) -> str:
    """Amount for people, with thousands separators and fixed decimals: ``-1,234.50``."""
    return f"{from_minor(minor, currency):,.{exponent_of(currency)}f}"
