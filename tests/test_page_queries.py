"""How many statements each page takes, and that ten times the rows take no more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from customers.models import Order
from stores.models import User
from tests.browser.catalogue import MORE, OWNER, PAGES, STAFF, addresses
from tests.browser.catalogue_world import PHILIPPINE, World
from tests.stack import Stack

pytestmark = pytest.mark.stack
FEW, MANY = 4.0, 40.0  # orders a day, with twenty people for each
# The second time somebody opens it: what a process remembers from then on is read once.
PINS = {
    "site:home": 2, "account_login": 2, "account_signup": 2, "account_reset_password": 2,
    "account_reset_password_done": 2, "account_reset_password_from_key": 2,
    "account_reset_password_from_key_done": 2, "account_inactive": 2, "account_confirm_email": 2,
    "account_email_verification_sent": 2, "site:mine": 6, "setup:new_store": 4, "account_logout": 4,
    "account_email": 6, "account_change_password": 4, "account_reauthenticate": 10, "mfa_index": 6,
    "customers:list": 15, "customers:imports": 10, "customers:import": 10, "customers:edit": 10,
    "insights:customer": 42, "insights:takeouts": 10, "referrals:doubles": 10, "referrals:erase": 41,
    "referrals:same": 10, "referrals:compare": 42, "referrals:segments": 12, "referrals:new_segment": 9,
    "referrals:segment": 14, "insights:messages": 13, "insights:calendar": 12, "outreach:outbox": 10,
    "outreach:letter": 10, "outreach:journeys": 12, "outreach:new_journey": 9, "outreach:journey": 14,
    "outreach:tasks": 11, "outreach:notes": 10, "outreach:channels": 12, "outreach:channel": 11,
    "referrals:send": 13, "referrals:sending": 14, "surveys:cases": 12, "surveys:case": 19, "surveys:replies": 11,
    "surveys:themes": 13, "surveys:new_theme": 10, "surveys:theme": 13, "surveys:testimonials": 12,
    "surveys:testimonial": 11, "surveys:reviews": 9, "surveys:timing": 12, "surveys:surveys": 12,
    "surveys:new_survey": 16, "surveys:survey": 22, "surveys:print_code": 11, "insights:answers": 20,
    "insights:find": 11, "referrals:approvals": 19, "referrals:appeals": 12, "referrals:appeal": 13,
    "referrals:credit": 12, "referrals:checks": 11, "referrals:counter_checks": 13, "referrals:blocks": 10,
    "referrals:block": 20, "referrals:decide": 16, "till:held": 10, "till:settings": 10, "referrals:programs": 16,
    "referrals:new_program": 45, "referrals:program": 60, "referrals:new_boost": 10, "referrals:contests": 10,
    "referrals:new_contest": 13, "referrals:contest": 16, "referrals:partners": 10, "referrals:partner": 12,
    "referrals:partner_paid_to": 10, "referrals:partner_statement": 11, "rewards:list": 10, "rewards:reward": 14,
    "rewards:to_do": 11, "rewards:payouts": 18, "rewards:payout_list": 14, "rewards:books": 13,
    "rewards:customer_statement": 13, "rewards:limits": 10, "rewards:codes": 11, "rewards:new_codes": 10,
    "rewards:pool": 12, "referrals:materials": 16, "referrals:new_material": 19, "referrals:material": 18,
    "referrals:on_site": 12, "referrals:wallet": 11, "health:operator": 8, "insights:home": 48, "insights:rows": 10,
    "insights:budgets": 12, "insights:reports": 35, "insights:cohorts": 10, "insights:firsts": 10,
    "insights:returns": 21, "insights:leaders": 14, "insights:setup_step": 11, "insights:setup_done": 13,
    "stores:settings": 9, "stores:people": 10, "stores:keys": 10, "referrals:currency": 10, "checkout:counter": 11,
    "checkout:quote": 12, "checkout:names": 8, "checkout:done": 11, "checkout:today": 9, "checkout:asks": 9,
    "checkout:people": 8, "checkout:switch": 8, "checkout:own_pin": 10, "checkout:shift": 12,
    "checkout:offline": 8, "survey:answer": 7, "survey:counter": 6, "survey:counter_at": 6, "survey:widget": 6,
    "survey:testimonial": 5, "survey:my_words": 7, "referral:thanks": 8, "referral:share": 28,
    "referral:payout_address": 6, "referral:missing": 5, "referral:appeal": 7, "referral:terms": 8,
    "referral:who_sent_you": 6, "referral:contest": 10, "referral:join": 10, "referral:landing": 15,
    "referral:gift": 9, "referral:demo_shop": 9, "referral:widget_banner": 9, "referral:widget_share": 9,
    "referral:widget_testimonials": 6, "mail:unsubscribe": 6, "setup sells": 10, "setup gifts": 17,
    "setup look": 13, "setup team": 11, "setup orders": 11, "a file that is taken in": 13, "nobody is found": 14,
    "found by name": 9, "a wrong code": 13, "thanks to the unhappy": 8, "a gift that is gone": 3,
    "no such page": 9,
}  # fmt: skip


@pytest.fixture(scope="module")
def counted(django_db_blocker) -> dict[float, dict[str, int]]:
    """Statements by page, in a small store and in a large one."""
    with django_db_blocker.unblock():
        return {orders_a_day: count(orders_a_day) for orders_a_day in (FEW, MANY)}


def count(orders_a_day: float) -> dict[str, int]:
    shop = replace(PHILIPPINE.shop, orders_a_day=orders_a_day, people=int(20 * orders_a_day))
    with Stack(EMAIL_CHANNEL="outbox", SMS_CHANNEL="outbox") as stack:
        world = World(stack, replace(PHILIPPINE, shop=shop))
        assert stack.inside(world.store, lambda: Order.objects.for_store(world.store).count()) > 20 * orders_a_day
        with override_settings(DEMO=True):
            return stack.call(look_at_all, world)


def look_at_all(world: World) -> dict[str, int]:
    clients = {who: logged_in(f"{who}@example.com") for who in (OWNER, STAFF)}
    found = {}
    for title, (page, path) in addresses(world).items():
        client = clients.get(page.who) or Client()
        client.get(path)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == page.status, title
        found[title] = len(seen)
    return found


def logged_in(address: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(email=address), "allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_every_page_is_pinned():
    assert set(PINS) == {*PAGES, *MORE}


def test_no_page_takes_more_than_it_did(counted):
    assert {title: number for title, number in counted[MANY].items() if number > PINS[title]} == {}


def test_ten_times_the_rows_take_no_more_statements(counted):
    few, many = counted[FEW], counted[MANY]
    assert {title: (few[title], many[title]) for title in few if many[title] > few[title]} == {}
