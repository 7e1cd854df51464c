"""How a running desk writes its log: one line for each thing that happened, whatever strangers have put into it."""

import logging
import sys
import time

# What ends a line, moves a terminal's cursor or turns the direction of writing; a tab is harmless.
_ESCAPES = {
    number: f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
    for number in (*range(32), *range(127, 160), *range(0x2028, 0x202F), *range(0x2066, 0x206A))
    if number != 9
}


class OneLine(logging.Formatter):
    """Each record is one line; the lines of a traceback below it are indented, so that none looks like a record."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """The whole record. What another handler has made of its traceback does not count."""
        record.exc_text = None
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The record's own line."""
        return super().formatMessage(record).translate(_ESCAPES)

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        """The traceback below it."""
        lines = super().formatException(ei).splitlines()  # type: ignore[arg-type]
        return "\n".join(f"    {line.translate(_ESCAPES)}" for line in lines)


def begin() -> None:
    """Log to standard error with the time in UTC. For processes that serve, before anything else is made."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"))
    logging.getLogger().addHandler(handler)


def begin_brief() -> None:
    """Log the words alone. For commands, whose reader is there."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(OneLine("%(message)s"))
