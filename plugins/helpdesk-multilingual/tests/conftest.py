"""What most tests begin with: a stand-in for LibreTranslate, a customer who writes Spanish, agents with languages."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpdesk_multilingual import agents
from helpdesk_multilingual import libretranslate as engine
from helpdesk_multilingual.settings import MultilingualSettings

from helpdesk.api import RequestSettings, Ticket, User

ES = "No me ha llegado el pedido y ya han pasado dos semanas."

_spec = importlib.util.spec_from_file_location("stand_in", Path(__file__).with_name("stand_in.py"))
assert _spec is not None and _spec.loader is not None
stand_in = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(stand_in)


@pytest.fixture
def libretranslate(app: Any, configure: Any) -> Iterator[Any]:
    """A server that speaks LibreTranslate's interface, set up as the desk's; given up after three seconds."""
    server = stand_in.LibreTranslate()
    engine.forget_languages()
    configure(RequestSettings, own_servers=f"127.0.0.1:{server.port}")
    configure(MultilingualSettings, libretranslate_url=server.url, seconds=3, apertium=False)
    yield server
    server.stop()


@pytest.fixture
def speaks(make_user: Any) -> Callable[..., User]:
    """An agent with languages: ``speaks("es", "fr")``; with levels ``speaks(es="basic")``."""

    def make(*codes: str, name: str = "", **levels: str) -> User:
        agent: User = make_user("agent", **({"name": name} if name else {}))
        agents.save(agent, {**dict.fromkeys(codes, "good"), **levels}, agent)
        return agent

    return make


@pytest.fixture
def mia(make_user: Any) -> User:
    """An agent."""
    found: User = make_user("agent", name="Mia Sorel")
    return found


@pytest.fixture
def lucia(make_user: Any) -> User:
    """A customer."""
    found: User = make_user(name="Lucía Ferrer", email="lucia@customer.example")
    return found


@pytest.fixture
def ticket(make_ticket: Any, lucia: User) -> Ticket:
    """What she wrote."""
    found: Ticket = make_ticket("Pedido", ES, requester=lucia)
    return found
