"""Each provider's fake with an account that it knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from outreach.channels import Letter
from outreach.channels.sms import Account
from outreach.channels.sms.base import BaseGateway, Patience
from outreach.channels.sms.generic import Generic
from outreach.channels.sms.kavenegar import Kavenegar
from outreach.channels.sms.semaphore import Semaphore
from outreach.channels.sms.twilio import Twilio
from outreach.channels.sms.vonage import Vonage
from tests.fakes import generic, kavenegar, semaphore, twilio, vonage
from tests.fakes.server import FakeServer

SHORT = Patience(connect=2, whole=2)  # more than a good answer takes on a busy machine
REPORTS_TO = "https://goodword.example/hook"


@dataclass(frozen=True)
class Line:
    """A gateway, the fake it talks to, an account the fake knows, and a number it takes."""

    gateway: BaseGateway
    fake: FakeServer
    account: Account
    number: str

    def send(self, to: str = "", text: str = "Hello", **changes) -> str:
        return self.gateway.send(changed(self.account, **changes), letter(to or self.number, text))


def letter(to: str, text: str = "Hello", reference: str = "abcdefgh23456789abcd") -> Letter:
    return Letter(reference=reference, to=to, subject="", text=text, sender_name="Bakery")


def changed(account: Account, **changes) -> Account:
    """The account with other values (or another `sender`, `report_url`)."""
    own = {name: changes.pop(name) for name in ("sender", "report_url", "base_url") if name in changes}
    values = {**account.values, **changes}
    plain = {name: getattr(account, name) for name in ("provider", "sender", "report_url", "base_url")}
    return Account(**{**plain, **own}, values=values)


def _twilio(url: str) -> Account:
    return Account("twilio", {"account_sid": twilio.SID, "auth_token": twilio.TOKEN}, "+15550009999", REPORTS_TO, url)


def _vonage(url: str) -> Account:
    values = {"api_key": vonage.KEY, "api_secret": vonage.SECRET, "signature_secret": vonage.SIGNATURE}
    return Account("vonage", values, "+447700900009", REPORTS_TO, url)


def _kavenegar(url: str) -> Account:
    values = {"api_key": kavenegar.KEY, "report_key": kavenegar.REPORT_KEY}
    return Account("kavenegar", values, kavenegar.LINE, "", url)


def _semaphore(url: str) -> Account:
    return Account("semaphore", {"api_key": semaphore.KEY}, semaphore.NAME, "", url)


def _generic(url: str) -> Account:
    return Account("generic", {"token": generic.TOKEN}, "Bakery", "", f"{url}/send")


MAKERS: dict[str, tuple[type[BaseGateway], type[FakeServer], Callable[[str], Account], str]] = {
    "twilio": (Twilio, twilio.FakeTwilio, _twilio, "+15550001111"),
    "vonage": (Vonage, vonage.FakeVonage, _vonage, "+447700900000"),
    "kavenegar": (Kavenegar, kavenegar.FakeKavenegar, _kavenegar, "+989121234567"),
    "semaphore": (Semaphore, semaphore.FakeSemaphore, _semaphore, "+639171234567"),
    "generic": (Generic, generic.FakeGeneric, _generic, "+15550001111"),
}


@pytest.fixture
def line_to() -> Iterator[Callable[[str], Line]]:
    """A function that opens a line to a provider by its slug."""
    fakes: list[FakeServer] = []

    def make(slug: str) -> Line:
        gateway, fake, account, number = MAKERS[slug]
        fakes.append(fake())
        return Line(gateway(SHORT), fakes[-1], account(fakes[-1].url), number)

    yield make
    for one in fakes:
        one.close()


@pytest.fixture(params=list(MAKERS))
def line(request, line_to) -> Line:
    """A line to each provider in turn."""
    return line_to(request.param)
