"""What is owed to people, and the codes that carry it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Order
from rewards.models.books import LedgerTransaction
from rewards.models.offers import Offer, Terms, Tier
from stores.codes import spaced
from stores.models import Location, User
from stores.tenancy import PublicModel, StoreQuerySet, TenantKey, TenantOneToOne


class Reward(PublicModel):
    """What is owed to a person for one fact (`key`, unique: paid exactly once)."""

    class Side(models.TextChoices):
        ADVOCATE = "advocate", _("advocate")
        FRIEND = "friend", _("friend")
        CUSTOMER = "customer", _("customer")  # neither: an apology, a prize

    class Status(models.TextChoices):
        CHOOSING = "choosing", _("to be chosen")  # the holder picks one of the tier's choices
        GRANTED = "granted", _("given")
        VOIDED = "voided", _("taken back")

    MOVES = {Status.CHOOSING: {Status.GRANTED, Status.VOIDED}, Status.GRANTED: {Status.VOIDED}}

    customer = TenantKey(Customer, models.PROTECT, related_name="rewards", db_index=False)
    side = models.CharField(max_length=8, choices=Side)
    offer = TenantKey(Offer, models.PROTECT)
    tier = TenantKey(Tier, models.PROTECT, null=True)  # the step that earned it
    terms = TenantKey(Terms, models.PROTECT, null=True, related_name="+")  # those that were shown; None: no program's
    # What it came to when it was given, or may come to; `reduced_minor` of that was taken back for partial refunds.
    amount_minor = models.BigIntegerField(default=0)
    reduced_minor = models.BigIntegerField(default=0)
    # What its worth hangs on while it is still to be chosen, and for commissions of later purchases.
    order_minor = models.BigIntegerField(null=True)  # the whole purchase that brought it
    boost_percent = models.PositiveSmallIntegerField(default=100)  # of what the tier usually gives
    key = models.CharField(max_length=120)
    status = models.CharField(max_length=8, choices=Status, default=Status.GRANTED)
    reason = models.CharField(max_length=40, blank=True)
    granted_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "key"], name="reward_once"),
            models.UniqueConstraint(fields=["store", "public_id"], name="reward_public_id"),
            models.CheckConstraint(
                condition=Q(reduced_minor__gte=0, reduced_minor__lte=F("amount_minor")), name="reward_reduced_within"
            ),
        ]
        indexes = [
            models.Index(fields=["store", "customer", "-granted_at"], name="reward_of_customer"),
            models.Index(fields=["store", "-granted_at"], name="reward_recent"),
            # services.telling
            models.Index(fields=["store", "-voided_at"], condition=Q(status="voided"), name="reward_taken_back"),
        ]


class Fulfilment(PublicModel):
    """Something the store does by hand for a reward: hand over what the owner promised, give to the charity."""

    class Status(models.TextChoices):
        OPEN = "open", _("to do")
        DONE = "done", _("done")
        VOIDED = "voided", _("taken back")

    MOVES = {Status.OPEN: {Status.DONE, Status.VOIDED}, Status.DONE: {Status.OPEN}}  # undo

    reward = TenantOneToOne(Reward, models.PROTECT, related_name="fulfilment")
    status = models.CharField(max_length=6, choices=Status, default=Status.OPEN)
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "public_id"], name="fulfilment_public_id")]
        indexes = [models.Index(fields=["store", "due_at"], condition=Q(status="open"), name="fulfilment_open")]


class Pool(PublicModel):
    """Codes made or brought in together: a campaign's, or those of the shop's own system, to be given out."""

    name = models.CharField(_("name"), max_length=120)
    offer = TenantKey(Offer, models.PROTECT, related_name="pools")
    is_imported = models.BooleanField(default=False)  # the shop's own codes: any characters
    is_given_out = models.BooleanField(default=False)  # rewards worth the same take their code from here
    made_at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "name"], name="pool_name"),
            models.UniqueConstraint(fields=["store", "public_id"], name="pool_public_id"),
        ]


class VoucherQuerySet(StoreQuerySet):
    """Vouchers of a store."""

    def usable(self, at: object) -> VoucherQuerySet:
        """Issued and not past their end; `at` is aware UTC."""
        return self.filter(status=Voucher.Status.ISSUED).exclude(expires_at__lte=at)


class Voucher(PublicModel):
    """The code that carries a promise.

    OFFER: uses of an offer, one unless `uses` says otherwise. CREDIT: a person's store credit, used in
    parts; one such per person and currency, its value is the balance of their account. GIFT: a gift
    card, used in parts; its value is the balance of the card's own account.
    """

    class Kind(models.TextChoices):
        OFFER = "offer"
        CREDIT = "credit"
        GIFT = "gift"

        @property
        def is_purse(self) -> bool:
            """Whether it holds money that is used in parts."""
            return self is not Voucher.Kind.OFFER

    class Status(models.TextChoices):
        WAITING = "waiting", _("not given out yet")  # lies in a pool
        ISSUED = "issued", _("ready to use")
        REDEEMED = "redeemed", _("used")
        EXPIRED = "expired", _("expired")
        VOIDED = "voided", _("taken back")

    MOVES = {
        Status.WAITING: {Status.ISSUED, Status.VOIDED},
        Status.ISSUED: {Status.REDEEMED, Status.EXPIRED, Status.VOIDED},
        Status.REDEEMED: {Status.ISSUED},  # a redemption was reversed
    }

    # That there is such a store, the key of the offer or of the customer says; (store, id) is its index.
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    code = models.CharField(max_length=40)
    shown = models.CharField(max_length=60, blank=True)  # a code of the shop's own, as its system writes it
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.OFFER)
    key = models.CharField(max_length=120)  # the fact it was issued for
    offer = TenantKey(Offer, models.PROTECT, null=True, db_index=False)
    customer = TenantKey(Customer, models.PROTECT, null=True, related_name="vouchers", db_index=False)
    reward = TenantOneToOne(Reward, models.PROTECT, null=True, related_name="voucher")
    pool = TenantKey(Pool, models.PROTECT, null=True, related_name="vouchers")
    most_minor = models.BigIntegerField(null=True)  # takes at most this off: a partial refund made it smaller
    uses = models.PositiveIntegerField(default=1)  # 0: as often as one likes
    used = models.PositiveIntegerField(default=0)
    is_personal = models.BooleanField(default=False)  # only its holder may use it
    location = TenantKey(Location, models.PROTECT, null=True, related_name="+", db_index=False)  # only there
    starts_at = models.DateTimeField(null=True)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=8, choices=Status, default=Status.ISSUED)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    objects: ClassVar[models.Manager[Any]] = VoucherQuerySet.as_manager()

    @property
    def as_shown(self) -> str:
        """The code as people read it."""
        return self.shown or spaced(self.code)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "code"], name="voucher_code"),
            models.UniqueConstraint(fields=["store", "key"], name="voucher_once"),
            models.UniqueConstraint(fields=["store", "public_id"], name="voucher_public_id"),
            models.CheckConstraint(condition=Q(uses=0) | Q(used__lte=F("uses")), name="voucher_not_overused"),
            models.CheckConstraint(condition=~Q(offer=None) | ~Q(customer=None), name="voucher_is_for_something"),
        ]
        indexes = [
            models.Index(fields=["store", "customer"], name="voucher_of_customer"),
            models.Index(fields=["store", "pool", "id"], condition=Q(status="waiting"), name="voucher_in_pool"),
            # vouchers.expire_due, services.telling
            models.Index(fields=["store", "expires_at"], condition=Q(status="issued"), name="voucher_ends"),
        ]


class Redemption(PublicModel):
    """One use of a voucher at checkout. Undoing it keeps the row and posts the opposite entries."""

    # That there is such a store, the voucher's key says; (store, id) is its index.
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    voucher = TenantKey(Voucher, models.PROTECT, related_name="redemptions")
    single_use = models.BooleanField(default=True)
    order = TenantKey(Order, models.PROTECT, null=True, related_name="redemptions")
    amount_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    transaction = TenantOneToOne(LedgerTransaction, models.PROTECT, null=True, related_name="redemption")
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    location = TenantKey(Location, models.PROTECT, null=True, db_index=False)
    reversed_at = models.DateTimeField(null=True)
    reversed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)

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
