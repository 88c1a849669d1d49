"""A real worker process, killed with SIGKILL at every boundary of every path, then a clean drain.

The ERP is another process' HTTP server, so that its effects outlive the worker. The checker reads
the ERP's own ledger: one posted document for each intent, no draft left, all intents ended.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from tests.posting.books import QUICK, approved, open_books
from tests.posting.erp_server import ErpServer, erp_server
from tests.posting.zygote import Zygote
from tieout.audit.chain import verify
from tieout.connectors.fake import FakeErp, Fault
from tieout.ledger.ledger import Ledger
from tieout.ledger.models import Outbox, PostingIntent
from tieout.posting.delivery import drain
from tieout.posting.intents import make_intents
from tieout.posting.invariants import violations

#: path → (faults of the first requests by phase, the state every intent must end in)
PATHS: dict[str, tuple[dict[str, list[Fault]], str]] = {
    "ok": ({}, "CONFIRMED"),
    "lost reply of create": ({"create": ["lost reply"]}, "CONFIRMED"),
    "lost reply of post": ({"post": ["lost reply"]}, "CONFIRMED"),
    "no effect": ({"create": ["no effect"], "post": ["no effect"]}, "CONFIRMED"),
    "refused": ({"create": ["reject"] * 9}, "REJECTED"),
    "post refused": ({"post": ["reject"] * 9}, "REJECTED"),
    "throttled": ({"create": ["throttle"], "post": ["not sent"]}, "CONFIRMED"),
}

#: ``TIEOUT_CRASH_PAIRS=all`` kills at every pair of boundaries of every path (an hour).
EVERY_PAIR = os.environ.get("TIEOUT_CRASH_PAIRS") == "all"


@dataclass
class Lab:
    """What a schedule needs; counts them."""

    ledger: Ledger
    server: ErpServer
    zygote: Zygote
    folder: Path
    count: int = 0

    def fresh(self, path: str) -> str:
        """A new ERP with one approved adjustment and the path's faults."""
        self.count += 1
        erp = f"S{self.count}"
        open_books(self.ledger, erp)
        approved(self.ledger, erp)
        for phase, faults in PATHS[path][0].items():
            self.server.erps[erp].plan(phase, *faults)
        return erp

    def work(
        self, erp: str, kill_at: str = "", log: Path | None = None, *, naive: bool = False
    ) -> int:
        """One worker process; a lease it leaves behind is over afterwards."""
        status = self.zygote.work(
            address=self.ledger.address,
            port=self.server.server_address[1],
            erp=erp,
            kill_at=kill_at,
            log=str(log) if log else "",
            warm=log is not None,
            naive=naive,
        )
        self.server.settle()
        with self.ledger.session() as session:
            session.execute(
                update(Outbox)
                .where(Outbox.erp == erp, Outbox.lease_until.is_not(None))
                .values(lease_until=text("clock_timestamp()"))
            )
        return status

    def boundaries(self, path: str) -> list[str]:
        """Every boundary of a path, found by a dry run, as ``name:moment:nth``."""
        log = self.folder / f"{path}.log"
        erp = self.fresh(path)
        assert self.work(erp, log=log) == 0
        self.finish(erp, path)
        return log.read_text().splitlines()

    def finish(self, erp: str, path: str) -> None:
        """A clean drain, then the checker."""
        make_intents(self.ledger, erp, actor="clean")
        fake = self.server.erps[erp]
        for _ in range(20):
            if not drain(self.ledger, fake, erp, owner="clean", budget=20, limits=QUICK).waiting:
                break
        check_erp(self.ledger, fake, erp, PATHS[path][1])
        sent = len(fake.requests)
        assert drain(self.ledger, fake, erp, owner="again", budget=20).confirmed == ()
        assert len(fake.requests) == sent, "a second drain sends nothing"

    def holds(self) -> None:
        """The ledger's own invariants and the audit chain, over all schedules so far."""
        with self.ledger.session() as session:
            assert violations(session) == []
            walked, findings = verify(session)
        assert findings == []
        assert walked > 5 * self.count


def check_erp(ledger: Ledger, fake: FakeErp, erp: str, ended: str) -> None:
    """The ERP's own ledger against the intents."""
    with ledger.session() as session:
        rows = session.execute(
            select(Outbox.state, Outbox.erp_doc_id, PostingIntent.ext_ref)
            .join(PostingIntent, PostingIntent.intent_id == Outbox.intent_id)
            .where(Outbox.erp == erp)
        ).all()
    assert len(rows) == 1
    for state, doc_id, ext_ref in rows:
        posted = [document.doc_id for document in fake.posted(ext_ref)]
        assert state == ended
        assert posted == ([doc_id] if ended == "CONFIRMED" else []), f"posted: {posted}"
    assert fake.drafts() == []


@pytest.fixture(scope="module")
def lab(ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    zygote = Zygote()
    with erp_server() as server:
        yield Lab(ledger, server, zygote, tmp_path_factory.mktemp("crash"))
    zygote.close()


@pytest.mark.parametrize("path", PATHS)
def test_killed_at_every_boundary(lab: Lab, path: str) -> None:
    began, boundaries = time.monotonic(), lab.boundaries(path)
    assert len(boundaries) == len(set(boundaries)) >= 8
    for kill_at in boundaries:
        erp = lab.fresh(path)
        assert lab.work(erp, kill_at) == -9, f"never reached {kill_at}"
        lab.finish(erp, path)
    lab.holds()
    seconds = time.monotonic() - began
    print(json.dumps({"path": path, "schedules": len(boundaries), "seconds": round(seconds, 1)}))


@pytest.mark.parametrize("path", ["ok", "post refused"])
def test_killed_while_it_waits_for_the_answer(lab: Lab, path: str) -> None:
    phases = ("create", "post") if path == "ok" else ("create", "delete")
    for phase in phases:
        for moment in ("before", "after"):
            erp = lab.fresh(path)
            lab.server.kill_within[erp] = f"{phase}:{moment}:1"
            assert lab.work(erp) == -9
            lab.finish(erp, path)
    lab.holds()


@pytest.mark.parametrize("path", PATHS if EVERY_PAIR else ["lost reply of create"])
def test_killed_again_in_recovery(lab: Lab, path: str) -> None:
    """Pairs: all of them on demand, otherwise one second kill for each first."""
    boundaries = lab.boundaries(path)
    for number, first in enumerate(boundaries):
        seconds = boundaries if EVERY_PAIR else [boundaries[number * 7 % len(boundaries)]]
        for second in seconds:
            erp = lab.fresh(path)
            assert lab.work(erp, first) == -9
            assert lab.work(erp, second) in (-9, 0), "the second place may not be passed any more"
            lab.finish(erp, path)
    lab.holds()
    print(json.dumps({"pairs of path": path, "schedules so far": lab.count}))


def test_the_checker_sees_what_a_naive_worker_does(lab: Lab) -> None:
    """Control: post first and remember afterwards, killed in between, posts twice."""
    erp = lab.fresh("ok")
    assert lab.work(erp, "commit naive:before:1", naive=True) == -9
    with pytest.raises(AssertionError, match="posted"):
        lab.finish(erp, "ok")
    assert len(lab.server.erps[erp].documents) == 2
