"""The web server's doors: landing pages, tills that redeem, and behind them Django."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django = get_wsgi_application()

from checkout.front import Redeeming  # noqa: E402  # models can be imported once Django is set up
from referrals.front import Landing  # noqa: E402

application = Landing(Redeeming(django))
application.visits.keep_loading()
