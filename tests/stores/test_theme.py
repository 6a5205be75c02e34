"""Day and night: by the device, or as somebody chose; it stands in the page as it comes."""

import pytest

HOME = "/d/rosewater/"


def theme_of(answer):
    return answer.content.decode().partition("<head>")[0].partition('data-theme="')[2].partition('"')[0]


def test_by_itself_the_device_decides(owner, store):
    assert theme_of(owner.get(HOME)) == ""


@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_a_choice_holds_on_every_page(owner, store, chosen):
    first = owner.get(HOME, {"theme": chosen})
    assert theme_of(first) == chosen
    assert first.cookies["theme"]["samesite"] == "Lax"
    for path in (HOME, "/d/rosewater/customers/", "/c/rosewater/", "/2fa/"):
        assert theme_of(owner.get(path)) == chosen, path


def test_it_can_be_taken_back(owner, store):
    owner.get(HOME, {"theme": "dark"})
    assert theme_of(owner.get(HOME, {"theme": "auto"})) == ""
    assert theme_of(owner.get(HOME)) == ""


@pytest.mark.parametrize("said", ["pink", '"><script>', "DARK"])
def test_nothing_else_is_taken(owner, store, said):
    answer = owner.get(HOME, {"theme": said})
    assert theme_of(answer) == ""
    assert "theme" not in answer.cookies
    owner.cookies["theme"] = said
    assert theme_of(owner.get(HOME)) == ""


def test_the_switch_keeps_what_else_the_address_says(owner, store):
    page = owner.get("/d/rosewater/customers/", {"q": "sara"}).content.decode()
    assert "?q=sara&amp;theme=dark" in page


def test_customers_pages_set_no_cookie_by_themselves(client, share_link):
    assert "theme" not in client.get(f"/r/{share_link.code}").cookies
