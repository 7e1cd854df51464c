"""Write what plugins rely on into tests/api/surface.txt (``python scripts/surface.py``); a test compares it.

Every name of ``helpdesk.api`` with its signature, fields or columns, and every hook. Who changes the file by this
program looks at the difference: what is added is a minor release; what is taken away or changed first lives on for one
release in ``helpdesk/plugins/deprecation.py``.
"""

import dataclasses
import enum
import inspect
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy.orm import DeclarativeBase

from helpdesk import api
from helpdesk.plugins import hookspecs

PLACE = Path(__file__).resolve().parent.parent / "tests" / "api" / "surface.txt"
# Where something stands inside the desk, or how Python names what it imports, is nobody's business.
_MODULES = re.compile(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z_])")


def surface() -> str:
    """The whole surface as text, one name after the other."""
    parts = ["Written by scripts/surface.py.", "", "# helpdesk.api"]
    for name in sorted(api.__all__):
        parts += ["", *_described(name, getattr(api, name))]
    parts += ["", "# Hooks"]
    for name, kind in sorted(hookspecs.KINDS.items()):
        arguments = ", ".join(inspect.signature(getattr(hookspecs, name)).parameters)
        parts += ["", f"{kind} {name}({arguments})"]
    return "\n".join(parts) + "\n"


def _described(name: str, thing: Any) -> Iterator[str]:
    if not inspect.isclass(thing):
        yield f"def {name}{_signature(thing)}" if callable(thing) else f"{name}: {type(thing).__name__}"
        return
    if dataclasses.is_dataclass(thing):
        frozen = " (frozen)" if thing.__dataclass_params__.frozen else ""  # type: ignore[attr-defined]
        yield f"dataclass {name}{frozen}"
        yield from (f"    {field.name}: {_type(field.type)}{_default(field)}" for field in dataclasses.fields(thing))
    elif issubclass(thing, DeclarativeBase) or hasattr(thing, "__mapper__"):
        yield f"row {name}"
        yield from (f"    {line}" for line in sorted(_columns(thing)))
    else:
        base = next(base.__name__ for base in thing.__mro__[1:] if base.__module__ == "builtins")
        yield f"class {name}({base}){_signature(thing) if thing.__init__ is not base else ''}"
    yield from sorted(_members(thing))


def _columns(row: Any) -> Iterator[str]:
    mapper = row.__mapper__
    for column in mapper.column_attrs:
        optional = " or None" if column.columns[0].nullable else ""
        yield f"{column.key}: {type(column.columns[0].type).__name__}{optional}"
    for other in mapper.relationships:
        yield f"{other.key}: {'list of ' if other.uselist else ''}{other.mapper.class_.__name__}"


def _members(thing: Any) -> Iterator[str]:
    """Its public methods and properties, as far as they are its own."""
    for owner in thing.__mro__:
        if not owner.__module__.startswith("helpdesk."):
            continue
        for name, member in vars(owner).items():
            if name.startswith("_") or name in ("metadata", "registry"):
                continue
            if isinstance(member, property):
                yield f"    {name} (property)"
            elif isinstance(member, types.FunctionType | classmethod | staticmethod):
                yield f"    def {name}{_signature(getattr(thing, name))}"


def _signature(thing: Any) -> str:
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return "(...)"
    parameters = [
        parameter.replace(annotation=_Shown(parameter.annotation), default=_Shown.of_default(parameter.default))
        if parameter.annotation is not parameter.empty
        else parameter.replace(default=_Shown.of_default(parameter.default))
        for parameter in signature.parameters.values()
    ]
    shown = str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))
    answers = signature.return_annotation
    return shown if answers is signature.empty else f"{shown} -> {_type(answers)}"


class _Shown(str):
    """A text that stands in a signature as it is."""

    def __new__(cls, thing: Any) -> "_Shown":
        return super().__new__(cls, _type(thing))

    def __repr__(self) -> str:
        return str(self)

    @classmethod
    def of_default(cls, value: Any) -> Any:
        if value is inspect.Parameter.empty or isinstance(value, str | int | float | None):
            return value
        return cls("..." if not isinstance(value, tuple | enum.Enum) else repr(value))


def _type(annotation: Any) -> str:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return _MODULES.sub("", text)


def _default(field: "dataclasses.Field[Any]") -> str:
    if field.default is not dataclasses.MISSING:
        value = field.default
        plain = isinstance(value, str | int | float | bool | tuple | None)
        return f" = {value!r}" if plain else " = ..."
    return " = new" if field.default_factory is not dataclasses.MISSING else ""


if __name__ == "__main__":
    PLACE.write_text(surface(), "utf-8")
    print(PLACE.name)
