"""An entry of very many details is read as they end, to the same rows, in bounded memory."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from parsers import _camt_long
from parsers._camt_message import strict
from parsers._camt_shapes import STATEMENT
from tests.parsers.camt_file import amount, balance, detail, document, entry, party, rich
from tests.parsers.test_camt_fast import KINDS, ROOT, differences, mutant, outcome, written

_NEVER = 1 << 60


def check(path: Path, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Reading details early or with their entry gives the same; the error, where both fail."""
    monkeypatch.setattr(_camt_long, "LONG", _NEVER)
    whole, error = outcome(strict(path, STATEMENT))
    for begin in (1, 2, 3):
        monkeypatch.setattr(_camt_long, "LONG", begin)
        early, other = outcome(strict(path, STATEMENT))
        if other is not None and "behind them" in other:
            return other
        assert other == error
        if error is None:
            assert differences(early, whole) == []
    return error


@pytest.mark.parametrize("kind", KINDS)
def test_details_read_early_are_the_same(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check(written(tmp_path, rich(kind)), monkeypatch) is None


def test_details_of_mutants_read_early_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = 0
    for seed in range(150):
        r = random.Random(seed)
        path = written(tmp_path, mutant(r, rich(r.choice(KINDS))))
        refused += check(path, monkeypatch) is not None
    assert refused < 75


def test_a_group_of_many_is_read_with_its_batch_and_its_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = "<Btch><MsgId>B</MsgId></Btch><Btch><MsgId>C</MsgId></Btch><X><Y>1</Y></X>"
    wrong = "<RmtInf><Strd><CdtrRefInf><Tp><CdOrPrtry><Prtry>QRR</Prtry></CdOrPrtry></Tp>" + (
        "<Ref>210000000003139471430009018</Ref></CdtrRefInf></Strd></RmtInf>"
    )
    details = [detail(n, amount("1.00"), wrong if n % 50 == 0 else "") for n in range(200)]
    group = f"<NtryDtls>{batch}{''.join(details[:150])}<Z/>{''.join(details[150:])}</NtryDtls>"
    more = f"<NtryDtls>{detail(200, amount('5.00'))}</NtryDtls>"
    text = document(
        [entry("205.00", "DBIT", group, more)], "BkToCstmrStmt", "Stmt", "camt.053.001.04"
    )
    path = written(tmp_path, text)
    assert check(path, monkeypatch) is None
    monkeypatch.setattr(_camt_long, "LONG", 100)
    found, _ = outcome(strict(path, STATEMENT))
    assert found.details.num_rows == 2 * 201
    assert found.details["message_id"].to_pylist()[:201] == ["B"] * 200 + [None]
    codes = [f.code for f in found.findings]
    assert codes.count("REFERENCE_CHECK") == 8
    assert "DETAIL_SUM_MISMATCH" not in codes


@pytest.mark.parametrize(
    "late", ["<RvslInd>true</RvslInd>", "<CdtDbtInd>DBIT</CdtDbtInd>", '<Amt Ccy="CHF">3.00</Amt>']
)
def test_what_details_depend_on_may_stand_behind_them(
    tmp_path: Path, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = "".join(detail(n, amount("1.00")) for n in range(3))
    text = rich()
    old = entry("3.00", "DBIT", f"<NtryDtls>{group}</NtryDtls>")
    name = re.match(r"<(\w+)", late)[1]  # type: ignore[index]
    new = re.sub(f"<{name}.*?</{name}>", "", old, count=1)
    # The parser is some kilobytes ahead of what it says has ended.
    new = new.replace("</Ntry>", f"<X>{'x' * 100_000}</X>{late}</Ntry>")
    first = text.index("<Ntry>")
    error = check(written(tmp_path, text[:first] + new + text[first:]), monkeypatch)
    # Amount and direction are waited for; a reversal nobody can expect there is refused in words.
    assert (error is not None) == ("RvslInd" in late)
    if error is not None:
        assert "[XML_TOO_LARGE]" in error


_READ = """
import re, sys
from pathlib import Path
import parsers
rows = sum(b.details.num_rows for b in parsers.stream_file(Path(sys.argv[1])).batches)
print(rows, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def test_an_entry_of_twenty_thousand_details_is_read(tmp_path: Path) -> None:
    count = 20_000
    sides = f"<RltdPties>{party('Cdtr', 'Employee', '<Othr><Id>1234567</Id></Othr>')}</RltdPties>"
    path = tmp_path / "payroll"
    head, tail = rich().split("<Ntry>", 1)
    tail = tail[tail.index("<AddtlStmtInf>") : tail.index("<Stmt>")] + "</BkToCstmrStmt></Document>"
    whole = entry(f"{count}.00", "DBIT", "<NtryDtls>@</NtryDtls>")
    begin, end = whole.split("@")
    with path.open("w") as file:
        file.write(head.replace(balance("CLBD", "105.50"), "") + begin)
        file.writelines(detail(n, amount("1.00"), sides) + "\n" for n in range(count))
        file.write(end + tail)
    out = subprocess.run(
        [sys.executable, "-c", _READ, str(path)], cwd=ROOT, capture_output=True, text=True,
        check=True,
    ).stdout.split()  # fmt: skip
    assert int(out[0]) == count
    assert int(out[1]) < 256 << 10
