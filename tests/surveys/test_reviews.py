"""Public review pages: every score sees the same ones, nothing is given for them (RELIABILITY G19)."""

import json
import re
from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connections, transaction
from django.utils import timezone

from outreach.models import Message
from outreach.rendering import letter
from rewards.models import Reward
from stores import tokens
from stores.models import AuditEvent, Store
from surveys.models import Invitation, Question, Survey
from surveys.services import answering, testimonials

URL = "/d/rosewater/settings/reviews/"
PAGES = [
    {"name": "Google", "url": "https://g.example/r?id=1&x=2"},
    {"name": "Trustpilot", "url": "https://trust.example/rosewater"},
]


@pytest.fixture
def shop(store):
    Store.objects.filter(pk=store.pk).update(review_links=PAGES)
    store.refresh_from_db()
    return store


def links_in(text):
    """The review links of a page or letter, in their order."""
    return re.findall(r"https://(?:g|trust)\.example/[^\"'\s<)]*", text)


def answer(client, store, make_order, score, question=Question.NPS):
    order = make_order(f"{question}{score}@example.com")
    survey = None
    if question == Question.CSAT:
        facts = {"occasion": "product", "question": question}
        survey = Survey.objects.get_or_create(store=store, name="Satisfied?", defaults=facts)[0]
    now = timezone.now()
    invitation = Invitation.objects.create(
        store=store, order=order, customer=order.customer, survey=survey, status="invited", due_at=now, decided_at=now
    )
    url = f"/s/{tokens.make(tokens.Purpose.SURVEY, store.pk, invitation)}"
    comment = "Words long enough to be asked about."
    page = client.post(url, {"score": score, "comment": comment}, follow=True)
    assert page.status_code == 200
    return page.content.decode(), client.get(f"{url}/thanks").content.decode()


SCORES = [(Question.NPS, score) for score in range(11)] + [(Question.CSAT, score) for score in range(1, 6)]


def test_every_score_sees_the_same_links_and_gets_the_same_for_it(client, shop, make_order):
    wanted = [page["url"].replace("&", "&amp;") for page in PAGES]
    parts = set()
    for question, score in SCORES:
        for page in answer(client, shop, make_order, score, question):
            assert links_in(page) == wanted, (question, score)
            parts.add(re.search(r'<section[^>]*id="review">.*?</section>', page, re.DOTALL)[0])
    assert len(parts) == 1  # word for word
    assert not Reward.objects.for_store(shop).exists()


def test_every_letter_holds_the_same_links(client, shop, make_order):
    """Whatever was answered, and whatever follows from it: sorry, may we show your words, come and tell a friend."""
    for question, score in SCORES:
        answer(client, shop, make_order, score, question)
    at = timezone.now() + timedelta(minutes=1)
    for response in testimonials.could_ask(shop, at):
        testimonials.ask(response, at=at, by=None)
    messages = list(Message.objects.for_store(shop).select_related("customer"))
    assert {"sorry"} <= {message.kind for message in messages}
    held = set()
    for message in messages:
        for channel in ("email", "sms"):
            message.channel, message.to = channel, "x@example.com"
            written = letter(shop, message)
            held.add(tuple(links_in(written.text + written.html)))
    assert len(held) == 1


def test_answering_again_changes_nothing_about_them(client, shop, make_order):
    order = make_order()
    invitation = Invitation.objects.create(store=shop, order=order, customer=order.customer, due_at=timezone.now())
    url = f"/s/{tokens.make(tokens.Purpose.SURVEY, shop.pk, invitation)}"
    seen = {tuple(links_in(client.post(url, {"score": score}, follow=True).content.decode())) for score in (10, 0, 10)}
    assert len(seen) == 1
    assert answering.response_to(invitation).score == 10


# -- The editor --


def form(*rows):
    data = {"pages-TOTAL_FORMS": str(len(rows)), "pages-INITIAL_FORMS": "0"}
    for number, (name, url) in enumerate(rows):
        data |= {f"pages-{number}-name": name, f"pages-{number}-url": url}
    return data


def kept(store):
    store.refresh_from_db()
    return store.review_links


def test_it_keeps_several_in_their_order(owner, store):
    rows = [(page["name"], page["url"]) for page in PAGES]
    assert owner.post(URL, form(*rows, ("", ""))).status_code == 302
    assert kept(store) == PAGES
    assert owner.get(URL).content.decode().count("trust.example") == 1
    assert AuditEvent.objects.for_store(store).get(action="settings.changed").after == {"review_links": PAGES}
    assert owner.post(URL, form(rows[1])).status_code == 302
    assert kept(store) == PAGES[1:]


def test_an_address_without_a_scheme_gets_the_safe_one(owner, store):
    owner.post(URL, form(("Google", "g.example/r")))
    assert kept(store) == [{"name": "Google", "url": "https://g.example/r"}]


@pytest.mark.parametrize(
    "row",
    [
        ("Bad", "javascript:alert(1)"),
        ("Bad", "ftp://files.example/x"),
        ("Bad", "data:text/html,x"),
        ("Bad", "https://"),
        ("", "https://g.example/"),
        ("No address", ""),
        ("x" * 41, "https://g.example/"),
    ],
)
def test_wrong_ones_stay_on_the_form(owner, shop, row):
    page = owner.post(URL, form(row))
    assert page.status_code == 422
    assert (row[0] or row[1])[:30] in page.content.decode()
    assert kept(shop) == PAGES


def test_not_more_than_six(owner, shop):
    assert owner.post(URL, form(*[("G", "https://g.example/")] * 7)).status_code == 422
    assert kept(shop) == PAGES


def test_only_owners(manager, staff, stranger, owner, shop):
    assert manager.post(URL, form()).status_code == 403
    assert staff.get(URL).status_code == 403
    assert stranger.post(URL, form()).status_code == 404
    assert owner.put(URL).status_code == 405
    assert kept(shop) == PAGES


# -- The old single page --


@pytest.mark.django_db(databases=["default", "owner"])
def test_the_old_page_becomes_the_first_link():
    """The migration's statement, as the owner's role runs it: through the wall, and the wall stands again."""
    operation = import_module("stores.migrations.0004_keep_review_page_as_link").Migration.operations[0]
    with transaction.atomic("owner"), connections["owner"].cursor() as owner:
        owner.execute("ALTER TABLE stores_store ADD COLUMN review_url varchar(200) NOT NULL DEFAULT ''")
        for number, url in enumerate(
            ["https://www.google.com/maps?cid=1", "http://x.example:8000/r", ""], start=900_001
        ):
            owner.execute("SELECT set_config('app.store', %s, true)", [str(number)])
            owner.execute(
                "INSERT INTO stores_store (id, public_id, slug, name, currency, timezone, locale, country, toman,"
                " brand_color, website, phone, postal_address, time_to_value_days, delivers, late_after_days,"
                " cooldown_days, silent_ask_days, ask_passives, weekly_cap, review_links, setup,"
                " site_addresses, owners_need_second_factor, created_at, review_url)"
                " VALUES (%s, %s, %s, 'S', 'PHP', 'UTC', 'en', '', false, '#0f766e', '', '', '', 7, true, 21, 30, 7,"
                " false, 3, '[]', '{}', '[]', false, now(), %s)",
                [number, str(number), f"old-{number}", url],
            )
        owner.execute("SELECT set_config('app.store', '', true)")
        owner.execute("SET CONSTRAINTS ALL IMMEDIATE")
        owner.execute(operation.sql)
        found = []
        for number in (900_001, 900_002, 900_003):
            owner.execute("SELECT set_config('app.store', %s, true)", [str(number)])
            owner.execute("SELECT review_links FROM stores_store WHERE id = %s", [number])
            found += owner.fetchall()
        owner.execute("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'stores_store'")
        assert owner.fetchone() == (True,)
        transaction.set_rollback(True, "owner")
    links = [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in found]
    assert links == [
        [{"name": "google.com", "url": "https://www.google.com/maps?cid=1"}],
        [{"name": "x.example", "url": "http://x.example:8000/r"}],
        [],
    ]
