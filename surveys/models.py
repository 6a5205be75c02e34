"""How people feel, and how the unhappy are helped."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Order
from outreach.models import Message
from stores.models import User
from stores.tenancy import PublicModel, StoreModel, TenantKey, TenantOneToOne


class Invitation(PublicModel):
    """The question about one order, due when its value has shown; at most one an order."""

    class Status(models.TextChoices):
        PLANNED = "planned", _("planned")
        INVITED = "invited", _("asked")
        SKIPPED = "skipped", _("not asked")

    MOVES = {Status.PLANNED: {Status.INVITED, Status.SKIPPED}}

    order = TenantOneToOne(Order, models.PROTECT, related_name="invitation")
    customer = TenantKey(Customer, models.PROTECT, related_name="invitations")
    status = models.CharField(max_length=8, choices=Status, default=Status.PLANNED)
    reason = models.CharField(max_length=40, blank=True)
    due_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    message = TenantOneToOne(Message, models.PROTECT, null=True, related_name="invitation")
    product_name = models.CharField(max_length=250, blank=True)
    late = models.BooleanField(default=False)
    silent_ask_at = models.DateTimeField(null=True)  # when to look again, if they stay silent

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "public_id"], name="invitation_public_id")]
        indexes = [
            models.Index(fields=["store", "due_at"], condition=Q(status="planned"), name="invitation_due"),
            models.Index(fields=["store", "customer", "-due_at"], name="invitation_of_customer"),
            # the messages page, "did not go out"
            models.Index(fields=["store", "-due_at"], condition=Q(status="skipped"), name="invitation_skipped"),
            # referrals.tasks.ask_silent
            models.Index(fields=["store", "silent_ask_at"], condition=~Q(silent_ask_at=None), name="invitation_silent"),
        ]


class Response(PublicModel):
    """An answer, 0 to 10 and a comment. It may be changed for 14 days; `version` counts changes."""

    invitation = TenantOneToOne(Invitation, models.PROTECT, related_name="response")
    customer = TenantKey(Customer, models.PROTECT, related_name="responses")
    score = models.PositiveSmallIntegerField()
    comment = models.TextField(blank=True)
    at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    ask_shown_at = models.DateTimeField(null=True)  # the ask on the answer page

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="response_public_id"),
            models.CheckConstraint(condition=Q(score__lte=10), name="response_score"),
        ]
        indexes = [
            models.Index(fields=["store", "-at"], name="response_recent"),
            models.Index(fields=["store", "customer"], name="response_of_customer"),
        ]


class ResponseEvent(StoreModel):
    """What an answer said before and after each change; append-only."""

    response = TenantKey(Response, models.PROTECT, related_name="events")
    score = models.PositiveSmallIntegerField()
    comment = models.TextField(blank=True)
    at = models.DateTimeField()


class RecoveryCase(PublicModel):
    """An unhappy person to be helped. While it is open they are asked for nothing."""

    class Status(models.TextChoices):
        OPEN = "open", _("waiting")
        SOLVED = "solved", _("solved")
        CLOSED = "closed", _("closed without a solution")

    MOVES = {
        Status.OPEN: {Status.SOLVED, Status.CLOSED},
        Status.SOLVED: {Status.OPEN},
        Status.CLOSED: {Status.OPEN},
    }

    response = TenantOneToOne(Response, models.PROTECT, related_name="case")
    customer = TenantKey(Customer, models.PROTECT, related_name="cases")
    status = models.CharField(max_length=6, choices=Status, default=Status.OPEN)
    assignee = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    opened_at = models.DateTimeField()
    promise_at = models.DateTimeField()  # by when somebody answers them
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "public_id"], name="case_public_id")]
        indexes = [
            models.Index(fields=["store", "promise_at"], condition=Q(status="open"), name="case_open"),
            models.Index(fields=["store", "customer"], name="case_of_customer"),
        ]


class CaseEvent(StoreModel):
    """A step or a note of a case; append-only."""

    case = TenantKey(RecoveryCase, models.PROTECT, related_name="events")
    status = models.CharField(max_length=6, choices=RecoveryCase.Status)
    note = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
