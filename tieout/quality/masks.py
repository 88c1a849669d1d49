"""Rules of a suite compiled to SQL: which rows cannot be shown to be good.

Each type of expectation that is asked of every row has a *mask*, a condition true of the rows the
expectation would not take. A mask may be true of too many rows, never of too few: what it leaves
is judged by Great Expectations itself. A type without a mask has every row judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from tieout.quality.relations import literal, name_of

__all__ = ["MASKS", "condition", "mask"]

Kwargs = Mapping[str, Any]


def mask(rule: Mapping[str, Any], table: str) -> str | None:
    """The condition of the rows a rule may not take; None where only the library can say.

    Args:
        rule: an expectation of a suite's file.
        table: the relation it is about, for rules that compare rows with one another.
    """
    kwargs = rule["kwargs"]
    make = MASKS.get(rule["type"])
    if make is None or set(kwargs) - _KNOWN:
        return None
    try:
        asked = condition(kwargs.get("row_condition"))
        # A rule that compares rows looks at those it is asked of only.
        made = make(kwargs, f"(SELECT * FROM {table} WHERE {asked})")
        return f"coalesce(({asked}) AND ({made}), false)"
    except (KeyError, TypeError, ValueError):
        return None  # not of the form we know: the library says what is wrong with it


#: Arguments the masks understand; a rule with another one is the library's alone.
_KNOWN: Final = {
    "column",
    "column_A",
    "column_B",
    "column_list",
    "ignore_row_if",
    "max_value",
    "min_value",
    "or_equal",
    "regex",
    "row_condition",
    "strict_max",
    "strict_min",
    "value_set",
}


def condition(given: Any) -> str:
    """A row condition as SQL; true where there is none.

    Raises:
        ValueError: a kind of condition we do not know.
        KeyError, TypeError: it is none.
    """
    if given is None:
        return "true"
    kind = given["type"]
    if kind in ("and", "or"):
        return "(" + f" {kind} ".join(condition(each) for each in given["conditions"]) + ")"
    column = name_of(given["column"]["name"])
    if kind == "nullity":
        return f"{column} IS {'NULL' if given['is_null'] else 'NOT NULL'}"
    operator, value = given["operator"], given["parameter"]
    if kind != "comparison" or operator not in _OPERATORS:
        raise ValueError(f"no condition {kind} {operator}")
    if operator in ("IN", "NOT_IN"):
        texts = f"{column} IN ({', '.join(literal(v) for v in value)})"
        # Nothing is in no set: to the library that row is one the condition holds of.
        return texts if operator == "IN" else f"NOT coalesce({texts}, false)"
    return f"{column} {_OPERATORS[operator]} {literal(value)}"


_OPERATORS: Final = {
    "==": "=",
    "!=": "IS DISTINCT FROM",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
    "IN": "IN",
    "NOT_IN": "NOT IN",
}

#: What the two languages of patterns understand differently: classes that know all of Unicode
#: there and ASCII here, flags, look-around and references.
_FOREIGN: Final = re.compile(r"\\[dDwWsSbBAZ0-9]|\(\?[^:]")


def _bounds(value: str, kwargs: Kwargs) -> str:
    parts = []
    for key, strict, less in (("min_value", "strict_min", "<"), ("max_value", "strict_max", ">")):
        if kwargs.get(key) is not None:
            equal = "=" if kwargs.get(strict) else ""
            parts.append(f"{value} {less}{equal} {literal(kwargs[key])}")
    return " OR ".join(parts) or "false"


def _matches(kwargs: Kwargs, *, ends: bool = True) -> str:
    """Whether the pattern is found.

    ``$`` is the very end here, and may stand before a last line break there: finding less is safe
    only where what is not found is judged.
    """
    regex = kwargs["regex"]
    if _FOREIGN.search(regex) or ("$" in regex and not ends):
        raise ValueError("a pattern for the library alone")
    return f"regexp_matches({name_of(kwargs['column'])}, {literal(regex)})"


def _pair(kwargs: Kwargs) -> str:
    if kwargs.get("ignore_row_if") != "either_value_is_missing":
        raise ValueError("a missing value is for the library to judge")
    left, right = name_of(kwargs["column_A"]), name_of(kwargs["column_B"])
    return f"{left} {'<' if kwargs.get('or_equal') else '<='} {right}"


def _repeated(columns: list[str], rows: str) -> str:
    key = ", ".join(name_of(column) for column in columns)
    again = f"SELECT {key} FROM {rows} GROUP BY {key} HAVING count(*) > 1"
    return f"({key}) IN ({again})"


#: SQL of the rows each expectation may not take, from its arguments and the rows it is about.
MASKS: Final[dict[str, Callable[[Kwargs, str], str]]] = {
    "expect_column_values_to_not_be_null": lambda k, _: f"{name_of(k['column'])} IS NULL",
    "expect_column_values_to_be_null": lambda k, _: f"{name_of(k['column'])} IS NOT NULL",
    "expect_column_values_to_be_in_set": lambda k, _: (
        f"{name_of(k['column'])} NOT IN ({', '.join(literal(v) for v in k['value_set'])})"
    ),
    "expect_column_values_to_not_be_in_set": lambda k, _: (
        f"{name_of(k['column'])} IN ({', '.join(literal(v) for v in k['value_set'])})"
    ),
    "expect_column_values_to_match_regex": lambda k, _: f"NOT {_matches(k)}",
    "expect_column_values_to_not_match_regex": lambda k, _: _matches(k, ends=False),
    "expect_column_values_to_be_between": lambda k, _: _bounds(name_of(k["column"]), k),
    "expect_column_value_lengths_to_be_between": lambda k, _: _bounds(
        f"length({name_of(k['column'])})", k
    ),
    "expect_column_values_to_be_unique": lambda k, rows: _repeated([k["column"]], rows),
    "expect_compound_columns_to_be_unique": lambda k, rows: _repeated(k["column_list"], rows),
    "expect_column_pair_values_a_to_be_greater_than_b": lambda k, _: _pair(k),
}
