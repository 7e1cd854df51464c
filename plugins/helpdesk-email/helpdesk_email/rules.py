"""The owner's rules: which mail is ignored or held, and what the tickets of others get.

Plain comparisons; a pattern of an owner cannot hang the desk.
"""

from collections.abc import Collection, Container
from dataclasses import dataclass, field, fields, replace

from sqlalchemy import select, tuple_, update

from helpdesk.api import IntakeDraft, cached, db, drop_cached, now, pgettext, transaction
from helpdesk.api import gettext as _
from helpdesk_email.models import BEGINS, CONTAINS, ENDS, HEADER, IGNORE, IS, SENDER, SORT, SUBJECT, TEXT, Rule

_CACHE = "email.rules"
# What rules look at: a mail that says it on its thousandth page has said something else before.
_LONGEST_TEXT = 200_000
# With more rules for texts than these, each is looked for only where its beginning occurs somewhere.
_FEW, _BEGINNING = 50, 4


@dataclass(frozen=True)
class Known:
    """A rule as it is compared: plain data that outlives the session; the pattern is folded."""

    id: int
    position: int
    part: str
    header: str
    how: str
    pattern: str
    act: str
    priority: str
    type_id: int | None
    topic_id: int | None
    topic_name: str
    tags: str

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands among the others."""
        return self.position, self.id

    @property
    def ignores(self) -> bool:
        """Whether what fits is not taken in at all."""
        return self.act == IGNORE

    @property
    def sorts(self) -> bool:
        """Whether what fits is taken in, and its ticket gets what the rule says."""
        return self.act == SORT

    def fits(self, value: str) -> bool:
        """Whether a folded value is what the pattern says."""
        if self.how == CONTAINS:
            return self.pattern in value
        if self.how == BEGINS:
            return value.startswith(self.pattern)
        if self.how == ENDS:
            return value.endswith(self.pattern)
        return value == self.pattern


@dataclass
class _Book:
    """All rules: those for whole senders, the many, by what they look for; the few others one by one."""

    senders: dict[str, list[Known]] = field(default_factory=dict)
    others: list[Known] = field(default_factory=list)
    texts: int = 0


def fold(text: str) -> str:
    """Text as it is compared: without letter case, each run of white space one space."""
    return " ".join(text.casefold().split())


def fitting(intake: IntakeDraft) -> list[Known]:
    """Every rule that a mail fits, in their order. One query when the rules have changed, else none."""
    book: _Book = cached(_CACHE, _read)
    sender = fold(intake.sender_address)
    domain = "@" + sender.rpartition("@")[2]
    found = [rule for key in dict.fromkeys((sender, domain)) for rule in book.senders.get(key, ())]
    if book.others:
        found += _others(book, intake, sender)
    return sorted(found, key=lambda rule: rule.place)


def _others(book: _Book, intake: IntakeDraft, sender: str) -> list[Known]:
    text = fold(f"{intake.text} {intake.quoted}"[:_LONGEST_TEXT]) if book.texts else ""
    values = {SENDER: [sender], SUBJECT: [fold(intake.subject)], TEXT: [text]}
    headers = {name: [fold(value) for value in lines] for name, lines in intake.headers.items()}
    within = {text[start : start + _BEGINNING] for start in range(len(text))} if book.texts > _FEW else None
    found = []
    for rule in book.others:
        if within is not None and rule.part == TEXT and not _may_occur(rule, within):
            continue
        lines = headers.get(rule.header, ()) if rule.part == HEADER else values[rule.part]
        if any(rule.fits(line) for line in lines):
            found.append(rule)
    return found


def sort(intake: IntakeDraft, rule: Known) -> None:
    """Say of the ticket that a mail opens what a rule says, where none before it has; tags add up."""
    intake.priority = intake.priority or rule.priority or None
    intake.type_id = intake.type_id or rule.type_id
    intake.topic_id = intake.topic_id or rule.topic_id
    intake.tags = [*intake.tags, *rule.tags.split(",")]
    if rule.topic_id is None and rule.topic_name:
        intake.problems.append(_("the topic “%(name)s” of a rule was deleted; it was left out", name=rule.topic_name))


def _may_occur(rule: Known, within: Container[str]) -> bool:
    return len(rule.pattern) < _BEGINNING or rule.pattern[:_BEGINNING] in within


def _read() -> _Book:
    book = _Book()
    columns = [getattr(Rule, one.name) for one in fields(Known)]
    for row in db.session.execute(select(*columns).where(Rule.active).order_by(Rule.position, Rule.id)):
        known = replace(Known(*row), pattern=fold(row.pattern))
        if known.part == SENDER and known.how == IS:
            book.senders.setdefault(known.pattern, []).append(known)
        elif known.pattern:
            book.others.append(known)
            book.texts += known.part == TEXT
    return book


def add(rule: Rule) -> None:
    """Write a new rule, the last in order. Joins the open transaction."""
    db.session.add(rule)
    db.session.flush()
    rule.position = rule.id
    changed()


def move(rule: Rule, up: bool) -> None:
    """Have a rule change places with the one before or behind it, if there is one. Joins the open transaction."""
    here = (rule.position, rule.id)
    place = tuple_(Rule.position, Rule.id)
    query = select(Rule).where(place < here if up else place > here)
    order = (Rule.position.desc(), Rule.id.desc()) if up else (Rule.position, Rule.id)
    other = db.session.scalar(query.order_by(*order).limit(1))
    if other is not None:
        rule.position, other.position = other.position, rule.position
        changed()


def changed() -> None:
    """Every process reads the rules anew. Joins the open transaction."""
    drop_cached()


def count(rules: Collection[Known]) -> None:
    """Note that a mail fitted these. A transaction of its own, of one statement."""
    numbers = [rule.id for rule in rules]
    with transaction():
        db.session.execute(update(Rule).where(Rule.id.in_(numbers)).values(hits=Rule.hits + 1, hit_at=now()))


def block(address: str) -> Rule:
    """The rule that ignores everything from ``address``: an old one, switched on again, or a new one. Joins."""
    pattern = fold(address)
    query = select(Rule).where(Rule.part == SENDER, Rule.how == IS, Rule.pattern == pattern, Rule.act != SORT)
    rule = db.session.scalar(query.order_by(Rule.position, Rule.id).limit(1))
    if rule is None:
        rule = Rule(part=SENDER, how=IS, pattern=pattern)
        add(rule)
    rule.active, rule.act = True, IGNORE
    changed()
    return rule


# ---- in words


def sentence(rule: Known | Rule) -> str:
    """What a rule says, such as “sender is spam@x.example”."""
    parts = {
        SENDER: pgettext("rule", "sender"),
        SUBJECT: pgettext("rule", "subject"),
        TEXT: pgettext("rule", "text"),
        HEADER: rule.header,
    }
    words = {"part": parts.get(rule.part, rule.part), "pattern": rule.pattern}
    if rule.how == CONTAINS:
        return _("%(part)s contains %(pattern)s", **words)
    if rule.how == BEGINS:
        return _("%(part)s begins with %(pattern)s", **words)
    if rule.how == ENDS:
        return _("%(part)s ends with %(pattern)s", **words)
    return _("%(part)s is %(pattern)s", **words)


def reason(rule: Known) -> str:
    """Why a mail was ignored or held, as it stands behind that word in the log of incoming mail."""
    return _("by the rule “%(rule)s”", rule=sentence(rule))
