"""Themes: what writes mentions, what rises, the pages."""

from datetime import timedelta

import pytest
from django.utils import timezone

from stores.models import AuditEvent, Store
from stores.tenancy import acting_for
from surveys import rules, starters, theme_queries
from surveys.models import Response, Theme, ThemeMention
from surveys.services import themes

URL = "/d/rosewater/unhappy/themes/"


@pytest.fixture
def say(store):
    """A function that records a comment of nobody in particular."""

    def make(comment, *, score=2, days_ago=1.0, at=None, **facts):
        at = at or timezone.now() - timedelta(days=days_ago)
        return Response.objects.create(store=store, comment=comment, score=score, at=at, **facts)

    return make


@pytest.fixture
def theme(store):
    return Theme.objects.create(store=store, name="Colour", words="colour\nfaded", matched_to=None)


def about(theme):
    rows = ThemeMention.objects.for_store(theme.store).filter(theme=theme).order_by("response__pk")
    return list(rows.values_list("response__comment", flat=True))


def match(store, **more):
    return themes.match_new(store, timezone.now(), since=timezone.now() - timedelta(days=3), **more)


# -- Finding --


def test_a_new_comment_is_matched_once(store, theme, say):
    say("The COLOURS faded"), say("All fine")
    assert match(store) == 1
    assert match(store) == 0
    assert about(theme) == ["The COLOURS faded"]


def test_only_what_came_or_changed_lately_is_looked_at(store, theme, say):
    say("faded long ago", days_ago=5)
    assert themes.match_new(store, timezone.now()) == 0
    old = say("fine", days_ago=5)
    Response.objects.filter(pk=old.pk).update(comment="faded after all", changed_at=timezone.now())
    themes.match_new(store, timezone.now())
    assert about(theme) == ["faded after all"]


def test_a_changed_comment_loses_its_theme(store, theme, say):
    answer = say("faded")
    match(store)
    Response.objects.filter(pk=answer.pk).update(comment="", changed_at=timezone.now())
    match(store)
    assert about(theme) == []


def test_ours_are_there_from_the_first_look(store, say):
    say("The delivery was late")
    match(store)
    assert Theme.objects.for_store(store).count() == len(starters.THEMES)
    assert about(Theme.objects.for_store(store).get(name="Delivery")) == ["The delivery was late"]


def test_portuguese_comes_where_it_is_spoken(store):
    Store.objects.filter(pk=store.pk).update(country="BR")
    store.refresh_from_db()
    words = dict(starters.themes_of(store))
    assert "qualidade" in words["Quality"]
    store.country = "PH"
    assert "qualidade" not in dict(starters.themes_of(store))["Quality"]


def test_a_changed_theme_is_compared_with_everything_in_batches(store, theme, say):
    for number in range(5):
        say(f"cracked {number}", days_ago=100)
    match(store)
    Theme.objects.filter(pk=theme.pk).update(words="cracked", matched_to=0)
    assert themes.rematch_due(store, timezone.now(), limit=2) == 2
    assert len(about(theme)) == 2
    while themes.rematch_due(store, timezone.now(), limit=2):
        pass
    assert len(about(theme)) == 5
    theme.refresh_from_db()
    assert theme.matched_to is None


def test_the_nightly_repair_finds_what_was_missed(store, theme, say):
    say("faded", days_ago=300)
    themes.repair(store, timezone.now())
    themes.rematch_due(store, timezone.now())
    assert about(theme) == ["faded"]


def test_it_stays_within_the_store(store, other_store, theme, say):
    say("faded")
    with acting_for(other_store):
        themes.match_new(other_store, timezone.now(), since=timezone.now() - timedelta(days=3))
        assert not ThemeMention.objects.for_store(other_store).exists()


# -- Rising --


@pytest.mark.parametrize(
    ("now", "of_now", "before", "of_before", "rises"),
    [
        (5, 20, 2, 20, True),
        (4, 20, 0, 20, False),  # fewer than five
        (5, 20, 3, 20, False),  # not twice
        (10, 40, 5, 20, False),  # more comments, the same share
        (10, 40, 3, 24, True),  # exactly twice
        (9, 9, 0, 19, False),  # too few before to compare with
        (5, 20, 0, 20, True),
    ],
)
def test_what_rises(now, of_now, before, of_before, rises):
    assert rules.is_rising(now, of_now, before, of_before) is rises


@pytest.fixture
def rising(store, theme, say):
    """Colours fade more than before: 6 of 20 unhappy comments now, 1 of 20 before."""
    for number in range(40):
        now = number < 20
        say("faded" if number in (0, 1, 2, 3, 4, 5, 39) else "bad", days_ago=3 if now else 40)
    say("faded, but lovely", score=10)
    say("faded, says a program", is_suspect=True)
    themes.repair(store, timezone.now())
    themes.rematch_due(store, timezone.now())


def test_it_stands_on_the_home_page(manager, rising):
    page = manager.get("/d/rosewater/").content.decode()
    assert "Unhappy people mention “Colour” more often: 6 comments in 30 days, 1 in the 30 before." in page


def test_only_the_unhappy_count_and_no_programs(store, rising):
    line = theme_queries.lines(store, days=30, everybody=False, at=timezone.now())[0]
    assert (line.now, line.of_now, line.before, line.of_before) == (6, 20, 1, 20)
    line = theme_queries.lines(store, days=30, everybody=True, at=timezone.now())[0]
    assert (line.now, line.of_now) == (7, 21)


def test_unhappy_on_both_scales(store, theme, say):
    (
        say("faded", score=5, question="nps"),
        say("faded", score=5, question="csat"),
        say("faded", score=2, question="csat"),
    )
    match(store)
    assert theme_queries.lines(store, days=30, everybody=False, at=timezone.now())[0].now == 2


def test_a_quiet_home_says_nothing(manager, theme):
    assert "more often" not in manager.get("/d/rosewater/").content.decode()


# -- Pages --


def test_the_overview(manager, rising):
    page = manager.get(f"{URL}?days=30").content.decode()
    assert "“Colour” is rising: 6 comments, 1 in the time before." in page
    assert "30%" in page
    assert "View as table" in page


@pytest.mark.parametrize("query", ["", "?days=30&who=everybody", "?days=x"])
def test_the_overview_without_anything(manager, store, query):
    assert manager.get(URL + query).status_code == 200


def test_it_is_downloaded(manager, rising):
    page = manager.get(f"{URL}?days=30&format=csv")
    assert "Colour,6,20,1,20" in page.content.decode()


def test_queries_do_not_grow_with_themes_and_comments(manager, store, say, django_assert_max_num_queries):
    def add(number):
        for place in range(number):
            Theme.objects.create(store=store, name=f"{number}-{place}", words="faded", matched_to=0)
            say("faded")
        themes.rematch_due(store, timezone.now())

    add(2)
    with django_assert_max_num_queries(16) as few:
        manager.get(URL)
    add(8)
    with django_assert_max_num_queries(len(few)):
        manager.get(URL)


def one(theme):
    return f"{URL}{theme.public_id}/"


def test_one_theme_shows_examples(manager, rising, theme, django_assert_max_num_queries):
    with django_assert_max_num_queries(18):
        page = manager.get(f"{one(theme)}?days=30").content.decode()
    assert page.count("<blockquote") >= 6
    assert "a program" not in page.split("examples-title")[1].split("</section>")[0]


def test_saving_matches_at_once(manager, store, theme, say):
    say("too blue", days_ago=50)
    assert manager.post(one(theme), {"name": "Hue", "words": "blue\nblue\n  \ngreen"}).status_code == 302
    theme.refresh_from_db()
    assert (theme.name, theme.words) == ("Hue", "blue\ngreen")
    assert about(theme) == ["too blue"]
    assert AuditEvent.objects.for_store(store).get(action="theme.saved").before["name"] == "Colour"


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "words": "blue"},
        {"name": "Hue", "words": " \n*\n"},
        {"name": "Hue", "words": "x" * 61},
        {"name": "Hue", "words": "\n".join(f"w{number}" for number in range(201))},
        {"name": "Taken", "words": "blue"},
    ],
)
def test_a_wrong_theme_stays_on_the_form(manager, store, theme, form):
    Theme.objects.create(store=store, name="Taken", words="x", matched_to=None)
    assert manager.post(one(theme), form).status_code == 422
    assert manager.post(f"{URL}new/", form).status_code == 422
    theme.refresh_from_db()
    assert (theme.name, theme.words) == ("Colour", "colour\nfaded")
    assert Theme.objects.for_store(store).count() == 2


def test_a_new_one(manager, store, say):
    say("The music was loud")
    manager.post(f"{URL}new/", {"name": "Music", "words": "music"})
    assert about(Theme.objects.for_store(store).get(name="Music")) == ["The music was loud"]


def test_removing_is_undone(manager, store, theme, say):
    say("faded")
    match(store)
    manager.post(one(theme), {"action": "remove"})
    assert not Theme.objects.for_store(store).exists()
    assert "“Colour” was removed." in manager.get(URL).content.decode()
    manager.post(f"{URL}restore/")
    back = Theme.objects.for_store(store).get()
    assert (back.name, back.words, about(back)) == ("Colour", "colour\nfaded", ["faded"])
    assert "was removed" not in manager.get(URL).content.decode()


def test_words_are_tried_while_they_are_typed(manager, store, theme, say):
    say("faded"), say("fine", score=10)
    page = manager.post(f"{URL}try/", {"words": "faded"}).content.decode()
    assert "They would find 1 of the newest 2 comments." in page
    assert not ThemeMention.objects.for_store(store).exists()


def test_other_methods(manager, theme):
    assert manager.post(URL).status_code == 405
    assert manager.get(f"{URL}try/").status_code == 405
    assert manager.get(f"{URL}restore/").status_code == 405
    assert manager.put(one(theme)).status_code == 405


@pytest.mark.parametrize("path", ["", "new/", "try/", "restore/", "{one}/"])
def test_strangers_and_staff(stranger, staff, store, theme, path):
    url = URL + path.replace("{one}", theme.public_id)
    form = {"name": "X", "words": "x", "action": "remove"}
    assert stranger.post(url, form).status_code in (404, 405)
    assert staff.post(url, form).status_code in (403, 405)
    assert stranger.get(url).status_code in (404, 405)
    theme.refresh_from_db()
    assert Theme.objects.for_store(store).count() == 1
