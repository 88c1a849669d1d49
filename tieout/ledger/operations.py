"""What runs the outbox beside its rows: traffic to each ERP, its calls to us, people's words."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from tieout.ledger.base import Base, now_column

__all__ = ["Callback", "CallbackWake", "ErpPermit", "ErpTraffic", "OutboxWord"]


class ErpTraffic(Base):
    """What is remembered of one ERP connection (`tieout.posting.traffic.Traffic`)."""

    __tablename__ = "erp_traffic"
    erp: Mapped[str] = mapped_column(primary_key=True)
    full_at: Mapped[dt.datetime | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    opened: Mapped[int] = mapped_column(server_default="0")
    open_until: Mapped[dt.datetime | None]
    probe_until: Mapped[dt.datetime | None]
    not_before: Mapped[dt.datetime | None]
    trouble: Mapped[str] = mapped_column(server_default="")


class ErpPermit(Base):
    """A permit that is out; it ends by itself when its worker does not give it back."""

    __tablename__ = "erp_permits"
    __table_args__ = (Index("erp_permits_out", "erp", "until"),)
    permit_id: Mapped[str] = mapped_column(primary_key=True)
    erp: Mapped[str] = mapped_column(ForeignKey("erp_traffic.erp"))
    owner: Mapped[str]
    until: Mapped[dt.datetime]


class OutboxWord(Base):
    """What a person decided on a posting, and why; append-only.

    A release from MANUAL may send again: one person asks for it, another one grants it, and the
    database lets no row leave MANUAL without both. So it is with its end: one person states the
    ERP's document (or, empty, that there is none), another confirms the same. ``fence`` is the
    row's when it was said, so that an old word does not count for new trouble.
    """

    __tablename__ = "outbox_words"
    __table_args__ = (
        CheckConstraint(
            "verb IN ('hold','ask','release','cancel','replay','state','confirm')",
            name="outbox_verb",
        ),
        CheckConstraint(
            "(document IS NOT NULL) = (verb IN ('state','confirm'))", name="word_document"
        ),
        CheckConstraint("btrim(reason) <> ''", name="word_reason"),
        CheckConstraint("btrim(person) <> ''", name="word_person"),
    )
    word_no: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    intent_id: Mapped[str] = mapped_column(ForeignKey("posting_intents.intent_id"), index=True)
    verb: Mapped[str]
    person: Mapped[str]
    reason: Mapped[str]
    fence: Mapped[int]
    #: The adjustment that takes the place of the intent's own, of a replay.
    successor: Mapped[str | None] = mapped_column(ForeignKey("adjustments.adjustment_id"))
    said_at: Mapped[dt.datetime] = now_column()
    document: Mapped[str | None]


class Callback(Base):
    """A call an ERP made to us, raw and once: the same bytes again are the same callback.

    A hint to look sooner, never a proof. ``problem`` says why it could not be read.
    """

    __tablename__ = "callbacks"
    __table_args__ = (
        CheckConstraint("sha256 = encode(sha256(body), 'hex')", name="callback_body"),
        Index("ix_callbacks_refs", "refs", postgresql_using="gin"),
        Index("ix_callbacks_batch", "erp", "received_at", postgresql_where=text("batch")),
    )
    callback_id: Mapped[str] = mapped_column(primary_key=True)
    erp: Mapped[str]
    sha256: Mapped[str]
    body: Mapped[bytes]
    refs: Mapped[list[str]]
    #: It is of a request for several documents that it does not name.
    batch: Mapped[bool]
    problem: Mapped[str] = mapped_column(server_default="")
    received_at: Mapped[dt.datetime] = now_column()


class CallbackWake(Base):
    """A callback made a posting due, once; append-only."""

    __tablename__ = "callback_wakes"
    __table_args__ = (Index("ix_callback_wakes_intent_id", "intent_id"),)
    callback_id: Mapped[str] = mapped_column(ForeignKey("callbacks.callback_id"), primary_key=True)
    intent_id: Mapped[str] = mapped_column(
        ForeignKey("posting_intents.intent_id"), primary_key=True
    )
    woken_at: Mapped[dt.datetime] = now_column()
