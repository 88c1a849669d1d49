"""Enter a world's books into the sandbox company: ``python -m sandbox.tryton.load DATABASE``.

Reads the world as JSON from stdin (`sandbox.tryton.loading` writes it): parties, bank accounts and
documents. What is there already, by document number, is left alone, so that a second load does
nothing and one that was cut short goes on. Each invoice is a real invoice, posted; each cash-book
line a posted move of the bank's account against the partner's; both are settled with each other
where the amounts agree.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from trytond.pool import Pool

from sandbox.tryton import chart
from sandbox.tryton.inprocess import in_transaction

__all__ = ["main"]

_COUNTER: Final = {"customer": "1200", "supplier": "3300", "employee": "3720", "bank": "1370"}

Values = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Load; prints one line of counts as JSON."""
    (database,) = arguments
    world = json.load(sys.stdin)
    Pool(database).init()
    company = in_transaction(database, _company_id)
    counts = in_transaction(
        database, lambda: Loader(world, company).run(), company=company, _skip_warnings=True
    )
    print(json.dumps(counts))
    return 0


def _company_id() -> int:
    (company,) = Pool().get("company.company").search([("party.code", "=", chart.COMPANY_CODE)])
    return int(company.id)


class Loader:
    """One load into one company, inside a transaction."""

    def __init__(self, world: Values, company: int) -> None:
        self.world = world
        self.company = company
        self.kinds = {party["name"]: party["kind"] for party in world["parties"]}
        self.gl_codes = {account["code"]: account["gl_account"] for account in world["accounts"]}
        self.accounts = self._ids("account.account", "code", [("company", "=", company)])
        self.currencies = self._ids("currency.currency", "code")
        self.journals = self._ids("account.journal", "code")
        self.periods = Pool().get("account.period").search([("company", "=", company)])
        self.parties: dict[str, int] = {}

    def run(self) -> dict[str, int]:
        """Load everything that is missing and count it."""
        parties = self._parties()
        openings = self._post_moves(self._openings())
        invoices = self._invoices()
        lines = self._post_moves(self._cash_book())
        return {
            "parties": parties,
            "openings": openings,
            "invoices": invoices,
            "cash_book": lines,
            "settled": self._settle(),
        }

    def _ids(self, model: str, key: str, domain: Iterable[object] = ()) -> dict[str, int]:
        found = Pool().get(model).search(list(domain))
        return {getattr(record, key): int(record.id) for record in found}

    def _parties(self) -> int:
        model = Pool().get("party.party")
        known = self._ids("party.party", "name")
        missing = [party for party in self.world["parties"] if party["name"] not in known]
        made = model.create([{"name": p["name"], "addresses": [("create", [{}])]} for p in missing])
        self.parties = known | {party.name: int(party.id) for party in made}
        self._bank_accounts(missing)
        return len(missing)

    def _bank_accounts(self, parties: list[Values]) -> None:
        model = Pool().get("bank.account")
        model.create(
            [
                {
                    "owners": [("add", [self.parties[party["name"]]])],
                    "numbers": [("create", [{"type": "iban", "number": party["iban"]}])],
                }
                for party in parties
                if party["iban"]
            ]
        )

    def _openings(self) -> list[Values]:
        """One opening move per bank account, dated on the day of cutover."""
        moves = Pool().get("account.move")
        done = moves.search([("journal", "=", self.journals["OPEN"])])
        known = {move.description for move in done}
        found = []
        for account in self.world["accounts"]:
            text = f"OPENING {account['code']}"
            if text in known or not account["opening_minor"]:
                continue
            company_minor = account["opening_company_minor"]
            lines = [
                self._line(account["gl_account"], company_minor, account, "opening_minor"),
                self._line("2900", -company_minor),
            ]
            found.append(self._move("OPEN", self.world["cutover_on"], text, lines))
        return found

    def _cash_book(self) -> list[Values]:
        lines = Pool().get("account.move.line")
        domain = [("account.code", "in", sorted(set(self.gl_codes.values())))]
        known = {(line.description or "").split(" ")[0] for line in lines.search(domain)}
        found = []
        for document in self._documents("cash_book"):
            if document["document_no"] in known:
                continue
            minor, text = document["company_amount_minor"], cash_book_text(document)
            kind = self.kinds.get(document["party"], "bank")
            bank = self._line(self.gl_codes[document["account_code"]], minor, document)
            counter = self._line(_COUNTER[kind], -minor, document, sign=-1)
            if kind in ("customer", "supplier"):
                counter["party"] = self.parties[document["party"]]
            bank["description"] = counter["description"] = text
            found.append(self._move("BANK", document["booked_on"], text, [bank, counter]))
        return found

    def _invoices(self) -> int:
        model = Pool().get("account.invoice")
        known = {invoice.number for invoice in model.search([])}
        documents = self._documents("customer_invoice") + self._documents("supplier_invoice")
        missing = [d for d in documents if d["document_no"] not in known]
        invoices = model.create([self._invoice(document) for document in missing])
        model.post(invoices)
        return len(invoices)

    def _invoice(self, document: Values) -> Values:
        customer = document["kind"] == "customer_invoice"
        party = Pool().get("party.party")(self.parties[document["party"]])
        due_on = document["due_on"] or document["booked_on"]
        currency = self.currencies[document["currency"]]
        line = {
            "type": "line",
            "company": self.company,
            "currency": currency,
            "description": document["narrative"],
            "account": self.accounts["4400" if customer else "5400"],
            "quantity": 1,
            "unit_price": _decimal(document["amount_minor"]),
        }
        return {
            "company": self.company,
            "type": "out" if customer else "in",
            "number": document["document_no"],
            "reference": document["document_no"],
            "description": document["narrative"],
            "party": party.id,
            "invoice_address": party.addresses[0].id,
            "currency": currency,
            "journal": self.journals["REV" if customer else "EXP"],
            "account": self.accounts["1200" if customer else "3300"],
            "invoice_date": date.fromisoformat(document["booked_on"]),
            "payment_term_date": date.fromisoformat(due_on),
            "lines": [("create", [line])],
        }

    def _settle(self) -> int:
        """Reconcile each invoice with the cash-book lines that pay it to the cent."""
        pool = Pool()
        lines = pool.get("account.move.line")
        payments: dict[str, list[str]] = {}
        for document in self._documents("cash_book"):
            if document["settles"]:
                payments.setdefault(document["settles"], []).append(document["document_no"])
        codes = [self.accounts["1200"], self.accounts["3300"]]
        open_lines = lines.search([("account", "in", codes), ("reconciliation", "=", None)])
        by_document: dict[str, list[Any]] = {}
        for line in open_lines:
            origin = line.move.origin
            number = getattr(origin, "number", None) or (line.description or "").split(" ")[0]
            by_document.setdefault(number, []).append(line)
        groups = []
        for invoice, numbers in payments.items():
            group = [line for no in (invoice, *numbers) for line in by_document.get(no, [])]
            if len(group) > 1 and not sum(line.debit - line.credit for line in group):
                groups.append(group)
        if groups:
            lines.reconcile(*groups)
        return len(groups)

    def _documents(self, kind: str) -> list[Values]:
        return [document for document in self.world["documents"] if document["kind"] == kind]

    def _post_moves(self, values: list[Values]) -> int:
        model = Pool().get("account.move")
        model.post(model.create(values))
        return len(values)

    def _move(self, journal: str, on: str, text: str, lines: list[Values]) -> Values:
        day = date.fromisoformat(on)
        (period,) = [p for p in self.periods if p.start_date <= day <= p.end_date]
        return {
            "company": self.company,
            "journal": self.journals[journal],
            "period": period.id,
            "date": day,
            "description": text,
            "lines": [("create", lines)],
        }

    def _line(
        self,
        gl_code: str,
        company_minor: int,
        source: Values | None = None,
        field: str = "amount_minor",
        *,
        sign: int = 1,
    ) -> Values:
        amount = _decimal(company_minor)
        values: Values = {
            "account": self.accounts[gl_code],
            "debit": max(amount, Decimal(0)),
            "credit": max(-amount, Decimal(0)),
        }
        if source is not None and source["currency"] != chart.COMPANY_CURRENCY:
            values["amount_second_currency"] = _decimal(sign * source[field])
            values["second_currency"] = self.currencies[source["currency"]]
        return values


def cash_book_text(document: Values) -> str:
    """The one text of a cash-book line; `mappings/erp/tryton.toml` takes it apart again."""
    text = str(document["document_no"])
    if document["payment_batch_id"]:
        text += f" run {document['payment_batch_id']}"
    if document["end_to_end_id"]:
        text += f" e2e {document['end_to_end_id']}"
    if document["narrative"]:
        text += f" | {document['narrative']}"
    return text


def _decimal(minor: int) -> Decimal:
    return Decimal(minor).scaleb(-2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
