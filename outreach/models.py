"""What we say, when, through what; once."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Customer, Segment
from outreach.kinds import Kind, Trigger, Way
from stores.models import User
from stores.tenancy import PublicModel, StoreModel, TenantKey, TenantOneToOne


class Journey(PublicModel):
    """How a store sends one kind of message: on or off, when, by which ways, to whom.

    One row a kind, made when the owner first changes something (until then `outreach.journeys` gives
    the kind's defaults); any number of rows of kind OWN, each with its own trigger.
    """

    kind = models.CharField(max_length=20, choices=Kind)
    name = models.CharField(_("name"), max_length=120, blank=True)
    trigger = models.CharField(_("starts with"), max_length=12, choices=Trigger)
    event_kind = models.CharField(_("event"), max_length=60, blank=True)  # EVENT: Event.kind
    number = models.PositiveSmallIntegerField(_("number"), null=True, blank=True)  # NTH_ORDER; SCORE: at least
    wait_minutes = models.PositiveIntegerField(_("wait"), default=0)  # after the trigger; before it for "ends soon"
    ways = models.JSONField(_("ways, in order"), default=list)  # Way values; the first that can be used is
    segment = TenantKey(Segment, models.PROTECT, null=True, blank=True)  # None: everybody
    is_on = models.BooleanField(_("on"), default=False)
    options = models.JSONField(default=dict)  # what only some kinds have: spacing of reminders
    started_at = models.DateTimeField(null=True)  # when it was last switched on: earlier facts start nothing
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="journey_public_id"),
            models.UniqueConstraint(fields=["store", "kind"], condition=~Q(kind="own"), name="journey_once"),
        ]

    def __str__(self) -> str:
        return self.name or str(Kind(self.kind).label)

    @property
    def wait(self) -> timedelta:
        """As a time span."""
        return timedelta(minutes=self.wait_minutes)


class Template(StoreModel):
    """A store's own words for a journey in one language; where none stand, `outreach.words` has ours.

    Words are Django's template language cut down to named fields (`outreach.language`). `body` has
    paragraphs between blank lines; what the message offers to do is put under it by its kind.
    """

    journey = TenantKey(Journey, models.PROTECT, related_name="templates")
    language = models.CharField(max_length=5)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("letter"))
    button = models.CharField(_("button"), max_length=60, blank=True)
    sms = models.TextField(_("text message"), blank=True)
    script = models.TextField(_("what to say or write"), blank=True)  # for tasks
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "journey", "language"], name="template_once")]


class Message(PublicModel):
    """One message to one person, due at a time, for one fact (`key`).

    This table is the queue: see `outreach.dispatch` for how a row is claimed. `context`
    holds what its template needs and `links` (survey, share, unsubscribe).
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        UNKNOWN = "unknown", _("not known whether it was sent")  # never sent again by itself
        FAILED = "failed", _("refused")
        SKIPPED = "skipped", _("not sent")  # `reason` says why
        TASK = "task", _("with your staff")  # a person does it: see Task

    MOVES = {
        Status.PENDING: {Status.SENDING, Status.SKIPPED, Status.TASK},
        Status.SENDING: {Status.SENT, Status.FAILED, Status.UNKNOWN, Status.PENDING},
        Status.UNKNOWN: {Status.SENT, Status.PENDING, Status.FAILED},
        Status.TASK: {Status.SENT, Status.SKIPPED},
        Status.SENT: {Status.TASK},  # a task's ending was undone
        Status.SKIPPED: {Status.TASK},
    }

    # Each row is written three times on its way, and each time into every index: those of Django's own that no look-up
    # needs (all begin with the store) are left out.
    customer = TenantKey(Customer, models.PROTECT, related_name="messages", db_index=False)
    kind = models.CharField(max_length=20, choices=Kind)
    journey = TenantKey(  # None: the kind's defaults
        Journey, models.PROTECT, null=True, related_name="messages", db_index=False
    )
    channel = models.CharField(max_length=5, choices=Way, blank=True)  # '' when no way was found
    key = models.CharField(max_length=120)
    about = models.CharField(max_length=60, blank=True)  # what makes it pointless when it ends: "invitation:7"
    context = models.JSONField(default=dict)
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    reason = models.CharField(max_length=40, blank=True)
    due_at = models.DateTimeField()
    not_after = models.DateTimeField(null=True)  # later than this it would be harm, not news
    created_at = models.DateTimeField(default=timezone.now)
    to = models.CharField(max_length=254, blank=True)
    # Sending: it belongs to its worker until then. Unknown: the provider is asked again then.
    lease_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    started_at = models.DateTimeField(null=True)  # the first hand-over began: from here on it may have arrived
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    provider_id = models.CharField(max_length=120, blank=True)
    # What the provider reported later; an open or a click may be a scanner's and decides nothing.
    delivered_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)
    complained_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "key"], name="message_once"),
            models.UniqueConstraint(fields=["store", "public_id"], name="message_public_id"),
        ]
        indexes = [
            # dispatch.claim
            models.Index(fields=["store", "due_at"], condition=Q(status="pending"), name="message_due"),
            # aftermath.settle_expired_leases
            models.Index(fields=["lease_until"], condition=Q(status="sending"), name="message_leased"),
            models.Index(fields=["store", "customer", "-due_at"], name="message_of_customer"),
            models.Index(fields=["store", "journey"], condition=~Q(journey=None), name="message_of_journey"),
            models.Index(fields=["store", "-due_at"], name="message_recent"),
            models.Index(fields=["store", "due_at"], condition=Q(status="unknown"), name="message_unknown"),
            # services.cancel_about
            models.Index(fields=["store", "about"], condition=Q(status="pending") & ~Q(about=""), name="message_about"),
            # reports: a provider names a message by its own id
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="message_of_provider"),
            # who of the stores on this server texted a number that now says stop
            models.Index(fields=["to"], condition=Q(channel="sms"), name="message_texted"),
            # complaints.counts: the mails of a month
            models.Index(
                fields=["store", "sent_at"], condition=Q(channel="email") & ~Q(sent_at=None), name="message_mailed"
            ),
            # rules.cap: what a person had lately
            models.Index(fields=["store", "customer", "sent_at"], condition=~Q(sent_at=None), name="message_had"),
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

    customer = TenantKey(Customer, models.PROTECT, related_name="holds", db_index=False)
    key = models.CharField(max_length=80)  # the fact it stands for: "case:12"
    reason = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="hold_once")]
        indexes = [models.Index(fields=["store", "customer"], name="hold_of_customer")]


class Task(PublicModel):
    """Something a person of the store does for a message: call, write by hand, ask at the next visit.

    `words` is the script or the note in the customer's language, rendered once when the task is made.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("to do")
        DONE = "done", _("done")
        NOT_REACHED = "not_reached", _("not reached")
        DECLINED = "declined", _("did not want to")

    MOVES = {
        Status.OPEN: {Status.DONE, Status.NOT_REACHED, Status.DECLINED},
        Status.DONE: {Status.OPEN},  # undo
        Status.NOT_REACHED: {Status.OPEN},
        Status.DECLINED: {Status.OPEN},
    }

    message = TenantOneToOne(Message, models.PROTECT, related_name="task")
    customer = TenantKey(Customer, models.PROTECT, related_name="tasks")
    way = models.CharField(max_length=5, choices=Way)
    words = models.TextField()
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN)
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "public_id"], name="task_public_id")]
        indexes = [
            models.Index(fields=["store", "way", "due_at"], condition=Q(status="open"), name="task_open"),
            models.Index(fields=["store", "customer"], condition=Q(status="open"), name="task_of_customer"),
            models.Index(fields=["store", "-ended_at"], condition=~Q(ended_at=None), name="task_ended"),
        ]


class TaskEvent(StoreModel):
    """A step of a task, by whom; append-only."""

    task = TenantKey(Task, models.PROTECT, related_name="events")
    status = models.CharField(max_length=12, choices=Task.Status)
    note = models.TextField(blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")


class ChannelAccount(PublicModel):
    """A store's own account with a mail provider or text gateway; without one the server's settings serve.

    `secrets` is encrypted (`stores.secrets`); `token` opens /in/mail/<provider>/<token> and
    /in/sms/<provider>/<token> for the provider's reports.
    """

    channel = models.CharField(max_length=5, choices=Channel)
    provider = models.CharField(_("provider"), max_length=20)
    secrets = models.TextField()
    sender = models.CharField(_("sender"), max_length=254, blank=True)  # address, number or registered name
    token = models.CharField(max_length=43, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    reported_at = models.DateTimeField(null=True)  # the provider's last call to us, to the minute

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "channel"], name="channelaccount_once"),
            models.UniqueConstraint(fields=["store", "public_id"], name="channelaccount_public_id"),
        ]


class ProviderEvent(StoreModel):
    """What a provider reported, once for its `event_id`; append-only, without addresses or texts."""

    class What(models.TextChoices):
        DELIVERED = "delivered"
        BOUNCED = "bounced"  # the address does not work
        SOFT_BOUNCED = "soft_bounced"  # not today: mailbox full, server away
        COMPLAINED = "complained"
        UNSUBSCRIBED = "unsubscribed"
        OPENED = "opened"
        CLICKED = "clicked"
        FAILED = "failed"
        INBOUND = "inbound"
        OTHER = "other"

    source = models.CharField(max_length=60)  # "mailgun:<account's public id>", "twilio:server"
    event_id = models.CharField(max_length=200)
    what = models.CharField(max_length=12, choices=What)
    message = TenantKey(Message, models.PROTECT, null=True, related_name="reports")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "source", "event_id"], name="providerevent_once")]
        indexes = [models.Index(fields=["store", "what", "-at"], name="providerevent_what")]


class Stop(StoreModel):
    """While it stands no marketing leaves on this channel: too many marked our mail as spam."""

    channel = models.CharField(max_length=5, choices=Channel)
    reason = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "channel"], name="stop_once")]


class StopLift(StoreModel):
    """A person lifted a Stop: complaints count afresh from here; append-only."""

    channel = models.CharField(max_length=5, choices=Channel)
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["store", "channel", "-at"], name="stoplift_last")]


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
