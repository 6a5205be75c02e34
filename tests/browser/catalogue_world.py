"""A store in which every page has something to show: weeks replayed through the engine, and one of each of the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.utils import timezone

from checkout.models import Held
from customers.importing import working
from customers.models import Customer, Import
from customers.services import Person
from insights.demo import build
from insights.demo.shops import GOLAB, ROSEWATER, Shop
from outreach import dispatch
from outreach.kinds import Kind, Trigger, Way
from outreach.models import Message, OutboxItem, Task
from outreach.rendering import unsubscribe_url
from referrals import audiences
from referrals.fraud import blocks
from referrals.fraud.blocks import Suspect, What
from referrals.models import Partnership, PrintRun, Referral
from referrals.partner_views import Shown
from referrals.public.terms import terms_path
from referrals.services import appeals, attribution, boosts, campaigns, partner_statements, prints, programs
from referrals.services.boosts import BoostData
from referrals.services.links import share_link_of, share_page_url
from referrals.services.prints import Wish
from rewards.addresses import Method
from rewards.models import Offer, Redemption, Reward
from rewards.services import payouts, pools
from rewards.services.addresses import Details, save_address
from stores import tokens
from stores.models import ApiKey, Location, Store, User
from stores.services import create_key
from stores.tenancy import acting_for
from surveys.models import Invitation, RecoveryCase, Response, Survey, Testimonial, Theme, Via
from surveys.services import answering, testimonials
from tests.browser.conftest import PASSWORD
from tests.conftest import make_order_of
from tests.planned import plan_message
from tests.referrals import contest_world, journey_world, partner_world, program_world
from tests.rewards.books_world import Kind as Gives
from tests.rewards.books_world import earn, use
from tests.stack import Stack, where_it_is_noon

DAY = timedelta(days=1)
DAYS = 30
PER_DAY = 4.0


@dataclass(frozen=True)
class Words:
    """What the people of a store write and call things."""

    shop: Shop
    advocate: str
    friend: str
    segment: str
    contest: str
    praise: str
    plea: str
    method: Method
    number: str


PHILIPPINE = Words(
    replace(ROSEWATER, orders_a_day=PER_DAY, people=80),
    "Marikit Dimaculangan-Evangelista",
    "Bea Cruz",
    "Regulars",
    "Friends’ week",
    "Paborito ko na ang ensaymada nila, at ang bait ng lahat.",
    "She bought last week and said my name at the counter.",
    Method.GCASH,
    "+639171234567",
)
PERSIAN = Words(
    replace(GOLAB, orders_a_day=PER_DAY, people=80, locations={"valiasr": "شعبهٔ ولیعصر", "tajrish": "شعبهٔ تجریش"}),
    "ماهرخ صادقی‌نژاد",
    "پونه رستمی",
    "مشتریان همیشگی",
    "هفتهٔ دوستان",
    "بسته‌بندی خیلی تمیز و قشنگ بود و همه پسندیدند.",
    "هفتهٔ پیش خرید کرد و اسم مرا پای صندوق گفت.",
    Method.CARD,
    "6037991234567893",
)


class World:
    """The store and the id of one row of each kind, as addresses name it."""

    def __init__(self, stack: Stack, words: Words) -> None:
        self.stack, self.words, self.at = stack, words, timezone.now()
        self.ids: dict[str, str] = {}
        self.store: Store = stack.call(self._open)
        self.slug = self.store.slug
        self.people()
        stack.call(self._partner)
        stack.inside(self.store, self._fill)
        stack.call(dispatch.dispatch, seconds=5)
        stack.inside(self.store, self._read_back)

    def __getattr__(self, name: str) -> str:
        return self.ids[name]

    def _open(self) -> Store:
        shop, at = self.words.shop, self.at
        names = ("slug", "name", "currency", "locale", "country", "toman", "terms")
        facts = {name: getattr(shop, name) for name in names}
        store = programs.open_store(**facts, timezone=where_it_is_noon(), at=at - 80 * DAY)
        with acting_for(store):
            look = {"brand_color": shop.color, "phone": shop.phone, "postal_address": shop.address}
            timing = {"delivers": shop.delivers, "time_to_value_days": shop.days}
            Store.objects.filter(pk=store.pk).update(**look, **timing)
            for code, name in shop.locations.items():
                Location.objects.create(store=store, code=code, name=name)
            build.stock(store, shop)
            store.refresh_from_db()
        build.play(store, shop, days=DAYS, at=at)
        return store

    def people(self) -> None:
        """An owner, who operates the server as well, and somebody at the counter."""
        for role in ("owner", "staff"):
            address = f"{role}@example.com"
            self.stack.manage("create_staff", self.slug, address, "--role", role, "--password", PASSWORD)
        self.stack.call(User.objects.filter(email="owner@example.com").update, is_superuser=True)

    def _partner(self) -> None:
        """Another store that sends customers; a month of it is settled."""
        facts = {"currency": self.store.currency, "country": self.store.country, "timezone": "UTC"}
        begun = self.at - 70 * DAY
        other = programs.open_store(slug="neighbour", name="Elsewhere & Daughters", at=begun, **facts)
        third = programs.open_store(slug="third", name="Third Street Books", at=begun, **facts)
        agreement = partner_world.agreed(self.store, other, at=begun)
        partner_world.buys(self.store, agreement, at=self.at - 60 * DAY, name=self.words.friend)
        partner_world.engine(self.store, self.at - 20 * DAY)
        partner_world.settle(self.store, self.at)
        partner_world.offered(third, self.store, at=self.at - DAY)

    # -- One of each --

    def _fill(self) -> None:
        store, at, words = self.store, self.at, self.words
        owner = User.objects.get(email="owner@example.com")
        branch = Location.objects.for_store(store).order_by("pk").first()
        advocate = self._advocate()
        self._money(advocate)
        self._checks()
        conditions = [{"fact": "bought_within", "value": 3650}]
        segment = audiences.save(store, name=words.segment, conditions=conditions, at=at)
        self._keep("segment", segment)
        contest = contest_world.make(store, name=words.contest, starts_at=at - 5 * DAY, ends_at=at + 5 * DAY)
        self._keep("contest", contest)
        self._keep("draft", program_world.draft(store, program_world.terms_with(friend=program_world.PERCENT)))
        self.ids["program"] = programs.program_of(store).public_id
        boosts.make_boost(
            programs.program_of(store), BoostData(words.contest, 200, at - DAY, at + DAY), by=owner, at=at
        )
        run = prints.begin(
            store,
            Wish(PrintRun.Material.POSTER, store.locale, PrintRun.Whom.STORE, name=words.segment, location=branch),
            by=owner,
            at=at,
        )
        self._keep("material", run)
        self.ids["join"] = run.code
        journey = journey_world.own(store, Trigger.MANUAL)
        self._keep("journey", journey)
        self._keep("sending", campaigns.send(store, journey, segment, key="catalogue", by=owner, at=at)[0])
        for occasion in (Survey.Occasion.COUNTER, Survey.Occasion.WIDGET):
            survey = Survey.objects.create(store=store, name=occasion.label, occasion=occasion)
            self._keep(f"survey_{occasion.value}", survey)
            self.ids[f"token_{occasion.value}"] = tokens.make(tokens.Purpose.COUNTER, store.pk, survey)
        self.ids["place"] = branch.code if branch else ""
        self._keep("key", create_key(store, name="Till", scopes=ApiKey.SCOPES, by=owner, at=at)[0])
        self._keep("theme", Theme.objects.create(store=store, name=words.segment, words=words.friend))
        self._tasks(advocate)
        lines = f"Name,E-mail\n{words.friend},new@example.com\n{words.advocate},not-an-address\n"
        for name in ("file", "begun"):
            self._keep(
                name, working.bring(store, Import.Kind.CUSTOMERS, f"{name}.csv", lines.encode(), by=owner, at=at)
            )
        begun = Import.objects.for_store(store).get(public_id=self.ids["begun"])
        working.begin(begun, by=owner, at=at)

    def _keep(self, name: str, row: Any) -> None:
        self.ids[name] = row.public_id

    def _advocate(self) -> Customer:
        """Somebody with a long name who shared, brought friends, missed one, and may be paid."""
        store, at, words = self.store, self.at, self.words
        advocate = make_order_of(
            store, Person(words.advocate, "advocate@example.com", phone=""), at=at - 30 * DAY
        ).customer
        assert advocate is not None
        link = share_link_of(advocate, at=at - 29 * DAY)
        claim = journey_world.take_gift(link, words.friend, at=at - 3 * DAY, email="friend@example.com")
        credited = attribution.attribute_order(journey_world.buy(claim, at=at - 2 * DAY), at=at - 2 * DAY)
        assert credited is not None
        self._keep("referral", credited)
        waiting = journey_world.take_gift(link, words.friend, at=at - DAY, email="waiting@example.com")
        refused = journey_world.refer(link, "Not Counted", at=at - 20 * DAY)
        Referral.objects.filter(pk=refused.pk).update(status=Referral.Status.VOIDED)
        refused.refresh_from_db()
        self._keep("voided", refused)
        told = appeals.Missing(words.friend, "", "", words.plea)
        self._keep("missing", appeals.say_missing(advocate, told, at=at))
        self.ids |= {
            "link": link.code,
            "claim": waiting.public_id,
            "share": share_page_url(advocate).rpartition("/")[2],
        }
        self.ids["unsubscribe"] = unsubscribe_url(store, advocate).rpartition("/")[2]
        self.ids["terms"] = terms_path(programs.program_of(store).terms).strip("/").rpartition("/")[2]
        self._keep("customer", advocate)
        twin = make_order_of(store, Person(words.advocate, "twin@example.com"), at=at - 10 * DAY).customer
        assert twin is not None
        self._keep("twin", twin)
        return advocate

    def _money(self, advocate: Customer) -> None:
        """Cash on a list, a gift to hand over, a code in numbers, a reward that was used."""
        store, at = self.store, self.at
        earn(advocate, Gives.CASH, 50_000, at=at - 9 * DAY)
        earn(advocate, Gives.CUSTOM, 20_000, at=at - 8 * DAY)
        earn(advocate, Gives.DONATION, 20_000, at=at - 8 * DAY)
        used = earn(advocate, Gives.FIXED_OFF, 10_000, at=at - 7 * DAY)
        use(used.voucher, 100_000, at=at - DAY)
        ready = earn(advocate, Gives.FIXED_OFF, 10_000, at=at - 7 * DAY)
        self.ids["voucher"] = ready.voucher.code
        save_address(advocate, self.words.method, Details(self.words.number, advocate.name), at=at)
        listed = payouts.make_list(store, store.currency, by=None, at=at)
        assert listed is not None
        self._keep("payouts", listed)
        earn(advocate, Gives.CASH, 30_000, at=at)
        percent = Offer.objects.create(store=store, kind=Offer.Kind.PERCENT_OFF, percent=10, currency=store.currency)
        pool, _job = pools.make(store, self.words.contest, percent, 12, pools.Conditions(), by=None, at=at)
        self._keep("pool", pool)

    def _checks(self) -> None:
        """A block, and a code that a device took without a line and that was refused."""
        store, at = self.store, self.at
        suspect = Suspect(What.EMAIL, "bad@example.com", "b…@example.com")
        self._keep("block", blocks.block(store, suspect, reason=self.words.plea, by=None, at=at))
        Held.objects.create(
            store=store,
            device="device",
            permit="permit",
            digest="0" * 64,
            code="ABCDE2345",
            amount_minor=100_000,
            discount_minor=10_000,
            currency=store.currency,
            given_at=at - DAY,
            received_at=at,
            by=User.objects.get(email="staff@example.com"),
            status=Held.Status.REFUSED,
            reason="used_up",
        )

    def _tasks(self, advocate: Customer) -> None:
        """Something to do for people: a call, a note."""
        for way in (Way.CALL, Way.NOTE, Way.VISIT):
            message = plan_message(advocate, Kind.ASK, key=f"t:{way}", due_at=self.at, context={}, at=self.at)
            Message.objects.filter(pk=message.pk).update(status=Message.Status.TASK, channel=way)
            facts = {"message": message, "customer": advocate, "way": way, "due_at": self.at}
            self._keep(f"task_{way}", Task.objects.create(store=self.store, words=self.words.plea, **facts))

    def _read_back(self) -> None:
        """What the replay made, by the ids it happens to have."""
        store = self.store
        self._keep("letter", OutboxItem.objects.for_store(store).order_by("-pk")[0])
        self._keep("reward", Reward.objects.for_store(store).order_by("-pk")[0])
        self._keep("redemption", Redemption.objects.for_store(store).order_by("-pk")[0])
        partner = Partnership.objects.for_store(store).select_related("store", "customer").order_by("pk")[0]
        self._keep("partner", partner)
        stated = partner_statements.statements(partner).first()
        assert stated is not None
        self.ids["statement"] = Shown.of(partner, stated).name
        waiting = Invitation.objects.for_store(store).filter(response=None).select_related("customer", "store")
        asked, happy, unhappy = waiting.order_by("-pk")[:3]
        for name, row in {"asked": asked, "happy": happy, "unhappy": unhappy}.items():
            self.ids[name] = tokens.make(tokens.Purpose.SURVEY, store.pk, row)
        facts = {"at": self.at, "via": Via.EMAIL}
        answering.respond(unhappy, score=2, comment=self.words.plea, **facts)
        answering.respond(happy, score=10, comment=self.words.praise, **facts)
        self._keep("case", RecoveryCase.objects.for_store(store).get(response__invitation=unhappy))
        self._words(Response.objects.for_store(store).get(invitation=happy))

    def _words(self, answered: Response) -> None:
        """Kind words: of one who was asked, and of one who agreed."""
        found = testimonials.ask(answered, at=self.at, by=None) or Testimonial.objects.get(response=answered)
        testimonials.allow(found, text=self.words.praise, shown_name="", permission="yes", at=self.at)
        self._keep("testimonial", found)
        self.ids["token_words"] = tokens.make(tokens.Purpose.TESTIMONIAL, self.store.pk, found)
