"""What is promised: offers, the ladders people climb, and the terms that stood at one time."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Product
from rewards.models.books import Budget
from stores.models import Location
from stores.tenancy import PublicModel, StoreModel, TenantKey


class Offer(PublicModel):
    """What one side is promised. Never changed once made: an edited program points to a new one.

    `amount_minor` is what is given: off the bill (a free product's price), as credit, on the card, in cash, to
    the charity, or what the thing of the owner's own costs the store. `percent` is of the bill, for a
    commission of the friend's order; `most_minor` caps what a percentage comes to.
    """

    class Kind(models.TextChoices):
        PERCENT_OFF = "percent_off", _("percent off")
        FIXED_OFF = "fixed_off", _("amount off")
        STORE_CREDIT = "store_credit", _("store credit")
        GIFT_CARD = "gift_card", _("gift card")
        CASH = "cash", _("cash")
        COMMISSION = "commission", _("commission")
        FREE_PRODUCT = "free_product", _("free product")
        DONATION = "donation", _("donation")
        CUSTOM = "custom", _("something of your own")

        @property
        def is_percentage(self) -> bool:
            """Whether its worth depends on a bill."""
            return self in (Offer.Kind.PERCENT_OFF, Offer.Kind.COMMISSION)

        @property
        def is_code(self) -> bool:
            """Whether it is used by a voucher of its own at checkout."""
            kinds = Offer.Kind
            return self in (kinds.PERCENT_OFF, kinds.FIXED_OFF, kinds.FREE_PRODUCT, kinds.GIFT_CARD)

        @property
        def is_held(self) -> bool:
            """Whether it is posted to an account when it is earned, not when it is used."""
            kinds = Offer.Kind
            return self in (kinds.STORE_CREDIT, kinds.GIFT_CARD, kinds.CASH, kinds.COMMISSION, kinds.DONATION)

    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    percent = models.PositiveSmallIntegerField(_("percent"), null=True, blank=True)  # 1..100
    amount_minor = models.BigIntegerField(_("amount"), null=True, blank=True)
    most_minor = models.BigIntegerField(_("at most"), null=True, blank=True)
    currency = models.CharField(max_length=3)
    minimum_minor = models.BigIntegerField(_("smallest bill"), default=0)
    valid_days = models.PositiveSmallIntegerField(_("valid for (days)"), default=90)
    # Commission: of the friend's first order (0), of their orders for so many months, of all of them (None).
    months = models.PositiveSmallIntegerField(_("months"), null=True, blank=True, default=0)
    product = TenantKey(Product, models.PROTECT, null=True, related_name="+")  # FREE_PRODUCT
    words = models.CharField(_("in words"), max_length=120, blank=True)  # the charity; what CUSTOM is
    is_personal = models.BooleanField(_("only its holder may use it"), default=False)
    location = TenantKey(Location, models.PROTECT, null=True, related_name="+")  # only there
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="offer_public_id"),
            models.CheckConstraint(
                condition=Q(kind__in=("percent_off", "commission"), percent__gte=1, percent__lte=100, amount_minor=None)
                | (~Q(kind__in=("percent_off", "commission")) & Q(percent=None, amount_minor__gt=0)),
                name="offer_has_its_value",
            ),
            models.CheckConstraint(condition=Q(most_minor=None) | Q(most_minor__gt=0), name="offer_most_positive"),
            models.CheckConstraint(
                condition=~Q(kind="free_product") | Q(product__isnull=False), name="offer_names_its_product"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=("donation", "custom")) | ~Q(words=""), name="offer_has_its_words"
            ),
        ]


class Ladder(StoreModel):
    """What somebody climbs: an advocate by approved referrals, a friend by purchases of their own."""

    created_at = models.DateTimeField(default=timezone.now)


class Tier(StoreModel):
    """A step of a ladder, reached at `threshold` approved referrals.

    EACH: from here on every referral earns the offer (in place of the lower steps').
    ONCE: reaching it earns the offer one time, on top.
    EVERY: each `threshold`-th referral earns the offer, on top.
    `within_days`: only referrals approved in so many days before count towards it (None: all).
    """

    class Gives(models.TextChoices):
        EACH = "each", _("for each friend from here on")
        ONCE = "once", _("once, when reached")
        EVERY = "every", _("each time so many are full")

    ladder = TenantKey(Ladder, models.PROTECT, related_name="tiers")
    name = models.CharField(_("name"), max_length=60, blank=True)
    threshold = models.PositiveIntegerField(_("friends"), default=1)
    gives = models.CharField(_("gives"), max_length=5, choices=Gives, default=Gives.EACH)
    within_days = models.PositiveSmallIntegerField(_("within (days)"), null=True, blank=True)
    offer = TenantKey(Offer, models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "ladder", "threshold", "gives"], name="tier_once"),
            models.CheckConstraint(condition=Q(threshold__gte=1), name="tier_threshold_positive"),
        ]


class TierChoice(StoreModel):
    """Another offer that the advocate may pick in place of the tier's own."""

    tier = TenantKey(Tier, models.PROTECT, related_name="choices")
    offer = TenantKey(Offer, models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "tier", "offer"], name="tierchoice_once")]


class Terms(StoreModel):
    """One version of a program's rules, as people were shown them. Never changed: editing makes the next."""

    class Refund(models.TextChoices):
        KEEP = "keep", _("kept, unless everything is sent back")
        PROPORTION = "proportion", _("made smaller in proportion")
        TAKE_BACK = "take_back", _("taken back, whatever is sent back")

    class Touch(models.TextChoices):
        FIRST = "first", _("who was there first")
        LAST = "last", _("who was there last")

    budget = TenantKey(Budget, models.PROTECT, related_name="terms")  # one a program, over all its versions
    number = models.PositiveIntegerField(default=1)
    friend_offer = TenantKey(Offer, models.PROTECT, related_name="+")
    ladder = TenantKey(Ladder, models.PROTECT, related_name="+")
    friend_ladder = TenantKey(Ladder, models.PROTECT, null=True, related_name="+")  # by the friend's later purchases
    second_offer = TenantKey(Offer, models.PROTECT, null=True, related_name="+")  # to who sent the advocate
    hold_days = models.PositiveSmallIntegerField(_("days until a referral counts"), default=14)
    claim_days = models.PositiveSmallIntegerField(_("days a friend may take"), default=60)
    visit_days = models.PositiveSmallIntegerField(_("days a visit leads to a purchase"), default=30)
    refund = models.CharField(_("when part is sent back"), max_length=10, choices=Refund, default=Refund.PROPORTION)
    # Whom to credit when several led the friend here.
    touch = models.CharField(_("of several advocates"), max_length=5, choices=Touch, default=Touch.LAST)
    is_sticky = models.BooleanField(_("who took a gift stays that advocate's friend"), default=True)
    evidence = models.JSONField(default=list)  # referrals.rules.Evidence, the strongest first; [] is our order
    # Limits; None is none.
    most_rewards = models.PositiveIntegerField(_("rewarded friends of one advocate, at most"), null=True, blank=True)
    most_in_period = models.PositiveIntegerField(_("rewarded friends in a period, at most"), null=True, blank=True)
    period_days = models.PositiveSmallIntegerField(_("period (days)"), default=30)
    minimum_order_minor = models.BigIntegerField(_("smallest purchase that counts"), default=0)
    new_only = models.BooleanField(_("new customers only"), default=True)
    look_back_days = models.PositiveSmallIntegerField(_("new means: no purchase in (days)"), null=True, blank=True)
    one_a_household = models.BooleanField(_("one friend a household"), default=False)
    only_products = models.JSONField(default=list)  # [{"sku"} or {"category"}]; [] is any
    not_products = models.JSONField(default=list)
    typical_minor = models.BigIntegerField(default=0)  # the average order when the terms were made
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "budget", "number"], name="terms_once")]
