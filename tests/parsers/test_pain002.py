"""pain.002: what the bank says, at the level it says it, and what is inherited."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

import parsers
from tests.parsers.pain import report, statuses, transaction
from tests.parsers.reading import SAMPLES, codes, read, refusal
from tieout.canonical import STATUSES
from tieout.errors import InputError
from tieout.reasons import RETURN_REASONS, STATUS_TEXTS, reason_text, status_text

_REASON = "<StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf>"
_NAMES = ("pain002_part.xml", "pain002_swiss.xml", "pain002_old.xml")


def test_every_column_is_filled_by_some_sample() -> None:
    rows = [row for name in _NAMES for row in statuses(parsers.read_file(SAMPLES / name))]
    empty = {n for n in STATUSES.names if all(row[n] is None for row in rows)}
    assert empty == {"inherits", "transaction_id"}


def test_part_names_every_level() -> None:
    parsed = parsers.read_file(SAMPLES / "pain002_part.xml")
    group, info, accepted, rejected, other = statuses(parsed)
    assert [s["level"] for s in (group, info, accepted, rejected, other)] == [
        "group", "payment_info", "transaction", "transaction", "payment_info",
    ]  # fmt: skip
    assert [s["status"] for s in (group, info, accepted, rejected, other)] == [
        "PART", "PART", "ACSP", "RJCT", "ACSP",
    ]  # fmt: skip
    assert {s["message_id"] for s in statuses(parsed)} == {"NORD-2026-1120-01"}
    assert group["status_counts"] == [
        {"status": "ACSP", "count": 3, "sum": Decimal("1660.64500")},
        {"status": "RJCT", "count": 1, "sum": Decimal("1500.50000")},
    ]
    assert (accepted["end_to_end_id"], accepted["bank_ref"]) == ("E-1", "HB20261120-1")
    assert rejected["reasons"] == ["AC04", "H-17"]
    assert rejected["additional_info"] == ["Konto erloschen", "seit 01.10.2026"]
    assert rejected["reason_originator"] == "Hansebank"
    assert (rejected["original_amount"], rejected["original_currency"]) == (
        Decimal("1500.5"), "EUR",
    )  # fmt: skip
    assert (rejected["counterparty_name"], rejected["payment_info_id"]) == (
        "Harbor Tools Inc", "RUN-88",
    )  # fmt: skip
    assert codes(parsed) == ["STATUS_NOT_LISTED", "STATUS_INHERITED"]


def test_the_old_german_form_has_transactions_under_the_message() -> None:
    parsed = parsers.read_file(SAMPLES / "pain002_old.xml")
    group, rejected = statuses(parsed)
    assert (parsed.format, group["status"]) == ("pain.002.002.02", "PART")
    assert (rejected["payment_info_id"], rejected["reason"]) == ("LAST-4-1", "AC06")
    assert rejected["counterparty_name"] == "Kunde Meyer", "a collection's other side is its debtor"
    assert rejected["requested_on"] == dt.date(2026, 11, 19)
    assert rejected["reason_originator"] == "RHEIDEKK"


@pytest.mark.parametrize("version", [*(f"001.{n:02}" for n in range(1, 15)), "002.03", "003.03"])
def test_every_version(tmp_path: Path, version: str) -> None:
    text = report(f"<PmtInfSts>RJCT</PmtInfSts>{transaction()}", version=version)
    parsed = read(tmp_path, text)
    assert parsed.format == f"pain.002.{version}"
    assert [s["status"] for s in statuses(parsed)] == ["RJCT", "RJCT"]


#: Group, payment information and transaction as far as they speak | rows level:status<inherits |
#: findings.
LEVELS = """
<GrpSts>RJCT</GrpSts> |                              |                      | group:RJCT                       | STATUS_INHERITED
<GrpSts>ACTC</GrpSts> | -                            |                      | group:ACTC payment_info:None<group | STATUS_INHERITED
<GrpSts>ACTC</GrpSts> | <PmtInfSts>ACCP</PmtInfSts>  |                      | group:ACTC payment_info:ACCP     | STATUS_INHERITED
                      | <PmtInfSts>ACCP</PmtInfSts>  |                      | payment_info:ACCP                | STATUS_INHERITED
                      | -                            | <TxSts>RJCT</TxSts>  | transaction:RJCT                 |
                      | <PmtInfSts>RJCT</PmtInfSts>  | -                    | payment_info:RJCT transaction:None<payment_info | STATUS_INHERITED
<GrpSts>RJCT</GrpSts> | -                            | -                    | group:RJCT transaction:None<group | STATUS_INHERITED
<GrpSts>PART</GrpSts> |                              |                      | group:PART                       | STATUS_PART_UNEXPLAINED
<GrpSts>PART</GrpSts> | <PmtInfSts>PART</PmtInfSts>  |                      | group:PART payment_info:PART     | STATUS_PART_UNEXPLAINED
                      | <PmtInfSts>PART</PmtInfSts>  | <TxSts>RJCT</TxSts>  | payment_info:PART transaction:RJCT | STATUS_NOT_LISTED
                      | -                            | -                    | transaction:None                 | STATUS_MISSING
                      | -                            |                      | payment_info:None                | STATUS_MISSING
                      |                              |                      | group:None                       | STATUS_MISSING
<GrpSts>NEWS</GrpSts> |                              |                      | group:NEWS                       | STATUS_UNKNOWN STATUS_INHERITED
"""


@pytest.mark.parametrize("line", LEVELS.strip("\n").splitlines())
def test_what_is_silent_inherits_and_nothing_is_invented(tmp_path: Path, line: str) -> None:
    group, info, tx, wanted, findings = (part.strip() for part in line.split("|"))
    inside = info.strip("-") + (transaction(tx.strip("-")) if tx else "")
    parsed = read(tmp_path, report(*([inside] if info else []), group=group))
    rows = [
        f"{s['level']}:{s['status']}" + (f"<{s['inherits']}" if s["inherits"] else "")
        for s in statuses(parsed)
    ]
    assert rows == wanted.split()
    assert codes(parsed) == findings.split()


def _counts(*pairs: tuple[str, str]) -> str:
    return "".join(
        f"<NbOfTxsPerSts><DtldNbOfTxs>{n}</DtldNbOfTxs><DtldSts>{s}</DtldSts></NbOfTxsPerSts>"
        for s, n in pairs
    )


FIGURES = [
    ("<OrgnlNbOfTxs>3</OrgnlNbOfTxs>", [("ACCP", "2"), ("RJCT", "1")], []),
    ("<OrgnlNbOfTxs>4</OrgnlNbOfTxs>", [("ACCP", "2"), ("RJCT", "1")], ["STATUS_COUNT_MISMATCH"]),
    ("", [("ACCP", "2"), ("RJCT", "0")], ["STATUS_COUNT_MISMATCH"]),
    ("", [("ACCP", "2"), ("RJCT", "0"), ("RJCT", "1")], []),
    ("", [("ACCP", "x")], []),
    ("<OrgnlNbOfTxs>x</OrgnlNbOfTxs>", [], ["CONTROL_COUNT_MALFORMED"]),
    ("<OrgnlCtrlSum>5.0100</OrgnlCtrlSum>", [], []),
    ("<OrgnlCtrlSum>5.0.1</OrgnlCtrlSum>", [], ["CONTROL_SUM_MALFORMED"]),
]


@pytest.mark.parametrize(("figures", "counts", "findings"), FIGURES)
def test_figures_of_a_level(
    tmp_path: Path, figures: str, counts: list[tuple[str, str]], findings: list[str]
) -> None:
    group = f"{figures}<GrpSts>PART</GrpSts>{_counts(*counts)}"
    parsed = read(tmp_path, report(f"<PmtInfSts>RJCT</PmtInfSts>{transaction()}", group=group))
    assert codes(parsed) == findings
    (head, *_) = statuses(parsed)
    assert [c["status"] for c in head["status_counts"] or []] == [s for s, _ in counts]


def test_payments_that_are_not_listed_keep_the_status_above(tmp_path: Path) -> None:
    inside = "<OrgnlNbOfTxs>3</OrgnlNbOfTxs><PmtInfSts>ACTC</PmtInfSts>"
    parsed = read(tmp_path, report(inside + transaction("<TxSts>ACSP</TxSts>")))
    (finding,) = parsed.tables.findings
    assert "the 2 payments of it that are not listed" in finding.message


def test_verification_of_payees(tmp_path: Path) -> None:
    lines = "".join(f"<AddtlInf>RVNM line {n}</AddtlInf>" for n in range(4))
    group = f"<GrpSts>RVCM</GrpSts><StsRsnInf>{lines}</StsRsnInf>" + _counts(
        ("RCVC", "1"), ("RVNM", "1"), ("RVMC", "1"), ("RVNA", "0")
    )
    inside = "".join(transaction(f"<TxSts>{s}</TxSts>") for s in ("RCVC", "RVNM", "RVMC"))
    parsed = read(tmp_path, report(inside, group=group))
    assert [s["status"] for s in statuses(parsed)] == ["RVCM", "RCVC", "RVNM", "RVMC"]
    assert statuses(parsed)[0]["additional_info"][3] == "RVNM line 3"
    assert codes(parsed) == []


def test_misspelt_namespace_and_message_name_of_any_kind(tmp_path: Path) -> None:
    for name, wanted in (("", None), ("pain.001", "pain.001"), ("pain.001.001.03.ch.02",) * 2):
        group = f"<OrgnlMsgNmId>{name}</OrgnlMsgNmId><GrpSts>ACTC</GrpSts>"
        parsed = read(tmp_path, report(group=group).replace("xmlns=", "Xmlns="))
        assert (parsed.format, statuses(parsed)[0]["message_name"]) == ("pain.002.001.03", wanted)


def test_id_behind_the_transactions_is_still_theirs(tmp_path: Path) -> None:
    late = report(transaction() * 1_000)  # more than the parser takes at once
    late = late.replace("<OrgnlPmtInfId>P1</OrgnlPmtInfId>", "").replace(
        "</OrgnlPmtInfAndSts>",
        "<OrgnlPmtInfId>P9</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts></OrgnlPmtInfAndSts>",
    )
    rows = statuses(read(tmp_path, late))
    assert {s["payment_info_id"] for s in rows} == {"P9"}
    assert [s["level"] for s in rows] == ["transaction"] * 1_000 + ["payment_info"]


def test_report_that_does_not_say_what_it_answers(tmp_path: Path) -> None:
    text = report(group="<GrpSts>RJCT</GrpSts>").replace("<OrgnlMsgId>M</OrgnlMsgId>", "")
    parsed = read(tmp_path, text)
    assert statuses(parsed)[0]["message_id"] is None
    assert codes(parsed) == ["STATUS_INHERITED", "MESSAGE_ID_MISSING"]


def test_report_about_nothing_is_refused(tmp_path: Path) -> None:
    nothing = (
        "<Document><CstmrPmtStsRpt><GrpHdr><MsgId>R</MsgId></GrpHdr></CstmrPmtStsRpt></Document>"
    )
    assert refusal(tmp_path, nothing).code == "PAIN_NO_STATUS"
    broken = "<Document\n<CstmrPmtStsRpt\n<GrpHdr>"
    assert refusal(tmp_path, broken).code == "XML_MALFORMED"


def test_malformed_amount_and_day_of_the_original(tmp_path: Path) -> None:
    original = (
        '<OrgnlTxRef><Amt><InstdAmt Ccy="EUR">1E9</InstdAmt></Amt>'
        "<ReqdExctnDt>YYYY-MM-DD</ReqdExctnDt></OrgnlTxRef>"
    )
    parsed = read(tmp_path, report(transaction(more=original)))
    assert codes(parsed) == ["AMOUNT_MALFORMED", "DATE_MALFORMED"]
    assert statuses(parsed)[0]["status"] == "RJCT"


def test_ids_come_from_content_and_equal_statuses_are_two(tmp_path: Path) -> None:
    text = report(transaction(more=_REASON) * 2)
    parsed = read(tmp_path, text)
    first = [s["status_id"] for s in statuses(parsed)]
    again = [s["status_id"] for s in statuses(read(tmp_path, text + "\n"))]
    assert first == again
    assert len(set(first)) == 2
    assert {s["file_id"] for s in statuses(parsed)} == {parsed.sha256}


def test_many_statuses_come_in_batches(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(report("<PmtInfSts>RJCT</PmtInfSts>" + transaction() * 11_000))
    module = next(m for m in parsers.FORMATS if m.NAME == "pain.002")
    assert [b.statuses.num_rows for b in module.read(path)] == [5000, 5000, 1001]


@pytest.mark.parametrize("name", _NAMES)
def test_no_cut_is_read(tmp_path: Path, name: str) -> None:
    content = (SAMPLES / name).read_bytes().rstrip()
    path = tmp_path / "cut"
    for at in range(len(content)):
        path.write_bytes(content[:at])
        with pytest.raises(InputError) as caught:
            parsers.read_file(path)
        assert caught.value.code != "READER_FAILED", at
        assert caught.value.where and caught.value.remedy, at


def test_codes_have_words() -> None:
    for known in (RETURN_REASONS, STATUS_TEXTS):
        assert list(known) == sorted(known)
        assert all(len(code) == 4 and words == words.strip() != "" for code, words in known.items())
    assert status_text("RJCT") == "RJCT: rejected"
    assert status_text("NEWS") == "NEWS"
    assert reason_text("AC04") == "AC04: account closed"
