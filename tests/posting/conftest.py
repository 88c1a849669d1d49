"""A migrated ledger for each test module, and an ERP name of its own for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.posting.books import open_books
from tests.services import (  # noqa: F401 - fixtures
    own_ledger,
    postgres,
    services_home,
    tryton,
    tryton_template,
)
from tieout.ledger.embedded import Server
from tieout.ledger.ledger import Ledger

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def ledger(postgres: Server) -> Iterator[Ledger]:  # noqa: F811
    """A ledger of this module's own."""
    with own_ledger(postgres, "test_posting", durable=False) as ledger:
        yield ledger


@pytest.fixture
def erp(ledger: Ledger) -> str:
    """An ERP connection of this test alone, with its bank account."""
    name = f"ERP{next(_NUMBERS)}"
    open_books(ledger, name)
    return name
