"""The fast camt reader equals the strict one, column by column, finding by finding, error by error."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.parsing import camt_file as generated
from parsers import _camt_fast, _camt_message
from parsers._camt_message import messages, strict
from parsers._camt_shapes import STATEMENT
from parsers._tags import UnsureError
from tests.parsers import big
from tests.parsers.camt_file import entry, rich
from tieout.canonical import Tables, concat
from tieout.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"
KINDS = ("camt.052.001.02", "camt.053.001.04", "camt.053.001.08", "camt.054.001.13")
TABLES = ("statements", "balances", "entries", "details")


@pytest.fixture(autouse=True)
def _any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_camt_message, "FAST_FROM", 0)


def outcome(batches: Iterator[Tables]) -> tuple[Tables, str | None]:
    """What was read before the end or the error, and the error."""
    found: list[Tables] = []
    try:
        found.extend(batches)
    except InputError as error:
        return concat(found), str(error)
    return concat(found), None


def differences(one: Tables, other: Tables) -> list[str]:
    found = [] if one.findings == other.findings else ["findings"]
    for name in TABLES:
        left, right = getattr(one, name), getattr(other, name)
        assert left.schema == right.schema
        found += [f"{name}.{c}" for c in left.column_names if not left[c].equals(right[c])]
    return found


def check(path: Path) -> None:
    """Both readers agree on the file, whichever of them the product takes."""
    slow, slow_error = outcome(strict(path, STATEMENT))
    quick, quick_error = outcome(messages(path, STATEMENT))
    assert quick_error == slow_error
    if slow_error is None:  # else nothing that was handed on may be used
        assert differences(quick, slow) == []


def is_fast(path: Path) -> bool:
    """Whether the fast reader is sure of the file; any failure of it but that is a mistake."""
    try:
        list(_camt_fast.batches(path))
    except UnsureError:
        return False
    return True


@pytest.fixture(params=[700, 5_000, 4 << 20])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_camt_fast, "CHUNK", request.param)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "statement"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_entry_is_read_fast_and_equal(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, rich(kind))
    assert is_fast(path)
    check(path)


@pytest.mark.usefixtures("chunk")
def test_other_layouts_are_read_fast_and_equal(tmp_path: Path) -> None:
    plain = rich()
    prefixed = re.sub(r"<(/?)([A-Z])", r"<\1n:\2", plain).replace("xmlns=", "xmlns:n=")
    indented = plain.replace("><", ">\n   <")
    for text in (prefixed, indented, indented.replace("\n", "\r\n"), "\ufeff" + plain):
        path = written(tmp_path, text)
        assert is_fast(path)
        check(path)


@pytest.mark.usefixtures("chunk")
def test_elements_without_text_are_read_fast_and_equal(tmp_path: Path) -> None:
    plain = rich()
    for name in sorted(set(re.findall(r"<(\w+)>[^<>]*</", plain))):
        for hollow in (f"<{name}/>", f"<{name}></{name}>"):
            head, tail = plain.split("<Ntry>", 1)
            text = head + "<Ntry>" + re.sub(f"<{name}>[^<>]*</{name}>", hollow, tail)
            for each in (text, text.replace(">\n<", "><")):
                check(written(tmp_path, each))


@pytest.mark.usefixtures("chunk")
def test_entries_on_one_line_are_read_fast_and_equal(tmp_path: Path) -> None:
    path = written(tmp_path, rich().replace(">\n<", "><"))
    assert is_fast(path)
    check(path)


#: Elements the strict reader takes the first of, a second time: in full, without text, or with
#: another prefix.
AGAIN = (
    ("</Refs>", "</Refs><Refs><TxId>2</TxId></Refs>"),
    ("</Refs>", "</Refs><Refs><X/></Refs>"),
    ("</Refs>", "</Refs><n:Refs><n:TxId>2</n:TxId></n:Refs>"),
    ("</BookgDt>", "</BookgDt><BookgDt><Dt>2026-11-22</Dt></BookgDt>"),
    ("</TxDtls>", "<Purp><Cd/></Purp><Purp><Cd>A</Cd></Purp></TxDtls>"),
    ("</TxDtls>", "<Purp><X/></Purp></TxDtls>"),
    ("</Ntry>", "<Sts><X/></Sts></Ntry>"),
    ("<NtryDtls>", "<NtryDtls><TxDtls><X/></TxDtls>"),
    ("<NtryDtls>", "<NtryDtls/><NtryDtls>"),
    ("</NtryDtls>", "</NtryDtls><NtryDtls><X/></NtryDtls>"),
    ("</NtryDtls>", "<TxDtls><Purp><Cd/></Purp></TxDtls><TxDtls><X/></TxDtls></NtryDtls>"),
)


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize("number", range(len(AGAIN)))
def test_a_second_of_what_may_stand_once_is_read_equal(tmp_path: Path, number: int) -> None:
    old, new = AGAIN[number]
    plain = rich().replace(
        " xmlns=", ' xmlns:n="urn:iso:std:iso:20022:tech:xsd:camt.053.001.04" xmlns='
    )
    assert plain.count(old) > 1
    for text in (plain, plain.replace(">\n<", "><")):
        for count in (1, -1):
            path = written(tmp_path, text.replace(old, new, count))
            assert is_fast(path)
            check(path)


def test_a_generated_file_is_read_fast_and_equal(tmp_path: Path) -> None:
    path = tmp_path / "statement"
    held = generated.write(path, 1, 11)
    assert is_fast(path)
    check(path)
    assert sum(b.entries.num_rows for b in _camt_fast.batches(path)) == held["entries"]


def test_lines_beyond_sixteen_bits_are_right(tmp_path: Path) -> None:
    gap = "\n" * 66_000
    text = rich().replace("\n<Ntry>", f"{gap}<Ntry>", 1).replace("><", ">\n<")
    path = written(tmp_path, text)
    assert is_fast(path)
    check(path)
    wanted = [n for n, line in enumerate(text.split("\n"), 1) if line == "<Ntry>"]
    assert outcome(strict(path, STATEMENT))[0].entries["line_no"].to_pylist() == wanted


SAMPLES = sorted(
    path
    for folder in (ROOT / "tests/parsers/samples", ROOT / "samples")
    for path in folder.rglob("*")
    if path.is_file() and b"BkToCstmr" in path.read_bytes()[:65_536]
)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_samples_are_read_equal(path: Path) -> None:
    check(path)
    is_fast(path)


@pytest.mark.usefixtures("chunk")
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
def test_the_corpus_is_read_equal() -> None:
    files = [p for name in ("camt.052", "camt.053", "camt.054") for p in (CORPUS / name).iterdir()]
    files += list((CORPUS / "other-malformed").iterdir())
    fast = 0
    for path in sorted(p for p in files if p.is_file()):
        check(path)
        fast += is_fast(path)
    assert fast >= 50


UNSURE = {
    "comment": ("<AddtlNtryInf>", "<!-- x --><AddtlNtryInf>"),
    "CDATA": ("<NtryRef>", "<X><![CDATA[<]]></X><NtryRef>"),
    "processing instruction": ("<NtryRef>", "<?x y?><NtryRef>"),
    "attribute": ("<NtryRef>", '<NtryRef a="1">'),
    "namespace inside": ("<NtryRef>", '<x:Y xmlns:x="u">1</x:Y><NtryRef>'),
    "undeclared prefix": ("<NtryRef>", "<x:Y>1</x:Y><NtryRef>"),
    "unknown entity": ("<NtryRef>", "<X>&foo;</X><NtryRef>"),
    "lone ampersand": ("<NtryRef>", "<X>a & b</X><NtryRef>"),
    "bracket in text": ("<NtryRef>", "<X>a > b</X><NtryRef>"),
    "control character": ("<NtryRef>", "<X>\x0c</X><NtryRef>"),
    "lone return": ("<NtryRef>", "<X>a\rb</X><NtryRef>"),
    "no character": ("<NtryRef>", "<X>\uffff</X><NtryRef>"),
    "wrong end": ("</Sts>", "</Stz>"),
    "crossed ends": ("</Ntry></Stmt>", "</Stmt></Ntry>"),
    "text beside": ("<NtryRef>", "text<NtryRef>"),
    "entry in an entry": ("<NtryRef>", "<Ntry/><NtryRef>"),
    "second header": ("<Stmt><Id>2", "<GrpHdr/><Stmt><Id>2"),
    "rest behind": ("</Document>", "</Document><Document/>"),
    "DOCTYPE": ("<Document", "<!DOCTYPE Document><Document"),
    "other encoding": ("UTF-8", "ISO-8859-1"),
    "no account": ("<Acct>", "<Acht>"),
}


@pytest.mark.parametrize("name", UNSURE)
def test_what_is_not_known_for_certain_goes_to_the_strict_reader(tmp_path: Path, name: str) -> None:
    old, new = UNSURE[name]
    text = rich()
    assert old in text
    path = written(tmp_path, text.replace(old, new, 1))
    assert not is_fast(path)
    check(path)


def test_a_reversal_the_balances_turn_goes_to_the_strict_reader(tmp_path: Path) -> None:
    mark = "<Sts>BOOK</Sts><RvslInd>true</RvslInd>"
    text = rich()
    first = text.index("<Ntry>")
    end = text.index("<AddtlStmtInf>")
    text = text[:first] + entry("5.50", "DBIT", status=mark) + text[end:]
    path = written(tmp_path, text)
    assert not is_fast(path)
    check(path)
    assert "REVERSAL_SIGN_TURNED" in [
        f.code for f in outcome(messages(path, STATEMENT))[0].findings
    ]


def test_what_was_handed_on_before_a_guard_trips_is_not_given_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_camt_fast, "CHUNK", 700)
    path = written(tmp_path, rich().replace("<Id>2</Id>", "<!-- late --><Id>2</Id>"))
    given_before = 0
    with pytest.raises(UnsureError):
        for batch in _camt_fast.batches(path):
            given_before += batch.entries.num_rows
    assert given_before
    check(path)


def test_bytes_that_are_not_utf8_late_in_the_file_turn_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_camt_fast, "CHUNK", 700)
    path = written(tmp_path, rich().encode().replace(b"<Id>2</Id>", b"<Id>M\xfcller</Id>"))
    assert not is_fast(path)
    check(path)
    found = outcome(messages(path, STATEMENT))[0]
    assert found.findings[0].code == "XML_ENCODING"
    assert found.entries["narrative"][0].as_py() == "x <y> Ãœberweisung"


def test_every_cut_is_refused_as_the_strict_reader_refuses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_camt_fast, "CHUNK", 900)
    whole = rich().encode()
    for at in range(1, len(whole) - 2, 97):
        path = written(tmp_path, whole[:at])
        assert not is_fast(path)
        check(path)


VALUES = (
    "", " ", "NOTPROVIDED", "notprovided", "NOTPROVıDED", "NONREF", "0", "n/a", "1.5", "12", "-3.00",
    "1,00", "CRDT", "DBIT", "true", "&amp;", "&lt;x&#65;&#x42;", "&#0;", " padded ", "\u00a0x",
    "x\u00a0", "a\r\nb", "2026-02-30", "2026-11-20T10:00:00", "x" * 200, "9" * 17, "99999999999.99",
    "DE 12 34", "BOOK", "INFO", "\x7f", "KEINE INFORMATION VORHANDEN", "ß", "fi",
)  # fmt: skip
NAMES = (
    "Nm", "Amt", "AddtlTxInf", "Ustrd", "RvslInd", "NbOfTxs", "TtlChrgsAndTaxAmt", "Ccy", "IBAN", "BIC",
    "Prtry", "Cd", "Sts", "Btch", "Refs", "RtrInf", "EndToEndId", "PmtInfId", "DtTm", "Ref", "Nb",
    "AddtlRmtInf", "Ntry", "Stmt", "GrpHdr",
)  # fmt: skip
_BOX = re.compile(
    r"<(Btch|TxDtls|NtryDtls|RltdPties|Refs|RmtInf|Strd|Chrgs|AmtDtls|Dbtr|Cdtr|DbtrAcct|CdtrAcct|"
    r"BkTxCd|BookgDt|Bal|Acct|Ntry|RtrInf|CdtrRefInf|Rcrd|Purp|RltdAgts)>.*?</\1>",
    re.DOTALL,
)


def mutant(r: random.Random, text: str) -> bytes:
    """The text with one to three mistakes a bank, a network or an attacker could make."""
    for _ in range(r.choice((1, 1, 2, 3))):
        tags = list(re.finditer(r"<[^<>]*>", text))
        leaves = list(re.finditer(r"<(\w+)([^<>]*)>([^<>]*)</\1>", text))
        boxes = list(_BOX.finditer(text))
        if not (tags and leaves and boxes):
            break
        leaf, tag, box = r.choice(leaves), r.choice(tags), r.choice(boxes)
        extra = r.choice(NAMES)
        more = f"<{extra}>{r.choice((*VALUES, leaf[3]))}</{extra}>"
        place = r.choice(tags).start()
        text = r.choice(
            (
                text[: leaf.start(3)] + r.choice(VALUES) + text[leaf.end(3) :],
                text[: leaf.end()] + leaf[0] + text[leaf.end() :],
                text[: leaf.start()] + text[leaf.end() :],
                text[: leaf.end()] + more + text[leaf.end() :],
                text[: tag.start()] + text[tag.end() :],
                text[: tag.start()] + r.choice((" \n", "x", "<X/>", "<!-- -->")) + text[tag.start() :],
                text[: tag.end() - 1] + r.choice((" ", ' Ccy="USD"', " a='1'", "/")) + text[tag.end() - 1 :],
                text[: box.end()] + box[0] + text[box.end() :],
                text[: box.start()] + text[box.end() :],
                text[:place] + box[0] + text[place:],
                text.replace(*r.choice((("EUR", "USD"), ("CRDT", "DBIT"), ("><", ">\n<"))), r.choice((1, -1))),
            )
        )  # fmt: skip
    raw = bytearray(text.encode())
    if r.random() < 0.2:
        raw[r.randrange(len(raw))] = r.randrange(256)
    return bytes(raw)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 1 << 40))
def test_mutants_are_read_equal(
    seed: int, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    r = random.Random(seed)
    monkeypatch.setattr(_camt_fast, "CHUNK", r.choice((700, 3_000, 4 << 20)))
    path = tmp_path_factory.mktemp("mutant") / "statement"
    path.write_bytes(mutant(r, rich(r.choice(KINDS))))
    check(path)
    is_fast(path)


def test_statements_cost_no_more_than_in_proportion(tmp_path: Path) -> None:
    """Each was settled with a look at all entries of its chunk: a minute for six thousand."""
    path = tmp_path / "many.xml"
    big.write("camt.053", 3_000 * len(big.SHAPES["camt.053"].entry(1)), path, many=True, each=1)
    started = time.process_time()
    count = sum(batch.statements.num_rows for batch in _camt_fast.batches(path))
    assert count > 2_500
    assert time.process_time() - started < 8
