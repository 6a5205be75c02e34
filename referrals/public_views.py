"""Pages without login: thanks after an answer, the advocate's share page, the friend's landing page.

A GET by a known bot writes nothing but its own visit, kept apart. Names are cut to what other people
may see; codes work in the URL, on the page and by voice, with or without cookies and script.
"""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Customer
from outreach.rendering import unsubscribe_url
from referrals import rules
from referrals.models import Claim, Program, ShareLink
from referrals.public.limits import WINDOW, too_many_claims
from referrals.public.progress import approved_by, progress_of, short, voucher_state
from referrals.public.sharing import gives_credit, qr_svg, share_panel
from referrals.public_forms import ClaimForm
from referrals.services import asking, claims, links
from referrals.services.programs import program_of
from rewards.models import Offer
from rewards.services import granting
from rewards.wording import offer_text
from stores.codes import spaced
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
    link = None if _is_bot(request) else asking.ask_on_answer(store, response, at=now)
    cases = RecoveryCase.objects.for_store(store).filter(customer=response.customer_id)
    return {
        "panel": share_panel(store, link, program_of(store), number=approved_by(store, link)) if link else None,
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
    return _note_shared(invitation.customer if invitation else None)


# -- The advocate's own page --


@public_page
@require_safe
def share(request: HttpRequest, token: str) -> HttpResponse:
    """Share in one tap; see where each friend and reward stands, and why."""
    customer = _customer(request, token)
    if customer is None:
        return _gone(request, status=404)
    now, store = timezone.now(), request.store  # type: ignore[attr-defined]
    speak(request, customer.locale, store.locale)
    program, link = program_of(store), links.share_link_of(customer, at=now)
    progress = progress_of(store, link, program, now)
    context = {
        "name": short(customer.first_name),
        "panel": share_panel(store, link, program, number=progress.approved),
        "progress": progress,
        "program": program,
        "tiers": _ladder(program),
        "live": program.status == Program.Status.LIVE,
        "beacon": reverse("referral:shared", args=[token]),
        "testimonials": testimonials.feed(store, 3),
        "stop_url": unsubscribe_url(store, customer),
    }
    return render(request, "referrals/public/share.html", context)


@public_page
@require_POST
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """Beacon: a share button was tapped. No CSRF cookie: the token is the secret."""
    return _note_shared(_customer(request, token))


def _customer(request: HttpRequest, token: str) -> Customer | None:
    """The living customer of a share page's token, the request bound to their store."""
    pk = enter_by_token(request, Purpose.SHARE, token)
    if pk is None:
        return None
    customers = Customer.objects.for_store(request.store)  # type: ignore[attr-defined]
    return customers.filter(pk=pk, erased_at=None).select_related("store").first()


def _note_shared(customer: Customer | None) -> HttpResponse:
    if customer is None or customer.erased_at:
        return HttpResponse(status=404)
    now = timezone.now()
    links.note_shared(links.share_link_of(customer, at=now), at=now)
    return HttpResponse(status=204)


def _ladder(program: Program) -> list[dict[str, object]]:
    tiers = granting.steps_of(program.ladder).values()
    return [{"tier": tier, "gets": offer_text(tier.offer, program.store)} for tier in tiers]


# -- The friend --


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def landing(request: HttpRequest, code: str) -> HttpResponse:
    """Who sent the gift, what it is, until when, how to use it; a POST takes it."""
    link = _open_link(request, code)
    if link is None:
        return _gone(request, status=404)
    if request.method == "POST":
        return _claim(request, link)
    if request.method == "GET":
        _count_visit(request, link)
    return _landing(request, link, ClaimForm())


@public_page
@require_safe
def gift(request: HttpRequest, code: str, claim: str) -> HttpResponse:
    """The friend's own voucher, at an address of 99 random bits."""
    link = _open_link(request, code)
    found = Claim.objects.for_store(link.store).filter(public_id=claim) if link else Claim.objects.none()
    taken = found.select_related("voucher__offer", "link__customer", "friend").first()
    voucher = taken.voucher if taken else None
    offer = voucher.offer if voucher else None
    if link is None or taken is None or voucher is None or offer is None or taken.friend.erased_at:
        return _gone(request, status=404)
    context = {
        "sender": short(taken.link.customer.first_name),
        "voucher": voucher,
        "code": spaced(voucher.code),
        "qr": qr_svg(voucher.code, label=spaced(voucher.code)),
        "state": voucher_state(voucher, timezone.now()),
        **_gift_words(link.store, offer),
    }
    return render(request, "referrals/public/gift.html", context)


def _open_link(request: HttpRequest, code: str) -> ShareLink | None:
    """The link of a code that a friend can use now; None for unknown, paused and erased alike.

    The request is bound to its store only then, so that the page for the others is the same to a letter.
    """
    link = links.enter_by_code(code)
    if link is None or link.program.status != Program.Status.LIVE or link.customer.erased_at:
        return None
    act_in(request, link.store)
    # Nothing is known of the friend; who sent them most likely speaks their language.
    speak(request, link.customer.locale, link.store.locale)
    return link


def _gone(request: HttpRequest, *, status: int) -> HttpResponse:
    """One friendly page for everything that cannot be shown."""
    request.store = None  # type: ignore[attr-defined]
    return render(request, "referrals/public/gone.html", status=status)


def _is_bot(request: HttpRequest) -> bool:
    """Known bots, and browsers that only fetch ahead."""
    ahead = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return "prefetch" in ahead or rules.is_bot(request.headers.get("User-Agent", ""))


def _count_visit(request: HttpRequest, link: ShareLink) -> None:
    now, agent = timezone.now(), request.headers.get("User-Agent", "")
    visitor = links.visitor_of(address_of(request), agent, now.date().isoformat())
    links.record_visit(link, visitor=visitor, is_bot=_is_bot(request), at=now)


def _claim(request: HttpRequest, link: ShareLink) -> HttpResponse:
    """Give the gift; whatever speaks against it leaves the page, and what was typed, as it was."""
    form = ClaimForm(request.POST, country=link.store.country)
    if too_many_claims(link, network_of(address_of(request))):
        response = _landing(request, link, form, status=429, notice="busy")
        response["Retry-After"] = str(WINDOW)
        return response
    if not form.is_valid():
        return _landing(request, link, form, status=400)
    try:
        taken = claims.claim(link, form.person(get_language() or ""), at=timezone.now())
    except claims.NotForThem:
        # Their own link or a known customer: one kind sentence for both, and no accusation.
        return _landing(request, link, form, notice="known")
    return redirect("referral:gift", code=link.code, claim=taken.public_id)


def _landing(
    request: HttpRequest, link: ShareLink, form: ClaimForm, *, status: int = 200, notice: str = ""
) -> HttpResponse:
    offer = link.program.friend_offer
    context = {
        "link": link,
        "url": links.landing_url(link),
        "sender": short(link.customer.first_name),
        "form": form,
        "notice": notice,
        "until": timezone.now() + timedelta(days=offer.valid_days),
        "testimonials": testimonials.feed(link.store, 3),
        **_gift_words(link.store, offer),
    }
    return render(request, "referrals/public/landing.html", context, status=status)


def _gift_words(store: Store, offer: Offer) -> dict[str, object]:
    """The friend's gift as both pages say it."""
    return {
        "gift": offer_text(offer, store),
        "offer": offer,
        "credit_later": gives_credit(offer),
    }
