"""SFTP drops against real servers: asyncssh in this process, and OpenSSH where it is installed."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers import Server, other_key
from tieout.drops.sftp import SftpDrop
from tieout.errors import DropError


def put(server: Server, path: str, content: bytes) -> Path:
    target = server.folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def take_everything(server: Server, spool: Path) -> dict[str, bytes]:
    with SftpDrop(**server.options()) as drop:
        taken = {}
        for file in drop.list():
            fetched = drop.fetch(file, spool)
            content = fetched.spool_path.read_bytes()
            assert fetched.sha256 == hashlib.sha256(content).hexdigest()
            assert fetched.size == file.size == len(content)
            assert fetched.spool_path.stat().st_mode & 0o777 == 0o600
            taken[file.path] = content
        return taken


def refused_listing(drop: SftpDrop) -> DropError:
    with drop, pytest.raises(DropError) as caught:
        drop.list()
    return caught.value


def test_takes_regular_files_only(sftp_server: Server, tmp_path: Path) -> None:
    big = os.urandom(3_000_001)
    put(sftp_server, "b/out/two.xml", big)
    put(sftp_server, "a/one.sta", b":20:")
    put(sftp_server, "a/empty.sta", b"")
    put(sftp_server, "a/half.xml.part", b"<Doc")
    put(sftp_server, "a/HALF.FILEPART", b"<Doc")
    (sftp_server.folder / "a" / "link").symlink_to("one.sta")
    (sftp_server.folder / "loop").symlink_to(".")
    os.mkfifo(sftp_server.folder / "pipe")
    taken = take_everything(sftp_server, tmp_path / "spool")
    assert taken == {"a/empty.sta": b"", "a/one.sta": b":20:", "b/out/two.xml": big}
    assert list(taken) == sorted(taken)


def test_openssh(openssh_server: Server, tmp_path: Path) -> None:
    put(openssh_server, "sub/x.xml", b"<Document/>")
    big = os.urandom(2_000_000)
    put(openssh_server, "big.sta", big)
    for path in openssh_server.folder.rglob("*"):
        path.chmod(0o755)
    (openssh_server.folder / "link").symlink_to("/etc/passwd")
    taken = take_everything(openssh_server, tmp_path / "spool")
    assert taken == {"big.sta": big, "sub/x.xml": b"<Document/>"}
    caught = refused_listing(SftpDrop(**other_key(openssh_server).options()))
    assert caught.code == "DROP_HOST_KEY"


def test_a_changed_host_key_is_refused_before_the_login(
    sftp_server: Server, tmp_path: Path
) -> None:
    put(sftp_server, "one.sta", b":20:")
    seen: list[bytes] = []
    wrong = other_key(sftp_server)
    with recorded(sftp_server, seen) as port:
        caught = refused_listing(SftpDrop(**wrong.options(port=port)))
    assert caught.code == "DROP_HOST_KEY"
    assert caught.message.count("SHA256:") == 2
    assert "pin" in caught.remedy
    assert b":20:" not in b"".join(seen)


def test_no_pinned_host_key_says_what_to_pin(sftp_server: Server) -> None:
    caught = refused_listing(SftpDrop(**sftp_server.options(host_key="")))
    assert caught.code == "DROP_HOST_KEY_MISSING"
    assert sftp_server.host_key in caught.remedy


@pytest.mark.parametrize("text", ["ssh-ed25519", "rubbish", "ssh-ed25519 AAAA", "ssh-rsa !!"])
def test_a_malformed_host_key_is_said_at_once(text: str) -> None:
    with pytest.raises(DropError) as caught:
        SftpDrop("127.0.0.1", 22, "x", host_key=text)
    assert caught.value.code == "DROP_HOST_KEY_MALFORMED"


def test_login_and_key_errors(sftp_server: Server, tmp_path: Path) -> None:
    for changes, code in (
        ({"key_path": None, "password": "secret-word"}, "DROP_LOGIN"),
        ({"key_path": tmp_path / "absent"}, "DROP_KEY"),
        ({"root": "/absent"}, "DROP_FOLDER"),
    ):
        caught = refused_listing(SftpDrop(**sftp_server.options(**changes)))
        assert caught.code == code
        assert "secret-word" not in str(caught)


def test_an_absent_or_silent_server_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        host_key = (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJgRMt2l5gAtHD/ExL8UFTuztzncx/+OIZOea+bWtFkh"
        )
        caught = refused_listing(SftpDrop("127.0.0.1", port, "x", host_key=host_key, timeout=0.3))
    assert caught.code == "DROP_UNREACHABLE"
    caught = refused_listing(SftpDrop("127.0.0.1", port, "x", host_key=host_key, timeout=0.3))
    assert caught.code == "DROP_UNREACHABLE"


@pytest.mark.parametrize("how", ["grown", "shrunk", "replaced"])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_file_changed_while_it_is_read_leaves_nothing(
    sftp_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, after: int
) -> None:
    path = put(sftp_server, "one.sta", b"x" * 1_000_000)
    monkeypatch.setattr("tieout.drops.sftp._CHUNK", 250_000)

    def change() -> None:
        if how == "grown":
            with path.open("ab") as out:
                out.write(b"more")
        elif how == "shrunk":
            os.truncate(path, 10)
        else:
            os.utime(path, (1_600_000_000, 1_600_000_000))

    with SftpDrop(**sftp_server.options()) as drop:
        (listed,) = drop.list()
        chunks = drop._chunks

        def racing(*arguments: object) -> Iterator[bytes]:
            for number, chunk in enumerate(chunks(*arguments)):  # type: ignore[arg-type]
                if number == after:
                    change()
                yield chunk

        monkeypatch.setattr(drop, "_chunks", racing)
        with pytest.raises(DropError) as caught:
            drop.fetch(listed, tmp_path / "spool")
    assert caught.value.code in ("DROP_FILE_CHANGED", "DROP_FILE_SHORT", "DROP_UNREACHABLE")
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_file_changed_or_gone_since_the_listing(sftp_server: Server, tmp_path: Path) -> None:
    path = put(sftp_server, "one.sta", b"before")
    put(sftp_server, "two.sta", b"stays")
    with SftpDrop(**sftp_server.options()) as drop:
        one, two = drop.list()
        path.write_bytes(b"and after")
        with pytest.raises(DropError) as caught:
            drop.fetch(one, tmp_path / "spool")
        assert caught.value.code == "DROP_FILE_CHANGED"
        path.unlink()
        path.symlink_to("two.sta")
        with pytest.raises(DropError) as caught:
            drop.fetch(one, tmp_path / "spool")
        assert caught.value.code == "DROP_NOT_A_FILE"
        path.unlink()
        with pytest.raises(DropError) as caught:
            drop.fetch(one, tmp_path / "spool")
        assert caught.value.code == "DROP_FOLDER"
        assert drop.fetch(two, tmp_path / "spool").size == 5  # the session goes on


@pytest.mark.parametrize("cut_at", [200_000, 600_000, 999_000])
def test_a_connection_cut_while_reading_leaves_nothing(
    sftp_server: Server, tmp_path: Path, cut_at: int
) -> None:
    put(sftp_server, "one.sta", os.urandom(1_000_000))
    with (
        recorded(sftp_server, [], cut_at=cut_at) as port,
        SftpDrop(**sftp_server.options(port=port)) as drop,
    ):
        (listed,) = drop.list()
        with pytest.raises(DropError) as caught:
            drop.fetch(listed, tmp_path / "spool")
    assert caught.value.code in ("DROP_UNREACHABLE", "DROP_FILE_SHORT")
    assert list((tmp_path / "spool").iterdir()) == []


def test_odd_names_are_data(sftp_server: Server, tmp_path: Path) -> None:
    raw = os.fsencode(sftp_server.folder)
    names = [b"Ausz\xfcge.sta", b"CON", b"new\nline", "‮rtl".encode(), b"n" * 250, b"$(id)"]
    for name in names:
        Path(os.fsdecode(raw + b"/" + name)).write_bytes(name)
    taken = take_everything(sftp_server, tmp_path / "spool")
    assert sorted(taken.values()) == sorted(names)
    assert all(len(p.name) == 32 for p in (tmp_path / "spool").iterdir())
    for path in taken:
        path.encode()


def test_limits(sftp_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        put(sftp_server, name, b"x" * 100)
    assert refused_listing(SftpDrop(**sftp_server.options(seconds_max=0))).code == "DROP_TOO_SLOW"
    many = refused_listing(SftpDrop(**sftp_server.options(files_max=2)))
    assert many.code == "DROP_TOO_MANY_FILES"
    with SftpDrop(**sftp_server.options(file_bytes_max=99)) as drop:
        with pytest.raises(DropError) as caught:
            drop.fetch(drop.list()[0], tmp_path / "spool")
        assert caught.value.code == "DROP_FILE_TOO_LARGE"
    with SftpDrop(**sftp_server.options()) as drop:
        listed = drop.list()
        monkeypatch.setattr(drop, "_seconds_max", 0.0)
        with pytest.raises(DropError) as caught:
            drop.fetch(listed[0], tmp_path / "spool")
        assert caught.value.code == "DROP_TOO_SLOW"


@contextmanager
def recorded(server: Server, seen: list[bytes], cut_at: int | None = None) -> Iterator[int]:
    """A proxy before the server: keeps what the server sends, and cuts it after some bytes."""
    listener = socket.create_server(("127.0.0.1", 0))
    ends: list[socket.socket] = [listener]
    threads: list[threading.Thread] = []

    def pump(source: socket.socket, target: socket.socket, down: bool) -> None:
        passed = 0
        try:
            while data := source.recv(16_384):
                if down:
                    seen.append(data)
                    passed += len(data)
                    if cut_at is not None and passed > cut_at:
                        break
                target.sendall(data)
        except OSError:
            return  # the other end closed
        finally:
            for end in (source, target):
                close(end)

    def accept() -> None:
        try:
            client, _ = listener.accept()
        except OSError:
            return  # nobody came
        upstream = socket.create_connection((server.host, server.port))
        ends.extend((client, upstream))
        for pair in ((client, upstream, False), (upstream, client, True)):
            threads.append(threading.Thread(target=pump, args=pair, daemon=True))
            threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        for end in list(ends):
            close(end)
            end.close()
        acceptor.join(5)
        for thread in threads:
            thread.join(5)


def close(end: socket.socket) -> None:
    """Shut both directions, whoever was first."""
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
