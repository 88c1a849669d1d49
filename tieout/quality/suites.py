"""Great Expectations over the canonical tables: suites are plain JSON in ``mappings/suites``.

A suite is named after its table (``entries.json``) and holds expectations of Great Expectations
with ``severity`` (critical, warning, info), a ``description``, and in ``meta`` the ``rule_id`` that
becomes the finding's code, the ``remedy`` shown with it, and what else is of use (see
`tieout.quality.rules`). All tables of a batch of files are checked in one go, because starting the
library takes seconds. It judges what a sieve leaves of them (`tieout.quality.sieve`), so that a
million rows take no longer than reading them.

An expectation that cannot be evaluated is a broken rule, said as ``RULE_BROKEN``: it is not the
bank's data that is bad.
"""

from __future__ import annotations

import copy
import html
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tieout.errors import Finding, ProfileError
from tieout.profiles import mappings_dir
from tieout.quality.library import context_of, quiet
from tieout.quality.outcome import broken, findings_of, text_of, whole
from tieout.quality.relations import Frames, opened
from tieout.quality.rules import LOCATORS, Suite, load_suites
from tieout.quality.sieve import SHOWN_MAX, Sifted, sift
from tieout.quality.site import finish

__all__ = ["SHOWN_MAX", "SuiteOutcome", "run_suites", "sift_all"]


@dataclass(frozen=True, slots=True)
class SuiteOutcome:
    """What the suites found.

    Attributes:
        findings: ordered by table, rule and row; one for each rule and statement (or file).
        by_owner: the same by statement id (files and expenses: file id, arrivals: account code);
            "" holds what belongs to none.
        docs: ``index.html`` of this run's Data Docs.
        statistics: per table: ``rows``, ``rules``, ``failed``, ``broken``.
    """

    findings: tuple[Finding, ...]
    by_owner: Mapping[str, tuple[Finding, ...]]
    docs: Path
    statistics: Mapping[str, Mapping[str, int]]


def run_suites(
    frames: Frames,
    *,
    docs_dir: Path,
    run_name: str,
    section: str = "statements",
    suites_dir: Path | None = None,
) -> SuiteOutcome:
    """Check the tables of one batch of files against the suites and write Data Docs.

    Args:
        frames: tables by name, with their ids assigned, in memory or as Parquet files; several
            files concatenated are fine.
        docs_dir: folder of the Data Docs.
        run_name: names the run's pages.
        section: the part of the Data Docs the run belongs to.
        suites_dir: default ``mappings/suites``.

    Raises:
        ProfileError: a suite is no suite: ``SUITE_SYNTAX``, ``SUITE_TABLE``, ``SUITE_RULE``,
            ``SUITE_EXPECTATION``.
    """
    suites = load_suites(suites_dir or mappings_dir() / "suites")
    sifted = sift_all(frames, suites)
    docs = docs_dir / section / run_name
    with quiet():
        context = context_of(docs)
        checked = {
            name: _validate(context, name, suites[name], some, run_name)
            for name, some in sifted.items()
        }
        context.build_data_docs(site_names=["docs"])
    found: list[tuple[str, Finding]] = []
    statistics: dict[str, dict[str, int]] = {}
    for name, results in checked.items():
        statistics[name] = {
            "rows": sifted[name].rows,
            "rules": len(results),
            "failed": sum(not r["success"] and not broken(r) for r in results),
            "broken": sum(bool(broken(r)) for r in results),
        }
        for result in results:
            found.extend(findings_of(name, result, sifted[name]))
    by_owner: dict[str, list[Finding]] = {}
    for owner, finding in found:
        by_owner.setdefault(owner, []).append(finding)
    return SuiteOutcome(
        tuple(finding for _, finding in found),
        {owner: tuple(some) for owner, some in by_owner.items()},
        finish(docs_dir, section, run_name, statistics),
        statistics,
    )


def sift_all(frames: Frames, suites: Mapping[str, Suite]) -> dict[str, Sifted]:
    """What is left of each table that has a suite and rows, in the order of the suites."""
    with opened(frames) as connection:
        left = {name: sift(connection, name, suites[name]) for name in suites if name in frames}
    return {name: some for name, some in left.items() if some.rows}


def _validate(
    context: Any, name: str, suite: Suite, sifted: Sifted, run_name: str
) -> list[dict[str, Any]]:
    """One table against its suite; results as plain JSON values in the suite's order."""
    import great_expectations as gx
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    # One by one: the suite's own constructor logs a wrong expectation and leaves it out.
    expectations = gx.ExpectationSuite(name=name)
    for number, rule in enumerate(suite["expectations"], 1):
        try:
            expectations.add_expectation(ExpectationConfiguration(**rule).to_domain_obj())
        except Exception as error:  # the library raises its own, pydantic's and bare ones here
            raise ProfileError(
                "SUITE_EXPECTATION",
                f"{rule['type']} cannot be made: {error}",
                where=f"{name}.json expectation {number}",
                remedy="compare type and kwargs with the gallery of Great Expectations",
            ) from error
    batch = (
        context.data_sources.add_pandas(name)
        .add_dataframe_asset(name)
        .add_batch_definition_whole_dataframe("batch")
    )
    definition = gx.ValidationDefinition(
        name=name, data=batch, suite=context.suites.add(expectations)
    )
    checkpoint = gx.Checkpoint(
        name=name,
        validation_definitions=[context.validation_definitions.add(definition)],
        actions=[],
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": _located(name, suite),
            "partial_unexpected_count": SHOWN_MAX,
            "return_unexpected_index_query": False,
        },
    )
    frame = sifted.table.to_pandas(integer_object_nulls=True)
    outcome = context.checkpoints.add(checkpoint).run(
        batch_parameters={"dataframe": frame}, run_id=gx.RunIdentifier(run_name=run_name)
    )
    ((key, results),) = outcome.run_results.items()
    _escape_stored(context, key, results, sifted)
    order = [rule["meta"]["rule_id"] for rule in suite["expectations"]]
    plain = [_plain(result) for result in results.results]
    return sorted(plain, key=lambda r: order.index(r["expectation_config"]["meta"]["rule_id"]))


def _plain(result: Any) -> dict[str, Any]:
    """A result with the values as they are: the library's JSON would make floats of amounts."""
    return {**result.to_json_dict(), "result": result.result}


def _located(name: str, suite: Suite) -> list[str]:
    """The columns that say which row it is, and those some rule shows beside its own."""
    shown = [c for rule in suite["expectations"] for c in rule["meta"].get("shows", ())]
    return list(dict.fromkeys([*LOCATORS[name], *shown]))


def _escape_stored(context: Any, key: Any, results: Any, sifted: Sifted) -> None:
    """What the Data Docs show: numbers of the whole table; values escaped and few.

    What a payer writes as a narrative would otherwise run as a script in the reader's browser.
    """
    escaped = copy.copy(results)
    escaped.results = [copy.copy(result) for result in results.results]
    for result in escaped.results:
        result.result = _escaped(whole(_plain(result), sifted))
        result.exception_info = _escaped(result.exception_info)
    context.validation_results_store.set(key, escaped)


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return html.escape(value)
    if isinstance(value, Decimal | date):
        return text_of(value)
    if isinstance(value, dict):
        return {_escaped(k): _escaped(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(v) for v in value[:SHOWN_MAX]]
    return value
