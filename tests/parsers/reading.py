"""Short ways to read text as a bank file in tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import parsers
from parsers import Parsed
from tieout.errors import InputError

__all__ = ["SAMPLES", "codes", "entries", "mt", "read", "refusal"]

SAMPLES = Path(__file__).parent / "samples"


def read(folder: Path, content: str | bytes, encoding: str | None = None) -> Parsed:
    """Content as a file, read."""
    path = folder / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return parsers.read_file(path, encoding)


def refusal(folder: Path, content: str | bytes) -> InputError:
    """The error of a file that must be refused; it always says where and how to mend."""
    try:
        read(folder, content)
    except InputError as error:
        assert error.code != "READER_FAILED", error
        assert error.where, error
        assert error.remedy, error
        return error
    raise AssertionError("the file was read")


def codes(parsed: Parsed) -> list[str]:
    """Codes of the findings in order."""
    return [finding.code for finding in parsed.tables.findings]


def entries(parsed: Parsed) -> list[dict[str, Any]]:
    """Entries, each with its one detail's columns under ``d_``."""
    details = {row["entry_id"]: row for row in parsed.tables.details.to_pylist()}
    return [
        row | {f"d_{name}": value for name, value in details[row["entry_id"]].items()}
        for row in parsed.tables.entries.to_pylist()
    ]


def mt(*lines: str, opening: str = "C260101EUR100,00", closing: str = "C260102EUR100,00") -> str:
    """A whole MT940 message around lines of its body."""
    head = [":20:REF", ":25:11112222/333", ":28C:1/1", f":60F:{opening}"]
    return "".join(line + "\r\n" for line in [*head, *lines, f":62F:{closing}", "-"])
