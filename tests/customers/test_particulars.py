"""Birthdays in two calendars, time zone, address; tags; the pages and the service."""

from datetime import date

import jdatetime
import pytest
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from customers import birthdays, particulars, tagging
from customers.models import Customer, CustomerTag
from stores.tenancy import acting_for

DAYS = st.dates(date(2022, 3, 21), date(2023, 3, 20))


# -- Birthdays --


@given(day=DAYS)
def test_what_is_typed_in_persian_is_what_is_shown_again(day):
    jalali = birthdays.to_jalali(day.month, day.day)
    assert birthdays.from_jalali(*jalali) == (day.month, day.day)


@given(day=DAYS, year=st.integers(1400, 1430))
def test_the_greeting_is_at_most_a_day_early_or_late(day, year):
    month, number = birthdays.to_jalali(day.month, day.day)
    true = jdatetime.date(year, month, number).togregorian()
    greetings = [date(true.year + more, day.month, day.day) for more in (-1, 0, 1)]
    assert min(abs((greeting - true).days) for greeting in greetings) <= 1


def test_days_that_most_years_do_not_have():
    assert birthdays.from_jalali(12, 30) == birthdays.from_jalali(12, 29) == (3, 20)
    assert birthdays.to_jalali(2, 29) == birthdays.to_jalali(3, 1) == (12, 10)
    assert birthdays.checked(2, 29) == (2, 29)
    for month, day in ((2, 30), (4, 31), (13, 1), (0, 5)):
        with pytest.raises(ValueError):
            birthdays.checked(month, day)
    with pytest.raises(ValueError):
        birthdays.from_jalali(7, 31)


@pytest.mark.parametrize(("language", "words"), [("en", "21 March"), ("fa", "۱ فروردین"), ("fil", "21 Marso")])
def test_it_is_said_in_the_languages_calendar(language, words):
    with translation.override(language):
        assert birthdays.in_words(3, 21) == words
        assert birthdays.in_words(None, None) == ""


# -- The page --


@pytest.fixture
def sara(make_customer):
    return make_customer("Sara Ahmadi", "sara@example.com")


@pytest.fixture
def url(store, sara):
    return reverse("customers:edit", args=[store.slug, sara.public_id])


FACTS = {
    "birth_day": "5",
    "birth_month": "11",
    "time_zone": "Asia/Tehran",
    "postal_address": "1 Main St\r\n\r\n Manila",
}


def kept(sara):
    sara.refresh_from_db()
    return sara.birth_month, sara.birth_day, sara.time_zone, sara.postal_address


def test_it_keeps_what_is_typed(manager, url, sara):
    assert manager.post(url, FACTS).status_code == 302
    assert kept(sara) == (11, 5, "Asia/Tehran", "1 Main St\nManila")
    page = manager.get(reverse("insights:customer", args=[sara.store.slug, sara.public_id])).content.decode()
    assert "5 November" in page


def test_persian_pages_take_persian_days(manager, url, sara):
    manager.post(f"{url}?lang=fa", {**FACTS, "birth_day": "1", "birth_month": "1"})
    assert kept(sara)[:2] == (3, 21)
    page = manager.get(f"{url}?lang=fa").content.decode()
    assert '<option value="1" selected>فروردین' in page


def test_it_forgets_what_is_taken_away(manager, url, sara):
    manager.post(url, FACTS)
    manager.post(url, {"birth_day": "", "birth_month": "", "time_zone": "", "postal_address": ""})
    assert kept(sara) == (None, None, "", "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"birth_day": "31", "birth_month": "4"},
        {"birth_day": "5", "birth_month": ""},
        {"birth_day": "", "birth_month": "5"},
        {"birth_day": "99"},
        {"time_zone": "Mars/Base"},
        {"postal_address": "x" * 301},
    ],
)
def test_a_refusal_keeps_what_was_typed_and_changes_nothing(manager, url, sara, wrong):
    answer = manager.post(url, {**FACTS, "postal_address": "1 Main St", **wrong})
    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()
    assert wrong.get("postal_address", "1 Main St") in answer.content.decode()
    assert kept(sara) == (None, None, "", "")


def test_an_erased_person_has_no_such_page(manager, url, sara, now):
    Customer.objects.filter(pk=sara.pk).update(erased_at=now)
    assert manager.get(url).status_code == manager.post(url, FACTS).status_code == 404


def test_strangers_and_staff_change_nothing(stranger, staff, client, url, sara):
    for who, status in ((stranger, 404), (staff, 403), (client, 302)):
        assert who.get(url).status_code == who.post(url, FACTS).status_code == status
    assert kept(sara) == (None, None, "", "")


def test_the_service_refuses_what_no_form_would_send(sara):
    good = {"birthday": (2, 29), "time_zone": "UTC", "postal_address": ""}
    for bad in ({"birthday": (2, 30)}, {"time_zone": "Nowhere"}, {"postal_address": "x" * 301}):
        with pytest.raises(particulars.BadParticular) as refused:
            particulars.change(sara, **{**good, **bad})
        assert refused.value.args == (next(iter(bad)),)
    assert kept(sara) == (None, None, "", "")
    assert particulars.change(sara, **good) is True
    assert particulars.change(sara, **good) is False


# -- Tags --


@pytest.mark.parametrize("typed", ["VIP", " vip ", "#Vip", "ｖｉｐ"])
def test_one_tag_however_it_is_typed(store, sara, typed):
    tagging.tag(store, [sara.pk], "vip")
    assert tagging.tag(store, [sara.pk], typed) == 0
    assert tagging.tags_of(sara) == ["vip"]


@pytest.mark.parametrize("typed", ["", "  ", "#", "x" * 41, "a,b", "الف، ب"])
def test_what_is_no_tag(store, sara, typed):
    with pytest.raises(tagging.BadTag) as refused:
        tagging.tag(store, [sara.pk], typed)
    assert str(refused.value)
    assert not CustomerTag.objects.for_store(store).exists()


def test_another_stores_customer_cannot_be_tagged(store, other_store, sara):
    with acting_for(other_store):
        assert tagging.tag(other_store, [sara.pk], "vip") == 0
    assert tagging.tags_of(sara) == []


def test_exactly_these_tags(store, sara):
    tagging.tag(store, [sara.pk], "old")
    assert tagging.set_tags(sara, ["VIP", "vip", "Partner"]) == ["partner", "vip"]
    assert tagging.tags_of(sara) == ["partner", "vip"]


def test_the_customers_page_puts_a_tag_on_and_takes_it_off(manager, store, sara):
    url = reverse("customers:tags", args=[store.slug, sara.public_id])
    page = manager.post(url, {"tag": "VIP"}, follow=True).content.decode()
    assert tagging.tags_of(sara) == ["vip"]
    assert 'value="vip"' in page
    manager.post(url, {"tag": "vip", "action": "untag"})
    assert tagging.tags_of(sara) == []
    assert "Write a word for the tag." in manager.post(url, {"tag": " "}, follow=True).content.decode()


def test_tags_by_the_wrong_people(manager, stranger, staff, client, store, sara):
    url = reverse("customers:tags", args=[store.slug, sara.public_id])
    several = reverse("customers:several", args=[store.slug])
    assert manager.get(url).status_code == manager.get(several).status_code == 405
    for who, status in ((stranger, 404), (staff, 403), (client, 302)):
        assert who.post(url, {"tag": "vip"}).status_code == status
        assert who.post(several, {"tag": "vip", "chosen": [sara.public_id]}).status_code == status
    assert tagging.tags_of(sara) == []


def test_several_of_the_list(manager, store, sara, make_customer):
    paolo, url = make_customer("Paolo"), reverse("customers:several", args=[store.slug])
    chosen = [sara.public_id, paolo.public_id, "nobody"]
    answer = manager.post(url, {"tag": "Vip", "chosen": chosen, "query": "q=a&chip=unhappy"}, follow=True)
    assert answer.redirect_chain == [(f"/d/{store.slug}/customers/?q=a&chip=unhappy", 302)]
    assert "2 more have the tag" in answer.content.decode()
    assert tagging.tags_of(sara) == tagging.tags_of(paolo) == ["vip"]
    manager.post(url, {"tag": "vip", "chosen": [sara.public_id], "action": "untag"})
    assert (tagging.tags_of(sara), tagging.tags_of(paolo)) == ([], ["vip"])


@pytest.mark.parametrize("post", [{"tag": "vip"}, {"tag": "", "chosen": ["SARA"]}, {"tag": "a,b", "chosen": ["SARA"]}])
def test_what_says_too_little_changes_nothing(manager, store, sara, post):
    chosen = [sara.public_id if one == "SARA" else one for one in post.get("chosen", [])]
    answer = manager.post(
        reverse("customers:several", args=[store.slug]), {**post, "chosen": chosen, "query": "//evil.example"}
    )
    assert answer.url.startswith(f"/d/{store.slug}/customers/")
    assert not CustomerTag.objects.for_store(store).exists()
