"""Writes a statement as SWIFT MT940, in two dialects.

- structured: German banks' ``:86:`` of a business code and sub-fields ``?00`` (text), ``?10``
  (prima nota), ``?20``..``?29`` and ``?60``..``?63`` (27 characters each: ``EREF+`` ``KREF+``
  ``MREF+`` ``SVWZ+``), ``?30`` BIC, ``?31`` IBAN, ``?32`` and ``?33`` name;
- free: the text as it comes, cut at 65 characters wherever that falls, inside SWIFT blocks.

Lines end in CR LF and hold at most 65 characters. No cut is made beside a blank, as a blank at
the edge of a line would be lost, and no line of text starts with ``:`` or ``-``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from sandbox.model import BankDetail, BankEntry, Statement

__all__ = ["entry_lines", "render_mt940"]

_WIDTH: Final = 65
_SUBFIELD: Final = 27
_PURPOSE_CODES: Final = (*range(20, 30), *range(60, 64))
_UMLAUTS: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
)


def render_mt940(statement: Statement, *, encoding: str = "ascii", blocks: bool = False) -> bytes:
    """One statement as a file.

    Args:
        statement: its account's dialect chooses how ``:86:`` is written.
        encoding: ``ascii`` writes umlauts as two letters, as most banks do; ``cp1252`` keeps them.
        blocks: wrap the text in SWIFT blocks 1, 2 and 4, as a correspondent's file is.
    """
    account = statement.account
    lines = [
        f":20:STM{statement.on:%y%m%d}{statement.sequence_no:05d}",
        f":25:{account.iban_or_number}",
        f":28C:{statement.sequence_no:05d}/001",
        f":60F:{_balance(statement, statement.opening_minor, opening=True)}",
    ]
    for entry in statement.entries:
        lines += entry_lines(entry, account.dialect == "mt940-structured", encoding)
    lines.append(f":62F:{_balance(statement, statement.closing_minor)}")
    lines.append(f":64:{_balance(statement, statement.closing_minor)}")
    lines.append("-}" if blocks else "-")
    head = ""
    if blocks:
        head = (
            f"{{1:F01{account.bic[:8]}AXXX0000000000}}"
            f"{{2:O9401800{statement.on:%y%m%d}{account.bic[:8]}AXXX0000000000"
            f"{statement.on:%y%m%d}1800N}}{{4:\r\n"
        )
    return (head + "\r\n".join(lines) + "\r\n").encode(encoding)


def entry_lines(entry: BankEntry, structured: bool, encoding: str) -> list[str]:
    """The ``:61:`` and ``:86:`` of one entry."""
    mark = "C" if entry.amount_minor >= 0 else "D"
    reference = _customer_reference(entry)
    bank_ref = f"//{entry.bank_ref}" if entry.bank_ref else ""
    short = not structured
    first = (
        f":61:{entry.valued_on:%y%m%d}{entry.booked_on:%m%d}{mark}"
        f"{_comma(abs(entry.amount_minor), short=short)}{entry.booking.swift_type}"
        f"{reference}{bank_ref}"
    )
    text = _structured(entry, encoding) if structured else _plain(_narrative(entry), encoding)
    return [first, *_wrap(f":86:{text}", _WIDTH)]


def _customer_reference(entry: BankEntry) -> str:
    """At most 16 characters: the run's id, else our end-to-end id where it fits."""
    found = entry.batch_id or (entry.details[0].end_to_end_id if entry.details_shown else "")
    return found if 0 < len(found) <= 16 else "NONREF"


def _narrative(entry: BankEntry) -> str:
    return " ".join(detail.narrative for detail in entry.details)


def _structured(entry: BankEntry, encoding: str) -> str:
    """The German sub-fields of one entry; a batch tells its run and count, not its payments."""
    alone = entry.details_shown and not entry.batch_id
    detail = entry.details[0] if alone else BankDetail(entry.amount_minor)
    purpose = [f"EREF+{detail.end_to_end_id or 'NOTPROVIDED'}"] if detail.party else []
    if entry.batch_id:
        purpose.append(f"KREF+{entry.batch_id}")
    if detail.mandate_id:
        purpose.append(f"MREF+{detail.mandate_id}")
    told = detail.narrative if alone else f"ANZAHL {len(entry.details)}"
    if detail.reference or told:
        purpose.append(f"SVWZ+{detail.reference or told}")
    fields = [("00", entry.booking.text), ("10", f"9{entry.booking.gvc}")]
    pieces = (piece for part in purpose for piece in _wrap(_plain(part, encoding), _SUBFIELD))
    fields += [(str(code), piece) for code, piece in zip(_PURPOSE_CODES, pieces, strict=False)]
    if detail.party:
        name = list(_wrap(_plain(detail.party, encoding), _SUBFIELD))
        fields += [("30", detail.party_bic), ("31", detail.party_account), ("32", name[0])]
        fields += [("33", rest) for rest in name[1:2]]
    return entry.booking.gvc + "".join(f"?{code}{value}" for code, value in fields if value)


def _plain(text: str, encoding: str) -> str:
    """Text in the bank's letters: ``?`` opens a sub-field and never stands in text."""
    if encoding == "ascii":
        text = unicodedata.normalize("NFKD", text.translate(_UMLAUTS))
    return text.replace("?", " ").encode(encoding, "ignore").decode(encoding)


def _wrap(text: str, width: int) -> Iterator[str]:
    """Cut text into pieces of at most ``width``, anywhere but beside a blank."""
    while len(text) > width:
        cut = width
        while text[cut - 1] == " " or text[cut] in " :-":
            cut -= 1
        yield text[:cut]
        text = text[cut:]
    yield text


def _balance(statement: Statement, minor: int, *, opening: bool = False) -> str:
    on = statement.previous_on if opening else statement.on
    mark = "C" if minor >= 0 else "D"
    return f"{mark}{on:%y%m%d}{statement.account.currency}{_comma(abs(minor))}"


def _comma(minor: int, *, short: bool = False) -> str:
    """Amount with a decimal comma: ``1234,50``; ``short`` leaves out zero decimals (``25,``)."""
    whole, cents = divmod(minor, 100)
    return f"{whole}," if short and not cents else f"{whole},{cents:02d}"
