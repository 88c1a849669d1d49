"""The text field ``:86:`` of MT940 and MT942 in its dialects.

- German (DFÜ agreement, annex 3): a business code, then ``?nn`` sub-fields (the separator may be
  another sign); the SEPA keys ``EREF+ KREF+ MREF+ SVWZ+ …`` stand inside the purpose and may be
  cut anywhere, also in the key.
- Slash words (Dutch banks, SWIFT): ``/TRTP/…/IBAN/…/NAME/…/REMI/…``, ``/CNTP/iban/bic/name/…//``.
- Free text: kept as it is.

>>> decode(["166?00TRANSFER?20EREF+E-1?21SVWZ+RENT MAY?30BANKDEFFXXX?32A", "NNA"]).narrative
'RENT MAY'
>>> decode(["/TRTP/SEPA/NAME/ANNA/RE", "MI/RENT MAY/EREF/E-1"]).narrative
'RENT MAY'
>>> decode(["Rent May", "flat 7"]).narrative
'Rent May\\nflat 7'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from parsers._text import clean, reference

__all__ = ["CUT_KEYS", "WIDTH", "WIDTH_SEPA", "Decoded", "decode", "unwrap"]

_GERMAN = re.compile(r"(\d{3})([^0-9A-Za-z\s/:.,;-])(?=\d\d)")
_GVC_ONLY = re.compile(r"\d{3}")
_CODES = "00|10|2[0-9]|3[0-9]|6[0-9]|7[0-9]|99"
_SEPA = re.compile(
    r"(EREF|KREF|MREF|PREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|PURP|RREF|RTRN|BREF)\+|"
    r"\b(IBAN|BIC): ?(?=[A-Z]{2})"
)
#: Keys a bank may cut in the middle.
CUT_KEYS: Final = "EREF KREF MREF PREF CRED DEBT COAM OAMT SVWZ ABWA ABWE PURP"
_WORDS: Final = (
    "ACCW ADDR BENM BIC BO CHGS CNTP CSID EREF IBAN ID INDT ISDT MARF NAME NRTX OCMT OGB ORDP "
    "OSDR PREF PURP REMI RTRN STRD SUM SVCL TRCD TRTP UDTR ULTB ULTC ULTD USTD VA"
)
_SLASH = re.compile(r"/(" + "|".join(_WORDS.split()) + r")(?=/)")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_REASON = re.compile(r"\b([A-Z]{2}\d{2})\b")
#: A sub-field has 27 characters and is cut there; with SEPA keys some banks cut a little earlier.
WIDTH: Final = 27
WIDTH_SEPA: Final = 25


#: Characters of a physical SWIFT line, and of its first one behind the tag.
_LINE: Final = 65
_FIRST_LINE: Final = _LINE - len(":86:")


def unwrap(lines: Sequence[str]) -> list[str]:
    """The lines a field was meant to have: one that is full to the last column goes on.

    >>> unwrap(["x" * 61, "tail", "next"])[0][-6:], len(unwrap(["x" * 60, "tail"]))
    ('xxtail', 2)
    """
    out: list[str] = []
    goes_on = False
    for number, line in enumerate(lines):
        if goes_on:
            out[-1] += line
        else:
            out.append(line)
        goes_on = len(line) == (_LINE if number else _FIRST_LINE)
    return out


@dataclass(slots=True)
class Decoded:
    """What a text field says; every value is clean text or None."""

    gvc: str | None = None
    booking_text: str | None = None
    narrative: str | None = None
    end_to_end_id: str | None = None
    payment_info_id: str | None = None
    mandate_id: str | None = None
    counterparty_name: str | None = None
    counterparty_account: str | None = None
    counterparty_bic: str | None = None
    ultimate_name: str | None = None
    purpose: str | None = None
    return_reason: str | None = None
    original: str | None = None  # currency and amount as written: USD12,50
    charges: str | None = None
    structured: bool = False
    text: str | None = None  # all of it, where a dialect took it apart
    more: dict[str, str] = field(default_factory=dict)  # further columns of a detail


def decode(lines: Sequence[str]) -> Decoded:
    """Decode the lines of one field (several ``:86:`` of one entry are one field)."""
    joined = "".join(lines)
    german = _GERMAN.match(joined)
    if german is not None:
        return _german(joined, german.group(1), german.group(2))
    words = _SLASH.findall(joined)
    if len(words) > 1 or (words and joined.lstrip().startswith("/")):
        return _slashes(joined)
    text = "\n".join(line.strip() for line in lines).strip()
    if _GVC_ONLY.fullmatch(text):
        return Decoded(gvc=text)
    return Decoded(narrative=clean(text))


def _german(text: str, gvc: str, mark: str) -> Decoded:
    """``GVC?00…?10…?20…``: sub-fields, then the SEPA keys inside the purpose."""
    parts = re.split(f"{re.escape(mark)}({_CODES})", text)
    found: dict[str, list[str]] = {}
    order: list[str] = []
    last = ""
    for code, value in zip(parts[1::2], parts[2::2], strict=True):
        if mark == "+" and code < last:  # a plus sign followed by digits inside text
            order[-1] += f"{mark}{code}{value}"
            continue
        last = code
        if code[0] in "26":
            order.append(value)
        else:
            found.setdefault(code, []).append(value)
    texts = found.pop("00", [])
    if len(texts) > 1:  # every sub-field sent as ?00: the first is the booking text
        order = texts[1:] + order
    out = Decoded(gvc=gvc, booking_text=clean(texts[0]) if texts else None, structured=True)
    _sepa(_join(order), out)
    out.counterparty_name = clean("".join(found.get("32", []) + found.get("33", [])))
    account = reference("".join("".join(found.get("31", [])).split()))
    out.counterparty_account = account or out.counterparty_account
    bic = clean("".join(found.get("30", [])))
    if bic is not None and _BIC.fullmatch(bic):
        out.counterparty_bic = bic
    return out


def _join(pieces: Sequence[str]) -> str:
    """Purpose lines as one text: no blank where the bank cut at the width or inside a key."""
    width = WIDTH_SEPA if _SEPA.search("".join(pieces)) else WIDTH
    text = ""
    previous = 0
    for piece in pieces:
        if text and previous < width and not _cuts_key(text, piece):
            text += " "
        text += piece
        previous = len(piece)
    return text


def _cuts_key(text: str, piece: str) -> bool:
    tail, head = text[-4:], piece[:4]
    pairs = (tail[-cut:] + head[: 5 - cut] for cut in range(1, 5) if len(tail) >= cut)
    return any(pair[-1:] == "+" and pair[:-1] in CUT_KEYS.split() for pair in pairs)


def _sepa(text: str, out: Decoded) -> None:
    """Take the SEPA keys out of a purpose; without any, all of it is narrative."""
    matches = list(_SEPA.finditer(text))
    free = text[: matches[0].start()] if matches else text
    values: dict[str, str] = {}
    ends = [match.start() for match in matches[1:]] + [len(text)]
    for match, end in zip(matches, ends, strict=False):
        values.setdefault(match.group(1) or match.group(2), text[match.end() : end])
    out.end_to_end_id = reference(values.get("EREF"))
    out.payment_info_id = reference(values.get("KREF")) or reference(values.get("PREF"))
    out.mandate_id = reference(values.get("MREF"))
    out.purpose = clean(values.get("PURP"))
    out.ultimate_name = clean(values.get("ABWA")) or clean(values.get("ABWE"))
    out.original, out.charges = clean(values.get("OAMT")), clean(values.get("COAM"))
    out.narrative = clean(" ".join(filter(None, (clean(free), clean(values.get("SVWZ"))))))
    if values.get("IBAN"):
        out.counterparty_account = reference(values["IBAN"].split()[0])
    if "RTRN" in values:
        out.return_reason = _reason(values["RTRN"])


def _slashes(text: str) -> Decoded:
    """``/WORD/value/WORD/value``; the value of REMI may itself hold slashes."""
    matches = list(_SLASH.finditer(text))
    values: dict[str, list[str]] = {}
    ends = [match.start() for match in matches[1:]] + [len(text)]
    for match, end in zip(matches, ends, strict=True):
        values.setdefault(match.group(1), []).append(text[match.end() : end])

    def first(*names: str) -> str | None:
        return next((t for n in names for v in values.get(n, ()) if (t := v.strip("/ "))), None)

    out = Decoded(structured=True)
    out.booking_text = clean(first("TRTP"))
    out.end_to_end_id, out.mandate_id = reference(first("EREF")), reference(first("MARF"))
    out.payment_info_id = reference(first("PREF"))
    out.counterparty_name = clean(first("NAME"))
    out.counterparty_account = reference(first("IBAN"))
    out.counterparty_bic = clean(first("BIC"))
    out.purpose = clean(first("PURP"))
    out.ultimate_name = clean(first("ULTD", "UDTR", "ULTC", "ULTB"))
    out.original, out.charges = clean(first("OCMT")), clean(first("CHGS"))
    if (returned := first("RTRN")) is not None:
        out.return_reason = _reason(returned)
    _side(values, out)
    remittance = [v.strip("/ ") for n in ("REMI", "USTD", "STRD") for v in values.get(n, ())]
    out.narrative = clean(" ".join(filter(None, remittance)))
    if out.narrative is None:
        head = clean(text[: matches[0].start()])
        out.narrative = head or clean(text)
    return out


def _side(values: dict[str, list[str]], out: Decoded) -> None:
    """``/CNTP/account/bic/name/place`` and ``/BENM/account/name`` name the other side at once."""
    for word, bic_at, name_at in (("CNTP", 1, 2), ("BENM", None, 1), ("ORDP", None, 1)):
        for value in values.get(word, ()):
            parts = [*value[1:].split("/"), "", "", ""]
            out.counterparty_account = out.counterparty_account or reference(parts[0])
            if bic_at is not None:
                out.counterparty_bic = out.counterparty_bic or clean(parts[bic_at])
            out.counterparty_name = out.counterparty_name or clean(parts[name_at])


def _reason(text: str) -> str | None:
    found = _REASON.search(text)
    return found.group(1) if found else clean(text)
