"""Which tests prove what a bank file may do to us: how it arrives (1 to 16), what is in it (17 to 30).

A row a number of ``FAILURES.md`` (which stands beside the checkout and is no part of it), what it is
about in our words, and its tests: ``hostile::test_x`` is ``tests/parsers/test_hostile.py::test_x``,
``drops/sftp::test_x`` is ``tests/drops/test_sftp.py::test_x``.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FAILURES", "Failure"]

_ROWS = """
1  | part of an upload          | drops/sftp::test_a_file_changed_or_gone_since_the_listing drops/local::test_settled_wants_path_size_and_time_alike drops/local::test_temporary_names hostile::test_no_cut_is_read_in_silence cuts::test_no_cut_is_silent
2  | replaced while being read  | drops/sftp::test_a_file_changed_while_it_is_read_leaves_nothing drops/local::test_a_file_changed_while_it_is_read_leaves_nothing
3  | same file, same name       | ground/identity::test_the_same_file_again_gives_the_same_ids stages/day::test_a_second_run_takes_nothing_in_posts_nothing_and_mails_nothing
4  | same bytes, other name     | stages/containers::test_the_same_file_bare_and_in_a_container_is_taken_once stages/pgp_files::test_the_same_statement_encrypted_twice_is_taken_once
5  | same statement, two forms  | stages/one_model::test_any_order_gives_one_set_of_entries stages/one_model::test_the_second_format_says_what_differs ground/identity::test_a_statement_is_the_same_in_another_format
6  | two equal entries          | ground/identity::test_two_identical_entries_are_two_entries mt940::test_two_identical_lines_are_two_entries profiled::test_twins_are_two_entries
7  | a statement is missing     | stages/continuity::test_the_gap_is_the_missing_movement quality/controls::test_a_hole_names_the_missing_numbers
8  | intraday, then booked      | stages/interim::test_only_the_statement_counts stages/overlap::test_in_any_order_of_arrival
9  | sent again, corrected      | stages/corrected::test_a_match_is_undone_and_its_item_open_again stages/corrected::test_a_posting_is_reversed_only_by_a_person
10 | other day, other account   | quality/controls::test_a_statement_of_tomorrow_week_is_quarantined quality/controls::test_order_and_continuity quality/controls::test_account_and_currency
11 | names that reach out       | drops/sftp::test_odd_names_are_data drops/local::test_paths_stay_below_the_root drops/local::test_names_round_trip gauntlet::test_no_reader_reaches_out containers::test_damaged_and_hostile_ones_are_refused_whole
12 | no regular files, too many | drops/sftp::test_takes_regular_files_only drops/sftp::test_limits drops/local::test_leaves_out_links_pipes_folders_and_uploads drops/local::test_limits
13 | containers that lie        | containers::test_damaged_and_hostile_ones_are_refused_whole containers::test_memory_stays_small failures_listed::test_a_zip_whose_member_quotes_another
14 | PGP nobody should believe  | drops/pgp::test_nothing_else_is_believed drops/pgp::test_a_bomb_is_stopped drops/pgp::test_no_cut_and_no_flipped_bit_is_believed drops/pgp_rfc9580::test_nothing_else_is_believed
15 | another host key           | drops/sftp::test_a_changed_host_key_is_refused_before_the_login drops/sftp::test_no_pinned_host_key_says_what_to_pin
16 | the line drops or hangs    | drops/sftp::test_a_connection_cut_while_reading_leaves_nothing drops/sftp::test_an_absent_or_silent_server_ends_in_time
17 | XML that reaches out       | hostile::test_doctype_is_refused_before_parsing gauntlet::test_no_reader_reaches_out gauntlet::test_an_include_is_an_element_like_any_other
18 | cut or damaged             | hostile::test_no_cut_is_read_in_silence cuts::test_no_cut_of_a_real_file_is_silent camt_fast::test_every_cut_is_refused_as_the_strict_reader_refuses_it
19 | files of any size          | memory::test_peak_memory_is_bounded fixed_width::test_memory_does_not_grow_with_the_file profiled::test_memory_does_not_grow_with_the_file batches::test_what_stands_behind_its_rows_reaches_all_of_them
20 | depth, attributes, text    | hostile::test_bombs_are_refused_quickly hostile::test_many_attributes_are_harmless ofx::test_bombs_are_refused v11::test_bombs_are_refused_quickly profiled::test_hostile_files_are_refused_quickly
21 | wrong and mixed encodings  | gauntlet::test_every_encoding_is_read_or_refused_with_words mt940::test_control_characters_never_reach_the_tables camt053::test_wrong_encoding_declaration_is_mended_with_a_finding
22 | amounts that are none      | gauntlet::test_odd_amounts_are_refused_at_once ground/money::test_anything_else_is_refused_at_once mt940::test_amount_grammar
23 | amounts out of range       | ground/money::test_amounts_that_do_not_fit stages/reruns::test_a_file_whose_amounts_do_not_fit_is_put_aside_not_called_a_duplicate
24 | mixed currencies           | camt053::test_entry_in_another_currency_is_left_out_of_the_proof bai2::test_currency_and_minor_units bai2::test_unknown_currency_is_not_guessed ground/money::test_exponents_follow_iso_4217 quality/controls::test_account_and_currency
25 | sums that do not tie       | failures_listed::test_one_amount_changed_is_said quality/mutations::test_one_amount_changed_is_found_at_its_statement bai2::test_control_totals_and_counts
26 | days and instants          | failures_listed::test_an_instant_is_the_same_in_every_zone mt940::test_impossible_date_is_null_with_its_raw_line quirks_mt::test_nearest_year_and_closing_date_agree stages/arrival::test_due_times_follow_the_clock_of_the_account
27 | patterns made slow         | gauntlet::test_patterns_take_linear_time dialects::test_no_pattern_is_slow_on_hostile_text
28 | mappings that are wrong    | failures_listed::test_a_mapping_with_a_key_twice_or_without_an_end profiled::test_a_wrong_profile_says_where_and_the_nearest_key dialects::test_a_wrong_profile_says_where_and_the_nearest_key
30 | a file that kills its reader | stages/poison::test_a_file_that_kills_its_reader_is_put_aside_and_the_others_go_on
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """A row of the list."""

    number: int
    about: str
    tests: tuple[str, ...]


def _row(line: str) -> Failure:
    number, about, tests = (part.strip() for part in line.split("|"))
    return Failure(int(number), about, tuple(tests.split()))


#: 29 is about the ERP's master data and stands with the postings.
FAILURES = tuple(_row(line) for line in _ROWS.strip().splitlines())
