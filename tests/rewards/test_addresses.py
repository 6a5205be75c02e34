import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from customers.models import Customer
from rewards.addresses import BadNumber, Method, hint, is_iban, methods_for, normal_number
from rewards.models import PayoutAddress
from rewards.services import addresses
from stores import secrets
from tests.conftest import NOW

IBAN, SHEBA, CARD = "GB82WEST12345698765432", "IR820540102680020817909002", "6037997111111119"


@pytest.mark.parametrize(
    ("method", "typed", "currency", "kept"),
    [
        (Method.BANK, "gb82 west 1234 5698 7654 32", "EUR", IBAN),
        (Method.BANK, "GB82-WEST-1234-5698-7654-32", "PHP", IBAN),
        (Method.BANK, "820540102680020817909002", "IRR", SHEBA),
        (Method.BANK, "IR۸۲ ۰۵۴۰ ۱۰۲۶ ۸۰۰۲ ۰۸۱۷ ۹۰۹۰ ۰۲", "IRR", SHEBA),
        (Method.BANK, "1234-5678-90", "PHP", "1234567890"),
        (Method.GCASH, "0917 123 4567", "PHP", "+639171234567"),
        (Method.MAYA, "+63 (917) 123-4567", "PHP", "+639171234567"),
        (Method.CARD, "۶۰۳۷ ۹۹۷۱ ۱۱۱۱ ۱۱۱۹", "IRR", CARD),
        (Method.PAYPAL, " Sara@Example.com ", "EUR", "sara@example.com"),
    ],
)
def test_a_number_is_kept_one_way_however_it_was_typed(method, typed, currency, kept):
    assert normal_number(method, typed, currency=currency) == kept


@pytest.mark.parametrize(
    ("method", "typed", "currency"),
    [
        (Method.BANK, "GB82WEST12345698765433", "EUR"),  # one digit wrong
        (Method.BANK, "GB82WEST1234569876543", "PHP"),  # one is missing
        (Method.BANK, "1234567890", "EUR"),  # banks there have IBANs
        (Method.BANK, "", "PHP"),
        (Method.BANK, "no idea", "PHP"),
        (Method.GCASH, "02 8123 4567", "PHP"),  # a landline
        (Method.GCASH, "+1 212 555 0100", "PHP"),
        (Method.MAYA, "0917 123 456", "PHP"),
        (Method.CARD, "6037997111111118", "IRR"),
        (Method.CARD, "603799711111111", "IRR"),
        (Method.CARD, "0000000000000000", "IRR"),
        (Method.PAYPAL, "sara@", "EUR"),
    ],
)
def test_what_cannot_be_right_is_refused_with_a_sentence(method, typed, currency):
    with pytest.raises(BadNumber) as refused:
        normal_number(method, typed, currency=currency)
    assert str(refused.value).endswith(".")


@given(st.sampled_from(Method), st.text(max_size=60), st.sampled_from(["PHP", "IRR", "EUR", "USD"]))
def test_any_text_is_kept_or_refused(method, typed, currency):
    try:
        kept = normal_number(method, typed, currency=currency)
    except BadNumber:
        return
    assert normal_number(method, kept, currency=currency) == kept
    assert len(hint(method, kept)) <= 40


@given(st.integers(2, 9), st.integers(0, 10**14 - 1), st.integers(0, 15), st.integers(1, 9))
def test_every_wrong_digit_of_a_card_is_found(first, body, place, by):
    bare = f"{first}{body:014d}"
    card = bare + luhn.calc_check_digit(bare)
    assert normal_number(Method.CARD, card, currency="IRR") == card
    wrong = str((int(card[place]) + by) % 10)
    with pytest.raises(BadNumber):
        normal_number(Method.CARD, card[:place] + wrong + card[place + 1 :], currency="IRR")


def test_each_currency_has_its_ways():
    assert Method.GCASH in methods_for("PHP")
    assert Method.CARD in methods_for("IRR")
    assert methods_for("EUR") == [Method.BANK, Method.PAYPAL]
    assert is_iban(IBAN)
    assert not is_iban("1234567890")


def test_a_hint_shows_little():
    assert hint(Method.CARD, CARD) == "…1119"
    assert hint(Method.PAYPAL, "sara@example.com") == "s…@example.com"


def test_a_sealed_number_opens_for_its_own_person_alone(store, make_customer):
    sara, nina = make_customer("Sara", "sara@example.com"), make_customer("Nina", "nina@example.com")
    details = addresses.Details(IBAN, "Sara Ahmadi")
    mine = addresses.save_address(sara, Method.BANK, details, at=NOW)
    hers = addresses.save_address(nina, Method.PAYPAL, addresses.Details("nina@example.com", "Nina"), at=NOW)
    assert IBAN not in mine.sealed
    assert addresses.details_of(mine) == details
    hers.sealed = mine.sealed
    with pytest.raises(secrets.Unreadable):
        addresses.details_of(hers)


def test_an_address_that_came_with_a_merged_customer_opens(store, make_customer):
    sara, again = make_customer("Sara", "sara@example.com"), make_customer("Sara A", "sara2@example.com")
    details = addresses.Details(IBAN, "Sara Ahmadi")
    row = addresses.save_address(again, Method.BANK, details, at=NOW)
    PayoutAddress.objects.filter(pk=row.pk).update(customer=sara)
    row.refresh_from_db()
    with pytest.raises(secrets.Unreadable):
        addresses.details_of(row)
    Customer.objects.filter(pk=again.pk).update(merged_into=sara)
    assert addresses.details_of(row) == details


def test_a_new_address_takes_the_place_of_the_old(store, make_customer):
    sara = make_customer("Sara", "sara@example.com")
    for number in ("+639171234567", "+639170000001"):
        addresses.save_address(sara, Method.GCASH, addresses.Details(number, "Sara"), at=NOW)
    row = PayoutAddress.objects.for_store(store).get()
    assert (row.hint, addresses.details_of(row).number) == ("…0001", "+639170000001")
