"""The suites' files: one JSON text for each table, checked before anything is run.

``meta`` of a rule: ``rule_id`` is the finding's code and ``remedy`` its way out; ``shows`` names
columns told beside the rule's own; ``effect`` ``"block"`` records the statement and keeps its
account from automatic posting until a person has looked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tieout.errors import ProfileError, Severity

__all__ = ["BLOCK", "LOCATORS", "SEVERITIES", "Suite", "blocking", "load_suites"]

Suite = dict[str, Any]

#: Tables that can have a suite, in the order of the findings, with the columns that locate a row.
LOCATORS: Final[dict[str, tuple[str, ...]]] = {
    "files": ("file_id",),
    "statements": ("statement_id", "line_no"),
    "balances": ("statement_id", "line_no"),
    "entries": ("statement_id", "entry_id", "line_no"),
    "details": ("statement_id", "entry_id", "line_no"),
    "accounts": ("statement_id", "line_no"),
    "amounts": ("statement_id", "entry_id", "line_no"),
    "arrivals": ("account_code", "expected_on"),
    "expenses": ("file_id", "line_no"),
}
#: What severities of Great Expectations are to us.
SEVERITIES: Final[dict[str, Severity]] = {
    "critical": "error",
    "warning": "warning",
    "info": "info",
}
#: The effect of a rule that keeps an account from automatic posting.
BLOCK: Final = "block"
_META: Final = ("effect", "remedy", "rule_id", "shows")


def load_suites(folder: Path) -> dict[str, Suite]:
    """The suites of a folder by table, in the order of the tables.

    Raises:
        ProfileError: ``SUITE_SYNTAX``, ``SUITE_TABLE``, ``SUITE_RULE``.
    """
    found: dict[str, Suite] = {}
    for path in sorted(folder.glob("*.json")):
        if path.stem not in LOCATORS:
            raise ProfileError(
                "SUITE_TABLE",
                f"there is no table {path.stem!r}",
                where=path.name,
                remedy="name the suite after one of " + ", ".join(LOCATORS),
            )
        try:
            suite = json.loads(path.read_text(encoding="utf-8"))
            rules = list(suite["expectations"])
        except (ValueError, KeyError, TypeError) as error:
            raise ProfileError(
                "SUITE_SYNTAX",
                f"is no suite: {error}",
                where=path.name,
                remedy='expected {"name": …, "expectations": [{"type": …, "kwargs": {…}}]}',
            ) from None
        seen: set[str] = set()
        for number, rule in enumerate(rules, 1):
            where = f"{path.name} expectation {number}"
            rule_id = _check_rule(rule, where)
            if rule_id in seen:
                raise ProfileError("SUITE_RULE", f"{rule_id} is there twice", where=where)
            seen.add(rule_id)
        found[path.stem] = suite
    return {name: found[name] for name in LOCATORS if name in found}


def blocking(suites: Mapping[str, Suite]) -> frozenset[str]:
    """The codes of the rules whose findings keep an account from automatic posting."""
    rules = [rule for suite in suites.values() for rule in suite["expectations"]]
    return frozenset(r["meta"]["rule_id"] for r in rules if r["meta"].get("effect") == BLOCK)


def _check_rule(rule: Any, where: str) -> str:
    """The rule's id, if it is a rule of the shape we ask for."""
    rule = rule if isinstance(rule, dict) else {}
    meta = rule.get("meta") if isinstance(rule.get("meta"), dict) else {}
    problems = (
        ("type is missing", not rule.get("type")),
        ("description is missing", not rule.get("description")),
        ("severity is none of " + ", ".join(SEVERITIES), rule.get("severity") not in SEVERITIES),
        ("meta.rule_id is missing", not meta.get("rule_id")),
        ("meta has a key that is none of " + ", ".join(_META), bool(set(meta) - set(_META))),
        (f"meta.effect is not {BLOCK!r}", meta.get("effect", BLOCK) != BLOCK),
    )
    for problem, found in problems:
        if found:
            remedy = "give type, kwargs, severity, description and meta.rule_id"
            raise ProfileError("SUITE_RULE", problem, where=where, remedy=remedy)
    return str(meta["rule_id"])
