"""The pages of codes in numbers: made, brought in, followed, downloaded, closed."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from referrals.services.terms import OfferTerms, make_offer
from rewards.models import Offer, Pool, Voucher
from rewards.services import pools
from rewards.services.pools import Conditions
from stores.models import Job
from tests.conftest import NOW


@pytest.fixture
def url(store):
    return f"/d/{store.slug}/rewards/codes/"


@pytest.fixture
def typed():
    """The form as a browser sends it, for three codes of ours."""
    return {
        "name": "Leaflet",
        "kind": "percent_off",
        "value": "۱۰٪",
        "minimum": "",
        "valid_days": "30",
        "source": "ours",
        "number": "3",
        "uses": "1",
    }


@pytest.fixture
def pool(store):
    """A pool of three codes of ours that are asked for, and not made yet."""
    offer = make_offer(store, OfferTerms(Offer.Kind.PERCENT_OFF, percent=10))
    return pools.make(store, "Leaflet", offer, 3, Conditions(), by=None, at=NOW)[0]


def test_nothing_yet(manager, url):
    assert "No codes yet" in manager.get(url).content.decode()


def test_asking_for_new_ones_begins_the_work(manager, store, url, typed):
    assert manager.get(f"{url}new/").status_code == 200
    answer = manager.post(f"{url}new/", typed)
    made = Pool.objects.for_store(store).get()
    assert answer["Location"] == f"{url}{made.public_id}/"
    assert (made.offer.percent, made.offer.valid_days, made.is_imported) == (10, 30, False)
    job = Job.objects.for_store(store).get()
    assert (job.total, job.state) == (3, Job.State.RUNNING)
    page = manager.get(answer["Location"]).content.decode()
    assert "Being made: 0 of 3" in page
    assert "hx-trigger" in page


def test_those_of_the_shop_come_from_a_file(manager, store, url, typed):
    file = SimpleUploadedFile("codes.txt", "\ufeffSPRING-1\nSPRING-2\n\n".encode(), content_type="text/plain")
    manager.post(f"{url}new/", {**typed, "source": "shop", "give_out": "on", "lines": "SPRING-3", "file": file})
    made = Pool.objects.for_store(store).get()
    assert (made.is_imported, made.is_given_out) == (True, True)
    assert Job.objects.for_store(store).get().data["codes"] == ["SPRING-3", "SPRING-1", "SPRING-2"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"value": "150"}, "from 1 to 100"),
        ({"kind": "fixed_off", "value": "0"}, "above zero"),
        ({"number": "0"}, "from 1 to 100000"),
        ({"number": "99999999"}, "from 1 to 100000"),
        ({"uses": "-1"}, "from 0 to 100000"),
        ({"valid_days": "soon"}, "from 1 to 3650"),
        ({"source": "shop", "lines": " \n "}, "one a line"),
        ({"source": "shop", "lines": "GOOD-1\nab"}, "2: “ab”"),
        ({"name": ""}, "required"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_kept(manager, store, url, typed, changes, says):
    answer = manager.post(f"{url}new/", {**typed, **changes})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert says in page
    assert changes.get("name", "Leaflet") in page
    assert not Pool.objects.for_store(store).exists()


def test_a_name_twice(manager, url, typed, pool):
    answer = manager.post(f"{url}new/", typed)
    assert answer.status_code == 422
    assert "Give these another one" in answer.content.decode()


def test_the_file_has_every_code_and_its_state(manager, store, url, pool):
    offer = pool.offer
    Voucher.objects.create(
        store=store, code="PA", key="p:1", pool=pool, offer=offer, currency="PHP", issued_at=NOW, shown="=cmd"
    )
    text = manager.get(f"{url}{pool.public_id}/", {"format": "csv"}).content.decode()
    assert "'=cmd" in text


def test_stopping_and_closing(manager, store, url, pool):
    manager.post(f"{url}{pool.public_id}/stop/")
    assert Job.objects.for_store(store).get().state == Job.State.STOPPED
    Voucher.objects.create(
        store=store, code="PA", key="p:1", pool=pool, offer=pool.offer, currency="PHP", issued_at=NOW
    )
    manager.post(f"{url}{pool.public_id}/close/")
    assert Voucher.objects.for_store(store).get().status == Voucher.Status.VOIDED


def test_queries_do_not_grow_with_pools(manager, store, url, pool, django_assert_max_num_queries):
    with django_assert_max_num_queries(12) as few:
        manager.get(url)
    for number in range(6):
        pools.make(store, f"More {number}", pool.offer, 3, Conditions(), by=None, at=NOW)
    with django_assert_max_num_queries(len(few)):
        manager.get(url)


def test_staff_have_no_business_here(staff, url):
    assert staff.get(url).status_code == 403
