"""The seeded world: one business day of a company, its books, its banks' files and the truth.

Run ``python -m sandbox.world --out DIR [--seed N]`` to look at it: the drop tree, the statement
the reserve account lacks (under ``later/``), and ``truth.json``.

The company is Nordlicht Maschinenbau GmbH (code ``NORD``, EUR), the day Friday 2026-11-20, the
cutover the close of the day before. The same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Final

from sandbox.day import BUSINESS_DAY, CUTOVER, Day, usd_to_eur
from sandbox.expenses import make_reports
from sandbox.model import (
    BankAccount,
    BankDetail,
    BankEntry,
    BookDocument,
    Dialect,
    DropFile,
    ExpenseReport,
    Party,
    Statement,
    Truth,
    TruthGroup,
    World,
)
from sandbox.parties import COMPANY, make_iban, make_parties
from sandbox.render_camt053 import render_camt053
from sandbox.render_mt940 import render_mt940
from sandbox.render_sae import render_sae
from sandbox.stories import open_invoices
from sandbox.stories_eur import (
    tell_collections,
    tell_main,
    tell_missing,
    tell_payments,
    tell_reserve,
)
from sandbox.story_usd import tell_usd
from tieout.money import format_amount

__all__ = [
    "BankAccount",
    "BankDetail",
    "BankEntry",
    "BookDocument",
    "DropFile",
    "ExpenseReport",
    "Party",
    "Statement",
    "Truth",
    "TruthGroup",
    "World",
    "build",
    "main",
    "make_accounts",
    "missing_statement",
    "write",
]

_EXTRACT_BATCH: Final = 117

# Code, name, bank, account, BIC, currency, GL account, dialect, opening in minor units, sequence.
_Row = tuple[str, str, str, str, str, str, str, Dialect, int, int]
_ACCOUNTS: Final[tuple[_Row, ...]] = (
    (
        "NORD-EUR-MAIN",
        "Hauptkonto",
        "Hansebank",
        make_iban("DE", "901100400004718200"),
        "HNSBDEH0XXX",
        "EUR",
        "1810",
        "camt.053.001.08",
        128_431_055,
        221,
    ),
    (
        "NORD-EUR-COLL",
        "Inkassokonto",
        "Alpenbank",
        make_iban("AT", "9911000025730164"),
        "ALPBATW0XXX",
        "EUR",
        "1820",
        "camt.053.001.02",
        31_250_640,
        221,
    ),
    (
        "NORD-EUR-PAY",
        "Zahlungskonto",
        "Rheinbank",
        make_iban("DE", "937050000031190407"),
        "RHNBDEK0XXX",
        "EUR",
        "1830",
        "mt940-structured",
        21_903_317,
        220,
    ),
    (
        "NORD-USD",
        "USD-Konto",
        "Harbor Trust",
        "4400817263",
        "HBTRUS30XXX",
        "USD",
        "1840",
        "mt940-free",
        18_456_090,
        218,
    ),
    (
        "NORD-EUR-SAVE",
        "Rücklagenkonto",
        "Elbebank",
        make_iban("DE", "920700700088160023"),
        "ELBBDEH0XXX",
        "EUR",
        "1850",
        "mt940-structured",
        64_017_825,
        210,
    ),
)


def make_accounts() -> tuple[BankAccount, ...]:
    """The company's five accounts at cutover; the same in every world."""
    return tuple(
        BankAccount(*row, usd_to_eur(row[8]) if row[5] == "USD" else row[8]) for row in _ACCOUNTS
    )


def build(seed: int = 7) -> World:
    """Build the day; ints only, and no randomness but the seed's."""
    rng = Random(seed)
    parties = make_parties(rng)
    day = Day(parties, rng)
    reports = make_reports(day)
    tell_main(day)
    tell_collections(day)
    tell_payments(day, reports)
    tell_usd(day)
    tell_reserve(day)
    tell_missing(day)
    open_invoices(day, 3, 2)
    accounts = make_accounts()
    missing = _missing(accounts[-1], day)
    statements = tuple(_statement(account, day, missing) for account in accounts)
    return World(
        seed=seed,
        business_day=BUSINESS_DAY,
        cutover_on=CUTOVER,
        company_name=COMPANY,
        parties=parties,
        accounts=accounts,
        documents=tuple(day.documents),
        files=_files(statements, reports),
        truth=Truth(day.truth()),
        statements=statements,
        missing=missing,
        expenses=reports,
    )


def missing_statement(world: World) -> DropFile:
    """The statement the reserve account's bank has not delivered: deliver it and it ties."""
    return DropFile(_path(world.missing), _render(world.missing))


def _missing(account: BankAccount, day: Day) -> Statement:
    entries = tuple(replace(e, account_code=account.code) for e in day.entries_of("missing"))
    return Statement(
        account=account,
        owner=COMPANY,
        sequence_no=account.sequence_no + 1,
        previous_on=CUTOVER,
        on=BUSINESS_DAY,
        opening_minor=account.opening_minor,
        entries=entries,
    )


def _statement(account: BankAccount, day: Day, missing: Statement) -> Statement:
    """The day's statement; the account with the gap goes on from the missing one."""
    entries = day.entries_of(account.code)
    if account.code != missing.account.code:
        opening, number, before = account.opening_minor, account.sequence_no + 1, CUTOVER
    else:
        opening, number, before = missing.closing_minor, missing.sequence_no + 1, missing.on
    return Statement(account, COMPANY, number, before, BUSINESS_DAY, opening, entries)


def _files(
    statements: tuple[Statement, ...], reports: tuple[ExpenseReport, ...]
) -> tuple[DropFile, ...]:
    """All files of the day, ordered by path: also a copy, a truncated copy and the extract."""
    files = [DropFile(_path(statement), _render(statement)) for statement in statements]
    main_file, collections = files[0], files[1]
    files.append(DropFile(main_file.path.replace(".xml", "_copy.xml"), main_file.content))
    middle = collections.content.index(b"<BkTxCd>", len(collections.content) // 2)
    files.append(
        DropFile(collections.path.replace(".xml", "_resend.xml"), collections.content[:middle])
    )
    extract = render_sae(reports, BUSINESS_DAY, _EXTRACT_BATCH)
    files.append(DropFile(f"expense/out/extract_CES_SAE_v3_{BUSINESS_DAY:%Y%m%d}.txt", extract))
    return tuple(sorted(files, key=lambda file: file.path))


def _path(statement: Statement) -> str:
    bank = statement.account.bank.lower().replace(" ", "")
    day = f"{statement.on:%Y%m%d}"
    if statement.account.dialect.startswith("camt"):
        return f"banks/{bank}/out/camt053_{day}_001.xml"
    return f"banks/{bank}/out/mt940_{day}_{statement.sequence_no:05d}.sta"


def _render(statement: Statement) -> bytes:
    dialect = statement.account.dialect
    if dialect.startswith("camt"):
        return render_camt053(statement)
    if dialect == "mt940-free":
        return render_mt940(statement, blocks=True)
    elbe = statement.account.bank == "Elbebank"
    return render_mt940(statement, encoding="cp1252" if elbe else "ascii")


def write(world: World, folder: Path) -> None:
    """Write the drop tree, ``later/`` (the missing statement) and ``truth.json`` to a folder."""
    later = missing_statement(world)
    files = [*world.files, DropFile(f"later/{later.path}", later.content)]
    truth = json.dumps(asdict(world.truth)["groups"], ensure_ascii=False, indent=1)
    files.append(DropFile("truth.json", truth.encode() + b"\n"))
    for file in files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a world for people to look at; prints what it made."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.world", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another day (7)")
    options = parser.parse_args(arguments)
    world = build(options.seed)
    write(world, options.out)
    for statement in world.statements:
        account = statement.account
        closing = format_amount(statement.closing_minor, account.currency)
        count = len(statement.entries)
        print(f"{account.code:14} {count:3} entries  closing {closing:>14} {account.currency}")
    print(f"{len(world.files)} files, {len(world.documents)} documents in {options.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
