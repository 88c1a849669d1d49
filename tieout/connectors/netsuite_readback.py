"""NetSuite's records in the words of `tieout.connectors.ports`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from tieout.connectors.netsuite_amounts import company_minor
from tieout.connectors.netsuite_masters import Masters
from tieout.connectors.ports import DocumentLine, ErpDocument
from tieout.errors import ConnectorError, MoneyError
from tieout.money import to_minor

__all__ = ["account_ids", "approval", "document", "shaped"]

Record = Mapping[str, Any]

_APPROVALS: Final = {"1": "waits", "2": "approved", "3": "rejected"}
Approval = Literal["waits", "approved", "rejected"]


def approval(kind: str, record: Record) -> Approval:
    """Whether a record is approved and so in the ledger.

    A record without the field is of an account without approval routing: it is posted at once. A
    status we do not know waits.
    """
    if kind == "expenseReport":
        done = record.get("complete", True) and record.get("accountingapproval", False)
        return "approved" if done else "waits"
    status = record.get("approvalStatus")
    if status is None:
        return "approved"
    return _APPROVALS.get(f"{status['id']}", "waits")  # type: ignore[return-value]


def document(kind: str, record: Record, masters: Masters, codes: Mapping[str, str]) -> ErpDocument:
    """A record as a document; ``codes`` are our codes of accounts by NetSuite's ids."""
    return ErpDocument(
        f"{kind}/{record['id']}",
        "posted" if approval(kind, record) == "approved" else "draft",
        record.get("tranId") or record.get("transactionNumber"),
        record.get("externalId") or "",
        date.fromisoformat(record["tranDate"][:10]),
        tuple(_lines(kind, record, masters, codes)),
    )


def account_ids(kind: str, record: Record) -> set[str]:
    """NetSuite's ids of the accounts a record's lines are on."""
    lines = [*_items(record, "line"), *_items(record, "expense")]
    named = [line.get(name) for line in lines for name in ("account", "expenseaccount")]
    named += [record.get(name) for name in ("account", "apAcct")]
    return {f"{found['id']}" for found in named if found}


def _lines(
    kind: str, record: Record, masters: Masters, codes: Mapping[str, str]
) -> Iterator[DocumentLine]:
    for account, amount, party, memo in _amounts(kind, record):
        yield _line(record, kind, masters, (codes[account], amount, party, memo))


def _amounts(kind: str, record: Record) -> Iterator[tuple[str, Decimal, str | None, str]]:
    """Account, amount (debit less credit), party and text of each line."""
    party = (record.get("entity") or {}).get("refName")
    if kind == "journalEntry":
        for line in _items(record, "line"):
            amount = _decimal(line.get("debit")) - _decimal(line.get("credit"))
            entity = (line.get("entity") or {}).get("refName")
            yield f"{line['account']['id']}", amount, entity, line.get("memo") or ""
        return
    if kind == "vendorPayment":
        total = _decimal(record["total"])
        if total:
            yield f"{record['account']['id']}", -total, None, ""
            yield f"{record['apAcct']['id']}", total, party, ""
        return
    total = _decimal(record["total"])
    yield f"{record['account']['id']}", -total, party, ""
    for line in _items(record, "expense"):
        found = line.get("account") or line["expenseaccount"]
        yield f"{found['id']}", _decimal(line["amount"]), None, line.get("memo") or ""


def _line(
    record: Record, kind: str, masters: Masters, parts: tuple[str, Decimal, str | None, str]
) -> DocumentLine:
    code, amount, party, memo = parts
    own = masters.currency
    report = kind == "expenseReport"
    rate = record.get("expensereportexchangerate" if report else "exchangeRate", 1)
    held = record.get("expensereportcurrency" if report else "currency")
    currency = masters.currency_code(f"{held['id']}") if held else own
    minor = company_minor(amount, _decimal(rate), own)
    foreign = currency != own
    return DocumentLine(
        gl_account=code,
        debit_minor=max(minor, 0),
        credit_minor=max(-minor, 0),
        foreign_minor=to_minor(amount, currency) if foreign else None,
        foreign_currency=currency if foreign else None,
        party=party,
        narrative=memo,
    )


def _items(record: Record, sublist: str) -> list[Record]:
    found = record.get(sublist)
    if found is None:
        return []
    if found.get("hasMore"):
        message = f"NetSuite gave only a part of the sublist {sublist}"
        raise ConnectorError("ANSWER_UNEXPECTED", message)
    items: list[Record] = found["items"]
    return items


def _decimal(value: Decimal | int | str | None) -> Decimal:
    return Decimal(value or 0)


@contextmanager
def shaped(what: str) -> Iterator[None]:
    """An answer of another shape than NetSuite's is the connector's error, not ours to crash on."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, MoneyError) as error:
        message = f"NetSuite's {what} has an unexpected shape: {error!r}"
        raise ConnectorError("ANSWER_UNEXPECTED", message) from error
