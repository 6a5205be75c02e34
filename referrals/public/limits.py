"""How often the gift may be asked for: each claim can send a letter or a text (SMS pumping); and how often an
advocate may write to the store's people."""

from __future__ import annotations

from customers.models import Customer
from referrals.models import PrintRun, ShareLink
from stores.limits import count

WINDOW = 3600
PER_ADDRESS = 30  # a shop's own Wi-Fi is one address for everybody at the counter
PER_LINK = 120
PER_RUN = 600  # a poster at a fair
PER_ADVOCATE = 30  # forms of their own page sent in an hour


def too_many_claims(link: ShareLink, network: str) -> bool:
    """Count one more try; True past the limit of the visitor's network or of the link."""
    by_link = count(f"claim:link:{link.pk}", per_seconds=WINDOW)
    by_network = count(f"claim:from:{network}", per_seconds=WINDOW) if network else 0
    return by_link > PER_LINK or by_network > PER_ADDRESS


def too_many_joining(run: PrintRun, network: str) -> bool:
    """Count one more who wants a link by a print run; True past the limit of their network or of the run."""
    by_run = count(f"join:run:{run.pk}", per_seconds=WINDOW)
    by_network = count(f"join:from:{network}", per_seconds=WINDOW) if network else 0
    return by_run > PER_RUN or by_network > PER_ADDRESS


def too_many_forms(customer: Customer) -> bool:
    """Count one more form that an advocate sends from their own page; True past the limit."""
    return count(f"me:{customer.pk}", per_seconds=WINDOW) > PER_ADVOCATE
