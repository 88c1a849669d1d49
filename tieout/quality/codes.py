"""What each finding of the statement controls means for the statement: its *effect*.

- ``quarantine``: it is not loaded;
- ``stage``: it is recorded but set aside; nothing of the account is posted by itself until the
  cause is gone, and what follows waits too;
- ``block``: it is loaded, but nothing of the account is posted by itself until a person has looked;
- ``note``: it is said and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from tieout.errors import Finding, Severity

__all__ = ["CONTROL_CODES", "Control", "Effect", "finding", "place", "worst_effect"]

Effect = Literal["quarantine", "stage", "block", "note"]


@dataclass(frozen=True, slots=True)
class Control:
    """What a finding of one code means."""

    severity: Severity
    effect: Effect
    meaning: str
    remedy: str


#: Every code `check_statement` can give, the gravest effect first.
CONTROL_CODES: Final[dict[str, Control]] = {
    "ACCOUNT_UNKNOWN": Control(
        "error",
        "quarantine",
        "the statement is of an account no mapping names",
        "add the account to mappings/accounts, or tell the bank to send it elsewhere",
    ),
    "ACCOUNT_CURRENCY": Control(
        "error",
        "quarantine",
        "the statement's currency is not the account's",
        "correct the account's currency in mappings/accounts, or ask the bank",
    ),
    "ENTRY_CURRENCY": Control(
        "error",
        "quarantine",
        "an entry or balance is in another currency than its statement",
        "ask the bank to correct and send it again; amounts are never converted",
    ),
    "AMOUNT_UNFIT": Control(
        "error",
        "quarantine",
        "an amount has more decimals than its currency, or is out of range",
        "ask the bank to correct and send it again; amounts are never rounded",
    ),
    "ENTRY_COUNT": Control(
        "error",
        "quarantine",
        "the statement has another number of entries than it announces",
        "ask the bank for the whole statement",
    ),
    "BALANCE_MISMATCH": Control(
        "error",
        "quarantine",
        "opening balance and booked entries do not come to the closing balance",
        "ask the bank for the whole, corrected statement",
    ),
    "STATEMENT_FUTURE": Control(
        "error",
        "quarantine",
        "the statement closes on a day that has not come",
        "ask the bank; check this machine's clock",
    ),
    "STATEMENT_UNBALANCED": Control(
        "error",
        "stage",
        "the opening or closing balance is missing, so nothing can be proven",
        "ask the bank to send opening and closing balances",
    ),
    "STATEMENT_INCOMPLETE": Control(
        "error",
        "stage",
        "a record of the statement could not be read",
        "see the file's other findings; have the bank send it again",
    ),
    "STATEMENT_GAP": Control(
        "error",
        "stage",
        "the statement does not follow the one before it in number or balance",
        "get the missing statement from the bank; it is taken up by itself",
    ),
    "STATEMENT_REPEATED": Control(
        "error",
        "stage",
        "the number was used before, by a statement with other content",
        "ask the bank whether it is a correction and of what",
    ),
    "ENTRY_DATE": Control(
        "error",
        "block",
        "an entry's booking date is missing or far outside the statement's period",
        "compare with the bank's paper or portal before anything is posted",
    ),
    "STATEMENT_OLD": Control(
        "info",
        "note",
        "the statement closes on or before the account's cutover",
        "",
    ),
    "STATEMENT_DUPLICATE": Control(
        "info",
        "note",
        "the same statement is known already, from another file or channel",
        "",
    ),
    "DETAIL_SUM": Control(
        "warning",
        "note",
        "the details of an entry do not come to the entry's amount",
        "matching falls back to the entry as a whole; ask the bank for complete details",
    ),
}

_PRECEDENCE: Final[tuple[Effect, ...]] = ("quarantine", "stage", "block", "note")


def worst_effect(findings: Iterable[Finding]) -> Effect | None:
    """The gravest effect among control findings; None if there is none of them."""
    effects = {CONTROL_CODES[f.code].effect for f in findings if f.code in CONTROL_CODES}
    return next((effect for effect in _PRECEDENCE if effect in effects), None)


def finding(code: str, statement: Mapping[str, Any], message: str, where: str = "") -> Finding:
    """A finding on a statement (a row of STATEMENTS), at it or at ``where``."""
    control = CONTROL_CODES[code]
    line = f" line {statement['line_no']}" if statement["line_no"] is not None else ""
    place = where or f"statement {statement['statement_id']}{line}"
    number = statement["sequence_no"]
    label = f"statement {number if number is not None else statement['statement_ref']} of account "
    text = f"{label}{statement['account_id']}: {message}"
    return Finding(code, control.severity, place, text, control.remedy)


def place(row: Mapping[str, Any]) -> str:
    """Where an entry (a row of ENTRIES) is to be found."""
    line = f" line {row['line_no']}" if row["line_no"] is not None else ""
    return f"entry {row['entry_id']}{line}"
