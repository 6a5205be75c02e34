"""Every kind of message in a replay of real orders: each goes out, each once for its fact, none without consent.

Nine months of a sixteenth of the people, with friends played (more of them than in life, so that nine months are
enough), with every journey switched on and one of the owner's own for each trigger.
"""

from __future__ import annotations

import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from customers.models import Channel, Consent, Customer
from customers.services import Person, record_event
from insights.replay import engine, people
from insights.replay.history import facts_of
from outreach.kinds import Kind, Trigger
from outreach.models import Message
from outreach.services import unsubscribe
from referrals.services import journeying
from referrals.services.programs import open_store
from rewards.models import Voucher
from rewards.services import ledger
from stores.tenancy import acting_for
from surveys.models import Survey
from tests.flow.real import needs_data, read_answers, read_orders
from tests.referrals.journey_world import DAY, HOUR, ladder, own, switch

FIRST, LAST = datetime(2017, 5, 1, tzinfo=UTC), datetime(2018, 1, 31, tzinfo=UTC)
LEVELS = datetime(2017, 9, 15, 12, tzinfo=UTC)  # from here on the first friend brings a reward, the second a level
MILESTONE = datetime(2017, 9, 1, 12, tzinfo=UTC)
BEGAN = datetime(2016, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FRIENDLY = people.Rates(page_share=0.9, claim=0.8, buy=0.6)
# What no file of orders and answers can hold; the test's shop adds it.
ADDED = {
    Kind.BIRTHDAY: "an order says nothing of birthdays: everybody is given one",
    Trigger.EVENT: "an export of orders has no events: the shop reports one",
}
# What is not here.
ELSEWHERE = {
    Trigger.MANUAL: "starts when the owner presses send: tests/referrals/test_manual_send.py",
    Trigger.ANNIVERSARY: "takes longer than nine months: tests/flow/test_three_people.py",
}
# What is started by the kinds that are made for it.
BUILT_IN = {Trigger.VALUE, Trigger.SILENCE, Trigger.REFERRAL, Trigger.REWARD, Trigger.PERIOD}
OWN_TRIGGERS = {
    Trigger.ORDER: "order",
    Trigger.DELIVERED: "delivered",
    Trigger.FIRST_ORDER: "nth_order",
    Trigger.NTH_ORDER: "nth_order",
    Trigger.EVENT: "event",
    Trigger.SCORE: "score",
    Trigger.SOLVED: "solved",
    Trigger.BIRTHDAY: "birthday",
    Trigger.AWAY: "away",
}


def wanted(email: str) -> bool:
    """A sixteenth of the people, and three who came back: only one in two hundred does."""
    return email[0] == "4" or email[:4] in ("a765", "3910", "2ddc")


def lot_of(customer: Customer) -> int:
    """A number of the person's own, the same in every database."""
    return zlib.crc32(customer.email_norm.encode())


class Shop:
    """What is not in the files: birthdays, an event, people who have had enough, a new ladder."""

    def __init__(self, store) -> None:
        self.store = store

    def __call__(self, day: datetime) -> None:
        """After the day's messages: who stops now may have had one of them."""
        with acting_for(self.store):
            fresh = list(Customer.objects.for_store(self.store).filter(birth_month=None))
            for customer in fresh:
                lot = lot_of(customer)
                customer.birth_month, customer.birth_day = 1 + lot % 12, 1 + lot % 28
                if lot % 7 == 0:
                    unsubscribe(self.store, customer, source="unsubscribe link", at=day + SECOND)
            Customer.objects.bulk_update(fresh, ["birth_month", "birth_day"])
            if day == LEVELS:
                ladder(self.store, 1, 2, names=("Bronze", "Silver"))
            if day == MILESTONE:
                self.report_milestones(day)

    def report_milestones(self, day: datetime) -> None:
        for customer in Customer.objects.for_store(self.store).exclude(email="").order_by("pk")[:20]:
            facts = {"external_id": f"milestone-{customer.pk}", "kind": "milestone", "data": {}}
            record_event(self.store, person=Person(email=customer.email), happened_at=day - HOUR, at=day, **facts)


@pytest.fixture
def replayed(committed, monkeypatch):
    """The store at the end of its year."""
    for name, value in (("BUY_BY_CODE", 0.15), ("VOUCHER_SPENT", 0.3), ("FRIEND_REFUND", 0.25)):
        monkeypatch.setattr(people, name, value)
    store = open_store(
        slug="every-kind", name="Every kind", currency="BRL", country="BR", timezone="America/Sao_Paulo", at=FIRST
    )
    with acting_for(store):
        everything_on(store)
        orders = [one for one in read_orders(store, wanted) if FIRST <= one.placed_at < LAST]
    shop, consent = Shop(store), frozenset({Channel.EMAIL})
    played = {"until": LAST, "friends": True, "consent": consent, "rates": FRIENDLY}
    engine.run(store, facts_of(orders), read_answers(), **played, progress=shop)
    with acting_for(store):
        yield store


def everything_on(store) -> None:
    # So much at once: the cap and the rest between questions would leave little of the surveys.
    store.weekly_cap, store.cooldown_days = 50, 1
    store.save(update_fields=["weekly_cap", "cooldown_days"])
    for kind in Kind:
        if kind is not Kind.OWN:
            switch(store, kind, since=BEGAN, **({"number": 2} if kind is Kind.CONGRATULATIONS else {}))
    for trigger in OWN_TRIGGERS:
        number = {Trigger.NTH_ORDER: 2, Trigger.SCORE: 9}.get(trigger)
        wait = {Trigger.AWAY: 100 * DAY, Trigger.BIRTHDAY: 9 * HOUR}.get(trigger, 2 * DAY)
        own(store, trigger, since=BEGAN, number=number, event_kind="milestone", wait=wait)
    ladder(store, 2)
    Survey.objects.create(store=store, name="Twice a year", occasion=Survey.Occasion.PERIODIC, every_days=180)


def count_by_kind(store, status: str) -> Counter:
    """How many messages of each kind, of the owner's own by what started them."""
    rows = Message.objects.for_store(store).filter(status=status).values_list("kind", "key")
    return Counter(key.split(":")[2] if kind == Kind.OWN else kind for kind, key in rows)


@needs_data
def test_every_kind_goes_out_each_once_and_nothing_unasked_for(replayed):
    store = replayed
    sent = count_by_kind(store, Message.Status.SENT)
    missing = {str(kind) for kind in Kind if kind is not Kind.OWN and not sent[kind]}
    assert missing | {name for name in OWN_TRIGGERS.values() if not sent[name]} == set()
    assert set(Trigger) == {*OWN_TRIGGERS, *ELSEWHERE, *BUILT_IN}
    assert set(ADDED) <= {*Kind, *OWN_TRIGGERS}
    each_once(store)
    nothing_without_consent(store)
    nothing_after_its_end(store)
    nothing_more_to_say(store)
    assert ledger.total(store) == 0


def each_once(store) -> None:
    """One message a fact; and where a fact has more names than one, still one."""
    rows = list(Message.objects.for_store(store).values_list("kind", "key", "customer_id", "about"))
    assert len({key for _kind, key, _customer, _about in rows}) == len(rows)
    once_about = (Kind.REWARD_EXPIRING, Kind.GIFT_EXPIRING, Kind.FRIEND_CLAIMED, Kind.FRIEND_BOUGHT, Kind.BROUGHT_HERE)
    facts = Counter((kind, about) for kind, _key, _customer, about in rows if kind in once_about)
    assert set(facts.values()) == {1}
    reminders = Counter(customer for kind, _key, customer, _about in rows if kind == Kind.SHARE_REMINDER)
    assert max(reminders.values()) <= 3
    birthdays = Counter((customer, key[-4:]) for kind, key, customer, _about in rows if kind == Kind.BIRTHDAY)
    assert set(birthdays.values()) == {1}


def nothing_without_consent(store) -> None:
    """Whoever got advertising had agreed to it, and had not taken it back by then."""
    said: dict[int, list[tuple[datetime, bool]]] = {}
    for consent in Consent.objects.for_store(store).filter(channel=Channel.EMAIL).order_by("pk"):
        said.setdefault(consent.customer_id, []).append((consent.at, consent.granted))
    marketing = [kind for kind in Kind if kind.is_marketing]
    sent = Message.objects.for_store(store).filter(kind__in=marketing, status=Message.Status.SENT)
    assert sent.count() > 200
    for customer, at in sent.values_list("customer_id", "sent_at"):
        assert [granted for moment, granted in said[customer] if moment <= at][-1]
    left = {customer for customer, words in said.items() if not words[-1][1]}
    assert len(left) > 5
    refused = Message.objects.for_store(store).filter(customer__in=left, kind__in=marketing, status="skipped")
    assert refused.filter(reason__in=("suppressed", "no_consent")).exists()


def nothing_after_its_end(store) -> None:
    """No word of a gift that had ended, been used or been taken back."""
    told = Message.objects.for_store(store).filter(
        kind__in=(Kind.GIFT_EXPIRING, Kind.REWARD_EXPIRING), status=Message.Status.SENT
    )
    vouchers = {f"voucher:{one.pk}": one for one in Voucher.objects.for_store(store).prefetch_related("redemptions")}
    for message in told:
        voucher = vouchers[message.about]
        assert voucher.expires_at - timedelta(days=7) <= message.sent_at < voucher.expires_at
        assert not [one for one in voucher.redemptions.all() if one.at <= message.sent_at]


def nothing_more_to_say(store) -> None:
    """Sweeping again starts nothing: not the last day's, not the nightly repair."""
    journeying.sweep(store, LAST - DAY, LAST)  # what the last day's approvals bring
    before = set(Message.objects.for_store(store).values_list("key", flat=True))
    journeying.sweep(store, LAST - DAY, LAST)
    journeying.repair(store, LAST)
    assert set(Message.objects.for_store(store).values_list("key", flat=True)) == before
