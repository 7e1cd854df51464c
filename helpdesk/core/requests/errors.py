"""Why a request has no answer. The text of each is a sentence for people."""


class FetchFailed(Exception):
    """There is no answer that can be used."""


class FetchRefused(FetchFailed):
    """The desk does not ask at this address; nothing was sent."""


class FetchUnreached(FetchFailed):
    """There is no connection to the server."""


class FetchLate(FetchFailed):
    """All of it has taken too long."""
