"""A world: all stories of a setting in their shares, rendered part by part and written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.matching import (
    by_cancel,
    by_difference,
    by_party,
    by_reference,
    by_run,
    by_sum,
    by_twin,
    lone,
)
from benchmarks.matching.blocks import Block
from benchmarks.matching.draw import Draw
from benchmarks.matching.settings import Setting
from benchmarks.matching.tables import Part, tables

__all__ = ["NAMES", "PART", "STORIES", "parts", "write"]

#: Every story: what it renders for a number of entries, in the order they are drawn.
STORIES: Final[dict[str, Callable[[Draw, int], Block]]] = {
    **by_reference.STORIES,
    **by_run.STORIES,
    **by_sum.STORIES,
    **by_difference.STORIES,
    **by_cancel.STORIES,
    **by_party.STORIES,
    **by_twin.STORIES,
}

#: Entries rendered at a time; a larger world is several companies beside one another.
PART: Final = 1_000_000

NAMES: Final = ("entries", "details", "items", "truth")


def parts(setting: Setting, entries: int, seed: int) -> Iterator[Part]:
    """The world's parts, each of about `PART` entries: same arguments, same rows."""
    number = 0
    while entries > 0:
        yield _part(setting, min(entries, PART), seed, number)
        entries -= PART
        number += 1


def _part(setting: Setting, entries: int, seed: int, number: int) -> Part:
    draw = Draw(setting, entries, seed, number)
    whole = sum(setting.stories.values())
    blocks = []
    for story, render in STORIES.items():
        count = round(entries * setting.stories.get(story, 0) / whole)
        if count:
            blocks.append(render(draw, count))
    if setting.open_items:
        blocks.append(by_twin.noise_items(draw, max(1, round(entries * setting.open_items))))
    lone.part_equals(draw, blocks)
    return tables(draw, blocks)


def write(setting: Setting, entries: int, seed: int, folder: Path) -> dict[str, Any]:
    """Write the world's tables and ``world.json`` into a folder; returns what it holds."""
    folder.mkdir(parents=True, exist_ok=True)
    held = dict.fromkeys(NAMES, 0)
    writers: dict[str, pq.ParquetWriter] = {}
    for part in parts(setting, entries, seed):
        for name in NAMES:
            table: pa.Table = getattr(part, name)
            if name not in writers:
                writers[name] = pq.ParquetWriter(
                    folder / f"{name}.parquet", table.schema, compression="zstd"
                )
            writers[name].write_table(table)
            held[name] += len(table)
    for writer in writers.values():
        writer.close()
    said = {"setting": asdict(setting), "seed": seed, "asked": entries, "rows": held}
    (folder / "world.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    return held
