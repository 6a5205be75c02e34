"""The limit of every page: a Django view that says hello, behind the same server, without a middleware."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

# Django forgets neither: the settings stand before it is asked for anything.
settings.configure(SECRET_KEY=os.urandom(25).hex(), ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, DEBUG=False)


def hello(request: HttpRequest) -> HttpResponse:
    """The least a view can do."""
    return HttpResponse("hello", content_type="text/plain")


urlpatterns = [path("", hello)]
application = get_wsgi_application()
