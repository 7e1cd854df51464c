"""The ladder: tracks, their levels, and what each level asks for."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.api import Invalid, Team, User, audit, db, drop_cached, ngettext, now, require, speaking, transaction
from helpdesk.api import gettext as _
from helpdesk_career import words
from helpdesk_career.models import (
    KEYS,
    NAME_LENGTH,
    Level,
    Person,
    Proposal,
    Requirement,
    Rule,
    Step,
    Track,
)
from helpdesk_career.offering import YES, Criterion, criteria
from helpdesk_career.permissions import MANAGE

MOST_REQUIREMENTS, MOST_DAYS, MOST_LEVELS = 30, 3_660, 30
_MOST_VALUE = 1_000_000_000


def tracks(retired: bool = False) -> Sequence[Track]:
    """All tracks with their levels, in their order. Three queries at most."""
    query = select(Track).order_by(Track.position, Track.id).options(selectinload(Track.levels), joinedload(Track.team))
    if not retired:
        query = query.where(Track.retired_at.is_(None))
    return db.session.scalars(query).all()


def levels(every: Sequence[Track] | None = None) -> list[Level]:
    """All levels that somebody may be given, track by track; ``every`` are the tracks, when they are read already."""
    return [
        level
        for track in (tracks() if every is None else every)
        if track.retired_at is None
        for level in track.levels
        if level.retired_at is None
    ]


def begin(actor: User | None) -> Track:
    """Make the first track with the four usual levels, unless there is one. Joins or opens; audited."""
    require(actor, MANAGE)
    with transaction():
        # Two at once: the second one waits here for the first one, and finds its track.
        drop_cached()
        found = db.session.scalar(select(Track).order_by(Track.id).limit(1))
        if found is not None:
            return found
        track = Track(name="", levels=[Level(key=key, position=place) for place, key in enumerate(KEYS, 1)])
        db.session.add(track)
        db.session.flush()
        audit("career.ladder_changed", actor, words.track_name(track), {"track": track.id})
    return track


def save_track(track: Track | None, values: Mapping[str, Any], actor: User | None) -> Track:
    """Make or change a track: ``name``, ``note``, ``team_id``, ``from_level_id``, those that are given.

    Joins or opens; audited. Raises :class:`Invalid` naming the field, and :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    with transaction():
        is_new = track is None
        if track is None:
            last = db.session.scalar(select(func.max(Track.position))) or 0
            track = Track(position=last + 1)
        else:
            db.session.refresh(track, with_for_update={"of": Track})
        with db.session.no_autoflush:
            _put_track(track, values, is_new)
            db.session.add(track)
        db.session.flush()
        audit("career.ladder_changed", actor, words.track_name(track), {"track": track.id})
        drop_cached()
    return track


def _put_track(track: Track, values: Mapping[str, Any], is_new: bool) -> None:
    if is_new or "name" in values:
        # The first one may keep the translated name.
        needed = _("Give the track a name.") if is_new or track.name else ""
        name = words.clean(values.get("name"), "name", NAME_LENGTH, needed)
        taken = select(Track.id).where(Track.name == name, Track.name != "", Track.id != (track.id or 0))
        if db.session.scalar(taken.limit(1)) is not None:
            raise Invalid("name", _("There is a track of this name already. Choose another one."))
        track.name = name
    if "note" in values:
        track.note = words.clean(values["note"], "note")
    if "team_id" in values:
        team = values["team_id"]
        if team is not None and db.session.get(Team, team) is None:
            raise Invalid("team_id", _("There is no such team any more. Choose another one."))
        track.team_id = team
    if "from_level_id" in values:
        level = db.session.get(Level, values["from_level_id"]) if values["from_level_id"] is not None else None
        if values["from_level_id"] is not None and (level is None or level.track_id == track.id):
            raise Invalid("from_level_id", _("Choose a level of another track."))
        track.from_level_id = level.id if level is not None else None


def retire_track(track: Track, retired: bool, actor: User | None) -> Track:
    """Offer a track no more, or again; who is in it stays. Joins or opens; audited."""
    require(actor, MANAGE)
    with transaction():
        track.retired_at = (track.retired_at or now()) if retired else None
        audit("career.ladder_changed", actor, words.track_name(track), {"track": track.id, "retired": retired})
        drop_cached()
    return track


def save_level(level: Level | None, track: Track, values: Mapping[str, Any], actor: User | None) -> Level:
    """Make or change a level: ``name`` and ``note``; a new one comes last. Joins or opens; audited.

    Raises :class:`Invalid` naming the field, and :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    with transaction():
        # The levels of a track are made one after the other, so that no two are of the same place.
        db.session.execute(select(Track.id).where(Track.id == track.id).with_for_update())
        is_new = level is None
        if level is None:
            count, last = db.session.execute(
                select(func.count(), func.max(Level.position)).where(Level.track_id == track.id)
            ).one()
            if count >= MOST_LEVELS:
                raise Invalid("name", _("A track has no more than %(number)s levels.", number=MOST_LEVELS))
            level = Level(track_id=track.id, position=(last or 0) + 1)
        needed = "" if level.key else _("Give the level a name.")
        if is_new or "name" in values:
            name = words.clean(values.get("name"), "name", NAME_LENGTH, needed)
            taken = select(Level.id).where(Level.track_id == track.id, Level.name == name, Level.name != "")
            if db.session.scalar(taken.where(Level.id != (level.id or 0)).limit(1)) is not None:
                raise Invalid("name", _("There is a level of this name already. Choose another one."))
            level.name = name
        if "note" in values:
            level.note = words.clean(values["note"], "note")
        db.session.add(level)
        db.session.flush()
        audit("career.ladder_changed", actor, words.level_name(level), {"level": level.id})
        drop_cached()
    return level


def move_level(level: Level, up: bool, actor: User | None) -> Level:
    """Change places with the level before it (lower), or behind it. At the end nothing happens. Joins or opens."""
    require(actor, MANAGE)
    with transaction():
        db.session.execute(select(Track.id).where(Track.id == level.track_id).with_for_update())
        query = select(Level).where(Level.track_id == level.track_id).order_by(Level.position, Level.id)
        every = list(db.session.scalars(query.execution_options(populate_existing=True)))
        place = every.index(level)
        other = place - 1 if up else place + 1
        if 0 <= other < len(every):
            every[place], every[other] = every[other], every[place]
            for number, one in enumerate(every, 1):
                one.position = number
            audit("career.ladder_changed", actor, words.level_name(level), {"level": level.id, "moved": True})
            drop_cached()
    return level


def retire_level(level: Level, retired: bool, actor: User | None) -> Level:
    """Give a level to nobody new, or again; who holds it keeps it until they are moved. Joins or opens; audited."""
    require(actor, MANAGE)
    with transaction():
        level.retired_at = (level.retired_at or now()) if retired else None
        audit("career.ladder_changed", actor, words.level_name(level), {"level": level.id, "retired": retired})
        drop_cached()
    return level


def holders(level: Level) -> int:
    """How many people hold a level."""
    return db.session.scalar(select(func.count()).select_from(Person).where(Person.level_id == level.id)) or 0


def remove_level(level: Level, actor: User | None) -> None:
    """Take a level away that nobody has ever had. Joins or opens; audited.

    Raises :class:`Invalid` (level) while somebody holds it, while somebody is proposed for it or had it before (then
    it is retired instead), and while a rule or a track needs it; :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    with transaction():
        # Whoever is given the level meanwhile waits for this row, or this waits for them.
        if db.session.scalar(select(Level.id).where(Level.id == level.id).with_for_update()) is None:
            return
        if count := holders(level):
            sentence = ngettext(
                "%(num)s person holds this level. Move them to another one first, or retire it.",
                "%(num)s people hold this level. Move them to another one first, or retire it.",
                count,
            )
            raise Invalid("level", sentence)
        step = exists().where(or_(Step.level_id == level.id, Step.from_level_id == level.id))
        proposal = exists().where(or_(Proposal.level_id == level.id, Proposal.from_level_id == level.id))
        if db.session.scalar(select(or_(step, proposal))):
            raise Invalid("level", _("This level stands in people's records. Retire it instead."))
        if db.session.scalar(select(exists().where(Rule.level_id == level.id))):
            raise Invalid("level", _("A rule needs this level. Take the rule away first."))
        if db.session.scalar(select(exists().where(Track.from_level_id == level.id))):
            raise Invalid("level", _("Another track begins from this level. Change that first."))
        audit("career.ladder_changed", actor, words.level_name(level), {"level": level.id, "removed": True})
        db.session.delete(level)
        drop_cached()


def save_requirements(level: Level, rows: Sequence[Mapping[str, Any]], actor: User | None) -> Level:
    """What a level asks for: exactly these, each ``criterion``, ``choice``, ``threshold``, ``least_count``, ``days``.

    One whose plugin is off may stay as it is, and cannot be added. Joins or opens; audited; everybody is measured anew
    by the next job. Raises :class:`Invalid` naming ``r1.threshold`` (the first row is 1) ..., and :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    if len(rows) > MOST_REQUIREMENTS:
        raise Invalid("rows", _("A level asks for %(number)s things at most.", number=MOST_REQUIREMENTS))
    with speaking(None):
        known = criteria()
        labels = {key: _labels(one) for key, one in known.items() if any(row.get("criterion") == key for row in rows)}
    with transaction():
        db.session.execute(select(Level.id).where(Level.id == level.id).with_for_update())
        db.session.refresh(level)
        before = {(one.criterion, one.choice, one.days): one for one in level.requirements}
        wanted: dict[tuple[str, str, int], Requirement] = {}
        with db.session.no_autoflush:
            for place, row in enumerate(rows, 1):
                made = _requirement(row, f"r{place}", known, labels, before)
                key = (made.criterion, made.choice, made.days)
                if key in wanted:
                    raise Invalid(f"r{place}.criterion", _("This stands here twice. Take one of them away."))
                made.position = place
                wanted[key] = made
            level.requirements = list(wanted.values())
        db.session.flush()
        db.session.execute(db.update(Person).values(stale=True))
        audit("career.requirements_changed", actor, words.level_name(level), {"level": level.id, "count": len(wanted)})
    return level


def _labels(criterion: Criterion) -> tuple[str, dict[str, str]]:
    return criterion.label, dict(criterion.options())


def _requirement(
    row: Mapping[str, Any],
    place: str,
    known: Mapping[str, Criterion],
    labels: Mapping[str, tuple[str, dict[str, str]]],
    before: Mapping[tuple[str, str, int], Requirement],
) -> Requirement:
    key, choice = str(row.get("criterion") or ""), str(row.get("choice") or "")
    days = int(_number(row.get("days"), f"{place}.days", MOST_DAYS, 0))
    kept = before.get((key, choice, days))
    made = kept or Requirement(criterion=key, choice=choice, days=days)
    criterion = known.get(key)
    if criterion is None:
        if kept is None:
            raise Invalid(
                f"{place}.criterion", _("This cannot be measured now. Switch its plugin on, or choose another.")
            )
    else:
        name, options = labels[key]
        if criterion.choices is not None and choice not in options and kept is None:
            raise Invalid(f"{place}.choice", _("Choose one of the list."))
        if criterion.choices is None and choice:
            raise Invalid(f"{place}.choice", _("There is nothing to choose here."))
        # A choice that is there no more keeps the words of then.
        if criterion.choices is None or choice in options:
            made.label = f"{name}: {options[choice]}"[:200] if choice else name[:200]
    if criterion is not None and criterion.unit == YES:
        made.threshold = 1.0
    else:
        made.threshold = _number(row.get("threshold"), f"{place}.threshold", _MOST_VALUE, None)
    made.least_count = int(_number(row.get("least_count"), f"{place}.least_count", _MOST_VALUE, 0))
    return made


def _number(value: Any, field: str, most: float, usual: float | None) -> float:
    if value in (None, "") and usual is not None:
        return usual
    try:
        found = float(str(value).replace(",", "."))
    except ValueError:
        found = math.nan
    if not math.isfinite(found) or not 0 <= found <= most:
        raise Invalid(field, _("Write a number from 0 to %(most)s.", most=int(most)))
    return found


def next_levels(level: Level, every: Sequence[Track]) -> list[Level]:
    """Where somebody may go from a level: the next one of the track, then the first one of tracks that begin here."""
    found = []
    for track in every:
        open_ones = [one for one in track.levels if one.retired_at is None]
        if track.id == level.track_id:
            found += [one for one in open_ones if (one.position, one.id) > (level.position, level.id)][:1]
    for track in every:
        if track.id == level.track_id or track.from_level_id is None or track.retired_at is not None:
            continue
        door = next((one for each in every for one in each.levels if one.id == track.from_level_id), None)
        if door is None or door.track_id != level.track_id or door.position > level.position:
            continue
        found += [one for one in track.levels if one.retired_at is None][:1]
    return found
