"""Pages without login: thanks after an answer, the friend's landing and gift pages, the terms.

A GET by a known bot writes nothing but its own visit, kept apart. Names are cut to what other people
may see; codes work in the URL, on the page and by voice, with or without cookies and script.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from referrals.me_views import note_shared
from referrals.models import Claim, Program, Referral, ShareLink, Visit
from referrals.public import devices
from referrals.public.friends import short
from referrals.public.holdings import voucher_state
from referrals.public.ladders import standing_of, tiers_of
from referrals.public.limits import WINDOW, too_many_claims
from referrals.public.pages import gone, is_bot, opening_of
from referrals.public.pictures import card_url
from referrals.public.sharing import qr_svg, share_panel
from referrals.public.spelling import spelled
from referrals.public.terms import Speaker, terms_path
from referrals.public_forms import ClaimForm
from referrals.services import asking, claims, links
from referrals.services.devices import hashed
from referrals.services.programs import program_for, program_of
from referrals.services.promising import has_room
from rewards.models import Offer, Terms
from rewards.services.vouchers import is_given_later
from rewards.wording import offer_text
from stores.middleware import speak
from stores.models import Store
from stores.public import act_in, address_of, enter_by_token, network_of, public_page
from stores.tokens import Purpose
from surveys.models import Invitation, RecoveryCase, Response
from surveys.public_views import closed, open_invitation, response_to
from surveys.rules import Group
from surveys.services import testimonials
from surveys.services.answering import may_answer

# -- After the answer --


@public_page
@require_safe
def thanks(request: HttpRequest, token: str) -> HttpResponse:
    """Thank the person; ask the happy to pass it on, promise the unhappy a call.

    Whatever the score, the public review link is the same for everyone (FTC 16 CFR 465).
    """
    invitation = open_invitation(request, token)
    if invitation is None:
        return closed(request, status=404)
    if invitation.customer.erased_at:
        return closed(request, status=410)
    response = response_to(invitation)
    context = {"token": token, "invitation": invitation, "response": response}
    if response:
        context |= _thanks_for(request, token, invitation, response)
    return render(request, "referrals/public/thanks.html", context)


def _thanks_for(request: HttpRequest, token: str, invitation: Invitation, response: Response) -> dict[str, object]:
    """What the page says to this answer. Asking is noted on the answer, so bots are not asked."""
    now, store = timezone.now(), request.store  # type: ignore[attr-defined]
    link = None if is_bot(request) else asking.ask_on_answer(store, response, at=now)
    cases = RecoveryCase.objects.for_store(store).filter(customer=response.customer_id)
    return {
        **(_panel(store, link, response) if link else {}),
        "beacon": reverse("referral:shared_from_answer", args=[token]),
        "unhappy": response.group is Group.DETRACTOR,
        "case": cases.filter(status=RecoveryCase.Status.OPEN).order_by("opened_at").first(),
        "may_change": may_answer(invitation, now),
    }


@public_page
@require_POST
def shared_from_answer(request: HttpRequest, token: str) -> HttpResponse:
    """Beacon of the thank-you page: a share button was tapped. The token is the secret."""
    invitation = open_invitation(request, token)
    return note_shared(invitation.customer if invitation else None)


def _panel(store: Store, link: ShareLink, response: Response) -> dict[str, object]:
    now = timezone.now()
    if response.customer and response.customer.pk == link.customer_id:
        link.customer = response.customer
    program = program_for(link.customer, now) or program_of(store)
    standing = standing_of(store, link.customer_id, program.terms.ladder, now)
    return {"panel": share_panel(store, link, program, standing), "terms_url": terms_path(program.terms)}


# -- The terms --


@public_page
@require_safe
def terms(request: HttpRequest, token: str) -> HttpResponse:
    """One version of a program's terms, for as long as we exist: rewards were given under it."""
    pk = enter_by_token(request, Purpose.TERMS, token)
    if pk is None:
        return gone(request)
    store = request.store  # type: ignore[attr-defined]
    versions = Terms.objects.for_store(store).select_related(
        "budget", "friend_offer", "ladder", "friend_ladder", "second_offer"
    )
    found = versions.filter(pk=pk).first()
    if found is None:
        return gone(request)
    speak(request, store.locale)
    program = Program.objects.for_store(store).filter(budget=found.budget_id).first()
    speaker = Speaker(found, store, get_language() or "en")
    friend_tiers = tiers_of(found.friend_ladder) if found.friend_ladder else ()
    context = {
        "version": found,
        "program": program,
        "is_newest": program is not None and program.terms_id == found.pk,
        "terms": speaker.wording(tiers_of(found.ladder), friend_tiers),
    }
    return render(request, "referrals/public/terms.html", context)


# -- The friend --


@dataclass(frozen=True)
class Invited:
    """A share link that a friend can use now, with the program by which it does."""

    link: ShareLink
    program: Program

    @property
    def store(self) -> Store:
        """The link's store."""
        found: Store = self.link.store
        return found


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def landing(request: HttpRequest, code: str) -> HttpResponse:
    """Who sent the gift, what it is, until when, how to use it; a POST takes it."""
    invited = _invited(request, code)
    if invited is None:
        return gone(request)
    if claims.is_blocked(invited.link):
        return _landing(request, invited, ClaimForm(), notice="blocked")
    if request.method == "POST":
        return _claim(request, invited)
    known = devices.known_device(request)
    value = known or devices.new_device()
    visit = _count_visit(request, invited.link, value) if request.method == "GET" else None
    response = _landing(request, invited, ClaimForm(), visit=visit)
    return response if known or is_bot(request) else devices.remember(response, value)


@public_page
@require_safe
def gift(request: HttpRequest, code: str, claim: str) -> HttpResponse:
    """The friend's own voucher, at an address of 99 random bits."""
    invited = _invited(request, code)
    found = Claim.objects.for_store(invited.store).filter(public_id=claim) if invited else Claim.objects.none()
    taken = found.select_related("voucher__offer", "link__customer", "friend", "terms").first()
    voucher = taken.voucher if taken else None
    offer = voucher.offer if voucher else None
    if invited is None or taken is None or voucher is None or offer is None or taken.friend.erased_at:
        return gone(request)
    context = {
        "sender": short(taken.link.customer.first_name),
        "by_store": taken.link.customer.is_store,
        "voucher": voucher,
        "code": voucher.as_shown,
        "spelled": spelled(voucher.as_shown),
        "qr": qr_svg(voucher.code, label=voucher.as_shown),
        "state": voucher_state(voucher, timezone.now()),
        "terms_url": terms_path(taken.terms),
        **_gift_words(invited.store, offer),
    }
    return render(request, "referrals/public/gift.html", context)


def _invited(request: HttpRequest, code: str) -> Invited | None:
    """What a code leads a friend to now; None for unknown, paused and erased alike.

    The request is bound to its store only then, so that the page for the others is the same to a letter.
    """
    now = timezone.now()
    link = links.enter_by_code(code, at=now)
    program = program_for(link.customer, now) if link and not link.customer.erased_at else None
    if link is None or program is None:
        return None
    act_in(request, link.store)
    # Nothing is known of the friend; who sent them most likely speaks their language.
    speak(request, link.customer.locale, link.store.locale)
    return Invited(link, program)


def _count_visit(request: HttpRequest, link: ShareLink, device: str) -> Visit:
    return links.record_opening(opening_of(request, link.store, link.pk, device, timezone.now()))


def _claim(request: HttpRequest, invited: Invited) -> HttpResponse:
    """Give the gift; whatever speaks against it leaves the page, and what was typed, as it was."""
    link, network = invited.link, network_of(address_of(request))
    form = ClaimForm(request.POST, country=link.store.country)
    if too_many_claims(link, network):
        response = _landing(request, invited, form, status=429, notice="busy")
        response["Retry-After"] = str(WINDOW)
        return response
    if not form.is_valid():
        return _landing(request, invited, form, status=400)
    trace = claims.Trace(devices.device_hash(request, link.store), hashed(link.store, network))
    try:
        taken = claims.claim(link, form.person(get_language() or ""), at=timezone.now(), trace=trace)
    except claims.NotForThem as no:
        # Their own link, a known customer, the last place gone: no accusation, and nothing to be found out by.
        return _landing(request, invited, form, notice="blocked" if no.reason == Referral.Reason.BLOCKED else "known")
    return redirect("referral:gift", code=link.code, claim=taken.public_id)


def _landing(
    request: HttpRequest,
    invited: Invited,
    form: ClaimForm,
    *,
    status: int = 200,
    notice: str = "",
    visit: Visit | None = None,
) -> HttpResponse:
    page = landing_of(invited, form, notice=notice, visit=visit)
    return render(request, "referrals/public/landing.html", page, status=status)


def landing_of(invited: Invited, form: ClaimForm, *, notice: str = "", visit: Visit | None = None) -> dict[str, object]:
    """Everything that the friend's page shows."""
    link, program, now = invited.link, invited.program, timezone.now()
    offer = program.terms.friend_offer
    is_full = not has_room(program.terms)
    return {
        "link": link,
        "url": links.landing_url(link),
        "card_url": card_url(program.terms, get_language() or "en"),
        "spelled": spelled(link.code),
        "sender": short(link.customer.first_name),
        "by_store": link.customer.is_store,
        "form": form,
        "notice": "full" if is_full and notice != "blocked" else notice,
        "until": _good_until(offer, program.terms, now),
        "ends_at": program.ends_at,
        "places_left": _places_left(program),
        "terms_url": terms_path(program.terms),
        "shop_url": links.shop_url(link.store, visit),
        "testimonials": testimonials.feed(link.store, 3),
        **_gift_words(link.store, offer),
    }


def _good_until(offer: Offer, terms: Terms, now: datetime) -> datetime:
    """Until when a gift that is taken today can be used."""
    days = min(offer.valid_days, terms.claim_days) if is_given_later(offer) else offer.valid_days
    return now + timedelta(days=days)


def _places_left(program: Program) -> int | None:
    """How many friends there is a place for yet; None without such a limit."""
    budget = program.budget
    return None if budget.places is None else max(budget.places - budget.places_taken, 0)


def _gift_words(store: Store, offer: Offer) -> dict[str, object]:
    """The friend's gift as both pages say it."""
    return {"gift": offer_text(offer, store), "offer": offer, "given_later": is_given_later(offer)}
