"""The ordinary redemption in one call: the same answers and the same rows as the long way, or nothing at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Order
from customers.services import Person
from outreach.models import Message
from referrals.services import claims, ordinary, redeeming
from referrals.services.programs import program_of
from rewards.models import Budget, Commitment, Entry, LedgerTransaction, Offer, Redemption, Voucher
from rewards.services import budgets, ledger, recounting, vouchers
from rewards.services.vouchers import Bill, NotRedeemable
from stores.codes import public_id
from stores.models import AuditEvent, Location
from tests.conftest import NOW

DAY = timedelta(days=1)
KEPT = {
    Voucher: {},
    Commitment: {"leftover_minor": None},
    Budget: {},
    Order: {"recorded_at": "recorded_at", "location_id": "location__code"},
    LedgerTransaction: {},
    Redemption: {
        "public_id": "public_id",
        "order_id": "order__external_id",
        "transaction_id": "transaction__key",
        "location_id": "location__code",
    },
    Entry: {"transaction_id": "transaction__key"},
    AuditEvent: {},
}


def rows_of(store):
    """Every row that a redemption may write, each column of it, named by facts where the number differs by chance."""
    budgets.gather_all(store, NOW)
    found = {}
    for model, others in KEPT.items():
        instead = {"id": None, "public_id": None, "recorded_at": None, **others}
        names = [instead.get(one.attname, one.attname) for one in model._meta.concrete_fields]
        wanted = [name for name in names if name]
        rows = model.objects.for_store(store).values_list(*wanted)
        found[model.__name__] = sorted(tuple(zip(wanted, map(str, row), strict=True)) for row in rows)
    return found


def outcome(store, code, bill, **wish):
    """What redeeming answers, and the rows as they are then; everything is taken back."""
    with transaction.atomic():
        try:
            done = redeeming.redeem(store, code, bill, at=NOW, public_id="the-redemption", **wish)
            used = done.redemption
            kept = Redemption.objects.get(store=store, pk=used.pk)
            for name in ("discount_minor", "amount_minor", "voucher_id", "order_id", "at", "location_id", "by_id"):
                assert getattr(used, name) == getattr(kept, name)
            answer = (kept.discount_minor, done.referral)
        except (NotRedeemable, redeeming.Changed) as refused:
            answer = repr(refused)
        seen = rows_of(store)
        transaction.set_rollback(True)
    return answer, seen


@pytest.fixture
def open_books(store):
    """The accounts exist: both with and without the program's budget something was redeemed before."""
    budget = program_of(store).terms.budget
    for number, which in enumerate((None, budget)):
        before = issue(store, key=f"before:{number}", budget=which, promised_minor=10)
        redeeming.redeem(store, before.code, Bill(1_00, "PHP"), at=NOW)
    return budget


def issue(store, *, key="k", offer=None, budget=None, promised_minor=0, customer=None, **changes):
    offer = offer or Offer.objects.create(store=store, kind=Offer.Kind.PERCENT_OFF, percent=10, currency="PHP")
    made = vouchers.issue(
        store, offer, key=key, at=NOW - DAY, budget=budget, promised_minor=promised_minor, customer=customer
    )
    Voucher.objects.filter(pk=made.pk, store=store).update(**changes)
    made.refresh_from_db()
    return made


minor = st.integers(0, 400) | st.sampled_from([99_99, 10**13])
maybe = st.none() | st.integers(1, 120)
offers = st.one_of(
    st.fixed_dictionaries({"kind": st.just("percent_off"), "percent": st.integers(1, 100), "most_minor": maybe}),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["fixed_off", "store_credit", "cash"]), "amount_minor": st.integers(1, 300)}
    ),
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "most_minor": maybe,
        "uses": st.sampled_from([0, 1, 2]),
        "status": st.sampled_from(Voucher.Status.values),
        "is_personal": st.booleans(),
        "starts_at": st.sampled_from([NOW - DAY, NOW, NOW + DAY]),
        "expires_at": st.sampled_from([None, NOW - DAY, NOW, NOW + DAY]),
        "currency": st.sampled_from(["PHP", "USD"]),
    },
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    offer=offers,
    minimum=st.sampled_from([0, 0, 100]),
    changed=changes,
    bill=minor,
    promised=st.none() | st.integers(0, 150),
    has_budget=st.booleans(),
    has_holder=st.booleans(),
    bound=st.sampled_from(["", "", "north"]),
    at=st.sampled_from(["", "north", "south", "unheard-of"]),
    shown=st.none() | st.integers(0, 50),
)
def test_both_ways_say_and_write_the_same(
    store, open_books, make_customer, monkeypatch, offer, minimum, changed, bill, promised, has_budget, has_holder,
    bound, at, shown,
):  # fmt: skip
    with transaction.atomic(), monkeypatch.context() as patch:
        for code in ("north", "south"):
            Location.objects.get_or_create(store=store, code=code, name=code)
        place = Location.objects.get(store=store, code=bound) if bound else None
        voucher = issue(
            store,
            offer=Offer.objects.create(store=store, currency="PHP", minimum_minor=minimum, **offer),
            budget=open_books if has_budget else None,
            promised_minor=promised or 0,
            customer=make_customer() if has_holder else None,
            location=place,
            **changed,
        )
        if promised is None:
            Commitment.objects.filter(store=store, key="voucher:k").delete()
        wish = {"location": at, "shown_minor": shown}
        quick = outcome(store, voucher.code, Bill(bill, "PHP"), **wish)
        patch.setattr(ordinary, "redeem", lambda *_, **__: None)
        assert outcome(store, voucher.code, Bill(bill, "PHP"), **wish) == quick
        transaction.set_rollback(True)


def at_once(store, voucher, bill=100_00, **wish):
    wish = {"public_id": public_id(), **wish}
    return ordinary.redeem(store, voucher.code, Bill(bill, "PHP"), at=NOW, source="checkout", **wish)


@pytest.mark.parametrize("promised", [None, 10_00, 25_00])
def test_what_is_ordinary_goes_the_short_way(store, open_books, promised):
    voucher = issue(store, budget=open_books if promised else None, promised_minor=promised or 0)
    used = at_once(store, voucher)
    assert used.discount_minor == 10_00
    assert used.order.total_minor == 90_00
    assert at_once(store, voucher) is None
    assert ledger.total(store) == 0
    assert recounting.recount(store, NOW) == []


def test_what_a_promise_left_over_is_free_when_it_is_needed(store, open_books):
    Budget.objects.filter(pk=open_books.pk, store=store).update(ceiling_minor=30_00)
    open_books.refresh_from_db()
    used = at_once(store, issue(store, budget=open_books, promised_minor=25_00))
    open_books.refresh_from_db()
    assert open_books.committed_minor > 25_00 > 11_00 > budgets.committed(open_books)
    assert budgets.fits(open_books, 15_00)
    assert not budgets.fits(open_books, 25_00)
    budgets.commit(store, open_books, key="next", amount_minor=15_00, currency="PHP", at=NOW)
    with pytest.raises(budgets.Exhausted):
        budgets.commit(store, open_books, key="too much", amount_minor=15_00, currency="PHP", at=NOW)
    vouchers.reverse(used, at=NOW)
    assert recounting.recount(store, NOW) == []


def test_it_leaves_alone_what_leads_to_somebody(store, open_books, share_link):
    taken = claims.claim(share_link, Person("Bea", "bea@example.com"), at=NOW)
    assert at_once(store, taken.voucher) is None
    again = issue(store, customer=taken.friend)
    Message.objects.for_store(store).update(about="")
    assert at_once(store, again) is None


def test_it_leaves_alone_what_a_message_is_about(store, open_books, make_customer):
    voucher = issue(store, customer=make_customer())
    facts = {"channel": "email", "to": "x@example.com", "due_at": NOW, "kind": "reward"}
    waiting = Message.objects.create(
        store=store, customer=voucher.customer, key="m", about=vouchers.about(voucher.pk), **facts
    )
    assert at_once(store, voucher) is None
    redeeming.redeem(store, voucher.code, Bill(100_00, "PHP"), at=NOW)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason) == ("skipped", "used")


def test_another_stores_voucher_is_not_ordinary(store, other_store, open_books):
    foreign = issue(store)
    assert at_once(other_store, foreign) is None
