"""How friends come: share links, visits, gifts they take."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from customers.models import Customer, Order
from referrals.models.prints import PrintRun
from referrals.models.programs import Program
from rewards.models import Commitment, Terms, Voucher
from stores import codes
from stores.tenancy import PublicModel, StoreModel, TenantKey, TenantOneToOne


class ShareLink(PublicModel):
    """An advocate's link and code. `code` is shown (SARA-7K2Q9), `code_norm` is compared.

    A person has one of their own (`is_main`); others came with a customer found to be the same person, or
    stand on a receipt or parcel (`order`) or on paper (`run`). Unique over all stores, because /r/<code> names
    no store; codes are ours and random, so that tells nobody anything.
    """

    customer = TenantKey(Customer, models.PROTECT, related_name="share_links", db_index=False)
    is_main = models.BooleanField(default=True)
    order = TenantOneToOne(Order, models.PROTECT, null=True, related_name="receipt_link")
    run = TenantKey(
        PrintRun, models.PROTECT, null=True, related_name="links", db_index=False
    )  # stands on it, or was got by it
    code = models.CharField(max_length=24)
    code_norm = models.CharField(max_length=24, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)
    shared_at = models.DateTimeField(null=True)  # first tap on a share button

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "public_id"], name="sharelink_public_id"),
            models.UniqueConstraint(
                fields=["store", "customer"], condition=Q(is_main=True), name="sharelink_one_a_person"
            ),
        ]
        indexes = [
            models.Index(fields=["store", "customer"], name="sharelink_of_customer"),
            # materials.results: what a print run brought
            models.Index(fields=["store", "run"], condition=~Q(run=None), name="sharelink_of_run"),
        ]


class Visit(StoreModel):
    """One person's opening of a share link in one hour; bots are kept apart.

    `token` goes to the shop's site in the address (`?visit=`); the shop may report it with the order.
    """

    link = TenantKey(ShareLink, models.PROTECT, related_name="visits", db_index=False)
    visitor = models.CharField(max_length=32)  # keyed hash of address and browser, changes daily
    token = models.CharField(max_length=20, default=codes.public_id)
    device = models.CharField(max_length=32, blank=True)  # keyed hash of a cookie, if the browser keeps one
    hour = models.DateTimeField()
    at = models.DateTimeField()
    is_bot = models.BooleanField(default=False)
    referrer = models.CharField(max_length=80, blank=True)  # the site they came from, its host only

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "link", "visitor", "hour"], name="visit_once"),
            models.UniqueConstraint(fields=["store", "token"], name="visit_token"),
        ]
        indexes = [
            models.Index(fields=["store", "at"], condition=Q(is_bot=False), name="visit_recent"),
            # fraud.facts: the sites a link's visitors came from
            models.Index(fields=["store", "link"], condition=~Q(referrer=""), name="visit_referred"),
            # services.leads: the links that one browser came by
            models.Index(fields=["store", "device"], condition=~Q(device=""), name="visit_of_device"),
        ]


class Claim(PublicModel):
    """A friend takes the gift: name and e-mail or phone. One a person and store."""

    link = TenantKey(ShareLink, models.PROTECT, related_name="claims")
    friend = TenantKey(Customer, models.PROTECT, related_name="claims", db_index=False)
    voucher = TenantOneToOne(Voucher, models.PROTECT, null=True, related_name="claim")
    program = TenantKey(Program, models.PROTECT, related_name="+")
    terms = TenantKey(Terms, models.PROTECT, related_name="+")  # those that were shown
    promise = TenantOneToOne(Commitment, models.PROTECT, null=True, related_name="claim")  # to the advocate
    # What checks compare: keyed hashes, emptied after 90 days.
    device = models.CharField(max_length=32, blank=True)
    address = models.CharField(max_length=32, blank=True)  # of the network
    at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Deferrable: merging two customers exchanges their claims in one statement.
            models.UniqueConstraint(
                fields=["store", "friend"], name="claim_once", deferrable=models.Deferrable.IMMEDIATE
            ),
            models.UniqueConstraint(fields=["store", "public_id"], name="claim_public_id"),
        ]
        indexes = [
            models.Index(fields=["store", "-at"], name="claim_recent"),  # services.friends
            # fraud.facts: who else came by this device
            models.Index(fields=["store", "device"], condition=~Q(device=""), name="claim_of_device"),
        ]
