"""How many answers come by a link for everybody: floods are slowed down, and a blocked one writes nothing."""

from helpdesk.api import Refused, network_of, settings, within_limit
from helpdesk.api import gettext as _
from helpdesk_surveys.models import Survey
from helpdesk_surveys.settings import SurveySettings

# From one network address within ten minutes.
MOST_OF_ONE = 20


def pass_gates(survey: Survey, address: str) -> None:
    """Count one more answer by the link, from an address and in all. Raises :class:`Refused` when there are too many.

    Inside the transaction of the answer: what is refused is taken back, the count as well.
    """
    kind = f"surveys.link.{survey.id}"
    of_one = not address or within_limit(kind, network_of(address), MOST_OF_ONE)
    if not of_one or not within_limit(kind, "all", settings(SurveySettings).link_most):
        raise Refused(_("Too many answers came in a short time. Wait ten minutes, then send yours again."))
