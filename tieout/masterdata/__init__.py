"""Governed reference data. Bank accounts for now; what they are is said in `mappings/accounts`."""

from tieout.masterdata.accounts import BankAccount, load_accounts, record_accounts, resolve

__all__ = ["BankAccount", "load_accounts", "record_accounts", "resolve"]
