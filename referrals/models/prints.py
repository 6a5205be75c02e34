"""What was printed: one row a print run, its scans, and its sheets while they wait to be fetched."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores.models import Location, User
from stores.tenancy import PublicModel, StoreModel, TenantKey


class PrintRun(PublicModel):
    """One printing of one material, so that what it brings can be told apart.

    For customers it passes on a gift: each piece has a share link of its own (`ShareLink.run`). For the shop, a
    location or a member of staff it is an invitation: nobody sent the reader, so `code` leads to a page where they
    get a share link of their own, which names the run. See docs/decisions/0012-materials.md.
    """

    class Material(models.TextChoices):
        CARDS = "cards", _("Cards, 8 a sheet")
        POSTER = "poster", _("Poster, A4")
        SMALL_POSTER = "poster5", _("Poster, A5")
        TENT = "tent", _("Table tent")
        PARCEL = "parcel", _("Parcel slip")
        RECEIPT = "receipt", _("End of the receipt")
        SQUARE = "square", _("Picture for posts, square")
        STORY = "story", _("Picture for stories, upright")
        BANNER = "banner", _("Picture for links, wide")
        SIGNATURE = "sign", _("E-mail signature")

    class Whom(models.TextChoices):
        STORE = "store", _("The shop")
        LOCATION = "location", _("A location")
        STAFF = "staff", _("A member of staff")
        CUSTOMER = "customer", _("A customer")
        SEGMENT = "segment", _("A segment")

    GIFTS = (Whom.CUSTOMER, Whom.SEGMENT)

    name = models.CharField(_("name"), max_length=120)
    material = models.CharField(_("what"), max_length=8, choices=Material)
    language = models.CharField(_("language"), max_length=5)
    whom = models.CharField(_("for"), max_length=8, choices=Whom)
    location = TenantKey(Location, models.PROTECT, null=True, related_name="+")
    staff = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    code = models.CharField(max_length=24, blank=True)  # of an invitation
    code_norm = models.CharField(max_length=24, blank=True)
    copies = models.PositiveIntegerField()  # pieces: cards, posters, slips
    each = models.PositiveSmallIntegerField(default=1)  # pieces for each person of a segment
    cost_minor = models.BigIntegerField(null=True)  # of printing, in the store's currency; None: not told
    expires_at = models.DateTimeField(null=True)  # printed on it; its codes lead nowhere afterwards
    on_site = models.BooleanField(default=False)  # the invitation that stands on the shop's own site
    made_at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="printrun_public_id"),
            # Over all stores, because /j/<code> names no store.
            models.UniqueConstraint(fields=["code_norm"], condition=~Q(code_norm=""), name="printrun_code"),
            models.UniqueConstraint(fields=["store"], condition=Q(on_site=True), name="printrun_one_on_the_site"),
            models.CheckConstraint(
                condition=Q(whom__in=("customer", "segment"), code_norm="")
                | (Q(whom__in=("store", "location", "staff")) & ~Q(code_norm="")),
                name="printrun_gift_or_invitation",
            ),
        ]
        indexes = [models.Index(fields=["store", "-made_at"], name="printrun_recent")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_gift(self) -> bool:
        """Whether it passes on the gift of customers; else it invites people to get a link of their own."""
        return self.whom in self.GIFTS

    def is_over(self, at: datetime) -> bool:
        """Whether its codes lead nowhere any more."""
        return self.expires_at is not None and self.expires_at <= at


class PrintScan(StoreModel):
    """One person's opening of an invitation in one hour; bots are kept apart. Scans of gifts are Visits."""

    run = TenantKey(PrintRun, models.PROTECT, related_name="scans")
    visitor = models.CharField(max_length=32)  # keyed hash of address and browser, changes daily
    hour = models.DateTimeField()
    at = models.DateTimeField()
    is_bot = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "run", "visitor", "hour"], name="printscan_once")]


class PrintSheets(StoreModel):
    """Some sheets of a large run as PDF, made by a job and kept for some days; they can be made again."""

    run = TenantKey(PrintRun, models.PROTECT, related_name="sheets")
    number = models.PositiveIntegerField()
    content = models.BinaryField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "run", "number"], name="printsheets_once")]
