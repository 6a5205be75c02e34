"""The catalogue of pages: who sees each, with which arguments, and what every page must be for every eye."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter

from insights.setup.steps import Step
from tests.browser.catalogue_world import World

OWNER, STAFF, NOBODY = "owner", "staff", "nobody"


@dataclass(frozen=True)
class Page:
    """A page people look at: whose browser opens it, and what stands in its address after the store."""

    who: str = OWNER
    args: Callable[[World], Sequence[str]] = lambda world: ()
    query: Callable[[World], str] = lambda world: ""
    status: int = 200


def of(*names: str, who: str = OWNER, query: str = "", status: int = 200) -> Page:
    """A page whose arguments are ids of the world."""
    return Page(
        who, lambda world: [getattr(world, name) for name in names], lambda world: query.format(w=world), status
    )


def _step(step: Step) -> Page:
    return Page(OWNER, lambda world: [world.slug, step.value])


def plain(text: str, who: str = OWNER) -> Page:
    """A page with a fixed argument."""
    return Page(who, lambda world: [text])


PAGES: dict[str, Page] = {
    # -- Anyone --
    "site:home": of(who=NOBODY),
    "account_login": of(who=NOBODY),
    "account_signup": of(who=NOBODY),
    "account_reset_password": of(who=NOBODY),
    "account_reset_password_done": of(who=NOBODY),
    "account_reset_password_from_key": Page(NOBODY, lambda world: ["1", "set-password"]),
    "account_reset_password_from_key_done": of(who=NOBODY),
    "account_inactive": of(who=NOBODY),
    "account_confirm_email": plain("no-such-key", NOBODY),
    "account_email_verification_sent": of(who=NOBODY),
    # -- One's account --
    "site:mine": of(query="all=1"),
    "health:operator": of(),
    "setup:new_store": of(),
    "account_logout": of(),
    "account_email": of(),
    "account_change_password": of(),
    "account_reauthenticate": of(),
    "mfa_index": of(),
    # -- Customers --
    "customers:list": of("slug"),
    "customers:imports": of("slug"),
    "customers:import": of("slug", "file"),
    "customers:edit": of("slug", "customer"),
    "insights:customer": of("slug", "customer"),
    "insights:takeouts": of("slug"),
    "referrals:doubles": of("slug"),
    "referrals:erase": of("slug", "customer"),
    "referrals:same": of("slug", "customer"),
    "referrals:compare": of("slug", "customer", "twin"),
    "referrals:segments": of("slug"),
    "referrals:new_segment": of("slug"),
    "referrals:segment": of("slug", "segment"),
    # -- Messages --
    "insights:messages": of("slug"),
    "insights:calendar": of("slug"),
    "outreach:outbox": of("slug"),
    "outreach:letter": of("slug", "letter"),
    "outreach:journeys": of("slug"),
    "outreach:new_journey": of("slug"),
    "outreach:journey": Page(OWNER, lambda world: [world.slug, "ask"]),
    "outreach:tasks": of("slug"),
    "outreach:notes": of("slug"),
    "outreach:channels": of("slug"),
    "outreach:channel": Page(OWNER, lambda world: [world.slug, "email"]),
    "referrals:send": of("slug"),
    "referrals:sending": of("slug", "sending"),
    # -- How they feel --
    "surveys:cases": of("slug"),
    "surveys:case": of("slug", "case"),
    "surveys:replies": of("slug"),
    "surveys:themes": of("slug"),
    "surveys:new_theme": of("slug"),
    "surveys:theme": of("slug", "theme"),
    "surveys:testimonials": of("slug"),
    "surveys:testimonial": of("slug", "testimonial"),
    "surveys:reviews": of("slug"),
    "surveys:timing": of("slug"),
    "surveys:surveys": of("slug"),
    "surveys:new_survey": of("slug"),
    "surveys:survey": of("slug", "survey_counter"),
    "surveys:print_code": of("slug", "survey_counter"),
    "insights:answers": of("slug"),
    "insights:find": of("slug", query="q=a"),
    # -- Who sent whom --
    "referrals:approvals": of("slug"),
    "referrals:appeals": of("slug"),
    "referrals:appeal": of("slug", "missing"),
    "referrals:credit": of("slug"),
    "referrals:checks": of("slug"),
    "referrals:counter_checks": of("slug"),
    "referrals:blocks": of("slug"),
    "referrals:block": of("slug", "referral"),
    "referrals:decide": Page(OWNER, lambda world: [world.slug, world.referral, "void"]),
    "till:held": of("slug"),
    "till:settings": of("slug"),
    # -- What both sides get --
    "referrals:programs": of("slug"),
    "referrals:new_program": of("slug"),
    "referrals:program": of("slug", "program"),
    "referrals:new_boost": of("slug", "program"),
    "referrals:contests": of("slug"),
    "referrals:new_contest": of("slug"),
    "referrals:contest": of("slug", "contest"),
    "referrals:partners": of("slug"),
    "referrals:partner": of("slug", "partner"),
    "referrals:partner_paid_to": of("slug", "partner"),
    "referrals:partner_statement": of("slug", "partner", "statement"),
    "rewards:list": of("slug"),
    "rewards:reward": of("slug", "reward"),
    "rewards:to_do": of("slug"),
    "rewards:payouts": of("slug"),
    "rewards:payout_list": of("slug", "payouts"),
    "rewards:books": of("slug"),
    "rewards:customer_statement": of("slug", "customer"),
    "rewards:limits": of("slug"),
    "rewards:codes": of("slug"),
    "rewards:new_codes": of("slug"),
    "rewards:pool": of("slug", "pool"),
    "referrals:materials": of("slug"),
    "referrals:new_material": of("slug"),
    "referrals:material": of("slug", "material"),
    "referrals:on_site": of("slug"),
    "referrals:wallet": of("slug"),
    # -- What it brought --
    "insights:home": of("slug"),
    "insights:rows": Page(OWNER, lambda world: [world.slug, "bought"]),
    "insights:budgets": of("slug"),
    "insights:reports": of("slug"),
    "insights:cohorts": of("slug"),
    "insights:firsts": of("slug", query="group=friends"),
    "insights:returns": of("slug"),
    "insights:leaders": of("slug"),
    # -- The first quarter of an hour --
    "insights:setup_step": Page(OWNER, lambda world: [world.slug, Step.WHO]),
    "insights:setup_done": of("slug"),
    # -- Settings --
    "stores:settings": of("slug"),
    "stores:people": of("slug"),
    "stores:keys": of("slug"),
    "referrals:currency": of("slug"),
    # -- The counter --
    "checkout:counter": of("slug", who=STAFF),
    "checkout:quote": of("slug", who=STAFF, query="code={w.voucher}"),
    "checkout:names": of("slug", who=STAFF),
    "checkout:done": of("slug", "redemption", who=STAFF),
    "checkout:today": of("slug", who=STAFF),
    "checkout:asks": of("slug", who=STAFF),
    "checkout:people": of("slug", who=STAFF),
    "checkout:switch": of("slug", who=STAFF),
    "checkout:own_pin": of("slug", who=STAFF),
    "checkout:shift": of("slug", who=STAFF),
    "checkout:offline": of("slug", who=STAFF),
    # -- Customers and friends --
    "survey:answer": of("asked", who=NOBODY),
    "survey:counter": of("token_counter", who=NOBODY),
    "survey:counter_at": of("token_counter", "place", who=NOBODY),
    "survey:widget": of("slug", who=NOBODY),
    "survey:testimonial": of("token_words", who=NOBODY),
    "survey:my_words": of("unsubscribe", who=NOBODY),
    "referral:thanks": of("happy", who=NOBODY),
    "referral:share": of("share", who=NOBODY),
    "referral:payout_address": of("share", who=NOBODY),
    "referral:missing": of("share", who=NOBODY),
    "referral:appeal": of("share", "voided", who=NOBODY),
    "referral:terms": of("terms", who=NOBODY),
    "referral:who_sent_you": of("slug", who=NOBODY),
    "referral:contest": of("slug", "contest", who=NOBODY),
    "referral:join": of("join", who=NOBODY),
    "referral:landing": of("link", who=NOBODY),
    "referral:gift": of("link", "claim", who=NOBODY),
    "referral:demo_shop": of("slug", who=NOBODY),
    "referral:widget_banner": of("slug", who=NOBODY),
    "referral:widget_share": of("slug", who=NOBODY),
    "referral:widget_testimonials": of("slug", who=NOBODY),
    "mail:unsubscribe": of("unsubscribe", who=NOBODY),
}

# The same page in another state.
MORE: dict[str, tuple[str, Page]] = {
    **{f"setup {step}": ("insights:setup_step", _step(step)) for step in Step if step != Step.WHO},
    "a file that is taken in": ("customers:import", of("slug", "begun")),
    "nobody is found": ("customers:list", of("slug", query="q=qqqq")),
    "found by name": ("checkout:names", of("slug", who=STAFF, query="q=aaa")),
    "a wrong code": ("checkout:quote", of("slug", who=STAFF, query="code=WRONG-CODE")),
    "thanks to the unhappy": ("referral:thanks", of("unhappy", who=NOBODY)),
    "a gift that is gone": ("referral:landing", Page(NOBODY, lambda world: ["NOSUCHCODE"], status=404)),
    "no such page": ("insights:rows", Page(OWNER, lambda world: [world.slug, "nothing"], status=404)),
}

# -- No pages for eyes --

# A GET answers 405 (or asks for the key first); a test looks.
POSTED = [
    "till:settle", "till:unsettle", "customers:several", "customers:tags", "outreach:settle",
    "outreach:journey_restore", "outreach:journey_preview", "outreach:journey_test", "outreach:journey_switch",
    "outreach:journey_remove", "outreach:end_task", "outreach:reopen_task", "outreach:check_records",
    "outreach:resume_mail", "outreach:test_channel", "surveys:apology_cap", "surveys:try_theme",
    "surveys:restore_theme", "surveys:ask_testimonial", "surveys:preview_survey", "surveys:switch_survey",
    "surveys:delete_survey", "referrals:named", "referrals:change_block", "referrals:preview_new",
    "referrals:contest_step", "referrals:boost_change", "referrals:partner_offer", "referrals:partner_step",
    "referrals:preview", "referrals:program_status", "referrals:program_back", "referrals:preview_material",
    "referrals:draw_again", "referrals:stop_material", "referrals:split", "referrals:segment_preview",
    "referrals:restore_segment", "referrals:stop_sending", "rewards:give_to_charity", "rewards:fulfil",
    "rewards:unfulfil", "rewards:payout_csv", "rewards:payout_all_paid", "rewards:payout_close",
    "rewards:payout_step", "rewards:stop_codes", "rewards:close_codes", "rewards:take_back", "stores:person",
    "stores:revoke_key", "stores:restore_key", "customers:stop_import", "customers:consent", "referrals:ask_several",
    "referrals:undo_several", "referrals:keep", "insights:remove_sample",
    "insights:setup_skip", "insights:setup_close", "outreach:journey_back", "checkout:undo", "checkout:asked",
    "checkout:unasked", "checkout:bring_back", "referral:shared_from_answer", "referral:shared", "referral:choose",
    "referral:preferences", "referral:joined_shared", "api:orders", "api:events",
    "api:quote", "api:redeem", "api:reverse", "api:approve", "api:void", "referrals:undo_import",
    "surveys:preview_of_survey", "surveys:survey_back",
]  # fmt: skip
# A GET leads elsewhere, or is nothing without a step before it.
LEADS = [
    "mfa_activate_totp", "referrals:contest_again", "account_confirm_login_code", "account_set_password",
    "mfa_authenticate", "mfa_reauthenticate",
    "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_list_webauthn",
    "mfa_add_webauthn", "mfa_reauthenticate_webauthn", "mfa_remove_webauthn", "mfa_edit_webauthn",
    "mfa_login_webauthn", "checkout:redeem", "outreach:remove_channel", "insights:setup", "insights:sample",
    "referral:google_pass",
]  # fmt: skip
# Files and data.
FILES = [
    "health:healthz", "health:readyz", "health:metrics", "customers:import_errors", "insights:takeout_file",
    "insights:customer_data",
    "insights:setup_card", "referral:apple_pass",
    "referral:card", "referral:story", "referral:widget_script", "mfa_download_recovery_codes",
    "outreach:letter_html", "referrals:contest_csv", "referrals:material_file", "referrals:segment_csv",
    "rewards:bookkeeping", "checkout:take_along", "checkout:worker", "checkout:manifest",
    "survey:testimonials_feed", "api:schema", "api:receipt", "api:customers", "api:customer", "api:referrals",
    "api:rewards", "api:messages",
]  # fmt: skip
OTHERS = {
    "in:mail": "where providers report; without its secret there is nothing",
    "in:texts": "likewise",
    "insights:takeout": "how far a file of all data is: test_customers walks it",
    "api:docs": "Swagger's own page, in English, for developers",
    "referral:joined": "the page after join, which needs a link of the print run: test_materials walks it",
}
APART = {*POSTED, *LEADS, *FILES, *OTHERS}


def names() -> Iterator[str]:
    """The name of every address; one without a name must be another's with a slash at its end."""
    named = {}
    for name, pattern in _patterns():
        if pattern.name:
            named[pattern.callback] = name
            yield name
        else:
            assert pattern.callback in named, pattern


def _patterns(resolver: URLResolver | None = None, space: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, entry.namespace or space)
        else:
            yield (f"{space}:{entry.name}" if space else str(entry.name)), entry


def any_path(name: str, world: World) -> str:
    """An address of that name with arguments that fit, whether or not there is such a row."""
    pattern = dict(_patterns())[name].pattern
    given = {key: 1 if isinstance(one, IntConverter) else "x1" for key, one in pattern.converters.items()}
    try:
        return reverse(name, kwargs={"store": world.slug, **given})
    except NoReverseMatch:
        return reverse(name, kwargs=given)


def addresses(world: World) -> dict[str, tuple[Page, str]]:
    """Title, page and path of everything that is looked at."""
    all_pages = {**{name: (name, page) for name, page in PAGES.items()}, **MORE}
    found = {}
    for title, (name, page) in all_pages.items():
        path, query = reverse(name, args=page.args(world)), page.query(world)
        found[title] = (page, f"{path}?{query}" if query else path)
    return found
