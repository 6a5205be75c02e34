"""The reports: the funnel against a calculation of its own, filters, cost and return, places, files, paper."""

import csv
from datetime import timedelta
from io import StringIO
from itertools import pairwise

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import given

from customers.models import Customer
from insights.numbers import funnels, returns
from insights.numbers.leaders import leaders
from insights.numbers.people import AskedBy
from insights.numbers.period import Period
from insights.numbers.pieces import pieces
from insights.numbers.scope import Scope
from outreach.models import Task, TaskEvent
from referrals.models import PrintRun, Referral
from rewards.models import Account
from rewards.services import ledger
from stores.models import Location, Membership
from tests.conftest import NOW
from tests.insights.by_hand import by_hand, facts, places_of_advocates, quietly, returned_by_hand, write
from tests.insights.report_world import DAY, ask, branches, credit, grow, links_of, look, people, purchase

PAGES = ["reports", "returns", "cohorts", "leaders"]


def read_csv(response):
    return list(csv.reader(StringIO(response.content.decode("utf-8-sig"))))


@pytest.fixture
def url(store):
    return lambda name, *args: reverse(f"insights:{name}", args=[store.slug, *args])


# -- The funnel by hand --


@quietly
@given(told=facts)
def test_the_funnel_is_the_one_worked_out_by_hand(store, told):
    with transaction.atomic():
        places = branches(store)
        write(store, told, places)
        scope = Scope(Period(30, NOW))
        whole, sales = by_hand(told)
        line = funnels.whole(store, scope)
        assert (line.people, line.sales_minor) == (whole, sales)
        for one in funnels.by_way(store, scope).lines:
            assert (one.people, one.sales_minor) == by_hand(told, way=one.key)
            assert funnels.whole(store, Scope(scope.period, way=AskedBy(one.key))).people == one.people
        for one in funnels.by_came(store, scope).lines:
            assert (one.people, one.sales_minor) == by_hand(told, came=one.key)
        for one in funnels.by_location(store, scope).lines:
            at = next(place for place, branch in enumerate(places) if branch and branch.public_id == one.key)
            assert (one.people, one.sales_minor) == by_hand(told, place=at)
            assert funnels.whole(store, Scope(scope.period, location=places[at])).people == one.people
        split = funnels.by_time(store, scope, pieces(store, scope.period, "en"))
        assert sum(one.people["bought"] for one in split.lines) == whole["bought"]
        assert sum(one.people["claims"] for one in split.lines) == whole["claims"]
        assert sum(one.sales_minor for one in split.lines) == sales
        for one in split.lines:  # asked and shared: each piece by itself is the whole of that piece
            assert funnels.whole(store, Scope(scope.period, since=one.since, until=one.until)).people == one.people
        transaction.set_rollback(True)


@quietly
@given(told=facts)
def test_the_return_and_the_places_are_those_worked_out_by_hand(store, told):
    with transaction.atomic():
        persons = write(store, told, branches(store))
        found = returns.returned(store, Period(30, NOW))
        assert (found.friends, found.first_minor, found.later, found.later_minor) == returned_by_hand(told)
        assert found.net_minor == found.first_minor + found.later_minor  # nothing is in the books
        for sort in ("friends", "sales"):
            board = leaders(store, Scope(Period(30, NOW)), sort=sort)
            shown = [(one.place, one.friends, one.counted, one.sales_minor) for one in board]
            assert shown == [one[1:] for one in places_of_advocates(told, sort)]
            assert {one.customer for one in board} == {persons[one[0]] for one in places_of_advocates(told, sort)}
        transaction.set_rollback(True)


@pytest.mark.parametrize("days", [30, 90, 365])
@pytest.mark.parametrize("language", ["en", "fa"])
def test_pieces_of_time_leave_no_gap(store, days, language):
    period = Period(days, NOW)
    cut = pieces(store, period, language)
    assert cut[0].start == period.start
    assert cut[-1].end == period.end + timedelta(microseconds=1)
    assert all(one.end == after.start for one, after in pairwise(cut))
    assert len({one.label for one in cut}) == len(cut)
    assert 5 <= len(cut) <= 14


# -- A shop with something of everything --


@pytest.fixture
def shop(store, play, manager):
    """Two loops, one solved by staff at a branch: who asked by phone also took the gift."""
    advocate = play(friends=2, days_ago=25)
    play("Nina Cruz", friends=1, days_ago=20)
    play.approve()
    at = timezone.now() - 10 * DAY
    call(store, advocate, at, manager.user)
    branch = Location.objects.create(store=store, code="makati", name="Makati")
    member = Membership.objects.for_store(store).get(user=manager.user)
    first = Referral.objects.for_store(store).order_by("pk").first()
    first.order.location = branch
    first.order.save()
    used = first.friend.vouchers.first().redemptions.get()
    type(used).objects.filter(pk=used.pk).update(order=first.order, by=manager.user)
    later = purchase(store, first.friend, timezone.now() - 2 * DAY, 40_000)
    return {"advocate": advocate, "branch": branch, "member": member, "later": later}


def call(store, customer, at, by):
    """Somebody of the store asked them by phone."""
    ask(store, customer, at, "call")
    message = customer.messages.get(channel="call", due_at=at)
    facts = {"way": "call", "words": "Hello", "status": "done", "due_at": at}
    task = Task.objects.create(store=store, message=message, customer=customer, **facts)
    TaskEvent.objects.create(store=store, task=task, status="done", at=at, by=by)


def test_who_asked_long_ago_has_no_part_in_what_is_asked_today(store, manager, url, shop):
    other = Customer.objects.for_store(store).get(name="Nina Cruz")
    call(store, other, timezone.now() - 200 * DAY, manager.user)  # she was asked by mail within the time
    (row,) = next(t for t in manager.get(url("reports")).context["tables"] if t.key == "staff").rows
    assert row[1].value == 1
    assert [line[0] for line in read_csv(manager.get(row[1].url + "&format=csv"))[1:]] == ["Sara Ahmadi"]


def test_a_visitor_of_several_links_is_one_row(store, manager, url):
    links = links_of(people(store, 2))
    for hours, (link, visitor) in enumerate([(links[0], "x"), (links[0], "x"), (links[1], "x"), (links[1], "y")]):
        look(link, visitor, timezone.now() - timedelta(hours=5 - hours))
    steps = next(t for t in manager.get(url("reports")).context["tables"] if t.key == "steps").rows
    assert steps[2][1].value == 2
    found = read_csv(manager.get(steps[2][1].url + "&format=csv"))[1:]
    assert [(row[1], row[2]) for row in found] == [("Person 1", "1"), ("Person 1", "3")]


def test_a_piece_of_time_before_the_period_opens_too(store, manager, url):
    (link,) = links_of(people(store, 1))
    for day in (10, 40, 50, 70):
        look(link, f"v{day}", timezone.now() - day * DAY)
    ends = {"since": timezone.now() - 60 * DAY, "until": timezone.now() - 30 * DAY}
    asked = {"days": 30, **{name: moment.isoformat() for name, moment in ends.items()}}
    page = manager.get(url("reports"), asked)
    assert [bar.people for bar in page.context["board"].bars] == [0, 1, 2, 0, 0, 0]
    assert "time" not in [table.key for table in page.context["tables"]]
    assert len(read_csv(manager.get(url("rows", "visits"), {**asked, "format": "csv"}))) == 3


def test_staff_and_branches_have_their_rows(manager, url, shop):
    tables = {table.key: table for table in manager.get(url("reports")).context["tables"]}
    assert list(tables) == ["steps", "way", "came", "program", "location", "staff", "time"]
    assert [cell.value for cell in tables["staff"].rows[0]] == ["Leila Santos", 1, 1, 1, 80_000]
    assert [cell.value for cell in tables["location"].rows[0]] == ["Makati", 1, 1, 80_000]
    assert [row[0].value for row in tables["way"].rows] == ["Phone call", "Right after their answer"]


@pytest.mark.parametrize("name", PAGES)
def test_every_number_opens_exactly_its_rows(manager, url, shop, name):
    """As many as the number says, or together as much money."""
    checked = 0
    for table in manager.get(url(name)).context["tables"]:
        for cell in (cell for row in table.rows for cell in row if "/rows/" in cell.url):
            there = read_csv(manager.get(cell.url + "&format=csv"))[1:]
            found = sum(round(100 * float(row[2])) for row in there) if cell.kind == "money" else len(there)
            assert found == cell.value, (table.key, cell.url)
            checked += 1
    assert checked > 3 or name == "cohorts"


@pytest.mark.parametrize("name", PAGES)
def test_every_table_has_a_file_of_what_is_shown(manager, url, shop, name):
    for table in manager.get(url(name), {"days": 90}).context["tables"]:
        found = read_csv(manager.get(url(name), {"days": 90, "format": "csv", "table": table.key}))
        assert found[0] == [str(title) for title in table.header]
        assert len(found) == len(table.rows) + 1
        for shown, line in zip(table.rows, found[1:], strict=True):
            assert [str("" if cell.plain is None else cell.plain) for cell in shown] == line
    assert manager.get(url(name), {"format": "csv", "table": "passwords"}).status_code == 404


@pytest.mark.parametrize(("way", "how"), [("call", "Phone call"), ("page", "Right after their answer")])
def test_a_row_says_how_somebody_was_asked(manager, url, shop, way, how):
    """Sara was asked in both ways; filtered by one, her row tells of that one."""
    found = read_csv(manager.get(url("rows", "asked"), {"way": way, "format": "csv"}))
    assert ["Sara Ahmadi", how] in [row[:2] for row in found]
    assert {row[1] for row in found[1:]} == {how}


def test_a_row_says_why_somebody_shared(manager, url, shop):
    found = read_csv(manager.get(url("rows", "shared"), {"format": "csv"}))
    assert found[-1][:2] == ["Sara Ahmadi", "A friend bought, a friend opened their link, tapped share"]


def test_a_cost_says_who_got_it(manager, url, shop):
    found = read_csv(manager.get(url("rows", "costs"), {"format": "csv"}))
    assert {tuple(row[3:]) for row in found[1:]} == {("Bea Cruz", "Rosewater Café")}


def test_what_was_printed_has_its_row(manager, url, store, shop):
    run = PrintRun.objects.create(
        store=store, name="Cards", material="cards", whom="customer", copies=8, made_at=timezone.now()
    )
    shop["advocate"].share_links.update(run=run)
    tables = {table.key: table for table in manager.get(url("reports")).context["tables"]}
    assert [cell.value for cell in tables["run"].rows[0]] == ["Cards", 2, 2, 2, 2, 160_000]
    page = manager.get(url("reports"), {"run": run.public_id})
    assert [bar.people for bar in page.context["board"].bars] == [2, 2, 2, 2]


def test_files_keep_the_filters(manager, url, shop):
    asked = {"location": shop["branch"].public_id, "format": "csv", "table": "steps"}
    found = read_csv(manager.get(url("reports"), asked))
    assert found[1:] == [["Friends who bought", "1", "", "", ""], ["Counted", "1", "", "", ""]]


def test_a_filter_says_what_it_does_not_know_and_can_be_taken_away(manager, url, shop):
    page = manager.get(url("reports"), {"location": shop["branch"].public_id})
    text = page.content.decode()
    assert "With this filter nothing can be said about: Asked, Shared it" in text
    assert page.context["filters"][0].without == "?days=30"
    assert manager.get(url("rows", "asked"), {"location": shop["branch"].public_id}).status_code == 404


WRONG = [
    "location=x1",
    "program=%00",
    "staff=9999999999999999999",
    "way=pigeon",
    "came=x",
    "since=now",
    "advocate=é",
    "until=0001-01-01T00:00:00Z",
]


@pytest.mark.parametrize("typed", WRONG)
def test_what_the_store_does_not_have_is_not_found(manager, url, typed):
    for name in ("reports", "leaders"):
        assert manager.get(f"{url(name)}?{typed}").status_code == 404


def test_a_filter_of_another_store_is_not_found(manager, url, other_store, store):
    from_there = Location(store=other_store, code="x", name="X")
    assert manager.get(url("reports"), {"location": from_there.public_id}).status_code == 404


# -- Cost and return --


def test_the_return_is_what_orders_and_books_say(store, shop):
    found = returns.returned(store, Period(90, timezone.now()))
    account = Account.objects.for_store(store).filter(kind=Account.Kind.COST)
    cost = -sum(account.values_list("entries__amount_minor", flat=True))
    assert (found.friends, found.first_minor, found.later, found.later_minor) == (3, 240_000, 1, 40_000)
    assert found.cost_minor == cost > 0
    assert found.net_minor == 280_000 - cost
    assert found.gained_minor(50) == 140_000 - cost


def test_what_was_sent_back_or_cancelled_is_no_sale(store, shop):
    at = timezone.now()
    first = Referral.objects.for_store(store).order_by("pk").last()
    first.order.refunded_minor = 30_000
    first.order.save()
    purchase(store, first.friend, at - DAY, 70_000, cancelled_at=at)
    purchase(store, first.friend, at - DAY, 70_000, refunded_minor=70_000, refunded_at=at)
    purchase(store, first.friend, at - DAY, 70_000, currency="USD")
    found = returns.returned(store, Period(90, at))
    assert (found.first_minor, found.later_minor) == (210_000, 40_000)
    assert found.later == 2  # the one in dollars is a purchase, and no money of this page


def test_parts_of_the_return_sum_to_the_whole(store, shop, manager, url):
    at = timezone.now()
    kinds = Account.Kind
    cost = Account.objects.get_or_create(store=store, kind=kinds.COST, currency="PHP", budget=None)[0]
    credit_of = {"kind": kinds.CREDIT, "currency": "PHP", "customer": shop["advocate"]}
    purse = Account.objects.get_or_create(store=store, **credit_of)[0]
    ledger.post(store, key="prize:1", kind=ledger.Fact.GRANT, at=at, amounts={cost: -500, purse: 500})
    period = Period(90, at + timedelta(seconds=5))
    whole = returns.returned(store, period)
    each = returns.by_piece(store, period, pieces(store, period, "en"))
    for name in ("friends", "first_minor", "later", "later_minor", "cost_minor"):
        assert sum(getattr(one, name) for one in each) == getattr(whole, name)
    programs = returns.by_program(store, period)
    assert sum(one.cost_minor for one in programs) == whole.cost_minor
    assert sum(one.first_minor for one in programs) == whole.first_minor
    assert programs[-1].program is None
    assert programs[-1].cost_minor == 500
    assert sum(one.cost_minor for one in returns.by_fact(store, period)) == whole.cost_minor


def test_the_margin_is_worked_out_and_a_wrong_one_is_kept(manager, url, shop):
    page = manager.get(url("returns"), {"margin": "۵۰"})
    whole = page.context["board"].whole
    assert page.context["gained"] == round(whole.sales_minor / 2) - whole.cost_minor
    wrong = manager.get(url("returns"), {"margin": "lots"}).content.decode()
    assert "Write a whole number from 1 to 100." in wrong
    assert 'value="lots"' in wrong


# -- Who brings friends --


def test_equals_share_a_place_and_the_order_can_be_changed(store):
    persons = people(store, 4)
    links = links_of(persons)
    for one, count, total in ((0, 2, 100), (1, 2, 100), (2, 1, 900)):
        for _ in range(count):
            credit(links[one], None, purchase(store, None, NOW - DAY, total))
    scope = Scope(Period(30, NOW))
    assert [(one.place, one.friends, one.sales_minor) for one in leaders(store, scope, sort="friends")] == [
        (1, 2, 200),
        (1, 2, 200),
        (3, 1, 900),
    ]
    assert leaders(store, scope, sort="sales")[0].customer == persons[2]
    assert [one.place for one in leaders(store, scope, sort="friends", start=1, size=1)] == [1]


def test_one_person_with_two_rows_has_one_place(store, manager, url):
    persons = people(store, 2)
    for link in links_of(persons):
        credit(link, None, purchase(store, None, timezone.now() - DAY))
    persons[1].merged_into = persons[0]
    persons[1].save()
    scope = Scope(Period(30, timezone.now()))
    assert [(one.customer, one.friends) for one in leaders(store, scope, sort="friends")] == [(persons[0], 2)]
    page = manager.get(url("leaders"))
    assert page.context["people"] == 1
    assert len(manager.get(page.context["tables"][0].rows[0][2].url).context["rows"]) == 2


def test_pages_of_places_lose_nobody(store, manager, url):
    for link in links_of(people(store, 60)):
        credit(link, None, purchase(store, None, timezone.now() - DAY))
    first, second = manager.get(url("leaders")), manager.get(url("leaders"), {"page": 2})
    seen = [row[1].url for page in (first, second) for row in page.context["tables"][0].rows]
    assert (len(seen), len(set(seen))) == (60, 60)
    assert len(read_csv(manager.get(url("leaders"), {"format": "csv"}))) == 61


# -- Queries, doors, paper --

COUNTS = {"reports": 38, "returns": 21, "leaders": 14, "cohorts": 10}


@pytest.mark.parametrize("name", PAGES)
def test_queries_do_not_grow_with_rows(manager, url, store, shop, name, django_assert_num_queries):
    with django_assert_num_queries(COUNTS[name]):
        manager.get(url(name))
    grow(store)
    with django_assert_num_queries(COUNTS[name]):
        manager.get(url(name))


@pytest.mark.parametrize("name", [*PAGES, "firsts"])
def test_it_is_hidden_from_strangers_and_refused_to_staff(stranger, staff, manager, url, name):
    assert stranger.get(url(name)).status_code == 404
    assert staff.get(url(name)).status_code == 403
    assert manager.post(url(name)).status_code == 405


@pytest.mark.parametrize("name", [*PAGES, "firsts"])
def test_an_empty_store_has_its_pages(manager, url, name):
    assert manager.get(url(name)).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_paper_says_whose_and_when(manager, url, name):
    page = manager.get(url(name)).content.decode()
    assert "data-print" in page
    assert 'class="print-only">Rosewater Café' in page
