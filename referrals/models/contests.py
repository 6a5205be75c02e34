"""Contests: who brings the most friends in a window."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from rewards.models import Offer, Reward
from stores.tenancy import PublicModel, StoreModel, TenantKey, TenantOneToOne


class Contest(PublicModel):
    """A window, ranked prizes, and something for everyone with one friend. Ties go to who got there first."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("announced")
        CLOSED = "closed", _("closed")
        CANCELLED = "cancelled", _("called off")

    MOVES = {
        Status.DRAFT: {Status.OPEN, Status.CANCELLED},
        Status.OPEN: {Status.DRAFT, Status.CLOSED, Status.CANCELLED},  # a draft again: before it begins
        Status.CANCELLED: {Status.DRAFT, Status.OPEN},  # undone: as it was
    }

    name = models.CharField(_("name"), max_length=120)
    rules = models.TextField(_("rules"), blank=True)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    settle_days = models.PositiveSmallIntegerField(_("days after the end until it is closed"), default=14)
    consolation = TenantKey(Offer, models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="contest_public_id"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="contest_ends_later"),
        ]

    @property
    def settles_at(self) -> datetime:
        """When it is closed by itself: returns of its last purchases are known by then."""
        return self.ends_at + timedelta(days=self.settle_days)

    def state_at(self, at: datetime) -> str:
        """Its status; of one that is announced whether it is `coming`, `running`, or `settling` after its end."""
        if self.status != Contest.Status.OPEN:
            return str(self.status)
        return "coming" if at < self.starts_at else "running" if at < self.ends_at else "settling"


class Prize(StoreModel):
    """What the places from `first` to `last` win."""

    contest = TenantKey(Contest, models.PROTECT, related_name="prizes")
    first = models.PositiveSmallIntegerField(_("from place"))
    last = models.PositiveSmallIntegerField(_("to place"))
    offer = TenantKey(Offer, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(first__gte=1, last__gte=F("first")), name="prize_places"),
            models.UniqueConstraint(fields=["store", "contest", "first"], name="prize_once"),
        ]


class Standing(StoreModel):
    """Where somebody came in, written down when the contest is closed; append-only."""

    contest = TenantKey(Contest, models.PROTECT, related_name="standings")
    customer = TenantKey(Customer, models.PROTECT, related_name="standings")
    place = models.PositiveIntegerField()
    friends = models.PositiveIntegerField()
    reached_at = models.DateTimeField()  # when the last of them bought
    reward = TenantOneToOne(Reward, models.PROTECT, null=True, related_name="standing")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "contest", "customer"], name="standing_once"),
            models.UniqueConstraint(fields=["store", "contest", "place"], name="standing_place"),
        ]
