"""CFONB 120: what each record says, and what damage does to it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.parsers.columns import CFONB, cfonb, cfonb_file, overpunched
from tests.parsers.reading import codes, entries, read, refusal


def _more(kind: str, text: str) -> str:
    return cfonb("05", kind=kind, text=text)


def test_an_entry_with_everything(tmp_path: Path) -> None:
    content = cfonb_file(
        cfonb("04", -2_500, text="PRLV SEPA FOURNISSEUR", cib="B1", number="0000042", ref="RUN-7"),
        _more("LIB", "CONTRAT 4711"),
        _more("NPY", "NORDLICHT SARL"),
        _more("NBE", "FOURNISSEUR SA"),
        _more("NBU", "GROUPE FOURNISSEUR"),
        _more("RCN", "E2E-7".ljust(35) + "SUPP"),
        _more("REF", "INSTR-1".ljust(35) + "REMISE 9"),
        _more("RUM", "MANDAT-1".ljust(35) + "RCUR"),
        _more("LCC", "FACTURE 2026/0417 COMMANDE".ljust(67) + "NUM"),
        _more("LC2", "ERO 777"),
        _more("LCS", "RF18539007547034".ljust(35)),
        _more("CBE", "FR7630006000011234567890189"),
        _more("FEE", "EUR2" + overpunched(-150)),
        _more("MMO", "USD2" + overpunched(2_750) + "4" + "00000011000"),
        _more("ZZZ", "OWN QUALIFIER"),
        closing=7_500,
    )
    parsed = read(tmp_path, content)
    assert codes(parsed) == []
    statement = parsed.tables.statements.to_pylist()[0]
    assert (statement["format"], parsed.format) == ("CFONB 120", "CFONB 120")
    assert statement["account_id"] == "300661094700012345678"
    assert (statement["account_scheme"], statement["currency"]) == ("other", "EUR")
    (entry,) = entries(parsed)
    assert (entry["amount"], entry["entry_ref"]) == (Decimal(-25), "RUN-7")
    assert entry["narrative"] == "PRLV SEPA FOURNISSEUR\nCONTRAT 4711"
    assert entry["code_proprietary"] == "B1"
    wanted = {
        "counterparty_name": "FOURNISSEUR SA",
        "ultimate_name": "GROUPE FOURNISSEUR",
        "counterparty_account": "FR7630006000011234567890189",
        "end_to_end_id": "E2E-7",
        "purpose": "SUPP",
        "instruction_id": "INSTR-1",
        "mandate_id": "MANDAT-1",
        "transaction_id": "0000042",
        "reference": "RF18539007547034",
        "reference_type": "SCOR",
        "charges": Decimal("-1.50"),
        "original_amount": Decimal("-27.50"),
        "original_currency": "USD",
        "fx_rate": Decimal("1.1"),
    }
    assert {name: entry[f"d_{name}"] for name in wanted} == wanted
    assert entry["d_narrative"] == (
        "FACTURE 2026/0417 COMMANDE NUMERO 777\nREMISE 9\nRCUR\nZZZ OWN QUALIFIER"
    )


AMOUNTS = """
# decimals, currency, amount -> value
2 EUR 0000000001904} | -190.40
2 EUR 0000000001904{ | 190.40
2 EUR 0000000000974I | 97.49
2 EUR 0000000002412J | -241.21
2 EUR 0000000000001R | -0.19
2 EUR 0000000000000} | 0.00
2 EUR 0000000001904é | 190.40
2 EUR 0000000001904è | -190.40
2 EUR 00000000019040 | 190.40
0 JPY 0000000000120{ | 1200
3 KWD 0000000000120A | 1.201
- EUR 0000000001904{ | 190.40
9 EUR 0000000001904{ | None
2 EUR 0000000001904Z | None
2 EUR 000000000190,{ | None
2 EUR 0000000000000+ | None
2 EUR ١٢٣٤٥٦٧٨٩٠١٢٣{ | None
"""


@pytest.mark.parametrize("line", [t for t in AMOUNTS.strip().splitlines() if t[0] != "#"])
def test_overpunched_amounts(tmp_path: Path, line: str) -> None:
    text, _, wanted = line.partition(" | ")
    places, currency, amount = text.split()
    account = CFONB.replace("EUR2", currency + places.replace("-", " "))
    content = cfonb_file(cfonb("04", amount, account=account), account=account)
    parsed = read(tmp_path, content)
    found = parsed.tables.entries["amount"].to_pylist()
    if wanted == "None":
        assert found == []
        assert "ENTRY_UNREADABLE" in codes(parsed)
        assert parsed.tables.statements["incomplete"].to_pylist() == [True]
    else:
        assert found == [Decimal(wanted)]


_BODY = [cfonb("04", 500, text="VIREMENT RECU"), _more("NPY", "CLIENT SA")]
_GOOD = cfonb_file(*_BODY, closing=10_500)


def test_no_line_ends_and_many_kinds_of_them(tmp_path: Path) -> None:
    wanted = entries(read(tmp_path, _GOOD))
    for joint, second in (("", 2), ("\n", 2), ("\r", 2), ("\n\n\n", 4), ("\r\n\r\n", 3)):
        parsed = read(tmp_path, joint.join(_GOOD.splitlines()))
        found = entries(parsed)
        assert codes(parsed) == []
        assert [e["entry_id"] for e in found] == [e["entry_id"] for e in wanted]
        assert found[0]["line_no"] == second


def test_a_long_file_without_line_ends(tmp_path: Path) -> None:
    entry = cfonb("04", 1)
    content = cfonb_file(*[entry] * 12_000, closing=22_000).replace("\r\n", "")
    assert len(content) > 1_000_000
    parsed = read(tmp_path, content)
    assert codes(parsed) == []
    assert parsed.tables.entries.num_rows == 12_000
    assert parsed.tables.entries["line_no"].to_pylist()[-1] == 12_001
    assert len(set(parsed.tables.entries["entry_id"].to_pylist())) == 12_000


@pytest.mark.parametrize("joint", ["", "\r\n"])
def test_accents_in_latin_1(tmp_path: Path, joint: str) -> None:
    content = _GOOD.replace("VIREMENT RECU", "VIREMENT REÇU").replace("CLIENT SA ", "CLIENT ÉTÉ")
    parsed = read(tmp_path, content.replace("\r\n", joint).encode("latin-1"))
    assert codes(parsed) == ["TEXT_ENCODING"]
    (entry,) = entries(parsed)
    assert (entry["narrative"], entry["d_counterparty_name"]) == ("VIREMENT REÇU", "CLIENT ÉTÉ")
    assert entry["amount"] == Decimal(5)


def test_columns_counted_in_utf_8_bytes(tmp_path: Path) -> None:
    content = _GOOD.replace("VIREMENT RECU ", "VIREMENT REÇU")  # one column less, same bytes
    parsed = read(tmp_path, content.encode())
    assert codes(parsed) == []
    assert entries(parsed)[0]["narrative"] == "VIREMENT REÇU"


def test_utf_16_and_byte_order_mark(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        assert codes(read(tmp_path, _GOOD.encode(encoding))) == []


NOTICES = [
    f"01{CFONB}".ljust(48) + "** PAS DE MOUVEMENT CE JOUR **",
    f"01{CFONB}".ljust(48) + "-" * 60,
    "** PAS DE MOUVEMENT **",
    "-" * 120,
    cfonb("04", 0, text="** PAS DE MOUVEMENT **"),
]


@pytest.mark.parametrize("notice", NOTICES)
def test_notices_are_no_entries(tmp_path: Path, notice: str) -> None:
    first, last = cfonb_file().splitlines()
    for content in (f"{first}\n{notice}\n{last}", f"{first}\n{last}\n{notice}"):
        parsed = read(tmp_path, content)
        assert codes(parsed) == []
        assert parsed.tables.entries.num_rows == 0
    if "PAS DE" in notice:
        parsed = read(tmp_path, f"{first}\n{notice}\n{last}")
        assert "PAS DE MOUVEMENT" in str(parsed.tables.statements["narrative"].to_pylist()[0])


def test_a_masked_card_number_is_no_notice(tmp_path: Path) -> None:
    content = cfonb_file(cfonb("04", -100, text="ACHAT CB ****1234"), closing=9_900)
    assert len(entries(read(tmp_path, content))) == 1
    broken = content.replace("0000000001000}", "000000000X000}").replace("0000000000010}", "X" * 14)
    assert "ENTRY_UNREADABLE" in codes(read(tmp_path, broken))


def test_several_accounts(tmp_path: Path) -> None:
    dollar = CFONB.replace("EUR2", "USD2").replace("12345678", "12345679")
    other = cfonb_file(cfonb("04", 7, account=dollar), closing=10_007, account=dollar)
    parsed = read(tmp_path, _GOOD + other)
    assert codes(parsed) == []
    assert parsed.tables.statements["currency"].to_pylist() == ["EUR", "USD"]
    assert [e["account_id"][-1] for e in parsed.tables.entries.to_pylist()] == ["8", "9"]


def test_references_that_are_none(tmp_path: Path) -> None:
    for ref in ("", "0000000000000000", "................", "NOTPROVIDED"):
        (entry,) = entries(read(tmp_path, cfonb_file(cfonb("04", 0, ref=ref))))
        assert entry["entry_ref"] is None
        assert entry["d_transaction_id"] is None


def test_cheques_and_rejects(tmp_path: Path) -> None:
    content = cfonb_file(
        cfonb("04", -100, cib="01", number="0004711"),
        cfonb("04", 100, cib="21", rejected="05"),
    )
    first, second = entries(read(tmp_path, content))
    assert (first["d_cheque_no"], first["d_transaction_id"]) == ("0004711", None)
    assert (second["d_return_reason"], second["reversal"]) == ("05", False)


def test_the_other_side_by_direction(tmp_path: Path) -> None:
    for minor, wanted in ((100, "PAYER"), (-100, "PAYEE")):
        body = [cfonb("04", minor), _more("NPY", "PAYER"), _more("NBE", "PAYEE")]
        (entry,) = entries(read(tmp_path, cfonb_file(*body, closing=10_000 + minor)))
        assert entry["d_counterparty_name"] == wanted


_ALIEN = CFONB.replace("30066", "30067")
DAMAGE = {
    # name: records between the balances, closing, findings, is the statement incomplete
    "no amount": ([cfonb("04", "0000000X00050{"), *_BODY[1:], cfonb("04", 1)], 10_001,
                  ["ENTRY_UNREADABLE"], True),
    "no such day": ([cfonb("04", 1, valued="300226")], 10_001, ["DATE_MALFORMED"], False),
    "no day": ([cfonb("04", 1, booked="      ")], 10_001, ["DATE_MISSING"], False),
    "text alone": ([_more("LIB", "X")], 10_000, ["RECORD_ORPHAN"], True),
    "no record": ([*_BODY, "99" * 60, _more("LIB", "X")], 10_500,
                  ["RECORD_UNKNOWN", "RECORD_ORPHAN"], True),
    "alien entry that ties": ([cfonb("04", 1, account=_ALIEN)], 10_001,
                              ["STATEMENT_DOUBTFUL"], False),
    "alien entry": ([cfonb("04", 1, account=_ALIEN)], 10_000,
                    ["STATEMENT_DOUBTFUL", "BALANCE_MISMATCH"], True),
    "alien currency": ([cfonb("04", 1, account=CFONB.replace("EUR", "USD"))], 10_000,
                       ["CURRENCY_DIFFERS"], False),
    "too long": ([cfonb("04", 1) + "BEHIND"], 10_001, ["TEXT_TRAILING"], False),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_one_bad_record_is_isolated(tmp_path: Path, name: str) -> None:
    body, closing, wanted, incomplete = DAMAGE[name]
    parsed = read(tmp_path, cfonb_file(*body, closing=closing))
    assert codes(parsed) == wanted
    assert parsed.tables.statements["incomplete"].to_pylist() == [incomplete]
    for finding in parsed.tables.findings:
        assert "line " in finding.where
        assert finding.remedy


def test_unreadable_balances(tmp_path: Path) -> None:
    for raw in (overpunched(10_000), overpunched(10_500)):
        parsed = read(tmp_path, _GOOD.replace(raw, "0000X" + raw[5:]))
        assert codes(parsed) == ["BALANCE_UNREADABLE", "BALANCE_MISSING"]
        assert parsed.tables.statements["incomplete"].to_pylist() == [True]


REFUSED = {
    "no 07": "".join(_GOOD.splitlines(keepends=True)[:-1]),
    "no 01": "".join(_GOOD.splitlines(keepends=True)[1:]),
    "only 04": _BODY[0],
    "only 05": _BODY[1],
    "a second 01": _GOOD.splitlines()[0] + "\n" + _GOOD,
    "a second 07": _GOOD + _GOOD.splitlines()[-1],
    "a cut amount": _GOOD.rstrip()[:-3],
    "a cut record behind": _GOOD + "01300",
    "a cut record behind, unbroken": (_GOOD + "01300").replace("\r\n", ""),
    "a cut record number": _GOOD + "0",
}


@pytest.mark.parametrize("name", REFUSED)
def test_broken_groups_are_refused(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, REFUSED[name]).code == "CFONB_TRUNCATED"
