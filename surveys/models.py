"""How people feel, and how the unhappy are helped."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Category, Customer, Order, Product, Segment
from outreach.models import Message
from stores.models import Location, User
from stores.tenancy import PublicModel, StoreModel, StoreQuerySet, TenantKey, TenantOneToOne
from surveys import rules


class Question(models.TextChoices):
    """How people answer."""

    NPS = "nps", _("how likely they recommend you, 0 to 10")
    CSAT = "csat", _("how satisfied they are, 1 to 5")


class Via(models.TextChoices):
    """Where an answer came from."""

    EMAIL = "email", _("e-mail")
    SMS = "sms", _("text message")
    COUNTER = "counter", _("QR code at the counter")
    WIDGET = "widget", _("your site")
    API = "api", _("your systems")


class Survey(PublicModel):
    """A question of a store's besides the standard one about each order.

    PRODUCT takes the standard question's place for orders with that product or category; PERIODIC
    asks people of a segment every so often; COUNTER and WIDGET are answered without an invitation.
    `wording` has the question and what is asked after it, by language; blank means our words.
    """

    class Occasion(models.TextChoices):
        PRODUCT = "product", _("about one product or category")
        PERIODIC = "periodic", _("every so often")
        COUNTER = "counter", _("QR code at the counter")
        WIDGET = "widget", _("on your site")

    name = models.CharField(_("name"), max_length=80)
    occasion = models.CharField(_("occasion"), max_length=8, choices=Occasion)
    question = models.CharField(_("question"), max_length=4, choices=Question, default=Question.NPS)
    product = TenantKey(Product, models.PROTECT, null=True, blank=True)
    category = TenantKey(Category, models.PROTECT, null=True, blank=True)
    location = TenantKey(Location, models.PROTECT, null=True, blank=True)  # COUNTER: where the code hangs
    segment = TenantKey(Segment, models.PROTECT, null=True, blank=True)  # PERIODIC; None: everybody
    every_days = models.PositiveSmallIntegerField(_("every (days)"), null=True, blank=True)
    wording = models.JSONField(default=dict)  # {"en": {"question": "...", "more": {"promoter": "..."}}}
    is_on = models.BooleanField(_("on"), default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="survey_public_id"),
            models.UniqueConstraint(fields=["store", "name"], name="survey_name"),
        ]

    def __str__(self) -> str:
        return self.name


FOLLOW_UP = "follow_up:"  # how the key of a question after a solved case begins; its case's id comes after it


class Invitation(PublicModel):
    """A question to one person: about an order, due when its value has shown, at most one an order;
    or one of another occasion (`order` None), once for its `key`: a follow-up, a periodic survey.
    """

    class Status(models.TextChoices):
        PLANNED = "planned", _("planned")
        INVITED = "invited", _("asked")
        SKIPPED = "skipped", _("not asked")

    MOVES = {Status.PLANNED: {Status.INVITED, Status.SKIPPED}}

    # That there is such a store, the customer's key says; (store, id) is the index.
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    order = TenantOneToOne(Order, models.PROTECT, null=True, related_name="invitation")
    key = models.CharField(max_length=120, blank=True)  # without an order: "follow_up:12"
    survey = TenantKey(Survey, models.PROTECT, null=True, related_name="invitations")  # None: the standard question
    customer = TenantKey(Customer, models.PROTECT, related_name="invitations", db_index=False)
    status = models.CharField(max_length=8, choices=Status, default=Status.PLANNED)
    reason = models.CharField(max_length=40, blank=True)
    due_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    message = TenantOneToOne(Message, models.PROTECT, null=True, related_name="invitation")
    product_name = models.CharField(max_length=250, blank=True)
    late = models.BooleanField(default=False)
    silent_ask_at = models.DateTimeField(null=True)  # when to look again, if they stay silent

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="invitation_public_id"),
            models.UniqueConstraint(fields=["store", "key"], condition=~Q(key=""), name="invitation_once"),
            models.CheckConstraint(
                condition=Q(order=None) & ~Q(key="") | ~Q(order=None) & Q(key=""), name="invitation_has_its_fact"
            ),
        ]
        indexes = [
            models.Index(fields=["store", "due_at"], condition=Q(status="planned"), name="invitation_due"),
            models.Index(fields=["store", "customer", "-due_at"], name="invitation_of_customer"),
            # the messages page, "did not go out"
            models.Index(fields=["store", "-due_at"], condition=Q(status="skipped"), name="invitation_skipped"),
            # referrals.tasks.ask_silent
            models.Index(fields=["store", "silent_ask_at"], condition=~Q(silent_ask_at=None), name="invitation_silent"),
        ]

    @property
    def question(self) -> Question:
        """How they answer."""
        return Question(self.survey.question) if self.survey else Question.NPS

    @property
    def is_follow_up(self) -> bool:
        """Whether it asks how things are after a solved case."""
        return self.key.startswith(FOLLOW_UP)


class ResponseQuerySet(StoreQuerySet):
    """Answers of a store."""

    def counted(self, question: Question = Question.NPS) -> ResponseQuerySet:
        """Those that numbers are made of: to that question, and by people as far as one can tell."""
        return self.filter(question=question, is_suspect=False)


class Response(PublicModel):
    """An answer, 0 to 10 (1 to 5 where satisfaction is asked), and a comment.

    It may be changed for 14 days; `version` counts changes.
    """

    invitation = TenantOneToOne(Invitation, models.PROTECT, null=True, related_name="response")  # None: came by itself
    survey = TenantKey(Survey, models.PROTECT, null=True, related_name="responses")
    customer = TenantKey(
        Customer, models.PROTECT, null=True, related_name="responses", db_index=False
    )  # None: gave no name
    location = TenantKey(Location, models.PROTECT, null=True)
    question = models.CharField(max_length=4, choices=Question, default=Question.NPS)
    via = models.CharField(max_length=7, choices=Via, default=Via.EMAIL)
    is_suspect = models.BooleanField(default=False)  # filled the trap, or two scores in seconds; counts in no number
    score = models.PositiveSmallIntegerField()
    comment = models.TextField(blank=True)
    at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)
    ask_shown_at = models.DateTimeField(null=True)  # the ask on the answer page
    objects: ClassVar[models.Manager[Any]] = ResponseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="response_public_id"),
            models.CheckConstraint(condition=Q(score__lte=10), name="response_score"),
        ]
        indexes = [
            models.Index(fields=["store", "-at"], name="response_recent"),
            models.Index(fields=["store", "customer"], name="response_of_customer"),
        ]

    @property
    def of_five(self) -> bool:
        """Whether it is on the scale of 1 to 5."""
        return self.question == Question.CSAT

    @property
    def group(self) -> rules.Group:
        """Happy, in between or unhappy, on its own scale."""
        return rules.group_of(self.score, of_five=self.of_five)

    @property
    def best(self) -> int:
        """The highest score there is."""
        return rules.scale(of_five=self.of_five)[-1]


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

    class Outcome(models.TextChoices):
        EXPLAINED = "explained", _("talked it over")
        REPLACED = "replaced", _("replaced or repaired")
        REFUNDED = "refunded", _("money back")
        VOUCHER = "voucher", _("apology voucher")
        NOT_REACHED = "not_reached", _("not reached")
        OTHER = "other", _("something else")

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
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "public_id"], name="case_public_id")]
        indexes = [
            models.Index(fields=["store", "promise_at"], condition=Q(status="open"), name="case_open"),
            models.Index(fields=["store", "customer"], name="case_of_customer"),
        ]


class CaseEvent(StoreModel):
    """A step or a note of a case; append-only."""

    class What(models.TextChoices):
        STEP = ""  # opened, ended, opened again: `status` says which
        NOTE = "note"
        ASSIGNED = "assigned"  # `note` names whose it is now
        WROTE = "wrote"  # `about`: the message's key
        UNWROTE = "unwrote"
        GAVE = "gave"  # an apology voucher; `about`: the reward's key
        TOOK_BACK = "took_back"

    case = TenantKey(RecoveryCase, models.PROTECT, related_name="events")
    status = models.CharField(max_length=6, choices=RecoveryCase.Status)
    what = models.CharField(max_length=9, choices=What, blank=True, default=What.STEP)
    about = models.CharField(max_length=120, blank=True, default="")
    note = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")


class ReplyTemplate(PublicModel):
    """Words that staff start from when they write to an unhappy person; fields as in messages."""

    name = models.CharField(_("name"), max_length=80)
    language = models.CharField(_("language"), max_length=5)
    text = models.TextField(_("text"))
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="replytemplate_public_id"),
            models.UniqueConstraint(fields=["store", "language", "name"], name="replytemplate_name"),
        ]


class Theme(PublicModel):
    """What comments are about: any of `words`, one a line, folded when they are compared (`surveys.matching`)."""

    name = models.CharField(_("name"), max_length=60)
    words = models.TextField(_("words, one a line"))
    changed_at = models.DateTimeField(default=timezone.now)
    # How far (by id) the answers have been compared with its words; None: all of them.
    matched_to = models.BigIntegerField(null=True, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="theme_public_id"),
            models.UniqueConstraint(fields=["store", "name"], name="theme_name"),
        ]

    def __str__(self) -> str:
        return self.name


class ThemeMention(StoreModel):
    """A comment that is about a theme."""

    theme = TenantKey(Theme, models.CASCADE, related_name="mentions", db_index=False)
    response = TenantKey(Response, models.CASCADE, related_name="themes")
    at = models.DateTimeField()  # the answer's time: trends need no join

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "theme", "response"], name="thememention_once")]
        indexes = [models.Index(fields=["store", "theme", "-at"], name="thememention_trend")]


class Testimonial(PublicModel):
    """A customer's words that may be shown, with what they agreed to; shown only while granted and published."""

    class Status(models.TextChoices):
        ASKED = "asked", _("asked")
        GRANTED = "granted", _("allowed")
        DECLINED = "declined", _("not allowed")
        REVOKED = "revoked", _("taken back")

    MOVES = {
        Status.ASKED: {Status.GRANTED, Status.DECLINED},
        Status.GRANTED: {Status.REVOKED},
        Status.DECLINED: {Status.GRANTED},
        Status.REVOKED: {Status.GRANTED},
    }

    response = TenantOneToOne(Response, models.PROTECT, related_name="testimonial")
    customer = TenantKey(Customer, models.PROTECT, related_name="testimonials")
    status = models.CharField(max_length=8, choices=Status, default=Status.ASKED)
    text = models.TextField()  # as the customer agreed to it
    shown_name = models.CharField(max_length=80, blank=True)
    language = models.CharField(max_length=5)
    permission = models.CharField(max_length=500, blank=True)  # the sentence they agreed to
    permission_version = models.PositiveSmallIntegerField(default=1)
    is_published = models.BooleanField(default=False)
    asked_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "public_id"], name="testimonial_public_id")]
        indexes = [
            models.Index(
                fields=["store", "-decided_at"],
                condition=Q(status="granted", is_published=True),
                name="testimonial_feed",
            ),
            models.Index(fields=["store", "-asked_at"], name="testimonial_recent"),
        ]


class TestimonialEvent(StoreModel):
    """A step of a testimonial with the text of that moment; append-only."""

    testimonial = TenantKey(Testimonial, models.PROTECT, related_name="events")
    status = models.CharField(max_length=8, choices=Testimonial.Status)
    text = models.TextField()
    is_published = models.BooleanField()
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")  # None: the customer
