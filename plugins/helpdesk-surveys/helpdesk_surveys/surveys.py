"""Make surveys, word them, publish a version, switch them on and off."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, func, select

from helpdesk.api import Invalid, Team, User, audit, clean_tags, db, now, require, transaction
from helpdesk.api import gettext as _
from helpdesk_surveys.content import clean_texts, scores, storable
from helpdesk_surveys.links import new_key
from helpdesk_surveys.models import (
    ACTIONS,
    FORM,
    KINDS,
    LINK,
    LOOKS,
    OCCASIONS,
    SCALES,
    TAG,
    Invitation,
    Response,
    Survey,
    Version,
)
from helpdesk_surveys.permissions import MANAGE

NAME_LENGTH, MOST_RULES, MOST_TAGS = 100, 20, 50
_NUMBERS = {
    "min_group": (2, 1_000),
    "delay_hours": (0, 24 * 365),
    "rhythm_days": (7, 3_650),
    "quiet_from": (0, 23),
    "quiet_until": (0, 23),
    "reminder_days": (0, 60),
    "closes_days": (1, 365),
}
# What cannot be changed once somebody was asked: the counts would mean something else.
_FIXED = ("kind", "anonymous", "look", "occasion")

__all__ = ["new_link", "publish_version", "save", "save_texts", "scores", "switch"]


def save(survey: Survey | None, values: Mapping[str, Any], actor: User | None) -> Survey:
    """Make a survey, or change one: the columns of :class:`Survey` but its words, those that are given.

    One transaction, joined or opened. Invitations that are out keep their words and their end. Raises
    :class:`Invalid` naming the column, and :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    with transaction():
        is_new = survey is None
        if survey is None:
            survey = Survey(link_key=new_key(), texts={"texts": {}, "items": []})
            db.session.add(survey)
            usual: Mapping[str, Any] = {"name": "", "kind": "csat", "look": "faces", "occasion": "solved"}
            values = {**usual, **values}
        else:
            db.session.refresh(survey, with_for_update={"of": type(survey)})
        with db.session.no_autoflush:
            _put(survey, values, is_new)
        db.session.flush()
        audit("surveys.survey_added" if is_new else "surveys.survey_changed", actor, survey.name,
              {"survey": survey.id})  # fmt: skip
    return survey


def save_texts(survey: Survey, texts: Mapping[str, Any], actor: User | None) -> Survey:
    """Keep the words that are being written; nobody is asked with them before :func:`publish_version`.

    Raises :class:`Invalid` naming a text, and :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    cleaned = clean_texts(texts, survey.kind)
    with transaction():
        survey.texts = cleaned
        audit("surveys.texts_changed", actor, survey.name, {"survey": survey.id})
    return survey


def publish_version(survey: Survey, actor: User | None) -> Version:
    """Ask with the words as they are now. Who was asked before keeps the questions of then.

    The newest version is answered again when nothing has changed. Raises :class:`Invalid`, :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    with transaction():
        db.session.refresh(survey, with_for_update={"of": type(survey)})
        questions = clean_texts(survey.texts or {}, survey.kind)
        newest = db.session.get(Version, survey.version_id) if survey.version_id is not None else None
        if newest is not None and newest.questions == questions:
            return newest
        number = db.session.scalar(select(func.max(Version.number)).where(Version.survey_id == survey.id)) or 0
        version = Version(
            survey_id=survey.id, number=number + 1, questions=questions, made_by_id=actor.id if actor else None
        )
        db.session.add(version)
        db.session.flush()
        survey.version_id = version.id
        audit("surveys.version_published", actor, survey.name,
              {"survey": survey.id, "number": version.number})  # fmt: skip
    return version


def switch(survey: Survey, on: bool, actor: User | None) -> Survey:
    """Ask from now on, or no more. Off, nobody else is asked; who was asked may still answer.

    Raises :class:`Invalid` (active) without a version, and :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    with transaction():
        db.session.refresh(survey, with_for_update={"of": type(survey)})
        if on and survey.version_id is None:
            raise Invalid("active", _("Publish a version first: nobody can be asked without words."))
        if on and not survey.active:
            survey.since = now()
        if survey.active != on:
            survey.active = on
            audit("surveys.survey_switched", actor, survey.name, {"survey": survey.id, "on": on})
    return survey


def new_link(survey: Survey, actor: User | None) -> Survey:
    """Give a survey by link another address; the old one is dead. Raises :class:`NotAllowed`."""
    require(actor, MANAGE)
    with transaction():
        survey.link_key = new_key()
        audit("surveys.link_renewed", actor, survey.name, {"survey": survey.id})
    return survey


def _put(survey: Survey, values: Mapping[str, Any], is_new: bool) -> None:
    if not is_new and any(name in values and values[name] != getattr(survey, name) for name in _FIXED):
        if _was_asked(survey):
            raise Invalid(
                next(name for name in _FIXED if name in values and values[name] != getattr(survey, name)),
                _("Somebody has been asked already, so this stays as it is. Make another survey instead."),
            )
    group = values.get("min_group")
    if not is_new and survey.anonymous and isinstance(group, int) and group < survey.min_group:
        # Who has answered was promised not to be shown among fewer.
        if _was_asked(survey):
            raise Invalid(
                "min_group", _("Somebody has been asked already, so this stays as it is. Make another survey instead.")
            )
    if "name" in values:
        survey.name = _name(str(values["name"]), survey.id)
    for name, known in (("kind", KINDS), ("look", LOOKS), ("occasion", OCCASIONS)):
        if name in values:
            if values[name] not in known:
                raise Invalid(name, _("Choose one of these."))
            setattr(survey, name, values[name])
    for name in ("anonymous", "skip_complaints"):
        if name in values:
            setattr(survey, name, bool(values[name]))
    for name, (least, most) in _NUMBERS.items():
        if name in values:
            number = values[name]
            if not isinstance(number, int) or not least <= number <= most:
                raise Invalid(name, _("Write a number from %(least)s to %(most)s.", least=least, most=most))
            setattr(survey, name, number)
    if "skip_tags" in values:
        tags = clean_tags(list(values["skip_tags"]))
        if len(tags) > MOST_TAGS:
            raise Invalid("skip_tags", _("These are too many tags; %(number)s fit.", number=MOST_TAGS))
        survey.skip_tags = tags
    if "team_id" in values:
        survey.team_id = _team(values["team_id"], "team_id")
    if "rules" in values:
        survey.rules = _rules(values["rules"], survey)
    if (survey.anonymous or survey.occasion == LINK) and survey.rules:
        raise Invalid("rules", _("Nobody knows who answers this survey, so nothing can follow an answer."))


def _name(text: str, own: int | None) -> str:
    name = " ".join(storable(text).split())
    if not name:
        raise Invalid("name", _("Give the survey a name."))
    if len(name) > NAME_LENGTH:
        raise Invalid("name", _("This is too long; %(number)s characters fit.", number=NAME_LENGTH))
    found = db.session.scalar(
        select(Survey.id).where(func.lower(Survey.name) == func.lower(name), Survey.id != (own or 0))
    )
    if found is not None:
        raise Invalid("name", _("There is a survey of this name already."))
    return name


def _rules(rules: Any, survey: Survey) -> list[dict[str, Any]]:
    if survey.kind == FORM and rules:
        raise Invalid("rules", _("A questionnaire has no score that a rule could look at."))
    if len(rules) > MOST_RULES:
        raise Invalid("rules", _("These are too many rules; %(number)s fit.", number=MOST_RULES))
    low, high = SCALES.get(survey.kind, (0, 0))
    found = []
    for rule in rules:
        least, most = rule.get("least", low), rule.get("most", high)
        if least is None:
            least = low
        if not (isinstance(least, int) and isinstance(most, int) and low <= least <= most <= high):
            raise Invalid("rules", _("A rule looks at scores from %(low)s to %(high)s.", low=low, high=high))
        if rule.get("do") not in ACTIONS:
            raise Invalid("rules", _("Choose what follows."))
        tag = ""
        if rule["do"] == TAG:
            tags = clean_tags([str(rule.get("tag") or "")])
            if len(tags) != 1:
                raise Invalid("rules", _("Write the tag that the rule gives."))
            tag = tags[0]
        team = _team(rule.get("team_id"), "rules")
        found.append({"least": least, "most": most, "do": rule["do"], "team_id": team, "tag": tag})
    return found


def _team(number: Any, field: str) -> int | None:
    if number is None:
        return None
    if not isinstance(number, int) or db.session.get(Team, number) is None:
        raise Invalid(field, _("This team is no longer there."))
    return number


def _was_asked(survey: Survey) -> bool:
    asked = exists().where(Invitation.survey_id == survey.id, Invitation.sent_at.is_not(None))
    answered = exists().where(Response.survey_id == survey.id)
    return bool(db.session.scalar(select(asked | answered)))
