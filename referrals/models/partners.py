"""Stores on one server that send each other customers for a commission."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from referrals.models.programs import Program
from stores.models import User
from stores.tenancy import PublicModel, StoreModel, TenantKey


class Partnership(PublicModel):
    """One store's side of an agreement; the other store has its own row, under the same `agreement`.

    Each store's wall stands: the other one is known by name and number only. `customer` stands for the
    other store as an advocate here: their link, their referrals, what they are owed.
    """

    class Status(models.TextChoices):
        OFFERED = "offered", _("waits for the other store")  # this store asked
        INVITED = "invited", _("waits for you")  # the other store asked
        AGREED = "agreed", _("agreed")
        ENDED = "ended", _("ended")

    MOVES = {
        Status.OFFERED: {Status.AGREED, Status.ENDED},
        Status.INVITED: {Status.AGREED, Status.ENDED},
        Status.AGREED: {Status.ENDED},
        Status.ENDED: {Status.AGREED},  # undone by who ended it, soon
    }

    agreement = models.CharField(max_length=20)
    other_id = models.BigIntegerField()  # the other store's id: no row of theirs is readable from here
    other_name = models.CharField(max_length=120)
    other_currency = models.CharField(max_length=3)  # what they pay in
    other_code = models.CharField(max_length=24, blank=True)  # this store's share code there, once agreed
    percent = models.PositiveSmallIntegerField(_("commission (percent)"))
    months = models.PositiveSmallIntegerField(_("months"), null=True, blank=True)  # as Offer.months
    customer = TenantKey(Customer, models.PROTECT, null=True, related_name="partnerships")
    program = TenantKey(Program, models.PROTECT, null=True, related_name="partnerships")  # for that customer alone
    paid_to = models.CharField(max_length=60, blank=True)  # where they pay this store, as far as screens show it
    # This month so far, as of `at`; see services.partners.Figures. Both sides hold the same two.
    brought = models.JSONField(default=dict)  # by their customers here
    sent = models.JSONField(default=dict)  # by this store's customers there, as they told
    status = models.CharField(max_length=7, choices=Status)
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="partnership_public_id"),
            models.UniqueConstraint(fields=["store", "agreement"], name="partnership_agreement"),
            models.UniqueConstraint(
                fields=["store", "other_id"], condition=~Q(status="ended"), name="partnership_once"
            ),
        ]


class PartnerStatement(StoreModel):
    """What one store owes the other for a month; each side has its copy. Append-only.

    `orders` and `sales_minor` are those whose commission was booked in that month; what is taken back of
    any month's stands in `corrections_minor` (zero or below) of the month it happened in.
    """

    partnership = TenantKey(Partnership, models.PROTECT, related_name="statements")
    month = models.DateField()  # its first day, by the paying store's calendar
    is_payer = models.BooleanField()
    currency = models.CharField(max_length=3)
    friends = models.PositiveIntegerField()
    orders = models.PositiveIntegerField()
    sales_minor = models.BigIntegerField()
    commission_minor = models.BigIntegerField()
    corrections_minor = models.BigIntegerField(default=0)  # what of it was taken back for purchases that came back
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["store", "partnership", "month", "currency", "is_payer"], name="partnerstatement_once"
            )
        ]
