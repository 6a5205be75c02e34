"""A store's programs: for whom, when, on which terms."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rewards.models import Budget, Terms
from stores.tenancy import PublicModel, TenantKey, TenantOneToOne


class Alone(Func):
    """A number as a range of itself alone, so that && compares it in core Postgres, without btree_gist."""

    function = "int8range"

    def __init__(self, name: str) -> None:
        super().__init__(F(name), F(name), Value("[]"))


class Program(PublicModel):
    """A store's rules for one group of advocates: what both sides get and when a referral counts.

    `terms` is the newest version; what people were shown before stays on their claims and referrals.
    """

    class Audience(models.IntegerChoices):
        CUSTOMERS = 1, _("all customers")
        PARTNERS = 2, _("partners")  # customers with the tag
        STAFF = 3, _("staff")
        STORES = 4, _("a partner store")  # one a partnership, for its customer alone

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        LIVE = "live", _("running")
        PAUSED = "paused", _("paused")
        ENDED = "ended", _("ended")

    MOVES = {
        Status.DRAFT: {Status.LIVE},
        Status.LIVE: {Status.PAUSED, Status.ENDED},
        Status.PAUSED: {Status.LIVE, Status.ENDED},
        Status.ENDED: {Status.LIVE},  # with another end
    }

    name = models.CharField(_("name"), max_length=120)
    audience = models.PositiveSmallIntegerField(_("for"), choices=Audience, default=Audience.CUSTOMERS)
    status = models.CharField(_("status"), max_length=6, choices=Status, default=Status.LIVE)
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)  # None: since ever, also for old orders
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    terms = TenantKey(Terms, models.PROTECT, related_name="programs")
    budget = TenantOneToOne(Budget, models.PROTECT, related_name="program")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="program_public_id"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at=None) | Q(ends_at__gt=F("starts_at")), name="program_ends_later"
            ),
            # Two tier tables at one moment cannot be told apart at one moment (RELIABILITY rule 9).
            ExclusionConstraint(
                name="program_one_at_a_time",
                expressions=[
                    (Alone("store_id"), RangeOperators.OVERLAPS),
                    (Alone("audience"), RangeOperators.OVERLAPS),
                    (
                        Func("starts_at", "ends_at", function="tstzrange", output_field=DateTimeRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(status="live") & ~Q(audience=4),
            ),
        ]

    def is_open(self, at: datetime) -> bool:
        """Whether it runs at `at` (aware UTC)."""
        if self.status != Program.Status.LIVE:
            return False
        return (self.starts_at is None or self.starts_at <= at) and (self.ends_at is None or at < self.ends_at)


class Boost(PublicModel):
    """For a while, what advocates earn is worth more: purchases of friends placed in the window count for it."""

    program = TenantKey(Program, models.PROTECT, related_name="boosts")
    name = models.CharField(_("name"), max_length=80)
    percent = models.PositiveSmallIntegerField(_("percent of the usual reward"), default=200)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="boost_public_id"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="boost_ends_later"),
            models.CheckConstraint(condition=Q(percent__gt=100, percent__lte=1000), name="boost_is_more"),
        ]
