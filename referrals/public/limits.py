"""How often the gift may be asked for: each claim can send a letter or a text (SMS pumping)."""

from __future__ import annotations

from referrals.models import ShareLink
from stores.limits import count

WINDOW = 3600
PER_ADDRESS = 30  # a shop's own Wi-Fi is one address for everybody at the counter
PER_LINK = 120


def too_many_claims(link: ShareLink, network: str) -> bool:
    """Count one more try; True past the limit of the visitor's network or of the link."""
    by_link = count(f"claim:link:{link.pk}", per_seconds=WINDOW)
    by_network = count(f"claim:from:{network}", per_seconds=WINDOW) if network else 0
    return by_link > PER_LINK or by_network > PER_ADDRESS
