"""What the output of an import says of one document, and what Oracle's codes mean to us.

An import that ends well may have taken nothing: its rows stay in the interface with a code. The
OUT file has a line a row; we look for the lines with our reference, and for codes anywhere where
the whole group is ours.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tieout.errors import ConnectorError

__all__ = ["IMPORT_CODES", "INVOICE_REFUSALS", "Verdict", "texts_of", "verdict"]

#: Row status of Journal Import: our code. All of them are refusals: the row is no journal.
IMPORT_CODES: Final[Mapping[str, str]] = {
    "EC01": "RATE_MISSING",
    "EC02": "RATE_MISSING",
    "EC03": "RATE_MISSING",
    "EC06": "RATE_MISSING",
    "EC08": "CURRENCY_UNKNOWN",
    "EC09": "CURRENCY_UNKNOWN",
    "EC11": "RATE_MISSING",
    "EC12": "AMOUNTS_DIFFER",
    "EC13": "AMOUNT_TOO_LARGE",
    "EF01": "GL_ACCOUNT_BLOCKED",
    "EF02": "GL_ACCOUNT_BLOCKED",
    "EF03": "GL_ACCOUNT_BLOCKED",
    "EF04": "GL_ACCOUNT_UNKNOWN",
    "EF05": "GL_ACCOUNT_UNKNOWN",
    "EP01": "PERIOD_CLOSED",
    "EP02": "PERIOD_CLOSED",
    "EP03": "PERIOD_CLOSED",
    "EP04": "PERIOD_CLOSED",
    "EP05": "PERIOD_CLOSED",
    "EU02": "UNBALANCED",
    "EU03": "UNBALANCED",
}
#: Words of Payables when it refuses an invoice: our code.
INVOICE_REFUSALS: Final[Mapping[str, str]] = {
    "ACCT DATE NOT IN OPEN PD": "PERIOD_CLOSED",
    "DUPLICATE INVOICE NUMBER": "DUPLICATE_INVOICE",
    "INVALID CURRENCY CODE": "CURRENCY_UNKNOWN",
    "INVALID DISTRIBUTION ACCT": "GL_ACCOUNT_UNKNOWN",
    "INVALID INVOICE AMOUNT": "UNBALANCED",
    "INVALID OPERATING UNIT": "COMPANY_OTHER",
    "INVALID SUPPLIER": "PARTY_UNKNOWN",
    "INVALID SUPPLIER SITE": "PARTY_UNKNOWN",
}
_STATUS: Final = re.compile(r"\b(?:P|NEW|E[A-Z]\d{2})\b", re.ASCII)
_ERROR: Final = re.compile(r"\bE[A-Z]\d{2}\b", re.ASCII)
_BYTES_MAX: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an output says: ``imported``, ``refused`` (our code and Oracle's words), or neither."""

    imported: bool = False
    refused: str = ""


def texts_of(content: Any) -> tuple[str, ...]:
    """The texts in the zip of a request's execution details, by file name; empty without one.

    Raises:
        ConnectorError: it is no zip, or larger than any report.
    """
    if not content:
        return ()
    try:
        raw = base64.b64decode(str(content), validate=True)
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = sorted(archive.infolist(), key=lambda entry: entry.filename)
            if sum(entry.file_size for entry in entries) > _BYTES_MAX:
                raise ValueError("the output is larger than 32 MiB")
            return tuple(archive.read(entry).decode("utf-8", "replace") for entry in entries)
    except (binascii.Error, zipfile.BadZipFile, ValueError, OSError, RuntimeError) as error:
        message = f"the output of a request cannot be read: {error}"
        raise ConnectorError("REPORT_UNREADABLE", message) from error


def verdict(texts: tuple[str, ...], word: str, *, alone: bool) -> Verdict:
    """What the outputs of an import say of the document with ``word`` in its lines.

    Args:
        alone: whether nothing else was in the group, so that every code is this document's.
    """
    lines = [line for text in texts for line in text.splitlines()]
    ours = [line for line in lines if re.search(rf"\b{re.escape(word)}\b", line)]
    statuses = [found[0] for line in ours if (found := _STATUS.search(line))]
    reasons = _refusals(ours if not alone else lines)
    if reasons:
        return Verdict(refused="; ".join(reasons))
    codes = [status for status in statuses if status.startswith("E")]
    if alone or "NEW" in statuses:
        codes = codes or [found[0] for line in lines if (found := _ERROR.search(line))]
    if codes:
        code = codes[0]
        words = next((_meaning(line, code) for line in lines if _meaning(line, code)), "")
        return Verdict(
            refused=f"{IMPORT_CODES.get(code, 'IMPORT_REFUSED')}: {code} {words}".strip()
        )
    return Verdict(imported=bool(statuses) and set(statuses) == {"P"})


def _refusals(lines: list[str]) -> list[str]:
    """Words of Payables in some lines, each with our code."""
    found = []
    for line in lines:
        words = re.search(r"\bREJECTED\s+([A-Z]+(?: [A-Z]+)*)", line)
        if words:
            found.append(f"{INVOICE_REFUSALS.get(words[1], 'IMPORT_REFUSED')}: {words[1]}")
    return sorted(set(found))


def _meaning(line: str, code: str) -> str:
    """The explanation in a line that begins with a code."""
    text = line.strip()
    return " ".join(text.removeprefix(code).split()) if text.startswith(code) else ""
