"""The tables `corpus` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.parsers.corpus_known import DIFFERENCES

if TYPE_CHECKING:
    from tests.parsers.corpus import Verdict

__all__ = ["print_report"]

_COLUMNS = ("statements", "tie", "entries", "details", "payments", "statuses")


def print_report(verdicts: Sequence[Verdict]) -> None:
    """Files by folder, refusals, agreement with each peer, and what is wrong."""
    print(f"\n{'folder':16}{'files':>6}{'read':>6}{'refused':>8}", end="")
    print("".join(f"{name:>{max(len(name) + 2, 10)}}" for name in _COLUMNS))
    for folder in [*dict.fromkeys(v.folder for v in verdicts), "all"]:
        _line(folder, [v for v in verdicts if folder in (v.folder, "all")])
    print("(tie: booked statements whose opening + entries = closing, of all booked ones)")
    _refusals(verdicts)
    _peers(verdicts)
    for verdict in verdicts:
        for problem in verdict.problems:
            print(f"[PROBLEM] {verdict.folder}/{verdict.name}: {problem}")


def _line(folder: str, own: Sequence[Verdict]) -> None:
    counts: Counter[str] = sum((v.counts for v in own), Counter())
    refused = sum(v.refused is not None for v in own)
    print(f"{folder:16}{len(own):6}{len(own) - refused:6}{refused:8}", end="")
    for name in _COLUMNS:
        shown = f"{counts[name]}/{counts['booked']}" if name == "tie" else str(counts[name])
        print(f"{shown:>{max(len(name) + 2, 10)}}", end="")
    print()


def _refusals(verdicts: Sequence[Verdict]) -> None:
    print("\nrefused (quarantined), each with where and remedy:")
    refused = [v for v in verdicts if v.refused is not None]
    for verdict in sorted(refused, key=lambda v: (v.refused.code if v.refused else "", v.name)):
        error = verdict.refused
        if error is not None:
            print(f"  {error.code:18} {error.where:22} {verdict.folder}/{verdict.name}")


def _peers(verdicts: Sequence[Verdict]) -> None:
    print("\nagreement with the peers' expected outputs, fact by fact (rows equal / different):")
    found = [a for v in verdicts for a in v.agreements]
    for peer in sorted({a.peer for a in found}):
        own = [a for a in found if a.peer == peer]
        equal = sum((a.equal for a in own), Counter())
        differ = sum((a.differ for a in own), Counter())
        facts = ", ".join(
            f"{name} {equal[name]}/{differ[name]}" for name in sorted({*equal, *differ})
        )
        print(f"  {peer:12} {len(own):3} outputs: {facts}")
    print("\nevery difference, and whose error it is (judged by the bank's own bytes):")
    for (output, fact), (count, reason) in sorted(DIFFERENCES.items()):
        print(f"  {output}\n      {fact}: {count} rows: {reason}")
    print()
