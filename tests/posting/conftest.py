"""A migrated ledger for each test module, and an ERP name of its own for each test."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator

import psycopg
import pytest

from tests.posting.books import open_books
from tests.services import (  # noqa: F401 - fixtures
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
    name = f"test_posting_{uuid.uuid4().hex[:8]}"
    postgres.ensure_database(name)
    with psycopg.connect(postgres.libpq("postgres")) as connection:
        # Workers are killed here, the database is not: no need to wait for its disk.
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    ledger = Ledger(postgres.address(name))
    ledger.upgrade()
    yield ledger
    ledger.close()
    postgres.drop_database(name)


@pytest.fixture
def erp(ledger: Ledger) -> str:
    """An ERP connection of this test alone, with its bank account."""
    name = f"ERP{next(_NUMBERS)}"
    open_books(ledger, name)
    return name
