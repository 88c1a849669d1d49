"""Hostile payment files and reports: refused whole or read with findings, quickly, never a crash."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

import parsers
from tests.parsers.pain import payments, report, sent, statuses, transaction, transfer
from tests.parsers.reading import SAMPLES, codes, read, refusal
from tieout.errors import InputError

_SENT = sent(transfer())
_SAID = report(transaction())
_DOCTYPE = "<!DOCTYPE Document [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"

REFUSED = {
    "doctype": (_DOCTYPE + _SENT, "XML_DOCTYPE"),
    "doctype behind": (f"{_SAID}\n<?xml version='1.0'?>{_DOCTYPE}{_SAID}", "XML_DOCTYPE"),
    "entity": (_SENT.replace("<MsgId>M", "<MsgId>&x;"), "XML_MALFORMED"),
    "depth": (_SENT.replace("<PmtInf>", "<a>" * 10_000), "XML_MALFORMED"),
    "text": (_SENT.replace("<MsgId>M", "<MsgId>" + "x" * 12_000_000), "XML_MALFORMED"),
    "encoding": (f"<?xml version='1.0' encoding='UTF-7'?>{_SENT}", "XML_ENCODING"),
    "rest": (_SENT + "<PmtInf/>", "XML_TRUNCATED"),
    "tags": (_SAID.replace("</TxInfAndSts>", ""), "XML_MALFORMED"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_whole_and_quickly(tmp_path: Path, name: str) -> None:
    text, code = REFUSED[name]
    started = time.process_time()
    found = refusal(tmp_path, text).code
    assert found == code or (name == "depth" and found.startswith("XML_"))
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "head",
    [
        "<a xmlns=" + '"pain' * 13_000,
        "<a " + "xmlns " * 11_000,
        "<" + "a." * 32_000,
        "<a:" * 21_000,
        "<a xmlns" + " " * 64_000,
        "<pain.001.001.0" * 4_000,
    ],
)
def test_identification_takes_no_time(head: str) -> None:
    started = time.process_time()
    assert parsers.identify(head.encode()) is None
    assert time.process_time() - started < 2


def test_message_elements_elsewhere_are_not_messages(tmp_path: Path) -> None:
    extra = f"<SplmtryData><PmtInf>{transfer()}</PmtInf><TxInfAndSts/></SplmtryData>"
    parsed = read(tmp_path, sent(transfer(more=extra)))
    assert len(payments(parsed)) == 1
    parsed = read(tmp_path, report(transaction(more=f"<SplmtryData>{extra}</SplmtryData>")))
    assert [s["level"] for s in statuses(parsed)] == ["transaction"]


def test_a_document_of_another_kind_in_the_file_is_said(tmp_path: Path) -> None:
    mixed = f"<?xml version='1.0'?>{_SENT}\n<?xml version='1.0'?>{_SAID}"
    parsed = read(tmp_path, mixed)
    assert (codes(parsed), len(payments(parsed))) == (["DOCUMENT_SKIPPED"], 1)
    assert parsed.tables.findings[0].where == "line 2"


def test_bank_text_is_data(tmp_path: Path) -> None:
    text = sent(transfer(more="<Cdtr><Nm> &lt;b&gt;\x7f </Nm></Cdtr>"))
    assert payments(read(tmp_path, text))[0]["creditor_name"] == "<b>\ufffd"


def test_wrong_encoding_declared(tmp_path: Path) -> None:
    text = sent(transfer(more="<Cdtr><Nm>Müller</Nm></Cdtr>"))
    parsed = read(tmp_path, b"<?xml version='1.0' encoding='UTF-8'?>" + text.encode("latin-1"))
    assert (codes(parsed), payments(parsed)[0]["creditor_name"]) == (["XML_ENCODING"], "Müller")


@pytest.mark.parametrize("field", ["CreDtTm", "AccptncDtTm"])
def test_impossible_time_is_said(tmp_path: Path, field: str) -> None:
    bad = f"<{field}>YYYY-MM-DDThh:mm:ss</{field}>"
    text = report(transaction(more=bad))
    if field == "CreDtTm":
        text = report(transaction()).replace("<MsgId>R</MsgId>", f"<MsgId>R</MsgId>{bad}")
    assert codes(read(tmp_path, text)) == ["DATE_MALFORMED"]


@pytest.mark.parametrize("name", ["pain001_v09.xml", "pain002_part.xml", "pain002_old.xml"])
def test_scrambled_files_raise_nothing_but_ours(tmp_path: Path, name: str) -> None:
    dice = random.Random(7)
    content = (SAMPLES / name).read_bytes()
    path = tmp_path / "file"
    for _ in range(400):
        data = bytearray(content)
        for _ in range(dice.randint(1, 3)):
            at, length = dice.randrange(len(data)), dice.choice((1, 1, 8, 60))
            new = dice.choice(
                (b"", bytes([dice.randrange(256)]), data[:length], b"<", b"</PmtInf>")
            )
            data[at : at + length] = new
        path.write_bytes(data)
        try:
            parsers.read_file(path)
        except InputError as error:
            assert error.code != "READER_FAILED", (error, bytes(data))
            assert error.where and error.remedy
