"""``tieout onboard``: what it sees, what has no place, and drafts that load and read the sample."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import parsers
from tests.onboarding_samples import SAMPLES
from tests.parsers.reading import SAMPLES as READ
from tieout import profiles
from tieout.commands import onboard as command
from tieout.errors import InputError
from tieout.onboarding import onboard

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"


def _sample(folder: Path, name: str) -> Path:
    path = folder / "sample"
    path.write_bytes(SAMPLES[name])
    return path


def _run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers(required=True))
    args = parser.parse_args(["onboard", *map(str, arguments)])
    code = args.run(args)
    assert isinstance(code, int)
    return code


#: Sample: account, opening, moved, closing, entries; columns of the draft that must be there.
GUESSED = {
    "dk.csv": ("DK5000400440116243", "10000", "936", "10936", 4, "amount balance booked_on counterparty_name narrative valued_on"),
    "us.csv": ("00417", "3770", "730", "4500", 4, "account_id balance booked_on cheque_no credit debit narrative"),
    "nl.csv": ("NL91ABNA0417164300", None, "-1202.5", None, 3, "account_id amount booked_on counterparty_account counterparty_name mark narrative valued_on"),
    "host.txt": ("000004417164300", None, "1030.67", None, 3, "amount booked_on mark narrative"),
}  # fmt: skip


@pytest.mark.parametrize("name", GUESSED)
def test_the_draft_reads_the_sample(tmp_path: Path, name: str) -> None:
    account, opening, moved, closing, entries, columns = GUESSED[name]
    report = onboard(_sample(tmp_path, name), "mine")
    assert report.format is None
    assert report.draft is not None
    found = tomllib.loads(report.draft)
    parsers.check_profile("mine", found)
    (tie,) = report.statements
    numbers = [
        None if v is None else f"{v.normalize():f}" for v in (tie.opening, tie.moved, tie.closing)
    ]
    assert [tie.account, *numbers, tie.entries] == [account, opening, moved, closing, entries]
    assert not tie.incomplete
    if "delimited" in found:
        named = found["delimited"]["columns"]
    else:
        named = next(r["columns"] for r in found["fixed"]["record"] if r["role"] == "entry")
    assert sorted(named) == columns.split()
    assert report.doubts
    assert all(f"# doubt: {doubt}" in report.draft for doubt in report.doubts)


def test_signs_come_from_the_balance_or_the_mark(tmp_path: Path) -> None:
    for name, wanted in (
        ("us.csv", ["1000", "-250", "-10", "-10"]),
        ("nl.csv", ["-1250", "-2.5", "50"]),
        ("host.txt", ["-12.5", "1044.17", "-1"]),
    ):
        path = _sample(tmp_path, name)
        report = onboard(path, "mine")
        assert report.draft is not None
        with profiles.trial("banks", "mine", tomllib.loads(report.draft)):
            amounts = parsers.read_file(path).tables.entries["amount"].to_pylist()
        assert [f"{amount.normalize():f}" for amount in amounts] == wanted


def test_a_dialect_is_drafted_from_labels(tmp_path: Path) -> None:
    report = onboard(_sample(tmp_path, "labels.sta"), "cz-mine")
    assert report.format == "MT940"
    assert report.draft is not None
    found = tomllib.loads(report.draft)
    assert found["match"]["head"] == r"^:25:CZ\d\d08000000"
    assert found["text"]["encoding"] == "cp1250"
    assert found["field86"]["labels"] == {
        "counterparty_account": ["UCET:"],
        "counterparty_name": ["NAZEV:"],
        "narrative": ["TEXT:"],
    }
    assert found["codes"] == {"NCHG": "ACMT/MDOP/CHRG"}
    assert report.gains["counterparty_name"] == 2
    assert report.gains["counterparty_account"] == 2
    assert any("'KS:'" in doubt for doubt in report.doubts)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_draft_names_no_person_and_no_account(tmp_path: Path, name: str) -> None:
    draft = onboard(_sample(tmp_path, name), "mine").draft
    assert draft is not None
    samples = [line for line in draft.splitlines() if line.startswith("#>")]
    assert samples
    text = SAMPLES[name].decode("cp1252")
    names = set(re.findall(r"(?i)blomst|hansen|tulip\w*|kv.tiny|banka|\d{7,}", text))
    names = {name for name in names if not name.startswith(("2026", "261120"))}  # days
    assert names
    assert [n for n in names if n in "\n".join(samples)] == []


def test_features_have_counts_and_lines(tmp_path: Path) -> None:
    report = onboard(READ / "structured.sta")
    seen = {feature.what: feature for feature in report.features}
    fields = seen[":86: with numbered sub-fields (code?nn)"]
    text = (READ / "structured.sta").read_text(encoding="cp1252").splitlines()
    wanted = [n for n, line in enumerate(text, 1) if re.match(r":86:\d{3}\?", line)]
    assert (fields.count, list(fields.lines)) == (len(wanted), wanted[:3])
    assert ":86: with slash words" not in seen


def test_what_has_no_column_is_said_with_its_line(tmp_path: Path) -> None:
    report = onboard(READ / "structured.sta")
    left = {row.where: row for row in report.unplaced}
    assert ":86: ?10" in left  # the batch number of the bank's own books
    line = (
        (READ / "structured.sta")
        .read_text(encoding="cp1252")
        .splitlines()[left[":86: ?10"].line - 1]
    )
    assert "?10" in line or line.startswith(":86:")
    assert ":86: ?32" not in left  # the other side's name has its column


def test_a_file_a_profile_reads_already_gets_no_draft(tmp_path: Path) -> None:
    report = onboard(READ / "portal.csv")
    assert (report.profile, report.draft, report.is_clean) == ("de-portal-csv", None, True)


def test_no_draft_where_the_readers_need_none() -> None:
    report = onboard(READ / "batch_v08.xml")
    assert report.draft is None
    assert report.doubts[0] == "the readers need no profile for what they saw"


def test_noise_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "noise"
    for content in (b"hello\n", b"a,b,c\n1,2,3\n", bytes(range(256)) * 50, b"x" * 500_000):
        path.write_bytes(content)
        report = onboard(path)
        assert (report.format, report.draft) == (None, None)
        assert [f.code for f in report.findings] == ["FORMAT_UNKNOWN"]


def test_the_command_writes_a_profile_that_reads_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    banks = tmp_path / "mappings" / "banks"
    banks.mkdir(parents=True)
    monkeypatch.setenv("TIEOUT_MAPPINGS", str(tmp_path / "mappings"))
    sample = _sample(tmp_path, "dk.csv")
    with pytest.raises(InputError):
        parsers.read_file(sample)
    out = banks / "dk-mine.toml"
    assert _run(sample, "--out", out) == 0
    assert "running balance" in capsys.readouterr().out
    parsed = parsers.read_file(sample)
    assert parsed.format == "delimited dk-mine"
    assert parsed.tables.entries.num_rows == 4
    before = out.read_text(encoding="utf-8")
    assert _run(sample, "--out", out) == 2  # never overwritten
    assert out.read_text(encoding="utf-8") == before
    assert "is there already" in capsys.readouterr().err


def test_exit_codes_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = _sample(tmp_path, "labels.sta")
    out = tmp_path / "cz-mine.toml"
    assert _run(sample, "--json", "--out", out) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["written"] == str(out)
    assert found["draft"] == out.read_text(encoding="utf-8")
    assert found["statements"][0]["closing"] == "885.00000"
    assert set(found) >= {"features", "unplaced", "codes", "findings", "doubts", "gains"}
    assert _run(tmp_path / "nothing") == 2
    assert _run(_sample(tmp_path, "host.txt")) == 1  # it has no balances
    cut = tmp_path / "cut"
    cut.write_bytes(SAMPLES["labels.sta"][:-40])
    assert _run(cut) == 1
    assert "closing balance" in capsys.readouterr().err


def test_the_installed_command_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tieout.cli", "onboard", str(_sample(tmp_path, "us.csv"))],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "newest first" in done.stdout
    assert "doubt:" in done.stdout


def test_profiles_check_names_the_wrong_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tieout.commands import profiles as checking

    assert checking.run(argparse.Namespace()) == 0
    banks = tmp_path / "banks"
    banks.mkdir()
    for path in (profiles.mappings_dir() / "banks").glob("nl-*.toml"):
        (banks / path.name).write_bytes(path.read_bytes())
    (banks / "wrong.toml").write_text('title = "x"\n[mtach]\n')
    monkeypatch.setenv("TIEOUT_MAPPINGS", str(tmp_path))
    assert checking.run(argparse.Namespace()) == 1
    out = capsys.readouterr().out
    assert "banks/wrong.toml" in out
    assert "did you mean 'match'" in out


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
@pytest.mark.parametrize(
    ("name", "feature", "profile"),
    [
        ("mt940/wolph__mt940__mBank_mt940.sta", ":86: with the label TNR:", "pl-mbank"),
        ("mt940/wolph__mt940__sberbank_171011_01234945.sta", "national sub-lines (:NS:)", None),
        (
            "mt940/zilverline__mt940__triodos_iban.txt",
            "number in :28: instead of :28C:",
            "nl-triodos",
        ),
        ("camt.053/viafintech__camt_parser__053_valid_example.xml", "batch entries (Btch)", None),
        ("bai2/moov-io__bai2__sample1.txt", "value-dated funds (V)", None),
    ],
)
def test_corpus_files_are_looked_at(name: str, feature: str, profile: str | None) -> None:
    report = onboard(CORPUS / name)
    assert report.profile == profile
    assert feature in {seen.what for seen in report.features}
    assert report.statements


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
def test_no_file_of_the_corpus_breaks_it() -> None:
    seen = 0
    for folder in ("camt.054", "mt942", "mt9xx-fragment", "ofx", "coda", "aeb43"):
        for path in sorted((CORPUS / folder).iterdir()):
            try:
                seen += bool(onboard(path).file)
            except InputError as error:
                assert error.where, path
    assert seen > 40
