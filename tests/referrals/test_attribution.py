"""Orders are credited by every kind of evidence, with everybody who could have been credited kept."""

import secrets
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, Order
from customers.services import Person
from referrals.models import Referral, Visit
from referrals.services import attribution, programs, redeeming
from referrals.services.links import record_visit, share_link_of
from referrals.services.terms import terms_of
from rewards.models import Commitment, Terms
from rewards.services import vouchers
from rewards.services.vouchers import Bill
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import DAY, take_gift

E = Referral.Evidence


@pytest.fixture
def other_link(make_customer):
    """The share link of a second advocate, Omid Karimi."""
    return share_link_of(make_customer("Omid Karimi", "omid@example.com", at=NOW - 100 * DAY), at=NOW)


@pytest.fixture
def bea(store):
    """`bea(code="...")`: an order of Bea Cruz, who is new."""

    def order(*, at=NOW, email="bea@example.com", name="Bea Cruz", **facts) -> Order:
        return make_order_of(store, Person(name, email) if email else None, at=at, **facts)

    return order


def credit(store, **crediting) -> None:
    """Put other rules of crediting in force, for all orders of the tests."""
    program = programs.program_of(store)
    before = terms_of(program)
    programs.change_program(
        program, replace(before, crediting=replace(before.crediting, **crediting)), by=None, at=NOW - 90 * DAY
    )


def visit(link, *, days_ago=1.0, device="") -> Visit:
    return record_visit(
        link, visitor=secrets.token_hex(16), is_bot=False, at=NOW - timedelta(days=days_ago), device=device
    )


def attribute(order) -> Referral | None:
    return attribution.attribute_order(order, at=NOW)


def kept(referral) -> list[tuple[str, str, str]]:
    """Advocate, evidence and why not, of everybody who could have been credited."""
    names = dict(Customer.objects.for_store(referral.store).values_list("public_id", "name"))
    return [(names[row["advocate"]].split()[0], row["evidence"], row["why_not"]) for row in referral.candidates]


# -- Each kind of evidence --


def test_a_code(share_link, bea):
    referral = attribute(bea(code=share_link.code))
    assert (referral.evidence, referral.advocate, referral.link) == (E.CODE, share_link.customer, share_link)
    assert referral.candidates == [
        {
            "link": share_link.public_id,
            "advocate": share_link.customer.public_id,
            "evidence": "code",
            "at": NOW.isoformat(),
            "chosen": True,
            "why_not": "",
        }
    ]


def test_a_receipt_or_parcel(share_link, bea):
    bought = make_order_of(share_link.store, Person("Sara", "sara@example.com"), at=NOW - 5 * DAY)
    printed = redeeming.receipt_link(bought, at=NOW - 5 * DAY)
    referral = attribute(bea(code=printed.code))
    assert (referral.evidence, referral.advocate, referral.link) == (E.RECEIPT, share_link.customer, printed)


def test_a_receipt_ends(share_link, bea):
    bought = make_order_of(share_link.store, Person("Sara", "sara@example.com"), at=NOW - 200 * DAY)
    printed = redeeming.receipt_link(bought, at=NOW - 200 * DAY)
    assert printed.expires_at < NOW
    assert attribute(bea(code=printed.code)) is None


def test_a_gift_taken_with_the_same_phone_written_differently(share_link, store):
    take_gift(share_link, email="bea@example.com", at=NOW - DAY)
    Customer.objects.filter(email_norm="bea@example.com").update(email_norm="", phone_norm="+639170000001")
    referral = attribute(make_order_of(store, Person("B. Cruz", phone="0917 000 0001"), at=NOW))
    assert (referral.evidence, referral.advocate) == (E.CLAIM, share_link.customer)


def test_a_gift_taken_with_the_same_mailbox_written_differently(share_link, bea):
    take_gift(share_link, email="bea.cruz@gmail.com", at=NOW - DAY)
    referral = attribute(bea(email="BeaCruz+shop@gmail.com"))
    assert (referral.evidence, referral.friend.email) == (E.CLAIM, "BeaCruz+shop@gmail.com")


def test_a_gift_of_long_ago_leads_nowhere(share_link, bea):
    take_gift(share_link, at=NOW - 61 * DAY, email="bea@example.com")
    assert attribute(bea()) is None


def test_a_visit_that_the_shop_passed_on(share_link, bea):
    token = visit(share_link).token
    referral = attribute(bea(visit=f" {token.upper()}\n"))
    assert (referral.evidence, referral.advocate) == (E.VISIT, share_link.customer)


@pytest.mark.parametrize("told", ["", "x" * 20, "<script>", "2" * 19, "2" * 4000])
def test_what_is_no_visit_leads_nowhere(told, share_link, bea):
    visit(share_link)
    assert attribute(bea(visit=told)) is None


def test_a_visit_counts_for_the_days_of_the_terms(store, share_link, bea):
    came = visit(share_link, days_ago=29).token
    assert attribute(bea(visit=came)).evidence == E.VISIT
    assert attribute(bea(visit=visit(share_link, days_ago=31).token, email="eli@example.com")) is None
    credit(store, visit_days=40)
    assert attribute(bea(visit=visit(share_link, days_ago=32).token, email="fay@example.com")) is not None


def test_a_bots_visit_leads_nowhere(share_link, bea):
    came = record_visit(share_link, visitor="b" * 32, is_bot=True, at=NOW - DAY)
    assert attribute(bea(visit=came.token)) is None


def test_the_visit_of_another_store_leads_nowhere(share_link, other_store, bea):
    token = visit(share_link).token
    Visit.objects.filter(token=token).update(token=token[::-1])
    assert attribute(bea(visit=token)) is None


def test_a_name_is_credited_when_it_can_mean_only_one_and_waits_for_a_look(share_link, bea):
    Customer.objects.filter(pk=share_link.customer_id).update(found_by_name=True)
    referral = attribute(bea(named="sara ahmadi"))
    assert (referral.evidence, referral.advocate, referral.status) == (E.NAME, share_link.customer, "flagged")
    assert referral.promise.status == Commitment.Status.HELD


def test_a_name_that_may_mean_several_credits_nobody(share_link, make_customer, bea):
    make_customer("Sara Azimi", "azimi@example.com")
    Customer.objects.update(found_by_name=True)
    assert attribute(bea(named="Sara")) is None


def test_who_did_not_allow_it_is_not_found_by_name(share_link, bea):
    assert attribute(bea(named="Sara Ahmadi")) is None


# -- Between several --


def test_the_stronger_wins_and_the_others_are_kept(store, share_link, other_link, bea):
    referral = attribute(bea(code=share_link.code, visit=visit(other_link).token))
    assert kept(referral) == [("Sara", "code", ""), ("Omid", "visit", "weaker")]


def test_the_owner_may_turn_the_order_around(store, share_link, other_link, bea):
    credit(store, evidence=["visit", "code"])
    referral = attribute(bea(code=share_link.code, visit=visit(other_link).token))
    assert kept(referral) == [("Omid", "visit", ""), ("Sara", "code", "weaker")]


def test_the_own_code_does_not_stand_in_the_way_of_a_friend(share_link, other_link, bea):
    mine = share_link_of(Customer.objects.get(email_norm="sara@example.com"), at=NOW)
    order = bea(email="sara@example.com", code=mine.code, visit=visit(other_link).token)
    assert kept(attribute(order)) == [("Omid", "visit", ""), ("Sara", "code", "own")]


def test_who_took_a_gift_stays_with_its_advocate_whatever_code_they_give(share_link, other_link, bea):
    take_gift(share_link, at=NOW - DAY, email="bea@example.com")
    referral = attribute(bea(code=other_link.code))
    assert kept(referral) == [("Sara", "claim", ""), ("Omid", "code", "bound")]
    assert referral.promise == share_link.claims.get().promise


def test_it_also_binds_at_the_counter(store, share_link, other_link):
    take_gift(share_link, at=NOW - DAY, email="bea@example.com")
    done = redeeming.redeem(
        store, other_link.code, Bill(155_000, "PHP"), at=NOW, person=Person("Bea", "bea@example.com")
    )
    assert kept(done.referral)[0] == ("Sara", "voucher", "")
    assert ("Omid", "code", "bound") in kept(done.referral)


def test_where_the_owner_wants_no_binding_the_code_wins(store, share_link, other_link, bea):
    credit(store, is_sticky=False)
    take_gift(share_link, at=NOW - DAY, email="bea@example.com")
    assert kept(attribute(bea(code=other_link.code))) == [("Omid", "code", ""), ("Sara", "claim", "weaker")]


def test_a_gift_that_ended_binds_no_more(share_link, other_link, bea):
    take_gift(share_link, at=NOW - 61 * DAY, email="bea@example.com")
    assert kept(attribute(bea(code=other_link.code))) == [("Omid", "code", ""), ("Sara", "claim", "late")]


@pytest.mark.parametrize(("touch", "name"), [(Terms.Touch.FIRST, "Omid"), (Terms.Touch.LAST, "Sara")])
def test_of_two_visits_of_one_browser_first_or_last_counts(touch, name, store, share_link, other_link, bea):
    credit(store, touch=touch)
    visit(other_link, days_ago=5, device="d" * 32)
    token = visit(share_link, days_ago=2, device="d" * 32).token
    referral = attribute(bea(visit=token))
    assert referral.advocate.first_name == name
    assert {why for _, _, why in kept(referral)} == {"", "touch"}


def test_visits_after_the_purchase_and_of_other_browsers_are_no_leads(store, share_link, other_link, bea):
    visit(other_link, days_ago=-1, device="d" * 32)
    visit(other_link, days_ago=1, device="e" * 32)
    referral = attribute(bea(visit=visit(share_link, days_ago=2, device="d" * 32).token))
    assert kept(referral) == [("Sara", "visit", "")]


def test_a_used_gift_of_somebody_else_is_evidence_for_its_advocate(store, share_link, bea):
    taken = take_gift(share_link, "Cy Tan", at=NOW - DAY)
    referral = attribute(bea(code=taken.voucher.code))
    assert (referral.evidence, referral.advocate) == (E.VOUCHER, share_link.customer)


def test_a_guest_is_credited(share_link, bea):
    referral = attribute(bea(email="", code=share_link.code))
    assert (referral.friend, referral.status) == (None, "pending")


# -- Sweeps --


def test_the_sweep_finds_orders_by_every_evidence_once(store, share_link, make_customer, bea):
    Customer.objects.filter(pk=share_link.customer_id).update(found_by_name=True)
    take_gift(share_link, "Cy Tan", at=NOW - DAY)
    take_gift(share_link, "Di Lim", at=NOW - DAY, email="di.lim@gmail.com")
    orders = [
        bea(code=share_link.code),
        bea(email="eli@example.com", visit=visit(share_link).token),
        bea(email="fay@example.com", named="Sara Ahmadi"),
        bea(email="cy.tan@example.com"),
        bea(email="dilim@gmail.com"),
        bea(email="nobody@example.com"),
    ]
    assert attribution.attribute_orders(store, NOW) == 5
    found = dict(Referral.objects.for_store(store).values_list("order_id", "evidence"))
    assert [found.get(order.pk) for order in orders] == ["code", "visit", "name", "claim", "claim", None]
    assert attribution.attribute_orders(store, NOW) == 0


def test_the_repair_looks_back_without_end(store, share_link, bea):
    bea(code=share_link.code, at=NOW - 300 * DAY)
    assert attribution.attribute_orders(store, NOW) == 0
    assert attribution.attribute_orders(store, NOW, since=NOW - 3650 * DAY) == 1


def queries_of(store, at) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        attribution.attribute_orders(store, at)
    return len(seen)


def test_orders_that_lead_nowhere_cost_no_queries_of_their_own(store, bea):
    counts = []
    for size in (1, 40):
        for number in range(size):
            email = f"p{size}-{number}@example.com"
            bea(email=email, code=f"UNKNOWN{number}", visit="2" * 20, named=f"Nobody Here {number}")
        counts.append(queries_of(store, NOW))
    assert counts[0] == counts[1] <= 8


def test_a_credited_order_costs_a_fixed_number_of_queries(store, share_link, bea):
    def cost(size: int) -> int:
        for number in range(size):
            bea(email=f"q{size}-{number}@example.com", code=share_link.code)
        return queries_of(store, NOW)

    first, many = cost(1), cost(20)
    each = (many - first) / 19
    assert each <= 30, each


def test_one_bad_order_stops_no_other(store, share_link, bea, monkeypatch):
    bad, good = bea(code=share_link.code), bea(email="eli@example.com", code=share_link.code)
    real = attribution._reason_against

    def fails(case):
        if case.order.pk == bad.pk:
            raise RuntimeError("broken")
        return real(case)

    monkeypatch.setattr(attribution, "_reason_against", fails)
    assert attribution.attribute_orders(store, NOW) == 1
    assert Referral.objects.get().order == good


def test_what_the_checkout_voucher_says_is_unchanged(store, voucher_of_nobody, bea):
    assert attribute(bea(code=voucher_of_nobody.code)) is None


@pytest.fixture
def voucher_of_nobody(store):
    """A voucher that no friend took."""
    offer = programs.program_of(store).terms.friend_offer
    return vouchers.issue(store, offer, key="test:nobody", at=NOW)
