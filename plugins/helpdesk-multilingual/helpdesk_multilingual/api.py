"""What other plugins may import: bring an engine, ask for a translation, tell a language.

``docs/plugins/howto/engine.md`` shows how an engine is brought.
"""

from helpdesk_multilingual.agents import readers
from helpdesk_multilingual.detection import Guess, detect
from helpdesk_multilingual.engines import EngineProblem, Late, NoEngine, Translation, translate
from helpdesk_multilingual.offering import Engine, EngineFault

__all__ = [
    "Engine",
    "EngineFault",
    "EngineProblem",
    "Guess",
    "Late",
    "NoEngine",
    "Translation",
    "detect",
    "readers",
    "translate",
]
