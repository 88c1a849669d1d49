"""When a simulated NetSuite refuses a transaction, and what it does to the general ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from sandbox.simulators import netsuite_seed as seed
from sandbox.simulators.netsuite_shapes import RefusedError

__all__ = ["GlLine", "approved", "check", "day_of", "gl_lines", "rate_of"]

_ACCOUNTS: Final = {account.id: account for account in seed.ACCOUNTS}
_ENTITIES: Final = {entity.id: entity for entity in seed.ENTITIES}
_CENT: Final = Decimal("0.01")
_ZERO: Final = Decimal(0)


@dataclass(frozen=True)
class GlLine:
    """One line in the ledger; amounts are debit less credit, ``amount`` in the transaction's
    currency, ``base`` in the subsidiary's."""

    account: str
    amount: Decimal
    base: Decimal
    entity: str
    memo: str
    department: str
    cleared: str


def approved(kind: str, record: Mapping[str, Any]) -> bool:
    """Whether a record has reached the ledger; a report is approved by accounting."""
    if kind == "expenseReport":
        return bool(record.get("complete")) and bool(record.get("accountingapproval"))
    return str(record.get("approvalStatus", {"id": "2"})["id"]) == "2"


def rate_of(kind: str, record: Mapping[str, Any]) -> Decimal:
    """Units of the subsidiary's currency for one of the transaction's."""
    name = "expensereportexchangerate" if kind == "expenseReport" else "exchangeRate"
    return Decimal(record.get(name, 1))


def check(kind: str, record: Mapping[str, Any]) -> None:
    """Refuse what NetSuite would refuse, whatever the period.

    Raises:
        RefusedError: 400, with the path of what is wrong.
    """
    _known(record, "subsidiary", seed.SUBSIDIARIES, required=kind != "vendorPayment")
    _known(record, "currency", seed.CURRENCIES)
    _known(record, "department", seed.DEPARTMENTS)
    if len(record.get("memo", "")) > 999:
        raise _user("The field memo contained more than the maximum number of characters.", "memo")
    if len(record.get("tranId", "")) > 45:
        raise _user("The field tranId contained more than the maximum number.", "tranId")
    {
        "journalEntry": _check_journal,
        "vendorBill": _check_bill,
        "expenseReport": _check_report,
        "vendorPayment": _check_payment,
    }[kind](record)


def _check_journal(record: Mapping[str, Any]) -> None:
    lines = record.get("line", [])
    if not lines:
        raise _user("You must enter at least one line item for this transaction.", "line")
    balance = _ZERO
    for index, line in enumerate(lines):
        path = f"line.items[{index}]"
        account = _account(line, f"{path}.account", record)
        debit, credit = line.get("debit", _ZERO), line.get("credit", _ZERO)
        if (debit == 0) == (credit == 0):
            raise _user("Enter either a debit or a credit.", f"{path}.debit")
        for side in ("debit", "credit"):
            _cents(line.get(side, _ZERO), f"{path}.{side}")
        _known(line, "department", seed.DEPARTMENTS, at=f"{path}.")
        if account.kind in ("AcctRec", "AcctPay") and "entity" not in line:
            raise _user("Please enter a name for this account.", f"{path}.entity")
        if "entity" in line:
            _entity(line, f"{path}.entity")
        balance += debit - credit
    if balance:
        raise _user(f"Transaction was not in balance. Total = {balance}", "line")


def _check_bill(record: Mapping[str, Any]) -> None:
    _entity(record, "entity", "vendor")
    account = _account(record, "account", record)
    if account.kind != "AcctPay":
        raise _invalid("account", record["account"]["id"], "account")
    _expenses(record)


def _check_report(record: Mapping[str, Any]) -> None:
    _entity(record, "entity", "employee")
    _account(record, "account", record)
    for index, line in enumerate(record.get("expense", [])):
        path = f"expense.items[{index}].category"
        if "category" not in line:
            raise _user("Please enter value(s) for: Category", path)
        if line["category"]["id"] not in seed.CATEGORIES:
            raise _invalid("category", line["category"]["id"], path)
    _expenses(record)


def _expenses(record: Mapping[str, Any]) -> None:
    lines = record.get("expense", [])
    if not lines:
        raise _user("You must enter at least one line item for this transaction.", "expense")
    for index, line in enumerate(lines):
        path = f"expense.items[{index}]"
        if "account" in line:
            _account(line, f"{path}.account", record)
        if "amount" not in line:
            raise _user("Please enter value(s) for: Amount", f"{path}.amount")
        _cents(line["amount"], f"{path}.amount")
        _known(line, "department", seed.DEPARTMENTS, at=f"{path}.")


def _check_payment(record: Mapping[str, Any]) -> None:
    _entity(record, "entity", "vendor")
    _account(record, "account", record)
    _account(record, "apAcct", record)
    if not [line for line in record.get("apply", []) if line.get("apply")]:
        raise _user("You must enter at least one line item for this transaction.", "apply")
    if _payment_total(record) < 0:
        raise _user("The credits applied exceed what is to be paid.", "credit")


def _payment_total(record: Mapping[str, Any]) -> Decimal:
    def summed(sublist: str) -> Decimal:
        lines = (line for line in record.get(sublist, []) if line.get("apply"))
        return sum((line["amount"] for line in lines), _ZERO)

    return summed("apply") - summed("credit")


def gl_lines(kind: str, record: Mapping[str, Any]) -> list[GlLine]:
    """What a transaction writes to the ledger, in the order of its lines."""
    rate = rate_of(kind, record)
    if kind in ("journalEntry", "invoice"):
        return [_line(line, line["account"]["id"], _signed(line), rate) for line in record["line"]]
    entity = {"entity": record["entity"]}
    if kind == "vendorPayment":
        total = _payment_total(record)
        if not total:
            return []
        bank = _line({**record}, record["account"]["id"], -total, rate)
        return [bank, _line(entity, record["apAcct"]["id"], total, rate)]
    lines = []
    for line in record["expense"]:
        account = line.get("account") or line.get("expenseaccount")
        number = account["id"] if account else seed.CATEGORIES[line["category"]["id"]][1]
        lines.append(_line(line, number, line["amount"], rate))
    total = -sum((line.amount for line in lines), _ZERO)
    return [_line(entity, record["account"]["id"], total, rate), *lines]


def _line(line: Mapping[str, Any], account: str, amount: Decimal, rate: Decimal) -> GlLine:
    return GlLine(
        account,
        amount,
        (amount * rate).quantize(_CENT, ROUND_HALF_UP),
        line.get("entity", {"id": ""})["id"],
        line.get("memo", ""),
        line.get("department", {"id": ""})["id"],
        line.get("clearedDate", "") if line.get("cleared") else "",
    )


def _signed(line: Mapping[str, Any]) -> Decimal:
    return Decimal(line.get("debit", _ZERO) - line.get("credit", _ZERO))


def _account(line: Mapping[str, Any], path: str, record: Mapping[str, Any]) -> seed.Account:
    name = path.rsplit(".", 1)[-1]
    if name not in line:
        raise _user("Please enter value(s) for: Account", path)
    account = _ACCOUNTS.get(line[name]["id"])
    if account is None:
        raise _invalid(name, line[name]["id"], path)
    if account.inactive or account.summary:
        raise _user(f"Account {account.number} takes no postings.", path)
    subsidiary = record.get("subsidiary", {"id": ""})["id"]
    if account.subsidiaries and subsidiary and subsidiary not in account.subsidiaries:
        raise _user(f"Account {account.number} is restricted to another subsidiary.", path)
    currency = record.get("currency", record.get("expensereportcurrency", {"id": "1"}))["id"]
    if account.currency and account.currency != currency:
        raise _user("The currency of the account and of the transaction differ.", path)
    return account


def _entity(line: Mapping[str, Any], path: str, table: str = "") -> None:
    if "entity" not in line:
        raise _user("Please enter value(s) for: Entity", path)
    entity = _ENTITIES.get(line["entity"]["id"])
    if entity is None or entity.inactive or (table and entity.table != table):
        raise _invalid("entity", line["entity"]["id"], path)


def _known(
    line: Mapping[str, Any],
    name: str,
    table: Mapping[str, Any],
    *,
    at: str = "",
    required: bool = False,
) -> None:
    if name in line and line[name]["id"] not in table:
        raise _invalid(name, line[name]["id"], f"{at}{name}")
    if required and name not in line:
        raise _user(f"Please enter value(s) for: {name.capitalize()}", f"{at}{name}")


def _cents(amount: Decimal, path: str) -> None:
    if amount != amount.quantize(_CENT):
        raise _user("The amount has more decimals than its currency.", path)


def _user(detail: str, path: str) -> RefusedError:
    return RefusedError(400, "USER_ERROR", f"Error while accessing a resource. {detail}", path)


def _invalid(name: str, value: str, path: str) -> RefusedError:
    detail = f"You have entered an Invalid Field Value {value} for the following field: {name}"
    return RefusedError(400, "INVALID_CONTENT", f"Error while accessing a resource. {detail}", path)


def day_of(record: Mapping[str, Any]) -> dt.date:
    """The day a record is booked on."""
    return dt.date.fromisoformat(record["tranDate"])
