"""The default ladder's compiled SQL as one text; ``python -m tests.matching.sql`` accepts it."""

from __future__ import annotations

from pathlib import Path

from tieout.matching import compile as compiler
from tieout.matching import ladder

GOLDEN = Path(__file__).parent / "golden" / "default.sql"


def text() -> str:
    parts = []
    for number, rung in enumerate(ladder.load().rungs, start=1):
        parts.append(f"-- rung {number}: {rung.name}")
        parts += [f"{statement};" for statement in compiler.compile_rung(rung, (0,))]
    parts.append("-- between rungs")
    parts += [f"{statement};" for statement in compiler.subtract(1)]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(text(), encoding="utf-8")
