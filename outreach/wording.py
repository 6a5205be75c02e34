"""Why a message was not sent, or waits, in words: one sentence for each reason slug, used on every page."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

REASONS = {
    "too_late": gettext_lazy("It would have come too late to be of use."),
    "no_address": gettext_lazy("No e-mail address or phone number is known."),
    "no_consent": gettext_lazy("They have not agreed to receive such messages."),
    "suppressed": gettext_lazy("They asked not to be written to, or their address does not work."),
    "stopped": gettext_lazy("Too many marked your messages as spam: nothing but news of orders and rewards goes out."),
    "switched_off": gettext_lazy("You switched this message off before it was due."),
    "not_in_audience": gettext_lazy("They do not belong to those you chose for this message."),
    "quiet_hours": gettext_lazy("It is too early or too late where they live: it goes out as soon as it may."),
    "cap": gettext_lazy("They have had as many messages in seven days as you allow: it waits its turn."),
    "cap_too_late": gettext_lazy(
        "They had as many messages in seven days as you allow, and later it would have been of no use."
    ),
    "not_taken": gettext_lazy("The provider never got it: it is being sent again."),
    "not_delivered": gettext_lazy("The provider says that it did not arrive."),
    "try_again": gettext_lazy("It did not get through; we are trying again."),
    "gave_up": gettext_lazy("It did not get through after several tries."),
    "not_rendered": gettext_lazy("The text could not be put together. Tell whoever runs this server."),
    "restored": gettext_lazy("The server was restored from a backup: it may have gone out before."),
    "worker_died": gettext_lazy("The server stopped while it was being sent."),
    "settled_by_staff": gettext_lazy("Somebody of your team decided about it."),
    "cancelled": gettext_lazy("The order was cancelled."),
    "refunded": gettext_lazy("The order was refunded."),
    "too_old": gettext_lazy("The purchase was too long ago to ask about."),
    "open_case": gettext_lazy("They are unhappy and wait for help."),
    "unhappy": gettext_lazy("Their last answer was an unhappy one."),
    "cooldown": gettext_lazy("They had a message from you not long before."),
    "paused": gettext_lazy("The program was paused."),
    "case_ended": gettext_lazy("Their case had ended before it was due."),
    "taken_back": gettext_lazy("Somebody of your team called it back in time."),
    "answered": gettext_lazy("They had answered already."),
    "used": gettext_lazy("The code had been used by then."),
    "expired": gettext_lazy("The code had ended by then."),
    "voided": gettext_lazy("The code had been taken back by then."),
    "shared": gettext_lazy("They had shared their link by then."),
    "bought": gettext_lazy("A purchase came first."),
    "counted": gettext_lazy("Their friend counted already."),
    "not_counted": gettext_lazy("Their friend does not count."),
    "not_asked": gettext_lazy("The question never reached them, so their silence says nothing."),
    "done_by_staff": gettext_lazy("Somebody of your team did it."),
    "not_reached": gettext_lazy("Nobody was reached."),
    "declined": gettext_lazy("They did not want to."),
    "not_near": gettext_lazy("Their next level was no longer one friend away."),
}


def reason_text(reason: str) -> str:
    """The sentence for a reason slug; '' for none. An unknown slug is shown as it is, never hidden."""
    if reason in REASONS:
        return str(REASONS[reason])
    start, _colon, rest = reason.partition(": ")
    if start == "refused":
        return _("Their mail server or phone company refused it (%(answer)s).") % {"answer": rest}
    if start == "no answer":
        return _("The line broke while it was being handed over (%(error)s).") % {"error": rest}
    return reason
