"""The ledger: facts, conclusions and effects in PostgreSQL."""

from tieout.ledger.ledger import Ledger, bulk_load, database_epoch, database_now

__all__ = ["Ledger", "bulk_load", "database_epoch", "database_now"]
