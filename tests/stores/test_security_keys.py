from django.core.management import call_command

from tests.conftest import PASSWORD

BEA = "bea@example.com"


def test_the_form_of_a_new_key_speaks_persian(store, client):
    call_command("create_staff", "rosewater", BEA, "--role", "owner", "--password", PASSWORD)
    client.post("/login/", {"login": BEA, "password": PASSWORD})
    client.post("/reauthenticate/", {"password": PASSWORD})
    page = client.get("/2fa/webauthn/add/?lang=fa", follow=True).content.decode()
    assert ">نام</label>" in page
    assert ">Name<" not in page
