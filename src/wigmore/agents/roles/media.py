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
        "screen_picture",
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
Where look_at_picture is on offer: what it brings is a model's impression. Record it about the picture's own record, as something
that the picture may show; state what is written in it only where ocr_image or the metadata reads it too, and cite that.
""",
    looks=True,
)
def media(desk: Desk) -> None:
    """Work through the indicator rules of this role."""
    work_through_indicators(desk)
