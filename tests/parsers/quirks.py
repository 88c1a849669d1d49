"""Which test proves which quirk of real bank files.

A row a quirk: the first eight hex digits of the SHA-256 of its line in ``QUIRKS.md`` (which stands
beside the checkout and is no part of it), what it is about in our words, the tests that prove it
(``mt940::test_account`` is ``tests/parsers/test_mt940.py::test_account``), and behind ``~`` the
case of a text table that shows it, as it is written in the first test's file.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["QUIRKS", "Quirk"]

_MT = r"""
b44b31df | blocks around a message        | quirks_mt::test_envelopes_and_words_around_a_message ~ {4:\r\n|-}{5:
6d8870a3 | no blocks at all               | quirks_mt::test_envelopes_and_words_around_a_message mt940::test_statement_line
5095d4fa | Swedish letters for braces     | mt940::test_swedish_braces_and_rje_dollar
7cc67843 | bank's name before it          | quirks_mt::test_envelopes_and_words_around_a_message ~ TESTNL2A\r\n940
87e5e165 | prose before it                | quirks_mt::test_envelopes_and_words_around_a_message ~ made-up file
d376ba12 | no :20:                        | mt940::test_statements_that_begin_with_their_account
01f5c211 | several statements, - $ or none | quirks_mt::test_several_statements_each_with_its_own_balances
f9410b7c | balances only                  | quirks_mt::test_a_statement_of_balances_only_is_whole
d63fabf7 | dash that ends nothing         | mt940::test_lone_dash_before_the_closing_balance_is_no_end mt940::test_wrapped_text_that_looks_like_a_tag ~ "-x"
8f8fea1c | @@ as line end                 | mt940::test_line_ends ~ "@@"
478c2526 | every line end, none at last   | mt940::test_line_ends quirks_mt::test_no_final_newline
d144bd96 | order of encodings             | mt940::test_encodings mt940::test_latin1_is_the_last_resort
e33aea44 | cp852 is never guessed         | mt940::test_encodings ~ ("cp1252", None, "Müller"
1ec5dee1 | cp852 by the caller            | mt940::test_encodings ~ ("cp852", "cp852"
7c42e63e | stray bytes                    | quirks_mt::test_stray_bytes_in_a_reference_and_in_text mt940::test_control_characters_never_reach_the_tables
e0e455c8 | byte order mark                | aeb43::test_byte_order_mark_accents_and_stripped_lines mt940::test_encodings fixed_width::test_identification_is_by_content
7b9fbba3 | very long lines                | quirks_mt::test_a_very_long_line_is_never_cut
388fcc22 | cut at 65 anywhere             | quirks_mt::test_german_text_cut_at_65_anywhere mt940::test_free_text_is_joined_where_the_line_is_full
2cf38b51 | wrapped text like a tag        | mt940::test_wrapped_text_that_looks_like_a_tag ~ ":20:44:45"
5b3ef4c0 | line end in a tag or in :61:   | mt940::test_line_cut_in_the_middle_of_61_and_of_a_tag
1e1121b8 | unknown and bent tags          | quirks_mt::test_odd_tags_do_not_stop mt940::test_unknown_tag_does_not_stop mt940::test_national_sub_lines ~ :65F:Dnullnull
60377024 | long number, :28:              | mt940::test_statement_number ~ :28C:12345678/1
5d86e54b | currency in :25:               | mt940::test_account ~ NL22 TEST 0123 4567 89 EUR
993cad22 | pages                          | mt940::test_pages_of_one_statement_are_one mt940::test_a_page_that_does_not_follow_is_a_gap
6ec6cb3b | :86: behind the closing        | mt940::test_several_86_none_and_one_after_the_closing quirks_mt::test_text_behind_any_balance_is_the_statements
ba77f095 | many :86: or none              | mt940::test_several_86_none_and_one_after_the_closing
fb7e712f | samples that do not tie        | mt940::test_balance_that_does_not_tie_is_a_warning corpus::test_balances_tie_where_they_are_known_to
21953fe8 | year of the entry date         | mt940::test_statement_line ~ 2512310102D1,00NMSC
9a390a4c | never the current year         | quirks_mt::test_the_current_year_is_never_taken
991b3a70 | year and closing date agree    | quirks_mt::test_nearest_year_and_closing_date_agree
d3baf3f1 | no entry date, or four blanks  | mt940::test_statement_line ~ 260102    DD212,39
ee4c8b32 | 30 February                    | mt940::test_impossible_date_is_null_with_its_raw_line
66050de1 | RC and RD                      | mt940::test_statement_line ~ RC7,NRTINONREF
ca28c6c5 | third letter of the currency   | mt940::test_statement_line ~ RDR7,NRTI
68bd180a | EC and ED                      | mt942::test_marks mt942::test_an_expected_entry_is_not_booked_on_its_value_date
5d5d52b4 | amounts bent                   | mt940::test_statement_line mt940::test_line_cut_in_the_middle_of_61_and_of_a_tag quirks_mt::test_blanks_around_an_amount ~ C 1,00NTRF
07de3348 | padded amounts                 | mt940::test_statement_line quirks_mt::test_blanks_around_an_amount ~ C000000013527,84
915e3607 | long customer reference        | mt940::test_statement_line quirks_mt::test_references_of_any_length ~ X-20-LONGER
29fba0c0 | long bank reference, blanks    | mt940::test_statement_line quirks_mt::test_references_of_any_length ~ TRF SVC//200101Z77
ad589f3a | slash in a reference           | mt940::test_statement_line ~ A/B 5//TRF
3e76f37b | twins but for bank reference   | quirks_mt::test_two_lines_that_differ_by_bank_reference_only mt940::test_two_identical_lines_are_two_entries
cd52aaa5 | supplementary facts            | mt940::test_supplementary_line_tells_original_amount_and_charges quirks_mt::test_supplementary_facts_are_kept
cc32e4cd | types of any kind, or none     | mt940::test_statement_line mt942::test_unusual_transaction_type ~ 260102D20,00NONREF
c17699df | entries of zero                | mt940::test_statement_line quirks_mt::test_a_zero_entry_is_an_entry ~ CD0,00NDEF
60e7dfb3 | floor limits                   | mt942::test_floor_limit
dbb8afd8 | interim sums, no balances      | mt942::test_counts_and_sums
af0aa02a | :20: is the statement's        | quirks_mt::test_the_message_reference_is_no_transaction_reference
962e350a | German sub-fields              | field86::test_dialect ~ 166?20SVWZ+x?30TESTDEFFXXX
029bbfef | keys, also cut in two          | field86::test_dialect ~ ?21SV?22WZ+Hello
598a4959 | other separators               | field86::test_dialect ~ 000+20Tea
2fdbc0bc | every sub-field ?00            | field86::test_dialect ~ 835?00A?00Rent
b2542b2f | cut IBAN in the purpose        | quirks_mt::test_text_dialects ~ NO DIGIT LOST
ad3c1f5d | Dutch words                    | field86::test_dialect ~ /ORDP//NAME/ANN
d6badd5f | blocks of 32 columns           | quirks_mt::test_text_dialects ~ GIRO   428428
d4107610 | return code                    | field86::test_dialect ~ /RTRN/AM04/
89787c42 | young banks                    | quirks_mt::test_text_dialects ~ 999SEPA_CREDIT
7b9fab2a | REMI twice, cut tag            | field86::test_dialect ~ /RE~MI/RENT
b7a9ad81 | padded text, other side        | quirks_mt::test_padded_text_and_the_other_side_behind_61
271c2c32 | words of Asia                  | quirks_mt::test_text_dialects ~ /OSDR/ANN LTD
df53d3cc | empty :86:                     | quirks_mt::test_an_empty_text_field_says_nothing
bf4310da | Polish keys, cut number        | quirks_mt::test_text_dialects ~ TNR: 1234567890.
"""

_CAMT = """
9e1415d6 | every version                  | camt053::test_every_version camt_reports::test_every_version
d5cc10ef | 20023                          | quirks_camt::test_namespaces_of_any_kind ~ iso:20023
7e3d5a03 | Austrian namespace             | quirks_camt::test_namespaces_of_any_kind ~ STUZZA
c5edb2ac | none, or misspelt              | quirks_camt::test_namespaces_of_any_kind ~ Xmlns=
2c4492d4 | business header                | quirks_camt::test_a_business_header_around_the_document
dee06f1c | documents in a row             | camt_reports::test_several_messages_in_one_file_are_all_read samples::test_sample_reads_as_accepted
34904e61 | zip of many                    | containers::test_every_file_in_it_is_one_of_its_own containers::test_parse_prints_a_line_for_each_file_in_it
45db2766 | tar.gz with pictures           | quirks_files::test_pictures_beside_the_statements_stop_nothing
a5dbf146 | statements, one empty          | quirks_camt::test_several_statements_one_without_entries
f23633ad | no entry                       | quirks_camt::test_several_statements_one_without_entries
15f55e91 | encoding not as declared       | quirks_camt::test_bytes_that_are_not_what_is_declared
57335333 | byte order mark                | quirks_camt::test_byte_order_mark pain001::test_byte_order_mark_and_no_namespace
e9fc65b4 | CR only                        | quirks_camt::test_every_kind_of_line_end
653dd37c | the other two messages         | camt_reports::test_every_version quirks_camt::test_identification_needs_no_name
d58bd282 | notification without balances  | camt_reports::test_interim_balances_are_optional camt_reports::test_reversal_without_balances_keeps_its_mark_and_says_so
3609122e | content of another version     | quirks_camt::test_content_of_another_version_is_read
304371e7 | not valid by its schema        | quirks_camt::test_what_a_schema_forbids_is_read
f24b0d80 | sign of a reversal             | quirks_camt::test_reversals_are_decided_by_the_balances camt053::test_reversal_is_turned_where_only_that_ties
3568bfbe | batch amount on details        | camt053::test_details_never_inherit_the_amount_of_a_batch camt_reports::test_a_collection_never_gives_its_sum_to_its_parts
1aad5862 | split or not, no duplicate     | quirks_camt::test_an_entry_is_the_same_with_and_without_its_details
8ab9e993 | not only the first             | quirks_camt::test_every_entry_and_every_detail_is_read
4e25457d | charges in the entry           | quirks_camt::test_charges camt053::test_details_that_do_not_sum ~ 1526 DBIT
fe2702a4 | charges beside the entry       | quirks_camt::test_charges ~ ChrgInclInd
9014896b | the right amount               | camt053::test_foreign_amount_is_never_the_detail_amount
371656b0 | direction of a rate            | quirks_camt::test_rates_are_kept_and_proven_by_the_amounts
5e08b14f | detail without amount          | camt053::test_the_only_detail_takes_the_entrys_amount quirks_camt::test_amount_of_version_02
c1b8e819 | padded, short, long amounts    | camt053::test_amounts_banks_write ~ 000000000000149.87
47c6fc57 | opening by PRCD                | camt053::test_previous_closing_is_an_opening_and_interim_pages_have_codes
f1c78d8b | other balances, twice          | quirks_camt::test_balance_codes ~ XPCD
23b87ccd | balances by BAI number         | quirks_camt::test_balance_codes ~ <Prtry>015
8884b33d | balance without mark or date   | camt053::test_balance_without_mark_or_date
76095ab9 | overdrawn                      | quirks_camt::test_an_overdrawn_account_ties quirks_mt::test_several_statements_each_with_its_own_balances
c7f6b393 | empty RvslInd                  | camt053::test_empty_reversal_indicator_is_none
cce73a08 | details elsewhere              | camt053::test_announced_details_that_are_elsewhere
08a01eeb | booking date with a time       | quirks_camt::test_booking_date_with_a_time
f52733c7 | date missing                   | camt053::test_missing_booking_date_stays_missing camt053::test_dates_are_as_written_or_null
e03704e9 | no time of creation            | camt_reports::test_time_of_creation_may_be_the_messages
342bc0d3 | odd timestamps                 | camt053::test_dates_are_as_written_or_null ~ T11:17:11:735
3d3e72dd | status as text or code         | camt053::test_status_as_text_or_code
07d10dc9 | pending beside booked          | camt_reports::test_status camt053::test_only_booked_entries_count_for_the_balance
1ae81584 | one booking, three messages    | quirks_camt::test_the_same_booking_in_three_messages_has_one_id
023d10ef | other account ids              | quirks_camt::test_accounts camt_reports::test_swiss_references
ae72b133 | parties at either depth        | camt053::test_counterparty_is_the_other_side quirks_camt::test_content_of_another_version_is_read
b15ec096 | all remittance                 | camt053::test_all_remittance_is_kept quirks_camt::test_a_rejected_marker_hides_no_reference
5d3dd517 | type of a reference            | quirks_camt::test_a_rejected_marker_hides_no_reference camt_reports::test_swiss_references
2f99d439 | only the entry's text          | quirks_camt::test_the_entrys_own_text_stands_beside_its_details
69690b7a | text over 140                  | camt053::test_all_remittance_is_kept
7af65f66 | transaction codes              | quirks_camt::test_transaction_codes ~ NTRF+166+9310
462865a9 | words for nothing              | quirks_camt::test_words_for_nothing_are_no_data
ca9a6c54 | reason of a return             | quirks_camt::test_the_reason_of_a_return camt053::test_returned_payment_names_the_payee_and_the_reason
"""

_OTHERS = """
e91a7531 | 88 anywhere                    | bai2::test_summary ~ ,010,500,,,045/~88,4626045
0d18783b | ,/ at the end                  | bai2::test_summary ~ ,010,500,,,/
24263d75 | any number of 88               | bai2::test_summary ~ /~88,,,100,+00000001589285/~88
6260e46c | commas and slashes in text     | bai2::test_detail ~ ON 11/16,2026
73006e1f | 88 with a colon                | bai2::test_detail ~ 88:TWO
07299fe3 | continued without a code       | bai2::test_detail ~ TWO WITHOUT CODE
290c4ea4 | several records on a line      | bai2::test_several_records_on_a_line
02edcaec | records of 80                  | bai2::test_full_lines_are_joined_without_a_blank samples::test_sample_reads_as_accepted
f75a3284 | groups and funds types         | bai2::test_summary bai2::test_detail ~ ,100,500,1,S,500,0,0
068f4759 | signed, padded amounts         | bai2::test_detail ~ +00000004060801
26ede968 | unknown type codes             | bai2::test_summary bai2::test_detail ~ ,706,100,,,708
9ddfcf35 | version 3                      | bai2::test_version_3_and_what_may_stand_before_the_header
bd517e0c | wrong control totals           | bai2::test_control_totals_and_counts bai2::test_one_wrong_account_is_no_reason_to_doubt_the_others
e350adba | currency missing               | bai2::test_currency_and_minor_units
2510914c | blank total, no summary        | bai2::test_control_totals_and_counts bai2::test_summary ~ ,3     | ,1,5
eab64b4d | blank lines                    | bai2::test_detail bai2::test_several_records_on_a_line ~ ONE/  ~~  ~88,TWO
2fd61648 | Swiss namespace                | quirks_files::test_payment_namespaces ~ six-interbank-clearing.com/de/pain.002
4aa2e638 | German namespaces              | quirks_files::test_payment_namespaces pain001::test_every_version ~ urn:swift:xsd:$pain.001.002.02
14b17804 | status at one level            | pain002::test_what_is_silent_inherits_and_nothing_is_invented
ff7fc8c1 | PART with counts               | pain002::test_figures_of_a_level pain002::test_part_names_every_level
647c34a4 | verification of payees         | pain002::test_verification_of_payees
c0c9266a | name of the original           | pain002::test_misspelt_namespace_and_message_name_of_any_kind
dc7dbe25 | placeholder dates              | pain001::test_requested_day ~ YYYY-MM-DD
3bb6e1a6 | OFX charset                    | ofx::test_the_bytes_decide_the_encoding ~ 1252       | utf-8
b92c75bf | OFX tags open and closed       | ofx::test_tags_open_closed_and_odd
0f77979f | OFX root, line feeds, CCSTMTRS | ofx::test_blank_in_the_root_tag_and_no_header ofx::test_no_line_feeds_at_all ofx::test_card_statement_closed_by_the_banks_tag ofx::test_empty_id_is_told_once_and_twins_stay_two
789b07a5 | OFX entities, unknown tags     | ofx::test_tags_open_closed_and_odd ofx::test_balances_are_what_the_bank_states ~ unknown leaves
37207b02 | CODA totals                    | coda::test_a_total_and_its_details_are_one_entry coda::test_kinds_of_totals
f0615fa7 | CODA records 31, accounts      | coda::test_all_information_records_of_a_movement coda::test_account_structures coda::test_statements_of_several_accounts_and_currencies
beba4713 | CFONB overpunch                | cfonb120::test_overpunched_amounts
49812f9f | CFONB lines, accents, notices  | cfonb120::test_no_line_ends_and_many_kinds_of_them cfonb120::test_accents_in_latin_1 cfonb120::test_notices_are_no_entries cfonb120::test_an_entry_with_everything quirks_files::test_signs_in_columns_that_are_reserved
dff7ca3d | AEB43 zeros, 978, twins        | aeb43::test_zero_rows_may_be_counted_on_either_side aeb43::test_currency_by_number aeb43::test_identical_rows_are_two_entries
"""


@dataclass(frozen=True, slots=True)
class Quirk:
    """One row: the digest of its line, what it is about, test names, and a case or ``""``."""

    line: str
    about: str
    tests: tuple[str, ...]
    case: str


def _row(text: str) -> Quirk:
    line, about, rest = text.split(" | ", 2)
    tests, _, case = rest.partition(" ~ ")
    return Quirk(line, about.strip(), tuple(tests.split()), case.strip())


#: Every quirk, in the order of the list.
QUIRKS = tuple(_row(row) for row in (_MT + _CAMT + _OTHERS).splitlines() if row)
