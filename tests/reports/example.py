"""An invented day of Nordlicht Maschinenbau GmbH, as the report stage would fill it.

``python -m tests.reports.example DIR`` writes every output of it.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from tieout.reports.model import (
    SECTION_KINDS,
    AccountTieOut,
    BrsLine,
    BrsSection,
    DayReport,
    ExceptionRow,
    FileRow,
    PostingRow,
    ProposalRow,
    brs,
    section,
    status_of,
)
from tieout.reports.precision import Precision, across
from tieout.reports.rates import Rates, RungRate

DAY = date(2026, 11, 20)


def account(
    code: str = "NORD-EUR-MAIN",
    bank: str = "Hansebank",
    currency: str = "EUR",
    *,
    bank_minor: int | None,
    books_minor: int,
    sections: tuple[BrsSection, ...] = (),
    entries: tuple[int, int] = (0, 0),
    value: tuple[int, int] = (0, 0),
    items: tuple[int, int] = (0, 0),
    rungs: tuple[RungRate, ...] = (),
    sequence_no: str = "224",
    remark: str = "",
    iban: str = "DE88999100010004471200",
    name: str = "Operating account",
) -> AccountTieOut:
    """An account with difference and status computed; pairs are (matched, all)."""
    unexplained = brs(bank_minor, books_minor, sections)
    return AccountTieOut(
        code=code,
        name=name,
        bank=bank,
        iban=iban,
        currency=currency,
        statement_ref=f"{bank[:3].upper()}-2026-{sequence_no}" if bank_minor is not None else "",
        sequence_no=sequence_no if bank_minor is not None else "",
        as_of=DAY if bank_minor is not None else None,
        bank_balance_minor=bank_minor,
        books_balance_minor=books_minor,
        sections=sections,
        rates=Rates(
            entries_count=entries[1],
            matched_count=entries[0],
            entries_value_minor=value[1],
            matched_value_minor=value[0],
            items_count=items[1],
            items_matched_count=items[0],
            precision=across(r.precision for r in rungs if r.precision) if rungs else None,
            rungs=rungs,
        ),
        unexplained_minor=unexplained,
        status=status_of(unexplained, sections),
        remark=remark,
    )


# account | kind | reference | day | narrative | amount in minor units | note
LINES = """
NORD-EUR-MAIN | in_transit | PAY-2026-0877 | 20 | Rodenberg Stahl GmbH, invoice 88120 | -1842000 |
NORD-EUR-MAIN | in_transit | PAY-2026-0878 | 20 | Kessler Logistik KG, freight October | -312790 |
NORD-EUR-MAIN | exceptions | HB-61120-0019 | 20 | UNBEKANNT REF 7731/A | -10500 | UNKNOWN_ENTRY
NORD-EUR-COLL | proposed | AB-1120-0007 | 20 | Lindqvist Verktyg AB, 2026-4410 | 1190000 | ADJ-0012
NORD-EUR-COLL | exceptions | AB-1120-0011 | 20 | RETOURE AC04 Brunner | -365000 | RETURNED_PAYMENT
NORD-EUR-COLL | exceptions | AB-1120-0012 | 20 | RE 2026-4402 Hofer Anlagenbau | 730000 | TIE_REFUSED
NORD-EUR-COLL | exceptions | AB-1120-0013 | 20 | RE 2026-4402 Hofer Anlagenbau | 730000 | TIE_REFUSED
NORD-USD | in_transit | PAY-2026-0881 | 19 | Cascade Tooling Inc | 500000 |
NORD-USD | residuals | GRP-00031 | 20 | Charges taken by the payer's bank | -2500 |
NORD-EUR-SAVE | staged | EB-00231-1 | 20 | Zinsgutschrift | 41250 |
"""

# id | account | code | reason | amount | currency | counterparty | narrative | age | owner
EXCEPTIONS = """
EXC-0001 | NORD-EUR-SAVE | SEQUENCE_GAP | Statement 230 is missing between 229 and 231 | 2500000 \
    | EUR | Elbebank | | 1 | treasury
EXC-0002 | NORD-EUR-COLL | RETURNED_PAYMENT | Payment returned by the bank: AC04, account closed \
    | -365000 | EUR | Brunner & Söhne | RETOURE AC04 Brunner & Söhne RE 2026-4388 | 1 | ar-team
EXC-0003 | NORD-EUR-MAIN | UNKNOWN_ENTRY \
    | Nothing in the books has this amount, party or reference | -10500 | EUR \
    | | UNBEKANNT REF 7731/A | 4 |
EXC-0004 | NORD-EUR-COLL | TIE_REFUSED \
    | Two equal payments claim one open item; a person must choose | 1460000 | EUR \
    | Hofer Anlagenbau \
    | RE 2026-4402 Hofer Anlagenbau Danke fuer die gute Zusammenarbeit und bis zum \
naechsten Mal, siehe auch Schreiben vom 12.11. und Telefonnotiz | 1 | ar-team
EXC-0005 | NORD-USD | SHORT_BY_CHARGES | Paid short by charges beyond the policy's tolerance \
    | -2500 | USD | Cascade Tooling Inc | INV 77121 LESS CHGS | 12 | ap-team
"""

# id | account | kind | amount | currency | document | narrative
POSTINGS = """
ADJ-0001 | NORD-EUR-MAIN | bank_charges | -1250 | EUR | 2026/11/0041 | Kontofuehrung November
ADJ-0002 | NORD-EUR-PAY | bank_charges | -890 | EUR | 2026/11/0042 | Entgelt Auslandszahlung
ADJ-0003 | NORD-EUR-PAY | bank_charges | -890 | EUR | 2026/11/0043 | Entgelt Auslandszahlung
ADJ-0004 | NORD-USD | interest | 11842 | USD | 2026/11/0044 | CREDIT INTEREST NOV
ADJ-0005 | NORD-EUR-MAIN | rounding | -1 | EUR | 2026/11/0045 | FX rounding, invoice CT-5530
"""

# name | format | state | note
FILES = """
hansebank/out/C53_20261120_224.xml | camt.053.001.08 | recorded |
alpenbank/out/stmt-221.xml | camt.053.001.02 | recorded |
rheinbank/out/UMS_223.sta | MT940 | recorded |
rheinbank/out/UMS_223_kopie.sta | MT940 | duplicate | Same bytes as UMS_223.sta
harbortrust/out/940-219.txt | MT940 | recorded |
elbebank/out/EB231.sta | MT940 | staged | Sequence 231 follows 229: 230 is missing
hansebank/out/C53_20261120_224_2.xml | camt.053.001.08 | quarantined \
    | Line 412: the file ends inside <Ntry>; ask the bank to send it again
"""


def _table(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


def _sections(code: str) -> tuple[BrsSection, ...]:
    """The sections of an account in the order they are printed."""
    rows = [row[1:] for row in _table(LINES) if row[0] == code]
    return tuple(
        section(
            kind,
            [
                BrsLine(ref, date(2026, 11, int(day)), narrative, int(minor), note)
                for of, ref, day, narrative, minor, note in rows
                if of == kind
            ],
        )
        for kind in SECTION_KINDS
        if any(row[0] == kind for row in rows)
    )


def _accounts() -> tuple[AccountTieOut, ...]:
    return (
        account(
            bank_minor=148_273_041,
            books_minor=146_128_751,
            sections=_sections("NORD-EUR-MAIN"),
            entries=(18, 19),
            value=(41_883_120, 41_893_620),
            items=(16, 18),
            rungs=(
                RungRate("payment_reference", 11, 30_211_870, 11, Precision(2_140, 0, 60, 0)),
                RungRate("batch_details", 5, 11_640_000, 4, Precision(311, 0, 20, 0)),
                RungRate("own_posting", 2, 31_250, 0),
                RungRate("reference_with_charges", 0, 0, 1, Precision(86, 1, 19, 1)),
            ),
        ),
        account(
            *("NORD-EUR-COLL", "Alpenbank"),
            bank_minor=62_410_955,
            books_minor=60_125_955,
            sections=_sections("NORD-EUR-COLL"),
            entries=(11, 15),
            value=(9_874_000, 12_889_000),
            items=(10, 12),
            rungs=(
                RungRate("reference", 9, 8_100_000, 9, Precision(1_977, 2, 40, 0)),
                RungRate("amount_and_party", 1, 1_274_000, 1, Precision(402, 0, 0, 0)),
                RungRate("manual", 1, 500_000, 1),
            ),
            sequence_no="221",
            iban="AT319992000007713350",
            name="Collections",
        ),
        account(
            *("NORD-EUR-PAY", "Rheinbank"),
            bank_minor=20_417_366,
            books_minor=20_417_366,
            entries=(9, 9),
            value=(3_318_240, 3_318_240),
            sequence_no="223",
            iban="DE58999300010008830911",
            name="Payments",
        ),
        account(
            *("NORD-USD", "Harbor Trust", "USD"),
            bank_minor=38_112_400,
            books_minor=38_614_900,
            sections=_sections("NORD-USD"),
            entries=(6, 6),
            value=(12_250_000, 12_250_000),
            sequence_no="219",
            iban="7700418823",
            name="US dollar account",
        ),
        account(
            *("NORD-EUR-SAVE", "Elbebank"),
            bank_minor=75_041_250,
            books_minor=72_500_000,
            sections=_sections("NORD-EUR-SAVE"),
            entries=(0, 1),
            value=(0, 41_250),
            sequence_no="231",
            remark="Statement 230 is missing between 229 and 231. Ask Elbebank for it.",
            iban="DE63999500010002210077",
            name="Savings",
        ),
    )


def _exceptions() -> tuple[ExceptionRow, ...]:
    due = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
    return tuple(
        ExceptionRow(
            *(id_, code, reason_code, reason, int(minor), currency, DAY, party, narrative),
            age_days=int(age),
            owner=owner,
            due_at=due if owner else None,
        )
        for id_, code, reason_code, reason, minor, currency, party, narrative, age, owner in _table(
            EXCEPTIONS
        )
    )


def _postings() -> tuple[PostingRow, ...]:
    return tuple(
        PostingRow(
            *(id_, code, kind, int(minor), currency, number),
            external_ref=f"TO{id_[-4:]}9F3A",
            narrative=narrative,
            approved_by="policy fees@1",
        )
        for id_, code, kind, minor, currency, number, narrative in _table(POSTINGS)
    )


def example() -> DayReport:
    """The day: five accounts, one of them with a statement missing."""
    proposal = ProposalRow(
        *("ADJ-0012", "NORD-EUR-COLL", "receipt", 1_190_000, "EUR", DAY),
        narrative="Lindqvist Verktyg AB, invoice 2026-4410",
        reason="Receipts need a second pair of eyes",
        proposed_by="policy receipts@1",
    )
    return DayReport(
        company_name="Nordlicht Maschinenbau GmbH",
        company="NORD",
        day=DAY,
        generated_at=datetime(2026, 11, 21, 5, 30, tzinfo=UTC),
        run_id="run-20261121-0530-7c1e",
        accounts=_accounts(),
        exceptions=_exceptions(),
        postings=_postings(),
        proposals=(proposal,),
        files=tuple(FileRow(*row) for row in _table(FILES)),
        links={
            "Airflow": "http://127.0.0.1:8080/dags/close_report",
            "Data Docs": "http://127.0.0.1:8080/docs",
        },
        ladder="default@4",
        policies=("fees@1", "interest@1", "rounding@2", "receipts@1"),
    )


def empty() -> DayReport:
    """A day without accounts, entries or files."""
    return replace(
        example(),
        accounts=(),
        exceptions=(),
        postings=(),
        proposals=(),
        files=(),
        links={},
        policies=(),
    )


def main(folder: str) -> int:
    """Write every output into ``folder``; print the terminal summary."""
    from tieout.reports.files import write
    from tieout.reports.text import show

    report = example()
    for kind, path in write(report, Path(folder)).items():
        print(f"{kind:5} {path}")
    show(report)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
