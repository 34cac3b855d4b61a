"""Frames on messages, monitored telephones, moved numbers and wallets: where they fire and where they must not."""

from __future__ import annotations

from pathlib import Path

import pytest
from frame_cases import Records, Said, said
from scenes import listed, row
from scenes_frames import ALL_RIGHTS, package, sms, visit
from test_frames_hiding import Case, of

from wigmore.model.protocols import Record

ANDROID = {"type": "mobile_extraction", "platform": "android"}
LISTED = row(
    {"ioc": "com.example.watch", "ioc_type": "package", "matched": "content", "list": "l"},
    path="data/system/packages.xml",
)
WATCHING = row(package("com.example.watch", permissions=ALL_RIGHTS), first_install="2026-02-01T10:00:00Z")
MANAGED = row(package("com.airwatch.androidagent", permissions=ALL_RIGHTS), first_install="2026-02-01T10:00:00Z")
READS = row({"name": "enabled_accessibility_services", "value": "com.example.reader/.R"})
MOVED = sms("Your mobile number has been transferred to another provider.")
ASKED = sms("PAC", "sent", date="2026-03-01T09:00:00Z", date_sent="2026-03-01T09:00:00Z")
CODES = [
    sms(f"{n}123 is your verification code", date=f"2026-03-02T10:1{n}:00Z", date_sent=f"2026-03-02T10:1{n}:00Z")
    for n in range(5)
]
CHANGED = [
    row(
        {"subject": "Your password was changed", "to": "a@example.org", "from": f"s{n}@example.net"},
        date=f"2026-03-02T1{n}:00:00Z",
    )
    for n in range(3)
]
KEYS = listed("Users/a/AppData/Roaming/Bitcoin/wallet.dat")
WALLET = row(
    {"executable": "BITCOIN-QT.EXE", "executable_path": "\\V\\B\\BITCOIN-QT.EXE", "run_count": 4},
    last_run="2026-03-02T10:00:00Z",
)
EXCHANGE = visit("https://www.kraken.com/u/trade", "Kraken")
HELLO = sms("let us meet at the bridge at nine")
HELLO_THERE: Records = of(android__sms=[sms("let us meet at the bridge at nine", "sent", address="+442079460111")])

CASES: dict[str, Case] = {
    "phone_monitored": (
        ANDROID,
        of(lists__ioc_hit=[LISTED], android__package=[WATCHING], android__setting=[READS]),
        of(android__package=[MANAGED], android__setting=[READS]),
        of(android__setting=[READS]),
    ),
    "number_taken_over": (
        ANDROID,
        of(android__sms=[MOVED, *CODES], mail__message=CHANGED),
        of(android__sms=[ASKED, MOVED, *CODES], mail__message=CHANGED[:1]),
        of(mail__message=CHANGED),
    ),
    "wallet_controlled": (
        {},
        of(file_listing=[KEYS], windows__prefetch=[WALLET]),
        of(file_listing=[listed("Users/a/Documents/wallet.dat")], windows__prefetch=[], browser__chromium__visit=[EXCHANGE]),
        of(windows__prefetch=[WALLET], browser__chromium__visit=[EXCHANGE]),
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


def test_messages_stand_as_shown_when_the_other_side_holds_them_and_not_by_their_own_stamps(tmp_path: Path) -> None:
    for name in ("both", "alone", "written"):
        (tmp_path / name).mkdir()
    both = said(tmp_path / "both", of(android__sms=[HELLO]), others={"src-b": HELLO_THERE}, **ANDROID)
    assert both.verdict("message_as_shown") == "concluded", both.verdicts.get("message_as_shown")
    alone = said(tmp_path / "alone", of(android__sms=[HELLO]), **ANDROID)
    assert alone.verdict("message_as_shown") == "open"
    made = [HELLO, sms("I did it", creator="com.example.fakesms")]
    written = said(tmp_path / "written", of(android__sms=made), **ANDROID)
    assert written.verdict("message_as_shown") == "open"
    assert written.beliefs["message_as_shown"] < alone.beliefs["message_as_shown"]
    assert written.beliefs["message_as_shown/fabricated"] > alone.beliefs["message_as_shown/fabricated"]


def texts(*directions: str, party: str = "+442079460958") -> list[Record]:
    """Messages at ten past ten and later, one a minute."""
    return [
        sms(f"message number {n} of them", way, date=f"2026-03-02T10:1{n}:00Z", address=party)
        for n, way in enumerate(directions)
    ]


def rung(seconds: int, direction: str = "incoming") -> Record:
    return row({"number": "+442079460958", "duration": seconds, "direction": direction}, date="2026-03-02T12:00:00Z")


def contact(folder: Path, **records: list[Record]) -> Said:
    folder.mkdir()
    return said(folder, of(**records), looked=("android.sms", "android.call"), **ANDROID)


def test_contact_is_told_against_by_what_one_side_did_in_vain_and_not_where_the_other_answered(tmp_path: Path) -> None:
    frame = "contact_between_parties(+442079460958)"
    short = rung(12, "outgoing")
    vain = contact(tmp_path / "vain", android__sms=texts("sent", "sent"), android__call=[short, rung(0, "outgoing")])
    assert vain.verdict(frame) == "open" and vain.beliefs[frame] < 0.07
    called = contact(tmp_path / "called", android__sms=texts("sent", "sent"), android__call=[rung(0), rung(90)])
    assert called.verdict(frame) in ("concluded", "not_tested") and called.beliefs[frame] > 0.9  # one telephone alone
    alone = contact(tmp_path / "alone", android__call=[rung(90)])
    assert alone.beliefs[frame] == called.beliefs[frame]  # what went unanswered before says nothing now


def test_both_telephones_of_an_exchange_count_and_those_of_an_approach_do_not(tmp_path: Path) -> None:
    frame, ours = "contact_between_parties(+442079460958)", "+442079460111"
    for name, ways, backs in (
        ("both", ("sent", "received"), ("received", "sent")),
        ("one", ("sent",) * 2, ("received",) * 2),
    ):
        (tmp_path / name).mkdir()
        mine = of(android__sms=texts(*ways), android__call=[rung(12, "outgoing")])
        theirs = of(android__sms=texts(*backs, party=ours))
        fired = said(tmp_path / name, mine, others={"src-b": theirs}, looked=("android.call",), **ANDROID)
        laid = {edge for rule, about, edge in fired.edges if rule == "probe:other_side" and about == frame}
        assert laid == ({"supports"} if name == "both" else set())
        assert (fired.beliefs[frame] > 0.95) == (name == "both")
