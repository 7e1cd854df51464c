"""Templates: those of the theme before those of the desk; one that fails gives way to the desk's own."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from flask import current_app, g, has_app_context
from flask_babel import lazy_gettext as _l
from jinja2 import BaseLoader, BytecodeCache, Environment, Template, TemplateError
from jinja2.bccache import Bucket
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from helpdesk.core import settings
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.theming.finding import Themes
from helpdesk.core.theming.theme import BIGGEST_TEMPLATE, Theme, ThemeError, in_english, read_file

log = logging.getLogger(__name__)

DEFAULT = "default"
EXTENSION = "helpdesk.themes"
# Templates in this folder are the desk's own, whatever a theme brings: they lead out of a theme that does not work.
_KEPT = "look/"
# What fails for another reason than its template (a database that is away, a page that is not there).
_INNOCENT = (HTTPException, SQLAlchemyError, NotAllowed)
# A template that failed while a page was made is tried again after so many seconds: it may not have been its fault.
_REST = 60.0


class Found(NamedTuple):
    """A template of a theme, as it was when it was found."""

    theme: Theme
    name: str
    path: str
    stamp: int


@dataclass(frozen=True)
class Failure:
    """A template of a theme that the desk's own has taken the place of, and why (a sentence)."""

    found: Found
    problem: Any
    until: float


def themes() -> Themes:
    """The themes of this application."""
    found: Themes = current_app.extensions[EXTENSION]
    return found


def used_name() -> str:
    """The name of the theme that the owner has chosen."""
    return settings.get(settings.DeskSettings).theme


def current_name() -> str:
    """The name of the theme of this page: the one that its reader tries out, or the one in use."""
    if not has_app_context():
        return DEFAULT
    return g.get("theme_preview") or used_name()


class ThemeLoader(BaseLoader):
    """Finds a template in the theme of the page, in those that it extends, then where ``below`` finds it.

    A template that cannot be compiled, or that fails while a page is made, rests until its file changes.
    """

    def __init__(self, themes: Themes, below: BaseLoader) -> None:
        self.themes, self.below = themes, below
        self._failures: dict[str, Failure] = {}
        # The templates that were looked at lately, by theme, with when: a page needs some thirty.
        self._seen: dict[tuple[str, str], tuple[float, Found | None]] = {}

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool]]:
        found = self.find(template)
        while found is not None:
            try:
                source = checked_source(environment, found.theme, template)
                return source, found.path, self._freshness(template, found, None)
            except ThemeError as error:
                self.rest(found, error.sentence)
                found = self.find(template)
        source, filename, uptodate = self.below.get_source(environment, template)
        return source, filename, self._freshness(template, None, uptodate)

    def list_templates(self) -> list[str]:
        return self.below.list_templates()

    def find(self, template: str) -> Found | None:
        """The file that a theme has for a template, if there is one that has not failed."""
        if template.startswith((_KEPT, "/")) or ".." in template.split("/"):
            return None
        for theme in self.themes.chain(current_name()):
            # Text rather than a Path: this is asked for every template of every page.
            path = f"{theme.templates}/{template}"
            try:
                stamp = os.stat(path).st_mtime_ns
            except (OSError, ValueError):
                continue
            failure = self._failures.get(path)
            if failure is None or failure.found.stamp != stamp or failure.until < time.monotonic():
                return Found(theme, template, path, stamp)
        return None

    def failures(self, name: str) -> list[Failure]:
        """The templates of a theme that rest in this process."""
        found = [one for one in list(self._failures.values()) if one.found.theme.name == name]
        return [one for one in found if _is_as_it_was(one.found.path, one)]

    def rest(self, found: Found, problem: Any, seconds: float = float("inf")) -> None:
        """Use the next theme's, or the desk's own, in place of a template."""
        before = self._failures.get(found.path)
        self._seen.clear()
        self._failures[found.path] = Failure(found, problem, time.monotonic() + seconds)
        if before is None or before.found.stamp != found.stamp:
            log.error(
                "The theme %s has a template that cannot be used, the desk's own takes its place: templates/%s: %s",
                found.theme.name,
                found.name,
                in_english(problem),
            )

    def restore(self, found: Found) -> None:
        """Use a template again that was not to blame."""
        self._seen.clear()
        self._failures.pop(found.path, None)

    def blamed(self, error: BaseException) -> Found | None:
        """The template of a theme that an error came from, or through, if it is in use."""
        files = []
        step = error.__traceback__
        while step is not None:
            files.append(step.tb_frame.f_code.co_filename)
            step = step.tb_next
        for file in reversed(files):
            for theme in self.themes.chain(current_name()):
                path = Path(file)
                if path.is_relative_to(theme.templates):
                    found = self.find(path.relative_to(theme.templates).as_posix())
                    if found is not None and found.path == file:
                        return found
        return None

    def _freshness(self, template: str, found: Found | None, uptodate: Callable[[], bool] | None) -> Callable[[], bool]:
        def fresh() -> bool:
            asked, moment = (template, current_name()), self.themes.looked()
            looked, seen = self._seen.get(asked, (float("-inf"), None))
            if looked == moment:
                return seen == found
            if self.find(template) != found or not (uptodate is None or uptodate()):
                return False
            self._seen[asked] = moment, found
            return True

        return fresh


def _is_as_it_was(path: str, failure: Failure) -> bool:
    try:
        return os.stat(path).st_mtime_ns == failure.found.stamp
    except OSError:
        return False


def checked_source(environment: Environment, theme: Theme, template: str) -> str:
    """The source of a theme's template when it can be compiled. Raises :class:`ThemeError`."""
    source = read_file(theme.templates, template, BIGGEST_TEMPLATE)
    try:
        environment.compile(source, template, raw=True)
    except TemplateError as error:
        line = getattr(error, "lineno", None) or 1
        raise ThemeError(_l("Line %(line)s: %(error)s", line=line, error=error.message or "")) from error
    except (RecursionError, SyntaxError, ValueError) as error:
        raise ThemeError(_l("It is no template (%(error)s).", error=type(error).__name__)) from error
    return source


class ThemedTemplate(Template):
    """A template that is made again without the part of a theme that fails."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        try:
            return super().render(*args, **kwargs)
        except _INNOCENT:
            raise
        except Exception as error:  # noqa: BLE001 - a theme must not take the page with it
            loader = current_app.jinja_loader if has_app_context() else None
            if not isinstance(loader, ThemeLoader) or self.name is None:
                raise
            found = loader.blamed(error)
            if found is None:
                raise
            problem = _l("%(kind)s: %(error)s", kind=type(error).__name__, error=str(error)[:300])
            loader.rest(found, problem, _REST)
            try:
                return self.environment.get_template(self.name).render(*args, **kwargs)
            except Exception:  # noqa: BLE001 - it fails without the theme's template as well
                loader.restore(found)
                raise error from None


class Compiled(BytecodeCache):
    """Keeps templates compiled in memory, those of each theme: somebody who tries one out slows nobody down."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[str, Any]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._codes.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.checksum, bucket.code


def prepare(environment: Any) -> None:
    """Let an application's Jinja environment go on when a theme's template fails."""
    environment.template_class = ThemedTemplate
    environment.bytecode_cache = Compiled()
