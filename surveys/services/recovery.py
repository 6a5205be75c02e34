"""Help for the unhappy: cases, their notes and their end, what staff write and give."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from outreach import services as outreach
from outreach.journeys import default_journey, journey_of, start
from outreach.models import Kind, Message
from outreach.rendering import language_of, unsubscribe_url
from rewards.models import Offer, Reward
from rewards.services import apologies
from stores.models import User
from stores.tenancy import insert_new
from surveys import rules
from surveys.models import CaseEvent, RecoveryCase, Response

What = CaseEvent.What
TIME_TO_UNDO = timedelta(minutes=1)  # between "write" and the hand-over


class WrittenMeanwhile(Exception):
    """Somebody else wrote to this person since the page was opened."""


class GivenMeanwhile(Exception):
    """Somebody else gave this person something, or took it back, since the page was opened."""


def open_case(response: Response, *, at: datetime) -> RecoveryCase:
    """An unhappy person is to be helped; until the case ends they are asked for nothing.

    They hear at once that we are sorry and by when somebody answers them, if the store sends that.
    """
    customer = response.customer
    assert customer is not None  # who gave no name cannot be helped
    case = RecoveryCase(
        store_id=response.store_id,
        response=response,
        customer=customer,
        opened_at=at,
        promise_at=at + rules.PROMISE,
    )
    is_new = insert_new(case)
    if is_new:
        _note(case, at=at)
        _say_sorry(case, at)
    else:
        case = RecoveryCase.objects.get(store_id=response.store_id, response=response)
    if case.status == RecoveryCase.Status.OPEN:
        outreach.hold(customer, key=_hold_key(case), reason="open_case", at=at)
    return case


def _say_sorry(case: RecoveryCase, at: datetime) -> None:
    customer, invitation = case.customer, case.response.invitation
    start(
        customer,
        journey_of(customer.store, Kind.SORRY),
        key=f"sorry:{case.pk}",
        context={
            "product": invitation.product_name if invitation else "",
            "promise": case.promise_at.isoformat(),
            "links": {"unsubscribe": unsubscribe_url(customer.store, customer)},
        },
        fact_at=at,
        at=at,
        about=_about(case),
    )


def add_note(case: RecoveryCase, note: str, *, at: datetime, by: User | None) -> None:
    """Write a note on a case."""
    _note(case, What.NOTE, note=note, at=at, by=by)


def assign(case: RecoveryCase, assignee: User | None, *, at: datetime, by: User | None) -> None:
    """Make somebody responsible for the case."""
    RecoveryCase.objects.filter(pk=case.pk, store_id=case.store_id).update(assignee=assignee)
    _note(case, What.ASSIGNED, note=str(assignee or ""), at=at, by=by)


# -- What staff write --


def write(case: RecoveryCase, *, subject: str, body: str, number: int, at: datetime, by: User | None) -> Message:
    """Write to the person, in a minute's time; `number` counts the letters written before.

    The same letter twice (a double tap) is one. Raises WrittenMeanwhile for another one of that number.
    """
    customer = case.customer
    key = f"reply:{case.pk}:{number}"
    with transaction.atomic():
        RecoveryCase.objects.select_for_update().get(pk=case.pk, store_id=case.store_id)
        known = Message.objects.for_store(case.store).filter(key=key).first()
        if known and (known.context.get("subject"), known.context.get("body")) != (subject, body):
            raise WrittenMeanwhile(key)
        if known:
            return known
        message = start(
            customer,
            default_journey(case.store, Kind.SORRY),
            key=key,
            context={
                "subject": subject,
                "body": body,
                "by_hand": True,  # no switch, audience or cap of the automatic letter's holds it back
                "links": {"unsubscribe": unsubscribe_url(case.store, customer)},
            },
            fact_at=at,
            at=at,
            due_at=at + TIME_TO_UNDO,
            about=key,
        )
        assert message is not None
        _note(case, What.WROTE, about=key, note=f"{subject}\n\n{body}", at=at, by=by)
    return message


def unwrite(case: RecoveryCase, key: str, *, at: datetime, by: User | None) -> bool:
    """Call a letter back that still waits; False when it is on its way."""
    if not key.startswith(f"reply:{case.pk}:"):
        return False
    with transaction.atomic():
        called_back = outreach.cancel_about(case.store, key, reason="taken_back", at=at)
        if called_back:
            _note(case, What.UNWROTE, about=key, at=at, by=by)
    return bool(called_back)


def letters_written(case: RecoveryCase) -> int:
    """How many letters staff have written in this case: the `number` of the next."""
    return CaseEvent.objects.for_store(case.store).filter(case=case, what=What.WROTE).count()


def subject_for(case: RecoveryCase) -> str:
    """What a letter's subject is until staff write another, in the person's language."""
    store = case.store
    with translation.override(language_of(store, case.customer)):
        return _("About your answer to %(store)s") % {"store": store.name}


# -- What staff give --


def apologise(
    case: RecoveryCase, *, kind: Offer.Kind, amount_minor: int, number: int, at: datetime, by: User | None
) -> Reward:
    """Give an apology voucher; `number` counts those given before, so a double tap gives one.

    Raises OverCap, and GivenMeanwhile where that number stands for another voucher, or one taken back.
    """
    key = f"{case.pk}:{number}"
    with transaction.atomic():
        RecoveryCase.objects.select_for_update().get(pk=case.pk, store_id=case.store_id)
        reward = apologies.give(case.customer, kind=kind, amount_minor=amount_minor, key=key, at=at, by=by)
        is_this = (reward.offer.kind, reward.offer.amount_minor) == (kind, amount_minor)
        if not is_this or reward.status != Reward.Status.GRANTED:
            raise GivenMeanwhile(reward.key)
        if not CaseEvent.objects.for_store(case.store).filter(case=case, what=What.GAVE, about=reward.key).exists():
            _note(case, What.GAVE, about=reward.key, at=at, by=by)
    return reward


def take_apology_back(case: RecoveryCase, key: str, *, at: datetime, by: User | None) -> bool:
    """Undo an apology voucher nobody has used; False when that cannot be."""
    rewards = Reward.objects.for_store(case.store).filter(customer=case.customer_id, key=key)
    reward = rewards.select_related("offer", "customer", "store").first()
    if reward is None or not key.startswith(f"{apologies.PREFIX}{case.pk}:"):
        return False
    with transaction.atomic():
        moved = apologies.take_back(reward, at=at, by=by)
        if moved:
            _note(case, What.TOOK_BACK, about=key, at=at, by=by)
    return moved


# -- The end --


def end_case(
    case: RecoveryCase,
    *,
    solved: bool,
    note: str,
    at: datetime,
    by: User | None,
    outcome: RecoveryCase.Outcome | str = "",
) -> bool:
    """Solved, or closed without a solution; the person may be asked again later. False if it had ended.

    Whether it was put right is asked some days later (Kind.FOLLOW_UP), by a sweep over solved cases.
    """
    to = RecoveryCase.Status.SOLVED if solved else RecoveryCase.Status.CLOSED
    with transaction.atomic():
        moved = _step(case, to, at=at, ended_at=at, outcome=outcome)
        if moved:
            _note(case, note=note, at=at, by=by)
            outreach.release(case.store, key=_hold_key(case))
            outreach.cancel_about(case.store, _about(case), reason="case_ended", at=at)
    return moved


def reopen_case(case: RecoveryCase, *, at: datetime, by: User | None) -> bool:
    """Undo an ending."""
    with transaction.atomic():
        moved = _step(case, RecoveryCase.Status.OPEN, at=at, ended_at=None, outcome="")
        if moved:
            _note(case, at=at, by=by)
            outreach.hold(case.customer, key=_hold_key(case), reason="open_case", at=at)
            outreach.cancel_about(case.store, _about(case), reason="open_case", at=at)  # "did we put it right?"
    return moved


def _step(
    case: RecoveryCase, to: RecoveryCase.Status, *, at: datetime, ended_at: datetime | None, outcome: str
) -> bool:
    sources = [source for source, targets in RecoveryCase.MOVES.items() if to in targets]
    moved = RecoveryCase.objects.filter(pk=case.pk, store_id=case.store_id, status__in=sources).update(
        status=to, ended_at=ended_at, outcome=outcome
    )
    if moved:
        case.status, case.outcome = to, outcome
    return bool(moved)


def _note(
    case: RecoveryCase,
    what: CaseEvent.What = What.STEP,
    *,
    at: datetime,
    note: str = "",
    about: str = "",
    by: User | None = None,
) -> None:
    CaseEvent.objects.create(
        store_id=case.store_id, case=case, status=case.status, what=what, about=about, note=note, at=at, by=by
    )


def _hold_key(case: RecoveryCase) -> str:
    return f"case:{case.pk}"


def _about(case: RecoveryCase) -> str:
    """What the automatic letters are about: pointless once the case has ended, or is open again."""
    return f"case:{case.pk}"
