"""Where adjustments go in the books: GL accounts by purpose and the company's currency, by ERP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tieout.errors import ProfileError
from tieout.profiles import load, mappings_dir, require
from tieout.references import check_pattern

__all__ = ["Books", "load_books"]


@dataclass(frozen=True, slots=True)
class Books:
    """One ERP's mapping, as far as proposals need it; ``content`` is the whole of it."""

    erp: str
    currency: str
    accounts: Mapping[str, str]
    reference_patterns: tuple[str, ...]
    content: Mapping[str, Any]

    def account_for(self, purpose: str) -> str:
        """The GL account's code for a purpose.

        Raises:
            ProfileError: ``PURPOSE_UNKNOWN``, naming the mapping and the key to add.
        """
        try:
            return self.accounts[purpose]
        except KeyError:
            raise ProfileError(
                "PURPOSE_UNKNOWN",
                f"no GL account for the purpose {purpose!r}",
                where=f"mappings/erp/{self.erp}.toml [accounts]",
                remedy=f'add {purpose} = "…" there',
            ) from None


def load_books(erp: str) -> Books:
    """Load ``mappings/erp/ERP.toml``."""
    where = f"mappings/erp/{erp}.toml"
    content = load(mappings_dir() / "erp" / f"{erp}.toml")
    company = require(content, "company", dict, where)
    return Books(
        erp=erp,
        currency=require(company, "currency", str, f"{where} [company]"),
        accounts=require(content, "accounts", dict, where),
        reference_patterns=tuple(
            check_pattern(p, f"{where} [references]")
            for p in content.get("references", {}).get("patterns", ())
        ),
        content=content,
    )
