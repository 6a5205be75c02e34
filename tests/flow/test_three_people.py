"""Three people of the real orders, from their first purchase on: all messages, questions, answers, cases to the second.

Worked out by hand from orders_export.csv and feedback.csv; nothing here is computed. The files' times are three
hours behind UTC. A replay's sweeps run at noon (UTC), so what falls due during a day goes out at the next noon.
The store: in São Paulo, seven days until a purchase shows its value, a delivery is late after 21 days, 30 days
between questions, the later ask after seven days of silence; people agreed to mail.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from customers.models import Channel, Customer
from insights.replay import engine
from insights.replay.history import facts_of
from outreach.kinds import Kind, Trigger
from outreach.models import Message
from referrals.models import ShareLink
from referrals.services.programs import open_store
from stores.tenancy import acting_for
from surveys.models import Invitation, RecoveryCase, Response
from surveys.services import recovery
from tests.conftest import NOW
from tests.flow.real import needs_data, read_answers, read_orders
from tests.referrals.journey_world import HOUR, own, switch

REPEAT, UNHAPPY, NEVER = "4e65032f1f57@example.com", "249749451a0c@example.com", "b030929cf3b8@example.com"
UNTIL = datetime(2018, 12, 25, tzinfo=UTC)
HELPED = datetime(2017, 5, 30, 12, tzinfo=UTC)  # the day on which the staff of this test solves what is open
BEGAN = datetime(2016, 1, 1, tzinfo=UTC)


def z(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Úrsula Cardoso bought five times.
#
# #c0ebe7b377  placed 2017-03-26 18:39:34-3, delivered 03-29 09:51:56-3 = 12:51:56Z. Its value shows seven days on,
#              04-05 12:51:56Z: fifty-two minutes after that day's sweep, so she is asked at noon of 04-06. She
#              answers 21:24:34 after being asked (feedback: 03-30 00:00:00, 21:24:34): 04-07 09:24:34Z, five stars,
#              so a 10, and the page asks her to share. She never does.
#              Reminders: + 7 days = 04-14 09:24:34Z, so noon of that day; + 14 days = 04-28 12:00:00Z, on the
#              stroke of the sweep; + 28 days = 05-26 12:00:00Z, likewise. Then never again.
# #649af2abdc  placed 2017-06-02 09:35:21-3, delivered 06-10 23:19:43-3 = 06-11 02:19:43Z; shows 06-18 02:19:43Z,
#              asked at noon of 06-18 (the last question was in April). Answers 15:43:36 later: 06-19 03:43:36Z.
# #84d54e2fe6  placed 2017-06-24 16:20:33-3, delivered 07-03 06:52:00-3 = 09:52:00Z; shows 07-10 09:52:00Z. At noon
#              of 07-10 the question of 06-18 is 22 days old: not asked.
# #0136390286  placed 2017-07-16 12:26:05-3 = 15:26:05Z, delivered 07-24 11:38:47-3 = 14:38:47Z; shows 07-31
#              14:38:47Z, asked at noon of 08-01: the question of 06-18 is 44 days old, the one of 07-10 was none.
#              Answers 15:27:14 later: 08-02 03:27:14Z.
#              120 days after 07-16 15:26:05Z is 11-13 15:26:05Z: missed at noon of 11-14.
#              180 days after the page of 08-02 03:27:14Z is 2018-01-29 03:27:14Z: asked again at noon of that day.
#              A year after 2017-03-26: her day begins at 03:00Z; nine in the morning there is noon, 2018-03-26.
# #1c020c2a20  placed 2018-06-14 09:28:49-3 = 12:28:49Z, the fifth: congratulated a day later, 06-15 12:28:49Z, so at
#              noon of 06-16. Delivered 06-19 00:06:02-3 = 03:06:02Z; shows 06-26 03:06:02Z, asked at noon of that
#              day. Answers 09:10:01 later: 21:10:01Z.
#              120 days after 06-14 12:28:49Z is 10-12 12:28:49Z: missed at noon of 10-13.
#              180 days after the page of 06-26 21:10:01Z is 12-23 21:10:01Z: asked again at noon of 12-24.
#              (Not on 07-28, 180 days after the last time she was asked again: the page came in between.)
REPEAT_MESSAGES = [
    ("survey", "2017-04-06 12:00"),
    ("share_reminder", "2017-04-14 12:00"),
    ("share_reminder", "2017-04-28 12:00"),
    ("share_reminder", "2017-05-26 12:00"),
    ("survey", "2017-06-18 12:00"),
    ("survey", "2017-08-01 12:00"),
    ("welcome_back", "2017-11-14 12:00"),
    ("reask", "2018-01-29 12:00"),
    ("own", "2018-03-26 12:00"),
    ("congratulations", "2018-06-16 12:00"),
    ("survey", "2018-06-26 12:00"),
    ("welcome_back", "2018-10-13 12:00"),
    ("reask", "2018-12-24 12:00"),
]
REPEAT_INVITATIONS = [
    ("#c0ebe7b377", "2017-04-05 12:51:56", "invited", "", "2017-04-06 12:00"),
    ("#649af2abdc", "2017-06-18 02:19:43", "invited", "", "2017-06-18 12:00"),
    ("#84d54e2fe6", "2017-07-10 09:52:00", "skipped", "cooldown", "2017-07-10 12:00"),
    ("#0136390286", "2017-07-31 14:38:47", "invited", "", "2017-08-01 12:00"),
    ("#1c020c2a20", "2018-06-26 03:06:02", "invited", "", "2018-06-26 12:00"),
]
REPEAT_ANSWERS = [  # each a 10, and each answer page asks her to share as she answers
    ("2017-04-07 09:24:34", 10),
    ("2017-06-19 03:43:36", 10),
    ("2017-08-02 03:27:14", 10),
    ("2018-06-26 21:10:01", 10),
]

# Quitéria Teixeira bought once, #9f7b176cfb: placed 2017-05-05 18:30:01-3 = 21:30:01Z, delivered ten days later, not
# late, 05-15 14:42:14-3 = 17:42:14Z. Shows 05-22 17:42:14Z, asked at noon of 05-23. One star after a day and
# 01:47:35 (feedback: 05-16 00:00:00, 05-17 01:47:35), "Não recebi na quantidade comprada": 05-24 13:47:35Z, a 1. Her
# case opens that second, to be answered within 24 hours; "we are sorry" goes out at the next noon, 05-25. No page
# asks her to share, and no later mail does. Staff solve it on 05-30 at noon; whether they put it right is asked
# five days later, 06-04 12:00:00Z. 120 days after 05-05 21:30:01Z is 09-02 21:30:01Z: missed at noon of 09-03. A year
# after the purchase, at nine in São Paulo: noon of 2018-05-05. She was never asked to share: she is not asked "again".
UNHAPPY_MESSAGES = [
    ("survey", "2017-05-23 12:00"),
    ("sorry", "2017-05-25 12:00"),
    ("follow_up", "2017-06-04 12:00"),
    ("welcome_back", "2017-09-03 12:00"),
    ("own", "2018-05-05 12:00"),
]
UNHAPPY_INVITATIONS = [("#9f7b176cfb", "2017-05-22 17:42:14", "invited", "", "2017-05-23 12:00")]
UNHAPPY_ANSWERS = [("2017-05-24 13:47:35", 1)]

# Elena Ribeiro bought once, #9c94a4ea2f: placed 2017-03-14 19:23:22-3, handed to the carrier on 03-16, never
# delivered ("Não recebi até hoje o produto depois de mais de 2 meses"). Its value never shows: nobody asks her how it
# was, or to tell a friend; nobody misses her after 120 days, or keeps a year's day of it with her.


@pytest.fixture
def replayed(committed):
    """The three people's orders, played with everything switched on that they may meet."""
    store = open_store(
        slug="three-people", name="Three", currency="BRL", country="BR", timezone="America/Sao_Paulo", at=NOW
    )
    with acting_for(store):
        for kind in (Kind.SHARE_REMINDER, Kind.REASK, Kind.WELCOME_BACK, Kind.CONGRATULATIONS):
            switch(store, kind, since=BEGAN)
        own(store, Trigger.ANNIVERSARY, wait=9 * HOUR, since=BEGAN)
        facts = facts_of(read_orders(store, {REPEAT, UNHAPPY, NEVER}.__contains__))

    def help_them(day: datetime) -> None:
        if day == HELPED:
            with acting_for(store):
                for case in RecoveryCase.objects.for_store(store).select_related("store", "customer", "response"):
                    recovery.end_case(case, solved=True, note="", at=day, by=None)

    engine.run(
        store, facts, read_answers(), until=UNTIL, consent=frozenset({Channel.EMAIL, Channel.SMS}), progress=help_them
    )
    with acting_for(store):
        yield store


def person(store, email):
    return Customer.objects.for_store(store).get(email_norm=email)


def messages(store, email):
    rows = Message.objects.for_store(store).filter(customer=person(store, email)).order_by("sent_at", "pk")
    assert {row.status for row in rows} <= {"sent"}
    return [(row.kind, row.sent_at) for row in rows]


def invitations(store, email):
    rows = Invitation.objects.for_store(store).filter(customer=person(store, email)).exclude(order=None)
    return [
        (row.order.external_id, row.due_at, row.status, row.reason, row.decided_at)
        for row in rows.select_related("order").order_by("due_at")
    ]


def answers(store, email):
    rows = Response.objects.for_store(store).filter(customer=person(store, email)).order_by("at")
    return [(row.at, row.score) for row in rows]


def told(rows):
    return [(kind, z(moment)) for kind, moment in rows]


def asked(rows):
    return [(order, z(due), status, reason, z(decided)) for order, due, status, reason, decided in rows]


@needs_data
def test_their_timelines_are_as_worked_out_by_hand(replayed):
    store = replayed
    assert messages(store, REPEAT) == told(REPEAT_MESSAGES)
    assert invitations(store, REPEAT) == asked(REPEAT_INVITATIONS)
    assert answers(store, REPEAT) == [(z(moment), score) for moment, score in REPEAT_ANSWERS]
    shown = Response.objects.for_store(store).filter(customer=person(store, REPEAT)).values_list("at", "ask_shown_at")
    assert all(at == asked_at for at, asked_at in shown)
    assert not RecoveryCase.objects.for_store(store).filter(customer=person(store, REPEAT)).exists()

    assert messages(store, UNHAPPY) == told(UNHAPPY_MESSAGES)
    assert invitations(store, UNHAPPY) == asked(UNHAPPY_INVITATIONS)
    assert answers(store, UNHAPPY) == [(z(moment), score) for moment, score in UNHAPPY_ANSWERS]
    assert Response.objects.for_store(store).get(customer=person(store, UNHAPPY)).ask_shown_at is None
    case = RecoveryCase.objects.for_store(store).get()
    assert case.customer == person(store, UNHAPPY)
    assert (case.opened_at, case.promise_at) == (z("2017-05-24 13:47:35"), z("2017-05-25 13:47:35"))
    assert (case.status, case.ended_at) == ("solved", HELPED)

    assert messages(store, NEVER) == invitations(store, NEVER) == answers(store, NEVER) == []

    # The letter on the anniversary has a code in it; before that only Úrsula was asked to share.
    sharers = ShareLink.objects.for_store(store).order_by("created_at")
    made = [(REPEAT, z("2017-04-07 09:24:34")), (UNHAPPY, z("2018-05-05 12:00"))]
    assert list(sharers.values_list("customer__email_norm", "created_at")) == made


@needs_data
@pytest.mark.django_db
def test_the_orders_are_those_worked_out_from(store):
    """The hand's figures begin with these facts of the file."""
    facts = {
        order.external_id: (order.placed_at, order.delivered_at)
        for order in read_orders(store, {REPEAT, UNHAPPY, NEVER}.__contains__)
    }
    hours = timedelta(hours=3)
    assert facts["#c0ebe7b377"] == (z("2017-03-26 18:39:34") + hours, z("2017-03-29 09:51:56") + hours)
    assert facts["#9f7b176cfb"] == (z("2017-05-05 18:30:01") + hours, z("2017-05-15 14:42:14") + hours)
    assert facts["#9c94a4ea2f"] == (z("2017-03-14 19:23:22") + hours, None)
    assert len(facts) == 7
