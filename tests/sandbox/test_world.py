"""The seeded world: its arithmetic, its truth and its files, for the demo's seed and others."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

from parsers import concur_sae, read_file
from sandbox.day import DISTANCE, usd_to_eur
from sandbox.model import Statement, World
from sandbox.parties import creditor_reference, make_iban
from sandbox.world import build, main, missing_statement
from tieout.errors import InputError
from tieout.profiles import mappings_dir

SEEDS = range(1, 21)
XSD = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "xsd"
#: Outcomes whose entries the cash book knows; the entries of all others are news to it.
BOOKED = ("matched", "rounding")


@cache
def world_of(seed: int) -> World:
    return build(seed)


def iban_is_valid(iban: str) -> bool:
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1


def cash_of(world: World, account: str) -> dict[str, int]:
    return {
        d.document_no: d.amount_minor
        for d in world.documents
        if d.kind == "cash_book" and d.account_code == account
    }


def statement_of(world: World, account: str) -> Statement:
    return next(s for s in world.statements if s.account.code == account)


def test_same_seed_gives_the_same_world() -> None:
    assert build(7) == build(7)
    assert [f.content for f in build(7).files] == [f.content for f in build(7).files]


def test_other_seed_gives_other_amounts() -> None:
    first, second = world_of(1), world_of(2)
    assert {f.content for f in first.files}.isdisjoint(f.content for f in second.files)


@pytest.mark.parametrize("seed", SEEDS)
def test_books_and_bank_tie(seed: int) -> None:
    """Closing = books - in transit + entries unknown to the books + residuals (+ the gap)."""
    world = world_of(seed)
    for account in world.accounts:
        cash, statement = cash_of(world, account.code), statement_of(world, account.code)
        amounts = {e.key: e.amount_minor for e in statement.entries}
        books = account.opening_minor + sum(cash.values())
        in_transit = unbooked = residuals = 0
        for group in (g for g in world.truth.groups if g.account_code == account.code):
            entries = sum(amounts[key] for key in group.entries)
            lines = sum(cash.get(number, 0) for number in group.document_nos)
            residuals += group.residual_minor
            if group.outcome in ("in_transit", "ambiguous"):
                in_transit += lines
            if lines and group.outcome != "ambiguous" and group.entries:
                assert entries == lines + group.residual_minor, group
            else:
                unbooked += entries
        explained = books - in_transit + unbooked + residuals
        gap = sum(e.amount_minor for e in world.missing.entries)
        assert statement.closing_minor - explained == (
            gap if account.code == "NORD-EUR-SAVE" else 0
        )
        assert statement.closing_minor > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_truth_covers_everything_once(seed: int) -> None:
    world = world_of(seed)
    entries = Counter(key for group in world.truth.groups for key in group.entries)
    told = [entry.key for statement in world.statements for entry in statement.entries]
    assert entries == Counter(told) and len(set(told)) == len(told)
    numbers = Counter(no for group in world.truth.groups for no in group.document_nos)
    known = [d.document_no for d in world.documents] + [r.report_key for r in world.expenses]
    assert numbers == Counter(known) and len(set(known)) == len(known)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_required_story_is_told(seed: int) -> None:
    world = world_of(seed)
    outcomes = Counter(group.outcome for group in world.truth.groups)
    assert {o: n for o, n in outcomes.items() if o not in ("matched", "open", "in_transit")} == {
        "charge": 10,
        "interest": 3,
        "rounding": 1,
        "receipt": 1,
        "expense": 4,
        "returned": 1,
        "unknown": 1,
        "ambiguous": 1,
    }
    for statement in world.statements:
        assert 12 <= len(statement.entries) <= 40
    assert max(world.statements, key=lambda s: len(s.entries)).account.code == "NORD-EUR-MAIN"


@pytest.mark.parametrize("seed", SEEDS)
def test_amounts_are_unique_but_where_they_are_meant_to_collide(seed: int) -> None:
    world = world_of(seed)
    for statement in world.statements:
        seen = Counter(entry.amount_minor for entry in statement.entries)
        twice = {amount for amount, count in seen.items() if count > 1}
        by_key = {entry.key: entry.amount_minor for entry in statement.entries}
        meant = {
            by_key[group.entries[0]]
            for group in world.truth.groups
            if group.account_code == statement.account.code
            and (group.kind == "paid_twice" or by_key.get(next(iter(group.entries), "")) == -490)
        }
        assert twice == meant
    invoices = sorted(d.amount_minor for d in world.documents if d.kind != "cash_book")
    usd = {d.amount_minor for d in world.documents if d.currency == "USD"}
    gaps = [b - a for a, b in pairwise(invoices) if not {a, b} & usd]
    assert min(gaps) >= DISTANCE


@pytest.mark.parametrize("seed", SEEDS)
def test_cash_lines_settle_invoices_of_the_same_amount_and_party(seed: int) -> None:
    world = world_of(seed)
    invoices = {d.document_no: d for d in world.documents if d.kind != "cash_book"}
    settled = [d for d in world.documents if d.settles]
    assert len({d.settles for d in settled}) == len(settled) > 70
    for line in settled:
        invoice = invoices[line.settles]
        assert (line.party, abs(line.company_amount_minor)) == (
            invoice.party,
            invoice.company_amount_minor,
        )
        assert (line.amount_minor > 0) == (invoice.kind == "customer_invoice")
        assert invoice.booked_on <= world.cutover_on < line.booked_on == world.business_day
    names = {party.name for party in world.parties}
    assert {d.party for d in world.documents} <= names and len(names) == len(world.parties)


@pytest.mark.parametrize("seed", SEEDS)
def test_check_digits_are_valid(seed: int) -> None:
    world = world_of(seed)
    ibans = [p.iban for p in world.parties if p.iban]
    ibans += [a.iban_or_number for a in world.accounts if a.currency == "EUR"]
    entries = [entry for statement in world.statements for entry in statement.entries]
    ibans += [d.party_account for e in entries for d in e.details if d.party_account]
    assert all(iban_is_valid(iban) for iban in ibans)
    references = [d.reference for e in entries for d in e.details if d.reference]
    assert len(references) == 10 and all(iban_is_valid(r) for r in references)


def test_known_check_digits() -> None:
    # The example of ISO 13616 for Germany and the one of ISO 11649.
    assert make_iban("DE", "370400440532013000") == "DE89370400440532013000"
    assert creditor_reference("539007547034") == "RF18539007547034"


def test_conversion_rounds_half_up_both_ways() -> None:
    assert [usd_to_eur(m) for m in (10850, 1, -10850, 814_000, -814_000)] == [
        10000,
        1,
        -10000,
        750_230,
        -750_230,
    ]


def test_two_fees_are_identical_in_the_file() -> None:
    content = next(f.content for f in world_of(7).files if "rheinbank" in f.path).decode()
    body = content.replace("\r\n", "\n").split(":62F:")[0]
    blocks = Counter(body.split(":61:")[1:])
    assert [count for count in blocks.values() if count > 1] == [2]
    assert "NCHGNONREF\n" in next(b for b, count in blocks.items() if count == 2)


def test_gap_copy_and_truncated_file() -> None:
    world = world_of(7)
    files = {f.path: f.content for f in world.files}
    assert list(files) == sorted(files) and len(files) == 8
    original = files["banks/hansebank/out/camt053_20261120_001.xml"]
    assert files["banks/hansebank/out/camt053_20261120_001_copy.xml"] == original
    whole = files["banks/alpenbank/out/camt053_20261120_001.xml"]
    cut = files["banks/alpenbank/out/camt053_20261120_001_resend.xml"]
    assert whole.startswith(cut) and cut.count(b"<Ntry>") == cut.count(b"</Ntry>") + 1
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(cut)
    saved, missing = statement_of(world, "NORD-EUR-SAVE"), world.missing
    assert saved.sequence_no == saved.account.sequence_no + 2
    assert saved.opening_minor != saved.account.opening_minor == missing.opening_minor
    assert saved.opening_minor == missing.closing_minor
    late = missing_statement(world)
    assert late.path not in files and b":28C:00211/001" in late.content


def test_mt940_lines_obey_the_standard() -> None:
    for file in (f for f in world_of(7).files if f.path.endswith(".sta")):
        text = file.content.decode("cp1252")
        assert text.count("\n") == text.count("\r\n") and text.endswith("\r\n")
        for line in text.split("\r\n"):
            assert line == line.strip() and (len(line) <= 65 or line.startswith("{1:"))
        assert (("{1:F01" in text) and ("-}" in text)) == ("harbortrust" in file.path)
        assert text.isascii() == ("elbebank" not in file.path)


def test_some_usd_references_break_over_lines() -> None:
    file = next(f for f in world_of(7).files if "harbortrust" in f.path)
    whole = file.content.replace(b"\r\n", b"")
    numbers = [d.document_no for d in world_of(7).documents if d.document_no.startswith("RE-")]
    broken = [n for n in numbers if n.encode() in whole and n.encode() not in file.content]
    assert len(broken) >= 2


def test_camt_files_are_valid_against_their_schema() -> None:
    if not XSD.is_dir():
        pytest.skip(f"no schemas in {XSD}")
    for seed in (7, 8):
        for statement, file in (
            (s, f)
            for s in world_of(seed).statements
            for f in world_of(seed).files
            if s.account.dialect.startswith("camt")
            and f"/{s.account.bank.lower()}/" in f.path
            and f.path.endswith("_001.xml")
        ):
            schema = etree.XMLSchema(etree.parse(str(XSD / f"{statement.account.dialect}.xsd")))
            schema.assertValid(etree.fromstring(file.content))


@pytest.mark.parametrize("seed", [7, 11])
def test_expense_extract_counts_and_sums(seed: int) -> None:
    world = world_of(seed)
    content = next(f.content for f in world.files if f.path.startswith("expense/")).decode()
    header, *details = [line.split("|") for line in content.splitlines()]
    cents = [int(d[168].replace(".", "")) for d in details]
    assert header[0] == "EXTRACT" and header[1] == "2026-11-20" and header[2] == str(len(details))
    assert int(header[3].replace(".", "")) == sum(cents)
    assert {len(d) for d in details} == {400}
    assert [d[3] for d in details] == [str(n) for n in range(1, len(details) + 1)]
    assert {d[125] for d in details} == {"CASH", "CBCP"} and any(c < 0 for c in cents)
    owed: Counter[str] = Counter()
    for detail, amount in zip(details, cents, strict=True):
        if detail[164] == "Employee":
            owed[detail[19]] += amount
        assert detail[167] == ("DR" if amount >= 0 else "CR")
    assert owed == {r.report_key: r.reimbursable_minor for r in world.expenses}
    paid = {
        e.details[0].end_to_end_id: -e.amount_minor
        for e in statement_of(world, "NORD-EUR-PAY").entries
        if e.details[0].end_to_end_id in owed
    }
    assert paid == owed


def test_account_mappings_equal_the_world() -> None:
    for account in world_of(7).accounts:
        path = mappings_dir() / "accounts" / f"{account.code.lower()}.toml"
        text = path.read_text(encoding="utf-8")
        found = tomllib.loads(text)
        assert len(text.splitlines()) <= 30
        assert found["code"] == account.code and found["name"] == account.name
        assert found.get("iban", found.get("number")) == account.iban_or_number
        assert (found["bic"], found["currency"]) == (account.bic, account.currency)
        assert found["gl_account"] == account.gl_account and found["company"] == "NORD"
        cutover = found["cutover"]
        assert cutover["on"] == world_of(7).cutover_on
        assert int(cutover["balance"].replace(".", "")) == account.opening_minor
        assert cutover["sequence_no"] == account.sequence_no


def test_files_read_back_as_told(tmp_path: Path) -> None:
    world = world_of(7)
    late = missing_statement(world)
    wanted = [*world.statements, world.missing]
    for file in [*world.files, late]:
        if file.path.startswith("expense/") or "_resend" in file.path or "_copy" in file.path:
            continue
        path = tmp_path / Path(file.path).name
        path.write_bytes(file.content)
        tables = read_file(path).tables
        account = tables.statements.to_pylist()[0]["account_id"]
        number = tables.statements.to_pylist()[0]["sequence_no"]
        statement = next(
            s for s in wanted if s.account.iban_or_number == account and s.sequence_no == number
        )
        read = [int(e["amount"].scaleb(2)) for e in tables.entries.to_pylist()]
        assert read == [e.amount_minor for e in statement.entries]
        wanted.remove(statement)
    assert not wanted


def test_truncated_copy_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    path.write_bytes(next(f.content for f in world_of(7).files if "_resend" in f.path))
    with pytest.raises(InputError, match="XML_TRUNCATED"):
        read_file(path)


def test_extract_reads_back_as_told(tmp_path: Path) -> None:
    world = world_of(7)
    path = tmp_path / "extract.txt"
    path.write_bytes(next(f.content for f in world.files if f.path.startswith("expense/")))
    extract = concur_sae.read(path)
    assert extract.findings == ()
    found = {r.report_key: int(r.amount.scaleb(2)) for r in concur_sae.reimbursements(extract)}
    assert found == {r.report_key: r.reimbursable_minor for r in world.expenses}


def test_command_writes_the_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path), "--seed", "9"]) == 0
    for file in build(9).files:
        assert (tmp_path / file.path).read_bytes() == file.content
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert len(truth) == len(build(9).truth.groups)
    assert "NORD-EUR-MAIN" in capsys.readouterr().out
