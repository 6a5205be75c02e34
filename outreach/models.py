"""What we say, when, through what; once."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Customer
from stores.tenancy import PublicModel, StoreModel, TenantKey


class Kind(models.TextChoices):
    """What a message is about. Its purpose (service or marketing) is fixed here, not by the store."""

    SURVEY = "survey", _("How was it?")
    ASK = "ask", _("Put in a good word")
    REWARD = "reward", _("Your reward is ready")
    GIFT = "gift", _("Your gift")  # to the friend, right after the claim

    @property
    def is_marketing(self) -> bool:
        """Needs consent, obeys holds and carries an unsubscribe header."""
        return self is Kind.ASK

    @property
    def counts_for_cooldown(self) -> bool:
        """Keeps other questions away from the person for a while."""
        return self in (Kind.SURVEY, Kind.ASK)

    @property
    def is_transactional(self) -> bool:
        """Answers something the person just did; needs no unsubscribe header."""
        return self is Kind.GIFT


class Message(PublicModel):
    """One message to one person, due at a time, for one fact (`key`).

    This table is the queue: see `outreach.services.dispatch` for how a row is claimed. `context`
    holds what its template needs and `links` (survey, share, unsubscribe).
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        UNKNOWN = "unknown", _("not known whether it was sent")  # never sent again by itself
        FAILED = "failed", _("refused")
        SKIPPED = "skipped", _("not sent")  # `reason` says why

    MOVES = {
        Status.PENDING: {Status.SENDING, Status.SKIPPED},
        Status.SENDING: {Status.SENT, Status.FAILED, Status.UNKNOWN, Status.PENDING},
        Status.UNKNOWN: {Status.SENT, Status.PENDING},
    }

    customer = TenantKey(Customer, models.PROTECT, related_name="messages")
    kind = models.CharField(max_length=20, choices=Kind)
    channel = models.CharField(max_length=5, choices=Channel, blank=True)  # '' when no way was found
    key = models.CharField(max_length=120)
    context = models.JSONField(default=dict)
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    reason = models.CharField(max_length=40, blank=True)
    due_at = models.DateTimeField()
    not_after = models.DateTimeField(null=True)  # later than this it would be harm, not news
    created_at = models.DateTimeField(default=timezone.now)
    to = models.CharField(max_length=254, blank=True)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    started_at = models.DateTimeField(null=True)  # the hand-over began: from here on it may have arrived
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    provider_id = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "key"], name="message_once"),
            models.UniqueConstraint(fields=["store", "public_id"], name="message_public_id"),
        ]
        indexes = [
            # services.claim
            models.Index(fields=["store", "due_at"], condition=Q(status="pending"), name="message_due"),
            # services.settle_expired_leases
            models.Index(fields=["lease_until"], condition=Q(status="sending"), name="message_leased"),
            models.Index(fields=["store", "customer", "-due_at"], name="message_of_customer"),
            models.Index(fields=["store", "-due_at"], name="message_recent"),
            models.Index(fields=["store", "due_at"], condition=Q(status="unknown"), name="message_unknown"),
        ]


class MessageEvent(StoreModel):
    """A step a message took; append-only."""

    message = TenantKey(Message, models.PROTECT, related_name="events")
    status = models.CharField(max_length=8, choices=Message.Status)
    reason = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField()


class Suppression(StoreModel):
    """An address never to write to, with what closed it. Survives re-imports and erasure."""

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", _("asked not to")
        BOUNCED = "bounced", _("address does not work")
        COMPLAINED = "complained", _("marked as spam")

    channel = models.CharField(max_length=5, choices=Channel)
    address_hash = models.CharField(max_length=64)  # services.hash_address
    reason = models.CharField(max_length=12, choices=Reason)
    source = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "channel", "address_hash"], name="suppression_once")]


class Hold(StoreModel):
    """While it stands, the person is not asked for anything; an open case of theirs, for example.

    Higher floors put it down and take it away (`services.hold`, `services.release`).
    """

    customer = TenantKey(Customer, models.PROTECT, related_name="holds")
    key = models.CharField(max_length=80)  # the fact it stands for: "case:12"
    reason = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="hold_once")]
        indexes = [models.Index(fields=["store", "customer"], name="hold_of_customer")]


class OutboxItem(PublicModel):
    """A message as the outbox channel delivered it, for reading on the dashboard's outbox page."""

    message = TenantKey(Message, models.PROTECT, related_name="outbox_items")
    channel = models.CharField(max_length=5, choices=Channel)
    to = models.CharField(max_length=254)
    subject = models.CharField(max_length=250, blank=True)
    text = models.TextField()
    html = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "public_id"], name="outboxitem_public_id")]
        indexes = [models.Index(fields=["store", "-at"], name="outbox_recent")]
