"""The one door: which Store a request may act in, and as what."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from stores.accounts import lacks_second_factor
from stores.models import Membership, Role, Store, User
from stores.tenancy import act_as_user, act_for


def stores_of(user: User) -> list[Membership]:
    """The user's memberships with their stores, by name."""
    act_as_user(user.pk)
    return list(Membership.objects.filter(user=user).select_related("store").order_by("store__name"))


def me(request: HttpRequest) -> User:
    """Who is logged in; for views behind a door."""
    assert isinstance(request.user, User)
    return request.user


def enter_store(request: HttpRequest, slug: str, needed: Role) -> Store:
    """The store named by `slug`, with the rest of the request bound to it.

    A stranger gets Http404, a weaker role PermissionDenied. Sets `request.role`.
    """
    memberships = stores_of(request.user)  # type: ignore[arg-type]
    mine = next((membership for membership in memberships if membership.store.slug == slug), None)
    if mine is None:
        raise Http404("no such store")
    if not Role(mine.role).covers(needed):
        raise PermissionDenied
    act_for(mine.store)
    request.role = Role(mine.role)  # type: ignore[attr-defined]
    request.stores_of_user = [membership.store for membership in memberships]  # type: ignore[attr-defined]
    return mine.store


def for_role(needed: Role) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Give a view its Store as second argument; anonymous people are sent to log in first."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, store: str, *args: Any, **kwargs: Any) -> HttpResponse:
            entered = enter_store(request, store, needed)
            # The counter is open to every role by password alone, and a device taken over by PIN shows nothing else.
            mine = request.role  # type: ignore[attr-defined]
            if needed != Role.STAFF and lacks_second_factor(request.user, entered, mine):  # type: ignore[arg-type]
                messages.warning(
                    request, _("Owners of this store need a second step to log in. Set one up, then go on.")
                )
                return redirect("mfa_index")
            request.store = entered  # type: ignore[attr-defined]
            with timezone.override(entered.zone):  # pages tell the time as the shop's clock does
                response = view(request, entered, *args, **kwargs)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        guarded.role = needed  # type: ignore[attr-defined]  # read where pages are listed
        return guarded

    return decorate
