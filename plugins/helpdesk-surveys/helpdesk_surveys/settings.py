"""What an owner sets for surveys."""

from dataclasses import dataclass

from helpdesk.api import SettingsGroup, hookimpl, setting
from helpdesk.api import lazy_gettext as _l


@dataclass(frozen=True)
class SurveySettings:
    """How often people are asked, whatever survey it is, and what keeps them from being asked."""

    cap_most: int = setting(
        1,
        _l("Surveys for one person"),
        _l("Nobody is sent more than these within the days below, over all surveys."),
        minimum=1,
        maximum=100,
    )
    cap_days: int = setting(
        30, _l("Days in which they are counted"), _l("For the number above."), minimum=1, maximum=3_650
    )
    complaint_tag: str = setting(
        "complaint",
        _l("Tag of complaints"),
        _l("Who has an open ticket with this tag is asked nothing. Empty: there is no such tag."),
    )
    low_days: int = setting(
        90,
        _l("Days after a low answer"),
        _l("So long nothing is recommended to a customer who was dissatisfied."),
        minimum=1,
        maximum=3_650,
    )
    act_minutes: int = setting(
        5,
        _l("Act so many minutes after an answer"),
        _l("So that a comment which is written after the click stands in the follow-up."),
        minimum=0,
        maximum=1_440,
    )
    small_group: int = setting(
        10,
        _l("Small groups"),
        _l("Figures from fewer answers than this are marked as such."),
        minimum=2,
        maximum=1_000,
    )
    link_most: int = setting(
        300,
        _l("Answers by a link for everybody"),
        _l("Within ten minutes no more are taken in, should a program send them; 20 from one address."),
        minimum=10,
        maximum=100_000,
    )


@hookimpl
def register_settings() -> list[SettingsGroup]:
    """The cap for each person, complaints, when answers are acted on, small groups, floods."""
    return [
        SettingsGroup(
            "surveys", _l("Surveys"), SurveySettings, _l("How often people are asked, and what becomes of answers.")
        )
    ]
