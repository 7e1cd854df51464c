"""The tar itself: written and read as a stream, each member with its hash, only ordinary files with harmless names."""

import hashlib
import io
import os
import re
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import zip_longest
from pathlib import Path
from typing import IO

from helpdesk.core.backups import sealing
from helpdesk.core.backups.errors import NoRoom, Unusable, WrongPassphrase
from helpdesk.core.backups.manifest import Manifest

SUMS, MANIFEST = "SHA256SUMS", "manifest.json"
DATABASES = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}
KEY, CONFIG = "secret.key", "helpdesk.toml"
FOLDERS = ("files", "plugins", "themes", "translations")
_CHUNK = 1 << 20
_LARGEST_MANIFEST = 8 << 20
# A long name is a member of its own, which Python reads into memory.
_LONGEST_NAME = 4096
_ORDINARY = (tarfile.REGTYPE, tarfile.AREGTYPE)
_LONG_NAME = (tarfile.GNUTYPE_LONGNAME,)
# Room that is left for others while something is unpacked.
_SPARE = 16 << 20

Progress = Callable[[int, int], None]


class Writer:
    """Adds members to a tar, in a ``with`` block; :meth:`finish` adds the list of hashes and the manifest."""

    def __init__(self, stream: IO[bytes], sums: io.BufferedRandom, progress: Callable[[int], None]) -> None:
        self._tar = tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT)
        self._sums = sums
        self._progress = progress
        self.members = self.size = 0

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_error: object) -> None:
        # After an error Python would write on, whenever it takes the tar away.
        with suppress(OSError):
            self._tar.fileobj.close()

    def add(self, path: Path, name: str) -> bool:
        """Add a file; False when it has gone meanwhile. One that grows while it is read is cut at its first size."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return False
        with file:
            status = os.fstat(file.fileno())
            member = _member(name, status.st_size, status.st_mtime)
            reader = _Hashing(file, self._progress, status.st_size)
            self._tar.addfile(member, reader)
            _forget_members(self._tar)
        self._sums.write(_sum(reader.digest.hexdigest(), name))
        self.members, self.size = self.members + 1, self.size + status.st_size
        return True

    def finish(self, manifest: Callable[[str], Manifest]) -> Manifest:
        """Add the list of hashes, and the manifest that ``manifest`` makes from that list's own hash."""
        self._sums.seek(0)
        sums = hashlib.file_digest(self._sums, "sha256").hexdigest()
        length = self._sums.seek(0, io.SEEK_END)
        self._sums.seek(0)
        self._tar.addfile(_member(SUMS, length, time.time()), self._sums)
        made = manifest(sums)
        data = made.to_json()
        self._tar.addfile(_member(MANIFEST, len(data), time.time()), io.BytesIO(data))
        self._tar.close()
        return made


def _forget_members(tar: tarfile.TarFile) -> None:
    """Python keeps every member that it has seen; of a million files that would be a gigabyte."""
    tar.members.clear()  # type: ignore[attr-defined]


class _Hashing:
    """A file that is read once: hashed on the way, filled up with zeros should it shrink meanwhile."""

    def __init__(self, file: IO[bytes], progress: Callable[[int], None], size: int) -> None:
        self._file, self._progress, self._left = file, progress, size
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        size = self._left if size < 0 else min(size, self._left)
        data = self._file.read(size).ljust(size, b"\0")
        self._left -= size
        self.digest.update(data)
        self._progress(len(data))
        return data


def _member(name: str, size: int, modified: float) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(modified)
    return member


@contextmanager
def opened(path: Path, passphrase: str = "") -> Iterator[IO[bytes]]:
    """The bytes of the tar in a backup, decrypted if need be. Raises :class:`Unusable` and as ``sealing.unsealing``."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise Unusable(f"The backup {path} cannot be read ({error.strerror}).") from error
    with file:
        if not sealing.is_sealed(file):
            yield file
            return
        if not passphrase:
            raise WrongPassphrase(
                "This backup is encrypted; give its passphrase by HELPDESK_BACKUP_PASSPHRASE, --passphrase-file or "
                "on a terminal."
            )
        with sealing.unsealing(file, passphrase) as stream:
            yield stream


class _OnlyFiles(tarfile.TarInfo):
    """A member as we write them: no links, devices, folders, sparse files, no headers as large as memory."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _LONG_NAME and self.size <= _LONGEST_NAME:
            return super()._proc_member(archive)  # type: ignore[misc]
        if self.type not in _ORDINARY or self.size < 0:
            raise Unusable(f"This is no backup of a help desk: “{self.name[:80]}” in it is no ordinary file.")
        return super()._proc_member(archive)  # type: ignore[misc]


def unpack(path: Path, folder: Path, passphrase: str = "", progress: Progress = lambda _done, _total: None) -> Manifest:
    """Unpack a backup into an empty folder and check each byte of it; answers its manifest.

    Raises :class:`BackupError`, mostly :class:`Unusable`, :class:`WrongPassphrase` or :class:`NoRoom`, with a sentence.
    What is in the folder then is worth nothing.
    """
    total = path.stat().st_size if path.is_file() else 0
    try:
        with tempfile.TemporaryFile(dir=folder) as sums:
            unpacker = _Unpacker(folder, sums, lambda done: progress(min(done, total), total))
            with opened(path, passphrase) as stream:
                with tarfile.open(fileobj=stream, mode="r|", tarinfo=_OnlyFiles) as tar:
                    while (member := tar.next()) is not None:
                        _forget_members(tar)
                        unpacker.take(tar, member)
            return unpacker.finish()
    # (Long names that follow each other make Python call itself; a time may be larger than any clock's.)
    except (tarfile.TarError, EOFError, RecursionError, OverflowError) as error:
        raise Unusable("This is no backup of a help desk, or it is damaged or cut short; use another one.") from error


class _Unpacker:
    def __init__(self, folder: Path, sums: IO[bytes], progress: Callable[[int], None]) -> None:
        self._folder, self._sums, self._progress = folder, sums, progress
        self._members = self._size = 0
        self._manifest: Manifest | None = None
        self._listed = False

    def take(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        if self._manifest is not None:
            raise Unusable("This backup goes on after its end; it was made or changed by something else.")
        source = tar.extractfile(member)
        if source is None:
            raise Unusable("This is no backup of a help desk.")
        if member.name == MANIFEST:
            self._manifest = Manifest.from_json(_small(source))
        elif self._listed:
            raise Unusable("This backup goes on after its list; it was made or changed by something else.")
        elif member.name == SUMS:
            self._listed = True
            self._write(source, member, self._folder / SUMS)
        else:
            self._take_file(source, member)

    def _take_file(self, source: IO[bytes], member: tarfile.TarInfo) -> None:
        target = self._folder / checked_name(member.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = self._write(source, member, target)
        self._sums.write(_sum(digest, member.name))
        self._members, self._size = self._members + 1, self._size + member.size

    def _write(self, source: IO[bytes], member: tarfile.TarInfo, target: Path) -> str:
        check_room(self._folder, member.size)
        digest, left = hashlib.sha256(), member.size
        try:
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                while left:
                    data = source.read(min(_CHUNK, left))
                    if not data:
                        raise Unusable("This backup is cut short; use another one.")
                    file.write(data)
                    digest.update(data)
                    left -= len(data)
                    self._progress(self._size + member.size - left)
        except FileExistsError:
            raise Unusable(f"This backup has “{member.name[:80]}” twice; it was made by something else.") from None
        os.utime(target, (member.mtime, member.mtime))
        return digest.hexdigest()

    def finish(self) -> Manifest:
        manifest = self._manifest
        if manifest is None or not self._listed:
            raise Unusable("This backup is cut short; use another one.")
        with (self._folder / SUMS).open("rb") as theirs:
            if hashlib.file_digest(theirs, "sha256").hexdigest() != manifest.sums:
                raise Unusable("This backup is damaged: its list of files is not the one that was made.")
            self._sums.seek(0)
            theirs.seek(0)
            for line, wanted in zip_longest(self._sums, theirs, fillvalue=b""):
                if line != wanted:
                    raise Unusable(f"This backup is damaged: “{_name_in(wanted)}” is not as it was.")
        if (self._members, self._size) != (manifest.members, manifest.size):
            raise Unusable("This backup is not complete; use another one.")
        (self._folder / SUMS).unlink()
        return manifest


def _sum(digest: str, name: str) -> bytes:
    """A line as `sha256sum` writes it."""
    return f"{digest}  {name}\n".encode(errors="surrogateescape")


def _name_in(line: bytes) -> str:
    return line.decode(errors="replace").strip()[66:146]


def _small(source: IO[bytes]) -> bytes:
    data = source.read(_LARGEST_MANIFEST + 1)
    if len(data) > _LARGEST_MANIFEST:
        raise Unusable("The manifest of this backup is too large; it was made by something else.")
    return data


_PART = re.compile(r"[^/\x00-\x1f\x7f]{1,255}")


def checked_name(name: str) -> str:
    """The name of a member, if a backup of ours can have it. Raises :class:`Unusable`: nothing leaves the folder."""
    parts = name.split("/")
    plain = all(_PART.fullmatch(part) and part not in (".", "..") for part in parts)
    known = name in (*DATABASES.values(), KEY, CONFIG) or (len(parts) > 1 and parts[0] in FOLDERS)
    if not plain or not known or len(name) > _LONGEST_NAME:
        raise Unusable(f"This is no backup of a help desk: it has a member “{name[:80]}”.")
    return name


def check_room(folder: Path, size: int) -> None:
    """Raise :class:`NoRoom` unless so many bytes fit, with something left for others."""
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    if size + _SPARE > free:
        # Nobody knows the folders in which things are made.
        shown = folder.parent if folder.name.startswith(".") else folder
        raise NoRoom(
            f"There is not enough room in {shown}: {(size + _SPARE) >> 20} MB are needed, {free >> 20} MB are free. "
            "Make room, or choose another place."
        )
