"""``tieout reconcile`` and ``tieout match`` as a person runs them; the ledger export's errors."""

from __future__ import annotations

import argparse
import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.matching import world
from tieout import books_csv, profiles
from tieout.commands import match, reconcile
from tieout.errors import InputError

SAMPLES = Path(__file__).parents[2] / "samples"
HEAD = "date;document;amount\n"


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    match.add(commands)
    reconcile.add(commands)
    args = parser.parse_args(words)
    return int(args.run(args))


def desk(capsys: Any, *words: str) -> tuple[int, dict[str, Any]]:
    code = run("reconcile", "--json", *words)
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("bank", ["bank-camt053.xml", "bank-mt940.sta"])
@pytest.mark.parametrize("books", ["ledger.csv", "ledger-dynamics.csv"])
def test_the_samples_tie_but_for_three_things(capsys: Any, bank: str, books: str) -> None:
    code, told = desk(capsys, "--bank", str(SAMPLES / bank), "--books", str(SAMPLES / books))
    (account,) = told["accounts"]
    assert code == 1
    assert account["unexplained"] == "0.00"
    assert (account["bank_balance"], account["books_balance"]) == ("16705.30", "16131.00")
    assert (account["entries"], account["entries_matched"]) == (15, 13)
    assert sorted((row["kind"], row["amount"]) for row in told["open"]) == [
        ("exceptions", "-8.90"),
        ("exceptions", "250.00"),
        ("in_transit", "-333.20"),
    ]
    reasons = {row["amount"]: row["reason"] for row in told["open"]}
    assert reasons["-8.90"] == "a bank charge the books do not have yet"


def test_the_four_rates_are_told_and_precision_is_not_known_at_a_desk(capsys: Any) -> None:
    bank, books = (str(SAMPLES / name) for name in ("bank-camt053.xml", "ledger.csv"))
    _, told = desk(capsys, "--bank", bank, "--books", books)
    (account,) = told["accounts"]
    rates = account["rates"]
    assert (rates["by_count"], rates["items"], rates["items_matched"]) == ("0.8666", 15, 14)
    assert (rates["value"], rates["value_matched"]) == (account["value"], account["value_matched"])
    assert rates["precision"] is None
    assert sum(row["entries"] for row in rates["rungs"]) == rates["entries_matched"]
    assert sum(row["items"] for row in rates["rungs"]) == rates["items_matched"]
    assert sum(Decimal(row["value"]) for row in rates["rungs"]) == Decimal(rates["value_matched"])


def test_what_is_only_proposed_is_open_and_says_so(capsys: Any, tmp_path: Path) -> None:
    """Nothing but the amount speaks for it: a person decides."""
    bank = SAMPLES / "bank-camt053.xml"
    (tmp_path / "gl.csv").write_text(HEAD + "2026-11-18;X-1;250.00\n", encoding="utf-8")
    _, told = desk(capsys, "--bank", str(bank), "--books", str(tmp_path / "gl.csv"))
    (account,) = told["accounts"]
    assert (told["groups"], account["entries_matched"], account["unexplained"]) == (1, 0, "0.00")
    (own,) = [row for row in told["open"] if row["kind"] == "in_transit"]
    assert own["reason"].startswith("a match is proposed: The amount agrees")


def test_a_status_report_among_the_bank_files_is_named_and_left_out(capsys: Any) -> None:
    report = str(Path(__file__).parents[1] / "parsers" / "samples" / "pain002_part.xml")
    books = ("--books", str(SAMPLES / "ledger.csv"))
    _, told = desk(capsys, "--bank", str(SAMPLES / "bank-camt053.xml"), report, *books)
    assert told["accounts"][0]["entries"] == 15
    assert run("reconcile", "--bank", str(SAMPLES / "bank-camt053.xml"), report, *books) == 1
    assert "no statement in it" in " ".join(capsys.readouterr().out.split())
    assert run("reconcile", "--bank", report, *books) == 2
    assert "give a file with statements" in capsys.readouterr().err


def test_files_in_a_container_are_files(capsys: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "day.zip", "w") as archive:
        for name in ("bank-camt053.xml", "bank-mt940.sta"):
            archive.write(SAMPLES / name, name)
    books = str(SAMPLES / "ledger.csv")
    _, told = desk(capsys, "--bank", str(tmp_path / "day.zip"), "--books", books)
    assert told["accounts"][0]["entries"] == 15


def test_the_same_statement_twice_counts_once(capsys: Any) -> None:
    files = [str(SAMPLES / name) for name in ("bank-camt053.xml", "bank-mt940.sta")]
    _, told = desk(capsys, "--bank", *files, "--books", str(SAMPLES / "ledger.csv"))
    assert told["accounts"][0]["entries"] == 15


def test_books_that_do_not_agree_are_red(capsys: Any) -> None:
    code, told = desk(
        capsys,
        "--bank",
        str(SAMPLES / "bank-camt053.xml"),
        "--books",
        str(SAMPLES / "ledger.csv"),
        "--books-balance",
        "16000.00",
    )
    assert code == 1
    assert told["accounts"][0]["unexplained"] == "131.00"
    assert told["accounts"][0]["status"] == "broken"


def test_the_report_is_written(capsys: Any, tmp_path: Path) -> None:
    code = run(
        "reconcile",
        *("--bank", str(SAMPLES / "bank-camt053.xml"), "--books", str(SAMPLES / "ledger.csv")),
        *("--report", str(tmp_path)),
    )
    assert code == 1
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [
        ".csv", ".csv", ".html", ".pdf", ".txt", ".xlsx",
    ]  # fmt: skip
    groups = next(tmp_path.glob("*-groups.csv")).read_text(encoding="utf-8-sig")
    assert "batch_run,confirmed,books,B-1110,-2180.4,EUR" in groups
    assert "not yet at the bank: 2026-11-20" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("a;b\n1;2\n", "HEADER_UNKNOWN", "'a', 'b'"),
        (HEAD + "2026-11-20;A1;12,5x\n", "AMOUNT_MALFORMED", "line 2 column 'amount': '12,5x'"),
        (HEAD + "2026-11-20;A1;1.234\n", "AMOUNT_AMBIGUOUS", "thousands or decimals"),
        (HEAD + "03/04/2026;A1;1.50\n", "DATE_AMBIGUOUS", "'03/04/2026' may be"),
        (HEAD + "2026-11-20;A1;1.50\n2026-13-20;A2;1.50\n", "DATE_MALFORMED", "line 3 column"),
        (HEAD + "2026-11-20;A1\n", "ROW_SHORT", "line 2: 2 cells"),
        (HEAD + "2026-11-20;A1;\n", "AMOUNT_MALFORMED", "line 2 has no amount"),
    ],
)
def test_a_bad_export_names_line_and_column(
    tmp_path: Path, text: str, code: str, said: str
) -> None:
    path = tmp_path / "books.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        books_csv.read(path)
    assert caught.value.code == code
    assert said in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        (HEAD + "2026-11-20;A1;1.190,00\n2026-11-20;A2;-0,50\n", ["1190.00", "-0.50"]),
        (HEAD + "2026-11-20;A1;1,190.00\n2026-11-20;A2;(0.50)\n", ["1190.00", "-0.50"]),
        (HEAD + "2026-11-20;A1;1190,00-\n2026-11-20;A2;7\n", ["-1190.00", "7"]),
        ("Datum,Beleg,Soll,Haben\n20.11.2026,A1,10.00,\n21.11.2026,A2,,4.00\n", ["10", "-4"]),
        ("Posted to: 1800\n\ndate,document,amount\n2026-11-20,A1,3.00\n", ["3"]),
    ],
)
def test_amounts_as_people_write_them(tmp_path: Path, text: str, amounts: list[str]) -> None:
    path = tmp_path / "books.csv"
    path.write_text(text)
    books = books_csv.read(path)
    assert books.items["amount"].to_pylist() == [Decimal(a) for a in amounts]


def test_columns_named_by_hand_go_first(tmp_path: Path) -> None:
    path = tmp_path / "books.csv"
    path.write_text("When,Net,amount,No\n2026-11-20,5.00,6.00,A1\n2026-11-20,5.00,6.00,A1\n")
    named = {"booked_on": "When", "amount": "Net", "document_no": "No"}
    books = books_csv.read(path, columns=named)
    assert books.items["amount"].to_pylist() == [Decimal(5), Decimal(5)]
    assert len(set(books.items["item_id"].to_pylist())) == 2  # equal lines are two items
    with pytest.raises(InputError, match="did you mean 'document_no'"):
        books_csv.read(path, columns={"document": "No"})
    with pytest.raises(InputError, match="there is no column 'Nett'"):
        books_csv.read(path, columns={**named, "due_on": "Nett"})


def test_every_books_profile_is_read(tmp_path: Path) -> None:
    for name, content in profiles.load_all("books"):
        sample = tmp_path / f"{name}.csv"
        head = (profiles.mappings_dir() / "books" / f"{name}.toml").read_text(encoding="utf-8")
        lines = [line.removeprefix("# ") for line in head.splitlines()[:2]]
        sample.write_text("\n".join(lines) + "\n")
        books = books_csv.read(sample)
        assert (books.profile, len(books.items)) == (name, 1), content


def test_wrong_usage_is_two(capsys: Any, tmp_path: Path) -> None:
    bank, books = str(SAMPLES / "bank-camt053.xml"), str(SAMPLES / "ledger.csv")
    assert run("reconcile", "--bank", bank, "--books", str(tmp_path / "none.csv")) == 2
    assert run("reconcile", "--bank", books, "--books", books) == 2
    assert run("reconcile", "--bank", bank, "--books", books, "--columns", "x") == 2
    assert run("reconcile", "--bank", bank, "--books", books, "--account", "DE0") == 2
    assert run("reconcile", "--bank", bank, "--books", books, "--ladder", "defualt") == 2
    assert "did you mean 'default'" in capsys.readouterr().err


def test_match_writes_its_tables(capsys: Any, tmp_path: Path) -> None:
    tables = world.tables(
        "B1 | 2026-11-20 | -119.00 | E2E-4711", "K1 | 2026-11-19 | -119.00 | | | E2E-4711"
    )
    for name, table in zip(("entries", "details", "items"), tables, strict=True):
        pq.write_table(table, tmp_path / f"{name}.parquet")
    words = [str(tmp_path / "entries.parquet"), str(tmp_path / "items.parquet")]
    words += ["--details", str(tmp_path / "details.parquet"), "--out", str(tmp_path / "out")]
    assert run("match", *words, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["rungs"] == {"payment_reference": 1}
    assert pq.read_table(tmp_path / "out" / "groups.parquet").num_rows == 1
    assert pq.read_table(tmp_path / "out" / "members.parquet").num_rows == 2
    assert run("match", str(tmp_path / "none"), words[1], "--out", str(tmp_path)) == 2
    assert "there is no such file" in capsys.readouterr().err
