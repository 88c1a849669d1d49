"""The report as a mail: composed from a report, sent through a port.

``multipart/mixed`` of an alternative (plain text, HTML with its pictures) and two attachments
(PDF, XLSX). Headers hold only what we made: a fixed subject with the company's code, the day and
counts; addresses that match an allow-list; a Message-ID derived from the content, so that the same
report sent twice is the same mail to whoever receives it. No text of a bank comes near a header.
"""

from __future__ import annotations

import hashlib
import re
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final, Protocol

from tieout.errors import ConnectorError, TieoutError
from tieout.reports import figures, html, pdf, text, xlsx
from tieout.reports.model import DayReport

__all__ = ["ADDRESS", "Mailer", "MemoryMailer", "SmtpMailer", "compose", "file_stem"]

#: What an address may look like when no narrower allow-list is given: no names, no quoting.
ADDRESS: Final = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}"
_PDF: Final = ("application", "pdf")
_XLSX: Final = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")
_TIMEOUT_SECONDS: Final = 30
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def compose(
    report: DayReport, *, sender: str, recipients: Sequence[str], allowed: str = ADDRESS
) -> EmailMessage:
    """The mail of a report: equal arguments give equal bytes.

    Args:
        report: the day.
        sender: a plain address.
        recipients: plain addresses, at least one.
        allowed: pattern each recipient must match in full, beside `ADDRESS`.

    Raises:
        TieoutError: ``MAIL_ADDRESS_REFUSED``, or the report does not add up.
    """
    for address in (sender, *recipients):
        _permit(address, ADDRESS)
    for address in recipients:
        _permit(address, allowed)
    if not recipients:
        raise TieoutError(
            "MAIL_ADDRESS_REFUSED", "no recipients", remedy="name at least one address"
        )
    body = html.mail_body(report)
    plain = text.render(report, width=78)
    files = ((pdf.render(report), _PDF, "pdf"), (xlsx.render(report), _XLSX, "xlsx"))
    digest = _digest([sender, *recipients, plain, body.html, *(each[0] for each in files)])

    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Subject"] = _subject(report)
    message["Date"] = format_datetime(report.generated_at)
    message["Message-ID"] = f"<tieout.{digest}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(plain, cte="quoted-printable")
    message.add_alternative(body.html, subtype="html", cte="quoted-printable")
    page = next(part for part in message.walk() if part.get_content_type() == "text/html")
    assert isinstance(page, EmailMessage)  # noqa: S101 - for the type checker
    for cid, chart in body.pictures.items():
        page.add_related(
            chart.png,
            "image",
            "png",
            cid=f"<{cid}>",
            filename=f"{chart.name}.png",
            disposition="inline",
        )
    for content, kind, suffix in files:
        message.add_attachment(content, *kind, filename=f"{file_stem(report)}.{suffix}")
    _fix_boundaries(message, digest)
    return message


def file_stem(report: DayReport) -> str:
    """``tieout-NORD-2026-11-20``: safe in a file name and in a header."""
    return f"tieout-{_code(report)}-{report.day.isoformat()}"


def _code(report: DayReport) -> str:
    """The company's code, of letters, digits and hyphens only."""
    return re.sub(r"[^A-Za-z0-9-]", "", report.company)[:24] or "company"


def _subject(report: DayReport) -> str:
    """Code, day and counts: nothing that anybody outside could have written."""
    tied, accounts = figures.tied_count(report), len(report.accounts)
    exceptions = figures.counted(len(report.exceptions), "exception")
    return (
        f"[tieout] {_code(report)} {report.day.isoformat()}: "
        f"{tied} of {accounts} tied out, {exceptions}, {len(report.proposals)} to approve"
    )


def _permit(address: str, pattern: str) -> None:
    if not re.fullmatch(pattern, address, re.ASCII):
        raise TieoutError(
            "MAIL_ADDRESS_REFUSED",
            f"{address[:80]!r} is not an allowed address",
            remedy="use plain addresses that match the allow-list",
        )


def _digest(parts: Sequence[str | bytes]) -> str:
    """SHA-256 of the parts, each preceded by its length, in 24 hexadecimal digits."""
    hashed = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        hashed.update(b"%d:" % len(content) + content)
    return hashed.hexdigest()[:24]


def _fix_boundaries(message: MIMEPart, digest: str) -> None:
    """Boundaries from the content, where the library would draw them at random."""
    multiparts = [part for part in message.walk() if part.is_multipart()]
    for ordinal, part in enumerate(multiparts):
        part.set_boundary(f"=_{digest}_{ordinal}")


class Mailer(Protocol):
    """Sends a composed mail, or raises `ConnectorError`."""

    def send(self, message: EmailMessage) -> None:
        """Hand the mail to the server, once."""


class MemoryMailer:
    """A mailer that keeps what it is given, for tests and dry runs."""

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []

    def send(self, message: EmailMessage) -> None:
        """Keep the mail in `sent`."""
        self.sent.append(message)


class SmtpMailer:
    """Sends through an SMTP server; logs in only over TLS or on the own machine.

    Args:
        host: name or address of the server.
        port: its port.
        login: empty for none.
        password: used with ``login``.
        starttls: switch to TLS (certificate verified) before anything is said.
    """

    def __init__(
        self, host: str, port: int, login: str = "", password: str = "", *, starttls: bool = False
    ) -> None:
        if login and not starttls and host not in _LOOPBACK:
            raise ConnectorError(
                "SMTP_INSECURE",
                "a login would travel in clear text",
                where=f"{host}:{port}",
                remedy="set starttls",
            )
        self._host, self._port = host, port
        self._login, self._password, self._starttls = login, password, starttls

    def send(self, message: EmailMessage) -> None:
        """Send to every recipient or raise.

        Raises:
            ConnectorError: ``SMTP_REFUSED`` (the server said no, also to some recipients only),
                ``SMTP_UNREACHABLE`` (nobody there, broken off, TLS not trusted).
        """
        where = f"{self._host}:{self._port}"
        try:
            with smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_SECONDS) as server:
                if self._starttls:
                    server.starttls(context=ssl.create_default_context())
                if self._login:
                    server.login(self._login, self._password)
                refused = sorted(server.send_message(message))
        except (smtplib.SMTPResponseException, smtplib.SMTPNotSupportedError) as error:
            raise _refusal(f"{type(error).__name__} {_number(error)}".rstrip(), where) from error
        except smtplib.SMTPRecipientsRefused as error:
            raise _refusal(f"for {', '.join(sorted(error.recipients))}", where) from error
        except OSError as error:
            raise ConnectorError(
                "SMTP_UNREACHABLE",
                f"the mail was not taken: {type(error).__name__}",
                where=where,
                remedy="check address, port and network; the mail can be sent again",
            ) from error
        if refused:
            raise _refusal(f"for {', '.join(refused)}", where)


def _number(error: Exception) -> str:
    return str(getattr(error, "smtp_code", ""))


def _refusal(what: str, where: str) -> ConnectorError:
    """The server's no; the text it gave stays out of our messages."""
    return ConnectorError(
        "SMTP_REFUSED",
        f"the server refused the mail: {what}",
        where=where,
        remedy="check login, sender and recipients at the mail server",
    )
