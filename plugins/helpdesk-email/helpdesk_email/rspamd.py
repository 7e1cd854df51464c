"""rspamd, if the owner has one: asked about a mail over HTTP. It advises; when it is silent, mail goes on."""

import json
import logging
import time
from dataclasses import dataclass
from typing import Any

from helpdesk.api import FetchFailed, FetchLate, FetchUnreached, fetch
from helpdesk.api import gettext as _

log = logging.getLogger(__name__)

TIMEOUT = 5.0
_LARGEST_ANSWER = 1_000_000
# One that is not there is not asked for so long: a worker would lose seconds with every mail. That it fails at a mail,
# which its sender may have meant, concerns this mail alone.
_REST = 30.0
_SHOWN = 6


class Silent(Exception):
    """There was no answer that could be used; the text is a sentence."""


@dataclass(frozen=True)
class Verdict:
    """What rspamd says: ``action`` in its own words, the score, and what it was given for."""

    action: str
    score: float
    limit: float
    symbols: tuple[str, ...] = ()

    @property
    def rejects(self) -> bool:
        return self.action == "reject"

    @property
    def suspects(self) -> bool:
        return self.action in ("add header", "rewrite subject", "greylist", "soft reject")

    @property
    def words(self) -> str:
        """Score and symbols, for the log of incoming mail."""
        score = f"{self.score:g}/{self.limit:g}"
        return f"{score}: {', '.join(self.symbols[:_SHOWN])}" if self.symbols else score


class _Asked:
    """Until when the one at an address is left alone, in this process."""

    rests: dict[str, float] = {}


def ask(url: str, raw: bytes, sender: str = "", recipient: str = "") -> Verdict:
    """What rspamd at ``url`` says of a raw mail. Raises :class:`Silent`."""
    if time.monotonic() < _Asked.rests.get(url, 0.0):
        raise Silent(_("It was silent a moment ago and is left alone for a while."))
    try:
        said = _post(url, raw, {"From": sender, "Rcpt": recipient})
    except FetchUnreached as error:
        _Asked.rests[url] = time.monotonic() + _REST
        raise Silent(str(error)) from error
    except FetchLate as error:
        raise Silent(_("It did not answer within %(seconds)s seconds.", seconds=f"{TIMEOUT:g}")) from error
    except FetchFailed as error:
        raise Silent(str(error)) from error
    _Asked.rests.pop(url, None)
    return _verdict(said)


def _post(url: str, raw: bytes, headers: dict[str, str]) -> bytes:
    # An address outside ASCII does not travel in a header; rspamd does without.
    known = {name: value for name, value in headers.items() if value and value.isascii() and value.isprintable()}
    answer = fetch(
        url.rstrip("/") + "/checkv2",
        method="POST",
        body=raw,
        headers={"Content-Type": "application/octet-stream", **known},
        seconds=TIMEOUT,
        largest=_LARGEST_ANSWER,
    )
    if answer.status != 200:
        raise Silent(_("It answered with status %(status)s.", status=answer.status))
    return answer.body


def _verdict(said: bytes) -> Verdict:
    try:
        found: Any = json.loads(said)
        action, symbols = str(found["action"]), found.get("symbols") or {}
        named = sorted(symbols, key=lambda name: -abs(float(symbols[name].get("score") or 0)))
        score, limit = float(found.get("score") or 0), float(found.get("required_score") or 0)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Silent(_("Its answer could not be read.")) from error
    return Verdict(action, score, limit, tuple(name[:60] for name in named))
