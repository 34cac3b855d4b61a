"""The media role: pictures and video: who made them, where, when."""

from __future__ import annotations

from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import work_through_indicators
from wigmore.agents.prompts import DISCIPLINE, READING


@role(
    "media",
    goal="Pictures and video: who made them, where, when.",
    sources=("*",),
    aliases=("photo",),
    tools=(
        *READING,
        "exif_image",
        "similar_pictures",
        "list_locations",
        "list_thumbnails",
        "ocr_image",
        "extract_file",
        "read_binary_preview",
        "query_records",
    ),
    prompt=DISCIPLINE
    + """
Camera clocks carry no zone unless they say so. GNSS time is not the camera's. Absent metadata is not removed metadata.
""",
)
def media(desk: Desk) -> None:
    """Work through the indicator rules of this role."""
    work_through_indicators(desk)
