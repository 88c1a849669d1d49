"""Conditions of rungs as SQL expressions: names, amounts and parties."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from tieout.matching.ladder import Party, Tolerance

__all__ = ["amount_sql", "name_macros", "party_sql"]

# Quoted for SQL as they stand here.
_LEGAL_FORMS: Final = re.findall(
    r"\w+",
    "AB AG AND APS AS BV CO COMPANY CORP CORPORATION DER DIE EK EV GBR GMBH INC KFT KG KGAA "
    "LIMITED LLC LLP LTD MBH NV OHG OY OYJ PLC SA SARL SAS SE SL SPA SRL SRO THE UG UND ZOO GMB GM",
)


def name_macros() -> list[str]:
    """Macros for names: accents, case, marks and legal forms do not count; nor does word order."""
    forms = ", ".join(f"'{form}'" for form in _LEGAL_FORMS)
    folded = "upper({})"
    for mark, plain in (("Ä", "AE"), ("Ö", "OE"), ("Ü", "UE"), ("ẞ", "SS"), ("ß", "SS")):
        folded = f"replace({folded}, '{mark}', '{plain}')"
    dotted = "regexp_replace(t, '\\b([A-Za-z])\\.', '\\1', 'g')"  # B.V. and e.K. are one word
    dotted = f"CASE WHEN contains(t, '.') THEN {dotted} ELSE t END"
    words = f"regexp_replace(strip_accents({folded.format(dotted)}), '[^A-Z0-9 ]+', ' ', 'g')"
    sound = f"length(w) > 1 AND w NOT IN ({forms})"
    kept = f"list_filter(string_split({words}, ' '), lambda w: {sound})"
    return [
        f"CREATE OR REPLACE TEMP MACRO plain_text(t) AS array_to_string({kept}, ' ')",
        f"CREATE OR REPLACE TEMP MACRO plain_name(t) AS array_to_string(list_sort({kept}), ' ')",
    ]


def _percent(value: Decimal) -> int:
    """A percentage as whole hundred-thousandths."""
    return int(value * 1000)


def amount_sql(tolerance: Tolerance) -> str:
    """The amounts agree within the tolerance, and for its cause."""

    def limit(absolute: Decimal, percent: Decimal) -> str:
        money = f"({int(absolute * 100_000)}::HUGEINT * unit) // 100000"
        return f"least({money}, (abs(books_minor)::HUGEINT * {_percent(percent)}) // 100000)"

    less = limit(tolerance.less, tolerance.less_percent)
    more = limit(tolerance.more, tolerance.more_percent)
    gap = "bank_minor - books_minor"
    if tolerance.by_size:
        gap = f"({gap}) * sign(books_minor)"
    apart = f"{gap} BETWEEN -{less} AND {more}"
    cause = " AND original_currency <> bank_currency" if tolerance.cause == "exchange" else ""
    return f"sign(bank_minor) = sign(books_minor) AND {apart}{cause}"


def party_sql(party: Party) -> str:
    """The other party is the same, in one of the ways."""
    ways = {
        "account": "bank_party_account = books_party_account",
        "name": "(bank_party <> '' AND (bank_party = books_party OR "
        f"jaro_winkler_similarity(bank_party, books_party) >= {party.name_min}))",
        "text": "(bank_party IS NULL AND length(books_party_text) >= 5 "
        "AND contains(bank_text, books_party_text) "
        "OR books_party IS NULL AND length(bank_party_text) >= 5 "
        "AND contains(books_text, bank_party_text))",
    }
    same = "\n    OR ".join(ways[way] for way in party.by)
    if party.asked == "always":
        return f"({same})"
    unknown = {
        "account": "(bank_party_account IS NULL OR books_party_account IS NULL)",
        "name": "(bank_party IS NULL OR books_party IS NULL)",
        "text": "true",
    }
    return f"({same}\n    OR {' AND '.join(unknown[way] for way in party.by)})"
