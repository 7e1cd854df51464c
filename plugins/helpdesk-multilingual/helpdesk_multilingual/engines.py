"""Translating: which engine is asked, for how long, what it may answer, and what is said when none has an answer."""

import logging
import re
import threading
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from flask import current_app
from sqlalchemy import select

from helpdesk.api import User, audit, cached, collect, db, drop_cached, html_to_text, require, settings, transaction
from helpdesk.api import gettext as _
from helpdesk_multilingual import apertium, engine_health, glossary, languages, libretranslate, memory
from helpdesk_multilingual.models import EngineState, PairOrder
from helpdesk_multilingual.offering import Engine, EngineFault
from helpdesk_multilingual.permissions import ENGINES
from helpdesk_multilingual.protection import Protected, Warning, protect
from helpdesk_multilingual.settings import MultilingualSettings

__all__ = [
    "EngineProblem",
    "EngineRow",
    "Late",
    "NoEngine",
    "Translation",
    "Trial",
    "check",
    "forget_order",
    "label_of",
    "listed",
    "order_of",
    "orders",
    "save_order",
    "translate",
    "try_out",
    "wake",
]

log = logging.getLogger(__name__)
MEMORY, VARIANT = "memory", "variant"
# A longer text is not translated at all.
LONGEST = 100_000
_BETWEEN = re.compile(r"(\n[^\S\n]*\n\s*)")
_PAGE = re.compile(r"<(!doctype|html|head|body|script)\b", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_LETTERS = re.compile(r"[^\W\d_]")
# How much longer than the original a translation may be.
_TIMES, _MORE = 6, 200
_SAME_LETTERS = 20


class EngineProblem(Exception):
    """There is no translation; the text is a sentence for people."""


class NoEngine(EngineProblem):
    """No engine has this pair of languages, or none of them answers."""


class Late(EngineProblem):
    """The time was over before there was an answer."""


@dataclass(frozen=True)
class Translation:
    """What came of it: one text for each, who made them ("memory" where nobody was asked), and what to look at."""

    texts: Sequence[str]
    engine: str = ""
    warnings: Sequence[Warning] = field(default_factory=tuple)


@dataclass(frozen=True)
class EngineRow:
    """An engine as its room shows it. ``problem``: why it cannot be asked now."""

    key: str
    label: str
    available: bool
    problem: str = ""
    state: EngineState | None = None
    pairs: str = ""


@dataclass(frozen=True)
class Trial:
    """What came of trying an engine out."""

    text: str = ""
    milliseconds: int = 0
    problem: str = ""


# ---- translating


def translate(texts: Sequence[str], source: str, target: str, seconds: float | None = None) -> Translation:
    """Translate texts, from ``source`` into ``target``, within ``seconds`` (the settings' if not given) for all.

    Paragraphs that the memory knows come from there. The rest goes to the engines of the pair, one after the other,
    with numbers, links, code and words of the glossary protected. Call it outside transactions. An engine's fault
    never comes through: raises :class:`NoEngine` or :class:`Late`, each with one sentence.
    """
    until = time.monotonic() + (settings(MultilingualSettings).seconds if seconds is None else seconds)
    if languages.same(source, target):
        return Translation(list(texts))
    if sum(len(text) for text in texts) > LONGEST:
        raise NoEngine(_("This text is too long to be translated. The original can be sent as it is."))
    pieces = [_BETWEEN.split(text) for text in texts]
    wanted = {part.strip(): "" for some in pieces for part in some if part.strip()}
    order = order_of(source, target)
    pairs = memory.exact(list(wanted), source, target) if MEMORY in order else {}
    known, used = {part: pair.translation for part, pair in pairs.items()}, [pair.id for pair in pairs.values()]
    terms = glossary.terms_for(source, target)
    kept = {part: protect(part, terms) for part in wanted if part not in known}
    asked = {part: one for part, one in kept.items() if one.has_words}
    key, said = _first(order, list(asked.values()), source, target, until) if asked else (MEMORY if known else "", [])
    answers = dict(zip(asked, said, strict=True))
    warnings: list[Warning] = []
    for part in wanted:
        if part in known:
            wanted[part] = known[part]
        else:
            wanted[part], found = kept[part].restore(answers.get(part, kept[part].text))
            warnings += found
    if used:
        memory.count_use(used)
    done = ["".join(_around(part, wanted.get(part.strip(), "")) for part in some) for some in pieces]
    return Translation(done, key, warnings[:20])


def _around(part: str, text: str) -> str:
    """A translated part with the spaces that stood around the original."""
    bare = part.strip()
    return part.replace(bare, text, 1) if bare else part


def _first(order: Sequence[str], parts: Sequence[Protected], source: str, target: str, until: float) -> Any:
    """The first engine that has an answer, and the answer. Raises NoEngine and Late."""
    engines, states = _engines(), engine_health.states()
    problems: list[str] = []
    is_late = False
    whole = until - time.monotonic()
    for key in order:
        engine = engines.get(key)
        if engine is None or not _has(engine, source, target, until - time.monotonic()):
            continue
        left = until - time.monotonic()
        if left <= 0.05:
            is_late = True
            break
        if engine_health.rests(states.get(key)):
            problems.append(_("%(engine)s rests after several failures.", engine=str(engine.label)))
            continue
        try:
            texts = [part.text for part in parts]
            return key, _of_engine(engine, texts, source, target, left, states.get(key), whole=whole)
        except EngineFault as fault:
            is_late = is_late or fault.late
            problems.append(_("%(engine)s: %(reason)s", engine=str(engine.label), reason=str(fault)))
    if is_late:
        raise Late(_("The translation took too long. Try it again, or send the original."))
    if problems:
        raise NoEngine(_("There is no translation now. %(reasons)s", reasons=" ".join(problems)))
    names = {"source": languages.name_of(source), "target": languages.name_of(target)}
    raise NoEngine(_("No engine translates from %(source)s into %(target)s.", **names))


def _of_engine(
    engine: Engine,
    texts: Sequence[str],
    source: str,
    target: str,
    seconds: float,
    state: EngineState | None,
    *,
    whole: float = 0.0,
) -> list[str]:
    """One engine's answer, checked; how it did is noted. ``whole``: what was left for all. Raises EngineFault."""
    # What was read so far ends: nobody keeps a connection of the database while somebody else is waited for.
    db.session.rollback()
    begin = time.monotonic()
    try:
        said = _answer(engine, texts, source, target, seconds)
        found = [_usable(text, answer) for text, answer in zip(texts, said, strict=True)]
    except EngineFault as fault:
        # Late with what another one had left of the time says nothing, nor does a text that does not suit it.
        if not fault.healthy and not (fault.late and seconds < whole / 2):
            engine_health.failed(engine.key, str(fault))
        raise
    engine_health.worked(engine.key, state, int((time.monotonic() - begin) * 1000))
    return found


def _answer(engine: Engine, texts: Sequence[str], source: str, target: str, seconds: float) -> Sequence[Any]:
    said: Sequence[Any]
    try:
        if engine.key in (libretranslate.KEY, apertium.KEY):
            said = list(engine.translate(texts, source, target, seconds))
        else:
            said = _within(seconds, engine, texts, source, target)
    except EngineFault:
        raise
    except Exception as error:
        log.exception("The engine %s failed.", engine.key)
        raise EngineFault(_("It failed; the log says how.")) from error
    if len(said) != len(texts):
        raise EngineFault(_("It answered with another number of texts."))
    return said


def _within(seconds: float, engine: Engine, texts: Sequence[str], source: str, target: str) -> Sequence[Any]:
    """What somebody else's engine says, in a thread of its own: one that does not keep its time is not waited for."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    found: list[Any] = []

    def run() -> None:
        with app.app_context():
            try:
                # Also one that is made while it is read, and has no end.
                found.append(list(islice(engine.translate(texts, source, target, seconds), len(texts) + 1)))
            except Exception as error:
                found.append(error)

    thread = threading.Thread(target=run, name=f"engine-{engine.key}", daemon=True)
    thread.start()
    thread.join(seconds)
    if not found:
        raise EngineFault(_("It took too long."), late=True)
    if isinstance(found[0], Exception):
        raise found[0]
    said: Sequence[Any] = found[0]
    return said


def _usable(text: str, answer: Any) -> str:
    """An answer that may be shown. Raises EngineFault for nothing, a page, the same, or far too much."""
    if not isinstance(answer, str):
        raise EngineFault(_("Its answer is not a text."))
    answer = answer.replace("\r\n", "\n").replace("\0", "").encode("utf-8", "replace").decode()
    if _PAGE.search(answer) and not _PAGE.search(text):
        raise EngineFault(_("It answered with a page instead of a translation. Check its address."))
    if _TAG.search(answer) and not _TAG.search(text):
        answer = html_to_text(answer)
    if not answer.strip():
        raise EngineFault(_("Its answer is empty."))
    if len(answer) > len(text) * _TIMES + _MORE:
        raise EngineFault(_("Its answer is far too long."))
    if answer.strip() == text.strip() and len(_LETTERS.findall(text)) >= _SAME_LETTERS:
        raise EngineFault(_("It gave the text back as it was."), healthy=True)
    return answer


# ---- which engines there are


def listed() -> list[EngineRow]:
    """Every engine with how it does. One query."""
    states = engine_health.states()
    rows = [EngineRow(MEMORY, label_of(MEMORY), True)]
    return rows + [_row(engine, states.get(engine.key)) for engine in _engines(also_idle=True).values()]


def label_of(key: str) -> str:
    """What an engine is called; its key where it is gone."""
    own = {MEMORY: _("Memory"), VARIANT: _("Canned response")}
    if key in own:
        return own[key]
    engine = _engines(also_idle=True).get(key)
    return str(engine.label) if engine is not None else key


def check(key: str, actor: User) -> EngineRow:
    """Ask an engine whether it is there; one that rests is asked again from now on. Outside transactions.

    Raises NotAllowed, and LookupError for an engine that there is not.
    """
    require(actor, ENGINES)
    if key == MEMORY:
        return EngineRow(MEMORY, label_of(MEMORY), True)
    engine, begin = _engines(also_idle=True)[key], time.monotonic()
    try:
        if not _is_ready(engine):
            raise EngineFault(_("It is not set up: see the settings."))
        engine.check()
    except EngineFault as fault:
        engine_health.failed(key, str(fault))
        return _row(engine, None, str(fault))
    except Exception as error:
        log.exception("The engine %s failed.", key)
        sentence = _("It failed; the log says how.")
        engine_health.failed(key, f"{sentence} {type(error).__name__}")
        return _row(engine, None, sentence)
    wake(key, actor)
    engine_health.worked(key, None, int((time.monotonic() - begin) * 1000))
    return _row(engine, engine_health.states().get(key))


def wake(key: str, actor: User) -> None:
    """Let an engine that rests be asked again. Joins or opens the transaction. Raises NotAllowed."""
    require(actor, ENGINES)
    with transaction():
        state = db.session.get(EngineState, key)
        if state is not None:
            state.failures, state.open_until = 0, None


def try_out(key: str, text: str, source: str, target: str) -> Trial:
    """What one engine makes of a text, by itself. Outside transactions; nothing is kept but how it did."""
    begin = time.monotonic()
    if key == MEMORY:
        hits = memory.look_up(text, source, target, limit=1)
        spent = int((time.monotonic() - begin) * 1000)
        if not hits:
            return Trial(problem=_("The memory has nothing like it."))
        return Trial(hits[0].pair.translation, spent)
    engine = _engines(also_idle=True).get(key)
    if engine is None or not _is_ready(engine):
        return Trial(problem=_("It is not set up: see the settings."))
    kept = protect(text, glossary.terms_for(source, target))
    limit = settings(MultilingualSettings).seconds
    try:
        (said,) = _of_engine(engine, [kept.text], source, target, limit, engine_health.states().get(key))
    except EngineFault as fault:
        return Trial(problem=str(fault), milliseconds=int((time.monotonic() - begin) * 1000))
    return Trial(kept.restore(said)[0], int((time.monotonic() - begin) * 1000))


# ---- their order


def order_of(source: str, target: str) -> list[str]:
    """The keys of the engines in the order in which they are asked for a pair ("": any). No query while it stays."""
    kept = {(one, other): keys for one, other, keys in cached("multilingual:orders", _load_orders)}
    for pair in _wider(source, target):
        if pair in kept:
            return list(kept[pair])
    return [MEMORY, *_engines(also_idle=True)]


def orders() -> Sequence[PairOrder]:
    """The orders that were saved, by languages."""
    return db.session.scalars(select(PairOrder).order_by(PairOrder.source, PairOrder.target)).all()


def save_order(source: str, target: str, keys: Sequence[str], actor: User) -> None:
    """Ask these engines for a pair of languages ("": any), in this order. Joins or opens; audited.

    Raises NotAllowed.
    """
    require(actor, ENGINES)
    with transaction():
        db.session.merge(PairOrder(source=source, target=target, engines=list(dict.fromkeys(keys))))
        audit("multilingual.order_saved", actor, _pair_words(source, target), {"engines": list(keys)})
        drop_cached()


def forget_order(source: str, target: str, actor: User) -> None:
    """A pair of languages goes back to the usual order. Joins or opens; audited. Raises NotAllowed."""
    require(actor, ENGINES)
    with transaction():
        row = db.session.get(PairOrder, (source, target))
        if row is not None:
            db.session.delete(row)
            audit("multilingual.order_dropped", actor, _pair_words(source, target))
            drop_cached()


def _pair_words(source: str, target: str) -> str:
    return f"{source or '*'} - {target or '*'}"


def _wider(source: str, target: str) -> Iterable[tuple[str, str]]:
    begins = dict.fromkeys((source, languages.base(source), ""))
    ends = dict.fromkeys((target, languages.base(target), ""))
    return [(begin, end) for begin in begins for end in ends]


def _load_orders() -> Sequence[tuple[str, str, tuple[str, ...]]]:
    return [(row.source, row.target, tuple(row.engines or ())) for row in orders()]


def _engines(*, also_idle: bool = False) -> dict[str, Engine]:
    brought = [one for one in collect("multilingual_engines") if isinstance(one, Engine)]
    every = [libretranslate.engine(), apertium.engine(), *brought]
    return {engine.key: engine for engine in every if also_idle or _is_ready(engine)}


def _is_ready(engine: Engine) -> bool:
    try:
        return bool(engine.is_ready())
    except Exception:
        log.exception("The engine %s does not say whether it is ready.", engine.key)
        return False


def _has(engine: Engine, source: str, target: str, seconds: float) -> bool:
    """Whether an engine may have a pair; one that cannot say is asked."""
    pairs: Collection[tuple[str, str]] | None
    try:
        if engine.key == apertium.KEY:
            pairs = apertium.pairs_within(seconds)
        else:
            pairs = engine.pairs() if engine.key != libretranslate.KEY else None
    except Exception:
        log.exception("The engine %s does not say which languages it has.", engine.key)
        return False
    if pairs is None:
        return True
    begin, end = languages.base(source), languages.base(target)
    return any(one in (source, begin) and other in (target, end) for one, other in pairs)


def _row(engine: Engine, state: EngineState | None, problem: str = "") -> EngineRow:
    is_ready = _is_ready(engine)
    if not problem and not is_ready:
        problem = _("It is not set up: see the settings.")
    if not problem and engine_health.rests(state):
        problem = _("It rests after several failures: %(reason)s", reason=state.last_error if state else "")
    try:
        pairs = engine.pairs() if is_ready else ()
    except Exception:
        log.exception("The engine %s does not say which languages it has.", engine.key)
        pairs = ()
    shown = ", ".join(sorted(f"{source}-{target}" for source, target in (pairs or ()))[:40])
    return EngineRow(engine.key, str(engine.label), not problem, problem, state, shown)
