"""Texts of the screen as the owner wants them: they win over every catalog, in every process within two seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import delete, insert, select, update

from helpdesk.core import audit, catalogs, generation, packs, pofiles
from helpdesk.core.catalogs import SOURCE_LOCALE, Text
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.models import CorrectedString, User
from helpdesk.core.models.columns import storable
from helpdesk.core.packs import CORE, DOMAIN
from helpdesk.core.permissions import require
from helpdesk.core.pofiles import Entry
from helpdesk.core.transaction import transaction

LENGTH = 5000
CORRECTED, MISSING, ALL = "corrected", "missing", "all"


class WrongText(Exception):
    """A text cannot be used; ``form`` is the plural form that is wrong, and the words say why."""

    def __init__(self, sentence: str, form: int = 0) -> None:
        super().__init__(sentence)
        self.form = form


class NoLanguage(Exception):
    """There is no such language, or its file cannot be kept; the words are a sentence."""


@dataclass
class Taken:
    """What came of a file: how many texts it had for the desk, how many were new, and what was left out."""

    texts: int = 0
    new: int = 0
    problems: list[pofiles.Problem] = field(default_factory=list)


def correct(code: str, text: Text, wanted: Sequence[str], actor: User | None) -> None:
    """Show ``wanted`` (one text, or one for each plural form) instead of a translation. Joins or opens; audited.

    Spaces and lines at both ends follow the English text. What stands there anyway takes a correction away.
    Raises :class:`WrongText` and NotAllowed.
    """
    require(actor, "language.edit")
    texts = _checked(code, text.entry, wanted)
    with transaction():
        if _own(code, text) == texts:
            _delete(code, [text.digest])
        else:
            _write(code, [replace(text.entry, texts=texts)])
        audit.record("language.corrected", actor, code, {"text": text.entry.id[:200]})
        generation.bump()


def undo(code: str, digests: Sequence[str], actor: User | None) -> int:
    """Take corrections away; answers how many there were. Joins or opens; audited. Raises NotAllowed."""
    require(actor, "language.edit")
    with transaction():
        count = _delete(code, digests)
        if count:
            audit.record("language.restored", actor, code, {"texts": count})
            generation.bump()
    return count


def take(code: str, data: bytes, actor: User | None) -> Taken:
    """Keep every text of a ``.po`` file that is not shown already as a correction. Joins or opens; audited.

    Texts that the desk does not have, and those that would break a page, are left out and named. Raises NotAllowed.
    """
    require(actor, "language.edit")
    found, entries = _read(code, data)
    known = {text.entry.key: text for text in catalogs.current().texts(code)}
    new = []
    for entry in entries:
        text = known.get(entry.key)
        if text is None:
            continue
        found.texts += 1
        if text.texts != entry.texts and (text.texts is not None or entry.texts != text.entry.sources):
            new.append(entry)
    found.new = len(new)
    with transaction():
        if new:
            _write(code, new)
            audit.record("language.corrected", actor, code, {"texts": found.new})
            generation.bump()
    return found


def keep_file(code: str, owner: str, data: bytes, actor: User | None) -> Taken:
    """Keep a ``.po`` file in the home; the one that was there stays beside it as ``.po.before``. Audited; commits.

    The desk speaks it within a second. Raises :class:`NoLanguage` (no such language, nothing in the file that can be
    used, a home that cannot be written) and NotAllowed.
    """
    require(actor, "language.edit")
    found, entries = _read(code, data)
    known = {text.entry.key for text in catalogs.current().texts(code)}
    found.texts = found.new = sum(1 for entry in entries if entry.key in known)
    if not entries:
        reason = found.problems[0].sentence if found.problems else ""
        raise NoLanguage(_("There is no translation in this file that can be used. %(reason)s", reason=reason).strip())
    if owner not in catalogs.current().owners():
        raise NoLanguage(_("There is no plugin “%(name)s”.", name=owner))
    config: Config = current_app.config["HELPDESK"]
    _put(config.paths.translations, code, DOMAIN if owner == CORE else owner, data)
    with transaction():
        audit.record("language.file_kept", actor, code, {"texts": len(entries), "of": owner})
        generation.bump()
    catalogs.current().look_again()
    return found


def exported(code: str, what: str, owner: str | None = None) -> bytes:
    """A ``.po`` file of what is corrected, of what is missing, or of all that is shown (``owner``: one plugin's)."""
    entries = []
    for text in catalogs.current().texts(code, owner):
        if what == CORRECTED and text.corrected is None or what == MISSING and text.texts is not None:
            continue
        empty = ("",) * (1 if text.entry.plural is None else pofiles.plural_forms(code))
        shown = text.texts if what != CORRECTED else text.corrected
        entries.append(replace(text.entry, texts=shown or empty))
    return pofiles.written(code, entries)


def _read(code: str, data: bytes) -> tuple[Taken, list[Entry]]:
    """What can be shown, each under the English text of the desk: what the file says of that is not believed."""
    try:
        packs.check_code(code)
    except ValueError as error:
        raise NoLanguage(str(error)) from None
    file, found, good = pofiles.read(data), Taken(), []
    found.problems += file.problems
    forms = pofiles.plural_forms(code)
    known = {text.entry.key: text.entry for text in catalogs.current().texts(code)}
    for entry in file.for_language(code):
        if not any(entry.texts) or entry.fuzzy:
            continue
        english = known.get(entry.key) or catalogs.current().english().of(entry)
        if english is None:
            continue
        if problem := pofiles.breaking(entry, forms, english):
            found.problems.append(problem)
        else:
            good.append(replace(english, texts=entry.texts))
    return found, good


def _checked(code: str, entry: Entry, wanted: Sequence[str]) -> tuple[str, ...]:
    """The texts as they are kept. Raises :class:`WrongText`."""
    forms = 1 if entry.plural is None else pofiles.plural_forms(code)
    texts = [_fitted(entry.id, text) for text in [*wanted, *[""] * forms][:forms]]
    for form, text in enumerate(texts):
        if not text.strip():
            raise WrongText(_("Write a translation, or take the correction back."), form)
        if len(text) > LENGTH:
            raise WrongText(_("This is too long; %(number)s characters fit.", number=LENGTH), form)
        one = replace(entry, texts=(text,) * forms)
        for problem in pofiles.faults(one, forms):
            if problem.kind in pofiles.BREAKING or problem.kind == "incomplete":
                raise WrongText(problem.sentence, form)
    return tuple(texts)


def _fitted(source: str, text: str) -> str:
    """With the spaces and lines that the English text has at both ends: a form cannot show them."""
    bare = storable(text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    start = source[: len(source) - len(source.lstrip())]
    end = source[len(source.rstrip()) :]
    return f"{start}{bare}{end}" if bare else ""


def _own(code: str, text: Text) -> tuple[str, ...] | None:
    if text.own is not None:
        return text.own
    return text.entry.sources if code == SOURCE_LOCALE else None


def _write(code: str, entries: Sequence[Entry]) -> None:
    # It locks the one row of the generation, so that two who correct the same text at once come one after the other.
    generation.bump()
    there = select(CorrectedString.digest, CorrectedString.id).where(CorrectedString.locale == code)
    numbers = {digest: number for digest, number in db.session.execute(there)}
    new, changed = [], []
    for entry in entries:
        digest = catalogs.digest_of(entry.key)
        words = {"plural": entry.plural, "texts": list(entry.texts), "changed_at": now()}
        if digest in numbers:
            changed.append({"id": numbers[digest], **words})
        else:
            new.append({"locale": code, "digest": digest, "context": entry.context, "message": entry.id, **words})
    if new:
        db.session.execute(insert(CorrectedString), new)
    if changed:
        db.session.execute(update(CorrectedString), changed)


def _delete(code: str, digests: Sequence[str]) -> int:
    same = (CorrectedString.locale == code) & CorrectedString.digest.in_(digests)
    rows = list(db.session.scalars(select(CorrectedString.id).where(same)))
    db.session.execute(delete(CorrectedString).where(CorrectedString.id.in_(rows)))
    return len(rows)


def _put(folder: Path, code: str, domain: str, data: bytes) -> None:
    target = folder / code / "LC_MESSAGES" / f"{domain}.po"
    if not target.resolve().is_relative_to(folder.resolve()):
        raise NoLanguage(_("The folder of this language leads out of the home; remove that link first."))
    aside = target.with_name(f".{target.name}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(data)
        if target.exists():
            target.replace(target.with_name(f"{target.name}.before"))
        aside.replace(target)
    except OSError as error:
        sentence = _("The file cannot be kept in the home: %(reason)s.", reason=error.strerror)
        raise NoLanguage(sentence) from error


def known(code: str, digest: str) -> Text | None:
    """The text of that name in a language, or None."""
    return next((text for text in catalogs.current().texts(code) if text.digest == digest), None)
