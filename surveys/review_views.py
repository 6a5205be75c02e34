"""Public review pages, shown to everybody alike."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.validators import URLValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from stores.access import for_role, me
from stores.models import Role, Store
from stores.services import change_settings

MOST = 6


class ReviewForm(forms.Form):
    """A page where people may write about the store; one that is emptied goes."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "Google"}),
    )
    url = forms.URLField(
        label=gettext_lazy("Address"),
        max_length=500,
        required=False,
        assume_scheme="https",
        widget=forms.URLInput(attrs={"dir": "ltr", "placeholder": "https://"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = gettext_lazy("Write the whole address, beginning with https://")
        self.fields["url"].validators = [URLValidator(schemes=["http", "https"], message=words)]
        self.fields["url"].error_messages["invalid"] = words

    def clean(self) -> dict[str, Any]:
        """A name and an address, or neither."""
        values = super().clean() or self.cleaned_data
        if values.get("url") and not values.get("name") and "name" not in self.errors:
            self.add_error("name", _("What is it called? For example Google or Trustpilot."))
        if values.get("name") and not values.get("url") and "url" not in self.errors:
            self.add_error("url", _("Write its address, or empty the name as well."))
        return values


Reviews = forms.formset_factory(ReviewForm, extra=1, max_num=MOST, validate_max=True)


@for_role(Role.OWNER)
@require_http_methods(["GET", "POST"])
def reviews(request: HttpRequest, store: Store) -> HttpResponse:
    """The pages, in the order they are shown; POST puts what was typed in their place."""
    formset = Reviews(request.POST or None, initial=store.review_links, prefix="pages")
    if request.method == "POST" and formset.is_valid():
        typed = [form.cleaned_data for form in formset.forms]
        links = [{"name": one["name"], "url": one["url"]} for one in typed if one.get("name")]
        changed = change_settings(store, {"review_links": links}, by=me(request), at=timezone.now())
        messages.success(request, _("Saved.") if changed else _("Nothing was different, so nothing changed."))
        return redirect("surveys:reviews", store=store.slug)
    context = {"nav_key": "settings", "tab": "reviews", "formset": formset, "most": MOST}
    status = 422 if request.method == "POST" else 200
    return render(request, "surveys/dashboard/reviews.html", context, status=status)
