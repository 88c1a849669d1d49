"""What an expectation's result says, as findings: one for each statement (or file) concerned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from tieout.errors import Finding
from tieout.quality.rules import LOCATORS, SEVERITIES
from tieout.quality.sieve import SHOWN_MAX, Sifted

__all__ = ["broken", "findings_of", "text_of", "whole"]

_VALUE_MAX: Final = 60

Result = Mapping[str, Any]


def broken(result: Result) -> str:
    """Why an expectation could not be evaluated; "" if it could."""
    info = result.get("exception_info") or {}
    for one in [info, *(v for v in info.values() if isinstance(v, dict))]:
        if one.get("raised_exception"):
            return str(one.get("exception_message") or "no message")
    return ""


def findings_of(name: str, result: Result, sifted: Sifted) -> Iterator[tuple[str, Finding]]:
    """A failed expectation as findings with their owners; "" owns what belongs to nobody."""
    config = result["expectation_config"]
    code, remedy = config["meta"]["rule_id"], config["meta"].get("remedy", "")
    column = config["kwargs"].get("column") or config["kwargs"].get("column_A") or ""
    place = f"{name}.{column}" if column else name
    if why := broken(result):
        text = f"rule {code} on {place} could not be evaluated: {why.strip().splitlines()[-1]}"
        mend = f"mend the rule in mappings/suites/{name}.json; the data was not judged by it"
        yield "", Finding("RULE_BROKEN", "error", f"{name}.json {code}", text[:500], mend)
        return
    severity = SEVERITIES[str(config["severity"])]
    says = config.get("description") or code
    for owner, (rows, count) in _owners(name, result, sifted).items():
        number = f"{count} rows" if count > 1 else "1 row"
        shown = _shown(config, rows, count)
        text = f"{says} Not so in {number} of {place}: {shown}"
        yield owner, Finding(code, severity, _where(name, rows[0]), text, remedy)


def _owners(
    name: str, result: Result, sifted: Sifted
) -> dict[str, tuple[list[Mapping[str, Any]], int]]:
    """Rows the library did not take, and how many there are in the whole table, by owner."""
    owner_column = LOCATORS[name][0]
    seen: dict[str, list[Mapping[str, Any]]] = {}
    if not result["success"]:
        for row in result["result"].get("unexpected_index_list") or [{}]:
            seen.setdefault(str(row.get(owner_column) or ""), []).append(row)
    counts = sifted.counts.get(result["expectation_config"]["meta"]["rule_id"])
    if counts is None:
        return {owner: (rows, len(rows)) for owner, rows in seen.items()}
    # More than were shown and every one shown was taken: what is left was not judged.
    unseen = {o: n for o, n in counts.items() if n > SHOWN_MAX and o not in seen}
    found = {o: (rows, max(counts.get(o, 0), len(rows))) for o, rows in seen.items()}
    return found | {o: ([{owner_column: o}], n) for o, n in unseen.items()}


def whole(result: Result, sifted: Sifted) -> dict[str, Any]:
    """The result's numbers as of the whole table, where the library saw only what was left."""
    numbers = dict(result["result"])
    code = result["expectation_config"]["meta"]["rule_id"]
    if broken(result) or code not in sifted.counts or "element_count" not in numbers:
        return numbers
    judged = int(numbers.get("unexpected_count") or 0)
    numbers["element_count"] = sifted.asked[code]
    numbers["unexpected_count"] = max(sum(sifted.counts[code].values()), judged) if judged else 0
    share = 100 * numbers["unexpected_count"] / numbers["element_count"] if judged else 0
    for key in ("unexpected_percent", "unexpected_percent_nonmissing", "unexpected_percent_total"):
        if key in numbers:
            numbers[key] = share
    for key in ("missing_count", "missing_percent"):
        numbers.pop(key, None)  # of the rows left, which says nothing of the table
    return numbers


def _where(name: str, row: Mapping[str, Any]) -> str:
    pairs = [(label, row.get(label)) for label in LOCATORS[name]]
    return " ".join(f"{label.rpartition('_')[0]} {v}" for label, v in pairs if v is not None)


def _shown(config: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], count: int) -> str:
    """The unexpected values of a rule's own columns, bounded in number and length."""
    kwargs = config["kwargs"]
    named = (kwargs.get(key) for key in ("column", "column_A", "column_B"))
    columns = [name for name in (*named, *kwargs.get("column_list", ())) if name]
    values = []
    for row in rows[:SHOWN_MAX]:
        own = [row.get(name) for name in columns] or list(row.values())
        text = " / ".join(_text(value) for value in own)
        beside = [f"{name} {_text(row.get(name))}" for name in config["meta"].get("shows", ())]
        values.append(f"{text} ({', '.join(beside)})" if beside else text)
    more = f" and {count - SHOWN_MAX} more" if count > SHOWN_MAX else ""
    return ", ".join(values) + more


def _text(value: object) -> str:
    if isinstance(value, str):
        return repr(value)[:_VALUE_MAX]
    # What is not there is None, or in columns of the library's making a NaN, unequal to itself.
    return "nothing" if value is None or value != value else text_of(value)


def text_of(value: object) -> str:
    """A number, amount, day or truth value as a person writes it; amounts exactly."""
    if isinstance(value, Decimal):
        text = f"{value.normalize():f}"
        return text if len(text.partition(".")[2]) >= 2 else f"{value:.2f}"
    return str(value)[:_VALUE_MAX]
