"""The first page, my stores, a store's settings, its people and keys."""

from __future__ import annotations

from copy import copy

from allauth.account.forms import ResetPasswordForm
from allauth.core.context import request_context
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from stores import limits, services
from stores.access import for_role, me, stores_of
from stores.forms import KeyForm, PersonForm, SettingsForm
from stores.models import ApiKey, Membership, Role, Store

INVITES_AN_HOUR = 30


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What this is, for strangers; people who are logged in go to their stores."""
    if request.user.is_authenticated:
        return redirect("site:mine")
    return render(request, "landing.html")


@require_GET
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """The stores I work for; the only one opens at once, unless `?all=1` asks for the list."""
    memberships = stores_of(me(request))
    real = [one for one in memberships if not one.store.is_sample]
    if len(real) == 1 and "all" not in request.GET:
        only = real[0]
        return redirect("checkout:counter" if only.role == Role.STAFF else "insights:home", store=only.store.slug)
    return render(request, "stores/mine.html", {"memberships": memberships})


@for_role(Role.OWNER)
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest, store: Store) -> HttpResponse:
    """Everything about the store but its money, products and people."""
    # A form writes on its instance before anything is saved: the page's header keeps the true one.
    form = SettingsForm(request.POST or None, instance=copy(store))
    if request.method == "POST" and form.is_valid():
        changed = services.change_settings(store, form.cleaned_data, by=me(request), at=timezone.now())
        messages.success(request, _("Saved.") if changed else _("Nothing was different, so nothing changed."))
        return redirect("stores:settings", store=store.slug)
    return _page(request, "settings", {"form": form})


@for_role(Role.OWNER)
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest, store: Store) -> HttpResponse:
    """Who works in the store; POST adds somebody."""
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and add(request, store, form):
        return redirect("stores:people", store=store.slug)
    return _page(
        request,
        "people",
        {
            "form": form,
            "people": Membership.objects.for_store(store).select_related("user").order_by("created_at", "pk"),
            "roles": Role.choices,
            "removed": request.session.pop("removed", None),
        },
    )


def add(request: HttpRequest, store: Store, form: PersonForm) -> bool:
    """Add the person of a valid form; False with a word on the form when that cannot be."""
    email, role = form.cleaned_data["email"], Role(form.cleaned_data["role"])
    if store.is_sample:
        form.add_error(None, _("This is sample data, and nobody gets mail from it. Add people in your own store."))
        return False
    if limits.count(f"invite:{store.pk}", per_seconds=3600) > INVITES_AN_HOUR:
        form.add_error(None, _("That were many people in one hour. Wait a while, then go on."))
        return False
    try:
        _membership, is_new = services.add_person(store, email, role, by=me(request), at=timezone.now())
    except services.AlreadyHere:
        form.add_error("email", _("They work here already. Change their role in the list."))
    except services.NotConfirmed:
        form.add_error("email", _("They have an account but have not confirmed this address. Ask them to do so first."))
    else:
        if is_new:
            _send_password_mail(request, email)
            messages.success(request, _("%(email)s was added and gets a mail to set a password.") % {"email": email})
        else:
            messages.success(request, _("%(email)s was added and can log in at once.") % {"email": email})
    return not form.errors


def _send_password_mail(request: HttpRequest, email: str) -> None:
    """allauth's own mail to set a password, once the person is on record."""

    def send() -> None:
        form = ResetPasswordForm({"email": email})
        with request_context(request):
            if form.is_valid():
                form.save(request)

    # robust: a mail server that is away must not turn a saved person into an error page; "send again" is there.
    transaction.on_commit(send, robust=True)


@for_role(Role.OWNER)
@require_POST
def person(request: HttpRequest, store: Store, pk: int) -> HttpResponse:
    """Change somebody's role, send the password mail again, or end their work here."""
    membership = get_object_or_404(Membership.objects.for_store(store).select_related("user", "store"), pk=pk)
    action, role = request.POST.get("action"), request.POST.get("role", "")
    try:
        if action == "remove":
            services.remove_person(membership, by=me(request), at=timezone.now())
            request.session["removed"] = {"email": membership.user.email, "role": membership.role}
        elif action == "mail" and not membership.user.last_login and not store.is_sample:
            _send_password_mail(request, membership.user.email)
            messages.success(request, _("The mail is on its way."))
        elif action == "role" and role in Role.values:
            services.set_role(membership, Role(role), by=me(request), at=timezone.now())
            messages.success(request, _("Saved."))
    except services.LastOwner:
        messages.error(request, _("A store needs an owner. Make somebody else an owner first."))
    if membership.user == request.user and not _is_owner(request, store):
        return redirect("site:mine")
    return redirect("stores:people", store=store.slug)


def _is_owner(request: HttpRequest, store: Store) -> bool:
    return Membership.objects.for_store(store).filter(user=me(request), role=Role.OWNER).exists()


@for_role(Role.OWNER)
@require_http_methods(["GET", "POST"])
def keys(request: HttpRequest, store: Store) -> HttpResponse:
    """The store's API keys; POST makes one and shows it this once."""
    form, text = KeyForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        _key, text = services.create_key(store, **form.cleaned_data, by=me(request), at=timezone.now())
        form = KeyForm()
    listed = ApiKey.objects.for_store(store).order_by("-created_at", "-pk")
    # The answer to the POST itself: a redirect would need the key kept somewhere in between.
    just = request.session.pop("stopped_key", "")
    stopped = next((key for key in listed if key.public_id == just and key.revoked_at), None)
    return _page(request, "keys", {"form": form, "keys": listed, "text": text, "stopped": stopped})


@for_role(Role.OWNER)
@require_POST
def revoke_key(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Stop a key at once; the page it leads to offers to undo it."""
    key = get_object_or_404(ApiKey.objects.for_store(store).select_related("store"), public_id=public_id)
    if services.revoke_key(key, by=me(request), at=timezone.now()):
        request.session["stopped_key"] = key.public_id
    return redirect("stores:keys", store=store.slug)


@for_role(Role.OWNER)
@require_POST
def restore_key(request: HttpRequest, store: Store, public_id: str) -> HttpResponse:
    """Undo the stopping of a key, some minutes long."""
    key = get_object_or_404(ApiKey.objects.for_store(store).select_related("store"), public_id=public_id)
    if services.restore_key(key, by=me(request), at=timezone.now()):
        messages.success(request, _("The key works again."))
    elif key.revoked_at:
        messages.error(request, _("This key was stopped too long ago. Make a new one."))
    return redirect("stores:keys", store=store.slug)


def _page(request: HttpRequest, name: str, context: dict[str, object]) -> HttpResponse:
    form = context.get("form")
    refused = request.method == "POST" and bool(getattr(form, "errors", None))
    context = {"nav_key": "settings", "tab": name, **context}
    return render(request, f"stores/{name}.html", context, status=422 if refused else 200)
