"""The ladder as a mapping: what is refused and how it is said; the SQL it compiles to."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.matching import sql
from tieout import profiles
from tieout.errors import ProfileError
from tieout.matching import ladder

GOOD = """
[keys.invoice]
bank = ["reference"]
books = ["document_no"]

[[rungs]]
name = "first"
same = ["invoice"]
amount = "exact"
"""


def read(text: str) -> ladder.Ladder:
    content: dict[str, Any] = tomllib.loads(text)
    return ladder.read("acme", content)


def test_the_compiled_sql_is_the_accepted_one() -> None:
    assert sql.text() == sql.GOLDEN.read_text(encoding="utf-8"), (
        "the SQL of the default ladder changed: look at it, then accept it with "
        "python -m tests.matching.sql"
    )


def test_the_small_one_is_read() -> None:
    (rung,) = read(GOOD).rungs
    assert (rung.name, rung.shape, rung.state) == ("first", "one_to_one", "confirmed")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("same =", "sam =", "unknown key 'sam' (did you mean 'same'?)"),
        ('["invoice"]', '["invoise"]', "did you mean 'invoice'?"),
        ('["document_no"]', '["document_nr"]', "did you mean 'document_no'?"),
        ('"exact"', '"exakt"', 'write "exact", or a table'),
        ('"exact"', "{ less = 30.0 }", 'write it as text: less = "0.05"'),
        ('"exact"', '{ les = "30" }', "did you mean 'less'?"),
        ('same = ["invoice"]', "", "nothing but an exact amount with party and days is proof"),
        ('"exact"', '"exact"\nshape = "batsh"', "did you mean 'batch'?"),
        ('"exact"', '"exact"\nshape = "batch"\nparty = {by = ["name"]}', "without a party"),
        ('"exact"', '"exact"\nshape = "run"', "shape 'run' needs a window"),
        ('"exact"', '"exact"\nshape = "transfer"', "shape 'transfer' needs a window"),
        ('same = ["invoice"]', 'shape = "cancel"', "or for party and days"),
        ('"exact"', '{less = "1"}\nshape = "net"', "shape 'net' asks for exact amounts"),
        ('"exact"', '"exact"\nshape = "subset"', "search belongs to shape 'subset'"),
        (
            '"exact"',
            '"exact"\nsearch = {candidates_max = 9, items_max = 3}',
            "search belongs to shape 'subset'",
        ),
        (
            '"exact"',
            '"exact"\nshape = "subset"\nparty = {by = ["name"]}\n'
            "days = {before = 1, after = 1}\nsearch = {candidates_max = 900, items_max = 3}",
            "2 to 500 candidates",
        ),
        (
            '"exact"',
            '"exact"\nshape = "subset"\nsearch = {candidates_max = 9, items_max = 3}',
            "a sum alone is no proof",
        ),
        ('"exact"', '{less = "1", cause = "exchang"}', "did you mean 'exchange'?"),
        ('"exact"', '{less = "1", residual = "discout"}', "did you mean 'discount'?"),
        ('"exact"', '"exact"\nparty = {by = ["name"], asked = "knwon"}', "mean 'known'?"),
        ('"exact"', '"exact"\ndays = {before = 1, after = 1, alone = -1}', "alone is -1"),
        ('["reference"]', '["reference"]\nform = "structurd"', "mean 'structured'?"),
        ('"exact"', '"exact"\ndays = {before = 1, after = 999}', "from 0 to 250"),
        ('"exact"', '"exact"\nparty = {by = ["name"], name_min = "0.1"}', "from 0.5 to 1"),
        ("[keys.invoice]", 'calendar = "MARS"\n[keys.invoice]', "no calendar 'MARS'"),
        ('["reference"]', "[]\npatterns = ['A']", "patterns need text"),
        (
            '["reference"]',
            "[]\ntext = ['narrative']\npatterns = ['(a+)+']",
            "is not allowed",
        ),
    ],
)
def test_a_mistake_names_the_nearest_right_thing(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(ProfileError) as caught:
        read(GOOD.replace(old, new))
    assert said in str(caught.value)
    assert "ladders/acme.toml" in str(caught.value)


def test_rung_names_are_unique() -> None:
    with pytest.raises(ProfileError, match="two rungs are named 'first'"):
        read(GOOD + GOOD[GOOD.index("[[rungs]]") :])


def test_every_ladder_shipped_is_read() -> None:
    names = [name for name, _ in profiles.load_all("ladders")]
    assert "default" in names
    for name in names:
        assert ladder.load(name).rungs
