"""The report on paper: an A4 PDF made from the HTML report, with its links, contents, footer and page numbers.

WeasyPrint lays out the page (doc.courtbouillon.org/weasyprint); it needs Pango from the system. It takes some 0.1 s and
2 MB a page, which is why the paper edition prints fewer observations in full than the HTML report. Nothing is fetched,
whatever stands in the page.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from pathlib import Path
from typing import Any

from PIL import ImageFile

from wigmore.ledger import durable_file
from wigmore.reports.data import FormatError, ReportData, report_format
from wigmore.reports.html import render_html
from wigmore.reports.markup import clipped, visible
from wigmore.reports.style import pictures

INSTALL = "pip install 'wigmore[pdf]'"
SYSTEM = "apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


def _weasyprint() -> Any:
    """The library; raises FormatError with the one line that installs what is missing.

    Its import lets Pillow take cut pictures for whole ones, in the whole process: that is undone, for evidence is read by Pillow.
    """
    cut_pictures = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        # it prints advice of its own where a system library is missing; ours is one line
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import weasyprint
    except ImportError as error:
        raise FormatError(f"pdf needs WeasyPrint, which is not installed: {INSTALL}") from error
    except OSError as error:
        raise FormatError(f"pdf needs Pango from the system, which is not installed: {SYSTEM}") from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = cut_pictures
    return weasyprint


def css_text(text: str) -> str:
    """A text as a CSS string in which nothing can end the string."""
    return '"' + re.sub(r"[^A-Za-z0-9 .:_-]", lambda m: f"\\{ord(m[0]):x} ", visible(text)) + '"'


def footer(data: ReportData) -> str:
    """The running footer as CSS: case, ledger head, and which page of how many."""
    case = css_text(f"Case {clipped(data.context.get('case') or 'without id', 60)}")
    head = css_text(f"Ledger head {clipped((data.context.get('run') or {}).get('ledger_head') or 'none', 90)}")
    font = 'font:7pt/1.35 "Liberation Sans","DejaVu Sans",sans-serif;color:#5b6470;vertical-align:top;padding-top:4mm'
    return (
        f'@page{{@bottom-left{{content:{case} "\\A " {head};white-space:pre;width:80%;{font}}}'
        f'@bottom-right{{content:"Page " counter(page) " of " counter(pages);width:20%;{font}}}}}'
    )


@report_format("pdf", "report.pdf")
def pdf(data: ReportData, folder: Path) -> Path:
    """The report as an A4 PDF with contents, links and numbered pages; needs the extra `pdf`.

    The bytes depend on the case, on the versions of WeasyPrint and Pango, and on the fonts of the machine.
    Raises FormatError where the library or its system package is missing.
    """
    weasyprint = _weasyprint()
    only_data = weasyprint.URLFetcher(allowed_protocols=("data",))
    target = folder / "report.pdf"
    # WeasyPrint gives the style of a page to none of its pictures
    text = re.sub(r"<svg [^>]*>", lambda m: f"{m[0]}<style>{pictures()}</style>", render_html(data, paper=True))
    page = weasyprint.HTML(string=text, url_fetcher=only_data, base_url=None)
    with durable_file(target) as temporary:
        page.write_pdf(temporary, stylesheets=[weasyprint.CSS(string=footer(data), url_fetcher=only_data)])
    return target
