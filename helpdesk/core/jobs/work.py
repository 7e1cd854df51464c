"""What a job in steps is given: where it goes on, and the short transactions in which it writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from helpdesk.core.jobs import claims
from helpdesk.core.jobs.claims import Claim, LeaseLost
from helpdesk.core.transaction import transaction

__all__ = ["Cancelled", "LeaseLost", "Work"]


class Cancelled(Exception):
    """Somebody wants the job stopped; let it pass, after tidying up. What earlier steps wrote stays."""


class Work:
    """One run of a job that works in steps. It computes and waits outside transactions, and writes inside them.

    ``checkpoint`` is what the last finished step left (None at the first begin), so that a run after a kill, an error
    or a restart goes on from there. ``attempt`` counts the runs, this one as well.
    """

    def __init__(self, claim: Claim) -> None:
        self.job_id = claim.id
        self.name = claim.name
        self.attempt = claim.attempt
        self.checkpoint = claim.checkpoint
        self.ended = False
        self._claim = claim

    @contextmanager
    def step(
        self, *, checkpoint: dict[str, Any] | None = None, done: int | None = None, total: int | None = None
    ) -> Iterator[None]:
        """A short write transaction: what the block writes and how far the job is, together or not at all.

        ``checkpoint`` (JSON) is kept when it is given; ``done`` of ``total`` is what people see.

        Raises :class:`LeaseLost` when another worker may have the job, and :class:`Cancelled` when somebody wants it
        stopped; nothing of the block is written then.
        """
        kept: dict[str, Any] = {"checkpoint": checkpoint, "progress_done": done, "progress_total": total}
        values = {column: value for column, value in kept.items() if value is not None}
        with transaction():
            self.heed()
            yield
            if not claims.checkpoint(self._claim, **values):
                raise LeaseLost(self.name)
        if checkpoint is not None:
            self.checkpoint = checkpoint

    @contextmanager
    def last_step(self, result: dict[str, Any] | None = None) -> Iterator[None]:
        """The transaction that ends the job: what the block writes, and that it is done, together or not at all.

        ``result`` (JSON) is kept with the job. Return after it. Raises as :meth:`step`.
        """
        with transaction():
            self.heed()
            yield
            claims.finish(self._claim, result)
        self.ended = True

    def heed(self) -> None:
        """Raise :class:`LeaseLost` or :class:`Cancelled` when there is cause: for long stretches between steps."""
        if claims.is_cancelled(self._claim):
            raise Cancelled(self.name)
