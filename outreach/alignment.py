"""Do a domain's records let mailboxes believe its mail: SPF, DKIM and DMARC, looked up in DNS.

Gmail, Yahoo and Microsoft ask bulk senders for all three (RELIABILITY section 4, bulk rules). What DNS
cannot tell is said in words: under which name a provider sends (its return path) decides whether SPF
counts, so a found DKIM key is what carries DMARC for most.

Sources: RFC 7208 (SPF: one record, ten look-ups), RFC 6376 (DKIM: <selector>._domainkey, empty p= is
revoked), RFC 7489 (DMARC: _dmarc, then the domain above; here each one above, as DMARCbis walks).
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import dns.exception
import dns.rdatatype
import dns.resolver
from django.conf import settings
from django.core.cache import cache
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PATIENCE = 5.0  # seconds for everything together
ONE_QUESTION = 2.0
KEPT = 86400
MOST_LABELS = 5


class NoAnswer(Exception):
    """The name servers did not answer: nothing is known."""


class Resolver(Protocol):
    """Who is asked."""

    def txt(self, name: str, seconds: float) -> list[str]:
        """The TXT records of a name, none when there are none; raises NoAnswer."""
        ...


class Dns:
    """The real DNS, by the machine's name servers or those of NAME_SERVERS ("127.0.0.1:5353")."""

    def __init__(self, servers: Sequence[str] | None = None) -> None:
        wanted = list(settings.NAME_SERVERS if servers is None else servers)
        self.resolver = dns.resolver.Resolver(configure=not wanted)
        if wanted:
            self.resolver.nameservers = [one.partition(":")[0] for one in wanted]
            self.resolver.nameserver_ports = {
                host: int(port or 53) for host, _colon, port in (one.partition(":") for one in wanted)
            }

    def txt(self, name: str, seconds: float) -> list[str]:
        """A long record comes in pieces, which belong together without anything between."""
        try:
            answer = self.resolver.resolve(name, dns.rdatatype.TXT, lifetime=seconds, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise NoAnswer(type(error).__name__) from error
        return [b"".join(row.strings).decode("utf-8", "replace") for row in answer]


class Level(StrEnum):
    """How it stands with one of the three."""

    GOOD = "good"
    WEAK = "weak"  # there, and not as it should be
    MISSING = "missing"
    UNKNOWN = "unknown"  # DNS did not answer, or we do not know where to look


@dataclass(frozen=True)
class Record:
    """A record to put into DNS."""

    name: str
    kind: str
    value: str


@dataclass(frozen=True)
class Finding:
    """One of the three: what stands there, why it is not enough, what to add."""

    level: Level
    problem: str = ""  # a key of PROBLEMS
    found: str = ""
    advice: Record | None = None

    @property
    def words(self) -> str | Promise:
        """The problem in plain words; '' when there is none."""
        return PROBLEMS.get(self.problem, "")


@dataclass(frozen=True)
class Alignment:
    """What was found for a domain."""

    domain: str
    spf: Finding
    dkim: Finding
    dmarc: Finding
    at: datetime

    @property
    def is_good(self) -> bool:
        """Whether mailboxes can believe this domain's mail: DMARC, and a key to carry it."""
        return self.dmarc.level == Level.GOOD and self.dkim.level == Level.GOOD

    @property
    def is_bad(self) -> bool:
        """Whether something is known to be missing; what DNS did not tell is neither good nor bad."""
        return bool(self.missing)

    @property
    def parts(self) -> list[tuple[str, Finding]]:
        """For a page."""
        return [("SPF", self.spf), ("DKIM", self.dkim), ("DMARC", self.dmarc)]

    @property
    def missing(self) -> list[str]:
        """The names of those that are not as they should be."""
        return [name for name, part in self.parts if part.level in (Level.MISSING, Level.WEAK)]


PROBLEMS: dict[str, str | Promise] = {
    "no_spf": _("No record says who may send mail for your domain."),
    "many_spf": _("There are two SPF records. Mailboxes then believe neither: put everything into one."),
    "open_spf": _("It ends in +all, which lets everybody send in your name."),
    "other_spf": _("It does not name your mail provider. That is fine where your provider sends under its own name."),
    "long_spf": _("It needs more than ten look-ups, and mailboxes stop reading there."),
    "no_dkim": _("No key was found under your domain, so nobody can see that a letter is really yours."),
    "no_selector": _("We do not know where your provider keeps your key. Type the DKIM selector into the account."),
    "dead_dkim": _("The key was taken back: its record is there and empty."),
    "no_dmarc": _("No record says what is to happen with letters in your name that are not yours."),
    "many_dmarc": _("There are two DMARC records. Mailboxes then use neither."),
    "bad_dmarc": _("The record cannot be read: it needs v=DMARC1 first, then p=none, p=quarantine or p=reject."),
    "no_answer": _("The name servers did not answer. Try again in a moment."),
}


def check(
    domain: str,
    *,
    spf: str = "",
    selectors: Sequence[str] = (),
    at: datetime,
    resolver: Resolver | None = None,
) -> Alignment:
    """Look the domain's records up. `spf` is what the provider wants included, `selectors` where its key may stand."""
    asked = _Asked(resolver or Dns())
    return Alignment(
        domain=domain,
        spf=_spf(asked, domain, spf),
        dkim=_dkim(asked, domain, selectors),
        dmarc=_dmarc(asked, domain),
        at=at,
    )


class _Asked:
    """A resolver with a time by which everything must be answered."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver, self.ends = resolver, time.monotonic() + PATIENCE

    def txt(self, name: str) -> list[str]:
        left = min(ONE_QUESTION, self.ends - time.monotonic())
        if left <= 0:
            raise NoAnswer("out of time")
        return self.resolver.txt(name, left)


def _spf(asked: _Asked, domain: str, wanted: str) -> Finding:
    add = Record(domain, "TXT", f"v=spf1 include:{wanted} ~all") if wanted else None
    try:
        records = [one for one in asked.txt(domain) if re.match(r"v=spf1(?: |$)", one, re.IGNORECASE)]
    except NoAnswer:
        return Finding(Level.UNKNOWN, "no_answer")
    if not records:
        return Finding(Level.MISSING, "no_spf", advice=add)
    if len(records) > 1:
        return Finding(Level.WEAK, "many_spf", " | ".join(records))
    found = records[0]
    terms = found.lower().split()
    if "+all" in terms or "all" in terms:
        return Finding(Level.WEAK, "open_spf", found)
    if sum(bool(LOOKS_UP.match(term)) for term in terms) > 10:
        return Finding(Level.WEAK, "long_spf", found)
    if wanted and f"include:{wanted}" not in [term.lstrip("+") for term in terms]:
        return Finding(Level.GOOD, "other_spf", found, Record(domain, "TXT", _with_include(found, wanted)))
    return Finding(Level.GOOD, found=found)


LOOKS_UP = re.compile(r"[+~?-]?(?:include:|a(?:[:/]|$)|mx(?:[:/]|$)|ptr(?::|$)|exists:)|redirect=")


def _with_include(record: str, wanted: str) -> str:
    """The record with the provider named before its end."""
    terms = record.split()
    place = next((n for n, term in enumerate(terms) if re.fullmatch(r"[~?-]?all", term.lower())), len(terms))
    return " ".join([*terms[:place], f"include:{wanted}", *terms[place:]])


def _dkim(asked: _Asked, domain: str, selectors: Sequence[str]) -> Finding:
    if not selectors:
        return Finding(Level.UNKNOWN, "no_selector")
    dead, silent = "", False
    for selector in selectors:
        name = f"{selector}._domainkey.{domain}"
        try:
            records = asked.txt(name)
        except NoAnswer:
            silent = True
            continue
        for one in records:
            key = re.search(r"(?:^|;)\s*p\s*=\s*([^;]*)", one)
            if key and key[1].strip():
                return Finding(Level.GOOD, found=name)
            dead = name if key else dead
    if dead:
        return Finding(Level.WEAK, "dead_dkim", dead)
    return Finding(Level.UNKNOWN, "no_answer") if silent else Finding(Level.MISSING, "no_dkim")


def _dmarc(asked: _Asked, domain: str) -> Finding:
    labels = domain.split(".")
    above = [".".join(labels[place:]) for place in range(min(len(labels) - 1, MOST_LABELS))]
    advice = Record(f"_dmarc.{domain}", "TXT", "v=DMARC1; p=none")
    for one in above:
        try:
            records = [text for text in asked.txt(f"_dmarc.{one}") if text.strip().lower().startswith("v=dmarc1")]
        except NoAnswer:
            return Finding(Level.UNKNOWN, "no_answer")
        if len(records) > 1:
            return Finding(Level.MISSING, "many_dmarc", " | ".join(records))
        if records:
            policy = re.search(r";\s*p\s*=\s*(none|quarantine|reject)\b", records[0], re.IGNORECASE)
            return (
                Finding(Level.GOOD, found=records[0])
                if policy
                else Finding(Level.MISSING, "bad_dmarc", records[0], advice)
            )
    return Finding(Level.MISSING, "no_dmarc", advice=advice)


# -- Kept for a day, so that pages need not wait for DNS --


def remember(found: Alignment, *, spf: str, selectors: Sequence[str]) -> None:
    """Keep it for the pages; a lost cache only means that it has to be checked again."""
    with suppress(Exception):
        cache.set(_key(found.domain, spf, selectors), asdict(found), timeout=KEPT)


def remembered(domain: str, *, spf: str, selectors: Sequence[str]) -> Alignment | None:
    """What the last check of this domain found, up to a day ago; None when there was none."""
    try:
        kept: dict[str, Any] | None = cache.get(_key(domain, spf, selectors))
    except Exception:
        return None
    if kept is None:
        return None
    parts = {name: _finding(kept[name]) for name in ("spf", "dkim", "dmarc")}
    return Alignment(domain=kept["domain"], at=kept["at"], **parts)


def _finding(kept: dict[str, Any]) -> Finding:
    advice = Record(**kept["advice"]) if kept["advice"] else None
    return Finding(Level(kept["level"]), kept["problem"], kept["found"], advice)


def _key(domain: str, spf: str, selectors: Sequence[str]) -> str:
    return "alignment:" + "|".join([domain, spf, *selectors]).replace(" ", "")[:200]
