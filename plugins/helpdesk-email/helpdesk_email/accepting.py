"""What the desk decides about a mail before it is threaded: whose it is, whether it is wanted, what its sender is told.

In this order: the address of ours that it was sent to, whether its sender is proved, the owner's rules, rspamd, the
notice. Each decision says why; the log of incoming mail shows it.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from babel.dates import get_timezone_name
from flask_babel import format_date, format_time, get_locale
from sqlalchemy import select

from helpdesk.api import DeskSettings, IntakeDraft, Reject, User, db, hookimpl, now, settings, speaking
from helpdesk.api import gettext as _
from helpdesk_email import accounts, addresses, authentication, hours, rspamd, rules
from helpdesk_email.models import Mailbox
from helpdesk_email.settings import AnswerSettings, IncomingSettings

log = logging.getLogger(__name__)

# Where the address stands that a mail was delivered to, surest first.
_DELIVERED_TO = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to", "cc")
_MOST_LINES = 20


@hookimpl
def before_message_accepted(intake: IntakeDraft) -> None:
    """Decide about a mail; other channels are not ours."""
    if intake.channel != "email":
        return
    # A mail must not choose whose word is believed of it: what a mailbox believes holds where the transport names it.
    named = bool(intake.account)
    box = _place(intake)
    incoming_settings = settings(IncomingSettings)
    if intake.verified is None:
        intake.verified = _verdict(intake, incoming_settings, box if named else None)
    intake.staff_may_answer = incoming_settings.staff_by_mail
    _obey_rules(intake)
    if not intake.refused and incoming_settings.rspamd_url:
        _ask_rspamd(intake, incoming_settings.rspamd_url)
    _answer(intake, settings(AnswerSettings))


def _verdict(intake: IntakeDraft, configured: IncomingSettings, box: Mailbox | None) -> bool | None:
    """Whether the sender is who it says, by those whom the desk and the mailbox believe."""
    trusted = configured.trusted | (box.trusted if box is not None else frozenset())
    found = authentication.verdict(intake.headers, intake.sender_address, trusted)
    if found is not None or box is None or not box.exchange:
        return found
    return authentication.verdict_of_exchange(intake.headers, intake.sender_address, box.address)


def _place(intake: IntakeDraft) -> Mailbox | None:
    """Which of our addresses it came to, and what follows from that; its mailbox, where it has one."""
    ours = accounts.own_addresses()
    if not intake.account:
        found = (accounts.form_in(ours, address) for address in _addresses(intake, _DELIVERED_TO))
        intake.account = next(filter(None, found), "")
    # Sent to an address that nobody has told us of: who stands in To is the desk itself, not somebody who reads on.
    unknown = set() if intake.account else set(_addresses(intake, ("to",)))
    intake.copies = [
        (address, name)
        for address, name in intake.copies
        if address not in unknown and accounts.form_in(ours, address) is None
    ]
    box = accounts.mailbox_of(intake.account)
    if box is not None:
        intake.team_id = intake.team_id or box.team_id
        intake.locale = intake.locale or box.locale
    return box


def _addresses(intake: IntakeDraft, names: Iterable[str]) -> list[str]:
    lines = [line for name in names for line in intake.headers.get(name, [])[:_MOST_LINES]]
    return list(dict.fromkeys(found.email for line in lines for found in addresses.parse(line)))


def _obey_rules(intake: IntakeDraft) -> None:
    fitting = rules.fitting(intake)
    # The first that ignores or holds counts; those that sort do all. A person may let in what is held.
    barrier = next((rule for rule in fitting if not rule.sorts), None)
    if barrier is not None and barrier.ignores:
        rules.count([barrier])
        raise Reject(rules.reason(barrier))
    obeyed = [rule for rule in fitting if rule.sorts or rule is barrier]
    for rule in obeyed:
        if rule.sorts:
            rules.sort(intake, rule)
        else:
            intake.refused = intake.refused or rules.reason(rule)
    if obeyed:
        rules.count(obeyed)


def _ask_rspamd(intake: IntakeDraft, url: str) -> None:
    # Nothing of the database is held while the network is waited for.
    db.session.rollback()
    try:
        verdict = rspamd.ask(url, Path(intake.source).read_bytes(), intake.sender_address, intake.account)
    except (rspamd.Silent, OSError) as silence:
        log.warning("rspamd was not asked about incoming mail: %s", silence)
        intake.problems.append(_("rspamd did not judge it: %(reason)s", reason=str(silence)))
        return
    if verdict.rejects:
        intake.refused = _("rspamd takes it for spam, %(score)s", score=verdict.words)
    elif verdict.suspects:
        intake.problems.append(_("rspamd takes it for spam, %(score)s", score=verdict.words))


def _answer(intake: IntakeDraft, answers: AnswerSettings) -> None:
    """Whether its sender is told that it was received, and that nobody is there. The core has the last word."""
    desk, moment = settings(DeskSettings), now()
    closed = answers.out_of_hours_notice and not hours.is_open(moment, answers, desk.time_zone)
    intake.notice = answers.received_notice or closed
    if closed:
        with speaking(_language(intake)):
            intake.notice_text = _closed_text(hours.next_opening(moment, answers, desk.time_zone))


def _language(intake: IntakeDraft) -> str | None:
    known = db.session.scalar(select(User.locale).where(User.email == intake.sender_address.strip().lower()))
    return known or intake.locale


def _closed_text(opens: datetime | None) -> str:
    if opens is None:
        return _("We are closed now. Somebody reads your message when we are back.")
    # In the time of the desk, which it therefore names.
    zone = get_timezone_name(opens, width="short", locale=get_locale())
    return _(
        "We are closed now. Somebody reads your message from %(date)s, %(time)s (%(zone)s) on.",
        date=format_date(opens, "full", rebase=False),
        time=format_time(opens, "short", rebase=False),
        zone=zone,
    )
