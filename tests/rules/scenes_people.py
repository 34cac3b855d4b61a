"""Scenes of rules that say who and which device: identities, parties of messages and calls, senders of mail."""

from __future__ import annotations

from typing import Any

from scenes import Rows, Scene, row, scene

AT = "2026-03-02T10:00:00Z"
PARTY, GROUP = "+442079460958", "1203630@g.us"
JID = "442079460958@s.whatsapp.net"
OURS = {
    "from_address": "ada@firm.example",
    "from_domain": "firm.example",
    "from": "Ada <ada@firm.example>",
    "to": ["b@x.example"],
}
PRIVATE = {"attachment_count": 1, "attachment_names": ["plan.docx"], "recipient_domains": ["gmail.com"]}


def mail(hit: dict[str, Any], miss: dict[str, Any]) -> Scene:
    """A scene of messages."""
    return scene("mail.message", row({**OURS, **hit}, date=AT), row({**OURS, **miss}, date=AT))


def attached(hit: str, miss: str) -> Scene:
    return mail({"attachment_names": [hit]}, {"attachment_names": [miss]})


def sides(artifact: str, name: str, party: Any, other: dict[str, Any], direction: str = "received") -> Scene:
    """A scene of messages or calls with a party; `other` is what makes the near miss."""
    said = {name: party, "direction": direction}
    return scene(artifact, said, {**said, **other})


def short_calls(artifact: str, number: str, length: str) -> Scene:
    """A call that was answered for half a minute, and one that was not taken."""
    call = {number: PARTY, "direction": "outgoing"}
    return scene(artifact, {**call, length: 31}, {**call, length: 0}, subject=PARTY)


def contact(phones: list[str]) -> Rows:
    return [row({"display_name": "Sam", "phones": phones})]


SCENES: dict[str, Scene] = {
    # devices and hosts
    "android.device_identity": scene(
        "android.build_properties",
        {"ro.product.model": "Demo A11"},
        {"ro.adb.secure": "1", "persist.sys.usb.config": "none"},
    ),
    "ios.device_identity": scene(
        "ios.device", {"Device Name": "Ada's", "IMEI": "356938035643809"}, {"Version": "10.0", "IsEncrypted": False}
    ),
    "identity.linux_host": scene(
        "linux.authlog",
        row({"program": "sshd", "host": "web1"}, host="web1"),
        {"program": "sshd", "message": "a line without a host's name"},
    ),
    "identity.mac_users": scene(
        "generic.plist",
        {"ProductName": "macOS", "ProductVersion": "14.4"},
        {"ProductName": "iPhone OS", "ProductVersion": "17.4"},
    ),
    # parties
    "contact.entry_of_party": scene(
        "android.contact", contact(["mobile: 020 7946 0958"]), contact(["mobile: 020 7946 0959"]), subject=PARTY
    ),
    "contact.short_outgoing_calls": short_calls("ios.call", "ZADDRESS", "ZDURATION"),
    "contact.short_outgoing_calls_android": short_calls("android.call", "number", "duration"),
    "parties.android_calls": sides("android.call", "number", PARTY, {"number": ""}, "missed"),
    "parties.android_messages": sides("android.sms", "address", PARTY, {"direction": "draft"}),
    "parties.extraction_messages": sides("ufed.message", "from", PARTY, {"direction": ""}),
    "parties.ios_calls": sides("ios.call", "ZADDRESS", PARTY, {"ZADDRESS": None, "participants": []}, "incoming"),
    "parties.ios_calls_old": sides("ios.call", "address", PARTY, {"address": ""}, "incoming"),
    "parties.ios_messages": sides("ios.sms", "party", PARTY, {"chat_style": 43, "chat_identifier": "chat8841"}),
    "parties.multimedia": sides("android.mms", "from", [PARTY], {"direction": "sent", "from": ["Local User"]}),
    "parties.multimedia_sent": sides("android.mms", "to", [PARTY], {"direction": "draft"}, "sent"),
    "parties.whatsapp_android": sides("android.whatsapp.message", "chat_jid", JID, {"chat_jid": GROUP}),
    "parties.whatsapp_android_old": sides("android.whatsapp.message", "key_remote_jid", JID, {"key_remote_jid": GROUP}),
    "parties.whatsapp_calls_android": sides(
        "android.whatsapp.call", "party_jid", JID, {"party_jid": None, "group_jid": GROUP}, "incoming"
    ),
    "parties.whatsapp_ios": sides("ios.whatsapp.message", "ZCONTACTJID", JID, {"ZCONTACTJID": GROUP}),
    "parties.mail": mail(
        {"from_name": "Ada"}, {"from_name": "News", "list_unsubscribe": "<mailto:leave@firm.example>"}
    ),
    # mail
    "mail.address_in_display_name": mail(
        {"from_name": "bank@bank.example", "address_in_from_name": "bank@bank.example"},
        {"from_name": "ada@firm.example", "address_in_from_name": "ada@firm.example"},
    ),
    "mail.attachments_to_personal_address": mail(PRIVATE, {**PRIVATE, "from_domain": "gmail.com"}),
    "mail.authentication_failed": mail(
        {"spf": "softfail", "dkim": "none", "dmarc": "fail"},
        {"spf": "softfail", "dkim": "pass", "dmarc": "pass"},  # as a forwarded message has it
    ),
    "mail.double_extension": attached("invoice.pdf.exe", "invoice.pdf.zip"),
    "mail.executable_attachment": attached("figures.xlsm", "figures.xlsx"),
    "mail.reply_to_differs": mail(
        {"reply_to_domain": "elsewhere.example"},
        {"reply_to_domain": "lists.example", "list_id": "<staff.lists.example>"},
    ),
}
