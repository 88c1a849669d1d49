"""Evidence: why a group is one, as a sentence an accountant understands and as JSON facts."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.matching.ladder import Rung
from tieout.matching.tables import Prepared

__all__ = ["judged_words", "plain_words", "several_words"]

Ints = npt.NDArray[np.int64]

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute


def _title(rung: Rung) -> str:
    return rung.same[0].title if len(rung.same) == 1 else "reference"


def plain_words(rung: Rung, keys: pa.ChunkedArray[Any]) -> tuple[Any, Any]:
    """Evidence of an exact rung, made columnwise."""
    sentence = pc.binary_join_element_wise(
        f"The {_title(rung)} ", keys, " and the amount agree; nothing else has both.", ""
    )
    plain = pc.replace_substring_regex(keys, r'["\\\x00-\x1f]', "")
    return sentence, pc.binary_join_element_wise('{"reference":"', plain, '"}', "")


def _money(minor: int, unit: int) -> str:
    digits = len(str(unit)) - 1
    return f"{Decimal(abs(minor)).scaleb(-digits):,.{digits}f}"


def judged_words(
    rung: Rung, prepared: Prepared, rows: pa.Table, residual: Ints
) -> tuple[tuple[Any, Any], pa.Array[Any]]:
    """Evidence and residual class of a rung with a tolerance, a window or a party."""
    eid, iid = rows["eid"].to_numpy(), rows["iid"].to_numpy()
    entries = prepared.entries.take(pa.array(eid))
    items = prepared.items.take(pa.array(iid))
    details = _details_of(prepared, eid)
    sentences, facts, classes = [], [], []
    columns = zip(
        rows["key"].to_pylist(),
        residual.tolist(),
        entries["unit"].to_pylist(),
        entries["currency"].to_pylist(),
        entries["bday"].to_pylist(),
        items["booked_on_no" if not rung.days else f"{rung.days.item}_no"].to_pylist(),
        items["counterparty_name"].to_pylist(),
        details["counterparty_name"],
        details["original_currency"],
        strict=True,
    )
    for key, left, unit, currency, day, item_day, item_party, party, original in columns:
        kind = _class_of(rung, left, unit, currency, original)
        known: dict[str, Any] = {}
        said = []
        if rung.same:
            known["reference"] = key
            said.append(f"the {_title(rung)} {key} agrees")
        if rung.party:
            known["party"] = {"bank": party, "books": item_party}
            said.append(f"the amount agrees and the other party is {item_party or party}")
        if rung.days:
            known["banking_days"] = day - item_day
            said.append(_apart(abs(day - item_day)))
        if left:
            known["residual"] = _money(left, unit)
            known["residual_class"] = kind
            said.append(_residual_words(left, unit, currency, kind))
        elif rung.tolerance:
            said.append("the amount agrees")
        text = ", ".join(said)
        sentences.append(f"{text[:1].upper()}{text[1:]}; nothing else fits.")
        facts.append(json.dumps(known, ensure_ascii=False, separators=(",", ":")))
        classes.append(kind)
    made = (pa.array(sentences, pa.string()), pa.array(facts, pa.string()))
    return made, pa.array(classes, pa.string())


def _apart(days: int) -> str:
    if not days:
        return "both are of the same banking day"
    return f"they are {days} banking {'day' if days == 1 else 'days'} apart"


def _details_of(prepared: Prepared, eid: Ints) -> dict[str, list[str | None]]:
    """Facts of the only detail of each entry; None where it has none or several."""
    table = prepared.details
    row = np.full(len(prepared.entries), -1, dtype="int64")
    single = table["fanout"].to_numpy() == 1
    row[table["eid"].to_numpy()[single]] = np.flatnonzero(single)
    index = pa.array(row[eid], mask=row[eid] < 0)
    return {
        name: table[name].take(index).to_pylist()
        for name in ("counterparty_name", "original_currency")
    }


def _class_of(rung: Rung, left: int, unit: int, currency: str, original: str | None) -> str | None:
    if not left:
        return None
    if rung.tolerance and abs(left) <= int(rung.tolerance.rounding * unit):
        return "rounding"
    if original is not None and original != currency:
        return "fx_difference"
    return "charge" if left < 0 else "over_payment"


def _residual_words(left: int, unit: int, currency: str, kind: str | None) -> str:
    way = "less for us" if left < 0 else "more for us"
    name = {"charge": "a bank charge", "rounding": "a rounding difference"}
    name |= {"fx_difference": "an exchange difference", "over_payment": "an overpayment"}
    return f"the bank moved {_money(left, unit)} {currency} {way} ({name[kind or 'charge']})"


def several_words(
    rung: Rung, keys: list[str], counts: list[int]
) -> tuple[pa.Array[Any], pa.Array[Any]]:
    """Evidence of groups of one entry and several items: sentences and JSON facts."""
    sentences, facts = [], []
    for key, count in zip(keys, counts, strict=True):
        items = "1 item" if count == 1 else f"{count} items"
        if rung.shape == "details":
            sentences.append(
                f"Each of the {count} payments inside the entry has its own item by reference and "
                "amount, and together they are the entry."
            )
            known: dict[str, Any] = {"items": count}
        else:
            sentences.append(
                f"All open items of the {_title(rung)} {key} ({items}) add up to the entry exactly."
            )
            known = {"reference": key, "items": count}
        facts.append(json.dumps(known, ensure_ascii=False, separators=(",", ":")))
    return pa.array(sentences, pa.string()), pa.array(facts, pa.string())
