"""Who sent whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Order
from rewards.models import Ladder, Offer, Voucher
from stores.models import User
from stores.tenancy import PublicModel, StoreModel, StoreQuerySet, TenantKey, TenantOneToOne


class Program(PublicModel):
    """A store's rules: what both sides get and when a referral counts."""

    class Status(models.TextChoices):
        LIVE = "live", _("running")
        PAUSED = "paused", _("paused")

    name = models.CharField(_("name"), max_length=120)
    status = models.CharField(_("status"), max_length=6, choices=Status, default=Status.LIVE)
    friend_offer = TenantKey(Offer, models.PROTECT)
    ladder = TenantKey(Ladder, models.PROTECT)
    hold_days = models.PositiveSmallIntegerField(_("days until a referral counts"), default=14)
    claim_days = models.PositiveSmallIntegerField(_("days a friend may take"), default=60)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store"], name="program_one_a_store"),
            models.UniqueConstraint(fields=["store", "public_id"], name="program_public_id"),
        ]


class ShareLink(PublicModel):
    """An advocate's link and code. `code` is shown (SARA-7K2Q9), `code_norm` is compared.

    Unique over all stores, because /r/<code> names no store; codes are ours and random, so that
    tells nobody anything.
    """

    program = TenantKey(Program, models.PROTECT)
    customer = TenantOneToOne(Customer, models.PROTECT, related_name="share_link")
    code = models.CharField(max_length=24)
    code_norm = models.CharField(max_length=24, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    shared_at = models.DateTimeField(null=True)  # first tap on a share button

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "public_id"], name="sharelink_public_id")]


class Visit(StoreModel):
    """One person's opening of a share link in one hour; bots are kept apart."""

    link = TenantKey(ShareLink, models.PROTECT, related_name="visits")
    visitor = models.CharField(max_length=32)  # keyed hash of address and browser, changes daily
    hour = models.DateTimeField()
    at = models.DateTimeField()
    is_bot = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "link", "visitor", "hour"], name="visit_once")]
        indexes = [models.Index(fields=["store", "at"], condition=Q(is_bot=False), name="visit_recent")]


class Claim(PublicModel):
    """A friend takes the gift: name and e-mail or phone. One a person and store."""

    link = TenantKey(ShareLink, models.PROTECT, related_name="claims")
    friend = TenantKey(Customer, models.PROTECT, related_name="claims")
    voucher = TenantOneToOne(Voucher, models.PROTECT, null=True, related_name="claim")
    at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "friend"], name="claim_once"),
            models.UniqueConstraint(fields=["store", "public_id"], name="claim_public_id"),
        ]
        indexes = [models.Index(fields=["store", "-at"], name="claim_recent")]  # services.friends


class ReferralQuerySet(StoreQuerySet):
    """Referrals of a store."""

    def due(self, at: datetime) -> ReferralQuerySet:
        """Pending referrals past their hold whose order still stands; `at` is aware UTC."""
        pending = self.filter(status=Referral.Status.PENDING, order__refunded_at=None, order__cancelled_at=None)
        return pending.filter(hold_until__lte=at).order_by("hold_until")


class Referral(PublicModel):
    """A friend's first order, credited to the advocate whose share link led to it."""

    class Status(models.TextChoices):
        PENDING = "pending", _("waiting")  # credited; the return window is open
        FLAGGED = "flagged", _("needs a look")  # a check asks for a person's eye
        APPROVED = "approved", _("counted")  # counts towards the advocate's tier
        VOIDED = "voided", _("does not count")  # refund, own code, known customer, staff decision; final

    class Evidence(models.TextChoices):
        VOUCHER = "voucher", _("used the gift they had taken")
        CODE = "code", _("gave the code")
        CLAIM = "claim", _("had taken the gift with this e-mail or phone")

    class Reason(models.TextChoices):
        NONE = "", ""
        OWN_CODE = "own_code", _("it was their own code")
        KNOWN_CUSTOMER = "known_customer", _("the friend had bought here before")
        REFUNDED = "refunded", _("the order was refunded")
        CANCELLED = "cancelled", _("the order was cancelled")
        STAFF = "staff", _("the store decided so")
        UNDONE = "undone", _("the redemption was undone")
        PAUSED = "paused", _("the program was paused")

    MOVES = {  # every legal step: from -> to
        Status.PENDING: {Status.FLAGGED, Status.APPROVED, Status.VOIDED},
        Status.FLAGGED: {Status.APPROVED, Status.VOIDED},
        Status.APPROVED: {Status.VOIDED},
    }

    program = TenantKey(Program, models.PROTECT)
    advocate = TenantKey(Customer, models.PROTECT, related_name="referrals_made")
    friend = TenantKey(Customer, models.PROTECT, null=True, related_name="referrals_received")
    order = TenantOneToOne(Order, models.PROTECT, related_name="referral")  # credited once
    link = TenantKey(ShareLink, models.PROTECT, related_name="referrals")
    # The terms at the moment it was credited: a later change of the program does not touch them.
    friend_offer = TenantKey(Offer, models.PROTECT, related_name="+")
    ladder = TenantKey(Ladder, models.PROTECT, related_name="+")
    evidence = models.CharField(max_length=8, choices=Evidence)
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    reason = models.CharField(max_length=16, choices=Reason, blank=True)
    created_at = models.DateTimeField()
    hold_until = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    number = models.PositiveIntegerField(null=True)  # the advocate's how-manieth approved one
    objects: ClassVar[models.Manager[Any]] = ReferralQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="referral_public_id"),
            # A friend brings a reward once, whoever sent them.
            models.UniqueConstraint(
                fields=["store", "friend"],
                condition=~Q(status="voided") & ~Q(friend=None),
                name="referral_friend_once",
            ),
        ]
        indexes = [
            # tasks.approve_due
            models.Index(fields=["store", "hold_until"], condition=Q(status="pending"), name="referral_due"),
            models.Index(fields=["store", "advocate", "status"], name="referral_of_advocate"),
            models.Index(fields=["store", "-created_at"], name="referral_recent"),
            # services.friends: who counts since lately
            models.Index(fields=["store", "-decided_at"], condition=Q(status="approved"), name="referral_counted"),
        ]


class ReferralEvent(StoreModel):
    """A step of a referral; append-only."""

    referral = TenantKey(Referral, models.PROTECT, related_name="events")
    status = models.CharField(max_length=8, choices=Referral.Status)
    reason = models.CharField(max_length=16, choices=Referral.Reason, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
