from datetime import timedelta

import pytest

from customers.models import Customer, Event
from outreach.models import Kind
from referrals.models import Referral
from referrals.services import attribution
from rewards.models import Reward
from stores.models import AuditEvent
from tests.planned import plan_message


@pytest.fixture
def referral(make_order, share_link, now):
    """A pending referral of Bea by Sara."""
    order = make_order("bea@example.com", name="Bea Cruz", code=share_link.code, days_ago=0, recorded=now)
    return attribution.attribute_order(order, at=now)


def test_a_customer_is_found_by_each_name(api, get, store, make_customer):
    bea = make_customer("Bea", "bea@example.com", phone="+639170000001", external_id="c-9")
    make_customer("Other")
    for query in ({"email": "BEA@example.com"}, {"phone": "0917 000 0001"}, {"external_id": "c-9"}):
        found = get(api, "customers/", **query).json()["results"]
        assert [one["public_id"] for one in found] == [bea.public_id]
    assert len(api.get("/api/v1/customers/?phone=+639170000001").json()["results"]) == 1
    assert get(api, "customers/", email="nobody@example.com").json() == {"next": None, "results": []}
    assert get(api, "customers/", email="").json()["results"] == []
    assert get(api, "customers/", email="not an address").status_code == 400
    assert get(api, "customers/", phone="9.63E+11").status_code == 400


def test_a_customer_has_links_balance_and_tier(api, get, post, referral, share_link):
    path = f"customers/{share_link.customer.public_id}/"
    body = get(api, path).json()
    assert body["code"] == share_link.code
    assert body["share_url"].endswith(f"/r/{share_link.code}")
    assert "/me/" in body["advocate_url"]
    assert (body["balance"], body["currency"], body["tier"]) == (0, "PHP", None)
    post(api, f"referrals/{referral.public_id}/approve/")
    assert get(api, path).json()["tier"]["threshold"] == 1


def test_referrals_by_state_and_time(api, get, referral, now):
    (found,) = get(api, "referrals/", status="pending").json()["results"]
    assert (found["advocate"], found["friend"], found["order"]) == ("Sara A.", "Bea C.", referral.order.public_id)
    assert get(api, "referrals/", status="approved").json()["results"] == []
    assert get(api, "referrals/", status="happy").status_code == 400
    assert len(get(api, "referrals/", since=now.isoformat()).json()["results"]) == 1
    assert len(api.get(f"/api/v1/referrals/?since={now.isoformat()}").json()["results"]) == 1
    assert get(api, "referrals/", since=(now + timedelta(seconds=1)).isoformat()).json()["results"] == []
    assert get(api, "referrals/", since="2026-11-20T10:00:00").status_code == 400


def test_approving_grants_both_sides_once(api, get, post, store, referral):
    for _ in range(2):
        answer = post(api, f"referrals/{referral.public_id}/approve/")
        assert answer.status_code == 200
        assert answer.json()["status"] == "approved"
    rewards = get(api, "rewards/").json()["results"]
    assert {one["side"] for one in rewards} == {"advocate", "friend"}
    assert all(one["voucher"]["code"] for one in rewards)
    mine = get(api, "rewards/", customer=referral.advocate.public_id, status="granted").json()["results"]
    assert [one["side"] for one in mine] == ["advocate"]
    assert AuditEvent.objects.for_store(store).filter(action="referral.approved").count() == 1


def test_voiding_is_final_and_takes_back(api, post, store, referral):
    post(api, f"referrals/{referral.public_id}/approve/")
    for _ in range(2):
        answer = post(api, f"referrals/{referral.public_id}/void/")
        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["reason"]) == ("voided", "staff")
    assert not Reward.objects.for_store(store).filter(status="granted").exists()
    assert post(api, f"referrals/{referral.public_id}/approve/").status_code == 409


def test_another_stores_referral_is_not_decided(foreign_api, post, referral, store):
    for step in ("approve", "void"):
        assert post(foreign_api, f"referrals/{referral.public_id}/{step}/").status_code == 404
    assert Referral.objects.for_store(store).get().status == "pending"


def test_messages_of_a_customer(api, get, store, make_customer, now):
    bea = make_customer("Bea", "bea@example.com")
    links = {"survey": "http://testserver/s/x"}
    plan_message(bea, Kind.SURVEY, key="s", due_at=now, context={"links": links}, at=now)
    plan_message(make_customer("Other"), Kind.SURVEY, key="o", due_at=now, context={}, at=now)
    (found,) = get(api, "messages/", customer=bea.public_id).json()["results"]
    assert found.keys() >= {"kind", "channel", "to", "status", "reason", "due_at", "sent_at", "links"}
    assert (found["kind"], found["status"], found["sent_at"]) == ("survey", "pending", None)
    assert found["links"]["survey"] == links["survey"]
    assert found["links"]["share"] is None
    assert "/u/" in found["links"]["unsubscribe"]


EVENT = {"kind": "visit finished", "customer": {"email": "bea@example.com"}, "at": "2026-11-20T10:00:00+08:00"}


def test_an_event_is_recorded_once(api, post, store):
    first = post(api, "events/", {**EVENT, "external_id": "e1", "data": {"room": 4}})
    again = post(api, "events/", {**EVENT, "external_id": "e1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["public_id"] == again.json()["public_id"]
    assert Event.objects.for_store(store).get().data == {"room": 4}


def test_without_an_id_the_same_body_is_the_same_event(api, post, store):
    assert [post(api, "events/", EVENT).status_code for _ in range(2)] == [201, 200]
    assert post(api, "events/", {**EVENT, "kind": "milestone"}).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"kind": ""},
        {"at": "2026-11-20"},
        {"at": "2126-11-20T10:00:00Z"},
        {"customer": None},
        {"customer": {"phone": "9.63E+11"}},
        {"data": [1]},
        {"data": {"a": "x" * 20000}},
        {"who": 1},
    ],
    ids=str,
)
def test_a_bad_event_is_refused(api, post, store, change):
    assert post(api, "events/", {**EVENT, **change}).status_code == 400
    assert not Event.objects.for_store(store).exists()
    assert not Customer.objects.for_store(store).exists()


def test_a_number_too_large_for_the_database_is_refused(api, post, store):
    raw = '{"kind": "k", "customer": {"email": "a@example.com"}, "at": "2026-11-20T10:00:00Z", "data": {"a": 1e400}}'
    assert post(api, "events/", raw=raw).status_code == 400
