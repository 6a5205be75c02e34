"""Who bought what."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers import rules
from stores.models import Location, User
from stores.tenancy import PublicModel, StoreModel, StoreQuerySet, TenantKey

PARTNER_STORE = "partner:"  # how the external id begins of who stands for another store, not for a person


class Channel(models.TextChoices):
    """How a person can be written to."""

    EMAIL = "email"
    SMS = "sms"


class Customer(PublicModel):
    """A person known to a store, by e-mail, phone or the shop's own id.

    The `*_norm` columns hold what is compared: lower-case e-mail, E.164 phone, folded name. They
    are plain columns because row-level security keeps functions such as lower() out of indexes.
    Erasing a person blanks this row; orders and books stay under its number.
    """

    external_id = models.CharField(max_length=120, blank=True)
    name = models.CharField(max_length=200, blank=True)
    name_norm = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    email_norm = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    phone_norm = models.CharField(max_length=16, blank=True)
    locale = models.CharField(max_length=5, blank=True)
    email_consent = models.BooleanField(default=False)  # the newest Consent row of that channel
    sms_consent = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=64, blank=True)  # where they live, if they said so
    birth_month = models.PositiveSmallIntegerField(null=True)
    birth_day = models.PositiveSmallIntegerField(null=True)
    postal_address = models.CharField(max_length=300, blank=True)  # for a handwritten note
    # What checks compare: the mailbox without "+tag" and dots, the folded address.
    email_alias = models.CharField(max_length=254, blank=True)
    address_norm = models.CharField(max_length=300, blank=True)
    found_by_name = models.BooleanField(default=False)  # friends may find them by their name
    on_leaderboard = models.BooleanField(default=False)  # others may see them there by first name and initial
    # The same person. The partial index serves it.
    merged_into = TenantKey("self", models.PROTECT, null=True, related_name="merged", db_index=False)
    recorded_at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="customer_public_id"),
            models.UniqueConstraint(fields=["store", "email_norm"], condition=~Q(email_norm=""), name="customer_email"),
            models.UniqueConstraint(fields=["store", "phone_norm"], condition=~Q(phone_norm=""), name="customer_phone"),
            models.UniqueConstraint(
                fields=["store", "external_id"], condition=~Q(external_id=""), name="customer_external_id"
            ),
        ]
        indexes = [
            models.Index(fields=["store", "-recorded_at", "-id"], name="customer_recent"),
            models.Index(fields=["store", "name_norm"], name="customer_name", opclasses=["", "text_pattern_ops"]),
            models.Index(fields=["store", "email_alias"], condition=~Q(email_alias=""), name="customer_alias"),
            models.Index(fields=["store", "address_norm"], condition=~Q(address_norm=""), name="customer_address"),
            models.Index(fields=["store", "merged_into"], condition=~Q(merged_into=None), name="customer_merged"),
            models.Index(
                fields=["store", "birth_month", "birth_day"], condition=~Q(birth_month=None), name="customer_birthday"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.phone or self.external_id

    @property
    def first_name(self) -> str:
        """What a letter calls them; '' when no name is known."""
        return self.name if self.is_store else rules.given_name(self.name)

    @property
    def is_store(self) -> bool:
        """Whether this row stands for a partner store, who is nobody to be asked or written to."""
        return self.external_id.startswith(PARTNER_STORE)

    @property
    def today(self) -> Customer:
        """The row this person goes by: another one, when it was found to be the same person."""
        return self.merged_into or self

    @property
    def share_code(self) -> str:
        """The code of their own share link, '' for none; for lists: prefetch `share_links` (a higher floor's rows)."""
        return next((link.code for link in self.share_links.all() if link.is_main), "")

    @property
    def short_name(self) -> str:
        """First name and initial, for other people's eyes: "Sara A."; a store's name is no secret."""
        if self.is_store:
            return self.name
        parts = self.name.split()
        return parts[0] if len(parts) == 1 else f"{parts[0]} {parts[-1][0]}." if parts else ""


class SearchTerm(StoreModel):
    """Something a customer is found by: their name from each of its words on, e-mail, phone from both ends.

    Written by a trigger of customers_customer alone (migration 0009), so it holds whoever writes a customer. A search
    is the range of terms that begin with what was typed. Why: docs/decisions/0015-customer-search.md.
    """

    pk = models.CompositePrimaryKey("store_id", "customer_id", "term")
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    customer = TenantKey(Customer, models.PROTECT, related_name="search_terms", db_index=False)
    term = models.CharField(max_length=254, db_collation="C")

    class Meta:
        indexes = [models.Index("store", "term", models.F("customer").desc(), name="searchterm_range")]


class CustomerMerge(PublicModel):
    """Two customers found to be one, and everything that moved, so that it can be moved back."""

    survivor = TenantKey(Customer, models.PROTECT, related_name="merges")
    gone = TenantKey(Customer, models.PROTECT, related_name="+")
    moved = models.JSONField(
        default=dict
    )  # table -> ids of rows that went to the survivor; see referrals.services.merging
    filled = models.JSONField(default=dict)  # what changed in the survivor: column -> [before, after]
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    split_at = models.DateTimeField(null=True)
    split_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="customermerge_public_id"),
            models.UniqueConstraint(fields=["store", "gone"], condition=Q(split_at=None), name="customermerge_once"),
        ]


class CustomerTag(StoreModel):
    """A word the store puts on a customer: "vip", "partner"."""

    customer = TenantKey(Customer, models.PROTECT, related_name="tags", db_index=False)
    tag = models.CharField(max_length=40)  # folded: see tagging
    at = models.DateTimeField(default=timezone.now, null=True)  # None: before this was noted

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "customer", "tag"], name="customertag_once")]
        indexes = [models.Index(fields=["store", "tag"], name="customertag_tag")]


class Segment(PublicModel):
    """A saved audience: customers for whom every one of `conditions` holds.

    A condition is {"fact": slug, "value": what it is compared with}; the facts are those of
    `referrals.audiences`, which also writes the members down, so that lower floors may read them.
    """

    name = models.CharField(_("name"), max_length=80)
    conditions = models.JSONField(default=list)
    counted_at = models.DateTimeField(null=True)  # when the members were last written down
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "name"], name="segment_name"),
            models.UniqueConstraint(fields=["store", "public_id"], name="segment_public_id"),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentMember(StoreModel):
    """A customer who was in the segment when it was last looked at."""

    segment = TenantKey(Segment, models.PROTECT, related_name="members")
    customer = TenantKey(Customer, models.PROTECT, related_name="segments")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "segment", "customer"], name="segmentmember_once")]


class Consent(StoreModel):
    """What a person agreed to or withdrew, as said, where and when; append-only."""

    # That it is one of the customer's store, and that there is such a store, the customer's key says.
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    customer = TenantKey(Customer, models.PROTECT, related_name="consents")
    channel = models.CharField(max_length=5, choices=Channel)
    granted = models.BooleanField()
    source = models.CharField(max_length=80)  # "api", "import orders.csv", "unsubscribe link"
    wording = models.CharField(max_length=250, blank=True)
    at = models.DateTimeField()


class Category(StoreModel):
    """A group of products; `time_to_value_days` overrides the store's."""

    name = models.CharField(max_length=120)
    time_to_value_days = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "name"], name="category_name")]

    def __str__(self) -> str:
        return self.name


class Product(PublicModel):
    """Something sold; `time_to_value_days` overrides its category's and the store's."""

    sku = models.CharField(max_length=120)
    name = models.CharField(max_length=250)
    category = TenantKey(Category, models.PROTECT, null=True, related_name="products")
    time_to_value_days = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "sku"], name="product_sku"),
            models.UniqueConstraint(fields=["store", "public_id"], name="product_public_id"),
        ]

    def __str__(self) -> str:
        return self.name


class OrderQuerySet(StoreQuerySet):
    """Orders of a store."""

    def standing(self) -> OrderQuerySet:
        """Neither cancelled nor refunded in full."""
        return self.filter(cancelled_at=None, refunded_at=None)


class Order(PublicModel):
    """One purchase as the shop reports it; the same (source, external_id) is the same order.

    Money is in minor units of `currency`. `refunded_at` is when it was first seen refunded in full.
    `code` is what the buyer gave at the till, folded as codes are stored.
    """

    customer = TenantKey(
        Customer, models.PROTECT, null=True, related_name="orders", db_index=False
    )  # order_of_customer
    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    refunded_minor = models.BigIntegerField(default=0)
    placed_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    refunded_at = models.DateTimeField(null=True)
    code = models.CharField(max_length=40, blank=True)
    visit = models.CharField(max_length=20, blank=True)  # the visit's token, if the shop passed it on
    named = models.CharField(max_length=120, blank=True)  # whom the buyer named as their advocate
    name_aside_at = models.DateTimeField(null=True)  # somebody saw that the name leads nowhere
    card_hash = models.CharField(max_length=64, blank=True)  # of the payment card, made by the shop
    location = TenantKey(Location, models.PROTECT, null=True, db_index=False)
    recorded_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)  # sweeps look back over it
    changed_at = models.DateTimeField(null=True)  # by the shop's clock, as of the newest report that said so
    objects: ClassVar[models.Manager[Any]] = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "source", "external_id"], name="order_once"),
            models.UniqueConstraint(fields=["store", "public_id"], name="order_public_id"),
            models.CheckConstraint(condition=Q(total_minor__gte=0), name="order_total_positive"),
            models.CheckConstraint(condition=Q(refunded_minor__gte=0), name="order_refund_positive"),
        ]
        indexes = [
            models.Index(fields=["store", "updated_at"], name="order_updated"),
            models.Index(fields=["store", "customer", "placed_at"], name="order_of_customer"),
            models.Index(fields=["store", "-placed_at"], name="order_recent"),
            models.Index(fields=["store", "updated_at"], condition=~Q(code=""), name="order_with_code"),
            models.Index(fields=["store", "card_hash"], condition=~Q(card_hash=""), name="order_of_card"),
            models.Index(fields=["store", "external_id"], name="order_number"),  # customers.searching
            # referrals.queries: buyers who named somebody
            models.Index(fields=["store", "-placed_at"], condition=~Q(named=""), name="order_with_name"),
        ]

    def __str__(self) -> str:
        return self.external_id


class OrderLine(StoreModel):
    """A product in an order."""

    # That there is such a store, the order's key says.
    store = models.ForeignKey("stores.Store", models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    order = TenantKey(Order, models.PROTECT, related_name="lines")
    product = TenantKey(Product, models.PROTECT)
    quantity = models.PositiveIntegerField(default=1)
    unit_price_minor = models.BigIntegerField(default=0)


class Event(PublicModel):
    """Something the shop reports about a person: a milestone reached, a visit finished."""

    external_id = models.CharField(max_length=120)
    kind = models.CharField(max_length=60)
    customer = TenantKey(Customer, models.PROTECT, related_name="events", db_index=False)
    at = models.DateTimeField()
    data = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "external_id"], name="event_once")]
        indexes = [models.Index(fields=["store", "customer", "-at"], name="event_of_customer")]


class Import(PublicModel):
    """A file of customers or orders that somebody brought: looked at first, then taken in by a job, and undone by one.

    `content` is kept while it is needed only. `mapping` says which column holds what, by our names for it.
    """

    class Kind(models.TextChoices):
        CUSTOMERS = "customers", _("Customers")
        ORDERS = "orders", _("Orders")

    kind = models.CharField(max_length=9, choices=Kind)
    name = models.CharField(max_length=120)
    content = models.BinaryField(default=bytes)
    encoding = models.CharField(max_length=20)
    delimiter = models.CharField(max_length=1)
    mapping = models.JSONField(default=dict)
    columns = models.JSONField(default=list)  # the header, as it stands there
    consent = models.JSONField(default=list)  # channels on which the owner states that these people agreed
    language = models.CharField(max_length=5)  # of whoever brought it: problems are told in it
    total = models.PositiveIntegerField(default=0)  # customers, or orders
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True)  # None: somebody looks at it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "public_id"], name="import_public_id")]
        indexes = [models.Index(fields=["store", "-made_at"], name="import_recent")]

    def __str__(self) -> str:
        return self.name


class ImportRow(StoreModel):
    """What became of one customer or order of a file; written in one transaction with them."""

    class Outcome(models.TextChoices):
        CREATED = "created", _("new")
        UPDATED = "updated", _("known, something added")
        UNCHANGED = "unchanged", _("known already")
        REFUSED = "refused", _("refused")

    run = TenantKey(Import, models.PROTECT, related_name="rows", db_index=False)
    number = models.PositiveIntegerField()  # its place in the file
    outcome = models.CharField(max_length=9, choices=Outcome)
    problem = models.CharField(max_length=500, blank=True)  # in the language of whoever brought it
    cells = models.JSONField(default=list)  # of a refused one: its rows as they came
    # Ids, not links: undoing deletes them. {"customer": id, "is_new": bool, "filled": {column: value}, "tags": []},
    # {"order": id}
    made = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)
    stays = models.CharField(max_length=60, blank=True)  # why it was not undone: a slug

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "run", "number"], name="importrow_once")]
