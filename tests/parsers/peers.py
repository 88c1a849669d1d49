"""What other parsers say of the corpus files, as ``(day, signed amount)`` of each entry."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Facts", "expected", "outputs"]

Facts = list[tuple[date | None, Decimal]]

_SIGNS = {"Credit": 1, "Debit": -1, "ReverseDebit": 1, "ReverseCredit": -1}
_SIGNS |= {"ReversalOfDebit": 1, "ReversalOfCredit": -1}


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
    return sorted((folder / "expected").glob(f"{_escaped(file.name)}.expected*"))


def _escaped(name: str) -> str:
    return name.replace("[", "[[]")


def expected(path: Path) -> Facts:
    """Entries as a peer read them."""
    if path.suffix == ".yml":
        return _mt940(path)
    if path.suffix == ".pydata":
        return _oca(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(data, list):
        return _rust(data)
    return _raw(data) if "Document" in data else _genkgo(data)


def _mt940(path: Path) -> Facts:
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    found: Facts = []
    for transaction in data.get("transactions", []):
        facts = transaction["data"]
        if "amount" in facts:
            value = Decimal(facts["amount"]["amount"][1])
            found.append((_packed(facts.get("date")), value))
    return found


def _packed(value: Any) -> date | None:
    if not isinstance(value, list):
        return None
    raw = value[1]
    return date(raw[0] * 256 + raw[1], raw[2], raw[3])


def _rust(data: list[dict[str, Any]]) -> Facts:
    return [
        (
            date.fromisoformat(line["value_date"]),
            _SIGNS[line["ext_debit_credit_indicator"]] * Decimal(line["amount"]),
        )
        for message in data
        for line in message["statement_lines"]
    ]


def _genkgo(data: dict[str, Any]) -> Facts:
    found: Facts = []
    for item in data["getEntries"]:
        minor = Decimal(item["getAmount"]["getAmount"])
        booked = item["getBookingDate"]
        found.append((date.fromisoformat(booked["0"][:10]) if booked else None, minor / 100))
    return found


def _oca(path: Path) -> Facts:
    found: Facts = []
    data = ast.literal_eval(path.read_text(encoding="utf-8"))
    groups = data if isinstance(data, list) else [data]
    for _, _, statements in groups:
        for statement in statements:
            for item in statement["transactions"]:
                found.append((date.fromisoformat(item["date"]), Decimal(str(item["amount"]))))
    return found


def _raw(data: dict[str, Any]) -> Facts:
    found: Facts = []
    statements = data["Document"]["BkToCstmrStmt"]["Stmt"]
    for statement in statements if isinstance(statements, list) else [statements]:
        for item in statement["Ntry"]:
            sign = 1 if item["CdtDbtInd"] == "CRDT" else -1
            booked = item["BookgDt"].get("Dt") or item["BookgDt"].get("DtTm")
            found.append((date.fromisoformat(booked[:10]), sign * Decimal(item["Amt"]["#text"])))
    return found
