"""Containers: every file in them is one of its own; what is damaged or hostile is refused whole."""

from __future__ import annotations

import gzip
import io
import json
import random
import stat
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import parsers
from tests.parsers.reading import SAMPLES, refusal
from tieout.cli import main
from tieout.errors import InputError

_STA = (SAMPLES / "structured.sta").read_bytes()
_XML = (SAMPLES / "batch_v08.xml").read_bytes()
_CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "container"


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of named contents."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def tarred(*members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT, mode: str = "w") -> bytes:
    """A tar of named contents; a name that ends in a slash is a folder, in an at sign a link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if name.endswith(("/", "@")):
                info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.SYMTYPE
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def members(folder: Path, content: bytes) -> list[tuple[str, bytes]]:
    """Names and bytes of what a file holds."""
    path = folder / "container"
    path.write_bytes(content)
    with parsers.opened(path) as found:
        return [(member.name, member.path.read_bytes()) for member in found]


def refused(folder: Path, content: bytes) -> str:
    """Code of a container that must be refused, with where and remedy."""
    with pytest.raises(InputError) as error:
        members(folder, content)
    assert error.value.where
    assert error.value.remedy
    return error.value.code


def streamed(name: str, content: bytes, size: int) -> bytes:
    """A zip whose sizes follow the data, with one size said before it (zero is the rule)."""
    out = bytearray(zipped((name, content)))
    central = out.rindex(b"PK\x01\x02")
    crc, packed, whole = struct.unpack("<LLL", out[14:26])
    for at in (6, central + 8):
        out[at] |= 8
    out[14:26] = struct.pack("<LLL", 0, 0, size)
    descriptor = b"PK\x07\x08" + struct.pack("<LLL", crc, packed, whole)
    out[central:central] = descriptor
    end = out.rindex(b"PK\x05\x06")
    out[end + 16 : end + 20] = struct.pack("<L", central + len(descriptor))
    return bytes(out)


_TWO = (("a/one.sta", _STA), ("a/two.xml", _XML))
GOOD: dict[str, tuple[bytes, list[tuple[str, bytes]]]] = {
    "plain": (_STA, [("", _STA)]),
    "gzip": (gzip.compress(_STA), [("", _STA)]),
    "gzip in parts": (gzip.compress(_STA[:9]) + gzip.compress(_STA[9:]), [("", _STA)]),
    "gzip padded": (gzip.compress(_STA) + b"\x00" * 70_000, [("", _STA)]),
    "zip": (zipped(*_TWO), list(_TWO)),
    "zip streamed": (streamed("a", _STA, 0), [("a", _STA)]),
    "zip streamed, size known": (streamed("a", _STA, len(_STA)), [("a", _STA)]),
    "zip stored": (zipped(*_TWO, method=zipfile.ZIP_STORED), list(_TWO)),
    "zip with folder": (zipped(("a/", b""), *_TWO), list(_TWO)),
    "zip with umlauts": (zipped(("Auszüge/März.sta", _STA)), [("Auszüge/März.sta", _STA)]),
    "zip, odd name": (zipped(("a\n\u202eb", _STA)), [("a\ufffd\ufffdb", _STA)]),
    "zip, empty member": (zipped(("a", b""), ("b", _STA)), [("a", b""), ("b", _STA)]),
    "tar": (tarred(*_TWO), list(_TWO)),
    "tar.gz": (tarred(*_TWO, mode="w:gz"), list(_TWO)),
    "tar with folder": (tarred(("a/", b""), *_TWO), list(_TWO)),
    "tar ustar": (tarred(*_TWO, form=tarfile.USTAR_FORMAT), list(_TWO)),
    "tar prefix": (
        tarred(("d" * 90 + "/" + "n" * 90, _STA), form=tarfile.USTAR_FORMAT),
        [("d" * 90 + "/" + "n" * 90, _STA)],
    ),
    "tar gnu long": (
        tarred(("n" * 150, _STA), form=tarfile.GNU_FORMAT), [("n" * 150, _STA)]
    ),
    "tar pax long": (tarred(("ü" * 80, _STA)), [("ü" * 80, _STA)]),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_every_file_in_it_is_one_of_its_own(tmp_path: Path, name: str) -> None:
    content, wanted = GOOD[name]
    assert members(tmp_path, content) == wanted
    assert [p.name for p in tmp_path.iterdir()] == ["container"]


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 300_000])
def test_sizes_around_a_chunk(tmp_path: Path, size: int) -> None:
    for content in (random.Random(size).randbytes(size), b"abc" * size):
        if content:
            assert members(tmp_path, gzip.compress(content)) == [("", content)]
        assert members(tmp_path, zipped(("a", content))) == [("a", content)]


def _patched(content: bytes, mark: bytes, at: int, form: str, value: int) -> bytes:
    """A field of the first header with that mark, overwritten."""
    out = bytearray(content)
    struct.pack_into(form, out, content.index(mark) + at, value)
    return bytes(out)


def _linked() -> bytes:
    info = zipfile.ZipInfo("link")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def _overlapping() -> bytes:
    """Two members of the directory share one local member."""
    out = zipped(("a", _XML * 9), ("b", _XML * 9))
    second = out.rindex(b"PK\x01\x02")
    return out[: second + 42] + struct.pack("<L", 0) + out[second + 46 :]


_ZIP = zipped(*_TWO)
_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
BAD: dict[str, tuple[str, Callable[[], bytes]]] = {
    "zip streamed, size wrong": ("CONTAINER_DAMAGED", lambda: streamed("a", _STA, 7)),
    "gzip bomb": ("CONTAINER_BOMB", lambda: gzip.compress(b"\x00" * (40 << 20), 9)),
    "zip bomb": ("CONTAINER_BOMB", lambda: zipped(("a", b"\x00" * (40 << 20)))),
    "tar.gz bomb": ("CONTAINER_BOMB", lambda: tarred(("a", b"\x00" * (40 << 20)), mode="w:gz")),
    "zip of bombs": (
        "CONTAINER_BOMB", lambda: zipped(*((str(n), b"\x00" * (1 << 20)) for n in range(40)))
    ),
    "tar pax length": (
        "CONTAINER_DAMAGED",
        lambda: tarred(("ü" * 80, _STA)).replace(b" path=", b"0path="),
    ),
    "gzip junk behind": ("CONTAINER_DAMAGED", lambda: gzip.compress(_STA) + b"more"),
    "gzip many parts": ("CONTAINER_TOO_MANY", lambda: gzip.compress(b"") * 20_000),
    "gzip checksum": ("CONTAINER_DAMAGED", lambda: gzip.compress(_STA)[:-8] + b"\x01" * 8),
    "zip slip": ("CONTAINER_NAME", lambda: zipped(("../../x", _STA))),
    "zip slip back": ("CONTAINER_NAME", lambda: zipped(("a\\..\\x", _STA))),
    "zip absolute": ("CONTAINER_NAME", lambda: zipped(("/etc/x", _STA))),
    "zip drive": ("CONTAINER_NAME", lambda: zipped(("C:x", _STA))),
    "tar slip": ("CONTAINER_NAME", lambda: tarred(("a/../../x", _STA))),
    "zip twice": ("CONTAINER_NAME", lambda: tarred(("a", _STA), ("a", _XML))),
    "zip link": ("CONTAINER_MEMBER", _linked),
    "tar link": ("CONTAINER_MEMBER", lambda: tarred(("a@", b""))),
    "zip empty": ("CONTAINER_EMPTY", lambda: zipped(("a/", b""))),
    "tar empty": ("CONTAINER_EMPTY", lambda: tarred(("a/", b""))),
    "zip too many": (
        "CONTAINER_TOO_MANY", lambda: zipped(*((str(n), b"x") for n in range(1_001)))
    ),
    "tar too many": (
        "CONTAINER_TOO_MANY", lambda: tarred(*((str(n), b"x") for n in range(1_001)))
    ),
    "zip in zip": ("CONTAINER_NESTED", lambda: zipped(("a.sta", _STA), ("b.zip", _ZIP))),
    "gzip in gzip": ("CONTAINER_NESTED", lambda: gzip.compress(gzip.compress(_STA))),
    "zip in tar.gz": ("CONTAINER_NESTED", lambda: tarred(("b", _ZIP), mode="w:gz")),
    "tar in zip": ("CONTAINER_NESTED", lambda: zipped(("b", tarred(("a", _STA))))),
    "zip overlap": ("CONTAINER_DAMAGED", _overlapping),
    "zip password": ("CONTAINER_ENCRYPTED", lambda: _patched(_ZIP, _CENTRAL, 8, "<H", 1)),
    "zip method": ("CONTAINER_UNSUPPORTED", lambda: _patched(_ZIP, _CENTRAL, 10, "<H", 14)),
    "zip64": ("CONTAINER_UNSUPPORTED", lambda: _patched(_ZIP, _END, 16, "<L", 0xFFFFFFFF)),
    "zip lying size": ("CONTAINER_DAMAGED", lambda: _patched(_ZIP, _CENTRAL, 24, "<L", 9)),
    "zip lying both": (
        "CONTAINER_DAMAGED",
        lambda: _patched(_patched(_ZIP, _CENTRAL, 24, "<L", 9), _LOCAL, 22, "<L", 9),
    ),
    "zip lying larger": (
        "CONTAINER_DAMAGED",
        lambda: _patched(_patched(_ZIP, _CENTRAL, 24, "<L", 9**9), _LOCAL, 22, "<L", 9**9),
    ),
    "zip lying packed": ("CONTAINER_DAMAGED", lambda: _patched(_ZIP, _CENTRAL, 20, "<L", 3)),
    "zip checksum": (
        "CONTAINER_DAMAGED",
        lambda: _patched(_patched(_ZIP, _CENTRAL, 16, "<L", 3), _LOCAL, 14, "<L", 3),
    ),
    "zip count": (
        "CONTAINER_DAMAGED",
        lambda: _patched(_patched(_ZIP, _END, 8, "<H", 1), _END, 10, "<H", 1),
    ),
    "zip prefix": ("CONTAINER_DAMAGED", lambda: _LOCAL + b"x" * 99 + _ZIP),
    "zip behind": ("CONTAINER_DAMAGED", lambda: _ZIP + b"x"),
    "zip mark": ("CONTAINER_TRUNCATED", lambda: b"PK\x03\x04zzzz"),
    "tar checksum": ("CONTAINER_DAMAGED", lambda: b"x" + tarred(("a", _STA))[1:]),
    "tar size": (
        "CONTAINER_TRUNCATED",
        lambda: tarred(("a", b"x" * 9_000), form=tarfile.USTAR_FORMAT)[:2_000],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_damaged_and_hostile_ones_are_refused_whole(tmp_path: Path, name: str) -> None:
    code, make = BAD[name]
    content = make()
    started = time.process_time()
    assert refused(tmp_path, content) == code
    assert time.process_time() - started < 2
    assert [p.name for p in tmp_path.iterdir()] == ["container"]


#: A short tar with its end mark and without the filling behind it.
_TAR = tarred(("a", b":20:" * 20), form=tarfile.USTAR_FORMAT)[: 512 + 512 + 1024]


@pytest.mark.parametrize(
    "content", [gzip.compress(_STA), _ZIP, _TAR, tarred(*_TWO, mode="w:gz")],
    ids=["gzip", "zip", "tar", "tar.gz"],
)  # fmt: skip
def test_no_cut_is_read_in_silence(tmp_path: Path, content: bytes) -> None:
    whole = members(tmp_path, content)
    for at in range(len(content)):
        try:
            found = members(tmp_path, content[:at])
        except InputError as error:
            assert error.where, at
            assert error.remedy, at
            continue
        # Too short to be told a container, or only the filling behind the end mark is gone.
        assert found == [("", content[:at])] or found == whole, at


def test_damage_is_never_read_in_silence(tmp_path: Path) -> None:
    whole = dict(members(tmp_path, _ZIP))
    for at in range(0, len(_ZIP), 3):
        damaged = _ZIP[:at] + bytes([_ZIP[at] ^ 0x55]) + _ZIP[at + 1 :]
        try:
            found = members(tmp_path, damaged)
        except InputError:
            continue
        if at >= 4:
            assert sorted(dict(found).values()) == sorted(whole.values()), at


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_memory_stays_small(tmp_path: Path) -> None:
    """200 MB from a container, in a process of its own that may not take more than 256 MB."""
    path = tmp_path / "big.gz"
    block = random.Random(1).randbytes(1 << 19) + b"\x00" * (1 << 19)
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for _ in range(200):
            stream.write(block)
    script = (
        "import sys, parsers, pathlib\n"
        "with parsers.opened(pathlib.Path(sys.argv[1])) as found:\n"
        "    print(found[0].path.stat().st_size)\n"
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(status.partition('VmHWM:')[2].split()[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    size, peak = map(int, done.stdout.split())
    assert size == 200 << 20
    assert peak * 1024 < 256 << 20


PGP = {
    "armoured": b"-----BEGIN PGP MESSAGE-----\n\nhQEMA...",
    "signed": b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n:20:X\n:25:1\n:60F:C260101EUR1,\n",
    "to a key": b"\x85\x01\x0c\x03" + bytes(8) + b"\x01" + b"\x9c" * 200,
    "to a key, new": b"\xc1\x5e\x03" + bytes(8) + b"\x12" + b"\x9c" * 200,
    "by password": b"\x8c\x0d\x04\x09\x03\x02" + b"\x9c" * 60,
}


@pytest.mark.parametrize("name", PGP)
def test_pgp_is_named(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path, PGP[name])
    assert (error.code, "PGP" in error.message) == ("FILE_ENCRYPTED", True)


def test_a_container_is_no_file_to_read(tmp_path: Path) -> None:
    for content in (_ZIP, gzip.compress(_STA), tarred(*_TWO)):
        assert refusal(tmp_path, content).code == "CONTAINER_UNOPENED"


def test_parse_prints_a_line_for_each_file_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(*_TWO, ("scan.tif", b"II*\x00")))
    packed = tmp_path / "y.gz"
    packed.write_bytes(gzip.compress(_STA))
    cut = tmp_path / "z.zip"
    cut.write_bytes(_ZIP[:-3])
    assert main(["parse", "--json", str(path), str(packed), str(cut)]) == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = [f"{path}/a/one.sta", f"{path}/a/two.xml", f"{path}/scan.tif", str(packed), str(cut)]
    assert [row["file"] for row in found] == names
    wanted = ["MT940", "camt.053.001.08", None, "MT940", "zip"]
    assert [row["format"] for row in found] == wanted
    assert found[0]["sha256"] == found[3]["sha256"]
    assert found[0]["statements"] == found[3]["statements"]
    codes = [row["findings"][0]["code"] for row in found if not row["statements"]]
    assert codes == ["FORMAT_UNKNOWN", "CONTAINER_TRUNCATED"]
    assert main(["parse", str(packed)]) == 0


@pytest.mark.skipif(not _CORPUS.is_dir(), reason=f"no corpus at {_CORPUS}")
def test_the_corpus_is_read_completely() -> None:
    found = []
    for path in sorted(_CORPUS.iterdir()):
        with parsers.opened(path) as inside:
            found += [parsers.read_file(member.path).format for member in inside]
    assert found == ["camt.053.001.02", "camt.053.001.02"]
