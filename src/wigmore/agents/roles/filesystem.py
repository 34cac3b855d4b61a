"""The filesystem role: file systems: what is stored, what was deleted, what its times say."""

from __future__ import annotations

from wigmore.agents.desk import Desk, role
from wigmore.agents.offline import work_through_indicators
from wigmore.agents.prompts import DISCIPLINE, READING


@role(
    "filesystem",
    goal="File systems: what is stored, what was deleted, what its times say.",
    sources=("disk_image*", "file_collection", "archive", "mobile_extraction*", "media_collection", "log_collection"),
    aliases=(),
    tools=(
        *READING,
        "partition_info",
        "set_active_partition",
        "list_directory",
        "deleted_files",
        "count_deleted_files",
        "list_recycle_bin",
        "list_lnk",
        "list_jump_lists",
        "list_file_changes",
        "file_hashes",
        "same_content",
        "extract_file",
        "unzip_archive",
        "read_text_file",
        "read_binary_preview",
        "search_strings",
        "query_records",
    ),
    prompt=DISCIPLINE
    + """
Look at names, places, deletions and hashes. A modified time before a created time means a copy far more often than a
forgery; say so. Deleted content counts only as far as its clusters are shown intact.
""",
)
def filesystem(desk: Desk) -> None:
    """Work through the indicator rules of this role."""
    work_through_indicators(desk)
