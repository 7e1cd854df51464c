"""Who a token acts for."""

from typing import Any

from flask import g

from helpdesk.core.models import ApiToken
from helpdesk.core.permissions import allowed
from helpdesk.web.access import token_page
from helpdesk.web.api.blueprint import api
from helpdesk.web.api.bodies import moment
from helpdesk.web.session import reader


@api.get("/me")
@token_page()
def me() -> Any:
    """The account, what the token may do now, and until when."""
    user, token = reader(), g.api_token
    assert isinstance(token, ApiToken)
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "role": user.role,
        "service": user.is_service,
        "token": {
            "name": token.name,
            "prefix": token.prefix,
            "scopes": [scope for scope in token.scopes if allowed(user, scope)],
            "expires_at": moment(token.expires_at),
        },
    }
