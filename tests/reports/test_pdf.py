"""The PDF: all that the page says, with contents, links and footer; nothing fetched; one clear line where it cannot be made."""

from __future__ import annotations

import builtins
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from report_builders import report

from wigmore.reports import pdf as module
from wigmore.reports.data import FormatError
from wigmore.reports.pdf import css_text, pdf
from wigmore.reports.style import pictures

HOSTILE = "\"}@page{size:1mm}'\\A /*</style><script>x\u202e\x00\ud800;\n"


@pytest.fixture(autouse=True)
def library() -> None:
    try:
        module._weasyprint()
    except FormatError as error:
        pytest.skip(str(error))


def texts(path: Path) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(path).pages]


def test_pages_are_a4_and_numbered_and_name_case_and_ledger_head(tmp_path: Path) -> None:
    path = pdf(report(6, "some case"), tmp_path)
    assert path == tmp_path / "report.pdf"
    reader = PdfReader(path)
    for number, (page, text) in enumerate(zip(reader.pages, texts(path), strict=True), 1):
        assert (round(float(page.mediabox.width)), round(float(page.mediabox.height))) == (595, 842)
        assert f"Page {number} of {len(reader.pages)}" in text
        assert "Case some case" in text
        assert "Ledger head 9:" + "a" * 64 in text


def test_the_title_stands_before_the_contents_and_these_name_pages(tmp_path: Path) -> None:
    pages = texts(pdf(report(6, "some case"), tmp_path))
    assert pages[0].casefold().startswith("examination report")
    assert pages[1].startswith("Contents")
    at = re.search(r"Audit[ .]+(\d+)", pages[1])
    assert at
    assert "The chain" in pages[int(at[1]) - 1] or "Chain of the ledger" in pages[int(at[1]) - 1]


def test_links_lead_to_places_of_the_same_file(tmp_path: Path) -> None:
    reader = PdfReader(pdf(report(12, "some case"), tmp_path))
    names = set(reader.named_destinations)
    links = [a.get_object() for page in reader.pages for a in page.get("/Annots", [])]
    assert len(links) > 30
    for link in links:
        assert "/A" not in link or link["/A"]["/S"] == "/GoTo"  # no address outside
        target = link["/Dest"] if "/Dest" in link else link["/A"]["/D"]
        assert not isinstance(target, str) or target in names


def test_folded_parts_are_printed_open(tmp_path: Path) -> None:
    text = " ".join(texts(pdf(report(6, "some case"), tmp_path)))
    for part in ("Output SHA-256", "wigmore tool /cases/one match_indicator", "rec-1", "working score (uncalibrated)"):
        assert part in text


@pytest.mark.parametrize("text", ["some case of several words", "C:\\\\" + "x" * 300])
def test_no_text_begins_beyond_the_margins(tmp_path: Path, text: str) -> None:
    starts: list[float] = []

    def note(said: str, page_: list[float], at: list[float], *_: Any) -> None:
        if said.strip() and page_[0] != 1:  # a picture's text has a matrix of its own
            starts.append(at[4] * page_[0] + at[5] * page_[2] + page_[4])

    data = report(3, text)
    for fact in (f for p in data.phenomena for f in p["facts"]):
        fact["invocation_id"] = "inv-" + "0" * 16  # as long as real ones: a line without a place to break ran off
    for page in PdfReader(pdf(data, tmp_path)).pages:
        page.extract_text(visitor_text=note)
    assert len(starts) > 100
    assert min(starts) > 44 and max(starts) < 595 - 45


def test_the_bytes_are_the_same_twice(tmp_path: Path) -> None:
    first = pdf(report(6, "some case"), tmp_path).read_bytes()
    assert pdf(report(6, "some case"), tmp_path).read_bytes() == first


def test_no_text_of_the_case_leaves_the_footer_or_changes_the_page(tmp_path: Path) -> None:
    reader = PdfReader(pdf(report(3, HOSTILE), tmp_path))
    assert {round(float(p.mediabox.width)) for p in reader.pages} == {595}
    inside = css_text(HOSTILE)[1:-1]
    assert not set(inside) & set("\"'{}<>;\n*/@")
    assert re.sub(r"\\([0-9a-f]+) ", lambda m: chr(int(m[1], 16)), css_text("a, b")) == '"a, b"'


def test_nothing_is_fetched_whatever_stands_in_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    Image.new("RGB", (8, 8), "red").save(tmp_path / "secret.png")
    asked: list[str] = []
    monkeypatch.setattr("urllib.request.OpenerDirector.open", lambda self, url, *_, **__: asked.append(str(url)))
    reaching = (
        f"<link rel=stylesheet href='file://{tmp_path}/x.css'><img src='file://{tmp_path}/secret.png'>"
        "<img src='http://127.0.0.1:9/x.png'><p style='background:url(ftp://127.0.0.1/y)'>body</p>"
    )
    monkeypatch.setattr(module, "render_html", lambda data, paper: reaching)
    reader = PdfReader(pdf(report(1), tmp_path))
    assert asked == []
    assert not any(page.images for page in reader.pages)


def test_a_paper_edition_ends_somewhere_and_says_what_is_not_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wigmore.reports.html_findings.PRINTED", 20_000)
    pages = texts(pdf(report(30, "some case"), tmp_path))
    assert re.search(r"This edition prints \d of 30 observations in full", pages[0])
    assert "wigmore show /cases/one phenomena" in pages[0]
    assert "are not shown here" in " ".join(pages[2:])
    monkeypatch.undo()
    assert "This edition prints" not in texts(pdf(report(3, "some case"), tmp_path))[0]


def test_the_rules_of_pictures_have_their_colours_written_out() -> None:
    rules = pictures()
    assert "var(" not in rules
    assert "inherit" not in rules
    assert ".bar{fill:#2a7de1}" in rules


def test_without_pango_the_line_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("weasyprint"):
            print("-----\nadvice of several lines")
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(FormatError, match=r"^pdf needs Pango .*: apt install libpango-1\.0-0 [a-z0-9. -]+$"):
        pdf(report(1), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_library_does_not_make_cut_pictures_whole_for_the_rest_of_the_program() -> None:
    given = "from PIL import ImageFile as pictures; from wigmore.reports import pdf; pdf._weasyprint()"
    script = f"{given}; print(pictures.LOAD_TRUNCATED_IMAGES)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
