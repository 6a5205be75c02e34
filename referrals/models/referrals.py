"""Who sent whom, and what speaks for and against it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Order
from referrals.models.links import ShareLink
from referrals.models.programs import Program
from rewards.models import Commitment, Terms
from stores.models import User
from stores.tenancy import PublicModel, StoreModel, StoreQuerySet, TenantKey, TenantOneToOne


class ReferralQuerySet(StoreQuerySet):
    """Referrals of a store."""

    def due(self, at: datetime) -> ReferralQuerySet:
        """Pending referrals past their hold whose order still stands; `at` is aware UTC."""
        pending = self.filter(status=Referral.Status.PENDING, order__refunded_at=None, order__cancelled_at=None)
        return pending.filter(hold_until__lte=at).order_by("hold_until")

    def in_force(self) -> ReferralQuerySet:
        """Those that say whom an order is credited to now: at most one an order."""
        return self.filter(replaced_at=None)


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
        RECEIPT = "receipt", _("gave the code from a receipt or parcel")
        CLAIM = "claim", _("had taken the gift with this e-mail or phone")
        VISIT = "visit", _("came to the shop by the link")
        NAME = "name", _("named the customer")
        STAFF = "staff", _("the store says so")

    class Reason(models.TextChoices):
        NONE = "", ""
        OWN_CODE = "own_code", _("it was their own code")
        KNOWN_CUSTOMER = "known_customer", _("the friend had bought here before")
        REFUNDED = "refunded", _("the order was refunded")
        CANCELLED = "cancelled", _("the order was cancelled")
        STAFF = "staff", _("the store decided so")
        UNDONE = "undone", _("the redemption was undone")
        PAUSED = "paused", _("the program was paused")
        FULL = "full", _("the program's budget or places were used up")
        TOO_SMALL = "too_small", _("the purchase was below the smallest that counts")
        OTHER_PRODUCTS = "other_products", _("nothing was bought that counts")
        HOUSEHOLD = "household", _("somebody of the same household was here before")
        CHECKS = "checks", _("the checks refused it")
        BLOCKED = "blocked", _("the store has blocked them")
        LIMIT = "limit", _("the customer had reached the most that is rewarded")
        MERGED = "merged", _("both are the same person")
        REPLACED = "replaced", _("somebody else was credited in its place")

    MOVES = {  # every legal step: from -> to
        Status.PENDING: {Status.FLAGGED, Status.APPROVED, Status.VOIDED},
        Status.FLAGGED: {Status.APPROVED, Status.VOIDED},
        Status.APPROVED: {Status.VOIDED},
    }

    program = TenantKey(Program, models.PROTECT)
    advocate = TenantKey(Customer, models.PROTECT, related_name="referrals_made", db_index=False)
    friend = TenantKey(Customer, models.PROTECT, null=True, related_name="referrals_received")
    order = TenantKey(Order, models.PROTECT, related_name="referrals")
    replaced_at = models.DateTimeField(null=True)  # staff credited somebody else with the order
    link = TenantKey(ShareLink, models.PROTECT, related_name="referrals")
    # Those the friend was shown, else those of the day: a later change of the program does not touch them.
    terms = TenantKey(Terms, models.PROTECT, related_name="referrals")
    promise = TenantOneToOne(Commitment, models.PROTECT, null=True, related_name="referral")  # to the advocate
    evidence = models.CharField(max_length=8, choices=Evidence)
    # Everybody who could have been credited, the chosen one first: see referrals.crediting.as_rows.
    candidates = models.JSONField(default=list)
    score = models.PositiveIntegerField(default=0)  # the sum of its signals' weights
    examined_at = models.DateTimeField(null=True)  # when the checks last looked at it
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
            # An order is credited once.
            models.UniqueConstraint(
                fields=["store", "order"], condition=Q(replaced_at=None), name="referral_order_once"
            ),
            models.CheckConstraint(
                condition=Q(replaced_at=None) | Q(status="voided"), name="referral_replaced_is_voided"
            ),
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
            # fraud.examining
            models.Index(
                fields=["store", "examined_at"],
                condition=Q(status__in=["pending", "flagged"]),
                name="referral_examined",
            ),
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


class Signal(StoreModel):
    """Something about a referral that makes one look twice; once a name. `detail` says with whom or what it agrees."""

    referral = TenantKey(Referral, models.PROTECT, related_name="signals", db_index=False)
    name = models.CharField(max_length=24)  # referrals.fraud.rules
    weight = models.PositiveSmallIntegerField()  # as it was that day
    detail = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "referral", "name"], name="signal_once")]
        indexes = [models.Index(fields=["store", "name", "-at"], name="signal_of_name")]


class CheckSettings(StoreModel):
    """How strict a store's checks are: a score from `hold_at` on waits for a person, from `refuse_at` on is refused."""

    hold_at = models.PositiveSmallIntegerField(_("a person looks from"), default=40)
    refuse_at = models.PositiveSmallIntegerField(_("refused from"), default=100)
    weights = models.JSONField(default=dict)  # signal -> the store's own weight
    weights_follow = models.BooleanField(_("weights follow what people decide"), default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store"], name="checksettings_once"),
            models.CheckConstraint(condition=Q(refuse_at__gte=models.F("hold_at")), name="checksettings_in_order"),
        ]


class Block(PublicModel):
    """Somebody whose referrals do not count: an e-mail, phone, device, card, or a whole mail domain."""

    class What(models.TextChoices):
        EMAIL = "email", _("e-mail")
        PHONE = "phone", _("phone")
        DOMAIN = "domain", _("mail domain")
        DEVICE = "device", _("device")
        CARD = "card", _("payment card")

    what = models.CharField(max_length=6, choices=What)
    value_hash = models.CharField(max_length=64)
    shown = models.CharField(max_length=80)  # masked
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="block_public_id"),
            models.UniqueConstraint(
                fields=["store", "what", "value_hash"], condition=Q(lifted_at=None), name="block_once"
            ),
        ]


class Appeal(PublicModel):
    """A customer says that a friend is missing, or that a decision is wrong: once each; lands in approvals."""

    class Kind(models.TextChoices):
        MISSING = "missing", _("a friend is missing")
        DECISION = "decision", _("this should count")

    class Status(models.TextChoices):
        OPEN = "open", _("waits for an answer")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")

    MOVES = {Status.OPEN: {Status.ACCEPTED, Status.DECLINED}}

    kind = models.CharField(max_length=8, choices=Kind)
    customer = TenantKey(Customer, models.PROTECT, related_name="appeals")
    referral = TenantKey(Referral, models.PROTECT, null=True, related_name="appeals")
    friend_name = models.CharField(max_length=120, blank=True)
    friend_contact = models.CharField(max_length=254, blank=True)
    order_number = models.CharField(max_length=120, blank=True)
    words = models.TextField(blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    answer = models.TextField(blank=True)
    at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="appeal_public_id"),
            models.UniqueConstraint(
                fields=["store", "referral"], condition=Q(kind="decision"), name="appeal_once_a_referral"
            ),
        ]
        indexes = [models.Index(fields=["store", "at"], condition=Q(status="open"), name="appeal_open")]
