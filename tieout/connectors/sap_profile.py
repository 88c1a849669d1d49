"""``mappings/erp/sap.toml`` as values: what SAP calls our company, journals and dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from tieout.connectors.http_wire import Timeouts
from tieout.errors import ProfileError
from tieout.profiles import allow_keys, require

__all__ = ["Profile", "load_profile"]

_SECTIONS: Final = {
    "accounts": (),
    "cash_book": ("overlap_days", "text"),
    "company": ("code", "company_code", "currency", "ledger"),
    "dimensions": ("cost_center", "cost_centers", "tax_codes"),
    "erp": ("name", "vendor"),
    "journals": (),
    "masters": ("employee_groups",),
    "posting": (
        "batch_max",
        "created_by",
        "key_margin_days",
        "logical_system",
        "request_lifetime",
        "retention_days",
        "reversal_reason",
        "sender",
        "supplier_invoices",
        "transaction_type",
        "visibility",
        "way",
    ),
    "references": ("patterns",),
    "timeouts": ("connect", "read", "total"),
}
#: Longest values of the header's fields, from the service's schema.
_LENGTHS: Final = {"created_by": 12, "logical_system": 10, "sender": 60, "transaction_type": 4}


@dataclass(frozen=True, slots=True)
class Profile:
    """The mapping, checked.

    Attributes:
        erp: the mapping's name.
        company: our code of the company; ``company_code`` is SAP's.
        journals: document type by our journal.
        invoices: whether suppliers' invoices go to SAP's invoice ledger.
        cost_centers: by GL account; ``cost_center`` for all other accounts of primary costs.
        settle: of a request that is not answered: our deadline, SAP's longest request, and the lag
            until what it posted can be read.
        retention: how long SAP knows the id of a message.
        key_margin: how long a message may wait in SAP before it compares the id.
    """

    erp: str
    company: str
    company_code: str
    currency: str
    ledger: str
    journals: Mapping[str, str]
    cost_center: str
    cost_centers: Mapping[str, str]
    tax_codes: Mapping[str, str]
    way: Literal["single", "bulk"]
    invoices: bool
    created_by: str
    logical_system: str
    sender: str
    transaction_type: str
    reversal_reason: str
    batch_max: int
    settle: timedelta
    retention: timedelta
    key_margin: timedelta
    employee_groups: tuple[str, ...]
    text: str
    overlap: timedelta
    timeouts: Timeouts


def load_profile(mapping: Mapping[str, Any], company: str) -> Profile:
    """Check the mapping's content.

    Raises:
        ProfileError: an unknown key, a missing or an overlong value.
    """
    erp = str(mapping.get("erp", {}).get("name", "sap"))
    where = f"mappings/erp/{erp}.toml"
    allow_keys(mapping, (*_SECTIONS, "maintenance", "traffic"), where)
    parts = {name: dict(mapping.get(name, {})) for name in _SECTIONS}
    for name, keys in _SECTIONS.items():
        if keys:
            allow_keys(parts[name], keys, f"{where} [{name}]")
    named, dimensions, posting = parts["company"], parts["dimensions"], parts["posting"]
    timeouts = Timeouts(**parts["timeouts"])
    slow = int(posting.get("request_lifetime", 600)) + int(posting.get("visibility", 60))
    return Profile(
        erp=erp,
        company=company,
        company_code=str(require(named, "company_code", str, f"{where} [company]")),
        currency=str(require(named, "currency", str, f"{where} [company]")),
        ledger=str(named.get("ledger", "0L")),
        journals=parts["journals"],
        cost_center=str(dimensions.get("cost_center", "")),
        cost_centers=dimensions.get("cost_centers", {}),
        tax_codes=dimensions.get("tax_codes", {}),
        way=_way(posting.get("way", "single"), where),
        invoices=bool(posting.get("supplier_invoices", False)),
        created_by=_short(posting, "created_by", "TIEOUT", where),
        logical_system=_short(posting, "logical_system", "TIEOUT", where),
        sender=_short(posting, "sender", "TIEOUT", where),
        transaction_type=_short(posting, "transaction_type", "RFBU", where),
        reversal_reason=str(posting.get("reversal_reason", "01")),
        batch_max=int(posting.get("batch_max", 50)),
        settle=timedelta(seconds=slow + timeouts.total),
        retention=timedelta(days=int(posting.get("retention_days", 60))),
        key_margin=timedelta(days=int(posting.get("key_margin_days", 7))),
        employee_groups=tuple(parts["masters"].get("employee_groups", ())),
        text=str(parts["cash_book"].get("text", "(?P<narrative>.*)")),
        overlap=timedelta(days=int(parts["cash_book"].get("overlap_days", 2))),
        timeouts=timeouts,
    )


def _way(value: object, where: str) -> Literal["single", "bulk"]:
    if value == "single":
        return "single"
    if value == "bulk":
        return "bulk"
    message = f"way is single or bulk, not {value!r}"
    raise ProfileError("POSTING_WAY_UNKNOWN", message, where=f"{where} [posting]")


def _short(posting: Mapping[str, Any], key: str, default: str, where: str) -> str:
    value = str(posting.get(key, default))
    if 1 <= len(value) <= _LENGTHS[key]:
        return value
    message = f"{key} has 1 to {_LENGTHS[key]} characters, not {len(value)}"
    raise ProfileError("VALUE_TOO_LONG", message, where=f"{where} [posting]", remedy="shorten it")
