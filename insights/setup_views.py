"""Setting up in six steps, the card for the counter at the end, and the sample."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from insights.sample import making, past
from insights.setup import steps
from insights.setup.forms import GOODS, GiftsForm, LookForm, SellsForm, WhoForm
from insights.setup.steps import Step
from outreach import own_words
from outreach import preview as looks
from outreach.kinds import Kind
from referrals import advice
from referrals.forms import CurrencyForm, offer_of
from referrals.material_views import picture_of
from referrals.materials import drawing
from referrals.materials.words import invitation
from referrals.models import PrintRun
from referrals.public.sharing import as_told, share_text
from referrals.services import prints, programs
from referrals.services.terms import terms_of, uncapped
from rewards.wording import offer_text
from stores import choices
from stores.access import for_role, me
from stores.forms import PersonForm
from stores.models import Job, Membership, Role, Store
from stores.services import change_settings
from stores.views import add


def _owners(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For owners, of a store that is real: a sample has nothing to set up."""

    def guarded(request: HttpRequest, store: Store, *args: Any, **kwargs: Any) -> HttpResponse:
        if store.is_sample:
            raise Http404("a sample is not set up")
        return view(request, store, *args, **kwargs)

    return for_role(Role.OWNER)(guarded)


@require_safe
@_owners
def setup(request: HttpRequest, store: Store) -> HttpResponse:
    """To the first step that is neither done nor skipped, else to the end."""
    following = steps.board(store).next
    return redirect(_address(store, following) if following else reverse("insights:setup_done", args=[store.slug]))


@require_http_methods(["GET", "POST"])
@_owners
def setup_step(request: HttpRequest, store: Store, step: str) -> HttpResponse:
    """One of the six steps."""
    if step not in Step.values:
        raise Http404("no such step")
    return STEPS[Step(step)](request, store)


@require_POST
@_owners
def setup_skip(request: HttpRequest, store: Store, step: str) -> HttpResponse:
    """Leave a step for later."""
    if step not in Step.values:
        raise Http404("no such step")
    steps.skip(store, Step(step))
    return _onward(store, Step(step))


def _onward(store: Store, step: Step) -> HttpResponse:
    """To the next step, whatever was done before."""
    return redirect(_address(store, step.after) if step.after else reverse("insights:setup_done", args=[store.slug]))


def _address(store: Store, step: Step) -> str:
    return reverse("insights:setup_step", args=[store.slug, step.value])


def _page(request: HttpRequest, store: Store, step: Step, context: dict[str, Any]) -> HttpResponse:
    forms = [context[name] for name in ("form", "money", "gifts") if context.get(name)]
    refused = request.method == "POST" and context.pop("is_refused", True)
    everything = {
        "nav_key": "home",
        "step": step,
        "board": steps.board(store),
        "back": _address(store, step.before) if step.before else "",
        "form_with_errors": next((form for form in forms if getattr(form, "errors", None)), None),
        **context,
    }
    return render(request, f"insights/setup/{step.value}.html", everything, status=422 if refused else 200)


# -- 1. Who you are --


def _who(request: HttpRequest, store: Store) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form, is_fixed = WhoForm(data, instance=copy(store)), programs.currency_in_use(store)
    money = None if is_fixed else _money(store, data)
    if data is not None and form.is_valid() and (money is None or money.is_valid()):
        at = timezone.now()
        change_settings(store, form.cleaned_data, by=me(request), at=at)
        if money is not None:
            chosen = money.cleaned_data["currency"]
            toman = money.cleaned_data.get("toman", chosen == "IRR")
            programs.change_currency(store, chosen, toman=toman, by=me(request), at=at)
        steps.save(store, Step.WHO)
        return _onward(store, Step.WHO)
    return _page(request, store, Step.WHO, {"form": form, "money": money})


def _money(store: Store, data: QueryDict | None) -> CurrencyForm:
    """The currency; toman is asked of those who count in rial."""
    form = CurrencyForm(data, initial={"currency": store.currency, "toman": store.toman})
    if store.currency != "IRR":
        del form.fields["toman"]
    return form


# -- 2. What you sell --


def _sells(request: HttpRequest, store: Store) -> HttpResponse:
    form = SellsForm(request.POST if request.method == "POST" else None, initial=_sold(store))
    if request.method == "POST" and form.is_valid():
        change_settings(store, form.settings, by=me(request), at=timezone.now())
        steps.save(store, Step.SELLS, kind=form.cleaned_data["kind"])
        return _onward(store, Step.SELLS)
    chosen = str(form["kind"].value() or "")
    return _page(request, store, Step.SELLS, {"form": form, "goods": GOODS, "chosen": chosen})


def _sold(store: Store) -> dict[str, Any]:
    """What was said before: days and delivery only where they are not the usual ones of such goods."""
    kind = store.setup.get("kind")
    usual = next((goods for goods in GOODS if goods.key == kind), None)
    if usual is None:
        return {}
    days = "" if usual.days == store.time_to_value_days else store.time_to_value_days
    arrives = "" if usual.delivers == store.delivers else ("yes" if store.delivers else "no")
    return {"kind": kind, "days": days, "arrives": arrives}


# -- 3. What both sides get --


def _gifts(request: HttpRequest, store: Store) -> HttpResponse:
    """POST `action` look works the cost out and saves nothing; htmx gets that part alone."""
    program = programs.program_of(store)
    gifts = GiftsForm(request.POST if request.method == "POST" else None, store, terms_of(program))
    if request.headers.get("HX-Request"):
        return render(request, "insights/setup/_cost.html", _cost(store, gifts))
    is_look = request.POST.get("action") == "look"
    if request.method == "POST" and not is_look and gifts.is_valid() and not _too_open(gifts):
        if gifts.new_terms != terms_of(program):
            programs.change_program(program, gifts.new_terms, by=me(request), at=timezone.now())
        steps.save(store, Step.GIFTS, average_minor=gifts.average_minor, margin=gifts.margin)
        return _onward(store, Step.GIFTS)
    context = {"gifts": gifts, "program": program, "is_refused": not is_look, **_cost(store, gifts)}
    return _page(request, store, Step.GIFTS, context)


def _too_open(gifts: GiftsForm) -> bool:
    """With a budget a percentage needs an upper limit, which is asked in the editor."""
    too_open = bool(gifts.terms.ceiling_minor and uncapped(gifts.new_terms))
    if too_open:
        gifts.friend.add_error(
            "value", _("Your program has a budget. Change its gifts in the editor, where you can set upper limits.")
        )
    return too_open


def _cost(store: Store, gifts: GiftsForm) -> dict[str, Any]:
    """What one friend costs, worked out on the store's orders or on what was typed; both gifts in words."""
    friend, mine = gifts.offers
    at, average = timezone.now(), gifts.average_minor
    found = advice.advise(friend, mine, store, at, margin=gifts.margin, average_minor=average) if friend else []
    return {"advice": found, "friend": friend, "words": _in_words(store, friend, mine)}


def _in_words(store: Store, friend: Any, mine: Any) -> dict[str, str]:
    """The page a customer shares from, in the customers' language."""
    with translation.override(store.locale):
        friend_gets = offer_text(offer_of(friend, store), store) if friend else "…"
        you_get = offer_text(offer_of(mine, store), store) if mine else "…"
        told = as_told([offer_of(mine, store)], store) if mine else "…"
        text = share_text(store, friend_gets, told)
    is_bidi = store.locale == "fa"
    facts = {"friend_gets": friend_gets, "you_get": you_get, "text": text}
    return {**facts, "language": store.locale, "dir": "rtl" if is_bidi else "ltr"}


# -- 4. Words and look --


def _look(request: HttpRequest, store: Store) -> HttpResponse:
    """POST by htmx shows what is typed and saves nothing."""
    program = programs.program_of(store)
    terms = terms_of(program)
    data = request.POST if request.method == "POST" else None
    form = LookForm(data, instance=copy(store), initial={"program": terms.name})
    first = min(terms.tiers, key=lambda tier: tier.threshold, default=None)
    context = {"form": form, "words": _in_words(store, terms.friend, first.offer if first else None)}
    if request.headers.get("HX-Request"):
        return render(request, "insights/setup/_look.html", context | _looks(form))
    if data is not None and form.is_valid():
        at = timezone.now()
        change_settings(store, form.settings, by=me(request), at=at)
        if form.cleaned_data["program"] != terms.name:
            programs.change_program(program, replace(terms, name=form.cleaned_data["program"]), by=me(request), at=at)
        steps.save(store, Step.LOOK)
        return _onward(store, Step.LOOK)
    return _page(request, store, Step.LOOK, context | _looks(form))


def _looks(form: LookForm) -> dict[str, Any]:
    """The colour and the first letter with what can be read of the form; the rest as it is."""
    if form.is_bound:
        form.is_valid()
    typed: Store = form.instance
    at, kind = timezone.now(), Kind.SURVEY
    example = looks.example(typed, kind, typed.locale, at=at)
    words = own_words.wording(typed, example, typed.locale)
    shown = looks.preview(typed, kind, words, typed.locale, "mail", at=at)
    return {"color": typed.brand_color, "letter": shown.letter}


# -- 5. Your staff --


def _team(request: HttpRequest, store: Store) -> HttpResponse:
    """Each POST adds somebody and stays here: there may be more."""
    form = PersonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and add(request, store, form):
        steps.save(store, Step.TEAM)
        return redirect(_address(store, Step.TEAM))
    people = Membership.objects.for_store(store).select_related("user").order_by("created_at", "pk")
    return _page(request, store, Step.TEAM, {"form": form, "people": people})


# -- 6. First orders, and the sample --


def _orders(request: HttpRequest, store: Store) -> HttpResponse:
    """Three ways to begin; the page only leads to them."""
    if request.method == "POST":
        steps.skip(store, Step.ORDERS)  # orders, a key or the sample make it done by themselves
        return _onward(store, Step.ORDERS)
    return _page(request, store, Step.ORDERS, _sample(store))


def _sample(store: Store) -> dict[str, Any]:
    """The store's sample and how far it is."""
    sample = making.sample_of(store)
    job = making.job_of(sample) if sample else None
    return {
        "sample": sample,
        "job": job,
        "is_making": job is not None and job.state == Job.State.RUNNING,
        "days_done": making.days_done(job) if job else 0,
        "people": past.PEOPLE,
        "weeks": past.DAYS // 7,
    }


STEPS: dict[Step, Callable[[HttpRequest, Store], HttpResponse]] = {
    Step.WHO: _who,
    Step.SELLS: _sells,
    Step.GIFTS: _gifts,
    Step.LOOK: _look,
    Step.TEAM: _team,
    Step.ORDERS: _orders,
}


@require_http_methods(["GET", "POST"])
@_owners
def sample(request: HttpRequest, store: Store) -> HttpResponse:
    """POST makes the sample; GET tells how far it is, to htmx as that part alone."""
    if request.method == "POST":
        making.begin(store, by=me(request), at=timezone.now())
        return redirect(_address(store, Step.ORDERS))
    if request.headers.get("HX-Request"):
        return render(request, "insights/setup/_sample.html", _sample(store))
    return redirect(_address(store, Step.ORDERS))


@require_POST
@for_role(Role.OWNER)
def remove_sample(request: HttpRequest, store: Store) -> HttpResponse:
    """Remove the sample with everything in it: from the store it is of, or from inside."""
    found = store if store.is_sample else making.sample_of(store)
    if found is None:
        messages.info(request, _("There is no sample data."))
        return redirect("insights:home", store=store.slug)
    try:
        real = making.remove(found, by=me(request), at=timezone.now())
    except making.AtWork:
        messages.error(request, _("The sample is being made at this moment. Try again in half a minute."))
        return redirect("insights:home", store=store.slug)
    messages.success(request, _("The sample data is gone, all of it. Your store was never touched by it."))
    return redirect("insights:home", store=real.slug)


# -- The end --


@require_safe
@_owners
def setup_done(request: HttpRequest, store: Store) -> HttpResponse:
    """Where the card for the counter is made, and what comes next."""
    context = {
        "nav_key": "home",
        "board": steps.board(store),
        "is_open": steps.is_open(store),
        "languages_on_paper": choices.languages(),
        "can_draw": drawing.can_draw(),
        "picture": _card_looks(store) if drawing.can_draw() else "",
        "back": _address(store, Step.ORDERS),
    }
    return render(request, "insights/setup/done.html", context)


def _card_looks(store: Store) -> str:
    """The card as a picture whose code leads nowhere; nothing is stored."""
    now = timezone.now()
    run = prints.draft(store, _wish(store.locale), at=now)
    run.code = "PREVIEW"
    return picture_of(run, invitation(run, programs.program_of(store, now)))


def _wish(language: str) -> prints.Wish:
    tent, whole = PrintRun.Material.TENT, PrintRun.Whom.STORE
    return prints.Wish(material=tent, whom=whole, language=language, name=_("Counter card"))


@require_POST
@_owners
def setup_card(request: HttpRequest, store: Store) -> HttpResponse:
    """The card for the counter as PDF: made once a language, fetched as often as wanted."""
    language = request.POST.get("language", "")
    if language not in dict(choices.languages()):
        raise Http404("no such language")
    try:
        run = _card(request, store, language)
    except prints.NotNow:
        messages.error(request, _("Your program does not run, so the code would lead nowhere. Let it run first."))
        return redirect("insights:setup_done", store=store.slug)
    address = reverse("referrals:material_file", args=[store.slug, run.public_id])
    return redirect(f"{address}?{urlencode({'format': 'pdf'})}")


def _card(request: HttpRequest, store: Store, language: str) -> PrintRun:
    wish = _wish(language)
    alike = {"material": wish.material, "whom": wish.whom, "language": language, "expires_at": None}
    found: PrintRun | None = PrintRun.objects.for_store(store).filter(**alike).order_by("pk").first()
    return found or prints.begin(store, wish, by=me(request), at=timezone.now())


@require_POST
@_owners
def setup_close(request: HttpRequest, store: Store) -> HttpResponse:
    """Take the card off home, or put it back."""
    if request.POST.get("action") == "reopen":
        steps.reopen(store)
        return redirect("insights:setup", store=store.slug)
    steps.close(store)
    messages.success(request, _("Done. Everything you set up can be changed under Settings and Program & rewards."))
    return redirect("insights:home", store=store.slug)
