"""A large MT940 file from a seed, as German banks send it; its balances tie.

``:86:`` is structured, with SEPA keys in purpose lines of 27 characters, and wrapped at 65 columns.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["ENTRIES_OF_STATEMENT", "write"]

_NAMES: Final = (
    "NORDLICHT MASCHINENBAU GMBH", "ALPENHOLZ KG", "HAFENKRAN SERVICE AG", "BAECKEREI SONNTAG",
    "WINDPARK OSTERSAND GMBH UND CO KG", "STADTWERKE MUSTERHAUSEN", "DRUCKHAUS FALKE OHG",
    "SPEDITION WEITWEG EUROPAEISCHE FRACHT UND LOGISTIK GMBH",
)  # fmt: skip
_BICS: Final = ("HANSDEHHXXX", "ALPEDEMMXXX", "RHEIDEDD", "ELBEDEHH123")
_TEXTS: Final = ("SEPA-UEBERWEISUNG", "SEPA-LASTSCHRIFT EINZUG", "GUTSCHRIFT", "LOHN/GEHALT")
_WORDS: Final = (
    "RECHNUNG", "VOM", "KUNDENNUMMER", "LIEFERUNG", "ERSATZTEILE", "WARTUNG", "ABSCHLAG",
    "PROJEKT", "BESTELLUNG", "SKONTO", "ANZAHLUNG", "MIETE", "NOVEMBER",
)  # fmt: skip
ENTRIES_OF_STATEMENT: Final = 50


def write(path: Path, megabytes: int, seed: int) -> dict[str, int]:
    """Write a file of about so many megabytes; the same seed gives the same bytes.

    Returns:
        How many statements and entries it has.
    """
    chance, number, size = random.Random(seed), 0, 0
    with path.open("w", encoding="ascii", newline="") as file:
        while size < megabytes * 1_000_000:
            number += 1
            size += file.write("".join(f"{line}\r\n" for line in _statement(chance, number)))
    return {"statements": number, "entries": number * ENTRIES_OF_STATEMENT}


def _statement(chance: random.Random, number: int) -> Iterator[str]:
    yield f":20:STARTUMS{number:08}"
    yield f":25:37040044/{1000000 + number % 40:010}"
    yield f":28C:{number // 40 + 1:05}/001"
    balance = chance.randrange(10**8)
    day = 1 + number % 27
    yield f":60F:C2611{day:02}EUR{_money(balance)}"
    for _ in range(ENTRIES_OF_STATEMENT):
        minor = chance.randrange(1, 10**7)
        credit = chance.random() < 0.4
        balance += minor if credit else -minor
        yield (
            f":61:2611{day:02}11{day:02}{'C' if credit else 'D'}R{_money(minor)}"
            f"N{chance.choice(('051', '166', 'TRF', '020'))}NONREF"
            f"//{chance.randrange(10**15):016}"
        )
        if chance.random() < 0.1:
            yield f"REF {chance.randrange(10**9):010}/EREF"
        yield from _wrapped(":86:" + _text(chance, credit))
    yield f":62F:{'D' if balance < 0 else 'C'}2611{day:02}EUR{_money(abs(balance))}"
    yield "-"


def _money(minor: int) -> str:
    return f"{minor // 100},{minor % 100:02}"


def _wrapped(text: str) -> Iterator[str]:
    for at in range(0, len(text), 65):
        yield text[at : at + 65]


def _text(chance: random.Random, credit: bool) -> str:
    """The code, booking text, purpose in pieces of 27 characters, and the other side."""
    code = "166" if credit else chance.choice(("177", "105", "116"))
    iban = f"DE{chance.randrange(10, 99)}{chance.randrange(10**17):018}"
    pieces = [f"EREF+E2E-{chance.randrange(10**12):012}-{chance.randrange(100):02}"]
    if chance.random() < 0.5:
        pieces.append(f"KREF+RUN{chance.randrange(10**8):08}")
    if code == "105":
        pieces += [f"MREF+MANDAT-{chance.randrange(10**6):06}", "CRED+DE98ZZZ09999999999"]
    words = " ".join(chance.choice(_WORDS) for _ in range(chance.randrange(4, 12)))
    remittance = f"SVWZ+RG {chance.randrange(10**7):07} {words}"
    pieces += [remittance[at : at + 27] for at in range(0, len(remittance), 27)]
    name = chance.choice(_NAMES)
    parts = [f"?00{chance.choice(_TEXTS)}?10{chance.randrange(10**4):04}"]
    parts += [f"?{20 + n}{piece}" for n, piece in enumerate(pieces[:10])]
    parts.append(f"?30{chance.choice(_BICS)}?31{iban}?32{name[:27]}")
    if name[27:]:
        parts.append(f"?33{name[27:54]}")
    parts.append("?34000")
    parts += [f"?{60 + n}{piece}" for n, piece in enumerate(pieces[10:14])]
    return code + "".join(parts)
