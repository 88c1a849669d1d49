"""Modules imported when first asked: importing all costs more than reading a small file."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["Late"]


class Late:
    """A module of this package that is imported with the first look into it."""

    def __init__(self, name: str) -> None:
        self.__name__ = f"{__package__}.{name}"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # who looks what kind of object this is gets no import
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)
