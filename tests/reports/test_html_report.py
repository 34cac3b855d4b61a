"""The report escapes evidence, keeps its promises of wording, and stays readable at 3 and at 3,000 observations."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
from report_builders import obligation, report

from wigmore.reports.html import render_html
from wigmore.reports.markup import escaped, tag, visible
from wigmore.reports.words import receipt, unmet

HOSTILE = (
    "<script>alert(1)</script>\"onload='x' \u202etxt.exe\u2066 \x00\x1b[31m \ud800 &lt; </style><!-- ]]> javascript:1"
    " {a} %s"
)
TAGS = frozenset(
    "html head meta title style body div nav ol ul li a main section article h1 h2 h3 h4 p span strong small code pre "
    "table caption thead tbody tr th td dl dt dd details summary abbr time figure figcaption footer "
    "svg text rect line path g".split()  # readable as words
)
ATTRIBUTES = frozenset(
    "lang charset name content http-equiv class id href scope open title role aria-label viewbox width height "
    "x y x1 y1 x2 y2 rx d text-anchor".split()  # readable as words
)


class Reader(HTMLParser):
    """Notes tags, attributes, ids, links and text, and that elements close in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.stack: list[str] = []
        self.text: list[str] = []
        self.comments = 0

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(name)
        self.attributes |= {key for key, _ in attributes}
        self.ids += [value or "" for key, value in attributes if key == "id"]
        self.links += [value or "" for key, value in attributes if key == "href"]
        if name not in ("meta", "br", "hr", "col"):
            self.stack.append(name)

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(name)
        self.attributes |= {key for key, _ in attributes}

    def handle_endtag(self, name: str) -> None:
        assert self.stack.pop() == name

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments += 1


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.stack == []
    return reader


@pytest.mark.parametrize(
    "text", ["plain", HOSTILE, '"><img src=x onerror=y>', "' onclick='z", "\u2028\ufeff\U000e0041"]
)
def test_no_field_of_evidence_can_add_a_tag_or_an_attribute(text: str) -> None:
    page = render_html(report(12, text))
    seen = read(page)
    assert seen.tags <= TAGS
    assert seen.attributes <= ATTRIBUTES
    assert seen.comments == 0
    assert all(link.startswith("#") for link in seen.links)
    page.encode("utf-8")


def test_the_page_is_of_the_same_shape_whatever_the_evidence_says() -> None:
    def shape(page: str) -> list[str]:
        return re.findall(r"</?[a-z0-9]+", page)

    assert shape(render_html(report(12, HOSTILE))) == shape(render_html(report(12, "plain")))


def test_hidden_and_reordering_characters_are_written_visibly() -> None:
    page = render_html(report(4, HOSTILE))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)
    assert "\\u{202e}" in page
    assert "\\u{0}" in page
    assert visible("a\r\nb\tc") == "a\\u{d}\nb\tc"
    assert escaped('<"&') == "&lt;&quot;&amp;"
    assert tag("td", "<b>") == "<td>&lt;b&gt;</td>"


def test_every_link_of_the_page_has_a_target_and_no_id_stands_twice() -> None:
    seen = read(render_html(report(60, "plain", 8)))
    assert {link[1:] for link in seen.links} <= set(seen.ids)
    assert len(seen.ids) == len(set(seen.ids))


def test_a_finding_leads_to_its_fact_and_the_fact_to_its_bytes() -> None:
    page = render_html(report(8, "plain", 2))
    finding = page[page.index('id="h-hyp-0"') :]
    link = re.search(r'href="#(p-ph-\d+)"', finding)
    assert link
    place = page[page.index(f'id="{link[1]}"') :]
    block = place[: place.index("</article>")]
    for part in ("Where the bytes are", "Locator", "rec-", "ab" * 32, "wigmore tool /cases/one match_indicator"):
        assert part in block


def test_facts_interpretation_caveats_alternatives_and_opinion_stand_apart_and_in_order() -> None:
    page = render_html(report(8, "plain", 2))
    finding = page[page.index('id="h-hyp-0"') :]
    finding = finding[: finding.index("</article>")]
    labels = re.findall(r'class="label">([^<]+)<', finding)
    assert labels == ["Facts", "Interpretation", "Caveats", "Alternatives", "Tests made", "Opinion"]


def test_no_working_score_stands_outside_its_annex() -> None:
    page = render_html(report(30, "plain", 8))
    before, annex = page[: page.index('id="s-scores"')], page[page.index('id="s-scores"') :]
    assert "0.947" in annex
    assert "working score (uncalibrated)" in annex
    for number in ("0.9468", "0.947", "+1.25"):
        assert number not in before


def section(page: str, name: str) -> str:
    return page[page.index(f'<section id="s-{name}">') :].split("<section id=", 2)[1]


def words(part: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", part).split())


def test_what_was_laid_against_a_finding_and_weighs_nothing_is_told_apart() -> None:
    data = report(12, "said")
    first = next(h for h in data.hypotheses if any(e["edge_type"] == "weakens" for e in h["edges"]))
    against = [e for e in first["edges"] if e["edge_type"] in ("weakens", "contradicts")]
    listed = f"Observations against it ({len({e['phenomenon_id'] for e in against})})"
    assert listed in render_html(data) and "weighing nothing" not in render_html(data)
    for edge in against:
        edge["bears"] = edge["counts"] = False
    page = render_html(data)
    assert f"weighing nothing ({len({e['phenomenon_id'] for e in against})})" in page
    assert listed not in page


def test_a_question_has_its_answer_its_strength_and_its_chief_limit() -> None:
    data = report(6)
    held = obligation("question", 2, "", "linux.wtmp", more=0)
    data.questions = [
        {"id": "Q1", "ask": "Which?", "status": "answered", "answer": "this", "answers": [{"state": "carved"}]},
        {"id": "Q2", "ask": "When?", "status": "unanswered", "answer": "cannot say", "receipt": held},
        {"id": "Q3", "ask": "Why?", "status": "refused", "answer": "not answered", "receipt": {"reason": "for people"}},
    ]
    said = words(section(render_html(data), "summary"))
    assert "Q1 Which? this as recorded rests on records no longer in use: carved" in said
    assert "Q2 When? cannot say cannot say not or only partly seen: linux.wtmp, windows.eventlog ( receipt )" in said
    assert "Q3 Why? not answered not for records for people" in said


def test_the_verdicts_stand_with_the_state_of_review_and_by_whom() -> None:
    said = words(section(render_html(report(6, "plain", 4)), "summary"))
    assert re.search(r"Hypothesis 0: plain concluded amended by plain disagrees by now", said)
    assert re.search(r"Hypothesis 2: plain supported, contested not examined", said)


def test_alternatives_to_every_finding_are_told_once_and_not_as_alternatives_of_each() -> None:
    data = report(8, "plain", 4)
    data.hypotheses[0]["alternatives"] += ["hyp-remote"]
    data.hypotheses.append({**data.hypotheses[1], "id": "hyp-remote", "title": "A remote one", "standing": True})
    page = render_html(data)
    held = words(section(page, "standing"))
    assert "Alternative hyp-remote plain for all 2 findings Observation 1: plain Hypothesis 2: plain" in held
    assert "Alternative hyp-handling plain not tested: no time of plain (2)" in held
    finding = words(page[page.index('id="h-hyp-0"') :].split("</article>")[0])
    assert "Of the alternatives to every finding : Alternative hyp-remote plain (1 observation)." in finding
    assert "A remote one" not in finding
    assert "1 of 2 alternatives to every finding could not be tested" in finding
    data.hypotheses[0]["standing_alternatives"] = data.hypotheses[0]["standing_alternatives"][1:]
    assert "Of the " not in words(render_html(data).split('id="h-hyp-0"')[1].split("</article>")[0])


def test_an_amended_wording_stands_beside_the_machines_with_what_is_not_grounded_marked() -> None:
    page = render_html(report(8, "plain", 2))
    finding = page[page.index('id="h-hyp-0"') :].split("</article>")[0]
    said = words(finding)
    assert "Machine&#x27;s wording Amended wording Hypothesis 0: plain Copied at 03:14 plain" in said
    assert re.search(r'Copied at <span class="own" title="[^"]*not grounded">03:14</span> plain', finding)
    assert "Examiner&#x27;s own words, in no cited fact: 03:14" in said
    assert (
        "disagrees by now: amended; the machine said concluded, and now says contested. Since then: Observation 1: plain ."
        in said
    )
    assert "without the observation rejected by plain ( Observation 0: plain ): open , with it concluded ." in said


def test_obligations_are_counted_and_those_not_settled_have_their_receipts() -> None:
    said = words(section(render_html(report(6, "plain", 2)), "obligations"))
    assert "Questions of the case · 1 1 ·" in said
    assert "Tests that hypotheses owe 3 3 · ·" in said
    assert "windows.eventlog: not run (not in acquisition) and 2 more" in said
    assert "was met" not in said  # the receipt has rows that it does not show
    assert "5 × no" in said  # five tests give one reason: it is said once
    assert "Background: 35 observations by 5 rules" in said
    assert "fact-1 7 plain" in said


def test_a_receipt_calls_absent_only_what_no_row_of_it_names() -> None:
    needs = ["windows.eventlog:*/Security.evtx", "windows", "linux.wtmp"]
    row = obligation("probe", 0, "open", "x", needs=needs, more=0)
    assert receipt(row) == [
        "windows.eventlog: not run (not in acquisition)",
        "linux.wtmp: no file of the kind was met",
    ]
    assert receipt({**row, "more": 1})[-1] == "and 1 more"
    assert unmet({**row, "more": 1}) == []


def test_joins_are_told_with_grounds_for_and_against_and_contacts_with_their_number() -> None:
    said = words(section(render_html(report(6, "plain", 2)), "entities"))
    assert "Records held to be of one (2)" in said
    assert "plain 2 = plain 3: supported ( hyp-same-1 ) For: both hold plain (supports it)" in said
    assert "Against: they differ in plain (contradicts it)" in said
    assert "Perhaps of one, and not joined (1)" in said
    assert "rejected by a person ( hyp-same-0 )" in said
    assert "Who contacted whom (6)" in said
    assert "plain 5 plain 6 2026-04-01 10:00:00 UTC undated Observation 0: plain Observation 1: plain" in said


def test_three_thousand_findings_keep_the_page_bounded_and_its_links_whole() -> None:
    page = render_html(report(3000, "a text of some forty characters, as usual", 6000))
    seen = read(page)
    assert {link[1:] for link in seen.links} <= set(seen.ids)
    assert len(seen.ids) == len(set(seen.ids))
    assert len(page.encode()) < 15_000_000
    assert "2,700 of 3,000 are not shown here" in page
    assert page.count('class="finding"') == 300


def test_the_report_says_what_a_model_did_and_never_its_key() -> None:
    data = report(3)
    assert "No model was used" in render_html(data)
    data.context["run"]["config"]["agent"]["model"] = "some-model"
    page = render_html(data)
    assert "some-model" in page
    assert "No model was used" not in page
    assert "TOP-SECRET" not in page


def test_an_empty_case_is_no_clean_bill_of_health() -> None:
    data = report(0, "plain", 0)
    page = render_html(data)
    assert "not a clean bill of health" in page
    read(page)


def test_a_case_without_run_or_context_still_renders() -> None:
    data = report(3)
    data.context = {}
    assert "No audit was made for this report" in render_html(data)


def test_local_times_are_never_called_utc() -> None:
    data = report(1, hypotheses=0)
    data.phenomena[0]["occurred_at"] = "2022-03-10T19:57:43"
    data.timeline[0]["time"] = "2022-03-10T19:57:43"
    page = render_html(data)
    assert re.search(r"2022-03-10 19:57:43 <abbr[^>]*>local</abbr>", page)
    assert "are dated by a clock of unknown zone" in page


def test_three_thousand_observations_render_quickly_in_bounded_size() -> None:
    data = report(3000, "a text of some forty characters, as usual", 40, facts=6)
    started = time.process_time()
    page = render_html(data)
    assert time.process_time() - started < 5
    assert len(page.encode()) < 15_000_000
    assert "are not shown here" in page
    assert page.count("<rect") < 2500


def test_long_values_cannot_blow_up_the_page() -> None:
    data = report(200, "x" * 20_000, 4)
    assert len(render_html(data).encode()) < 15_000_000


def test_nothing_is_loaded_and_nothing_runs() -> None:
    page = render_html(report(5))
    for word in ("<script", "<link", "<img", "@import", "url(", "http://", "https://", "src="):
        assert word not in page
    assert "default-src &#x27;none&#x27;" in page
