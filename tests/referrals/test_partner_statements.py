"""What partner stores owe each other for a month: stated once, alike on both sides, true to the books."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from referrals.models import Partnership, PartnerStatement
from referrals.services import partner_statements, partners
from referrals.services.partners import Deal
from rewards.addresses import Method
from rewards.models import Account, Entry, Payout, Reward
from rewards.services import payouts, recounting
from rewards.services.addresses import Details
from stores.tenancy import act_for, acting_for
from stores.ticks import for_each_store
from tests.referrals import partner_world as world
from tests.referrals.partner_world import DAY, agreed, buys, engine, figures, send_back, settle, side_of

pytestmark = pytest.mark.django_db
MANILA = ZoneInfo("Asia/Manila")
AUGUST, SEPTEMBER, OCTOBER = date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)
START = datetime(2026, 8, 5, 12, 0, tzinfo=UTC)


def day(month: int, number: int, year: int = 2026) -> datetime:
    """Noon of a day in Manila (aware UTC)."""
    return datetime(year, month, number, 12, 0, tzinfo=MANILA).astimezone(UTC)


@pytest.fixture
def agreement(store, other_store) -> str:
    """Since the 5th of August: ten percent for twelve months."""
    return agreed(store, other_store, Deal(10, 12), START)


@pytest.fixture
def in_august(store, agreement):
    """Two friends bought; both count in August."""
    found = [buys(store, agreement, total, at=day(8, 6)) for total in (100_000, 50_000)]
    engine(store, day(8, 25))
    return found


def owed(store) -> int:
    """What the books hold of commission: earned less taken back."""
    with acting_for(store):
        entries = Entry.objects.for_store(store).filter(account__kind__in=("payable", "owed"))
        mine = entries.filter(account__customer__external_id__startswith="partner:")
        return sum(mine.exclude(transaction__kind__in=("payout", "return")).values_list("amount_minor", flat=True))


def pay(store, at, amount: int | None) -> None:
    """List and pay whatever may be paid."""
    with acting_for(store):
        batch = payouts.make_list(store, store.currency, by=None, at=at)
        listed = list(Payout.objects.for_store(store).filter(batch=batch)) if batch else []
        assert sum(one.amount_minor for one in listed) == (amount or 0)
        payouts.mark_paid(store, [one.pk for one in listed], by=None, at=at)


@pytest.fixture
def address(other_store, agreement, make_user):
    """Elsewhere says where it wants to be paid."""
    details = Details("+639171234567", "Elsewhere Inc.")
    with acting_for(other_store):
        mine = side_of(other_store, agreement)
        partners.save_paid_to(mine, Method.GCASH, details, by=make_user(None, None), at=START)


class TestSettling:
    def test_both_sides_hold_the_same_numbers(self, store, other_store, agreement, in_august):
        assert settle(store, day(9, 3)) == 1
        assert figures(store, payer=True) == [(AUGUST, "PHP", 2, 2, 150_000, 15_000, 0)]
        assert figures(other_store, payer=False) == figures(store, payer=True)
        assert figures(store, payer=False) == figures(other_store, payer=True) == []

    def test_once_however_often(self, store, other_store, agreement, in_august):
        settle(store, day(9, 3))
        assert settle(store, day(9, 3)) == settle(store, day(9, 30)) == 0
        assert len(world.statements(other_store)) == 1
        purse = Account.objects.for_store(store).get(kind="payable", customer=side_of(store, agreement).customer)
        assert purse.settled_minor == 15_000

    def test_a_day_is_left_for_what_is_still_being_booked(self, store, agreement, in_august):
        first = datetime(2026, 9, 2, tzinfo=MANILA)
        assert settle(store, first - timedelta(seconds=1)) == 0
        assert settle(store, first) == 1

    def test_by_the_clock_of_the_paying_store(self, store, other_store, agreement):
        """The last hours of August in Manila are September elsewhere, and not the other way round."""
        buys(store, agreement, at=day(8, 6))
        engine(store, datetime(2026, 8, 31, 23, 59, tzinfo=MANILA))
        buys(store, agreement, at=day(8, 7))
        engine(store, datetime(2026, 9, 1, 0, 0, tzinfo=MANILA))
        settle(store, day(10, 3))
        assert [(row[0], row[3]) for row in figures(other_store, payer=False)] == [(AUGUST, 1), (SEPTEMBER, 1)]

    def test_a_shop_in_iran_settles_jalali_months(self, make_store, store):
        shop = make_store("tehran", name="Tehran", currency="IRR", timezone="Asia/Tehran", country="IR")
        act_for(store)
        agreement = agreed(shop, store, Deal(10, 0), START)
        buys(shop, agreement, at=day(8, 6))
        engine(shop, day(8, 24))  # 2 Shahrivar
        settle(shop, day(9, 30))
        assert [(row[0], row[3]) for row in figures(shop, payer=True)] == [
            (date(2026, 7, 23), 0),
            (date(2026, 8, 23), 1),
        ]
        assert figures(store, payer=False) == figures(shop, payer=True)

    def test_missed_months_are_caught_up_each_by_itself(self, store, other_store, agreement, in_august):
        buys(store, agreement, 30_000, at=day(10, 2))
        engine(store, day(10, 20))
        assert settle(store, day(11, 5)) == 3
        assert [(row[0], row[3], row[5]) for row in figures(other_store, payer=False)] == [
            (AUGUST, 2, 15_000),
            (SEPTEMBER, 0, 0),
            (OCTOBER, 1, 3_000),
        ]

    def test_a_refund_after_settling_is_a_line_of_the_month_it_happens_in(
        self, store, other_store, agreement, in_august
    ):
        settle(store, day(9, 3))
        send_back(in_august[0], 50_000, at=day(9, 10))
        settle(store, day(10, 3))
        assert figures(store, payer=True) == figures(other_store, payer=False)
        assert figures(store, payer=True)[1] == (SEPTEMBER, "PHP", 0, 0, 0, -5_000, -5_000)
        assert owed(store) == 10_000

    def test_what_is_booked_late_into_a_settled_month_stands_in_the_next(self, store, agreement, in_august):
        settle(store, day(9, 3))
        buys(store, agreement, 20_000, at=day(8, 10))
        engine(store, day(8, 30))  # a sweep that took days
        settle(store, day(10, 3))
        assert sum(row[5] for row in figures(store, payer=True)) == owed(store) == 17_000

    def test_both_ways_at_once(self, store, other_store, agreement, in_august):
        buys(other_store, agreement, 70_000, at=day(8, 6))
        engine(other_store, day(8, 25))
        settle(store, day(9, 3))
        settle(other_store, day(9, 3))
        assert (
            figures(store, payer=False) == figures(other_store, payer=True) == [(AUGUST, "PHP", 1, 1, 70_000, 7_000, 0)]
        )
        assert figures(store, payer=True)[0][5] == 15_000

    def test_after_the_end_what_was_agreed_is_still_settled_and_then_nothing(self, store, agreement, in_august):
        partners.end(side_of(store, agreement), by=None, at=day(8, 26))
        buys(store, agreement, 40_000, at=day(9, 10), name="Friend One")
        assert settle(store, day(12, 5)) == 1
        send_back(in_august[0], 100_000, at=day(12, 10))
        assert settle(store, day(1, 5, 2027)) == 4  # September to December, so that no month is missing
        assert settle(store, day(6, 5, 2027)) == 0
        assert sum(row[5] for row in figures(store, payer=True)) == owed(store) == 5_000


class TestPaying:
    def test_only_what_is_settled_is_listed(self, store, agreement, address, in_august):
        pay(store, day(8, 28), None)
        settle(store, day(9, 3))
        buys(store, agreement, 80_000, at=day(9, 1))
        engine(store, day(9, 20))
        pay(store, day(9, 21), 15_000)
        pay(store, day(9, 21), None)
        settle(store, day(10, 3))
        pay(store, day(10, 3), 8_000)
        assert recounting.problems(store) == []

    def test_the_reasons_why_it_waits(self, store, other_store, agreement, in_august, owner, make_user):
        def why() -> str:
            accounts = payouts.purses(store).select_related("customer")
            return payouts.due(store, accounts, at=day(9, 3))[0].why

        assert why() == "settles"
        settle(store, day(9, 3))
        assert why() == "no_address"
        with acting_for(other_store):
            details = Details("+639171234567", "Elsewhere Inc.")
            partners.save_paid_to(
                side_of(other_store, agreement), Method.GCASH, details, by=make_user(None, None), at=START
            )
        assert why() == ""
        assert "Elsewhere" in owner.get("/d/rosewater/rewards/payouts/").text

    def test_what_came_back_before_it_was_paid_is_not_paid(self, store, agreement, address, in_august):
        settle(store, day(9, 3))
        send_back(in_august[0], 100_000, at=day(9, 10))
        pay(store, day(9, 11), 5_000)
        settle(store, day(10, 3))
        pay(store, day(10, 3), None)

    def test_what_came_back_after_it_was_paid_comes_off_the_next(self, store, agreement, address, in_august):
        settle(store, day(9, 3))
        pay(store, day(9, 4), 15_000)
        send_back(in_august[0], 100_000, at=day(9, 10))
        buys(store, agreement, 120_000, at=day(9, 11))
        engine(store, day(9, 28))
        settle(store, day(10, 3))
        assert figures(store, payer=True)[1][5:] == (2_000, -10_000)
        pay(store, day(10, 4), 2_000)
        assert owed(store) == 17_000

    def test_a_payment_that_came_back_is_listed_again(self, store, agreement, address, in_august):
        settle(store, day(9, 3))
        pay(store, day(9, 4), 15_000)
        payouts.mark_failed(store, Payout.objects.for_store(store).get(), by=None, at=day(9, 6))
        pay(store, day(9, 7), 15_000)

    def test_a_persons_tax_limit_is_not_a_stores(self, store, agreement, address, in_august):
        payouts.change_settings(store, {"cash_limit_minor": 1_000}, by=None, at=START)
        settle(store, day(9, 3))
        pay(store, day(9, 4), 15_000)

    def test_people_are_paid_as_before(self, store, make_customer):
        """No settled account, no query more."""
        with CaptureQueriesContext(connection) as queries:
            payouts.due(store, [], at=START)
        assert len(queries) <= 4


class TestKilled:
    def test_between_the_two_copies_neither_stands_and_the_next_sweep_writes_both(
        self, store, other_store, agreement, in_august, monkeypatch
    ):
        def dies(*_args, **_facts):
            raise SystemExit

        with monkeypatch.context() as broken:
            broken.setattr(PartnerStatement.objects, "create", dies)
            with pytest.raises(SystemExit):
                settle(store, day(9, 3))
        assert world.statements(store) == world.statements(other_store) == []
        assert Account.objects.for_store(store).get(kind="payable", settled_minor__isnull=False).settled_minor == 0
        assert settle(store, day(9, 3)) == 1
        assert figures(store, payer=True) == figures(other_store, payer=False)

    def test_one_that_fails_stops_no_other(self, store, other_store, make_store, agreement, in_august, monkeypatch):
        third = make_store("third", name="Third")
        act_for(store)
        agreed(store, third, Deal(5, 0), START)
        settle_month = partner_statements._settle_month

        def sometimes(store, due, at):
            if due.partnership.agreement == agreement:
                raise RuntimeError
            return settle_month(store, due, at)

        monkeypatch.setattr(partner_statements, "_settle_month", sometimes)
        assert settle(store, day(9, 3)) == 1
        assert len(world.statements(third)) == 1


class TestNumbersOfTheMonth:
    def test_both_sides_read_the_same(self, store, other_store, agreement, in_august):
        assert partner_statements.tell_numbers(store, day(8, 26)) == 1
        assert partner_statements.tell_numbers(store, day(8, 26) + timedelta(hours=1)) == 0
        mine, theirs = side_of(store, agreement), side_of(other_store, agreement)
        assert mine.brought == theirs.sent
        assert (mine.brought["friends"], mine.brought["orders"], mine.brought["commission_minor"]) == (2, 2, 15_000)
        assert mine.sent == {}

    def test_a_new_name_comes_along(self, store, other_store, agreement, in_august):
        store.name = "Rosewater & Daughters"
        partner_statements.tell_numbers(store, day(8, 26))
        assert side_of(other_store, agreement).other_name == "Rosewater & Daughters"

    def test_a_new_month_begins_with_nothing(self, store, agreement, in_august):
        partner_statements.tell_numbers(store, day(8, 26))
        partner_statements.tell_numbers(store, day(9, 1))
        assert side_of(store, agreement).brought["orders"] == 0


class TestWalls:
    def test_a_third_store_reads_no_statement(self, store, other_store, make_store, agreement, in_august):
        settle(store, day(9, 3))
        third = make_store("third")
        with acting_for(third):
            assert not PartnerStatement.objects.exists()

    def test_a_statement_is_never_changed(self, store, agreement, in_august):
        settle(store, day(9, 3))
        with pytest.raises(Exception, match=r"permission denied|append-only"):
            PartnerStatement.objects.for_store(store).update(commission_minor=0)

    def test_the_other_side_learns_numbers_and_no_names(self, store, other_store, agreement, in_august):
        settle(store, day(9, 3))
        partner_statements.tell_numbers(store, day(9, 3))
        with acting_for(other_store):
            row = Partnership.objects.for_store(other_store).values().get()
            copy = PartnerStatement.objects.for_store(other_store).values().get()
        assert "Friend" not in f"{row}{copy}"


class TestCost:
    def test_a_sweep_with_nothing_to_do_costs_the_same_with_more_partners(self, store, make_store, other_store):
        def cost(at) -> int:
            with CaptureQueriesContext(connection) as queries:
                partner_statements.keep(store, at)
            return len(queries)

        agreed(store, other_store, at=START)
        partner_statements.keep(store, day(9, 3))
        one = cost(day(9, 3))
        for number in range(3):
            third = make_store(f"third-{number}", name=f"Third {number}")
            act_for(store)
            agreed(store, third, at=START)
        partner_statements.keep(store, day(9, 3))
        assert cost(day(9, 3)) == one <= 12

    def test_a_store_without_partners_pays_one_query(self, store):
        with CaptureQueriesContext(connection) as queries:
            partner_statements.keep(store, START)
        assert len(queries) == 1

    def test_a_months_settling_costs_the_same_with_more_orders(self, store, agreement):
        def cost(at) -> int:
            with CaptureQueriesContext(connection) as queries:
                assert settle(store, at) == 1
            return len(queries)

        buys(store, agreement, at=day(8, 6))
        engine(store, day(8, 25))
        one = cost(day(9, 3))
        for _number in range(6):
            buys(store, agreement, at=day(9, 4))
        engine(store, day(9, 25))
        assert cost(day(10, 3)) == one

    def test_the_sweep_goes_over_every_store(self, store, other_store, agreement, in_august):
        assert for_each_store(partner_statements.keep, day(9, 3)) >= 2  # both directions
        assert figures(store, payer=True) == figures(other_store, payer=False)


steps = st.lists(
    st.tuples(
        st.sampled_from(["buy", "buy", "again", "refund", "settle", "pay", "pay"]),
        st.integers(1, 200_000),
        st.integers(1, 50),
    ),
    min_size=6,
    max_size=14,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_the_statements_sum_is_what_the_books_say(store, other_store, make_user, played):
    """Whatever comes, comes back, is paid, and whenever it is settled."""
    with transaction.atomic():
        _play(store, other_store, make_user(None, None), played)
        transaction.set_rollback(True)


def _play(store, other_store, user, played) -> None:
    at, orders = START, []
    agreement = agreed(store, other_store, Deal(7, 3), at)
    with acting_for(other_store):
        details = Details("+639171234567", "Elsewhere Inc.")
        partners.save_paid_to(side_of(other_store, agreement), Method.GCASH, details, by=user, at=at)
    for what, amount, days in played:
        at += days * DAY
        if what == "buy":
            orders.append(buys(store, agreement, amount, at=at))
        elif what == "again" and orders:
            orders.append(buys(store, agreement, amount, at=at, name=orders[0].customer.name))
        elif what == "refund" and orders:
            order = orders[amount % len(orders)]
            order.refresh_from_db()
            send_back(order, min(order.refunded_minor + amount, order.total_minor), at=at)
        elif what == "settle":
            settle(store, at)
        elif what == "pay":
            settle(store, at)
            with acting_for(store):
                batch = payouts.make_list(store, store.currency, by=None, at=at)
                listed = Payout.objects.for_store(store).filter(batch=batch).values_list("pk", flat=True)
                payouts.mark_paid(store, list(listed), by=None, at=at)
        engine(store, at)
    settle(store, at + 40 * DAY)
    stated = figures(store, payer=True)
    assert sum(row[5] for row in stated) == owed(store) == worth(store)
    assert stated == figures(other_store, payer=False)
    assert all(row[2] >= 0 and row[3] >= 0 and row[6] <= 0 for row in stated)
    assert recounting.problems(store) == []


def worth(store) -> int:
    """The same, reckoned from the rewards that stand."""
    alive = Reward.objects.for_store(store).filter(status="granted", offer__kind="commission")
    return sum(one.amount_minor - one.reduced_minor for one in alive)
