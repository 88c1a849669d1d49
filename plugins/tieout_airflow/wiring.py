"""Airflow's connections as tieout's endpoints: the only place where secrets come in.

* ``tieout_drop_bank``: ``sftp://me@host/banks?key_path=/path&host_key=ssh-ed25519%20AAAA…``
* ``tieout_drop_expense``: the same for the expense system's drop
* ``tieout_erp_<name>``, one an ERP mapping: ``http://login:password@host:8000/database`` of Tryton,
  ``https://client:secret@host`` with the vendor's extras of the others
* ``tieout_smtp``: ``smtp://host:25``

Connections come from the metadata, a secrets backend, or ``AIRFLOW_CONN_TIEOUT_…`` variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tieout.wiring import Endpoint

__all__ = ["DROP_BANK", "DROP_EXPENSE", "SMTP", "endpoint", "erp"]

DROP_BANK = "tieout_drop_bank"
DROP_EXPENSE = "tieout_drop_expense"
SMTP = "tieout_smtp"


def erp(name: str) -> str:
    """The connection of an ERP's mapping."""
    return f"tieout_erp_{name}"


def endpoint(connection_id: str) -> Endpoint:
    """The endpoint an Airflow connection describes; the connection's type is the scheme.

    Raises:
        airflow.sdk.exceptions.AirflowNotFoundException: there is no such connection.
    """
    from airflow.sdk import BaseHook

    from tieout.wiring import Endpoint

    found = BaseHook.get_connection(connection_id)
    return Endpoint(
        scheme=found.conn_type or "",
        host=found.host or "",
        port=found.port or 0,
        login=found.login or "",
        password=found.password or "",
        path=f"/{found.schema}" if found.schema else "",
        extra={name: str(value) for name, value in sorted(found.extra_dejson.items())},
    )
