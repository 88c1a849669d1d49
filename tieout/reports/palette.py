"""The report's colours, shared by mail, charts, PDF and XLSX.

Pairs are chosen for WCAG AA contrast on their grounds; matched and unmatched differ in lightness
and in hue along blue and orange, so that they stay apart for colour-blind readers and in grey.
Meaning is never carried by colour alone: a word always stands beside it.
"""

from __future__ import annotations

from typing import Final

from tieout.reports.model import Status

__all__ = ["COLOURS", "STATUS_TONES"]

#: Hex colours by role; ``*_ground`` is the pale ground the tone of that name is legible on.
COLOURS: Final[dict[str, str]] = {
    "ink": "#16212e",
    "muted": "#5a6878",
    "line": "#e1e6ec",
    "ground": "#f3f5f8",
    "card": "#ffffff",
    "brand": "#12355b",
    "matched": "#1f6f9f",
    "unmatched": "#e39a3b",
    "good": "#17693f",
    "good_ground": "#e3f3ea",
    "wait": "#7d5200",
    "wait_ground": "#fdf1d8",
    "bad": "#b3231b",
    "bad_ground": "#fce8e6",
    "plain": "#465362",
    "plain_ground": "#e9edf2",
}

#: Tone of each status; ``COLOURS[tone]`` on ``COLOURS[tone + "_ground"]``.
STATUS_TONES: Final[dict[Status, str]] = {
    "tied": "good",
    "explained": "good",
    "broken": "bad",
    "no_statement": "wait",
}
