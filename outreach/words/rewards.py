"""Rewards and gifts: ready, ending, taken back."""

from django.utils.translation import gettext_noop as _

from outreach.kinds import Kind
from outreach.words.wording import Wording

WORDS = {
    Kind.REWARD: Wording(
        subject=_("Your reward is ready: {{ gift }}"),
        body=_(
            "Hello {{ name }},\n\n"
            "{% if friend %}{{ friend }} bought at {{ store }} because of you. Thank you! This is yours:"
            "{% elif contest and place %}{{ contest }} is over, and you came in place {{ place }}. "
            "Thank you for every friend you sent! This is yours:"
            "{% else %}Thank you for your first order at {{ store }}. Your gift is ready:{% endif %}"
            "{% if settled %}\n\nOf this, {{ settled }} made up for an earlier reward whose purchase was sent back; "
            "the rest is all yours.{% endif %}"
        ),
        button=_("See your reward"),
        sms=_(
            "{% if friend %}{{ friend }} bought because of you. Thank you! Yours: {{ gift }}."
            "{% elif contest and place %}{{ contest }} is over, you came in place {{ place }}. Yours: {{ gift }}."
            "{% else %}your gift is ready: {{ gift }}.{% endif %}"
            "{% if code %} Say this code when you pay: {{ code }}.{% endif %}"
            "{% if until %} Good until {{ until }}.{% endif %}"
        ),
        script=_(
            "Hello {{ name }}, {% if friend %}{{ friend }} bought at {{ store }} because of you. Thank you! "
            "{% elif contest and place %}{{ contest }} is over, and you came in place {{ place }}. "
            "{% else %}thank you for your first order. {% endif %}{{ gift }} is yours"
            "{% if code %}: say the code {{ code }} when you pay{% endif %}."
            "{% if until %} It is good until {{ until }}.{% endif %}"
        ),
    ),
    Kind.REWARD_EXPIRING: Wording(
        subject=_(
            "{% if until %}{{ gift }}: yours until {{ until }}{% else %}{{ gift }}: yours a little longer{% endif %}"
        ),
        body=_(
            "Hello {{ name }},\n\n"
            "You earned a reward at {{ store }}. It ends soon, and it would be a pity to lose it.\n\n"
            "Is there something you need anyway? Here it is once more:"
        ),
        button=_("See your reward"),
        sms=_(
            "your reward, {{ gift }}, is still waiting{% if until %} until {{ until }}{% endif %}."
            "{% if code %} Say this code when you pay: {{ code }}.{% endif %}"
        ),
        script=_(
            "Hello {{ name }}, your reward, {{ gift }}, is still waiting{% if until %} until {{ until }}{% endif %}."
            "{% if code %} Say the code {{ code }} when you pay.{% endif %}"
        ),
    ),
    Kind.REWARD_VOIDED: Wording(
        subject=_("About your reward: {{ gift }}"),
        body=_(
            "Hello {{ name }},\n\n"
            "We had promised you {{ gift }} for a friend’s purchase. "
            "{% if left %}It had to become smaller{% if why %}: {{ why }}{% endif %}. You keep {{ left }}."
            "{% else %}We had to take it back{% if why %}: {{ why }}{% endif %}.{% endif %}\n\n"
            "That is nobody’s fault, least of all yours. If you think it is a mistake, tell us: our address is below."
        ),
        button=_("See your rewards"),
        sms=_(
            "{% if left %}your reward, {{ gift }}, had to become smaller{% if why %}: {{ why }}{% endif %}. "
            "More about it:"
            "{% else %}we had to take back your reward, {{ gift }}{% if why %}: {{ why }}{% endif %}. "
            "More about it:{% endif %}"
        ),
        script=_(
            "Hello {{ name }}, {% if left %}your reward, {{ gift }}, had to become smaller"
            "{% if why %}: {{ why }}{% endif %}. You keep {{ left }}. "
            "{% else %}we had to take back your reward, {{ gift }}{% if why %}: {{ why }}{% endif %}. {% endif %}"
            "It is not your fault. Is there something we should know?"
        ),
    ),
    Kind.GIFT: Wording(
        subject=_("Your gift from {{ friend }}: {{ gift }}"),
        body=_(
            "Hello {{ name }},\n\n{{ friend }} thought of you and sent you a gift for your first order at {{ store }}:"
        ),
        button=_("Go to the shop"),
        sms=_(
            "your gift is {{ gift }}.{% if code %} Say this code when you pay: {{ code }}.{% endif %}"
            "{% if until %} Good until {{ until }}.{% endif %}"
        ),
        script=_(
            "Hello {{ name }}, {{ friend }} sent you a gift for your first order at {{ store }}: {{ gift }}."
            "{% if code %} Say the code {{ code }} when you pay.{% endif %}{% if until %} It is good until "
            "{{ until }}.{% endif %}"
        ),
    ),
    Kind.GIFT_EXPIRING: Wording(
        subject=_(
            "{% if until %}Until {{ until }}: {{ gift }} from {{ friend }}"
            "{% else %}Still waiting: {{ gift }} from {{ friend }}{% endif %}"
        ),
        body=_(
            "Hello {{ name }},\n\n"
            "{{ friend }} sent you a gift for your first order at {{ store }}, and it ends soon. "
            "If you do not want it, you need not do anything.\n\n"
            "If you do, here it is:"
        ),
        button=_("Go to the shop"),
        sms=_(
            "the gift of {{ friend }}, {{ gift }}, is waiting{% if until %} until {{ until }}{% endif %}."
            "{% if code %} Say this code when you pay: {{ code }}.{% endif %}"
        ),
        script=_(
            "Hello {{ name }}, the gift of {{ friend }}, {{ gift }}, is still waiting"
            "{% if until %} until {{ until }}{% endif %}.{% if code %} Say the code {{ code }} when you pay.{% endif %}"
        ),
    ),
}
