"""The report on one sample: how it reads, its features, what has no place, and the draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import parsers
from parsers import Parsed
from tieout.errors import Finding, InputError
from tieout.onboarding import delimited_draft, dialect_draft, features, fixed_draft, unplaced
from tieout.onboarding.rows import Code, Feature, Unplaced

__all__ = ["Code", "Feature", "Report", "Tie", "Unplaced", "onboard"]

#: A sample is read whole; beyond this only its start is looked at for features.
SAMPLE_BYTES_MAX: Final = 8 << 20
_UNKNOWN: Final = frozenset({"FORMAT_UNKNOWN", "FORMAT_UNSUPPORTED"})


@dataclass(frozen=True, slots=True)
class Tie:
    """A statement, and whether opening + entries = closing."""

    account: str | None
    currency: str | None
    opening: Decimal | None
    entries: int
    moved: Decimal
    closing: Decimal | None
    ties: bool
    incomplete: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a sample.

    Attributes:
        format: exact format, or None where no reader knows the file.
        profile: the profile of ``mappings/banks`` that reads it already.
        draft: a profile as TOML, or None where none is needed or none can be guessed.
        doubts: what a person must settle in the draft.
        gains: columns that the draft fills and the plain reading does not, with their number.
    """

    file: str
    format: str | None
    profile: str | None
    features: tuple[Feature, ...]
    unplaced: tuple[Unplaced, ...]
    codes: tuple[Code, ...]
    statements: tuple[Tie, ...]
    findings: tuple[Finding, ...]
    draft: str | None = None
    doubts: tuple[str, ...] = field(default=())
    gains: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether every statement was read, ties, and no finding is an error."""
        return bool(self.statements) and all(
            tie.ties and not tie.incomplete for tie in self.statements
        )

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        found = asdict(self)
        found["findings"] = [finding.as_dict() for finding in self.findings]
        for row in found["statements"]:
            for name in ("opening", "moved", "closing"):
                row[name] = None if row[name] is None else f"{row[name]:f}"
        return found


def onboard(path: Path, name: str = "draft", encoding: str | None = None) -> Report:
    """Look at a sample.

    Args:
        path: the file.
        name: of the profile to draft.
        encoding: where the person knows it.

    Raises:
        InputError: the file cannot be opened, or is of a known format and damaged.
    """
    head = path.read_bytes()[:SAMPLE_BYTES_MAX] if path.is_file() else b""
    try:
        parsed = parsers.read_file(path, encoding)
    except InputError as error:
        if error.code not in _UNKNOWN:
            raise
        return _unknown(path, head, name, error)
    text = features.text_of(head, encoding)
    profile = _profile_of(parsed)
    codes = _codes(parsed)
    seen = features.of(parsed.format, text, head)
    left = unplaced.of(parsed, text, head)
    draft: str | None = None
    doubts: tuple[str, ...] = ()
    if profile is None:
        draft, doubts = dialect_draft.draft(name, parsed, text, head, codes)
    return Report(
        path.name, parsed.format, profile, seen, left, codes, _ties(parsed),
        parsed.tables.findings, draft, doubts,
        dialect_draft.gains(path, name, draft, parsed) if draft else {},
    )  # fmt: skip


def _unknown(path: Path, head: bytes, name: str, error: InputError) -> Report:
    """A file no reader knows: guess whether it is delimited or of fixed width."""
    for kind in (delimited_draft, fixed_draft):
        guess = kind.guess(head)
        if guess is None:
            continue
        draft = guess.toml(name)
        parsed = kind.trial(path, name, draft)
        return Report(
            path.name, None, None, guess.features(), (), _codes(parsed) if parsed else (),
            _ties(parsed) if parsed else (), parsed.tables.findings if parsed else (),
            draft, guess.doubts,
        )  # fmt: skip
    finding = Finding(error.code, "error", error.where, error.message, error.remedy)
    return Report(path.name, None, None, (), (), (), (), (finding,))


def _profile_of(parsed: Parsed) -> str | None:
    """The profile that read the file."""
    family, _, name = parsed.format.rpartition(" ")
    if family in ("delimited", "fixed width"):
        return name
    for finding in parsed.tables.findings:
        if finding.code == "DIALECT":
            return finding.message.partition("mappings/banks/")[2].partition(".toml")[0]
    return None


def _codes(parsed: Parsed) -> tuple[Code, ...]:
    """The bank's codes that no ISO code stands beside, by count."""
    found: dict[str, list[int]] = {}
    for row in parsed.tables.entries.to_pylist():
        code = row["code_proprietary"] or row["swift_type"]
        if row["code_domain"] is None and code:
            found.setdefault(code, []).append(row["line_no"] or 0)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(Code(code, len(lines), lines[0]) for code, lines in ordered)


def _ties(parsed: Parsed) -> tuple[Tie, ...]:
    tables = parsed.tables
    balances = _by_statement(tables.balances.to_pylist())
    entries = _by_statement(tables.entries.to_pylist())
    return tuple(
        _tie(row, balances.get(row["statement_id"], []), entries.get(row["statement_id"], []))
        for row in tables.statements.to_pylist()
    )


def _by_statement(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["statement_id"], []).append(row)
    return found


def _tie(
    row: Mapping[str, Any],
    balances: Sequence[Mapping[str, Any]],
    entries: Sequence[Mapping[str, Any]],
) -> Tie:
    first = next((b["amount"] for b in balances if b["code"] in ("OPBD", "PRCD", "ITBD")), None)
    last = next((b["amount"] for b in reversed(balances) if b["code"] in ("CLBD", "ITBD")), None)
    booked = [e["amount"] for e in entries if e["status"] == "booked" and e["amount"] is not None]
    moved = sum(booked, Decimal(0))
    ties = first is not None and last is not None and first + moved == last
    return Tie(
        row["account_id"], row["currency"], first, len(entries), moved, last, ties,
        bool(row["incomplete"]),
    )  # fmt: skip
