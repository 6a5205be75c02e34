"""The language of owners' words: what it can, what it refuses with which sentence, that it can do nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.language import LONGEST, BadWords, Shown, clean, compile_words, tidy

ALLOWED = {"name", "product", "friends", "store"}
VALUES = {
    "name": Shown("", "", "there"),
    "product": Shown("Mug", "Mug"),
    "friends": Shown(2, "۲"),
    "store": Shown("Rosewater", "Rosewater"),
}


def said(text, **values):
    return compile_words(text, ALLOWED, {"note"}).render(VALUES | values)


def problems(text):
    with pytest.raises(BadWords) as caught:
        compile_words(text, ALLOWED, {"note"})
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello {{ name }}, your {{product}}", "Hello there, your Mug"),
        ("{% if product %}yes {{ product }}{% else %}no{% endif %}", "yes Mug"),
        ("{% if name %}yes{% elif product %}maybe{% else %}no{% endif %}", "maybe"),
        ("{% if not name and product %}x{% endif %}", "x"),
        ("{% if friends > 1 %}{{ friends }} friends{% else %}one{% endif %}", "۲ friends"),
        ('{% if product == "Mug" %}m{% endif %}', "m"),
        ("{% if name > 1 %}x{% else %}never an error{% endif %}", "never an error"),
        ("{% if note %}paper{% else %}phone{% endif %}", "phone"),
        ('{{ name|default:"dear friend" }}', "dear friend"),
        ("{{ name | default:“dear” }}", "dear"),  # phones write curly quotes
        ("{{ name }} is here. {{ name }} came. So {{ name }}", "There is here. There came. So there"),
        ("a  b {% if name %}x{% endif %} c\n\n\n\n d ", "a b c\n\nd"),
        ("100% {of} it is } fine", "100% {of} it is } fine"),
        ("", ""),
    ],
)
def test_what_it_can(text, expected):
    assert said(text) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{{ nmae }}", "There is no field {{ nmae }}; did you mean {{ name }}?"),
        ("{{ Name }}", "There is no field {{ Name }}; did you mean {{ name }}?"),
        ("{{ zzz }}", "There is no field {{ zzz }}. You can use: friends, name, product, store."),
        ("{% if name %}x", "{% if name %} is not closed. Write {% endif %} where it ends."),
        ("x{% endif %}", "{% endif %} stands alone: there is no {% if %} before it."),
        ("{% else %}", "{% else %} stands alone: there is no {% if %} before it."),
        ("{% load i18n %}", "{% load i18n %} is not known. Only {% if %}, {% elif %}, {% else %} and {% endif %} are."),
        ("{% elseif name %}", "{% elseif name %} is not known. Did you mean {% elif %}?"),
        ("{% name %}", "{% name %} is no condition. To print the field write {{ name }}."),
        ("{{ name|upper }}", '{{ name|upper }}: the only thing that may follow a field is |default:"other words".'),
        ("{{ name|default }}",
         '{{ name|default }} cannot be read. Write {{ name }}, or {{ name|default:"other words" }}.'),
        ("{{ store.pk }}", "{{ store.pk }} has a full stop in it. Fields are single words, for example {{ name }}."),
        ("{{ }}", "There is a pair of empty braces. Write a field between them, or take them out."),
        ("Hi {{ name", "A “{{” stands alone. A field is written {{ name }}, a condition {% if name %}."),
        ("Hi { name }", "Write {{ name }} with two braces on each side, not { name }."),
        ("{# psst #}", "Notes in {# #} are not known here. Take this one out."),
        ("{{ note }}", "{{ note }} cannot be printed, only asked: {% if note %}."),
        ("{% if %}{% endif %}", "{% if %} cannot be read. Write {% if product %} or {% if friends > 1 %}."),
        ("{% if name in product %}{% endif %}",
         "{% if name in product %} cannot be read. Write {% if product %} or {% if friends > 1 %}."),
        ("{% if name %}{% else if x %}{% endif %}",
         "{% else if x %}: nothing may follow “else”. For another condition write {% elif … %}."),
        ("{% if name %}" * 9 + "{% endif %}" * 9, "There are too many conditions within conditions. Make it simpler."),
        ("x" * (LONGEST + 1), "This text is too long."),
    ],
)  # fmt: skip
def test_what_it_refuses_and_how_to_mend_it(text, sentence):
    assert problems(text) == [sentence]


def test_every_problem_is_told_at_once():
    assert len(problems("{{ nmae }} {% foo %} {{ store.name }} {{ name|safe }}")) == 4


@pytest.mark.parametrize(
    "text",
    [
        "{% include 'x' %}", "{% extends 'x' %}", "{% load x %}", "{% debug %}", "{% csrf_token %}", "{% now 'Y' %}",
        "{% for x in name %}{% endfor %}", "{% with x=name %}{% endwith %}", "{% url 'x' %}", "{% filter x %}",
        "{% verbatim %}{{ name }}{% endverbatim %}", "{% comment %}x{% endcomment %}", "{% autoescape off %}",
        "{{ name.__class__ }}", "{{ name.0 }}", "{{ name|safe }}", "{{ name|add:store }}", "{{ _('x') }}",
        "{{ name|default:store }}", '{{ name|default:_("x") }}', "{{ block.super }}", "{{ 'x' }}", "{{ 5 }}",
        "{% if name.__class__ %}{% endif %}", "{% if name|length > 3 %}{% endif %}", '{% if _("a %}{% endif %}',
        "{% if request %}{% endif %}", "{% if True %}{% endif %}", "{{ True }}", "{{ self }}",
    ],
)  # fmt: skip
def test_nothing_else_exists(text):
    assert problems(text)


PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", "{#", "#}", "{", "}", "%", "if", "elif", "else", "endif", "not", "and", "or", "in", "is",
     "==", ">", "name", "product", "store.pk", "note", "nmae", "|", ":", "default", '"', "'", "“", "_(", ")", " ", "\n",
     "1", "load", "verbatim", "include", "\u202e", "\u2068", "\ue000", "سلام", "🎉", "\x00"]
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(
    st.one_of(
        st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join), st.lists(PIECES, max_size=40).map(" ".join)
    )
)
def test_no_input_does_anything_but_render_or_raise_badwords(text):
    try:
        words = compile_words(text, ALLOWED, {"note"})
    except BadWords as error:
        refused = error.problems
    else:
        rendered, refused = words.render(VALUES), ["."]
        assert words.used <= ALLOWED | {"note"}
        for braces in ("{{", "}}", "{%", "%}", "\n\n\n", "\ue000", "\u202e", "\x00"):
            assert braces not in rendered
    assert refused
    assert all(isinstance(one, str) and one for one in refused)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_values_are_never_read_as_words(value):
    assert said("[{{ product }}]", product=Shown(value, clean(value))).startswith("[")
    assert said("{{ product }}", product=Shown("x", "{{ name }}{% if %}")) == "{{ name }}{% if %}"


def test_it_knows_what_is_printed_unguarded():
    words = compile_words("{{ name }} {% if product %}{{ product }}{% endif %} {{ friends|default:'0' }}", ALLOWED)
    assert words.unguarded == {"name"}
    assert words.used == ALLOWED - {"store"}
    after = compile_words("{% if product %}{% endif %}{{ product }}", ALLOWED)
    assert after.unguarded == {"product"}


def test_missing_values_read_as_nothing():
    assert compile_words("a {{ name }} b", ALLOWED).render({}) == "a b"


def test_a_hostile_text_is_read_quickly():
    for text in (
        "{% if " + "not " * 1500 + "name %}",
        "{% if name %}" * 600,
        "{{ name|" * 900,
        '{% if "' * 900,
        "{" * 7000,
    ):
        with pytest.raises(BadWords):
            compile_words(text, ALLOWED)


def test_clean_and_tidy():
    assert clean("a\r\nb\x07\u202ec\u200cd") == "a\nbc\u200cd"
    assert tidy("  a   b  \n\n\n\n c ") == "a b\n\nc"
