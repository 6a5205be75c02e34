from datetime import timedelta

import pytest
from django.utils import timezone

from stores import services
from stores.api_auth import hash_key
from stores.models import ApiKey, AuditEvent

URL = "/d/rosewater/settings/keys/"
FORM = {"name": "The till", "scopes": ["orders", "vouchers"]}


@pytest.fixture
def key(store):
    return ApiKey.objects.create(store=store, name="The till", prefix="gw_12345", hash="h", scopes=["orders"])


def live(store):
    return ApiKey.objects.for_store(store).filter(revoked_at=None)


def test_it_lists_keys_without_their_text(owner, key):
    page = owner.get(URL).content.decode()
    assert "The till" in page
    assert key.hash not in page.split()


def test_it_makes_a_key_and_shows_it_once(owner, store):
    page = owner.post(URL, FORM)
    made, text = live(store).get(), page.context["text"]
    assert made.hash == hash_key(text)
    assert made.scopes == ["orders", "vouchers"]
    assert text in page.content.decode()
    assert text not in owner.get(URL).content.decode()
    assert page["Cache-Control"] == "no-store"
    assert text not in str(AuditEvent.objects.for_store(store).get(action="key.created").after)


@pytest.mark.parametrize("form", [{"name": "", "scopes": ["orders"]}, {"name": "x"}, {"name": "x", "scopes": ["all"]}])
def test_it_refuses(owner, store, form):
    assert owner.post(URL, form).status_code == 422
    assert not live(store).exists()


def test_it_takes_no_other_method(owner):
    assert owner.put(URL).status_code == 405


def test_it_hides_the_store_from_strangers(stranger, store):
    assert stranger.post(URL, FORM).status_code == 404
    assert not live(store).exists()


def test_a_manager_may_not(manager, store):
    assert manager.post(URL, FORM).status_code == 403
    assert not live(store).exists()


# -- Stopping one --


def revoke(key):
    return f"{URL}{key.public_id}/revoke/"


def restore(key):
    return f"{URL}{key.public_id}/restore/"


def test_looking_stops_nothing(owner, key, store):
    assert owner.get(revoke(key)).status_code == 405
    assert live(store).exists()


def test_the_page_offers_to_undo_it_once(owner, key):
    page = owner.post(revoke(key), follow=True).content.decode()
    assert "The till" in page
    assert restore(key) in page
    assert restore(key) not in owner.get(URL).content.decode()


def test_undone_it_works_again(owner, key, store):
    owner.post(revoke(key))
    assert owner.post(restore(key)).status_code == 302
    assert live(store).exists()
    assert AuditEvent.objects.for_store(store).filter(action="key.restored").count() == 1


def test_one_that_was_stopped_long_ago_stays_so(owner, key, store):
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now() - services.KEY_UNDO - timedelta(seconds=1))
    owner.post(restore(key))
    assert not live(store).exists()
    assert not AuditEvent.objects.for_store(store).filter(action="key.restored").exists()


def test_nobody_else_brings_one_back(stranger, manager, key, store, owner):
    owner.post(revoke(key))
    assert stranger.post(restore(key)).status_code == 404
    assert manager.post(restore(key)).status_code == 403
    assert not live(store).exists()


def test_it_stops_a_key(owner, key, store):
    assert owner.post(revoke(key)).status_code == 302
    assert not live(store).exists()
    assert AuditEvent.objects.for_store(store).filter(action="key.revoked").count() == 1


def test_stopping_twice_is_one_step(owner, key, store):
    owner.post(revoke(key)), owner.post(revoke(key))
    assert AuditEvent.objects.for_store(store).filter(action="key.revoked").count() == 1


def test_a_stopped_key_is_refused(owner, api, store):
    owner.post(revoke(live(store).get()))
    assert api.get("/api/v1/customers/").status_code == 401


def test_stopping_takes_no_other_method(owner, key):
    assert owner.delete(revoke(key)).status_code == 405


def test_a_strangers_key_is_not_found(stranger, key, store):
    assert stranger.post(revoke(key)).status_code == 404
    assert live(store).exists()


def test_a_manager_may_not_stop_one(manager, key, store):
    assert manager.post(revoke(key)).status_code == 403
    assert live(store).exists()
