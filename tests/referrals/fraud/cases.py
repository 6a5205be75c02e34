"""The labelled set: honest people, and everything the signals are about, alone and in pairs, with what must happen.

Written from the signals' definitions, not from what the code does: a trait changes a story and names the
signals that must be seen then. What must follow comes from the weights of the day it was written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations

from tests.referrals.fraud import world
from tests.referrals.fraud.world import DAY, HOUR, MINUTE, USUAL_MINOR, Change, Side, Story, token

# As written in the study: what each weighs, and from where on a person looks or it is refused.
POINTS = {
    "email": 100, "alias": 60, "phone": 60, "device": 60, "card": 60, "ring": 60, "twin": 40, "shared_device": 40,
    "shared_card": 40, "throwaway": 30, "returns": 30, "address": 20, "name": 20, "velocity": 20, "coupon_site": 20,
    "far_order": 15, "network": 15, "fast": 10, "newcomer": 10,
}  # fmt: skip
HOLD, REFUSE = 40, 100
SECOND = timedelta(seconds=1)
HOUSE = "12 Rizal Street, Apartment 4, Manila"


@dataclass(frozen=True)
class Trait:
    """Something that can be true of a story; traits of one `group` exclude each other."""

    name: str
    signals: frozenset[str]
    change: Change
    group: str


@dataclass(frozen=True)
class Case:
    """A story with what must be seen and what must happen; `kind` is what the table sums up by."""

    name: str
    kind: str
    story: Story
    expected: str
    signals: frozenset[str] | None = None  # None: it is refused before the checks look


def both(**values: str) -> Change:
    """Advocate and friend have this in common."""
    return lambda story: world.both(story, **values)


def sides(advocate: dict[str, str], friend: dict[str, str]) -> Change:
    """What the advocate, and what the friend is like."""
    return lambda story: replace(
        story, advocate=replace(story.advocate, **advocate), friend=replace(story.friend, **friend)
    )


def friend(**values: str) -> Change:
    """What the friend is like."""
    return sides({}, values)


def before(count: int, alike: str = "", **values: str) -> Change:
    """The advocate had so many friends on that day, one of them `alike` in what the friend is like."""

    def change(story: Story) -> Story:
        told_of = {"friends_before": max(story.friends_before, count)} | ({alike: 1} if alike else {})
        return replace(friend(**values)(story), **told_of)

    return change


def told(**values: object) -> Change:
    """Something about how it happened."""
    return lambda story: replace(story, **values)


def trait(name: str, signals: str, change: Change, group: str = "") -> Trait:
    return Trait(name, frozenset(signals.split()), change, group or name)


def traits() -> list[Trait]:
    """One for each signal, with values of their own."""
    box, device, card = f"sara.{token()}", token(), token()
    return [
        trait("alias", "alias", sides({"email": f"{box}@gmail.com"}, {"email": f"{box}+gift@gmail.com"}), "mail"),
        trait("device", "device", both(device=device), "device"),
        trait("card", "card", both(card=card), "card"),
        trait("name", "name", both(name=f"Sara {box}")),
        trait("address", "address", both(address=f"{token()} {HOUSE}")),
        trait("twin", "twin", _twin, "mail"),
        trait("throwaway", "throwaway", friend(email=f"{token()}@mailinator.com"), "mail"),
        trait("velocity", "velocity", before(4), "before"),
        trait("shared device", "shared_device", before(1, "same_device_before", device=token()), "device"),
        trait("shared card", "shared_card", before(1, "same_card_before", card=token()), "card"),
        trait("coupon site", "coupon_site", told(referrer="www.retailmenot.com")),
        trait("far order", "far_order", told(total_minor=USUAL_MINOR * 10)),
        trait("newcomer", "newcomer", told(known_for=2 * DAY + 30 * MINUTE, link_for=2 * DAY + 20 * MINUTE), "time"),
        trait("fast", "fast", told(claimed_for=5 * SECOND), "time"),
    ]  # fmt: skip


def _twin(story: Story) -> Story:
    box = f"bea.{token()}"
    return replace(story, twin=f"{box}+one@example.com", friend=replace(story.friend, email=f"{box}+two@example.com"))


def verdict(signals: frozenset[str]) -> str:
    """What must follow from these signals."""
    points = sum(POINTS[name] for name in signals)
    return "refuse" if points >= REFUSE else "hold" if points >= HOLD else "allow"


def made_of(kind: str, *parts: Trait) -> Case:
    """A case in which all these are true."""
    story, signals = Story(), frozenset[str]()
    for part in parts:
        story, signals = part.change(story), signals | part.signals
    return Case(" + ".join(part.name for part in parts), kind, story, verdict(signals), signals)


def all_cases() -> list[Case]:
    """Every case."""
    return [
        *singles(),
        *pairs(),
        *triples(),
        *returns_and_rings(),
        *self_referrals(),
        *households(),
        *honest(),
        *near(),
    ]


def singles() -> list[Case]:
    """Each signal alone."""
    return [made_of("one signal", one) for one in traits()]


def pairs() -> list[Case]:
    """Any two that can be true together; weak ones also on the same connection, which counts beside them."""
    found = []
    for one, other in combinations(range(len(traits())), 2):
        ours = traits()
        if ours[one].group == ours[other].group:
            continue
        case = made_of("two signals", ours[one], ours[other])
        found.append(case)
        if case.expected == "allow":
            again = traits()
            found.append(_on_one_network(made_of("two signals", again[one], again[other])))
    return found


def _on_one_network(case: Case) -> Case:
    assert case.signals is not None
    story, signals = before(1, "same_network_before", network=token())(case.story), case.signals | {"network"}
    return replace(case, name=f"{case.name} + network", story=story, expected=verdict(signals), signals=signals)


def triples() -> list[Case]:
    """Three weak ones: each alone means nothing."""
    weak = ("name", "address", "coupon site", "far order", "newcomer", "fast")
    found = []
    for names in combinations(weak, 3):
        ours = {one.name: one for one in traits()}
        parts = [ours[name] for name in names]
        if len({part.group for part in parts}) == 3:
            found.append(made_of("three signals", *parts))
    return found


def returns_and_rings() -> list[Case]:
    """What an advocate's earlier friends tell, and people who send each other."""
    back = [
        Case(
            f"{count} returned", "one signal", Story(returned_before=count), verdict(frozenset(found)), frozenset(found)
        )
        for count, found in [(1, set()), (2, {"returns"}), (3, {"returns"})]
    ]
    rings = [
        Case(f"ring of {size}", "one signal", Story(ring=size, claimed_for=None), "hold", frozenset({"ring"}))
        for size in (2, 3, 4, 5)
    ]
    return back + rings


def self_referrals() -> list[Case]:
    """The advocate as their own friend: never let through, whatever they try."""
    found = []
    for number in range(6):
        for by, claimed_for in (("gift", 2 * DAY), ("code", None)):
            story = Story(claimed_for=claimed_for)
            found += [_by_mail(number, by)(story), *_by_phone(number, by, story), *_by_alias(number, by, story)]
            card = both(card=token())(story)
            found.append(Case(f"card by {by}", "self: card", card, "hold", frozenset({"card"})))
        cookie = both(device=token())(Story(claimed_for=number * HOUR + MINUTE))
        found.append(Case("cookie", "self: cookie", cookie, "hold", frozenset({"device"})))
        box, device = token(), token()
        change = sides({"email": f"{box}@example.com"}, {"email": f"{box}+1@example.com"})
        story = both(device=device)(change(Story()))
        found.append(Case("alias and cookie", "self: cookie", story, "refuse", frozenset({"alias", "device"})))
    return found


def _by_mail(number: int, by: str) -> Callable[[Story], Case]:
    mail = f"sara{number}.{token()}@example.com"
    change = sides({"email": mail}, {"email": mail.upper() if number % 2 else f" {mail} "})
    return lambda story: Case(f"mail by {by}", "self: mail", change(story), "refuse")


def _by_phone(number: int, by: str, story: Story) -> list[Case]:
    """The number as it stands, and as people at home write it; always with another e-mail."""
    phones = [f"+63917{1_000_000 + 100 * number + place + 10 * (by == 'code')}" for place in range(2)]
    return [
        Case(f"{written} by {by}", "self: phone", sides({"phone": phone}, {"phone": written})(story), "refuse")
        for phone, written in [(phones[0], phones[0]), (phones[1], local(phones[1]))]
    ]


def _by_alias(number: int, by: str, story: Story) -> list[Case]:
    """Plus-tags, and dots where the provider does not read them."""
    one, two, dotted = token(), token(), f"sara.{token()}"
    written = [
        (f"{one}@example.com", f"{one}+{number}@example.com"),
        (f"{two}@example.com", f"{two}+x+y@EXAMPLE.com"),
        (f"{dotted}@gmail.com", f"{dotted.replace('.', '')}@googlemail.com"),
    ]
    return [
        Case(
            f"{other} by {by}",
            "self: alias",
            sides({"email": mail}, {"email": other})(story),
            "hold",
            frozenset({"alias"}),
        )
        for mail, other in written
    ]


def local(phone: str) -> str:
    """The number as people at home write it."""
    return "0" + phone.removeprefix("+63")


def households() -> list[Case]:
    """People who live together: one connection, one surname, and everything else their own."""
    found = []
    for number in range(30):
        network, surname = token(), token()
        family = sides({"name": f"Sara {surname}"}, {"name": f"Ali {surname}"})(Story(friends_before=number % 2))
        story = replace(family, same_network_before=number % 2, friend=replace(family.friend, network=network))
        found.append(Case(f"family {number}", "household", story, "allow", frozenset()))
    return found


def honest() -> list[Case]:
    """Customers as they are: with and without a gift, large and small families of friends, any usual order."""
    found = []
    for number in range(40):
        story = Story(
            claimed_for=None if number % 3 == 0 else number * HOUR + MINUTE,
            total_minor=100_000 + 2_500 * number,
            friends_before=number % 2,
            known_for=(2 + number) * DAY + 2 * HOUR,
            referrer=("", "instagram.com", "mail.google.com", "rosewater.example")[number % 4],
            friend=Side(card=token() if number % 2 else "", address=f"{number} Mabini Street, Cebu" * (number % 2)),
        )
        found.append(Case(f"honest {number}", "honest", story, "allow", frozenset()))
    return found


def near() -> list[Case]:
    """Just this side of each line: nothing is seen."""
    changes = {
        "a minute after the gift": told(claimed_for=MINUTE),
        "an hour and more after joining": told(known_for=2 * DAY + HOUR + MINUTE, link_for=2 * DAY + 10 * MINUTE),
        "twice the usual order": told(total_minor=USUAL_MINOR * 2),
        "half the usual order": told(total_minor=USUAL_MINOR // 2),
        "four friends on a day": told(friends_before=3),
        "a plus in another mailbox": sides(
            {"email": f"a{token()}@example.com"}, {"email": f"b{token()}+a@example.com"}
        ),
        "dots where they matter": sides({"email": "sa.ra.x@example.com"}, {"email": "sara.x@example.com"}),
        "the same box elsewhere": sides({"email": "sara.same@example.com"}, {"email": "sara.same@example.org"}),
        "one first name": both(name="Madonna"),
        "the same town": both(address="Manila"),
        "a shop's site": told(referrer="retailmenot.com.example"),
        "a domain that ends alike": sides({}, {"email": f"{token()}@rosewatermailinator.com"}),
        "one returned": told(returned_before=1),
    }
    return [Case(name, "near", change(Story()), "allow", frozenset()) for name, change in changes.items()]
