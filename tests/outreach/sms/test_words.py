"""Which texts ask for silence, and which take it back."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.channels.sms.words import START_WORDS, STOP_WORDS, is_start, is_stop

STOPS = """
STOP | stop. | Stop!! | " stop " | Please stop | STOP PLEASE | stop na po | QUIT | End | revoke | opt out | OPT-OUT
optout | Cancel | Unsubscribe | STOPALL | Stop all | arrêt | ARRET | STOP 🙏 | ＳＴＯＰ | Stop, thank you
لغو | لغو۱۱ | لغو ۱۱ | لغو 11 | لغو١١ | 11 | ۱۱ | ١١ | لطفاً لغو | لغو اشتراک | «لغو»
itigil | Tigil na po | huwag na | Huwag na po | wag na po | ayoko na | Ayoko na po. | Tama na po
please stop texting me | Stop texting me! | stop sending me messages | Stop messaging us | stop these messages
Don’t text me anymore | do not contact me | no more texts please | Never text this number again | DONT TEXT ME
I don't want to receive these messages | I no longer wish to receive your texts | I do not want any more offers
remove me from your list | take me off your list | unsubscribe me | I want to opt out | opt me out
I'd like to unsubscribe
please cancel my subscription | How do I stop getting these texts? | stop spamming me | leave me alone
Stop sending this
Stop texting me, I can't stand it | Can you please stop texting me | don't send me any more messages
دیگه پیام ندهید | لطفا پیامک نفرستید | پیام نده | پیام تبلیغاتی نفرستید | پیامک نمی‌خوام
wag na mag text | huwag na kayong mag text | Huwag na po kayo magtext | ayoko na ng text | itigil nyo na ang pagtext
"""
OTHERS = """
can't stop using it | I can't stop texting my friends about it | don't stop sending me offers
never stop sending offers
I could not stop smiling | Where is the bus stop? | the end | cancel my order | Can I cancel my order 55? | لغو سفارش
10 | 111 | 0 | ۱۰ | 1 1 | hello | Thank you | no | yes | I will stop by your shop tomorrow | send me the link
Don't send it today, send it tomorrow | take me to the shop | delete the old one | great texts | 👍 | please | weekend
stopwatch | ayoko na maghintay | huwag na kayo pumunta | salamat po | I stopped by | why did you stop sending offers?
how do I stop the machine | پیام دادم | سلام ممنون | Unstoppable! | Do you accept opt-in by mail | happy ending
"""
STARTS = "START | start | Start please | unstop | 12 | ۱۲ | ١٢ | عضویت | opt in | Opt-in! | شروع | resume | START po"


def phrases(text: str) -> list[str]:
    return [one.strip() for row in text.strip().splitlines() for one in row.split("|")]


@pytest.mark.parametrize("text", phrases(STOPS))
def test_a_wish_for_silence_is_understood(text):
    assert is_stop(text)
    assert not is_start(text)


@pytest.mark.parametrize("text", [*phrases(OTHERS), *phrases(STARTS), "", "   ", "\n", "."])
def test_other_texts_are_no_stop(text):
    assert not is_stop(text)


@pytest.mark.parametrize("text", phrases(STARTS))
def test_a_stop_taken_back(text):
    assert is_start(text)


@pytest.mark.parametrize("text", [*phrases(OTHERS), "", "the start", "don't start", "yes", "start the machine"])
def test_other_texts_are_no_start(text):
    assert not is_start(text)


@given(st.text(max_size=200))
def test_no_text_is_both(text):
    assert not (is_stop(text) and is_start(text))


@given(
    st.sampled_from(sorted(STOP_WORDS)),
    st.sampled_from(["{}", " {}  ", "{}.", "{}!!!", '"{}"', "\u200f{}", "{}\n", "{} 🙏", "Please {}", "{} po"]),
    st.sampled_from([str, str.upper, str.title]),
)
def test_every_stop_word_in_every_dress(word, dress, case):
    assert is_stop(dress.format(case(word)))


@given(st.sampled_from(sorted(START_WORDS)), st.sampled_from([str, str.upper, str.title]))
def test_every_start_word_in_every_case(word, case):
    assert is_start(f" {case(word)}!")


@pytest.mark.parametrize(
    "text", ["stop " * 40_000, "stop me us to any more of " * 5_000, "wag na po " * 9_000, "پیام " * 9_000]
)
def test_a_long_text_takes_no_long_time(text):
    began = time.process_time()
    is_stop(text)
    assert time.process_time() - began < 0.5
