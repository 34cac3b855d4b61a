"""Scenes of the rules of H05, H31, H34 to H38, H41, H43, H44, H49, H50 and H53 to H56."""

from __future__ import annotations

from typing import Any

from scenes import ACCOUNT, AUDIT, Scene, event, listed, row, scene, started

PRINT = "Microsoft-Windows-PrintService"
JOB = {
    "Param1": "7",
    "Param2": "plan.docx",
    "Param3": "a",
    "Param4": "HOST1",
    "Param5": "Office Laser 2",
    "Param6": "IP_192.0.2.9",
}
SET_BACK = {"PreviousTime": "2026-03-02T10:00:00Z", "NewTime": "2026-01-02T10:00:00Z"}
SET_FORWARD = {"PreviousTime": "2026-01-02T10:05:00Z", "NewTime": "2026-03-02T10:05:00Z"}
BY_ACCOUNT = {"ProcessName": "C:\\Windows\\System32\\dllhost.exe", "SubjectUserSid": ACCOUNT, "SubjectUserName": "a"}
BY_SERVICE = {
    "ProcessName": "C:\\Windows\\System32\\svchost.exe",
    "SubjectUserSid": "S-1-5-19",
    "SubjectUserName": "LOCAL SERVICE",
}


def audit_log(operation: str, *parameters: tuple[str, str], **more: Any) -> dict[str, Any]:
    """An entry of the audit log of Microsoft 365, as its parser flattens it."""
    made: dict[str, Any] = {
        "Operation": operation,
        "Workload": "Exchange",
        "user": "a@example.org",
        "ObjectId": "a",
        "UserType": "0",
    }
    for number, (name, value) in enumerate(parameters):
        made |= {f"Parameters.{number}.Name": name, f"Parameters.{number}.Value": value}
    return made | more


def photo(**more: Any) -> tuple[str, Any]:
    """An asset of an iOS photo library."""
    data = {
        "ZCAMERAMODEL": "iPhone 8", "ZCAMERAMAKE": "Apple", "ZIMPORTEDBY": 1, "ZIMPORTEDBYBUNDLEIDENTIFIER": "com.apple.camera",
        "ZFILENAME": "IMG_0001.HEIC", "hidden": False, **more,
    }  # fmt: skip
    return row(data, ZDATECREATED="2026-03-02T10:00:00Z")


def clock(at: str = "2026-03-02T10:00:00Z", **values: Any) -> tuple[str, Any]:
    return event(4616, AUDIT, at, **values)


def shell(command: str) -> dict[str, Any]:
    return {"command": command, "shell": "bash"}


def sms(body: str, direction: str = "received", **more: Any) -> tuple[str, Any]:
    data = {"address": "+442079460958", "body": body, "direction": direction, "service_center": "+447700900000"}
    times = {"date": "2026-03-02T10:00:05Z", "date_sent": "2026-03-02T10:00:00Z"}
    for name in times:
        times[name] = more.pop(name, times[name])
    return row({**data, **more}, **times)


def apple_sms(direction: str = "sent", **times: str) -> tuple[str, Any]:
    return row(
        {"party": "+442079460958", "text": "see you", "direction": direction, "guid": "G-1"},
        date="2026-03-02T10:00:00Z",
        **times,
    )


def bad(path: str, **more: Any) -> tuple[str, Any]:
    data = {"known": "bad", "algorithm": "sha256", "hash": "0" * 64, "list": "list.txt", "label": "x"}
    return row(data, path=path, **more)


def term(path: str) -> tuple[str, Any]:
    return row({"term": "aurora", "list": "words.txt", "encoding": "utf-8", "found": "aurora"}, path=path)


def transfer(**more: Any) -> tuple[str, Any]:
    times = {"added_at": "2026-03-01T10:00:00Z"} | (
        {"finished_at": "2026-03-02T10:00:00Z"} if more.pop("finished", False) else {}
    )
    return row(more, **times)


def document(application: str, version: str, modified: str, **more: Any) -> tuple[str, Any]:
    times = {"modified_at": modified} | {k: more.pop(k) for k in ("created_at", "printed_at") if k in more}
    return row({"application": application, "application_version": version, **more}, path="files/plan.docx", **times)


def visit(url: str, title: str, **more: Any) -> tuple[str, Any]:
    origin = more.pop("origin", "")
    return row({"url": url, "title": title, **more}, origin=origin, visit_time="2026-03-02T10:00:00Z")


def package(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "code_path": f"/data/app/{name}-1", **more}


RIGHTS = ["RECORD_AUDIO", "ACCESS_FINE_LOCATION", "READ_SMS", "READ_CALL_LOG"]
ALL_RIGHTS = [f"android.permission.{r}" for r in RIGHTS]
HOW_TO = "how to delete files without getting caught"

SCENES: dict[str, Scene] = {
    # paper
    "print.document_printed": scene(
        "windows.eventlog", event(307, PRINT, **JOB), event(307, PRINT, **{**JOB, "Param5": "Microsoft Print to PDF"})
    ),
    "print.to_file": scene(
        "windows.eventlog", event(307, PRINT, **{**JOB, "Param5": "Microsoft Print to PDF"}), event(307, PRINT, **JOB)
    ),
    "print.failed_or_deleted": scene("windows.eventlog", event(372, PRINT, **JOB), event(307, PRINT, **JOB)),
    "print.spool_file": scene(
        "file_listing",
        listed("Windows/System32/spool/PRINTERS/00002.SPL"),
        listed("Windows/System32/spool/drivers/00002.SPL"),
    ),
    # mail rules
    "mailrule.hides_or_diverts": scene(
        "cloud.microsoft365",
        audit_log("New-InboxRule", ("Name", "."), ("ForwardTo", "x@example.net")),
        audit_log("New-InboxRule", ("Name", "lists"), ("MoveToFolder", "Newsletters")),
    ),
    "mailrule.mailbox_forwarding": scene(
        "cloud.microsoft365",
        audit_log("Set-Mailbox", ("ForwardingSmtpAddress", "smtp:x@example.net")),
        audit_log("Set-Mailbox", ("ForwardingSmtpAddress", "smtp:x@example.net"), UserType="2"),
    ),
    "mailrule.files_only": scene(
        "cloud.microsoft365",
        audit_log("New-InboxRule", ("Name", "lists"), ("MoveToFolder", "Newsletters")),
        audit_log("New-InboxRule", ("MoveToFolder", "Newsletters"), ("DeleteMessage", "True")),
    ),
    "mailrule.set_by_administration": scene(
        "cloud.microsoft365",
        audit_log("Set-Mailbox", ("ForwardingSmtpAddress", "smtp:x@example.net"), UserType="2"),
        audit_log("Set-Mailbox", ("ForwardingSmtpAddress", "smtp:x@example.net")),
    ),
    "mailrule.forwarded_by_rule": scene(
        "mail.message",
        {"subject": "FW: offer", "auto_submitted": "auto-forwarded", "to": "x@example.net"},
        {"subject": "Out of office", "auto_submitted": "auto-replied", "to": "x@example.net"},
    ),
    # the clock
    "clock.back_and_forth": scene(
        "windows.eventlog",
        [clock(**BY_ACCOUNT, **SET_BACK), clock("2026-03-02T10:05:00Z", **BY_ACCOUNT, **SET_FORWARD)],
        [clock(**BY_SERVICE, **SET_BACK), clock("2026-03-02T10:05:00Z", **BY_SERVICE, **SET_FORWARD)],
    ),
    "clock.set_by_command_windows": scene(
        "windows.eventlog", started("powershell Set-Date -Date 01/02/2026"), started("powershell Get-Date")
    ),
    "clock.set_by_command": scene(
        "linux.history", shell("sudo timedatectl set-time '2026-01-02 10:00:00'"), shell("timedatectl status")
    ),
    "clock.stepped_by_service": scene(
        "windows.eventlog",
        clock(**BY_SERVICE, **SET_FORWARD),
        clock(**BY_SERVICE, PreviousTime="2026-03-02T10:00:00Z", NewTime="2026-03-02T10:00:02Z"),
    ),
    "clock.stepped_by_daemon": scene(
        "logs.syslog",
        {"message": "System clock was stepped by 5184000.1 seconds", "program": "chronyd", "host": "h"},
        {"message": "Selected source 192.0.2.1", "program": "chronyd", "host": "h"},
    ),
    "clock.set_by_set_up": scene(
        "windows.eventlog",
        clock(ProcessName="C:\\Windows\\System32\\oobe\\Setup.exe", SubjectUserSid="S-1-5-18", **SET_FORWARD),
        clock(ProcessName="C:\\Windows\\System32\\oobe\\Setup.exe", SubjectUserSid=ACCOUNT, **SET_FORWARD),
    ),
    "clock.zone_changed": scene(
        "windows.eventlog", event(22, "Microsoft-Windows-Kernel-General"), event(22, "Microsoft-Windows-Kernel-Power")
    ),
    # hidden content
    "hidden.renamed_type": scene(
        "file_listing",
        listed("Users/a/Documents/driver.dll", type="JPEG"),
        [listed("Users/a/AppData/Local/x/driver.dll", type="JPEG"), listed("Users/a/Documents/a.jpg", type="JPEG")],
    ),
    "hidden.renamed_by_program": scene(
        "file_listing", listed("Program Files/x/data.dll", type="zip"), listed("Users/a/Documents/data.dll", type="zip")
    ),
    "hidden.file_in_stream": scene(
        "file_listing",
        listed("Users/a/a.txt:b", kind="stream", stream="b", type="zip"),
        listed("Users/a/a.txt:favicon", kind="stream", stream="favicon", type="PNG"),
    ),
    "hidden.stream_of_product": scene(
        "file_listing",
        listed("Users/a/a.txt:Zone.Identifier", kind="stream", stream="Zone.Identifier"),
        listed("Users/a/a.txt:b", kind="stream", stream="b"),
    ),
    "hidden.volume_opened": scene(
        "encrypted_volume",
        {"volume": "v/hidden", "hidden_volume": True, "locked": False, "program": "VeraCrypt"},
        {"volume": "v", "hidden_volume": False, "locked": False, "program": "VeraCrypt"},
    ),
    "hidden.by_command_windows": scene(
        "windows.eventlog", started("attrib +h +s C:\\Users\\a\\box"), started("attrib +h C:\\Users\\a\\desktop.ini")
    ),
    "hidden.by_command": scene(
        "linux.history", shell("steghide embed -cf a.jpg -ef b.txt"), shell("steghide info a.jpg")
    ),
    "hidden.container_opened": scene(
        "windows.lnk", {"local_path": "C:\\Users\\a\\box.hc"}, {"local_path": "C:\\Users\\a\\box.docx"}
    ),
    "hidden.photo_marked": scene("ios.photo", photo(hidden=True), photo()),
    "hidden.whole_volume_encrypted": scene(
        "encrypted_volume", {"volume": "v", "encryption": "BitLocker"}, {"volume": "v", "program": "VeraCrypt"}
    ),
    # overwriting
    "wipe.area_command_windows": scene("windows.eventlog", started("cipher /w:C:\\"), started("cipher /e C:\\x")),
    "wipe.area_command": scene(
        "linux.history", shell("sudo dd if=/dev/zero of=/dev/sdb bs=1M"), shell("dd if=/dev/zero of=swap.img bs=1M")
    ),
    "wipe.retrim": scene(
        "windows.eventlog",
        event(258, "Microsoft-Windows-Defrag", param1="retrim", param2="(C:)"),
        event(258, "Microsoft-Windows-Defrag", param1="defragmentation", param2="(C:)"),
    ),
    "wipe.trim": scene(
        "logs.syslog",
        {"message": "/home: 12 GiB (12884901888 bytes) trimmed on /dev/sda2", "program": "fstrim", "host": "h"},
        {"message": "mounted /home", "program": "kernel", "host": "h"},
    ),
    "wipe.volume_encrypted": scene(
        "windows.eventlog", event(768, "Microsoft-Windows-BitLocker-API"), event(769, "Microsoft-Windows-BitLocker-API")
    ),
    "wipe.formatted": scene("linux.history", shell("sudo mkfs.ext4 /dev/sdb1"), shell("man mkfs.ext4")),
    "wipe.formatted_windows": scene(
        "windows.eventlog", started("format E: /fs:ntfs /q"), started("format E: /fs:ntfs /p:2")
    ),
    # anonymity
    "anon.tor_started": scene(
        "windows.prefetch",
        {"executable": "TOR.EXE", "executable_path": "\\V\\TOR\\TOR.EXE", "run_count": 1},
        {"executable": "FIREFOX.EXE", "executable_path": "\\V\\TOR BROWSER\\FIREFOX.EXE", "run_count": 1},
    ),
    "anon.tor_state": scene(
        "file_listing",
        listed("Users/a/Tor Browser/Browser/TorBrowser/Data/Tor/cached-microdesc-consensus"),
        listed("Users/a/Tor Browser/Browser/TorBrowser/Data/Tor/torrc"),
    ),
    "anon.machine_ran": scene(
        "file_listing", listed("Users/a/VirtualBox VMs/x/Logs/VBox.log"), listed("Users/a/VirtualBox VMs/x/x.vbox")
    ),
    "anon.tor_bytes": scene(
        "windows.srum.network_usage",
        {"application": "\\x\\tor.exe", "application_name": "tor.exe", "bytes_received": 900000, "bytes_sent": 1},
        {"application": "\\x\\tor.exe", "application_name": "tor.exe", "bytes_received": 900, "bytes_sent": 1},
    ),
    "anon.hidden_service": scene(
        "browser.firefox.visit",
        visit("http://" + "a" * 56 + ".onion/", "Library"),
        visit("https://www.torproject.org/", "Tor Project"),
    ),
    "anon.app_in_use": scene(
        "android.usage_event",
        {"package": "org.torproject.torbrowser", "type_name": "moved to foreground"},
        {"package": "org.torproject.torbrowser", "type_name": "standby bucket changed"},
    ),
    "anon.command": scene("linux.history", shell("torsocks ssh a@192.0.2.1"), shell("man torsocks")),
    "anon.company_tunnel": scene(
        "windows.registry.installed_software",
        {"name": "Cisco AnyConnect Secure Mobility Client"},
        {"name": "Cisco Packet Tracer"},
    ),
    "anon.development_machines": scene("file_listing", listed("work/Dockerfile"), listed("work/Docker.pdf")),
    # resets
    "reset.ios_erased": scene(
        "file_listing", listed("private/var/root/.obliterated"), listed("private/var/root/.profile")
    ),
    "reset.windows_reset": scene(
        "file_listing", listed("$SysReset/Logs/setupact.log"), listed("Windows/Panther/setupact.log")
    ),
    "reset.android_recovery": scene(
        "generic.text",
        row({"text": 'Command: "/sbin/recovery" "--wipe_data"'}, path="cache/recovery/last_log"),
        row({"text": 'Command: "--wipe_data"'}, path="home/notes.txt"),
    ),
    "reset.android_requested": scene(
        "android.logcat",
        {"tag": "MasterClear", "message": "!!! FACTORY RESET !!! MASTER_CLEAR"},
        {"tag": "x", "message": "reset view"},
    ),
    "reset.restored": scene(
        "generic.plist",
        row({"SetupState": "RestoredFromiCloudBackup"}, path="mobile/Library/Preferences/com.apple.purplebuddy.plist"),
        row({"SetupState": "SetupUsingAssistant"}, path="mobile/Library/Preferences/com.apple.purplebuddy.plist"),
    ),
    "reset.upgraded": scene(
        "file_listing", listed("Windows.old/Windows", kind="folder"), listed("Users/a/Windows.old/x", kind="folder")
    ),
    "reset.backup_known": scene("ios.device", {"Last Backup Date": "2026-03-01"}, {"Device Name": "a"}),
    # messages
    "message.network_stamp": scene("android.sms", sms("hello"), sms("hello", date_sent="2026-02-20T10:00:00Z")),
    "message.service_stamp": scene("ios.sms", apple_sms(date_delivered="2026-03-02T10:00:01Z"), apple_sms()),
    "message.edited": scene(
        "ios.sms", apple_sms(date_edited="2026-03-02T10:02:00Z"), apple_sms(date_read="2026-03-02T10:02:00Z")
    ),
    "message.retracted": scene("ios.sms", apple_sms(date_retracted="2026-03-02T10:02:00Z"), apple_sms()),
    "message.foreign_writer": scene(
        "android.sms",
        sms("hello", creator="com.example.fakesms"),
        sms("hello", creator="com.google.android.apps.messaging"),
    ),
    "message.stamps_apart": scene("android.sms", sms("hello", date_sent="2026-02-20T10:00:00Z"), sms("hello")),
    # pictures
    "picture.camera_asset": scene(
        "ios.photo", photo(), photo(ZIMPORTEDBY=3, ZIMPORTEDBYBUNDLEIDENTIFIER="net.whatsapp.WhatsApp")
    ),
    "picture.camera_file_android": scene(
        "android.media_file",
        {
            "owner_package_name": "com.google.android.GoogleCamera",
            "_data": "/storage/emulated/0/DCIM/Camera/a.jpg",
            "mime_type": "image/jpeg",
        },
        {
            "owner_package_name": "com.whatsapp",
            "_data": "/storage/emulated/0/DCIM/Camera/a.jpg",
            "mime_type": "image/jpeg",
        },
    ),
    "picture.serial_in_series": scene(
        "media.exif",
        row({"make": "N", "model": "C", "serial_number": "77"}, taken_at="2026-03-02T10:00:00"),
        row({"make": "N", "model": "C"}, taken_at="2026-03-02T10:00:00"),
    ),
    "picture.imported_asset": scene(
        "ios.photo", photo(ZIMPORTEDBY=3, ZIMPORTEDBYBUNDLEIDENTIFIER="net.whatsapp.WhatsApp"), photo()
    ),
    "picture.edited": scene(
        "media.exif", {"model": "C", "software": "Adobe Photoshop 25.0"}, {"model": "C", "software": "Ver.1.00"}
    ),
    "picture.edited_asset": scene(
        "ios.photo", photo(ZEDITORBUNDLEID="com.example.retouch"), photo(ZEDITORBUNDLEID="com.apple.mobileslideshow")
    ),
    "picture.clock_contradicted": scene(
        "media.exif",
        row({"model": "C"}, taken_at="2026-03-01T10:00:00", gps_at="2026-03-02T10:00:00Z"),
        row({"model": "C"}, taken_at="2026-03-02T12:00:00", gps_at="2026-03-02T10:00:00Z"),
    ),
    # listed content
    "content.listed_in_own_folder": scene(
        "lists.known_bad", bad("Users/a/Pictures/trip/1.jpg"), bad("Users/a/AppData/Local/Browser/Cache/1.jpg")
    ),
    "content.listed_in_bin": scene(
        "lists.known_bad", bad("$Recycle.Bin/S-1-5-21-1/$R1.jpg"), bad("Users/a/Pictures/1.jpg")
    ),
    "content.listed_in_cache": scene(
        "lists.known_bad", bad("Users/a/AppData/Local/Browser/Cache/1.jpg"), bad("Users/a/Pictures/trip/1.jpg")
    ),
    "content.listed_in_messenger": scene(
        "lists.known_bad", bad("media/0/WhatsApp/Media/WhatsApp Images/1.jpg"), bad("media/0/DCIM/Camera/1.jpg")
    ),
    "content.listed_remnant": scene(
        "lists.known_bad", bad("Users/a/Pictures/1.jpg", state="unallocated"), bad("Users/a/Pictures/1.jpg")
    ),
    "content.term_in_searches": scene(
        "lists.keyword_hit", term("Users/a/Browser/Default/History"), term("Users/a/Documents/report.txt")
    ),
    # research
    "research.search": scene(
        "browser.chromium.search",
        [row({"term": HOW_TO}), row({"term": "fake gps location"})],
        [row({"term": HOW_TO}, origin="synced"), row({"term": "how to detect if someone can track my phone secretly"})],
    ),
    "research.typed_in_explorer": scene("windows.registry.search_term", {"term": HOW_TO}, {"term": "delete files"}),
    "research.note": scene("ios.note", {"text": HOW_TO}, {"text": "delete old shopping list"}),
    "research.synchronised": scene(
        "browser.chromium.search", row({"term": HOW_TO}, origin="synced"), row({"term": HOW_TO}, origin="local")
    ),
    "research.in_the_news": scene(
        "browser.chromium.visit",
        visit("https://www.bbc.co.uk/news/1", "Phone spyware explained"),
        visit("https://www.bbc.co.uk/news/2", "The weather"),
    ),
    "research.unasked": scene(
        "browser.chromium.visit",
        visit("https://e.example/", HOW_TO, transition_name="auto subframe"),
        visit("https://e.example/", HOW_TO, transition_name="typed"),
    ),
    # dates of documents
    "document.program_newer_than_date": scene(
        "document.metadata",
        document("Microsoft Office Word", "16.0000", "2011-05-01T10:00:00Z"),
        [
            document("Microsoft Office Word", "16.0000", "2021-05-01T10:00:00Z", created_at="2001-05-01T10:00:00Z"),
            document("Microsoft Office Word", "14.0000", "2011-05-01T10:00:00Z"),
        ],
    ),
    "document.office_newer_than_pdf_date": scene(
        "document.metadata",
        row(
            {"producer": "Microsoft® Word 2016"}, created_at="2011-05-01T10:00:00Z", modified_at="2011-05-01T10:00:00Z"
        ),
        row(
            {"producer": "Microsoft® Word 2010"}, created_at="2011-05-01T10:00:00Z", modified_at="2011-05-01T10:00:00Z"
        ),
    ),
    "document.printed_before_created": scene(
        "document.metadata",
        document(
            "W", "14.0", "2026-03-02T10:00:00Z", created_at="2026-03-01T10:00:00Z", printed_at="2020-01-01T10:00:00Z"
        ),
        document(
            "W", "14.0", "2026-03-02T10:00:00Z", created_at="2026-03-01T10:00:00Z", printed_at="2026-03-02T10:00:00Z"
        ),
    ),
    "document.converted": scene(
        "document.metadata", {"application": "Aspose.Words for .NET"}, {"application": "Microsoft Office Word"}
    ),
    "document.library_date": scene(
        "document.metadata",
        document("W", "14.0", "2013-12-23T23:15:00Z"),
        document("W", "14.0", "2013-12-24T23:15:00Z"),
    ),
    # peer-to-peer
    "peer.sent": scene(
        "torrent.state", transfer(name="x", uploaded=10, downloaded=5), transfer(name="x", uploaded=0, downloaded=5)
    ),
    "peer.sent_caption": scene("torrent.state", transfer(caption="x", uploaded=10), transfer(caption="x", uploaded=0)),
    "peer.fetched": scene("torrent.state", transfer(name="x", downloaded=5), transfer(name="x", downloaded=0)),
    "peer.fetched_caption": scene(
        "torrent.state", transfer(caption="x", downloaded=5), transfer(caption="x", downloaded=0)
    ),
    "peer.nothing_sent": scene("torrent.state", transfer(name="x", uploaded=0), transfer(name="x", uploaded=10)),
    "peer.nothing_sent_caption": scene(
        "torrent.state", transfer(caption="x", uploaded=0), transfer(caption="x", uploaded=10)
    ),
    "peer.sent_while_fetching": scene(
        "torrent.state",
        transfer(name="x", uploaded=1, downloaded=5),
        transfer(name="x", uploaded=1, downloaded=5, finished=True),
    ),
    "peer.sent_while_fetching_caption": scene(
        "torrent.state",
        transfer(caption="x", uploaded=1, downloaded=5),
        transfer(caption="x", uploaded=1, downloaded=5, finished=True),
    ),
    "peer.listed_only": scene(
        "torrent.state", transfer(name="x", info_hash="0" * 40), transfer(name="x", info_hash="0" * 40, downloaded=5)
    ),
    # monitoring
    "monitor.listed_program": scene(
        "lists.ioc_hit",
        row(
            {"ioc": "com.example.watch", "ioc_type": "package", "matched": "content", "list": "l"},
            path="data/system/packages.xml",
        ),
        row(
            {"ioc": "com.example.watch", "ioc_type": "package", "matched": "content", "list": "l"},
            path="data/media/0/Download/a.html",
        ),
    ),
    "monitor.rights_together": scene(
        "android.package",
        package("com.example.watch", permissions=ALL_RIGHTS),
        [
            package("com.example.watch", permissions=ALL_RIGHTS, installer="com.android.vending"),
            package("com.example.two", permissions=ALL_RIGHTS[:3]),
        ],
    ),
    "monitor.screen_reader": scene(
        "android.setting",
        {"name": "enabled_accessibility_services", "value": "com.example.watch/.Reader"},
        {"name": "enabled_accessibility_services", "value": "com.google.android.marvin.talkback/.TalkBackService"},
    ),
    "monitor.notification_reader": scene(
        "android.setting",
        {"name": "enabled_notification_listeners", "value": "com.example.watch/.Listen"},
        {"name": "enabled_notification_listeners", "value": "com.google.android.projection.gearhead/.Listen"},
    ),
    "monitor.managed": scene("android.package", package("com.airwatch.androidagent"), package("com.example.air")),
    "monitor.find_service": scene(
        "android.package", package("com.google.android.apps.adm"), package("com.google.android.apps.maps")
    ),
    "monitor.aid_in_use": scene(
        "android.setting",
        {"name": "enabled_accessibility_services", "value": "com.google.android.marvin.talkback/.TalkBackService"},
        {"name": "enabled_accessibility_services", "value": "com.example.watch/.Reader"},
    ),
    # numbers
    "number.moved_message": scene(
        "android.sms",
        sms("Your mobile number has been transferred to another provider."),
        sms("Your order has been transferred."),
    ),
    "number.moved_mail": scene(
        "mail.message",
        {"subject": "Your number has been ported", "from_domain": "carrier.example"},
        {"subject": "Your number has been ported", "from_domain": "carrier.example", "dmarc": "fail"},
    ),
    "number.codes_in_burst": scene(
        "android.sms",
        [sms(f"{n} is your verification code", date=f"2026-03-02T10:0{n}:00Z") for n in range(4)],
        [sms(f"{n} is your verification code", date=f"2026-03-02T1{n}:00:00Z") for n in range(4)],
    ),
    "number.accounts_reset": scene(
        "mail.message",
        [
            row({"subject": "Your password was changed", "to": "a@example.org"}, date=f"2026-03-02T1{n}:00:00Z")
            for n in range(2)
        ],
        [row({"subject": "Your password was changed", "to": "a@example.org"}, date="2026-03-02T10:00:00Z")],
    ),
    "number.card_changed": scene(
        "ios.device",
        {"previousICCID": "8944", "LastKnownICCID": "8949"},
        {"previousICCID": "8944", "LastKnownICCID": "8944"},
    ),
    "number.asked_for_here": scene("android.sms", sms("PAC", "sent"), sms("PAC", "received")),
    "number.ordered_by_mail": scene(
        "mail.message",
        {"subject": "Your order of a replacement SIM", "to": "a"},
        {"subject": "Your order of books", "to": "a"},
    ),
    "number.second_slot": scene("android.sim", {"icc_id": "8944", "sim_id": 1}, {"icc_id": "8944", "sim_id": 0}),
    # wallets
    "wallet.key_file": scene(
        "file_listing", listed("Users/a/AppData/Roaming/Bitcoin/wallet.dat"), listed("Users/a/Documents/wallet.dat")
    ),
    "wallet.browser_vault": scene(
        "file_listing",
        listed("Users/a/X/Local Extension Settings/nkbihfbeogaeaoehlefnkodbefgpgknn/000003.log"),
        listed("Users/a/X/Local Extension Settings/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/000003.log"),
    ),
    "wallet.program_started": scene(
        "windows.prefetch",
        {"executable": "ELECTRUM-4.5.EXE", "executable_path": "\\V\\E\\ELECTRUM-4.5.EXE"},
        {"executable": "ELECTRON.EXE", "executable_path": "\\V\\E\\ELECTRON.EXE"},
    ),
    "wallet.app_in_use": scene(
        "android.usage", {"package": "io.metamask", "launch_count": 3}, {"package": "io.metamask", "launch_count": 0}
    ),
    "wallet.recovery_words": scene("ios.note", {"text": "my seed phrase is"}, {"text": "seeds for the garden"}),
    "wallet.address_on_page": scene(
        "generic.features",
        row({"feature": "bitcoin", "value": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"}, path="Users/a/Browser/Cache/f_1"),
        row({"feature": "bitcoin", "value": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"}, path="Users/a/Documents/f.txt"),
    ),
    "wallet.exchange_visits": scene(
        "browser.chromium.visit",
        visit("https://www.kraken.com/u/trade", "Kraken"),
        visit("https://www.krakenrum.com/", "Rum"),
    ),
    "wallet.address_received": scene(
        "android.sms", sms("send to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"), sms("send to 12 Main Street")
    ),
}
