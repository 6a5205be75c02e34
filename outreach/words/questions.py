"""Questions, and what follows on an unhappy or a kind answer."""

from django.utils.translation import gettext_noop as _

from outreach.kinds import Kind
from outreach.words.wording import Wording

WORDS = {
    Kind.SURVEY: Wording(
        subject=_("{% if product %}How do you like your {{ product }}?{% else %}How was it at {{ store }}?{% endif %}"),
        body=_(
            "Hello {{ name }},\n\n"
            "Thank you for your purchase{% if product %}: {{ product }}{% endif %}. By now you can tell how "
            "it turned out.\n\n"
            "We ask one question, and your answer goes straight to us."
        ),
        sms=_(
            "{% if product %}how do you like your {{ product }}?{% else %}how was it?{% endif %} One question, one tap:"
        ),
        script=_(
            "Hello {{ name }}, we are calling from {{ store }}. "
            "{% if product %}How do you like your {{ product }}?{% else %}How do you like what you bought?{% endif %} "
            "From 0 to 10, how likely are you to recommend us to a friend? And what is the reason?"
        ),
    ),
    Kind.SURVEY_REMINDER: Wording(
        subject=_(
            "{% if product %}Your {{ product }}: are you happy with it?{% else %}Are you happy with it?{% endif %}"
        ),
        body=_(
            "Hello {{ name }},\n\n"
            "A few days ago we asked how you like {% if product %}your {{ product }}{% else %}what you "
            "bought{% endif %}. "
            "Your answer would help us, whatever it is.\n\n"
            "One tap is enough. We will not ask about this again."
        ),
        sms=_("one tap is enough: how was it? We will not ask again."),
        script=_(
            "Hello {{ name }}, we are calling from {{ store }}. We wrote to ask how you like "
            "{% if product %}your {{ product }}{% else %}what you bought{% endif %}. May we ask you now?"
        ),
    ),
    Kind.PERIODIC: Wording(
        subject=_("{% if name %}{{ name }}, how are we doing?{% else %}How are we doing?{% endif %}"),
        body=_(
            "Hello {{ name }},\n\n"
            "You have known {{ store }} for a while. Are we still as good as you expect?\n\n"
            "We ask one question, and we read every answer."
        ),
        sms=_("how are we doing? One question, one tap:"),
        script=_(
            "Hello {{ name }}, you have known {{ store }} for a while. "
            "From 0 to 10, how likely are you to recommend us to a friend? What should we do better?"
        ),
    ),
    Kind.FOLLOW_UP: Wording(
        subject=_("Did we put it right?"),
        body=_(
            "Hello {{ name }},\n\n"
            "You told us that {% if product %}your {{ product }}{% else %}your purchase{% endif %} was not "
            "as it should be, "
            "and we tried to put it right.\n\n"
            "Did we? Tell us honestly: if something is still open, we go on."
        ),
        sms=_("did we put it right? Tell us in one tap:"),
        script=_(
            "Hello {{ name }}, this is {{ store }}. We wanted to hear whether everything is right now"
            "{% if product %} with your {{ product }}{% endif %}. Is anything still open?"
        ),
    ),
    Kind.SORRY: Wording(
        subject=_("We are sorry, and we are on it"),
        body=_(
            "Hello {{ name }},\n\n"
            "Thank you for telling us plainly. We are sorry that "
            "{% if product %}your {{ product }}{% else %}your purchase{% endif %} was not what you may "
            "expect of us.\n\n"
            "One of us is looking into it now"
            "{% if promise %} and gets back to you by {{ promise }}{% else %} and gets back to you soon{% endif %}. "
            "You need not do anything."
        ),
        sms=_(
            "thank you for telling us. We are sorry. One of us gets back to you"
            "{% if promise %} by {{ promise }}{% else %} soon{% endif %}."
        ),
        script=_(
            "Hello {{ name }}, this is {{ store }}. You told us that "
            "{% if product %}your {{ product }}{% else %}your purchase{% endif %} was not as it should be, "
            "and I am sorry. {% if note %}We want to put it right: please tell us what would help."
            "{% else %}Please tell me what happened. What would put it right for you?{% endif %}"
        ),
    ),
    Kind.TESTIMONIAL: Wording(
        subject=_("May we show your words?"),
        body=_(
            "Hello {{ name }},\n\n"
            "You wrote something that made our day{% if words %}:\n\n“{{ words }}”{% else %}.{% endif %}\n\n"
            "May others read it? You choose how your name appears, and you can take it back whenever you like."
        ),
        button=_("Choose what others may read"),
        sms=_("your kind words made our day. May others read them? You choose:"),
        script=_(
            "Hello {{ name }}, you wrote something that made our day{% if words %}: "
            "“{{ words }}”{% else %}.{% endif %} "
            "May we show it to others, with your first name or without?"
        ),
    ),
}
