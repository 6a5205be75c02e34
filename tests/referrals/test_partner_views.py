"""The Partners pages: list, offer, one partner, where to be paid, statements; who may do what."""

from __future__ import annotations

import csv
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from referrals.models import Partnership
from referrals.services import partner_statements
from referrals.services.partners import Deal
from rewards.models import PayoutAddress
from stores.models import Membership, Role
from stores.tenancy import act_for, acting_for
from tests.referrals.partner_world import DAY, agreed, buys, engine, offered, settle, side_of

pytestmark = pytest.mark.django_db
LIST = "/d/rosewater/program/partners/"
THEIRS = "/d/elsewhere/program/partners/"
TYPED = {"slug": "elsewhere", "percent": "10", "months": "12"}


@pytest.fixture
def they(login, other_store):
    """The other store's owner, logged in."""
    return login(Role.OWNER, of=other_store)


def page(base, store, agreement) -> str:
    return f"{base}{side_of(store, agreement).public_id}/"


class TestOffer:
    def test_the_list_is_empty_and_shows_the_own_address(self, owner):
        text = owner.get(LIST).text
        assert "No partner yet" in text
        assert re.search(r"<bdi dir=\"ltr\">rosewater</bdi>", text)

    @pytest.mark.parametrize("slug", ["elsewhere", " Elsewhere ", "https://shops.example/n/elsewhere/"])
    def test_the_owner_asks(self, owner, other_store, store, slug):
        answer = owner.post(f"{LIST}offer/", {**TYPED, "slug": slug})
        assert (answer.status_code, answer.url) == (302, LIST)
        row = Partnership.objects.for_store(store).get()
        assert (row.other_name, row.percent, row.months, row.by) == ("Elsewhere", 10, 12, owner.user)

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({"slug": "nowhere"}, "No store here has this address"),
            ({"slug": ""}, "Write the address"),
            ({"slug": "rosewater"}, "your own address"),
            ({"percent": "0"}, "from 1 to 50"),
            ({"percent": "ten"}, "from 1 to 50"),
            ({"months": "7"}, "valid choice"),
        ],
    )
    def test_what_is_wrong_stands_beside_it_and_what_was_typed_stays(self, owner, other_store, store, typed, words):
        answer = owner.post(f"{LIST}offer/", {**TYPED, **typed})
        assert answer.status_code == 422
        assert words in answer.text
        assert f'value="{typed.get("slug", "elsewhere")}"' in answer.text or not typed.get("slug", "x")
        assert not Partnership.objects.for_store(store).exists()

    def test_persian_digits(self, owner, other_store, store):
        owner.post(f"{LIST}offer/", {**TYPED, "percent": "۱۲"})
        assert Partnership.objects.for_store(store).get().percent == 12

    def test_for_ever(self, owner, other_store, store):
        owner.post(f"{LIST}offer/", {**TYPED, "months": "always"})
        assert Partnership.objects.for_store(store).get().months is None

    def test_a_second_offer_is_told_why_not(self, owner, other_store, store):
        owner.post(f"{LIST}offer/", TYPED)
        answer = owner.post(f"{LIST}offer/", TYPED)
        assert answer.status_code == 422
        assert "already" in answer.text

    def test_not_hundreds_a_day(self, owner, store):
        codes = [owner.post(f"{LIST}offer/", {**TYPED, "slug": f"no-{number}"}).text for number in range(21)]
        assert "many stores today" not in codes[-2]
        assert "many stores today" in codes[-1]

    def test_a_manager_reads_and_does_not_ask(self, manager, other_store, store):
        assert manager.get(LIST).status_code == 200
        assert "Ask another store" not in manager.get(LIST).text
        assert manager.post(f"{LIST}offer/", TYPED).status_code == 403
        assert not Partnership.objects.for_store(store).exists()


class TestAnswer:
    def test_asked_and_accepted_by_the_other_owner(self, owner, they, store, other_store):
        agreement = offered(store, other_store)
        assert "waits for you" in they.get(THEIRS).text
        there = page(THEIRS, other_store, agreement)
        assert "would like to send you customers" in they.get(there).text
        they.post(f"{there}step/", {"step": "accept"})
        for client, base, one in ((owner, LIST, store), (they, THEIRS, other_store)):
            text = client.get(page(base, one, agreement)).text
            assert side_of(one, agreement).other_code in text
            assert "<svg" in text
            assert "Put this link on your receipts" in text

    def test_it_stands_on_the_home_page_of_who_is_asked(self, owner, they, store, other_store):
        offered(store, other_store)
        assert "1 store would like to send you customers" in they.get("/d/elsewhere/").text
        assert "would like to send you customers" not in owner.get("/d/rosewater/").text

    def test_who_asked_cannot_accept(self, owner, store, other_store):
        agreement = offered(store, other_store)
        owner.post(f"{page(LIST, store, agreement)}step/", {"step": "accept"})
        assert side_of(store, agreement).status == "offered"

    def test_ended_and_undone(self, owner, store, other_store):
        agreement = agreed(store, other_store)
        here = page(LIST, store, agreement)
        owner.post(f"{here}step/", {"step": "end"})
        text = owner.get(here).text
        assert "Undo the end" in text
        assert "Send your customers there" not in text
        owner.post(f"{here}step/", {"step": "undo"})
        assert side_of(other_store, agreement).status == "agreed"

    def test_a_step_that_is_none(self, owner, store, other_store):
        agreement = agreed(store, other_store)
        assert owner.post(f"{page(LIST, store, agreement)}step/", {"step": "rob"}).status_code == 404

    @pytest.mark.parametrize("step", ["accept", "end", "undo"])
    def test_a_manager_takes_no_step(self, manager, store, other_store, step):
        agreement = offered(other_store, store)
        assert manager.post(f"{page(LIST, store, agreement)}step/", {"step": step}).status_code == 403
        assert side_of(store, agreement).status == "invited"
        assert "An owner of your store can answer" in manager.get(page(LIST, store, agreement)).text

    def test_the_history_says_who_did_what(self, owner, they, store, other_store):
        agreement = offered(store, other_store)
        they.post(f"{page(THEIRS, other_store, agreement)}step/", {"step": "accept"})
        ours = owner.get(page(LIST, store, agreement)).text
        assert "Agreed · <bdi>Elsewhere</bdi>" in ours
        assert they.user.email not in ours
        assert f"Agreed · <bdi>{they.user}</bdi>" in they.get(page(THEIRS, other_store, agreement)).text


class TestPaidTo:
    TYPED = {"method": "gcash", "number": "0917 123 4567", "holder": "Elsewhere Inc.", "bank": ""}

    def test_typed_on_the_own_side_and_shown_by_its_end(self, they, store, other_store):
        there = page(THEIRS, other_store, agreed(store, other_store))
        answer = they.post(f"{there}paid-to/", self.TYPED)
        assert answer.url == there
        text = they.get(there).text
        assert "…4567" in text
        assert "9171234567" not in text
        with acting_for(store):
            assert PayoutAddress.objects.for_store(store).get().hint == "…4567"

    def test_what_is_wrong_stays_typed(self, they, store, other_store):
        there = page(THEIRS, other_store, agreed(store, other_store))
        answer = they.post(f"{there}paid-to/", {**self.TYPED, "number": "12"})
        assert answer.status_code == 422
        assert 'value="12"' in answer.text

    def test_a_manager_and_who_has_no_agreement_cannot(self, manager, owner, store, other_store):
        agreement = offered(other_store, store)
        here = page(LIST, store, agreement)
        assert manager.get(f"{here}paid-to/").status_code == 403
        assert owner.get(f"{here}paid-to/").status_code == 404


@pytest.fixture
def settled(store, other_store) -> str:
    """A month with two purchases, settled."""
    start = (timezone.now() - 70 * DAY).replace(day=5, hour=4, minute=0, second=0, microsecond=0)
    agreement = agreed(store, other_store, Deal(10, 0), start)
    for total in (100_000, 50_000):
        buys(store, agreement, total, at=start + timedelta(hours=1))
    engine(store, start + 20 * DAY)
    settle(store, start + 35 * DAY)
    return agreement


def statement_links(client, address) -> list[str]:
    return re.findall(r'href="([^"]*-(?:pays|gets)-PHP/)"', client.get(address).text)


class TestStatements:
    def test_both_read_the_same(self, owner, they, store, other_store, settled):
        texts = []
        for client, base, one in ((owner, LIST, store), (they, THEIRS, other_store)):
            (link,) = statement_links(client, page(base, one, settled))
            text = client.get(link).text
            assert "data-print" in text
            texts.append(re.sub(r"\s+", " ", re.search(r"<table.*?</table>", text, re.S).group()))
            assert "₱150" in text
        assert texts[0] == texts[1]

    def test_both_download_the_same(self, owner, they, store, other_store, settled):
        files = []
        for client, base, one in ((owner, LIST, store), (they, THEIRS, other_store)):
            here = page(base, one, settled)
            (link,) = statement_links(client, here)
            rows = [list(csv.reader(client.get(f"{link}?format=csv").text.lstrip("\ufeff").splitlines()))]
            rows.append(list(csv.reader(client.get(f"{here}?format=csv").text.lstrip("\ufeff").splitlines())))
            assert rows[0] == rows[1]
            files.append(rows[0])
        assert files[0] == files[1]
        assert files[0][1][2:] == [
            "Rosewater Café",
            "Elsewhere",
            "2",
            "2",
            "1500.00",
            "150.00",
            "0.00",
            "150.00",
            "PHP",
        ]

    @pytest.mark.parametrize("name", ["x", "2026-13-99-pays-PHP", "2026-08-01-pays-EUR"])
    def test_one_that_is_none(self, owner, store, settled, name):
        assert owner.get(f"{page(LIST, store, settled)}{name}/").status_code == 404

    def test_this_month_on_both_pages(self, owner, they, store, other_store, settled):
        with acting_for(store):
            partner_statements.tell_numbers(store, timezone.now())
        assert "As of" in owner.get(page(LIST, store, settled)).text
        assert "As of" in they.get(page(THEIRS, other_store, settled)).text


class TestStrangers:
    @pytest.mark.parametrize("path", ["", "paid-to/", "x/"])
    def test_a_third_stores_owner_finds_nothing(self, login, make_store, store, other_store, settled, path):
        third = make_store("third", name="Third")
        act_for(store)
        stranger = login(Role.OWNER, of=third)
        own, ours = "/d/third/program/partners/", page(LIST, store, settled)
        assert stranger.get(f"{ours}{path}").status_code == 404
        for one in (store, other_store):
            number = side_of(one, settled).public_id
            assert stranger.get(f"{own}{number}/{path}").status_code == 404
            assert stranger.post(f"{own}{number}/step/", {"step": "end"}).status_code == 404
        assert side_of(store, settled).status == "agreed"

    def test_one_sides_number_opens_nothing_at_the_other(self, they, store, settled):
        assert they.get(f"{THEIRS}{side_of(store, settled).public_id}/").status_code == 404

    def test_who_works_in_both_stores_sees_each_sides_own(self, owner, store, other_store, settled):
        with acting_for(other_store):
            Membership.objects.create(store=other_store, user=owner.user, role=Role.OWNER)
        assert owner.get(page(LIST, store, settled)).status_code == 200
        assert owner.get(page(THEIRS, other_store, settled)).status_code == 200
        assert owner.get(f"{LIST}{side_of(other_store, settled).public_id}/").status_code == 404


def test_the_list_costs_the_same_with_more_partners(owner, store, other_store, make_store):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert owner.get(LIST).status_code == 200
        return len(queries)

    agreed(store, other_store)
    owner.get(LIST)
    one = cost()
    for number in range(3):
        third = make_store(f"third-{number}", name=f"Third {number}")
        act_for(store)
        agreed(store, third)
    assert cost() == one
