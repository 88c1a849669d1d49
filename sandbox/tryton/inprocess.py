"""Run a piece of work in one Tryton transaction, inside this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from trytond.transaction import Transaction, TransactionError

__all__ = ["in_transaction"]

T = TypeVar("T")


def in_transaction(database: str, work: Callable[[], T], **context: object) -> T:
    """Do ``work`` as Tryton's root user and commit; started again where it asks for table locks."""
    extras: dict[str, Any] = {}
    while True:
        with Transaction().start(database, 0, context={"language": "en"} | context, **extras) as t:
            try:
                result = work()
            except TransactionError as error:
                t.rollback()
                t.tasks.clear()
                error.fix(extras)
                continue
            t.commit()
            return result
