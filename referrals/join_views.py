"""Where an invitation on paper leads: somebody gets a link of their own, for which nobody need have sent them."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals.models import PrintRun, Program, ShareLink
from referrals.public import devices
from referrals.public.ladders import Standing, tiers_of
from referrals.public.limits import WINDOW, too_many_joining
from referrals.public.pages import gone, is_bot
from referrals.public.pictures import card_url
from referrals.public.sharing import offers_of, share_panel
from referrals.public.terms import terms_path
from referrals.public_forms import ClaimForm
from referrals.services import links, prints
from referrals.services.devices import hashed, note_device
from referrals.services.programs import live_program, program_for
from stores.middleware import speak
from stores.public import act_in, address_of, network_of, public_page


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, code: str) -> HttpResponse:
    """What both sides get, and a name and an e-mail or phone; a POST gives the link."""
    now = timezone.now()
    found = _invited(request, code, now)
    if found is None:
        return gone(request)
    run, program = found
    if request.method == "POST":
        return _join(request, run, program, now)
    if request.method == "GET":
        _count_scan(request, run, now)
    return _page(request, run, program, ClaimForm())


def _invited(request: HttpRequest, code: str, at: datetime) -> tuple[PrintRun, Program] | None:
    """The run of a code and the program it invites to; None for unknown, over and paused alike."""
    run = prints.enter_by_code(code)
    program = live_program(run.store, at) if run and not run.is_over(at) else None
    if run is None or program is None:
        return None
    act_in(request, run.store)
    speak(request, run.language, run.store.locale)
    return run, program


def _count_scan(request: HttpRequest, run: PrintRun, at: datetime) -> None:
    visitor = links.visitor_of(address_of(request), request.headers.get("User-Agent", ""), at.date().isoformat())
    prints.record_scan(run, visitor=visitor, is_bot=is_bot(request), at=at)


def _page(
    request: HttpRequest, run: PrintRun, program: Program, form: ClaimForm, *, status: int = 200, notice: str = ""
) -> HttpResponse:
    context = {
        "run": run,
        "form": form,
        "notice": notice,
        "panel": offers_of(run.store, program),
        "card_url": card_url(program.terms, get_language() or "en"),
        "terms_url": terms_path(program.terms),
    }
    return render(request, "referrals/public/join.html", context, status=status)


def _join(request: HttpRequest, run: PrintRun, program: Program, at: datetime) -> HttpResponse:
    """Give the link; whatever speaks against it leaves what was typed as it was."""
    form = ClaimForm(request.POST, country=run.store.country)
    if too_many_joining(run, network_of(address_of(request))):
        response = _page(request, run, program, form, status=429, notice="busy")
        response["Retry-After"] = str(WINDOW)
        return response
    if not form.is_valid():
        return _page(request, run, program, form, status=400)
    try:
        link = prints.join(run, form.person(get_language() or ""), at=at)
    except prints.NotForThem:
        return _page(request, run, program, form, notice="blocked")
    except prints.NotNow:  # the program ended in this very moment
        return gone(request)
    return redirect("referral:joined", code=run.code, link=link.public_id)


@public_page
@require_safe
def joined(request: HttpRequest, code: str, link: str) -> HttpResponse:
    """Their link with everything to pass it on, at an address of 99 random bits. Nothing else of them is told here."""
    now = timezone.now()
    found = _joined(request, code, link, now)
    program = program_for(found.customer, now) if found else None
    if found is None or program is None:
        return gone(request)
    standing = Standing(tiers_of(program.terms.ladder))  # as for anybody: how many friends they have is not shown
    context = {
        "panel": share_panel(found.store, found, program, standing),
        "beacon": reverse("referral:joined_shared", args=[code, link]),
        "terms_url": terms_path(program.terms),
    }
    response = render(request, "referrals/public/joined.html", context)
    if is_bot(request):
        return response
    # As on an advocate's own page: who takes their own gift with this browser is looked at.
    known = devices.known_device(request)
    value = known or devices.new_device()
    note_device(found.customer, hashed(found.store, value), at=now)
    return response if known else devices.remember(response, value)


@public_page
@require_POST
def joined_shared(request: HttpRequest, code: str, link: str) -> HttpResponse:
    """Beacon: a share button was tapped. The address is the secret."""
    now = timezone.now()
    found = _joined(request, code, link, now)
    if found is None:
        return HttpResponse(status=404)
    links.note_shared(found, at=now)
    return HttpResponse(status=204)


def _joined(request: HttpRequest, code: str, public_id: str, at: datetime) -> ShareLink | None:
    """The link that was got by this run; its owner may have been forgotten since."""
    invited = _invited(request, code, at)
    if invited is None:
        return None
    found: ShareLink | None = prints.links_of(invited[0]).filter(public_id=public_id, customer__erased_at=None).first()
    return found
