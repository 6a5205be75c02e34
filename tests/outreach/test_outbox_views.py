import pytest
from django.urls import reverse
from django.utils import timezone

from outreach.models import Kind, Message, OutboxItem
from outreach.views import in_new_windows, with_links
from outreach.wording import REASONS, reason_text
from tests.planned import plan_message

HTML = '<html><head><meta charset="utf-8"></head><body style="color:red"><a href="http://testserver/s/x">Answer</a></body></html>'


@pytest.fixture
def message(make_customer, now):
    return plan_message(make_customer(), Kind.SURVEY, key="survey:1", due_at=now, context={}, at=now)


@pytest.fixture
def item(message, store, now):
    return OutboxItem.objects.create(
        store=store,
        message=message,
        channel="email",
        to="sara@example.com",
        subject="How was it?",
        text="Hello <b>\nhttp://testserver/s/x",
        html=HTML,
        at=now,
    )


@pytest.fixture
def urls(store, item, message):
    return {
        "outbox": reverse("outreach:outbox", args=[store.slug]),
        "letter": reverse("outreach:letter", args=[store.slug, item.public_id]),
        "letter_html": reverse("outreach:letter_html", args=[store.slug, item.public_id]),
        "settle": reverse("outreach:settle", args=[store.slug, message.public_id]),
    }


def in_doubt(message):
    Message.objects.for_store(message.store).filter(pk=message.pk).update(status=Message.Status.UNKNOWN)


def test_the_outbox_lists_letters_newest_first(manager, urls, item, message, store):
    newer = OutboxItem.objects.create(
        store=store, message=message, channel="sms", to="+639170000001", text="Hi", at=timezone.now()
    )
    assert manager.get(urls["outbox"]).context["page"].rows == [newer, item]
    assert manager.get(urls["outbox"], {"channel": "email"}).context["page"].rows == [item]


def test_an_empty_outbox_says_so(manager, store):
    assert "Nothing here yet" in manager.get(reverse("outreach:outbox", args=[store.slug])).content.decode()


def test_a_letter_is_framed_and_its_text_can_be_read(manager, urls):
    assert f'src="{urls["letter_html"]}"' in manager.get(urls["letter"]).content.decode()
    plain = manager.get(urls["letter"], {"as": "text"}).content.decode()
    assert "Hello &lt;b&gt;" in plain
    assert '<a target="_blank" href="http://testserver/s/x"' in plain


def test_the_frame_may_run_nothing_and_its_links_open_outside(manager, urls):
    page = manager.get(urls["letter_html"])
    policy = page["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert page["X-Frame-Options"] == "SAMEORIGIN"
    assert '<head><base target="_blank">' in page.content.decode()


def test_a_text_is_a_bubble(manager, store, message, now):
    text = OutboxItem.objects.create(
        store=store, message=message, channel="sms", to="+63917", text="Hi http://testserver/s/x", at=now
    )
    page = manager.get(reverse("outreach:letter", args=[store.slug, text.public_id])).content.decode()
    assert "phone-bubble" in page
    assert "<iframe" not in page


def test_a_letter_without_a_head_gets_its_target_too():
    assert in_new_windows("<p>x</p>") == '<base target="_blank"><p>x</p>'
    assert "javascript" not in with_links("javascript:alert(1)").replace("javascript:alert(1)", "")


@pytest.mark.parametrize(("arrived", "status"), [("yes", Message.Status.SENT), ("no", Message.Status.PENDING)])
def test_a_person_settles_what_nobody_knows(manager, urls, message, arrived, status):
    in_doubt(message)
    assert manager.post(urls["settle"], {"arrived": arrived}).status_code == 302
    message.refresh_from_db()
    assert (message.status, message.reason) == (status, "settled_by_staff")
    assert message.events.get().status == status


def test_a_second_decision_changes_nothing(manager, urls, message):
    in_doubt(message)
    manager.post(urls["settle"], {"arrived": "yes"})
    page = manager.post(urls["settle"], {"arrived": "no"}, follow=True).content.decode()
    assert "Somebody decided about this message before you" in page
    message.refresh_from_db()
    assert message.status == Message.Status.SENT


@pytest.mark.parametrize("arrived", ["", "maybe"])
def test_no_choice_changes_nothing(manager, urls, message, arrived):
    in_doubt(message)
    manager.post(urls["settle"], {"arrived": arrived})
    message.refresh_from_db()
    assert message.status == Message.Status.UNKNOWN
    assert not message.events.exists()


def test_wrong_methods(manager, urls):
    assert manager.get(urls["settle"]).status_code == 405
    assert [manager.post(urls[name]).status_code for name in ("outbox", "letter", "letter_html")] == [405] * 3


def test_they_are_hidden_from_strangers_and_refused_to_staff(stranger, staff, client, urls, message):
    in_doubt(message)
    for name in ("outbox", "letter", "letter_html"):
        assert [one.get(urls[name]).status_code for one in (stranger, staff, client)] == [404, 403, 302]
    for one, status in ((stranger, 404), (staff, 403), (client, 302)):
        assert one.post(urls["settle"], {"arrived": "yes"}).status_code == status
    message.refresh_from_db()
    assert message.status == Message.Status.UNKNOWN


def test_queries_do_not_grow_with_rows(manager, urls, message, store, now, django_assert_max_num_queries):
    for _ in range(20):
        OutboxItem.objects.create(store=store, message=message, channel="sms", to="+63", text="Hi", at=now)
    with django_assert_max_num_queries(10):
        manager.get(urls["outbox"])


def test_every_reason_has_a_sentence():
    assert all(str(sentence).endswith(".") for sentence in REASONS.values())
    assert "(550)" in reason_text("refused: 550")
    assert "(TimeoutError)" in reason_text("no answer: TimeoutError")
    assert reason_text("") == ""
    assert reason_text("brand_new") == "brand_new"
