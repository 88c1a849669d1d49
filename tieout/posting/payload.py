"""What is sent, in one canonical form, and the hash that approvals and intents bind.

An adjustment, its approval, its intent and each attempt carry the same hash, so that nothing but
what a person saw can leave. Amounts are integers in minor units; dates are ISO; keys are sorted.
The external reference is no part of it: it follows from the business key.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from tieout.connectors.ports import Journal, JournalLine

__all__ = ["Line", "canonical_payload", "external_ref", "journal_of", "payload_sha256", "sha256_of"]

_REF_LENGTH: Final = 16  # 80 bits; the shortest reference field of the ERPs we know holds 16


class Line(Protocol):
    """What a line must offer; `JournalLine` and the ledger's `AdjustmentLine` both do."""

    @property
    def gl_account(self) -> str: ...  # noqa: D102
    @property
    def debit_minor(self) -> int: ...  # noqa: D102
    @property
    def credit_minor(self) -> int: ...  # noqa: D102
    @property
    def foreign_minor(self) -> int | None: ...  # noqa: D102
    @property
    def foreign_currency(self) -> str | None: ...  # noqa: D102
    @property
    def party(self) -> str | None: ...  # noqa: D102
    @property
    def narrative(self) -> str: ...  # noqa: D102


def canonical_payload(
    *,
    company: str,
    journal_code: str,
    booked_on: dt.date,
    narrative: str,
    currency: str,
    lines: Sequence[Line],
) -> dict[str, Any]:
    """The journal as plain JSON; ``lines`` in the order they shall be sent."""
    return {
        "company": company,
        "journal_code": journal_code,
        "booked_on": booked_on.isoformat(),
        "narrative": narrative,
        "currency": currency,
        "lines": [
            {
                "gl_account": line.gl_account,
                "debit_minor": line.debit_minor,
                "credit_minor": line.credit_minor,
                "foreign_minor": line.foreign_minor,
                "foreign_currency": line.foreign_currency,
                "party": line.party,
                "narrative": line.narrative,
            }
            for line in lines
        ],
    }


def sha256_of(payload: Mapping[str, Any]) -> str:
    """The hash of a canonical payload (sorted keys, no spaces, UTF-8)."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def payload_sha256(
    *,
    company: str,
    journal_code: str,
    booked_on: dt.date,
    narrative: str,
    currency: str,
    lines: Sequence[Line],
) -> str:
    """The hash an adjustment stores, an approval binds and an intent must have.

    Args:
        company: the company's code in the ERP.
        journal_code: the account's journal (``accounts.journal``).
        booked_on: the day the journal is booked on.
        narrative: the journal's text.
        currency: the company's currency: that of the lines, not of the bank account.
        lines: in the order they shall be sent.
    """
    return sha256_of(
        canonical_payload(
            company=company,
            journal_code=journal_code,
            booked_on=booked_on,
            narrative=narrative,
            currency=currency,
            lines=lines,
        )
    )


def external_ref(erp: str, company: str, business_key: str) -> str:
    """Our reference in the ERP: 16 characters of A-Z and 2-7, the same for ever."""
    digest = hashlib.sha256("\x1f".join((erp, company, business_key)).encode()).digest()
    return base64.b32encode(digest).decode("ascii")[:_REF_LENGTH]


def journal_of(payload: Mapping[str, Any], ext_ref: str) -> Journal:
    """The connector's journal of a stored payload."""
    return Journal(
        external_ref=ext_ref,
        company=payload["company"],
        journal_code=payload["journal_code"],
        booked_on=dt.date.fromisoformat(payload["booked_on"]),
        narrative=payload["narrative"],
        currency=payload["currency"],
        lines=tuple(JournalLine(**line) for line in payload["lines"]),
    )
