"""``python -m tests.fuzz FORMAT SECONDS``: fuzz one target or ``all``, and note what came of it.

Every run replaces its row in ``docs/reliability/fuzzing.md``. Inputs that break an oracle lie in
``$TIEOUT_HOME/fuzz/FORMAT/found``; the exit status is 1 where there are any.
"""

from __future__ import annotations

import fcntl
import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any, Final

from tests.fuzz.targets import ROOT, TARGETS, target_of
from tieout.home import data_home

__all__ = ["main", "noted", "row_of"]

TABLE: Final = ROOT / "docs" / "reliability" / "fuzzing.md"

_PROGRESS: Final = re.compile(r"^#(\d+)\s+\w+\s+cov: (\d+)", re.M)
_DONE: Final = re.compile(r"^Done (\d+) runs in (\d+) second", re.M)
_SPARE: Final = 600  # seconds beyond: instrumenting every reader, the seeds, the last input


def row_of(folder: Path, day: date) -> dict[str, Any]:
    """What a run came to, from its facts and libFuzzer's log."""
    facts: dict[str, Any] = json.loads((folder / "facts.json").read_text())
    log = (folder / "fuzz.log").read_text(errors="replace")
    progress, done = _PROGRESS.findall(log), _DONE.search(log)
    return {
        "format": facts["format"],
        "date": day.isoformat(),
        "seconds": int(done[2]) if done else facts["seconds"],
        "executions": int(done[1]) if done else facts["inputs"],
        "coverage": int(progress[-1][1]) if progress else 0,
        "slowest": facts["slowest"],
        "findings": len(facts["found"]),
    }


def noted(text: str, row: dict[str, Any]) -> str:
    """The document with the row's format replaced, in the order of the targets."""
    head, mark, behind = text.partition("|---")
    table, gap, rest = (mark + behind).partition("\n\n")
    rule, *lines = table.rstrip("\n").split("\n")
    rows = {line.split("|")[1].strip(): line for line in lines}
    rows[row["format"]] = (
        f"| {row['format']} | {row['date']} | {row['seconds']:,} | {row['executions']:,} "
        f"| {row['coverage']:,} | {row['slowest']} | {row['findings']} |"
    )
    order = [target.name for target in TARGETS if target.name in rows]
    return head + "\n".join([rule, *(rows[name] for name in order)]) + gap + rest


def _note(row: dict[str, Any]) -> None:
    """Write the row; runs beside each other wait for each other."""
    with TABLE.open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = noted(file.read(), row)
        file.seek(0)
        file.write(text)
        file.truncate()


def main(name: str, seconds: int) -> int:
    """Fuzz and note; 1 where an oracle was broken."""
    targets = TARGETS if name == "all" else (target_of(name),)
    broken = 0
    for target in targets:
        folder = data_home() / "fuzz" / target.name
        folder.mkdir(parents=True, exist_ok=True)
        print(f"[fuzz] {target.name}: {seconds} s, log and findings in {folder}", flush=True)
        with (folder / "fuzz.log").open("wb") as log:
            command = [sys.executable, "-m", "tests.fuzz.harness", target.name, str(folder)]
            status = subprocess.run(
                [*command, str(seconds)], stdout=log, stderr=log, cwd=ROOT, timeout=seconds + _SPARE
            ).returncode
        row = row_of(folder, date.today())  # noqa: DTZ011 - the day of the person who runs it
        _note(row)
        print(f"[fuzz] {target.name}: {row['executions']:,} inputs, {row['findings']} findings")
        for words in sorted((folder / "found").glob("*.txt")):
            print(f"[fuzz]   {words.with_suffix('')}: {words.read_text(errors='replace').strip()}")
        broken += bool(row["findings"] or status)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
