"""Where a ladder comes from: a name in the mappings, a file, or a revision of a repository."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Final

from tieout import profiles
from tieout.errors import ProfileError
from tieout.matching.ladder import Ladder, load, read

__all__ = ["ladder_of"]

_GIT: Final = "git:"


def ladder_of(source: str) -> Ladder:
    """The ladder a person named.

    Args:
        source: ``default`` (``mappings/ladders/default.toml``), ``drafts/new.toml`` (a file), or
            ``git:main:mappings/ladders/default.toml`` (a file as it stood at a revision).

    Raises:
        ProfileError: there is none, or a key or value of it is wrong.
    """
    if source.startswith(_GIT):
        return _at_revision(source)
    if source.endswith(".toml") or "/" in source:
        path = Path(source)
        return read(path.stem, profiles.load(path))
    return load(source)


def _at_revision(source: str) -> Ladder:
    revision, mark, path = source.removeprefix(_GIT).partition(":")
    if not mark or not revision or not path or revision.startswith("-"):
        raise ProfileError(
            "LADDER_SOURCE",
            f"{source!r} names no file at a revision",
            remedy="write git:REVISION:PATH, such as git:main:mappings/ladders/default.toml",
        )
    try:
        program = shutil.which("git") or "git"
        shown = subprocess.run(  # noqa: S603 - no shell, and no word that git takes for an option
            [program, "show", "--no-textconv", f"{revision}:{path}"],
            capture_output=True,
            check=True,
            timeout=60,
        )
        content = tomllib.loads(shown.stdout.decode("utf-8"))
    except FileNotFoundError:
        problem, remedy = "git is not installed", "install it, or give the file itself"
    except subprocess.CalledProcessError as error:
        problem = error.stderr.decode("utf-8", "replace").strip().splitlines()[-1][:200]
        remedy = "run it inside the repository, and check revision and path"
    except subprocess.TimeoutExpired:
        problem, remedy = "git did not answer within a minute", "give the file itself"
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        problem, remedy = str(error), "mend the TOML at that place, or name another revision"
    else:
        return read(Path(path).stem, content)
    raise ProfileError("LADDER_SOURCE", problem, where=source, remedy=remedy)
