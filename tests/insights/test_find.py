"""Quick search: pages by the role, customers, programs and codes; few queries, however much there is."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from insights import finding
from referrals.services.programs import program_of
from rewards.services import vouchers
from stores.models import Role
from tests.conftest import NOW
from tests.rewards.books_world import Kind, earn
from tests.stack import ROOT

pytestmark = pytest.mark.django_db


def names(store, typed, role=Role.OWNER):
    return [place.name for place in finding.find(store, role, typed)]


@pytest.fixture
def url(store):
    return reverse("insights:find", args=[store.slug])


def test_nothing_typed_is_where_people_go(store):
    assert names(store, "  ") == ["Home", "Customers", "Unhappy customers", "Approvals", "Send now", "Reports"]


@pytest.mark.parametrize(("typed", "page"), [("bud", "Budgets"), ("rewards pay", "Pay out"), ("QR", "Share materials")])
def test_pages_are_found_by_the_beginning_of_their_words(store, typed, page):
    assert page in names(store, typed)


def test_pages_are_found_in_the_language_of_the_page(store):
    with translation.override("fa"):
        assert translation.gettext("Home") in names(store, translation.gettext("Home"))


def test_every_page_is_there_and_says_who_may(store):
    for page in finding.PAGES:
        assert isinstance(finding._may(store, Role.OWNER, page), bool)
        assert finding._may(store, Role.OWNER, page), page.url_name


def test_a_manager_is_not_led_to_what_is_the_owners(store):
    assert "Pay out" in names(store, "pay out")
    assert "Pay out" not in names(store, "pay out", Role.MANAGER)


def test_every_page_a_manager_is_led_to_opens(manager, store):
    for page in finding.PAGES:
        if finding._may(store, Role.MANAGER, page):
            assert manager.get(reverse(page.url_name, args=[store.slug])).status_code == 200, page.url_name


def test_customers_by_name_mail_and_code(store, share_link):
    for typed in ("sara ah", "sara@example.com", share_link.code):
        assert names(store, typed) == ["Sara Ahmadi"], typed


def test_one_letter_does_not_list_customers(store, share_link):
    assert "Sara Ahmadi" not in names(store, "s")


def test_a_reward_by_its_code(store, share_link):
    reward = earn(share_link.customer, Kind.FIXED_OFF, 10_000)
    place = finding.find(store, Role.OWNER, reward.voucher.as_shown)[-1]
    assert place.url == reverse("rewards:reward", args=[store.slug, reward.public_id])
    assert "100" in place.name


def test_a_code_without_a_reward_leads_nowhere(store):
    code = vouchers.issue(store, program_of(store).terms.friend_offer, key="one", at=NOW).code
    assert names(store, code) == []


def test_programs_by_their_name(store):
    program = program_of(store)
    assert program.name in names(store, program.name[:4])


def test_another_stores_people_are_not_found(store, other_store, share_link):
    assert names(other_store, "sara") == []


def test_the_page_and_the_list_say_the_same(owner, url, share_link):
    page, bare = owner.get(url, {"q": "sara"}), owner.get(url, {"q": "sara", "list": 1})
    for answer in (page, bare):
        assert "Sara Ahmadi" in answer.content.decode()
    assert "<html" not in bare.content.decode()
    assert 'role="option"' in bare.content.decode()


def test_what_was_typed_is_kept_and_harmless(owner, url):
    page = owner.get(url, {"q": '<script>"\x00'}).content.decode()
    assert "&lt;script&gt;&quot;" in page
    assert "Nothing found" in page


def test_only_looking(owner, staff, url):
    assert owner.post(url).status_code == 405
    assert staff.get(url).status_code == 403
    assert Client().get(url).status_code == 302


def test_queries_do_not_grow(owner, url, make_customer, django_assert_max_num_queries):
    for number in range(12):
        make_customer(f"Sara {number}", f"sara{number}@example.com")
    owner.get(url, {"q": "sara", "list": 1})
    with django_assert_max_num_queries(18) as counted:
        owner.get(url, {"q": "sara", "list": 1})
    few = len(counted)
    for number in range(30):
        make_customer(f"Sara {number}", f"sarah{number}@example.com")
    with django_assert_max_num_queries(few):
        owner.get(url, {"q": "sara", "list": 1})


def test_the_script_is_small():
    assert (ROOT / "static/js/palette.js").stat().st_size < 15_000
