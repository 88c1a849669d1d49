"""A ladder's mapping as the text a person pastes into ``mappings/ladders``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["ladder_text"]


def ladder_text(content: Mapping[str, Any]) -> str:
    """Keys and rungs of a mapping as TOML; reading it again gives the same mapping."""
    blocks = [
        _block(f"[keys.{name}]", body) for name, body in sorted(content.get("keys", {}).items())
    ]
    blocks += [_block("[[rungs]]", body) for body in content.get("rungs", [])]
    return "\n".join(blocks)


def _block(head: str, body: Mapping[str, Any]) -> str:
    return "\n".join([head, *(f"{name} = {_value(value)}" for name, value in body.items())]) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{name} = {_value(one)}" for name, one in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, str):
        # Patterns hold backslashes, which a literal string leaves alone.
        plain = "\\" in value and "'" not in value
        return f"'{value}'" if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
