"""CODA: what each record says, and what damage does to it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.parsers.columns import coda, coda_file, placed
from tests.parsers.reading import codes, entries, read, refusal

_NOTE = placed(128, {1: "4 00010001", 33: "NEW RATES FROM JANUARY", 128: "0"})


def test_an_entry_with_everything(tmp_path: Path) -> None:
    content = coda_file(
        coda("21", 1, 0, 2_500, text="INVOICE 2026/0417 FROM OUR ORDER OF OCTOBER, PART ONE OF",
             next="1"),
        coda("22", 1, 0, text="   THREE", ref="E2E-7", bic="GEBABEBB", next="1"),
        coda("23", 1, 0, account="BE54805480215856", name="BAKKER PIET", text="THANKS"),
        _NOTE, closing=12_500,
    )  # fmt: skip
    parsed = read(tmp_path, content)
    assert codes(parsed) == []
    statement = parsed.tables.statements.to_pylist()[0]
    assert statement["format"] == parsed.format == "CODA"
    assert statement["account_id"] == "BE68539007547034"
    assert statement["account_scheme"] == "IBAN"
    assert (statement["sequence_no"], statement["servicer_bic"]) == (7, "KREDBEBB")
    assert statement["narrative"] == "NEW RATES FROM JANUARY"
    balances = [(b["code"], b["amount"]) for b in parsed.tables.balances.to_pylist()]
    assert balances == [("OPBD", Decimal(100)), ("CLBD", Decimal(125))]
    (entry,) = entries(parsed)
    assert (entry["amount"], entry["bank_ref"]) == (Decimal(25), "BANKREF00010000")
    assert str(entry["booked_on"]) == "2026-11-20"
    assert (entry["d_end_to_end_id"], entry["d_counterparty_bic"]) == ("E2E-7", "GEBABEBB")
    assert entry["d_counterparty_account"] == "BE54805480215856"
    assert entry["d_counterparty_name"] == "BAKKER PIET"
    assert (
        entry["d_narrative"] == "INVOICE 2026/0417 FROM OUR ORDER OF OCTOBER, PART ONE THREE THANKS"
    )


def test_a_total_and_its_details_are_one_entry(tmp_path: Path) -> None:
    content = coda_file(
        coda("21", 1, 0, 100_000, code="10550000", next="1"),
        coda("22", 1, 0, ref="RUN-0605"),
        coda("21", 1, 1, 25_000, code="50550000", next="1"),
        coda("22", 1, 1, ref="E2E-1", next="1"),
        coda("23", 1, 1, account="BE54805480215856", name="CLIENT ONE", link="1"),
        coda("31", 1, 2, form="1", text="001CLIENT ONE", next="1"),
        coda("32", 1, 2, text="BROAD ROAD 32"),
        coda("21", 1, 3, 75_000, code="50550000"),
        closing=110_000,
    )  # fmt: skip
    parsed = read(tmp_path, content)
    assert codes(parsed) == []
    (entry,) = parsed.tables.entries.to_pylist()
    assert (entry["amount"], entry["detail_count"]) == (Decimal(1000), 2)
    assert entry["entry_ref"] == "RUN-0605"
    details = parsed.tables.details.to_pylist()
    assert [d["amount"] for d in details] == [Decimal(250), Decimal(750)]
    assert [d["payment_info_id"] for d in details] == ["RUN-0605", "RUN-0605"]
    assert details[0]["end_to_end_id"] == "E2E-1"
    assert details[0]["narrative"] == "BROAD ROAD 32"


def test_a_total_without_its_details_is_one_entry(tmp_path: Path) -> None:
    total = [coda("21", 1, 0, 100, code="10550000", next="1"), coda("22", 1, 0, ref="RUN-1")]
    (entry,) = entries(read(tmp_path, coda_file(*total, closing=10_100)))
    assert (entry["amount"], entry["d_payment_info_id"]) == (Decimal(1), "RUN-1")


TOTALS = """
# kind of the total, kinds of what follows with number and detail -> entries, details, findings
1 | 5:1:1 5:1:2 | 1 2 -
1 | 5:2:0 5:3:0 | 1 2 -
2 | 6:1:1 7:1:2 | 1 2 -
3 | 8:1:1 8:1:2 | 1 2 -
2 | 7:1:1 9:1:2 9:1:3 | 1 1 DETAIL_SUM_MISMATCH
0 | 0:2:0 0:3:0 | 3 3 -
1 | 0:2:0 | 2 2 -
"""


@pytest.mark.parametrize("line", [t for t in TOTALS.strip().splitlines() if t[0] != "#"])
def test_kinds_of_totals(tmp_path: Path, line: str) -> None:
    kind, parts, wanted = (part.strip() for part in line.split("|"))
    records, moved = [coda("21", 1, 0, 1_000, code=f"{kind}0150000")], 1_000
    for part in parts.split():
        own, number, detail = part.split(":")
        records.append(coda("21", int(number), int(detail), 500, code=f"{own}0150000"))
        moved += 500 if own == "0" else 0
    content = coda_file(*records, closing=10_000 + moved)
    parsed = read(tmp_path, content)
    counts = (parsed.tables.entries.num_rows, parsed.tables.details.num_rows)
    # The samples' own totals count every movement with detail number 0000.
    found = [c for c in codes(parsed) if c != "TOTAL_MISMATCH"]
    assert f"{counts[0]} {counts[1]} {' '.join(found) or '-'}" == wanted


def test_all_information_records_of_a_movement(tmp_path: Path) -> None:
    first = "EUROPESE OVERSCHRIJVING VAN ACME NV, GROTE WEG 32, 3215 HASSELT, IBAN BE5"
    content = coda_file(
        coda("21", 1, 0, 0, link="1"),
        coda("31", 1, 1, text=first, link="1"),
        coda("31", 1, 2, text="4805480215856", next="1"),
        coda("32", 1, 2, text="SECOND", next="1"),
        coda("33", 1, 2, text="THIRD"),
    )
    parsed = read(tmp_path, content)
    assert codes(parsed) == []
    (entry,) = entries(parsed)
    # A record filled to its last column goes on in the next.
    assert entry["d_narrative"] == f"{first}4805480215856\nSECOND\nTHIRD"


COMMUNICATIONS = """
101112455446803      | 112455446803 BBA -
102112455446803      | 112455446803 BBA -
101000000009797      | 000000009797 BBA -
101000000009700      | 000000009700 BBA REFERENCE_CHECK
101112455446812      | 112455446812 BBA REFERENCE_CHECK
101                  | None None REFERENCE_CHECK
100RF18539007547034  | RF18539007547034 SCOR -
100RF19539007547034  | RF19539007547034 SCOR REFERENCE_CHECK
113979000920         | None None -
"""


@pytest.mark.parametrize("line", COMMUNICATIONS.strip().splitlines())
def test_structured_communication(tmp_path: Path, line: str) -> None:
    coded, _, wanted = (part.strip() for part in line.partition("|"))
    parsed = read(tmp_path, coda_file(coda("21", 1, 0, 100, coded=coded), closing=10_100))
    (entry,) = entries(parsed)
    found = f"{entry['d_reference']} {entry['d_reference_type']} {' '.join(codes(parsed)) or '-'}"
    assert found == wanted
    if "None" in wanted:
        kept = coded[3:] if "CHECK" in wanted else coded
        assert (entry["d_narrative"] or "") == kept


def test_original_amount_cheque_and_direct_debit(tmp_path: Path) -> None:
    foreign = f"105{9_250:015}{10_000:015}000110810810USD{'0' * 12}"
    debit = "127201126120" + "BE25ZZZ548413215".ljust(35) + "MANDATE-0000012345678"
    content = coda_file(
        coda("21", 1, 0, -925, coded=foreign, next="1"),
        coda("22", 1, 0, text=foreign[53:]),
        coda("21", 2, 0, -100, coded="103000000123456", code="00301000"),
        coda("21", 3, 0, -100, coded=debit, next="1"),
        coda("22", 3, 0, text=debit[53:].ljust(29) + "FEE NOVEMBER", next="1"),
        coda("23", 3, 0, text=" " * 38 + "2MD06"),
        closing=8_875,
    )
    parsed = read(tmp_path, content)
    assert codes(parsed) == []
    first, second, third = entries(parsed)
    assert (first["d_original_amount"], first["d_original_currency"]) == (Decimal(-10), "USD")
    assert first["d_fx_rate"] == Decimal("1.1081081000")
    assert second["d_cheque_no"] == "000000123456"
    assert third["d_mandate_id"] == "MANDATE-0000012345678"
    assert third["d_return_reason"] == "MD06"
    assert third["d_narrative"] == "FEE NOVEMBER\nBE25ZZZ548413215"


ACCOUNTS = """
0 | 539007547034           | 539007547034 other
1 | NL12345678             | NL12345678 other
1 | 123456789              | 123456789 other
2 | BE68539007547034       | BE68539007547034 IBAN
3 | NL91ABNA0417164300     | NL91ABNA0417164300 IBAN
  | BE68539007547034       | BE68539007547034 IBAN
"""


@pytest.mark.parametrize("line", ACCOUNTS.strip("\n").splitlines())
def test_account_structures(tmp_path: Path, line: str) -> None:
    structure, account, wanted = line.split("|")
    content = coda_file(structure=structure.strip() or " ", account=account.strip())
    parsed = read(tmp_path, content)
    row = parsed.tables.statements.to_pylist()[0]
    assert f"{row['account_id']} {row['account_scheme']}" == wanted.strip()
    assert (row["currency"], codes(parsed)) == ("EUR", [])


def test_statements_of_several_accounts_and_currencies(tmp_path: Path) -> None:
    euro = coda_file(coda("21", 1, 0, 100), closing=10_100, last="1")
    dollar = coda_file(coda("21", 1, 0, -100), closing=9_900, currency="USD", number="003")
    parsed = read(tmp_path, euro + dollar)
    assert codes(parsed) == []
    rows = parsed.tables.statements.to_pylist()
    assert [(r["currency"], r["sequence_no"]) for r in rows] == [("EUR", 7), ("USD", 3)]
    assert [e["currency"] for e in parsed.tables.entries.to_pylist()] == ["EUR", "USD"]
    assert codes(read(tmp_path, euro)) == ["FILE_CONTINUES"]


def test_two_statements_in_one_envelope(tmp_path: Path) -> None:
    first = coda_file(coda("21", 1, 0, 100), closing=10_100).splitlines()
    second = coda_file(coda("21", 1, 0, 50), opening=500, closing=550, currency="USD").splitlines()
    end = first[-1][:16] + "000006" + f"{0:015}{1500:015}" + first[-1][52:]
    parsed = read(tmp_path, "\n".join([*first[:-1], *second[1:-1], end]))
    assert codes(parsed) == []
    assert parsed.tables.statements["currency"].to_pylist() == ["EUR", "USD"]


_ENTRY = coda("21", 1, 0, 100, text="RENT")
_NEXT = coda("21", 2, 0, 100, text="FEE")
DAMAGE = {
    # name: what stands between the balances, closing, findings, is the statement incomplete
    "a gap that ties": ([_ENTRY, coda("21", 3, 0, 100)], 10_200, ["STATEMENT_DOUBTFUL"], False),
    "a gap": ([_ENTRY, coda("21", 3, 0, 100)], 10_300,
              ["STATEMENT_DOUBTFUL", "BALANCE_MISMATCH"], True),
    "no amount": ([_ENTRY[:32] + "0000000X0000100" + _ENTRY[47:], _NEXT], 10_200,
                  ["ENTRY_UNREADABLE", "BALANCE_MISMATCH"], True),
    "no mark": ([_ENTRY[:31] + "7" + _ENTRY[32:], _NEXT], 10_200,
                ["ENTRY_UNREADABLE", "BALANCE_MISMATCH"], True),
    "no such day": ([coda("21", 1, 0, 100, valued="310226")], 10_100, ["DATE_MALFORMED"], False),
    "no entry date": ([coda("21", 1, 0, 100, booked="000000")], 10_100, ["DATE_MISSING"], False),
    "a detail alone": ([coda("21", 1, 1, 100)], 10_000, ["RECORD_ORPHAN"], True),
    "text alone": ([coda("22", 1, 0, text="X")], 10_000, ["RECORD_ORPHAN"], True),
    "another's text": ([_ENTRY, coda("22", 9, 0, text="X")], 10_100, ["RECORD_ORPHAN"], True),
    "no record": ([_ENTRY, "X" * 128, _NEXT], 10_200, ["RECORD_UNKNOWN"], True),
    "a record promised": ([coda("21", 1, 0, 100, next="1"), _NEXT], 10_200,
                          ["RECORD_MISSING"], False),
    "text promised": ([coda("21", 1, 0, 100, link="1"), _NEXT], 10_200, ["RECORD_MISSING"], False),
    "details do not sum": ([coda("21", 1, 0, 100, code="10150000"),
                            coda("21", 1, 1, 90, code="50150000")], 10_100,
                           ["DETAIL_SUM_MISMATCH"], False),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_one_bad_record_is_isolated(tmp_path: Path, name: str) -> None:
    body, closing, wanted, incomplete = DAMAGE[name]
    parsed = read(tmp_path, coda_file(*body, closing=closing))
    assert codes(parsed) == wanted
    row = parsed.tables.statements.to_pylist()[0]
    assert row["incomplete"] is incomplete
    for finding in parsed.tables.findings:
        assert "line " in finding.where
        assert finding.remedy


def test_totals_are_checked(tmp_path: Path) -> None:
    good = coda_file(_ENTRY, closing=10_100)
    at = good.index("\r\n9") + 2
    for column, what in ((21, "records"), (36, "debit"), (51, "credit")):
        bad = good[: at + column] + "9" + good[at + column + 1 :]
        (finding,) = read(tmp_path, bad).tables.findings
        assert finding.code == "TOTAL_MISMATCH"
        assert what in finding.message


_GOOD = coda_file(_ENTRY, _NEXT, closing=10_200)
_LINES = _GOOD.splitlines(keepends=True)
REFUSED = {
    "no record 9": ("".join(_LINES[:-1]), "CODA_TRUNCATED"),
    "no record 8": ("".join(_LINES[:-2] + _LINES[-1:]), "CODA_TRUNCATED"),
    "no record 1": (_LINES[0] + "".join(_LINES[2:]), "CODA_STRUCTURE"),
    "no statement": (_LINES[0] + _LINES[-1], "CODA_STRUCTURE"),
    "two records 8": ("".join([*_LINES[:-1], *_LINES[-2:]]), "CODA_STRUCTURE"),
    "a second header": ("".join(_LINES[:3]) + _GOOD, "CODA_TRUNCATED"),
    "a second record 1": ("".join(_LINES[:3]) + "".join(_LINES[1:]), "CODA_STRUCTURE"),
    "a movement behind record 9": (_GOOD + _LINES[2], "CODA_STRUCTURE"),
    "version 1": (_LINES[0][:127] + "1" + _LINES[0][128:] + "".join(_LINES[1:]), "CODA_VERSION"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_broken_envelopes_are_refused(tmp_path: Path, name: str) -> None:
    content, code = REFUSED[name]
    assert refusal(tmp_path, content).code == code


def test_duplicate_mark_and_blank_rest(tmp_path: Path) -> None:
    again = _GOOD[:16] + "D" + _GOOD[17:]
    assert codes(read(tmp_path, again)) == ["FILE_DUPLICATE"]
    stripped = "\n\n".join(line.rstrip() for line in _LINES) + "\n\x1a"
    assert codes(read(tmp_path, stripped)) == []


def test_another_account_in_record_8(tmp_path: Path) -> None:
    other = _GOOD.replace("8007BE68539007547034", "8007BE61310126985517")
    parsed = read(tmp_path, other)
    assert codes(parsed) == ["STATEMENT_DOUBTFUL"]
    assert parsed.tables.statements["incomplete"].to_pylist() == [False]
