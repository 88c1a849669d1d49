"""Real files of other projects: each is read completely or refused with where and remedy.

The corpus stands beside the checkout and is no part of it; without it these tests are skipped.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import parsers
from parsers import Parsed
from tests.parsers import peers
from tieout.errors import InputError

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
FOLDERS = (
    "camt.052",
    "camt.053",
    "camt.054",
    "mt940",
    "mt942",
    "mt9xx-fragment",
    "bai2",
    "coda",
    "cfonb120",
    "aeb43",
    "ofx",
    "v11",
)

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")

#: Files refused whole, and why that is right.
REFUSED = {
    # no statement at all
    "kedder__ofxstatement-iso20022__unsupported.xml": "CAMT_NO_STATEMENT",
    "viafintech__camt_parser__053_valid_namespace.xml": "CAMT_NO_STATEMENT",
    "viafintech__camt_parser__general_invalid_namespace.xml": "CAMT_NO_STATEMENT",
    "hbci4j__hbci4java__sepa_test-camt-parse-none.xml": "CAMT_NO_STATEMENT",
    # broken by a code formatter: "< Dt>"
    "svapnil__iso20022.js__bank_of_montreal_camt053_v2_2.xml": "XML_MALFORMED",
    # the last or another statement has no closing balance
    "fruitl00p__php-mt940__Rabo_sample2": "MT_TRUNCATED",
    "railslove__cmxl__mt940-with-colon-after-line-break.txt": "MT_TRUNCATED",
    "sandermarechal__jejik-mt940__K4262927_20200905-080000-952.txt": "MT_TRUNCATED",
    "sandermarechal__jejik-mt940__lbbw2.txt": "MT_TRUNCATED",
    "sandermarechal__jejik-mt940__oldenburgischelandesbank2.txt": "MT_TRUNCATED",
    "wolph__mt940__self-provided_gv_codes.sta": "MT_TRUNCATED",
    "wolph__mt940__self-provided_multiline.sta": "MT_TRUNCATED",
    "zilverline__mt940__knab_knab_invalid.txt": "MT_TRUNCATED",
    # only a reference or an account: what is left of a file cut behind its first line
    "wolph__mt940__betterplace_currency_in_25.sta": "MT_TRUNCATED",
    "wolph__mt940__betterplace_empty_line.sta": "MT_TRUNCATED",
    "wolph__mt940__cmxl_account_identification_iban.sta": "MT_TRUNCATED",
    "wolph__mt940__cmxl_reference.sta": "MT_TRUNCATED",
    # BAI2 without an account, of version 1, and with a header of code 00
    "ministryofjustice__bai2__inline_test_parsers_test_fails_if_no_groups_found.bai2": (
        "BAI_NO_STATEMENT"
    ),
    "ministryofjustice__bai2__inline_test_parsers_test_only_version_2_supported.bai2": (
        "BAI_VERSION"
    ),
    "moov-io__bai2__errors_sample-parseError.txt": "FORMAT_UNKNOWN",
    # no statement: a list of accounts, errors of the bank, investments
    "jseutter__ofxparse__account_listing_aggregation.ofx": "OFX_NO_STATEMENT",
    "jseutter__ofxparse__error_message.ofx": "OFX_STATUS",
    "jseutter__ofxparse__signon_fail.ofx": "OFX_STATUS",
    "jseutter__ofxparse__fidelity-brokerage.ofx": "OFX_INVESTMENT",
    "jseutter__ofxparse__fidelity.ofx": "OFX_INVESTMENT",
    "jseutter__ofxparse__investment_401k.ofx": "OFX_INVESTMENT",
    "jseutter__ofxparse__investment_medium.ofx": "OFX_INVESTMENT",
    "jseutter__ofxparse__td_ameritrade.ofx": "OFX_INVESTMENT",
    "jseutter__ofxparse__vanguard.ofx": "OFX_INVESTMENT",
    # pieces without 01, and a 07 whose 01 is missing
    "pennylane-hq__cfonb__end_of_statement_without_beginning.txt": "CFONB_TRUNCATED",
    "pennylane-hq__cfonb__operation.txt": "CFONB_TRUNCATED",
    "pennylane-hq__cfonb__operation_already_defined.txt": "CFONB_TRUNCATED",
    "pennylane-hq__cfonb__operation_unstarted.txt": "CFONB_TRUNCATED",
}

#: Statements whose balances do not tie (or that have none), and why.
UNTIED = {
    "OCA__bank-statement-import__test-camt053": "entries were cut from the sample",
    "OCA__bank-statement-import__test-camt053-bookgdt-dttm": "entries were cut from the sample",
    "OCA__bank-statement-import__test-camt053-more-than-one-xml": "entries were cut; it holds two",
    "OCA__bank-statement-import__test-camt053-wrong-amount": "one entry has no amount",
    "OCA__bank-statement-import__test-camt053@10.0": "entries were cut from the sample",
    "OCA__bank-statement-import__test-camt053@9.0": "entries were cut from the sample",
    "ministryofjustice__bai2__inline_test_bai2_test_write.bai2": "made-up balances",
    **dict.fromkeys(
        (
            f"ministryofjustice__bai2__inline_test_parsers_test_{name}.bai2"
            for name in (
                "fails_integrity_on_file_control_total",
                "fails_integrity_on_numbers_of_groups",
                "fails_integrity_on_numbers_of_records",
                "ignore_integrity_checks",
                "multiple_groups",
            )
        ),
        "no closing balance",
    ),
    "moov-io__bai2__data_sample.txt": "only available balances",
    "moov-io__bai2__sample1-btrs.txt": "only available balances",
    "moov-io__bai2__sample1.txt": "only available balances",
    "genkgo__camt__camt053.v2.minimal.xml": "opening EUR, closing SEK",
    "genkgo__camt__camt053.v2.with-account-name.xml": "only CLAV",
    "genkgo__camt__camt053.v2.with-party-ids.xml": "opening EUR, closing SEK",
    "genkgo__camt__camt053.v3.xml": "opening EUR, closing SEK",
    "genkgo__camt__camt053.v4.xml": "opening EUR, closing SEK",
    "genkgo__camt__camt053.v8.xml": "opening EUR, closing SEK",
    "jseutter__ofxparse__fail_nice_empty_balance.ofx": "the balance is blank",
    "kedder__ofxstatement-iso20022__gcamp6.xml": "amounts were changed",
    "moov-io__iso20022__camt.053_P_CH2909000000250094239_1110092698_0_2020112503071366.xml": (
        "closing leaves out the entry valued tomorrow"
    ),
    "sebastienrousseau__bankstatementparser__golden_camt053_duplicate_same_day.xml": "no balance",
    "sebastienrousseau__bankstatementparser__sample.ofx": "no balance",
    "svapnil__iso20022.js__bank_of_montreal_camt053_v2_1.xml": "entries were cut from the sample",
    "svapnil__iso20022.js__goldman_sachs_camt_053_us_v2_sample.xml": "made-up amounts of 10",
    "viafintech__camt_parser__053_valid_example_with_datetime.xml": "no opening balance",
    "viafintech__camt_parser__053_valid_example_with_debit.xml": "a mark was changed by hand",
    "viafintech__camt_parser__053_valid_example_with_instdamt.xml": "amounts were changed",
    # CODA: the balances are of other accounts and statements
    "wimverstuyf__php-coda-parser__sample2.cod": "entries were cut from the sample",
    "wimverstuyf__php-coda-parser__sample3.cod": "old and new balance are made up",
    "wimverstuyf__php-coda-parser__sample5.cod": "entries were cut from the sample",
    "wimverstuyf__php-coda-parser__sample6.cod": "entries were cut from the sample",
}

_RC = "the peer reads RC as money in; 20 statements tie only with RC as money out"
_FEB = "the peer moves 30 February to the 29th; here it is null with a finding"
#: Peer's output: how many rows differ (both ways counted), and whose error it is.
DISAGREEMENTS = {
    "genkgo__camt__camt053.v2.multi.statement.xml.expected.json": (
        1, "the peer lists the entries of one statement of two",
    ),
    "svenstaro__mt940-rs__mt940_full_betterplace_sepa_mt9401.sta.expected.json": (4, _RC),
    "wolph__mt940__betterplace_sepa_mt9401.sta.expected.yml": (4, _RC),
    "wolph__mt940__self-provided_february_30.sta.expected.yml": (2, _FEB),
    "wolph__mt940__self-provided_transaction_details_wrapped.sta.expected.yml": (2, _FEB),
    "wolph__mt940__self-provided_wrapped_timestamp.sta.expected.yml": (2, _FEB),
}  # fmt: skip
#: Peers that list details rather than entries.
BY_DETAIL = {
    "OCA__bank-statement-import__test-camt053.expected.pydata",
    "OCA__bank-statement-import__test-camt053@10.0.expected.pydata",
}


#: How an entry begins in formats of lines; in CODA details have a number.
_ENTRY_RECORDS = {
    "MT940": rb"^:61:",
    "MT942": rb"^:61:",
    "CODA": rb"^21\d{4}0000",
    "CFONB 120": rb"^04",
    "AEB43": rb"^22",
    "v11 type 3": rb"^[01]",
}


def _files() -> list[Path]:
    return [p for name in FOLDERS for p in sorted((CORPUS / name).glob("*")) if p.is_file()]


def _outputs() -> list[tuple[Path, Path]]:
    return [(file, output) for file in _files() for output in peers.outputs(CORPUS, file)]


def _read(path: Path) -> Parsed | None:
    try:
        return parsers.read_file(path)
    except InputError as error:
        assert REFUSED.get(path.name) == error.code, error
        assert error.where, error
        assert error.remedy, error
        return None


def _notes() -> dict[str, str]:
    lines = (CORPUS / "MANIFEST.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in lines if line]
    return {row[1]: row[8] for row in rows}


@pytest.mark.parametrize("path", _files(), ids=lambda p: p.name)
def test_read_completely_or_refused(path: Path) -> None:
    parsed = _read(path)
    if parsed is None:
        return
    tables = parsed.tables
    assert path.name not in REFUSED
    assert _raw_entries(path) == tables.entries.num_rows + _unreadable(parsed)
    owners = Counter(tables.details["entry_id"].to_pylist())
    assert set(owners) == set(tables.entries["entry_id"].to_pylist())
    assert all(f.where and f.message for f in tables.findings)
    assert all(f.remedy for f in tables.findings if f.severity != "info")
    for table in (tables.statements, tables.entries, tables.details):
        for row in table.to_pylist():
            _no_control_characters(row)


def _no_control_characters(row: dict[str, Any]) -> None:
    for value in row.values():
        assert not (
            isinstance(value, str) and re.search("[\x00-\x08\x0e-\x1f\ud800-\udfff]", value)
        )


def _unreadable(parsed: Parsed) -> int:
    return sum(f.code == "ENTRY_UNREADABLE" for f in parsed.tables.findings)


def _raw_entries(path: Path) -> int:
    """Entries counted in the bytes, without a parser."""
    data = path.read_bytes()
    if path.parent.name == "bai2":
        return len(re.findall(rb"^16,", data, re.M))
    record = _ENTRY_RECORDS.get(parsers.identify(data[: parsers.HEAD_BYTES]) or "")
    if record is not None:
        return len(re.findall(record, data, re.M))
    if path.parent.name == "ofx":
        return len(re.findall(rb"<STMTTRN>", data))
    return len(re.findall(rb"<(?:\w+:)?Ntry>", data))


@pytest.mark.parametrize("path", _files(), ids=lambda p: p.name)
def test_balances_tie_where_they_are_known_to(path: Path) -> None:
    parsed = _read(path)
    if parsed is None or path.parent.name == "mt9xx-fragment":
        return
    untied = sum(f.code in ("BALANCE_MISMATCH", "BALANCE_MISSING") for f in parsed.tables.findings)
    note = re.search(r"balances tie (\d+)/(\d+)", _notes()[f"{path.parent.name}/{path.name}"])
    if note is not None:
        # Pages of one statement are one statement here and several in the note.
        assert untied == int(note[2]) - int(note[1])
    else:
        assert (untied > 0) == (path.name in UNTIED)


@pytest.mark.parametrize(
    ("path", "output"), _outputs(), ids=lambda p: p.name if ".expected" in p.name else ""
)
def test_agrees_with_the_peer(path: Path, output: Path) -> None:
    parsed = _read(path)
    if parsed is None:
        return
    wanted = peers.expected(output)
    rows = parsed.tables.entries.to_pylist()
    name = "booked_on" if path.parent.name.startswith("camt") else "valued_on"
    found: peers.Facts = [(row[name], row["amount"]) for row in rows]
    if output.name in BY_DETAIL:
        days = {row["entry_id"]: row[name] for row in rows}
        details = parsed.tables.details.to_pylist()
        found = [(days[d["entry_id"]], d["amount"]) for d in details]
    ours, theirs = Counter(found), Counter(wanted)
    differ = sum((ours - theirs).values()) + sum((theirs - ours).values())
    count, reason = DISAGREEMENTS.get(output.name, (0, ""))
    assert differ == count, reason
    if not count:
        assert found == wanted
