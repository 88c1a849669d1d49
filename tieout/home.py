"""The data folder: where everything that runs keeps its state.

``TIEOUT_HOME``, default ``.tieout`` below the current folder. On one machine it is a folder; the
names below are the only places the code writes to.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

__all__ = ["archive_path", "code_version", "data_home", "folder", "staging_path"]


def data_home() -> Path:
    """The data folder's absolute path (not created)."""
    return Path(os.environ.get("TIEOUT_HOME", ".tieout")).resolve()


def folder(home: Path, name: str) -> Path:
    """A named folder below the data folder, made private to its owner when it is new."""
    path = home / name
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def archive_path(home: Path, file_id: str) -> Path:
    """Where the raw bytes of a file are kept: by content, two levels deep."""
    return home / "archive" / file_id[:2] / file_id[2:4] / file_id


def staging_path(home: Path, file_id: str) -> Path:
    """Where a file's canonical tables wait between reading and recording, as Parquet."""
    return home / "staging" / file_id


@cache
def code_version() -> str:
    """A hash of our own source, recorded with every run: what derived it can be told later."""
    root = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    parents = [root, root.parent / "parsers"]
    for source in sorted(p for parent in parents for p in parent.rglob("*.py")):
        digest.update(source.relative_to(root.parent).as_posix().encode() + source.read_bytes())
    return digest.hexdigest()[:12]
