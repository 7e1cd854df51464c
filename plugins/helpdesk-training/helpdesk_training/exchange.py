"""Read a course from a folder of Markdown, and take it in.

Each ``.md`` file is a lesson, in the order of their names; ``02-refunds.zh_Hans.md`` is ``02-refunds.md`` in Chinese;
its first heading is its title. ``course.toml`` says what the course is called and needs, ``quiz.toml`` and
``tasks.toml`` have questions and practical tasks. A file that a lesson shows or links to comes along; nothing outside
the folder does.
"""

import hashlib
import mimetypes
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import func, select

from helpdesk.api import Invalid, User, db, require, store_bytes, tidy_language, transaction
from helpdesk.api import gettext as _
from helpdesk_training import content, editing, files, rendering
from helpdesk_training.models import FREE, ORDER, RETIRED, Course
from helpdesk_training.permissions import WRITE

COURSE, QUIZ, TASKS = "course.toml", "quiz.toml", "tasks.toml"
MOST_FILES, MOST_BYTES, MOST_TEXT, MOST_PROBLEMS = 500, 20 * 1024 * 1024, 1024 * 1024, 20
_NUMBERS = ("pass_mark", "attempts", "valid_days", "refresher_days", "minutes")
# The target of a link or a picture, and of a reference.
_INLINE = re.compile(r"(\]\(\s*)(<[^>\n]*>|[^\s()<>]+)")
_REFERENCE = re.compile(r"^( {0,3}\[[^\]\n]+\]:[ \t]*)(<[^>\n]*>|\S+)", re.MULTILINE)
# Stands for a target that was complained of already.
_NOWHERE = "#"
_HEADING = re.compile(r"\A\s*# +(.+?)(?: +#+)?[ \t]*(?:\n+|\Z)")


@dataclass(frozen=True)
class Found:
    """A course as a folder has it: the columns of :class:`Course`, its content, and the files that it shows."""

    values: Mapping[str, Any]
    content: Mapping[str, Any]
    needs: tuple[str, ...] = ()
    # Paths by the names under which lessons know them.
    files: Mapping[str, Path] = field(default_factory=dict)


def read_folder(folder: Path) -> Found:
    """What stands in a folder. Nothing is written. Raises :class:`Invalid` (folder) with all that is wrong in it."""
    root = folder.resolve()
    if not root.is_dir():
        raise Invalid("folder", _("There is no folder “%(name)s”.", name=str(folder)))
    reader = _Reader(root)
    found = reader.read()
    if reader.problems:
        raise Invalid("folder", "\n".join(list(dict.fromkeys(reader.problems))[:MOST_PROBLEMS]))
    return found


def take(found: Found, actor: User | None, *, publish: bool = False) -> Course:
    """Make the course, or change the one of its name: a draft that is to be published, by ``publish`` at once.

    Lessons keep their ids through every import. Files are stored first, then one transaction. Raises :class:`Invalid`
    naming what is wrong, :class:`NotAllowed`; then no course is changed.
    """
    require(actor, WRITE)
    stored = {
        name: store_bytes(path.read_bytes(), name, mimetypes.guess_type(name)[0] or "application/octet-stream")
        for name, path in found.files.items()
    }
    with transaction():
        name = " ".join(str(found.values["name"]).split())
        course = db.session.scalar(select(Course).where(func.lower(Course.name) == func.lower(name)))
        if course is not None and course.state == RETIRED:
            editing.restore(course, actor)
        course = editing.save(course, {**found.values, "needs": _numbers(found.needs)}, actor)
        renamed = {one: files.add(course, file, actor).name for one, file in stored.items()}
        editing.save_content(course, _with_names(found.content, renamed), actor)
        if publish:
            editing.publish(course, actor)
    return course


def _numbers(names: Iterable[str]) -> list[int]:
    """The courses of those names. Raises :class:`Invalid` (needs)."""
    wanted = {name.casefold(): name for name in names}
    query = select(Course.id, Course.name).where(
        func.lower(Course.name).in_([func.lower(name) for name in wanted.values()])
    )
    there = {name.casefold(): number for number, name in db.session.execute(query)}
    missing = [name for key, name in wanted.items() if key not in there]
    if missing:
        raise Invalid("needs", _("There is no course “%(name)s”. Take that one in first.", name=missing[0]))
    return list(there.values())


def _with_names(parts: Mapping[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    """The content with the names that its files have got."""
    if all(old == new for old, new in renamed.items()):
        return dict(parts)

    def name(target: str) -> str | None:
        return renamed.get(unquote(target))

    lessons = [
        {**lesson, "texts": {locale: {**words, "text": rewrite(words["text"], name)}
                             for locale, words in lesson["texts"].items()}}
        for lesson in parts["lessons"]
    ]  # fmt: skip
    return {**parts, "lessons": lessons}


def rewrite(text: str, new: Any) -> str:
    """A Markdown text with other targets: ``new`` is asked for each, and answers None where it stays."""

    def put(found: re.Match[str]) -> str:
        target = found[2][1:-1] if found[2].startswith("<") else found[2]
        other = new(target)
        if other is None:
            return found[0]
        return found[1] + (f"<{other}>" if re.search(r"[\s()]", other) else other)

    return _REFERENCE.sub(put, _INLINE.sub(put, text))


class _Reader:
    """Reads one folder and gathers all that is wrong in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[str] = []
        self.files: dict[str, Path] = {}
        self.ids: dict[Path, str] = {}

    def read(self) -> Found:
        about = self._toml(COURSE)
        language = self._language(about.get("language", "en"), COURSE) or "en"
        values: dict[str, Any] = {
            "name": str(about.get("name") or self.root.name), "summary": str(about.get("summary") or ""),
            "language": language, "titles": self._titles(about.get("titles")),
            "skills": self._list(about.get("skills"), COURSE, "skills"),
        }  # fmt: skip
        values |= {name: about[name] for name in (*_NUMBERS, "self_service") if name in about}
        parts = {
            "lessons": self._lessons(language),
            "questions": self._questions(language),
            "tasks": self._tasks(language),
        }
        try:
            parts = content.clean_content(parts)
        except Invalid as error:
            self.problems.append(f"{error.field}: {error}")
        return Found(values, parts, tuple(self._list(about.get("needs"), COURSE, "needs")), self.files)

    # ---- lessons

    def _lessons(self, language: str) -> list[dict[str, Any]]:
        every = sorted(
            (
                path
                for path in self.root.rglob("*.md")
                if not self._is_hidden(path) and path.name.lower() != "readme.md"
            ),
            key=lambda path: path.relative_to(self.root).as_posix(),
        )
        if len(every) > MOST_FILES:
            self.problems.append(_("These are too many parts; %(number)s fit.", number=MOST_FILES))
            return []
        pages: dict[Path, dict[str, Path]] = {}
        for path in every:
            stem, locale = self._locale(path)
            pages.setdefault(path.with_name(f"{stem}.md"), {})[locale or language] = path
        for page, texts in pages.items():
            for path in (page, *texts.values()):
                self.ids[path] = _id(page.relative_to(self.root).as_posix().removesuffix(".md"))
        return [
            {"id": self.ids[page], "texts": {locale: self._lesson(path) for locale, path in sorted(
                texts.items(), key=lambda pair: pair[0] != language)}}
            for page, texts in pages.items()
        ]  # fmt: skip

    def _lesson(self, path: Path) -> dict[str, str]:
        name, text = path.relative_to(self.root).as_posix(), self._text(path)
        title = path.stem.split(".")[0].lstrip("0123456789-_ ").replace("-", " ").replace("_", " ") or path.stem
        if (heading := _HEADING.match(text)) is not None:
            title, text = heading[1], text[heading.end() :]
        text = rewrite(text, lambda target: self._target(path, target))
        for left in sorted(rendering.named_files(text) - self.files.keys()):
            self.problems.append(_("%(lesson)s shows “%(name)s”, which is not there.", lesson=name, name=left[:200]))
        return {"title": title, "text": text}

    def _target(self, lesson: Path, target: str) -> str | None:
        """What a lesson is to name instead of a path; None: an address elsewhere, which stays."""
        name = lesson.relative_to(self.root).as_posix()
        try:
            parts = urlsplit(target)
        except ValueError:
            return None
        if target.startswith("#") or (not parts.path and not parts.scheme):
            return None
        if (parts.scheme and parts.scheme != "file" and len(parts.scheme) > 1) or parts.netloc:
            return None
        plain = unquote(parts.path if parts.scheme in ("", "file") else target).replace("\\", "/")
        path = (lesson.parent / plain) if "\0" not in plain else lesson.parent
        try:
            resolved = path.resolve()
        except (OSError, RuntimeError):
            resolved = path
        if parts.scheme or Path(plain).is_absolute() or not resolved.is_relative_to(self.root):
            self.problems.append(
                _("%(lesson)s names “%(name)s”, which lies outside the folder. Put it into the folder, or take it out.",
                  lesson=name, name=target[:200])
            )  # fmt: skip
            return _NOWHERE
        if resolved in self.ids:
            return f"lesson:{self.ids[resolved]}"
        if not resolved.is_file() or self._is_hidden(resolved):
            self.problems.append(_("%(lesson)s shows “%(name)s”, which is not there.", lesson=name, name=target[:200]))
            return _NOWHERE
        return self._file(resolved, name)

    def _file(self, path: Path, lesson: str) -> str | None:
        name = re.sub(r"[<>\[\]]", "", path.name)
        if self.files.setdefault(name, path) != path:
            self.problems.append(_("Two files are called “%(name)s”. Give each a name of its own.", name=name))
        elif path.stat().st_size > MOST_BYTES:
            most = MOST_BYTES // 1024 // 1024
            self.problems.append(_("%(name)s is too large; %(number)s MB fit.", name=name, number=most))
        elif not path.stat().st_size:
            self.problems.append(_("%(name)s is empty.", name=name))
        return name

    # ---- questions and tasks

    def _questions(self, language: str) -> list[dict[str, Any]]:
        found = []
        for number, one in enumerate(self._tables(self._toml(QUIZ), "questions", QUIZ), 1):
            said = self._said(one, ("text", "explanation", "model"), language, QUIZ)
            kind = str(one.get("kind") or "single")
            question = {
                "id": self._own_id(one, "q", said, language), "kind": kind, "points": one.get("points", 1),
                "options": [], "right": [], "texts": said,
            }  # fmt: skip
            if kind != FREE:
                self._put_options(question, one, number, language)
            found.append(question)
        return found

    def _put_options(self, question: dict[str, Any], one: Mapping[str, Any], number: int, language: str) -> None:
        options = one.get("options")
        if not isinstance(options, list) or not options:
            self.problems.append(_("%(file)s: question %(number)s has no options.", file=QUIZ, number=number))
            return
        ids = [f"o{place}" for place in range(1, len(options) + 1)]
        by_words = {}
        for key, option in zip(ids, options, strict=True):
            for locale, words in self._by_locale(option, language, QUIZ).items():
                question["texts"].setdefault(locale, {}).setdefault("options", {})[key] = words
                by_words[words.strip()] = key
        question["options"] = ids
        if question["kind"] == ORDER:
            question["right"] = ids
            return
        right = one.get("right", [])
        for each in right if isinstance(right, list) else [right]:
            is_place = isinstance(each, int) and not isinstance(each, bool) and 1 <= each <= len(ids)
            found = ids[each - 1] if is_place else by_words.get(str(each).strip())
            if found is None:
                self.problems.append(
                    _("%(file)s: “%(text)s” is none of the options of question %(number)s.",
                      file=QUIZ, text=str(each)[:100], number=number)
                )  # fmt: skip
            else:
                question["right"].append(found)

    def _tasks(self, language: str) -> list[dict[str, Any]]:
        found = []
        for one in self._tables(self._toml(TASKS), "tasks", TASKS):
            said = self._said(one, ("title", "text", "subject", "message"), language, TASKS)
            rubric = [
                {"id": f"r{place}", "points": line.get("points", 1),
                 "texts": self._by_locale(line.get("text", ""), language, TASKS)}
                for place, line in enumerate(self._tables(one, "rubric", TASKS), 1)
            ]  # fmt: skip
            task = {"id": self._own_id(one, "t", said, language, "title"), "texts": said, "rubric": rubric}
            found.append(task | ({"pass_points": one["pass_points"]} if "pass_points" in one else {}))
        return found

    def _own_id(
        self, one: Mapping[str, Any], letter: str, said: Mapping[str, Any], language: str, by: str = "text"
    ) -> str:
        words = said.get(language, {}).get(by, "")
        return str(one["id"]) if one.get("id") else f"{letter}{_digest(words)}" if words else ""

    # ---- the small parts

    def _said(
        self, one: Mapping[str, Any], fields: Iterable[str], language: str, file: str
    ) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for name in fields:
            for locale, words in self._by_locale(one.get(name, ""), language, file).items():
                found.setdefault(locale, {})[name] = words
        return found

    def _by_locale(self, value: Any, language: str, file: str) -> dict[str, str]:
        """Words in one language, or a table of them by language."""
        if not isinstance(value, Mapping):
            return {language: str(value)} if value not in ("", None) else {}
        found = {self._language(code, file): str(words) for code, words in value.items()}
        return {locale: words for locale, words in found.items() if locale is not None}

    def _titles(self, titles: Any) -> dict[str, Any]:
        if not isinstance(titles, Mapping):
            return {}
        return {
            locale: dict(words) for code, words in titles.items()
            if isinstance(words, Mapping) and (locale := self._language(code, COURSE)) is not None
        }  # fmt: skip

    def _language(self, code: Any, file: str) -> str | None:
        locale = tidy_language(str(code))
        if locale is None:
            self.problems.append(_("%(file)s: there is no language “%(code)s”.", file=file, code=str(code)[:20]))
        return locale

    def _locale(self, path: Path) -> tuple[str, str | None]:
        """The name of a lesson without its language, and that."""
        stem, dot, code = path.stem.rpartition(".")
        locale = (
            tidy_language(code) if dot and stem and re.fullmatch(r"[A-Za-z]{2,3}([_-][A-Za-z]{2,4})*", code) else None
        )
        return (stem, locale) if locale is not None else (path.stem, None)

    def _list(self, value: Any, file: str, name: str) -> list[str]:
        if value is None:
            return []
        if not isinstance(value, list):
            self.problems.append(_("%(file)s: “%(name)s” has to be a list.", file=file, name=name))
            return []
        return [str(one) for one in value]

    def _tables(self, table: Mapping[str, Any], name: str, file: str) -> list[Mapping[str, Any]]:
        found = table.get(name) or []
        if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
            self.problems.append(_("%(file)s: “%(name)s” has to be a list.", file=file, name=name))
            return []
        return found

    def _toml(self, name: str) -> Mapping[str, Any]:
        path = self.root / name
        if not path.exists():
            return {}
        if not path.resolve().is_relative_to(self.root):
            self.problems.append(_("“%(name)s” lies outside the folder. Put it into the folder.", name=name))
            return {}
        try:
            return tomllib.loads(self._text(path))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            self.problems.append(_("%(file)s cannot be read: %(reason)s", file=name, reason=str(error)))
            return {}

    def _text(self, path: Path) -> str:
        name = path.relative_to(self.root).as_posix()
        if not path.resolve().is_relative_to(self.root):
            self.problems.append(_("“%(name)s” lies outside the folder. Put it into the folder.", name=name))
            return ""
        if path.stat().st_size > MOST_TEXT:
            self.problems.append(_("%(name)s is too large; %(number)s MB fit.", name=name, number=1))
            return ""
        try:
            return path.read_text("utf-8-sig")
        except (UnicodeDecodeError, OSError):
            self.problems.append(_("%(name)s is not written in UTF-8. Save it so.", name=name))
            return ""

    def _is_hidden(self, path: Path) -> bool:
        return any(part.startswith(".") for part in path.relative_to(self.root).parts)


def _id(name: str) -> str:
    """The id of a lesson: the same at each import; of names without letters that ids take a digest."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return plain if plain and name.isascii() and len(plain) <= 40 else f"l{_digest(name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
