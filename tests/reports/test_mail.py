"""The mail: round trip, headers nobody outside can write, a real SMTP server taking it."""

from __future__ import annotations

import email
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parsedate_to_datetime
from functools import cache

import pytest
from aiosmtpd import smtp
from aiosmtpd.controller import Controller

from tests.reports.example import empty, example
from tests.reports.hostile import TEXTS, hostile
from tieout.errors import ConnectorError, TieoutError
from tieout.reports import html, pdf, xlsx
from tieout.reports.mail import MemoryMailer, SmtpMailer, compose
from tieout.reports.model import DayReport

SENDER = "tieout@nordlicht.example"
TREASURY = "treasury@nordlicht.example"


def _mail(report: DayReport) -> EmailMessage:
    return compose(report, sender=SENDER, recipients=[TREASURY])


@cache
def _example_mail() -> EmailMessage:
    return _mail(example())


def _parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=SMTP)
    assert isinstance(message, EmailMessage)
    assert not any(part.defects for part in message.walk())
    return message


def test_round_trip_gives_back_every_part() -> None:
    message = _parsed(_mail(example()).as_bytes())
    body = html.mail_body(example())
    page, plain = message.get_body(("html",)), message.get_body(("plain",))
    assert page is not None
    assert plain is not None
    assert page.get_content().replace("\r\n", "\n").strip() == body.html.strip()
    assert "4 of 5 accounts tie out to the cent" in plain.get_content()
    pictures = {
        str(part["Content-ID"]).strip("<>"): part.get_content()
        for part in message.walk()
        if part.get_content_maintype() == "image"
    }
    assert pictures == {cid: chart.png for cid, chart in body.pictures.items()}
    attached = {part.get_filename(): part.get_content() for part in message.iter_attachments()}
    assert attached["tieout-NORD-2026-11-20.pdf"] == pdf.render(example())
    assert attached["tieout-NORD-2026-11-20.xlsx"] == xlsx.render(example())


def test_headers_are_fixed_counts_and_the_reports_time() -> None:
    message = _example_mail()
    assert message["Subject"] == (
        "[tieout] NORD 2026-11-20: 4 of 5 tied out, 5 exceptions, 1 to approve"
    )
    assert parsedate_to_datetime(message["Date"]) == example().generated_at
    assert message["From"] == SENDER
    assert message["To"] == TREASURY
    assert _mail(empty())["Subject"].endswith("0 of 0 tied out, no exceptions, 0 to approve")


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_foreign_text_reaches_no_header(text: str) -> None:
    mail = _mail(hostile(text))
    plain = _example_mail()
    assert mail.keys() == plain.keys()
    for name in ("From", "To", "Subject", "Date"):
        assert mail[name] == plain[name]
    head = mail.as_bytes().split(b"\r\n\r\n")[0]
    assert b"Bcc" not in head
    _parsed(mail.as_bytes())


@pytest.mark.parametrize("company", ["N\r\nBcc: a@b.example", "=?utf-8?q?x?=", "\u202eNORD", ""])
def test_company_code_cannot_break_the_subject(company: str) -> None:
    mail = _mail(replace(example(), company=company))
    subject = str(mail["Subject"])
    assert subject.isascii()
    assert not set(subject) & set("\r\n=?@")
    assert set(mail.keys()) == set(_example_mail().keys())


@pytest.mark.parametrize(
    "address",
    [
        "",
        "no-at-sign",
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example,c@d.example",
        "Treasury <a@b.example>",
        "=?utf-8?q?x?=@b.example",
        "a@b.example\n",
        "-oProxy@b.example",
        "tréasury@b.example",
    ],
)
def test_odd_addresses_are_refused(address: str) -> None:
    with pytest.raises(TieoutError) as caught:
        compose(example(), sender=SENDER, recipients=[TREASURY, address])
    assert caught.value.code == "MAIL_ADDRESS_REFUSED"
    with pytest.raises(TieoutError):
        compose(example(), sender=address, recipients=[TREASURY])


def test_allow_list_and_empty_list() -> None:
    ours = r".+@nordlicht\.example"
    compose(example(), sender="a@other.example", recipients=[TREASURY], allowed=ours)
    with pytest.raises(TieoutError, match="not an allowed address"):
        compose(example(), sender=SENDER, recipients=["a@other.example"], allowed=ours)
    with pytest.raises(TieoutError, match="no recipients"):
        compose(example(), sender=SENDER, recipients=[])


def test_equal_reports_are_the_same_mail_and_others_are_not() -> None:
    first = _mail(example())
    assert first.as_bytes() == _mail(example()).as_bytes()
    other = _mail(replace(example(), run_id="run-2"))
    assert first["Message-ID"] != other["Message-ID"]
    assert re.fullmatch(r"<tieout\.[0-9a-f]{24}@nordlicht\.example>", first["Message-ID"])


class _Sink:
    """Keeps what arrives; refuses addresses that begin with ``nobody``."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def handle_RCPT(  # noqa: N802 - the library's name
        self,
        server: smtp.SMTP,
        session: smtp.Session,
        envelope: smtp.Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such user \x1b[31m"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: smtp.SMTP, session: smtp.Session, envelope: smtp.Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self.taken.append(envelope.content)
        return "250 OK"


class _AnyPort(Controller):
    """Listens on a port the system chooses and tells which."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def sink() -> Iterator[tuple[_Sink, int]]:
    handler = _Sink()
    controller = _AnyPort(handler, hostname="127.0.0.1", port=0)
    controller.start()
    yield handler, controller.port
    controller.stop()


def test_real_server_takes_the_mail(sink: tuple[_Sink, int]) -> None:
    handler, port = sink
    mail = _example_mail()
    SmtpMailer("127.0.0.1", port).send(mail)
    received = _parsed(handler.taken[-1])
    assert received["Message-ID"] == mail["Message-ID"]
    attached = {part.get_filename(): part.get_content() for part in received.iter_attachments()}
    sent = hashlib.sha256(pdf.render(example())).hexdigest()
    assert hashlib.sha256(attached["tieout-NORD-2026-11-20.pdf"]).hexdigest() == sent


def test_refused_recipient_and_dead_server_are_named(sink: tuple[_Sink, int]) -> None:
    _, port = sink
    mailer = SmtpMailer("127.0.0.1", port)
    with pytest.raises(ConnectorError, match=r"nobody@nordlicht\.example") as caught:
        mailer.send(compose(example(), sender=SENDER, recipients=["nobody@nordlicht.example"]))
    assert caught.value.code == "SMTP_REFUSED"
    assert "\x1b" not in str(caught.value)
    with pytest.raises(ConnectorError) as caught:
        mailer.send(compose(example(), sender=SENDER, recipients=[TREASURY, "nobody@x.example"]))
    assert caught.value.code == "SMTP_REFUSED"
    with pytest.raises(ConnectorError) as caught:
        SmtpMailer("127.0.0.1", port, starttls=True).send(_mail(empty()))
    assert caught.value.code == "SMTP_REFUSED"
    with pytest.raises(ConnectorError) as caught:
        SmtpMailer("127.0.0.1", 1).send(_mail(empty()))
    assert caught.value.code == "SMTP_UNREACHABLE"


def test_login_in_clear_text_is_refused_beyond_the_own_machine() -> None:
    with pytest.raises(ConnectorError, match="clear text"):
        SmtpMailer("mail.example", 25, "me", "secret")
    SmtpMailer("mail.example", 587, "me", "secret", starttls=True)


def test_memory_mailer_keeps_what_it_is_given() -> None:
    mailer = MemoryMailer()
    mailer.send(_mail(empty()))
    assert [str(mail["To"]) for mail in mailer.sent] == [TREASURY]
