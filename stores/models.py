"""Whose data, and who may: stores, their staff, API keys, and what was done by whom."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stores.tenancy import PublicModel, StoreModel, TenantKey


class UserManager(BaseUserManager["User"]):
    """People who log in, found by e-mail without regard to case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A new user; without a password they set one by the reset mail."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """The user with that e-mail."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in: owner, manager or staff of one or several stores."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=now)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    def __str__(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        """What a greeting calls them."""
        return self.name.split(" ")[0] if self.name else self.email.split("@")[0]


class Store(models.Model):
    """A tenant: a shop that runs its own referral program."""

    public_id = models.CharField(max_length=20, unique=True, editable=False)
    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(_("name"), max_length=120)
    currency = models.CharField(_("currency"), max_length=3, validators=[RegexValidator(r"^[A-Z]{3}$")])
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    locale = models.CharField(_("language"), max_length=5, default="en")
    country = models.CharField(
        _("country"), max_length=2, blank=True, help_text=_("Reads phone numbers written without +.")
    )
    toman = models.BooleanField(_("show rial amounts in toman"), default=False)
    brand_color = models.CharField(
        _("colour"), max_length=7, default="#0f766e", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$")]
    )
    website = models.URLField(_("web shop"), blank=True)
    # Further addresses of the shop's own site, as https://shop.example: where our frames may stand (stores.framing).
    site_addresses = models.JSONField(_("other addresses of your site"), default=list)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    postal_address = models.CharField(
        _("postal address"), max_length=250, blank=True, help_text=_("The law asks for it under marketing mail.")
    )
    time_to_value_days = models.PositiveSmallIntegerField(
        _("days until its value shows"), default=7, validators=[MaxValueValidator(365)]
    )
    delivers = models.BooleanField(
        _("orders are delivered"),
        default=True,
        help_text=_("Then the days count from delivery; otherwise, and for orders of a branch, from purchase."),
    )
    late_after_days = models.PositiveSmallIntegerField(
        _("a delivery is late after (days)"), default=21, validators=[MinValueValidator(1)]
    )
    cooldown_days = models.PositiveSmallIntegerField(_("days between messages to one person"), default=30)
    silent_ask_days = models.PositiveSmallIntegerField(
        _("days after the survey until the one later ask"), default=7, validators=[MinValueValidator(1)]
    )
    ask_passives = models.BooleanField(_("also ask those who answer 7 or 8"), default=False)
    weekly_cap = models.PositiveSmallIntegerField(
        _("messages to one person in seven days, at most"), default=3, validators=[MinValueValidator(1)]
    )
    texts_open = models.TimeField(_("no texts before"), null=True, blank=True)  # None: the country's rule
    texts_close = models.TimeField(_("no texts after"), null=True, blank=True)
    apology_cap_minor = models.BigIntegerField(
        _("apology vouchers to one person in a month, at most"), null=True, blank=True
    )
    owners_need_second_factor = models.BooleanField(
        _("owners log in with a second step"),
        default=False,
        help_text=_("A code from an app or a security key, besides the password."),
    )
    review_links = models.JSONField(_("public review pages"), default=list)  # [{"name", "url"}]; to everyone alike
    created_at = models.DateTimeField(default=now)
    # A made-up twin to look at: it sends nothing, and alone may be removed. Never changes (migration 0008).
    sample_of = models.OneToOneField("self", models.PROTECT, null=True, related_name="+", editable=False)
    setup = models.JSONField(default=dict, editable=False)  # how far its owner is: see insights.setup

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The store's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def is_sample(self) -> bool:
        """Whether everything in it is made up."""
        return self.sample_of_id is not None


class Location(PublicModel):
    """A branch or a till's place; `code` is what the POS calls it."""

    code = models.SlugField(max_length=50)
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "code"], name="location_code"),
            models.UniqueConstraint(fields=["store", "public_id"], name="location_public_id"),
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a person may do in a store; each role may do what the ones before it may."""

    STAFF = "staff", _("Staff")  # checkout only
    MANAGER = "manager", _("Manager")  # the dashboard
    OWNER = "owner", _("Owner")  # and settings, keys, people

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what `needed` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Membership(StoreModel):
    """A person's role in a store."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=8, choices=Role)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "user"], name="membership_once")]


class ApiKey(PublicModel):
    """A key of the shop's developer or POS. Only its hash is kept; it is shown once."""

    SCOPES = ("orders", "customers", "vouchers", "referrals", "rewards", "messages")

    name = models.CharField(_("name"), max_length=80, blank=True)
    prefix = models.CharField(max_length=12)
    hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=now)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "public_id"], name="apikey_public_id")]


class IdempotentCall(StoreModel):
    """The answer to a money POST, kept so that a retry with the same key gets it again."""

    key = models.CharField(max_length=255)
    api_key = TenantKey(ApiKey, models.PROTECT, db_index=False)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.JSONField()
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "api_key", "key"], name="idempotent_once")]
        indexes = [models.Index(fields=["at"], name="idempotent_age")]  # tasks.forget_old_rows


class AuditEvent(StoreModel):
    """Who changed what; append-only by privilege and trigger."""

    at = models.DateTimeField(default=now)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=80, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["store", "-at"], name="audit_recent")]


class Draft(StoreModel):
    """What somebody typed into an editor and has not published: nobody sees it, and it changes nothing.

    One a thing that is edited (`subject`), for everybody who edits it. `revision` is new at each save: it tells
    whoever saves next whether theirs is the latest they saw. `base` is the seal (`stores.drafts`) of what was in
    force when it was begun.
    """

    subject = models.CharField(max_length=80)  # "program:<its public id>"
    typed = models.JSONField(default=dict)  # field -> text, as the form sent it
    base = models.CharField(max_length=32)
    revision = models.CharField(max_length=20)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "subject"], name="draft_once")]


class Tick(models.Model):
    """One run of a periodic job in one slot of time; unique, so two beats run it once."""

    job = models.CharField(max_length=80)
    slot = models.BigIntegerField()
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "slot"], name="tick_once")]
        indexes = [models.Index(fields=["at"], name="tick_age")]


class JobRun(models.Model):
    """What became of a periodic job: its last run, and all runs together. One row a job, whoever ran it."""

    job = models.CharField(max_length=80, unique=True)
    every = models.FloatField()  # seconds between two runs, as beat has it
    at = models.DateTimeField()  # when the last run ended
    good_at = models.DateTimeField(null=True)  # when the last one ended that did not fail
    seconds = models.FloatField()  # how long the last one took
    error = models.CharField(max_length=80, blank=True)  # of the last one: the class of what was raised
    runs = models.BigIntegerField(default=1)
    failures = models.BigIntegerField(default=0)
    total_seconds = models.FloatField()


class Installation(models.Model):
    """Which server these rows were written on, and whether somebody has to look before anything leaves it.

    One row. A database that finds itself elsewhere (restored, copied) is held: see `stores.holding`.
    """

    place = models.CharField(max_length=80)
    held_since = models.DateTimeField(null=True)
    held_because = models.CharField(max_length=20, blank=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="installation_one_row")]


class Job(PublicModel):
    """Long work with its progress: what a page shows while it goes on, and where to go on after a crash.

    `key` names the wish, so that two presses are one job; `subject` names what it works on: one job at a time.
    Whoever works locks this row, does a piece, writes down how far it is (`data`) and commits: so a piece is
    done once, however many workers there are and whenever they die (`stores.jobs`).
    """

    class State(models.TextChoices):
        RUNNING = "running", _("at work")  # or about to be
        DONE = "done", _("done")
        STOPPED = "stopped", _("stopped")
        FAILED = "failed", _("failed")

    MOVES = {State.RUNNING: {State.DONE, State.STOPPED, State.FAILED}, State.FAILED: {State.RUNNING}}

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120)
    subject = models.CharField(max_length=80, blank=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)  # rows in trouble, or skipped
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    note = models.CharField(max_length=250, blank=True)
    data = models.JSONField(default=dict)  # what to do, and how far it is
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(default=now)
    touched_at = models.DateTimeField(null=True)  # the last piece; None: nobody began. Long ago: its worker is gone
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="job_public_id"),
            models.UniqueConstraint(fields=["store", "key"], name="job_once"),
            models.UniqueConstraint(
                fields=["store", "subject"],
                condition=models.Q(state="running") & ~models.Q(subject=""),
                name="job_one_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["store", "touched_at"], condition=models.Q(state="running"), name="job_running"),
            models.Index(fields=["store", "kind", "-started_at"], name="job_recent"),
        ]


class JobFile(StoreModel):
    """A piece of a file that a job made, to be fetched within some days; it can be made again."""

    job = TenantKey(Job, models.PROTECT, related_name="files")
    name = models.CharField(max_length=60)
    number = models.PositiveIntegerField()  # its place among the pieces of that name
    content = models.BinaryField()  # zlib
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "job", "name", "number"], name="jobfile_once")]
        indexes = [models.Index(fields=["store", "made_at"], name="jobfile_age")]
