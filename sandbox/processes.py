"""Sandbox servers as processes of their own: started once, reused, and stopped by their pid file.

A server process prints one ready line and writes ``<home>/sandbox/<name>.json`` with its pid and
where it listens; it outlives the command that started it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["announce", "ensure", "running", "stop"]

_START_SECONDS: Final = 30.0


def announce(home: Path, name: str, facts: Mapping[str, str | int]) -> None:
    """Called by the server once it listens: write the pid file, then print the ready line."""
    file = _pid_file(home, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps({"pid": os.getpid(), "module": f"sandbox.{name}", **facts}))
    draft.replace(file)
    print(f"READY {name} {facts['host']}:{facts['port']}", flush=True)


def running(home: Path, name: str) -> dict[str, str | int] | None:
    """What the server announced, if its process still lives; a stale pid file is removed."""
    file = _pid_file(home, name)
    try:
        facts: dict[str, str | int] = json.loads(file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if _is_ours(int(facts["pid"]), str(facts["module"])):
        return facts
    file.unlink(missing_ok=True)
    return None


def ensure(home: Path, name: str, arguments: Sequence[str]) -> dict[str, str | int]:
    """Start ``python -m sandbox.<name> ARGUMENTS`` unless it runs; return what it announced.

    Raises:
        RuntimeError: the process ended or stayed silent; the message shows the end of its log.
    """
    facts = running(home, name)
    if facts is not None:
        return facts
    log = home / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", f"sandbox.{name}", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        facts = running(home, name)
        if facts is not None:
            # It is to outlive us: nobody here will wait for it, and that is no leak.
            process.returncode = 0
            return facts
        if process.poll() is not None:
            break
        time.sleep(0.02)
    process.kill()
    process.wait()
    tail = log.read_text(errors="replace")[-600:]
    raise RuntimeError(f"sandbox.{name} did not start; end of {log}:\n{tail}")


def stop(home: Path, name: str) -> bool:
    """Ask the server to end and wait for it; True if one was running."""
    facts = running(home, name)
    if facts is None:
        return False
    pid, module = int(facts["pid"]), str(facts["module"])
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while _is_ours(pid, module):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            break
        time.sleep(0.02)
    _pid_file(home, name).unlink(missing_ok=True)
    return True


def _pid_file(home: Path, name: str) -> Path:
    return home / "sandbox" / f"{name}.json"


def _is_ours(pid: int, module: str) -> bool:
    """Whether the pid is a live process of the module (pids are reused)."""
    with suppress(ChildProcessError):  # our own ended children are zombies until someone waits
        os.waitpid(pid, os.WNOHANG)
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self").exists():
            return False
        command = module  # no /proc (macOS): the pid alone must do
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return module in command
