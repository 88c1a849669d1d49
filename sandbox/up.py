"""The same day under a real Airflow: ``python -m sandbox.up start|stop|status``.

`start` prepares what the demo prepares, starts the four components of Airflow (their own process
ids in ``<home>/airflow/up.json``, logs in ``<home>/logs``), waits until each says it is healthy and
prints address and login. `stop` ends them in order, then the other servers, and proves that nothing
survived. The runs of a demo are there to be looked at, and can be cleared or triggered again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
import psutil

from sandbox import airflow, services
from tieout.errors import TieoutError
from tieout.home import data_home

__all__ = ["Api", "components", "main", "running", "start", "stop"]

_HOST: Final = "127.0.0.1"
_HEALTHY_SECONDS: Final = 180.0
_COMPONENTS: Final = {
    "api-server": ("api-server", "--workers", "1"),
    "dag-processor": ("dag-processor",),
    # Task logs are read from the disk: no log server, no port of its own.
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
#: The API server goes last: running tasks report through it.
_STOP_ORDER: Final = (("scheduler", "dag-processor", "triggerer"), ("api-server",))
#: DAGs that a home without any run is started with; assets do the rest.
_FIRST: Final = ("sync_expenses", "ingest_statements")

Say = Callable[[str], None]


class Api:
    """The REST API of the running Airflow, logged in."""

    def __init__(self, address: str, password: str) -> None:
        self._client = httpx.Client(base_url=address, timeout=30, trust_env=False)
        login = {"username": airflow.LOGIN, "password": password}
        token = self._client.post("/auth/token", json=login).raise_for_status().json()
        self._client.headers["Authorization"] = f"Bearer {token['access_token']}"

    def call(self, method: str, path: str, **content: object) -> dict[str, object]:
        """One call below ``/api/v2``; raises `httpx.HTTPStatusError` when it is refused."""
        answer = self._client.request(method, f"/api/v2{path}", json=content or None)
        found: dict[str, object] = answer.raise_for_status().json() if answer.content else {}
        return found

    def get(self, path: str) -> httpx.Response:
        """A page of the server, as its user sees it."""
        return self._client.get(path)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()


def start(home: Path, *, say: Say = print) -> str:
    """Prepare the day, start Airflow, wait until it is healthy; return its address.

    Raises:
        TieoutError: ``AIRFLOW_NOT_UP``, with the component and its log.
    """
    home = home.resolve()
    had = running(home)
    if had is not None:
        say(f"Airflow is up already: {had}")
        return had
    if _known(home) is not None:
        stop(home, say=say)  # what a killed one left behind
    steps = services.Steps(6, say)
    day = services.prepare(home, steps)
    port = services.free_port(8080)
    address = f"http://{_HOST}:{port}"
    environment = day.environment | {
        "AIRFLOW__API__HOST": _HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        # Workers call this one; with the port changed and this not, every task hangs.
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
    }
    with steps.step("Airflow: API server, DAG processor, scheduler, triggerer"):
        pids = {name: _spawn(home, environment, name) for name in _COMPONENTS}
        _remember(home, address, pids)
        try:
            _wait(home, address, pids)
        except BaseException:
            stop(home, say=say)
            raise
    return address


def stop(home: Path, *, say: Say = print) -> None:
    """Stop Airflow, then everything else of this home.

    Raises:
        TieoutError: ``STILL_RUNNING``, with the processes that survived.
    """
    home = home.resolve()
    pids = components(home)
    family = [child for pid in pids.values() for child in _family(pid)]
    alive = {each.pid for each in family}
    for wave in _STOP_ORDER:
        ended = airflow.end(*(pids[name] for name in wave if pids.get(name) in alive))
        for name in wave:
            if pids.get(name) in ended:
                say(f"stopped {name}")
    for name in services.stop(home):
        say(f"stopped {name}")
    (home / "airflow" / "up.json").unlink(missing_ok=True)
    left = [each for each in family if each.is_running() and each.status() != "zombie"]
    if left:
        raise TieoutError(
            "STILL_RUNNING",
            ", ".join(f"{each.pid} {each.name()}" for each in left),
            remedy="end these processes",
        )


def running(home: Path) -> str | None:
    """The address of this home's Airflow while its scheduler lives, else nothing."""
    known = _known(home.resolve())
    if known is None:
        return None
    return str(known["address"]) if _family(components(home)["scheduler"]) else None


def components(home: Path) -> dict[str, int]:
    """Process ids of the components this home's Airflow was started with."""
    known = _known(home.resolve())
    found: dict[str, int] = known["pids"] if known else {}  # type: ignore[assignment]
    return found


def main(argv: list[str] | None = None) -> int:
    """Entry point of ``make up`` and ``make down``."""
    parser = argparse.ArgumentParser(prog="sandbox.up")
    parser.add_argument("action", choices=("start", "stop", "status"))
    parser.add_argument("--home", type=Path, default=data_home())
    args = parser.parse_args(argv)
    if args.action == "stop":
        stop(args.home)
        return 0
    if args.action == "status":
        address = running(args.home)
        print(address or "not running")
        return 0 if address else 1
    try:
        address = start(args.home)
    except TieoutError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"\nAirflow   {address}\nlogin     {airflow.LOGIN}")
    print(f"password  {airflow.password(args.home)}")
    print("\nLook at the runs, trigger a DAG (`close_report` mails the report), or clear any task:")
    print("nothing is posted twice. `make down` stops everything.")
    return 0


def _spawn(home: Path, environment: dict[str, str], name: str) -> int:
    log = home / "logs" / f"airflow-{name}.log"
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "airflow", *_COMPONENTS[name]],
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    child.returncode = 0  # it is to outlive us: nobody here will wait for it
    return child.pid


def _wait(home: Path, address: str, pids: dict[str, int]) -> None:
    """Wait until every component reports healthy and our DAGs are there; unpause them."""
    deadline = time.monotonic() + _HEALTHY_SECONDS
    api: Api | None = None
    wanted = {path.stem for path in (airflow.ROOT / "dags").glob("*.py")}
    said = "no answer yet"
    while time.monotonic() < deadline:
        for name, pid in pids.items():
            if not _family(pid):
                raise _not_up(home, name, "it ended")
        try:
            api = api or Api(address, airflow.password(home))
            health = api.call("GET", "/monitor/health")
            parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
            states = {part: health[part]["status"] for part in parts}  # type: ignore[index]
            dags: list[dict[str, str]] = api.call("GET", "/dags?limit=100")["dags"]  # type: ignore[assignment]
            said = f"{states}, {len(dags)} DAGs"
            if set(states.values()) == {"healthy"} and wanted <= {d["dag_id"] for d in dags}:
                _open_for_work(api, sorted(wanted))
                api.close()
                return
        except (httpx.HTTPError, KeyError) as error:
            said = str(error)
        time.sleep(0.5)
    raise _not_up(home, "api-server", f"not healthy after {_HEALTHY_SECONDS:.0f} s: {said}")


def _open_for_work(api: Api, dags: list[str]) -> None:
    """Make our pools, let the DAGs run, and set off the day where none has been run yet."""
    pools = json.loads((airflow.ROOT / "plugins/tieout_airflow/pools.json").read_text())
    known: list[dict[str, str]] = api.call("GET", "/pools")["pools"]  # type: ignore[assignment]
    for name, pool in pools.items():
        if name not in {each["name"] for each in known}:
            api.call("POST", "/pools", name=name, **pool)
    for dag_id in dags:
        api.call("PATCH", f"/dags/{dag_id}", is_paused=False)
    if not api.call("GET", "/dags/~/dagRuns?limit=1")["dag_runs"]:
        for dag_id in _FIRST:
            api.call("POST", f"/dags/{dag_id}/dagRuns", logical_date=None)


def _not_up(home: Path, name: str, message: str) -> TieoutError:
    log = home / "logs" / f"airflow-{name}.log"
    tail = log.read_text(errors="replace")[-800:] if log.exists() else ""
    return TieoutError("AIRFLOW_NOT_UP", f"{name}: {message}\n{tail}", where=str(log))


def _remember(home: Path, address: str, pids: dict[str, int]) -> None:
    path = home / "airflow" / "up.json"
    path.write_text(json.dumps({"address": address, "pids": pids}) + "\n")


def _known(home: Path) -> dict[str, object] | None:
    path = home / "airflow" / "up.json"
    if not path.exists():
        return None
    found: dict[str, object] = json.loads(path.read_text())
    return found


def _family(pid: int) -> list[psutil.Process]:
    """The process and all it started; empty when it is gone or the number is another's now."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or "airflow" not in " ".join(process.cmdline()):
            return []
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


if __name__ == "__main__":
    raise SystemExit(main())
