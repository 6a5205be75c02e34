"""Referrals: list them, decide about them."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from checkout.api import answers, paging, shapes
from checkout.api.base import ApiView, get_or_404
from checkout.api.fields import bad_field, checked, read_time
from checkout.api.vouchers import Nothing
from referrals.models import Referral
from referrals.services import deciding
from stores.models import AuditEvent
from stores.problems import Problem
from stores.tenancy import StoreQuerySet

NO_ROOM = "The program's budget has no room for what this referral earns. Raise it, then approve; nothing is lost."
NO_PLACE = "It does not count: the program's budget or places were used up. Raise them, then credit the order by hand."
JOINED = ("advocate", "friend", "order", *deciding.JOINED)


class Referrals(ApiView):
    """`GET referrals/`."""

    scope = "referrals"
    parameters = ("status", "since", *paging.PARAMETERS)

    @extend_schema(
        operation_id="referrals_list",
        responses=answers.page_of(answers.ReferralOut),
        parameters=[
            OpenApiParameter("status", str, enum=Referral.Status.values),
            OpenApiParameter("since", OpenApiTypes.DATETIME, description="Made at this time or later."),
            *(OpenApiParameter(name, str) for name in paging.PARAMETERS),
        ],
    )
    def get(self, request: Request) -> Response:
        """Referrals, newest first."""
        rows = Referral.objects.for_store(self.store).select_related(*JOINED[:3])
        status, since = request.query_params.get("status"), request.query_params.get("since")
        if status is not None:
            if status not in Referral.Status.values:
                raise bad_field("status", f"Send one of {', '.join(Referral.Status.values)}.")
            rows = rows.filter(status=status)
        if since is not None:
            rows = rows.filter(created_at__gte=_since(since))
        return paging.paged(request, rows, shapes.referral)


def _since(typed: str) -> datetime:
    """The time; a + that was not percent-encoded arrives as a space."""
    try:
        return read_time(typed.replace(" ", "+"))
    except ValidationError as error:
        raise bad_field("since", str(error.detail[0])) from error  # type: ignore[index]


class Decide(ApiView):
    """`POST referrals/{public_id}/approve/` and `/void/`; saying it again changes nothing."""

    scope = "referrals"
    wanted: Referral.Status

    def referral(self, public_id: str) -> Referral:
        """The store's referral of that name."""
        rows: StoreQuerySet = Referral.objects.for_store(self.store).select_related(*JOINED)
        found: Referral = get_or_404(rows, public_id)
        return found

    def answer(self, referral: Referral, moved: bool) -> Response:
        """The referral as it stands; 409 when it went another way before."""
        referral = self.referral(referral.public_id)
        if referral.status != self.wanted:
            raise _refusal(referral)
        if moved:
            AuditEvent.objects.create(
                store=self.store,
                at=timezone.now(),
                action=f"referral.{self.wanted}",
                subject=referral.public_id,
                after={"api_key": self.key.prefix},
            )
        return Response(shapes.referral(referral))


def _refusal(referral: Referral) -> Problem:
    """Why it is not as it was wanted."""
    if deciding.lacks_room(referral):
        return Problem(409, "no-room", NO_ROOM)
    if referral.reason == Referral.Reason.FULL:
        return Problem(409, "no-room", NO_PLACE)
    return Problem(409, "already-decided", f"This referral is {referral.status}; that is final.")


class Approve(Decide):
    """Count it, also before its return window ends."""

    wanted = Referral.Status.APPROVED

    @extend_schema(request=Nothing, responses=answers.ReferralOut)
    def post(self, request: Request, public_id: str) -> Response:
        """Approve a referral and grant both sides their rewards."""
        checked(Nothing(data=request.data))
        found = self.referral(public_id)
        return self.answer(found, deciding.approve_referral(found, at=timezone.now(), by_hand=True))


class Void(Decide):
    """Do not count it, and take back what it brought."""

    wanted = Referral.Status.VOIDED

    @extend_schema(request=Nothing, responses=answers.ReferralOut)
    def post(self, request: Request, public_id: str) -> Response:
        """Void a referral."""
        checked(Nothing(data=request.data))
        found = self.referral(public_id)
        moved = deciding.void_referral(found, reason=Referral.Reason.STAFF, at=timezone.now())
        return self.answer(found, moved)
