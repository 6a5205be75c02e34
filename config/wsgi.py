"""The web server's door: landing pages, and behind them Django."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django = get_wsgi_application()

from referrals.front import Landing  # noqa: E402  # models can be imported once Django is set up

application = Landing(django)
application.visits.keep_loading()
