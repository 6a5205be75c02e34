"""Finding a place by a few letters: pages, customers, programs, rewards by their code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import resolve, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers import queries
from customers.rules import folded_name
from referrals.models import Contest, Program
from rewards.models import Voucher
from rewards.wording import offer_text
from stores.codes import normalise
from stores.models import Role, Store

FEW = 6  # of each kind
LONGEST = 200
SHORTEST_NAME = 2
SHORTEST_CODE = 5
USUAL = (
    "insights:home",
    "customers:list",
    "surveys:cases",
    "referrals:approvals",
    "referrals:send",
    "insights:reports",
)


@dataclass(frozen=True)
class Place:
    """Somewhere to go: its name (`is_own`: the shop's or a person's word), where it belongs, its address."""

    name: str
    about: str
    url: str
    icon: str
    is_own: bool = False


@dataclass(frozen=True)
class _Page:
    """A page of the dashboard; `words` are others by which people look for it."""

    url_name: str
    name: object
    about: object
    icon: str
    words: object = ""


_SETTINGS, _PROGRAM, _MESSAGES = gettext_lazy("Settings"), gettext_lazy("Program & rewards"), gettext_lazy("Messages")
_REPORTS, _REWARDS, _APPROVALS = gettext_lazy("Reports"), gettext_lazy("Rewards"), gettext_lazy("Approvals")
_CUSTOMERS, _UNHAPPY = gettext_lazy("Customers"), gettext_lazy("Unhappy customers")
PAGES = (
    _Page("insights:home", gettext_lazy("Home"), "", "home"),
    _Page("customers:list", _CUSTOMERS, "", "users"),
    _Page("referrals:segments", gettext_lazy("Segments"), _CUSTOMERS, "users-group"),
    _Page("referrals:doubles", gettext_lazy("Here twice?"), _CUSTOMERS, "users"),
    _Page("surveys:cases", _UNHAPPY, "", "mood-sad"),
    _Page("surveys:themes", gettext_lazy("Themes"), _UNHAPPY, "list-details"),
    _Page("surveys:replies", gettext_lazy("Replies and vouchers"), _UNHAPPY, "message-circle"),
    _Page("referrals:approvals", _APPROVALS, "", "clipboard-check"),
    _Page("referrals:appeals", gettext_lazy("Questions"), _APPROVALS, "clipboard-check"),
    _Page("referrals:credit", gettext_lazy("Credit a purchase"), _APPROVALS, "user-plus"),
    _Page("referrals:blocks", gettext_lazy("Blocked"), _APPROVALS, "hand-stop"),
    _Page("till:held", gettext_lazy("At the counter"), _APPROVALS, "cloud-off"),
    _Page("referrals:checks", gettext_lazy("Checks"), _APPROVALS, "shield-check"),
    _Page("insights:messages", _MESSAGES, "", "message"),
    _Page("outreach:journeys", gettext_lazy("What is sent"), _MESSAGES, "mail"),
    _Page("insights:calendar", gettext_lazy("Calendar"), _MESSAGES, "calendar"),
    _Page("outreach:tasks", gettext_lazy("Tasks for people"), _MESSAGES, "phone"),
    _Page("referrals:send", gettext_lazy("Send now"), _MESSAGES, "send"),
    _Page("outreach:outbox", gettext_lazy("Outbox"), _MESSAGES, "inbox"),
    _Page("referrals:programs", _PROGRAM, "", "gift"),
    _Page("referrals:new_program", gettext_lazy("New program"), _PROGRAM, "plus"),
    _Page("referrals:contests", gettext_lazy("Contests"), _PROGRAM, "trophy"),
    _Page("referrals:partners", gettext_lazy("Partners"), _PROGRAM, "building-store"),
    _Page("rewards:list", _REWARDS, "", "coin"),
    _Page("rewards:to_do", gettext_lazy("To hand over"), _REWARDS, "gift"),
    _Page("rewards:codes", gettext_lazy("Codes"), _REWARDS, "ticket"),
    _Page("rewards:payouts", gettext_lazy("Pay out"), _REWARDS, "cash"),
    _Page("insights:budgets", gettext_lazy("Budgets"), _REWARDS, "coin"),
    _Page("rewards:books", gettext_lazy("Books"), _REWARDS, "receipt"),
    _Page("rewards:limits", gettext_lazy("Limits"), _REWARDS, "coin"),
    _Page(
        "referrals:materials", gettext_lazy("Share materials"), "", "printer", gettext_lazy("cards posters QR print")
    ),
    _Page("surveys:testimonials", gettext_lazy("Testimonials"), "", "quote"),
    _Page("insights:reports", _REPORTS, "", "chart-line"),
    _Page("insights:returns", gettext_lazy("Cost and return"), _REPORTS, "cash"),
    _Page("insights:cohorts", gettext_lazy("Friends and others"), _REPORTS, "users-group"),
    _Page("insights:leaders", gettext_lazy("Who brings friends"), _REPORTS, "trophy"),
    _Page("insights:answers", gettext_lazy("Answers"), _REPORTS, "mood-smile"),
    _Page("surveys:surveys", gettext_lazy("Questions you ask"), _REPORTS, "message-circle"),
    _Page("stores:settings", _SETTINGS, "", "settings", gettext_lazy("name colour phone address language")),
    _Page("surveys:timing", gettext_lazy("Products"), _SETTINGS, "clock"),
    _Page("surveys:reviews", gettext_lazy("Review pages"), _SETTINGS, "star"),
    _Page("referrals:currency", gettext_lazy("Currency"), _SETTINGS, "coin"),
    _Page("outreach:channels", gettext_lazy("Mail and texts"), _SETTINGS, "mail"),
    _Page("till:settings", gettext_lazy("The counter"), _SETTINGS, "scan"),
    _Page("stores:people", gettext_lazy("People"), _SETTINGS, "user-plus", gettext_lazy("staff log-in role")),
    _Page("stores:keys", gettext_lazy("API keys"), _SETTINGS, "key"),
    _Page("checkout:counter", gettext_lazy("Checkout"), "", "scan"),
)


def find(store: Store, role: Role, typed: str) -> list[Place]:
    """Where the letters may lead, pages first; nothing typed is where people mostly go. Six queries at most."""
    text = typed.replace("\x00", "").strip()[:LONGEST]
    if not text:
        return [_place(store, page) for page in PAGES if page.url_name in USUAL and _may(store, role, page)]
    pages = [_place(store, page) for page in PAGES if _is_meant(page, text) and _may(store, role, page)][:FEW]
    return [*pages, *_customers(store, text), *_programs(store, text), *_codes(store, text)]


def _place(store: Store, page: _Page) -> Place:
    return Place(str(page.name), str(page.about), _url(store, page), page.icon)


def _url(store: Store, page: _Page) -> str:
    return reverse(page.url_name, args=[store.slug])


def _may(store: Store, role: Role, page: _Page) -> bool:
    """As the page's own door says (`stores.access.for_role`)."""
    needed: Role = resolve(_url(store, page)).func.role  # type: ignore[attr-defined]
    return role.covers(needed)


def _is_meant(page: _Page, text: str) -> bool:
    """Whether each word typed begins a word of the page's."""
    words = folded_name(f"{page.name} {page.about} {page.words}").split()
    return all(any(word.startswith(part) for word in words) for part in folded_name(text).split())


def _customers(store: Store, text: str) -> Iterator[Place]:
    if len(text) < SHORTEST_NAME:
        return
    for one in queries.find(store, text, "").order_by("-recorded_at", "-pk")[:FEW]:
        url = reverse("insights:customer", args=[store.slug, one.public_id])
        yield Place(str(one), one.email or one.phone, url, "user", is_own=True)


def _programs(store: Store, text: str) -> Iterator[Place]:
    for program in Program.objects.for_store(store).filter(name__icontains=text).order_by("-pk")[:FEW]:
        url = reverse("referrals:program", args=[store.slug, program.public_id])
        yield Place(program.name, _("Program"), url, "gift", is_own=True)
    for contest in Contest.objects.for_store(store).filter(name__icontains=text).order_by("-pk")[:FEW]:
        url = reverse("referrals:contest", args=[store.slug, contest.public_id])
        yield Place(contest.name, _("Contest"), url, "trophy", is_own=True)


def _codes(store: Store, text: str) -> Iterator[Place]:
    """A reward or a series of codes, by one whole code of it."""
    code = normalise(text)
    if len(code) < SHORTEST_CODE:
        return
    found = Voucher.objects.for_store(store).filter(code=code).select_related("reward__offer", "pool").first()
    if found and found.reward:
        url = reverse("rewards:reward", args=[store.slug, found.reward.public_id])
        yield Place(offer_text(found.reward.offer, store), found.as_shown, url, "ticket")
    elif found and found.pool:
        url = reverse("rewards:pool", args=[store.slug, found.pool.public_id])
        yield Place(found.pool.name, found.as_shown, url, "ticket", is_own=True)
