"""``create_app(config)``: the only place that wires things together."""

import logging
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from flask import Blueprint, Flask, abort
from flask_babel import Babel
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PrefixLoader
from sqlalchemy.pool import NullPool
from werkzeug.middleware.proxy_fix import ProxyFix

import helpdesk
from helpdesk import web
from helpdesk.core import generation, i18n, settings, theming
from helpdesk.core.config import Config, load
from helpdesk.core.extensions import db
from helpdesk.core.jobs import huey
from helpdesk.core.models import PluginState
from helpdesk.core.transaction import in_transaction, listen
from helpdesk.plugins import manager

PACKAGE = Path(helpdesk.__file__).parent
# Memory for one form field or header part; files are streamed to disk.
_FORM_MEMORY = 4 * 1024 * 1024


def create_app(config: Config | None = None, plugins: dict[str, Any] | None = None) -> Flask:
    """Build an application.

    ``config`` defaults to what the environment says. ``plugins`` (name to module) replaces discovery: for
    tests of one plugin. The database is not touched, so that commands can migrate it first.

    Raises ConfigError or HomeError with one sentence for the operator.
    """
    config = config or load()
    config.paths.prepare()
    app = Flask("helpdesk", static_folder=str(PACKAGE / "web" / "static"), template_folder=None)
    app.secret_key = config.paths.secret_key()
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
        app.extensions[manager.EXTENSION] = _load_plugins(config, plugins)
        _add_languages(app, config)
    _add_templates(app, config)
    web.init_app(app)
    _add_plugin_pages(app)
    huey.create(app)
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    return app


def _engine_options(config: Config) -> dict[str, Any]:
    if config.is_sqlite:
        return {"connect_args": {"timeout": 10}, **({"poolclass": NullPool} if config.testing else {})}
    return {"pool_pre_ping": True, "pool_size": config.threads + 2, "isolation_level": "READ COMMITTED"}


def _load_plugins(config: Config, plugins: dict[str, Any] | None) -> manager.Manager:
    loaded = manager.Manager(is_on=_plugin_is_on, on_error=_after_failed_hook, around=_savepoint)
    if config.safe_mode:
        logging.getLogger(__name__).warning("Safe mode: no plugin was loaded.")
    elif plugins is not None:
        for name, module in plugins.items():
            loaded.add(name, module)
    else:
        loaded.discover(config.paths.plugins)
    return loaded


def _plugin_is_on(name: str) -> bool:
    return name not in generation.cached("plugins:off", _plugins_off)


def _after_failed_hook(plugin: str, hook: str, error: BaseException) -> None:
    """A failed statement poisons PostgreSQL's transaction: a reading one is ended, so that the page goes on."""
    if not in_transaction():
        db.session.rollback()


def _savepoint() -> AbstractContextManager[Any]:
    """Around each hook: inside a write transaction a failed statement of a plugin's undoes that hook alone."""
    return db.session.begin_nested() if in_transaction() else nullcontext()


def _plugins_off() -> frozenset[str]:
    return frozenset(db.session.scalars(db.select(PluginState.name).where(~PluginState.enabled)))


def _add_languages(app: Flask, config: Config) -> None:
    folders = [shipped("translations")]
    for plugin in app.extensions[manager.EXTENSION].plugins.values():
        if plugin.loaded and (package := _package_folder(plugin)) is not None:
            folders.append(package / "translations")
    folders.append(config.paths.translations)
    directory, codes = i18n.compile_catalogs(folders, config.paths.cache)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(directory)
    app.extensions[settings.LOCALES] = [(code, i18n.locale_name(code)) for code in codes]
    # One for each application: it caches what it has read by language.
    Babel().init_app(app, locale_selector=i18n.select_locale, timezone_selector=i18n.select_zone)


def _add_templates(app: Flask, config: Config) -> None:
    themes = theming.find_themes([config.paths.themes, shipped("themes")])
    app.extensions["helpdesk.themes"] = themes
    loaders: list[BaseLoader] = [FileSystemLoader(PACKAGE / "web" / "templates")]
    for name, plugin in app.extensions[manager.EXTENSION].plugins.items():
        folder = _package_folder(plugin) if plugin.loaded else None
        if folder is not None and (folder / "templates" / name).is_dir():
            # Only its own folder: a plugin cannot put a template where the core looks for one.
            loaders.append(PrefixLoader({name: FileSystemLoader(folder / "templates" / name)}))
    below = theming.BaseTemplates(ChoiceLoader(loaders), themes)
    app.jinja_loader = ChoiceLoader([theming.ThemeLoader(themes), below])
    # Setting app.debug has made the environment already: TEMPLATES_AUTO_RELOAD would come too late.
    app.jinja_env.auto_reload = True
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _add_plugin_pages(app: Flask) -> None:
    plugins: manager.Manager = app.extensions[manager.EXTENSION]
    with app.app_context():
        found = list(plugins.contributions("register_blueprints", include_off=True))
    for entry in found:
        blueprint: Blueprint = entry.item
        if blueprint.name != entry.plugin or _is_app_wide(blueprint):
            sentence = f"The blueprint of plugin {entry.plugin} must have its name and no app-wide functions."
            plugins.plugins[entry.plugin].error = sentence
            continue
        blueprint.before_request_funcs.setdefault(None, []).insert(0, _gate(entry.plugin))
        app.register_blueprint(blueprint, url_prefix=f"/p/{entry.plugin}")


def _is_app_wide(blueprint: Blueprint) -> bool:
    """Whether it does anything beyond its own pages (``before_app_request`` and the like) when registered."""
    probe = Flask("probe")
    probe.register_blueprint(blueprint, url_prefix="/p")
    hooks = (probe.before_request_funcs, probe.after_request_funcs, probe.teardown_request_funcs)
    return any(None in functions for functions in hooks) or bool(probe.error_handler_spec.get(None))


def _gate(plugin: str) -> Any:
    def closed() -> None:
        if not manager.current().is_on(plugin):
            abort(404)

    return closed


def _package_folder(plugin: manager.Plugin) -> Path | None:
    file = getattr(plugin.module, "__file__", None)
    return Path(file).parent if file and Path(file).name == "__init__.py" else None


def shipped(name: str) -> Path:
    """A top-level folder: inside the package when installed from a wheel, beside it in a checkout."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name
