import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers.models import Customer
from outreach.models import Kind
from stores import tokens
from surveys.models import Invitation, RecoveryCase, Response, ResponseEvent, Survey
from surveys.services import answering
from tests.planned import plan_message

PHONE = {"user-agent": "Mozilla/5.0 (Linux; Android 14) Mobile"}
SCANNERS = ["Barracuda Sentinel", "facebookexternalhit/1.1", "curl/8", ""]


@pytest.fixture
def invitation(store, make_order):
    """The question about a mug, asked an hour ago."""
    order = make_order("sara@example.com", days_ago=9)
    now = timezone.now()
    return Invitation.objects.create(
        store=store,
        order=order,
        customer=order.customer,
        status="invited",
        due_at=now - timedelta(hours=1),
        decided_at=now - timedelta(hours=1),
        product_name="Blue <b>Mug</b>",
    )


@pytest.fixture
def url(store, invitation):
    return f"/s/{tokens.make(tokens.Purpose.SURVEY, store.pk, invitation)}"


def answers(store):
    return list(Response.objects.for_store(store).values_list("score", "comment"))


def chosen(page):
    return re.findall(r'name="score" value="(\d+)"[^>]* checked', page.content.decode())


def test_it_asks_about_what_was_bought(client, url):
    page = client.get(url)
    assert page.status_code == 200
    assert "Blue &lt;b&gt;Mug&lt;/b&gt;" in page.content.decode()
    assert chosen(page) == []


def test_it_shows_nothing_else_about_the_person(client, url):
    text = client.get(url).content.decode()
    assert "Sara" not in text
    assert "sara@example.com" not in text


@pytest.mark.parametrize(
    ("asked", "shown"), [("9", ["9"]), ("۹", ["9"]), ("0", ["0"]), ("11", []), ("-1", []), ("<b>", [])]
)
def test_a_score_in_the_address_is_only_chosen(client, store, url, asked, shown):
    assert chosen(client.get(url, {"score": asked})) == shown
    assert answers(store) == []


@pytest.mark.parametrize("agent", SCANNERS)
def test_a_scanner_that_opens_every_link_records_nothing(client, store, url, agent):
    for score in range(11):
        assert client.get(url, {"score": score}, headers={"user-agent": agent}).status_code == 200
        assert client.head(url, {"score": score}, headers={"user-agent": agent}).status_code == 200
    client.get(f"{url}/thanks", headers={"user-agent": agent})
    assert answers(store) == []
    assert not RecoveryCase.objects.for_store(store).exists()


def test_a_post_records_and_says_thanks(client, store, url):
    page = client.post(url, {"score": "9", "comment": "So blue!\r\nAnd round."})
    assert page.status_code == 302
    assert page["Location"] == f"{url}/thanks"
    assert answers(store) == [(9, "So blue!\nAnd round.")]


def test_it_takes_persian_digits(client, store, url):
    assert client.post(url, {"score": "۱۰"}).status_code == 302
    assert answers(store) == [(10, "")]


def test_no_cookie_is_needed(store, url):
    assert Client(enforce_csrf_checks=True).post(url, {"score": "8"}, headers={"origin": "null"}).status_code == 302
    assert answers(store) == [(8, "")]


@pytest.mark.parametrize("score", ["11", "-1", "five", "", None, "9.5", "1e1", "\x009"])
def test_a_bad_score_keeps_the_form(client, store, url, score):
    body = {"comment": "Keep <i>me</i>"} | ({} if score is None else {"score": score})
    page = client.post(url, body)
    assert page.status_code == 400
    assert "Keep &lt;i&gt;me&lt;/i&gt;" in page.content.decode()
    assert "Choose a number from 0 to 10." in page.content.decode()
    assert answers(store) == []


def test_a_comment_of_4000_characters_is_taken(client, store, url):
    assert client.post(url, {"score": "7", "comment": "é\r\n" * 2000}).status_code == 302
    assert len(answers(store)[0][1]) == 3999  # the last line end is trimmed


def test_a_longer_comment_keeps_the_form_and_the_score(client, store, url):
    page = client.post(url, {"score": "7", "comment": "x" * 4001})
    assert page.status_code == 400
    assert "x" * 4001 in page.content.decode()
    assert chosen(page) == ["7"]
    assert answers(store) == []


def test_a_nul_in_the_comment_is_refused(client, store, url):
    assert client.post(url, {"score": "7", "comment": "a\x00b"}).status_code == 400
    assert answers(store) == []


def suspects(store):
    return list(Response.objects.for_store(store).filter(is_suspect=True).values_list("score", flat=True))


def test_a_form_filling_program_gets_the_friendly_page_and_is_kept_apart(client, store, url):
    page = client.post(url, {"score": "0", "comment": "buy pills", "homepage": "http://spam.example"}, follow=True)
    assert page.status_code == 200
    assert "Thank you" in page.content.decode()
    assert suspects(store) == [0]
    assert Response.objects.for_store(store).counted().count() == 0
    assert not RecoveryCase.objects.for_store(store).exists()


def test_a_form_filling_program_is_not_asked_to_recommend(client, store, url):
    page = client.post(url, {"score": "10", "homepage": "x"}, follow=True, headers=PHONE)
    assert page.status_code == 200
    assert Response.objects.for_store(store).get().ask_shown_at is None


def test_a_program_never_takes_the_place_of_a_person(client, store, url):
    client.post(url, {"score": "9", "comment": "Lovely"})
    client.post(url, {"score": "0", "comment": "buy pills", "homepage": "x"})
    assert answers(store) == [(9, "Lovely")]
    assert suspects(store) == []


def test_a_person_after_a_program_counts(client, store, url):
    client.post(url, {"score": "9", "homepage": "x"})
    Response.objects.for_store(store).update(at=timezone.now() - timedelta(minutes=1))
    assert "You answered" not in client.get(url).content.decode()
    client.post(url, {"score": "9"})
    assert Response.objects.for_store(store).counted().count() == 1


def test_two_scores_in_seconds_are_flagged_until_a_calmer_one_comes(client, store, url):
    for score in range(11):
        client.post(url, {"score": score})
    assert suspects(store) == [10]
    long_ago = timezone.now() - timedelta(seconds=4)
    Response.objects.for_store(store).update(at=long_ago, changed_at=long_ago)
    client.post(url, {"score": "8"})
    assert suspects(store) == []
    assert answers(store) == [(8, "")]


def test_another_comment_in_seconds_is_fine(client, store, url):
    client.post(url, {"score": "9"})
    client.post(url, {"score": "9", "comment": "One more word"})
    assert suspects(store) == []


@pytest.mark.parametrize("score", range(11))
def test_every_score_is_recorded_and_the_unhappy_are_helped(client, store, url, score):
    page = client.post(url, {"score": score}, follow=True, headers=PHONE)
    assert answers(store) == [(score, "")]
    assert RecoveryCase.objects.for_store(store).exists() == (score <= 6)
    assert bool(Response.objects.for_store(store).get().ask_shown_at) == (score >= 9)
    assert ("We are sorry" in page.content.decode()) == (score <= 6)


@pytest.fixture
def satisfaction(store, invitation):
    """The same invitation asks how satisfied they are, in words of the store's own."""
    wording = {"en": {"question": "How was the <mug>?", "more": {"promoter": "What was best?"}}}
    product = invitation.order.lines.get().product
    survey = Survey.objects.create(
        store=store, name="Mugs", occasion="product", question="csat", product=product, wording=wording
    )
    Invitation.objects.for_store(store).update(survey=survey)
    return survey


def test_satisfaction_is_asked_with_faces_and_words(client, satisfaction, url):
    text = client.get(url, {"score": "4"}).content.decode()
    assert "How was the &lt;mug&gt;?" in text
    assert "What was best?" in text
    assert "Very unhappy" in text
    assert re.findall(r'name="score" value="(\d+)"', text) == ["1", "2", "3", "4", "5"]
    assert re.findall(r'name="score" value="(\d+)"[^>]* checked', text) == ["4"]


def test_own_words_are_for_their_language_only(client, satisfaction, url):
    text = client.get(url, {"lang": "fil"}).content.decode()
    assert "How was the" not in text
    assert "What was best?" not in text


@pytest.mark.parametrize("score", range(1, 6))
def test_every_face_is_recorded_on_its_own_scale(client, store, satisfaction, url, score):
    page = client.post(url, {"score": score}, follow=True, headers=PHONE)
    answer = Response.objects.for_store(store).get()
    assert (answer.score, answer.question, answer.survey) == (score, "csat", satisfaction)
    assert RecoveryCase.objects.for_store(store).exists() == (score <= 2)
    assert bool(answer.ask_shown_at) == (score == 5)
    assert ("We are sorry" in page.content.decode()) == (score <= 2)
    assert Response.objects.for_store(store).counted().count() == 0  # no number of the 0-10 question


@pytest.mark.parametrize("score", ["0", "6", "10", "-1", "five", ""])
def test_a_score_of_the_other_scale_keeps_the_form(client, store, satisfaction, url, score):
    page = client.post(url, {"score": score, "comment": "Keep me"})
    assert page.status_code == 400
    assert "Choose one of the five faces." in page.content.decode()
    assert "Keep me" in page.content.decode()
    assert answers(store) == []


def test_it_asks_after_the_score_by_what_it_was(client, url):
    text = client.get(url).content.decode()
    for words in ("What did you like most?", "What would have made it better?", "What went wrong"):
        assert words in text


def test_an_answer_from_a_text_says_so(client, store, url, invitation):
    message = plan_message(
        invitation.customer, Kind.SURVEY, key="survey:1", due_at=timezone.now(), context={}, at=timezone.now()
    )
    type(message).objects.for_store(store).update(channel="sms")
    Invitation.objects.for_store(store).update(message=message)
    client.post(url, {"score": "9"})
    assert Response.objects.for_store(store).get().via == "sms"


def test_an_answer_is_shown_and_can_be_changed(client, store, url):
    client.post(url, {"score": "9", "comment": "Good"})
    page = client.get(url)
    assert chosen(page) == ["9"]
    assert "You answered 9" in page.content.decode()
    assert "Good" in page.content.decode()
    assert client.post(url, {"score": "3", "comment": "It broke"}).status_code == 302
    assert answers(store) == [(3, "It broke")]
    assert ResponseEvent.objects.for_store(store).count() == 2
    assert RecoveryCase.objects.for_store(store).count() == 1


def test_another_score_of_the_letter_is_chosen_over_the_answer(client, store, url):
    client.post(url, {"score": "9", "comment": "Good"})
    assert chosen(client.get(url, {"score": "4"})) == ["4"]
    assert answers(store) == [(9, "Good")]


def test_an_unhappy_answer_opens_a_case(client, store, url):
    client.post(url, {"score": "2"})
    assert RecoveryCase.objects.for_store(store).get().status == "open"


def refused_politely(client, store, url, status):
    before = answers(store)
    for page in (client.get(url, {"score": 9}), client.post(url, {"score": "9", "comment": "late"})):
        assert page.status_code == status
        assert "This question is closed" in page.content.decode()
    assert answers(store) == before
    return page


def test_after_14_days_the_answer_stands(client, store, url, invitation):
    then = timezone.now() - timedelta(days=15)
    Invitation.objects.for_store(store).update(decided_at=then)
    answering.respond(invitation, score=9, comment="A secret", at=then)
    assert "A secret" not in refused_politely(client, store, url, 410).content.decode()


def test_after_90_days_no_answer_is_taken(client, store, url):
    Invitation.objects.for_store(store).update(decided_at=timezone.now() - timedelta(days=91))
    refused_politely(client, store, url, 410)


def test_of_an_erased_person_nothing_is_stored(client, store, url):
    Customer.objects.for_store(store).update(erased_at=timezone.now(), name="", email="", email_norm="")
    refused_politely(client, store, url, 410)


@pytest.mark.parametrize("token", ["x", "é", "A" * 4096, "%00", "%E2%80%AE", "..", "A-_A"])
def test_a_bad_token_is_a_polite_404(client, store, token):
    refused_politely(client, store, f"/s/{token}", 404)


def test_a_token_of_another_purpose_or_of_no_row_is_a_404(client, store, invitation):
    for purpose, row in ((tokens.Purpose.UNSUBSCRIBE, invitation.pk), (tokens.Purpose.SURVEY, invitation.pk + 999)):
        refused_politely(client, store, f"/s/{tokens.make(purpose, store.pk, row)}", 404)


def test_a_token_names_its_store(client, store, other_store, invitation):
    refused_politely(client, store, f"/s/{tokens.make(tokens.Purpose.SURVEY, other_store.pk, invitation)}", 404)


def test_a_slash_at_the_end_does_not_matter(client, url):
    assert client.get(f"{url}/").status_code == 200


def test_other_methods_are_refused(client, store, url):
    assert client.put(url).status_code == 405
    assert client.delete(url).status_code == 405
    assert answers(store) == []


def test_the_page_is_private(client, url):
    page = client.get(url)
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page["X-Robots-Tag"]


def test_it_speaks_the_customers_language_then_the_chosen_one(client, store, url):
    Customer.objects.for_store(store).update(locale="fa")
    assert client.get(url)["Content-Language"] == "fa"
    assert client.get(url, {"lang": "fil"})["Content-Language"] == "fil"


def test_few_queries(client, url, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        client.get(url)
