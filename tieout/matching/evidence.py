"""Evidence: why a group is one, as a sentence an accountant understands and as JSON facts."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from tieout.arrays import handles
from tieout.matching.ladder import Rung, Tolerance
from tieout.matching.sides import Found, Sides

__all__ = ["judged_words", "plain_words", "set_words"]

#: The stubs know few of the overloads used here.
pc: Any = pyarrow.compute

Ints = npt.NDArray[np.int64]
_NAMES = {
    "charge": "a bank charge",
    "rounding": "a rounding difference",
    "fx_difference": "an exchange difference",
    "short_payment": "a short payment",
    "discount": "a discount",
    "over_payment": "an overpayment",
}


def _title(rung: Rung) -> str:
    return rung.same[0].title if len(rung.same) == 1 else "reference"


def plain_words(rung: Rung, keys: Any) -> tuple[Any, Any]:
    """Evidence and facts of exact pairs, a whole column at a time."""
    sentence = pc.binary_join_element_wise(
        f"The {_title(rung)} ", keys, " and the amount agree; nothing else has both.", ""
    )
    if pc.any(pc.match_substring_regex(keys, '["\\\\\\x00-\\x1f]')).as_py():
        keys = pc.replace_substring_regex(keys, '["\\\\\\x00-\\x1f]', "")
    return sentence, pc.binary_join_element_wise('{"reference":"', keys, '"}', "")


def _money(minor: int, unit: int) -> str:
    digits = len(str(unit)) - 1
    return f"{Decimal(abs(minor)).scaleb(-digits):,.{digits}f}"


def judged_words(
    sides: Sides, rung: Rung, eid: Ints, iid: Ints, keys: Any, residual: Ints
) -> tuple[tuple[Any, Any], Any]:
    """Evidence and residual class of pairs of a rung with a tolerance, a window or a party."""
    days = sides.item_day[rung.days.item if rung.days else "booked_on"][iid]
    columns: dict[str, Any] = {
        "key": keys,
        "residual": residual,
        "unit": sides.unit[eid],
        "direction": np.sign(sides.amount[eid]),
        "apart": sides.day[eid] - days,
    }
    only = sides.only_detail[eid]
    if rung.party:
        names = sides.parties.names
        columns["books_party"] = names.texts.take(handles(names.books[iid]))
        columns["bank_party"] = names.texts.take(handles(names.of_details(only)))
    if rung.tolerance:
        columns["currency"] = sides.currencies(sides.part[eid])
    if rung.tolerance or rung.amount == "original":
        details = sides.prepared.details
        columns["original_currency"] = details.take("original_currency", only)
        columns["original_amount"] = details.take("original_amount", only)
    sides.db.register("judged", pa.table(columns))
    made = sides.db.sql(judged_sql(rung)).to_arrow_table()
    sides.db.unregister("judged")
    texts = [made[name].cast(pa.string()) for name in ("evidence", "facts", "residual_class")]
    return (texts[0], texts[1]), texts[2]


_MONEY: Final = (
    "format('{:,}', abs(residual) // unit) || CASE WHEN unit = 1 THEN '' ELSE '.' || "
    "lpad((abs(residual) % unit)::VARCHAR, length(unit::VARCHAR)::INTEGER - 1, '0') END"
)
_ORIGINAL: Final = (
    "regexp_replace(regexp_replace(original_amount::VARCHAR, '0+$', ''), '\\.$', '') || ' ' "
    "|| original_currency"
)


def judged_sql(rung: Rung) -> str:
    """Columns ``evidence``, ``facts`` and ``residual_class`` over the table ``judged``."""
    said: list[str] = []
    facts: list[tuple[str, str]] = []
    if rung.same:
        said.append(f"'the {_title(rung)} ' || key || ' agrees'")
        facts.append(("reference", "key"))
    if rung.amount == "original":
        said.append(f"'the bank exchanged ' || {_ORIGINAL} || ', the item''s own amount'")
        facts.append(("original", _ORIGINAL))
    elif not rung.tolerance:
        said.append("'the amount agrees'")
    if rung.party:
        said.append("'the other party is ' || coalesce(books_party, bank_party)")
        facts.append(("party", "coalesce(books_party, bank_party)"))
    if rung.days:
        said.append(
            "CASE abs(apart) WHEN 0 THEN 'both are of the same banking day' "
            "WHEN 1 THEN 'they are 1 banking day apart' "
            "ELSE 'they are ' || abs(apart) || ' banking days apart' END"
        )
        facts.append(("banking_days", "apart"))
    if rung.state == "proposed":
        facts.append(("score", _score_sql(rung)))
    if rung.same or said[:1] == [
        "'the amount agrees'"
    ]:  # never null, so the sentence begins with it
        said[0] = f"'T{said[0][2:]}"
        begun = "words"
    else:
        begun = "upper(words[:1]) || words[2:]"
    kind = "NULL"
    if rung.tolerance:
        kind = _class_sql(rung.tolerance)
        named = " ".join(f"WHEN '{k}' THEN '{v}'" for k, v in _NAMES.items())
        over = f"{_MONEY} || ' ' || currency"
        said.append(
            "CASE WHEN residual = 0 THEN 'the amount agrees' ELSE 'the bank moved ' || "
            f"{over} || CASE WHEN residual < 0 THEN ' less' ELSE ' more' END || "
            f"' for us (' || CASE residual_class {named} END || ')' END"
        )
        facts += [("residual", f"CASE WHEN residual <> 0 THEN {_MONEY} END")]
        facts += [("residual_class", "residual_class")]
    text = f"concat_ws(', ', {', '.join(said)})"  # leaves out what is null
    known = ", ".join(_fact_sql(name, value) for name, value in facts)
    return (
        f"SELECT {begun} || '; nothing else fits.' AS evidence, facts,\n"
        f"residual_class FROM (\nSELECT {text} AS words,\n"
        f"'{{' || concat_ws(',', {known}) || '}}' AS facts, residual_class\n"
        f"FROM (SELECT *, {kind} AS residual_class FROM judged))"
    )


def _fact_sql(name: str, value: str) -> str:
    """One member of a JSON object, null (and so left out) where it is not known."""
    return f"'\"{name}\":' || to_json({value})::VARCHAR"


def _class_sql(tolerance: Tolerance) -> str:
    """What the residual is: an exchange difference where the bank exchanged the money.

    A charge is less for us; a discount or a short payment is less than the item, either way.
    """
    less = "sign(residual) <> direction" if tolerance.by_size else "residual < 0"
    return (
        f"CASE WHEN residual = 0 THEN NULL WHEN abs(residual)::HUGEINT * 100000 <= "
        f"{int(tolerance.rounding * 100_000)}::HUGEINT * unit THEN 'rounding' "
        "WHEN original_currency <> currency THEN 'fx_difference' "
        f"WHEN {less} THEN '{tolerance.residual}' ELSE 'over_payment' END"
    )


def _score_sql(rung: Rung) -> str:
    """How much a proposal has for it, from 0 to 1, in hundredths: what agrees, less the days."""
    points = 30 + 40 * bool(rung.same) + 20 * bool(rung.party) + 10 * (rung.tolerance is None)
    days = "least(abs(apart), 10)" if rung.days else "0"
    return f"'0.' || lpad(greatest({points} - 2 * {days}, 5)::VARCHAR, 2, '0')"


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _json(known: dict[str, Any] | str) -> str:
    return _ENCODER.encode(known)


def _class_of(rung: Rung, left: int, unit: int, direction: int) -> str | None:
    if not left:
        return None
    if rung.tolerance is None:
        return "charge"
    if abs(left) <= int(rung.tolerance.rounding * unit):
        return "rounding"
    less = (left > 0) != (direction > 0) if rung.tolerance.by_size else left < 0
    return rung.tolerance.residual if less else "over_payment"


def _residual_words(left: int, unit: int, currency: str, kind: str | None) -> str:
    way = "less for us" if left < 0 else "more for us"
    name = _NAMES.get(kind or "charge", kind)
    return f"the bank moved {_money(left, unit)} {currency} {way} ({name})"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _set_sentence(rung: Rung, key: str | None, entries: int, items: int) -> str:
    some = _counted(items, "item", "items")
    all_entries = _counted(entries, "entry", "entries")
    if rung.shape == "details":
        return (
            f"Each of the {items} payments inside the entry has its own item by reference and "
            "amount, and together they are the entry"
        )
    if rung.shape == "run":
        return (
            f"All open items of the {_title(rung)} {key} ({some}) come to this entry and no other"
        )
    if rung.shape == "batch":
        return f"All open items of the {_title(rung)} {key} ({some}) add up to the entry"
    if rung.shape == "together":
        return f"{all_entries} and {some} are tied by references ({key} among them) and add up"
    if rung.shape == "subset":
        return f"{some} of the entry's own party add up to it, and no other choice of them does"
    if rung.shape == "cancel":
        tied = f"under the reference {key}" if key else "of the same party and text"
        return f"One entry takes back the other {tied}: both together are nothing"
    if rung.shape == "net":
        return f"The items take each other back under the reference {key}"
    if rung.shape == "transfer":
        return "Both entries are the two ends of one transfer between accounts of our own"
    return f"The payment {key} came back: its item is open again if a person agrees"


#: Stands for the reference in a sentence that is not finished.
_KEY: Final = "\x00"


def _words_but_key(rung: Rung, same: tuple[Any, ...], names: list[str]) -> tuple[str, str, str]:
    """A sentence before and after its reference, and the facts behind it."""
    without, (entries, items), counted, left, per, money, kind = same
    text = _set_sentence(rung, None if without else _KEY, entries, items)
    known: dict[str, Any] = dict(zip(names, counted, strict=True))
    if left:
        known |= {"residual": _money(left, per), "residual_class": kind}
        text += f"; {_residual_words(left, per, money, kind)}"
    elif rung.shape == "batch":
        text += " exactly"
    elif rung.shape == "together":
        text += " to the same sum"
    before, _, after = f"{text}.".partition(_KEY)
    facts = _json(known)
    if not without:  # goes on behind the reference
        facts = "}" if facts == "{}" else f",{facts[1:]}"
    return before, after, facts


def _quoted(key: str) -> str:
    return f'"{key}"' if key.isalnum() else _json(key)


def set_words(
    part: Found,
    number: Ints,
    counts: list[tuple[int, int]],
    residual: Ints,
    unit: Ints,
    currency: Any,
    direction: Ints,
) -> tuple[tuple[Any, Any], Any]:
    """Evidence and residual class of groups of several members."""
    rung = part.rung
    keys = part.keys.to_pylist()
    names = list(part.counted)
    values = list(zip(*part.counted.values(), strict=True)) if names else [()] * part.count
    said: dict[Any, tuple[str, str, str]] = {}
    sentences, facts, classes = [], [], []
    rows = zip(
        number.tolist(),
        counts,
        residual.tolist(),
        unit.tolist(),
        currency.to_pylist(),
        direction.tolist(),
        strict=True,
    )
    for which, size, left, per, money, way in rows:
        key, counted = keys[which], values[which]
        kind = _class_of(rung, left, per, way)
        same = (key is None, size, counted, left, per, money, kind)
        if same not in said:  # many differ in nothing but their reference
            said[same] = _words_but_key(rung, same, names)
        before, after, rest = said[same]
        classes.append(kind)
        if key is None:
            sentences.append(before)
            facts.append(rest)
        else:
            sentences.append(f"{before}{key}{after}")
            facts.append(f'{{"reference":{_quoted(key)}{rest}')
    made = (pa.array(sentences, pa.string()), pa.array(facts, pa.string()))
    return made, pa.array(classes, pa.string())
