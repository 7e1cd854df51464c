"""The question before an act that is large or cannot be taken back. Works without a script."""

from flask import render_template


def ask(*, heading: str, lead: str, button: str, action: str, back: str, code: str = "", danger: bool = False) -> str:
    """A page that says what will happen, and to what (``code``), with a form to ``action`` and a way ``back``."""
    return render_template(
        "admin/confirm.html",
        heading=heading,
        code=code,
        lead=lead,
        button=button,
        action=action,
        back=back,
        danger=danger,
    )
