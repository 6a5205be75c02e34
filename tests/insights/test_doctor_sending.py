"""What `doctor` says about mail and texts."""

import pytest

from customers.models import Channel
from outreach import accounts, health
from outreach.models import ChannelAccount, Stop
from stores.health import NotReady
from tests.conftest import NOW
from tests.fakes.dns import FakeDns


@pytest.fixture(autouse=True)
def _the_servers_only_store(store, monkeypatch):
    """Tests of other files may have left stores of theirs."""
    monkeypatch.setattr(health, "each_store", lambda: iter([store]))


@pytest.fixture
def account(store):
    values = {"api_key": "k", "secret_key": "s"}
    return accounts.save(
        store, Channel.EMAIL, provider="mailjet", values=values, sender="hi@shop.example", by=None, at=NOW
    )


def test_accounts_that_can_be_opened(account):
    assert "1 stores" in health.own_accounts()


def test_an_account_nobody_can_open(account, store):
    ChannelAccount.objects.for_store(store).update(secrets="gAAAA")
    with pytest.raises(NotReady, match=r"rosewater \(email\)"):
        health.own_accounts()


def test_an_account_whose_provider_is_gone(account, store):
    ChannelAccount.objects.for_store(store).update(provider="amazon_sesame")
    with pytest.raises(NotReady, match="rosewater"):
        health.own_accounts()


def test_a_stop_is_named(store):
    assert "no store" in health.spam_complaints()
    Stop.objects.create(store=store, channel=Channel.EMAIL, reason="complaints", at=NOW)
    with pytest.raises(NotReady, match="rosewater stopped"):
        health.spam_complaints()


def test_a_domain_without_records_is_named(account, settings):
    fake = FakeDns({"shop.example": ["v=spf1 include:spf.mailjet.com ~all"]})
    settings.NAME_SERVERS = [fake.address]
    with pytest.raises(NotReady, match=r"shop.example lacks DKIM, DMARC"):
        health.sender_domains()
    fake.txt |= {"mailjet._domainkey.shop.example": ["p=MIGf"], "_dmarc.shop.example": ["v=DMARC1; p=none"]}
    assert "1 domains" in health.sender_domains()
    fake.close()


def test_the_servers_gateway(settings):
    assert "outbox" in health.text_gateway()
    settings.SMS_CHANNEL, settings.SMS_PROVIDER = "http", "pigeon"
    with pytest.raises(NotReady, match="pigeon"):
        health.text_gateway()
    settings.SMS_PROVIDER, settings.SMS_FIELDS = "twilio", {"account_sid": "AC1"}
    with pytest.raises(NotReady, match="SMS_AUTH_TOKEN"):
        health.text_gateway()
    settings.SMS_FIELDS["auth_token"] = "t"
    assert "twilio" in health.text_gateway()
