"""Evidence text as a model is shown it: no text of it ends its fence, hides itself or floods the page."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from injections import ADDRESS, DEMANDS, INJECTIONS, Injection, marks

from wigmore.agents.fence import LINE, LISTED, PAGE, VALUE, cut, fenced, line_of, neutral, page_of

# confusables of `<` and `>` (Unicode security data, UTS 39), apart from what the code lists
LOOK_ALIKES = "<>˂˃‹›❮❯ᐸᐳᚲ𝈶𝈷𖼿＜＞﹤﹥〈〉《》⟨⟩〈〉«»"
IGNORABLE = [  # Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties)
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0x200B, 0x2010)),
    *(*range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0),
    *(*range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE0200)),
]
TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from([*LOOK_ALIKES, *map(chr, IGNORABLE), *'[]`/\\"{}:,\n\r\t\0\x1b INSTevidnc|_#']),
    ),
    max_size=VALUE,
)


def raw(text: str) -> list[str]:
    """The characters of a shown text that could end a fence, hide a word or turn a line."""
    return [
        c
        for c in text
        if c in LOOK_ALIKES
        or ord(c) in IGNORABLE
        or any(part in "<>" for part in unicodedata.normalize("NFKD", c))
        or unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Co", "Cs")
    ]


def the_line_is_harmless_and_says(line: str, row: dict[str, object]) -> None:
    assert not raw(line) and "\n" not in line
    assert "```" not in line and not any(mark in line.upper() for mark in ("[INST]", "[/INST]", "[TOOL_CALLS]"))
    assert json.loads(line) == row


def test_there_are_orders_enough_in_channels_languages_and_demands() -> None:
    assert len(INJECTIONS) >= 60 and len({each.id for each in INJECTIONS}) == len(INJECTIONS)
    channels, languages = Counter(i.channel for i in INJECTIONS), Counter(i.language for i in INJECTIONS)
    assert len(channels) >= 20 and min(channels.values()) >= 2 and len(languages) >= 10
    assert {each.demand for each in INJECTIONS} == set(DEMANDS)
    assert all(marks(each.text) == [each.id] for each in INJECTIONS)
    assert sum(ADDRESS in each.text for each in INJECTIONS) >= 5
    assert sum(bool(raw(each.text)) for each in INJECTIONS) >= 12  # else the fence would have nothing to do


@pytest.mark.parametrize("order", INJECTIONS, ids=lambda each: each.id)
def test_an_order_is_shown_as_it_stands_and_can_neither_close_its_fence_nor_hide(order: Injection) -> None:
    row = {"record_id": "rec-1", "data": {order.text[:60]: order.text}}
    page = page_of([row, {"text": [order.text, {"inner": order.text}]}], 1)
    shown = [line.partition(" ")[2] for line in page.lines]
    the_line_is_harmless_and_says(shown[0], row)
    the_line_is_harmless_and_says(shown[1], {"text": [order.text, {"inner": order.text}]})
    whole = fenced(page.lines, "inv-1").split("\n")
    assert len(whole) == 4 and whole[0][1:] == whole[3][2:] and whole[0].startswith("<evidence data-")
    assert all(line[0].isdigit() for line in whole[1:3])  # what stands inside begins no fence


@given(TEXTS, TEXTS)
def test_any_text_survives_the_fence_whole_and_harmless(key: str, text: str) -> None:
    row = {"data": {key[:80]: text}, "path": text}
    the_line_is_harmless_and_says(line_of(row), row)
    assert neutral(neutral(json.dumps(text))) == neutral(json.dumps(text))


@given(st.lists(st.dictionaries(st.sampled_from("abcdefgh"), TEXTS, max_size=8), max_size=40), st.integers(-3, 50))
def test_pages_are_capped_and_hold_every_row_once(rows: list[dict[str, str]], number: int) -> None:
    last = page_of(rows, number).of
    pages = [page_of(rows, n) for n in range(1, last + 1)]
    if len(rows) != 1:
        assert [int(line.split(" ")[0]) for page in pages for line in page.lines] == list(range(len(rows)))
    for page in pages:
        assert sum(map(len, page.lines)) <= PAGE or len(page.lines) == 1
        assert all(len(line) <= LINE + 10 for line in page.lines)


@pytest.mark.parametrize("filling", ["<", "\U000e0041", '"', "\\", "\0", "文", "[INST]"])
def test_a_row_that_would_flood_the_page_is_cut_and_stays_json(filling: str) -> None:
    row = {f"field {n}": filling * 5000 for n in range(300)} | {"record_id": "rec-1", "list": [filling * 900] * 400}
    line = page_of([row], 1).lines[0].partition(" ")[2]
    told = json.loads(line)
    assert len(line) <= LINE and not raw(line)
    assert told["record_id"] == "rec-1" and "left out" in told["…"]
    assert any("characters more" in str(value) for value in told.values()) or len(told) > 2


def test_what_is_left_out_of_a_value_or_a_list_is_said() -> None:
    told = json.loads(line_of({"text": "a" * 1000, "many": list(range(100))}))
    assert told["text"] == cut("a" * 1000) and told["text"].endswith("(600 characters more)")
    assert len(told["many"]) == LISTED + 1 and told["many"][-1] == "… 100 in all"


@pytest.mark.parametrize(
    "character", sorted({*LOOK_ALIKES, *map(chr, IGNORABLE[:80])}), ids=lambda c: f"U+{ord(c):04X}"
)
def test_each_look_alike_and_each_character_that_shows_nothing_is_written_as_an_escape(character: str) -> None:
    line = line_of({"name": f"a{character}b"})
    assert character not in line and json.loads(line) == {"name": f"a{character}b"}
