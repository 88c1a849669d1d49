"""Structured references: each kind's check digits, its one form, and what the text tells."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout import check_digits, references
from tieout.references import REFERENCE_TYPES, is_valid, plain, reference_type

#: Kind, what is checked, shortest and longest number in front of the check digits.
SCHEMES: list[tuple[str, Callable[[str], bool], int, int]] = [
    ("QRR", check_digits.recursive_mod10, 26, 26),
    ("ISR", check_digits.recursive_mod10, 4, 26),
    ("KID", check_digits.luhn, 3, 24),
    ("KID", check_digits.mod11, 3, 24),
    ("FIK", check_digits.luhn, 14, 15),
    ("VIITE", check_digits.weights731, 3, 19),
    ("OCR", check_digits.luhn, 1, 24),
    ("BBA", check_digits.belgian, 10, 10),
]

_DIGITS = st.text("0123456789", min_size=1, max_size=26)


def _completed(body: str, check: Callable[[str], bool]) -> str:
    """The number with its check digit (two of them in Belgium)."""
    ends = ["-", *map(str, range(10)), *(f"{n:02}" for n in range(100))]
    return next(body + end for end in ends if check(body + end))


@pytest.mark.parametrize(("kind", "check", "shortest", "longest"), SCHEMES)
@given(st.data())
def test_the_right_check_digit_is_taken_and_every_other_refused(
    kind: str, check: Callable[[str], bool], shortest: int, longest: int, data: st.DataObject
) -> None:
    size = data.draw(st.integers(shortest, longest))
    first = data.draw(st.sampled_from("123456789"))
    body = first + data.draw(st.text("0123456789", min_size=size - 1, max_size=size - 1))
    good = _completed(body, check)
    assert is_valid(good, kind), good
    length = len(good) - len(body)
    others = [good[:-length] + f"{n:0{length}}" for n in range(10**length)]
    assert [t for t in others if check(t)] == ([] if good.endswith("-") else [good])


@pytest.mark.parametrize(("kind", "check", "shortest", "longest"), SCHEMES)
@given(st.data())
def test_one_wrong_digit_is_always_seen(
    kind: str, check: Callable[[str], bool], shortest: int, longest: int, data: st.DataObject
) -> None:
    size = data.draw(st.integers(shortest, longest))
    good = _completed(
        "1" + data.draw(st.text("0123456789", min_size=size - 1, max_size=size - 1)), check
    )
    at = data.draw(st.integers(0, size - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != good[at]]))
    assert not check(good[:at] + other + good[at + 1 :])


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=21))
def test_creditor_references(body: str) -> None:
    check = 98 - int("".join(str(int(c, 36)) for c in f"{body}RF00")) % 97
    good = f"RF{check:02}{body}"
    assert plain(good, "SCOR") == good
    assert plain(" ".join(good.lower()), "SCOR") == good
    assert reference_type(good) == "SCOR"
    wrong = f"RF{(check + 1) % 100:02}{body}"
    assert not is_valid(wrong, "SCOR")
    assert reference_type(wrong) is None


@given(st.text(max_size=40) | _DIGITS, st.sampled_from(REFERENCE_TYPES))
def test_any_text_has_one_plain_form_or_none(text: str, kind: str) -> None:
    found = plain(text, kind)
    assert is_valid(text, kind) == (found is not None)
    if found is not None:
        assert plain(found, kind) == found
        assert found.isascii()


@given(st.text(max_size=40), st.sampled_from(["", "BE", "CH", "DK", "FI", "NO", "SE", "XX"]))
def test_a_told_kind_is_a_valid_one(text: str, country: str) -> None:
    kind = reference_type(text, country=country)
    assert kind is None or is_valid(text, kind)


FORMS = """
# kind, as written | plain form
QRR   26 11200 00000 00000 00000 47113      | 261120000000000000000047113
QRR   4711000000202619                      | None
QRR   261120000000000000000047114           | None
QRR   000000000000000000000000000           | None
ISR   4711 00000 020 2619                   | 000000000004711000000202619
ISR   2611200000000000000000471130          | None
BBA   +++471/1002/02619+++                  | 471100202619
BBA   ***471/1002/02619***                  | 471100202619
BBA   471100202619                          | 471100202619
BBA   +++4711/002/02619+++                  | None
BBA   471/1002/02618                        | None
BBA   000000000097                          | 000000000097
KID   4711202611206                         | 4711202611206
KID   4711202611204                         | 4711202611204
KID   00000006-                             | 00000006-
KID   4711202611205                         | None
FIK   +71<000000047112024+12345678<         | 000000047112024
FIK   71<000000047112024                    | 000000047112024
FIK   000000047112024                       | 000000047112024
FIK   +75<000000047112024+12345678<         | None
FIK   +73<+12345678<                        | None
VIITE 20261120                              | 20261120
VIITE 00202 61120                           | 20261120
VIITE 20261121                              | None
VIITE 0000                                  | None
OCR   202611204712                          | 202611204712
OCR   2026-1120-4712                        | None
OCR   ٢٠٢٦١١٢٠٤٧١٢                          | None
SCOR  RF58 NORD 2026 4711                   | RF58NORD20264711
SCOR  rf58nord20264711                      | RF58NORD20264711
SCOR  RF58NORD20264712                      | None
SCOR  RF5                                   | None
SCOR  471100202619                          | None
NONE  471100202619                          | None
"""


@pytest.mark.parametrize("line", [t for t in FORMS.strip().splitlines() if t[0] != "#"])
def test_one_form_for_each_kind(line: str) -> None:
    written, _, wanted = line.partition("|")
    kind, _, text = written.strip().partition(" ")
    assert str(plain(text.strip(), kind)) == wanted.strip()


TOLD = """
261120000000000000000047113      - | QRR
4711000000202619                 - | None
4711000000202619                 CH | ISR
4711000000202619                 SE | None
202611204712                     SE | OCR
202611204712                     NO | KID
20261120                         FI | VIITE
471100202619                     BE | BBA
471100202619                     - | None
+++471/1002/02619+++             - | BBA
+71<000000047112024+12345678<    - | FIK
RF58NORD20264711                 FI | SCOR
INVOICE-4711                     CH | None
"""


@pytest.mark.parametrize("line", TOLD.strip().splitlines())
def test_digits_mean_nothing_without_a_country(line: str) -> None:
    written, _, wanted = line.partition("|")
    text, country = written.split()
    assert str(reference_type(text, country=country.strip("-"))) == wanted.strip()


def test_nothing_is_no_reference() -> None:
    assert [plain(None, kind) for kind in REFERENCE_TYPES] == [None] * len(REFERENCE_TYPES)
    assert reference_type(None) is None
    assert references.reference_type("") is None
