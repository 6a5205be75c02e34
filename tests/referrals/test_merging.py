"""Two customers found to be one: nothing lost, nothing doubled; and split again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.apps import apps

from customers.models import Consent, Customer, CustomerMerge, Order
from customers.services import Person, find_customer, find_or_create_customer, record_consent
from outreach.models import Hold, Kind
from outreach.services import is_suppressed, unsubscribe
from referrals.models import Claim, Referral, ShareLink
from referrals.services import attribution, carrying, merging, programs, redeeming
from referrals.services.links import find_link, share_link_of
from referrals.services.terms import OfferTerms, ProgramTerms, TierTerms
from rewards.models import Account, Offer, Payout, PayoutAddress, PayoutList, Reward, Tier, Voucher
from rewards.services import granting, ledger, vouchers
from rewards.services.vouchers import Bill
from stores.models import AuditEvent, Store
from tests.conftest import NOW, make_order_of
from tests.planned import plan_message
from tests.referrals.journey_world import DAY, buy, count, refer, take_gift

LATER = NOW + DAY
CREDIT = OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=100_00)
CASH = OfferTerms(Offer.Kind.CASH, amount_minor=70_00)
TEN = OfferTerms(Offer.Kind.PERCENT_OFF, percent=10)


@pytest.fixture
def pair(make_customer, store) -> tuple[Customer, Customer]:
    """Sara by e-mail, and Sara by phone at the counter."""
    by_phone = make_order_of(store, Person("", "", "+639170000007"), at=NOW).customer
    return make_customer("Sara Ahmadi", "sara@example.com"), by_phone


def give(store: Store, *tiers: TierTerms) -> None:
    programs.change_program(programs.program_of(store), ProgramTerms("Now", TEN, list(tiers)), by=None, at=NOW)


def join(survivor: Customer, gone: Customer, at=LATER) -> CustomerMerge:
    made = merging.merge(survivor, gone, by=None, at=at)
    survivor.refresh_from_db()
    gone.refresh_from_db()
    return made


def sound(store: Store) -> bool:
    return ledger.total(store) == 0 and ledger.drift(store) == {}


def balance(customer: Customer, kind=Account.Kind.CREDIT) -> int:
    rows = Account.objects.for_store(customer.store).filter(customer=customer, kind=kind)
    return sum(rows.values_list("balance_minor", flat=True))


# -- Which tables --


def links_in_the_registry() -> set[str]:
    return {
        f"{model._meta.label_lower}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model is Customer
    }


def test_merging_knows_every_link_to_a_customer():
    known = [link.label for link in (*carrying.LINKS, *carrying.RULED, *carrying.STAYING)]
    assert len(known) == len(set(known))
    assert links_in_the_registry() == set(known)


def test_every_unique_constraint_with_a_customer_is_known():
    """Rows that may be there once a person have a rule: `beside`, a rule of their own, or they stay."""
    ruled = {(link.model, link.column) for link in carrying.LINKS if link.beside}
    ruled |= {(link.model, link.column) for link in (*carrying.RULED, *carrying.STAYING)}
    # Refused beforehand; demoted beforehand.
    ruled |= {(Payout, "customer"), (ShareLink, "customer")}
    for link in carrying.LINKS:
        meta = link.model._meta
        fields = [constraint.fields for constraint in meta.constraints if hasattr(constraint, "fields")]
        single = meta.get_field(link.column).unique
        if single or any(link.column in names for names in fields):
            assert (link.model, link.column) in ruled, link.label


# -- Rows --


def test_everything_goes_to_the_survivor_and_back(store, pair):
    sara, phone = pair
    order = Order.objects.for_store(store).get(customer=phone)
    message = plan_message(phone, Kind.ASK, at=NOW, key="ask:1", due_at=NOW)
    Hold.objects.create(store=store, customer=phone, key="case:1", reason="case", at=NOW)
    made = join(sara, phone)
    assert Order.objects.get(pk=order.pk).customer == sara
    assert carrying.left_behind(store, [phone.pk]) == set()
    message.refresh_from_db()
    assert message.customer == sara
    assert phone.merged_into == sara
    assert merging.split(made, by=None, at=LATER)
    assert Order.objects.get(pk=order.pk).customer == phone
    assert Hold.objects.for_store(store).get().customer == phone
    assert Customer.objects.get(pk=phone.pk).merged_into is None


def test_what_came_since_stays_with_the_survivor(store, pair):
    sara, phone = pair
    made = join(sara, phone)
    new = make_order_of(store, Person("", "", "+639170000007"), at=LATER)
    assert new.customer == sara
    merging.split(made, by=None, at=LATER)
    assert Order.objects.get(pk=new.pk).customer == sara


def test_a_second_merge_and_a_second_split_change_nothing(store, pair):
    sara, phone = pair
    made = join(sara, phone)
    assert merging.merge(sara, phone, by=None, at=LATER) == made
    assert merging.split(made, by=None, at=LATER)
    assert not merging.split(made, by=None, at=LATER)
    assert CustomerMerge.objects.for_store(store).count() == 1
    assert AuditEvent.objects.for_store(store).filter(action__startswith="customer.").count() == 2


@pytest.mark.parametrize("case", ["same", "merged", "erased", "circle"])
def test_it_refuses(store, pair, make_customer, case):
    sara, phone = pair
    other = make_customer("Third", "third@example.com")
    if case == "erased":
        Customer.objects.filter(pk=phone.pk).update(erased_at=NOW)
    elif case == "merged":
        join(other, phone)
    elif case == "circle":
        join(phone, sara)
    before = CustomerMerge.objects.for_store(store).count()
    with pytest.raises(merging.CannotMerge) as refused:
        merging.merge(sara, sara if case == "same" else phone, by=None, at=LATER)
    assert refused.value.reason == ("merged" if case == "circle" else case)
    assert CustomerMerge.objects.for_store(store).count() == before


def test_three_become_one_and_three_again(store, pair, make_customer):
    sara, phone = pair
    third = make_customer("Third", "third@example.com")
    first = join(sara, phone)
    second = join(third, sara)
    assert Customer.objects.get(pk=phone.pk).merged_into == third
    assert find_customer(store, Person(phone="+639170000007")) == third
    assert set(Order.objects.for_store(store).values_list("customer", flat=True)) == {third.pk}
    with pytest.raises(merging.CannotMerge):
        merging.split(first, by=None, at=LATER)
    merging.split(second, by=None, at=LATER)
    merging.split(first, by=None, at=LATER)
    assert Order.objects.for_store(store).values("customer").distinct().count() == 3


# -- Names --


def test_blanks_are_filled_and_given_back(store, pair):
    sara, phone = pair
    made = join(sara, phone)
    assert (sara.phone_norm, phone.phone_norm) == ("+639170000007", "")
    assert find_customer(store, Person(phone="+639170000007")) == sara
    merging.split(made, by=None, at=LATER)
    sara.refresh_from_db(), phone.refresh_from_db()
    assert (sara.phone_norm, phone.phone_norm) == ("", "+639170000007")


def test_names_that_both_have_lead_to_the_survivor(store, make_customer, django_assert_max_num_queries):
    kept, gone = make_customer("Sara", "sara@example.com"), make_customer("Sara A", "sara.a@example.com")
    join(kept, gone)
    assert gone.email == "sara.a@example.com"
    with django_assert_max_num_queries(2):
        assert find_or_create_customer(store, Person("Sara", "sara.a@example.com"), at=LATER, source="api") == kept
    order = make_order_of(store, Person("Sara", "SARA.A@example.com"), at=LATER)
    assert order.customer == kept


def test_a_list_of_names_takes_as_many_statements_as_one(store, make_customer, django_assert_num_queries):
    from customers.services.people import find_or_create_customers, mention

    people = []
    for number in range(6):
        kept, gone = (
            make_customer("Kept", f"kept{number}@example.com"),
            make_customer("Gone", f"gone{number}@example.com"),
        )
        join(kept, gone)
        people.append(mention(store, Person(email=f"gone{number}@example.com"), at=LATER, source="api"))
    for many in (people[:1], people):
        with django_assert_num_queries(2):
            assert len(find_or_create_customers(store, many)) == len(many)


# -- Consent --


@pytest.mark.parametrize(
    ("mine", "theirs", "outcome"),
    [(True, None, True), (True, False, False), (None, True, False), (False, True, False), (None, None, False)],
)
def test_the_stricter_consent_wins_and_comes_back(store, make_customer, mine, theirs, outcome):
    kept, gone = make_customer("Sara", "sara@example.com"), make_customer("Sara", "sara.a@example.com")
    for one, said in ((kept, mine), (gone, theirs)):
        if said is not None:
            record_consent(one, "email", granted=said, source="api", at=NOW)
    made = join(kept, gone)
    assert kept.email_consent is outcome
    merging.split(made, by=None, at=LATER)
    kept.refresh_from_db(), gone.refresh_from_db()
    assert (kept.email_consent, gone.email_consent) == (bool(mine), bool(theirs))
    assert Consent.objects.for_store(store).filter(source=merging.SOURCE).count() == (2 if outcome != bool(mine) else 0)


def test_consent_comes_along_with_its_address_only(store, pair):
    sara, phone = pair
    record_consent(phone, "sms", granted=True, source="counter", at=NOW)
    join(sara, phone)
    assert sara.sms_consent


def test_a_no_since_the_merge_holds_for_both_after_the_split(store, make_customer):
    kept, gone = make_customer("Sara", "sara@example.com"), make_customer("Sara", "sara.a@example.com")
    for one in (kept, gone):
        record_consent(one, "email", granted=True, source="api", at=NOW)
    made = join(kept, gone)
    unsubscribe(store, kept, source="unsubscribe link", at=LATER)
    merging.split(made, by=None, at=LATER)
    kept.refresh_from_db(), gone.refresh_from_db()
    assert not kept.email_consent
    assert not gone.email_consent


def test_the_old_letters_link_stops_the_survivor(client, store, make_customer):
    from outreach.rendering import unsubscribe_url

    kept, gone = make_customer("Sara", "sara@example.com"), make_customer("Sara", "sara.a@example.com")
    url = unsubscribe_url(store, gone)
    join(kept, gone)
    assert client.post(urlsplit(url).path).status_code == 200
    assert is_suppressed(store, kept)


# -- Links, gifts, referrals --


def test_both_codes_work_and_one_is_the_main_one(store, pair):
    sara, phone = pair
    links = [share_link_of(one, at=NOW) for one in pair]
    made = join(sara, phone)
    assert [find_link(store, link.code_norm, at=LATER).customer for link in links] == [sara, sara]
    assert share_link_of(sara, at=LATER) == links[0]
    merging.split(made, by=None, at=LATER)
    assert share_link_of(phone, at=LATER) == links[1]
    assert ShareLink.objects.for_store(store).filter(is_main=True).count() == 2


@pytest.fixture
def advocates(make_customer) -> list[ShareLink]:
    return [share_link_of(make_customer(name, f"{name.lower()}@example.com"), at=NOW) for name in ("Ana", "Ben")]


def friends_of(store: Store, advocates: list[ShareLink], first: int) -> tuple[Customer, Customer]:
    """Bea takes Ana's gift and, under another address, Ben's; `first` says which came first."""
    times = [NOW, NOW + timedelta(hours=1)] if first == 0 else [NOW + timedelta(hours=1), NOW]
    taken = [take_gift(link, f"Bea {number}", at=times[number]) for number, link in enumerate(advocates)]
    return taken[0].friend, taken[1].friend


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_claims_the_earlier_is_the_persons(store, advocates, first):
    bea, again = friends_of(store, advocates, first)
    gifts = list(Voucher.objects.for_store(store).filter(key__startswith="friend:"))
    made = join(bea, again)
    assert Claim.objects.for_store(store).get(friend=bea).link == advocates[first]
    assert all(redeeming.quote(store, gift.code, Bill(1000_00, "PHP"), at=LATER).reason == "" for gift in gifts)
    merging.split(made, by=None, at=LATER)
    assert Claim.objects.for_store(store).get(friend=bea).link == advocates[0]
    assert Claim.objects.for_store(store).get(friend=again).link == advocates[1]


def test_a_moved_claim_brings_no_second_gift(store, advocates, make_customer):
    bea = take_gift(advocates[0], "Bea Cruz").friend
    known = make_customer("Bea at the till", "bea.till@example.com", at=NOW)
    made = join(known, bea)
    again = take_gift(advocates[1], "Bea", email="bea.till@example.com", at=LATER)
    assert Voucher.objects.for_store(store).filter(key__startswith="friend:").count() == 1
    assert again.link == advocates[0]
    quote = redeeming.quote(
        store, advocates[1].code, Bill(100_00, "PHP"), at=LATER, person=Person(email="bea.cruz@example.com")
    )
    assert quote.voucher == again.voucher
    merging.split(made, by=None, at=LATER)
    assert Voucher.objects.for_store(store).get(key=f"friend:{bea.pk}").customer == bea
    assert vouchers.promise_behind(again.voucher.__class__.objects.get(pk=again.voucher.pk)) is not None


def test_the_later_of_two_referrals_of_one_friend_is_voided(store, advocates):
    give(store, TierTerms(1, Tier.Gives.EACH, CREDIT))
    first, second = (refer(link, f"Bea {number}", at=NOW + number * DAY) for number, link in enumerate(advocates))
    count(first, at=LATER), count(second, at=LATER)
    join(first.friend, second.friend)
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.status, second.status, second.reason) == ("approved", "voided", "merged")
    assert (balance(advocates[0].customer), balance(advocates[1].customer)) == (100_00, 0)
    assert second.friend == first.friend
    assert sound(store)


def test_a_referral_of_oneself_is_voided_and_its_reward_taken_back(store, advocates):
    give(store, TierTerms(1, Tier.Gives.EACH, CREDIT))
    referral = refer(advocates[0], "Ana Again")
    count(referral, at=LATER)
    ana, again = advocates[0].customer, referral.friend
    assert balance(ana) == 100_00
    join(ana, again)
    referral.refresh_from_db()
    assert (referral.status, referral.reason) == ("voided", "merged")
    assert balance(ana) == 0
    assert sound(store)


# -- Steps --

LADDER = (TierTerms(1, Tier.Gives.EACH, CREDIT), TierTerms(3, Tier.Gives.ONCE, replace(CREDIT, amount_minor=500_00)))


def sent(link: ShareLink, number: int) -> None:
    for each in range(number):
        count(refer(link, f"Friend {link.pk} {each}"), at=LATER)


def once(store: Store) -> int:
    return Reward.objects.for_store(store).filter(tier__gives="once", status="granted").count()


@pytest.mark.parametrize(
    ("mine", "theirs", "before", "after_next"), [(1, 1, 0, 1), (2, 1, 0, 0), (2, 2, 0, 0), (3, 1, 1, 1)]
)
def test_the_merge_gives_no_step_and_the_next_friend_counts_from_the_sum(
    store, advocates, mine, theirs, before, after_next
):
    give(store, *LADDER)
    sent(advocates[0], mine), sent(advocates[1], theirs)
    paid = Reward.objects.for_store(store).count()
    join(advocates[0].customer, advocates[1].customer)
    assert once(store) == before
    assert Reward.objects.for_store(store).count() == paid
    referral = refer(advocates[0], "The Next One")
    count(referral, at=LATER)
    referral.refresh_from_db()
    assert referral.number == mine + theirs + 1
    assert once(store) == after_next


# -- Money --


def earn(customer: Customer, offer: OfferTerms, key: str) -> Reward:
    from referrals.services.terms import make_offer

    return granting.grant(customer, make_offer(customer.store, offer), side=Reward.Side.CUSTOMER, key=key, at=NOW)


def test_money_moves_by_the_books_and_back(store, pair):
    sara, phone = pair
    earn(sara, CREDIT, "a"), earn(phone, CREDIT, "b"), earn(phone, CASH, "c")
    taken = earn(phone, CREDIT, "d")
    made = join(sara, phone)
    assert (balance(sara), balance(phone), balance(sara, "payable")) == (300_00, 0, 70_00)
    keys = ledger.LedgerTransaction.objects.for_store(store).filter(kind="merge").values_list("key", flat=True)
    assert all(key.startswith(f"merge:{made.pk}:") for key in keys)
    assert sound(store)
    granting.take_back(
        Reward.objects.select_related("offer", "store", "customer", "terms__budget").get(pk=taken.pk),
        reason="x",
        at=LATER,
    )
    code = Voucher.objects.for_store(store).filter(kind="credit", customer=sara).order_by("pk")
    assert code.count() == 2
    redeeming.redeem(store, code[1].code, Bill(150_00, "PHP"), at=LATER, person=Person(email="sara@example.com"))
    merging.split(made, by=None, at=LATER)
    # 200 were left: 200 had come, so 200 go back; what was used was the survivor's to explain.
    assert (balance(sara), balance(phone), balance(phone, "payable")) == (0, 50_00, 70_00)
    assert sound(store)


def test_debts_move_as_well(store, pair):
    sara, phone = pair
    reward = earn(phone, CREDIT, "a")
    code = Voucher.objects.for_store(store).get(kind="credit")
    redeeming.redeem(store, code.code, Bill(80_00, "PHP"), at=NOW)
    granting.take_back(reward, reason="x", at=NOW)
    assert balance(phone, "owed") == -80_00
    made = join(sara, phone)
    assert (balance(sara, "owed"), balance(phone, "owed")) == (-80_00, 0)
    earn(sara, CREDIT, "b")
    assert (balance(sara), balance(sara, "owed")) == (20_00, 0)
    merging.split(made, by=None, at=LATER)
    assert (balance(phone, "owed"), balance(sara)) == (0, 20_00)
    assert sound(store)


def test_what_returning_referrals_earned_since_goes_with_them(store, advocates):
    give(store, TierTerms(1, Tier.Gives.EACH, CREDIT))
    referral = refer(advocates[1])
    ana, ben = advocates[0].customer, advocates[1].customer
    made = join(ana, ben)
    count(referral, at=LATER)
    assert balance(ana) == 100_00
    merging.split(made, by=None, at=LATER)
    assert (balance(ana), balance(ben)) == (0, 100_00)
    assert Reward.objects.for_store(store).get(side="advocate").customer == ben


def listed(store: Store, customer: Customer, at=NOW) -> Payout:
    batch = PayoutList.objects.create(store=store, currency="PHP", made_at=at)
    facts = {"amount_minor": 70_00, "currency": "PHP", "method": "bank", "sealed": "", "hint": ""}
    return Payout.objects.create(store=store, batch=batch, customer=customer, **facts)


def test_two_open_payouts_must_be_paid_first(store, pair):
    for one in pair:
        earn(one, CASH, f"cash:{one.pk}")
        listed(store, one)
    with pytest.raises(merging.CannotMerge) as refused:
        merging.merge(*pair, by=None, at=LATER)
    assert refused.value.reason == "payout"
    assert balance(pair[1], "payable") == 70_00


def test_a_payout_listed_since_must_be_paid_before_the_split(store, pair):
    sara, phone = pair
    earn(phone, CASH, "cash")
    made = join(sara, phone)
    payout = listed(store, sara, at=LATER + DAY)
    with pytest.raises(merging.CannotMerge):
        merging.split(made, by=None, at=LATER + DAY)
    Payout.objects.filter(pk=payout.pk).update(status="failed")
    assert merging.split(made, by=None, at=LATER + DAY)


def test_one_address_for_cash_is_kept(store, pair):
    for one in pair:
        PayoutAddress.objects.create(
            store=store, customer=one, method="bank", sealed="x", hint=str(one.pk), changed_at=NOW
        )
    join(*pair)
    assert PayoutAddress.objects.for_store(store).get(customer=pair[0]).hint == str(pair[0].pk)
    assert PayoutAddress.objects.for_store(store).count() == 2


# -- Stragglers --


def test_what_was_written_in_the_same_moment_is_brought_along(store, pair):
    sara, phone = pair
    made = join(sara, phone)
    order = make_order_of(store, None, at=LATER)
    Order.objects.filter(pk=order.pk).update(customer=phone)
    earn(phone, CREDIT, "late")
    assert merging.bring_along(store, LATER) == 1
    assert Order.objects.get(pk=order.pk).customer == sara
    assert balance(sara) == 100_00
    assert merging.bring_along(store, LATER) == 0
    earn(phone, CREDIT, "later")  # again, on the same account
    assert merging.bring_along(store, LATER) == 1
    merging.split(CustomerMerge.objects.get(pk=made.pk), by=None, at=LATER)
    assert Order.objects.get(pk=order.pk).customer == phone
    assert (balance(sara), balance(phone)) == (0, 200_00)
    assert sound(store)


def test_looking_for_stragglers_costs_the_same_for_many(store, make_customer, django_assert_num_queries):
    def another(number: int) -> None:
        join(make_customer("A", f"a{number}@example.com"), make_customer("B", f"b{number}@example.com"))

    expected = 2 + len(carrying.LINKS) + len(carrying.RULED)
    for number in range(3):
        another(number)
        with django_assert_num_queries(expected):
            assert merging.bring_along(store, LATER) == 0
    with django_assert_num_queries(1):
        merging.bring_along(store, LATER + 2 * DAY)


def test_a_claim_is_followed_by_the_purchase_under_the_other_name(store, advocates, make_customer):
    bea = take_gift(advocates[0], "Bea Cruz").friend
    other = make_order_of(store, Person("", "", "+639170000009"), at=NOW + DAY).customer
    join(bea, other, at=NOW + 2 * DAY)
    claim = Claim.objects.for_store(store).select_related("friend", "voucher", "link__store").get(friend=bea)
    order = buy(claim, at=NOW + 3 * DAY)
    referral = attribution.attribute_order(order, at=NOW + 3 * DAY)
    # They had bought under the other name before: known, and it says so.
    assert (referral.friend, referral.status, referral.reason) == (bea, Referral.Status.VOIDED, "known_customer")
