"""What tickets are about: a tree of topics, read from memory and changed by administrators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import Select, func, select

from helpdesk.core import audit, generation, labels
from helpdesk.core.extensions import db
from helpdesk.core.models import Topic, User
from helpdesk.core.models.columns import storable
from helpdesk.core.permissions import require
from helpdesk.core.ticket_types import SortingRow, rows
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.workflow.sorting import carry_topics

NAME_LENGTH, DEPTH = 80, 5
# What stands between a topic and the one below it where both are named.
BETWEEN = " › "


@dataclass(frozen=True)
class TopicChoice:
    """A topic without its row: it outlives sessions."""

    id: int
    parent_id: int | None
    name: str
    # The ids from the top down to this one.
    line: tuple[int, ...]
    active: bool
    public: bool

    @property
    def depth(self) -> int:
        return len(self.line)


def every() -> Sequence[TopicChoice]:
    """All topics as the tree is read, each before those below it. Kept until one of them changes."""
    return generation.cached("topics", _load)


def offered(*, public: bool = False, beside: int | None = None) -> list[TopicChoice]:
    """The topics that a ticket may get: in use, as all above them are; of those, what customers choose from.

    ``beside``: one that a ticket has already is offered in any case.
    """
    known = {one.id: one for one in every()}

    def usable(one: TopicChoice) -> bool:
        above = [known[number] for number in one.line if number in known]
        return all(found.active for found in above) and (one.public or not public)

    return [one for one in known.values() if usable(one) or one.id == beside]


def find(topic_id: int | None) -> TopicChoice | None:
    """The topic of that number, in use or not."""
    return next((one for one in every() if one.id == topic_id), None)


def below(topic_id: int) -> list[int]:
    """The numbers of a topic and of everything below it."""
    return [one.id for one in every() if topic_id in one.line]


def own_name(topic_id: int, own: str, locale: str | None = None) -> str:
    """What one topic is called in ``locale`` (the reader's if not given), without those above it."""
    return labels.name(labels.TOPIC, topic_id, own, locale)


def full_name(topic_id: int | None, otherwise: str = "", locale: str | None = None) -> str:
    """A topic with all above it, "Shipping › Abroad"; ``otherwise`` where there is none of that number."""
    known = {one.id: one for one in every()}
    if topic_id not in known:
        return otherwise
    line = [known[number] for number in known[topic_id].line if number in known]
    return BETWEEN.join(own_name(one.id, one.name, locale) for one in line)


def options(*, public: bool = False, beside: int | None = None) -> list[tuple[int, str]]:
    """Number and full name of each topic that a form offers, in the reader's language."""
    return [(one.id, full_name(one.id)) for one in offered(public=public, beside=beside)]


# ---- changes


def add_topic(
    name: str,
    parent: Topic | None,
    actor: User | None,
    *,
    public: bool = False,
    texts: Mapping[str, str] | None = None,
) -> Topic:
    """Add a topic at the end of those below ``parent`` (None: at the top). ``texts``: names in other languages.

    Joins or opens the transaction; audited. Raises :class:`Invalid` (no name, one that its neighbour has, six levels)
    and NotAllowed.
    """
    require(actor, "field.edit")
    _check_texts(texts)
    with transaction():
        parent_id = parent.id if parent is not None else None
        name = _free_name(name, parent_id, None)
        _check_depth(_depth(parent) + 1)
        topic = Topic(name=name, parent_id=parent_id, public=public, position=_last(parent_id) + 1)
        db.session.add(topic)
        db.session.flush()
        topic.path = f"{parent.path if parent is not None else '/'}{topic.id}/"
        labels.keep(labels.TOPIC, topic.id, texts or {})
        audit.record("topic.created", actor, name)
        generation.bump()
    return topic


def change_topic(
    topic: Topic,
    actor: User | None,
    *,
    name: str,
    parent: Topic | None,
    active: bool,
    public: bool,
    texts: Mapping[str, str] | None = None,
) -> None:
    """Rename a topic, put it below another one (with all that is below itself), or switch it on and off.

    Tickets keep their topic. Joins or opens the transaction; audited. Raises :class:`Invalid` (below itself, six
    levels, a name that its neighbour has) and NotAllowed.
    """
    require(actor, "field.edit")
    _check_texts(texts)
    with transaction():
        parent_id = parent.id if parent is not None else None
        if parent is not None and parent.path.startswith(topic.path):
            raise Invalid("parent", _("A topic cannot stand below itself."))
        name = _free_name(name, parent_id, topic)
        if parent_id != topic.parent_id:
            _put_below(topic, parent)
        topic.name, topic.active, topic.public = name, active, public
        labels.keep(labels.TOPIC, topic.id, texts or {})
        audit.record("topic.changed", actor, name, {"active": active, "public": public})
        generation.bump()


def move_topic(topic: Topic, places: int, actor: User | None) -> None:
    """Move a topic up (-1) or down (1) among its neighbours; at an end it stays. Joins or opens; audited.

    Raises NotAllowed.
    """
    require(actor, "field.edit")
    with transaction():
        same = list(db.session.scalars(_neighbours(topic.parent_id)))
        to = same.index(topic) + places
        if not 0 <= to < len(same):
            return
        same.remove(topic)
        same.insert(to, topic)
        for position, other in enumerate(same, 1):
            other.position = position
        audit.record("topic.moved", actor, topic.name)
        generation.bump()


def delete_topic(topic: Topic, into: Topic | None, actor: User | None) -> int:
    """Delete a topic; its tickets go to ``into`` (None: to the topic above, or to none), what is below it moves up.

    Answers how many tickets changed their topic. Joins or opens the transaction; audited. Raises :class:`Invalid`
    when ``into`` is the topic itself, or when a name is taken where something moves up to; and NotAllowed.
    """
    require(actor, "field.edit")
    with transaction():
        if into is not None and into.id == topic.id:
            raise Invalid("into", _("Choose another topic; this one is deleted."))
        target = into.id if into is not None else topic.parent_id
        parent = db.session.get(Topic, topic.parent_id) if topic.parent_id is not None else None
        for child in db.session.scalars(_neighbours(topic.id)).all():
            _free_name(child.name, topic.parent_id, child, besides=topic)
            _put_below(child, parent)
        db.session.flush()
        count = carry_topics(topic.id, target)
        labels.keep(labels.TOPIC, topic.id, dict.fromkeys(labels.texts(labels.TOPIC, topic.id), ""))
        audit.record("topic.deleted", actor, topic.name, {"tickets": count})
        db.session.delete(topic)
        generation.bump()
    return count


def _load() -> list[TopicChoice]:
    children: dict[int | None, list[SortingRow]] = {}
    for row in rows():
        if row.is_topic:
            children.setdefault(row.parent_id, []).append(row)
    found: list[TopicChoice] = []

    def add(parent_id: int | None, line: tuple[int, ...]) -> None:
        for row in children.get(parent_id, ()):
            own = (*line, row.id)
            found.append(TopicChoice(row.id, row.parent_id, row.name, own, row.active, row.public))
            add(row.id, own)

    add(None, ())
    return found


def _neighbours(parent_id: int | None) -> Select[Topic]:
    same = Topic.parent_id.is_(None) if parent_id is None else Topic.parent_id == parent_id
    return select(Topic).where(same).order_by(Topic.position, Topic.id)


def _put_below(topic: Topic, parent: Topic | None) -> None:
    """Give a topic, and all below it, the path that it has below ``parent``."""
    family = db.session.scalars(select(Topic).where(Topic.path.startswith(topic.path, autoescape=True))).all()
    deepest = max(_depth(one) for one in family) - _depth(topic)
    _check_depth(_depth(parent) + 1 + deepest)
    before, after = topic.path, f"{parent.path if parent is not None else '/'}{topic.id}/"
    for one in family:
        one.path = after + one.path[len(before) :]
    topic.parent_id = parent.id if parent is not None else None
    topic.position = _last(topic.parent_id) + 1


def _depth(topic: Topic | None) -> int:
    return topic.path.count("/") - 1 if topic is not None else 0


def _check_depth(depth: int) -> None:
    if depth > DEPTH:
        raise Invalid("parent", _("Topics stand %(number)s levels deep at most.", number=DEPTH))


def _last(parent_id: int | None) -> int:
    same = Topic.parent_id.is_(None) if parent_id is None else Topic.parent_id == parent_id
    return db.session.scalar(select(func.max(Topic.position)).where(same)) or 0


def _free_name(text: str, parent_id: int | None, topic: Topic | None, besides: Topic | None = None) -> str:
    name = " ".join(storable(text).split())
    if not name:
        raise Invalid("name", _("Give the topic a name."))
    if len(name) > NAME_LENGTH:
        raise Invalid("name", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    others = [one for one in db.session.scalars(_neighbours(parent_id)) if one not in (topic, besides)]
    if name.casefold() in {one.name.casefold() for one in others}:
        raise Invalid("name", _("There is a topic “%(name)s” already.", name=name))
    return name


def _check_texts(texts: Mapping[str, str] | None) -> None:
    if code := labels.too_long(texts or {}, NAME_LENGTH):
        raise Invalid(f"text_{code}", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
