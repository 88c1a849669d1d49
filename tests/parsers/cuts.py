"""When a cut file is read in silence, said once for every format.

A cut file is refused; or it is told (a finding that the whole file has not, or one that says the
end is not proven); or it reads as the whole does (only blanks or an end mark are gone); or it is a
smaller whole file, which no reader can tell from one the bank meant: the first statements of the
whole, each complete, cut exactly where a format without a last record lets a file end. Everything
else is a silent partial read, and there must be none.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import parsers
from tieout.commands.parse import as_json
from tieout.errors import InputError

__all__ = ["Facts", "facts", "judge_cut"]

#: Findings that say the file's end is not proven.
_UNSURE = ("MT_NOT_TERMINATED", "MT_FRAGMENT", "MT_END_UNSURE", "CFONB_END_UNSURE", "PAGE_OPEN")

Facts = tuple[list[list[Any]], Counter[tuple[str, str, str]]]


def facts(path: Path) -> Facts:
    """Statements, payments and statuses without what names the file, and the findings."""
    found = as_json(Path("x"), parsers.read_file(path))
    groups = [found.get(name, []) for name in ("statements", "payments", "statuses")]
    for row in (row for group in groups for row in group):
        row["file_id"] = ""
    return groups, Counter((f["code"], f["where"], f["message"]) for f in found["findings"])


def judge_cut(path: Path, whole: Facts) -> str:
    """``refused``, ``told``, ``same``, ``smaller`` or ``silent``, of a cut file."""
    try:
        groups, findings = facts(path)
    except InputError as error:
        assert error.code != "READER_FAILED", error
        assert error.where, error
        assert error.remedy, error
        return "refused"
    if findings - whole[1] or any(code in _UNSURE for code, _, _ in findings):
        return "told"
    if groups == whole[0]:
        return "same"
    parts = zip(groups, whole[0], strict=True)
    return "smaller" if all(g == all_[: len(g)] for g, all_ in parts) else "silent"
