"""Makes the samples of `tieout reconcile`: ``python -m sandbox.samples DIR`` (the project's
``samples/``).

One small firm, one account, one day: the same statement as camt.053 and as MT940, the same ledger
as a plain CSV and as an export with German headings, semicolons, decimal commas and dates. All
of it ties but three things: a bank charge (8.90), a payment in transit (333.20) and an incoming
250.00 nobody knows.
"""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from sandbox.day import BOOKINGS
from sandbox.model import BankAccount, BankDetail, BankEntry, Statement
from sandbox.parties import make_iban
from sandbox.render_camt053 import render_camt053
from sandbox.render_mt940 import render_mt940

__all__ = ["main", "make_samples"]

_ON: Final = date(2026, 11, 20)
_OWNER: Final = "Tischlerei Morgenrot GmbH"
_ACCOUNT: Final = BankAccount(
    code="MORGENROT",
    name="Girokonto",
    bank="Fjordbank",
    iban_or_number=make_iban("DE", "930100600002718280"),
    bic="FJRDDEH0XXX",
    currency="EUR",
    gl_account="1800",
    dialect="camt.053.001.08",
    opening_minor=1_482_016,
    sequence_no=187,
    opening_company_minor=1_482_016,
)


class _Row(NamedTuple):
    """A ledger line and the bank's entry for it; ``booking`` empty: not at the bank yet."""

    day: int  # of November, in the ledger
    amount_minor: int
    document_no: str  # empty: not in the ledger
    reference: str  # what the ledger records: an invoice number, or our payment reference
    party: str
    text: str  # the ledger's text
    booking: str
    told: str  # the bank's text
    run: str = ""


_ROWS: Final = (
    _Row(
        20, 119000, "B-1101", "RE-2026-0101", "Café Seeblick", "Tresen", "receipt", "RE-2026-0101"
    ),
    _Row(
        19,
        285600,
        "B-1102",
        "RE-2026-0104",
        "Hausverwaltung Brandt",
        "Türen",
        "receipt",
        "Rechnung RE-2026-0104 vom 02.11.2026",
    ),
    _Row(
        19, 47600, "B-1103", "RE-2026-0107", "Oltmanns", "Regal", "receipt", "Zahlung RE-2026-0107"
    ),
    _Row(
        20, -84371, "B-1104", "ZA-2611-01", "Holzhandel Tannwald", "Rg. 440127", "payment", "440127"
    ),
    _Row(20, -12990, "B-1105", "ZA-2611-02", "Beschläge Kern", "Rg. 20871", "payment", "Rg. 20871"),
    _Row(20, -231000, "B-1106", "", "Lagerhof Verwaltung KG", "Miete", "payment", "Werkstatt 11"),
    _Row(18, -5950, "B-1107", "", "Funkel Telefon GmbH", "Telefon", "debit", "Kundennr. 7714"),
    _Row(19, 357000, "B-1108", "", "Gemeinde Rosenau", "Schultische", "receipt", "Schulmöbel"),
    _Row(20, -41235, "B-1109", "ZA-2611-03", "Lacke Sonntag", "Rg. 5518/26", "payment", "5518/26"),
    _Row(20, -218040, "B-1110", "", "Ines Vollmer", "Lohn", "run", "Lohn 11", "LOHN-2026-11"),
    _Row(20, -199960, "B-1111", "", "Paul Reitz", "Lohn", "run", "Lohn 11", "LOHN-2026-11"),
    _Row(
        20, 71400, "B-1112", "RE-2026-0109", "Praxis Dr. Imhoff", "Theke", "receipt", "RE-2026-0109"
    ),
    _Row(
        20,
        95200,
        "B-1113",
        "RE-2026-0110",
        "Buchladen Lese",
        "Leiter",
        "receipt",
        "Re RE-2026-0110",
    ),
    _Row(20, -33320, "B-1114", "ZA-2611-04", "Glaserei Hell", "Rg. 9034", "", ""),
    _Row(20, -17850, "B-1115", "ZA-2611-05", "Sägen Wirth", "Rg. 771203", "payment", "Rg. 771203"),
    _Row(20, -890, "", "", "", "", "fee", "Kontoführung 11/2026"),
    _Row(20, 25000, "", "", "A. Wieczorek", "", "receipt", "Kaution zurück"),
)


def make_samples() -> dict[str, bytes]:
    """File name → content of every sample."""
    statement = Statement(
        account=_ACCOUNT,
        owner=_OWNER,
        sequence_no=_ACCOUNT.sequence_no + 1,
        previous_on=date(2026, 11, 19),
        on=_ON,
        opening_minor=_ACCOUNT.opening_minor,
        entries=_entries(),
    )
    german = replace(_ACCOUNT, dialect="mt940-structured")
    return {
        "bank-camt053.xml": render_camt053(statement),
        "bank-mt940.sta": render_mt940(replace(statement, account=german)),
        "ledger.csv": _ledger(),
        "ledger-dynamics.csv": _ledger_german(),
    }


def _entries() -> tuple[BankEntry, ...]:
    booked = [row for row in _ROWS if row.booking]
    runs = [row for row in booked if row.run]
    groups = [[row] for row in booked if not row.run]
    groups.insert(9, runs)
    return tuple(_entry(ordinal, group) for ordinal, group in enumerate(groups, 1))


def _entry(ordinal: int, rows: list[_Row]) -> BankEntry:
    return BankEntry(
        account_code=_ACCOUNT.code,
        ordinal=ordinal,
        amount_minor=sum(row.amount_minor for row in rows),
        booked_on=_ON,
        valued_on=_ON,
        booking=BOOKINGS[rows[0].booking],
        bank_ref=f"261120FJ{ordinal:08d}",
        details=tuple(
            BankDetail(
                amount_minor=row.amount_minor,
                party=row.party,
                end_to_end_id=row.reference if row.reference.startswith("ZA-") else "",
                narrative=row.told,
            )
            for row in rows
        ),
        batch_id=rows[0].run,
    )


def _ledger() -> bytes:
    header = ["document_no", "booked_on", "amount", "currency"]
    header += ["reference", "run", "counterparty", "narrative"]
    rows = [
        [
            row.document_no,
            f"2026-11-{row.day}",
            _decimal(row.amount_minor, "."),
            "EUR",
            row.reference,
            row.run,
            row.party,
            row.text,
        ]
        for row in _ROWS
        if row.document_no
    ]
    return _csv([header, *rows], ",")


def _ledger_german() -> bytes:
    header = ["Beleg", "Buchungsdatum", "Betrag", "Währung", "Zahlungsreferenz", "Zahllauf"]
    header += ["Name", "Buchungstext"]
    rows = [
        [
            row.document_no,
            f"{row.day}.11.2026",
            _decimal(row.amount_minor, ","),
            "EUR",
            row.reference,
            row.run,
            row.party,
            row.text,
        ]
        for row in _ROWS
        if row.document_no
    ]
    return _csv([header, *rows], ";")


def _decimal(minor: int, mark: str) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}{mark}{abs(minor) % 100:02d}"


def _csv(rows: list[list[str]], delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def main(arguments: list[str]) -> int:
    """Write the samples to the named folder."""
    folder = Path(arguments[0] if arguments else "samples")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in make_samples().items():
        (folder / name).write_bytes(content)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
