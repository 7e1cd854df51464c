"""Which plugins the desk of a test has."""

from pathlib import Path
from typing import Any

import pytest

from helpdesk.testing.plugins import modules

_FOLDER = Path(__file__).parent
# What stands there is about the core: its desk is made in a quarter of the time that one with all plugins takes.
_ALONE = {"core", "web"}


@pytest.fixture
def desk_plugins(request: pytest.FixtureRequest) -> dict[str, Any] | None:
    """In `core` and `web` none, elsewhere all that come along. ``pytest.mark.plugins("email")`` names others.

    Without names the mark lets all in.
    """
    mark = request.node.get_closest_marker("plugins")
    if mark is not None:
        return modules(list(mark.args)) if mark.args else None
    return {} if request.path.relative_to(_FOLDER).parts[0] in _ALONE else None
