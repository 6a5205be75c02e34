"""Contests in the dashboard: the list, the editor of a draft, who leads, closing, looking again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.contrib import messages
from django.db.models import Count, IntegerField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Customer
from referrals import queries
from referrals.changes import number
from referrals.forms import ContestEditor, contest_reshaped, contest_typed, new_contest_typed
from referrals.models import Contest, Referral
from referrals.public.contests import contest_path, rules_of
from referrals.services import contests as services
from referrals.services.leaderboards import (
    IN_FORCE,
    Difference,
    leaderboard,
    prizes_of,
    recheck,
    standings_of,
    undecided,
    won_by,
)
from rewards.models import Offer
from rewards.wording import offer_text
from stores.access import for_role, me
from stores.lists import EXPORT_LIMIT, csv_response, keyset_page
from stores.models import Role, Store

SHOWN = 200
STEPS = {
    "announce": services.announce,
    "withdraw": services.withdraw,
    "call_off": services.call_off,
    "put_back": services.put_back,
    "close": services.close_contest,
}
DONE = {
    "announce": gettext_lazy("Announced: customers see it on their own page, with where they stand."),
    "withdraw": gettext_lazy("It is a draft again: nobody sees it."),
    "call_off": gettext_lazy("Called off: nobody wins anything. You can undo it here."),
    "put_back": gettext_lazy("It is as it was before you called it off."),
    "close": gettext_lazy("Closed: the places are written down, and the prizes are given."),
}
REFUSED = {
    "over": gettext_lazy("Its end is past. Give it a later end first."),
    "empty": gettext_lazy("Nobody could win anything. Add a prize, or something for everybody, first."),
    "currency": gettext_lazy(
        "Its prizes are in another currency than your store. Save it again with new amounts first."
    ),
}


@for_role(Role.MANAGER)
@require_safe
def contests(request: HttpRequest, store: Store) -> HttpResponse:
    """The store's contests, the latest first, with how many friends each brought."""
    rows = Contest.objects.for_store(store).annotate(friends=_friends(store))
    page, now = keyset_page(rows, "starts_at", request.GET.get("after", "")), timezone.now()
    found = [(one, one.state_at(now)) for one in page.rows]
    context = {"nav_key": "program", "tab": "contests", "rows": found, "page": page}
    return render(request, "referrals/dashboard/contests/list.html", context)


def _friends(store: Store) -> Coalesce:
    window = {"order__placed_at__gte": OuterRef("starts_at"), "order__placed_at__lt": OuterRef("ends_at")}
    rows = Referral.objects.for_store(store).filter(status__in=IN_FORCE, **window).order_by()
    return Coalesce(Subquery(rows.values("store").annotate(n=Count("pk")).values("n"), IntegerField()), Value(0))


# -- The editor --


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def new_contest(request: HttpRequest, store: Store) -> HttpResponse:
    """The editor of a contest that is yet to be made. POST `step` says what for: save (the default), add, remove-N."""
    if request.method == "GET":
        return _editor_page(request, None, _editor(new_contest_typed(_tomorrow(), _hold(store)), store, check=False))
    return _edited(request, store, None)


@for_role(Role.MANAGER)
@require_http_methods(["GET", "POST"])
def contest(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """The editor of a draft; of one that was announced who leads, or came in where."""
    found = _contest(store, public_id)
    if found.status != Contest.Status.DRAFT:
        if request.method == "POST":
            messages.error(request, _("It was announced meanwhile: what customers have read stays as it is."))
            return _to(found)
        return _board_page(request, found)
    if request.method == "GET":
        return _editor_page(request, found, _editor(contest_typed(services.data_of(found), store), store, check=False))
    return _edited(request, store, found)


def _contest(store: Store, public_id: str) -> Contest:
    rows = Contest.objects.for_store(store).select_related("store", "consolation__product", "consolation__location")
    found: Contest = get_object_or_404(rows, public_id=public_id)
    return found


def _to(contest: Contest) -> HttpResponse:
    return redirect("referrals:contest", contest.store.slug, contest.public_id)


def _hold(store: Store) -> int:
    return services.longest_hold(store)


def _editor(typed: dict[str, str], store: Store, *, check: bool = True) -> ContestEditor:
    return ContestEditor(typed, store, hold_days=_hold(store), check=check)


def _tomorrow() -> datetime:
    """The next midnight on the store's clock."""
    now = timezone.localtime()
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _edited(request: HttpRequest, store: Store, found: Contest | None) -> HttpResponse:
    if request.POST.get("step", "save") != "save":
        return _editor_page(request, found, _editor(contest_reshaped(request.POST), store, check=False))
    editor = _editor(request.POST.dict(), store)
    if not editor.is_valid():
        return _editor_page(request, found, editor, status=422)
    return _to(_saved(request, editor, found))


def _saved(request: HttpRequest, editor: ContestEditor, found: Contest | None) -> Contest:
    """The draft as it is now; one that was announced meanwhile stays as it was."""
    by, at, words = me(request), timezone.now(), _("Saved as a draft: nobody sees it until you announce it.")
    if found is None:
        messages.success(request, words)
        return services.make_contest(editor.store, editor.contest_data, by=by, at=at)
    try:
        services.change_contest(found, editor.contest_data, by=by, at=at)
    except services.Announced:
        messages.error(request, _("It was announced meanwhile: what customers have read stays as it is."))
    else:
        messages.success(request, words)
    return found


def _editor_page(
    request: HttpRequest, found: Contest | None, editor: ContestEditor, *, status: int = 200
) -> HttpResponse:
    store = editor.store
    route = ("referrals:contest", [store.slug, found.public_id]) if found else ("referrals:new_contest", [store.slug])
    context = {
        "nav_key": "program",
        "contest": found,
        "state": "draft",
        "editor": editor,
        "address": reverse(route[0], args=route[1]),
        "products": queries.products_to_pick(store),
        "rules": rules_of(found) if found else [],
    }
    return render(request, "referrals/dashboard/contests/edit.html", context, status=status)


# -- Who leads --


def _board_page(request: HttpRequest, found: Contest) -> HttpResponse:
    at = timezone.now()
    is_closed = found.status == Contest.Status.CLOSED
    context = {
        "nav_key": "program",
        "contest": found,
        "state": found.state_at(at),
        "rows": _written(found) if is_closed else _standing(found, at),
        "shown": SHOWN,
        "waiting": 0 if is_closed else undecided(found),
        "rules": rules_of(found),
        "history": services.history(found)[: queries.HISTORY],
        "path": contest_path(found),
        "is_shown": services.is_shown(found),
    }
    return render(request, "referrals/dashboard/contests/board.html", context)


def _standing(found: Contest, at: datetime) -> list[dict[str, object]]:
    prizes = prizes_of(found)
    return [
        {"at": row, "customer": row.customer, "wins": _words(won_by(row.place, prizes, found.consolation), found)}
        for row in leaderboard(found, at, most=SHOWN)
    ]


def _written(found: Contest) -> list[dict[str, object]]:
    return [
        {
            "at": row,
            "customer": row.customer.today,
            "reward": row.reward,
            "wins": _words(row.reward.offer if row.reward else None, found),
        }
        for row in standings_of(found)[:SHOWN]
    ]


def _words(offer: Offer | None, found: Contest) -> str:
    return offer_text(offer, found.store) if offer else ""


@for_role(Role.MANAGER)
@require_POST
def contest_step(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Announce it, take that back, call it off, undo that, close it: POST `to` says which."""
    found, wanted = _contest(store, public_id), request.POST.get("to", "")
    if wanted not in STEPS:
        raise Http404("no such step")
    try:
        if STEPS[wanted](found, by=me(request), at=timezone.now()):
            messages.success(request, DONE[wanted])
        else:
            messages.info(request, _("Somebody was faster, or it is too late for that. This is how it stands now."))
    except services.NotYet as error:
        messages.error(request, REFUSED[error.reason])
    except services.TooEarly as error:
        messages.error(request, _too_early(error.waiting))
    return _to(found)


def _too_early(waiting: int) -> str:
    if not waiting:
        return _("It still runs. It can be closed from its end on.")
    return ngettext(
        "%(count)s friend of the contest is undecided. Decide about them under Approvals first, or wait.",
        "%(count)s friends of the contest are undecided. Decide about them under Approvals first, or wait.",
        waiting,
    ) % {"count": number(waiting)}


# -- After the closing --


@for_role(Role.MANAGER)
@require_safe
def contest_again(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Count a closed contest again, and show where today's data says something else than what was written down."""
    found = _contest(store, public_id)
    if found.closed_at is None:
        return _to(found)
    rows = [_different(one, found) for one in recheck(found)]
    context = {"nav_key": "program", "contest": found, "rows": rows}
    return render(request, "referrals/dashboard/contests/again.html", context)


def _different(one: Difference, found: Contest) -> dict[str, object]:
    reward = one.written.reward if one.written else None
    return {
        "one": one,
        "reward": reward,
        "held": _words(reward.offer if reward else None, found),
        "would_win": _words(one.would_win, found),
        "is_alive": reward is not None and reward.status != reward.Status.VOIDED,
    }


@for_role(Role.MANAGER)
@require_safe
def contest_csv(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Everybody in it as a file, the best first: as they stand, or as it was written down."""
    found = _contest(store, public_id)
    header = [_("Place"), _("Customer"), _("E-mail"), _("Phone"), _("Friends"), _("Waiting"), _("Reached"), _("Prize")]
    return csv_response(f"contest-{found.public_id}", header, _cells(found))


def _cells(found: Contest) -> Iterator[list[object]]:
    """A line of the file for everybody."""
    if found.status == Contest.Status.CLOSED:
        for one in standings_of(found)[:EXPORT_LIMIT]:
            won = one.reward.offer if one.reward else None
            yield _line(found, one.place, one.customer.today, (one.friends, 0), one.reached_at, won)
        return
    prizes = prizes_of(found)
    for row in leaderboard(found, timezone.now(), most=EXPORT_LIMIT):
        won = won_by(row.place, prizes, found.consolation)
        yield _line(found, row.place, row.customer, (row.friends, row.waiting), row.reached_at, won)


def _line(
    found: Contest, place: int, person: Customer, friends: tuple[int, int], reached_at: datetime, won: Offer | None
) -> list[object]:
    reached = reached_at.astimezone(found.store.zone)
    return [place, str(person), person.email, person.phone, *friends, reached, _words(won, found)]
