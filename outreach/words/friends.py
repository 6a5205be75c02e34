"""News about the friends somebody sent."""

from django.utils.translation import gettext_noop as _

from outreach.kinds import Kind
from outreach.words.wording import Wording

WORDS = {
    Kind.FRIEND_CLAIMED: Wording(
        subject=_("{{ friend }} took your gift"),
        body=_(
            "Hello {{ name }},\n\n"
            "{{ friend }} took the gift you sent. That was kind of you.\n\n"
            "{% if you_get %}When they buy, there is a thank-you for you: {{ you_get }}. {% endif %}"
            "We tell you when it happens."
        ),
        button=_("See how your friends are doing"),
        sms=_(
            "{{ friend }} took your gift.{% if you_get %} When they buy, you get {{ you_get }}.{% endif %} See more:"
        ),
        script=_(
            "Hello {{ name }}, {{ friend }} took the gift you sent. Thank you!"
            "{% if you_get %} When they buy, you get {{ you_get }}.{% endif %}"
        ),
    ),
    Kind.FRIEND_BOUGHT: Wording(
        subject=_("{{ friend }} has bought, thanks to you"),
        body=_(
            "Hello {{ name }},\n\n"
            "{{ friend }} has bought at {{ store }} because of you. Thank you!\n\n"
            "{% if you_get %}Your thank-you is {{ you_get }}. {% endif %}"
            "{% if counts_on %}It counts from {{ counts_on }}, when the time for returns is over."
            "{% else %}It counts when the time for returns is over.{% endif %}"
        ),
        button=_("See how your friends are doing"),
        sms=_(
            "{{ friend }} has bought because of you. Thank you!"
            "{% if you_get %} Yours: {{ you_get }}{% if counts_on %}, from "
            "{{ counts_on }}{% endif %}.{% endif %} See more:"
        ),
        script=_(
            "Hello {{ name }}, {{ friend }} has bought at {{ store }} because of you. Thank you!"
            "{% if you_get %} You get {{ you_get }}{% if counts_on %}, from {{ counts_on }} on{% endif %}.{% endif %}"
        ),
    ),
    Kind.FRIEND_APPROVED: Wording(
        subject=_("It counts: {{ friend }} is with us because of you"),
        body=_(
            "Hello {{ name }},\n\n"
            "The purchase of {{ friend }} counts now. Thank you for the good word!\n\n"
            "{% if friends > 1 %}You have brought us {{ friends }} friends so far.{% endif %}"
        ),
        button=_("See how your friends are doing"),
        sms=_(
            "the purchase of {{ friend }} counts now. Thank you!"
            "{% if friends > 1 %} That makes {{ friends }} friends.{% endif %} See more:"
        ),
        script=_(
            "Hello {{ name }}, the purchase of {{ friend }} counts now. Thank you for the good word!"
            "{% if friends > 1 %} You have brought us {{ friends }} friends so far.{% endif %}"
        ),
    ),
    Kind.TIER_REACHED: Wording(
        subject=_("{% if tier %}You reached {{ tier }}{% else %}You reached a new level{% endif %}"),
        body=_(
            "Hello {{ name }},\n\n"
            "{% if friends > 1 %}You have brought us {{ friends }} friends. {% endif %}"
            "{% if tier %}With that you are {{ tier }} at {{ store }}.{% else %}With that you reached a new "
            "level at {{ store }}.{% endif %} "
            "Thank you!"
            "{% if you_get %}\n\nFrom now on each friend who buys brings you {{ you_get }}.{% endif %}"
        ),
        button=_("See what you have reached"),
        sms=_(
            "{% if tier %}you reached {{ tier }}!{% else %}you reached a new level!{% endif %} Thank you."
            "{% if you_get %} Each friend now brings you {{ you_get }}.{% endif %} See more:"
        ),
        script=_(
            "Hello {{ name }}, {% if tier %}you reached {{ tier }}{% else %}you reached a new level{% endif %} "
            "at {{ store }}. Thank you!{% if you_get %} From now on each friend who buys brings you "
            "{{ you_get }}.{% endif %}"
        ),
    ),
    Kind.TIER_NEAR: Wording(
        subject=_(
            "{% if missing > 1 %}{{ missing }} more friends{% else %}One more friend{% endif %}"
            "{% if tier %} until {{ tier }}{% endif %}"
        ),
        body=_(
            "Hello {{ name }},\n\n"
            "{% if missing > 1 %}{{ missing }} more friends{% else %}One more friend{% endif %}, and "
            "{% if tier %}you are {{ tier }} at {{ store }}{% else %}you reach your next level at "
            "{{ store }}{% endif %}.\n\n"
            "Who would be glad of {{ friend_gets }} on a first order?"
        ),
        button=_("Send the gift"),
        sms=_(
            "{% if missing > 1 %}{{ missing }} more friends{% else %}one more friend{% endif %}"
            "{% if tier %} until {{ tier }}{% else %} until your next level{% endif %}. "
            "Your gift for them, {{ friend_gets }}:"
        ),
        script=_(
            "Hello {{ name }}, {% if missing > 1 %}{{ missing }} more friends{% else %}one more friend{% endif %}, and "
            "{% if tier %}you are {{ tier }}{% else %}you reach your next level{% endif %}. "
            "With your code {{ code }} they get {{ friend_gets }} on their first order."
        ),
    ),
}
