"""The composition root: addresses in, concrete ledger, drops, connectors and mailer out.

Only this module (and Airflow's own wiring, which turns connections into endpoints) knows concrete
classes. Without Airflow, endpoints come from the environment as addresses::

    TIEOUT_DATABASE    postgresql+psycopg://user:password@host/tieout     (default: embedded)
    TIEOUT_DROP_BANK   sftp://user@host:22/out?key_path=/path&host_key=ssh-ed25519%20AAAA...
                       file:///folder
    TIEOUT_CALLBACKS_SAP  basic://name:password@   (who may call `tieout serve-callbacks`)
    TIEOUT_ERP_TRYTON  http://user:password@host:8000/database
    TIEOUT_SMTP        smtp://user:password@host:587?starttls=true&sender=...&recipients=a@b,c@d
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from tieout.adjustments.books import load_books
from tieout.connectors.connector import Connector
from tieout.connectors.hints import HintReader
from tieout.connectors.http_wire import through
from tieout.connectors.tryton import TrytonConnector
from tieout.drops import Drop
from tieout.drops.local import LocalDrop
from tieout.drops.sftp import SftpDrop
from tieout.errors import ProfileError
from tieout.home import data_home
from tieout.ledger import Ledger
from tieout.ledger.embedded import ensure_server, running_server, stop_server
from tieout.posting.gate import Gate
from tieout.posting.traffic_profile import SECTIONS, load_terms
from tieout.redaction import remember
from tieout.reports.mail import SmtpMailer

__all__ = [
    "Endpoint",
    "endpoint_from_environment",
    "open_connector",
    "open_drop",
    "open_gate",
    "open_hint_reader",
    "open_ledger",
    "open_mailer",
]

DATABASE = "tieout"
#: Vendor of a mapping's ``[erp]`` → module and class.
_VENDORS: Final = {
    "sap": ("sap_s4hana", "SapConnector"),
    "oracle": ("oracle_fusion", "OracleFusionConnector"),
    "dynamics365": ("dynamics365", "DynamicsConnector"),
    "netsuite": ("netsuite", "NetSuiteConnector"),
}
#: Vendors that call us by themselves → module that reads what they say.
_HINTS: Final = {"sap": "sap_callbacks", "oracle": "oracle_callbacks"}
#: Extras of connections that are secrets; the others are names, addresses and paths.
_SECRET_EXTRAS: Final = ("client_secret", "passphrase", "password", "token", "token_secret")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where something is and how to log in there; ``extra`` holds what is special to its kind."""

    scheme: str
    host: str = ""
    port: int = 0
    login: str = ""
    password: str = field(default="", repr=False)
    path: str = ""
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        remember(self.password, *(v for k, v in self.extra.items() if k in _SECRET_EXTRAS))

    @classmethod
    def parse(cls, address: str) -> Endpoint:
        """An endpoint of an address (``scheme://login:password@host:port/path?extra``).

        Raises:
            ProfileError: ``ENDPOINT_MALFORMED``, repeating nothing of the address.
        """
        try:
            parts = urlsplit(address)
            port = parts.port or 0
        except ValueError:
            # The text of that error quotes what it took for a port: it may be of the password.
            raise ProfileError(
                "ENDPOINT_MALFORMED",
                "the address of a connection cannot be taken apart",
                remedy="write / : @ ? # and % in logins and passwords as %2F %3A %40 %3F %23 %25",
            ) from None
        return cls(
            scheme=parts.scheme,
            host=parts.hostname or "",
            port=port,
            login=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            path=unquote(parts.path),
            extra=dict(parse_qsl(parts.query)),
        )


def endpoint_from_environment(name: str) -> Endpoint:
    """The endpoint in ``TIEOUT_<NAME>`` (``drop_bank``, ``erp_tryton``, ``smtp``).

    Raises:
        ProfileError: ``ENDPOINT_MISSING``, naming the variable.
    """
    variable = f"TIEOUT_{name.upper()}"
    address = os.environ.get(variable)
    if not address:
        raise ProfileError(
            "ENDPOINT_MISSING",
            f"{variable} is not set",
            remedy="set it to the address, or run the stage in Airflow with its connection",
        )
    return Endpoint.parse(address)


@contextmanager
def open_ledger(*, upgrade: bool = True) -> Iterator[Ledger]:
    """The ledger at ``TIEOUT_DATABASE``, else in the embedded server of the data folder.

    A server that was not running is started for the block and stopped at its end.
    """
    address = os.environ.get("TIEOUT_DATABASE")
    home = data_home()
    started = False
    if not address:
        started = running_server(home) is None
        server = ensure_server(home)
        server.ensure_database(DATABASE)
        address = server.address(DATABASE)
    ledger = Ledger(address)
    try:
        if upgrade:
            ledger.upgrade()
        yield ledger
    finally:
        ledger.close()
        if started:
            stop_server(home)


def open_drop(endpoint: Endpoint) -> Drop:
    """A drop over SFTP (``sftp://``), or a folder of this machine (``file://``).

    Raises:
        ProfileError: ``ENDPOINT_SCHEME``.
    """
    extra = endpoint.extra
    if endpoint.scheme == "file":
        return LocalDrop(Path(endpoint.path), name=extra.get("name", ""))
    if endpoint.scheme in ("sftp", "ssh"):
        key_path = extra.get("key_path")
        return SftpDrop(
            endpoint.host,
            endpoint.port or 22,
            endpoint.login,
            host_key=extra.get("host_key", ""),
            key_path=Path(key_path) if key_path else None,
            password=endpoint.password or None,
            root=endpoint.path or ".",
            name=extra.get("name", ""),
        )
    raise _scheme(endpoint, "sftp or file")


def open_gate(ledger: Ledger, erp: str) -> Gate:
    """This worker's door to an ERP: budget, circuit and calendar that all workers share.

    Raises:
        ProfileError: ``[traffic]`` or ``[[maintenance]]`` of the mapping is wrong.
    """
    return Gate(ledger, erp, load_terms(erp), owner=f"{socket.gethostname()}/{os.getpid()}")


def open_connector(erp: str, endpoint: Endpoint, gate: Gate | None = None) -> Connector:
    """The connector of an ERP's mapping (``mappings/erp/ERP.toml``).

    Args:
        gate: every request takes a permit there; without one nobody counts them.

    Raises:
        ProfileError: ``ENDPOINT_SCHEME``, ``VENDOR_UNKNOWN``, or the mapping is missing or wrong.
    """
    if endpoint.scheme not in ("http", "https"):
        raise _scheme(endpoint, "https (or http on this machine)")
    if endpoint.scheme == "http" and endpoint.host not in _LOOPBACK:
        raise ProfileError(
            "ENDPOINT_INSECURE",
            "the password would travel in clear text",
            where=f"{endpoint.host}:{endpoint.port}",
            remedy="use https, or a tunnel that ends on this machine",
        )
    books = load_books(erp)
    company = str(books.content["company"]["code"])
    mapping = {key: value for key, value in books.content.items() if key not in SECTIONS}
    vendor = str(mapping["erp"].get("vendor", erp))
    login = (endpoint.login, endpoint.password)
    with through(gate):
        if vendor == "tryton":
            base = f"{endpoint.scheme}://{endpoint.host}:{endpoint.port or 8000}"
            database = endpoint.path.strip("/")
            return TrytonConnector(base, database, *login, company=company, mapping=mapping)
        port = f":{endpoint.port}" if endpoint.port else ""
        base = f"{endpoint.scheme}://{endpoint.host}{port}{endpoint.path.rstrip('/')}"
        connector = _vendor(vendor, erp)
        return connector(base, *login, company=company, mapping=mapping, options=endpoint.extra)


def _vendor(vendor: str, erp: str) -> Callable[..., Connector]:
    """The connector's class; only the one that is used is imported."""
    if vendor not in _VENDORS:
        raise ProfileError(
            "VENDOR_UNKNOWN",
            f"there is no connector {vendor!r}",
            where=f"mappings/erp/{erp}.toml [erp] vendor",
            remedy=f"one of {', '.join(sorted((*_VENDORS, 'tryton')))}",
        )
    module, name = _VENDORS[vendor]
    found: Callable[..., Connector] = getattr(import_module(f"tieout.connectors.{module}"), name)
    return found


def open_hint_reader(erp: str) -> HintReader:
    """What reads the callbacks of an ERP's mapping.

    Raises:
        ProfileError: ``CALLBACKS_NOT_OFFERED`` where its vendor makes none, or no mapping.
    """
    vendor = str(load_books(erp).content["erp"].get("vendor", erp))
    if vendor not in _HINTS:
        raise ProfileError(
            "CALLBACKS_NOT_OFFERED",
            f"{vendor} does not call by itself",
            where=f"mappings/erp/{erp}.toml [erp] vendor",
            remedy=f"only {', '.join(sorted(_HINTS))} do; others are asked",
        )
    reader: HintReader = import_module(f"tieout.connectors.{_HINTS[vendor]}").read_hint
    return reader


def open_mailer(endpoint: Endpoint) -> SmtpMailer:
    """A mailer over SMTP; ``sender`` and ``recipients`` come with the endpoint.

    Raises:
        ProfileError: ``ENDPOINT_SCHEME``.
    """
    if endpoint.scheme != "smtp":
        raise _scheme(endpoint, "smtp")
    return SmtpMailer(
        endpoint.host,
        endpoint.port or 25,
        endpoint.login,
        endpoint.password,
        starttls=endpoint.extra.get("starttls", "false") == "true",
    )


def _scheme(endpoint: Endpoint, expected: str) -> ProfileError:
    return ProfileError(
        "ENDPOINT_SCHEME",
        f"the address begins with {endpoint.scheme!r}",
        where=f"{endpoint.host}:{endpoint.port}",
        remedy=f"expected {expected}",
    )
