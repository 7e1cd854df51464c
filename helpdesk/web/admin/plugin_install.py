"""Install a plugin from a file: upload it, read what it will use, say yes with the own password."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from helpdesk.core import plugin_uploads
from helpdesk.core.plugin_packages import CannotInstall
from helpdesk.core.plugin_uploads import DONE, RUNNING, WAITING, NoUpload, Upload
from helpdesk.plugins import manager
from helpdesk.web.admin import plugin_words
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.plugins import may_install, password_problem
from helpdesk.web.session import reader

# Seconds after which the browser asks again how far it is.
_AGAIN = 2
# So often it asks for a desk that starts anew, which is a minute; then somebody has to start it.
_LOOKS = 30


@admin.get("/plugin-install")
@needs("plugin.edit")
def choose_plugin() -> Any:
    """Choose the file."""
    return _choose("")


@admin.post("/plugin-install")
@needs("plugin.edit")
def upload_plugin() -> Any:
    """Take the file in and check it; none of its code runs."""
    if not may_install():
        abort(403)
    file = request.files.get("file")
    if file is None or not file.filename:
        return _choose(_("Choose the wheel of a plugin: a file that ends in .whl.")), 422
    if not file.filename.lower().endswith(".whl"):
        return _choose(_("A plugin comes as a wheel: a file that ends in .whl.")), 422
    try:
        key = plugin_uploads.keep(file.stream, reader())  # type: ignore[arg-type]
    except CannotInstall as problem:
        return _choose(str(problem)), 422
    finally:
        file.close()
    return redirect(url_for("admin.confirm_plugin", upload=key), 303)


def _choose(error: str) -> str:
    return render_template(
        "admin/plugin_install.html", error=error, may_install=may_install(), largest=plugin_uploads.largest()
    )


@admin.get("/plugin-install/<upload>")
@needs("plugin.edit")
def confirm_plugin(upload: str) -> Any:
    """What it will use, and the question; or how far its installation is."""
    found = _look(upload)
    if found.state == WAITING:
        return _confirm(found, "")
    running = manager.current().plugins.get(found.name)
    if found.state == DONE and running is not None and running.version == found.version:
        flash(_("“%(name)s” %(version)s is installed.", name=found.name, version=found.version))
        return redirect(url_for("admin.plugin", name=found.name), 303)
    looks = max(0, request.args.get("looks", 0, int)) + 1 if found.state == DONE else 0
    late = looks > _LOOKS
    answer = make_response(render_template("admin/plugin_progress.html", upload=found, late=late))
    if found.state in (RUNNING, DONE) and not late:
        again = url_for("admin.confirm_plugin", upload=upload, looks=looks or None)
        answer.headers["Refresh"] = f"{_AGAIN}; url={again}"
    return answer


@admin.post("/plugin-install/<upload>")
@needs("plugin.edit")
def install_plugin(upload: str) -> Any:
    """Install it, when the password is right."""
    found = _look(upload)
    if found.state != WAITING:
        return redirect(url_for("admin.confirm_plugin", upload=upload), 303)
    if (problem := password_problem()) is not None:
        return _confirm(found, problem[0]), problem[1]
    try:
        plugin_uploads.start(upload, reader())
    except CannotInstall as error:
        return _confirm(found, str(error)), 503
    return redirect(url_for("admin.confirm_plugin", upload=upload), 303)


def _confirm(upload: Upload, error: str) -> Any:
    try:
        with plugin_uploads.candidate(upload.id, reader()) as candidate:
            return render_template(
                "admin/plugin_confirm.html",
                upload=upload,
                candidate=candidate,
                said=candidate.manifest,
                uses=plugin_words.uses(candidate.manifest),
                error=error,
            )
    except CannotInstall as problem:
        return _choose(str(problem))


def _look(upload: str) -> Upload:
    if not may_install():
        abort(403)
    try:
        return plugin_uploads.look(upload, reader())
    except NoUpload:
        abort(404)
