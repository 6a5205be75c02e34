"""Something done to several customers at once: tags, silence, a file, an ask; each but the file can be undone."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from customers import bulk, tagging
from customers.models import Channel, Consent, Customer, CustomerTag
from customers.services import record_consent
from outreach.models import Hold, Message
from outreach.services import unsubscribe
from referrals.services import asking_by_hand
from stores.models import AuditEvent, Job
from stores.tenancy import act_for
from surveys.models import Response
from tests.conftest import NOW


@pytest.fixture
def people(store, make_customer):
    """Sara and Paolo, who agreed to mail, and Bea, who said nothing."""
    found = [make_customer(name, f"{name[:4].lower()}@example.com") for name in ("Sara A", "Paolo R", "Beatriz C")]
    for one in found[:2]:
        record_consent(one, Channel.EMAIL, granted=True, source="api", at=NOW)
    return found


def do(client, store, people, action="", name="customers:several", **values):
    chosen = [one.public_id for one in people]
    url = reverse(name, args=[store.slug])
    return client.post(url, {"chosen": chosen, "action": action, **values}, follow=True).content.decode()


def undo(client, store, job=None):
    job = job or Job.objects.for_store(store).filter(kind="bulk").order_by("-pk")[0]
    url = reverse("referrals:undo_several", args=[store.slug, job.public_id])
    return client.post(url, {"query": "q=x"}, follow=True)


def tags(store) -> list[tuple[str, str]]:
    rows = CustomerTag.objects.for_store(store).order_by("customer", "tag")
    return list(rows.values_list("customer__name", "tag"))


def test_a_tag_is_undone_for_those_who_had_it_not(manager, store, people):
    tagging.tag(store, [people[0].pk], "vip")
    before = tags(store)
    page = do(manager, store, people, "tag", tag="VIP")
    assert "2 more have the tag" in page
    assert "What you did with 2 customers" in page
    assert undo(manager, store).redirect_chain[0][0].endswith("?q=x")
    assert tags(store) == before


def test_taking_a_tag_off_is_undone_for_those_who_had_it(manager, store, people):
    tagging.tag(store, [people[0].pk], "vip")
    do(manager, store, people, "untag", tag="vip")
    assert tags(store) == []
    undo(manager, store)
    assert tags(store) == [("Sara A", "vip")]


def test_silence_is_written_down_for_each_and_undone(manager, store, people):
    page = do(manager, store, people, "silence")
    assert "2 get no messages any more" in page
    assert not Customer.objects.for_store(store).filter(email_consent=True).exists()
    said = Consent.objects.for_store(store).filter(granted=False)
    assert {(one.customer.name, one.source) for one in said} == {
        ("Sara A", "staff: Leila Santos"),
        ("Paolo R", "staff: Leila Santos"),
    }
    assert AuditEvent.objects.for_store(store).filter(action="consent.withdrawn", user=manager.user).count() == 1
    undo(manager, store)
    assert Customer.objects.for_store(store).filter(email_consent=True).count() == 2
    assert Consent.objects.for_store(store).filter(granted=True).count() == 4


def test_who_said_something_since_is_left_with_that(manager, store, people):
    do(manager, store, people, "silence")
    record_consent(people[0], Channel.EMAIL, granted=False, source="phone", at=timezone.now())
    undo(manager, store)
    assert [one.name for one in Customer.objects.for_store(store).filter(email_consent=True)] == ["Paolo R"]


def test_it_is_undone_once_and_for_ten_minutes(manager, store, people):
    do(manager, store, people, "tag", tag="vip")
    undo(manager, store)
    tagging.tag(store, [people[0].pk], "vip")
    assert "cannot be undone any more" in undo(manager, store).content.decode()
    assert tags(store) == [("Sara A", "vip")]
    do(manager, store, people, "tag", tag="late")
    job = Job.objects.for_store(store).order_by("-pk")[0]
    with pytest.raises(bulk.NotUndone):
        bulk.undo(job, ways=bulk.UNDO, by=manager.user, at=job.started_at + bulk.OFFERED + timedelta(seconds=1))
    assert bulk.last_of(store, manager.user, job.started_at + bulk.OFFERED + timedelta(seconds=1)) is None


def test_the_offer_is_for_whoever_did_it(manager, owner, store, people):
    do(manager, store, people, "tag", tag="vip")
    url = reverse("customers:list", args=[store.slug])
    assert "What you did" in manager.get(url).content.decode()
    assert "What you did" not in owner.get(url).content.decode()


def test_the_chosen_ones_as_a_file(manager, store, people):
    page = do(manager, store, people[:2], "export")
    assert "Sara A" in page
    assert "Paolo R" in page
    assert "Beatriz" not in page
    assert not Job.objects.for_store(store).exists()


def test_nobody_chosen_and_nonsense_change_nothing(manager, store, people):
    assert "Choose at least one row first" in do(manager, store, [], "silence")
    assert "Write a word for the tag" in do(manager, store, people, "tag", tag="  ")
    assert "Choose at least one row first" in do(manager, store, [], name="referrals:ask_several")
    assert not Job.objects.for_store(store).exists()


# -- Asking --


def test_those_who_may_be_asked_are_asked_in_ten_minutes_and_can_be_left_alone(manager, store, people):
    page = do(manager, store, people, name="referrals:ask_several")
    assert "2 are asked in ten minutes" in page
    assert "They have not agreed" in page
    waiting = Message.objects.for_store(store).filter(kind="ask", status="pending")
    assert {one.customer.name for one in waiting} == {"Sara A", "Paolo R"}
    assert all(one.due_at >= timezone.now() + timedelta(minutes=9) for one in waiting)
    assert all(one.context["code"] and one.context["links"]["share"] for one in waiting)
    undo(manager, store)
    assert {one.reason for one in Message.objects.for_store(store).filter(kind="ask")} == {"taken_back"}


@pytest.mark.parametrize("why", ["unhappy", "held", "closed", "lately"])
def test_who_should_be_left_alone_is_not_asked(store, people, manager, why):
    sara = people[0]
    at = timezone.now()
    if why == "unhappy":
        Response.objects.create(store=store, customer=sara, score=2, at=at)
    elif why == "held":
        Hold.objects.create(store=store, customer=sara, key="case:1", reason="open_case", at=at)
    elif why == "closed":
        unsubscribe(store, sara, source="unsubscribe link", at=at)
    else:
        asking_by_hand.ask(store, [sara.pk], by=manager.user, at=at)
        Message.objects.for_store(store).update(status="sent", sent_at=at)
    asked = asking_by_hand.ask(store, [one.pk for one in people], by=manager.user, at=at)
    assert asked.job.done == 1
    expected = {"unhappy": "unhappy", "held": "open_case", "closed": "suppressed", "lately": "cooldown"}[why]
    assert asked.why_not[expected] == 1


def test_asking_costs_the_same_for_many(store, make_customer, manager, django_assert_max_num_queries):
    for count in (2, 20):
        found = [make_customer(f"P {count} {n}") for n in range(count)]
        Customer.objects.filter(pk__in=[one.pk for one in found]).update(email_consent=True)
        with django_assert_max_num_queries(32):
            assert asking_by_hand.ask(store, [one.pk for one in found], by=manager.user, at=NOW).job.done == count


def test_silence_costs_the_same_for_many(store, make_customer, manager, django_assert_max_num_queries):
    for count in (2, 20):
        found = [make_customer(f"P {count} {n}").pk for n in range(count)]
        Customer.objects.filter(pk__in=found).update(email_consent=True, sms_consent=True)
        with django_assert_max_num_queries(10):
            assert bulk.silence(store, found, by=manager.user, at=NOW).done == count


# -- Who may --


def test_it_is_hidden_from_strangers_and_refused_to_staff(manager, stranger, staff, store, people):
    do(manager, store, people, "tag", tag="vip")
    job = Job.objects.for_store(store).get()
    for name, args in (
        ("customers:several", []),
        ("referrals:ask_several", []),
        ("referrals:undo_several", [job.public_id]),
    ):
        url = reverse(name, args=[store.slug, *args])
        assert (stranger.post(url).status_code, staff.post(url).status_code) == (404, 403)
        assert manager.get(url).status_code == 405
    assert len(tags(store)) == 3


def test_another_stores_customers_are_not_touched(manager, store, other_store, people, login):
    theirs = login("owner", of=other_store)
    assert "Choose at least one row first" in do(theirs, other_store, people, "silence")
    act_for(store)
    assert Customer.objects.for_store(store).filter(email_consent=True).count() == 2
