"""Secrets at rest: rotation, tampering, a wrong key, a wrong place."""

import pytest

from stores import secrets

OLD, NEW = "the-old-key" * 5, "the-new-key" * 5
CONTEXT = "channel:1:email"


@pytest.fixture(autouse=True)
def _old_key(settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []


def test_a_sealed_text_opens_again_and_does_not_show():
    sealed = secrets.seal("hunter2 رمز", CONTEXT)
    assert secrets.unseal(sealed, CONTEXT) == "hunter2 رمز"
    assert "hunter2" not in sealed
    assert sealed != secrets.seal("hunter2 رمز", CONTEXT)  # the same secret twice looks different


def test_an_old_key_opens_until_it_is_dropped(settings):
    sealed = secrets.seal("hunter2", CONTEXT)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    assert secrets.unseal(sealed, CONTEXT) == "hunter2"
    renewed = secrets.renew(sealed, CONTEXT)
    assert secrets.renew(renewed, CONTEXT) is None
    settings.SECRET_KEY_FALLBACKS = []
    assert secrets.unseal(renewed, CONTEXT) == "hunter2"
    for refused in (secrets.unseal, secrets.renew):
        with pytest.raises(secrets.Unreadable):
            refused(sealed, CONTEXT)


@pytest.mark.parametrize("place", [0, 9, 30, -1])
def test_one_altered_character_is_found(place):
    sealed = secrets.seal("hunter2", CONTEXT)
    letters = list(sealed)
    letters[place] = "A" if letters[place] != "A" else "B"
    with pytest.raises(secrets.Unreadable):
        secrets.unseal("".join(letters), CONTEXT)


@pytest.mark.parametrize("sealed", ["", "x", "gAAAAA", "é", "\x00"])
def test_what_was_never_sealed_is_unreadable(sealed):
    with pytest.raises(secrets.Unreadable):
        secrets.unseal(sealed, CONTEXT)


def test_a_secret_moved_to_another_row_stays_closed():
    sealed = secrets.seal("hunter2", "channel:1:email")
    with pytest.raises(secrets.Unreadable):
        secrets.unseal(sealed, "channel:2:email")


def test_an_error_does_not_carry_the_secret():
    sealed = secrets.seal("hunter2", CONTEXT)
    with pytest.raises(secrets.Unreadable) as caught:
        secrets.unseal(sealed[:-3] + "AAA", CONTEXT)
    assert "hunter2" not in repr(caught.value)
    assert sealed not in repr(caught.value)
