"""A store where the whole loop has been played once, and one where it went wrong."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.services import Line, OrderData, Person, record_order
from referrals.services import asking, attribution, claims, deciding, links
from rewards.services import vouchers
from surveys.models import Invitation
from surveys.services import answering, inviting


@pytest.fixture
def play(store):
    """A function that plays `friends` of one advocate through the loop and returns the advocate."""
    counter = iter(range(10_000))

    def buy(name, at, **facts):
        number = next(counter)
        person = Person(name=name, email=f"p{number}@example.com", consent={"email": True})
        data = OrderData(
            "api", f"o{number}", store.currency, 155_000, at, person=person, lines=(Line("MUG", "Mug"),), **facts
        )
        return record_order(store, data, at=at)[0]

    def loop(name="Sara Ahmadi", *, score=10, friends=1, days_ago=20.0):
        start = timezone.now() - timedelta(days=days_ago)
        order = buy(name, start, delivered_at=start)
        asked = start + timedelta(days=8)
        inviting.plan_invitations(store, asked, since=start)
        inviting.invite_due(store, asked)
        response = answering.respond(
            Invitation.objects.for_store(store).get(order=order), score=score, comment="Nice", at=asked
        )
        link = asking.ask_on_answer(store, response, at=asked)
        for _ in range(friends if link else 0):
            links.note_shared(link, at=asked)
            links.record_visit(link, visitor=f"v{next(counter)}", is_bot=False, at=asked)
            taken = claims.claim(link, Person("Bea Cruz", f"bea{next(counter)}@example.com"), at=asked)
            used = vouchers.redeem(taken.voucher, vouchers.Bill(100_00, store.currency), at=asked)
            assert used.discount_minor
            number = next(counter)
            person = Person("Bea Cruz", taken.friend.email)
            data = OrderData("api", f"f{number}", store.currency, 80_000, asked, person=person, code=taken.voucher.code)
            attribution.attribute_order(record_order(store, data, at=asked)[0], at=asked)
        return order.customer

    loop.buy = buy
    loop.approve = lambda: deciding.approve_due(store, timezone.now() + timedelta(days=30))
    return loop


@pytest.fixture
def played(play):
    """The advocate of a loop played to its end: one friend, counted, both rewarded."""
    advocate = play(days_ago=25)
    play.approve()
    return advocate
