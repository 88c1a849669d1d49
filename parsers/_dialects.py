"""Dialects: what a bank does differently, declared in ``mappings/banks/NAME.toml``.

The readers recognise layouts, encodings and signs by content; a dialect adds what content alone
does not tell. It is chosen by the file's head and, inside the file, by the account; without one
the reading is untouched. A file that two dialects claim is read without any, with a finding: a
wrong reading is worse than a plain one.

Keys of a profile: ``title``; ``[match] format head account``; ``[text] encoding``;
``[field86]`` (see `parsers._dialect86`); ``[[rule]] from pattern cut``: columns as named groups,
filled where they are empty; ``[codes]``: the bank's own code to ISO ``DOMAIN/FAMILY/SUBFAMILY``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from parsers._dialect86 import Layout, compiled, encoding_name, layout
from parsers._heads import fits
from parsers._text import clean
from tieout import profiles
from tieout.canonical import DETAILS, ENTRIES, Tables, empty, table
from tieout.errors import Finding, ProfileError

__all__ = [
    "Dialect",
    "Rule",
    "adapted",
    "chosen",
    "encoding_for",
    "has_layout",
    "load_dialects",
    "of_file",
    "parse",
]

Row = dict[str, Any]

_KEYS: Final = ("title", "match", "text", "field86", "rule", "codes")
#: Sections of profiles that describe a whole file (`parsers.delimited`, `parsers.fixed_width`).
_WHOLE: Final = ("delimited", "fixed")
_ENTRY_ONLY: Final = ("bank_ref", "entry_ref", "code_proprietary", "swift_type")
_DETAIL: Final = tuple(
    f.name for f in DETAILS
    if f.name not in ("detail_id", "entry_id", "ordinal", "line_no", "amount", "currency",
                      "original_amount", "fx_rate", "charges")
)  # fmt: skip
_SOURCES: Final = ("narrative", "entry.narrative", *_ENTRY_ONLY, *_DETAIL)
_ISO: Final = re.compile(r"[A-Z]{4}/[A-Z]{4}/[A-Z]{4}")
_TEXT_CHARS_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Rule:
    """Takes columns out of a text: named groups of the pattern, where the column is empty."""

    source: str
    pattern: re.Pattern[str]
    cut: bool


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """One profile.

    Attributes:
        name: the file's name without ``.toml``.
        version: its content hash, told in the finding of every file it read.
        formats: exact formats or their beginnings (``camt.053``).
        head: found in the file's first 64 KiB.
        account: found in the account's number.
        encoding: of files that are not UTF-8.
        field86: layout of ``:86:``, or None for the readers' own recognition.
        rules: in order.
        codes: proprietary code or SWIFT type to ISO codes.
    """

    name: str
    version: str
    formats: tuple[str, ...]
    head: re.Pattern[str]
    account: re.Pattern[str]
    encoding: str | None = None
    field86: Layout | None = None
    rules: tuple[Rule, ...] = ()
    codes: Mapping[str, str] | None = None

    def has_account(self, account: str | None) -> bool:
        """Whether a statement of this account is this bank's."""
        return self.account.search(account or "") is not None


_loaded: dict[tuple[tuple[str, int], ...], tuple[Dialect, ...]] = {}


def load_dialects() -> tuple[Dialect, ...]:
    """All dialects of ``mappings/banks``, by name; read again when a file of it changed.

    Raises:
        ProfileError: one of them is wrong.
    """
    tried = profiles.on_trial("banks")
    if tried is not None:
        return () if any(section in tried[1] for section in _WHOLE) else (parse(*tried),)
    folder = profiles.mappings_dir() / "banks"
    state = tuple(
        (str(p), p.stat().st_mtime_ns)
        for p in sorted(folder.glob("*.toml"))
        if not p.name.startswith("_")
    )
    if state not in _loaded:
        _loaded.clear()
        _loaded[state] = tuple(
            parse(name, found)
            for name, found in profiles.load_all("banks")
            if not any(section in found for section in _WHOLE)
        )
    return _loaded[state]


def parse(name: str, found: Mapping[str, Any]) -> Dialect:
    """A profile's content as a dialect.

    Raises:
        ProfileError: ``PROFILE_KEY``, ``PROFILE_VALUE``, ``PROFILE_PATTERN``.
    """
    where = f"banks/{name}.toml"
    profiles.allow_keys(found, _KEYS, where)
    profiles.require(found, "title", str, where)
    match = profiles.require(found, "match", dict, where)
    profiles.allow_keys(match, ("format", "head", "account"), f"{where} [match]")
    text = found.get("text", {})
    profiles.allow_keys(text, ("encoding",), f"{where} [text]")
    codes = found.get("codes", {})
    for code, iso in codes.items():
        if not isinstance(iso, str) or not _ISO.fullmatch(iso):
            raise ProfileError(
                "PROFILE_VALUE", f"{code!r} is {iso!r}", where=f"{where} [codes]",
                remedy='give it as "PMNT/RCDT/RRTN": domain, family, subfamily',
            )  # fmt: skip
    made = Dialect(
        name,
        profiles.fingerprint(found),
        tuple(str(kind) for kind in profiles.require(match, "format", list, f"{where} [match]")),
        compiled(profiles.require(match, "head", str, f"{where} [match]"), f"{where} [match]"),
        compiled(match.get("account", ""), f"{where} [match] account"),
        encoding_name(text.get("encoding"), f"{where} [text]"),
        layout(found["field86"], f"{where} [field86]") if "field86" in found else None,
        tuple(
            _rule(rule, f"{where} [[rule]] {n}") for n, rule in enumerate(found.get("rule", []), 1)
        ),
        codes or None,
    )
    if not (made.encoding or made.field86 or made.rules or made.codes):
        raise ProfileError(
            "PROFILE_EMPTY", "the profile changes nothing", where=where,
            remedy="give [text], [field86], [[rule]] or [codes], or delete it",
        )  # fmt: skip
    return made


def _rule(found: Mapping[str, Any], where: str) -> Rule:
    profiles.allow_keys(found, ("from", "pattern", "cut"), where)
    source = found.get("from", "narrative")
    profiles.allow_keys({source: 1}, _SOURCES, f"{where} from")
    pattern = compiled(profiles.require(found, "pattern", str, where), where)
    profiles.allow_keys(pattern.groupindex, (*_DETAIL, *_ENTRY_ONLY), f"{where} pattern")
    cut = bool(found.get("cut", False))
    if not pattern.groupindex and not cut:
        raise ProfileError(
            "PROFILE_VALUE", "the rule takes nothing and cuts nothing", where=where,
            remedy="name a group after a column: (?P<counterparty_name>...)",
        )  # fmt: skip
    return Rule(source, pattern, cut)


def of_file(exact: str, head: bytes) -> tuple[Dialect, ...]:
    """The dialects that claim a file of this format that starts so; empty: read it plainly."""
    text: str | None = None
    found = []
    for dialect in load_dialects():
        if exact.startswith(dialect.formats):
            if text is None:
                utf16 = head[:2] in (b"\xff\xfe", b"\xfe\xff")
                text = head.decode("utf-16" if utf16 else "latin-1", "replace")
                text = text.replace("\r\n", "\n").replace("\r", "\n")
            if dialect.head.search(text):
                found.append(dialect)
    return tuple(found)


def has_layout(exact: str, head: bytes) -> bool:
    """Whether a dialect of this file takes ``:86:`` apart itself: fast readers then stand back."""
    return any(dialect.field86 is not None for dialect in of_file(exact, head))


def chosen(dialects: Iterable[Dialect], account: str | None) -> Dialect | None:
    """The one dialect that claims this account; None where there is none or more than one."""
    mine = [dialect for dialect in dialects if dialect.has_account(account)]
    return mine[0] if len(mine) == 1 else None


def encoding_for(dialects: Iterable[Dialect], path: Path) -> str | None:
    """The encoding the dialects agree on, for a file that is not UTF-8."""
    named = {dialect.encoding for dialect in dialects if dialect.encoding}
    if len(named) != 1 or fits(path, "utf-8-sig"):
        return None
    (encoding,) = named
    return encoding if encoding and fits(path, encoding) else None


def adapted(batches: Iterable[Tables], dialects: tuple[Dialect, ...]) -> Iterator[Tables]:
    """Batches of a file as its dialects read them; the last one says which did."""
    used: set[Dialect | None] = set()
    doubtful: set[str] = set()
    for batch in batches:
        yield _batch(batch, dialects, used, doubtful)
    notes = [
        Finding(
            "DIALECT_AMBIGUOUS", "warning", "file",
            f"account {account} is claimed by {', '.join(d.name for d in dialects)}: read plainly",
            "make [match] head or account of these profiles narrower",
        )
        for account in sorted(doubtful)
    ]  # fmt: skip
    notes += [
        Finding("DIALECT", "info", "file", f"read with mappings/banks/{d.name}.toml {d.version}")
        for d in sorted((d for d in used if d), key=lambda d: d.name)
    ]
    if notes:
        yield replace(empty(), findings=tuple(notes))


def _batch(
    batch: Tables, dialects: tuple[Dialect, ...], used: set[Dialect | None], doubtful: set[str]
) -> Tables:
    accounts = batch.statements["account_id"].to_pylist() + batch.entries["account_id"].to_pylist()
    by_account = {}
    for account in set(accounts):
        claims = [dialect for dialect in dialects if dialect.has_account(account)]
        by_account[account] = claims[0] if len(claims) == 1 else None
        if len(claims) > 1:
            doubtful.add(account or "?")
    used.update(by_account.values())
    if not any(d is not None and (d.rules or d.codes) for d in by_account.values()):
        return batch
    entries, details = batch.entries.to_pylist(), batch.details.to_pylist()
    of_entry: dict[str, list[Row]] = {}
    for detail in details:
        of_entry.setdefault(detail["entry_id"], []).append(detail)
    for entry in entries:
        dialect = by_account[entry["account_id"]]
        if dialect is not None:
            _apply(dialect, entry, of_entry.get(entry["entry_id"], []))
    return replace(batch, entries=table(entries, ENTRIES), details=table(details, DETAILS))


def _apply(dialect: Dialect, entry: Row, details: list[Row]) -> None:
    for rule in dialect.rules:
        if rule.source in _ENTRY_ONLY or rule.source == "entry.narrative":
            source = rule.source.removeprefix("entry.")
            _take(rule, entry, source, entry, details[0] if len(details) == 1 else {})
        else:
            for detail in details:
                _take(rule, detail, rule.source, entry, detail)
    if dialect.codes and entry["code_domain"] is None:
        keys = (entry["code_proprietary"], entry["swift_type"])
        iso = next((dialect.codes[k] for k in keys if k in dialect.codes), None)
        if iso is not None:
            names = ("code_domain", "code_family", "code_subfamily")
            entry.update(zip(names, iso.split("/"), strict=True))


def _take(rule: Rule, holder: Row, source: str, entry: Row, detail: Row) -> None:
    text = holder[source]
    if not text or len(text) > _TEXT_CHARS_MAX:
        return
    match = rule.pattern.search(text)
    if match is None:
        return
    for column, value in match.groupdict().items():
        target = entry if column in _ENTRY_ONLY else detail
        if target and (target.get(column) is None or (column == source and target is holder)):
            target[column] = clean(value)
    if rule.cut and source in holder:
        holder[source] = clean(
            " ".join((text[: match.start()] + " " + text[match.end() :]).split(" "))
        )
