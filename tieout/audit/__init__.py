"""The audit log: a hash chain over every change of state."""

from tieout.audit.chain import append, verify

__all__ = ["append", "verify"]
