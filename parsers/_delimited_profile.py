"""``[delimited]`` of a profile, and which profile has a file's header."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from parsers._dialect86 import compiled
from parsers._profiled import DETAIL, ENTRY, KEYS, Form, form, of_section, patterns
from tieout import profiles
from tieout.errors import ProfileError

__all__ = [
    "HEADER_LINES",
    "Delimited",
    "cells",
    "decoded_head",
    "matching",
    "named",
    "parse",
    "reader",
]

#: A header stands in one of the first lines.
HEADER_LINES: Final = 40
_KEYS: Final = (*KEYS, "delimiter", "quote", "preamble", "footer", "columns", "leader")
_COLUMNS: Final = (*ENTRY, *DETAIL)


@dataclass(frozen=True, slots=True)
class Delimited:
    """One profile.

    Attributes:
        columns: canonical column to the headers that give it, in the order they are joined; of a
            file without header their numbers.
        leader: how a line of a file without header begins.
    """

    name: str
    version: str
    form: Form
    delimiter: str
    quote: str
    columns: Mapping[str, tuple[str, ...]]
    leader: re.Pattern[str] | None
    preamble: tuple[re.Pattern[str], ...]
    footer: tuple[re.Pattern[str], ...]

    def places(self, header: Sequence[str]) -> dict[str, tuple[int, ...]] | None:
        """Where each column stands, or None where the header is not this profile's."""
        at = {_plain(cell): place for place, cell in reversed(list(enumerate(header)))}
        found: dict[str, tuple[int, ...]] = {}
        for column, names in self.columns.items():
            if any(_plain(name) not in at for name in names):
                return None
            found[column] = tuple(at[_plain(name)] for name in names)
        return found


def _plain(header: str) -> str:
    return " ".join(header.replace("\xa0", " ").split()).casefold()


def parse(name: str, content: Mapping[str, Any]) -> Delimited:
    """A profile's content.

    Raises:
        ProfileError: ``PROFILE_KEY``, ``PROFILE_VALUE``, ``PROFILE_PATTERN``.
    """
    where = f"banks/{name}.toml"
    profiles.allow_keys(content, ("title", "delimited"), where)
    profiles.require(content, "title", str, where)
    found = profiles.require(content, "delimited", dict, where)
    where = f"{where} [delimited]"
    profiles.allow_keys(found, _KEYS, where)
    raw = profiles.require(found, "columns", dict, where)
    profiles.allow_keys(raw, _COLUMNS, f"{where} columns")
    columns = {
        column: tuple(str(v) for v in (value if isinstance(value, list) else [value]))
        for column, value in raw.items()
    }
    made = Delimited(
        name,
        profiles.fingerprint(content),
        form(found, where),
        profiles.require(found, "delimiter", str, where),
        found.get("quote", '"'),
        columns,
        compiled(found["leader"], where) if "leader" in found else None,
        patterns(found, "preamble", where),
        patterns(found, "footer", where),
    )
    money = "amount" in columns or {"debit", "credit"} <= set(columns)
    if not money or "booked_on" not in columns or len(made.delimiter) != 1 or len(made.quote) > 1:
        raise ProfileError(
            "PROFILE_VALUE", "a day, an amount (or debit and credit) or the delimiter is missing",
            where=where, remedy="name booked_on and amount in columns; delimiter is one character",
        )  # fmt: skip
    return made


def cells(lines: Sequence[str], profile: Delimited) -> list[str]:
    """One row of the file's first lines; empty where it is none."""
    try:
        return next(reader(iter(lines), profile), [])
    except csv.Error:
        return []


def reader(lines: Any, profile: Delimited) -> Any:
    """The rows of lines, as the profile quotes and delimits them."""
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if profile.quote else csv.QUOTE_NONE
    return csv.reader(
        lines, delimiter=profile.delimiter, quotechar=profile.quote or None, quoting=quoting,
        strict=True, skipinitialspace=False,
    )  # fmt: skip


def decoded_head(head: bytes) -> str:
    """The start of a file as text, for finding its header."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head.decode("utf-16", "ignore")
    try:
        return head.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(head) - 4:  # a letter cut at the end of what was read
            return head[: error.start].removeprefix(b"\xef\xbb\xbf").decode("utf-8")
        return head.decode("cp1252", "replace")


def matching(head: bytes) -> list[Delimited]:
    """The profiles whose header the file has: the one with most columns, several where equal."""
    lines = decoded_head(head).splitlines()[:HEADER_LINES]
    best: list[Delimited] = []
    for name, content in of_section("delimited"):
        profile = parse(name, content)
        if profile.leader is not None:
            fits = any(profile.leader.match(line) for line in lines[:1])
        else:
            fits = any(
                profile.delimiter in line and profile.places(cells([line], profile)) is not None
                for line in lines
            )
        if not fits or (best and len(profile.columns) < len(best[0].columns)):
            continue
        if best and len(profile.columns) > len(best[0].columns):
            best = []
        best.append(profile)
    return best


def named(found: Sequence[Delimited]) -> str:
    """Names of profiles, for a sentence."""
    return " and ".join(profile.name for profile in found)
