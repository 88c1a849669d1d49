"""What a company's mapping says of its Oracle: ids, segments, jobs; checked once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from tieout.connectors.http_wire import Timeouts
from tieout.errors import ProfileError
from tieout.profiles import allow_keys, require

__all__ = ["OracleProfile", "read_profile"]

_WHERE: Final = "mappings/erp/oracle.toml"
_SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "cash_book": ("account_currencies", "page_size", "text"),
    "company": (
        "business_unit",
        "business_unit_id",
        "code",
        "currency",
        "data_access_set_id",
        "ledger_id",
        "ledger_name",
    ),
    "dimensions": (
        "account_values",
        "company",
        "cost_center",
        "cost_center_values",
        "cost_centers",
        "delimiter",
        "segments",
    ),
    "erp": ("name", "vendor"),
    "posting": (
        "currencies",
        "delete_drafts",
        "invoice_source",
        "invoices_by",
        "look_back_days",
        "post_job",
        "post_package",
        "post_parameters",
        "rate_type",
        "settle_minutes",
        "single_currency",
        "source",
        "submitter",
        "supplier_site",
    ),
    "timeouts": ("connect", "read", "total"),
}
_FREE: Final = ("accounts", "journals", "maintenance", "references", "traffic")
_TEXT_PARTS: Final = ("document_no", "payment_batch_id", "end_to_end_id", "narrative")
_POST_NAMES: Final = ("data_access_set_id", "ledger_id", "batch_id")
_PAGE_MAX: Final = 499


@dataclass(frozen=True)
class OracleProfile:
    """The mapping, typed; names as in ``mappings/erp/oracle.toml``.

    Attributes:
        segments: of the chart of accounts, in order: ``company``, ``account``, ``cost_center``, or
            a fixed value.
        cost_centers: natural account to cost center, where it is not ``cost_center``.
        account_currencies: natural account to currency, where it is not the ledger's.
        submitter: whose jobs are ours; empty for the user of the connection.
    """

    code: str
    currency: str
    ledger_id: str
    ledger_name: str
    data_access_set_id: str
    business_unit: str
    business_unit_id: str
    journals: Mapping[str, str]
    segments: tuple[str, ...]
    delimiter: str
    company: str
    cost_center: str
    cost_centers: Mapping[str, str]
    account_values: str
    cost_center_values: str
    source: str
    invoice_source: str
    invoices_by: str
    supplier_site: str
    post_package: str
    post_job: str
    post_parameters: str
    settle: timedelta
    look_back: timedelta
    single_currency: bool
    delete_drafts: bool
    rate_type: str
    currencies: tuple[str, ...]
    submitter: str
    receivable: str
    account_currencies: Mapping[str, str]
    page_size: int
    timeouts: Timeouts
    text: re.Pattern[str] = field(repr=False)

    def combination(self, account: str) -> tuple[str, ...]:
        """The segments of a natural account, in the order of the chart."""
        values = {
            "account": account,
            "company": self.company,
            "cost_center": self.cost_centers.get(account, self.cost_center),
        }
        return tuple(values.get(segment, segment) for segment in self.segments)

    def joined(self, account: str) -> str:
        """The same as one text: ``01-6855-110``."""
        return self.delimiter.join(self.combination(account))

    def account_in(self, combination: str) -> str:
        """The natural account of a combination; the whole text where it has another shape."""
        parts = combination.split(self.delimiter)
        place = self.segments.index("account")
        return parts[place] if len(parts) == len(self.segments) else combination


def read_profile(mapping: Mapping[str, Any], company: str) -> OracleProfile:
    """Check and type a mapping.

    Raises:
        ProfileError: an unknown key, a missing or wrong value.
    """
    allow_keys(mapping, (*_SECTIONS, *_FREE), _WHERE)
    parts = {name: _section(mapping, name) for name in _SECTIONS}
    own, split, posting = parts["company"], parts["dimensions"], parts["posting"]
    segments = tuple(split.get("segments", ("company", "account", "cost_center")))
    if segments.count("account") != 1:
        raise _wrong("[dimensions] segments", segments, 'name "account" exactly once')
    invoices_by = posting.get("invoices_by", "rest")
    if invoices_by not in ("rest", "file"):
        raise _wrong("[posting] invoices_by", invoices_by, '"rest" or "file"')
    return OracleProfile(
        code=company,
        currency=_text(own, "company", "currency"),
        ledger_id=_text(own, "company", "ledger_id"),
        ledger_name=_text(own, "company", "ledger_name"),
        data_access_set_id=_text(own, "company", "data_access_set_id"),
        business_unit=_text(own, "company", "business_unit"),
        business_unit_id=_text(own, "company", "business_unit_id"),
        journals=dict(mapping.get("journals", {})),
        segments=segments,
        delimiter=str(split.get("delimiter", "-")),
        company=_text(split, "dimensions", "company"),
        cost_center=_text(split, "dimensions", "cost_center"),
        cost_centers=dict(split.get("cost_centers", {})),
        account_values=_text(split, "dimensions", "account_values"),
        cost_center_values=_text(split, "dimensions", "cost_center_values"),
        source=_text(posting, "posting", "source"),
        invoice_source=str(posting.get("invoice_source", posting.get("source"))),
        invoices_by=invoices_by,
        supplier_site=str(posting.get("supplier_site", "")),
        post_package=str(posting.get("post_package", "")).rstrip("/"),
        post_job=str(posting.get("post_job", "")),
        post_parameters=_parameters(str(posting.get("post_parameters", ""))),
        settle=timedelta(minutes=_number(posting, "settle_minutes", 90)),
        look_back=timedelta(days=_number(posting, "look_back_days", 7)),
        single_currency=bool(posting.get("single_currency", False)),
        delete_drafts=bool(posting.get("delete_drafts", True)),
        rate_type=str(posting.get("rate_type", "Corporate")),
        currencies=tuple(posting.get("currencies", ())),
        submitter=str(posting.get("submitter", "")),
        receivable=str(mapping.get("accounts", {}).get("receivable", "")),
        account_currencies=dict(parts["cash_book"].get("account_currencies", {})),
        page_size=min(_number(parts["cash_book"], "page_size", 200), _PAGE_MAX),
        timeouts=Timeouts(**parts["timeouts"]),
        text=_pattern(str(parts["cash_book"].get("text", "(?P<narrative>.*)"))),
    )


def _section(mapping: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = mapping.get(name, {})
    if not isinstance(found, Mapping):
        raise _wrong(f"[{name}]", found, "make it a section")
    allow_keys(found, _SECTIONS[name], f"{_WHERE} [{name}]")
    return found


def _text(found: Mapping[str, Any], section: str, key: str) -> str:
    return require(found, key, str, f"{_WHERE} [{section}]")


def _number(found: Mapping[str, Any], key: str, other: int) -> int:
    value = found.get(key, other)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _wrong(key, value, "a whole number from 1")
    return value


def _parameters(text: str) -> str:
    try:
        text.format(**dict.fromkeys(_POST_NAMES, "1"))
    except (KeyError, IndexError, ValueError) as error:
        hint = "names: " + ", ".join(_POST_NAMES)
        raise _wrong("[posting] post_parameters", text, hint) from error
    if text and "{batch_id}" not in text:
        raise _wrong("[posting] post_parameters", text, "it must say which batch: {batch_id}")
    return text


def _pattern(text: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text, re.DOTALL)
    except re.error as error:
        raise ProfileError("PROFILE_PATTERN", f"{error}", where=f"{_WHERE} [cash_book]") from error
    allow_keys(pattern.groupindex, _TEXT_PARTS, f"{_WHERE} [cash_book] text")
    return pattern


def _wrong(key: str, value: object, remedy: str) -> ProfileError:
    return ProfileError("PROFILE_VALUE", f"{key} is {value!r}", where=_WHERE, remedy=remedy)
