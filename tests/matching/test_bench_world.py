"""The benchmark's worlds: the same bytes, and a truth that holds by the tables themselves."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks.matching import generate, references
from benchmarks.matching.profiles import PROFILES, setting
from benchmarks.matching.world import NAMES, STORIES, write
from tieout import check_digits
from tieout.canonical import DETAILS, ENTRIES, ITEMS

Rows = dict[str, dict[str, Any]]

#: Stories whose entries and items sum to the same.
EXACT = {
    *(name for name in STORIES if name.startswith(("ref_", "text_", "combined_", "twins"))),
    *("end_to_end", "key_truncated", "uetr", "instruction", "cheque", "mandate", "run_details"),
    *("run_key", "run_no_key", "run_names", "collective", "deposits", "netted", "partial"),
    *("many_to_many", "party_amount", "party_due", "party_text", "amount_only", "payroll"),
    *("recurring_booked", "recurring_open", "return_booked", "own_transfer_booked", "flood"),
} - {"combined_discount"}
#: Stories that lie on one side, and the other side's absence.
CANCEL = {"reversal", "return_pair", "return_open", "own_transfer", "books_netting"}
#: Most by which the others may differ, as a share of the item.
APART = {
    "run_charges": "0.6",
    "combined_discount": "0.0201",
    "fee_withheld": "0.07",
    "cash_discount": "0.031",
    "rounding": "0.01",
    "short_payment": "0.041",
    "over_payment": "0.01",
    "instalment": "0.81",
    "fx_book": "0.0151",
}


class World:
    """A world in memory, by id."""

    def __init__(self, folder: Path) -> None:
        self.tables = {name: pq.read_table(folder / f"{name}.parquet") for name in NAMES}
        self.entries: Rows = {r["entry_id"]: r for r in self.tables["entries"].to_pylist()}
        self.items: Rows = {r["item_id"]: r for r in self.tables["items"].to_pylist()}
        self.details: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.tables["details"].to_pylist():
            self.details[row["entry_id"]].append(row)
        self.truth = self.tables["truth"].to_pylist()

    def story(self, name: str) -> list[dict[str, Any]]:
        return [group for group in self.truth if group["story"] == name]


@pytest.fixture(scope="module", params=["manufacturer", "retailer-hard"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    write(setting(request.param), 8_000, 7, folder)
    return World(folder)


def digest(folder: Path, seed: int) -> list[str]:
    write(setting("treasury-hard"), 3_000, seed, folder)
    return [hashlib.sha256((folder / f"{name}.parquet").read_bytes()).hexdigest() for name in NAMES]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    assert digest(tmp_path / "a", 7) == digest(tmp_path / "b", 7)
    assert digest(tmp_path / "a", 7) != digest(tmp_path / "c", 8)


def test_a_world_of_several_parts_has_no_id_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.matching.world.PART", 1_000)
    write(setting("manufacturer"), 2_500, 7, tmp_path)
    found = World(tmp_path)
    assert len(found.entries) == len(found.tables["entries"])
    assert len(found.items) == len(found.tables["items"])
    assert {row["company"] for row in found.items.values()} == {"C01", "C02", "C03"}
    numbers = Counter(r["end_to_end_id"] for r in found.items.values() if r["end_to_end_id"])
    assert {n for n, count in numbers.items() if count > 2} <= {
        "NOTPROVIDED",
        "NONREF",
        "NOT PROVIDED",
        "0",
    }


def test_tables_are_canonical(world: World) -> None:
    assert world.tables["entries"].schema.equals(ENTRIES)
    assert world.tables["details"].schema.equals(DETAILS)
    assert world.tables["items"].schema.equals(ITEMS)
    assert set(world.details) <= set(world.entries)


def test_members_exist_and_belong_to_one_group_only(world: World) -> None:
    for side, rows in (("entries", world.entries), ("items", world.items)):
        members = [member for group in world.truth for member in group[side]]
        assert len(members) == len(set(members))
        assert set(members) <= set(rows)
        assert len(members) < len(rows), "noise belongs to nothing"


def test_what_is_not_decidable_says_why(world: World) -> None:
    assert all((group["why"] is None) == group["decidable"] for group in world.truth)
    assert {group["decidable"] for group in world.truth} == {True, False}


def sums(world: World, group: dict[str, Any]) -> tuple[Decimal, Decimal]:
    bank = sum((world.entries[e]["amount"] for e in group["entries"]), Decimal(0))
    books = sum((world.items[i]["amount"] for i in group["items"]), Decimal(0))
    return bank, books


def test_amounts_add_up_as_the_story_says(world: World) -> None:
    told = Counter(group["story"] for group in world.truth)
    for group in world.truth:
        bank, books = sums(world, group)
        story = group["story"]
        if story in EXACT:
            assert bank == books, group
        elif story in CANCEL:
            assert bank == books == 0, group
        elif story in APART:
            assert bank != books, group
            assert abs(bank - books) <= abs(books) * Decimal(APART[story]) + 1, group
    known = EXACT | CANCEL | set(APART) | {"fx_original", "return_fee", "return_repaid"}
    assert set(told) <= known, "every story's sums are looked at"


def test_details_sum_to_their_entry_unless_the_story_says_otherwise(world: World) -> None:
    charged = {e for group in world.story("run_charges") for e in group["entries"]}
    for entry, rows in world.details.items():
        amounts = [row["amount"] for row in rows]
        if None not in amounts:
            whole = world.entries[entry]["amount"]
            assert (sum(amounts) == whole) == (entry not in charged), entry


def test_amounts_have_the_decimals_of_their_currency(world: World) -> None:
    places = {"JPY": 0, "KWD": 3}
    for row in [*world.entries.values(), *world.items.values()]:
        step = Decimal(1).scaleb(-places.get(row["currency"], 2))
        assert row["amount"] % step == 0
        assert row["amount"] != 0


def test_a_pair_told_by_party_and_amount_is_alone_with_them(world: World) -> None:
    stories = ("party_amount", "party_due", "text_typo", "text_truncated", "key_truncated")
    alike = Counter(
        (r["currency"], r["amount"], r["counterparty_id"]) for r in world.items.values()
    )
    for story in stories:
        for group in world.story(story):
            item = world.items[group["items"][0]]
            key = (item["currency"], item["amount"], item["counterparty_id"])
            assert not group["decidable"] or alike[key] == 1


def test_noise_never_has_party_and_amount_of_an_item(world: World) -> None:
    belongs = {entry for group in world.truth for entry in group["entries"]}
    items = {(r["currency"], r["amount"], r["counterparty_name"]) for r in world.items.values()}
    meets = {(r["account_id"], r["amount"]) for r in world.items.values()}
    noise = [entry for entry in world.entries.values() if entry["entry_id"] not in belongs]
    by_chance = 0
    twins = {
        world.entries[e]["amount"] for g in world.story("twins_one_item") for e in g["entries"]
    }
    for entry in noise:
        name = world.details[entry["entry_id"]][0]["counterparty_name"]
        second = entry["amount"] in twins  # the second of two equal payments belongs to nothing
        assert name is None or second or (entry["currency"], entry["amount"], name) not in items
        by_chance += (entry["account_id"], entry["amount"]) in meets
    assert by_chance > 0, "amount alone is met, as in the world outside"


def test_a_decidable_set_is_the_only_one_with_its_sum(world: World) -> None:
    of_party: dict[str, list[Decimal]] = defaultdict(list)
    for item in world.items.values():
        of_party[item["counterparty_id"]].append(item["amount"])
    judged = Counter[bool]()
    for group in world.story("combined_keyless") + world.story("combined_ambiguous"):
        amounts = of_party[world.items[group["items"][0]]["counterparty_id"]]
        target = world.entries[group["entries"][0]]["amount"]
        found = sum(
            sum(chosen) == target
            for size in range(1, len(amounts) + 1)
            for chosen in itertools.combinations(amounts, size)
        )
        assert found >= 1
        assert group["decidable"] == (found == 1)
        judged[group["decidable"]] += 1
    assert min(judged[True], judged[False]) > 5


def test_keys_of_decidable_payments_are_their_own(world: World) -> None:
    keys = Counter(r["end_to_end_id"] for rows in world.details.values() for r in rows)
    for group in world.story("end_to_end") + world.story("twins_keyed"):
        key = world.details[group["entries"][0]][0]["end_to_end_id"]
        assert keys[key] == 1
        kept = world.items[group["items"][0]]["end_to_end_id"]
        assert kept.upper() == key.strip()


def test_twins_are_alike_in_all_that_tells(world: World) -> None:
    seen = Counter(
        (
            entry["account_id"],
            entry["amount"],
            entry["booked_on"],
            world.details[entry["entry_id"]][0]["counterparty_name"],
        )
        for group in world.story("twins")
        for entry in [world.entries[group["entries"][0]]]
    )
    assert seen
    assert set(seen.values()) == {2}


def test_returns_carry_codes_and_own_transfers_name_each_other(world: World) -> None:
    for group in world.story("return_pair"):
        first, second = sorted(
            (world.entries[e] for e in group["entries"]), key=lambda r: r["booked_on"]
        )
        assert {first["code_subfamily"], second["code_subfamily"]} & {"RRTN", "UPDD"}
        reasons = [world.details[e][0]["return_reason"] for e in group["entries"]]
        assert sum(reason is not None for reason in reasons) == 1
    for group in world.story("own_transfer"):
        one, other = group["entries"]
        named = world.details[one][0]["counterparty_account"]
        assert named == world.entries[other]["account_id"] != world.entries[one]["account_id"]
        assert world.entries[one]["currency"] == world.entries[other]["currency"]


@pytest.mark.parametrize(
    ("make", "right"),
    [
        (references.creditor_rf, check_digits.mod97),
        (references.qrr, check_digits.recursive_mod10),
        (references.ogm, check_digits.belgian),
        (references.kid, check_digits.luhn),
        (references.fik, check_digits.luhn),
        (references.viite, check_digits.weights731),
    ],
)
def test_references_have_right_check_digits(make: Any, right: Any) -> None:
    numbers = np.arange(40_990, 41_190)
    assert all(right(text) for text in make(numbers).to_pylist())


def test_every_story_is_rendered_and_documented() -> None:
    for company in PROFILES.values():
        assert set(company.stories) <= set(STORIES)
    used = {story for company in PROFILES.values() for story in company.stories}
    assert set(STORIES) == used
    readme = (Path(generate.__file__).parent / "README.md").read_text(encoding="utf-8")
    for line in generate.stories().splitlines():
        assert line in readme, "write the table of stories anew: generate --stories"


def test_the_day_has_many_open_items_for_few_entries(tmp_path: Path) -> None:
    held = write(setting("day"), 50, 7, tmp_path)
    assert held["items"] > 400 * held["entries"] * 0.9
