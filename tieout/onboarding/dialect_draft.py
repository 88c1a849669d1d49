"""A draft dialect for a sample that a reader knows: what the profile may add, with its doubts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import parsers
from parsers import Parsed
from tieout import profiles
from tieout.errors import ProfileError
from tieout.onboarding.features import LABEL, best_encoding, free_texts, is_utf8, labels
from tieout.onboarding.mask import masked
from tieout.onboarding.rows import Code

__all__ = ["draft", "gains"]

#: Words banks label the parts of a payment with, by column.
_LABELS: Final = {
    "counterparty_account": "IBAN REK ACCOUNT ACCT KONTO CONTO COMPTE RACH RACHUNEK UCET SZAMLA",
    "counterparty_bic": "BIC SWIFT",
    "counterparty_name": "NAAM NAME NOM NAZWA NAZEV NAVN NAMN OD DLA FROM TO PAYER PAYEE",
    "narrative": "OMSCHRIJVING TEXT TYT TYTUL DETAILS DESCRIPTION ZWECK MOTIF REMIT",
    "end_to_end_id": "KENMERK EREF E2E REF REFERENCE REFERENZ",
    "mandate_id": "MACHTIGING MANDATE MANDAT MREF",
    "transaction_id": "TNR ID TRN NR",
}  # fmt: skip
#: Codes that mean the same at every bank.
_CODES: Final = {
    "NCHG": "ACMT/MDOP/CHRG",
    "FCHG": "ACMT/MDOP/CHRG",
    "NCOM": "ACMT/MDOP/CHRG",
    "NRTI": "PMNT/RCDT/RRTN",
    "NINT": "ACMT/MCOP/INTR",
}
_BANK = (
    r"^\{1:F01([A-Z]{6}[A-Z0-9]{2})",  # the sender in the block header
    r"^:25:([A-Z]{6}[A-Z0-9]{2,5}/)",  # the BIC before the account
    r"^:25:([A-Z]{2}\d\d[A-Z]{4})",  # an IBAN whose bank code is letters
    r"^:25:([A-Z]{2}\d\d\d{8})",  # one of digits
    r"^:25:(\d{8}/)",  # the German bank code
)
_SHOWN: Final = 6


def gains(path: Path, name: str, made: str, before: Parsed) -> dict[str, int]:
    """Columns of details and entries that the draft fills, and how many of them."""
    with profiles.trial("banks", name, tomllib.loads(made)):
        after = parsers.read_file(path)
    found: dict[str, int] = {}
    for old, new in (
        (before.tables.details, after.tables.details), (before.tables.entries, after.tables.entries)
    ):  # fmt: skip
        for column in old.column_names:
            more = old[column].null_count - new[column].null_count
            if more > 0:
                found[column] = more
    return found


def draft(
    name: str, parsed: Parsed, text: str, raw: bytes, codes: Sequence[Code]
) -> tuple[str | None, tuple[str, ...]]:
    """The profile as TOML and its doubts; no profile where the readers need none.

    Args:
        name: of the profile.
        parsed: the sample, read plainly.
        text: the sample as text.
        raw: its bytes.
        codes: the bank's codes without an ISO meaning.
    """
    doubts: list[str] = []
    head = _head(parsed, text, doubts)
    body = _encoding(raw, doubts) + _layout(text, doubts) + _codes(codes, doubts)
    lines = [
        *(f"#> {line}" for line in _sample(text)),
        "#",
        "# Drafted by `tieout onboard`: settle what is in doubt, then say the reasons.",
        *(f"# doubt: {doubt}" for doubt in doubts),
        f'title = "{name}, {parsed.format}"',
        "",
        "[match]",
        f'format = ["{_family(parsed.format)}"]',
        f"head = '{head}'",
        *body,
    ]
    made = "\n".join(lines) + "\n"
    try:
        parsers.check_profile(name, tomllib.loads(made))
    except ProfileError as error:
        if error.code != "PROFILE_EMPTY":
            raise
        return None, ("the readers need no profile for what they saw", *doubts)
    return made, tuple(doubts)


def _family(exact: str) -> str:
    return ".".join(exact.split(".")[:2])


def _head(parsed: Parsed, text: str, doubts: list[str]) -> str:
    """An expression that finds the bank, but no account, in the file's start."""
    for pattern in _BANK:
        found = re.search(pattern, text, re.MULTILINE)
        if found is not None:
            tag = pattern[: pattern.index("(")]
            bank: str = found[1]
            iban = re.fullmatch(r"([A-Z]{2})\d\d(\w+)", bank)
            return tag + (f"{iban[1]}\\d\\d{iban[2]}" if iban else re.escape(bank))
    bics = [bic for bic in parsed.tables.statements["servicer_bic"].to_pylist() if bic]
    if bics:
        return re.escape(str(bics[0])[:8])
    sender = re.search(r"^01,([^,\n]+),", text, re.MULTILINE)
    if sender is not None:
        return f"^01,{re.escape(sender[1])},"
    doubts.append("nothing in the file names the bank: narrow [match] head, or give an account")
    return r"\A"


def _sample(text: str) -> list[str]:
    """The first entry's lines, without people and accounts."""
    found = re.search(r"^:61:.*\n(?:(?!:6[0-5]|-).*\n)*", text, re.MULTILINE)
    if found is None:
        found = re.search(r"^16,.*\n(?:88,.*\n)*|<(?:\w+:)?AddtlNtryInf>[^<]*", text, re.MULTILINE)
    lines = found[0].rstrip("\n").split("\n")[:_SHOWN] if found else [text[:60].split("\n")[0]]
    return [masked(line, (LABEL.pattern,)) for line in lines]


def _encoding(raw: bytes, doubts: list[str]) -> list[str]:
    guess = best_encoding(raw)
    if is_utf8(raw) or guess in ("cp1252", "iso-8859-1"):
        return []
    doubts.append(f"the letters look like {guess}: compare a name you know")
    return ["", "[text]", f'encoding = "{guess}"']


def _layout(text: str, doubts: list[str]) -> list[str]:
    """``[field86]`` by the labels that come back, or by a leading account."""
    known = {word: column for column, words in _LABELS.items() for word in words.split()}
    columns: dict[str, list[str]] = {}
    for feature in labels(text):
        label = feature.what.removeprefix(":86: with the label ")
        words = re.findall(r"[A-Z]+", label.upper())
        column = next((known[word] for word in reversed(words) if word in known), None)
        if column is None:
            doubts.append(f"what is {label!r} ({feature.count} times, line {feature.lines[0]})?")
        else:
            columns.setdefault(column, []).append(label)
    if columns:
        rows = [f"{c} = [{', '.join(repr(x) for x in found)}]" for c, found in columns.items()]
        return ["", "[field86]", 'join = " "', "trim = ' ;/'", "", "[field86.labels]", *rows]
    texts = [content for _, content in free_texts(text)]
    account = (
        r"\A(?P<counterparty_account>[A-Z]{2}\d\d[A-Z0-9]{11,30}|\d{9,12}) (?P<narrative>(?s:.*))"
    )
    if sum(re.match(account, content) is not None for content in texts) > 1:
        doubts.append("the text begins with an account: is it always the other side's?")
        return ["", "[field86]", f"patterns = ['{account}']"]
    if re.search(r"^:86:\s+\d{3}\?\d\d", text, re.MULTILINE):
        doubts.append(
            "sub-fields behind a blank: compare the numbers 30 to 38 with the bank's list"
        )
        rows = [
            'booking_text = "00"',
            'counterparty_name = ["32", "33"]',
            'counterparty_account = "31"',
        ]
        return ["", "[field86]", 'mark = "?"', r"lead = '\s*'", "", "[field86.subfields]", *rows]
    return []


def _codes(codes: Sequence[Code], doubts: list[str]) -> list[str]:
    known = [(code.code, _CODES[code.code]) for code in codes if code.code in _CODES]
    for code in [c for c in codes if c.code not in _CODES][:_SHOWN]:
        doubts.append(f"code {code.code} ({code.count} entries, first on line {code.line}) means?")
    return ["", "[codes]", *(f'{code} = "{iso}"' for code, iso in known)] if known else []
