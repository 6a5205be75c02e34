"""The customers list."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from customers import queries
from customers.models import Customer
from stores.access import for_role
from stores.lists import EXPORT_LIMIT, csv_response, keyset_page
from stores.models import Role, Store


@require_safe
@for_role(Role.MANAGER)
def customer_list(request: HttpRequest, store: Store) -> HttpResponse:
    """Customers, newest first, 50 a page; `q` searches, `chip` filters, `format=csv` downloads."""
    typed, chip = request.GET.get("q", "").replace("\x00", ""), request.GET.get("chip", "")
    found = queries.find(store, typed, chip).select_related("share_link")
    if request.GET.get("format") == "csv":
        newest = found.order_by("-recorded_at", "-pk")[:EXPORT_LIMIT]
        return csv_response("customers", _header(), (_cells(one) for one in newest))
    context = {
        "nav_key": "customers",
        "typed": typed,
        "chip": chip if chip in queries.CHIPS else "",
        "chips": queries.CHIPS,
        "page": keyset_page(found, "recorded_at", request.GET.get("after", "")),
    }
    return render(request, "customers/list.html", context)


def _header() -> list[str]:
    person = [_("Name"), _("E-mail"), _("Phone"), _("Your number")]
    return [*person, _("Agreed to mail"), _("Agreed to texts"), _("Code"), _("Known since")]


def _cells(one: Customer) -> list[object]:
    link = getattr(one, "share_link", None)
    yes, no = _("yes"), _("no")
    consents = [yes if one.email_consent else no, yes if one.sms_consent else no]
    return [one.name, one.email, one.phone, one.external_id, *consents, link.code if link else "", one.recorded_at]
