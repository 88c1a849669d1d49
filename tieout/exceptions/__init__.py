"""Exceptions: what a person must decide, each with a one-line reason, an owner and a due time."""

from tieout.exceptions.store import (
    ARRIVALS,
    POSTINGS,
    ExceptionDraft,
    record_exceptions,
    unresolved,
)

__all__ = ["ARRIVALS", "POSTINGS", "ExceptionDraft", "record_exceptions", "unresolved"]
