"""SPF, DKIM and DMARC, looked up with real packets at a name server on loopback."""

import time

import pytest

from customers.models import Channel
from outreach import accounts, alignment, domains
from outreach.alignment import Dns, Level, check
from tests.conftest import NOW
from tests.fakes.dns import FakeDns

KEY = "v=DKIM1; k=rsa; p=" + "A" * 400  # longer than one piece of a TXT record
GOOD = {
    "shop.example": ["google-site-verification=x", "v=spf1 include:spf.mailjet.com ~all"],
    "mailjet._domainkey.shop.example": [KEY],
    "_dmarc.shop.example": ["v=DMARC1; p=quarantine; rua=mailto:d@shop.example"],
}


@pytest.fixture
def server():
    servers = []

    def make(txt=None, cname=None) -> FakeDns:
        servers.append(FakeDns(txt, cname))
        return servers[-1]

    yield make
    for one in servers:
        one.close()


def look(fake, domain="shop.example", spf="spf.mailjet.com", selectors=("mailjet",)):
    return check(domain, spf=spf, selectors=selectors, at=NOW, resolver=Dns([fake.address]))


def test_all_three_are_found(server):
    found = look(server(GOOD))
    assert [part.level for _name, part in found.parts] == [Level.GOOD] * 3
    assert found.is_good
    assert not found.is_bad
    assert found.dkim.found == "mailjet._domainkey.shop.example"


def test_an_empty_domain_gets_records_to_copy(server):
    found = look(server())
    assert [part.level for _name, part in found.parts] == [Level.MISSING] * 3
    assert found.missing == ["SPF", "DKIM", "DMARC"]
    assert found.spf.advice.value == "v=spf1 include:spf.mailjet.com ~all"
    assert (found.dmarc.advice.name, found.dmarc.advice.value) == ("_dmarc.shop.example", "v=DMARC1; p=none")
    assert all(str(part.words) for _name, part in found.parts)


@pytest.mark.parametrize(
    ("records", "level", "problem"),
    [
        (["v=spf1 include:spf.mailjet.com ~all"], Level.GOOD, ""),
        (["V=SPF1 +include:spf.mailjet.com -all"], Level.GOOD, ""),
        (["v=spf1 mx -all"], Level.GOOD, "other_spf"),
        (["v=spf1 +all"], Level.WEAK, "open_spf"),
        (["v=spf1 include:spf.mailjet.com all"], Level.WEAK, "open_spf"),
        (["v=spf1 mx ~all", "v=spf1 include:spf.mailjet.com ~all"], Level.WEAK, "many_spf"),
        (["v=spf1 " + " ".join(f"include:{n}.example" for n in range(11)) + " ~all"], Level.WEAK, "long_spf"),
        (["v=spf10 mx ~all"], Level.MISSING, "no_spf"),
        (["spf2.0/pra ~all"], Level.MISSING, "no_spf"),
    ],
)
def test_spf(server, records, level, problem):
    found = look(server({**GOOD, "shop.example": records})).spf
    assert (found.level, found.problem) == (level, problem)


def test_a_record_that_is_there_is_completed_not_replaced(server):
    found = look(server({**GOOD, "shop.example": ["v=spf1 mx ip4:192.0.2.1 ~all"]})).spf
    assert found.advice.value == "v=spf1 mx ip4:192.0.2.1 include:spf.mailjet.com ~all"


@pytest.mark.parametrize(
    ("record", "level", "problem"),
    [
        (KEY, Level.GOOD, ""),
        ("p=MIGf", Level.GOOD, ""),
        ("k=rsa; p = MIGf", Level.GOOD, ""),
        ("v=DKIM1; p=", Level.WEAK, "dead_dkim"),
        ("v=DKIM1; p= ; t=y", Level.WEAK, "dead_dkim"),
        ("something else", Level.MISSING, "no_dkim"),
    ],
)
def test_dkim(server, record, level, problem):
    found = look(server({**GOOD, "mailjet._domainkey.shop.example": [record]})).dkim
    assert (found.level, found.problem) == (level, problem)


def test_a_key_at_the_provider_is_followed_to(server):
    cname = {"s1._domainkey.shop.example": "s1.domainkey.u1.sendgrid.example"}
    fake = server({"s1.domainkey.u1.sendgrid.example": [KEY]}, cname)
    assert look(fake, selectors=("nothere", "s1")).dkim.level == Level.GOOD


def test_without_a_selector_nobody_knows(server):
    found = look(server(GOOD), selectors=())
    assert (found.dkim.level, found.dkim.problem) == (Level.UNKNOWN, "no_selector")
    assert not found.is_good
    assert not found.is_bad


@pytest.mark.parametrize(
    ("records", "level", "problem"),
    [
        ({"_dmarc.mail.shop.example": ["v=DMARC1; p=none"]}, Level.GOOD, ""),
        ({"_dmarc.shop.example": ["v=DMARC1;p=reject"]}, Level.GOOD, ""),  # from the domain above
        ({"_dmarc.shop.example": ["v=DMARC1; sp=none"]}, Level.MISSING, "bad_dmarc"),
        ({"_dmarc.shop.example": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, Level.MISSING, "many_dmarc"),
        ({"_dmarc.example": ["v=DMARC1; p=none"]}, Level.MISSING, "no_dmarc"),  # a registry's is nobody's
    ],
)
def test_dmarc(server, records, level, problem):
    found = look(server(records), domain="mail.shop.example").dmarc
    assert (found.level, found.problem) == (level, problem)


def test_a_silent_server_is_neither_good_nor_bad_and_soon_over(server, monkeypatch):
    monkeypatch.setattr(alignment, "PATIENCE", 0.6)
    monkeypatch.setattr(alignment, "ONE_QUESTION", 0.3)
    fake = server(GOOD)
    fake.is_silent = True
    begun = time.monotonic()
    found = look(fake, selectors=("a", "b", "c", "d", "e"))
    assert time.monotonic() - begun < 2
    assert [part.level for _name, part in found.parts] == [Level.UNKNOWN] * 3
    assert not found.is_bad


def test_a_failing_server_is_not_taken_for_no_record(server):
    fake = server(GOOD)
    fake.rcode = 2  # SERVFAIL
    assert look(fake).spf.level == Level.UNKNOWN


@pytest.mark.parametrize("domain", ["x" * 64 + ".example", "a..b.example", "-"])
def test_a_domain_that_cannot_be_is_asked_without_harm(server, domain):
    assert look(server(GOOD), domain=domain).spf.level in (Level.UNKNOWN, Level.MISSING)


def test_a_stores_check_is_kept_for_its_page(server, store, settings):
    fake = server({**GOOD, "own._domainkey.shop.example": [KEY]})
    settings.NAME_SERVERS = [fake.address]
    assert domains.check_store(store, NOW) is None  # nothing leaves yet, so there is nothing to believe
    values = {"api_key": "k", "secret_key": "s", "dkim_selector": "own"}
    accounts.save(store, Channel.EMAIL, provider="mailjet", values=values, sender="hi@shop.example", by=None, at=NOW)
    sending = domains.of(accounts.own(store, Channel.EMAIL))
    assert domains.remembered(sending) is None
    found = domains.check_store(store, NOW)
    assert found.is_good
    assert found.dkim.found == "own._domainkey.shop.example"
    assert domains.remembered(sending) == found


def test_the_servers_own_domain_is_checked_for_stores_without_an_account(server, store, settings):
    settings.NAME_SERVERS = [server(GOOD).address]
    settings.EMAIL_CHANNEL, settings.DEFAULT_FROM_EMAIL = "email", "Shop <hi@shop.example>"
    settings.DKIM_SELECTOR = "mailjet"
    assert domains.check_store(store, NOW).is_good
    settings.DEFAULT_FROM_EMAIL = "goodword@localhost"
    assert domains.of(None) is None
