"""The lines of a file by their bytes: where each one ends is where a later run may go on."""

from typing import BinaryIO

# A longer line is no row: a file of another kind, or a quotation mark that nobody closed.
LONGEST = 1_048_576
_PIECE = 1 << 16


class LineTooLong(Exception):
    """More than :data:`LONGEST` bytes without an end of the line."""


class Lines:
    """Lines from ``offset`` on, decoded with their ends; ``offset`` is where the next one begins."""

    def __init__(self, file: BinaryIO, encoding: str, offset: int, end: str = "\n") -> None:
        self._file, self._encoding = file, encoding
        self._end = end.encode(encoding)
        self._width = len(self._end)
        self._buffer, self._at = b"", 0
        self.offset = offset
        file.seek(offset)

    def seek(self, offset: int) -> None:
        """Go on elsewhere."""
        self._file.seek(offset)
        self._buffer, self._at, self.offset = b"", 0, offset

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        """The next line; the offset is behind it also when it raises UnicodeDecodeError or :class:`LineTooLong`."""
        raw = self._raw()
        if not raw:
            raise StopIteration
        self.offset += len(raw)
        if len(raw) > LONGEST:
            self._skip()
            raise LineTooLong
        return raw.decode(self._encoding)

    def _raw(self) -> bytes:
        while True:
            if (stop := self._find()) >= 0:
                line = self._buffer[self._at : stop]
                self._at = stop
                return line
            if len(self._buffer) - self._at > LONGEST:
                return self._rest()
            piece = self._file.read(_PIECE)
            if not piece:
                return self._rest()
            self._buffer, self._at = self._buffer[self._at :] + piece, 0

    def _find(self) -> int:
        """Where the line ends, behind its end; -1: not in what was read."""
        start = self._at
        while (found := self._buffer.find(self._end, start)) >= 0:
            if (found - self._at) % self._width == 0:
                return found + self._width
            start = found + 1
        return -1

    def _rest(self) -> bytes:
        rest, self._buffer, self._at = self._buffer[self._at :], b"", 0
        return rest

    def _skip(self) -> None:
        """Pass over the rest of a line that is too long."""
        while raw := self._raw():
            self.offset += len(raw)
            if raw.endswith(self._end):
                return


def line_end(text: str) -> str:
    """What ends the lines of a text: an old Macintosh ends them by a carriage return alone."""
    return "\r" if "\r" in text and "\n" not in text else "\n"
