"""Customers: look somebody up, and what sharing has brought them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from checkout.api import answers, paging, shapes
from checkout.api.base import ApiView, get_or_404
from checkout.api.fields import bad_field, checked
from checkout.api.particulars import ParticularsIn
from checkout.api.people import BAD_EMAIL, BAD_PHONE
from customers import particulars, tagging
from customers.models import Customer
from customers.rules import BadEmail, BadPhone, normal_email, normal_phone
from referrals.models import Program, Referral
from referrals.services.links import landing_url, share_link_of, share_page_url
from referrals.services.programs import program_of
from rewards.models import Tier
from rewards.services import ledger
from stores.models import Store

FILTERS = ("email", "phone", "external_id")


class Customers(ApiView):
    """`GET customers/`."""

    scope = "customers"
    parameters = (*FILTERS, *paging.PARAMETERS)

    @extend_schema(
        operation_id="customers_list",
        responses=answers.page_of(answers.CustomerOut),
        parameters=[OpenApiParameter(name, str) for name in parameters],
    )
    def get(self, request: Request) -> Response:
        """Customers, newest first; by e-mail, phone or the shop's own id."""
        wanted = {name: request.query_params[name] for name in FILTERS if name in request.query_params}
        rows = Customer.objects.for_store(self.store).filter(merged_into=None)
        if wanted:
            rows = rows.filter(pk__in=_as_known_today(self.store, wanted))
        return paging.paged(request, rows, shapes.customer)


def _as_known_today(store: Store, wanted: dict[str, str]) -> list[int]:
    """Ids of those who go by these names; a name of a row that was merged away is its survivor's."""
    found = Customer.objects.for_store(store).filter(**_columns(store, wanted))
    return [merged_into or pk for pk, merged_into in found.values_list("pk", "merged_into")]


def _columns(store: Store, wanted: dict[str, str]) -> dict[str, str]:
    """The indexed columns and values that the query's words mean."""
    found: dict[str, str] = {}
    try:
        if "email" in wanted:
            found["email_norm"] = normal_email(wanted["email"]) or "-"
        if "phone" in wanted:  # a + that was not percent-encoded arrives as a space
            found["phone_norm"] = normal_phone(_with_plus(wanted["phone"]), store.country) or "-"
    except BadEmail as error:
        raise bad_field("email", BAD_EMAIL) from error
    except BadPhone as error:
        raise bad_field("phone", BAD_PHONE) from error
    if "external_id" in wanted:
        found["external_id"] = wanted["external_id"].strip() or "-"
    return found


def _with_plus(typed: str) -> str:
    return "+" + typed[1:] if typed.startswith(" ") else typed


class CustomerDetail(ApiView):
    """`GET` and `PATCH customers/{public_id}/`."""

    scope = "customers"

    @extend_schema(responses=answers.CustomerDetailOut)
    def get(self, request: Request, public_id: str) -> Response:
        """One customer with their share link, store credit and tier.

        The id of a customer who was found to be another one gives that other one: `public_id` is theirs.
        """
        rows = Customer.objects.for_store(self.store).select_related("store", "merged_into__store")
        return self._answer(get_or_404(rows, public_id).today)

    @extend_schema(request=ParticularsIn, responses=answers.CustomerDetailOut)
    def patch(self, request: Request, public_id: str) -> Response:
        """Write down what you know about a customer besides their orders; what is left out stays as it is."""
        values = checked(ParticularsIn(data=request.data))
        rows = Customer.objects.for_store(self.store).filter(erased_at=None)
        known_as = get_or_404(rows.select_related("merged_into"), public_id).today.public_id
        one = get_or_404(rows.select_for_update(), known_as)  # what is left out must stay what a twin made it
        known = (one.birth_month, one.birth_day) if one.birth_month and one.birth_day else None
        try:
            particulars.change(
                one,
                birthday=values.get("birthday", known),
                time_zone=values.get("time_zone", one.time_zone),
                postal_address=values.get("address", one.postal_address),
            )
        except particulars.BadParticular as error:
            raise bad_field("time_zone", "This is no time zone of the IANA database.") from error
        if "tags" in values:
            tagging.set_tags(one, values["tags"])
        return self._answer(one)

    def _answer(self, one: Customer) -> Response:
        link = share_link_of(one, at=timezone.now())
        approved = Referral.objects.for_store(self.store).filter(advocate=one, status=Referral.Status.APPROVED).count()
        return Response(
            {
                **shapes.customer(one),
                "birthday": f"{one.birth_month:02}-{one.birth_day:02}" if one.birth_month and one.birth_day else None,
                "time_zone": one.time_zone,
                "address": one.postal_address,
                "tags": tagging.tags_of(one),
                "share_url": landing_url(link),
                "advocate_url": share_page_url(one),
                "code": link.code,
                "balance": ledger.credit_balance(self.store, one, self.store.currency),
                "currency": self.store.currency,
                "approved_referrals": approved,
                "tier": _tier(program_of(self.store), approved),
            }
        )


def _tier(program: Program, approved: int) -> dict[str, Any] | None:
    """The highest step that `approved` referrals have reached."""
    each = program.terms.ladder.tiers.filter(gives=Tier.Gives.EACH, threshold__lte=approved)
    reached = each.order_by("-threshold").first()
    return {"name": reached.name, "threshold": reached.threshold} if reached else None
