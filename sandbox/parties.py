"""The invented people and companies of the sandbox, with well-formed but fictitious accounts.

Bank codes start with 9 (Germany) or 99 (Austria, Switzerland, Luxembourg), which no bank has; all
BICs end in 0, the mark of test BICs. IBAN check digits are valid (ISO 13616, mod 97-10), and so
are those of the structured creditor references (ISO 11649).

>>> creditor_reference("202600417")
'RF52202600417'
"""

from __future__ import annotations

from random import Random
from typing import Final

from sandbox.model import Party, PartyKind

__all__ = ["COMPANY", "EMPLOYEES", "SPECIAL", "creditor_reference", "make_iban", "make_parties"]

COMPANY: Final = "Nordlicht Maschinenbau GmbH"

#: Suppliers with a story of their own, never taken in turn.
SPECIAL: Final = frozenset(
    {"Finanzamt Hafenstadt", "Leasing Nordmark GmbH", "Stadtwerke Hafenstadt"}
)

#: Employee id, first name, last name.
EMPLOYEES: Final = (
    ("10021", "Jonas", "Petersen"),
    ("10034", "Miriam", "Achterberg"),
    ("10047", "Tarek", "Sommer"),
    ("10052", "Svenja", "Lindqvist"),
)

# Country, bank code, length of the account number, BIC of an invented bank.
_BANKS: Final = {
    "DE": (
        ("91030040", 10, "KTSBDEH0"),
        ("92450070", 10, "VLKODEF0"),
        ("97010020", 10, "MRKLDEM0"),
    ),
    "AT": (("99410", 11, "TALBATW0"),),
    "CH": (("99073", 12, "SEEBCHZ0"),),
    "LU": (("991", 13, "MOSLLUL0"),),
}

# Names by country; no such companies are known to us.
_CUSTOMERS: Final = (
    ("DE", "Kranbau Ostsee GmbH"),
    ("DE", "Werft Lüttmoor AG"),
    ("DE", "Silberbach Fördertechnik GmbH"),
    ("DE", "Hallig Windkraft KG"),
    ("DE", "Papierfabrik Eschenau GmbH"),
    ("DE", "Molkerei Rotklee eG"),
    ("DE", "Zuckerwerk Anhaltau AG"),
    ("DE", "Baustoffe Grellmann GmbH"),
    ("DE", "Getreidehandel Tiefenau KG"),
    ("DE", "Fischkontor Nordstrom GmbH"),
    ("DE", "Kieswerk Altenborn GmbH"),
    ("DE", "Hafenbetriebe Wendtorf AG"),
    ("DE", "Sägewerk Brandheide GmbH"),
    ("AT", "Almtaler Seilbahnen GmbH"),
    ("AT", "Donauwerk Anlagenbau AG"),
    ("AT", "Steinbichl Metall GmbH"),
    ("AT", "Kelterei Wachauer KG"),
    ("AT", "Holz Pernegg GmbH"),
    ("CH", "Gotthelf Textilmaschinen AG"),
    ("CH", "Rhonetal Pumpen AG"),
    ("LU", "Moselstahl Remerbach S.A."),
    ("US", "Coastline Marine Supply Inc"),
    ("US", "Bayou Grain Terminals LLC"),
    ("US", "Prairie Packaging Corp"),
    ("US", "Lakeshore Cranes Inc"),
    ("US", "Tidewater Lifting LLC"),
    ("US", "Redrock Quarries Inc"),
)
_SUPPLIERS: Final = (
    ("DE", "Stahlhandel Bremke GmbH"),
    ("DE", "Getriebe Hellwig GmbH"),
    ("DE", "Elektro Tannhoff GmbH"),
    ("DE", "Schrauben Quandt KG"),
    ("DE", "Lacke Dornbusch GmbH"),
    ("DE", "Hydraulik Voss und Sohn"),
    ("DE", "Spedition Fährmann GmbH"),
    ("DE", "Stadtwerke Hafenstadt"),
    ("DE", "Leasing Nordmark GmbH"),
    ("DE", "Werkzeuge Ilmenau GmbH"),
    ("DE", "Finanzamt Hafenstadt"),
    ("DE", "Druckerei Papenhorst GmbH"),
    ("DE", "Gebäudedienst Sander GmbH"),
    ("DE", "IT-Systeme Kronau GmbH"),
    ("DE", "Kantine Mehltau GmbH"),
    ("AT", "Kugellager Traunstein GmbH"),
    ("AT", "Guss Leobner AG"),
    ("CH", "Präzisa Messtechnik AG"),
    ("US", "Great Plains Bearings Inc"),
    ("US", "Harborview Freight LLC"),
    ("US", "Summit Controls Corp"),
    ("US", "Ironwood Castings Inc"),
)


def _mod97(text: str) -> int:
    return int("".join(str(int(char, 36)) for char in text)) % 97


def make_iban(country: str, bban: str) -> str:
    """IBAN of a country and its basic account number, with valid check digits."""
    return f"{country}{98 - _mod97(bban + country + '00'):02d}{bban}"


def creditor_reference(digits: str) -> str:
    """ISO 11649 reference (``RF``, two check digits) of an invoice's digits."""
    return f"RF{98 - _mod97(digits + 'RF00'):02d}{digits}"


def make_parties(rng: Random) -> tuple[Party, ...]:
    """All parties, customers first, then suppliers and employees; accounts drawn from ``rng``."""
    found = [_party(rng, name, "customer", country) for country, name in _CUSTOMERS]
    found += [_party(rng, name, "supplier", country) for country, name in _SUPPLIERS]
    found += [_party(rng, f"{first} {last}", "employee", "DE") for _, first, last in EMPLOYEES]
    return tuple(found)


def _party(rng: Random, name: str, kind: PartyKind, country: str) -> Party:
    if country == "US":
        return Party(name, kind, "", rng.choice(("PRAIUS40", "BAYBUS30", "GLKSUS40")))
    bank, width, bic = rng.choice(_BANKS[country])
    account = rng.randrange(10 ** (width - 3), 10 ** (width - 1))
    return Party(name, kind, make_iban(country, f"{bank}{account:0{width}d}"), bic)
