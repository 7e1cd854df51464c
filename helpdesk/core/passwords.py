"""Passwords: which may be chosen, and how they are kept (argon2id, RFC 9106)."""

import re
import secrets
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app
from flask_babel import gettext as _

from helpdesk.core.account_errors import AccountError

SHORTEST, LONGEST = 10, 1024
# What most passwords that others guess first are made of.
_COMMON = frozenset(
    """
    abc abcd access account admin administrator agent amanda america andrea andrew angel angels anthony apple asdf
    ashley asshole august austin autumn awesome babe baby babygirl bailey banana barcelona baseball basketball batman
    beautiful beauty beer best biteme bitch blessed blue bond boy brandon buster butterfly casino change changeme
    charlie chelsea chicken chocolate chris christian company computer cookie cool corvette cowboy cowboys dallas dan
    daniel danielle david december default desk diamond dog dolphin dragon eagle eagles elephant elizabeth england
    family february ferrari fish flower flowers football for forever freedom friday friend friends fuck fucking fuckme
    fuckoff fuckyou george ginger girl girls god golf google great green guitar hannah hammer happy hardcore harley
    hate heart heaven hello help helpdesk her hockey hollywood home honda honey hottie hunter ice iceman iloveu
    iloveyou internet iron is jackson james january jasmine jason jennifer jessica jesus john jonathan jordan joseph
    joshua july june junior justin killer king kitty lady lakers letmein liverpool log login london lovely love lovely
    lover loveyou lucky maggie magic man manchester manager march maria marina marine marlboro martin master matrix
    matthew maverick me melissa mercedes michael michelle mike milan mine money monday monkey monster mother mountain
    mustang my nascar natasha new newyork nicholas nicole ninja nirvana none november number october of office one
    online orange pass passion passw passwd passwort password patricia patrick peace peanut pepper player please pokemon
    porsche power princess purple pussy qaz qwe qwer qwert qwerty qwertz rabbit rachel rainbow ranger rangers raider
    raiders red richard robert rock rocket root rose russia samantha samsung samuel saturday sebastian secret secure
    security september service sex sexy shadow shop silver simple site slipknot smokey snoopy soccer spider spiderman
    spring star start stars starwars steelers stephanie steven strawberry success summer sun sunday sunflower sunshine
    super superman superstar support sweet sweetheart sweetie system tech temp temporary teresa test tester testing the
    thomas thunder thursday ticket tiger tigers tigger to trust trustno tuesday unicorn united unknown user vampire
    victoria victory viper warrior wednesday welcome whatever white william windows winner winter wizard wonderful word
    work world xbox yamaha yankees yellow you zaq zxc zxcv zxcvbn zxcvbnm
    """.split()
)
_LEET = str.maketrans("013457@$!", "oleastasi")
_ROWS = (
    "qwertyuiop",
    "qwertzuiop",
    "asdfghjkl",
    "zxcvbnm",
    "abcdefghijklmnopqrstuvwxyz",
    "1qaz2wsx3edc4rfv5tgb6yhn",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
)
_LONGEST_PIECE = 27


def check_rules(password: str, about: Iterable[str] = ()) -> None:
    """Raise :class:`AccountError` for a password that is too short, too long, or among the first that are guessed.

    ``about`` are names and addresses that somebody would try for this person. Nothing is asked of another machine.
    """
    if len(password) < SHORTEST:
        raise AccountError("password", _("Use %(number)s characters or more; several words are fine.", number=SHORTEST))
    if len(password) > LONGEST:
        raise AccountError("password", _("This password is too long; %(number)s characters fit.", number=LONGEST))
    if len(set(password)) < 4:
        raise AccountError("password", _("This password is too easy to guess; use more different characters."))
    if is_common(password):
        sentence = _("Many people use a password like this, so it is guessed first. Choose a few words of your own.")
        raise AccountError("password", sentence)
    if is_common(password, about):
        sentence = _(
            "This password is made of your name, your address or the name of this desk, so it is guessed first. Choose "
            "a few words of your own."
        )
        raise AccountError("password", sentence)


def is_common(password: str, about: Iterable[str] = ()) -> bool:
    """Whether a password is made of two common words at most, as often as you like, with digits and signs between.

    Common are also rows of keys, and what ``about`` names; a sign that resembles a letter counts as that letter.
    """
    own = {word for text in about for word in re.findall(r"[^\W\d_]{3,}", text.casefold())}
    folded = password.casefold()
    alike = folded.translate(_LEET)
    # Digits with a letter or two are dates and telephone numbers.
    few = sum(mark.isalpha() for mark in folded) < 3
    # The fewest different words by which the text up to each place can be told, if it can be.
    told: list[frozenset[str] | None] = [frozenset()]
    for end in range(1, len(folded) + 1):
        ways = [told[end - 1]] if few or not folded[end - 1].isalpha() else []
        for start in range(max(0, end - _LONGEST_PIECE), end - 1):
            before = told[start]
            word = _common_word((folded[start:end], alike[start:end]), own) if before is not None else None
            if before is not None and word is not None:
                ways.append(before | {word})
        told.append(min((way for way in ways if way is not None and len(way) <= 2), key=len, default=None))
    return told[-1] is not None


def _common_word(spellings: Iterable[str], own: set[str]) -> str | None:
    """What a piece counts as, or None when it is not common; all that is about the person is one word."""
    for piece in spellings:
        if piece in own:
            return ""
        if piece in _COMMON or _is_row(piece):
            return piece
    return None


def _is_row(piece: str) -> bool:
    return len(piece) > 2 and any(piece in row or piece in row[::-1] for row in _ROWS)


def hash_of(password: str) -> str:
    """What is kept of a password."""
    return hasher().hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether a password is the one that was kept. Without one it takes the same work, and is False."""
    decoy = _decoy()
    try:
        hasher().verify(stored or decoy, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return bool(stored)


def needs_rehash(stored: str) -> bool:
    """Whether a password was kept by weaker parameters than those of today."""
    return hasher().check_needs_rehash(stored)


def hasher() -> PasswordHasher:
    """The parameters of today; a test's desk has weak ones."""
    found: PasswordHasher = current_app.extensions.setdefault("helpdesk.hasher", PasswordHasher())
    return found


@cache
def _decoy_password() -> str:
    return secrets.token_urlsafe(16)


def _decoy() -> str:
    """What is compared where there is no account; made once, so that it costs an unknown address nothing more."""
    if "helpdesk.decoy" not in current_app.extensions:
        current_app.extensions["helpdesk.decoy"] = hash_of(_decoy_password())
    found: str = current_app.extensions["helpdesk.decoy"]
    return found
