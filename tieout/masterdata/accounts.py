"""Bank accounts: who they belong to, how statements name them, and where they are in the books.

One TOML text each in ``mappings/accounts``. The ``[cutover]`` is the last statement that was
reconciled before tieout took over: its balance must be the books' balance of that day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tieout.errors import ProfileError
from tieout.ledger.models import Account
from tieout.masterdata.expected import Expected, expected_of, zone_of
from tieout.money import exponent_of, is_currency, parse_amount, to_minor
from tieout.profiles import allow_keys, fingerprint, load_all, require

__all__ = ["BankAccount", "load_accounts", "record_accounts", "resolve"]

_KEYS: Final = (
    "aliases",
    "bank",
    "bic",
    "code",
    "company",
    "currency",
    "cutover",
    "erp",
    "expected",
    "gl_account",
    "iban",
    "journal",
    "ladder",
    "name",
    "number",
    "policy",
    "sequence",
    "timezone",
)
_CUTOVER_KEYS: Final = ("balance", "on", "sequence_no")


@dataclass(frozen=True, slots=True)
class BankAccount:
    """One account of one of our companies; amounts are minor units of its currency."""

    code: str
    account_id: str
    aliases: tuple[str, ...]
    currency: str
    company: str
    name: str
    bank: str
    erp: str
    gl_account: str
    journal: str
    ladder: str
    policy: str
    cutover_on: dt.date
    cutover_minor: int
    cutover_sequence_no: int | None
    sequence: str  # "strict": numbers run without a hole; "ignored": this bank's do not
    fingerprint: str
    expected: Expected | None = None

    @property
    def cutover_balance(self) -> Decimal:
        """The cutover balance as a decimal."""
        return Decimal(self.cutover_minor).scaleb(-exponent_of(self.currency))


def load_accounts() -> list[BankAccount]:
    """All accounts of ``mappings/accounts``, ordered by code.

    Raises:
        ProfileError: a key is unknown, missing or of the wrong type, or two files name one account.
    """
    accounts = [_account(f"mappings/accounts/{stem}.toml", c) for stem, c in load_all("accounts")]
    seen: dict[tuple[str, str], str] = {}
    for account in accounts:
        for name in (account.account_id, *account.aliases):
            other = seen.setdefault((name, account.currency), account.code)
            if other != account.code:
                raise ProfileError(
                    "ACCOUNT_TWICE",
                    f"{name} {account.currency} belongs to {other} and to {account.code}",
                    where="mappings/accounts",
                    remedy="one bank account has one mapping",
                )
    return sorted(accounts, key=lambda a: a.code)


def _account(where: str, content: dict[str, Any]) -> BankAccount:
    allow_keys(content, _KEYS, where)
    cutover = require(content, "cutover", dict, where)
    allow_keys(cutover, _CUTOVER_KEYS, f"{where} [cutover]")
    currency = require(content, "currency", str, where)
    if not is_currency(currency):
        raise ProfileError("PROFILE_VALUE", f"currency is {currency!r}", where=where)
    number = content.get("iban") or require(content, "number", str, where)
    balance = parse_amount(require(cutover, "balance", str, f"{where} [cutover]"))
    name = require(content, "name", str, where)
    return BankAccount(
        code=require(content, "code", str, where),
        account_id=_plain(number),
        aliases=tuple(_plain(alias) for alias in content.get("aliases", [])),
        currency=currency,
        company=require(content, "company", str, where),
        name=name,
        bank=content.get("bank", name.partition(",")[0]),
        erp=require(content, "erp", str, where),
        gl_account=require(content, "gl_account", str, where),
        journal=require(content, "journal", str, where),
        ladder=content.get("ladder", "default"),
        policy=content.get("policy", "default"),
        cutover_on=require(cutover, "on", dt.date, f"{where} [cutover]"),
        cutover_minor=to_minor(balance, currency),
        cutover_sequence_no=cutover.get("sequence_no"),
        sequence=_one_of(content.get("sequence", "strict"), ("strict", "ignored"), where),
        fingerprint=fingerprint(content),
        expected=expected_of(content, currency, zone_of(content, where), where),
    )


def _one_of(value: str, allowed: tuple[str, ...], where: str) -> str:
    if value not in allowed:
        raise ProfileError(
            "PROFILE_VALUE",
            f"sequence is {value!r}",
            where=where,
            remedy=f"one of {', '.join(allowed)}",
        )
    return value


def _plain(number: str) -> str:
    """An account number as readers give it: no blanks, upper case."""
    return "".join(number.split()).upper()


def resolve(
    accounts: Sequence[BankAccount], account_id: str | None, currency: str | None
) -> BankAccount | None:
    """The account a statement speaks of, by its number (or an alias) and currency, or None."""
    if not account_id:
        return None
    plain = _plain(account_id)
    named = [a for a in accounts if plain == a.account_id or plain in a.aliases]
    exact = [a for a in named if a.currency == currency]
    if exact:
        return exact[0]
    return named[0] if len(named) == 1 else None


def record_accounts(session: Session, accounts: Sequence[BankAccount]) -> None:
    """Write the mappings' accounts to the ledger (a changed mapping updates its row)."""
    for account in accounts:
        values = asdict(account) | {"exponent": exponent_of(account.currency)}
        del values["aliases"], values["expected"], values["sequence"]
        statement = insert(Account).values(**values)
        session.execute(statement.on_conflict_do_update(index_elements=["code"], set_=values))
