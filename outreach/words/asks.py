"""Asks for a good word. The gain of the friend comes first.

Source: EFFECTIVENESS section 1: "good for your friend" wording brought 99 % more referrals than "good
for you", 30 % more than both side by side.
"""

from django.utils.translation import gettext_noop as _

from outreach.kinds import Kind
from outreach.words.wording import Wording

# On paper and at the counter there is no button: the code does it.
SCRIPT = _(
    "Hello {{ name }}, {% if note %}thank you for being our customer.{% else %}nice to have you with us.{% endif %} "
    "If somebody you like would enjoy {{ store }} too: with your code {{ code }} they get {{ friend_gets }} "
    "on their first order{% if you_get %}, and you get {{ you_get }} as our thank-you{% endif %}."
)

WORDS = {
    Kind.ASK: Wording(
        subject=_("A gift for a friend of yours: {{ friend_gets }}"),
        body=_(
            "Hello {{ name }},\n\n"
            "We hope you enjoy {% if product %}your {{ product }}{% else %}what you bought{% endif %}. "
            "Is there somebody you like who would enjoy {{ store }} too?\n\n"
            "Give them a good start: {{ friend_gets }} on their first order. It comes from you, not from us."
        ),
        button=_("Send the gift"),
        sms=_("a gift for a friend of yours: {{ friend_gets }}. Send it in one tap:"),
        script=_(
            "Hello {{ name }}, do you enjoy {% if product %}your {{ product }}{% else %}what you bought{% endif %}? "
            "If somebody you like would enjoy {{ store }} too: with your code {{ code }} they get {{ friend_gets }} "
            "on their first order{% if you_get %}, and you get {{ you_get }} as our thank-you{% endif %}."
        ),
    ),
    Kind.SHARE_REMINDER: Wording(
        subject=_("Your friend’s gift is still here: {{ friend_gets }}"),
        body=_(
            "Hello {{ name }},\n\n"
            "There is still a gift that you can pass on: {{ friend_gets }} on a friend’s first order at "
            "{{ store }}.\n\n"
            "Who came to your mind first? It takes one tap."
        ),
        button=_("Send the gift"),
        sms=_("your friend's gift is still here: {{ friend_gets }}. Send it in one tap:"),
        script=SCRIPT,
    ),
    Kind.REASK: Wording(
        subject=_("Somebody new who would like {{ store }}?"),
        body=_(
            "Hello {{ name }},\n\n"
            "It is a while since we asked. Have you met somebody since who would enjoy {{ store }}?\n\n"
            "A gift waits for them: {{ friend_gets }} on their first order."
        ),
        button=_("Send the gift"),
        sms=_("somebody new who would like us? A gift for them: {{ friend_gets }}. Send it in one tap:"),
        script=SCRIPT,
    ),
    Kind.BROUGHT_HERE: Wording(
        subject=_("{{ friend }} brought you here. Whom will you bring?"),
        body=_(
            "Hello {{ name }},\n\n"
            "You found {{ store }} because {{ friend }} thought of you. We hope it was a good thought.\n\n"
            "Now it can be you: pass on {{ friend_gets }} to somebody who would enjoy it as much."
        ),
        button=_("Send the gift"),
        sms=_("{{ friend }} brought you here. Pass on a gift, {{ friend_gets }}, to a friend of yours:"),
        script=SCRIPT,
    ),
    Kind.CONGRATULATIONS: Wording(
        subject=_(
            "{% if orders > 1 %}{{ orders }} times: thank you!{% else %}Thank you for your first purchase!{% endif %}"
        ),
        body=_(
            "Hello {{ name }},\n\n"
            "{% if orders > 1 %}You have bought at {{ store }} {{ orders }} times now. Thank you for coming back!"
            "{% else %}Thank you for your first purchase at {{ store }}!{% endif %}\n\n"
            "{% if friend_gets %}Somebody you like may enjoy it too. "
            "Give them {{ friend_gets }} on their first order.{% endif %}"
        ),
        button=_("Send the gift"),
        sms=_(
            "{% if orders > 1 %}{{ orders }} purchases: thank you!{% else %}thank you for your purchase!{% endif %}"
            "{% if friend_gets %} A gift for a friend of yours, {{ friend_gets }}:{% endif %}"
        ),
        script=SCRIPT,
    ),
    Kind.OWN: Wording(
        subject=_("A word from {{ store }}"),
        body=_(
            "Hello {{ name }},\n\n"
            "{% if product %}We hope you enjoy your {{ product }}.{% else %}We hope you are well.{% endif %} "
            "Is there somebody you like who would enjoy {{ store }} too?"
            "{% if friend_gets %}\n\nGive them a good start: {{ friend_gets }} on their first order.{% endif %}"
        ),
        button=_("Send the gift"),
        sms=_(
            "{% if friend_gets %}a gift for a friend of yours: {{ friend_gets }}. Send it in one tap:"
            "{% else %}we hope you are well.{% endif %}"
        ),
        script=_(
            "Hello {{ name }}, {% if product %}do you enjoy your {{ product }}?{% else %}how are you?{% endif %}"
            "{% if code and friend_gets %} If somebody you like would enjoy {{ store }} too: with your code {{ code }} "
            "they get {{ friend_gets }} on their first order.{% endif %}"
        ),
    ),
}
