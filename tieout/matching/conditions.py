"""Conditions of rungs as SQL expressions: references, names, amounts, days and parties."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from tieout.matching.ladder import Rung, Window
from tieout.references import SEPARATORS

__all__ = ["amount_sql", "days_sql", "name_macros", "normal_sql", "party_sql"]

# Quoted for SQL as they stand here.
_LEGAL_FORMS: Final = re.findall(
    r"\w+",
    "AB AG AND APS AS BV CO COMPANY CORP CORPORATION DER DIE EK EV GBR GMBH INC KFT KG KGAA "
    "LIMITED LLC LLP LTD MBH NV OHG OY OYJ PLC SA SARL SAS SE SL SPA SRL SRO THE UG UND ZOO",
)


def normal_sql(column: str) -> str:
    """The normal form of a reference (`tieout.references.normalise`) as an expression."""
    text = f"upper({column})"
    for mark in SEPARATORS:
        text = f"replace({text}, '{mark}', '')"
    return text


def name_macros() -> list[str]:
    """Macros for names: accents, case, marks and legal forms do not count; nor does word order."""
    forms = ", ".join(f"'{form}'" for form in _LEGAL_FORMS)
    folded = "upper({})"
    for mark, plain in (("Ä", "AE"), ("Ö", "OE"), ("Ü", "UE"), ("ẞ", "SS"), ("ß", "SS")):
        folded = f"replace({folded}, '{mark}', '{plain}')"
    words = f"regexp_replace(strip_accents({folded.format('t')}), '[^A-Z0-9]+', ' ', 'g')"
    kept = f"list_filter(string_split({words}, ' '), lambda w: w <> '' AND w NOT IN ({forms}))"
    return [
        f"CREATE OR REPLACE TEMP MACRO plain_text(t) AS array_to_string({kept}, ' ')",
        f"CREATE OR REPLACE TEMP MACRO plain_name(t) AS array_to_string(list_sort({kept}), ' ')",
    ]


def _percent(value: Decimal) -> int:
    """A percentage as whole hundred-thousandths."""
    return int(value * 1000)


def amount_sql(rung: Rung) -> str:
    """The amounts agree, exactly or within the rung's tolerance."""
    tolerance = rung.tolerance
    if tolerance is None:
        return "e.amt = i.amt"

    def limit(absolute: Decimal, percent: Decimal) -> str:
        money = f"({int(absolute * 100_000)}::HUGEINT * e.unit) // 100000"
        return f"least({money}, (abs(i.amt)::HUGEINT * {_percent(percent)}) // 100000)"

    less = limit(tolerance.less, tolerance.less_percent)
    more = limit(tolerance.more, tolerance.more_percent)
    return f"sign(e.amt) = sign(i.amt) AND e.amt - i.amt BETWEEN -{less} AND {more}"


def days_sql(days: Window) -> str:
    """The days are no further apart than the window."""
    return f"e.bday - i.{days.item}_no BETWEEN {-days.after} AND {days.before}"


def party_sql(rung: Rung) -> str:
    """The other party is the same, in one of the rung's ways."""
    if rung.party is None:
        return "true"
    ways = {
        "account": f"{normal_sql('d.counterparty_account')} "
        f"= {normal_sql('i.counterparty_account')}",
        "name": "jaro_winkler_similarity(plain_name(d.counterparty_name), "
        f"plain_name(i.counterparty_name)) >= {rung.party.name_min}",
        "text": "(d.counterparty_name IS NULL AND length(plain_text(i.counterparty_name)) >= 5 "
        "AND contains(plain_text(coalesce(e.narrative, d.narrative)), "
        "plain_text(i.counterparty_name)) "
        "OR i.counterparty_name IS NULL AND length(plain_text(d.counterparty_name)) >= 5 "
        "AND contains(plain_text(i.narrative), plain_text(d.counterparty_name)))",
    }
    return "(" + "\n    OR ".join(ways[way] for way in rung.party.by) + ")"
