"""Text that banks, payers and file names gave us, made harmless before anything prints it.

Escaping for a target (HTML, Typst, XLSX, terminal) is each renderer's own work; here we remove
what no target shows honestly: control characters, bidirectional overrides, invisible tags, lone
surrogates. Space-like controls become one space, the others U+FFFD, so that a reader sees that
something stood there.

>>> clean("pay\\u202e me\\r\\nnow")
'pay\ufffd me now'
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Final

from tieout.reports.model import DayReport, check

__all__ = ["breakable", "clean", "clip", "ready"]

_UNBROKEN: Final = re.compile(r"\S{30,}")
_SPACES: Final = re.compile(r"[\t\n\x0b\x0c\r\x1c-\x1f\x85\u2028\u2029]+")
_HARMFUL: Final = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # C0, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # bidirectional marks, overrides, isolates
    "\u200b\u2060-\u2065\ufeff\ufff9-\ufffb"  # invisible separators, annotations
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e0fff]"  # not characters, tags
)


def clean(text: str) -> str:
    """One line without control, override, invisible or invalid characters."""
    return _HARMFUL.sub("\ufffd", _SPACES.sub(" ", text))


def clip(text: str, length_max: int) -> str:
    """At most ``length_max`` characters, the last one an ellipsis when something was cut."""
    return text if len(text) <= length_max else text[: length_max - 1].rstrip() + "…"


def breakable(text: str) -> list[str]:
    """The text in pieces between which a line may break: runs of 30 and more are cut in twelves."""
    pieces: list[str] = []
    done = 0
    for run in _UNBROKEN.finditer(text):
        pieces.append(text[done : run.start()] + run[0][:12])
        pieces += [run[0][start : start + 12] for start in range(12, len(run[0]), 12)]
        done = run.end()
    return [*pieces, text[done:]] if text[done:] or not pieces else pieces


def ready(report: DayReport) -> DayReport:
    """The report checked (`tieout.reports.model.check`) and with every text cleaned."""
    check(report)
    cleaned = _cleaned(report)
    assert isinstance(cleaned, DayReport)  # noqa: S101 - for the type checker
    return cleaned


def _cleaned(value: Any) -> Any:
    """Walk dataclasses, tuples and mappings; every str through `clean`, the rest as it is."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, tuple):
        return tuple(_cleaned(each) for each in value)
    if isinstance(value, Mapping):
        return {clean(key): _cleaned(each) for key, each in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return dataclasses.replace(
            value, **{f.name: _cleaned(getattr(value, f.name)) for f in fields}
        )
    return value
