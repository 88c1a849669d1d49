"""What a CODA communication says: structured forms by their code, free text as it is."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from parsers._fixed import Record, compact
from parsers._rows import Rows
from parsers._text import clean, is_iban, reference
from parsers._values import amount
from tieout.money import is_currency
from tieout.references import is_valid

__all__ = ["account_of", "milli", "signed_milli", "structured"]

Row = dict[str, Any]

_ZEROS: Final = "000000000000"
#: Codes of communications with check digits: their kind, and how many columns they take.
_CHECKED: Final = {"100": ("SCOR", 25), "101": ("BBA", 12), "102": ("BBA", 12)}


def milli(text: str) -> Decimal | None:
    """Fifteen digits with three decimals; None where it is not an amount."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        return None
    return amount(f"{text[:-3] or '0'}.{text[-3:].rjust(3, '0')}")


def account_of(record: Record) -> tuple[str | None, str, str | None]:
    """Account, scheme and currency of record 1; the structure says where they stand."""
    kind, field = record.cut(2, 2), record.cut(6, 42)
    if kind not in "0123":
        kind = "2" if field[:2].isalpha() else "0" if field[12:13] == " " else "1"
    if kind == "0":
        account, currency = field[:12], field[13:16]
    else:
        account, currency = field[: 31 if kind == "2" else 34], field[34:37]
    bare = "".join(account.split())
    scheme = "IBAN" if kind in "23" or is_iban(bare) else "other"
    known = currency.isascii() and currency.isalpha() and currency.isupper()
    return clean(bare), scheme, currency if known and len(currency) == 3 else None


def signed_milli(record: Record, at: int) -> Decimal | None:
    """Sign and fifteen digits from a column on."""
    value, sign = milli(record.cut(at + 1, at + 15)), {"0": 1, "1": -1}.get(record.cut(at, at))
    return None if value is None or sign is None else sign * value if value else value


def structured(text: str, record: Record, detail: Row, rows: Rows) -> None:
    """Put a structured communication into a detail row.

    Args:
        text: the three-digit code and what follows it, over all records of the movement.
        record: where it begins.
        detail: takes ``reference``, ``mandate_id`` and others; ``narrative`` what has no column.
        rows: takes findings.
    """
    code, body = text[:3], text[3:]
    form = _FORMS.get(code)
    if form is not None and form(body, detail):
        return
    kind, length = _CHECKED.get(code, ("", 0))
    if not kind:
        detail["narrative"] = compact(text)
        return
    wrong = reference(body[:length])
    detail |= {"reference": wrong, "reference_type": kind if wrong else None}
    detail["narrative"] = compact(body[length:])
    rows.finding(
        "REFERENCE_CHECK", "warning", record.place,
        f"structured communication {compact(text)!r} has wrong check digits",
        "it is kept as it is: match it by amount and name, or ask the payer",
    )  # fmt: skip


def _rf(body: str, detail: Row) -> bool:
    found = "".join(body.split())
    if not is_valid(found, "SCOR"):
        return False
    detail |= {"reference": found, "reference_type": "SCOR"}
    return True


def _belgian(body: str, detail: Row) -> bool:
    if not is_valid(body[:12], "BBA"):
        return False
    detail |= {"reference": body[:12], "reference_type": "BBA", "narrative": compact(body[12:])}
    return True


def _numbered(body: str, detail: Row) -> bool:
    """A cheque's or card's number; a cheque only in the family of cheques."""
    if (detail.get("_code") or "")[1:3] != "03":
        return False
    detail |= {"cheque_no": reference(body[:12]), "narrative": compact(body[12:])}
    return True


def _foreign(body: str, detail: Row) -> bool:
    """Original amount: account's currency, original, rate (4 + 8 digits), currency, reference."""
    value, currency = milli(body[15:30]), body[42:45]
    if value is None or not is_currency(currency):
        return False
    detail |= {"original_amount": value, "original_currency": currency}
    digits = body[30:42].strip()
    if len(digits) == 12 and digits.isascii() and digits.isdigit() and int(digits):
        detail["fx_rate"] = Decimal(f"{digits[:4]}.{digits[4:]}")
    own = body[45:57]
    if own.strip() and own != _ZEROS and not _belgian(own, detail):
        detail["narrative"] = compact(own)
    return True


def _direct_debit(body: str, detail: Row) -> bool:
    """SEPA direct debit: date, kind, scheme, outcome, creditor, mandate, text, R-code, reason."""
    detail["mandate_id"] = reference(body[44:79])
    texts = [compact(body[79:141]), clean(body[9:44])]
    detail["narrative"] = "\n".join(t for t in texts if t) or None
    if body[141:142].strip(" 0"):
        detail["return_reason"] = clean(body[142:146])
    return True


_FORMS: Final[dict[str, Callable[[str, Row], bool]]] = {
    "100": _rf, "101": _belgian, "102": _belgian, "103": _numbered, "105": _foreign,
    "127": _direct_debit,
}  # fmt: skip
