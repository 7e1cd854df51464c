"""Encryption with a passphrase, in the format of the tool age, in a stream: nothing is held in memory.

A sealed backup is a tar of two members: ``key.age`` is a fresh key that the passphrase opens, ``backup.tar.age`` is the
backup that the key opens. By hand: ``tar xf FILE && age -d -i key.age backup.tar.age > backup.tar``.
"""

import io
import os
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO

from helpdesk.core.backups.errors import BackupError, Unusable, WrongPassphrase

KEY, SEALED = "key.age", "backup.tar.age"
SHORTEST = 8
_LARGEST_KEY = 64 * 1024
_BLOCK = 512
# How the library refuses a key that would take this machine too long to open. It measures how quick the machine is,
# in a few milliseconds: one that was busy just then is asked again, so often, after a pause of so many seconds.
_TOO_LONG = "Excessive work"
_TIMES, _PAUSE = 50, 0.1


@contextmanager
def sealing(target: BinaryIO, passphrase: str) -> Iterator[IO[bytes]]:
    """A stream whose bytes go encrypted into ``target``, a file that can be sought in. Raises OSError as it does."""
    # Imported only here, like everything that few need.
    import pyrage

    identity, locked = _fresh_key(passphrase)
    _write_member(target, KEY, locked)
    head = target.tell()
    target.write(_header(SEALED, 0))
    begin = target.tell()
    into = _Remembering(target)
    try:
        with _piped(lambda source: pyrage.encrypt_io(source, into, [identity.to_public()])) as stream:
            yield stream
    except Exception:
        if into.error is not None:
            raise into.error from None
        raise
    size = target.tell() - begin
    target.write(b"\0" * (-size % _BLOCK) + b"\0" * 2 * _BLOCK)
    target.seek(head)
    target.write(_header(SEALED, size))
    target.seek(0, io.SEEK_END)


def _fresh_key(passphrase: str) -> tuple[Any, bytes]:
    """A new key, and the same as the passphrase opens it."""
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    return identity, pyrage.passphrase.encrypt(f"{identity}\n".encode(), passphrase)


class _Remembering:
    """A file that is written to and keeps its error: the library raises one of its own, which nobody can tell apart."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self._file.flush()


def is_sealed(source: BinaryIO) -> bool:
    """Whether a file begins as a sealed backup does; it stands at its beginning afterwards."""
    begin = source.read(_BLOCK)
    source.seek(0)
    return begin.startswith(KEY.encode() + b"\0")


@contextmanager
def unsealing(source: BinaryIO, passphrase: str) -> Iterator[IO[bytes]]:
    """The decrypted bytes of a sealed backup, as a stream.

    Raises :class:`Unusable` or :class:`WrongPassphrase`; :class:`BackupError` where the machine is too slow for it.
    """
    import pyrage

    with tarfile.open(fileobj=source, mode="r:") as outer:
        key, sealed = outer.next(), outer.next()
        if key is None or sealed is None or key.size > _LARGEST_KEY or sealed.name != SEALED:
            raise Unusable("This backup is cut short; use another one.")
        locked = _content(outer, key).read()
        try:
            identity = pyrage.x25519.Identity.from_str(_opened(locked, passphrase).decode().strip())
        except BackupError:
            raise
        except Exception as error:
            raise WrongPassphrase("The passphrase does not open this backup; try again.") from error
        content = _content(outer, sealed)
        with _piped_out(lambda target: pyrage.decrypt_io(content, target, [identity])) as stream:
            yield stream


def _opened(locked: bytes, passphrase: str) -> bytes:
    import pyrage

    for _time in range(_TIMES):
        try:
            return pyrage.passphrase.decrypt(locked, passphrase)
        except pyrage.DecryptError as error:
            if _TOO_LONG not in str(error):
                raise
        time.sleep(_PAUSE)
    raise BackupError("This machine is too slow, or too busy now, to open the backup; try again later.")


def _content(outer: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = outer.extractfile(member)
    if content is None:
        raise Unusable("This is no backup of a help desk.")
    return content


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(time.time())
    return member.tobuf(tarfile.GNU_FORMAT)


def _write_member(target: BinaryIO, name: str, data: bytes) -> None:
    target.write(_header(name, len(data)) + data + b"\0" * (-len(data) % _BLOCK))


class _Half(threading.Thread):
    """What runs on the other end of a pipe; the library reads and writes by itself, in one call."""

    def __init__(self, call: Callable[[IO[bytes]], Any], end: IO[bytes]) -> None:
        super().__init__(name="sealing", daemon=True)
        self._call, self._end = call, end
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._call(self._end)
        except BaseException as error:  # noqa: BLE001 - raised on by whoever waits for it
            self.error = error
        finally:
            try:
                self._end.close()
            except OSError:
                pass  # the other end is gone


@contextmanager
def _piped(call: Callable[[IO[bytes]], Any]) -> Iterator[IO[bytes]]:
    out, into = os.pipe()
    half = _Half(call, os.fdopen(out, "rb"))
    half.start()
    stream = os.fdopen(into, "wb")
    try:
        yield stream
    finally:
        try:
            stream.close()
        except BrokenPipeError:
            pass  # why, says the other half
        half.join()
        if half.error is not None:
            raise half.error


@contextmanager
def _piped_out(call: Callable[[IO[bytes]], Any]) -> Iterator[IO[bytes]]:
    out, into = os.pipe()
    half = _Half(call, os.fdopen(into, "wb"))
    half.start()
    stream = os.fdopen(out, "rb")
    try:
        yield stream
        # To its end: a last part that was tampered with is found there.
        while stream.read(1 << 20):
            pass
    finally:
        stream.close()
        half.join()
    if half.error is not None:
        raise Unusable("This backup is damaged or cut short; use another one.") from half.error
