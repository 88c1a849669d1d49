"""What other parsers say of the corpus files, entry by entry, in our words.

Each fact a peer states is one of ``booked_on valued_on amount currency account entry_ref bank_ref
type kind status counterparty``; what it is silent about, and its words for nothing, are left out.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Fact", "Output", "expected", "outputs"]

Fact = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Output:
    """A peer's output: which peer, and a row of facts for each entry (or detail) it lists."""

    peer: str
    rows: list[Fact]


_SIGNS = {"Credit": 1, "Debit": -1, "ReverseDebit": 1, "ReverseCredit": -1}
_SIGNS |= {"ReversalOfDebit": 1, "ReversalOfCredit": -1}
_SILENT = (None, "", "NONREF", "NOTPROVIDED")


class _Loader(yaml.SafeLoader):
    """Reads pickled-looking YAML as plain data; nothing is ever constructed."""


def _object(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Iterator[Any]:
    """Two steps (make, then fill), because these outputs refer to themselves."""
    if isinstance(node, yaml.MappingNode):
        mapping: dict[Any, Any] = {}
        yield mapping
        mapping.update(loader.construct_mapping(node))
    elif isinstance(node, yaml.SequenceNode):
        sequence: list[Any] = [suffix]
        yield sequence
        sequence.extend(loader.construct_sequence(node))
    else:
        yield None


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", _object)


def outputs(folder: Path, file: Path) -> list[Path]:
    """The peers' outputs for a corpus file, in order."""
    return sorted((folder / "expected").glob(f"{file.name.replace('[', '[[]')}.expected*"))


def expected(path: Path) -> Output:
    """Entries as a peer read them."""
    if path.suffix == ".yml":
        return _output("mt-940", _mt940(path))
    if path.suffix == ".pydata":
        return _output("OCA camt", _oca(path))
    data = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(data, list):
        return _output("mt940-rs", _rust(data))
    if "Document" in data:
        return _output("iso20022.js", _raw(data))
    return _output("genkgo/camt", _genkgo(data))


def _output(peer: str, rows: Iterator[Fact]) -> Output:
    kept = []
    for row in rows:
        bare = {name: v.strip() if isinstance(v, str) else v for name, v in row.items()}
        kept.append({name: value for name, value in bare.items() if value not in _SILENT})
    return Output(peer, kept)


def _mt940(path: Path) -> Iterator[Fact]:
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    for transaction in data.get("transactions", []):
        facts = transaction["data"]
        if "amount" in facts:
            yield {
                "valued_on": _packed(facts.get("date")),
                "booked_on": _packed(facts.get("entry_date")),
                "amount": Decimal(facts["amount"]["amount"][1]),
                "currency": facts["amount"].get("currency"),
                "entry_ref": facts.get("customer_reference"),
                "bank_ref": facts.get("bank_reference"),
                "type": facts.get("id"),
            }


def _packed(value: Any) -> date | None:
    if not isinstance(value, list):
        return None
    raw = value[1]
    return date(raw[0] * 256 + raw[1], raw[2], raw[3])


def _rust(data: list[dict[str, Any]]) -> Iterator[Fact]:
    for message in data:
        for line in message["statement_lines"]:
            entry = line["entry_date"]
            yield {
                "valued_on": date.fromisoformat(line["value_date"]),
                "booked_on": date.fromisoformat(entry) if entry else None,
                "amount": _SIGNS[line["ext_debit_credit_indicator"]] * Decimal(line["amount"]),
                "currency": message["opening_balance"]["iso_currency_code"],
                "account": message["account_id"],
                "entry_ref": line["customer_ref"],
                "bank_ref": line["bank_ref"],
                "kind": _kind(line["transaction_type_ident_code"]),
            }


def _kind(code: Any) -> str | None:
    """The last three letters of the type: this peer drops the first one."""
    found = next(iter(code.values())) if isinstance(code, dict) else code
    return found or None


def _genkgo(data: dict[str, Any]) -> Iterator[Fact]:
    for item in data["getEntries"]:
        booked, valued = item["getBookingDate"], item["getValueDate"]
        account = item["getRecord"]["getAccount"] if isinstance(item["getRecord"], dict) else None
        yield {
            "booked_on": date.fromisoformat(booked["0"][:10]) if booked else None,
            "valued_on": date.fromisoformat(valued["0"][:10]) if valued else None,
            "amount": Decimal(item["getAmount"]["getAmount"]) / 100,
            "currency": item["getAmount"]["getCurrency"]["getCode"],
            "account": account and account.get("getIdentification"),
            "bank_ref": item["getAccountServicerReference"],
            "entry_ref": item["getReference"],
            "status": item["getStatus"],
        }


def _oca(path: Path) -> Iterator[Fact]:
    data = ast.literal_eval(path.read_text(encoding="utf-8"))
    for currency, account, statements in data if isinstance(data, list) else [data]:
        for statement in statements:
            for item in statement["transactions"]:
                yield {
                    "booked_on": date.fromisoformat(item["date"]),
                    "amount": Decimal(str(item["amount"])),
                    "currency": currency,
                    "account": account,
                    "counterparty": item.get("partner_name"),
                }


def _raw(data: dict[str, Any]) -> Iterator[Fact]:
    statements = data["Document"]["BkToCstmrStmt"]["Stmt"]
    for statement in statements if isinstance(statements, list) else [statements]:
        for item in statement["Ntry"]:
            sign = 1 if item["CdtDbtInd"] == "CRDT" else -1
            booked = item["BookgDt"].get("Dt") or item["BookgDt"].get("DtTm")
            yield {
                "booked_on": date.fromisoformat(booked[:10]),
                "amount": sign * Decimal(item["Amt"]["#text"]),
                "currency": item["Amt"].get("@_Ccy"),
                "entry_ref": item.get("NtryRef"),
                "bank_ref": item.get("AcctSvcrRef"),
            }
