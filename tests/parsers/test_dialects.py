"""Dialects: each profile's own sample line reads rightly with it, and otherwise without it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import parsers
from parsers import _dialects
from tests.parsers.reading import codes, entries, mt, read
from tieout import profiles
from tieout.errors import InputError, ProfileError

BANKS = profiles.mappings_dir() / "banks"
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
LINES_MAX = 30

#: Profile: what stands before the sample (``:20:`` and ``:25:`` are replaced), and what it gives.
#: Columns of the entry have the prefix ``e:``.
MT: dict[str, tuple[dict[str, str], dict[str, str | None]]] = {
    "nl-knab": (
        {"20": "B6K20MS9D00A0009", "25": "123456789"},
        {
            "counterparty_account": "NL91ABNA0417164300",
            "counterparty_name": "TULPENVELD BV",
            "narrative": "FACTUUR 2026-0417 TULPENVELD",
        },
    ),
    "nl-abn-amro": (
        {"20": "ABN AMRO BANK NV", "25": "417164301"},
        {
            "counterparty_account": "NL91ABNA0417164300",
            "counterparty_bic": "ABNANL2A",
            "counterparty_name": "TULPENVELD BV",
            "narrative": "HUUR NOVEMBER",
            "end_to_end_id": "E2E-2026-0417",
        },
    ),
    "nl-ing": (
        {"": "0000 01INGBNL2AXXXX00001\n940 00\n", "25": "0001234567"},
        {
            "counterparty_account": "NL91ABNA0417164300",
            "counterparty_bic": "ABNANL2A",
            "counterparty_name": "TULPENVELD BV",
            "narrative": "kilometervergoeding",
            "e:code_proprietary": "09001",
            "e:code_subfamily": "CHRG",
        },
    ),
    "nl-rabobank": (
        {"": ":940:\n", "25": "NL44RABO0123456789"},
        {"counterparty_account": "0663616476", "narrative": "NR.2026-0417"},
    ),
    "nl-triodos": (
        {"25": "TRIODOSBANK/0390123456"},
        {
            "counterparty_account": "NL91ABNA0417164300",
            "counterparty_bic": "ABNANL2A",
            "narrative": "TULPENVELD BV HUUR",
        },
    ),
    "nl-volksbank": (
        {"": "{1:F01ASNBNL21XXXX0000000000}{2:O940ASNBNL21XXXXN}{4:\n", "25": "NL81ASNB9999999999"},
        {
            "counterparty_account": "NL91ABNA0417164300",
            "counterparty_name": "tulpenveld bv",
            "narrative": "Factuur 2026-0417",
        },
    ),
    "nl-van-lanschot": (
        {"": "0000 01FVLBNL22AXXX00055\n940 00\n", "25": "0878787878"},
        {"counterparty_account": "0417164300", "narrative": "TULPENVELD BV declaratie 2026"},
    ),
    "pl-mbank": (
        {"25": "PL29114010810000267002001002"},
        {
            "counterparty_account": "61109010140000071219812874",
            "counterparty_name": "JAN PRZYKLAD UL. POLNA 1 00-001 WARSZAWA",
            "narrative": "FAKTURA 2026-0417",
            "reference": "XX000000000001",
            "transaction_id": "179171000000001.010001",
        },
    ),
    "pl-bph": (
        {"25": "BPHKPLPK/320000000001"},
        {
            "counterparty_account": "PL61109010140000071219812874",
            "counterparty_name": "TULIPAN SA WARSZAWA",
            "narrative": "FAKTURA 2026-0417 ZA TULIPANY 10901014 0000071219812874",
            "e:code_proprietary": "020",
        },
    ),
    "hu-raiffeisen": (
        {"25": "UBRTHUHB/123456789150001/HUF"},
        {
            "counterparty_account": "117730161111101800000000",
            "counterparty_name": "TULIPÁN KFT.",
            "narrative": "2026-0417 számla",
            "transaction_id": "BBK26D0000000001",
        },
    ),
    "lu-bil": (
        {"20": "BILMT940", "25": "BILLLULLXXX/LU280019400644750000"},
        {"e:bank_ref": "CIOB261120000001", "e:code_subfamily": "CHRG"},
    ),
    "us-citi": ({"25": "123456789"}, {"narrative": "INVOICE 2026-0417 TULIP FARMS"}),
    "hk-hsbc": (
        {"20": "AIU0006362100017", "25": "808000000292"},
        {"narrative": "PAYMENT OF INVOICE 2026-0417", "reference": "123456000001"},
    ),
    "mk-komercijalna": (
        {"": "{1:F01KOBSMK2XAXXX1009000000}{2:I940KOBSMK2XXXXXN}{4:\n", "25": "300000000000002"},
        {
            "counterparty_account": "300000000000001",
            "counterparty_name": "LALE DOOEL - SKOPJE",
            "reference": "026415000000",
            "narrative": "Faktura 2026-0417",
        },
    ),
    "de-dresdner": (
        {"25": "50880050/0194774600888"},
        {
            "end_to_end_id": "E2E-2026 0417",
            "narrative": "Grund nicht spezifiziert",
            "e:code_subfamily": "RRTN",
        },
    ),
    "de-unstructured-999": (
        {"25": "45050050/76198810"},
        {
            "narrative": "CHECK-NR. 0000016000001",
            "cheque_no": "16000001",
            "e:code_proprietary": "999",
        },
    ),
    "fi-danske": (
        {"25": "DABADKKK/111111-11111111"},
        {"counterparty_name": "TULPPAANI OY", "narrative": "TULPPAANI OY"},
    ),
}  # fmt: skip

#: Profiles of other formats: a file around the sample's text.
_CAMT = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><GrpHdr>
<MsgId>M</MsgId></GrpHdr><Stmt><Id>S</Id><Acct><Id>{account}</Id><Ccy>CHF</Ccy></Acct><Ntry>
<Amt Ccy="CHF">10.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-20</Dt>
</BookgDt><BkTxCd><Prtry><Cd>142</Cd></Prtry></BkTxCd><NtryDtls><TxDtls><RmtInf><Ustrd>{text}
</Ustrd></RmtInf></TxDtls></NtryDtls><AddtlNtryInf>{text}</AddtlNtryInf></Ntry></Stmt>
</BkToCstmrStmt></Document>"""
_BAI = """01,NWBKGB2L,ME,261120,1459,1,,,2/
02,ME,NWBKGB2L,1,261120,2400,GBP,/
03,60000400000000,GBP,010,0,,,015,-971,,/
{text}
49,0,4/
98,0,1,6/
99,0,1,8/
"""
OTHERS: dict[str, tuple[str, dict[str, str | None]]] = {
    "ch-postfinance": (
        _CAMT.replace("{account}", "<IBAN>CH0809000000000000000</IBAN>"),
        {
            "narrative": "SAMMELGUTSCHRIFT RETOUREN PAKET ID: 261120CH000001AB REFERENZ-NR: "
            "PMTINF-0417",
            "message_id": "261120CH000001AB",
            "payment_info_id": "PMTINF-0417",
        },
    ),
    "ca-bmo": (
        _CAMT.replace("{account}", "<Othr><Id>7654321</Id></Othr>"),
        {"counterparty_name": "TULIP FARMS INC", "e:code_domain": "PMNT"},
    ),
    "gb-natwest-bai": (
        _BAI,
        {"e:bank_ref": "XBANKGO00000001", "narrative": "TULIP INVOICE 0417 TULIP FARMS LTD   LOW VALUE TFR"},
    ),
}  # fmt: skip


def sample(name: str) -> list[str]:
    """The sample lines a profile opens with."""
    text = (BANKS / f"{name}.toml").read_text(encoding="utf-8")
    return [line[3:] for line in text.splitlines() if line.startswith("#>")]


def content(name: str) -> bytes:
    """A whole file around a profile's sample."""
    text = "\n".join(sample(name))
    if name in OTHERS:
        return OTHERS[name][0].replace("{text}", text).encode()
    head, _ = MT[name]
    whole = mt(*sample(name), closing="C261120EUR100,00").replace("\r\n", "\n")
    if name == "hk-hsbc":
        whole = whole.replace("\n-\n", "\n:86:/OSDR/HSBCHKHH\n-\n")
    for tag in ("20", "25"):
        if tag in head:
            whole = re.sub(rf"^:{tag}:.*$", f":{tag}:{head[tag]}", whole, flags=re.M)
    return (head.get("", "") + whole).encode("cp852" if name == "hu-raiffeisen" else "utf-8")


def names() -> list[str]:
    return [dialect.name for dialect in _dialects.load_dialects()]


def first(folder: Path, raw: bytes) -> dict[str, Any]:
    return entries(read(folder, raw))[0]


def test_every_profile_is_tried_here() -> None:
    assert names() == sorted({*MT, *OTHERS})
    assert len(names()) >= 12


@pytest.mark.parametrize("name", sorted({*MT, *OTHERS}))
def test_the_sample_reads_rightly_with_the_profile_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    wanted = (MT[name] if name in MT else OTHERS[name])[1]
    columns = {k[2:] if k.startswith("e:") else f"d_{k}": v for k, v in wanted.items()}
    found = first(tmp_path, content(name))
    assert {k: found[k] for k in columns} == columns
    monkeypatch.setattr(_dialects, "load_dialects", lambda: ())
    plain = first(tmp_path, content(name))
    assert {k: plain[k] for k in columns} != columns
    same = ("amount", "booked_on", "valued_on", "status", "reversal", "d_amount")
    assert {k: plain[k] for k in same} == {k: found[k] for k in same}


@pytest.mark.parametrize("name", sorted({*MT, *OTHERS}))
def test_the_file_says_which_profile_read_it(tmp_path: Path, name: str) -> None:
    findings = [f for f in read(tmp_path, content(name)).tables.findings if f.code == "DIALECT"]
    assert [f.severity for f in findings] == ["info"]
    version = next(d.version for d in _dialects.load_dialects() if d.name == name)
    assert findings[0].message == f"read with mappings/banks/{name}.toml {version}"


def test_fast_readers_are_told_where_to_stand_back() -> None:
    assert _dialects.has_layout("MT940", content("nl-knab"))
    assert not _dialects.has_layout("MT940", content("lu-bil"))  # rules and codes only
    assert not _dialects.has_layout("MT940", mt().encode())


def test_profiles_are_short_and_open_with_their_sample() -> None:
    for path in sorted(BANKS.glob("*.toml")):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= LINES_MAX, path.name
        assert lines[0].startswith("#>"), path.name
        reasons = [line for line in lines if line.startswith("# ")]
        assert reasons, path.name


def _corpus() -> Iterator[tuple[Path, str, bytes]]:
    for path in sorted(p for p in CORPUS.rglob("*") if p.is_file()):
        with path.open("rb") as stream:
            head = stream.read(parsers.HEAD_BYTES)
        exact = parsers.identify(head)
        if exact and path.parent.name not in ("expected", "xsd"):
            yield path, exact, head


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
def test_no_account_of_the_corpus_is_claimed_twice() -> None:
    claimed = 0
    for path, exact, head in _corpus():
        dialects = _dialects.of_file(exact, head)
        if not dialects:
            continue
        try:
            parsed = parsers.read_file(path)
        except InputError:
            continue
        assert "DIALECT_AMBIGUOUS" not in codes(parsed), path.name
        claimed += "DIALECT" in codes(parsed)
    assert claimed > 60


#: Corpus file: how many of its details gain a value in which columns by its profile.
GAINS = {
    "mt940/zilverline__mt940__knab_knab_two_blocks.txt": "counterparty_account 3 counterparty_name 3",
    "mt940/zilverline__mt940__abn_abnamro_structured.txt": "counterparty_account 6 counterparty_bic 6 counterparty_name 6 end_to_end_id 1",
    "mt940/zilverline__mt940__ing_structured.txt": "counterparty_account 6 counterparty_bic 4 counterparty_name 2",
    "mt940/fruitl00p__php-mt940__Ing_sample": "counterparty_account 6",
    "mt940/sandermarechal__jejik-mt940__rabobank.txt": "counterparty_account 4",
    "mt940/zilverline__mt940__rabobank_mt940_structured.txt": "counterparty_account 4",
    "mt940/zilverline__mt940__triodos_iban.txt": "counterparty_bic 2",
    "mt940/wolph__mt940__ASNB_mt940.txt": "counterparty_account 7 counterparty_name 7",
    "mt940/wolph__mt940__mBank_mt940.sta": "counterparty_account 3 counterparty_name 3 reference 3 transaction_id 3",
    "mt942/wolph__mt940__mBank_mt942.sta": "counterparty_account 3 counterparty_name 3 reference 3 transaction_id 3",
    "mt940/svenstaro__mt940-rs__mt940_full_cmxl_mt940_2.sta": "counterparty_account 2 counterparty_name 1",
    "mt940/wolph__mt940__self-provided_raiffeisen-cmi.sta": "counterparty_account 2 counterparty_name 2 transaction_id 2",
    "mt940/fruitl00p__php-mt940__Hsbc_sample": "reference 1",
    "mt940/fruitl00p__php-mt940__Kbs_sample2": "reference 3",
    "mt940/svenstaro__mt940-rs__mt940_full_danskebank_MT940_FI_Example.sta": "counterparty_name 4",
    "mt940/wolph__mt940__cmxl_mt940.sta": "cheque_no 1 counterparty_account 2 counterparty_name 1",
    "mt940/svenstaro__mt940-rs__mt940_full_betterplace_sepa_mt9401.sta": "narrative 15",
    "mt940/zilverline__mt940__van_lanschot_to_private_account_86.txt": "counterparty_account 1",
    "camt.053/moov-io__iso20022__camt.053_P_CH2909000000250094239_1110092698_0_2020112503071366.xml": "message_id 3 payment_info_id 2",
}


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
@pytest.mark.parametrize("name", GAINS)
def test_files_of_the_bank_gain_columns(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = CORPUS / name
    with_it = parsers.read_file(path).tables.details
    monkeypatch.setattr(_dialects, "load_dialects", lambda: ())
    without = parsers.read_file(path).tables.details
    words = GAINS[name].split()
    wanted = {column: int(count) for column, count in zip(words[::2], words[1::2], strict=True)}
    gained = {c: without[c].null_count - with_it[c].null_count for c in wanted}
    assert gained == wanted
    assert with_it["amount"].equals(without["amount"])


def test_triodos_never_takes_the_own_account_for_the_other_side(tmp_path: Path) -> None:
    raw = content("nl-triodos").replace(b">21NL91ABNA0417164300\n", b"")
    assert first(tmp_path, raw)["d_counterparty_account"] is None


def test_a_text_without_the_layout_is_read_as_ever(tmp_path: Path) -> None:
    raw = re.sub(
        rb":86:.*\n.*TULPENVELD BV\n",
        b":86:/TRTP/SEPA/IBAN/NL91ABNA0417164300/NAME/ANNA/REMI/RENT\n",
        content("nl-knab"),
    )
    found = first(tmp_path, raw)
    assert (found["d_counterparty_name"], found["d_narrative"]) == ("ANNA", "RENT")


def test_utf8_goes_before_the_profiles_encoding(tmp_path: Path) -> None:
    raw = content("hu-raiffeisen").decode("cp852").encode()
    assert first(tmp_path, raw)["d_counterparty_name"] == "TULIPÁN KFT."


def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> Path:
    banks = tmp_path / "mappings" / "banks"
    banks.mkdir(parents=True)
    for name, text in files.items():
        (banks / f"{name}.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("TIEOUT_MAPPINGS", str(tmp_path / "mappings"))
    return banks


_MATCH = 'title = "x"\n[match]\nformat = ["MT940"]\nhead = "REF"\n'


def test_two_profiles_for_one_account_read_plainly_with_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = "[[rule]]\npattern = '(?P<counterparty_name>ANNA)'\n"
    _folder(tmp_path, monkeypatch, a=_MATCH + rule, b=_MATCH + rule)
    text = mt(":61:261120C0,NTRFNONREF", ":86:RENT ANNA")
    parsed = read(tmp_path, text)
    assert entries(parsed)[0]["d_counterparty_name"] is None
    assert codes(parsed) == ["DIALECT_AMBIGUOUS"]
    (tmp_path / "mappings" / "banks" / "b.toml").unlink()
    parsed = read(tmp_path, text)
    assert entries(parsed)[0]["d_counterparty_name"] == "ANNA"
    assert codes(parsed) == ["DIALECT"]


WRONG = {
    _MATCH: "PROFILE_EMPTY changes nothing",
    _MATCH + "[feild86]\n": "PROFILE_KEY did you mean 'field86'",
    _MATCH + '[field86]\nlabels = { counterparty_nam = "X:" }\n': "PROFILE_KEY did you mean 'counterparty_name'",
    _MATCH + '[field86]\nlabels = {}\nwords = {}\n': "PROFILE_VALUE 2 layouts",
    _MATCH + "[field86]\npatterns = ['(?P<nam>x']\n": "PROFILE_PATTERN mend the expression",
    _MATCH + "[field86]\npatterns = ['(?P<nam>x)']\n": "PROFILE_KEY unknown key 'nam'",
    _MATCH + "[[rule]]\npattern = 'x'\n": "PROFILE_VALUE takes nothing",
    _MATCH + "[[rule]]\nfrom = 'narative'\npattern = 'x'\ncut = true\n": "PROFILE_KEY did you mean 'narrative'",
    _MATCH + "[codes]\nNTRF = 'PMNT'\n": "PROFILE_VALUE domain, family, subfamily",
    'title = "x"\n[match]\nformat = "MT940"\nhead = "x"\n': "PROFILE_VALUE give format as list",
    'title = "x"\n[match]\nformat = ["MT940"]\n': "PROFILE_VALUE 'head' is missing",
    _MATCH + '[text]\nencoding = "cp9"\n': "PROFILE_VALUE is no encoding",
    _MATCH + "[field86]\npatterns = [7]\n": "PROFILE_VALUE between single quotes",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_profile_says_where_and_the_nearest_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    _folder(tmp_path, monkeypatch, mine=text)
    code, _, words = WRONG[text].partition(" ")
    with pytest.raises(ProfileError) as caught:
        _dialects.load_dialects()
    assert caught.value.code == code
    assert "mine" in caught.value.where
    assert words in str(caught.value)


def test_no_pattern_is_slow_on_hostile_text() -> None:
    texts = [
        char * 19_990 + end for char in " \n/A0?:,>" for end in ("", "MTLG", "?ERROR", "/OGB/")
    ]
    texts += ["/OCMT/USD1,/\n" + "\n/OGB/x" * 2_000, "NL91ABNA0417164300 ABNANL2A " + "x " * 9_000]
    for dialect in _dialects.load_dialects():
        patterns = [rule.pattern for rule in dialect.rules]
        if dialect.field86 is not None:
            patterns += dialect.field86.patterns
            patterns += [dialect.field86.split] if dialect.field86.split else []
        for pattern in patterns:
            for text in texts:
                started = time.process_time()
                list(pattern.finditer(text))
                assert time.process_time() - started < 0.5, (dialect.name, pattern.pattern)
