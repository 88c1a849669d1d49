"""Great Expectations over the canonical tables: suites are plain JSON in ``mappings/suites``.

A suite is named after its table (``entries.json``) and holds expectations of Great Expectations
with ``severity`` (critical, warning, info), a ``description``, and in ``meta`` the ``rule_id`` that
becomes the finding's code and the ``remedy`` shown with it. All tables of a batch of files are
checked in one go: the library costs seconds to import, so it is imported here, inside the
function, and once for the batch.

An expectation that cannot be evaluated is a broken rule, said as ``RULE_BROKEN``: it is not the
bank's data that is bad.
"""

from __future__ import annotations

import copy
import html
import logging
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from tieout.canonical import Tables
from tieout.errors import Finding, ProfileError
from tieout.profiles import mappings_dir
from tieout.quality.rules import LOCATORS, SEVERITIES, Suite, load_suites
from tieout.quality.site import finish

__all__ = ["SHOWN_MAX", "SuiteOutcome", "run_suites"]

#: Unexpected values shown in one finding.
SHOWN_MAX: Final = 20
_VALUE_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class SuiteOutcome:
    """What the suites found.

    Attributes:
        findings: ordered by table, rule and row; one for each rule and statement (or file).
        by_owner: the same by statement id (expenses: file id); "" holds what belongs to none.
        docs: ``index.html`` of the Data Docs.
        statistics: per table: ``rows``, ``rules``, ``failed``, ``broken``.
    """

    findings: tuple[Finding, ...]
    by_owner: Mapping[str, tuple[Finding, ...]]
    docs: Path
    statistics: Mapping[str, Mapping[str, int]]


def run_suites(
    tables: Tables,
    *,
    docs_dir: Path,
    run_name: str,
    section: str = "statements",
    expenses: pa.Table | None = None,
    suites_dir: Path | None = None,
) -> SuiteOutcome:
    """Check the tables of one batch of files against the suites and write Data Docs.

    Args:
        tables: canonical tables with their ids assigned; several files concatenated are fine.
        docs_dir: folder of the Data Docs.
        run_name: names the run's pages.
        section: the part of the Data Docs to write; it shows the latest run.
        expenses: lines of `parsers.concur_sae.EXPENSES`, if the batch has any.
        suites_dir: default ``mappings/suites``.

    Raises:
        ProfileError: a suite is no suite: ``SUITE_SYNTAX``, ``SUITE_TABLE``, ``SUITE_RULE``,
            ``SUITE_EXPECTATION``.
    """
    suites = load_suites(suites_dir or mappings_dir() / "suites")
    frames = _frames(tables, expenses)
    found: list[tuple[str, Finding]] = []
    statistics: dict[str, dict[str, int]] = {}
    with _quiet():
        context = _context(docs_dir / section)
        checked = {
            name: _validate(context, name, suite, frames[name], run_name)
            for name, suite in suites.items()
            if name in frames and frames[name].num_rows
        }
        context.build_data_docs(site_names=["docs"])
    for name, results in checked.items():
        statistics[name] = {
            "rows": frames[name].num_rows,
            "rules": len(results),
            "failed": sum(not r["success"] and not _broken(r) for r in results),
            "broken": sum(bool(_broken(r)) for r in results),
        }
        for result in results:
            found.extend(_findings(name, result))
    by_owner: dict[str, list[Finding]] = {}
    for owner, finding in found:
        by_owner.setdefault(owner, []).append(finding)
    return SuiteOutcome(
        tuple(finding for _, finding in found),
        {owner: tuple(some) for owner, some in by_owner.items()},
        finish(docs_dir, section, run_name, statistics),
        statistics,
    )


def _frames(tables: Tables, expenses: pa.Table | None) -> dict[str, pa.Table]:
    """Tables by name; details get their statement, so that every row can be located."""
    owner = tables.entries.select(["entry_id", "statement_id"])
    owners = dict(zip(*(owner[name].to_pylist() for name in owner.column_names), strict=True))
    statement_ids = [owners.get(key) for key in tables.details["entry_id"].to_pylist()]
    details = tables.details.append_column("statement_id", pa.array(statement_ids, pa.string()))
    frames = {
        "statements": tables.statements,
        "balances": tables.balances,
        "entries": tables.entries,
        "details": details,
    }
    return frames if expenses is None else {**frames, "expenses": expenses}


def _context(docs_dir: Path) -> Any:
    """An ephemeral context that writes its Data Docs to our folder and nothing anywhere else."""
    _silence()
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    docs_dir.mkdir(parents=True, exist_ok=True)
    context: Any = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    made = context.config.data_docs_sites["local_site"]["store_backend"]["base_directory"]
    context.delete_data_docs_site("local_site")
    shutil.rmtree(made, ignore_errors=True)  # a temporary folder nobody else removes
    site: Any = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(docs_dir.absolute()),
        },
    }
    context.add_data_docs_site(site_name="docs", site_config=site)
    return context


def _validate(
    context: Any, name: str, suite: Suite, rows: pa.Table, run_name: str
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
            "unexpected_index_column_names": list(LOCATORS[name]),
            "partial_unexpected_count": SHOWN_MAX,
            "return_unexpected_index_query": False,
        },
    )
    frame = rows.to_pandas(integer_object_nulls=True)
    outcome = context.checkpoints.add(checkpoint).run(
        batch_parameters={"dataframe": frame}, run_id=gx.RunIdentifier(run_name=run_name)
    )
    ((key, results),) = outcome.run_results.items()
    _escape_stored(context, key, results)
    order = [rule["meta"]["rule_id"] for rule in suite["expectations"]]
    plain = [result.to_json_dict() for result in results.results]
    return sorted(plain, key=lambda r: order.index(r["expectation_config"]["meta"]["rule_id"]))


def _escape_stored(context: Any, key: Any, results: Any) -> None:
    """Escape and shorten what the Data Docs show of one result: the library's templates do not.

    What a payer writes as a narrative would otherwise run as a script in the reader's browser.
    """
    escaped = copy.copy(results)
    escaped.results = [copy.copy(result) for result in results.results]
    for result in escaped.results:
        result.result = _escaped(result.result)
        result.exception_info = _escaped(result.exception_info)
    context.validation_results_store.set(key, escaped)


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return html.escape(value)
    if isinstance(value, dict):
        return {_escaped(k): _escaped(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(v) for v in value[:SHOWN_MAX]]
    return value


class _ErrorsOnly(logging.Handler):
    """Passes the library's errors on to our own logger, and nothing else of what it says."""

    def emit(self, record: logging.LogRecord) -> None:
        """Called by `logging` for each record of level ERROR and above."""
        logging.getLogger("tieout.quality").handle(record)


def _silence() -> None:
    """The library logs hundreds of lines while it registers itself, on loggers of many levels."""
    logger = logging.getLogger("great_expectations")
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    logger.handlers = [_ErrorsOnly(logging.ERROR)]


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide what the library's own use of pandas and of the standard library is warned for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _broken(result: Mapping[str, Any]) -> str:
    """Why an expectation could not be evaluated; "" if it could."""
    info = result.get("exception_info") or {}
    for one in [info, *(v for v in info.values() if isinstance(v, dict))]:
        if one.get("raised_exception"):
            return str(one.get("exception_message") or "no message")
    return ""


def _findings(name: str, result: Mapping[str, Any]) -> Iterator[tuple[str, Finding]]:
    """A failed expectation as findings, one for each statement (or file) concerned."""
    config = result["expectation_config"]
    code, remedy = config["meta"]["rule_id"], config["meta"].get("remedy", "")
    column = config["kwargs"].get("column") or config["kwargs"].get("column_A") or ""
    place = f"{name}.{column}" if column else name
    if why := _broken(result):
        text = f"rule {code} on {place} could not be evaluated: {why.strip().splitlines()[-1]}"
        mend = f"mend the rule in mappings/suites/{name}.json; the data was not judged by it"
        yield "", Finding("RULE_BROKEN", "error", f"{name}.json {code}", text[:500], mend)
        return
    if result["success"]:
        return
    severity = SEVERITIES[str(config["severity"])]
    says = config.get("description") or code
    owner_column = LOCATORS[name][0]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in result["result"].get("unexpected_index_list") or [{}]:
        groups.setdefault(str(row.get(owner_column) or ""), []).append(row)
    for owner, rows in groups.items():
        count = f"{len(rows)} rows" if len(rows) > 1 else "1 row"
        text = f"{says} Not so in {count} of {place}: {_shown(config['kwargs'], rows)}"
        yield owner, Finding(code, severity, _where(name, rows[0]), text, remedy)


def _where(name: str, row: Mapping[str, Any]) -> str:
    pairs = [(label, row.get(label)) for label in LOCATORS[name]]
    return " ".join(f"{label.rpartition('_')[0]} {v}" for label, v in pairs if v is not None)


def _shown(kwargs: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> str:
    """The unexpected values of a rule's own columns, bounded in number and length."""
    named = (kwargs.get(key) for key in ("column", "column_A", "column_B"))
    columns = [name for name in (*named, *kwargs.get("column_list", ())) if name]
    values = []
    for row in rows[:SHOWN_MAX]:
        own = [row.get(name) for name in columns] or list(row.values())
        texts = ("nothing" if v is None else repr(v)[:_VALUE_MAX] for v in own)
        values.append(" / ".join(texts))
    more = f" and {len(rows) - SHOWN_MAX} more" if len(rows) > SHOWN_MAX else ""
    return ", ".join(values) + more
