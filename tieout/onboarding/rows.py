"""Rows of an onboarding report."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Code", "Feature", "Unplaced"]


@dataclass(frozen=True, slots=True)
class Feature:
    """Something particular in the sample: how often, and the first lines."""

    what: str
    count: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Text of the file that no column holds: where it stands, how often, the first of it."""

    where: str
    count: int
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code of the bank without an ISO meaning."""

    code: str
    count: int
    line: int
