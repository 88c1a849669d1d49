"""A large BAI2 file from a seed: accounts of 40 entries whose totals, counts and balances tie.

Three entries of four have one or two continuations (88) of text.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

__all__ = ["ENTRIES_OF_ACCOUNT", "write"]

ENTRIES_OF_ACCOUNT: Final = 40

_CODES: Final = ("142", "165", "195", "275", "455", "475", "495", "698")
_FIRST_DEBIT: Final = "400"
_CHEQUE: Final = "475"
_WORDS: Final = (
    "INVOICE", "PAYMENT", "RENT", "CUSTOMER", "ORDER", "SERVICE", "REFUND", "NOVEMBER", "SUPPLY",
    "FREIGHT", "SPARE", "PARTS",
)  # fmt: skip


def write(path: Path, megabytes: int, seed: int) -> dict[str, int]:
    """Write a file of about so many megabytes; the same seed gives the same bytes.

    Returns:
        How many accounts and entries it has.
    """
    chance, accounts, records, total = random.Random(seed), 0, 2, 0
    with path.open("w", encoding="ascii", newline="") as file:
        size = file.write(
            "01,HARBOR,NORD,261121,0600,1,,,2/\n02,NORD,HARBOR,1,261120,2400,USD,2/\n"
        )
        while size < megabytes * 1_000_000:
            lines, control = _account(chance, accounts)
            size += file.write("".join(f"{line}\n" for line in lines))
            accounts, records, total = accounts + 1, records + len(lines), total + control
        file.write(f"98,{total},{accounts},{records}/\n99,{total},1,{records + 2}/\n")
    return {"accounts": accounts, "entries": accounts * ENTRIES_OF_ACCOUNT}


def _account(chance: random.Random, number: int) -> tuple[list[str], int]:
    """The records of one account, and its control total."""
    lines: list[str] = []
    opening = closing = chance.randrange(10**9, 10**10)
    total = 0
    for _ in range(ENTRIES_OF_ACCOUNT):
        code, amount = chance.choice(_CODES), chance.randrange(100, 10**7)
        total += amount
        closing += amount if code < _FIRST_DEBIT else -amount
        own = f"{chance.randrange(10**6):06}" if code == _CHEQUE else _reference(chance)
        lines.append(
            f"16,{code},{amount},{chance.choice('Z012')},{chance.randrange(10**10):010},{own},"
            f"{_text(chance, 3)}"
        )
        for _ in range(chance.choice((0, 1, 1, 2))):
            lines.append(f"88,{_text(chance, 5)} {chance.randrange(10**6)}")
    total += opening + closing
    head = f"03,{100_000 + number:010},USD,010,{opening},,,015,{closing},,/"
    return [head, *lines, f"49,{total},{len(lines) + 2}/"], total


def _reference(chance: random.Random) -> str:
    return chance.choice(("", f"INV{chance.randrange(10**6)}"))


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choice(_WORDS) for _ in range(words))
