"""The counter's own rows: what the owner allows, what a device redeemed without a line, people's PINs."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rewards.models import Redemption
from stores.models import Location, Membership, User
from stores.tenancy import PublicModel, StoreModel, TenantKey, TenantOneToOne


class CounterSettings(StoreModel):
    """How far a device at the counter may go while it has no line. One row a store; none: the defaults."""

    works_offline = models.BooleanField(_("redeem without internet"), default=True)
    most_held = models.PositiveSmallIntegerField(
        _("codes that one device may hold, at most"), default=20, validators=[MinValueValidator(1)]
    )
    most_minor = models.BigIntegerField(_("what they may take off together, at most"), null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store"], name="countersettings_once")]


class Held(PublicModel):
    """A code that a device redeemed without a line, as the server answered when it heard of it.

    Its public_id is the key that the device gave it, and the public_id of the redemption that came of it:
    so the same one may be sent again and again. A refused one is a conflict: something was taken off a
    bill, and no redemption stands for it.
    """

    class Status(models.TextChoices):
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")

    class Odd(models.TextChoices):
        """Why a manager should look at one that counts."""

        OVER = "over", _("more than you allow")
        NO_PERMIT = "permit", _("what this device was allowed could not be read")
        LATE = "late", _("sent a week after it was given, or later")
        LEFT = "left", _("by somebody who works here no more")

    device = models.CharField(max_length=20)
    permit = models.CharField(max_length=20)  # what was held under one permit is one time without a line
    digest = models.CharField(max_length=64)  # of what was sent: the same key with other facts is refused
    code = models.CharField(max_length=40)  # normalised
    amount_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField()  # what the device took off
    currency = models.CharField(max_length=3)
    given_at = models.DateTimeField()  # as the device's clock said, within its permit
    received_at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    location = TenantKey(Location, models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=7, choices=Status)
    reason = models.CharField(max_length=20, blank=True)  # of a refusal: rewards.rules.Reason, or "changed"
    odd = models.CharField(max_length=6, choices=Odd, blank=True)
    # Its own; of a refused one the redemption that stands in its way, where there is one.
    redemption = TenantKey(Redemption, models.PROTECT, null=True, related_name="held")
    settled_at = models.DateTimeField(null=True)  # a manager has seen to it
    settled_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="held_public_id"),
            models.CheckConstraint(
                condition=Q(discount_minor__gte=0, amount_minor__gte=models.F("discount_minor")),
                name="held_within_bill",
            ),
        ]
        indexes = [
            models.Index(fields=["store", "permit"], name="held_of_permit"),
            # services.replaying.conflicts
            models.Index(
                fields=["store", "-received_at"],
                condition=Q(settled_at=None) & (Q(status="refused") | ~Q(odd="")),
                name="held_conflicts",
            ),
            models.Index(fields=["store", "-received_at"], name="held_recent"),
        ]


class Pin(StoreModel):
    """By which somebody takes over a device at the counter that a colleague is logged in at; a hash only."""

    membership = TenantOneToOne(Membership, models.CASCADE, related_name="pin")
    hash = models.CharField(max_length=128)
    changed_at = models.DateTimeField()
