"""The ERPs our bank accounts are kept in: each gets tasks, a pool and a connection of its own.

Read from the mappings while a DAG file is parsed, so it knows nothing heavier than TOML.
"""

from __future__ import annotations

from tieout.profiles import load_all

__all__ = ["erps", "pool_of"]


def erps() -> list[str]:
    """Names of the ERPs that bank accounts name (``mappings/accounts``), sorted."""
    return sorted({str(content["erp"]) for _, content in load_all("accounts") if "erp" in content})


def pool_of(erp: str) -> str:
    """The pool whose slots are the calls to an ERP at a time (``pools.json`` beside this file)."""
    return f"erp_{erp}"
