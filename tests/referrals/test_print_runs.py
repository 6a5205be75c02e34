"""Print runs: whose codes stand on them, large ones in pieces, what they brought, who is left out."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from customers.services import Person
from outreach.services import hold
from referrals import audiences
from referrals.fraud import blocks
from referrals.materials import results
from referrals.models import Block, PrintRun, PrintScan, PrintSheets, Referral, ShareLink
from referrals.services import attribution, deciding, erasing, links, merging, prints
from referrals.services.links import find_link
from referrals.services.programs import change_program, program_of
from referrals.services.redeeming import quote, redeem
from referrals.services.terms import TierTerms
from rewards.models import Reward, Tier
from rewards.rules import Reason
from rewards.services.vouchers import Bill
from stores import jobs
from stores.models import Job
from tests.conftest import NOW, make_order_of
from tests.referrals.journey_world import DAY, count, pause, refer
from tests.referrals.print_world import Material, Whom, addresses, picture, printed
from tests.referrals.print_world import drawing as draw
from tests.referrals.program_world import CREDIT, FIXED, terms_with

VISITOR = "v" * 32
EACH = Tier.Gives.EACH


@pytest.fixture
def everybody(store):
    """A segment of all who bought."""

    def make():
        return audiences.save(store, name="Buyers", conditions=[{"fact": "bought_within", "value": 3650}], at=NOW)

    return make


@pytest.fixture
def poster(store) -> PrintRun:
    return printed(store, Material.POSTER)


def run_of(store, segment, **wish) -> PrintRun:
    return printed(store, whom=Whom.SEGMENT, segment=segment, **wish)


def done(run) -> Job:
    prints.work(run.store, prints.job_of(run).pk)
    run.refresh_from_db()
    return prints.job_of(run)


# -- Whose codes --


def test_an_invitation_has_a_code_and_no_advocate(store, poster):
    assert poster.code_norm
    assert not ShareLink.objects.for_store(store).exists()
    assert prints.enter_by_code(poster.code.lower().replace("-", " ")) == poster


def test_the_code_of_an_invitation_gives_nobody_a_gift(store, poster):
    assert find_link(store, poster.code_norm, at=NOW) is None
    assert quote(store, poster.code, Bill(100_000, store.currency), at=NOW).reason == Reason.UNKNOWN


def test_the_cards_of_a_customer_are_credited_to_them(store, share_link):
    run = printed(store, Material.CARDS, Whom.CUSTOMER, customer=share_link.customer, copies=3)
    card = prints.links_of(run)[1]
    assert card.code_norm != share_link.code_norm
    order = make_order_of(store, Person("Bea", "bea@example.com"), at=NOW, code=card.code)
    attribution.attribute_order(order, at=NOW)
    referral = Referral.objects.for_store(store).get()
    assert (referral.advocate, referral.link) == (share_link.customer, card)
    share_link.refresh_from_db()
    assert share_link.is_main


def test_a_poster_of_a_customer_has_one_code(store, share_link):
    run = printed(store, Material.POSTER, Whom.CUSTOMER, customer=share_link.customer, copies=40)
    assert (prints.links_of(run).count(), run.copies) == (1, 40)


def test_codes_end_when_the_paper_says(store, share_link):
    run = printed(store, Material.CARDS, Whom.CUSTOMER, customer=share_link.customer, copies=1, days=10)
    code = prints.links_of(run)[0].code_norm
    assert find_link(store, code, at=NOW + 9 * DAY)
    assert find_link(store, code, at=NOW + 10 * DAY) is None


def test_nothing_is_made_while_no_program_runs(store):
    pause(store)
    with pytest.raises(prints.NotNow):
        printed(store)
    assert not PrintRun.objects.for_store(store).exists()


def test_the_database_refuses_a_gift_with_an_invitations_code(store, poster):
    with pytest.raises(IntegrityError), transaction.atomic():
        PrintRun.objects.filter(pk=poster.pk).update(whom=Whom.CUSTOMER)


# -- Large runs --


def test_a_segments_cards_are_made_in_pieces(store, make_customer, everybody, monkeypatch):
    people = [make_customer(f"Person {number}") for number in range(10)]
    monkeypatch.setattr(prints, "PIECE", 8)
    run = run_of(store, everybody())
    assert prints.document(run, NOW) is None
    job = done(run)
    assert (job.state, job.done, run.copies) == (Job.State.DONE, 10, 10)
    assert {link.customer for link in prints.links_of(run)} == set(people)
    document = prints.document(run, NOW)
    assert draw.pages(document) == 2
    found = addresses(picture(draw.png(document, run))) + addresses(picture(draw.png(document, run, page=1)))
    assert sorted(found) == sorted(links.landing_url(link) for link in prints.links_of(run))


def test_each_gets_as_many_as_was_asked_for(store, make_customer, everybody):
    make_customer("Sara"), make_customer("Bea")
    run = run_of(store, everybody(), copies=4)
    done(run)
    assert run.copies == 8
    assert prints.links_of(run).values("customer").distinct().count() == 2


def test_stopped_it_keeps_what_is_made(store, make_customer, everybody):
    make_customer("Sara")
    run = run_of(store, everybody())
    assert jobs.stop(prints.job_of(run), at=NOW)
    assert done(run).state == Job.State.STOPPED
    assert not prints.links_of(run).exists()


def test_the_unhappy_and_the_blocked_are_left_out(store, make_customer, everybody):
    fine, unhappy, blocked = make_customer("Sara"), make_customer("Una"), make_customer("Bo", "bo@bad.example")
    hold(unhappy, key="case:1", reason="case", at=NOW)
    blocks.block(store, blocks.Suspect(Block.What.DOMAIN, "bad.example", "bad.example"), reason="", by=None, at=NOW)
    run = run_of(store, everybody())
    job = done(run)
    assert [link.customer for link in prints.links_of(run)] == [fine]
    assert (job.done, job.failed) == (1, 2)
    assert blocks.is_blocked(store, [blocked])


def test_a_program_that_pauses_meanwhile_prints_nobody(store, make_customer, everybody):
    make_customer("Sara")
    run = run_of(store, everybody())
    pause(store)
    assert done(run).failed == 1
    assert prints.document(run, NOW) is None


@pytest.mark.parametrize(("each", "people"), [(1, 80), (2, 40), (3, 24), (8, 8)])
def test_a_piece_fills_whole_sheets(each, people):
    assert prints.people_a_piece(PrintRun(each=each)) == people
    assert people * each % 8 == 0


def test_sheets_go_after_a_week_and_can_be_made_again_with_the_same_codes(store, make_customer, everybody):
    make_customer("Sara")
    run = run_of(store, everybody())
    done(run)
    before = addresses(picture(draw.png(prints.document(run, NOW), run)))
    made = PrintSheets.objects.for_store(store).get().made_at
    assert prints.forget_sheets(store, made + prints.KEPT) == 0
    assert prints.forget_sheets(store, made + prints.KEPT + timedelta(seconds=1)) == 1
    assert prints.document(run, NOW) is None
    prints.draw_again(run, by=None, at=NOW)
    done(run)
    assert addresses(picture(draw.png(prints.document(run, NOW), run))) == before
    assert run.copies == 1


def test_whoever_is_forgotten_stands_on_no_sheet(store, make_customer, everybody):
    sara, bea = make_customer("Sara"), make_customer("Bea")
    run = run_of(store, everybody())
    done(run)
    erasing.erase(sara, by=None, at=NOW)
    assert not PrintSheets.objects.for_store(store).exists()
    prints.draw_again(run, by=None, at=NOW)
    done(run)
    found = addresses(picture(draw.png(prints.document(run, NOW), run)))
    assert found == [links.landing_url(prints.links_of(run).get(customer=bea))]


# -- Joining --


def test_joining_gives_a_link_that_names_the_run(store, poster):
    link = prints.join(poster, Person("Nina Reyes", "nina@example.com"), at=NOW)
    assert (link.run, link.customer.email, link.is_main) == (poster, "nina@example.com", False)
    assert prints.join(poster, Person("Nina", "nina@example.com"), at=NOW) == link


def test_a_known_customers_new_link_tells_nobody_who_they_are(store, poster, share_link):
    link = prints.join(poster, Person("Stranger", "sara@example.com"), at=NOW)
    assert link.customer == share_link.customer
    assert "SARA" not in link.code
    assert link.code_norm != share_link.code_norm


def test_the_blocked_get_no_link(store, poster):
    blocks.block(store, blocks.Suspect(Block.What.EMAIL, "bo@bad.example", "b…"), reason="", by=None, at=NOW)
    with pytest.raises(prints.NotForThem):
        prints.join(poster, Person("Bo", "bo@bad.example"), at=NOW)
    assert not ShareLink.objects.for_store(store).exists()


def test_nobody_joins_when_its_time_is_over(store):
    run = printed(store, Material.POSTER, days=1)
    with pytest.raises(prints.NotNow):
        prints.join(run, Person("Nina", "nina@example.com"), at=NOW + DAY)


def test_two_rows_of_one_person_keep_both_links(store, poster):
    first = prints.join(poster, Person("Nina", "nina@example.com"), at=NOW)
    second = prints.join(poster, Person("Nina", "nina@elsewhere.example"), at=NOW)
    merging.merge(first.customer, second.customer, by=None, at=NOW)
    assert set(prints.links_of(poster).values_list("customer", flat=True)) == {first.customer_id}
    assert prints.links_of(poster).count() == 2


# -- What it brought --


def test_an_invitation_is_measured_to_the_purchase(store):
    change_program(program_of(store), terms_with(friend=FIXED, tiers=[TierTerms(1, EACH, CREDIT)]), by=None, at=NOW)
    run = printed(store, Material.POSTER, cost_minor=50_000)
    for visitor, is_bot in ((VISITOR, False), (VISITOR, False), ("w" * 32, False), ("b" * 32, True)):
        prints.record_scan(run, visitor=visitor, is_bot=is_bot, at=NOW)
    link = prints.join(run, Person("Nina", "nina@example.com"), at=NOW)
    links.record_visit(link, visitor=VISITOR, is_bot=False, at=NOW)
    count(refer(link), at=NOW)
    one = results.brought(store, [run])[run.pk]
    assert (one.scans, one.joined, one.friends, one.taken, one.bought) == (2, 1, 1, 1, 1)
    assert one.sales_minor == 155_000
    assert one.rewards_minor == CREDIT.amount_minor
    assert one.cost_minor(run) == 50_000 + one.gifts_minor + one.rewards_minor
    assert PrintScan.objects.for_store(store).count() == 3


def test_a_reward_that_is_a_code_costs_what_it_took_off(store, poster):
    link = prints.join(poster, Person("Nina", "nina@example.com"), at=NOW)
    count(refer(link), at=NOW)
    reward = Reward.objects.for_store(store).get(customer=link.customer)
    assert results.brought(store, [poster])[poster.pk].rewards_minor == 0
    redeem(store, reward.voucher.code, Bill(100_000, store.currency), at=NOW + DAY)
    assert results.brought(store, [poster])[poster.pk].rewards_minor == 10_000


def test_what_did_not_count_brought_nothing(store, poster):
    referral = refer(prints.join(poster, Person("Nina", "nina@example.com"), at=NOW))
    deciding.void_referral(referral, reason=Referral.Reason.STAFF, at=NOW, by=None)
    one = results.brought(store, [poster])[poster.pk]
    assert (one.taken, one.bought, one.sales_minor, one.rewards_minor) == (1, 0, 0, 0)


def test_each_run_is_measured_by_itself(store, share_link):
    runs = [printed(store, Material.CARDS, Whom.CUSTOMER, customer=share_link.customer, copies=1) for _ in "ab"]
    links.record_visit(prints.links_of(runs[0])[0], visitor=VISITOR, is_bot=False, at=NOW)
    refer(prints.links_of(runs[1])[0])
    links.record_visit(share_link, visitor="m" * 32, is_bot=False, at=NOW)
    found = results.brought(store, runs)
    assert [(found[run.pk].scans, found[run.pk].bought) for run in runs] == [(1, 0), (0, 1)]


def test_measuring_costs_the_same_however_much_there_is(store):
    def statements(runs):
        with CaptureQueriesContext(connection) as caught:
            results.brought(store, runs)
        return len(caught)

    runs = [printed(store, Material.POSTER) for _ in range(6)]
    count(refer(prints.join(runs[0], Person("Nina", "nina@example.com"), at=NOW), "Ann"), at=NOW)
    few = statements(runs[:1])
    for number, run in enumerate(runs[1:]):
        link = prints.join(run, Person("Nina", f"nina{number}@example.com"), at=NOW)
        for name in ("Bea", "Cho", "Dee"):
            refer(link, f"{name}{number}")
    assert statements(runs) == few == 8


def test_another_stores_run_is_not_found(store, other_store, poster):
    assert Customer.objects.for_store(other_store).count() == 0
    assert not PrintRun.objects.for_store(other_store).exists()
