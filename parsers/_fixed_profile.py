"""``[fixed]`` of a profile: records by how they begin, and the columns of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from parsers._dialect86 import compiled
from parsers._fixed import Record, head_text
from parsers._profiled import DETAIL, ENTRY, FACTS, KEYS, Form, form, of_section
from tieout import profiles
from tieout.errors import ProfileError

__all__ = ["Fixed", "Kind", "matching", "parse"]

_KEYS: Final = (*KEYS, "width", "record")
_ROLES: Final = ("open", "entry", "more", "close", "skip")
_WIDTH_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record.

    Attributes:
        role: ``open`` begins a statement, ``entry``, ``more`` adds to the entry before it,
            ``close`` ends the statement, ``skip`` has nothing to say.
        match: how the record begins.
        columns: name to first and last column, counted from 1.
    """

    role: str
    match: re.Pattern[str]
    columns: Mapping[str, tuple[int, int]]

    def texts(self, record: Record) -> dict[str, str]:
        """The record's columns as text."""
        return {name: record.cut(*place).strip() for name, place in self.columns.items()}


@dataclass(frozen=True, slots=True)
class Fixed:
    """One profile."""

    name: str
    version: str
    form: Form
    width: int
    kinds: tuple[Kind, ...]
    starts: re.Pattern[str]

    def kind_of(self, text: str) -> Kind | None:
        """The kind of a record, or None where no kind begins so."""
        return next((kind for kind in self.kinds if kind.match.match(text)), None)


def parse(name: str, content: Mapping[str, Any]) -> Fixed:
    """A profile's content.

    Raises:
        ProfileError: ``PROFILE_KEY``, ``PROFILE_VALUE``, ``PROFILE_PATTERN``.
    """
    where = f"banks/{name}.toml"
    profiles.allow_keys(content, ("title", "fixed"), where)
    profiles.require(content, "title", str, where)
    found = profiles.require(content, "fixed", dict, where)
    where = f"{where} [fixed]"
    profiles.allow_keys(found, _KEYS, where)
    width = profiles.require(found, "width", int, where)
    records = profiles.require(found, "record", list, where)
    kinds = tuple(_kind(record, width, where) for record in records)
    roles = [kind.role for kind in kinds]
    if roles.count("open") != 1 or "entry" not in roles or not 0 < width <= _WIDTH_MAX:
        raise ProfileError(
            "PROFILE_VALUE", f"records {', '.join(roles)} of width {width}", where=where,
            remedy="give exactly one open record and at least one entry",
        )  # fmt: skip
    made = form(found, where)
    if made.ends == "footer" and "close" not in roles:
        raise ProfileError(
            "PROFILE_VALUE", "ends is footer, but no record closes", where=where,
            remedy='give a record with role = "close", or another ends',
        )  # fmt: skip
    starts = "|".join(kind.match.pattern.removeprefix("^") for kind in kinds)
    return Fixed(name, profiles.fingerprint(content), made, width, kinds, compiled(starts, where))


def _kind(found: Any, width: int, where: str) -> Kind:
    if not isinstance(found, dict):
        raise ProfileError("PROFILE_VALUE", f"record is {found!r}", where=where)
    profiles.allow_keys(found, ("role", "match", "columns"), f"{where} record")
    role = profiles.require(found, "role", str, f"{where} record")
    profiles.allow_keys({role: 1}, _ROLES, f"{where} record role")
    match = compiled(profiles.require(found, "match", str, f"{where} record"), where)
    allowed = FACTS if role in ("open", "close") else (*ENTRY, *DETAIL)
    columns: dict[str, tuple[int, int]] = {}
    for name, place in found.get("columns", {}).items():
        profiles.allow_keys({name: place}, allowed, f"{where} record {role}")
        fits = (
            isinstance(place, list)
            and len(place) == 2
            and all(type(n) is int for n in place)
            and 1 <= place[0] <= place[1] <= width
        )
        if not fits:
            raise ProfileError(
                "PROFILE_VALUE", f"{name} is {place!r}", where=f"{where} record {role}",
                remedy=f"give first and last column, from 1 to {width}: {name} = [4, 19]",
            )  # fmt: skip
        columns[name] = (place[0], place[1])
    return Kind(role, match, columns)


def matching(head: bytes) -> list[Fixed]:
    """The profiles whose opening record a file begins with, and whose next record fits too."""
    text = head_text(head)
    found = []
    for name, content in of_section("fixed"):
        profile = parse(name, content)
        opening = next(kind for kind in profile.kinds if kind.role == "open")
        lines = text.splitlines()
        first = next((n for n, line in enumerate(lines[:3]) if opening.match.match(line)), None)
        if first is None:
            continue
        second = lines[first + 1] if first + 1 < len(lines) else text[profile.width :]
        if not second or any(kind.match.match(second) for kind in profile.kinds):
            found.append(profile)
    return found
