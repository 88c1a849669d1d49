"""Conditions of rungs as SQL expressions: names, amounts and parties."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from tieout.matching.ladder import Party, Tolerance

__all__ = ["amount_sql", "name_macros", "party_sql"]

# Letters beyond the 26 as banks print them; all others only lose their accents.
_LETTERS: Final = tuple(
    pair.split(">")
    for pair in ["Ä>AE", "Ö>OE", "Ü>UE", "ẞ>SS", "ß>SS", "Ø>O", "Ł>L", "Æ>AE", "Œ>OE", "Đ>D"]
)
# Quoted for SQL as they stand here.
_LEGAL_FORMS: Final = re.findall(
    r"\w+",
    "AB AG AND APS AS BV CO COMPANY CORP CORPORATION DER DIE EK EV GBR GMBH INC KFT KG KGAA "
    "LIMITED LLC LLP LTD MBH NV OHG OY OYJ PLC SA SARL SAS SE SL SPA SRL SRO THE UG UND ZOO GMB GM",
)
#: A letter of a word may be another, missing or one too many where the word has at least so many.
_MISSPELT_LEAST: Final = 4


def name_macros() -> list[str]:
    """Macros for names: accents, case, marks and legal forms do not count; nor does word order.

    ``names_agree`` is true of two plain names that state the same words, however shortened: each
    word of the name with fewer words is a word of the other, or the beginning of one, or one letter
    off. Similarity alone takes two companies of one trade and town for the same.
    """
    forms = ", ".join(f"'{form}'" for form in _LEGAL_FORMS)
    folded = "upper({})"
    for mark, plain in _LETTERS:
        folded = f"replace({folded}, '{mark}', '{plain}')"
    dotted = "regexp_replace(t, '\\b([A-Za-z])\\.', '\\1', 'g')"  # B.V. and e.K. are one word
    dotted = f"CASE WHEN contains(t, '.') THEN {dotted} ELSE t END"
    words = f"regexp_replace(strip_accents({folded.format(dotted)}), '[^A-Z0-9 ]+', ' ', 'g')"
    sound = f"length(w) > 1 AND w NOT IN ({forms})"
    kept = f"list_filter(string_split({words}, ' '), lambda w: {sound})"
    alike = (
        "starts_with(w, v) OR starts_with(v, w) OR "
        f"(least(length(w), length(v)) >= {_MISSPELT_LEAST} AND levenshtein(w, v) <= 1)"
    )
    found = f"len(list_filter(theirs, lambda v: {alike})) > 0"
    return [
        f"CREATE OR REPLACE TEMP MACRO plain_text(t) AS array_to_string({kept}, ' ')",
        f"CREATE OR REPLACE TEMP MACRO plain_name(t) AS array_to_string(list_sort({kept}), ' ')",
        "CREATE OR REPLACE TEMP MACRO words_found(ours, theirs) AS "
        f"len(ours) > len(theirs) OR len(list_filter(ours, lambda w: {found})) = len(ours)",
        "CREATE OR REPLACE TEMP MACRO names_agree(a, b) AS "
        "words_found(string_split(a, ' '), string_split(b, ' ')) "
        "AND words_found(string_split(b, ' '), string_split(a, ' '))",
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


def party_sql(party: Party, *, sure: bool = False) -> str:
    """The other party is the same, in one of the ways.

    Args:
        party: what the rung asks.
        sure: names that are only similar must also have the same words, and the accounts, where
            both sides state one, must be equal: for rungs that have no reference to go by.
    """
    similar = f"jaro_winkler_similarity(bank_party, books_party) >= {party.name_min}"
    if sure:
        similar += " AND names_agree(bank_party, books_party)"
        if "account" in party.by:
            similar += " AND coalesce(bank_party_account = books_party_account, true)"
    ways = {
        "account": "bank_party_account = books_party_account",
        "name": f"(bank_party <> '' AND (bank_party = books_party OR {similar}))",
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
