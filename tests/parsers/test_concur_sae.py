"""The Concur extract: proven whole or refused whole, and what it says the company owes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import concur_sae
from parsers.concur_sae import EXPENSES, POSITIONS, Reimbursement, read, reimbursements
from sandbox import world
from tieout.errors import InputError

LINE = {
    1: "DETAIL",
    2: "118",
    3: "2026-11-19",
    5: "E-7",
    6: "Ødegård",
    7: "Kari",
    19: "0A1B",
    20: "501",
    21: "NORD",
    22: "EUR",
    26: "2026-11-18",
    27: "Messe",
    61: "9001",
    63: "Taxi",
    64: "2026-11-02",
    65: "EUR",
    68: "N",
    126: "CASH",
    163: "Company",
    165: "Employee",
    167: "6673",
    168: "DR",
    169: "+10.00",
    170: "1",
    189: "70",
    255: "3720",
}


def extract(
    lines: Sequence[Mapping[int, str]],
    count: int | None = None,
    total: str | None = None,
) -> str:
    rows = []
    for number, changes in enumerate(lines, 1):
        fields = {4: str(number), 170: str(number)} | {**LINE, 170: str(number)} | dict(changes)
        rows.append("|".join(fields.get(n, "") for n in range(1, POSITIONS + 1)))
    amounts = [Decimal({**LINE, **line}[169]) for line in lines]
    stated = total if total is not None else str(sum(amounts, Decimal(0)))
    header = f"EXTRACT|2026-11-19|{len(lines) if count is None else count}|{stated}|118"
    return "\n".join([header, *rows]) + "\n"


def write(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "extract.txt"
    path.write_bytes(text.encode(encoding))
    return path


def refused(tmp_path: Path, text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        read(write(tmp_path, text))
    return caught.value


def test_identify() -> None:
    good = extract([{}]).encode()
    assert concur_sae.identify(good) == "concur.sae.v3"
    assert concur_sae.identify(b"\xef\xbb\xbf" + good) == "concur.sae.v3"
    for other in (b"", b":20:X", b"<Document/>", b"EXTRACT", b"EXTRACT|a|b\n", b"DETAIL|1|2|3|4"):
        assert concur_sae.identify(other) is None


def test_reads_every_field_by_position(tmp_path: Path) -> None:
    expenses = read(write(tmp_path, extract([{123: "11.5", 228: "1.60", 190: "100.00000000"}])))
    assert (expenses.batch_id, expenses.batch_on) == ("118", date(2026, 11, 19))
    assert expenses.lines.schema == EXPENSES and expenses.findings == ()
    (row,) = expenses.lines.to_pylist()
    found = {name: value for name, value in row.items() if value is not None}
    assert found.pop("file_id") == expenses.sha256
    assert found == {
        "line_no": 2,
        "sequence_no": 1,
        "employee_id": "E-7",
        "employee_last_name": "Ødegård",
        "employee_first_name": "Kari",
        "report_id": "0A1B",
        "report_key": "501",
        "ledger": "NORD",
        "currency": "EUR",
        "approved_on": date(2026, 11, 18),
        "report_name": "Messe",
        "entry_id": "9001",
        "expense_type": "Taxi",
        "spent_on": date(2026, 11, 2),
        "spend_currency": "EUR",
        "personal": False,
        "transaction_amount": Decimal("11.5"),
        "payment_type_code": "CASH",
        "payer_type": "Company",
        "payee_type": "Employee",
        "account_code": "6673",
        "debit_credit": "DR",
        "journal_amount": Decimal(10),
        "journal_key": "1",
        "allocation_key": "70",
        "allocation_percent": Decimal(100),
        "tax_posted_amount": Decimal("1.6"),
        "liability_account_code": "3720",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, end: str) -> None:
    expenses = read(write(tmp_path, extract([{}]).replace("\n", end), encoding))
    assert expenses.lines["employee_last_name"].to_pylist() == ["Ødegård"]
    codes = [finding.code for finding in expenses.findings]
    assert codes == (["SAE_ENCODING"] if encoding == "latin-1" else [])


def test_an_empty_batch_is_fine(tmp_path: Path) -> None:
    empty = read(write(tmp_path, extract([])))
    assert empty.lines.num_rows == 0 and reimbursements(empty) == []


def test_what_the_company_owes(tmp_path: Path) -> None:
    lines = [
        {20: "1002", 169: "20.00", 319: "26.50"},
        {20: "1002", 169: "10.00", 189: "71"},
        {20: "1002", 168: "CR", 169: "-3.50"},
        {20: "999", 5: "E-1", 169: "5.00"},
        {20: "999", 5: "E-1", 126: "CBCP", 165: "Company", 169: "70.00"},  # card company is owed
        {20: "999", 5: "E-1", 126: "IBCP", 169: "71.00"},
        {20: "999", 5: "E-1", 126: "COPD", 169: "72.00"},
        {20: "999", 5: "E-1", 68: "Y", 169: "73.00"},  # personal
        {20: "999", 5: "E-1", 163: "Employee", 165: "Company", 168: "CR", 169: "-74.00"},
        {20: "999", 5: "E-1", 187: "4", 169: "75.00"},  # a cash advance
        {20: "1003", 169: "8.00"},
        {20: "1003", 168: "CR", 169: "-8.00"},
    ]
    expenses = read(write(tmp_path, extract(lines)))
    assert expenses.findings == ()
    found = reimbursements(expenses)
    facts = [
        (owed.report_key, owed.employee_id, str(owed.amount), str(owed.due_employee))
        for owed in found
    ]
    assert facts == [("999", "E-1", "5.00", "None"), ("1002", "E-7", "26.50", "26.50")]
    for owed in found:
        assert (owed.report_id, owed.report_name) == ("0A1B", "Messe")
        assert (owed.employee_name, owed.currency) == ("Kari Ødegård", "EUR")
        assert (owed.account_code, owed.approved_on) == ("3720", date(2026, 11, 18))
    assert [owed.line_count for owed in found] == [1, 3]


def test_a_repeated_journal_line_is_counted_once_and_said(tmp_path: Path) -> None:
    lines = [{169: "30.00", 225: "VAT"}, {169: "30.00", 225: "City tax", 170: "1"}]
    expenses = read(write(tmp_path, extract(lines)))
    assert [f.code for f in expenses.findings] == ["SAE_JOURNAL_REPEATED"]
    assert "line 2" in expenses.findings[0].message and "line 3" in expenses.findings[0].where
    (owed,) = reimbursements(expenses)
    assert owed.amount == Decimal(30)


def test_another_amount_due_is_said(tmp_path: Path) -> None:
    expenses = read(write(tmp_path, extract([{319: "4.00"}])))
    (finding,) = expenses.findings
    assert finding.code == "SAE_DUE_DIFFERS" and finding.severity == "warning"
    assert "10.00 EUR" in finding.message and "4.00 is due" in finding.message


def test_liability_account_only_where_all_lines_agree(tmp_path: Path) -> None:
    (owed,) = reimbursements(read(write(tmp_path, extract([{}, {255: "3721"}]))))
    assert owed.account_code == ""


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (extract([{}, {}], count=3), "SAE_RECORD_COUNT", "announces 3 detail records"),
        (extract([{}, {}], total="20.01"), "SAE_JOURNAL_TOTAL", "come to 20.00"),
        ("EXTRACT|19.11.2026|0|0|1\n", "SAE_HEADER", "is not a date"),
        ("EXTRACT|2026-11-19|x|0|1\n", "SAE_HEADER", "is not a number"),
        ("EXTRACT|2026-11-19|0|1E5|1\n", "SAE_HEADER", "is not an amount"),
        ("EXTRACT|2026-11-19|0|0|\n", "SAE_HEADER", "is empty"),
        ("", "SAE_HEADER", "four fields"),
    ],
)
def test_refused_whole(tmp_path: Path, text: str, code: str, says: str) -> None:
    error = refused(tmp_path, text)
    assert error.code == code and says in error.message
    assert error.where.startswith("extract.txt line 1") and error.remedy


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({169: "1,000.00"}, "field 169 (journal_amount): '1,000.00' is not an amount"),
        ({169: "NaN"}, "not an amount"),
        ({169: "1E9"}, "not an amount"),
        ({169: "١٠"}, "not an amount"),
        ({169: ""}, "field 169 (journal_amount): is empty"),
        ({169: "-10.00"}, "-10.00 is marked DR"),
        ({168: "CR"}, "10.00 is marked CR"),
        ({168: "D"}, "neither DR nor CR"),
        ({64: "2026-13-01"}, "field 64 (spent_on)"),
        ({64: "20261101"}, "not a date"),
        ({22: "EURO"}, "not a currency"),
        ({68: "1"}, "neither Y nor N"),
        ({5: ""}, "field 5 (employee_id): is empty"),
        ({27: "Messe|Kiel"}, "401 fields, expected 400"),
        ({27: "a\0b"}, "NUL"),
        ({1: "TRAILER"}, "expected DETAIL"),
        ({400: "x" * 70_000}, "longer than"),
    ],
)
def test_a_bad_line_refuses_the_file_and_is_named(
    tmp_path: Path, changes: dict[int, str], says: str
) -> None:
    text = extract([{}, {}]).splitlines()
    fields = text[2].split("|")
    for position, value in changes.items():
        fields[position - 1] = value
    text[2] = "|".join(fields)
    error = refused(tmp_path, "\n".join(text))
    assert error.code == "SAE_LINE"
    assert error.where == "extract.txt line 3"
    assert "1 of 2 lines" in error.message and says in error.message


def test_every_cut_is_caught(tmp_path: Path) -> None:
    whole = extract([{169: "12.34"}, {169: "1.00"}]).encode().rstrip(b"\n")
    path = tmp_path / "extract.txt"
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError):
            read(path)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(b"EXTRACT|2026-11-19|1|0|1\n" + content)
        try:
            assert read(path).lines.num_rows == 1
        except InputError as error:
            assert error.code in ("SAE_LINE", "SAE_RECORD_COUNT", "SAE_JOURNAL_TOTAL")


def test_the_sandbox_writes_what_we_read(tmp_path: Path) -> None:
    (file,) = [f for f in world.build().files if concur_sae.identify(f.content[:65_536])]
    path = tmp_path / "extract.txt"
    path.write_bytes(file.content)
    expenses = read(path)
    owed: list[Reimbursement] = reimbursements(expenses)
    assert expenses.findings == () and owed
    assert all(one.amount == one.due_employee and one.account_code for one in owed)
