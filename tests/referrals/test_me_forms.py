"""What an advocate does on their own page: choose, say where cash goes, miss a friend, appeal, preferences."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers.models import Customer
from referrals.models import Appeal, Boost, Device, Referral
from referrals.public import limits
from referrals.services import appeals, deciding, links
from referrals.services.programs import change_program, program_of
from referrals.services.terms import OfferTerms, TierTerms, terms_of
from rewards.models import Fulfilment, Offer, PayoutAddress, Reward, Tier, Voucher
from rewards.services import addresses, ledger
from stores import tokens
from tests.referrals.journey_world import count, refer

Kind = Offer.Kind
CREDIT = OfferTerms(Kind.STORE_CREDIT, amount_minor=150_00)
DONATION = OfferTerms(Kind.DONATION, amount_minor=150_00, words="the lifeboats")
CASH = OfferTerms(Kind.CASH, amount_minor=150_00)
CARD = OfferTerms(Kind.GIFT_CARD, amount_minor=150_00)
FORMS = ("payout", "missing", "preferences", "rewards/x1/choose", "friends/x1/appeal")
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/605.1"


@pytest.fixture
def client():
    """A phone without cookies or a CSRF token."""
    return Client(enforce_csrf_checks=True, headers={"user-agent": PHONE})


@pytest.fixture
def url(store, share_link):
    return f"/me/{tokens.make(tokens.Purpose.SHARE, store.pk, share_link.customer)}"


@pytest.fixture
def earn(store, share_link, now):
    """A function that puts a tier in force and lets Sara earn it by one friend."""

    def earn(offer, *choices, name="Bea Cruz"):
        program = program_of(store)
        tiers = [TierTerms(1, Tier.Gives.EACH, offer, choices=choices)]
        change_program(program, replace(terms_of(program), tiers=tiers), by=None, at=now)
        count(refer(share_link, name, at=now), at=now)
        return Reward.objects.for_store(store).filter(side="advocate").latest("pk")

    return earn


@pytest.fixture
def refused(share_link, now):
    """A friend of Sara's who does not count."""
    referral = refer(share_link, at=now)
    deciding.void_referral(referral, reason=Referral.Reason.STAFF, at=now)
    referral.refresh_from_db()
    return referral


def text_of(client, url):
    page = client.get(url)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", page.content.decode())


# -- Choosing --


def offer_of(reward, kind):
    return next(one.offer for one in reward.tier.choices.all() if one.offer.kind == kind)


def test_a_reward_shows_its_options_and_becomes_what_is_tapped(client, store, url, earn):
    reward = earn(CREDIT, DONATION, CASH)
    text = text_of(client, url)
    for words in ("₱150 store credit", "₱150 for the lifeboats", "₱150 in cash", "Choose until", "yours to choose"):
        assert words in text, words
    picked = offer_of(reward, Kind.DONATION)
    answer = client.post(f"{url}/rewards/{reward.public_id}/choose", {"offer": picked.public_id})
    assert answer["Location"].endswith(f"{url}#rewards")
    assert Reward.objects.get(pk=reward.pk).offer == picked
    assert "will be given" in text_of(client, url)


def test_a_second_tap_changes_nothing(client, store, url, earn):
    reward = earn(CREDIT, DONATION)
    choose = f"{url}/rewards/{reward.public_id}/choose"
    for offer in (reward.offer, reward.offer, offer_of(reward, Kind.DONATION)):
        assert client.post(choose, {"offer": offer.public_id}).status_code == 302
    assert Reward.objects.get(pk=reward.pk).offer == reward.offer
    assert ledger.credit_balance(store, reward.customer, "PHP") == 150_00
    assert not Fulfilment.objects.for_store(store).exists()


@pytest.mark.parametrize("offer", ["", "x", "a" * 500, "\x00"])
def test_what_is_not_offered_cannot_be_chosen(client, url, earn, offer):
    reward = earn(CREDIT, DONATION)
    assert client.post(f"{url}/rewards/{reward.public_id}/choose", {"offer": offer}).status_code == 302
    assert Reward.objects.get(pk=reward.pk).status == Reward.Status.CHOOSING


def test_nobody_chooses_for_somebody_else(client, store, url, earn, make_customer):
    reward = earn(CREDIT, DONATION)
    other = tokens.make(tokens.Purpose.SHARE, store.pk, make_customer("Nina", "nina@example.com"))
    answer = client.post(f"/me/{other}/rewards/{reward.public_id}/choose", {"offer": reward.offer.public_id})
    assert answer.status_code == 404
    assert Reward.objects.get(pk=reward.pk).status == Reward.Status.CHOOSING
    assert client.get(f"{url}/rewards/{reward.public_id}/choose").status_code == 405


# -- What they hold --


def test_a_gift_card_shows_what_is_left(client, url, earn):
    earn(CARD)
    text = text_of(client, url)
    assert "gift card of ₱150" in text
    assert "₱150 left" in text


def test_each_reward_links_the_terms_it_was_given_under(client, store, url, earn, now):
    reward = earn(CREDIT)
    earn(CASH, name="Eli Two")
    text = text_of(client, url)
    token = tokens.make(tokens.Purpose.TERMS, store.pk, reward.terms)
    assert f'href="/terms/{token}"' in text
    assert "There is a newer version" in text_of(client, f"/terms/{token}")


def test_a_boost_is_said_while_it_runs(client, store, url):
    now, program = timezone.now(), program_of(store)
    times = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=1)}
    boost = Boost.objects.create(store=store, program=program, name="Spring", percent=200, **times)
    assert "200% of the usual" in text_of(client, url)
    Boost.objects.filter(pk=boost.pk).update(stopped_at=now)
    assert "of the usual" not in text_of(client, url)


def test_things_that_are_handed_over_have_a_day_and_an_end(client, store, url, earn, now):
    earn(OfferTerms(Kind.CUSTOM, amount_minor=150_00, words="a seat at our table"))
    assert "on its way" in text_of(client, url)
    Fulfilment.objects.for_store(store).update(status="done", ended_at=now)
    assert "handed over" in text_of(client, url)


# -- Cash --


def test_cash_shows_the_balance_and_asks_where_it_is_to_go(client, url, earn):
    assert "Your cash" not in text_of(client, url)
    earn(CASH)
    text = text_of(client, url)
    assert "To be paid to you" in text
    assert "Say where it is to go" in text


def test_an_address_is_kept_sealed_and_shown_by_its_end(client, store, url, earn, share_link):
    earn(CASH)
    sent = {"method": "gcash", "number": "۰۹۱۷ ۱۲۳ ۴۵۶۷", "holder": "Sara Ahmadi"}
    assert client.post(f"{url}/payout", sent)["Location"].endswith("#cash")
    row = PayoutAddress.objects.for_store(store).get()
    assert (row.method, row.hint) == ("gcash", "…4567")
    assert "9171234567" not in row.sealed
    assert addresses.details_of(row) == addresses.Details("+639171234567", "Sara Ahmadi")
    for page in (text_of(client, url), text_of(client, f"{url}/payout")):
        assert "…4567" in page
        assert "9171234567" not in page
    client.post(f"{url}/payout", {"method": "paypal", "number": "Sara@Example.com", "holder": "Sara Ahmadi"})
    assert PayoutAddress.objects.for_store(store).get().hint == "s…@example.com"


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"method": "gcash", "number": "12", "holder": "Sara"},
        {"method": "gcash", "number": "0917 123 4567", "holder": ""},
        {"method": "bank", "number": "GB82 WEST 1234 5698 7654 33", "holder": "Sara"},
        {"method": "bank", "number": "1234567890", "holder": "Sara"},  # at which bank?
        {"method": "card", "number": "6037 9971 1111 1117", "holder": "Sara"},  # not in this country
        {"method": "paypal", "number": "<script>", "holder": "<i>Sara</i>"},
        {"method": "x" * 500, "number": "9" * 5000, "holder": "\x00"},
    ],
)
def test_an_address_that_cannot_be_right_keeps_the_form(client, store, url, sent):
    page = client.post(f"{url}/payout", sent)
    assert page.status_code == 400
    assert 'role="alert"' in page.content.decode()
    assert "<script>" not in page.content.decode().replace("<script src", "")
    assert not PayoutAddress.objects.for_store(store).exists()


# -- A friend is missing --


def test_a_friend_can_be_missed_and_stands_on_the_page(client, store, url):
    sent = {"friend_name": "Eli Two", "order_number": "#1007", "words": "She paid on Friday."}
    assert client.post(f"{url}/missing", sent)["Location"].endswith("#friends")
    assert client.post(f"{url}/missing", sent).status_code == 302
    appeal = Appeal.objects.for_store(store).get()  # once
    assert (appeal.kind, appeal.customer.name, appeal.friend_name) == ("missing", "Sara Ahmadi", "Eli Two")
    text = text_of(client, url)
    assert "Eli Two" in text
    assert "somebody of the shop looks into it" in text


@pytest.mark.parametrize(
    "sent", [{}, {"words": "somebody"}, {"friend_name": "x" * 500}, {"friend_name": "a", "words": "x" * 5000}]
)
def test_something_to_look_by_is_needed(client, store, url, sent):
    page = client.post(f"{url}/missing", sent)
    assert page.status_code == 400
    assert 'role="alert"' in page.content.decode()
    assert not Appeal.objects.for_store(store).exists()


def test_so_many_friends_are_looked_for_at_a_time(client, store, url):
    answers = [client.post(f"{url}/missing", {"friend_name": f"Friend {n}"}) for n in range(appeals.MOST_OPEN + 1)]
    assert [answer.status_code for answer in answers] == [302] * appeals.MOST_OPEN + [429]
    assert "Friend 5" in answers[-1].content.decode()  # what was typed stays
    assert Appeal.objects.for_store(store).count() == appeals.MOST_OPEN


def test_an_answer_stands_on_the_page_escaped(client, store, url, manager):
    client.post(f"{url}/missing", {"friend_name": "<b>Eli</b>"})
    appeal = Appeal.objects.for_store(store).get()
    appeals.decline(appeal, "<script>Which order?</script>", by=manager.user, at=timezone.now())
    text = text_of(client, url)
    assert "stays with it" in text
    assert "&lt;script&gt;Which order?" in text
    assert "<b>Eli" not in text


# -- This should count --


def test_a_refusal_can_be_contested_once(client, store, url, refused):
    assert "Is that wrong?" in text_of(client, url)
    contest = f"{url}/friends/{refused.public_id}/appeal"
    assert "Bea C." in text_of(client, contest)
    assert client.post(contest, {"words": ""}).status_code == 400
    assert client.post(contest, {"words": "She never was here before."}).status_code == 302
    assert client.post(contest, {"words": "Again."}).status_code == 302
    assert Appeal.objects.for_store(store).get().words == "She never was here before."
    assert "Is that wrong?" not in text_of(client, url)


def test_only_ones_own_refusals_can_be_contested(client, store, url, refused, share_link, make_customer, now):
    counted = count(refer(share_link, "Eli Two", at=now), at=now)
    other = tokens.make(tokens.Purpose.SHARE, store.pk, make_customer("Nina", "nina@example.com"))
    for path in (f"{url}/friends/{counted.public_id}/appeal", f"/me/{other}/friends/{refused.public_id}/appeal"):
        assert client.get(path).status_code == 404
        assert client.post(path, {"words": "Please."}).status_code == 404
    assert not Appeal.objects.for_store(store).exists()


# -- Preferences --


def test_others_see_nothing_until_one_says_so(client, store, url, share_link):
    def seen():
        return Customer.objects.get(pk=share_link.customer_id).found_by_name

    assert seen() is False
    assert "checked" not in text_of(client, url)
    assert client.post(f"{url}/preferences", {"found_by_name": "on"})["Location"].endswith("#preferences")
    assert seen() is True
    assert text_of(client, url).count(" checked") == 1
    client.post(f"{url}/preferences", {})
    assert seen() is False


# -- All of them --


@pytest.mark.parametrize("form", FORMS)
def test_bad_tokens_and_erased_people_are_gone_alike(client, store, url, share_link, form):
    pages = [client.post(f"/me/nonsense/{form}"), client.post(f"/me/{'A' * 4000}/{form}")]
    Customer.objects.filter(pk=share_link.customer_id).update(erased_at=timezone.now())
    pages.append(client.post(f"{url}/{form}"))
    assert {page.status_code for page in pages} == {404}
    assert len({re.sub(r'href="[^"]*lang=[^"]*"', "", page.content.decode()) for page in pages}) == 1


@pytest.mark.parametrize("form", FORMS)
def test_many_forms_are_slowed_down(client, url, form, monkeypatch):
    monkeypatch.setattr(limits, "PER_ADVOCATE", 2)
    answers = [client.post(f"{url}/{form}") for _ in range(3)]
    assert 429 not in {answer.status_code for answer in answers[:2]}
    assert answers[2].status_code == 429
    assert answers[2]["Retry-After"]
    assert "try again in an hour" in answers[2].content.decode()


def test_another_stores_token_does_not_reach_this_ones_rows(client, store, other_store, share_link, earn):
    reward = earn(CREDIT, DONATION)
    foreign = tokens.make(tokens.Purpose.SHARE, other_store.pk, share_link.customer)
    assert client.post(f"/me/{foreign}/rewards/{reward.public_id}/choose").status_code == 404


def test_looking_writes_nothing_but_the_browser(client, store, url, share_link):
    client.get(url), client.get(url)
    client.get(f"{url}/payout"), client.get(f"{url}/missing")
    assert Device.objects.for_store(store).get().customer == share_link.customer
    assert not Appeal.objects.for_store(store).exists()
    assert not Voucher.objects.for_store(store).exists()


def test_the_own_gift_is_known_by_the_own_browser(client, store, url, share_link):
    client.get(url)
    client.post(f"/r/{share_link.code}", {"contact": "sara.other@example.com"})
    claim = links.ShareLink.objects.get(pk=share_link.pk).claims.get()
    assert Device.objects.for_store(store).filter(customer=share_link.customer, device=claim.device).exists()


def test_a_program_that_fetches_the_page_leaves_nothing(store, url):
    page = Client(headers={"user-agent": "Slackbot"}).get(url)
    assert not page.cookies
    assert not Device.objects.for_store(store).exists()


def test_the_queries_do_not_grow_with_what_is_held(client, url, earn, django_assert_max_num_queries):
    earn(CREDIT, DONATION), earn(CARD, name="Eli Two"), earn(CASH, name="Fay Three")
    client.post(f"{url}/missing", {"friend_name": "Gus"})
    client.get(url)
    with django_assert_max_num_queries(27) as few:
        client.get(url)
    for number in range(4):
        earn(CREDIT, DONATION, name=f"Friend{number} Last"), earn(CARD, name=f"Guest{number} Last")
    with django_assert_max_num_queries(len(few)):
        client.get(url)


def test_a_moment_later_a_period_is_over(client, store, url, share_link, now):
    program = program_of(store)
    tiers = [TierTerms(2, Tier.Gives.EVERY, CREDIT, within_days=30), TierTerms(5, Tier.Gives.ONCE, CASH)]
    change_program(program, replace(terms_of(program), tiers=tiers), by=None, at=now)
    count(refer(share_link, at=now), at=timezone.now() - timedelta(days=40))
    text = text_of(client, url)
    assert "2 friends to go: ₱150 store credit" in text
    assert "last 30 days" in text
    count(refer(share_link, "Eli Two", at=now), at=timezone.now())
    assert "1 friend to go: ₱150 store credit" in text_of(client, url)
