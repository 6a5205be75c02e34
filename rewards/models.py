"""What we give, and the books."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Order
from stores.models import Location, User
from stores.tenancy import PublicModel, StoreModel, StoreQuerySet, TenantKey, TenantOneToOne


class Offer(PublicModel):
    """What one side is promised. Never changed once made: an edited program points to a new one."""

    class Kind(models.TextChoices):
        PERCENT_OFF = "percent_off", _("percent off")
        FIXED_OFF = "fixed_off", _("amount off")
        STORE_CREDIT = "store_credit", _("store credit")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    percent = models.PositiveSmallIntegerField(_("percent"), null=True, blank=True)  # 1..100
    amount_minor = models.BigIntegerField(_("amount"), null=True, blank=True)
    currency = models.CharField(max_length=3)
    minimum_minor = models.BigIntegerField(_("smallest bill"), default=0)
    valid_days = models.PositiveSmallIntegerField(_("valid for (days)"), default=90)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="offer_public_id"),
            models.CheckConstraint(
                condition=Q(kind="percent_off", percent__gte=1, percent__lte=100, amount_minor=None)
                | (~Q(kind="percent_off") & Q(percent=None, amount_minor__gt=0)),
                name="offer_has_its_value",
            ),
        ]


class Ladder(StoreModel):
    """What advocates climb: tiers by the number of approved referrals."""

    created_at = models.DateTimeField(default=timezone.now)


class Tier(StoreModel):
    """A step of a ladder, reached at `threshold` approved referrals.

    EACH: from here on every referral earns the offer (in place of the lower steps').
    ONCE: reaching it earns the offer one time, on top.
    """

    class Gives(models.TextChoices):
        EACH = "each", _("for each friend from here on")
        ONCE = "once", _("once, when reached")

    ladder = TenantKey(Ladder, models.PROTECT, related_name="tiers")
    name = models.CharField(_("name"), max_length=60, blank=True)
    threshold = models.PositiveIntegerField(_("friends"), default=1)
    gives = models.CharField(_("gives"), max_length=4, choices=Gives, default=Gives.EACH)
    offer = TenantKey(Offer, models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "ladder", "threshold", "gives"], name="tier_once"),
            models.CheckConstraint(condition=Q(threshold__gte=1), name="tier_threshold_positive"),
        ]


class Reward(PublicModel):
    """What is owed to a person for one fact (`key`, unique: paid exactly once)."""

    class Side(models.TextChoices):
        ADVOCATE = "advocate", _("advocate")
        FRIEND = "friend", _("friend")
        CUSTOMER = "customer", _("customer")  # neither: an apology, a prize

    class Status(models.TextChoices):
        GRANTED = "granted", _("given")
        VOIDED = "voided", _("taken back")

    MOVES = {Status.GRANTED: {Status.VOIDED}}

    customer = TenantKey(Customer, models.PROTECT, related_name="rewards")
    side = models.CharField(max_length=8, choices=Side)
    offer = TenantKey(Offer, models.PROTECT)
    tier = TenantKey(Tier, models.PROTECT, null=True)  # the step that earned it
    key = models.CharField(max_length=120)
    status = models.CharField(max_length=8, choices=Status, default=Status.GRANTED)
    reason = models.CharField(max_length=40, blank=True)
    granted_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "key"], name="reward_once"),
            models.UniqueConstraint(fields=["store", "public_id"], name="reward_public_id"),
        ]
        indexes = [
            models.Index(fields=["store", "customer", "-granted_at"], name="reward_of_customer"),
            models.Index(fields=["store", "-granted_at"], name="reward_recent"),
            # services.telling
            models.Index(fields=["store", "-voided_at"], condition=Q(status="voided"), name="reward_taken_back"),
        ]


class VoucherQuerySet(StoreQuerySet):
    """Vouchers of a store."""

    def usable(self, at: object) -> VoucherQuerySet:
        """Issued and not past their end; `at` is aware UTC."""
        return self.filter(status=Voucher.Status.ISSUED).exclude(expires_at__lte=at)


class Voucher(PublicModel):
    """The code that carries a promise.

    OFFER: one use of an offer. CREDIT: a person's store credit, used in parts; one such per person
    and currency, its value is the balance of their account.
    """

    class Kind(models.TextChoices):
        OFFER = "offer"
        CREDIT = "credit"

    class Status(models.TextChoices):
        ISSUED = "issued", _("ready to use")
        REDEEMED = "redeemed", _("used")
        EXPIRED = "expired", _("expired")
        VOIDED = "voided", _("taken back")

    MOVES = {
        Status.ISSUED: {Status.REDEEMED, Status.EXPIRED, Status.VOIDED},
        Status.REDEEMED: {Status.ISSUED},  # a redemption was reversed
    }

    code = models.CharField(max_length=40)
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.OFFER)
    key = models.CharField(max_length=120)  # the fact it was issued for
    offer = TenantKey(Offer, models.PROTECT, null=True)
    customer = TenantKey(Customer, models.PROTECT, null=True, related_name="vouchers")
    reward = TenantOneToOne(Reward, models.PROTECT, null=True, related_name="voucher")
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=8, choices=Status, default=Status.ISSUED)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    objects: ClassVar[models.Manager[Any]] = VoucherQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "code"], name="voucher_code"),
            models.UniqueConstraint(fields=["store", "key"], name="voucher_once"),
            models.UniqueConstraint(fields=["store", "public_id"], name="voucher_public_id"),
        ]
        indexes = [
            models.Index(fields=["store", "customer"], name="voucher_of_customer"),
            # vouchers.expire_due, services.telling
            models.Index(fields=["store", "expires_at"], condition=Q(status="issued"), name="voucher_ends"),
        ]


class Account(StoreModel):
    """An account of the books.

    CREDIT: store credit a person holds. OWED: what a person must give back (negative). COST: what
    rewards cost the store (negative). REDEEMED: what people used at checkout.
    A person's accounts keep a checked running sum in `balance_minor`; the store's own two do not
    (every redemption would wait for that one row): their balance is the sum of their entries.
    """

    class Kind(models.TextChoices):
        CREDIT = "credit"
        OWED = "owed"
        COST = "cost"
        REDEEMED = "redeemed"

    kind = models.CharField(max_length=8, choices=Kind)
    customer = TenantKey(Customer, models.PROTECT, null=True, related_name="accounts")
    currency = models.CharField(max_length=3)
    balance_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["store", "kind", "customer", "currency"], nulls_distinct=False, name="account_once"
            ),
            models.CheckConstraint(condition=~Q(kind="credit") | Q(balance_minor__gte=0), name="account_not_overdrawn"),
            models.CheckConstraint(
                condition=~Q(kind="owed") | Q(balance_minor__lte=0), name="account_owed_is_negative"
            ),
        ]


class LedgerTransaction(StoreModel):
    """Entries that belong together and sum to zero; append-only. `key` is the business fact."""

    key = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)  # grant, redeem, reverse, clawback
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)
    reverses = TenantOneToOne("self", models.PROTECT, null=True, related_name="reversed_by")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="ledger_once")]
        indexes = [models.Index(fields=["store", "at"], name="ledger_at")]  # what rewards cost in a period


class Entry(StoreModel):
    """A signed amount on an account; append-only."""

    transaction = TenantKey(LedgerTransaction, models.PROTECT, related_name="entries")
    account = TenantKey(Account, models.PROTECT, related_name="entries")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount_minor=0), name="entry_not_zero")]
        indexes = [models.Index(fields=["store", "account"], name="entry_of_account")]


class Redemption(PublicModel):
    """One use of a voucher at checkout. Undoing it keeps the row and posts the opposite entries."""

    voucher = TenantKey(Voucher, models.PROTECT, related_name="redemptions")
    single_use = models.BooleanField(default=True)
    order = TenantKey(Order, models.PROTECT, null=True, related_name="redemptions")
    amount_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    transaction = TenantOneToOne(LedgerTransaction, models.PROTECT, null=True, related_name="redemption")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    location = TenantKey(Location, models.PROTECT, null=True)
    reversed_at = models.DateTimeField(null=True)
    reversed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="redemption_public_id"),
            # The second guard, below the conditional UPDATE: it survives a careless new code path.
            models.UniqueConstraint(
                fields=["store", "voucher"], condition=Q(reversed_at=None, single_use=True), name="redeemed_once"
            ),
            models.CheckConstraint(
                condition=Q(discount_minor__gte=0, discount_minor__lte=F("amount_minor")), name="discount_within_bill"
            ),
        ]
        indexes = [models.Index(fields=["store", "-at"], name="redemption_recent")]
