import csv
import io

import pytest
from django.urls import reverse

from customers.models import Channel, Customer
from customers.queries import find
from customers.services import Person, record_consent
from outreach.services import unsubscribe
from referrals.services.links import share_link_of
from referrals.services.programs import program_of
from rewards.services import vouchers
from surveys.models import Invitation
from surveys.services.answering import respond
from tests.conftest import NOW, make_order_of


@pytest.fixture
def url(store):
    return reverse("customers:list", args=[store.slug])


@pytest.fixture
def people(store, make_customer):
    make_customer("Sara Ahmadi", "sara@example.com", phone="+639171234567", external_id="c-9")
    make_customer("Paolo Reyes", "paolo@example.com")
    return {one.name.split()[0]: one for one in Customer.objects.for_store(store)}


def names(store, typed="", chip=""):
    return sorted(one.name for one in find(store, typed, chip))


def test_it_lists_everybody(manager, url, people):
    page = manager.get(url).content.decode()
    assert "Sara Ahmadi" in page
    assert "Paolo Reyes" in page


@pytest.mark.parametrize(
    "typed", ["sara", "SARA AH", " sara@Example.com ", "0917 123 4567", "۰۹۱۷۱۲۳۴۵۶۷", "+639171234567", "c-9"]
)
def test_it_finds_by_name_mail_phone_and_number(store, people, typed):
    assert names(store, typed) == ["Sara Ahmadi"]


def test_it_finds_by_share_code_and_by_voucher(store, people):
    code = share_link_of(people["Sara"], at=NOW).code
    assert names(store, code.lower().replace("-", " ")) == ["Sara Ahmadi"]
    offer = program_of(people["Paolo"].store).terms.friend_offer
    voucher = vouchers.issue(store, offer, key="x", at=NOW, customer=people["Paolo"])
    assert names(store, voucher.code) == ["Paolo Reyes"]


def test_it_folds_persian_letters(store, make_customer):
    make_customer("Ali ۱۲")
    assert names(store, "ali 12") == ["Ali ۱۲"]


def test_what_nobody_matches_keeps_what_was_typed(manager, url, people):
    page = manager.get(url, {"q": "<b>Zoe"}).content.decode()
    assert "Nobody matches “&lt;b&gt;Zoe”" in page
    assert 'value="&lt;b&gt;Zoe"' in page


def test_a_wildcard_is_a_letter_like_others(store, people):
    assert names(store, "%") == names(store, "_ara") == []


def test_odd_bytes_break_nothing(manager, url, people):
    assert manager.get(url, {"q": "sa\x00ra"}).status_code == 200
    assert manager.get(url, {"q": "x" * 5000, "chip": "nonsense", "after": "~~"}).status_code == 200


def test_the_chips(store, people, make_customer):
    share_link_of(people["Sara"], at=NOW)
    assert names(store, chip="advocates") == ["Sara Ahmadi"]
    order = people["Paolo"].orders.get()
    invitation = Invitation.objects.create(store=store, order=order, customer=people["Paolo"], due_at=NOW)
    respond(invitation, score=1, comment="", at=NOW)
    assert names(store, chip="unhappy") == ["Paolo Reyes"]
    record_consent(people["Sara"], Channel.EMAIL, granted=True, source="api", at=NOW)
    assert names(store, chip="unsubscribed") == []
    unsubscribe(store, people["Sara"], source="unsubscribe link", at=NOW)
    assert names(store, chip="unsubscribed") == ["Sara Ahmadi"]
    assert names(store, "paolo", chip="unsubscribed") == []


def test_the_file_holds_the_found_ones(manager, url, people):
    content = manager.get(url, {"q": "sara", "format": "csv"}).content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content)))
    assert len(rows) == 2
    assert rows[1][:4] == ["Sara Ahmadi", "sara@example.com", "'+639171234567", "c-9"]


def test_pages_hold_fifty(manager, url, store):
    for number in range(60):
        make_order_of(store, Person(f"Person {number}", f"p{number}@example.com"), at=NOW)
    first = manager.get(url)
    assert len(first.context["page"].rows) == 50
    second = manager.get(url, {"after": first.context["page"].next}).context["page"]
    assert len(second.rows) == 10
    assert not {one.pk for one in first.context["page"].rows} & {one.pk for one in second.rows}


def test_queries_do_not_grow_with_rows(manager, url, people, make_customer, django_assert_max_num_queries):
    with django_assert_max_num_queries(15):
        manager.get(url)
    for number in range(9):
        make_customer(f"More {number}")
    with django_assert_max_num_queries(15):
        manager.get(url)
    with django_assert_max_num_queries(18):
        manager.get(url, {"q": "0917 123 4567"})


def test_it_refuses_a_post(manager, url):
    assert manager.post(url).status_code == 405


def test_it_is_hidden_from_strangers_and_refused_to_staff(stranger, staff, client, url, people):
    assert stranger.get(url).status_code == 404
    assert staff.get(url).status_code == 403
    assert client.get(url).status_code == 302
