"""The inbox's choices, letters, apologies and outcomes; and what was made of it afterwards."""

from datetime import timedelta

import pytest
from django.utils import timezone

from outreach import dispatch, journeys
from outreach.kinds import Kind
from outreach.models import Message
from rewards.models import Reward, Voucher
from stores.models import Store
from surveys import case_queries
from surveys.models import FOLLOW_UP, CaseEvent, Invitation, Response
from surveys.services import answering, recovery

URL = "/d/rosewater/unhappy/"


def one(case):
    return f"{URL}{case.public_id}/"


def what(case):
    return list(CaseEvent.objects.for_store(case.store).filter(case=case).order_by("pk").values_list("what", flat=True))


def names(page):
    return [str(row.customer) for row in page.context["page"].rows]


# -- The list --


def test_the_choices_and_their_counts(manager, unhappy):
    mine, _late, _new = unhappy("a@x.com", name="Ana"), unhappy("b@x.com", name="Leo", hours_ago=30), unhappy()
    recovery.assign(mine, manager.user, at=timezone.now(), by=None)
    assert manager.get(URL).context["counts"] == {"all": 3, "mine": 1, "nobody": 2, "overdue": 1}
    assert names(manager.get(f"{URL}?tab=mine")) == ["Ana"]
    assert names(manager.get(f"{URL}?tab=overdue")) == ["Leo"]
    assert set(names(manager.get(f"{URL}?tab=nobody"))) == {"Leo", "Bea Cruz"}
    assert len(names(manager.get(f"{URL}?tab=nonsense"))) == 3


@pytest.mark.parametrize("tab", ["mine", "nobody", "overdue", "ended"])
def test_each_choice_says_when_it_is_empty(manager, store, tab):
    assert manager.get(f"{URL}?tab={tab}").status_code == 200


@pytest.mark.parametrize("tab", ["", "ended"])
def test_queries_do_not_grow_with_cases(manager, unhappy, tab, django_assert_max_num_queries):
    def add(number):
        for place in range(number):
            case = unhappy(f"{tab}{number}{place}@example.com")
            if tab:
                recovery.end_case(case, solved=True, note="", at=timezone.now(), by=None)

    add(2)
    with django_assert_max_num_queries(20) as few:
        manager.get(f"{URL}?tab={tab}")
    add(7)
    with django_assert_max_num_queries(len(few)):
        manager.get(f"{URL}?tab={tab}")


def test_one_cases_queries_are_few(manager, case, django_assert_max_num_queries):
    for number in range(4):
        recovery.add_note(case, f"note {number}", at=timezone.now(), by=manager.user)
    with django_assert_max_num_queries(32):
        manager.get(one(case))


# -- We are sorry --


def test_they_hear_at_once_that_we_are_sorry(store, case):
    message = Message.objects.for_store(store).get(kind=Kind.SORRY)
    assert (message.key, message.about) == (f"sorry:{case.pk}", f"case:{case.pk}")
    assert message.context["promise"] == case.promise_at.isoformat()


def test_not_when_it_is_switched_off(store, unhappy):
    journey = journeys.default_journey(store, Kind.SORRY)
    journey.is_on = False
    journey.save()
    unhappy()
    assert not Message.objects.for_store(store).exists()


def test_not_when_the_case_has_ended_before(store, case):
    recovery.end_case(case, solved=True, note="", at=timezone.now(), by=None)
    message = Message.objects.for_store(store).get()
    assert (message.status, message.reason) == ("skipped", "case_ended")


def test_once_even_if_they_answer_again(store, case):
    answering.respond(case.response.invitation, score=1, comment="Really", at=timezone.now())
    assert Message.objects.for_store(store).filter(kind=Kind.SORRY).count() == 1


# -- Letters --


def letter(**changes):
    return {"action": "write", "subject": "About your mug", "body": "We are sorry.", "number": "0", **changes}


def test_a_letter_goes_out_in_a_minute(manager, store, case):
    assert manager.post(one(case), letter()).status_code == 302
    message = Message.objects.for_store(store).get(key=f"reply:{case.pk}:0")
    assert message.due_at > timezone.now() + timedelta(seconds=50)
    assert message.context["body"] == "We are sorry."
    page = manager.get(one(case)).content.decode()
    assert "Wrote to them" in page
    assert "Call it back" in page


def test_a_double_tap_is_one_letter(manager, store, case):
    manager.post(one(case), letter()), manager.post(one(case), letter())
    assert Message.objects.for_store(store).filter(key__startswith="reply:").count() == 1
    assert what(case) == ["", "wrote"]


def test_two_people_who_write_at_once_are_told(manager, store, case):
    manager.post(one(case), letter())
    page = manager.post(one(case), letter(body="A second letter"))
    assert page.status_code == 422
    assert "A second letter" in page.content.decode()
    assert "Somebody wrote to them meanwhile" in page.content.decode()
    assert Message.objects.for_store(store).filter(key__startswith="reply:").count() == 1
    assert 'name="number" value="1"' in page.content.decode()


def test_it_is_called_back(manager, store, case):
    manager.post(one(case), letter())
    manager.post(one(case), {"action": "unwrite", "about": f"reply:{case.pk}:0"})
    message = Message.objects.for_store(store).get(key=f"reply:{case.pk}:0")
    assert (message.status, message.reason) == ("skipped", "taken_back")
    assert what(case) == ["", "wrote", "unwrote"]


def test_nothing_of_another_case_is_called_back(manager, store, case, unhappy):
    other = unhappy("leo@example.com")
    manager.post(one(other), letter())
    manager.post(one(case), {"action": "unwrite", "about": f"reply:{other.pk}:0"})
    assert Message.objects.for_store(store).get(key=f"reply:{other.pk}:0").status == "pending"


@pytest.mark.parametrize("wrong", [{"body": " "}, {"subject": ""}, {"body": "x" * 4001}, {"number": "x"}])
def test_a_wrong_letter_stays_on_the_form(manager, store, case, wrong):
    page = manager.post(one(case), letter(**wrong))
    assert page.status_code == 422
    assert not Message.objects.for_store(store).filter(key__startswith="reply:").exists()
    assert what(case) == [""]


def test_nobody_is_written_to_without_an_address(manager, store, case):
    type(case.customer).objects.filter(pk=case.customer_id).update(email="", email_norm="")
    assert manager.post(one(case), letter()).status_code == 422
    assert not Message.objects.for_store(store).filter(key__startswith="reply:").exists()


def test_a_text_message_is_short(manager, store, case):
    type(case.customer).objects.filter(pk=case.customer_id).update(email="", email_norm="", phone_norm="+639170000001")
    assert manager.post(one(case), letter(body="x" * 601)).status_code == 422
    assert manager.post(one(case), letter(body="x" * 600)).status_code == 302


def test_a_letter_by_hand_goes_whatever_the_automatic_one_may(manager, store, case):
    """Neither the switch of "we are sorry" nor the week's cap holds back what a person wrote."""
    journey = journeys.default_journey(store, Kind.SORRY)
    journey.is_on, journey.ways = False, ["call"]
    journey.save()
    Store.objects.filter(pk=store.pk).update(weekly_cap=1)
    store.refresh_from_db()
    for number in range(3):
        manager.post(one(case), letter(number=str(number), body=f"Letter {number}"))
    dispatch.rehearse(store, timezone.now() + timedelta(minutes=2))
    sent = Message.objects.for_store(store).filter(key__startswith="reply:")
    assert list(sent.values_list("status", "channel")) == [("sent", "email")] * 3


def test_a_reply_is_filled_in_for_them(manager, case):
    page = manager.get(f"{one(case)}?reply=1").content.decode()
    assert "Dear Bea," in page
    assert "we are sorry about Mug" in page


# -- Apologies --


def gift(**changes):
    return {"action": "give", "kind": "fixed_off", "amount": "500", "number": "0", **changes}


def test_a_voucher_is_given_and_its_code_is_shown(manager, store, case):
    assert manager.post(one(case), gift()).status_code == 302
    voucher = Voucher.objects.for_store(store).get()
    assert voucher.offer.amount_minor == 500_00
    page = manager.get(one(case)).content.decode()
    assert "Gave them ₱500 off" in page
    assert voucher.code[:4] in page
    assert what(case) == ["", "gave"]


def test_a_double_tap_gives_one(manager, store, case):
    manager.post(one(case), gift()), manager.post(one(case), gift())
    assert Voucher.objects.for_store(store).count() == 1
    assert what(case) == ["", "gave"]


def test_two_people_who_give_at_once_are_told(manager, store, case):
    manager.post(one(case), gift())
    page = manager.post(one(case), gift(amount="300"))
    assert page.status_code == 422
    assert "Somebody gave them something meanwhile" in page.content.decode()
    assert 'name="number" value="1"' in page.content.decode()
    assert Voucher.objects.for_store(store).count() == 1
    assert what(case) == ["", "gave"]


def test_what_was_taken_back_is_not_said_to_be_given(manager, store, case):
    manager.post(one(case), gift())
    manager.post(one(case), {"action": "take_back", "about": f"apology:{case.pk}:0"})
    assert manager.post(one(case), gift()).status_code == 422
    assert Reward.objects.for_store(store).get().status == "voided"


def test_the_cap_is_said_with_what_is_left(manager, store, case):
    Store.objects.filter(pk=store.pk).update(apology_cap_minor=700_00)
    manager.post(one(case), gift())
    page = manager.post(one(case), gift(number="1", kind="store_credit"))
    assert page.status_code == 422
    assert "₱200 is left" in page.content.decode()
    assert Reward.objects.for_store(store).count() == 1
    assert what(case) == ["", "gave"]


@pytest.mark.parametrize("wrong", [{"amount": "0"}, {"amount": "-5"}, {"amount": "much"}, {"kind": "percent_off"}])
def test_a_wrong_amount_gives_nothing(manager, store, case, wrong):
    assert manager.post(one(case), gift(**wrong)).status_code == 422
    assert not Reward.objects.for_store(store).exists()


def test_it_is_taken_back(manager, store, case):
    manager.post(one(case), gift())
    manager.post(one(case), {"action": "take_back", "about": f"apology:{case.pk}:0"})
    assert Reward.objects.for_store(store).get().status == "voided"
    assert what(case) == ["", "gave", "took_back"]
    assert "Take it back" not in manager.get(one(case)).content.decode()


def test_another_cases_voucher_is_not_taken_back(manager, store, case, unhappy):
    other = unhappy("leo@example.com")
    manager.post(one(other), gift())
    manager.post(one(case), {"action": "take_back", "about": f"apology:{other.pk}:0"})
    assert Reward.objects.for_store(store).get().status == "granted"


def test_the_second_voucher_stands_in_the_letter(manager, case):
    manager.post(one(case), gift())
    page = manager.get(f"{one(case)}?reply=3").content.decode()
    assert "we give you ₱500 off" in page


@pytest.mark.parametrize("form", [letter(), gift()])
def test_strangers_and_staff_do_neither(stranger, staff, store, case, form):
    assert stranger.post(one(case), form).status_code == 404
    assert staff.post(one(case), form).status_code == 403
    assert what(case) == [""]
    assert not Reward.objects.for_store(store).exists()


# -- The end, and what came of it --


def test_the_outcome_is_kept_and_goes_with_the_ending(manager, case):
    manager.post(one(case), {"action": "solve", "outcome": "replaced"})
    case.refresh_from_db()
    assert (case.status, case.outcome) == ("solved", "replaced")
    assert "replaced or repaired" in manager.get(f"{URL}?tab=ended").content.decode()
    manager.post(one(case), {"action": "reopen"})
    case.refresh_from_db()
    assert (case.status, case.outcome, case.ended_at) == ("open", "", None)


def test_an_outcome_that_does_not_exist_ends_nothing(manager, case):
    assert manager.post(one(case), {"action": "solve", "outcome": "magic"}).status_code == 422
    case.refresh_from_db()
    assert case.status == "open"


def answered_after(case, score, *, suspect=False):
    facts = {"key": f"{FOLLOW_UP}{case.pk}", "status": "invited", "due_at": timezone.now()}
    invitation = Invitation.objects.create(store=case.store, customer=case.customer, **facts)
    if score is not None:
        Response.objects.create(
            store=case.store, invitation=invitation, customer=case.customer, score=score, at=timezone.now(),
            is_suspect=suspect,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("score", "words"), [(9, "Won back: 9 of 10 now"), (3, "Still unhappy: 3 of 10 now"), (None, "Will be asked")]
)
def test_it_shows_what_the_follow_up_brought(manager, case, score, words):
    recovery.end_case(case, solved=True, note="", at=timezone.now(), by=None)
    answered_after(case, score)
    assert words in manager.get(one(case)).content.decode()
    assert words in manager.get(f"{URL}?tab=ended").content.decode()


def test_the_share_won_back_has_its_denominator(store, unhappy):
    for number in range(24):
        case = unhappy(f"c{number}@example.com")
        recovery.end_case(case, solved=number != 23, note="", at=timezone.now(), by=None)
        if number < 22:
            answered_after(case, 8 if number < 11 else 4, suspect=number == 21)
    found = case_queries.turned(store, timezone.now())
    assert (found.ended, found.solved, found.answered, found.turned) == (24, 23, 21, 11)
    assert found.share == pytest.approx(11 / 21)
    assert found.low < 0.5 < found.high


def test_few_answers_give_no_percentage_and_nothing_is_promised(manager, unhappy):
    case = unhappy()
    recovery.end_case(case, solved=True, note="", at=timezone.now(), by=None)
    answered_after(case, 9)
    page = manager.get(f"{URL}?tab=ended")
    assert page.context["turned"].share is None
    assert "1 of 1" in page.content.decode()
    assert "90" not in page.content.decode().split("turned-title")[1].split("</section>")[0]
