"""What an owner sets for recommendations."""

from dataclasses import dataclass

from helpdesk.api import SettingsGroup, hookimpl, setting
from helpdesk.api import lazy_gettext as _l

SOLVED, ANSWERED = "solved", "answered"
ORDER, CUSTOMER = "order", "customer"


@dataclass(frozen=True)
class RecommendationSettings:
    """When nothing is suggested, how it is measured, and what is bought together."""

    moment: str = setting(
        SOLVED,
        _l("Earliest moment"),
        _l("Before it, nothing is suggested on a ticket."),
        choices=[
            (SOLVED, _l("When the ticket is solved")),
            (ANSWERED, _l("When the last word is the team's")),
        ],
    )
    most: int = setting(3, _l("Recommendations at once"), _l("On one ticket."), minimum=1, maximum=5)
    currency: str = setting(
        "EUR",
        _l("Usual currency"),
        _l("Its three letters. For customers of whom no order says another."),
        pattern="[A-Z]{3}",
    )
    consent_required: bool = setting(
        True,
        _l("Only with consent"),
        _l("Suggest something only to customers who have agreed to offers. Whoever wants no such mails is left alone."),
    )
    cooling_days: int = setting(
        30, _l("Days between two offers"), _l("For the same customer."), minimum=0, maximum=3_650
    )
    declined_days: int = setting(
        365,
        _l("Days after a refusal"),
        _l("So long a product is not suggested again to a customer who declined it."),
        minimum=1,
        maximum=3_650,
    )
    complaint_tag: str = setting(
        "complaint",
        _l("Tag of complaints"),
        _l("Whoever has an open ticket with this tag is suggested nothing. Empty: there is no such tag."),
    )
    complaint_type: str = setting(
        "", _l("Type of complaints"), _l("The key of a type of tickets that counts as a complaint. Empty: none.")
    )
    angry_words: str = setting(
        "",
        _l("More angry words"),
        _l("Besides those that are known for English and Chinese, with commas between them."),
    )
    offer_days: int = setting(
        14, _l("Days that an offer holds"), _l("With the price that was shown."), minimum=1, maximum=365
    )
    holdout: int = setting(
        10,
        _l("Held back, in percent"),
        _l("So many customers of each rule are not shown what it suggests, so that its effect can be seen."),
        minimum=0,
        maximum=50,
    )
    window_days: int = setting(
        30,
        _l("Days in which a purchase counts"),
        _l("From the suggestion on, for those who saw it and those who did not."),
        minimum=1,
        maximum=365,
    )
    enough: int = setting(
        30,
        _l("Customers for a figure"),
        _l("With fewer in one of the two groups, no effect is named, and no rule is stopped."),
        minimum=10,
        maximum=100_000,
    )
    basket: str = setting(
        ORDER,
        _l("Bought together means"),
        choices=[(ORDER, _l("In the same order")), (CUSTOMER, _l("By the same customer"))],
    )
    basket_days: int = setting(730, _l("Days of orders that are looked at"), minimum=1, maximum=36_500)
    basket_most: int = setting(
        100,
        _l("Products in a basket"),
        _l("Larger baskets, such as a dealer's, are left out."),
        minimum=2,
        maximum=1_000,
    )
    together_least: int = setting(
        5,
        _l("Least baskets"),
        _l("Two products count as bought together when they are together in so many."),
        minimum=2,
        maximum=1_000_000,
    )
    confidence_least: int = setting(
        10,
        _l("Least confidence, in percent"),
        _l("Of those who have the one, so many bought the other too."),
        minimum=1,
        maximum=100,
    )
    lift_least: int = setting(
        120,
        _l("Least lift, in percent"),
        _l("100: bought no more often than without the other one."),
        minimum=101,
        maximum=10_000,
    )


@hookimpl
def register_settings() -> list[SettingsGroup]:
    """When not to, prices, measuring, and what counts as bought together."""
    return [
        SettingsGroup(
            "upsell",
            _l("Recommendations"),
            RecommendationSettings,
            _l("When nothing is suggested, how the effect is measured, and what is bought together."),
        )
    ]
