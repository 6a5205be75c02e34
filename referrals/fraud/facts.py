"""What the signals of some referrals look at, read in a number of queries that does not grow with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import TruncDay

from customers.models import Customer, Order
from customers.rules import mailbox_of
from referrals.fraud import blocks, walks
from referrals.fraud.rules import MANY_A_DAY, MANY_A_WEEK, Facts, Identity, Norm, Pace, Times
from referrals.models import Claim, Device, Program, Referral, ReferralEvent, Visit
from stores.models import Store

WEEK = timedelta(days=7)
REFERRED_WITHIN = timedelta(days=30)  # visits whose origin still says something
RETURNED = [Referral.Reason.REFUNDED, Referral.Reason.CANCELLED]


@dataclass(frozen=True)
class Taken:
    """A gift that was taken: by whom, from whom, and what the browser told."""

    friend: int
    advocate: int
    device: str
    network: str
    at: datetime


def read(store: Store, referrals: Sequence[Referral], at: datetime) -> list[Facts]:
    """The facts of each, in their order; a referral need not be saved yet, but names its people, order and link.

    The friends of an order that are read count as of its day; `at` is aware UTC.
    """
    return list(_Reading(store, referrals, at).facts()) if referrals else []


class _Reading:
    """What the tables say about some referrals, each kind of fact by one query, in memory."""

    def __init__(self, store: Store, referrals: Sequence[Referral], at: datetime) -> None:
        self.store, self.referrals, self.at = store, referrals, at
        self.advocates = {one.advocate_id for one in referrals}
        self.friends = {one.friend_id for one in referrals if one.friend_id}
        self.names = self._names()
        self.taken = self._taken()
        self.devices = self._devices()
        self.cards = self._cards()
        self.twins = self._twins()
        self.visited, self.referrers = self._visits()
        self.norms = {money: walks.norm_of(store, money, at) for money in {one.order.currency for one in referrals}}
        self.days = self._days()
        self.usual = self._usual()
        self.returns = self._returns()
        self.rings = walks.rings(
            store, [(key, one.advocate_id, one.friend_id) for key, one in enumerate(referrals) if one.friend_id]
        )

    # -- Reading --

    def _names(self) -> dict[int, list[Customer]]:
        """By person: themself, and everybody who was found to be them."""
        people = {one.advocate_id: one.advocate for one in self.referrals}
        people |= {one.friend.pk: one.friend for one in self.referrals if one.friend}
        names: dict[int, list[Customer]] = {pk: [person] for pk, person in people.items()}
        for gone in Customer.objects.for_store(self.store).filter(merged_into__in=people):
            names[gone.merged_into_id].append(gone)  # type: ignore[index]  # the filter says it is there
        return names

    def _taken(self) -> list[Taken]:
        """Gifts that these people took, and those of the same advocates' friends on the same devices or networks."""
        mine = Claim.objects.for_store(self.store).filter(friend__in=self.friends | self.advocates)
        devices = mine.exclude(device="").values("device")
        networks = mine.exclude(address="").values("address")
        same = Q(friend__in=self.friends | self.advocates)
        # Only this advocate's: a tablet that stands in the shop serves the friends of many.
        same |= Q(link__customer__in=self.advocates) & (Q(device__in=devices) | Q(address__in=networks))
        rows = Claim.objects.for_store(self.store).filter(same)
        found = rows.values_list("friend_id", "link__customer_id", "device", "address", "at")
        return [Taken(*row) for row in found]

    def _devices(self) -> dict[int, set[str]]:
        """The browsers of the advocates: where they open their own page, and where they once took a gift."""
        found: dict[int, set[str]] = defaultdict(set)
        rows = Device.objects.for_store(self.store).filter(customer__in=self.advocates | self.friends)
        for customer, device in rows.values_list("customer_id", "device"):
            found[customer].add(device)
        for one in self.taken:
            if one.device:
                found[one.friend].add(one.device)
        return found

    def _cards(self) -> dict[str, set[int]]:
        """Who paid with the cards of these orders."""
        found: dict[str, set[int]] = defaultdict(set)
        wanted = {one.order.card_hash for one in self.referrals if one.order.card_hash}
        if wanted:
            rows = Order.objects.for_store(self.store).filter(card_hash__in=wanted).exclude(customer=None)
            for card, customer in rows.values_list("card_hash", "customer_id").distinct():
                found[card].add(customer)
        return found

    def _twins(self) -> Counter[str]:
        """How many customers have each mailbox of the friends."""
        wanted = {box for pk in self.friends for box in _mailboxes(self.names[pk])}
        if not wanted:
            return Counter()
        rows = Customer.objects.for_store(self.store).filter(email_alias__in=wanted, merged_into=None)
        return Counter(dict(rows.order_by().values_list("email_alias").annotate(n=Count("pk"))))

    def _visits(self) -> tuple[dict[str, datetime], dict[int, set[str]]]:
        """When the visits that the shop passed on began; and where a link's visitors came from."""
        tokens = {one.order.visit for one in self.referrals if one.order.visit}
        links = {one.link_id for one in self.referrals}
        recent = Q(link__in=links, at__gte=self.at - REFERRED_WITHIN) & ~Q(referrer="")
        rows = Visit.objects.for_store(self.store).filter(recent | Q(token__in=tokens))
        visited, referrers = {}, defaultdict(set)
        for token, link, at, host in rows.order_by("-at").values_list("token", "link_id", "at", "referrer")[:2000]:
            visited[token] = at
            referrers[link].add(host)
        return visited, referrers

    def _days(self) -> Counter[tuple[int, datetime]]:
        """Friends' purchases by advocate and UTC day, in the weeks before these orders."""
        placed = [one.order.placed_at for one in self.referrals]
        rows = Referral.objects.for_store(self.store).filter(
            advocate__in=self.advocates,
            order__placed_at__gt=min(placed) - WEEK,
            order__placed_at__lte=max(placed) + WEEK,
        )
        by_day = rows.order_by().values_list("advocate_id", TruncDay("order__placed_at", tzinfo=UTC))
        counted = Counter({(who, day): n for who, day, n in by_day.annotate(n=Count("pk"))})
        for one in self.referrals:
            if one.pk is None:  # it is not among the rows yet
                counted[one.advocate_id, _day(one.order.placed_at)] += 1
        return counted

    def _usual(self) -> tuple[int, int]:
        """The store's own pace; asked only where somebody's is high at all."""
        paces = [self._counts(one) for one in self.referrals]
        if all(day < MANY_A_DAY and week < MANY_A_WEEK for day, week in paces):
            return 0, 0
        return walks.usual_pace(self.store, self.advocates, self.at)

    def _returns(self) -> dict[int, int]:
        """By advocate, friends' purchases that counted and went back."""
        counted = ReferralEvent.objects.filter(
            store=OuterRef("store"), referral=OuterRef("pk"), status=Referral.Status.APPROVED
        )
        gone = Q(status=Referral.Status.VOIDED, reason__in=RETURNED) | Q(order__refunded_at__isnull=False)
        rows = Referral.objects.for_store(self.store).filter(Exists(counted), gone, advocate__in=self.advocates)
        return dict(rows.order_by().values_list("advocate_id").annotate(n=Count("pk")))

    # -- Putting together --

    def facts(self) -> Iterator[Facts]:
        """The facts of each referral."""
        found = list(self._each())
        matches = blocks.matching(self.store, [blocks.values_of(facts) for facts in found])
        for facts, blocked in zip(found, matches, strict=True):
            yield replace(facts, blocked=blocked)

    def _each(self) -> Iterator[Facts]:
        for key, one in enumerate(self.referrals):
            claim = next((taken for taken in self.taken if taken.friend == one.friend_id), None)
            friend = self._friend(one, claim)
            yield Facts(
                advocate=self._advocate(one),
                friend=friend,
                times=self._times(one, claim),
                total_minor=one.order.total_minor,
                norm=self.norms.get(one.order.currency, Norm()),
                pace=Pace(*self._counts(one), *self.usual),
                is_partner=one.program.audience in (Program.Audience.PARTNERS, Program.Audience.STORES),
                twins=self._twins_of(one, friend),
                device_friends=self._others_with(one, claim),
                card_friends=len(self.cards.get(one.order.card_hash, set()) - {one.friend_id, one.advocate_id}),
                network_friends=self._near(one, claim),
                referrers=frozenset(self.referrers.get(one.link_id, set()) - {""}),
                returns=self.returns.get(one.advocate_id, 0),
                ring=self.rings.get(key, 0),
            )

    def _advocate(self, one: Referral) -> Identity:
        card = one.order.card_hash
        cards = {card} if one.advocate_id in self.cards.get(card, set()) else set()
        networks = {taken.network for taken in self.taken if taken.friend == one.advocate_id}
        return _identity(self.names[one.advocate_id], self.devices.get(one.advocate_id, set()), cards, networks)

    def _friend(self, one: Referral, claim: Taken | None) -> Identity:
        people = self.names[one.friend_id] if one.friend_id else []
        devices = self.devices.get(one.friend_id, set()) if one.friend_id else set()
        return _identity(people, devices, {one.order.card_hash}, {claim.network} if claim else set())

    def _times(self, one: Referral, claim: Taken | None) -> Times:
        return Times(
            placed=one.order.placed_at,
            visited=self.visited.get(one.order.visit) if one.order.visit else None,
            claimed=claim.at if claim else None,
            link_made=one.link.created_at,
            advocate_known=one.advocate.recorded_at,
        )

    def _counts(self, one: Referral) -> tuple[int, int]:
        day = _day(one.order.placed_at)
        week = sum(self.days[one.advocate_id, day - timedelta(days=back)] for back in range(7))
        return self.days[one.advocate_id, day], week

    def _twins_of(self, one: Referral, friend: Identity) -> int:
        return sum(self.twins[box] - 1 for box in friend.mailboxes if self.twins[box] > 1)

    def _others_with(self, one: Referral, claim: Taken | None) -> int:
        """Other friends of the advocate who took a gift with this friend's device."""
        if claim is None or not claim.device:
            return 0
        same = {
            taken.friend for taken in self.taken if taken.advocate == one.advocate_id and taken.device == claim.device
        }
        return len(same - {one.friend_id})

    def _near(self, one: Referral, claim: Taken | None) -> int:
        if claim is None or not claim.network:
            return 0
        near = {
            taken.friend for taken in self.taken if taken.advocate == one.advocate_id and taken.network == claim.network
        }
        return len(near - {one.friend_id})


def _identity(
    people: Sequence[Customer], devices: Iterable[str], cards: Iterable[str], networks: Iterable[str]
) -> Identity:
    first = people[0] if people else None
    return Identity(
        emails=_filled(one.email_norm for one in people),
        phones=_filled(one.phone_norm for one in people),
        devices=_filled(devices),
        cards=_filled(cards),
        networks=_filled(networks),
        mailboxes=_mailboxes(people),
        name=first.name_norm if first else "",
        address=first.address_norm if first else "",
    )


def _mailboxes(people: Iterable[Customer]) -> frozenset[str]:
    """Their mailboxes; read from the e-mail where the nightly fill has not come by yet."""
    return _filled(one.email_alias or mailbox_of(one.email_norm) for one in people)


def _filled(values: Iterable[str]) -> frozenset[str]:
    return frozenset(value for value in values if value)


def _day(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
