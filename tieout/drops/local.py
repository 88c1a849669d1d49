"""A folder as a drop: a mounted share, or the spool of another transfer tool."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from tieout import drops
from tieout.drops import DEPTH_MAX, FILE_BYTES_MAX, FILES_MAX, Fetched, RemoteFile
from tieout.errors import DropError

__all__ = ["LocalDrop"]

_CHUNK = 1 << 20


class LocalDrop:
    """Files below a folder.

    Args:
        folder: the root; it must exist.
        name: what messages and the ledger call it; default its path.
        files_max: most directory entries looked at in one listing.
        file_bytes_max: largest file fetched.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "",
        files_max: int = FILES_MAX,
        file_bytes_max: int = FILE_BYTES_MAX,
    ) -> None:
        self.folder = folder.absolute()
        self.name = name or self.folder.as_uri()
        self._files_max = files_max
        self._file_bytes_max = file_bytes_max

    def __enter__(self) -> LocalDrop:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def list(self) -> list[RemoteFile]:
        """Regular files below the folder, ordered by path; links are not followed.

        Raises:
            DropError: ``DROP_FOLDER``, ``DROP_TOO_MANY_FILES``, ``DROP_TOO_DEEP``.
        """
        try:
            return sorted(self._walk(), key=lambda file: file.path)
        except OSError as error:
            raise self._refused(error) from error

    def fetch(self, file: RemoteFile, spool: Path) -> Fetched:
        """Copy one listed file to the spool; see `tieout.drops.Drop.fetch`."""
        where = f"{self.name} {file.path}"
        path = os.fsencode(self.folder) + b"/" + drops.check_relative(file.path, where=where)
        # O_NONBLOCK: a pipe put in the file's place must not hang the run.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            handle = os.open(path, flags)
        except OSError as error:
            raise self._refused(error, where) from error
        try:
            before = os.fstat(handle)
            if not stat.S_ISREG(before.st_mode):
                raise drops.not_a_file(where)
            listed, opened = (file.size, file.modified_at), _facts(before)
            if opened != listed:
                raise drops.changed(where, listed, opened)
            fetched = drops.receive(
                self._chunks(handle, before, where),
                spool,
                where=where,
                bytes_max=self._file_bytes_max,
            )
        except OSError as error:
            raise self._refused(error, where) from error
        finally:
            os.close(handle)
        return fetched

    def close(self) -> None:
        """Nothing is held open."""

    def _chunks(self, handle: int, before: os.stat_result, where: str) -> Iterator[bytes]:
        """The content; after the last chunk the handle must show the same file, or it raises."""
        read = 0
        while chunk := os.read(handle, _CHUNK):
            read += len(chunk)
            yield chunk
        after = os.fstat(handle)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise drops.changed(where, _facts(before), _facts(after))
        if read != before.st_size:
            raise drops.short(where, before.st_size, read)

    def _walk(self) -> Iterator[RemoteFile]:
        looked_at = 0
        folders: list[tuple[bytes, int]] = [(b"", 0)]
        root = os.fsencode(self.folder)
        while folders:
            prefix, depth = folders.pop()
            if depth > DEPTH_MAX:
                raise drops.too_deep(self.name, DEPTH_MAX)
            with os.scandir(root + b"/" + prefix) as entries:
                for entry in entries:
                    looked_at += 1
                    if looked_at > self._files_max:
                        raise drops.too_many(self.name, self._files_max)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append((prefix + entry.name + b"/", depth + 1))
                    elif entry.is_file(follow_symlinks=False):
                        path = drops.name_text(prefix + entry.name)
                        if drops.is_temporary(path):
                            continue
                        try:
                            status = entry.stat(follow_symlinks=False)
                        except FileNotFoundError:
                            continue  # renamed or taken since the folder was listed
                        yield RemoteFile(path, *_facts(status))

    def _refused(self, error: OSError, where: str = "") -> DropError:
        return DropError(
            "DROP_FOLDER",
            f"cannot be read: {error.strerror or error}",
            where=where or self.name,
            remedy="check that it exists and that this user may read it",
        )


def _facts(status: os.stat_result) -> tuple[int, datetime]:
    seconds, nanos = divmod(status.st_mtime_ns, 1_000_000_000)
    at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=nanos // 1000)
    return status.st_size, at
