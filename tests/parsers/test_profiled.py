"""Delimited and fixed-width files by profile: conventions, damage, cuts, hostile content."""

from __future__ import annotations

import re
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import parsers
from parsers import delimited, fixed_width
from tests.parsers import big
from tests.parsers.reading import SAMPLES, codes, entries, read, refusal
from tieout import profiles
from tieout.commands.parse import as_json
from tieout.errors import InputError, ProfileError

PORTAL = (SAMPLES / "portal.csv").read_bytes()
TREASURY = (SAMPLES / "treasury.csv").read_bytes()
RUNNING = (SAMPLES / "running.csv").read_bytes()
GPC = (SAMPLES / "tulipan.gpc").read_bytes()
HDT = (SAMPLES / "report.hdt").read_bytes()

ENTRIES = """
portal.csv   2026-11-19 1190.00   Tulpenfeld GmbH                     RE-2026-0417~Danke; bis bald
portal.csv   2026-11-20 -12.90    -                                   Kontoführung 11/2026
portal.csv   2026-11-20 -2380.00  =HYPERLINK("http://example.com")    Miete "Halle 3"
treasury.csv 2026-11-20 -1250.00  -                                   CHECK PAID, TULIP FARMS
treasury.csv 2026-11-20 -15.00    -                                   MAINTENANCE FEE
treasury.csv 2026-11-20 98765.43  -                                   ACH CREDIT~INV 2026-0417
running.csv  2026-11-20 125.00    -                                   Deposit from TULIP FARMS
running.csv  2026-11-19 -50.00    -                                   Check 1001 "ROSES", wire
running.csv  2026-11-19 -2.50     -                                   Monthly fee
running.csv  2026-11-18 -2.50     -                                   Monthly fee
tulipan.gpc  2026-11-19 1250.00   KVĚTINY PLZEŇ                       Faktura 2026-0417, tulipány~děkujeme
tulipan.gpc  2026-11-19 -50.00    POPLATEK                            -
tulipan.gpc  2026-11-19 -30.00    ZAHRADA                             -
tulipan.gpc  2026-11-20 30.00     ZAHRADA                             -
tulipan.gpc  2026-11-20 -1.00     VEDENÍ ÚČTU                         -
report.hdt   2026-11-20 -102.50   -                                   BANK FEE
report.hdt   2026-11-20 44.17     -                                   TULIP FARMS INV 2026-0417
"""


def test_samples_read_as_a_person_reads_them() -> None:
    found = []
    for name in dict.fromkeys(line.split()[0] for line in ENTRIES.strip().splitlines()):
        for row in entries(parsers.read_file(SAMPLES / name)):
            text = (row["d_narrative"] or "-").replace("\n", "~")
            words = [name, str(row["booked_on"]), f"{row['amount']:.2f}"]
            found.append([*words, row["d_counterparty_name"] or "-", text])
    wanted = [
        re.split(r" {2,}|(?<=\.\w\w\w) (?=2)|(?<=-\d\d) ", line)
        for line in ENTRIES.strip().splitlines()
    ]
    # A file that mixes its accounts is read account by account.
    assert sorted(found) == sorted(wanted)


def test_a_reversed_debit_is_money_in_and_says_so() -> None:
    rows = entries(parsers.read_file(SAMPLES / "tulipan.gpc"))
    assert [(str(r["amount"]), r["reversal"]) for r in rows[2:4]] == [
        ("-30.00000", False),
        ("30.00000", True),
    ]


def test_two_accounts_in_one_file_are_two_statements() -> None:
    tables = parsers.read_file(SAMPLES / "treasury.csv").tables
    assert tables.statements["account_id"].to_pylist() == ["4400817263", "0017263"]
    assert tables.statements["currency"].to_pylist() == ["USD", "CAD"]


HEADER = "Account Number,Transaction Description,Transaction Date,Transaction Type,Transaction Amount,Balance"


def capital(*rows: str, end: str = "\n", header: str = HEADER) -> str:
    return "\n".join([header, *rows]) + end


#: Content, codes of the findings (``END_UNPROVEN`` is always there), the amounts.
QUIRKS: dict[str, tuple[str | bytes, str, str]] = {
    "byte order mark": (b"\xef\xbb\xbf" + RUNNING, "", "125.00 -50.00 -2.50 -2.50"),
    "UTF-16 little": (RUNNING.decode().encode("utf-16"), "", "125.00 -50.00 -2.50 -2.50"),
    "CRLF": (RUNNING.replace(b"\n", b"\r\n"), "", "125.00 -50.00 -2.50 -2.50"),
    "CR only": (RUNNING.replace(b"\n", b"\r"), "", "125.00 -50.00 -2.50 -2.50"),
    "blank lines": (RUNNING.replace(b"\n", b"\n\n"), "", "125.00 -50.00 -2.50 -2.50"),
    "lines before the header": ("Exported today\n\n" + RUNNING.decode(), "", "125.00 -50.00 -2.50 -2.50"),
    "columns in another order": (
        capital("5.00,4417,Fee,Debit,1.00,11/20/26", header="Balance,Account Number,Transaction Description,"
                "Transaction Type,Transaction Amount,Transaction Date"), "", "-1.00"),
    "one more column": (capital("4417,Fee,11/20/26,Debit,1.00,5.00,x", header=HEADER + ",Memo"), "", "-1.00"),
    "a delimiter behind every row": (capital("4417,Fee,11/20/26,Debit,1.00,5.00,"), "", "-1.00"),
    "a row too long": (capital("4417,Fee,11/20/26,Debit,1.00,5.00,x"), "ENTRY_UNREADABLE BALANCE_MISSING", ""),
    "a ragged row": (
        capital("4417,Fee,11/20/26,Debit,1.00,5.00", "4417,Fee", "4417,Fee,11/19/26,Debit,1.00,6.00"),
        "ENTRY_UNREADABLE", "-1.00 -1.00"),
    "a broken quote": (
        capital("4417,Fee,11/20/26,Debit,1.00,5.00", '4417,"Fee" x,11/20/26,Debit,1.00,6.00'),
        "ENTRY_UNREADABLE", "-1.00"),
    "an unknown mark": (capital("4417,Fee,11/20/26,Both,1.00,5.00"), "ENTRY_UNREADABLE BALANCE_MISSING", ""),
    "a sign beside a mark": (capital("4417,Fee,11/20/26,Debit,-1.00,5.00"), "ENTRY_UNREADABLE BALANCE_MISSING", ""),
    "no such day": (capital("4417,Fee,02/30/26,Debit,1.00,5.00"), "ENTRY_UNREADABLE BALANCE_MISSING", ""),
    "decimal comma where a point is due": (
        capital('4417,Fee,11/20/26,Debit,"1,00",5.00'), "ENTRY_UNREADABLE BALANCE_MISSING", ""),
    "thousands that the profile does not have": (
        capital('4417,Fee,11/20/26,Debit,"1,250.00",5.00'), "ENTRY_UNREADABLE BALANCE_MISSING", ""),
    "three decimals of USD": (
        capital("4417,Fee,11/20/26,Debit,1.250,5.00"), "ENTRY_UNREADABLE BALANCE_MISSING", ""),
    "an exponent": (capital("4417,Fee,11/20/26,Debit,1E+999999,5.00"), "ENTRY_UNREADABLE BALANCE_MISSING", ""),
    "other digits": (capital("4417,Fee,11/20/26,Debit,١.00,5.00"), "ENTRY_UNREADABLE BALANCE_MISSING", ""),
    "NUL": (capital("4417,Fe\x00e,11/20/26,Debit,1.00,5.00"), "", "-1.00"),
    "a chain that breaks": (
        capital("4417,Fee,11/20/26,Debit,1.00,5.00", "4417,Fee,11/19/26,Debit,1.00,7.00"),
        "RUNNING_BALANCE BALANCE_MISMATCH", "-1.00 -1.00"),
    "no account": (capital(",Fee,11/20/26,Debit,1.00,5.00"), "ACCOUNT_MISSING", "-1.00"),
    "no rows": (capital(), "BALANCE_MISSING ACCOUNT_MISSING", ""),
    "twins": (
        capital("4417,Fee,11/20/26,Debit,1.00,5.00", "4417,Fee,11/20/26,Debit,1.00,6.00"), "", "-1.00 -1.00"),
    "a last row without its end": (capital("4417,Fee,11/20/26,Debit,1.00,5.00", end=""), "LINE_UNTERMINATED", "-1.00"),
}  # fmt: skip


@pytest.mark.parametrize("name", QUIRKS)
def test_quirks(tmp_path: Path, name: str) -> None:
    content, wanted, amounts = QUIRKS[name]
    parsed = read(tmp_path, content)
    found = [code for code in codes(parsed) if code != "END_UNPROVEN"]
    assert sorted(found) == sorted(wanted.split())
    assert [f"{row['amount']:.2f}" for row in entries(parsed)] == amounts.split()
    bad = any(code not in ("BALANCE_MISSING", "ACCOUNT_MISSING") for code in found)
    assert parsed.tables.statements["incomplete"].to_pylist() == [bad]
    for finding in parsed.tables.findings:
        assert re.match(r"line \d+", finding.where), finding
        assert finding.remedy, finding


def test_twins_are_two_entries(tmp_path: Path) -> None:
    ids = read(tmp_path, QUIRKS["twins"][0]).tables.entries["entry_id"].to_pylist()
    assert len(set(ids)) == 2


def test_a_bad_row_is_kept_with_its_line_and_text(tmp_path: Path) -> None:
    finding = next(f for f in read(tmp_path, QUIRKS["a ragged row"][0]).tables.findings)
    assert (finding.where, "'4417,Fee'" in finding.message) == ("line 3", True)


PORTAL_QUIRKS: dict[str, tuple[Callable[[str], str], str]] = {
    "1.190,00 for 1190,00": (lambda t: t.replace("1.190,00", "1190,00"), ""),
    "a point for a comma": (lambda t: t.replace("1.190,00", "1,190.00"), "ENTRY_UNREADABLE BALANCE_MISMATCH"),
    "wrong groups": (lambda t: t.replace("1.190,00", "11.90,00"), "ENTRY_UNREADABLE BALANCE_MISMATCH"),
    "thousands without decimals": (lambda t: t.replace("1.190,00", "1.190"), "ENTRY_UNREADABLE BALANCE_MISMATCH"),
    "debit and credit": (lambda t: t.replace(";;1.190,00", ";-1,00;1.190,00"), "ENTRY_UNREADABLE BALANCE_MISMATCH"),
    "another currency": (lambda t: t.replace("1.190,00;EUR", "1.190,00;USD"), "ENTRY_UNREADABLE BALANCE_MISMATCH"),
    "no currency of the world": (lambda t: t.replace("1.190,00;EUR", "1.190,00;EURO"), "ENTRY_UNREADABLE BALANCE_MISMATCH"),
    "a row is missing": (lambda t: re.sub("20.11.2026;20.11.2026;Entgelt.*\n", "", t), "BALANCE_MISMATCH"),
    "text that looks like the preamble": (lambda t: t.replace("Kontoführung 11", "Umsätze x;DE02 12"), "ENTRY_UNREADABLE BALANCE_MISMATCH"),
}  # fmt: skip


@pytest.mark.parametrize("name", PORTAL_QUIRKS)
def test_balances_and_amounts_of_the_portal(tmp_path: Path, name: str) -> None:
    change, wanted = PORTAL_QUIRKS[name]
    parsed = read(tmp_path, change(PORTAL.decode("cp1252")).encode("cp1252"), "cp1252")
    assert sorted(codes(parsed)) == sorted(wanted.split())
    assert parsed.tables.statements["incomplete"].to_pylist() == [bool(wanted)]


FIXED_QUIRKS: dict[str, tuple[bytes, str, str]] = {
    "without line ends": (b"".join(line.ljust(80) for line in HDT.splitlines()), "-102.50 44.17", ""),
    "blanks cut off": (HDT, "-102.50 44.17", ""),
    "a wrong count": (HDT.replace(b"T000002", b"T000003"), "-102.50 44.17", "CONTROL_COUNT"),
    "a wrong sum": (HDT.replace(b"T000002000000010250", b"T000002000000010251"), "-102.50 44.17", "CONTROL_SUM"),
    "a record nobody knows": (HDT.replace(b"T0", b"X?\nT0"), "-102.50 44.17", "ENTRY_UNREADABLE CONTROL_COUNT"),
    "an amount of letters": (
        HDT.replace(b"000000010250D", b"00000001O250D"), "44.17",
        "ENTRY_UNREADABLE BALANCE_MISMATCH CONTROL_SUM"),
    "a mark nobody knows": (
        HDT.replace(b"000000010250D", b"000000010250X"), "44.17",
        "ENTRY_UNREADABLE BALANCE_MISMATCH CONTROL_SUM"),
    "a detail before any header": (b"", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", list(FIXED_QUIRKS)[:-1])
def test_fixed_quirks(tmp_path: Path, name: str) -> None:
    content, amounts, wanted = FIXED_QUIRKS[name]
    parsed = read(tmp_path, content)
    assert [f"{row['amount']:.2f}" for row in entries(parsed)] == amounts.split()
    assert sorted(codes(parsed)) == sorted(wanted.split())
    assert parsed.tables.statements["incomplete"].to_pylist() == [bool(wanted)]


#: Sample, and the text that begins its lines: a cut behind one leaves a smaller whole file. GPC has
#: no end mark; a running balance, newest first, neither, and its file says so itself.
CUTS: dict[str, bytes] = {
    "portal.csv": b"",
    "treasury.csv": b"",
    "report.hdt": b"",
    "tulipan.gpc": b"074",
    "running.csv": b"4417",
}


@pytest.mark.parametrize("name", CUTS)
def test_no_cut_is_read_in_silence(tmp_path: Path, name: str) -> None:
    content = (SAMPLES / name).read_bytes()
    path, whole, silent = tmp_path / "cut", _facts(SAMPLES / name), []
    for at in range(len(content)):
        path.write_bytes(content[:at])
        try:
            found = _facts(path)
        except InputError as error:
            assert error.code != "READER_FAILED", (at, error)
            assert error.where and error.remedy, (at, error)
            continue
        if found["statements"] == whole["statements"]:
            continue
        marked = any(s["incomplete"] for s in found["statements"])
        if not marked and found["findings"] == whole["findings"]:
            silent.append(at)
    starts = (
        [m.start() for m in re.finditer(b"^" + CUTS[name], content, re.M)] if CUTS[name] else []
    )
    for at in silent:  # it says nothing else than the cut behind the line would
        path.write_bytes(content[: next(start for start in starts if start >= at)])
        behind = _facts(path)
        path.write_bytes(content[:at])
        assert _facts(path)["statements"] == behind["statements"], at
    assert set(starts[1:]) <= set(silent)
    if name == "running.csv":
        assert "END_UNPROVEN" in {f["code"] for f in whole["findings"]}


def _facts(path: Path) -> dict[str, Any]:
    found = as_json(Path("x"), parsers.read_file(path))
    for statement in found["statements"]:
        statement["file_id"] = ""
    return {"statements": found["statements"], "findings": found["findings"]}


_LONG = "x" * 12_000_000
HOSTILE = {
    "a line of 12 MB": capital("4417," + _LONG),
    "an open quote": capital('4417,"' + "Fee\n" * 100_000),
    "an open quote at the end": capital('4417,"Fee'),
    "half a header": HEADER[:-4],
    "a footer is missing": TREASURY.decode("utf-8-sig").rpartition("End")[0],
    "records of another kind": HDT[:80] + b"Z" * 12_000_000,
    "no closing record": HDT.rpartition(b"T0")[0],
    "only headers": HDT.splitlines(keepends=True)[0] * 1000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_quickly(tmp_path: Path, name: str) -> None:
    started = time.process_time()
    refusal(tmp_path, HOSTILE[name])
    assert time.process_time() - started < 5


def test_formulas_stay_text() -> None:
    row = entries(parsers.read_file(SAMPLES / "portal.csv"))[2]
    assert row["d_counterparty_name"] == '=HYPERLINK("http://example.com")'


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path, peaks = tmp_path / "file", []
    for count in (6_000, 12_000):
        rows = (f"4417,Fee,11/20/26,Debit,1.00,{n}.00" for n in range(count))
        path.write_text(capital(*rows))
        tracemalloc.start()
        read_rows = sum(batch.entries.num_rows for batch in delimited.read(path))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert read_rows == count
    assert peaks[1] < peaks[0] * 1.2


def test_the_same_statement_has_one_identity_whatever_its_line_ends(tmp_path: Path) -> None:
    for content in (PORTAL, GPC, HDT):
        first, second = read(tmp_path, content), read(tmp_path, content.replace(b"\r\n", b"\n"))
        for table in ("statements", "entries", "details"):
            key = table.rstrip("s").replace("entrie", "entry") + "_id"
            ids = [getattr(p.tables, table)[key].to_pylist() for p in (first, second)]
            assert ids[0] == ids[1]


def test_identification_asks_the_header_only(tmp_path: Path) -> None:
    assert delimited.identify(b"Datum;Betrag\n1;2\n") is None
    assert delimited.identify(RUNNING[:20]) is None
    assert fixed_width.identify(b"H4400817263      USD2026") is None
    assert parsers.identify(GPC) == "fixed width cz-gpc"
    assert parsers.identify(PORTAL) == "delimited de-portal-csv"


def _with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **texts: str) -> None:
    banks = tmp_path / "mappings" / "banks"
    banks.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (banks / f"{name}.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("TIEOUT_MAPPINGS", str(tmp_path / "mappings"))


_PLAIN = (
    'title = "x"\n[delimited]\ndelimiter = ";"\ndates = "%d.%m.%Y"\ndecimal = ","\n'
    'account_id = "{0}"\ncurrency = "EUR"\n'
    'columns = {{ booked_on = "Datum", amount = "Betrag", narrative = ["Text", "Mehr"] }}\n'
)


def test_a_profile_of_ones_own_names_the_account_and_flips_the_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with(monkeypatch, tmp_path, card=_PLAIN.format("4417") + 'sign = "flipped"\n'.replace("'", ""))
    text = _PLAIN.format("4417").replace("columns", 'sign = "flipped"\ncolumns')
    _with(monkeypatch, tmp_path, card=text)
    parsed = read(tmp_path, "Datum;Text;Mehr;Betrag\n20.11.2026;Rosen;rot;12,50\n")
    row = entries(parsed)[0]
    assert (str(row["amount"]), row["account_id"]) == ("-12.50000", "4417")
    assert row["d_narrative"] == "Rosen\nrot"


def test_a_file_without_header_is_known_by_how_its_lines_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = _PLAIN.format("4417").replace(
        "[delimited]", "[delimited]\nleader = '\\d\\d\\.\\d\\d\\.\\d{4};'"
    )
    text = (
        text.replace('"Datum"', "1").replace('"Betrag"', "2").replace('["Text", "Mehr"]', "[3, 4]")
    )
    _with(monkeypatch, tmp_path, plain=text)
    parsed = read(tmp_path, "20.11.2026;-12,50;Rosen;rot\n21.11.2026;1.000,00;a;b\n")
    assert [str(r["amount"]) for r in entries(parsed)] == ["-12.50000"]
    assert codes(parsed)[0] == "ENTRY_UNREADABLE"  # the profile has no mark for thousands


def test_two_profiles_that_fit_alike_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with(monkeypatch, tmp_path, a=_PLAIN.format("1"), b=_PLAIN.format("2"))
    error = refusal(tmp_path, "Datum;Text;Mehr;Betrag\n20.11.2026;Rosen;rot;12,50\n")
    assert (error.code, "a and b" in error.message) == ("PROFILE_AMBIGUOUS", True)


_FIXED = (
    'title = "x"\n[fixed]\nwidth = 20\ndates = "%Y%m%d"\n[[fixed.record]]\nrole = "open"\n'
    "match = 'H'\n[[fixed.record]]\nrole = \"entry\"\nmatch = 'D'\ncolumns = {0}\n"
)
WRONG = {
    _PLAIN.format("1").replace("decimal =", "decimla ="): "PROFILE_KEY did you mean 'decimal'",
    _PLAIN.format("1").replace("booked_on", "bookedon"): "PROFILE_KEY did you mean 'booked_on'",
    _PLAIN.format("1").replace('amount = "Betrag", ', ""): "PROFILE_VALUE name booked_on and amount",
    _PLAIN.format("1").replace('decimal = ","', 'decimal = ","\nthousands = ","'): "PROFILE_VALUE never the same twice",
    _PLAIN.format("1").replace("columns", 'ends = "somewhere"\ncolumns'): "PROFILE_VALUE footer",
    _PLAIN.format("1").replace("columns", "footer = ['(?P<closin>x)']\ncolumns"): "PROFILE_KEY did you mean 'closing'",
    _PLAIN.format("1").replace('"EUR"', '"EURO"'): "PROFILE_VALUE EURO",
    _FIXED.format("{ amount = [1, 21] }"): "PROFILE_VALUE from 1 to 20",
    _FIXED.format("{ amont = [1, 2] }"): "PROFILE_KEY did you mean 'amount'",
    _FIXED.format("{}").replace('"open"', '"opne"'): "PROFILE_KEY did you mean 'open'",
    _FIXED.format("{}").replace("width = 20", 'width = 20\nends = "footer"'): "PROFILE_VALUE close",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_profile_says_where_and_the_nearest_key(text: str) -> None:
    import tomllib

    code, _, words = WRONG[text].partition(" ")
    with pytest.raises(ProfileError) as caught:
        parsers.check_profile("mine", tomllib.loads(text))
    assert caught.value.code == code
    assert "mine" in caught.value.where
    assert words in str(caught.value)


def test_the_shipped_profiles_are_right() -> None:
    for name, found in profiles.load_all("banks"):
        parsers.check_profile(name, found)


def test_a_file_of_many_accounts_takes_linear_time(tmp_path: Path) -> None:
    """Counts and sums of all accounts are made once; for each of them it would be 20 seconds."""
    shape, path, count = big.SHAPES["delimited"], tmp_path / "many", 8_000
    rows = (shape.entry(number).replace('="', f'="{number}', 1) for number in range(count))
    path.write_text(shape.begin + "".join(rows) + shape.end(count, count))
    started = time.process_time()
    batches = list(delimited.read(path))
    assert time.process_time() - started < 8
    assert sum(batch.statements.num_rows for batch in batches) == count
