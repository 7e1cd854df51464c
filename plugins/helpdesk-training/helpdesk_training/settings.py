"""What an owner sets for training."""

from dataclasses import dataclass

from helpdesk.api import SettingsGroup, hookimpl, setting
from helpdesk.api import lazy_gettext as _l


@dataclass(frozen=True)
class TrainingSettings:
    """When people are reminded, when their supervisors hear of it, and what is offered beside a ticket."""

    due_days: int = setting(
        14, _l("Days to take a course"), _l("Where nobody says when it is to be done."), minimum=1, maximum=730
    )
    remind_days: int = setting(3, _l("Remind so many days before"), _l("0: nobody is reminded."), minimum=0, maximum=90)
    escalate_days: int = setting(
        2,
        _l("Tell supervisors so many days after"),
        _l("When a course is late by so much, the supervisors of the person are told."),
        minimum=0,
        maximum=90,
    )
    offers: int = setting(
        3, _l("Lessons beside a ticket"), _l("So many are offered that fit its tags. 0: none."), minimum=0, maximum=10
    )
    keep_answers_days: int = setting(
        1_095,
        _l("Keep answers to quizzes"),
        _l("In days. Scores and certificates stay; what was answered goes after so long."),
        minimum=30,
        maximum=3_650,
    )


@hookimpl
def register_settings() -> list[SettingsGroup]:
    """Due dates, reminders, escalation, offers, retention."""
    return [
        SettingsGroup(
            "training", _l("Training"), TrainingSettings, _l("When courses are due, and who hears when they are late.")
        )
    ]
