"""The pages of the checks."""

from __future__ import annotations

import pytest

from referrals.fraud import blocks, settings
from referrals.fraud.rules import WEIGHTS
from referrals.models import Block, Referral
from stores.models import AuditEvent
from stores.tenancy import acting_for
from tests.conftest import NOW
from tests.referrals.fraud.test_examining import fresh, self_referral
from tests.referrals.fraud.world import Story, both, play, token

URL = "/d/rosewater/approvals/"
STRICT = {"hold_at": "40", "refuse_at": "100", **{f"weight_{name}": str(weight) for name, weight in WEIGHTS.items()}}


def text(answer):
    return answer.content.decode()


# -- Approvals --


def test_a_held_row_says_what_counted(manager, store):
    play(store, both(Story(referrer="retailmenot.com"), device=token()))
    page = text(manager.get(URL))
    for words in ("80 points", "Same device as the customer who sent them", "+60", "retailmenot.com", "waits for you"):
        assert words in page


def test_only_those_that_need_a_look(manager, store):
    held, waiting = self_referral(store), play(store, Story())
    rows = manager.get(f"{URL}?only=flagged").context["rows"]
    assert [row.referral.pk for row in rows] == [held.pk]
    assert waiting.pk in [row.referral.pk for row in manager.get(URL).context["rows"]]


def test_several_held_ones_are_decided_at_once(manager, store):
    held = [self_referral(store) for _ in range(3)]
    chosen = [one.public_id for one in held]
    manager.post(URL, {"action": "approve", "chosen": chosen[:1]})
    manager.post(URL, {"action": "void", "chosen": chosen[1:], "reason": "staff"})
    assert [fresh(one).status for one in held] == ["approved", "voided", "voided"]


def test_the_past_is_told_step_by_step(manager, store):
    held = self_referral(store)
    manager.post(URL, {"action": "approve", "chosen": [held.public_id]})
    page = text(manager.get(f"{URL}?tab=decided"))
    assert page.index("needs a look") < page.rindex("counted")
    assert str(manager.user) in page


def test_its_queries_do_not_grow(manager, store, django_assert_max_num_queries):
    for _ in range(6):
        self_referral(store)
    with django_assert_max_num_queries(20):
        manager.get(URL)


# -- How strict --


def test_the_owner_changes_how_strict(owner, store):
    answer = owner.post(f"{URL}checks/", STRICT | {"hold_at": "۵۰", "weight_name": "35"})
    assert answer.status_code == 302
    now = settings.strictness_of(store)
    assert (now.hold_at, now.weights["name"], now.weights["device"]) == (50, 35, 60)
    event = AuditEvent.objects.for_store(store).get(action="checks.changed")
    assert (event.user, event.before["hold_at"], event.after["hold_at"]) == (owner.user, 40, 50)


@pytest.mark.parametrize(
    "change", [{"hold_at": "0"}, {"hold_at": ""}, {"refuse_at": "39"}, {"weight_name": "-1"}, {"weight_name": "201"}]
)
def test_what_makes_no_sense_is_kept_on_the_form(owner, store, change):
    answer = owner.post(f"{URL}checks/", STRICT | change)
    assert answer.status_code == 422
    assert settings.strictness_of(store) == settings.Strictness(40, 100, WEIGHTS)
    assert 'value="60"' in text(answer)


def test_unchanged_settings_are_no_event(owner, store):
    owner.post(f"{URL}checks/", STRICT)
    assert not AuditEvent.objects.for_store(store).filter(action="checks.changed").exists()


def test_it_shows_how_often_a_sign_was_overturned(owner, store):
    assert "Nobody has decided about one yet" in text(owner.get(f"{URL}checks/"))
    held = [self_referral(store) for _ in range(2)]
    owner.post(URL, {"action": "approve", "chosen": [held[0].public_id]})
    owner.post(URL, {"action": "void", "chosen": [held[1].public_id], "reason": "staff"})
    assert "Of 2 that waited with this sign you counted 1 all the same (50%)" in text(owner.get(f"{URL}checks/"))


# -- The counter --


def test_an_empty_counter_says_so(owner, store):
    assert "Nothing unusual at the counter" in text(owner.get(f"{URL}counter/"))


def test_own_codes_are_shown_to_the_owner(owner, store):
    AuditEvent.objects.create(store=store, user=owner.user, action="checkout.own_code", subject="x")
    assert "Own code" in text(owner.get(f"{URL}counter/"))


@pytest.mark.parametrize("page", ["checks/", "counter/"])
def test_only_owners_see_these(manager, stranger, store, page):
    assert manager.get(f"{URL}{page}").status_code == 403
    assert stranger.get(f"{URL}{page}").status_code == 404
    assert manager.post(f"{URL}{page}", STRICT).status_code == 403


# -- Blocks --


def suspects(client, referral):
    return {
        label: key
        for key, label in client.get(f"{URL}{referral.public_id}/block/").context["form"]["which"].field.choices
    }


def test_a_friend_is_blocked_from_their_row(manager, store):
    held = self_referral(store)
    found = suspects(manager, held)
    key = next(key for label, key in found.items() if label.startswith("e-mail"))
    form = {"which": [key], "reason": "Three accounts", "also_void": "on"}
    assert manager.post(f"{URL}{held.public_id}/block/", form).status_code == 302
    row = Block.objects.for_store(store).get()
    assert (row.what, row.by, row.reason) == ("email", manager.user, "Three accounts")
    assert (fresh(held).status, fresh(held).reason) == ("voided", "blocked")


def test_blocking_may_leave_the_purchase(manager, store):
    held = self_referral(store)
    manager.post(f"{URL}{held.public_id}/block/", {"which": list(suspects(manager, held).values())[:1]})
    assert fresh(held).status == "flagged"
    assert Block.objects.for_store(store).count() == 1


@pytest.mark.parametrize("which", [[], ["nonsense"]])
def test_nothing_chosen_blocks_nothing(manager, store, which):
    held = self_referral(store)
    assert manager.post(f"{URL}{held.public_id}/block/", {"which": which, "also_void": "on"}).status_code == 422
    assert not Block.objects.for_store(store).exists()
    assert fresh(held).status == "flagged"


@pytest.mark.parametrize(
    ("what", "value", "shown"),
    [
        ("email", "Be.A+x@gmail.com", "b…@gmail.com"),
        ("phone", "0917 123 4567", "+63…67"),
        ("domain", "@Mailinator.com", "mailinator.com"),
    ],
)
def test_somebody_is_blocked_by_hand(manager, store, what, value, shown):
    assert manager.post(f"{URL}blocks/", {"what": what, "value": value}).status_code == 302
    row = Block.objects.for_store(store).get()
    assert (row.what, row.shown) == (what, shown)
    assert shown in text(manager.get(f"{URL}blocks/"))


@pytest.mark.parametrize(
    ("what", "value"), [("email", "bea"), ("phone", "x"), ("domain", "nowhere"), ("device", "x"), ("email", "")]
)
def test_what_cannot_be_read_is_kept_with_how_to_mend_it(manager, store, what, value):
    answer = manager.post(f"{URL}blocks/", {"what": what, "value": value})
    assert answer.status_code == 422
    assert f'value="{value}"' in text(answer) or not value
    assert not Block.objects.for_store(store).exists()


def test_a_lifted_block_can_be_taken_back(manager, store):
    manager.post(f"{URL}blocks/", {"what": "domain", "value": "mailinator.com"})
    row = Block.objects.for_store(store).get()
    page = text(manager.post(f"{URL}blocks/{row.public_id}/lift/", follow=True))
    assert "is not blocked any more" in page
    assert "Nobody is blocked" in page
    assert f"{URL}blocks/{row.public_id}/restore/" in page
    manager.post(f"{URL}blocks/{row.public_id}/restore/")
    assert blocks.standing(store).count() == 1


def test_another_stores_rows_are_not_here(manager, staff, stranger, store, other_store):
    with acting_for(other_store):
        theirs = play(other_store, both(Story(), device=token()))
        row = blocks.block(
            other_store, blocks.Suspect(Block.What.DOMAIN, "a.example", "a.example"), reason="", by=None, at=NOW
        )
    assert manager.get(f"{URL}{theirs.public_id}/block/").status_code == 404
    assert manager.post(f"{URL}blocks/{row.public_id}/lift/").status_code == 404
    mine = self_referral(store)
    for client, status in ((staff, 403), (stranger, 404)):
        assert client.post(f"{URL}{mine.public_id}/block/", {"which": ["x"], "also_void": "on"}).status_code == status
        assert client.post(f"{URL}blocks/", {"what": "domain", "value": "a.example"}).status_code == status
    assert not Block.objects.for_store(store).exists()
    assert Referral.objects.for_store(store).get(pk=mine.pk).status == "flagged"


def test_lifting_takes_posts_only(manager, store):
    assert manager.get(f"{URL}blocks/x1/lift/").status_code == 405
