"""Requests that the desk sends to web servers: by :func:`fetch`, and by nothing else."""

from helpdesk.core.requests.errors import FetchFailed, FetchLate, FetchRefused, FetchUnreached
from helpdesk.core.requests.fetching import Answer, fetch

__all__ = ["Answer", "FetchFailed", "FetchLate", "FetchRefused", "FetchUnreached", "fetch"]
