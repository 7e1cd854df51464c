"""The nightly look at the record (a job), and what its last one found."""

import logging
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from helpdesk.core.audit.linking import link_new
from helpdesk.core.audit.verifying import Verdict, verify
from helpdesk.core.extensions import db
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import Job
from helpdesk.core.models.job import DONE

log = logging.getLogger(__name__)

JOB = "core.verify_audit"
TIME_LIMIT = timedelta(hours=1)


def check(work: Work) -> dict[str, Any]:
    """Link what is new, and verify all of it, against what the last night has found."""
    link_new(most=1_000_000, whole=True)

    def tell(checked: int) -> None:
        with work.step(done=checked):
            pass

    verdict = verify(last().get("anchor", ""), tell)
    if verdict.broken:
        log.error("The record of administrative acts is broken at link %s: %s", verdict.at_link, verdict.broken)
    if verdict.unguarded:
        log.error("Triggers that keep the record of administrative acts are missing: %s", ", ".join(verdict.unguarded))
    return result(verdict)


def result(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON."""
    return {
        "links": verdict.links,
        "erased": verdict.erased,
        "unlinked": verdict.unlinked,
        "anchor": verdict.anchor,
        "broken": verdict.broken,
        "at_link": verdict.at_link,
        "unguarded": list(verdict.unguarded),
    }


def last() -> dict[str, Any]:
    """What the last look has found, with the moment under ``at``; nothing before the first. One query."""
    query = select(Job.result, Job.finished_at).where(Job.name == JOB, Job.state == DONE)
    row = db.session.execute(query.order_by(Job.id.desc()).limit(1)).one_or_none()
    return {**(row.result or {}), "at": row.finished_at} if row is not None else {}
