"""The blueprint of the administration. Each page asks for its own permission on top of ``admin.use``."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint

from helpdesk.core.permissions import require
from helpdesk.web.session import reader, require_sign_in

admin = Blueprint("admin", __name__, url_prefix="/admin")
_F = TypeVar("_F", bound=Callable[..., Any])


@admin.before_request
def _administrators_only() -> Any:
    return require_sign_in("admin.use")


def needs(permission: str) -> Callable[[_F], _F]:
    """For a view: raise NotAllowed unless the reader has ``permission``."""

    def decorate(view: _F) -> _F:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            require(reader(), permission)
            return view(*args, **kwargs)

        return checked  # type: ignore[return-value]

    return decorate
