"""The mapping of Dynamics 365, as the connector uses it; a wrong key is refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from tieout.connectors.http_wire import Timeouts
from tieout.errors import ProfileError
from tieout.profiles import allow_keys

__all__ = ["ERP", "Profile", "profile_of"]

ERP: Final = "dynamics365"
_FILE: Final = "mappings/erp/dynamics365.toml"
_SECTIONS: Final = {
    "erp": None,
    "company": ("code", "currency"),
    "journals": None,
    "accounts": None,
    "dimensions": ("format", "delimiter", "default"),
    "bank_accounts": None,
    "posting": ("door", "way", "service", "numbering", "log_field", "batch_max"),
    "liabilities": ("way", "journal", "posting_profiles"),
    "packages": ("key_days", "prefix"),
    "periods": ("entity",),
    "open_items": ("entity",),
    "cash_book": ("text",),
    "references": None,
    "timeouts": ("connect", "read", "total", "request_max"),
}
_PARTS: Final = ("document_no", "payment_batch_id", "end_to_end_id", "narrative")
_CHOICES: Final = {
    "door": ("odata", "package"),
    "way": ("batch", "service"),
    "numbering": ("ours", "sequence"),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """What the mapping says.

    Attributes:
        dimensions: names of the dimension format, main account first.
        defaults: dimension values behind a main account.
        banks: the system's bank account of a main account that takes no manual entry.
        ours: whether journals bring their own number.
        service: path of the service that posts; empty where the system posts by itself.
        pending_invoices: whether liabilities are vendor invoices, not journal lines.
        posting_profiles: the posting profile that leads a vendor line to a main account other
            than ``payable``.
        log_field: column of the journal header with the reason a posting failed; may be empty.
        batch_max: journals in one request.
        package_prefix: of data projects; empty where journals go through OData.
        key_lifetime: how long the system remembers an execution.
        settle: from the end of a request on our side until its effect is there or never comes.
        text: pattern of a cash-book line.
    """

    journals: Mapping[str, str]
    receivable: str
    payable: str
    dimensions: tuple[str, ...]
    delimiter: str
    defaults: Mapping[str, tuple[str, ...]]
    banks: Mapping[str, str]
    ours: bool
    service: str
    log_field: str
    batch_max: int
    liability_journal: str
    pending_invoices: bool
    posting_profiles: Mapping[str, str]
    package_prefix: str
    key_lifetime: timedelta
    periods: str
    open_items: str
    text: re.Pattern[str]
    timeouts: Timeouts
    settle: timedelta


def profile_of(mapping: Mapping[str, Any]) -> Profile:
    """The mapping checked.

    Raises:
        ProfileError: ``PROFILE_KEY``, ``PROFILE_VALUE``, ``PROFILE_PATTERN``.
    """
    allow_keys(mapping, (*_SECTIONS, "maintenance", "traffic"), _FILE)
    for name, keys in _SECTIONS.items():
        if keys is not None:
            allow_keys(mapping.get(name, {}), keys, f"{_FILE} [{name}]")
    dimensions = mapping.get("dimensions", {})
    posting = {"door": "odata", "way": "batch", "numbering": "ours"} | dict(
        mapping.get("posting", {})
    )
    liabilities: dict[str, Any] = {"way": "journal"} | dict(mapping.get("liabilities", {}))
    if liabilities["way"] not in ("journal", "pending"):
        message = f"way = {liabilities['way']!r} is none of journal, pending"
        raise ProfileError("PROFILE_VALUE", message, where=f"{_FILE} [liabilities] way")
    for key, choices in _CHOICES.items():
        if posting[key] not in choices:
            message = f"{key} = {posting[key]!r} is none of {', '.join(choices)}"
            raise ProfileError("PROFILE_VALUE", message, where=f"{_FILE} [posting] {key}")
    service = str(posting.get("service", "")) if posting["way"] == "service" else ""
    if posting["way"] == "service" and not service.startswith("/api/services/"):
        message = f"the service {service!r} is no path below /api/services/"
        raise ProfileError("PROFILE_VALUE", message, where=f"{_FILE} [posting] service")
    packages: dict[str, Any] = {"prefix": "TIEOUT", "key_days": 7} | dict(
        mapping.get("packages", {})
    )
    times = {"connect": 5, "read": 30, "total": 60, "request_max": 600}
    times |= dict(mapping.get("timeouts", {}))
    accounts = mapping.get("accounts", {})
    return Profile(
        journals=dict(mapping.get("journals", {})),
        receivable=str(accounts.get("receivable", "")),
        payable=str(accounts.get("payable", "")),
        dimensions=tuple(dimensions.get("format", ("MainAccount",))),
        delimiter=str(dimensions.get("delimiter", "-")),
        defaults={k: tuple(v) for k, v in dimensions.get("default", {}).items()},
        banks=dict(mapping.get("bank_accounts", {})),
        ours=posting["numbering"] == "ours",
        service=service,
        batch_max=max(1, min(int(posting.get("batch_max", 20)), 100)),
        log_field=str(posting.get("log_field", "")),
        liability_journal=str(liabilities.get("journal", "")),
        pending_invoices=liabilities["way"] == "pending",
        posting_profiles=dict(liabilities.get("posting_profiles", {})),
        package_prefix=str(packages["prefix"]) if posting["door"] == "package" else "",
        key_lifetime=timedelta(days=packages["key_days"]),
        periods=str(mapping.get("periods", {}).get("entity", "")),
        open_items=str(mapping.get("open_items", {}).get("entity", "")),
        text=_pattern(str(mapping.get("cash_book", {}).get("text", "(?P<narrative>.*)"))),
        timeouts=Timeouts(times["connect"], times["read"], times["total"]),
        settle=timedelta(seconds=times["total"] + times["request_max"]),
    )


def _pattern(text: str) -> re.Pattern[str]:
    where = f"{_FILE} [cash_book] text"
    try:
        pattern = re.compile(text, re.DOTALL)
    except re.error as error:
        raise ProfileError("PROFILE_PATTERN", f"{error}", where=where) from error
    allow_keys(pattern.groupindex, _PARTS, where)
    return pattern
