"""The books: accounts and entries, what may be promised, what is paid out."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from stores.models import User
from stores.tenancy import PublicModel, StoreModel, TenantKey, TenantOneToOne


class Budget(StoreModel):
    """What a program may come to: a ceiling in money, places for friends ("the first 20"); None is no limit.

    `committed_minor` is what is promised, earned or paid and has not come back. The checks hold whatever
    the code does: what is promised to one more than there is room for is refused by the database.
    """

    currency = models.CharField(max_length=3)
    ceiling_minor = models.BigIntegerField(_("budget"), null=True, blank=True)
    places = models.PositiveIntegerField(_("first friends"), null=True, blank=True)
    committed_minor = models.BigIntegerField(default=0)
    places_taken = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ceiling_minor=None) | Q(committed_minor__lte=F("ceiling_minor")), name="budget_not_exceeded"
            ),
            models.CheckConstraint(
                condition=Q(places=None) | Q(places_taken__lte=F("places")), name="places_not_exceeded"
            ),
            models.CheckConstraint(condition=Q(committed_minor__gte=0), name="budget_committed_positive"),
        ]


class Commitment(StoreModel):
    """What one promise takes of a budget, once for `key`: held until it is spent or released."""

    class Status(models.TextChoices):
        HELD = "held"  # promised
        SPENT = "spent"  # earned or used: `amount_minor` is what it came to
        RELEASED = "released"  # void, expired, taken back

    MOVES = {
        Status.HELD: {Status.SPENT, Status.RELEASED},
        Status.SPENT: {Status.HELD, Status.RELEASED},  # a use was undone; taken back
    }

    # None: no program's.
    budget = TenantKey(Budget, models.PROTECT, null=True, related_name="commitments", db_index=False)
    key = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    promised_minor = models.BigIntegerField()
    amount_minor = models.BigIntegerField()  # what it takes of the budget now
    # Of what it needed no more, the part that the budget's `committed_minor` still counts: services.budgets.gather.
    leftover_minor = models.BigIntegerField(default=0, db_default=0)
    places = models.PositiveSmallIntegerField(default=0)  # taken until it is released
    status = models.CharField(max_length=8, choices=Status, default=Status.HELD)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "key"], name="commitment_once"),
            models.CheckConstraint(condition=Q(amount_minor__gte=0, promised_minor__gte=0), name="commitment_positive"),
        ]
        indexes = [
            models.Index(fields=["store", "budget", "status"], name="commitment_of_budget"),
            # services.budgets.gather
            models.Index(fields=["store", "budget"], condition=Q(leftover_minor__gt=0), name="commitment_leftover"),
        ]


class Account(StoreModel):
    """An account of the books; `services.ledger` has the chart with worked examples.

    A person's accounts keep a checked running sum in `balance_minor`; the store's own do not (every
    redemption would wait for that one row): their balance is the sum of their entries.
    """

    class Kind(models.TextChoices):
        # Of a person.
        CREDIT = "credit"  # store credit they hold
        GIFT = "gift", "gift card"  # what is left on one card (`card`)
        PAYABLE = "payable"  # cash they have earned and not been paid
        OWED = "owed"  # what they must give back (negative)
        # Of the store; COST, PROMISED and CONTINGENT by budget.
        COST = "cost"  # what rewards cost (negative)
        REDEEMED = "redeemed"  # used at checkout
        CHARITY = "charity"  # to be given to charities
        DONATED = "donated"  # given to them
        PAID = "paid"  # paid out in cash
        DELIVERED = "delivered"  # things of the owner's own that were handed over
        BREAKAGE = "breakage"  # expired unused, kept by the store
        PROMISED = "promised"  # promised and neither earned nor used yet; not a debt
        CONTINGENT = "contingent"  # the other side of PROMISED (negative)

    PERSONAL = (Kind.CREDIT, Kind.GIFT, Kind.PAYABLE, Kind.OWED)
    # What the store owes to others at any time.
    LIABILITIES = (Kind.CREDIT, Kind.GIFT, Kind.PAYABLE, Kind.CHARITY)

    kind = models.CharField(max_length=10, choices=Kind)
    customer = TenantKey(Customer, models.PROTECT, null=True, related_name="accounts")
    card = TenantKey("rewards.Voucher", models.PROTECT, null=True, related_name="accounts")
    budget = TenantKey(Budget, models.PROTECT, null=True, related_name="accounts")
    currency = models.CharField(max_length=3)
    balance_minor = models.BigIntegerField(default=0)
    # Of PAYABLE: what may be paid out of all it ever held, settled month by month; None: as it is earned.
    settled_minor = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["store", "kind", "customer", "card", "budget", "currency"],
                nulls_distinct=False,
                name="account_once",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=("credit", "gift", "payable")) | Q(balance_minor__gte=0),
                name="account_not_overdrawn",
            ),
            models.CheckConstraint(
                condition=~Q(kind="owed") | Q(balance_minor__lte=0), name="account_owed_is_negative"
            ),
        ]
        indexes = [models.Index(fields=["store", "customer"], name="account_of_customer")]


class LedgerTransaction(StoreModel):
    """Entries that belong together and sum to zero; append-only. `key` is the business fact."""

    key = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)  # services.ledger.Fact
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)
    reverses = TenantOneToOne("self", models.PROTECT, null=True, related_name="reversed_by")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="ledger_once")]
        indexes = [models.Index(fields=["store", "at"], name="ledger_at")]  # what rewards cost in a period


class Entry(StoreModel):
    """A signed amount on an account; append-only."""

    # That there is such a store, the transaction's key says; (store, id) is its index.
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    transaction = TenantKey(LedgerTransaction, models.PROTECT, related_name="entries")
    account = TenantKey(Account, models.PROTECT, related_name="entries", db_index=False)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount_minor=0), name="entry_not_zero")]
        indexes = [models.Index(fields=["store", "account"], name="entry_of_account")]


class Recount(StoreModel):
    """What the nightly recount of a store's books found, the last time; [] is that all is well."""

    at = models.DateTimeField()
    problems = models.JSONField(default=list)  # services.recounting.Problem

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store"], name="recount_once")]


class RewardSettings(StoreModel):
    """What a store decides about its books, whatever the program."""

    class Stacking(models.TextChoices):
        ONE = "one", _("one code a bill")
        CREDIT = "credit", _("one code, and store credit")
        ANY = "any", _("any number")

    cash_limit_minor = models.BigIntegerField(_("cash to one person in a tax year, at most"), null=True, blank=True)
    year_starts_month = models.PositiveSmallIntegerField(_("the tax year starts in month"), default=1)
    smallest_payout_minor = models.BigIntegerField(_("pay out from"), default=0)
    stacking = models.CharField(_("codes on one bill"), max_length=6, choices=Stacking, default=Stacking.CREDIT)
    with_shop_discount = models.BooleanField(_("also on bills with another discount of the shop"), default=True)
    choose_days = models.PositiveSmallIntegerField(_("days to choose among rewards"), default=14)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store"], name="rewardsettings_once"),
            models.CheckConstraint(
                condition=Q(year_starts_month__gte=1, year_starts_month__lte=12), name="rewardsettings_month"
            ),
        ]


class PayoutAddress(StoreModel):
    """Where a person wants their cash. `sealed` is encrypted (`stores.secrets`), `hint` is what screens show."""

    customer = TenantOneToOne(Customer, models.PROTECT, related_name="payout_address")
    method = models.CharField(_("how"), max_length=20)  # bank, gcash, maya, card, paypal
    sealed = models.TextField()
    hint = models.CharField(max_length=40)
    changed_at = models.DateTimeField()


class PayoutList(PublicModel):
    """Cash to be paid out together: made by a person, exported for the bank, marked paid."""

    currency = models.CharField(max_length=3)
    made_at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "public_id"], name="payoutlist_public_id")]
        indexes = [models.Index(fields=["store", "-made_at"], name="payoutlist_recent")]


class Payout(PublicModel):
    """One person's cash on a list. The books move when it is marked paid."""

    class Status(models.TextChoices):
        LISTED = "listed", _("to be paid")
        PAID = "paid", _("paid")
        FAILED = "failed", _("came back")

    MOVES = {
        Status.LISTED: {Status.PAID, Status.FAILED},
        Status.PAID: {Status.FAILED},  # the bank sent it back
    }

    batch = TenantKey(PayoutList, models.PROTECT, related_name="payouts")
    customer = TenantKey(Customer, models.PROTECT, related_name="payouts")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    method = models.CharField(max_length=20)
    sealed = models.TextField()  # the address as it was then
    hint = models.CharField(max_length=40)
    status = models.CharField(max_length=6, choices=Status, default=Status.LISTED)
    note = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="payout_public_id"),
            # Nobody stands on two open lists: they would be paid twice.
            models.UniqueConstraint(
                fields=["store", "customer", "currency"], condition=Q(status="listed"), name="payout_listed_once"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payout_positive"),
        ]
