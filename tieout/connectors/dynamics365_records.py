"""Dynamics 365's records in our words, and ours in its: values, texts, documents read back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from tieout.connectors.dynamics365_profile import Profile
from tieout.connectors.dynamics365_session import Row
from tieout.connectors.ports import DocumentLine, ErpDocument, Journal, JournalLine
from tieout.errors import ConnectorError, MoneyError
from tieout.money import exponent_of, from_minor, to_minor

__all__ = [
    "NUMBER_MAX",
    "VOID",
    "company_amount",
    "day_of",
    "document",
    "entry_lines",
    "exchange_rate",
    "header_values",
    "line_of",
    "line_sides",
    "line_values",
    "main_account",
    "narrative",
    "number_of",
    "reference_in",
    "rendered",
    "shaped",
]

#: Lengths of the journal tables' own fields.
NUMBER_MAX: Final = 10
_DESCRIPTION_MAX: Final = 60
_TEXT_MAX: Final = 60
#: What a voided journal is called behind its reference; it keeps its number for ever.
VOID: Final = "void"
_STAMP: Final = re.compile(r"\[([A-Z0-9]{1,16})\](?: |\Z)", re.ASCII)
_RATE_STEP: Final = Decimal("0.0000000001")


def rendered(value: Any) -> str:
    """JSON text in which amounts are numbers with all their digits."""
    match value:
        case dict():
            inner = (f"{json.dumps(k)}:{rendered(v)}" for k, v in value.items())
            return "{" + ",".join(inner) + "}"
        case list() | tuple():
            return "[" + ",".join(rendered(item) for item in value) + "]"
        case Decimal():
            return format(value, "f")
        case date():
            return f'"{value.isoformat()}T12:00:00Z"'
    return json.dumps(value, ensure_ascii=False)


def narrative(text: str, longest: int = _TEXT_MAX) -> str:
    """One printable line, cut to what its field holds."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:longest].rstrip()


def number_of(external_ref: str) -> str:
    """The number a journal of ours brings: as much of our reference as the field holds."""
    return external_ref[:NUMBER_MAX]


def reference_in(description: object) -> str:
    """Our reference in a journal's description; empty where it is not one of ours."""
    found = _STAMP.match(str(description or ""))
    return found[1] if found else ""


def header_values(journal: Journal, company: str, name: str, number: str) -> Row:
    """A journal's header; without a number the system gives one."""
    text = narrative(f"[{journal.external_ref}] {journal.narrative}", _DESCRIPTION_MAX)
    values: Row = {"dataAreaId": company, "JournalName": name, "Description": text}
    return values | ({"JournalBatchNumber": number} if number else {})


def line_values(
    journal: Journal, index: int, company: str, number: str, account: tuple[str, str, str]
) -> Row:
    """One line, in the transaction's currency; ``account`` is type, text and posting profile."""
    line = journal.lines[index]
    currency = line.foreign_currency or journal.currency
    values: Row = {
        "dataAreaId": company,
        "JournalBatchNumber": number,
        "LineNumber": index + 1,
        "TransDate": journal.booked_on,
        "AccountType": account[0],
        "AccountDisplayValue": account[1],
        "CurrencyCode": currency,
        "Text": narrative(line.narrative or journal.narrative),
        "Document": journal.external_ref,
        "DocumentDate": journal.booked_on,
    }
    own = line.debit_minor - line.credit_minor
    amount = from_minor(own, journal.currency)
    if currency != journal.currency and line.foreign_minor is not None:
        foreign = from_minor(line.foreign_minor, currency)
        values["ExchRate"] = exchange_rate(foreign, amount)
        amount = foreign
    values["DebitAmount" if own > 0 else "CreditAmount"] = abs(amount)
    if account[2]:
        values["PostingProfile"] = account[2]
    if journal.liability is not None and account[0] == "Vend":
        owed = journal.liability
        values |= {
            "Invoice": owed.invoice_no,
            "DocumentDate": owed.invoiced_on,
            "DueDate": owed.due_on,
        }
    return values


def exchange_rate(foreign: Decimal, own: Decimal) -> Decimal:
    """Company currency for 100 of the foreign one, as the system writes rates."""
    return (abs(own) * 100 / abs(foreign)).quantize(_RATE_STEP, ROUND_HALF_UP)


def company_amount(foreign: Decimal, rate: Decimal, currency: str) -> Decimal:
    """What the system will make of an amount and a rate, in the company's currency."""
    step = Decimal(1).scaleb(-exponent_of(currency))
    return (foreign * rate / 100).quantize(step, ROUND_HALF_UP)


def main_account(text: str, profile: Profile) -> str:
    """The main account of a ledger account's text."""
    return text.split(profile.delimiter)[0]


def day_of(value: object) -> date:
    """A day of the system's, ``2026-11-20T12:00:00Z``."""
    return date.fromisoformat(str(value)[:10])


def document(
    header: Row, lines: list[Row], entries: list[Row], currency: str, profile: Profile
) -> ErpDocument:
    """A journal read back; of a posted one the amounts are those of the general ledger."""
    posted = header["IsPosted"] == "Yes"
    told = list(entry_lines(entries, currency, profile))
    drawn = [_draft_line(row, currency, profile) for row in lines]
    if posted and len(told) == len(drawn):
        told = [_with_party(mine, other) for mine, other in zip(told, drawn, strict=True)]
    references = {str(row["Document"]) for row in lines} | {reference_in(header["Description"])}
    reference = references.pop() if len(references) == 1 else ""
    return ErpDocument(
        f"{header['dataAreaId']}/{header['JournalBatchNumber']}",
        "posted" if posted else "draft",
        str(lines[0]["Voucher"]) if posted else None,
        reference,
        day_of(entries[0]["AccountingDate"] if posted and entries else lines[0]["TransDate"]),
        tuple(told if posted else drawn),
    )


def entry_lines(rows: list[Row], currency: str, profile: Profile) -> tuple[DocumentLine, ...]:
    """Entries of the general ledger as lines; the ledger knows no partners."""
    return tuple(_entry_line(row, currency, profile) for row in rows)


def line_of(account: str, own: int, party: str | None, text: str) -> DocumentLine:
    """A line in the company's currency, signed like debit − credit."""
    return DocumentLine(account, max(own, 0), max(-own, 0), None, None, party, text)


def _with_party(mine: DocumentLine, other: DocumentLine) -> DocumentLine:
    """The ledger knows the main account, the journal's line the partner."""
    return _line(mine.gl_account, mine, other.party)


def _line(account: str, like: DocumentLine, party: str | None) -> DocumentLine:
    return DocumentLine(
        account,
        like.debit_minor,
        like.credit_minor,
        like.foreign_minor,
        like.foreign_currency,
        party,
        like.narrative,
    )


def _entry_line(row: Row, currency: str, profile: Profile) -> DocumentLine:
    own = to_minor(Decimal(row["AccountingCurrencyAmount"]), currency)
    held = str(row["TransactionCurrencyCode"])
    amount = Decimal(row["TransactionCurrencyAmount"])
    foreign = to_minor(amount, held) if held != currency else None
    account = main_account(str(row["LedgerAccount"]), profile)
    return _amounts(account, own, foreign, held if foreign is not None else None, None, row)


def _draft_line(row: Row, currency: str, profile: Profile) -> DocumentLine:
    signed = row["DebitAmount"] - row["CreditAmount"]
    held = str(row["CurrencyCode"])
    account, party = _account(row, profile)
    if held == currency:
        return _amounts(account, to_minor(Decimal(signed), currency), None, None, party, row)
    own = company_amount(Decimal(signed), Decimal(row["ExchRate"]), currency)
    foreign = to_minor(Decimal(signed), held)
    return _amounts(account, to_minor(own, currency), foreign, held, party, row)


def _amounts(
    account: str, own: int, foreign: int | None, held: str | None, party: str | None, row: Row
) -> DocumentLine:
    text = str(row.get("Text", row.get("Description", "")))
    return DocumentLine(account, max(own, 0), max(-own, 0), foreign, held, party, text)


def _account(row: Row, profile: Profile) -> tuple[str, str | None]:
    """The main account a line will be posted on, as the mapping has it, and its partner."""
    text = str(row["AccountDisplayValue"])
    match row["AccountType"]:
        case "Bank":
            codes = {bank: code for code, bank in profile.banks.items()}
            return codes.get(text, text), None
        case "Vend":
            told = {name: code for code, name in profile.posting_profiles.items()}
            return told.get(str(row["PostingProfile"]), profile.payable), text
        case "Cust":
            return profile.receivable, text
    return main_account(text, profile), None


def line_sides(line: JournalLine) -> bool:
    """Whether a line is on exactly one side, and both its amounts on the same."""
    if min(line.debit_minor, line.credit_minor) != 0 or line.debit_minor == line.credit_minor:
        return False
    return (line.foreign_minor or 0) * (line.debit_minor - line.credit_minor) >= 0


@contextmanager
def shaped(what: str) -> Iterator[None]:
    """An answer of another shape is the connector's error, not ours to crash on."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, MoneyError) as error:
        message = f"Dynamics 365's {what} has an unexpected shape: {error!r}"
        remedy = "is it Dynamics 365 Finance, with its standard entities?"
        raise ConnectorError("ANSWER_UNEXPECTED", message, remedy=remedy) from error
