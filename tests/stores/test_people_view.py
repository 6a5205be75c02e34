import pytest
from allauth.account.models import EmailAddress

from stores.models import AuditEvent, Membership, Role, User

URL = "/d/rosewater/settings/people/"


def people(store):
    return dict(Membership.objects.for_store(store).values_list("user__email", "role"))


def at(client, store):
    return f"{URL}{Membership.objects.for_store(store).get(user=client.user).pk}/"


def test_it_lists_who_works_here(owner, staff):
    assert staff.user.email in owner.get(URL).content.decode()


def test_it_adds_a_new_person_who_gets_a_mail(owner, store, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert owner.post(URL, {"email": "Bea@Example.com", "role": "staff"}).status_code == 302
    assert people(store)["bea@example.com"] == "staff"
    assert mailoutbox[0].to == ["bea@example.com"]
    assert "/password/reset/key/" in mailoutbox[0].body
    assert AuditEvent.objects.for_store(store).get(action="person.added").subject == "bea@example.com"


def test_it_adds_somebody_who_has_an_account(owner, store, make_user, mailoutbox):
    known = make_user(None, None)
    assert owner.post(URL, {"email": known.email.upper(), "role": "manager"}).status_code == 302
    assert people(store)[known.email] == "manager"
    assert User.objects.filter(email=known.email).count() == 1
    assert not mailoutbox


def test_it_refuses_an_address_that_nobody_confirmed(owner, store, make_user):
    squatter = make_user(None, None, "leila@shop.example")
    EmailAddress.objects.create(user=squatter, email=squatter.email, primary=True, verified=False)
    page = owner.post(URL, {"email": squatter.email, "role": "manager"})
    assert page.status_code == 422
    assert squatter.email not in people(store)


@pytest.mark.parametrize("form", [{"email": "nobody", "role": "staff"}, {"email": "bea@example.com", "role": "king"}])
def test_it_refuses_and_keeps_what_was_typed(owner, store, form):
    before = people(store)
    page = owner.post(URL, form)
    assert page.status_code == 422
    assert form["email"] in page.content.decode()
    assert people(store) == before


def test_it_refuses_somebody_who_is_here(owner, store, staff):
    page = owner.post(URL, {"email": staff.user.email, "role": "owner"})
    assert page.status_code == 422
    assert people(store)[staff.user.email] == "staff"


def test_it_takes_no_other_method(owner):
    assert owner.put(URL).status_code == 405


def test_it_hides_the_store_from_strangers(stranger, store):
    assert stranger.post(URL, {"email": stranger.user.email, "role": "owner"}).status_code == 404
    assert stranger.user.email not in people(store)


def test_a_manager_may_not(manager, store):
    assert manager.post(URL, {"email": "bea@example.com", "role": "owner"}).status_code == 403
    assert "bea@example.com" not in people(store)


# -- One person --


def test_it_changes_a_role(owner, store, staff):
    assert owner.post(at(staff, store), {"action": "role", "role": "manager"}).status_code == 302
    assert people(store)[staff.user.email] == "manager"


def test_it_removes_somebody_and_offers_to_undo_it(owner, store, staff):
    assert owner.post(at(staff, store), {"action": "remove"}).status_code == 302
    assert staff.user.email not in people(store)
    page = owner.get(URL).content.decode()
    assert f'value="{staff.user.email}"' in page
    assert staff.user.email not in owner.get(URL).content.decode()
    owner.post(URL, {"email": staff.user.email, "role": "staff"})
    assert people(store)[staff.user.email] == "staff"


@pytest.mark.parametrize("form", [{"action": "remove"}, {"action": "role", "role": "staff"}])
def test_it_keeps_the_last_owner(owner, store, form):
    assert owner.post(at(owner, store), form).status_code == 302
    assert people(store) == {owner.user.email: "owner"}
    assert not AuditEvent.objects.for_store(store).exists()


def test_one_of_two_owners_may_leave(owner, store, login):
    second = login(Role.OWNER)
    assert owner.post(at(owner, store), {"action": "remove"}).url == "/stores/"
    assert people(store) == {second.user.email: "owner"}


def test_an_unknown_role_changes_nothing(owner, store, staff):
    owner.post(at(staff, store), {"action": "role", "role": "king"})
    assert people(store)[staff.user.email] == "staff"


def test_it_sends_the_mail_again(owner, store, staff, mailoutbox, django_capture_on_commit_callbacks):
    User.objects.filter(pk=staff.user.pk).update(last_login=None)
    with django_capture_on_commit_callbacks(execute=True):
        owner.post(at(staff, store), {"action": "mail"})
    assert mailoutbox[0].to == [staff.user.email]


def test_one_person_takes_posts_only(owner, store, staff):
    assert owner.get(at(staff, store)).status_code == 405


def test_one_person_is_hidden_from_strangers(stranger, store, staff):
    assert stranger.post(at(staff, store), {"action": "remove"}).status_code == 404
    assert staff.user.email in people(store)


def test_another_stores_person_is_not_here(owner, store, stranger, other_store):
    from stores.tenancy import acting_for

    with acting_for(other_store):
        theirs = Membership.objects.for_store(other_store).get(user=stranger.user)
    assert owner.post(f"{URL}{theirs.pk}/", {"action": "remove"}).status_code == 404


def test_a_manager_may_not_promote_themselves(manager, store):
    assert manager.post(at(manager, store), {"action": "role", "role": "owner"}).status_code == 403
    assert people(store)[manager.user.email] == "manager"


def test_its_queries_do_not_grow_with_people(owner, store, login, django_assert_max_num_queries):
    for _ in range(8):
        login(Role.STAFF)
    with django_assert_max_num_queries(15):
        owner.get(URL)
