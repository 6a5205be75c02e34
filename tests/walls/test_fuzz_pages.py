"""Every public form and every webhook against whatever people and programs send: no 500, each 4xx explained."""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from customers.models import Channel
from outreach import accounts
from outreach.rendering import unsubscribe_url
from referrals.models import Referral
from referrals.services import attribution, deciding, prints
from stores import limits, tokens
from stores.models import Store, User
from surveys.models import Invitation, Survey, Testimonial
from surveys.services import answering
from tests.conftest import NOW
from tests.outreach import calls
from tests.walls.fuzzing import HEADERS, bodies, complaint, encoded, examples, pairs

PAGES = [
    "answer", "thanks", "shared_from_answer", "counter", "widget", "testimonial", "my_words", "unsubscribe", "share",
    "shared", "choose", "payout", "missing", "appeal", "preferences", "claim", "gift", "join", "names", "banner",
    "frame", "feed", "login", "signup", "password", "mfa", "unknown",
]  # fmt: skip
QUERY = ["score", "lang", "theme", "thanks", "change", "survey", "code", "visit", "q", "next", "utm_source"]


@pytest.fixture(autouse=True)
def _nobody_is_counted(monkeypatch):
    """So that what lies behind the counters is reached."""
    monkeypatch.setattr(limits, "_add", lambda steps: [1] * len(steps))


@pytest.fixture
def paths(store, make_order, share_link) -> dict[str, str]:
    """An address of each public form, with a token or code that is good."""
    Store.objects.filter(pk=store.pk).update(website="https://shop.example/en")
    order = make_order("bea@example.com", code=share_link.code, days_ago=-0.01, recorded=NOW)
    referral = attribution.attribute_order(order, at=NOW)
    deciding.void_referral(referral, reason=Referral.Reason.STAFF, at=NOW)
    asked = Invitation.objects.create(store=store, order=order, customer=order.customer, due_at=timezone.now())
    answer = answering.respond(asked, score=10, comment="", at=timezone.now())
    words = Testimonial.objects.create(
        store=store, customer=order.customer, response=answer, text="Good", language="en", asked_at=timezone.now()
    )
    at_counter = Survey.objects.create(store=store, name="Counter", occasion="counter")
    Survey.objects.create(store=store, name="Site", occasion="widget")
    make = tokens.make
    me = f"/me/{make(tokens.Purpose.SHARE, store.pk, share_link.customer)}"
    survey = f"/s/{make(tokens.Purpose.SURVEY, store.pk, asked)}"
    stop = unsubscribe_url(store, order.customer).removeprefix("http://testserver")
    run = prints.open_site(store, name="Site", by=None, at=NOW)
    return {
        "answer": survey,
        "thanks": f"{survey}/thanks",
        "shared_from_answer": f"{survey}/shared",
        "counter": f"/q/{make(tokens.Purpose.COUNTER, store.pk, at_counter)}",
        "widget": f"/w/{store.slug}/survey/",
        "testimonial": f"/t/{make(tokens.Purpose.TESTIMONIAL, store.pk, words)}",
        "my_words": f"{stop}/words",
        "unsubscribe": stop,
        "share": me,
        "shared": f"{me}/shared",
        "choose": f"{me}/rewards/x/choose",
        "payout": f"{me}/payout",
        "missing": f"{me}/missing",
        "appeal": f"{me}/friends/{referral.public_id}/appeal",
        "preferences": f"{me}/preferences",
        "claim": f"/r/{share_link.code}",
        "gift": f"/r/{share_link.code}/taken/x",
        "join": f"/j/{run.code}",
        "names": f"/n/{store.slug}",
        "banner": f"/w/{store.slug}/banner/",
        "frame": f"/w/{store.slug}/share/",
        "feed": f"/w/{store.slug}/testimonials.json",
        "login": "/login/",
        "signup": "/signup/",
        "password": "/password/reset/",
        "mfa": "/2fa/authenticate/",
        "unknown": "/s/nothing",
    }


def fields_of(path: str) -> list[str]:
    """The names of a page's fields."""
    return sorted(set(re.findall(r'name="([\w.-]+)"', Client().get(path).content.decode())))


@pytest.mark.parametrize("name", PAGES)
@given(data=st.data())
@examples(12)
def test_no_public_page_fails(name, data, paths, settings):
    settings.TRUSTED_PROXIES = data.draw(st.sampled_from([0, 1]))
    names, query = fields_of(paths[name]), encoded(data.draw(pairs(QUERY)))
    client, headers = Client(raise_request_exception=False), data.draw(HEADERS)
    client.cookies.load(headers.pop("cookie", "")) if data.draw(st.booleans()) else None
    url = f"{paths[name]}?{query}"
    if data.draw(st.integers(0, 3)):
        answer = client.generic("POST", url, **data.draw(bodies(names)), headers=headers)
    else:
        answer = client.get(url, headers=headers)
    assert not complaint(answer)


NOWHERE = ["http://[", "//[::1", "https://evil.example/", "//evil.example/", "javascript:alert(1)"]


@pytest.mark.parametrize("name", ["login", "signup", "password"])
@pytest.mark.parametrize("next_page", NOWHERE)
def test_a_page_that_nobody_may_be_sent_on_to_breaks_no_form(name, paths, next_page):
    url = f"{paths[name]}?{urlencode({'next': next_page})}"
    for answer in (Client().get(url), Client().post(url, {"next": next_page})):
        assert answer.status_code == 200


@pytest.mark.parametrize("next_page", NOWHERE)
def test_whoever_logs_in_stays_here(db, next_page):
    leila = User.objects.create_user("leila@example.com", password="a good password of mine")
    told = {"login": leila.email, "password": "a good password of mine", "next": next_page}
    answer = Client().post("/login/", told)
    assert answer.status_code == 302
    assert answer["Location"] == "/stores/"


# -- Webhooks --

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=30),
    st.sampled_from(["\x00", "9" * 400, "1795163400000000", [], {}, [None], {"a": {}}, -1, 10**30, "2026-02-30"]),
)  # fmt: skip


@st.composite
def bent(draw: st.DrawFn, payload: Any) -> Any:
    """The payload with some of its parts replaced, left out or doubled."""
    if draw(st.integers(0, 12)) == 0:
        return draw(LEAVES)
    if isinstance(payload, dict):
        return {key: draw(bent(value)) for key, value in payload.items() if draw(st.integers(0, 15))}
    if isinstance(payload, list):
        found = [draw(bent(value)) for value in payload]
        return found * draw(st.sampled_from([1, 1, 1, 0, 2]))
    return payload


@pytest.fixture
def account(store):
    """A function that gives the address of an account of the store by provider."""

    def make(channel: Channel, provider: str) -> str:
        values = calls.mail_values(provider) if channel == Channel.EMAIL else calls.SMS_VALUES[provider]
        sender = "shop@example.net" if channel == Channel.EMAIL else "+15550009999"
        facts = {"provider": provider, "values": values, "sender": sender, "by": None, "at": timezone.now()}
        return accounts.webhook_url(accounts.save(store, channel, **facts))

    return make


@pytest.mark.parametrize("provider", calls.MAIL)
@given(data=st.data())
@examples(12)
def test_no_report_about_mail_fails(provider, data, account):
    """Rightly signed, so that what is read lies behind the proof; then with any bytes at all."""
    url, known = account(Channel.EMAIL, provider), calls.fixture("mail", provider)["events"]
    whole = known[data.draw(st.sampled_from(sorted(known)))]
    client = Client(raise_request_exception=False)
    try:
        call = calls.mail_call(provider, data.draw(bent(whole)), url, time.time())
    except (TypeError, KeyError, IndexError):  # the proof itself stands in what was bent
        call = {"path": url.removeprefix("http://testserver"), "data": json.dumps(data.draw(bent(whole)))}
        call["content_type"] = "application/json"
    assert client.post(**call).status_code in (200, 401, 413)
    call |= {"data": data.draw(st.binary(max_size=300))}
    assert client.post(**call).status_code in (200, 401, 413)


@pytest.mark.parametrize("provider", calls.SMS)
@given(data=st.data())
@examples(12)
def test_no_report_about_texts_fails(provider, data, account):
    url, known = account(Channel.SMS, provider), calls.fixture("sms", provider)["events"]
    whole = known[data.draw(st.sampled_from(sorted(known)))]
    found = data.draw(bent(whole))
    texts = {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}
    client = Client(raise_request_exception=False)
    assert client.post(**calls.sms_call(provider, texts, url)).status_code in (200, 401, 413)
    path = url.removeprefix("http://testserver")
    assert client.generic("POST", path, **data.draw(bodies(sorted(whole)))).status_code in (200, 401, 413)
    assert client.get(f"{path}?{encoded(data.draw(pairs(sorted(whole))))}").status_code in (200, 401, 413)
