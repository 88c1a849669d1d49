"""Errors and findings: what went wrong, where, and how to mend it.

Bad data is a row, not a raise: a failed check becomes a `Finding`. An error is raised only when
the work at hand cannot go on::

    TieoutError
    ├── InputError          a file cannot be read at all (it is quarantined, others go on)
    ├── MoneyError          an amount is malformed or does not fit its currency
    ├── ProfileError        a mapping is wrong: names file, line, key and the nearest valid key
    ├── LedgerError         the ledger refused a write, or is of another version
    ├── DropError           a drop (SFTP, folder) cannot be reached or trusted
    └── ConnectorError      an ERP cannot be reached, or answered outside its contract
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tieout.redaction import clean

__all__ = [
    "ConnectorError",
    "DropError",
    "Finding",
    "InputError",
    "LedgerError",
    "MoneyError",
    "ProfileError",
    "Severity",
    "TieoutError",
]

Severity = Literal["error", "warning", "info"]


class TieoutError(Exception):
    """Base of all our errors.

    Args:
        code: stable upper-case name, listed in ERRORS.md (``CAMT_TRUNCATED``).
        message: what is wrong, in a sentence, with the offending value.
        where: place a person can find: ``file.xml line 12``, ``acme.toml [account] iban``.
        remedy: what to do about it.
    """

    def __init__(self, code: str, message: str, *, where: str = "", remedy: str = "") -> None:
        # The other side may have repeated in its words what we sent it.
        message, where, remedy = clean(message), clean(where), clean(remedy)
        super().__init__(code, message, where, remedy)
        self.code = code
        self.message = message
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        mend = f" ({self.remedy})" if self.remedy else ""
        return f"{place}{self.message}{mend} [{self.code}]"


class InputError(TieoutError):
    """A file cannot be read as a whole; it is quarantined and the others go on."""


class MoneyError(TieoutError):
    """An amount is malformed, or does not fit its currency's minor unit or our bounds."""


class ProfileError(TieoutError):
    """A mapping (bank, account, ladder, policy, ERP) is wrong."""


class LedgerError(TieoutError):
    """The ledger refused a write or has another schema version."""


class DropError(TieoutError):
    """A drop cannot be reached, or its host is not the one pinned."""


class ConnectorError(TieoutError):
    """An ERP or another system cannot be reached or answered outside its contract."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A failed check, as a row.

    Attributes:
        code: stable upper-case name (``BALANCE_MISMATCH``).
        severity: ``error`` stops the file, statement or account; ``warning`` and ``info`` do not.
        where: line, byte offset or element path inside the file, or the ledger id concerned.
        message: one sentence with the values.
        remedy: how to mend it; may be empty for ``info``.
    """

    code: str
    severity: Severity
    where: str
    message: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        """The finding as plain JSON fields, in a fixed order."""
        return {
            "code": self.code,
            "severity": self.severity,
            "where": self.where,
            "message": self.message,
            "remedy": self.remedy,
        }
