"""One bad record in any format: said with its place and raw text, the rest is read as before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.parsers.columns import cfonb, cfonb_file, coda, coda_file, n43, n43_file
from tests.parsers.reading import mt, read
from tests.parsers.test_bai2 import bai
from tests.parsers.test_camt053 import entry, statement
from tests.parsers.test_ofx import ofx, transaction
from tests.parsers.test_ofx import statement as ofx_statement


@dataclass(frozen=True, slots=True)
class Case:
    """A file of three entries of 1, 2 and 3, how a bad amount looks, and its raw text."""

    text: str
    good: str  # the second entry's amount as it is written
    bad: str
    raw: str


def _camt(name: str, root: str, element: str) -> str:
    text = statement(entry("1.00"), entry("2.00"), entry("3.00"), closing="106")
    text = text.replace("BkToCstmrStmt", root).replace("Stmt>", element + ">")
    return text.replace("camt.053", name).replace("<Ntry>", "\n<Ntry>")


def _mt(*lines: str) -> str:
    return mt(*lines, closing="C260102EUR106,")


CASES = {
    "MT940": Case(
        _mt(*(f":61:260102C{n},00NMSCREF{n}" for n in (1, 2, 3))), "C2,00N", "C2x00N", "260102C2x00NMSCREF2",
    ),
    "MT942": Case(
        ":20:R\n:25:1\n:28C:1\n:34F:EUR0,\n:13D:2601021200+0000\n"
        + "".join(f":61:260102C{n},00NMSCREF{n}\n" for n in (1, 2, 3)) + ":90D:0EUR0,\n:90C:3EUR6,\n-\n",
        "C2,00N", "C2x00N", "260102C2x00NMSCREF2",
    ),
    "BAI2": Case(
        bai(*(f"16,165,{n}00,Z,B{n},,T{n}/" for n in (1, 2, 3)), account="1,USD,010,0,,,015,600,,"),
        "16,165,200", "16,165,2O0", "16,165,2O0,Z,B2,,T2",
    ),
    "CODA": Case(
        coda_file(*(coda("21", n, 0, n * 100, narrative=f"T{n}") for n in (1, 2, 3)), closing=10_600),
        "0000000000002000", "000000000000200X", "000000000000200X",
    ),
    "CFONB 120": Case(
        cfonb_file(*(cfonb("04", n * 100, text=f"T{n}") for n in (1, 2, 3)), closing=10_600),
        "0000000000020{", "0000000000020*", "0000000000020*",
    ),
    "AEB43": Case(
        n43_file(*(line for n in (1, 2, 3) for line in n43(n * 100)), closing=10_600),
        "00000000000200", "0000000000020X", "0000000000020X",
    ),
    "OFX": Case(
        ofx(ofx_statement(*(transaction(FITID=f"F{n}", TRNAMT=f"{n}.00") for n in (1, 2, 3)))),
        "<TRNAMT>2.00", "<TRNAMT>2..0", "2..0",
    ),
    "camt.052": Case(_camt("camt.052", "BkToCstmrAcctRpt", "Rpt"), ">2.00<", ">2.0.0<", "2.0.0"),
    "camt.053": Case(_camt("camt.053", "BkToCstmrStmt", "Stmt"), ">2.00<", ">2.0.0<", "<Sts>BOOK</Sts>"),
    "camt.054": Case(_camt("camt.054", "BkToCstmrDbtCdtNtfctn", "Ntfctn"), ">2.00<", ">2.0.0<", "2.0.0"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_bad_record_is_isolated(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    assert case.text.count(case.good) == 1
    whole = read(tmp_path, case.text)
    assert whole.format.startswith(name)
    assert whole.tables.entries["amount"].to_pylist() == [1, 2, 3]
    assert whole.tables.statements["incomplete"].to_pylist() == [False]

    damaged = case.text.replace(case.good, case.bad)
    parsed = read(tmp_path, damaged)
    (finding,) = [f for f in parsed.tables.findings if f.code == "ENTRY_UNREADABLE"]
    assert finding.severity == "error"
    assert case.raw in finding.message
    number = damaged[: damaged.index(case.bad)].count("\n") + 1
    (said,) = re.findall(r"line (\d+)", finding.where)
    assert abs(int(said) - number) <= (5 if name == "OFX" else 0)
    assert finding.remedy
    assert parsed.tables.statements["incomplete"].to_pylist() == [True]
    assert parsed.tables.statements["entry_count"].to_pylist() == [3]

    rest = [row for row in whole.tables.entries.to_pylist() if row["amount"] != 2]
    ignored = ("statement_id", "entry_id", "account_id")
    for mine, other in zip(parsed.tables.entries.to_pylist(), rest, strict=True):
        assert {k: v for k, v in mine.items() if k not in ignored} == {
            k: v for k, v in other.items() if k not in ignored
        }
    assert parsed.tables.details.num_rows == 2


@pytest.mark.parametrize("name", ["MT940", "MT942", "BAI2", "CFONB 120", "CODA"])
def test_a_statement_beside_it_stays_whole(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    damaged = case.text.replace(case.good, case.bad)
    parsed = read(
        tmp_path, damaged + case.text.replace("260102", "260103").replace("261120", "261121")
    )
    assert parsed.tables.statements["incomplete"].to_pylist() == [True, False]
    assert parsed.tables.entries.num_rows == 5
