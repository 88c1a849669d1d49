"""What was measured of matching, as tables for people."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from benchmarks.matching.measure import JOIN, OURS, Result

__all__ = ["bars", "line", "page"]

_HEAD: Final = (
    "| engine | version | n | CPU s (min/median/max) | wall s | × key join | peak MB | confirmed "
    "| precision | recall of decidable | by value | guesses | does |"
)
_INTRO: Final = """# Matching: speed, precision, recall

Written by `make bench-match`; change nothing here by hand. The worlds, what decidable means and how
groups are judged stand in [`benchmarks/matching/README.md`](../../benchmarks/matching/README.md);
peers come from `benchmarks/requirements.lock`. CPU seconds are those of the whole process on all
cores, start, imports and reading included. A guess is a confirmed group among rows that nobody can
tell apart.
"""


def line(result: Result) -> str:
    """One engine's last run, for the log."""
    if result.error:
        return f"{result.engine.label}: {result.error}"
    text = f"{result.cpu[-1]:.2f} CPU s, {result.wall[-1]:.2f} s, {result.peak_mb[-1]:.0f} MB"
    if result.score:
        total = result.score["total"]
        text += f"; precision {_percent(total['precision'])}, recall {_percent(total['recall'])}"
        text += f", {total['guessed']:,} guesses"
    return f"{result.engine.label}: {text}"


def bars(worlds: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The bars, judged where their world was measured."""
    found = []
    for world in worlds:
        own, join = _of(world, OURS.label), _of(world, JOIN.label)
        if not own or not own["score"]:
            found.append({"text": f"{world['title']}: it finishes", "value": "no", "holds": False})
            continue
        total = own["score"]["total"]
        found += [
            _bar(world, "precision ≥ 99.99 %", _percent(total["precision"], 4),
                 (total["precision"] or 1) >= 0.9999),
            _bar(world, "no guess", f"{total['guessed']:,}", total["guessed"] == 0),
        ]  # fmt: skip
        if "equal amounts" not in world["title"]:
            recall = total["recall"] or 0
            found.append(
                _bar(world, "recall of decidable ≥ 97 %", _percent(recall), recall >= 0.97)
            )
        entries = world["rows"]["entries"]
        if entries > 900_000 and join and join["cpu"]:
            ratio = _middle(own["cpu"]) / _middle(join["cpu"])
            found.append(_bar(world, "CPU ≤ 8 × the key join", f"{ratio:.1f}", ratio <= 8))
        most = 8_192 if entries > 5_000_000 else 2_048
        peak = max(own["peak_mb"])
        found.append(_bar(world, f"peak ≤ {most // 1024} GB", f"{peak:,.0f} MB", peak <= most))
    return found + _growth(worlds)


def _growth(worlds: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Whether ten times the entries cost no more than thirteen times the CPU."""
    large = {world["rows"]["entries"]: world for world in worlds}
    most = max(large)
    ours = {size: _of(world, OURS.label) for size, world in large.items()}
    tenth = [size for size in large if 9 * size <= most <= 11 * size and size > 900_000]
    if not tenth:
        return []
    ten, one = ours[most], ours[tenth[0]]
    if not ten or not one or not ten["cpu"] or not one["cpu"]:
        return []
    ratio = _middle(ten["cpu"]) / _middle(one["cpu"])
    return [_bar(large[most], "CPU ≤ 13 × a tenth of it", f"{ratio:.1f}", ratio <= 13)]


def _bar(world: Mapping[str, Any], text: str, value: str, holds: bool) -> dict[str, Any]:
    return {"text": f"{world['title']}: {text}", "value": value, "holds": holds}


def page(found: Mapping[str, Any]) -> str:
    """The whole page in Markdown."""
    lines = [_INTRO, f"{found['machine']}; up to {found['runs']} runs (n).\n"]
    for world in found["worlds"]:
        lines += _world(world)
    lines += ["## Bars", ""]
    lines += [
        f"- {bar['text']}: {bar['value']}, {'holds' if bar['holds'] else 'NO'}"
        for bar in found["bars"]
    ]
    return "\n".join(lines) + "\n"


def _world(world: Mapping[str, Any]) -> Iterator[str]:
    rows = ", ".join(f"{count:,} {name}" for name, count in world["rows"].items())
    yield from (f"## {world['title']}", "")
    yield from (f"{world['setting']}; seed {world['seed']}: {rows} groups.", "", _HEAD)
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    join = _of(world, JOIN.label)
    base = _middle(join["cpu"]) if join and join["cpu"] else 0
    for result in world["results"]:
        yield _row(result, base)
    yield ""
    own = _of(world, OURS.label)
    if own and own["score"]:
        yield from _rungs(own)
        yield from _stories(own["score"])


def _row(result: Mapping[str, Any], base: float) -> str:
    head = f"| {result['engine']} | {result['version']} | {len(result['cpu'])} |"
    if not result["cpu"]:
        return f"{head} {result['error']} | | | | | | | | | {result['does']} |"
    cpu = result["cpu"]
    times = f"{_middle(cpu) / base:.1f}" if base else ""
    text = (
        f"{head} {min(cpu):.2f} / {_middle(cpu):.2f} / {max(cpu):.2f} "
        f"| {_middle(result['wall']):.2f} | {times} | {max(result['peak_mb']):,.0f} |"
    )
    if not result["score"]:
        return f"{text} {result['said'].get('pairs', 0):,} pairs | | | | | {result['does']} |"
    total = result["score"]["total"]
    return (
        f"{text} {total['confirmed']:,} | {_percent(total['precision'], 4)} "
        f"| {_percent(total['recall'])} | {_percent(total['recall_by_value'])} "
        f"| {total['guessed']:,} | {result['does']} |"
    )


def _rungs(own: Mapping[str, Any]) -> Iterator[str]:
    score = own["score"]
    seconds = own["said"].get("seconds", {})
    refused: dict[str, int] = {}
    for row in score["refused"]:
        refused[row["rung"]] = refused.get(row["rung"], 0) + row["refused"]
    decidable = score["total"]["decidable"]
    known = {row["rung"]: row for row in score["rungs"]}
    yield "| rung | confirmed | right | wrong | guesses | precision | recall | refused | s |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name in sorted({*known, *refused}):
        row = known.get(name, {"confirmed": 0, "right": 0, "wrong": 0, "guessed": 0, "found": 0})
        share = row["right"] / row["confirmed"] if row["confirmed"] else None
        spent = f"{seconds[name]:.2f}" if name in seconds else ""
        yield (
            f"| {name} | {row['confirmed']:,} | {row['right']:,} | {row['wrong']:,} "
            f"| {row['guessed']:,} | {_percent(share)} | {_percent(row['found'] / decidable)} "
            f"| {refused.get(name, 0):,} | {spent} |"
        )
    yield ""


def _stories(score: Mapping[str, Any]) -> Iterator[str]:
    yield "| story | groups | decidable | found | recall | proposed | wrong | guesses |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in score["stories"]:
        share = row["found"] / row["decidable"] if row["decidable"] else None
        yield (
            f"| {row['story']} | {row['groups']:,} | {row['decidable']:,} | {row['found']:,} "
            f"| {_percent(share, 1)} | {row['proposed']:,} | {row['wrong']:,} "
            f"| {row['guessed']:,} |"
        )
    yield ""


def _of(world: Mapping[str, Any], label: str) -> dict[str, Any] | None:
    return next((r for r in world["results"] if r["engine"] == label), None)


def _middle(values: Sequence[float]) -> float:
    return statistics.median(values)


def _percent(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{100 * value:.{digits}f} %"
