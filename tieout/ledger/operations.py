"""What runs the outbox beside its rows: the traffic to each ERP, and people's words on postings."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from tieout.ledger.base import Base, now_column

__all__ = ["ErpPermit", "ErpTraffic", "OutboxWord"]


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
    database lets no row leave MANUAL without both. ``fence`` is the row's when it was said, so that
    an old word does not count for new trouble.
    """

    __tablename__ = "outbox_words"
    __table_args__ = (
        CheckConstraint("verb IN ('hold','ask','release','cancel','replay')", name="outbox_verb"),
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
