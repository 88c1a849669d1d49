"""Where in a mapping a value stands, so that a refusal names the line to mend."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tieout.profiles import mappings_dir

__all__ = ["place_of"]

_SECTION: Final = re.compile(r"^\s*\[([^\[\]]+)\]")
_SETTING: Final = re.compile(r"""^\s*([\w."'-]+)\s*=\s*(.+)$""")


def place_of(value: str, *, erp: str) -> str:
    """``mappings/erp/ERP.toml:24 [accounts] bank_charges`` of a value; the first place it stands.

    Looks into the ERP's mapping, then into those of the bank accounts; empty where it stands in
    neither (a value a person typed, or one that came from the system itself).
    """
    folder = mappings_dir()
    for path in (folder / "erp" / f"{erp}.toml", *sorted((folder / "accounts").glob("*.toml"))):
        found = _in_file(path, value)
        if found:
            return f"mappings/{path.parent.name}/{path.name}:{found}"
    return ""


def _in_file(path: Path, value: str) -> str:
    """``24 [accounts] bank_charges`` of the first line with the value."""
    if not path.is_file():
        return ""
    quoted = re.compile(rf"""(["']){re.escape(value)}\1""")
    section = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if opened := _SECTION.match(line):
            section = f" [{opened[1]}]"
        setting = _SETTING.match(line)
        if setting and quoted.search(setting[2].split(" #")[0]):
            return f"{number}{section} {setting[1]}"
    return ""
