"""The report's mail: sent by the next run where the server was down, once by two runs at once."""

from __future__ import annotations

import threading
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.stages.small import DAY, Small
from tieout.commands.common import day_of
from tieout.errors import ConnectorError, LedgerError
from tieout.ledger import Ledger
from tieout.stages.report import close_report


class Server:
    """A mail server that is down for the first ``down`` mails, and slow."""

    def __init__(self, down: int = 0) -> None:
        self.down = down
        self.taken: list[str] = []
        self.busy = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def send(self, message: EmailMessage) -> None:
        self.busy.set()
        self.go_on.wait(20)
        if self.down:
            self.down -= 1
            raise ConnectorError("MAIL_UNREACHABLE", "down")
        self.taken.append(str(message["Message-ID"]))


@pytest.fixture
def small(fresh_ledger: Ledger) -> Small:
    small = Small(fresh_ledger)
    small.statement(DAY, (700, "somebody"))
    small.sync()
    small.reconcile()
    return small


def test_a_mail_the_server_did_not_take_is_sent_by_the_next_run(
    small: Small, tmp_path: Path
) -> None:
    server = Server(down=1)
    with pytest.raises(ConnectorError):
        close_report(small.ledger, tmp_path, server, DAY)
    assert close_report(small.ledger, tmp_path, server, DAY).mailed
    assert not close_report(small.ledger, tmp_path, server, DAY).mailed
    assert len(server.taken) == 1


def test_two_runs_at_once_send_one_mail(small: Small, tmp_path: Path) -> None:
    server = Server()
    server.go_on.clear()
    runs = [
        threading.Thread(target=close_report, args=(small.ledger, tmp_path / n, server, DAY))
        for n in ("a", "b")
    ]
    for run in runs:
        run.start()
    assert server.busy.wait(20)
    runs[0].join(1)
    runs[1].join(1)
    server.go_on.set()
    for run in runs:
        run.join(20)
    assert len(server.taken) == 1


def test_a_day_that_is_none_is_said(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEOUT_DAY", "20.11.2026")
    with pytest.raises(LedgerError, match="TIEOUT_DAY") as refused:
        day_of(small.ledger, None)
    assert "YYYY-MM-DD" in refused.value.remedy
