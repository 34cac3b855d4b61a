"""Every rule has a scene: records that it matches, and a near miss that it leaves alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from scenes import Scene, fill
from scenes_frames import SCENES as FRAMES
from scenes_kinds import SCENES as KINDS
from scenes_other import SCENES as OTHER
from scenes_tools import LOOKALIKES
from scenes_tools import SCENES as TOOLS
from scenes_windows import SCENES as WINDOWS

from wigmore.records.indicators import match
from wigmore.records.rules import OWN_RULES, Indicator, load_indicators
from wigmore.records.store import RecordStore

SCENES: dict[str, Scene] = {**FRAMES, **OTHER, **WINDOWS, **KINDS, **TOOLS}


@pytest.fixture(scope="module")
def indicators() -> dict[str, Indicator]:
    return load_indicators([OWN_RULES])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordStore]:
    """All scenes, each part of each a source of its own."""
    folder = tmp_path_factory.mktemp("scenes")
    made = RecordStore(folder / "case")
    for name, scene in (*SCENES.items(), *((f"like {name}", scene) for name, scene in LOOKALIKES.items())):
        fill(made, folder, f"{name}:hit", scene.artifact, scene.hit)
        fill(made, folder, f"{name}:miss", scene.artifact, scene.miss)
    yield made
    made.close()


@pytest.mark.parametrize("name", sorted(SCENES))
def test_a_rule_matches_its_scene_and_not_the_near_miss(
    name: str, store: RecordStore, indicators: dict[str, Indicator]
) -> None:
    rule, scene = indicators[name], SCENES[name]
    assert any(fnmatchcase(scene.artifact, a) for a in rule.artifacts), "the scene is of another artifact"
    assert match(store, rule, f"{name}:hit", {}), "the scene is not matched"
    assert not match(store, rule, f"{name}:miss", {}), "the near miss is matched"


@pytest.mark.parametrize("name", sorted(LOOKALIKES))
def test_a_rule_leaves_its_lookalike_alone(name: str, store: RecordStore, indicators: dict[str, Indicator]) -> None:
    assert match(store, indicators[name], f"like {name}:hit", {}), "the scene is not matched"
    assert not match(store, indicators[name], f"like {name}:miss", {}), "the lookalike is matched"


# rules whose scene is still to be written; most are tried on captures, see tests/network
LEFT: frozenset[str] = frozenset(
    """
    android.device_identity capture.account_enumeration capture.admin_share capture.amplification
    capture.arp_spoofing capture.asrep_roasting capture.certificate_expired capture.certificate_self_signed
    capture.clear_text_credentials capture.command_injection capture.datagram_flood capture.dcsync
    capture.deauthentication capture.dhcp_rogue capture.dns_tunnel capture.dns_txt_channel
    capture.event_log_cleared capture.executable_download capture.forced_authentication capture.http_flood
    capture.http_login_guessing capture.icmp_tunnel capture.irc capture.irc_commands capture.jndi_class_load
    capture.kerberoasting capture.kerberos_enumeration capture.kerberos_spray capture.log4shell
    capture.login_failures capture.memory_dump capture.mining capture.name_poisoning capture.network_sweep
    capture.path_traversal capture.port_scan capture.print_driver capture.program_as_other
    capture.registry_saved capture.remote_access capture.remote_desktop capture.remote_service
    capture.remote_shell_http capture.remote_task capture.remote_wmi capture.scanner_agent
    capture.script_download capture.session_enumeration capture.shell_in_clear capture.shellshock
    capture.smb_exploit capture.sql_injection capture.ssh_brute_force capture.syn_flood capture.tor
    capture.web_shell capture.xss capture.zerologon contact.entry_of_party evtx.managed_script
    identity.linux_host identity.mac_users ios.device_identity linux.log_rotated
    linux.login_records_after_failures mail.address_in_display_name mail.attachments_to_personal_address
    mail.authentication_failed mail.double_extension mail.executable_attachment mail.reply_to_differs
     ntfs.deletions ntfs.overwriter_renames ntfs.times_set_back risk.anonymous_subscriber
    risk.binary_transfer risk.certificate_long_lived risk.certificate_mismatch risk.desktop_or_file_sharing
    risk.dga_failures risk.dns_error risk.dns_large risk.dns_suspicious risk.encrypted_hello risk.http_bot
    risk.http_error risk.http_header risk.http_obsolete_server risk.http_odd_port_content
    risk.http_suspicious_url risk.idn risk.malformed risk.periodic risk.ssh_obsolete_client risk.tcp_issues
    risk.tls_alert risk.tls_odd_port risk.uncommon_alpn risk.unidirectional risk.unsafe_protocol
    contact.short_outgoing_calls contact.short_outgoing_calls_android linux.failures_of_key_holder
    parties.android_calls parties.android_messages parties.extraction_messages parties.ios_calls
    parties.ios_calls_old parties.ios_messages parties.mail parties.multimedia parties.multimedia_sent
    parties.whatsapp_android parties.whatsapp_android_old parties.whatsapp_calls_android parties.whatsapp_ios
    web.command_by_account
    """.split()
)


def named_elsewhere() -> str:
    """The text of the other tests of rules: a rule that one names has its scene there."""
    here = Path(__file__).parent
    files = sorted({*here.glob("test_rules_*.py"), *here.glob("test_frame*_*.py")})
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def test_every_rule_has_a_scene_or_stands_among_those_left(indicators: dict[str, Indicator]) -> None:
    text = named_elsewhere()
    without = {
        name for name in indicators if name not in SCENES and not re.search(rf"[\"']{re.escape(name)}[\"']", text)
    }
    assert without - LEFT == set(), "new rules need a scene"
    assert LEFT - without == set(), "these have a scene now: take them off the list"


def test_a_scene_is_of_a_rule_that_is_there(indicators: dict[str, Indicator]) -> None:
    assert set(SCENES) <= set(indicators)
