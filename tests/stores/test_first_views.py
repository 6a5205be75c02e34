from stores.models import Role


def test_the_first_page_tells_strangers_what_this_is(client, db):
    assert client.get("/").status_code == 200


def test_the_first_page_sends_people_to_their_stores(owner):
    assert owner.get("/").url == "/stores/"


def test_the_only_store_opens_at_once(owner, manager):
    assert owner.get("/stores/").url == "/d/rosewater/"
    assert manager.get("/stores/").url == "/d/rosewater/"


def test_staff_go_to_the_counter(staff):
    assert staff.get("/stores/").url == "/c/rosewater/"


def test_the_list_can_be_asked_for(owner):
    assert "Rosewater Café" in owner.get("/stores/?all=1").content.decode()


def test_several_stores_are_a_list_of_ones_own(make_store, make_user, store, other_store, owner):
    from stores.models import Membership
    from stores.tenancy import act_for, acting_for

    third = make_store("third", name="Third")
    with acting_for(third):
        Membership.objects.create(store=third, user=owner.user, role=Role.STAFF)
    act_for(store)
    page = owner.get("/stores/").content.decode()
    assert "Third" in page
    assert "/c/third/" in page
    assert "/d/third/" not in page
    assert "Elsewhere" not in page


def test_somebody_without_a_store_is_shown_the_way(login, make_user, store, client):
    client.force_login(make_user(None, None), backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get("/stores/")
    assert page.status_code == 200
    assert "/stores/new/" in page.content.decode()


def test_the_first_pages_take_no_posts(owner):
    assert owner.post("/").status_code == 405
    assert owner.post("/stores/").status_code == 405


def test_my_stores_ask_to_log_in(client, db):
    assert client.get("/stores/").status_code == 302
