"""The ladder as administrators keep it: tracks, levels, and what each level asks for."""

from typing import Any

from flask import flash, redirect, request, url_for

from helpdesk.api import Team, db, number_in, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_career import ladder, words
from helpdesk_career.blueprint import beside_rows, pages, row_of, show, trial
from helpdesk_career.models import Level, Track
from helpdesk_career.offering import criteria
from helpdesk_career.permissions import MANAGE

_FIELDS = ("criterion", "threshold", "least_count", "days")
# So many empty rows stand below those that there are.
_EMPTY = 3


@pages.get("/ladder")
@permission_required(MANAGE)
def ladder_page() -> Any:
    """All tracks with their levels."""
    return _ladder()


def _ladder(errors: dict[str, str] | None = None) -> Any:
    every = ladder.tracks(retired=True)
    return show(
        "ladder.html", 422 if errors else 200, tracks=every, **_choices(every), errors=errors or {},
        typed=request.form if errors else {},
    )  # fmt: skip


def _choices(every: Any, without: Track | None = None) -> dict[str, Any]:
    teams = db.session.scalars(db.select(Team).where(Team.active).order_by(Team.name)).all()
    doors = [level for track in every if without is None or track.id != without.id for level in track.levels]
    return {
        "teams": [("", _("No team")), *((one.id, one.name) for one in teams)],
        "doors": [("", _("For everybody")), *((one.id, words.full_name(one)) for one in doors)],
    }


@pages.post("/ladder")
@permission_required(MANAGE)
def begin_ladder() -> Any:
    """Make the usual levels."""
    ladder.begin(reader())
    flash(_("The ladder has begun. Say what each level asks for."))
    return redirect(url_for("career.ladder_page"), 303)


@pages.post("/tracks")
@permission_required(MANAGE)
def add_track() -> Any:
    """Make a track."""
    errors = trial(lambda: ladder.save_track(None, _track_values(), reader()))
    if errors:
        return _ladder(errors)
    flash(_("The track was added. Give it levels now."))
    return redirect(url_for("career.ladder_page"), 303)


@pages.get("/tracks/<int:track_id>")
@permission_required(MANAGE)
def track(track_id: int) -> Any:
    """A track: its name, where it leads, where it begins; a new level."""
    return _track(row_of(Track, track_id))


@pages.post("/tracks/<int:track_id>")
@permission_required(MANAGE)
def save_track(track_id: int) -> Any:
    """Change a track, retire it, or add a level, as the button says."""
    row, do = row_of(Track, track_id), request.form.get("do", "save")

    def work() -> None:
        if do in ("retire", "restore"):
            ladder.retire_track(row, do == "retire", reader())
        elif do == "level":
            ladder.save_level(None, row, {"name": request.form.get("level_name", "")}, reader())
        else:
            ladder.save_track(row, _track_values(), reader())

    errors = trial(work)
    if errors:
        if do == "level":
            errors = {"level_name": errors["form"], "form": errors["form"]}
        return _track(row_of(Track, track_id), errors)
    flash(_("Saved."))
    return redirect(url_for("career.track", track_id=track_id), 303)


def _track(row: Track, errors: dict[str, str] | None = None) -> Any:
    return show(
        "track.html", 422 if errors else 200, track=row, **_choices(ladder.tracks(retired=True), row),
        errors=errors or {}, typed=request.form if errors else {},
    )  # fmt: skip


def _track_values() -> dict[str, Any]:
    form = request.form
    return {
        "name": form.get("name", ""),
        "note": form.get("note", ""),
        "team_id": number_in(form.get("team_id")),
        "from_level_id": number_in(form.get("from_level_id")),
    }


@pages.get("/levels/<int:level_id>")
@permission_required(MANAGE)
def level(level_id: int) -> Any:
    """A level: its name, and what it asks for."""
    return _level(row_of(Level, level_id))


@pages.post("/levels/<int:level_id>")
@permission_required(MANAGE)
def save_level(level_id: int) -> Any:
    """Change a level, as the button says: its name, what it asks for, its place, whether it is given; or remove it."""
    row, do, actor = row_of(Level, level_id), request.form.get("do", "save"), reader()

    def work() -> None:
        if do in ("up", "down"):
            ladder.move_level(row, do == "up", actor)
        elif do in ("retire", "restore"):
            ladder.retire_level(row, do == "retire", actor)
        elif do == "remove":
            ladder.remove_level(row, actor)
        elif do == "asks":
            ladder.save_requirements(row, _rows(), actor)
        else:
            values = {"name": request.form.get("name", ""), "note": request.form.get("note", "")}
            ladder.save_level(row, row.track, values, actor)

    track_id = row.track_id
    errors = trial(work)
    if errors:
        return _level(row_of(Level, level_id), errors)
    flash(_("Removed.") if do == "remove" else _("Saved."))
    if do in ("up", "down", "remove"):
        return redirect(url_for("career.track", track_id=track_id), 303)
    return redirect(url_for("career.level", level_id=level_id), 303)


def _rows() -> list[dict[str, Any]]:
    """The rows of the form that name a criterion; a criterion and its choice come as one value."""
    found = []
    for row in _typed_rows():
        if row["criterion"]:
            key, _bar, choice = row["criterion"].partition("|")
            found.append({**row, "criterion": key, "choice": choice})
    return found


def _typed_rows() -> list[dict[str, str]]:
    form = request.form
    count = min(number_in(form.get("rows")) or 0, ladder.MOST_REQUIREMENTS + _EMPTY)
    return [{name: form.get(f"r{place}.{name}", "").strip() for name in _FIELDS} for place in range(1, count + 1)]


def _level(row: Level, errors: dict[str, str] | None = None) -> Any:
    options: list[tuple[str, str]] = [("", _("Nothing"))]
    for key, criterion in criteria().items():
        if criterion.choices is None:
            options.append((key, criterion.label))
        else:
            options += [(f"{key}|{value}", f"{criterion.label}: {label}") for value, label in criterion.options()]
    known = {value for value, _label in options}
    kept = [
        {
            "criterion": f"{one.criterion}|{one.choice}" if one.choice else one.criterion,
            "threshold": words.number(one.threshold),
            "least_count": str(one.least_count),
            "days": str(one.days),
        }
        for one in row.requirements
    ]
    for one, values in zip(row.requirements, kept, strict=True):
        if values["criterion"] not in known:
            options.append((values["criterion"], _("%(name)s (not measurable now)", name=one.label or one.criterion)))
    empty = {"criterion": "", "threshold": "", "least_count": "", "days": ""}
    rows = _typed_rows() if errors and request.form.get("do") == "asks" else [*kept, *[empty] * _EMPTY]
    shown = beside_rows(errors, rows, "criterion", {"choice": "criterion"})
    return show(
        "level.html", 422 if errors else 200, level=row, rows=rows, options=options, holders=ladder.holders(row),
        errors=shown, typed=request.form if errors else {},
    )  # fmt: skip
