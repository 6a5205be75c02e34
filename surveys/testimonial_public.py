"""The customer's side of a testimonial: allow, change, take back; and the words as other sites read them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from customers.models import Customer
from stores import directory
from stores.middleware import speak
from stores.public import enter_by_token, public_page
from stores.tokens import Purpose
from surveys.models import Testimonial
from surveys.public_forms import CommentField
from surveys.public_views import closed
from surveys.services import testimonials

FEED_SECONDS = 60
FEED_LIMIT = 12


class PermissionForm(forms.Form):
    """The words, the name they are shown under, and the version of the sentence that was read."""

    text = CommentField(
        label=gettext_lazy("Your words"),
        max_length=testimonials.LONGEST,
        min_length=testimonials.SHORTEST,
        error_messages={
            "required": gettext_lazy("Write some words first."),
            "min_length": gettext_lazy("A few words more, please: %(limit_value)d characters at least."),
            "max_length": gettext_lazy(
                "This is longer than %(limit_value)d characters (it has %(show_value)d). Please shorten it a little."
            ),
        },
    )
    name = forms.ChoiceField(label=gettext_lazy("Shown as"), widget=forms.RadioSelect, required=False)
    version = forms.IntegerField()

    def __init__(self, *args: Any, names: list[str], **kwargs: Any) -> None:
        """`names`: what the person may be called; '' is "a customer"."""
        super().__init__(*args, **kwargs)
        self.names = names
        self.fields["name"].choices = [(name, name or _("A customer")) for name in names]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> str:
        """The name that stands chosen."""
        value = str(self["name"].value() or "")
        return value if value in self.names else self.names[0]


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def permission(request: HttpRequest, token: str) -> HttpResponse:
    """May we show your words? Only a POST decides; it can be decided anew at any time."""
    pk = enter_by_token(request, Purpose.TESTIMONIAL, token)
    if pk is None:
        return closed(request, status=404)
    store = request.store  # type: ignore[attr-defined]
    rows = Testimonial.objects.for_store(store).select_related("store", "customer", "response__invitation")
    found = rows.filter(pk=pk).first()
    if found is None or found.customer.erased_at:
        return closed(request, status=410 if found else 404)
    speak(request, found.customer.locale, store.locale)
    names = testimonials.names_of(found.customer)
    if request.method != "POST":
        start = {"text": found.text, "name": found.shown_name}
        return _page(request, found, PermissionForm(initial=start, names=names))
    if request.POST.get("action") == "no":
        testimonials.decline(found, at=timezone.now())
        return redirect("survey:testimonial", token=token)
    return _allow(request, found, PermissionForm(request.POST, names=names), token)


def _allow(request: HttpRequest, found: Testimonial, form: PermissionForm, token: str) -> HttpResponse:
    if not form.is_valid():
        return _page(request, found, form, status=400)
    if form.cleaned_data["version"] != testimonials.PERMISSION_VERSION:
        form.add_error(None, _("What you agree to has changed since you opened this page. Please read it again."))
        return _page(request, found, form, status=409)
    testimonials.allow(
        found,
        text=form.cleaned_data["text"],
        shown_name=form.cleaned_data["name"],
        permission=testimonials.permission_sentence(found.store),
        at=timezone.now(),
    )
    return redirect("survey:testimonial", token=token)


def _page(request: HttpRequest, found: Testimonial, form: PermissionForm, *, status: int = 200) -> HttpResponse:
    context = {
        "one": found,
        "form": form,
        "sentence": testimonials.permission_sentence(found.store),
        "version": testimonials.PERMISSION_VERSION,
        "longest": testimonials.LONGEST,
    }
    return render(request, "surveys/public/testimonial.html", context, status=status)


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def my_words(request: HttpRequest, token: str) -> HttpResponse:
    """Beside "stop our letters": the words of theirs that are shown; a POST takes one back."""
    pk = enter_by_token(request, Purpose.UNSUBSCRIBE, token)
    store = getattr(request, "store", None)
    found = Customer.objects.for_store(store).filter(pk=pk, erased_at=None).first() if pk and store else None
    customer = found.today if found else None
    if customer is None or store is None:
        return closed(request, status=404)
    speak(request, customer.locale, store.locale)
    if request.method == "POST":
        wanted = testimonials.of_customer(customer).filter(public_id=request.POST.get("words", "")).first()
        if wanted:
            testimonials.decline(wanted, at=timezone.now())
        return redirect("survey:my_words", token=token)
    rows = [(one, testimonials.page_url(one)) for one in testimonials.of_customer(customer)]
    return render(request, "surveys/public/my_words.html", {"rows": rows})


@require_safe
def feed(request: HttpRequest, slug: str) -> HttpResponse:
    """What a shop's own site may show: allowed and published words, with the name as agreed and no more."""
    store_id = directory.store_id_by_slug(slug)
    store = directory.enter(store_id) if store_id else None
    if store is None:
        return _open(JsonResponse({"error": "no such store"}, status=404))
    speak(request, store.locale)
    shown = [
        {
            "text": one.text,
            "name": one.name or _("A customer"),
            "language": one.language,
            "gets_rewards": one.rewarded,
        }
        for one in testimonials.feed(store, FEED_LIMIT)
    ]
    return _open(JsonResponse({"store": store.name, "note": note_of(store.name), "testimonials": shown}))


def note_of(name: str) -> str:
    """What stands beside testimonials wherever they are shown: they are a choice, not all that was said."""
    return _("Chosen by %(store)s from what customers wrote, with their permission. These are not all reviews.") % {
        "store": name
    }


def _open(response: HttpResponse) -> HttpResponse:
    """Any site may read it, and keep it for a minute."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = f"public, max-age={FEED_SECONDS}"
    response["Vary"] = "Accept-Language"
    return response
