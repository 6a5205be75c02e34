import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command
from django.core.management.base import CommandError

from stores.models import Membership, User
from tests.conftest import PASSWORD

BEA = "bea@example.com"


def create(*more):
    call_command("create_staff", "rosewater", "Bea@example.com", "--role", "manager", "--password", PASSWORD, *more)


def test_whom_it_makes_may_log_in_and_add_a_second_step(store, client):
    create("--name", "Bea Cruz")
    assert Membership.objects.for_store(store).get(user__email=BEA).role == "manager"
    assert client.post("/login/", {"login": BEA, "password": PASSWORD}).status_code == 302
    client.post("/reauthenticate/", {"password": PASSWORD})
    assert client.get("/2fa/totp/activate/").status_code == 200  # else it sends them to confirm their address


def test_it_does_not_vouch_for_whom_it_did_not_make(store, make_user):
    known = make_user(None, None, BEA)
    EmailAddress.objects.create(user=known, email=BEA, primary=True, verified=False)
    create()
    assert Membership.objects.for_store(store).get(user=known).role == "manager"
    assert not EmailAddress.objects.get(user=known).verified


def test_a_store_that_is_not_there_is_named(db):
    with pytest.raises(CommandError, match="rosewater"):
        create()
    assert not User.objects.filter(email=BEA).exists()
