"""The outbox is the only layer that tries again: not the HTTP client, not a library, not Airflow."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from sqlalchemy import text

from tests import canaries
from tests.posting.books import approved, open_books
from tieout.connectors.fake import FakeErp, Fault
from tieout.connectors.http_wire import HttpWire, Timeouts
from tieout.errors import ConnectorError
from tieout.ledger import Ledger
from tieout.stages.post import post_adjustments

#: Libraries that repeat calls, and the places that may reach the network over HTTP.
REPEATERS = {"backoff", "retry", "retrying", "requests", "stamina", "tenacity", "urllib3"}
TRANSPORTS = {"tieout/connectors/gated.py", "tieout/connectors/sap_login.py"}


def product(root: Path) -> dict[str, ast.Module]:
    files = [p for top in ("tieout", "plugins", "dags") for p in sorted((root / top).rglob("*.py"))]
    return {p.relative_to(root).as_posix(): ast.parse(p.read_text()) for p in files}


def test_no_library_that_repeats_is_imported(root: Path) -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in product(root).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
        )
        if module.split(".")[0] in REPEATERS
    ]
    assert found == []


def test_no_http_client_is_made_and_transports_do_not_repeat(root: Path) -> None:
    """A client follows redirects and keeps cookies where it is told to; a transport cannot."""
    clients, transports = set(), []
    for name, tree in product(root).items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                made = ast.unparse(node.func)
                given = {k.arg: ast.unparse(k.value) for k in node.keywords}
                if made in ("httpx.Client", "httpx.AsyncClient"):
                    clients.add(name)
                if made == "httpx.HTTPTransport":
                    transports.append((name, given.get("retries", "0"), given["trust_env"]))
    assert clients == set()
    assert {name for name, _, _ in transports} == TRANSPORTS
    assert {(retries, env) for _, retries, env in transports} == {("0", "False")}


@pytest.mark.parametrize("answer", canaries.ANSWERS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_one_exchange_is_one_request(answer: tuple[int, str], method: str) -> None:
    """Whatever comes back: a refusal, a redirect, a server's failure, or nothing at all."""
    with canaries.echoing() as echo:
        echo.answer = answer
        wire = HttpWire(f"http://127.0.0.1:{echo.server_port}", "it", Timeouts(2, 2, 4))
        said = wire.exchange(method, "/x", point="write", content=b"{}")
        wire.close()
        assert len(echo.seen) == 1
    assert said.kind == ("lost" if answer[1] == "cut" else "answered")


FAULTS: list[dict[str, list[Fault]]] = [
    {"create": ["lost reply"]},
    {"create": ["lost reply"], "find": ["no effect", "no effect"]},
    {"create": ["late"], "find": ["no effect"]},
    {"post": ["lost reply", "lost reply"], "read": ["", "no effect", "no effect"]},
    {"read": ["no effect", "no effect", "no effect"]},
]


@pytest.mark.parametrize("faults", FAULTS)
def test_a_task_that_is_run_again_sends_nothing_twice(
    fresh_ledger: Ledger, faults: dict[str, list[Fault]]
) -> None:
    """As Airflow would, whether the try before failed or not, and however often."""
    open_books(fresh_ledger, "erp")
    approved(fresh_ledger, "erp", 2)
    fake, failed = FakeErp(), 0
    for phase, queue in faults.items():
        fake.plan(phase, *queue)
    for _ in range(8):
        try:
            post_adjustments(fresh_ledger, fake, "erp")
        except ConnectorError:
            failed += 1
        fake.deliver_late()
        with fresh_ledger.session() as session:  # its time has come
            session.execute(text("UPDATE outbox SET next_at = now()"))
    posted = [document for document in fake.documents.values() if document.state == "posted"]
    assert len(posted) == len({document.external_ref for document in posted}) == 2
    assert fake.drafts() == []
    with fresh_ledger.session() as session:
        states = session.scalars(text("SELECT DISTINCT state FROM outbox")).all()
        sent = session.execute(
            text("SELECT phase, count(*) FROM posting_attempts WHERE phase = 'create' GROUP BY 1")
        ).one()
    assert states == ["CONFIRMED"]
    made = [phase for phase, _ in fake.requests if phase == "create"]
    assert len(made) == sent[1], "each create has its attempt"
    assert failed < 8


def test_the_client_does_not_try_a_dead_line_again() -> None:
    with canaries.echoing() as echo:
        port = echo.server_port
    wire = HttpWire(f"http://127.0.0.1:{port}", "it", Timeouts(1, 1, 2))
    said = wire.exchange("POST", "/x", point="write")
    wire.close()
    assert (said.kind, said.code) == ("unsent", "UNREACHABLE")
    assert echo.seen == []
