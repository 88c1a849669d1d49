"""The shipped Great Expectations suites, really run, on good and bad tables."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import parsers
from parsers import concur_sae
from sandbox import world
from tests.quality.tables import balance, detail, entry, statement, tables
from tieout.canonical import Tables, concat, empty, table
from tieout.errors import Finding, InputError, ProfileError
from tieout.profiles import mappings_dir
from tieout.quality.relations import frames_of
from tieout.quality.rules import LOCATORS, load_suites
from tieout.quality.suites import SuiteOutcome, run_suites

SUITES = mappings_dir() / "suites"


def good_tables() -> Tables:
    return tables(
        [statement("s1"), statement("s2", sequence_no=None, servicer_bic=None)],
        [balance("OPBD", "100.00"), balance("CLBD", "101.00")],
        [entry("e1", "1.00"), entry("e2", "-7.25", statement_id="s2")],
    )


def run(given: Tables, tmp_path: Path, **options: Any) -> SuiteOutcome:
    frames = frames_of(given) | options.pop("more", {})
    return run_suites(frames, docs_dir=tmp_path / "docs", run_name="run-1", **options)


def test_good_tables_have_no_findings_and_data_docs_are_written(tmp_path: Path) -> None:
    outcome = run(good_tables(), tmp_path)
    assert outcome.findings == () and outcome.by_owner == {}
    assert outcome.docs == tmp_path / "docs" / "statements" / "run-1" / "index.html"
    assert "run-1" in outcome.docs.read_text()
    pages = sorted((tmp_path / "docs" / "statements" / "run-1" / "validations").rglob("*.html"))
    assert len(pages) == 4
    suites = load_suites(SUITES)
    assert outcome.statistics == {
        name: {
            "rows": 2,
            "rules": len(suites[name]["expectations"]),
            "failed": 0,
            "broken": 0,
        }
        for name in ("statements", "balances", "entries", "details")
    }


def bad_tables() -> Tables:
    return tables(
        [statement("s1", account_id="NOT AN IBAN"), statement("s2", currency="eur")],
        [balance("OPBD", "100.00", on=None), balance("C", "1")],
        [
            entry("e1", "1.00", booked_on=None),
            entry("e2", "1.00", statement_id="s2", narrative="a\x01<script>x</script>"),
            entry("e3", "1.00", statement_id="s2", booked_on=None, status="pending"),
            entry("e4", "1.00", statement_id="s2", booked_on=None, detail_count=0),
            *(entry(f"f{n}", "1.00", booked_on=None) for n in range(30)),
        ],
        [
            detail("e1", uetr="123", return_reason="AC4"),
            detail("e2", fx_rate=Decimal(0), counterparty_bic="DEUTDEFF"),
        ],
    )


def test_bad_tables(tmp_path: Path) -> None:
    outcome = run(bad_tables(), tmp_path)
    found = {(f.code, f.severity, f.where) for f in outcome.findings}
    assert found == {
        ("STATEMENT_IBAN_FORM", "error", "statement s1 line 3"),
        ("STATEMENT_CURRENCY_FORM", "error", "statement s2 line 3"),
        ("BALANCE_CODE_FORM", "warning", "statement s1 line 5"),
        ("BALANCE_DAY_MISSING", "warning", "statement s1 line 5"),
        ("ENTRY_BOOKED_ON_MISSING", "error", "statement s1 entry e1 line 10"),
        ("ENTRY_BOOKED_ON_MISSING", "error", "statement s2 entry e4 line 10"),
        ("ENTRY_CONTROL_CHARACTERS", "warning", "statement s2 entry e2 line 10"),
        ("ENTRY_WITHOUT_DETAIL", "error", "statement s2 entry e4 line 10"),
        ("DETAIL_UETR_FORM", "warning", "statement s1 entry e1 line 12"),
        ("DETAIL_RETURN_REASON_FORM", "warning", "statement s1 entry e1 line 12"),
        ("DETAIL_FX_RATE_POSITIVE", "warning", "statement s2 entry e2 line 12"),
    }
    assert sorted(outcome.by_owner) == ["s1", "s2"]
    assert sum(len(some) for some in outcome.by_owner.values()) == len(outcome.findings)
    by_code: dict[str, Finding] = {f.code: f for f in reversed(outcome.findings)}
    many = by_code["ENTRY_BOOKED_ON_MISSING"]
    assert "31 rows of entries.booked_on" in many.message
    assert many.message.endswith("and 11 more") and many.message.count("nothing") == 20
    iban = by_code["STATEMENT_IBAN_FORM"]
    assert "'NOT AN IBAN'" in iban.message and iban.remedy
    assert [f.code.split("_")[0] for f in outcome.findings] == (
        ["STATEMENT"] * 2 + ["BALANCE"] * 2 + ["ENTRY"] * 4 + ["DETAIL"] * 3
    )


def test_data_docs_fetch_nothing_from_elsewhere_and_need_no_script(tmp_path: Path) -> None:
    outcome = run(good_tables(), tmp_path)
    for page in sorted((tmp_path / "docs").rglob("*.html")):
        text = page.read_text()
        assert "<script" not in text
        assert not re.search(r'(?:src|href)="https?:[^"]*\.(?:js|css)', text)
    index = outcome.docs.read_text()
    targets = re.findall(r'href="([^"]+)"', index)
    assert targets
    assert all((outcome.docs.parent / target).is_file() for target in targets)


def test_what_a_payer_writes_is_no_script_in_the_data_docs(tmp_path: Path) -> None:
    outcome = run(bad_tables(), tmp_path)
    assert any("<script>x" in f.message for f in outcome.findings)  # findings keep the data
    pages = [p.read_text() for p in (tmp_path / "docs").rglob("*.html")]
    assert any("&lt;script&gt;x" in page for page in pages)
    assert not any("<script>x" in page for page in pages)


def test_the_same_tables_give_the_same_findings(tmp_path: Path) -> None:
    first, second = run(bad_tables(), tmp_path), run(bad_tables(), tmp_path / "other")
    assert first.findings == second.findings and first.statistics == second.statistics


def test_it_is_quiet_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    with caplog.at_level("DEBUG"):
        run(good_tables(), tmp_path)
    assert caplog.records == []
    assert list((tmp_path / "temporary").iterdir()) == []


def test_no_rows_still_write_an_index(tmp_path: Path) -> None:
    outcome = run(empty(), tmp_path)
    assert outcome.findings == () and outcome.statistics == {} and outcome.docs.exists()


def test_expenses(tmp_path: Path) -> None:
    row = {"file_id": "f9", "line_no": 2, "sequence_no": 1, "report_key": "1", "employee_id": "E"}
    row |= {"payer_type": "Company", "payee_type": "Bank", "account_code": None}
    row |= {"journal_amount": Decimal("2000000")}
    lines = table([row, row | {"line_no": 3}], concur_sae.EXPENSES)
    outcome = run(empty(), tmp_path, more={"expenses": lines})
    assert [(f.code, f.where) for f in outcome.findings] == [
        ("EXPENSE_SEQUENCE_REPEATED", "file f9 line 2"),
        ("EXPENSE_PAYEE", "file f9 line 2"),
        ("EXPENSE_ACCOUNT_MISSING", "file f9 line 2"),
        ("EXPENSE_AMOUNT_RANGE", "file f9 line 2"),
        ("EXPENSE_SPENT_ON_MISSING", "file f9 line 2"),
    ]
    assert set(outcome.by_owner) == {"f9"}


@pytest.fixture
def suites(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SUITES, tmp_path / "suites"))


def edit(folder: Path, name: str, rule: dict[str, Any]) -> None:
    path = folder / f"{name}.json"
    suite = json.loads(path.read_text())
    suite["expectations"].insert(0, rule)
    path.write_text(json.dumps(suite))


RULE = {
    "type": "expect_column_values_to_not_be_null",
    "kwargs": {"column": "no_such_column"},
    "severity": "critical",
    "description": "Nonsense.",
    "meta": {"rule_id": "NONSENSE"},
}


def test_a_broken_rule_is_not_bad_data(tmp_path: Path, suites: Path) -> None:
    edit(suites, "entries", RULE)
    outcome = run(good_tables(), tmp_path, suites_dir=suites)
    (finding,) = outcome.findings
    assert (finding.code, finding.severity) == ("RULE_BROKEN", "error")
    assert finding.where == "entries.json NONSENSE" and "no_such_column" in finding.message
    assert outcome.by_owner == {"": (finding,)}
    assert outcome.statistics["entries"]["broken"] == 1
    assert outcome.statistics["entries"]["failed"] == 0


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"type": "expect_the_unexpected"}, "SUITE_EXPECTATION", "expect_the_unexpected"),
        ({"kwargs": {"colum": "x"}}, "SUITE_EXPECTATION", "column"),
        ({"meta": {}}, "SUITE_RULE", "rule_id is missing"),
        ({"meta": {"rule_id": "ENTRY_STATUS"}}, "SUITE_RULE", "there twice"),
        ({"severity": "bad"}, "SUITE_RULE", "critical, warning, info"),
        ({"type": ""}, "SUITE_RULE", "type is missing"),
        ({"description": ""}, "SUITE_RULE", "description is missing"),
    ],
)
def test_a_wrong_suite_is_said(
    tmp_path: Path, suites: Path, changes: dict[str, Any], code: str, says: str
) -> None:
    edit(suites, "entries", RULE | changes)
    with pytest.raises(ProfileError) as caught:
        run(good_tables(), tmp_path, suites_dir=suites)
    assert caught.value.code == code and says in caught.value.message
    assert caught.value.where.startswith("entries.json")


def test_wrong_suite_files_are_said(suites: Path) -> None:
    (suites / "entrys.json").write_text("{}")
    with pytest.raises(ProfileError) as caught:
        load_suites(suites)
    assert caught.value.code == "SUITE_TABLE" and "entries" in caught.value.remedy
    (suites / "entrys.json").unlink()
    (suites / "entries.json").write_text("{")
    with pytest.raises(ProfileError) as caught:
        load_suites(suites)
    assert caught.value.code == "SUITE_SYNTAX"


def test_every_table_has_a_suite_and_rules_have_distinct_codes() -> None:
    shipped = load_suites(SUITES)
    assert list(shipped) == list(LOCATORS)
    rules = [rule for suite in shipped.values() for rule in suite["expectations"]]
    ids = [rule["meta"]["rule_id"] for rule in rules]
    assert len(ids) == len(set(ids))
    for rule in rules:
        assert rule["meta"]["remedy"] or rule["severity"] == "info", rule["meta"]["rule_id"]


def test_the_sandbox_day_passes(tmp_path: Path) -> None:
    read: list[Tables] = []
    expenses = None
    for number, file in enumerate(world.build().files):
        path = tmp_path / f"{number}"
        path.write_bytes(file.content)
        if concur_sae.identify(file.content[:65_536]):
            expenses = concur_sae.read(path).lines
            continue
        try:
            read.append(parsers.read_file(path).tables)
        except InputError as error:
            assert "resend" in file.path, error
    outcome = run(concat(read), tmp_path, more={"expenses": expenses})
    assert {f.severity for f in outcome.findings} <= {"info"}
    assert outcome.statistics["entries"]["rows"] > 50


def test_the_library_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, tieout.quality.suites as s; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
