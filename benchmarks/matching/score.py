"""Judge an engine's groups by a world's truth.

``python -m benchmarks.matching.score WORLD OUT [--show-wrong N] [--story NAME] [--missed NAME]``

A confirmed group is *right* when its entries and items are exactly those of one truth group; a
part of it or more than it is wrong. A *guess* is a confirmed group with a member of a group that
nobody can decide from the tables, whether the guess hit or not. Recall counts decidable truth
groups only. OUT holds ``groups.parquet`` (group_id, rung, state) and ``members.parquet`` (group_id,
side, member_id), and ``refused.parquet`` if there is one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import duckdb

from benchmarks.matching.settings import RATES

__all__ = ["judge", "main", "open_world", "text"]

_SETUP: Final = """
CREATE VIEW entries AS SELECT * FROM '{world}/entries.parquet';
CREATE VIEW items AS SELECT * FROM '{world}/items.parquet';
CREATE VIEW details AS SELECT * FROM '{world}/details.parquet';
CREATE TABLE truth AS SELECT row_number() OVER () AS t, truth_id, story, decidable, why,
    len(entries) AS entry_count, len(items) AS item_count, entries, items
  FROM '{world}/truth.parquet';
CREATE TABLE belongs AS
  SELECT t, 'entry' AS side, unnest(entries) AS member_id FROM truth
  UNION ALL SELECT t, 'item', unnest(items) FROM truth;
CREATE TABLE rate AS SELECT unnest({currencies}) AS currency, unnest({rates}) AS rate;
CREATE TABLE worth AS
  SELECT t, sum(abs(amount) / rate) / count(DISTINCT side) AS euros FROM (
    SELECT t, side, amount, currency FROM belongs JOIN entries ON member_id = entry_id
      WHERE side = 'entry'
    UNION ALL SELECT t, side, amount, currency FROM belongs JOIN items ON member_id = item_id
      WHERE side = 'item') JOIN rate USING (currency) GROUP BY t;
"""

_JUDGE: Final = """
CREATE TABLE said AS SELECT g.group_id, g.rung, g.state, m.side, m.member_id, b.t
  FROM '{out}/groups.parquet' g JOIN '{out}/members.parquet' m USING (group_id)
  LEFT JOIN belongs b ON b.side = m.side AND b.member_id = m.member_id
  WHERE m.side IN ('entry', 'item');
CREATE TABLE judged AS
  SELECT s.*, state = 'confirmed' AS confirmed,
    coalesce(one AND size = entry_count + item_count, false) AS hit,
    CASE WHEN one AND size = entry_count + item_count THEN 'right'
         WHEN known = 0 THEN 'noise only'
         WHEN one THEN 'part of a group'
         WHEN same AND known = entry_count + item_count THEN 'more than a group'
         ELSE 'mixed' END AS verdict,
    story, decidable, why, entry_count, item_count
  FROM (
    SELECT group_id, any_value(rung) AS rung, any_value(state) AS state,
      count(DISTINCT (side, member_id)) AS size, count(t) AS known, min(t) AS t,
      min(t) = max(t) AS same, min(t) = max(t) AND count(t) = count(*) AS one,
      coalesce(bool_or(NOT truth.decidable), false) AS guess
    FROM said LEFT JOIN truth USING (t) GROUP BY group_id) s
  LEFT JOIN truth USING (t);
CREATE TABLE found AS SELECT t, any_value(rung) AS rung FROM judged
  WHERE confirmed AND hit GROUP BY t;
CREATE TABLE suggested AS SELECT DISTINCT t FROM judged WHERE NOT confirmed AND hit;
"""

_RUNGS: Final = """
SELECT rung, count(*) AS confirmed, count(*) FILTER (hit) AS "right",
  count(*) FILTER (NOT hit) AS wrong, count(*) FILTER (guess) AS guessed,
  count(*) FILTER (hit AND decidable) AS found
FROM judged WHERE confirmed GROUP BY rung ORDER BY rung
"""

_STORIES: Final = """
SELECT truth.story, count(*) AS groups, count(*) FILTER (decidable) AS decidable,
  count(*) FILTER (decidable AND found.t IS NOT NULL) AS found,
  count(*) FILTER (decidable AND found.t IS NULL AND suggested.t IS NOT NULL) AS proposed,
  round(sum(euros) FILTER (decidable)) AS worth,
  round(sum(euros) FILTER (decidable AND found.t IS NOT NULL)) AS worth_found,
  coalesce(any_value(bad.wrong), 0) AS wrong, coalesce(any_value(bad.guessed), 0) AS guessed
FROM truth LEFT JOIN found USING (t) LEFT JOIN suggested USING (t) LEFT JOIN worth USING (t)
LEFT JOIN (
  SELECT story, count(DISTINCT group_id) FILTER (NOT hit) AS wrong,
    count(DISTINCT group_id) FILTER (guess) AS guessed
  FROM (SELECT j.group_id, j.hit, j.guess, x.story FROM judged j JOIN said s USING (group_id)
        JOIN truth x ON x.t = s.t WHERE j.confirmed) GROUP BY story) bad ON bad.story = truth.story
GROUP BY truth.story ORDER BY truth.story
"""

_TOTAL: Final = """
SELECT
  (SELECT count(*) FROM judged WHERE confirmed) AS confirmed,
  (SELECT count(*) FROM judged WHERE confirmed AND hit) AS "right",
  (SELECT count(*) FROM judged WHERE confirmed AND guess) AS guessed,
  (SELECT count(*) FROM judged WHERE NOT confirmed) AS proposed,
  (SELECT count(*) FROM truth WHERE decidable) AS decidable,
  (SELECT count(*) FROM truth JOIN found USING (t) WHERE decidable) AS found,
  (SELECT count(*) FROM truth WHERE NOT decidable) AS undecidable,
  (SELECT round(sum(euros)) FROM truth JOIN worth USING (t) WHERE decidable) AS worth,
  (SELECT coalesce(round(sum(euros)), 0) FROM truth JOIN worth USING (t)
     JOIN found USING (t) WHERE decidable) AS worth_found,
  (SELECT count(DISTINCT member_id) FROM said WHERE side = 'entry' AND state = 'confirmed')
     AS entries_matched,
  (SELECT count(*) FROM entries) AS entries,
  (SELECT count(DISTINCT member_id) FROM said WHERE side = 'item' AND state = 'confirmed')
     AS items_matched,
  (SELECT count(*) FROM items) AS items
"""


def open_world(world: Path, out: Path) -> duckdb.DuckDBPyConnection:
    """A connection with the world's truth and the engine's groups judged by it."""
    db = duckdb.connect(":memory:", config={"threads": 2})
    db.execute(_SETUP.format(world=world, currencies=list(RATES), rates=list(RATES.values())))
    db.execute(_JUDGE.format(out=out))
    return db


def _rows(db: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    answer = db.execute(query)
    names = [column[0] for column in answer.description or []]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def judge(world: Path, out: Path) -> dict[str, Any]:
    """The whole score as plain values: ``total``, ``rungs``, ``stories``, ``refused``."""
    with open_world(world, out) as db:
        total = _rows(db, _TOTAL)[0]
        total["wrong"] = total["confirmed"] - total["right"]
        total["precision"] = _share(total["right"], total["confirmed"])
        total["recall"] = _share(total["found"], total["decidable"])
        total["recall_by_value"] = _share(total["worth_found"], total["worth"])
        return {
            "total": total,
            "rungs": _rows(db, _RUNGS),
            "stories": _rows(db, _STORIES),
            "refused": _refused(db, out),
        }


def _refused(db: duckdb.DuckDBPyConnection, out: Path) -> list[dict[str, Any]]:
    if not (out / "refused.parquet").exists():
        return []
    return _rows(
        db,
        f"SELECT rung, reason, count(*) AS refused FROM '{out}/refused.parquet' "
        "GROUP BY ALL ORDER BY ALL",
    )


def _share(part: Any, whole: Any) -> float | None:
    return part / whole if whole else None


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.3f} %"


def text(score: dict[str, Any]) -> str:
    """The score as a person reads it."""
    total = score["total"]
    lines = [
        f"confirmed {total['confirmed']:,}: right {total['right']:,}, wrong {total['wrong']:,}, "
        f"guesses {total['guessed']:,}; proposed {total['proposed']:,}",
        f"precision {_percent(total['precision'])}; of {total['decidable']:,} decidable groups "
        f"found {total['found']:,} = {_percent(total['recall'])}, by value "
        f"{_percent(total['recall_by_value'])}; {total['undecidable']:,} undecidable",
        "",
        f"{'rung':32}{'confirmed':>11}{'right':>11}{'wrong':>7}{'guesses':>9}",
    ]
    lines += [
        f"{r['rung']:32}{r['confirmed']:>11,}{r['right']:>11,}{r['wrong']:>7,}{r['guessed']:>9,}"
        for r in score["rungs"]
    ]
    lines += [
        "",
        f"{'story':22}{'groups':>9}{'decidable':>11}{'found':>9}{'recall':>9}{'proposed':>10}"
        f"{'wrong':>7}{'guesses':>9}",
    ]
    for s in score["stories"]:
        recall = _share(s["found"], s["decidable"])
        lines.append(
            f"{s['story']:22}{s['groups']:>9,}{s['decidable']:>11,}{s['found']:>9,}"
            f"{'' if recall is None else f'{100 * recall:.1f} %':>9}{s['proposed']:>10,}"
            f"{s['wrong']:>7,}{s['guessed']:>9,}"
        )
    lines += [
        "",
        *(f"refused {r['rung']} {r['reason']}: {r['refused']:,}" for r in score["refused"]),
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the score, and rows of wrong or missed groups where asked."""
    from benchmarks.matching import show

    parser = argparse.ArgumentParser(prog="python -m benchmarks.matching.score")
    parser.add_argument("world", type=Path, help="folder that generate wrote")
    parser.add_argument("out", type=Path, help="folder with groups.parquet and members.parquet")
    parser.add_argument("--show-wrong", type=int, default=0, metavar="N", help="wrong or guessed")
    parser.add_argument(
        "--show-missed", type=int, default=0, metavar="N", help="decidable, not found"
    )
    parser.add_argument("--story", default="", help="only groups of this story")
    parser.add_argument("--rung", default="", help="only groups of this rung")
    parser.add_argument("--json", action="store_true", help="the whole score as JSON")
    asked = parser.parse_args(arguments)
    score = judge(asked.world, asked.out)
    print(json.dumps(score, default=int) if asked.json else text(score))
    with open_world(asked.world, asked.out) as db:
        for line in show.wrong(db, asked.show_wrong, asked.story, asked.rung):
            print(line)
        for line in show.missed(db, asked.show_missed, asked.story):
            print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
