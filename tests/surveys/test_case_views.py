import csv
from io import StringIO

import pytest
from django.utils import timezone

from customers.models import Category, Product
from outreach.models import Hold
from stores.tenancy import acting_for
from surveys.models import CaseEvent, Invitation, RecoveryCase
from surveys.services import answering, recovery

URL = "/d/rosewater/unhappy/"
TIMING = "/d/rosewater/settings/timing/"


def one(case):
    return f"{URL}{case.public_id}/"


def status(case):
    return RecoveryCase.objects.for_store(case.store).get(pk=case.pk).status


def notes(case):
    return list(CaseEvent.objects.for_store(case.store).filter(case=case).order_by("pk").values_list("note", flat=True))


def test_the_oldest_promise_is_first_and_overdue_is_marked(manager, unhappy):
    unhappy("new@example.com", name="Nina New", hours_ago=1)
    unhappy("old@example.com", name="Olga Old", hours_ago=40)
    page = manager.get(URL)
    assert [str(row.customer) for row in page.context["page"].rows] == ["Olga Old", "Nina New"]
    assert [row.overdue for row in page.context["page"].rows] == [True, False]
    assert "Mug" in page.content.decode()


def test_the_phone_is_first(manager, case):
    type(case.customer).objects.filter(pk=case.customer_id).update(phone="+639170000001")
    page = manager.get(URL).content.decode()
    assert page.index("tel:+639170000001") < page.index("Bea Cruz")


def test_it_says_when_nobody_waits(manager, store):
    assert "Nobody is waiting" in manager.get(URL).content.decode()


def test_ended_ones_have_a_tab_of_their_own(manager, case):
    recovery.end_case(case, solved=True, note="", at=timezone.now(), by=None)
    assert not manager.get(URL).context["page"].rows
    assert manager.get(f"{URL}?tab=ended").context["page"].rows == [case]


def test_the_list_downloads_without_formulas(manager, unhappy):
    unhappy(comment="=HYPERLINK(1)")
    answer = manager.get(f"{URL}?format=csv")
    rows = list(csv.reader(StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[1][0] == "Bea Cruz"
    assert "'=HYPERLINK(1)" in rows[1]


def test_comments_are_escaped(manager, unhappy):
    case = unhappy(comment="<script>alert(1)</script>")
    for url in (URL, one(case)):
        assert "<script>alert(1)" not in manager.get(url).content.decode()


def test_its_queries_do_not_grow(manager, unhappy, django_assert_max_num_queries):
    for number in range(6):
        unhappy(f"p{number}@example.com")
    with django_assert_max_num_queries(18):
        manager.get(URL)


def test_the_list_takes_no_posts(manager):
    assert manager.post(URL).status_code == 405


def test_the_list_is_hidden_from_strangers_and_staff(stranger, staff, case):
    assert stranger.get(URL).status_code == 404
    assert staff.get(URL).status_code == 403


# -- One case --


def test_it_shows_whom_to_help(manager, case):
    page = manager.get(one(case)).content.decode()
    for words in ("bea@example.com", "It came broken", "Mug", "2 of 10"):
        assert words in page


def test_a_note_is_kept(manager, case):
    assert manager.post(one(case), {"action": "note", "note": "Called: no answer"}).status_code == 302
    assert notes(case)[-1] == "Called: no answer"
    assert "Called: no answer" in manager.get(one(case)).content.decode()


@pytest.mark.parametrize("form", [{"action": "note", "note": " "}, {"action": "close", "note": ""}])
def test_empty_words_are_refused(manager, case, form):
    assert manager.post(one(case), form).status_code == 422
    assert (status(case), len(notes(case))) == ("open", 1)


def test_a_note_that_is_too_long_is_kept_on_the_form(manager, case):
    page = manager.post(one(case), {"action": "solve", "note": "long " * 900})
    assert page.status_code == 422
    assert "long long" in page.content.decode()
    assert status(case) == "open"


def test_it_is_handed_to_somebody(manager, case):
    manager.post(one(case), {"action": "assign", "assignee": manager.user.pk})
    case.refresh_from_db()
    assert case.assignee == manager.user
    assert f"Now with {manager.user}" in manager.get(one(case)).content.decode()
    manager.post(one(case), {"action": "assign", "assignee": ""})
    case.refresh_from_db()
    assert case.assignee is None


def test_it_is_handed_to_nobody_from_elsewhere(manager, case, stranger):
    assert manager.post(one(case), {"action": "assign", "assignee": stranger.user.pk}).status_code == 404
    case.refresh_from_db()
    assert case.assignee is None


def test_solving_ends_the_silence_and_opening_again_brings_it_back(manager, case):
    assert manager.post(one(case), {"action": "solve", "note": "Sent a new one"}).status_code == 302
    assert (status(case), notes(case)[-1]) == ("solved", "Sent a new one")
    assert not Hold.objects.for_store(case.store).exists()
    manager.post(one(case), {"action": "reopen"})
    assert status(case) == "open"
    assert Hold.objects.for_store(case.store).exists()


def test_closing_says_why(manager, case):
    manager.post(one(case), {"action": "close", "note": "They moved away"})
    assert (status(case), notes(case)[-1]) == ("closed", "They moved away")


def test_solving_twice_is_one_step(manager, case):
    manager.post(one(case), {"action": "solve"}), manager.post(one(case), {"action": "solve"})
    assert len(notes(case)) == 2


def test_an_unknown_step_is_not_found(manager, case):
    assert manager.post(one(case), {"action": "delete"}).status_code == 404
    assert status(case) == "open"


def test_one_case_takes_no_other_method(manager, case):
    assert manager.put(one(case)).status_code == 405


def test_one_case_is_hidden_from_strangers(stranger, case):
    assert stranger.post(one(case), {"action": "solve"}).status_code == 404
    assert status(case) == "open"


def test_another_stores_case_is_not_here(manager, other_store, make_order, store):
    with acting_for(other_store):
        from customers.services import Person
        from tests.conftest import make_order_of

        order = make_order_of(other_store, Person(email="x@example.com"), at=timezone.now())
        invitation = Invitation.objects.create(
            store=other_store, order=order, customer=order.customer, due_at=timezone.now()
        )
        answering.respond(invitation, score=1, comment="", at=timezone.now())
        theirs = RecoveryCase.objects.for_store(other_store).get()
    assert manager.get(one(theirs)).status_code == 404


def test_staff_may_not(staff, case):
    assert staff.post(one(case), {"action": "solve"}).status_code == 403
    assert status(case) == "open"


# -- Days until the value shows --


@pytest.fixture
def mug(make_order, store):
    make_order()
    return Product.objects.for_store(store).get()


def test_it_sets_days_by_product_and_category(owner, store, mug):
    kitchen = Category.objects.for_store(store).get()
    assert owner.post(TIMING, {f"product-{mug.pk}": "۱۴", f"category-{kitchen.pk}": "3"}).status_code == 302
    mug.refresh_from_db(), kitchen.refresh_from_db()
    assert (mug.time_to_value_days, kitchen.time_to_value_days) == (14, 3)
    owner.post(TIMING, {f"product-{mug.pk}": ""})
    mug.refresh_from_db()
    assert mug.time_to_value_days is None


@pytest.mark.parametrize("typed", ["-1", "soon", "366", "1.5", "9" * 5000])
def test_wrong_days_save_nothing_and_stay_on_the_page(owner, store, mug, typed):
    kitchen = Category.objects.for_store(store).get()
    page = owner.post(TIMING, {f"product-{mug.pk}": typed, f"category-{kitchen.pk}": "3"})
    assert page.status_code == 422
    assert typed in page.content.decode()
    mug.refresh_from_db(), kitchen.refresh_from_db()
    assert (mug.time_to_value_days, kitchen.time_to_value_days) == (None, None)


def test_it_finds_products(owner, mug):
    assert "Mug" in owner.get(f"{TIMING}?q=mug-1").content.decode()
    assert "Nothing matches" in owner.get(f"{TIMING}?q=bicycle").content.decode()


def test_days_take_no_other_method(owner):
    assert owner.put(TIMING).status_code == 405


def test_days_are_hidden_from_strangers_and_managers(stranger, manager, mug):
    assert stranger.post(TIMING, {f"product-{mug.pk}": "1"}).status_code == 404
    assert manager.post(TIMING, {f"product-{mug.pk}": "1"}).status_code == 403
    mug.refresh_from_db()
    assert mug.time_to_value_days is None
