"""The test of a mailbox: step by step, and what exactly fails. Nothing is taken in and nothing flagged."""

import ssl
import time
from dataclasses import replace

from helpdesk.api import CheckStep, db, ngettext
from helpdesk.api import gettext as _
from helpdesk_email import certificates, oauth
from helpdesk_email.access import AccessFailed, SignInFailed, Source
from helpdesk_email.broken import BROKEN, explain
from helpdesk_email.imap import Imap
from helpdesk_email.models import IMAP, Mailbox
from helpdesk_email.pop3 import Pop3

# Somebody waits for it.
_TIMEOUT = 10.0
_CONNECT, _SIGN_IN, _OPEN = range(3)


def check(box: Mailbox) -> list[CheckStep]:
    """Connect, sign in, open the folder. Call it outside transactions."""
    labels = [_("Connect to the server"), _("Sign in"), _("Open the mailbox")]
    source = replace(Source.of(box, box.password), timeout=_TIMEOUT)
    begun = time.monotonic()
    try:
        if source.by_token:
            source = replace(source, secret=oauth.access_token(box))
        # Nothing is held open while the network is waited for.
        db.session.rollback()
        waiting = _look(source)
    except (AccessFailed, *BROKEN) as error:
        failed, sentence = _place_of(error, source), explain(error, source)
        steps = [CheckStep(label, True) for label in labels[:failed]]
        steps.append(
            CheckStep(labels[failed], False, sentence, advice=_advice(error, failed), milliseconds=_since(begun))
        )
        return [*steps, *(CheckStep(label, None) for label in labels[failed + 1 :])]
    found = ngettext("%(num)s mail lies there.", "%(num)s mails lie there.", waiting)
    steps = [CheckStep(label, True) for label in labels[:_OPEN]]
    return [*steps, CheckStep(labels[_OPEN], True, found, milliseconds=_since(begun))]


def _look(source: Source) -> int:
    line = Imap(source) if source.kind == IMAP else Pop3(source)
    try:
        return len(line.waiting(0)) if isinstance(line, Imap) else len(line.waiting())
    finally:
        line.close()


def _place_of(error: BaseException, source: Source) -> int:
    """Which step failed."""
    if isinstance(error, SignInFailed):
        return _SIGN_IN
    if not isinstance(error, AccessFailed) or source.kind != IMAP or source.folder.upper() == "INBOX":
        return _CONNECT
    # Every mailbox has an INBOX: when that one opens, it is the folder.
    try:
        Imap(replace(source, folder="INBOX")).close()
    except (AccessFailed, *BROKEN):
        return _CONNECT
    return _OPEN


def _advice(error: BaseException, failed: int) -> list[str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return certificates.advice(error)
    if failed == _SIGN_IN:
        return [
            _("Many providers want an app password here instead of the one you sign in with."),
            _("The user name is often the whole mail address."),
            _("Some let programs in only once IMAP or POP3 is switched on in their settings."),
        ]
    if failed == _OPEN:
        return [_("Names of folders are written as the server has them, often with INBOX. in front.")]
    return []


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)
