"""What is known of single corpus files: why one is refused, does not tie, or a peer differs.

Every row was judged by the bank's own bytes (its balances, its dates, its words), never by how
many peers say so.
"""

from __future__ import annotations

__all__ = ["BY_DETAIL", "DIFFERENCES", "REFUSED", "UNPROVEN", "UNTIED"]

#: Files (of containers: ``container/member``) refused whole, and why that is right.
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
    # only a reference: what is left of a file cut behind its first line
    "wolph__mt940__betterplace_empty_line.sta": "MT_TRUNCATED",
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
    # a message element without anything in it
    "hbci4j__hbci4java__sepa_test-pain-parse-00100102.xml": "PAIN_NO_PAYMENT",
    "hbci4j__hbci4java__sepa_test-pain-parse-00100103.xml": "PAIN_NO_PAYMENT",
    "hbci4j__hbci4java__sepa_test-pain-parse-00100109.xml": "PAIN_NO_PAYMENT",
    "hbci4j__hbci4java__sepa_test-pain-parse-00100303.xml": "PAIN_NO_PAYMENT",
    "hbci4j__hbci4java__sepa_test-pain-parse-none.xml": "PAIN_NO_PAYMENT",
    # tags that are not closed
    "moov-io__iso20022__invalid_file2": "XML_MALFORMED",
    # JSON of a status report
    "moov-io__iso20022__invalid_file1": "FORMAT_UNKNOWN",
}

_BAI_NAMES = (
    "fails_integrity_on_file_control_total",
    "fails_integrity_on_numbers_of_groups",
    "fails_integrity_on_numbers_of_records",
    "ignore_integrity_checks",
    "multiple_groups",
)

#: Statements whose balances do not tie (or that have none), and why.
UNTIED = {
    "OCA__bank-statement-import__test-camt053": "entries were cut from the sample",
    "OCA__bank-statement-import__test-camt053-bookgdt-dttm": "entries were cut from the sample",
    "OCA__bank-statement-import__test-camt053-more-than-one-xml": "entries were cut; it holds two",
    "OCA__bank-statement-import__test-camt053-wrong-amount": "one entry has no amount",
    "OCA__bank-statement-import__test-camt053@10.0": "entries were cut from the sample",
    "OCA__bank-statement-import__test-camt053@9.0": "entries were cut from the sample",
    "OCA__bank-statement-import__account_statement_import_camt_test_files_test-camt053.zip": (
        "entries were cut from the two samples in it"
    ),
    "ministryofjustice__bai2__inline_test_bai2_test_write.bai2": "made-up balances",
    **{
        f"ministryofjustice__bai2__inline_test_parsers_test_{name}.bai2": "no closing balance"
        for name in _BAI_NAMES
    },
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

#: Payment files whose own counts or sums do not fit, and why.
UNPROVEN = {
    "sebastienrousseau__pain001__pain.001.001.03.xml": "a template filled with wrong counts",
    "sebastienrousseau__pain001__pain.001.001.06_pain.001.001.06.xml": "payments left out",
    "sebastienrousseau__pain001__pain.001.001.07_pain.001.001.07.xml": "payments left out",
    "sebastienrousseau__pain001__pain.001.001.08_pain.001.001.08.xml": "payments left out",
    "sebastienrousseau__pain001__pain.001.001.09_pain.001.001.09.xml": "says 2, has 5",
    "svapnil__iso20022.js__example_sepa_pain_001_v3_multiple_pmtinf.xml": "counts one of two",
    "svapnil__iso20022.js__goldman_sachs_pain_001_ach_credit.xml": "a sample's made-up sum",
}

_RC = "the peer reads RC as money in; 20 statements of the file tie only with it as money out"
_FEB = "the peer moves 30 February to the 29th; no such day stands in the file, so it is null"
_BIC = "the peer keeps the bank's BIC and the slash of :25: as part of the account number"
_LINE = "the peer takes the supplementary line behind :61: into the customer reference"
_POINTER = "KREF+ only says that the reference stands in :86:; the peer takes it for the reference"
_CUT = "the file is cut: its last statement has no closing balance; the peer reads what is there"

#: (Peer's output, fact) -> rows that differ, and whose error it is; the fact ``rows`` is the
#: whole list: rows one of both has and the other has not.
DIFFERENCES = {
    ("genkgo__camt__camt053.v2.multi.statement.xml.expected.json", "rows"): (
        1, "the peer lists the entries of the first statement of two",
    ),
    ("svenstaro__mt940-rs__mt940_full_betterplace_sepa_mt9401.sta.expected.json", "amount"): (
        2, _RC,
    ),
    ("svenstaro__mt940-rs__mt940_full_betterplace_sepa_mt9401.sta.expected.json", "entry_ref"): (
        45, _POINTER,
    ),
    ("wolph__mt940__betterplace_sepa_snippet.sta.expected.svenstaro.json", "entry_ref"): (
        1, _POINTER,
    ),
    ("svenstaro__mt940-rs__mt940_full_cmxl_mt940_2.sta.expected.json", "account"): (3, _BIC),
    ("svenstaro__mt940-rs__mt940_full_danskebank_MT940_FI_Example.sta.expected.json", "account"): (
        6, _BIC,
    ),
    ("svenstaro__mt940-rs__mt940_full_danskebank_MT940_SE_Example.sta.expected.json", "account"): (
        103, _BIC,
    ),
    ("wolph__mt940__betterplace_sepa_mt9401.sta.expected.yml", "amount"): (2, _RC),
    ("wolph__mt940__betterplace_sepa_mt9401.sta.expected.yml", "entry_ref"): (45, _LINE),
    ("wolph__mt940__betterplace_sepa_snippet.sta.expected.yml", "entry_ref"): (1, _LINE),
    ("wolph__mt940__self-provided_february_30.sta.expected.yml", "valued_on"): (1, _FEB),
    ("wolph__mt940__self-provided_transaction_details_wrapped.sta.expected.yml", "valued_on"): (
        1, _FEB,
    ),
    ("wolph__mt940__self-provided_wrapped_timestamp.sta.expected.yml", "valued_on"): (1, _FEB),
    ("wolph__mt940__self-provided_gv_codes.sta.expected.yml", "rows"): (2, _CUT),
    ("wolph__mt940__self-provided_multiline.sta.expected.yml", "rows"): (2, _CUT),
}  # fmt: skip

#: Outputs of peers that list details rather than entries.
BY_DETAIL = {
    "OCA__bank-statement-import__test-camt053.expected.pydata",
    "OCA__bank-statement-import__test-camt053@10.0.expected.pydata",
}
