"""Codes in numbers: made, brought in, given out, closed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from customers.services import Person, find_or_create_customer
from referrals.services.terms import OfferTerms, make_offer
from rewards.models import Offer, Pool, Reward, Voucher
from rewards.rules import Reason
from rewards.services import granting, pools, vouchers
from rewards.services.pools import Conditions
from rewards.services.vouchers import Bill, NotRedeemable
from stores import codes
from stores.models import AuditEvent, Job
from stores.tenancy import acting_for
from tests.conftest import NOW

BILL = Bill(1_000_00, "PHP")


def together(count, work):
    """What `work(number)` answers in as many threads at the same moment."""
    gate = Barrier(count)

    def one(number):
        gate.wait(timeout=30)
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as crowd:
        return list(crowd.map(one, range(count)))


@pytest.fixture
def offer(committed_store):
    with acting_for(committed_store):
        return make_offer(committed_store, OfferTerms(Offer.Kind.FIXED_OFF, amount_minor=100_00))


@pytest.fixture
def make(committed_store, offer):
    """`make(number=10)`: a pool with so many codes of ours, made."""

    def run(name="Spring", number=10, conditions=None):
        with acting_for(committed_store):
            pool, job = pools.make(committed_store, name, offer, number, conditions or Conditions(), by=None, at=NOW)
        pools.work(committed_store, job.pk)
        return pool

    return run


@pytest.fixture
def bring_in(committed_store, offer):
    """`bring_in("A-1", "A-2")`: a pool of the shop's own codes."""

    def run(*lines, name="Shop", give_out=False, conditions=None):
        with acting_for(committed_store):
            pool, job = pools.bring_in(
                committed_store, name, offer, lines, conditions or Conditions(), give_out=give_out, by=None, at=NOW
            )
        return pool, pools.work(committed_store, job.pk)

    return run


def rows(store, pool):
    with acting_for(store):
        return list(Voucher.objects.for_store(store).filter(pool=pool).order_by("pk"))


class TestOurs:
    def test_each_code_is_another_and_good(self, committed_store, make):
        found = rows(committed_store, make(number=12))
        assert len({voucher.code for voucher in found}) == 12
        assert all(codes.has_good_check(voucher.code) for voucher in found)
        assert {voucher.status for voucher in found} == {Voucher.Status.ISSUED}

    def test_in_pieces_and_no_piece_twice(self, committed_store, make, monkeypatch):
        monkeypatch.setattr(pools, "PIECE", 5)
        pool = make(number=12)
        with acting_for(committed_store):
            job = Job.objects.for_store(committed_store).get(subject=f"pool:{pool.pk}")
        assert (job.state, job.done, len(rows(committed_store, pool))) == (Job.State.DONE, 12, 12)
        assert pools.work(committed_store, job.pk).done == 12
        assert len(rows(committed_store, pool)) == 12

    def test_a_code_that_exists_is_made_anew(self, committed_store, make, monkeypatch):
        drawn = iter(["TW1NAAAAAA2", "TW1NAAAAAA2", *(codes.voucher_code() for _ in range(9))])
        monkeypatch.setattr(codes, "voucher_code", lambda: next(drawn))
        assert len(rows(committed_store, make(number=3))) == 3

    def test_a_name_is_taken_once(self, make):
        make()
        with pytest.raises(pools.NameTaken):
            make()

    def test_the_sweep_makes_what_was_asked_for(self, committed_store, offer):
        with acting_for(committed_store):
            pool, _job = pools.make(committed_store, "Later", offer, 3, Conditions(), by=None, at=NOW)
        pools.continue_all(NOW)
        assert len(rows(committed_store, pool)) == 3

    def test_used_as_often_as_its_uses(self, committed_store, make):
        (voucher,) = rows(committed_store, make(number=1, conditions=Conditions(uses=2)))
        with acting_for(committed_store):
            first = vouchers.redeem(voucher, BILL, at=NOW)
            vouchers.redeem(voucher, BILL, at=NOW)
            with pytest.raises(NotRedeemable, match=Reason.USED):
                vouchers.redeem(voucher, BILL, at=NOW)
            vouchers.reverse(first, at=NOW)
            vouchers.redeem(voucher, BILL, at=NOW)

    def test_as_often_as_one_likes(self, committed_store, make):
        (voucher,) = rows(committed_store, make(number=1, conditions=Conditions(uses=0)))
        with acting_for(committed_store):
            for _ in range(5):
                assert vouchers.redeem(voucher, BILL, at=NOW).discount_minor == 100_00

    def test_not_before_its_day(self, committed_store, make):
        tomorrow = NOW + timedelta(days=1)
        (voucher,) = rows(committed_store, make(number=1, conditions=Conditions(starts_at=tomorrow)))
        with acting_for(committed_store):
            assert vouchers.quote(voucher, BILL, at=NOW).reason == Reason.NOT_STARTED
            assert vouchers.quote(voucher, BILL, at=tomorrow).reason == ""


class TestOfTheShop:
    def test_as_written_and_found_however_it_is_typed(self, committed_store, bring_in):
        pool, _job = bring_in("Frühling-10", "spring_10 ")
        shown = [voucher.as_shown for voucher in rows(committed_store, pool)]
        assert shown == ["Frühling-10", "spring_10"]
        with acting_for(committed_store):
            for typed in ("SPRING 10", "spring10", "Spr1ng-1O"):
                assert vouchers.find(committed_store, codes.normalise(typed)).shown == "spring_10"

    def test_known_ones_are_left_out(self, committed_store, bring_in):
        bring_in("AAAA-1", "AAAA-2", name="first")
        pool, job = bring_in("AAAA-2", "AAAA-3", "aaaa 3", name="second")
        assert (job.done, job.failed) == (1, 1)
        assert [voucher.shown for voucher in rows(committed_store, pool)] == ["AAAA-3"]

    @pytest.mark.parametrize("line", ["ab", "https://evil.example/x", "x" * 41])
    def test_what_is_no_code_is_refused_with_its_line(self, bring_in, line):
        with pytest.raises(pools.BadCodes) as refused:
            bring_in("GOOD-1", line)
        assert refused.value.lines == [(2, line[:60])]

    def test_waiting_ones_are_worth_nothing_yet(self, committed_store, bring_in):
        pool, _job = bring_in("GIVE-1", give_out=True)
        (voucher,) = rows(committed_store, pool)
        with acting_for(committed_store):
            assert vouchers.quote(voucher, BILL, at=NOW).reason == Reason.UNKNOWN


class TestGivingOut:
    @pytest.fixture
    def reward(self, committed_store, offer, in_store):
        def run(number):
            def work():
                person = self.people(committed_store, number)
                same = make_offer(committed_store, OfferTerms(Offer.Kind.FIXED_OFF, amount_minor=100_00))
                return granting.grant(person, same, side=Reward.Side.ADVOCATE, key=f"r:{number}", at=NOW)

            return in_store(work)

        return run

    @pytest.fixture
    def in_store(self, committed_store):
        def run(work):
            with acting_for(committed_store):
                return work()

        return run

    @staticmethod
    def people(store, number):
        return find_or_create_customer(store, Person(email=f"p{number}@example.com"), at=NOW, source="test")

    def test_rewards_worth_the_same_take_the_next_code(self, committed_store, bring_in, reward, in_store):
        bring_in("GIVE-1", "GIVE-2", give_out=True)
        rewards = [reward(number) for number in (1, 2, 3)]
        given = in_store(lambda: list(Voucher.objects.filter(reward__in=rewards).order_by("reward")))
        assert [one.shown for one in given] == ["GIVE-1", "GIVE-2", ""]
        assert codes.has_good_check(given[2].code)
        assert {one.status for one in given} == {Voucher.Status.ISSUED}
        assert in_store(lambda: vouchers.promise_behind(given[0]).promised_minor) == 100_00

    def test_of_other_worth_they_do_not(self, committed_store, bring_in, in_store):
        bring_in("GIVE-1", give_out=True)

        def work():
            dearer = make_offer(committed_store, OfferTerms(Offer.Kind.FIXED_OFF, amount_minor=200_00))
            person = self.people(committed_store, 1)
            return granting.grant(person, dearer, side=Reward.Side.ADVOCATE, key="dear", at=NOW).voucher.shown

        assert in_store(work) == ""

    def test_at_once_each_gets_another(self, committed_store, bring_in, reward):
        bring_in(*(f"GIVE-{number}" for number in range(8)), give_out=True)

        def one(number):
            with acting_for(committed_store):
                return Voucher.objects.get(reward=reward(number)).shown

        answers = together(8, one)
        assert len(set(answers)) == 8

    def test_closing_voids_what_nobody_holds(self, committed_store, bring_in, reward, in_store):
        pool, _job = bring_in("GIVE-1", "GIVE-2", give_out=True)
        held = reward(1)
        assert in_store(lambda: pools.close(pool, by=None, at=NOW)) == 1
        assert in_store(lambda: Voucher.objects.get(reward=held).status) == Voucher.Status.ISSUED
        counts = in_store(lambda: pools.counts_of(committed_store, [pool.pk]))[pool.pk]
        assert (counts.waiting, counts.issued, counts.ended) == (0, 1, 1)
        noted = AuditEvent.objects.filter(store=committed_store, action="codes.closed")
        assert in_store(lambda: noted.get().after) == {"closed": 1}


def test_pools_of_another_store_are_not_there(committed_store, other_store, make):
    pool = make()
    with acting_for(other_store):
        assert not Pool.objects.for_store(other_store).filter(pk=pool.pk).exists()
        assert pools.counts_of(other_store, [pool.pk]) == {}
