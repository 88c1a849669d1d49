"""No byte at which a file may be cut makes a silent partial read (see `cuts`)."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.parsers.columns import cfonb, cfonb_file, coda_file, n43, n43_file
from tests.parsers.corpus import CORPUS, files
from tests.parsers.cuts import facts, judge_cut
from tests.parsers.reading import mt
from tests.parsers.test_bai2 import bai
from tests.parsers.test_camt053 import entry, statement
from tieout.errors import InputError

_ENTRY = (":61:2601020102C1,NMSCNONREF//B1", ":86:166?00PAID?20RENT")
_MT = mt(*_ENTRY, closing="C260102EUR101,")
_NEXT = mt(*_ENTRY, *_ENTRY, opening="C260102EUR101,", closing="C260103EUR103,")
_NEXT = _NEXT.replace(":28C:1/1", ":28C:2/1")
_BLOCKS = "{1:F01TESTGB2LAXXX0000000000}{2:O9400000TESTGB2L}{4:\r\n"
_PAGES = (
    _MT.replace(":62F:", ":62M:")
    + _NEXT.replace(":60F:", ":60M:").replace(":28C:2/1", ":28C:1/2")
)  # fmt: skip
_CAMT = "<?xml version='1.0'?>\n" + statement(entry("10"), entry("5"), closing="115") + "\n"
_BAI = bai("16,165,500,Z,B,C,TEXT/", "88,MORE/", account="1,USD,010,0,,,015,500,,")

# Files of several statements; behind them how many bytes end a smaller whole file.
FILES = {
    "mt940": (_MT + _NEXT, 4),  # the dash, CR and LF are all behind the first message's end
    "mt940 in blocks": ("".join(_BLOCKS + m[:-3] + "-}\r\n" for m in (_MT, _NEXT)), 4),
    "mt940 bare": ((_MT + _NEXT).replace("-\r\n", ""), 0),
    "mt940 zero-padded": (mt(closing="C260102EUR000000000100,00"), 0),
    "mt940 padded, bare": (
        mt(opening="C260101EUR0000000000,", closing="C260102EUR000000010500,00")
        .replace("-\r\n", ""), 0,
    ),
    "mt940 with later balances": (
        _MT.replace("-\r\n", ":64:C260102EUR101,\r\n:65:C260103EUR1010,50\r\n:86:ABOUT\r\n"), 0,
    ),
    "mt940 pages": (_PAGES, 0),
    "camt in a row": (_CAMT * 2, 3),
    "bai2 twice": (_BAI + _BAI.replace("261120", "261121"), 3),
    "coda twice": (coda_file(last="1") + coda_file(number="008"), 0),
    "cfonb twice": (
        cfonb_file(cfonb("04", 5), closing=10_005)
        + cfonb_file(cfonb("04", 5), opening=10_005, closing=10_010), 3,
    ),
    "n43 twice": (n43_file(*n43(5), closing=10_005), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_no_cut_is_silent(tmp_path: Path, name: str) -> None:
    text, boundary = FILES[name]
    content, path = text.encode(), tmp_path / "cut"
    path.write_bytes(content)
    whole, found = facts(path), Counter[str]()
    for at in range(len(content)):
        path.write_bytes(content[:at])
        judged = judge_cut(path, whole)
        found[judged] += 1
        assert judged != "silent", at
    assert found["smaller"] <= boundary
    assert found["refused"] > len(content) * 0.4


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
def test_no_cut_of_a_real_file_is_silent(tmp_path: Path) -> None:
    """Three cuts of each; near the end, where a statement may look complete, two of them."""
    rng, path, found = random.Random(11), tmp_path / "cut", Counter[str]()
    for file in files():
        content = file.read_bytes()
        if not 100 < len(content) < 30_000:
            continue
        try:
            whole = facts(file)
        except InputError:
            continue
        end = len(content.rstrip())
        for at in (rng.randrange(end), end - rng.randrange(1, 60), end - rng.randrange(1, 20)):
            path.write_bytes(content[:at])
            judged = judge_cut(path, whole)
            assert judged != "silent", (file.name, at)
            found[judged] += 1
    assert found["refused"] > found["told"] > found["smaller"]
