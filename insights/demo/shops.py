"""The three shops of the demo: what they sell, to whom, on which terms."""

from __future__ import annotations

from dataclasses import dataclass, field

from referrals.services.terms import OfferTerms, ProgramTerms, TierTerms
from rewards.models import Offer, Tier


@dataclass(frozen=True)
class Item:
    """Something on the shelf; the price is in minor units, the days until its value shows may be its own."""

    sku: str
    name: str
    category: str
    price_minor: int
    days: int | None = None


@dataclass(frozen=True)
class Shop:
    """A demo store and its customers."""

    slug: str
    name: str
    currency: str
    timezone: str
    locale: str
    country: str
    color: str
    phone: str
    address: str
    items: tuple[Item, ...]
    names: tuple[str, ...]
    surnames: tuple[str, ...]
    phone_prefix: str
    orders_a_day: float
    people: int
    terms: ProgramTerms
    toman: bool = False
    delivers: bool = True
    days: int = 7
    answering: float = 0.45  # of those asked
    locations: dict[str, str] = field(default_factory=dict)
    praise: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()


def percent(value: int) -> OfferTerms:
    """So much off a bill."""
    return OfferTerms(Offer.Kind.PERCENT_OFF, percent=value)


def credit(minor: int) -> OfferTerms:
    """So much store credit."""
    return OfferTerms(Offer.Kind.STORE_CREDIT, amount_minor=minor)


def off(minor: int, minimum: int = 0) -> OfferTerms:
    """So much off a bill of at least `minimum`."""
    return OfferTerms(Offer.Kind.FIXED_OFF, amount_minor=minor, minimum_minor=minimum)


EACH, ONCE = Tier.Gives.EACH, Tier.Gives.ONCE

FERNHILL = Shop(
    slug="fernhill",
    name="Fernhill Home",
    currency="USD",
    timezone="America/New_York",
    locale="en",
    country="US",
    color="#0f766e",
    phone="+1 212 555 0142",
    address="18 Fern Hill Road, Beacon, NY 12508",
    items=(
        Item("MUG-1", "Stoneware mug", "Kitchen", 2400),
        Item("PAN-2", "Carbon steel pan", "Kitchen", 8900, 14),
        Item("THROW-1", "Lambswool throw", "Living", 12900),
        Item("LAMP-3", "Oak desk lamp", "Living", 18500, 10),
        Item("SOAP-5", "Cedar soap, three bars", "Bath", 2100, 5),
        Item("TOWEL-2", "Linen towel", "Bath", 3600),
    ),
    names=("Ava", "Noah", "Mia", "Eli", "Zoe", "Leo", "Ivy", "Max", "Ella", "Sam", "June", "Theo", "Nina", "Owen", "Ruth", "Hugo"),
    surnames=("Chen", "Patel", "Lopez", "Brown", "Kim", "Rossi", "Clark", "Weber", "Novak", "Reed", "Park", "Hall", "Stone", "Diaz"),
    phone_prefix="+1212555",
    orders_a_day=3.4,
    people=900,
    terms=ProgramTerms(
        "Give 15 %, get $15",
        percent(15),
        [TierTerms(1, EACH, credit(1500), "Friend"), TierTerms(3, EACH, credit(2000), "Good friend"), TierTerms(5, ONCE, credit(5000), "Five friends")],
    ),
    praise=("Even nicer than in the pictures.", "Arrived well packed, lovely to hold.", "My third order, never let down.", "Feels like it will last for ever."),
    complaints=("It came two weeks late and nobody told me.", "The glaze is chipped on one side.", "I wrote twice and had no answer.", "Smaller than I thought from the photo."),
)  # fmt: skip

ROSEWATER = Shop(
    slug="rosewater",
    name="Rosewater Café",
    currency="PHP",
    timezone="Asia/Manila",
    locale="fil",
    country="PH",
    color="#9f1239",
    phone="+63 2 8555 0134",
    address="24 Katipunan Avenue, Quezon City",
    items=(
        Item("KAPE-1", "Barako latte", "Kape", 18500, 1),
        Item("ENS-1", "Ensaymada", "Panaderya", 9500, 1),
        Item("SET-2", "Almusal para sa dalawa", "Pagkain", 64000, 1),
        Item("BEANS-1", "Benguet coffee beans, 250 g", "Kape", 52000, 6),
        Item("CAKE-1", "Ube cheesecake", "Panaderya", 129000, 2),
    ),
    names=("Bea", "Jun", "Liza", "Paolo", "Ana", "Carlo", "Tess", "Miguel", "Rina", "Gab", "Marites", "Enzo", "Joy", "Nico", "Aileen"),
    surnames=("Cruz", "Reyes", "Santos", "Garcia", "Mendoza", "Bautista", "Aquino", "Torres", "Flores", "Ramos", "Villanueva", "Castro"),
    phone_prefix="+63917555",
    orders_a_day=4.0,
    people=700,
    terms=ProgramTerms(
        "Bigyan ng 20%, may ₱100 ka",
        percent(20),
        [TierTerms(1, EACH, off(10000, 30000), "Suki"), TierTerms(3, EACH, off(15000, 30000), "Super suki")],
        hold_days=7,
    ),
    delivers=False,
    days=1,
    locations={"katipunan": "Katipunan", "makati": "Makati"},
    praise=("Ang sarap ng kape, babalik ako!", "Mabait ang staff at malinis ang lugar.", "Paborito ko na ang ensaymada nila.", "Sulit na sulit."),
    complaints=("Ang tagal ng order namin, halos isang oras.", "Malamig na ang kape pagdating.", "Mali ang binigay na cake.", "Masungit ang nasa counter."),
)  # fmt: skip

GOLAB = Shop(
    slug="golab",
    name="کافه گلاب",
    currency="IRR",
    timezone="Asia/Tehran",
    locale="fa",
    country="IR",
    color="#7c3aed",
    phone="+98 21 5555 0187",
    address="تهران، خیابان ولیعصر، شمارهٔ ۲۴",
    items=(
        Item("TEA-1", "چای بهارهٔ لاهیجان", "نوشیدنی", 2_450_000),
        Item("SAF-1", "زعفران قائنات", "ادویه", 9_800_000, 10),
        Item("GOL-1", "گلاب قمصر", "نوشیدنی", 1_850_000),
        Item("SWEET-2", "سوهان عسلی", "شیرینی", 3_200_000, 4),
        Item("BOX-1", "جعبهٔ هدیه", "هدیه", 7_500_000, 5),
    ),
    names=("نگار", "آرش", "لیلا", "پویا", "مهسا", "سینا", "الناز", "کیان", "شیما", "بهار", "رضا", "مریم", "علی", "سارا", "حمید"),
    surnames=("محمدی", "کریمی", "حسینی", "رضایی", "احمدی", "موسوی", "جعفری", "صادقی", "رستمی", "نوری", "کاظمی", "مرادی"),
    phone_prefix="+98912555",
    orders_a_day=2.6,
    people=600,
    terms=ProgramTerms(
        "گل به گل",
        percent(20),
        [TierTerms(1, EACH, credit(500_000), "نقره‌ای"), TierTerms(5, EACH, credit(800_000), "طلایی")],
    ),
    toman=True,
    praise=("عطرش فوق‌العاده بود، حتماً دوباره می‌خرم.", "بسته‌بندی خیلی تمیز و قشنگ بود.", "کیفیت عالی، ممنون از شما.", "هدیه دادم و همه پسندیدند."),
    complaints=("خیلی دیر رسید و کسی پاسخ نداد.", "بسته باز شده بود.", "با عکس فرق داشت.", "قیمتش زیاد است و کیفیت معمولی."),
)  # fmt: skip

SHOPS = (FERNHILL, ROSEWATER, GOLAB)
