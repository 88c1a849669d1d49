"""Fixtures for every test: real servers on demand, a migrated ledger, the project's folder."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tieout.ledger import Ledger
from tieout.ledger.embedded import Server

pytest_plugins = ["tests.gnupg", "tests.services", "tests.servers"]

ROOT = Path(__file__).resolve().parent.parent


#: Modules that share something costly run in one process, one after another.
SHARED = {"tests/dags": "day", "tests/connectors": "tryton"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each module's tests in one process, so that its fixtures are made once."""
    for item in items:
        place = item.path.relative_to(ROOT).as_posix()
        shared = [name for folder, name in SHARED.items() if place.startswith(folder)]
        item.add_marker(pytest.mark.xdist_group(shared[0] if shared else place))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def ledger_template(postgres: Server) -> Iterator[str]:
    """A migrated, empty ledger to copy: 0.1 s a test instead of a migration."""
    name = f"test_template_{uuid.uuid4().hex[:8]}"
    postgres.ensure_database(name)
    ledger = Ledger(postgres.address(name))
    ledger.upgrade()
    ledger.close()
    yield name
    postgres.drop_database(name)


@pytest.fixture
def fresh_ledger(postgres: Server, ledger_template: str) -> Iterator[Ledger]:
    """A ledger of one test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    postgres.ensure_database(name, template=ledger_template)
    ledger = Ledger(postgres.address(name))
    yield ledger
    ledger.close()
    postgres.drop_database(name)
