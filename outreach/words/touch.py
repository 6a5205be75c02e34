"""Keeping in touch: nothing is asked for."""

from django.utils.translation import gettext_noop as _

from outreach.kinds import Kind
from outreach.words.wording import Wording

WORDS = {
    Kind.BIRTHDAY: Wording(
        subject=_("Happy birthday{% if name %}, {{ name }}{% endif %}!"),
        body=_(
            "Hello {{ name }},\n\n"
            "All of us at {{ store }} wish you a happy birthday, and a good year to come.\n\n"
            "That is all. Have a lovely day!"
        ),
        sms=_("happy birthday{% if name %}, {{ name }}{% endif %}! Have a lovely day."),
        script=_(
            "Happy birthday{% if name %}, {{ name }}{% endif %}! "
            "All of us at {{ store }} wish you a lovely day and a good year to come."
        ),
    ),
    Kind.WELCOME_BACK: Wording(
        subject=_("It has been a while{% if name %}, {{ name }}{% endif %}"),
        body=_(
            "Hello {{ name }},\n\n"
            "We have not seen you at {{ store }} for a while, and we wonder how you are.\n\n"
            "If something was not right the last time, please tell us: how to reach us stands below. "
            "If you have only been busy: we are glad whenever you come."
        ),
        sms=_("we have not seen you for a while{% if name %}, {{ name }}{% endif %}. We are glad whenever you come."),
        script=_(
            "Hello {{ name }}, this is {{ store }}. We have not seen you for a while and wanted to hear how you are. "
            "Was everything right the last time?"
        ),
    ),
}
