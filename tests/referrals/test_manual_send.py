"""Sending by hand: the forecast against the claim, the run, its page."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers import particulars
from customers.models import Channel, Customer
from customers.services import record_consent
from outreach import dispatch, journeys, judging, services
from outreach.kinds import Kind, Trigger, Way
from outreach.models import Journey, Message, MessageEvent, Stop, Suppression
from referrals import audiences
from referrals.models import Program, ShareLink
from referrals.services import campaigns
from stores.models import Job
from tests.conftest import NOW
from tests.planned import plan_message

ALL = [{"fact": "has_email", "value": "yes"}]


@pytest.fixture
def journey(store):
    return Journey.objects.create(
        store=store, kind=Kind.OWN, trigger=Trigger.MANUAL, name="Spring", is_on=True, ways=[Way.EMAIL, Way.SMS]
    )


@pytest.fixture
def person(store):
    """`person("sara")`: a customer who agreed to mail."""

    def make(name, **facts):
        email = f"{name}@example.com"
        facts = {"email": email, "email_norm": email, "email_consent": True, "recorded_at": NOW, **facts}
        return Customer.objects.create(store=store, name=name.title(), **facts)

    return make


@pytest.fixture
def segment(store):
    return audiences.save(store, name="With mail", conditions=ALL, at=NOW)


@pytest.fixture
def send(store, journey):
    """`send(segment)`: press and do the work; the run."""

    def run(segment=None, key="press-1", at=NOW):
        job, _is_new = campaigns.send(store, journey, segment, key=key, by=None, at=at)
        return campaigns.work(store, job.pk)

    return run


def messages(store):
    return Message.objects.for_store(store).filter(kind=Kind.OWN)


# -- The forecast --


def test_it_counts_by_reason(store, journey, person):
    person("sara"), person("nomail", email="", email_norm=""), person("silent", email_consent=False)
    person("erased", erased_at=NOW), person("guest", external_id="guest:1")
    sad, gone, asked, full = person("sad"), person("gone"), person("asked"), person("full")
    services.hold(sad, key="case:1", reason="open_case", at=NOW)
    services.suppress(store, Channel.EMAIL, gone.email_norm, reason="bounced", source="test", at=NOW)
    plan_message(asked, Kind.ASK, key="a", due_at=NOW - timedelta(days=2), context={}, at=NOW)
    for number in range(store.weekly_cap):
        sent = plan_message(full, Kind.REWARD, key=f"r{number}", due_at=NOW, context={}, at=NOW)
        Message.objects.filter(pk=sent.pk).update(status="sent", sent_at=NOW - timedelta(days=6))
    found = campaigns.forecast(store, journey, None, NOW)
    assert (found.reachable, [one.name for one in found.examples]) == (1, ["Sara"])
    assert found.skipped == dict.fromkeys(("no_address", "no_consent", "open_case", "suppressed", "cooldown", "cap"), 1)
    assert found.total == 7


def test_its_statements_do_not_grow_with_people(store, journey, segment, person):
    def cost():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            campaigns.forecast(store, journey, segment, NOW)
        return len(queries)

    person("sara")
    few = cost()
    for number in range(30):
        person(f"p{number}")
    assert cost() == few <= 4


def test_it_says_what_the_claim_does(store, person):
    """A hundred people and five journeys drawn at random: who is reached, and why not, is the claim's own verdict."""
    dice = random.Random(7)
    audience = audiences.save(store, name="Tagless", conditions=[{"fact": "without_tag", "value": "x"}], at=NOW)
    people = [_random_person(store, person, dice, number) for number in range(100)]
    audiences.refresh(audience, at=NOW)
    audience.members.filter(customer__in=people[::9]).delete()
    Stop.objects.create(store=store, channel=Channel.SMS, reason="complaints", at=NOW)
    for number, ways in enumerate((["email"], ["email", "sms"], ["sms"], ["call"], ["note", "email"], ["visit"])):
        journey = Journey.objects.create(
            store=store, kind=Kind.OWN, trigger=Trigger.MANUAL, is_on=True, ways=ways, segment=audience
        )
        judged = campaigns.reach.judged(campaigns.everybody(store), store, journey, NOW)
        foreseen = dict(judged.values_list("pk", "why_not"))
        assert {one: _claims(store, journey, one, number) for one in people} == {
            one: foreseen[one.pk] for one in people
        }, ways
        reached = sum(not reason for reason in foreseen.values())
        assert 0 < reached < 100 or (ways == ["sms"] and not reached)  # texts are stopped
        messages(store).delete()  # they would be in the cool-down of the next


def _random_person(store, person, dice, number):
    address = {"email": "", "email_norm": ""} if dice.random() < 0.2 else {}
    phone = f"+63917{number:07}" if dice.random() < 0.7 else ""
    one = person(f"p{number}", **address, phone=phone, phone_norm=phone, sms_consent=dice.random() < 0.5)
    if dice.random() < 0.3:
        record_consent(one, Channel.EMAIL, granted=False, source="api", at=NOW)
    if dice.random() < 0.5:
        particulars.change(one, birthday=None, time_zone="", postal_address="1 Main Street")
    if dice.random() < 0.1:
        services.hold(one, key=f"case:{number}", reason="open_case", at=NOW)
    for channel, address in ((Channel.EMAIL, one.email_norm), (Channel.SMS, one.phone_norm)):
        if address and dice.random() < 0.15:
            reason = dice.choice(Suppression.Reason.values)
            services.suppress(store, channel, address, reason=reason, source="test", at=NOW)
    return one


def _claims(store, journey, customer, number):
    """What the claim says about a message to them; '' when it may go, now or when the hour has come."""
    message = journeys.start(customer, journey, key=f"{number}:{customer.pk}", context={}, fact_at=NOW, at=NOW)
    verdict = judging.judge(store, [message], NOW)[message.pk]
    return verdict if isinstance(verdict, str) else ""


# -- The run --


def test_everybody_reached_gets_one_and_the_others_a_reason(store, journey, segment, person, send):
    sara, silent = person("sara"), person("silent", email_consent=False)
    job = send(segment)
    assert (job.state, job.total, job.done, job.failed) == ("done", 2, 1, 1)
    assert job.data["skipped"] == {"no_consent": 1}
    found = {one.customer: one for one in messages(store)}
    assert (found[sara].status, found[sara].journey, found[sara].due_at >= NOW) == ("pending", journey, True)
    assert (found[silent].status, found[silent].reason) == ("skipped", "no_consent")
    assert MessageEvent.objects.for_store(store).get(message=found[silent]).reason == "no_consent"


def test_the_words_have_what_they_need(store, person, send, make_order):
    sara = make_order("sara@example.com").customer
    record_consent(sara, Channel.EMAIL, granted=True, source="api", at=NOW)
    send()
    context = messages(store).get().context
    link = ShareLink.objects.for_store(store).get(customer=sara)
    assert (context["product"], context["code"], context["friend_gets"], context["you_get"]) == (
        "Mug",
        link.code,
        "10% off",
        "10% off",
    )
    assert set(context["links"]) == {"action", "share", "landing", "unsubscribe"}


def test_the_offers_are_said_in_the_persons_language(store, person, send):
    person("sara", locale="fa")
    send()
    assert "۱۰" in messages(store).get().context["friend_gets"]


def test_it_goes_out(store, person, send):
    person("sara")
    send()
    claimed = dispatch.claim(store, NOW + timedelta(days=400), token=uuid4(), lease_until=NOW)  # too late is too late
    assert claimed == []
    assert messages(store).get().reason == "too_late"


def test_statements_grow_by_pieces_not_by_people(store, segment, person, send, monkeypatch):
    def cost(key, count):
        for number in range(count):
            person(f"{key}{number}")
        with CaptureQueriesContext(connection) as queries:
            send(segment, key=key)
        return len(queries)

    cost("first", 1)  # who is in the cool-down from now on: a skipped one each time
    assert cost("few", 2) == cost("many", 60)


def test_a_second_press_is_the_same_run(store, journey, segment, person, send):
    person("sara")
    first, is_new = campaigns.send(store, journey, segment, key="k", by=None, at=NOW)
    again, is_new_again = campaigns.send(store, journey, segment, key="k", by=None, at=NOW)
    other_page, is_new_there = campaigns.send(store, journey, None, key="other", by=None, at=NOW)
    assert first == again == other_page
    assert (is_new, is_new_again, is_new_there) == (True, False, False)
    campaigns.work(store, first.pk), campaigns.work(store, first.pk)
    assert messages(store).count() == 1
    assert campaigns.send(store, journey, segment, key="k", by=None, at=NOW) == (first, False)  # done, and still once


def test_a_new_run_leaves_those_alone_who_just_had_one(store, segment, person, send):
    person("sara")
    send(segment, key="1")
    person("bea")
    second = send(segment, key="2")
    assert (second.done, second.data["skipped"]) == (1, {"cooldown": 1})
    assert messages(store).filter(status="pending").count() == 2


def test_it_goes_to_those_who_were_meant_when_it_was_pressed(store, journey, segment, person):
    """Editing the segment, or taking it away, changes nothing for a run that is at work."""
    person("sara"), person("bea")
    job, _is_new = campaigns.send(store, journey, segment, key="k", by=None, at=NOW)
    audiences.delete(segment)
    assert campaigns.work(store, job.pk).done == 2


def test_a_message_that_is_being_sent_cannot_be_removed(store, journey, segment, person):
    person("sara")
    job, _is_new = campaigns.send(store, journey, segment, key="k", by=None, at=NOW)
    assert journeys.remove_own(journey, by=None, at=NOW) is None
    assert Journey.objects.for_store(store).filter(pk=journey.pk, is_on=False).exists()
    assert campaigns.work(store, job.pk).state == Job.State.DONE


def test_a_piece_that_always_fails_ends_the_run(store, segment, person, journey, monkeypatch):
    person("sara")
    job, _ = campaigns.send(store, journey, segment, key="k", by=None, at=NOW)
    monkeypatch.setattr(campaigns, "start_all", lambda *_args, **_more: 1 / 0)
    states = [campaigns.work(store, job.pk).state for _ in range(5)]
    assert states == ["running"] * 4 + ["failed"]
    assert Job.objects.for_store(store).get().note == "ZeroDivisionError"
    assert not messages(store).exists()


def test_the_sweep_takes_new_and_abandoned_runs_only(store, segment, person, journey):
    person("sara")
    job, _ = campaigns.send(store, journey, segment, key="k", by=None, at=NOW)
    Job.objects.filter(pk=job.pk).update(touched_at=NOW - timedelta(seconds=30))
    assert campaigns.continue_all(NOW) == 0  # somebody is at work
    assert campaigns.continue_all(NOW + timedelta(seconds=31)) == 1
    assert messages(store).count() == 1
    assert campaigns.continue_all(NOW + timedelta(days=1)) == 0


def test_a_turn_ends_and_the_next_goes_on(store, segment, person, journey, monkeypatch):
    monkeypatch.setattr(campaigns, "PIECE", 1)
    for name in ("sara", "bea", "ana"):
        person(name)
    job, _ = campaigns.send(store, journey, segment, key="k", by=None, at=NOW)
    assert [campaigns.work(store, job.pk, seconds=-1).done for _ in range(2)] == [1, 2]
    assert campaigns.continue_all(NOW) == 1  # free at once
    assert messages(store).count() == 3


def test_stopping_takes_back_what_has_not_gone(store, segment, person, send, journey):
    for name in ("sara", "bea", "ana"):
        person(name)
    job = send(segment)
    first = messages(store).order_by("pk").first()
    Message.objects.filter(pk=first.pk).update(status="sent", sent_at=NOW)
    other = plan_message(first.customer, Kind.REWARD, key="r", due_at=NOW, context={}, at=NOW)
    assert campaigns.stop(store, job, at=NOW) == 2
    assert sorted(messages(store).values_list("status", "reason")) == [("sent", "")] + [("skipped", "taken_back")] * 2
    assert MessageEvent.objects.for_store(store).filter(reason="taken_back").count() == 2
    other.refresh_from_db()
    assert other.status == "pending"
    assert campaigns.stop(store, job, at=NOW) == 0


def test_stopping_early_plans_no_more(store, segment, person, journey):
    person("sara")
    job, _ = campaigns.send(store, journey, segment, key="k", by=None, at=NOW)
    campaigns.stop(store, job, at=NOW)
    assert campaigns.work(store, job.pk).state == "stopped"
    assert not messages(store).exists()


@pytest.mark.parametrize("change", [{"is_on": False}, {"trigger": Trigger.BIRTHDAY}])
def test_only_own_messages_that_are_on(store, journey, change):
    Journey.objects.filter(pk=journey.pk).update(**change)
    journey.refresh_from_db()
    with pytest.raises(campaigns.NotNow):
        campaigns.send(store, journey, None, key="k", by=None, at=NOW)
    assert not Job.objects.for_store(store).exists()


# -- The pages --


@pytest.fixture
def url(store):
    return reverse("referrals:send", args=[store.slug])


def press(client, url, journey, segment, key="k"):
    return client.post(url, {"journey": journey.public_id, "segment": segment.public_id, "key": key})


def test_the_page_says_whom_it_reaches_and_why_not_the_others(manager, url, journey, segment, person):
    person("sara"), person("bea"), person("silent", email_consent=False)
    page = manager.get(url, {"journey": journey.public_id, "segment": segment.public_id}).content.decode()
    assert "Send to 2 people" in page
    assert "They have not agreed to receive such messages." in page
    assert "Sara" in page


def test_pressing_sends_once(manager, url, store, journey, segment, person):
    person("sara")
    first, second = press(manager, url, journey, segment), press(manager, url, journey, segment)
    assert first.status_code == second.status_code == 302
    assert first.url == second.url
    job = Job.objects.for_store(store).get()
    assert (job.by, job.state) == (manager.user, "running")


def test_the_progress_ends_without_its_trigger(manager, url, store, journey, segment, person):
    person("sara")
    page = press(manager, url, journey, segment).url
    part = manager.get(page, headers={"hx-request": "true"}).content.decode()
    assert 'hx-trigger="every 2s"' in part
    assert "<html" not in part
    campaigns.work(store, Job.objects.for_store(store).get().pk)
    part = manager.get(page, headers={"hx-request": "true"}).content.decode()
    assert "hx-trigger" not in part
    assert "Waiting to go out" in part
    assert "Stop what has not gone yet" in part


def test_the_stop_button(manager, url, store, journey, segment, person):
    person("sara")
    page = press(manager, url, journey, segment).url
    campaigns.work(store, Job.objects.for_store(store).get().pk)
    assert manager.get(page + "stop/").status_code == 405
    assert "1 message was taken back" in manager.post(page + "stop/", follow=True).content.decode()
    assert messages(store).get().status == "skipped"


def test_nothing_to_send_yet(manager, url):
    assert "No message to send yet" in manager.get(url).content.decode()


def test_a_paused_program_sends_nothing(manager, url, store, journey, segment, person):
    person("sara")
    Program.objects.for_store(store).update(status=Program.Status.PAUSED)
    page = manager.get(url, {"journey": journey.public_id, "segment": segment.public_id}).content.decode()
    assert "Send to 1 person" not in page
    assert press(manager, url, journey, segment).url == url
    assert not Job.objects.for_store(store).exists()


def test_what_is_not_there_is_not_sent(manager, url, store, journey, segment):
    assert manager.post(url, {"journey": journey.public_id, "segment": "nonsense"}).status_code == 404
    assert manager.post(url, {"segment": segment.public_id}).status_code == 404
    assert not Job.objects.for_store(store).exists()


def test_strangers_and_staff_send_nothing(stranger, staff, client, url, store, journey, segment, person):
    person("sara")
    job, _ = campaigns.send(store, journey, segment, key="k", by=None, at=NOW)
    campaigns.work(store, job.pk)
    page = reverse("referrals:sending", args=[store.slug, job.public_id])
    for who, status in ((stranger, 404), (staff, 403), (client, 302)):
        assert press(who, url, journey, segment, key="theirs").status_code == status
        assert who.get(page).status_code == status
        assert who.post(page + "stop/").status_code == status
    assert Job.objects.for_store(store).count() == 1
    assert messages(store).get().status == "pending"


def test_query_counts_are_flat(manager, url, journey, segment, person, django_assert_max_num_queries):
    for number in range(12):
        person(f"p{number}")
    with django_assert_max_num_queries(18):
        manager.get(url, {"journey": journey.public_id, "segment": segment.public_id})
