"""A refusal names the line of the mapping to mend."""

from __future__ import annotations

from tieout.profile_lines import place_of
from tieout.profiles import mappings_dir


def test_a_value_of_the_mapping_is_found_with_line_section_and_key() -> None:
    lines = (mappings_dir() / "erp" / "tryton.toml").read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, 1) if line.startswith("rounding_differences"))
    place = place_of("6960", erp="tryton")
    assert place == f"mappings/erp/tryton.toml:{number} [accounts] rounding_differences"


def test_a_bank_account_names_its_own_mapping() -> None:
    assert place_of("1810", erp="tryton").startswith("mappings/accounts/nord-eur-main.toml:")


def test_a_value_that_stands_nowhere_has_no_place() -> None:
    assert place_of("no such value", erp="tryton") == ""
    assert place_of("6855", erp="no-such-erp") == ""
