"""What can be wrong with an account, as sentences for the person."""

from flask_babel import gettext as _


class AccountError(Exception):
    """Something about an account cannot be done; the text is a sentence for the person. ``field`` names the input."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class TooManyTries(AccountError):
    """Proving who one is has to wait, for this account or address; ``minutes`` says how long."""

    def __init__(self, minutes: int) -> None:
        super().__init__("password", _("Too many tries. Wait %(minutes)s minutes, then try again.", minutes=minutes))
        self.minutes = minutes
