"""The default ladder's compiled SQL as one text; ``python -m tests.matching.sql`` accepts it."""

from __future__ import annotations

from pathlib import Path

from tieout.matching import compile as compiler
from tieout.matching import evidence, ladder

GOLDEN = Path(__file__).parent / "golden" / "default.sql"


def text() -> str:
    parts = [*compiler.name_macros()]
    for number, rung in enumerate(ladder.load().rungs, start=1):
        parts.append(f"\n-- rung {number}: {rung.name}")
        if rung.shape not in ("one_to_one", "details"):
            parts.append(f"-- {rung.shape}: sums and signs of whole numbers")
            continue
        statement = compiler.compile_rung(rung)
        parts.append(f"{statement};" if statement else "-- equality is all it asks")
        if rung.shape == "one_to_one" and not rung.plain:
            parts.append(f"{evidence.judged_sql(rung)};")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(text(), encoding="utf-8")
