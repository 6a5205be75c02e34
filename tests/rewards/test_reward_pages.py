"""The pages of rewards: who may see them, what they show and do."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rewards.addresses import Method
from rewards.models import Account, Payout, PayoutList, Reward, RewardSettings
from rewards.services import ledger, recounting
from rewards.services.addresses import Details, save_address
from stores.models import AuditEvent
from tests.conftest import NOW
from tests.rewards.books_world import Kind, balances, earn, purse_of, terms_of, use

DAY = timedelta(days=1)
BASE = "/d/rosewater/rewards/"
MANAGERS = ["", "to-do/", "books/", "books/budgets/"]
OWNERS = ["payouts/", "limits/", "books/csv/"]


@pytest.fixture
def sara(make_customer):
    return make_customer("Sara Ahmadi", "sara@example.com", at=NOW - 100 * DAY)


def with_address(customer, number="+639171234567", holder=""):
    save_address(customer, Method.GCASH, Details(number, holder or customer.name), at=NOW)
    return customer


def text_of(answer) -> str:
    return b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()


@pytest.mark.parametrize("path", MANAGERS)
def test_managers_see(manager, path):
    answer = manager.get(BASE + path)
    assert answer.status_code == 200
    assert "Pay out" not in answer.content.decode()


@pytest.mark.parametrize("path", OWNERS)
def test_money_out_is_the_owners(owner, manager, path):
    assert owner.get(BASE + path).status_code == 200
    assert manager.get(BASE + path).status_code == 403


@pytest.mark.parametrize("language", ["fa", "fil"])
def test_every_page_in_every_language(owner, sara, language):
    reward = earn(with_address(sara), Kind.CASH)
    earn(sara, Kind.DONATION), earn(sara, Kind.CUSTOM)
    url = owner.post(BASE + "payouts/", {"currency": "PHP"}).url
    own = [f"{BASE}{reward.public_id}/", f"{BASE}books/customers/{sara.public_id}/", url]
    for path in [BASE + one for one in MANAGERS + OWNERS[:2]] + own:
        assert owner.get(f"{path}?lang={language}").status_code == 200, path


def test_a_manager_makes_no_list(manager, sara, store):
    earn(with_address(sara), Kind.CASH)
    assert manager.post(BASE + "payouts/", {"currency": "PHP"}).status_code == 403
    assert not PayoutList.objects.for_store(store).exists()


# -- The list and one reward --


@pytest.fixture
def several(store, sara, make_customer):
    bea = make_customer("Bea Cruz", at=NOW - 100 * DAY)
    return [earn(sara, Kind.CASH), earn(sara, Kind.FIXED_OFF), earn(bea, Kind.GIFT_CARD)]


@pytest.mark.parametrize(
    ("query", "number"),
    [("", 3), ("?kind=cash", 1), ("?status=voided", 0), ("?q=sara", 2), ("?q=SARA@example.com", 2),
     ("?kind=nonsense", 3), ("?q=nobody", 0), ("?q=%00", 3)],
)  # fmt: skip
def test_filters(manager, several, query, number):
    assert len(manager.get(BASE + query).context["rows"]) == number


def test_the_list_costs_the_same_however_long(manager, sara, several):
    with CaptureQueriesContext(connection) as few:
        manager.get(BASE)
    for _ in range(8):
        earn(sara, Kind.STORE_CREDIT)
    with CaptureQueriesContext(connection) as many:
        assert len(manager.get(BASE).context["rows"]) == 11
    assert len(few) == len(many)


@pytest.mark.parametrize(
    "kind", [one for one in Kind if one not in (Kind.PERCENT_OFF, Kind.COMMISSION, Kind.FREE_PRODUCT)]
)
def test_one_reward_of_every_kind(manager, sara, kind):
    reward = earn(sara, Kind(kind), terms=terms_of(sara.store))
    if kind == Kind.FIXED_OFF:
        use(reward.voucher, 310)
    page = manager.get(f"{BASE}{reward.public_id}/")
    assert page.status_code == 200
    labels = [step.label for step in page.context["steps"]]
    assert labels[0] == "promised"
    assert "Take it back" in page.content.decode()


def test_take_back_by_hand(manager, sara, store):
    reward = earn(sara, Kind.STORE_CREDIT)
    use(purse_of(sara), 200)
    path = f"{BASE}{reward.public_id}/take-back/"
    assert manager.get(path).status_code == 405
    refused = manager.post(path, {"words": " "})
    assert refused.status_code == 422
    assert balances(store)["credit"] == 300
    manager.post(path, {"words": "They asked <b>for</b> it"})
    reward.refresh_from_db()
    assert (reward.status, reward.reason) == (Reward.Status.VOIDED, "staff")
    assert balances(store) == {"redeemed": 200, "owed": -200}
    event = AuditEvent.objects.for_store(store).get(action="reward.taken_back")
    assert (event.user, event.after["words"]) == (manager.user, "They asked <b>for</b> it")
    page = manager.get(f"{BASE}{reward.public_id}/").content.decode()
    assert "They asked &lt;b&gt;for&lt;/b&gt; it" in page
    manager.post(path, {"words": "twice"})
    assert AuditEvent.objects.for_store(store).filter(action="reward.taken_back").count() == 1


# -- By hand --


def test_done_and_undone_from_the_page(manager, sara, store):
    task = earn(sara, Kind.CUSTOM).fulfilment
    assert "A cooking class" in manager.get(BASE + "to-do/").content.decode()
    manager.post(f"{BASE}to-do/{task.public_id}/done/", {"words": "on Monday"})
    task.refresh_from_db()
    assert (task.status, task.note, task.by) == ("done", "on Monday", manager.user)
    assert "on Monday" in manager.get(BASE + "to-do/?show=done").content.decode()
    manager.post(f"{BASE}to-do/{task.public_id}/undo/")
    assert balances(store) == {"promised": 500, "contingent": -500}


def test_a_charity_is_given_by_the_owner(owner, manager, sara, store):
    earn(sara, Kind.DONATION), earn(sara, Kind.DONATION)
    [group] = owner.get(BASE + "to-do/").context["charities"]
    form = {"charity": group["words"], "currency": group["currency"], "until": group["last"]}
    assert manager.post(BASE + "to-do/given/", form).status_code == 403
    owner.post(BASE + "to-do/given/", form)
    assert balances(store) == {"cost": -1000, "donated": 1000}
    owner.post(BASE + "to-do/given/", form | {"until": "x"})
    assert balances(store) == {"cost": -1000, "donated": 1000}


def test_what_waits_stands_on_the_home(manager, sara):
    earn(sara, Kind.CUSTOM, at=NOW - 30 * DAY)
    page = manager.get("/d/rosewater/").content.decode()
    assert "1 reward to hand over or give" in page
    assert "1 waits longer than it should" in page


# -- Paying out --


def test_a_list_from_the_page_to_paid_and_back(owner, sara, store):
    earn(with_address(sara), Kind.CASH)
    assert "Make the list" in owner.get(BASE + "payouts/").content.decode()
    answer = owner.post(BASE + "payouts/", {"currency": "PHP"})
    batch = PayoutList.objects.for_store(store).get()
    assert answer.url == f"{BASE}payouts/{batch.public_id}/"
    owner.post(f"{answer.url}close/")
    batch.refresh_from_db()
    assert batch.closed_at is None  # something is open
    owner.post(f"{answer.url}paid/"), owner.post(f"{answer.url}paid/")
    assert balances(store) == {"cost": -500, "paid": 500}
    payout = Payout.objects.for_store(store).get()
    owner.post(f"{answer.url}{payout.public_id}/", {"action": "failed", "words": "no such account"})
    assert balances(store) == {"cost": -500, "payable": 500}
    assert "no such account" in owner.get(answer.url).content.decode()
    owner.post(f"{answer.url}close/")
    batch.refresh_from_db()
    assert batch.closed_at
    assert owner.post(f"{answer.url}{payout.public_id}/", {"action": "nonsense"}).status_code == 404


def test_a_long_list_in_pages(owner, make_customer, store, monkeypatch):
    for name in ("Ana", "Bea", "Cy"):
        earn(with_address(make_customer(name, at=NOW - 100 * DAY)), Kind.CASH)
    url = owner.post(BASE + "payouts/", {"currency": "PHP"}).url
    monkeypatch.setattr("rewards.payout_views.PAGE", 2)
    first = owner.get(url).context["page"]
    second = owner.get(f"{url}?after={first.next}").context["page"]
    assert (len(first.rows), len(second.rows), second.next) == (2, 1, "")
    assert len(owner.get(f"{url}?after=x").context["page"].rows) == 2


def test_less_is_left_than_is_on_the_list(owner, sara, store, manager):
    reward = earn(with_address(sara), Kind.CASH)
    url = owner.post(BASE + "payouts/", {"currency": "PHP"}).url
    manager.post(f"{BASE}{reward.public_id}/take-back/", {"words": "sent back"})
    assert "were taken back" in owner.get(url).content.decode()


def test_the_file_for_the_bank(owner, make_customer, store):
    for name, holder in (("Sara Ahmadi", '=HYPERLINK("http://x")'), ("Bea Cruz", "@sum"), ("Ola", "+1"), ("Cy", "-2")):
        earn(with_address(make_customer(name, at=NOW - 100 * DAY), holder=holder), Kind.CASH, 150_050)
    url = owner.post(BASE + "payouts/", {"currency": "PHP"}).url
    assert owner.get(f"{url}csv/").status_code == 405  # reading secrets is an act
    text = text_of(owner.post(f"{url}csv/"))
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert {row["Amount"] for row in rows} == {"1500.50"}
    assert {row["Number"] for row in rows} == {"639171234567"}
    assert {row["Name"] for row in rows} == {'\'=HYPERLINK("http://x")', "'@sum", "'+1", "'-2"}
    assert AuditEvent.objects.for_store(store).get(action="payouts.exported").user == owner.user
    assert "639171234567" not in owner.get(url).content.decode()


def test_a_stranger_gets_no_file(owner, stranger, sara):
    earn(with_address(sara), Kind.CASH)
    url = owner.post(BASE + "payouts/", {"currency": "PHP"}).url
    assert stranger.post(f"{url}csv/").status_code == 404


# -- Limits --


def test_limits_in_persian_digits(owner, store):
    form = {
        "smallest_payout_minor": "۱٬۰۰۰", "cash_limit_minor": "۲۵۰٬۰۰۰٫۵۰", "year_starts_month": "4",
        "stacking": "one", "choose_days": "۲۱",
    }  # fmt: skip
    assert owner.post(BASE + "limits/?lang=fa", form).status_code == 302
    kept = RewardSettings.objects.for_store(store).get()
    assert (kept.smallest_payout_minor, kept.cash_limit_minor, kept.year_starts_month) == (100_000, 25_000_050, 4)
    assert (kept.stacking, kept.with_shop_discount, kept.choose_days) == ("one", False, 21)
    assert AuditEvent.objects.for_store(store).get(action="rewards.settings").after["choose_days"] == 21
    owner.post(BASE + "limits/", {**form, "cash_limit_minor": "", "smallest_payout_minor": ""})
    kept.refresh_from_db()
    assert (kept.smallest_payout_minor, kept.cash_limit_minor) == (0, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"choose_days": "0"},
        {"choose_days": "many"},
        {"cash_limit_minor": "-5"},
        {"stacking": "all"},
        {"year_starts_month": "13"},
    ],
)
def test_limits_that_mean_nothing_are_kept_in_the_form(owner, store, wrong):
    form = {"year_starts_month": "1", "stacking": "one", "choose_days": "14", "smallest_payout_minor": "77", **wrong}
    answer = owner.post(BASE + "limits/", form)
    assert answer.status_code == 422
    assert "77" in answer.content.decode()
    assert not RewardSettings.objects.for_store(store).exists()


# -- The books --


def test_three_currencies_in_the_books_and_their_file(owner, sara, store):
    for currency, amount in (("PHP", 150_050), ("JPY", 1_500), ("BHD", 1_500)):
        earn(sara, Kind.CASH, amount, currency=currency)
    page = owner.get(f"{BASE}books/?month={NOW:%Y-%m-%d}&on={NOW:%Y-%m-%d}")
    assert [one["month"].currency for one in page.context["books"]] == ["PHP", "BHD", "JPY"]
    assert [(currency, total) for currency, _kinds, total in page.context["owed"]] == [
        ("PHP", 150_050),
        ("BHD", 1_500),
        ("JPY", 1_500),
    ]
    text = text_of(owner.get(f"{BASE}books/csv/?month={NOW:%Y-%m-%d}"))
    rows = [row for row in csv.DictReader(io.StringIO(text.lstrip("\ufeff"))) if row["account"] == "payable"]
    assert {(row["currency"], row["credit"], row["debit"]) for row in rows} == {
        ("PHP", "1500.50", ""), ("JPY", "1500", ""), ("BHD", "1.500", ""),
    }  # fmt: skip
    assert {row["customer"] for row in rows} == {sara.public_id}


def test_the_file_is_free_of_formulas(owner, sara, store):
    type(sara).objects.filter(pk=sara.pk, store=store).update(external_id="=1+1")
    earn(sara, Kind.CASH)
    text = text_of(owner.get(f"{BASE}books/csv/?month={NOW:%Y-%m-%d}"))
    assert ",'=1+1," in text


def test_the_file_in_english_is_the_file_in_persian(owner, sara):
    earn(sara, Kind.CASH)
    path = f"{BASE}books/csv/?month={NOW:%Y-%m-%d}"
    assert text_of(owner.get(path)) != ""
    assert "PHP" in text_of(owner.get(f"{path}&lang=fa"))


def test_an_account_in_words(manager, sara, store):
    earn(sara, Kind.STORE_CREDIT)
    use(purse_of(sara), 200)
    use(earn(sara, Kind.FIXED_OFF).voucher, 310)
    page = manager.get(f"{BASE}books/customers/{sara.public_id}/")
    lines = [
        (line.label, line.kind, line.amount_minor, line.balance_minor)
        for line, _account, _about in page.context["rows"]
    ]
    assert lines == [
        ("earned", "credit", 500, 500),
        ("used at checkout", "credit", -200, 300),
        ("used at checkout", "redeemed", 310, None),
    ]
    text = text_of(manager.get(f"{BASE}books/customers/{sara.public_id}/?format=csv"))
    assert "-2.00" in text
    assert "'-2.00" not in text


def test_an_account_costs_the_same_however_long(manager, sara):
    path = f"{BASE}books/customers/{sara.public_id}/"
    earn(sara, Kind.STORE_CREDIT), use(purse_of(sara), 10)
    with CaptureQueriesContext(connection) as few:
        manager.get(path)
    for _ in range(6):
        earn(sara, Kind.STORE_CREDIT), use(purse_of(sara), 10)
    with CaptureQueriesContext(connection) as many:
        manager.get(path)
    assert len(few) == len(many)


def test_a_day_that_cannot_be_read(manager):
    answer = manager.get(f"{BASE}books/?on=yesterday&month=never")
    assert "This is no day we can read" in answer.content.decode()


def test_budgets_at_a_date(manager, sara, store):
    earn(sara, Kind.STORE_CREDIT, terms=terms_of(store))
    [(_program, now)] = manager.get(f"{BASE}books/budgets/?on=2026-11-20").context["rows"]
    [(_program, then)] = manager.get(f"{BASE}books/budgets/?on=۱۴۰۵/۸/۱").context["rows"]
    assert (now.earned_minor, then.earned_minor) == (500, 0)


def test_wrong_books_are_seen(owner, manager, sara, store):
    earn(with_address(sara), Kind.CASH)
    purse = ledger.account(store, Account.Kind.PAYABLE, "PHP", sara)
    Account.objects.filter(pk=purse.pk, store=store).update(balance_minor=499)
    assert recounting.recount(store, NOW) == ["drift"]
    assert "The books do not add up" in manager.get("/d/rosewater/").content.decode()
    assert "not the sum of their entries" in manager.get(BASE + "books/").content.decode().replace("&#x27;", "'")
    assert "Make the list" not in owner.get(BASE + "payouts/").content.decode()
    owner.post(BASE + "payouts/", {"currency": "PHP"})
    assert not PayoutList.objects.for_store(store).exists()
