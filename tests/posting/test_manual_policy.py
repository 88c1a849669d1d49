"""The policy's ``[manual]`` section: its limits, and errors that name the key."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tieout.adjustments.manual import Manual, load_manual
from tieout.adjustments.policy import load_policy
from tieout.errors import ProfileError


def test_the_shipped_policy_says_what_people_may_do() -> None:
    manual = load_policy("default").manual
    assert manual == Manual(Decimal("25.00"), Decimal("10000.00"), "four_eyes")


def test_without_a_section_nothing_is_left_over_and_all_takes_two() -> None:
    manual = load_manual({}, "policy")
    assert not manual.allows(1, 0, "EUR")
    assert manual.allows(0, 99, "EUR")
    assert manual.needs_second(1, "EUR")


# residual | earlier | currency | allowed with 25.00
ALLOWED = """
2500  0    EUR yes
-2500 0    EUR yes
2501  0    EUR no
-1    2500 EUR no
-1    2499 EUR yes
0     9999 EUR yes
25    0    JPY yes
26    0    JPY no
25000 0    KWD yes
25001 0    KWD no
"""


@pytest.mark.parametrize("line", ALLOWED.strip().splitlines())
def test_the_limit_is_of_all_that_was_left_over(line: str) -> None:
    residual, earlier, currency, allowed = line.split()
    manual = Manual(residual_max=Decimal("25.00"))
    assert manual.allows(int(residual), int(earlier), currency) == (allowed == "yes")


# key | value | what is said
WRONG = """
residual_mx     | "1"  | did you mean 'residual_max'?
force           | "me" | one of alone, four_eyes, never
force           | 1    | give force as str
residual_max    | "-1" | give 0 or more
four_eyes_above | "1e9" | AMOUNT_MALFORMED
"""


@pytest.mark.parametrize("line", WRONG.strip().splitlines())
def test_a_wrong_key_is_named(line: str) -> None:
    key, value, said = (part.strip() for part in line.split("|"))
    right: dict[str, object] = {
        "force": "alone",
        "four_eyes_above": "1",
        "residual_max": "1",
    }
    wrong = value.strip('"') if value.startswith('"') else int(value)
    with pytest.raises(Exception, match=r"\[manual\]|AMOUNT") as caught:
        load_manual({"manual": right | {key: wrong}}, "mappings/policies/own.toml")
    assert said in str(caught.value)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ProfileError, match="'residual_max' is missing"):
        load_manual({"manual": {"force": "never", "four_eyes_above": "1"}}, "own.toml")
