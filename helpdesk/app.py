"""``create_app(config)``: the only place that wires things together."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import groupby
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from flask import Blueprint, Flask, abort, current_app, request
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PrefixLoader
from werkzeug.middleware.proxy_fix import ProxyFix

import helpdesk
from helpdesk import web
from helpdesk.core import catalogs, generation, i18n, locks, plugin_states, settings, theming
from helpdesk.core.backups import bond
from helpdesk.core.config import Config, load
from helpdesk.core.extensions import db
from helpdesk.core.jobs import huey
from helpdesk.core.packs import CORE, HOME, PLUGIN, Place
from helpdesk.core.paths import HomeError
from helpdesk.core.transaction import in_transaction, listen
from helpdesk.plugins import manager
from helpdesk.web import numbers
from helpdesk.web.access import access_of, admit
from helpdesk.web.addresses import Address

log = logging.getLogger(__name__)

PACKAGE = Path(helpdesk.__file__).parent
# Memory for one form field or header part; files are streamed to disk.
_FORM_MEMORY = 4 * 1024 * 1024


def create_app(config: Config | None = None, plugins: dict[str, Any] | None = None, *, serves: bool = False) -> Flask:
    """Build an application.

    ``config`` defaults to what the environment says. ``plugins`` (name to module) replaces discovery: for
    tests of one plugin. The database is not touched, so that commands can migrate it first; but a process that
    ``serves`` asks it, before any code of plugins is read, how often a restart has been asked for.

    Raises ConfigError, HomeError or WrongDatabase with one sentence for the operator.
    """
    config = config or load()
    config.paths.prepare()
    give_back = _announce(config) if serves else None
    app = Flask("helpdesk", static_folder=str(PACKAGE / "web" / "static"), template_folder=None)
    app.url_rule_class = Address
    app.secret_key = config.paths.secret_key()
    # As long as the process lives.
    app.extensions["helpdesk.serving"] = give_back
    app.testing = config.testing
    app.debug = config.debug
    app.config.update(
        HELPDESK=config,
        SQLALCHEMY_DATABASE_URI=config.sqlalchemy_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(config),
        # The limit for one file is checked while it is streamed; this one is for the whole form.
        MAX_CONTENT_LENGTH=(config.max_upload_mb * 2 + 5) * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=_FORM_MEMORY,
        MAX_FORM_PARTS=500,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    if config.testing:
        app.extensions["helpdesk.hasher"] = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    db.init_app(app)
    with app.app_context():
        listen(db.engine)
        if serves:
            bond.check()
            generation.note_beginning()
        app.extensions[manager.EXTENSION] = _load_plugins(config, plugins)
        _add_languages(app, config)
    _add_templates(app, config)
    numbers.init_app(app)
    web.init_app(app)
    _add_plugin_pages(app)
    huey.create(app)
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    return app


def _announce(config: Config) -> Callable[[], None]:
    """Let a restore know that a desk runs in this home. Raises HomeError while one is at it."""
    try:
        return locks.take(config.paths.serving_lock, shared=True)
    except locks.Taken:
        raise HomeError(f"A backup is being restored into {config.home}; start the desk when that is done.") from None


def _engine_options(config: Config) -> dict[str, Any]:
    # What the database is given may be a secret: it stands in no error and no log.
    hidden = {"hide_parameters": True}
    if config.is_sqlite:
        return hidden | {"connect_args": {"timeout": 10}}
    return hidden | {"pool_pre_ping": True, "pool_size": config.threads + 2, "isolation_level": "READ COMMITTED"}


def _load_plugins(config: Config, plugins: dict[str, Any] | None) -> manager.Manager:
    loaded = manager.Manager(plugin_states.states, _after_failed_hook, _savepoint)
    if config.safe_mode:
        log.warning("Safe mode: no plugin was loaded.")
    elif plugins is not None:
        for name, module in plugins.items():
            loaded.add(name, module)
    else:
        loaded.discover(config.paths.plugins, config.paths.slow_plugins)
    return loaded


def _after_failed_hook(plugin: str, hook: str, error: BaseException) -> None:
    """A failed statement poisons PostgreSQL's transaction: a reading one is ended, so that the page goes on."""
    if not in_transaction():
        db.session.rollback()


def _savepoint() -> Callable[[], AbstractContextManager[Any]] | None:
    """Around each hook: inside a write transaction a failed statement of a plugin's undoes that hook alone."""
    return db.session.begin_nested if in_transaction() else None


def _add_languages(app: Flask, config: Config) -> None:
    places = [Place(CORE, CORE, shipped("translations"), helpdesk.__version__)]
    for plugin in app.extensions[manager.EXTENSION].plugins.values():
        if plugin.loaded:
            package = _package_folder(plugin) or config.paths.plugins / plugin.name
            places.append(Place(PLUGIN, plugin.name, package / "translations", plugin.version))
    places.append(Place(HOME, HOME, config.paths.translations))
    found = catalogs.Catalogs(places, config.paths.cache)
    app.extensions[catalogs.EXTENSION] = found
    app.extensions[settings.LOCALES] = found.languages
    babel = catalogs.LiveBabel()
    babel.init_app(app, locale_selector=i18n.select_locale, timezone_selector=i18n.select_zone)


def _add_templates(app: Flask, config: Config) -> None:
    tokens = PACKAGE / "web" / "static" / "css" / "tokens.css"
    # Tests do not wait: what they write into a theme is seen at once.
    interval = {"interval": 0.0} if config.testing else {}
    themes = theming.Themes(config.paths.themes, shipped("themes"), tokens, **interval)
    app.extensions[theming.EXTENSION] = themes
    loaders: list[BaseLoader] = [FileSystemLoader(PACKAGE / "web" / "templates")]
    for name, plugin in app.extensions[manager.EXTENSION].plugins.items():
        folder = _package_folder(plugin) if plugin.loaded else None
        if folder is not None and (folder / "templates" / name).is_dir():
            # Only its own folder: a plugin cannot put a template where the core looks for one.
            loaders.append(PrefixLoader({name: FileSystemLoader(folder / "templates" / name)}))
    app.jinja_loader = theming.ThemeLoader(themes, ChoiceLoader(loaders))
    theming.prepare(app.jinja_env)
    # Setting app.debug has made the environment already: TEMPLATES_AUTO_RELOAD would come too late.
    app.jinja_env.auto_reload = True
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _add_plugin_pages(app: Flask) -> None:
    plugins: manager.Manager = app.extensions[manager.EXTENSION]
    with app.app_context():
        found = list(plugins.contributions("register_blueprints", include_off=True))
    probe = _probe()
    for plugin, entries in groupby(found, lambda entry: entry.plugin):
        problem = _pages_problem(probe, plugin, [entry.item for entry in entries])
        if problem:
            plugins.leave_out(plugin, problem)
            probe = _probe()
    for entry in found:
        if plugins.plugins[entry.plugin].loaded:
            blueprint: Blueprint = entry.item
            blueprint.before_request_funcs.setdefault(None, []).insert(0, _gate(entry.plugin))
            app.register_blueprint(blueprint, url_prefix=f"/p/{entry.plugin}")


def _probe() -> Flask:
    probe = Flask("probe", static_folder=None)
    probe.url_rule_class = Address
    numbers.init_app(probe)
    return probe


def _pages_problem(probe: Flask, plugin: str, blueprints: list[Blueprint]) -> str:
    """A sentence when a plugin's pages cannot be added, found out with an application that is thrown away."""
    try:
        for blueprint in blueprints:
            if blueprint.name != plugin:
                return f"The blueprint of plugin {plugin} must have its name and no app-wide functions."
            probe.register_blueprint(blueprint, url_prefix=f"/p/{plugin}")
    except Exception as error:  # noqa: BLE001 - registering runs what the plugin has put off until then
        return f"Its pages cannot be added: {type(error).__name__}: {error}"
    hooks = (probe.before_request_funcs, probe.after_request_funcs, probe.teardown_request_funcs)
    if any(None in functions for functions in hooks) or probe.error_handler_spec.get(None):
        return f"The blueprint of plugin {plugin} must have its name and no app-wide functions."
    return ""


def _gate(plugin: str) -> Callable[[], Any]:
    """Before each page of a plugin: it is on, and who opens it may; one that says nothing is for the signed-in."""
    silent: set[str] = set()

    def closed() -> Any:
        if not manager.current().is_on(plugin):
            abort(404)
        endpoint = request.endpoint or ""
        if _is_static(endpoint):
            return None
        view = current_app.view_functions[endpoint]
        if access_of(view) is None and endpoint not in silent:
            silent.add(endpoint)
            log.warning(
                "Plugin %s: the page %s does not say who may open it, so strangers may not. Put permission_required, "
                "sign_in_required or public_page on its view.",
                plugin,
                endpoint,
            )
        return admit(view)

    return closed


def _is_static(endpoint: str) -> bool:
    """Whether it is the folder of style sheets and pictures that a blueprint has: strangers' pages use it too."""
    name, _dot, last = endpoint.rpartition(".")
    return last == "static" and name in current_app.blueprints and current_app.blueprints[name].has_static_folder


def _package_folder(plugin: manager.Plugin) -> Path | None:
    file = getattr(plugin.module, "__file__", None)
    return Path(file).parent if file and Path(file).name == "__init__.py" else None


def shipped(name: str) -> Path:
    """A top-level folder: inside the package when installed from a wheel, beside it in a checkout."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name
