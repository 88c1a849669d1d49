"""Build the sandbox company's books in an empty database.

``python -m sandbox.tryton.bootstrap DATABASE`` is a process of its own, because Tryton keeps its
configuration per process. It reads the secrets as JSON from stdin (``{"admin": …, "tieout": …}``)
and prints one line for each step. The server's address is in ``TRYTOND_DATABASE__URI``.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from decimal import Decimal
from typing import Any

from trytond import __series__, backend
from trytond.pool import Pool

from sandbox.tryton import chart
from sandbox.tryton.inprocess import in_transaction

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Create the schema, then the company; the database must exist and be empty."""
    (database,) = arguments
    secrets = json.load(sys.stdin)
    steps = _Steps()
    _create_schema(database)
    steps.done(f"{len(chart.MODULES)} modules activated")
    currencies = in_transaction(database, _currencies)
    company = in_transaction(database, lambda: _company(currencies))
    steps.done("currencies, rates and company")
    in_transaction(database, lambda: _books(company, currencies), company=company)
    steps.done("chart of accounts, journals, fiscal years with their periods")
    in_transaction(database, lambda: _users(company, secrets), company=company)
    steps.done("users")
    return 0


class _Steps:
    def __init__(self) -> None:
        self._since = time.monotonic()

    def done(self, what: str) -> None:
        now = time.monotonic()
        print(f"  tryton: {what} ({now - self._since:.1f} s)", flush=True)
        self._since = now


def _create_schema(database: str) -> None:
    connection = backend.Database(database)
    connection.connect()
    connection.init()
    Pool(database).init(update=list(chart.MODULES), lang=["en"], activatedeps=True)
    in_transaction(database, _configure)


def _configure() -> None:
    pool = Pool()
    pool.get("ir.module").update_list()
    configuration = pool.get("ir.configuration")(1)
    configuration.series = __series__
    configuration.language = "en"
    configuration.save()
    # Without these the clients open a configuration wizard at the first login.
    items = pool.get("ir.module.config_wizard.item")
    items.write(items.search([]), {"state": "done"})


def _books(company: int, currencies: dict[str, int]) -> None:
    _defaults(_accounts(company, currencies))
    model = Pool().get("account.journal")
    model.create([{"code": c, "name": n, "type": t} for c, n, t in chart.JOURNALS])
    _fiscal_years(company)


def _currencies() -> dict[str, int]:
    pool = Pool()
    model, rates = pool.get("currency.currency"), pool.get("currency.currency.rate")
    made = model.create(
        [
            {
                "code": code,
                "name": name,
                "symbol": symbol,
                "digits": 2,
                "rounding": Decimal("0.01"),
            }
            for code, name, symbol in chart.CURRENCIES
        ]
    )
    ids = {currency.code: int(currency.id) for currency in made}
    rates.create(
        [
            {"currency": ids[code], "date": date.fromisoformat(on), "rate": Decimal(rate)}
            for code, on, rate in chart.RATES
        ]
    )
    return ids


def _company(currencies: dict[str, int]) -> int:
    pool = Pool()
    (party,) = pool.get("party.party").create(
        [{"name": chart.COMPANY_NAME, "code": chart.COMPANY_CODE, "addresses": [("create", [{}])]}]
    )
    values = {"party": party.id, "currency": currencies[chart.COMPANY_CURRENCY]}
    (company,) = pool.get("company.company").create([values])
    return int(company.id)


def _accounts(company: int, currencies: dict[str, int]) -> dict[str, int]:
    pool = Pool()
    type_model = pool.get("account.account.type")
    (root_type,) = type_model.create([{"name": chart.COMPANY_NAME, "company": company}])
    types: dict[str, int] = {}
    for key, name, statement, flags in chart.TYPES:
        values: dict[str, Any] = {
            "name": name,
            "company": company,
            "parent": root_type.id,
            "statement": statement,
        }
        (made,) = type_model.create([values | dict.fromkeys(flags, True)])
        types[key] = made.id
    model = pool.get("account.account")
    (root,) = model.create([{"name": chart.COMPANY_NAME, "company": company}])
    made = model.create(
        [
            {
                "code": account.code,
                "name": account.name,
                "company": company,
                "parent": root.id,
                "type": types[account.type],
                "party_required": account.party,
                "reconcile": account.reconcile,
                "second_currency": currencies.get(account.second_currency),
            }
            for account in chart.ACCOUNTS
        ]
    )
    return {account.code: int(account.id) for account in made}


def _defaults(accounts: dict[str, int]) -> None:
    configuration = Pool().get("account.configuration")(1)
    configuration.default_account_receivable = accounts["1200"]
    configuration.default_account_payable = accounts["3300"]
    configuration.currency_exchange_credit_account = accounts["6880"]
    configuration.currency_exchange_debit_account = accounts["6880"]
    configuration.save()


def _fiscal_years(company: int) -> None:
    pool = Pool()
    data = pool.get("ir.model.data")
    move_type = data.get_id("account", "sequence_type_account_move")
    invoice_type = data.get_id("account_invoice", "sequence_type_account_invoice")
    sequences = pool.get("ir.sequence.strict")
    fiscal_year = pool.get("account.fiscalyear")
    for year in chart.FISCAL_YEARS:
        common = {"company": company, "prefix": f"{year}/", "padding": 5}
        moves, invoices = sequences.create(
            [
                common | {"name": f"Moves {year}", "sequence_type": move_type},
                common | {"name": f"Invoices {year}", "sequence_type": invoice_type},
            ]
        )
        kinds = ("out_invoice", "in_invoice", "out_credit_note", "in_credit_note")
        numbering = {f"{kind}_sequence": invoices.id for kind in kinds} | {"company": company}
        values = {
            "name": str(year),
            "company": company,
            "start_date": date(year, 1, 1),
            "end_date": date(year, 12, 31),
            "move_sequence": moves.id,
            "invoice_sequences": [("create", [numbering])],
        }
        fiscal_year.create_period(fiscal_year.create([values]))


def _users(company: int, secrets: dict[str, str]) -> None:
    """`admin`, and `tieout`, who may read the books and enter moves, and nothing else."""
    pool = Pool()
    users = pool.get("res.user")
    group = pool.get("ir.model.data").get_id("account", "group_account")
    where = {"companies": [("add", [company])], "company": company}
    admin = {"name": "Administrator", "login": "admin", "administrator": True}
    mine = {"name": "tieout integration", "login": "tieout", "groups": [("add", [group])]}
    users.create(
        [where | user | {"password": secrets[str(user["login"])]} for user in (admin, mine)]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
