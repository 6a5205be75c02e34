"""Every address and who may enter: the table that tests/walls/test_doors.py holds the resolver and the API to."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from stores.models import Role

# The weakest role that may enter each address of a store.
ROLES: dict[Role, dict[str, str]] = {
    Role.STAFF: {
        "checkout": "counter quote names redeem done today undo asks asked unasked people switch own_pin shift offline"
        " take_along bring_back worker manifest",
    },
    Role.MANAGER: {
        "till": "held settle unsettle",
        "customers": "list several imports import import_errors stop_import tags consent edit",
        "outreach": "outbox letter letter_html settle journeys new_journey journey_restore journey journey_preview"
        " journey_test journey_switch journey_back journey_remove tasks notes end_task reopen_task",
        "surveys": "cases replies themes new_theme try_theme restore_theme theme case testimonials ask_testimonial"
        " testimonial surveys new_survey preview_survey survey preview_of_survey survey_back switch_survey"
        " delete_survey print_code",
        "referrals": "approvals appeals appeal credit named blocks change_block block decide programs new_program"
        " preview_new contests new_contest contest contest_step contest_again contest_csv boost_change partners"
        " partner partner_statement program preview program_status program_back new_boost materials new_material"
        " preview_material on_site material material_file draw_again stop_material ask_several undo_several"
        " undo_import doubles split same compare segments new_segment segment_preview restore_segment segment"
        " segment_csv send sending stop_sending",
        "rewards": "list to_do fulfil unfulfil books customer_statement codes new_codes pool stop_codes close_codes"
        " reward take_back",
        "insights": "home rows customer_data customer budgets reports cohorts firsts returns leaders find answers"
        " messages calendar",
    },
    Role.OWNER: {
        "till": "settings",
        "outreach": "channels check_records resume_mail channel test_channel remove_channel",
        "surveys": "apology_cap reviews timing",
        "referrals": "checks counter_checks partner_offer partner_step partner_paid_to wallet currency erase keep",
        "rewards": "give_to_charity payouts payout_list payout_csv payout_all_paid payout_close payout_step"
        " bookkeeping limits",
        "stores": "settings people person keys revoke_key restore_key",
        "insights": "takeouts takeout takeout_file setup setup_done setup_card setup_close sample remove_sample"
        " setup_step setup_skip",
    },
}

# Addresses without a store: what a stranger gets for a GET and for an empty POST, with tokens, codes and ids that
# nobody was given. "" is the first page.
LOG_IN = "log in"
ANSWERS: dict[tuple[object, object], str] = {
    (200, 405): (
        "healthz readyz metrics inactive/ confirm-email/ password/reset/key/done/ password/reset/done/ "
        "w/<slug:shop>.js api/v1/schema/ api/v1/docs/"
    ),
    (LOG_IN, 405): ("stores/ operator/"),
    (LOG_IN, LOG_IN): (
        "stores/new/ reauthenticate/ email/ password/change/ password/set/ login/code/confirm/ 2fa/ "
        "2fa/authenticate/ 2fa/reauthenticate/ 2fa/totp/activate/ 2fa/totp/deactivate/ 2fa/recovery-codes/ "
        "2fa/recovery-codes/generate/ 2fa/recovery-codes/download/ 2fa/webauthn/ 2fa/webauthn/add/ "
        "2fa/webauthn/reauthenticate/ 2fa/webauthn/keys/<int:pk>/remove/ 2fa/webauthn/keys/<int:pk>/edit/ "
        "2fa/webauthn/login/"
    ),
    (200, 200): ("login/ signup/ password/reset/ ^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$"),
    (302, 302): ("logout/"),
    (200, 404): (r"^confirm-email/(?P<key>[-:\w]+)/$"),
    (404, 404): (
        "t/<str:token> t/<str:token>/ u/<str:token>/words s/<str:token> s/<str:token>/ q/<str:token> "
        "q/<str:token>/ q/<str:token>/<slug:place> w/<slug:shop>/survey/ me/<str:token>/payout "
        "me/<str:token>/missing me/<str:token>/friends/<slug:referral>/appeal n/<slug:slug> n/<slug:slug>/ "
        "j/<str:code> j/<str:code>/ r/<path:code> in/mail/<slug:provider>/<slug:token> "
        "in/sms/<slug:provider>/<slug:token>"
    ),
    (404, 405): (
        "w/<slug:slug>/testimonials.json s/<str:token>/thanks s/<str:token>/thanks/ me/<str:token> "
        "me/<str:token>/ me/<str:token>/story.png me/<str:token>/pass.pkpass me/<str:token>/google-pass "
        "terms/<str:token> terms/<str:token>/ terms/<str:token>/<slug:language>.png "
        "n/<slug:slug>/contests/<slug:public_id> n/<slug:slug>/contests/<slug:public_id>/ "
        "j/<str:code>/<slug:link> w/<slug:shop>/banner/ w/<slug:shop>/share/ w/<slug:shop>/testimonials/ "
        "demo-shop/<slug:shop> demo-shop/<slug:shop>/ r/<str:code>/taken/<str:claim>"
    ),
    (405, 404): (
        "s/<str:token>/shared me/<str:token>/shared me/<str:token>/rewards/<slug:reward>/choose "
        "me/<str:token>/preferences j/<str:code>/<slug:link>/shared"
    ),
    (200, 400): ("u/<str:token> u/<str:token>/"),
    (401, 401): (
        "api/v1/orders/ api/v1/orders/<slug:public_id>/receipt/ api/v1/events/ api/v1/vouchers/quote/ "
        "api/v1/vouchers/redeem/ api/v1/redemptions/<slug:public_id>/reverse/ api/v1/customers/ "
        "api/v1/customers/<slug:public_id>/ api/v1/referrals/ api/v1/referrals/<slug:public_id>/approve/ "
        "api/v1/referrals/<slug:public_id>/void/ api/v1/rewards/ api/v1/messages/"
    ),
}
OPEN = {"": (200, 405)} | {route: both for both, routes in ANSWERS.items() for route in routes.split()}
# Addresses of allauth's that are patterns, not paths.
PATTERNS = {
    r"^confirm-email/(?P<key>[-:\w]+)/$": "/confirm-email/x1/",
    r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "/password/reset/key/1-x1/",
}

# Every operation of the API and the scope that it needs.
API = {
    "get /api/v1/customers/": "customers",
    "get /api/v1/customers/{public_id}/": "customers",
    "patch /api/v1/customers/{public_id}/": "customers",
    "post /api/v1/events/": "orders",
    "get /api/v1/messages/": "messages",
    "post /api/v1/orders/": "orders",
    "get /api/v1/orders/{public_id}/receipt/": "orders",
    "post /api/v1/redemptions/{public_id}/reverse/": "vouchers",
    "get /api/v1/referrals/": "referrals",
    "post /api/v1/referrals/{public_id}/approve/": "referrals",
    "post /api/v1/referrals/{public_id}/void/": "referrals",
    "get /api/v1/rewards/": "rewards",
    "post /api/v1/vouchers/quote/": "vouchers",
    "post /api/v1/vouchers/redeem/": "vouchers",
}

# Parts of addresses that are words, not ids: a word that is known, so that the id beside it is looked at.
WORDS = {
    "action": "lift", "decision": "approve", "channel": "email", "step": "look", "what": "referrals", "language": "en",
    "provider": "twilio", "name": "2026-10",
}  # fmt: skip


def addresses(resolver: URLResolver | None = None, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """("space:name", route) of every address."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry, route, entry.namespace or space)
        elif isinstance(entry, URLPattern):
            yield f"{space}:{entry.name or ''}", route


def of_stores() -> dict[str, str]:
    """Route by name, of the addresses within a store."""
    return {name: route for name, route in addresses() if "<slug:store>" in route}


def needed() -> dict[str, Role]:
    """The weakest role by name."""
    return {
        f"{space}:{name}": role
        for role, spaces in ROLES.items()
        for space, names in spaces.items()
        for name in names.split()
    }


def fill(route: str, *, store: str = "rosewater", named: str = "x1", number: int = 987654) -> str:
    """A path of that route: `named` for every id, `number` for every number."""
    if route in PATTERNS:
        return PATTERNS[route]
    parts = []
    for part in route.split("/"):
        kind, _, rest = part.partition(":")
        name, _, ending = rest.partition(">")
        if not part.startswith("<"):
            parts.append(part)
        elif kind == "<int":
            parts.append(str(number))
        else:
            parts.append((store if name == "store" else WORDS.get(name, named)) + ending)
    return "/" + "/".join(parts)
