"""The ledger's door: open it, migrate it, work in one transaction at a time, load in bulk.

One dialect (PostgreSQL): real constraints, triggers, ``SKIP LOCKED`` and binary COPY. An address
comes from ``TIEOUT_DATABASE``; without one the embedded server in the data folder is used.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pgpq
import pyarrow as pa
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, Table, create_engine, func, select, text
from sqlalchemy.orm import Session

from tieout.errors import LedgerError
from tieout.ledger.models import Base

__all__ = ["Ledger", "bulk_load", "database_epoch", "database_moment", "database_now"]

#: Built once: each change of the ledger asks for the time.
_NOW = select(func.clock_timestamp())
_MOMENT = text(
    "SELECT s.system_identifier || '/' || c.timeline_id, clock_timestamp() "
    "FROM pg_control_system() s, pg_control_checkpoint() c"
)
_SCRIPTS = Path(__file__).parent / "migrations"


class Ledger:
    """A PostgreSQL ledger at a SQLAlchemy address (``postgresql+psycopg://…``)."""

    def __init__(self, address: str) -> None:
        self.address = address
        # No pool beyond what one process uses; pre-ping because Airflow tasks outlive servers.
        self.engine: Engine = create_engine(address, pool_size=4, pool_pre_ping=True)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction: committed at the end of the block, rolled back on any error."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def upgrade(self) -> None:
        """Bring the schema to this code's version (Alembic head); safe to run concurrently."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7133701)")
            command.upgrade(_alembic(connection), "head")

    def close(self) -> None:
        """Return all connections."""
        self.engine.dispose()


def _alembic(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config


def database_now(session: Session) -> dt.datetime:
    """The database's clock: leases and deadlines use it and no other."""
    now: dt.datetime = session.connection().execute(_NOW).scalar_one()
    return now


def database_epoch(session: Session) -> str:
    """System identifier and timeline: another value means a restore or a fail-over happened."""
    return database_moment(session)[0]


def database_moment(session: Session) -> tuple[str, dt.datetime]:
    """The database's epoch and clock, with one question."""
    epoch, now = session.connection().execute(_MOMENT).one()
    return str(epoch), now


def bulk_load(session: Session, model: type[Base], rows: pa.Table) -> int:
    """COPY an Arrow table into a model's table; rows whose primary key is there stay as they are.

    Args:
        session: the transaction to load in.
        model: the table; the Arrow columns' names must be column names of it.
        rows: any number of rows.

    Returns:
        How many rows were new.

    Raises:
        LedgerError: ``BULK_COLUMNS`` where a column does not exist.
    """
    target = cast(Table, model.__table__)
    unknown = [name for name in rows.schema.names if name not in target.columns]
    if unknown:
        raise LedgerError("BULK_COLUMNS", f"{target.name} has no columns {unknown}")
    if rows.num_rows == 0:
        return 0
    names = ", ".join(f'"{name}"' for name in rows.schema.names)
    staging = f"load_{target.name}"
    connection = session.connection()
    connection.exec_driver_sql(
        f'CREATE TEMP TABLE "{staging}" ON COMMIT DROP AS '
        f'SELECT {names} FROM "{target.name}" WITH NO DATA'
    )
    _copy(connection, staging, names, rows)
    done = connection.exec_driver_sql(
        f'INSERT INTO "{target.name}" ({names}) SELECT {names} FROM "{staging}" '
        "ON CONFLICT DO NOTHING"
    )
    connection.exec_driver_sql(f'DROP TABLE "{staging}"')
    return done.rowcount


def _copy(connection: Connection, staging: str, names: str, rows: pa.Table) -> None:
    """Binary COPY through pgpq (0.2 s of CPU a million rows; executemany needs 15 s)."""
    encoder = pgpq.ArrowToPostgresBinaryEncoder(rows.schema)
    driver: Any = connection.connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f'COPY "{staging}" ({names}) FROM STDIN WITH (FORMAT BINARY)') as copy,
    ):
        copy.write(encoder.write_header())
        for batch in rows.combine_chunks().to_batches():
            copy.write(encoder.write_batch(batch))
        copy.write(encoder.finish())
