"""The fifteen anchors of a product that people love (ECOSYSTEM section 6), and the tests that prove each.

A test that is renamed or removed fails here, and says which promise it was.
"""

from __future__ import annotations

import ast
import functools

import pytest

from tests.stack import ROOT

ANCHORS: dict[str, list[str]] = {
    "1. Share in one tap, at most 60 KB, readable before the font": [
        "browser/test_customer_journeys.py::test_the_advocate",
        "browser/test_slow_phone.py::test_the_first_load",
        "browser/test_slow_phone.py::test_it_can_be_read_before_the_letters_come",
    ],
    "2. Redeem in three taps and ten seconds; by keys alone; a wrong code says what to try": [
        "browser/test_counter_staff.py::test_the_journey_of_staff",
        "browser/test_counter_staff.py::test_keys_alone_are_enough",
        "checkout/test_counter.py::test_each_refusal_has_its_own_text",
    ],
    "3. A score is two touches; a scanner gives none; it can be changed for 14 days": [
        "browser/test_customer_journeys.py::test_the_advocate",
        "surveys/test_answer_page.py::test_a_scanner_that_opens_every_link_records_nothing",
        "surveys/test_answer_page.py::test_an_answer_is_shown_and_can_be_changed",
        "surveys/test_answer_page.py::test_after_14_days_the_answer_stands",
    ],
    "4. Nothing is lost: reload, double tap, dropped line": [
        "checkout/test_counter.py::test_a_double_tap_shows_the_same_receipt",
        "races/test_redeem.py::test_a_double_tap_at_the_counter_is_one_redemption",
        "browser/test_counter_offline.py::test_a_line_lost_at_the_last_tap_redeems_once",
        "browser/test_counter_offline.py::test_a_second_tap_and_a_reload_keep_it_once",
        "referrals/test_share_page.py::test_a_tap_is_noted_once_without_any_cookie",
    ],
    "5. Ready in 15 minutes, each step skippable, sample data that leaves with one button": [
        "browser/test_owner_first_minutes.py::test_from_nobody_to_a_card_on_the_counter",
        "insights/test_setup.py::test_each_step_may_be_skipped_and_changes_nothing",
        "insights/test_sample.py::test_the_owner_makes_it_looks_and_removes_it",
    ],
    "6. Home answers: what do I do now?": [
        "browser/test_manager_morning.py::test_the_morning_takes_a_handful_of_taps",
        "insights/test_home.py::test_unhappy_people_and_waiting_referrals_need_you",
    ],
    "7. Every number opens its rows, every row says why": [
        "insights/test_rows.py::test_every_number_opens_its_rows",
        "insights/test_rows.py::test_a_chip_filters_and_the_reason_is_in_words",
    ],
    "8. No wait without news": [
        "referrals/test_manual_send.py::test_the_progress_ends_without_its_trigger",
        "referrals/test_manual_send.py::test_the_stop_button",
        "browser/test_materials.py::test_a_card_for_each_customer_is_made_while_the_owner_waits",
    ],
    "9. The same page in three languages": [
        "browser/test_catalogue.py::test_english",
        "browser/test_catalogue.py::test_filipino",
        "browser/test_catalogue_persian.py::test_persian",
        "browser/test_catalogue_persian.py::test_no_latin_digits_in_persian_sentences",
        "stores/test_l10n.py::test_signs_stand_on_the_right_side",
    ],
    "10. AA everywhere": [
        "browser/test_catalogue.py::test_english",
        "browser/test_catalogue_persian.py::test_persian",
        "browser/test_catalogue.py::test_the_keyboard_reaches_everything_and_is_seen",
        "browser/test_catalogue.py::test_the_skip_link_leads_past_the_menu",
        "stores/test_rules.py::test_a_readable_shade_can_be_read",
    ],
    "11. Slow phones": [
        "browser/test_slow_phone.py::test_the_first_load",
        "browser/test_slow_phone.py::test_without_script_the_letters_come_all_the_same",
    ],
    "12. Print once, works": [
        "referrals/test_materials_drawn.py::test_an_invitation_is_drawn_and_its_code_read_again",
        "referrals/test_materials_drawn.py::test_a_customers_gift_is_drawn_and_its_code_read_again",
        "browser/test_materials.py::test_a_poster_wins_an_advocate_who_wins_a_friend",
    ],
    "13. Plain words": [
        "test_plain_words.py::test_no_jargon_on_any_screen",
        "test_plain_words.py::test_persian_is_persian",
        "test_plain_words.py::test_filipino_keeps_no_jargon",
        "browser/test_catalogue_persian.py::test_persian_is_translated",
        "stores/test_l10n.py::test_money_reads_back_what_it_wrote",
    ],
    "14. Quiet by default": [
        "outreach/test_claim_cap.py::test_never_more_than_the_cap_in_any_seven_days",
        "outreach/test_unsubscribe.py::test_one_click_of_a_mail_program_stops_everything_at_once",
        "referrals/test_asking.py::test_the_happy_are_shown_their_link_and_the_unhappy_are_not",
    ],
    "15. The owner can leave": [
        "insights/test_rows.py::test_the_file_holds_what_is_shown",
        "insights/test_takeout.py::test_the_whole_store_comes_as_a_zip",
        "insights/test_takeout.py::test_it_is_made_in_pieces_that_fit_together",
        "referrals/test_erasing.py::test_an_owner_forgets_somebody_in_two_taps_and_an_hour",
        "referrals/test_erasing.py::test_a_hundred_people_are_found_nowhere",
    ],
}
PROOFS = sorted({proof for proofs in ANCHORS.values() for proof in proofs})


@functools.cache
def names_in(path: str) -> set[str]:
    """The tests of a file, by name."""
    tree = ast.parse((ROOT / "tests" / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_there_are_fifteen():
    assert [int(anchor.partition(".")[0]) for anchor in ANCHORS] == list(range(1, 16))


@pytest.mark.parametrize("proof", PROOFS)
def test_each_is_proved_by_a_test_that_exists(proof):
    path, _, name = proof.partition("::")
    promised = [anchor for anchor, proofs in ANCHORS.items() if proof in proofs]
    assert (ROOT / "tests" / path).exists(), promised
    assert name in names_in(path), promised
