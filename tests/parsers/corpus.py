"""``python -m tests.parsers.corpus`` (`make corpus`): judge every reader by real files.

The corpus stands beside the checkout (``../shared/corpus``) and is no part of it. Every file must
be read completely or refused with where and remedy, every refusal and every disagreement with
another parser must be explained in `corpus_known`; else the exit code is 1. Entries are counted in
the bytes, without a parser. At the end damaged copies are read: nothing but our own error may come.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import parsers
from parsers import Parsed
from tests.parsers import peers
from tests.parsers.corpus_known import BY_DETAIL, DIFFERENCES, REFUSED, UNPROVEN, UNTIED
from tests.parsers.corpus_report import print_report
from tests.parsers.mutations import mutations
from tieout.canonical import Tables
from tieout.errors import InputError, TieoutError

__all__ = ["CORPUS", "Agreement", "Verdict", "files", "judge", "main", "notes"]

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"

#: Folders of the corpus that hold no bank files.
_NO_FILES = ("expected", "xsd")
#: Checks whose failure is a fact about the file and must be known.
_UNTIED_CODES = ("BALANCE_MISMATCH", "BALANCE_MISSING")
_UNPROVEN_CODES = ("PAYMENT_COUNT_MISMATCH", "PAYMENT_SUM_MISMATCH")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\ud800-\udfff]")
_STATUS = {"booked": "BOOK", "pending": "PDNG", "info": "INFO", "future": "FUTR"}

#: How an entry begins in the bytes of each format; in CODA details have a number.
_RECORDS = (
    ("camt", rb"<(?:\w+:)?Ntry>"),
    ("pain.001", rb"<(?:\w+:)?CdtTrfTxInf[\s>]"),
    ("pain.002", rb"<(?:\w+:)?TxInfAndSts[\s>]"),
    ("MT", rb"^:61:"),
    ("BAI", rb"^16,"),
    ("CODA", rb"^21\d{4}0000"),
    ("CFONB", rb"^04"),
    ("AEB43", rb"^22"),
    ("OFX", rb"<STMTTRN>"),
    ("v11 type 3", rb"^[01]"),
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """One peer's output against ours: for each fact how many rows are equal and differ."""

    peer: str
    output: str
    equal: Counter[str]
    differ: Counter[str]


@dataclass(slots=True)
class Verdict:
    """What became of one file (or one member of a container).

    Attributes:
        folder: of the corpus.
        name: the file's; of a member ``container/member``.
        format: the exact one, or ``""`` where it is refused.
        refused: the refusal, or None.
        counts: statements, tie, entries, details, payments, statuses.
        agreements: one for each peer's output.
        problems: what must not be: each makes the corpus fail.
    """

    folder: str
    name: str
    format: str = ""
    refused: InputError | None = None
    counts: Counter[str] = field(default_factory=Counter)
    agreements: list[Agreement] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def files(*folders: str) -> list[Path]:
    """Bank files of the corpus (or of those folders), in order; none where it is absent."""
    if not CORPUS.is_dir():
        return []
    wanted = folders or [p.name for p in sorted(CORPUS.iterdir()) if p.name not in _NO_FILES]
    return [p for name in wanted for p in sorted((CORPUS / name).glob("*")) if p.is_file()]


def notes() -> dict[str, str]:
    """The manifest's remark on each file, by ``folder/name``."""
    lines = (CORPUS / "MANIFEST.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in lines if line]
    return {row[1]: row[8] for row in rows}


def judge(path: Path) -> list[Verdict]:
    """A verdict on each file that a corpus file holds."""
    with parsers.opened(path) as members:
        return [
            _judge(path, member.path, f"{path.name}/{member.name}" if member.name else path.name)
            for member in members
        ]


def _judge(origin: Path, path: Path, name: str) -> Verdict:
    verdict = Verdict(origin.parent.name, name)
    try:
        parsed = parsers.read_file(path)
    except InputError as error:
        verdict.refused = error
        _refused(verdict, error)
        if path == origin:
            for output in peers.outputs(CORPUS, origin):
                _agreement(verdict, output, [])
        return verdict
    except Exception as error:
        verdict.problems.append(f"{type(error).__name__} instead of our own error: {error}")
        return verdict
    verdict.format = parsed.format
    _complete(verdict, parsed, path.read_bytes())
    _sound(verdict, parsed)
    if path == origin:
        for output in peers.outputs(CORPUS, origin):
            _agreement(verdict, output, _facts(parsed.tables, output.name in BY_DETAIL))
    return verdict


def _refused(verdict: Verdict, error: InputError) -> None:
    if not error.where or not error.remedy or error.code == "READER_FAILED":
        verdict.problems.append(f"refused without where or remedy: {error}")
    without = verdict.folder == "v11" and "v11" not in {m.NAME.lower() for m in parsers.FORMATS}
    if REFUSED.get(verdict.name) != error.code and not without:
        verdict.problems.append(f"refused for a reason that is not known: {error}")


def _complete(verdict: Verdict, parsed: Parsed, data: bytes) -> None:
    """Everything that is in the bytes is in the tables."""
    tables = parsed.tables
    codes = Counter(f.code for f in tables.findings)
    untied = sum(codes[c] for c in _UNTIED_CODES)
    booked = tables.statements["kind"].to_pylist().count("booked")
    verdict.counts.update(
        statements=tables.statements.num_rows,
        tie=max(0, booked - untied - codes["OPENING_NOT_STATED"]),
        booked=booked,
        entries=tables.entries.num_rows,
        details=tables.details.num_rows,
        payments=tables.payments.num_rows,
        statuses=tables.statuses.num_rows,
    )
    if verdict.name in REFUSED:
        verdict.problems.append("read, though it is known to be refused")
    record = next((r for start, r in _RECORDS if parsed.format.startswith(start)), None)
    if record is not None:
        counted = len(re.findall(record, data, re.M))
        levels = tables.statuses["level"].to_pylist()
        read = codes["ENTRY_UNREADABLE"] + levels.count("transaction")
        read += tables.entries.num_rows + tables.payments.num_rows
        if counted != read:
            verdict.problems.append(f"{counted} records in the bytes, {read} read or named")
    fragment = verdict.folder == "mt9xx-fragment"
    note = re.search(
        r"balances tie (\d+)/(\d+)", notes().get(f"{verdict.folder}/{verdict.name}", "")
    )
    if note is not None:
        if untied != int(note[2]) - int(note[1]):
            verdict.problems.append(f"{untied} statements do not tie, the manifest says {note[0]}")
    elif (untied > 0) != (verdict.name.partition("/")[0] in UNTIED) and not fragment:
        verdict.problems.append(f"{untied} statements do not tie: is it known why?")
    if any(codes[c] for c in _UNPROVEN_CODES) != (verdict.name in UNPROVEN):
        verdict.problems.append("its own count or sum does not fit: is it known why?")


def _sound(verdict: Verdict, parsed: Parsed) -> None:
    """Every entry has details, every finding says where and what to do, all text is clean."""
    tables = parsed.tables
    if lost := _lost(tables):
        verdict.problems.append(f"{lost} entries are counted and neither read nor named")
    owners = set(tables.details["entry_id"].to_pylist())
    if owners != set(tables.entries["entry_id"].to_pylist()):
        verdict.problems.append("an entry without details, or a detail without its entry")
    for finding in tables.findings:
        helps = finding.remedy or finding.severity == "info"
        if not (finding.where and finding.message and helps):
            verdict.problems.append(f"a finding that does not help: {finding}")
    for name in ("statements", "balances", "entries", "details", "payments", "statuses"):
        for row in getattr(tables, name).to_pylist():
            if any(isinstance(v, str) and _CONTROL.search(v) for v in row.values()):
                verdict.problems.append(f"control characters in {name}: {row}")


def _lost(tables: Tables) -> int:
    """Entries the statements count, less those in the table and those a finding names.

    A finding may also name a detail, which no statement counts.
    """
    counted = sum(n or 0 for n in tables.statements["entry_count"].to_pylist())
    named = sum(f.code == "ENTRY_UNREADABLE" for f in tables.findings)
    return max(0, counted - tables.entries.num_rows - named)


def _facts(tables: Tables, by_detail: bool) -> list[peers.Fact]:
    """Our entries (or details) in the words of `peers`."""
    details: dict[str, list[dict[str, Any]]] = {}
    for row in tables.details.to_pylist():
        details.setdefault(row["entry_id"], []).append(row)
    found: list[peers.Fact] = []
    for entry in tables.entries.to_pylist():
        own = details[entry["entry_id"]]
        row = entry | {
            "account": entry["account_id"],
            "type": entry["swift_type"],
            "kind": (entry["swift_type"] or "")[1:],
            "status": _STATUS.get(entry["status"]),
        }
        for part in own if by_detail else own[:1]:
            amount = part["amount"] if by_detail else entry["amount"]
            found.append(row | {"amount": amount, "counterparty": part["counterparty_name"]})
    return found


def _agreement(verdict: Verdict, output: Path, ours: list[peers.Fact]) -> None:
    """Compare fact by fact in order; where the lists differ in length, only the length."""
    theirs = peers.expected(output)
    equal: Counter[str] = Counter()
    differ: Counter[str] = Counter()
    if len(ours) != len(theirs.rows):
        differ["rows"] = abs(len(ours) - len(theirs.rows))
    else:
        for mine, row in zip(ours, theirs.rows, strict=True):
            for name, value in row.items():
                (equal if mine[name] == value else differ)[name] += 1
    verdict.agreements.append(Agreement(theirs.peer, output.name, equal, differ))
    wanted = {f: n for (name, f), (n, _) in DIFFERENCES.items() if name == output.name}
    if dict(differ) != wanted:
        verdict.problems.append(
            f"{theirs.peer} differs in {dict(differ)}, explained is {wanted or 'nothing'}"
        )


def damaged(count: int, seed: int = 7) -> Iterator[tuple[str, str]]:
    """Read damaged copies of the corpus' files; yields what each came to, or how it failed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "damaged")
        for name, content in mutations(files(), count, seed):
            path.write_bytes(content)
            try:
                with parsers.opened(path, Path(folder)) as members:
                    lost = [_lost(parsers.read_file(member.path).tables) for member in members]
                yield name, f"failed: {lost} entries lost" if any(lost) else "read"
            except InputError as error:
                bad = error.code == "READER_FAILED" or not error.where or not error.remedy
                yield name, f"failed: {error}" if bad else "refused"
            except TieoutError as error:
                yield name, f"failed: {error}"
            except Exception as error:
                yield name, f"failed: {type(error).__name__}: {error}"


def main(arguments: list[str] | None = None) -> int:
    """Judge, print while working, and say at the end what is wrong; 1 where anything is."""
    parser = argparse.ArgumentParser(prog="python -m tests.parsers.corpus")
    parser.add_argument("--mutations", type=int, default=2000, help="damaged copies to read")
    parser.add_argument("--seed", type=int, default=7, help="of the damage")
    args = parser.parse_args(arguments)
    if not CORPUS.is_dir():
        print(f"[corpus] there is no corpus at {CORPUS}: nothing was judged")
        return 1
    verdicts: list[Verdict] = []
    for folder in sorted({p.parent.name for p in files()}):
        found = [v for path in files(folder) for v in judge(path)]
        verdicts += found
        bad = sum(bool(v.problems) for v in found)
        print(f"[corpus] {folder}: {len(found)} files judged, {bad} with problems", flush=True)
    print_report(verdicts)
    outcome = Counter[str]()
    for number, (name, result) in enumerate(damaged(args.mutations, args.seed), 1):
        outcome[result.partition(":")[0]] += 1
        if result.startswith("failed"):
            print(f"[damage] {name}: {result}")
        if number % 500 == 0:
            print(f"[damage] {number} of {args.mutations}: {dict(outcome)}", flush=True)
    problems = sum(len(v.problems) for v in verdicts)
    print(f"[corpus] {problems} problems, {outcome['failed']} damaged copies failed")
    return 1 if problems or outcome["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
