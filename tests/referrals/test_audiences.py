"""Each fact with somebody in and somebody out; what cannot be read; who is written down."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from customers import tagging
from customers.models import Channel, Customer, Segment, SegmentMember
from customers.services import Person, record_consent
from outreach.kinds import Kind, Trigger
from outreach.models import Journey
from referrals import audiences
from referrals.models import Referral
from referrals.services import attribution, deciding, links, programs
from referrals.services.terms import TEN_PERCENT, ProgramTerms, TierTerms
from stores.models import Location
from stores.tenancy import acting_for
from surveys.models import Question, RecoveryCase, Response
from tests.conftest import NOW, make_order_of


def holds(store, *conditions, at=NOW):
    """Names of those for whom the conditions hold: `holds(store, ("tag", "vip"))`."""
    asked = [{"fact": fact, "value": value} for fact, value in conditions]
    return sorted(audiences.people(store, asked, at).values_list("name", flat=True))


@pytest.fixture
def buy(store):
    """`buy("Sara", 3)`: an order of Sara's, three days old."""

    def make(name, days_ago=0.0, **facts):
        facts.setdefault("placed_at", NOW - timedelta(days=days_ago))
        return make_order_of(store, Person(name, f"{name.lower()}@example.com"), at=NOW, **facts)

    return make


@pytest.fixture
def never(store):
    """`never("Nina")`: a customer without an order."""

    def make(name, **facts):
        facts = {"email": f"{name.lower()}@example.com", "email_norm": f"{name.lower()}@example.com", **facts}
        return Customer.objects.create(store=store, name=name, **facts)

    return make


def answer(customer, score, days_ago=0, **facts):
    return Response.objects.create(
        store_id=customer.store_id, customer=customer, score=score, at=NOW - timedelta(days=days_ago), **facts
    )


def refer(store, advocate, friend_name, at=NOW):
    """A friend of the advocate's buys with their code; returns the referral, waiting."""
    code = links.share_link_of(advocate, at=at).code
    friend = Person(friend_name, f"{friend_name.lower()}@example.com")
    return attribution.attribute_order(make_order_of(store, friend, at=at, code=code), at=at)


# -- What they bought --


def test_bought_within(store, buy, never):
    buy("Sara", 9), buy("Paolo", 10), buy("Old", 11), buy("Old", 400), never("Nina")
    buy("Cancelled", 1, cancelled_at=NOW), buy("Refunded", 1, refunded_minor=155_000), buy("Tomorrow", -1)
    assert holds(store, ("bought_within", 10)) == ["Paolo", "Sara"]


def test_bought_before(store, buy, never):
    buy("Back", 400), buy("Back", 1), buy("Away", 11), never("Nina")
    assert holds(store, ("bought_before", 10)) == ["Away"]


def test_orders_at_least_and_at_most(store, buy, never):
    buy("Twice", 1), buy("Twice", 2), buy("Once", 1), never("Nina")
    buy("Returned", 1), buy("Returned", 2, refunded_minor=155_000)
    assert holds(store, ("orders_at_least", 2)) == ["Twice"]
    assert holds(store, ("orders_at_most", 1)) == ["Nina", "Once", "Returned"]
    assert holds(store, ("orders_at_most", 0)) == ["Nina"]


def test_spent_at_least(store, buy):
    buy("Two", total_minor=600), buy("Two", total_minor=400), buy("One", total_minor=999)
    buy("Partly", total_minor=1500, refunded_minor=501), buy("Foreign", total_minor=9999, currency="USD")
    assert holds(store, ("spent_at_least", 1000)) == ["Two"]


def test_fifths(store, buy, never):
    for place, name in enumerate("ABCDE"):
        buy(name, days_ago=50 - place, total_minor=100 * (5 - place))
    buy("A", days_ago=60), never("Nina")
    assert holds(store, ("recency", [5, 5])) == ["E"]
    assert holds(store, ("recency", [1, 2])) == ["A", "B"]
    assert holds(store, ("frequency", [5, 5])) == ["A"]
    assert holds(store, ("frequency", [1, 1])) == ["B", "C", "D", "E"]
    assert holds(store, ("spend", [4, 5])) == ["A", "B"]
    assert holds(store, ("spend", [1, 5]), ("recency", [3, 3])) == ["C"]
    assert holds(store, ("recency", [1, 4]), ("recency", [3, 5]), ("spend", [3, 3])) == ["C"]
    assert holds(store, ("recency", [1, 2]), ("recency", [4, 5])) == []
    assert holds(store, ("spend", [1, 5])) == ["A", "B", "C", "D", "E"]  # a score at all: Nina has none


def test_location(store, buy):
    buy("Here", location="mall"), buy("There", location="airport"), buy("Web")
    buy("Undone", location="mall", cancelled_at=NOW)
    assert holds(store, ("location", "mall")) == ["Here"]


# -- What they say --


def test_the_last_score(store, never):
    people = {name: never(name) for name in ("Pro", "Fell", "Pass", "Bad", "Robot", "Nina", "Stars")}
    answer(people["Pro"], 9, 5), answer(people["Fell"], 10, 9), answer(people["Fell"], 6, 2)
    answer(people["Pass"], 7), answer(people["Bad"], 0), answer(people["Robot"], 10, is_suspect=True)
    answer(people["Stars"], 5, question=Question.CSAT)
    assert holds(store, ("score", "promoter")) == ["Pro"]
    assert holds(store, ("score", "passive")) == ["Pass"]
    assert holds(store, ("score", "unhappy")) == ["Bad", "Fell"]
    assert holds(store, ("score", "none")) == ["Nina", "Robot", "Stars"]
    assert holds(store, ("score", "promoter"), at=NOW - timedelta(days=6)) == ["Fell"]


def test_open_case(store, never):
    sad, helped, _calm = never("Sad"), never("Helped"), never("Calm")
    for one, status in ((sad, "open"), (helped, "solved")):
        answered = answer(one, 1)
        RecoveryCase.objects.create(
            store=store, response=answered, customer=one, status=status, opened_at=NOW, promise_at=NOW
        )
    assert holds(store, ("open_case", "yes")) == ["Sad"]
    assert holds(store, ("open_case", "no")) == ["Calm", "Helped"]


# -- Friends --


def test_friends(store, make_customer):
    sara = make_customer("Sara", "sara@example.com")
    paolo = make_customer("Paolo", "paolo@example.com")
    for name in ("Bea", "Ana"):
        referral = refer(store, sara, name)
        deciding.approve_referral(referral, at=NOW + timedelta(days=20))
    voided = refer(store, paolo, "Zoe")
    deciding.void_referral(voided, reason=Referral.Reason.STAFF, at=NOW)
    assert holds(store, ("friends_at_least", 2)) == ["Sara"]
    assert holds(store, ("friends_at_least", 3)) == []
    assert holds(store, ("tier", "1")) == ["Sara"]
    assert holds(store, ("tier", "5")) == []
    assert holds(store, ("referred", "yes")) == ["Ana", "Bea"]
    assert holds(store, ("referred", "no")) == ["Paolo", "Sara", "Zoe"]
    assert holds(store, ("has_referred", "yes")) == ["Sara"]
    assert holds(store, ("has_referred", "no")) == ["Ana", "Bea", "Paolo", "Zoe"]


# -- Who they are --


def test_tags(store, never):
    vip, partner, _plain = never("Vip"), never("Partner"), never("Plain")
    tagging.tag(store, [vip.pk], " VIP "), tagging.tag(store, [partner.pk], "Partner")
    assert holds(store, ("tag", "vip")) == ["Vip"]
    assert holds(store, ("without_tag", "ViP")) == ["Partner", "Plain"]
    assert holds(store, ("partner", "yes")) == ["Partner"]
    assert holds(store, ("partner", "no")) == ["Plain", "Vip"]


def test_language(store, never):
    never("Tagala", locale="fil"), never("English", locale="en"), never("Unsaid"), never("German", locale="de")
    assert holds(store, ("language", "fil")) == ["Tagala"]
    assert holds(store, ("language", "en")) == ["English", "German", "Unsaid"]
    assert holds(store, ("language", "fa")) == []


def test_addresses_and_consent(store, never):
    never("Phone", email="", email_norm="", phone_norm="+639170000001")
    mail = never("Mail")
    record_consent(mail, Channel.EMAIL, granted=True, source="api", at=NOW)
    assert holds(store, ("has_email", "yes")) == holds(store, ("has_phone", "no")) == ["Mail"]
    assert holds(store, ("has_email", "no")) == holds(store, ("has_phone", "yes")) == ["Phone"]
    assert holds(store, ("agreed_to_mail", "yes")) == ["Mail"]
    assert holds(store, ("agreed_to_mail", "no")) == ["Phone"]
    assert holds(store, ("agreed_to_texts", "yes")) == []
    assert holds(store, ("agreed_to_texts", "no")) == ["Mail", "Phone"]


def test_every_fact_is_tried_above():
    """A new fact without a row in and a row out fails here."""
    tried = Path(__file__).read_text()
    assert [slug for slug in audiences.FACTS if f'("{slug}", ' not in tried] == []


def test_nobody_erased_and_no_nameless_buyer(store, never):
    never("Erased", erased_at=NOW), never("Guest", external_id="guest:1"), never("Nina")
    assert holds(store, ("orders_at_most", 0)) == ["Nina"]


def test_all_conditions_must_hold(store, buy):
    buy("Both", 1, location="mall"), buy("Late", 99, location="mall"), buy("Elsewhere", 1)
    assert holds(store, ("bought_within", 10), ("location", "mall")) == ["Both"]


def test_another_stores_rows_are_in_no_audience(store, other_store, buy):
    with acting_for(other_store):
        make_order_of(other_store, Person("Foreign", "f@example.com"), at=NOW)
    buy("Mine", 1)
    assert holds(store, ("bought_within", 10)) == ["Mine"]
    assert holds(store, ("recency", [1, 5])) == ["Mine"]


# -- What cannot be read --


@pytest.mark.parametrize(
    "conditions",
    [
        [],
        {},
        None,
        "tag",
        ["tag"],
        [{"fact": "tag"}],
        [{"fact": "nonsense", "value": 1}],
        [{"fact": ["tag"], "value": 1}],
        [{"fact": "tag", "value": "x", "more": 1}],
        [{"fact": "bought_within", "value": 0}],
        [{"fact": "bought_within", "value": 3651}],
        [{"fact": "bought_within", "value": True}],
        [{"fact": "bought_within", "value": "7"}],
        [{"fact": "bought_within", "value": 7.5}],
        [{"fact": "spent_at_least", "value": -1}],
        [{"fact": "spent_at_least", "value": 10**14}],
        [{"fact": "recency", "value": [4]}],
        [{"fact": "recency", "value": [5, 4]}],
        [{"fact": "recency", "value": [0, 5]}],
        [{"fact": "recency", "value": [1, True]}],
        [{"fact": "score", "value": "delighted"}],
        [{"fact": "open_case", "value": True}],
        [{"fact": "tag", "value": ""}],
        [{"fact": "tag", "value": "x" * 41}],
        [{"fact": "tier", "value": "gold"}],
        [{"fact": "tag", "value": "vip"}] * 13,
    ],
)
def test_what_cannot_be_read_is_refused_never_everybody(store, never, conditions):
    never("Nina")
    with pytest.raises(audiences.BadCondition) as refused:
        audiences.count(store, conditions, NOW)
    assert str(refused.value)


# -- Written down --


def members(segment):
    return sorted(segment.members.values_list("customer__name", flat=True))


def save(store, name="Lately", conditions=({"fact": "bought_within", "value": 10},), **more):
    return audiences.save(store, name=name, conditions=list(conditions), at=NOW, **more)


def test_saving_writes_its_members_down(store, buy):
    buy("Sara", 1), buy("Old", 99)
    segment = save(store)
    assert members(segment) == ["Sara"]
    assert segment.counted_at == NOW


def test_the_sweep_brings_it_up_to_date(store, buy):
    buy("Sara", 1)
    segment = save(store)
    buy("Paolo", 0)
    later = NOW + timedelta(days=9.5)
    assert audiences.refresh(segment, at=later) == audiences.members.Change(came=1, went=1)
    assert members(segment) == ["Paolo"]


def test_a_second_refresh_changes_nothing(store, buy):
    for name in ("Sara", "Paolo", "Ana"):
        buy(name, 1)
    segment = save(store)
    before = list(segment.members.order_by("pk").values_list("pk", flat=True))
    assert audiences.refresh(segment, at=NOW) == audiences.members.Change(came=0, went=0)
    assert list(segment.members.order_by("pk").values_list("pk", flat=True)) == before  # the very same rows


def test_a_refresh_is_one_statement_besides_the_lock(store, buy, django_assert_num_queries):
    buy("Sara", 1)
    segment = save(store)
    with django_assert_num_queries(5):  # savepoint, lock, the difference, the time, release
        audiences.refresh(segment, at=NOW)


def test_one_that_cannot_be_read_keeps_its_members_and_stops_no_other(store, buy):
    buy("Sara", 1)
    broken, fine = save(store), save(store, "Fine")
    Segment.objects.filter(pk=broken.pk).update(conditions=[{"fact": "gone", "value": 1}])
    SegmentMember.objects.for_store(store).filter(segment=fine).delete()
    assert audiences.refresh_all(store, NOW) == 1
    assert members(broken) == members(fine) == ["Sara"]


def test_a_name_is_taken_once(store):
    save(store)
    with pytest.raises(audiences.NameTaken):
        save(store)
    assert Segment.objects.for_store(store).count() == 1


def test_deleting_and_bringing_back(store, buy):
    buy("Sara", 1)
    segment = save(store)
    kept = audiences.delete(segment)
    assert not Segment.objects.for_store(store).exists()
    assert not SegmentMember.objects.for_store(store).exists()
    back = audiences.restore(store, kept, at=NOW)
    assert (back.public_id, back.name, members(back)) == (kept["public_id"], "Lately", ["Sara"])


def test_what_uses_it_keeps_it(store, buy):
    buy("Sara", 1)
    segment = save(store)
    Journey.objects.create(store=store, kind=Kind.OWN, trigger=Trigger.MANUAL, name="Spring", segment=segment)
    with pytest.raises(audiences.InUse) as refused:
        audiences.delete(segment)
    assert refused.value.args == (["Spring"],)
    assert members(segment) == ["Sara"]


def test_words_name_what_is_meant(store, make_customer):
    Location.objects.create(store=store, code="mall", name="The Mall")
    conditions = [
        {"fact": "bought_within", "value": 1},
        {"fact": "spent_at_least", "value": 150_000},
        {"fact": "recency", "value": [4, 5]},
        {"fact": "location", "value": "mall"},
        {"fact": "tier", "value": "1"},
        {"fact": "gone", "value": 1},
    ]
    said = audiences.in_words(conditions, audiences.Names(store))
    assert said[0] == "Bought within the last 1 day"
    assert said[1] == "Has spent at least ₱1,500"
    assert "fifths 4 to 5" in said[2]
    assert "The Mall" in said[3]
    assert said[4] == "Has reached the step from 1 friend"
    assert "not known any more" in said[5]


def test_the_heavy_facts_use_an_index_under_row_level_security(store, buy):
    buy("Sara", 1)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for fact, value in (("bought_within", 10), ("tag", "vip"), ("score", "promoter"), ("has_referred", "yes")):
            plan = audiences.people(store, [{"fact": fact, "value": value}], NOW).explain()
            assert "Seq Scan" not in plan, plan


def test_programs_steps_are_offered(store):
    programs.change_program(
        programs.program_of(store),
        ProgramTerms("P", TEN_PERCENT, [TierTerms(3, "each", TEN_PERCENT, name="Gold")]),
        by=None,
        at=NOW,
    )
    names = audiences.Names(store)
    assert audiences.in_words([{"fact": "tier", "value": "3"}], names) == [
        "Has reached the step \u2068Gold\u2069 (3 friends)"
    ]
