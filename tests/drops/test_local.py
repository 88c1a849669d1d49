"""A folder as a drop, and what all drops share."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tieout import drops
from tieout.drops import RemoteFile, is_temporary, name_bytes, name_text, settled
from tieout.drops.local import LocalDrop
from tieout.errors import DropError

AT = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


def drop_with(folder: Path, **files: bytes) -> LocalDrop:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return LocalDrop(folder)


def test_lists_regular_files_in_order_and_fetches_them(tmp_path: Path) -> None:
    drop = drop_with(tmp_path / "in", b__two=b"22", a__one=b"1", empty=b"")
    listed = drop.list()
    assert [(f.path, f.size) for f in listed] == [("a/one", 1), ("b/two", 2), ("empty", 0)]
    for file in listed:
        fetched = drop.fetch(file, tmp_path / "spool")
        content = (tmp_path / "in" / file.path).read_bytes()
        assert fetched.spool_path.read_bytes() == content
        assert (fetched.sha256, fetched.size) == (hashlib.sha256(content).hexdigest(), file.size)
        assert fetched.spool_path.stat().st_mode & 0o777 == 0o600
        assert len(fetched.spool_path.name) == 32 and fetched.spool_path.parent.name == "spool"


def test_leaves_out_links_pipes_folders_and_uploads(tmp_path: Path) -> None:
    drop = drop_with(tmp_path / "in", good=b"x", **{"half.part": b"x", "half.TMP": b"x"})
    (tmp_path / "in" / "link").symlink_to("/etc/passwd")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    os.mkfifo(tmp_path / "in" / "pipe")
    assert [f.path for f in drop.list()] == ["good"]


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "", "a//b", "a\0b", "."])
def test_paths_stay_below_the_root(tmp_path: Path, name: str) -> None:
    drop = drop_with(tmp_path / "in", good=b"x")
    (tmp_path / "x").write_bytes(b"secret")
    with pytest.raises(DropError) as caught:
        drop.fetch(RemoteFile(name, 6, AT), tmp_path / "spool")
    assert caught.value.code == "DROP_PATH"
    assert not (tmp_path / "spool").exists()


def test_a_file_swapped_for_a_link_or_pipe_is_refused(tmp_path: Path) -> None:
    drop = drop_with(tmp_path / "in", one=b"x", two=b"x")
    one, two = drop.list()
    (tmp_path / "in" / "one").unlink()
    (tmp_path / "in" / "one").symlink_to("/etc/passwd")
    (tmp_path / "in" / "two").unlink()
    os.mkfifo(tmp_path / "in" / "two")
    with pytest.raises(DropError) as caught:
        drop.fetch(one, tmp_path / "spool")
    assert caught.value.code == "DROP_FOLDER"
    with pytest.raises(DropError) as caught:
        drop.fetch(two, tmp_path / "spool")
    assert caught.value.code == "DROP_NOT_A_FILE"


def test_a_file_changed_since_the_listing_is_not_taken(tmp_path: Path) -> None:
    drop = drop_with(tmp_path / "in", one=b"before")
    (listed,) = drop.list()
    (tmp_path / "in" / "one").write_bytes(b"and after")
    with pytest.raises(DropError) as caught:
        drop.fetch(listed, tmp_path / "spool")
    assert caught.value.code == "DROP_FILE_CHANGED"
    assert "6 bytes" in caught.value.message and "9 bytes" in caught.value.message


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_file_changed_while_it_is_read_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr("tieout.drops.local._CHUNK", 4)
    drop = drop_with(tmp_path / "in", one=b"123456789012")
    (listed,) = drop.list()
    read, reads = os.read, 0

    def racing(handle: int, count: int) -> bytes:
        nonlocal reads
        if reads == after:
            with (tmp_path / "in" / "one").open("ab") as out:
                out.write(b"more")
        reads += 1
        return read(handle, count)

    monkeypatch.setattr("tieout.drops.local.os.read", racing)
    with pytest.raises(DropError) as caught:
        drop.fetch(listed, tmp_path / "spool")
    assert caught.value.code == "DROP_FILE_CHANGED"
    assert list((tmp_path / "spool").iterdir()) == []


def test_limits(tmp_path: Path) -> None:
    drop_with(tmp_path / "in", a=b"1", b=b"2", c=b"3")
    assert len(LocalDrop(tmp_path / "in", files_max=3).list()) == 3
    with pytest.raises(DropError) as caught:
        LocalDrop(tmp_path / "in", files_max=2).list()
    assert caught.value.code == "DROP_TOO_MANY_FILES"
    (tmp_path / "in" / "big").write_bytes(b"x" * 100)
    small = LocalDrop(tmp_path / "in", file_bytes_max=99)
    with pytest.raises(DropError) as caught:
        small.fetch(next(f for f in small.list() if f.path == "big"), tmp_path / "spool")
    assert caught.value.code == "DROP_FILE_TOO_LARGE"
    (tmp_path / "in" / "/".join("d" * (drops.DEPTH_MAX + 1))).mkdir(parents=True)
    with pytest.raises(DropError) as caught:
        LocalDrop(tmp_path / "in").list()
    assert caught.value.code == "DROP_TOO_DEEP"


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(DropError) as caught:
        LocalDrop(tmp_path / "nowhere").list()
    assert caught.value.code == "DROP_FOLDER" and "nowhere" in caught.value.where


def test_names_that_are_not_utf8_survive(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/Ausz\xfcge.sta")).write_bytes(b":20:")
    (tmp_path / "in" / "weiß\n‮.sta").write_bytes(b"x")
    drop = LocalDrop(tmp_path / "in")
    listed = drop.list()
    assert sorted(f.path for f in listed) == ["Ausz\\xfcge.sta", "weiß\n‮.sta"]
    for file in listed:
        file.path.encode()  # goes into SQL
        assert drop.fetch(file, tmp_path / "spool").size == file.size


@pytest.mark.parametrize("raw", [b"plain", "weiß".encode(), b"\xff\xfe", b"a\\b", b"\xc3\x28\x80"])
def test_names_round_trip(raw: bytes) -> None:
    assert name_bytes(name_text(raw)) == raw


def test_settled_wants_path_size_and_time_alike() -> None:
    same, grown = RemoteFile("a", 1, AT), RemoteFile("b", 1, AT)
    touched = RemoteFile("c", 1, AT)
    after = [
        RemoteFile("a", 1, AT),
        RemoteFile("b", 2, AT),
        RemoteFile("c", 1, AT.replace(second=1)),
        RemoteFile("new", 1, AT),
    ]
    assert settled([same, grown, touched, RemoteFile("gone", 1, AT)], after) == [same]


@pytest.mark.parametrize(
    ("name", "temporary"),
    [
        ("x.part", True),
        ("x.PARTIAL", True),
        ("x.tmp", True),
        ("x.filepart", True),
        ("x.xml", False),
        ("part", False),
    ],
)
def test_temporary_names(name: str, temporary: bool) -> None:
    assert is_temporary(name) is temporary
