"""Validation: what the suites and statement controls say of one file's tables.

Continuity with earlier statements is not asked here: it is concluded after recording, from all
statements of an account (`tieout.stages.continuity`), so that the order of arrival does not matter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tieout.canonical import Tables
from tieout.errors import Finding
from tieout.masterdata import BankAccount, resolve
from tieout.quality.controls import CONTROL_CODES, KnownAccount, check_statement

__all__ = ["Verdict", "check_tables"]


@dataclass
class Verdict:
    """Findings of one file, its statements that must not be recorded, and why some are doubtful.

    Attributes:
        doubts: findings by statement id that keep the account from automatic posting until a
            person has looked.
    """

    findings: list[Finding] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    doubts: dict[str, list[Finding]] = field(default_factory=dict)


def check_tables(
    tables: Tables,
    accounts: Sequence[BankAccount],
    suite_findings: Mapping[str, Sequence[Finding]],
    today: dt.date,
) -> Verdict:
    """Judge each statement of one file.

    Args:
        tables: the file's canonical tables with content ids.
        accounts: master data, to tell whose statement it is.
        suite_findings: what the suites found, by statement id.
        today: no statement closes after it.

    Returns:
        The findings that concern this file, and the statements refused.
    """
    verdict = Verdict()
    balances = tables.balances.to_pylist()
    for statement in tables.statements.to_pylist():
        key = statement["statement_id"]
        account = resolve(accounts, statement["account_id"], statement["currency"])
        controls = check_statement(
            statement,
            balances,
            tables.entries,
            account=None if account is None else _known(account),
            previous=None,
            details=tables.details,
            today=today,
            continuity=False,
        )
        suites = suite_findings.get(key, ())
        verdict.findings += [*suites, *controls]
        effects = [CONTROL_CODES[found.code].effect for found in controls]
        if "quarantine" in effects or any(found.severity == "error" for found in suites):
            verdict.refused.append(key)
        doubts = [f for f, effect in zip(controls, effects, strict=True) if effect == "block"]
        if doubts:
            verdict.doubts[key] = doubts
    verdict.refused.sort()
    return verdict


def _known(account: BankAccount) -> KnownAccount:
    return KnownAccount(
        code=account.code,
        currency=account.currency,
        cutover_on=account.cutover_on,
        cutover_balance=account.cutover_balance,
        cutover_sequence_no=account.cutover_sequence_no,
    )
