"""Partner stores: offered, agreed, declined, ended; each in its own rows, both or none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, CustomerTag
from customers.queries import HERE, find
from outreach.models import Message
from referrals import doubles
from referrals.models import Partnership, Program, Referral
from referrals.services import attribution, journeying, links, partners, programs
from referrals.services.partners import AlreadyThere, Deal, NoSuchStore, OwnStore
from referrals.services.terms import OfferTerms, TierTerms
from rewards.addresses import Method
from rewards.models import Account, Offer, PayoutAddress, Reward, Tier
from rewards.services.addresses import Details, details_of
from stores.models import AuditEvent
from stores.tenancy import act_for, acting_for
from tests.conftest import NOW, make_order_of
from tests.referrals import partner_world as world
from tests.referrals.partner_world import DAY, agreed, engine, link_of, offered, side_of
from tests.referrals.program_world import terms_with

pytestmark = pytest.mark.django_db
Status = Partnership.Status


def states(store, other, agreement):
    return side_of(store, agreement).status, side_of(other, agreement).status


class TestOffer:
    def test_both_have_a_row_each_with_its_history(self, store, other_store):
        agreement = offered(store, other_store)
        mine, theirs = side_of(store, agreement), side_of(other_store, agreement)
        assert (mine.status, mine.other_name, mine.other_id) == ("offered", "Elsewhere", other_store.pk)
        assert (theirs.status, theirs.other_name, theirs.other_id) == ("invited", "Rosewater Café", store.pk)
        assert (theirs.percent, theirs.months, theirs.other_currency) == (10, 12, "PHP")
        for one, row in ((store, mine), (other_store, theirs)):
            with acting_for(one):
                assert AuditEvent.objects.for_store(one).get(subject=row.public_id).action == "partner.offered"

    @pytest.mark.parametrize("slug", ["nowhere", "", "../etc", "x" * 300])
    def test_an_address_without_a_store(self, store, slug):
        with pytest.raises(NoSuchStore):
            partners.offer(store, slug, world.DEAL, by=None, at=NOW)

    def test_a_store_whose_program_does_not_run_is_not_told_from_none(self, store, other_store):
        """Its public page says nothing either."""
        with acting_for(other_store):
            programs.set_status(programs.program_of(other_store), Program.Status.PAUSED, by=None, at=NOW)
        with pytest.raises(NoSuchStore):
            offered(store, other_store)

    def test_not_itself(self, store):
        with pytest.raises(OwnStore):
            offered(store, store)

    def test_once_between_two_whoever_asks(self, store, other_store):
        offered(store, other_store)
        for one, two in ((store, other_store), (other_store, store)):
            with pytest.raises(AlreadyThere):
                offered(one, two)
        assert Partnership.objects.for_store(store).count() == 1

    def test_killed_between_the_two_sides_leaves_nothing(self, store, other_store, monkeypatch):
        noted = []

        def dies(row, *args, **kwargs):
            noted.append(row)
            if len(noted) == 2:
                raise SystemExit

        monkeypatch.setattr(partners, "_note", dies)
        with pytest.raises(SystemExit):
            offered(store, other_store)
        for one in (store, other_store):
            with acting_for(one):
                assert not Partnership.objects.for_store(one).exists()


class TestAnswer:
    def test_accepted_by_who_was_asked(self, store, other_store):
        agreement = agreed(store, other_store)
        assert states(store, other_store, agreement) == ("agreed", "agreed")

    def test_not_accepted_by_who_asked(self, store, other_store):
        agreement = offered(store, other_store)
        assert partners.accept(side_of(store, agreement), by=None, at=NOW) is False
        assert states(store, other_store, agreement) == ("offered", "invited")

    def test_accepted_once(self, store, other_store):
        agreement = agreed(store, other_store)
        with acting_for(other_store):
            assert partners.accept(side_of(other_store, agreement), by=None, at=NOW) is False
        assert Customer.objects.for_store(store).filter(external_id__startswith="partner:").count() == 1

    @pytest.mark.parametrize("who", [0, 1])
    def test_declined_or_taken_back(self, store, other_store, who):
        agreement, actor = offered(store, other_store), (store, other_store)[who]
        with acting_for(actor):
            row = side_of(actor, agreement)
            assert partners.end(row, by=None, at=NOW)
            assert partners.end(row, by=None, at=NOW) is False
        assert states(store, other_store, agreement) == ("ended", "ended")
        assert offered(store, other_store) != agreement  # may be asked again

    def test_accepting_what_was_taken_back_meanwhile(self, store, other_store):
        agreement = offered(store, other_store)
        seen = side_of(other_store, agreement)
        partners.end(side_of(store, agreement), by=None, at=NOW)
        with acting_for(other_store):
            assert partners.accept(seen, by=None, at=NOW) is False
            assert not Customer.objects.for_store(other_store).filter(external_id__startswith="partner:").exists()

    def test_killed_between_the_two_sides_leaves_both_as_they_were(self, store, other_store, monkeypatch):
        agreement, prepared = offered(store, other_store), []
        prepare = partners._prepare

        def dies(*args):
            prepared.append(prepare(*args))
            if len(prepared) == 2:
                raise SystemExit
            return prepared[-1]

        monkeypatch.setattr(partners, "_prepare", dies)
        with pytest.raises(SystemExit), acting_for(other_store):
            partners.accept(side_of(other_store, agreement), by=None, at=NOW)
        assert states(store, other_store, agreement) == ("offered", "invited")
        assert not Customer.objects.for_store(store).filter(external_id__startswith="partner:").exists()


class TestAgreed:
    def test_each_holds_the_link_at_the_other(self, store, other_store):
        agreement = agreed(store, other_store)
        assert side_of(store, agreement).other_code == link_of(other_store, agreement).code
        assert side_of(other_store, agreement).other_code == link_of(store, agreement).code

    def test_who_stands_for_the_store_is_nobody_to_be_found_or_asked(self, store, other_store):
        agreement = agreed(store, other_store)
        stand_in = side_of(store, agreement).customer
        assert (stand_in.name, stand_in.email, stand_in.phone, stand_in.email_consent) == ("Elsewhere", "", "", False)
        assert (stand_in.short_name, stand_in.first_name, stand_in.is_store) == ("Elsewhere", "Elsewhere", True)
        assert stand_in not in find(store, "", "")
        assert stand_in not in find(store, "else", "")
        assert not Customer.objects.for_store(store).filter(HERE, pk=stand_in.pk).exists()
        assert stand_in not in {one for pair in doubles.suggestions(store, NOW) for one in pair.people}

    def test_a_name_of_two_words_stays_whole(self, store, other_store):
        mine = side_of(other_store, agreed(store, other_store)).customer
        with acting_for(other_store):
            assert mine.short_name == mine.first_name == "Rosewater Café"

    def test_its_page_offers_no_merge_and_no_forgetting(self, store, other_store, owner):
        stand_in = side_of(store, agreed(store, other_store)).customer
        for page in ("same", "erase"):
            assert owner.get(f"/d/rosewater/customers/{stand_in.public_id}/{page}/").status_code == 404

    def test_the_program_stands_in_no_list_and_has_no_editor(self, store, other_store, owner):
        program = side_of(store, agreed(store, other_store)).program
        assert program.audience == Program.Audience.STORES
        assert program.public_id not in owner.get("/d/rosewater/program/").text
        assert owner.get(f"/d/rosewater/program/{program.public_id}/").status_code == 404
        assert str(Program.Audience.STORES.label) not in owner.get("/d/rosewater/program/new/").text

    def test_two_partners_at_one_time_and_both_links_lead_to_their_own_program(self, store, other_store, make_store):
        third = make_store("third", name="Third")
        act_for(store)
        one, two = agreed(store, other_store), agreed(store, third, Deal(5, 0))
        found = {programs.program_for(side_of(store, agreement).customer, NOW + DAY) for agreement in (one, two)}
        assert found == {side_of(store, one).program, side_of(store, two).program}

    def test_friends_get_what_the_customers_program_gives_from_then_on(self, store, other_store):
        agreement = agreed(store, other_store)
        gift = OfferTerms(Offer.Kind.FIXED_OFF, amount_minor=777)
        programs.change_program(programs.program_of(store), terms_with(friend=gift), by=None, at=NOW + DAY)
        assert partners.follow_gift(store, NOW + DAY) == 1
        assert partners.follow_gift(store, NOW + DAY) == 0
        terms = side_of(store, agreement).program.terms
        assert terms.friend_offer.amount_minor == 777
        assert [tier.offer.kind for tier in terms.ladder.tiers.all()] == ["commission"]


class TestComing:
    def test_credited_to_the_partner_and_commission_in_the_books(self, store, other_store):
        agreement = agreed(store, other_store)
        world.buys(store, agreement, 100_000, at=NOW + DAY)
        engine(store, NOW + 20 * DAY)
        (referral,) = world.referrals_of(store)
        stand_in = side_of(store, agreement).customer
        assert (referral.status, referral.advocate, referral.program.audience) == ("approved", stand_in, 4)
        purse = Account.objects.for_store(store).get(kind=Account.Kind.PAYABLE, customer=stand_in)
        assert (purse.balance_minor, purse.settled_minor) == (10_000, 0)

    def test_no_message_leaves_for_the_partner(self, store, other_store):
        agreement = agreed(store, other_store)
        world.buys(store, agreement, at=NOW + DAY)
        engine(store, NOW + 20 * DAY)
        journeying.sweep(store, NOW, NOW + 21 * DAY)
        assert not Message.objects.for_store(store).filter(customer=side_of(store, agreement).customer).exists()

    def test_later_orders_for_so_many_months(self, store, other_store):
        agreement = agreed(store, other_store)
        world.buys(store, agreement, at=NOW + DAY, name="Bea Cruz")
        for days in (40, 300, 400):
            make_order_of(
                store, world.Person("Bea Cruz", "bea.cruz@example.com"), at=NOW + days * DAY, total_minor=50_000
            )
        for days in (20, 60, 320, 420):
            engine(store, NOW + days * DAY)
        amounts = Reward.objects.for_store(store).filter(customer=side_of(store, agreement).customer)
        assert list(amounts.order_by("granted_at").values_list("amount_minor", flat=True)) == [10_000, 5_000, 5_000]

    def test_the_landing_page_says_which_store_sends_them(self, client, store, other_store):
        code = link_of(other_store, agreed(store, other_store)).code
        text = client.get(f"/r/{code}").text
        assert "Rosewater Café sends you" in text
        assert "Rosewater C." not in text
        assert "can see that you did" not in text


class TestEnd:
    def test_the_links_stop_and_who_came_before_counts(self, client, store, other_store):
        agreement = agreed(store, other_store)
        link = link_of(store, agreement)
        world.buys(store, agreement, at=NOW + DAY)
        assert partners.end(side_of(store, agreement), by=None, at=NOW + 2 * DAY)
        for one in (store, other_store):
            assert side_of(one, agreement).status == "ended"
            with acting_for(one):
                assert links.find_link(one, link_of(one, agreement).code_norm, at=NOW + 2 * DAY) is None
        world.buys(store, agreement, at=NOW + 3 * DAY)
        engine(store, NOW + 30 * DAY)
        (referral,) = world.referrals_of(store)
        assert (referral.status, referral.link_id) == ("approved", link.pk)

    def test_who_ended_it_may_undo_it_for_a_day(self, store, other_store, make_user):
        agreement, user = agreed(store, other_store), make_user(None, None)
        partners.end(side_of(store, agreement), by=user, at=NOW + DAY)
        assert partners.may_undo(side_of(store, agreement), NOW + DAY)
        assert not partners.may_undo(side_of(other_store, agreement), NOW + DAY)
        assert not partners.may_undo(side_of(store, agreement), NOW + 2 * DAY)
        with acting_for(other_store):
            assert partners.undo_end(side_of(other_store, agreement), by=user, at=NOW + DAY) is False
        assert partners.undo_end(side_of(store, agreement), by=user, at=NOW + DAY + timedelta(hours=1))
        assert states(store, other_store, agreement) == ("agreed", "agreed")
        link = link_of(store, agreement)
        assert (link.expires_at, side_of(store, agreement).program.ends_at) == (None, None)
        assert partners.undo_end(side_of(store, agreement), by=user, at=NOW + DAY) is False

    def test_not_undone_over_another_agreement(self, store, other_store, make_user):
        agreement, user = agreed(store, other_store), make_user(None, None)
        partners.end(side_of(store, agreement), by=user, at=NOW + DAY)
        offered(other_store, store, at=NOW + DAY)
        with pytest.raises(AlreadyThere):
            partners.undo_end(side_of(store, agreement), by=user, at=NOW + DAY)


class TestPaidTo:
    def test_typed_by_one_sealed_at_the_other(self, store, other_store, make_user):
        agreement = agreed(store, other_store)
        mine = side_of(other_store, agreement)
        with acting_for(other_store):
            details = Details("+639171234567", "Elsewhere Inc.")
            partners.save_paid_to(mine, Method.GCASH, details, by=make_user(None, None), at=NOW)
            assert not PayoutAddress.objects.for_store(other_store).exists()
        assert side_of(other_store, agreement).paid_to == "gcash:…4567"
        address = PayoutAddress.objects.for_store(store).get()
        assert details_of(address) == details
        noted = AuditEvent.objects.for_store(store).get(action="partner.paid_to")
        assert (noted.user, noted.after) == (None, {"to": "…4567"})


class TestWalls:
    def test_a_third_store_reads_none_of_it(self, store, other_store, make_store):
        agreed(store, other_store)
        third = make_store("third")
        with acting_for(third):
            assert not Partnership.objects.exists()
            assert not Customer.objects.filter(external_id__startswith="partner:").exists()

    def test_a_side_is_written_inside_its_own_wall_only(self, store, other_store):
        agreement = agreed(store, other_store)
        row = side_of(other_store, agreement)
        assert Partnership.objects.filter(pk=row.pk).update(percent=99) == 0  # acting for `store`
        assert side_of(other_store, agreement).percent == 10

    def test_afterwards_the_transaction_is_bound_as_before(self, store, other_store):
        agreement = agreed(store, other_store)
        partners.end(side_of(store, agreement), by=None, at=NOW)
        assert {row.store_id for row in Partnership.objects.all()} == {store.pk}


def test_a_staff_programs_whole_way(store, make_customer):
    """Somebody of the staff (a customer with the tag) sends a friend: the staff's terms, gift and reward."""
    five = OfferTerms(Offer.Kind.CASH, amount_minor=5_000)
    gift = OfferTerms(Offer.Kind.FIXED_OFF, amount_minor=300)
    staff = programs.create_program(
        store,
        terms_with(friend=gift, tiers=[TierTerms(1, Tier.Gives.EACH, five)]),
        audience=Program.Audience.STAFF,
        by=None,
        at=NOW - 2 * DAY,
    )
    leila = make_customer("Leila Santos")
    CustomerTag.objects.create(store=store, customer=leila, tag="staff")
    link = links.share_link_of(leila, at=NOW)
    order = make_order_of(store, world.Person("Bea Cruz", "bea@example.com"), at=NOW, code=link.code_norm)
    referral = attribution.attribute_order(order, at=NOW)
    assert (referral.program, referral.terms) == (staff, staff.terms)
    engine(store, NOW + 20 * DAY)
    rewards = Reward.objects.for_store(store).filter(key__startswith=f"referral:{referral.pk}:")
    assert {(one.customer.name, one.offer.kind, one.amount_minor) for one in rewards} == {
        ("Leila Santos", "cash", 5_000),
        ("Bea Cruz", "fixed_off", 300),
    }


def test_program_for_costs_one_query_more_with_partners(store, other_store, make_customer):
    person = make_customer()
    with CaptureQueriesContext(
        connection,
    ) as before:
        programs.programs_for(store, [person.pk], NOW + DAY)
    agreed(store, other_store)
    with CaptureQueriesContext(connection) as after:
        programs.programs_for(store, [person.pk], NOW + DAY)
    assert len(after) == len(before) + 1
    assert Referral.objects.for_store(store).count() == 0
