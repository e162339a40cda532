"""Text from outside becomes visible and finite."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.text import cut, literal, shown, visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("nul \0 bell \a", "nul ␀ bell ␇"),
        ("cr \r", "cr ␍"),
        ("delete \x7f", "delete \\x7f"),
        ("next line \x85", "next line \\x85"),
        ("lone \ud800", "lone \\ud800"),
        ("right to left \u202e", "right to left \\u202e"),
        ("separator \u2028", "separator \\u2028"),
        ("Grüße, 温度", "Grüße, 温度"),
    ],
)
def test_unseen_characters_become_visible(text, expected):
    """And everything that can be seen stays."""
    assert visible(text) == expected


def test_a_string_and_a_number_look_different():
    """The type is part of what is judged."""
    assert (literal("9000"), literal(9000)) == ('"9000"', "9000")


def test_long_text_is_cut_with_a_note():
    """The reader sees how much is missing."""
    assert cut("x" * 50, longest=10) == "xxxxxxxxxx\n… cut: 10 of 50 characters shown"


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_can_be_written_and_seen(text):
    """No input leaves a control character, nor one that UTF-8 cannot hold."""
    result = shown(text)

    assert result.encode("utf-8").decode() == result
    assert result.replace("\n", "").replace("\t", "").isprintable()
