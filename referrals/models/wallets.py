"""A store's keys for passes in the wallets of phones."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from stores.tenancy import StoreModel


class WalletKey(StoreModel):
    """What a store got from Apple or Google to sign passes with; without it there is no button.

    `names` is what may be shown (identifiers, until when the certificate is good); `secrets` is encrypted
    (`stores.secrets`).
    """

    class Wallet(models.TextChoices):
        APPLE = "apple", _("Apple Wallet")
        GOOGLE = "google", _("Google Wallet")

    wallet = models.CharField(max_length=6, choices=Wallet)
    names = models.JSONField(default=dict)
    secrets = models.TextField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "wallet"], name="walletkey_once")]
