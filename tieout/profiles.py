"""Profiles: mappings are short commented TOML texts; a wrong key names its nearest right one.

TOML because it has exact decimals as strings, no ``NO`` that turns into false, and comments. A
folder holds one kind of mapping (``mappings/accounts``, ``ladders``, ``policies``, ``erp``,
``banks``); a file whose name starts with ``_`` is a shared part and is not loaded by itself.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

from tieout.errors import ProfileError

__all__ = [
    "allow_keys",
    "fingerprint",
    "load",
    "load_all",
    "mappings_dir",
    "on_trial",
    "require",
    "trial",
]

T = TypeVar("T")

_TRIAL: ContextVar[tuple[str, str, dict[str, Any]] | None] = ContextVar("trial", default=None)


def mappings_dir() -> Path:
    """The folder of all mappings: ``TIEOUT_MAPPINGS``, else the checkout's, else the wheel's."""
    named = os.environ.get("TIEOUT_MAPPINGS")
    if named:
        return Path(named)
    here = Path(__file__).resolve().parent
    checkout = here.parent / "mappings"
    return checkout if checkout.is_dir() else here / "_mappings"


def load(path: Path) -> dict[str, Any]:
    """Read one mapping.

    Raises:
        ProfileError: ``PROFILE_MISSING``, ``PROFILE_SYNTAX`` (with line and column).
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        near = difflib.get_close_matches(path.stem, [p.stem for p in path.parent.glob("*.toml")])
        hint = f"did you mean {near[0]!r}?" if near else f"expected it in {path.parent}"
        raise ProfileError(
            "PROFILE_MISSING", f"no mapping {path.stem!r}", where=str(path), remedy=hint
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        # Thousands of brackets in each other end in a RecursionError.
        raise ProfileError(
            "PROFILE_SYNTAX", str(error), where=path.name, remedy="mend the TOML at that place"
        ) from None


def load_all(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """All mappings of a kind (a folder's name) as (stem, content), ordered by stem."""
    if (tried := on_trial(kind)) is not None:
        return [tried]
    folder = mappings_dir() / kind
    names = sorted(p for p in folder.glob("*.toml") if not p.name.startswith("_"))
    return [(path.stem, load(path)) for path in names]


@contextmanager
def trial(kind: str, name: str, content: dict[str, Any]) -> Iterator[None]:
    """Inside, this mapping is the only one of its kind: to try a draft that is no file yet."""
    token = _TRIAL.set((kind, name, content))
    try:
        yield
    finally:
        _TRIAL.reset(token)


def on_trial(kind: str) -> tuple[str, dict[str, Any]] | None:
    """The mapping of this kind that is being tried, or None."""
    tried = _TRIAL.get()
    return (tried[1], tried[2]) if tried is not None and tried[0] == kind else None


def allow_keys(found: Mapping[str, Any], allowed: Sequence[str], where: str) -> None:
    """Refuse keys that are not in ``allowed``, naming the nearest right one.

    Raises:
        ProfileError: ``PROFILE_KEY``.
    """
    for key in found:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "allowed: " + ", ".join(allowed)
            raise ProfileError("PROFILE_KEY", f"unknown key {key!r}", where=where, remedy=hint)


def require(found: Mapping[str, Any], key: str, kind: type[T], where: str) -> T:
    """A mapping's value of the given type.

    Raises:
        ProfileError: ``PROFILE_VALUE`` where it is absent or of another type.
    """
    value = found.get(key)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        problem = "is missing" if value is None else f"is {value!r}"
        raise ProfileError(
            "PROFILE_VALUE",
            f"{key!r} {problem}",
            where=where,
            remedy=f"give {key} as {kind.__name__}",
        )
    return value


def fingerprint(content: Mapping[str, Any]) -> str:
    """A short content hash of a mapping, recorded with what it decided."""
    return hashlib.sha256(repr(_ordered(content)).encode()).hexdigest()[:12]


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple((k, _ordered(value[k])) for k in sorted(value))
    if isinstance(value, list):
        return tuple(_ordered(v) for v in value)
    return value
