"""``tieout serve-callbacks``: take what ERPs tell us by themselves, so that we look sooner."""

from __future__ import annotations

import argparse
import ssl
from pathlib import Path
from typing import Any

import uvicorn

from tieout.errors import ProfileError
from tieout.tower.callbacks import Sender, application
from tieout.wiring import endpoint_from_environment, open_hint_reader, open_ledger

__all__ = ["add", "run"]

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: Callers at one time; who comes then is told to come again.
_CALLERS_MAX = 64


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``serve-callbacks``."""
    words = "receive the ERPs' callbacks at POST /callbacks/ERP; each makes its postings due"
    parser = commands.add_parser("serve-callbacks", help=words, description=words)
    parser.add_argument(
        "erps",
        nargs="+",
        metavar="ERP",
        help="may call: name and password come from TIEOUT_CALLBACKS_ERP=basic://NAME:PASSWORD@",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8445, help="port to listen on (%(default)s)")
    parser.add_argument("--certificate", type=Path, help="our certificate, PEM")
    parser.add_argument("--key", type=Path, help="its private key, PEM")
    parser.add_argument(
        "--clients", type=Path, help="callers need a certificate of these authorities too, PEM"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Listen until stopped."""
    protection = _protection(args)
    senders = {erp: _sender(erp) for erp in dict.fromkeys(args.erps)}
    with open_ledger() as ledger:
        print(f"callbacks of {', '.join(senders)} at {args.host}:{args.port}", flush=True)
        uvicorn.run(
            application(ledger, senders),
            host=args.host,
            port=args.port,
            access_log=False,
            lifespan="off",
            limit_concurrency=_CALLERS_MAX,
            log_level="warning",
            server_header=False,
            **protection,
        )
    return 0


def _sender(erp: str) -> Sender:
    endpoint = endpoint_from_environment(f"callbacks_{erp}")
    return Sender(erp, endpoint.login, endpoint.password, open_hint_reader(erp))


def _protection(args: argparse.Namespace) -> dict[str, Any]:
    """What TLS needs.

    Raises:
        ProfileError: ``ENDPOINT_INSECURE`` where passwords would travel in clear text,
            ``CERTIFICATE_MISSING``.
    """
    if not args.certificate:
        if args.host not in _LOOPBACK or args.clients:
            raise ProfileError(
                "ENDPOINT_INSECURE",
                "passwords would travel in clear text",
                where=f"{args.host}:{args.port}",
                remedy="give --certificate and --key, or listen on 127.0.0.1 behind a proxy",
            )
        return {}
    for path in (args.certificate, args.key, args.clients):
        if path is not None and not path.is_file():
            raise ProfileError("CERTIFICATE_MISSING", "there is no such file", where=str(path))
    found: dict[str, Any] = {"ssl_certfile": args.certificate, "ssl_keyfile": args.key}
    if args.clients:
        found |= {"ssl_ca_certs": str(args.clients), "ssl_cert_reqs": ssl.CERT_REQUIRED}
    return found
