"""Frames on pictures, listed content, research, dates of documents and peer-to-peer: where they fire and where they must not."""

from __future__ import annotations

from pathlib import Path

import pytest
from frame_cases import said
from scenes import row
from scenes_frames import HOW_TO, bad, document, photo, term, transfer, visit
from test_frames_hiding import Case, of

FROM_MESSENGER = photo(ZIMPORTEDBY=3, ZIMPORTEDBYBUNDLEIDENTIFIER="net.whatsapp.WhatsApp")
EXIF = row(
    {"make": "Apple", "model": "iPhone 8", "serial_number": "77"},
    taken_at="2026-03-02T10:00:00",
    gps_at="2026-03-02T10:00:00Z",
)
SAVED, CACHED = bad("Users/a/Pictures/trip/1.jpg"), bad("Users/a/AppData/Local/Browser/Cache/1.jpg")
LOOKED_FOR, IN_REPORT = term("Users/a/Browser/Default/History"), term("Users/a/Documents/report.txt")
SEARCHED = [
    row({"term": HOW_TO}, last_visit_time="2026-03-01T10:00:00Z"),
    row({"term": "fake gps location"}, last_visit_time="2026-03-01T11:00:00Z"),
]
SYNCED = [row({"term": HOW_TO}, origin="synced", last_visit_time="2026-03-01T10:00:00Z")]
TYPED = row({"term": HOW_TO, "position": 0})
NEWS = visit("https://www.bbc.co.uk/news/1", "Phone spyware explained")
EARLY = document("Microsoft Office Word", "16.0000", "2011-05-01T10:00:00Z", title="Agreement")
LATE = document(
    "Microsoft Office Word", "16.0000", "2021-05-01T10:00:00Z", created_at="2011-05-01T10:00:00Z", title="Agreement"
)
PRINTED = document(
    "Microsoft Office Word",
    "14.0000",
    "2021-05-01T10:00:00Z",
    created_at="2020-05-01T10:00:00Z",
    printed_at="2011-05-01T10:00:00Z",
)

CASES: dict[str, Case] = {
    "picture_made_here(iPhone 8)": (
        {"type": "mobile_extraction", "platform": "ios"},
        of(ios__photo=[photo(), photo(ZFILENAME="IMG_0002.HEIC")], media__exif=[EXIF]),
        of(ios__photo=[FROM_MESSENGER], media__exif=[EXIF]),
        of(media__exif=[EXIF]),
    ),
    "content_possessed": (
        {},
        of(lists__known_bad=[SAVED], lists__keyword_hit=[LOOKED_FOR]),
        of(lists__known_bad=[CACHED], lists__keyword_hit=[IN_REPORT]),
        of(lists__keyword_hit=[LOOKED_FOR]),
    ),
    "researched_beforehand": (
        {},
        of(browser__chromium__search=SEARCHED, windows__registry__search_term=[TYPED]),
        of(browser__chromium__search=SYNCED, browser__chromium__visit=[NEWS]),
        of(windows__registry__search_term=[TYPED]),
    ),
    "document_backdated": (
        {"type": "file_collection"},
        of(document__metadata=[EARLY, PRINTED]),
        of(document__metadata=[LATE, PRINTED]),
        of(),
    ),
    "peer_to_peer_shared(x)": (
        {},
        of(torrent__state=[transfer(name="x", uploaded=9000, downloaded=5000, finished=True)]),
        of(torrent__state=[transfer(name="x", uploaded=0, downloaded=5000, finished=True)]),
        of(torrent__state=[transfer(name="x", info_hash="0" * 40)]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("frame", sorted(CASES))
def test_the_frame_fires_on_its_act_and_not_on_the_prerequisites(frame: str, tmp_path: Path) -> None:
    source, act, innocent, _ = CASES[frame]
    for name in ("act", "innocent"):
        (tmp_path / name).mkdir()
    fired = said(tmp_path / "act", act, **source)
    assert fired.verdict(frame) == "concluded", fired.verdicts.get(frame)
    left = said(tmp_path / "innocent", innocent, **source)
    assert left.verdict(frame) not in ("concluded", "contested"), left.verdicts.get(frame)


@pytest.mark.parametrize("frame", sorted(CASES))
def test_without_its_decisive_artifact_the_frame_is_not_concluded(frame: str, tmp_path: Path) -> None:
    source, _, _, partial = CASES[frame]
    held = said(tmp_path, partial, **source)
    assert held.verdict(frame) != "concluded", held.verdicts.get(frame)


def test_a_counter_of_nothing_sent_refutes_the_sending_and_leaves_other_content_alone(tmp_path: Path) -> None:
    both = [
        transfer(name="x", uploaded=0, downloaded=5000, finished=True),
        transfer(name="y", uploaded=9000, finished=True),
    ]
    held = said(tmp_path, of(torrent__state=both))
    assert held.verdict("peer_to_peer_shared(x)") == "refuted"
    assert held.verdict("peer_to_peer_shared(y)") == "concluded"
    assert ("peer.nothing_sent", "peer_to_peer_shared(y)", "contradicts") not in held.edges


def test_pictures_of_one_model_from_camera_and_messenger_stay_open(tmp_path: Path) -> None:
    held = said(tmp_path, of(ios__photo=[photo(), FROM_MESSENGER]), type="mobile_extraction", platform="ios")
    assert held.verdict("picture_made_here(iPhone 8)") == "open"
    kinds = {kind for _, frame, kind in held.edges if frame == "picture_made_here(iPhone 8)"}
    assert {"direct_evidence", "contradicts"} <= kinds


def test_listed_content_never_carries_direct_evidence_of_its_keeping(tmp_path: Path) -> None:
    held = said(tmp_path, of(lists__known_bad=[SAVED, CACHED], lists__keyword_hit=[LOOKED_FOR]))
    assert {kind for _, frame, kind in held.edges if frame == "content_possessed"} == {"supports", "weakens"}
