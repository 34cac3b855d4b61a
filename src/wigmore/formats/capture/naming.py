"""The application protocol of a conversation: by its content, else by its port, and by the host that was named.

`content`: the bytes have the protocol's shape. `port`: nothing but the number says so. Names are those that ndpi, the
IANA registry and examiners use.
"""

from __future__ import annotations

import re
from collections.abc import Callable

HTTP = re.compile(
    rb"(?:GET|POST|HEAD|PUT|DELETE|OPTIONS|CONNECT|PATCH|TRACE|PROPFIND|PROPPATCH|MKCOL|SEARCH|REPORT|COPY|MOVE|LOCK|UNLOCK|"
    rb"NOTIFY|SUBSCRIBE|UNSUBSCRIBE|M-SEARCH|RPC_IN_DATA|RPC_OUT_DATA|BITS_POST|CCM_POST|DEBUG) [^\r\n]{1,16000}"
)
SIP = re.compile(
    rb"(?:INVITE|REGISTER|ACK|BYE|CANCEL|OPTIONS|SUBSCRIBE|NOTIFY|MESSAGE|INFO|PUBLISH|REFER|PRACK|UPDATE) \S+ SIP/2\.0|"
    rb"SIP/2\.0 \d"
)
SMTP = re.compile(rb"(?i)(EHLO|HELO) |220[ -][^\r\n]*(SMTP|mail)")
IRC = re.compile(rb"(?i)(^|\n)(NICK \S+\r?\n|USER \S+ \S+ \S+ :|:\S+ (NOTICE|00[1-5]|PRIVMSG) )")
MINING = re.compile(
    rb'"method"\s*:\s*"(mining\.(subscribe|authorize|notify|submit)|login|eth_submitLogin|eth_getWork|getjob)"'
)
KERBEROS_TAGS = frozenset((0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F, 0x74, 0x75, 0x76, 0x7E))
Test = Callable[[bytes, bytes, int], bool]


def ldap(c: bytes, s: bytes = b"", port: int = 0) -> bool:
    """An LDAP message: a BER sequence of a message number and an operation."""
    if c[:1] != b"\x30" or len(c) < 7:
        return False
    at = 2 if c[1] < 0x80 else 2 + (c[1] & 0x7F)
    if c[at : at + 1] != b"\x02" or len(c) < at + 2 or not 0 < c[at + 1] <= 4:
        return False
    at += 2 + c[at + 1]
    return len(c) > at and c[at] in (
        0x42,
        0x4A,
        0x50,
        0x60,
        0x61,
        0x63,
        0x64,
        0x65,
        0x66,
        0x68,
        0x6C,
        0x6E,
        0x73,
        0x77,
        0x78,
    )


def tls(raw: bytes) -> bool:
    """A TLS record with a handshake, alert or data."""
    return (
        len(raw) >= 6
        and raw[0] in (0x14, 0x15, 0x16, 0x17)
        and raw[1] == 3
        and raw[2] <= 4
        and (raw[0] != 0x16 or raw[5] in (1, 2))
    )


def netbios_smb(raw: bytes) -> str:
    """SMBv1 or SMBv23 where a NetBIOS session message carries one."""
    at = 4
    if raw[:1] == b"\x81":  # a session request comes first
        at = 4 + int.from_bytes(raw[2:4], "big") + 4
    mark = raw[at : at + 4]
    return {b"\xffSMB": "SMBv1", b"\xfeSMB": "SMBv23", b"\xfdSMB": "SMBv23", b"\xfcSMB": "SMBv23"}.get(mark, "")


def _kerberos_tcp(c: bytes, s: bytes, port: int) -> bool:
    return (
        len(c) > 8
        and c[4] in KERBEROS_TAGS
        and int.from_bytes(c[:4], "big") <= 65536
        and c[5] & 0x80 != 0
        and port in (88, 464)
    )


TCP: tuple[tuple[str, Test], ...] = (
    ("BitTorrent", lambda c, s, p: c[:20] == b"\x13BitTorrent protocol" or s[:20] == b"\x13BitTorrent protocol"),
    ("RTSP", lambda c, s, p: b"RTSP/1.0" in c[:600] or s[:8] == b"RTSP/1.0"),
    ("SIP", lambda c, s, p: SIP.match(c) is not None or SIP.match(s) is not None),
    ("HTTP", lambda c, s, p: (HTTP.match(c) is not None and (b"HTTP/" in c[:16100] or p in (80, 8080))) or s[:7] == b"HTTP/1."),
    ("HTTP2", lambda c, s, p: c[:14] == b"PRI * HTTP/2.0"),
    ("SSH", lambda c, s, p: c[:4] == b"SSH-" or s[:4] == b"SSH-"),
    ("FTP_CONTROL", lambda c, s, p: s[:4] in (b"220 ", b"220-") and (
        p == 21 or b"FTP" in s[:300] or re.match(rb"(?i)(USER|AUTH (TLS|SSL)|FEAT|OPTS)\b", c) is not None)),
    ("SMTP", lambda c, s, p: (s[:3] in (b"220", b"554", b"421") or not s) and (
        p in (25, 587, 465,
        2525) or SMTP.match(c) is not None or SMTP.match(s) is not None) and (SMTP.match(c) or SMTP.match(s) or p in (25,
        587)) is not None
        and bool(c or s) and (SMTP.match(c) is not None or s[:3].isdigit())),
    ("POP3", lambda c, s, p: s[:3] == b"+OK" or (p == 110 and re.match(rb"(?i)(USER|CAPA|AUTH|APOP|STLS)\b", c) is not None)),
    ("IMAP", lambda c, s, p: s[:4] in (b"* OK", b"* BY",
    b"* PR") or (re.match(rb"(?i)\S{1,8} (LOGIN|CAPABILITY|AUTHENTICATE|STARTTLS|ID) ?", c) is not None and p in (143, 993))),
    ("NNTP", lambda c, s, p: p == 119 and s[:3] in (b"200", b"201")),
    ("Mining", lambda c, s, p: MINING.search(c[:2048]) is not None),
    ("RSYNC", lambda c, s, p: c[:8] == b"@RSYNCD:" or s[:8] == b"@RSYNCD:"),
    ("VNC", lambda c, s, p: (s[:7] == b"RFB 00" + s[6:7] and len(s) >= 12) or c[:6] == b"RFB 00"),
    ("Jabber", lambda c, s, p: b"<stream:stream" in c[:400] or b"jabber:client" in c[:400]),
    ("MQTT", lambda c, s, p: c[:1] == b"\x10" and (b"MQTT" in c[2:10] or b"MQIsdp" in c[2:12])),
    ("AMQP", lambda c, s, p: c[:4] == b"AMQP"),
    ("JDWP", lambda c, s, p: c[:14] == b"JDWP-Handshake"),
    ("RMI", lambda c, s, p: c[:4] == b"JRMI"),
    ("Git", lambda c, s, p: re.match(rb"[0-9a-f]{4}git-(upload|receive)-pack ", c) is not None),
    ("Redis", lambda c, s, p: re.match(rb"\*\d{1,4}\r\n\$\d{1,6}\r\n",
    c) is not None or (p == 6379 and s[:1] in b"+-" and bool(s))),
    ("Memcached", lambda c, s, p: p == 11211 and re.match(rb"(get|gets|set|stats|version|add|incr)\b", c) is not None),
    ("MongoDB", lambda c, s, p: len(c) >= 16 and c[12:16] in (b"\xd4\x07\0\0", b"\xdd\x07\0\0", b"\xdc\x07\0\0")),
    ("PostgreSQL", lambda c, s, p: c[:8] == b"\0\0\0\x08\x04\xd2\x16\x2f" or (c[4:8] == b"\0\3\0\0" and b"user\0" in c[:200])),
    ("MySQL", lambda c, s, p: len(s) > 6 and s[3:5] == b"\0\x0a" and s[5:6].isdigit() and s[:1] != b"\0"),
    ("MsSQL-TDS", lambda c, s, p: c[:2] in (b"\x12\x01",
    b"\x10\x01") and len(c) >= 8 and (p == 1433 or int.from_bytes(c[2:4], "big") == len(c))),
    ("Oracle", lambda c, s, p: len(c) > 8 and c[4:6] == b"\x01\0" and b"(DESCRIPTION" in c[:600]),
    ("TeamViewer", lambda c, s, p: c[:2] == b"\x17\x24" or s[:2] == b"\x17\x24"),
    ("RDP", lambda c, s, p: len(c) >= 11 and c[:2] == b"\3\0" and c[5] in (0xE0,
    0xF0) and (p == 3389 or b"mstshash" in c[:100] or c[-8:-7] == b"\1")),
    ("S7Comm", lambda c, s, p: p == 102 and c[:2] == b"\3\0"),
    ("Modbus", lambda c, s, p: p == 502 and c[2:4] == b"\0\0" and len(c) >= 8),
    ("DNP3", lambda c, s, p: c[:2] == b"\x05\x64" or s[:2] == b"\x05\x64"),
    ("Kerberos", _kerberos_tcp),
    ("LDAP", ldap),
    ("RPC", lambda c, s, p: len(c) >= 16 and c[0] == 5 and c[1] <= 1 and c[2] in (0, 2, 11, 12, 14, 16) and c[4] in (0x10, 0x00)),
    ("Bitcoin", lambda c, s, p: c[:4] in (b"\xf9\xbe\xb4\xd9", b"\x0b\x11\x09\x07")),
    ("WhatsApp", lambda c, s, p: (c[:2] == b"WA" and len(c) > 3 and c[2] <= 9 and c[3] <= 9) or c[:4] == b"ED\0\1"),
    ("SOCKS", lambda c, s, p: (c[:1] == b"\5" and len(c) > 0 and s[:1] == b"\5" and len(s) >= 2 and s[1] in (0, 1, 2, 0xFF)) or (
        c[:1] == b"\4" and c[1:2] in (b"\1", b"\2") and s[:1] == b"\0" and s[1:2] in (b"Z", b"[", b"\\", b"]"))),
    ("RTMP", lambda c, s, p: p == 1935 and c[:1] == b"\3"),
    ("OpenVPN", lambda c, s, p: len(c) > 16 and int.from_bytes(c[:2], "big") in range(14, 200) and c[2] >> 3 in (7,
    10) and p in (1194, 443)),
    ("Telnet", lambda c, s, p: (c[:1] == b"\xff" and c[1:2] in b"\xfa\xfb\xfc\xfd\xfe" and len(c) > 2)
        or (s[:1] == b"\xff" and s[1:2] in b"\xfa\xfb\xfc\xfd\xfe" and len(s) > 2)),
    ("IRC", lambda c, s, p: IRC.search(c[:1024]) is not None or IRC.search(s[:1024]) is not None),
    ("DNS", lambda c, s, p: p in (53, 5353) and len(c) > 14 and int.from_bytes(c[:2], "big") <= 4096),
    ("BGP", lambda c, s, p: c[:16] == b"\xff" * 16 or s[:16] == b"\xff" * 16),
    ("X11", lambda c, s, p: 6000 <= p <= 6063 and c[:1] in b"lB" and bool(c)),
    ("Finger", lambda c, s, p: p == 79 and bool(c)),
    ("LPD", lambda c, s, p: p == 515 and bool(c)),
    ("Whois-DAS", lambda c, s, p: p in (43, 4343) and bool(c)),
    ("ADB", lambda c, s, p: c[:4] == b"CNXN"),
    ("Syslog", lambda c, s, p: p in (514, 601) and re.match(rb"<\d{1,3}>", c) is not None),
)  # fmt: skip


def _dns(raw: bytes) -> bool:
    if len(raw) < 12:
        return False
    flags = int.from_bytes(raw[2:4], "big")
    questions, answers = int.from_bytes(raw[4:6], "big"), int.from_bytes(raw[6:8], "big")
    return flags >> 11 & 15 in (0, 1, 2, 4, 5) and questions <= 16 and answers <= 512 and questions + answers > 0


def quic(raw: bytes) -> bool:
    """A QUIC long header of a version that is known, or a version negotiation."""
    if len(raw) < 20 or not raw[0] & 0x80:
        return raw[:1] in (b"\x0d", b"\x09") and raw[9:10] == b"Q" and raw[10:13].isdigit()  # Google's early form
    version = raw[1:5]
    return (
        version in (b"\0\0\0\1", b"\x6b\x33\x43\xcf", b"\x51\x30\x35\x30", b"\xfa\xce\xb0\x02", b"\xfa\xce\xb0\x01")
        or version[:3] == b"\xff\0\0"
        or (version[:1] in (b"Q", b"T") and version[1:].isdigit())
    )


UDP: tuple[tuple[str, Test], ...] = (
    ("MDNS", lambda c, s, p: p == 5353 and _dns(c)),
    ("LLMNR", lambda c, s, p: p == 5355 and _dns(c)),
    ("NetBIOS", lambda c, s, p: p == 137 and len(c) >= 12),
    ("SMBv1", lambda c, s, p: p == 138 and b"\xffSMB" in c[:200]),
    ("NetBIOS", lambda c, s, p: p == 138),
    ("DNS", lambda c, s, p: p == 53 and (_dns(c) or _dns(s))),
    ("DHCP", lambda c, s, p: c[236:240] == b"\x63\x82\x53\x63" and c[0] in (1, 2)),
    ("DHCPV6", lambda c, s, p: p in (546, 547) and c[:1] != b"" and 1 <= c[0] <= 13),
    ("SSDP", lambda c, s,
    p: c[:8] == b"M-SEARCH" or (c[:6] == b"NOTIFY" and b"HTTP/1.1" in c[:40]) or (p == 1900 and c[:5] == b"HTTP/")),
    ("SIP", lambda c, s, p: SIP.match(c) is not None),
    ("WSD", lambda c, s, p: p == 3702 and b"http" in c[:300]),
    ("BitTorrent", lambda c, s, p: (c[:1] == b"d" and re.search(rb"1:[ear]\d?.{0,2}2:id20:|1:y1:[qre]", c[:400],
    re.S) is not None) or c[:8] == b"\0\0\4\x17\x27\x10\x19\x80"
        or c[:20] == b"\x13BitTorrent protocol"),
    ("WireGuard", lambda c, s, p: (c[:4] == b"\1\0\0\0" and len(c) == 148) or (c[:4] == b"\2\0\0\0" and len(c) == 92)),
    ("QUIC", lambda c, s, p: quic(c) or quic(s)),
    ("STUN", lambda c, s, p: len(c) >= 20 and c[4:8] == b"\x21\x12\xa4\x42" and c[0] < 4),
    ("DTLS", lambda c, s, p: len(c) >= 14 and c[0] in (20, 21, 22, 23) and c[1] == 0xFE and c[2] in (0xFF, 0xFD, 0xFC)),
    ("NTP", lambda c, s, p: p == 123 and len(c) >= 12),
    ("SNMP", lambda c, s, p: p in (161, 162) and c[:1] == b"\x30"),
    ("Kerberos", lambda c, s, p: p in (88, 464) and len(c) > 4 and (c[0] in KERBEROS_TAGS or c[4:5] == b"\0")),
    ("LDAP", lambda c, s, p: p == 389 and ldap(c)),
    ("TFTP", lambda c, s, p: p == 69 and c[:2] in (b"\0\1", b"\0\2")),
    ("Syslog", lambda c, s, p: re.match(rb"<\d{1,3}>", c) is not None and p == 514),
    ("Radius", lambda c, s, p: p in (1812, 1813, 1645, 1646, 3799) and len(c) >= 20 and int.from_bytes(c[2:4], "big") <= len(c)),
    ("IPSec", lambda c, s, p: p in (500, 4500) and len(c) > 8),
    ("Dropbox", lambda c, s, p: p == 17500 and b'"host_int"' in c[:400]),
    ("Spotify", lambda c, s, p: p == 57621 and c[:7] == b"SpotUdp"),
    ("RIP", lambda c, s, p: p == 520 and c[:1] in b"\1\2"),
    ("L2TP", lambda c, s, p: p == 1701),
    ("GTP", lambda c, s, p: p in (2123, 2152, 3386) and len(c) >= 8),
    ("VXLAN", lambda c, s, p: p == 4789 and c[:1] == b"\x08"),
    ("COAP", lambda c, s, p: p in (5683, 5684) and c[:1] != b"" and c[0] >> 6 == 1),
    ("BACnet", lambda c, s, p: p == 47808 and c[:1] == b"\x81"),
    ("sFlow", lambda c, s, p: p == 6343 and c[:4] in (b"\0\0\0\5", b"\0\0\0\4")),
    ("NetFlow", lambda c, s, p: p in (2055, 9995, 9996) and c[:2] in (b"\0\5", b"\0\x09", b"\0\x0a")),
    ("HSRP", lambda c, s, p: p in (1985, 2029)),
    ("Memcached", lambda c, s, p: p == 11211),
    ("Source_Engine", lambda c, s, p: c[:4] == b"\xff\xff\xff\xff" and c[4:5] in b"TUVIADE"),
    ("OpenVPN", lambda c, s, p: p == 1194 and c[:1] != b"" and c[0] >> 3 in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)),
    ("Skype_TeamsCall", lambda c, s, p: 3478 <= p <= 3481 and c[:1] != b"" and c[0] >= 0x80),
    ("RX", lambda c, s, p: 7000 <= p <= 7009 and len(c) >= 28),
    ("RTP", lambda c, s, p: len(c) > 12 and c[0] >> 6 == 2 and c[1] & 0x7F in (0, 3, 4, 8, 9, 13, 18, *range(96,
    128)) and p > 1023 and p % 2 == 0),
    ("RTCP", lambda c, s, p: len(c) >= 8 and c[0] >> 6 == 2 and 200 <= c[1] <= 207 and p > 1023),
    ("SOMEIP", lambda c, s, p: p == 30490),
)  # fmt: skip

PORTS: dict[tuple[str, int], str] = {
    **{("tcp", n): name for n, name in (
        (20, "FTP_DATA"), (21, "FTP_CONTROL"), (22, "SSH"), (23, "Telnet"), (25, "SMTP"), (43, "Whois-DAS"), (53, "DNS"),
        (80, "HTTP"),
        (88, "Kerberos"), (110, "POP3"), (111, "RPC"), (119, "NNTP"), (135, "RPC"), (139, "NetBIOS"), (143, "IMAP"), (179, "BGP"),
        (389, "LDAP"), (443, "TLS"), (445, "SMBv23"), (465, "SMTPS"), (502, "Modbus"), (512, "RSH"), (513, "RSH"), (514, "RSH"),
        (515, "LPD"), (554, "RTSP"), (587, "SMTP"), (636, "LDAPS"), (873, "RSYNC"), (853, "DoT"), (989, "FTPS"), (990,
        "FTPS"), (993, "IMAPS"),
        (995, "POPS"), (1080, "SOCKS"), (1433, "MsSQL-TDS"), (1521, "Oracle"), (1723, "PPTP"), (1883, "MQTT"), (2049, "NFS"),
        (3128, "HTTP_Proxy"), (3306, "MySQL"), (3389, "RDP"), (5060, "SIP"), (5222, "Jabber"), (5432, "PostgreSQL"),
        (5900, "VNC"), (5901, "VNC"), (5938, "TeamViewer"), (5985, "HTTP"), (5986, "TLS"), (6379, "Redis"), (6667, "IRC"),
        (7070, "AnyDesk"),
        (8080, "HTTP"), (8333, "Bitcoin"), (9200, "Elasticsearch"), (11211, "Memcached"),
        (27017, "MongoDB"), (20000, "DNP3"), (44818, "EthernetIP"), (102, "S7Comm"), (4840, "OPC-UA"))},
    **{("udp", n): name for n, name in (
        (53, "DNS"), (67, "DHCP"), (68, "DHCP"), (69, "TFTP"), (88, "Kerberos"), (111, "RPC"), (123, "NTP"), (137, "NetBIOS"),
        (138, "NetBIOS"), (161, "SNMP"), (162, "SNMP"), (389, "LDAP"), (443, "QUIC"), (500, "IPSec"), (514, "Syslog"), (520,
        "RIP"),
        (546, "DHCPV6"), (547, "DHCPV6"), (1194, "OpenVPN"), (1434, "MsSQL-TDS"), (1701, "L2TP"), (1812, "Radius"), (1900,
        "SSDP"),
        (3478, "STUN"), (3702, "WSD"), (4500, "IPSec"), (5060, "SIP"), (5353, "MDNS"), (5355, "LLMNR"), (51820, "WireGuard"),
        (17500, "Dropbox"), (27015, "Source_Engine"), (47808, "BACnet"))},
}  # fmt: skip

SERVICES: tuple[tuple[str, str], ...] = tuple(
    (suffix, name)
    for name, suffixes in {
        "WhatsApp": "whatsapp.net whatsapp.com",
        "YouTube": "youtube.com ytimg.com googlevideo.com youtu.be",
        "GMail": "mail.google.com gmail.com imap.gmail.com",
        "GoogleMaps": "maps.google.com maps.googleapis.com maps.gstatic.com",
        "GoogleDrive": "drive.google.com docs.google.com",
        "GoogleServices": "googleapis.com google-analytics.com googletagmanager.com googletagservices.com",
        "PlayStore": "play.google.com play.googleapis.com",
        "Google": "google.com gstatic.com google.de google.it googleusercontent.com 1e100.net",
        "Facebook": "facebook.com facebook.net fbcdn.net fbsbx.com",
        "Messenger": "messenger.com",
        "Instagram": "instagram.com cdninstagram.com",
        "Twitter": "twitter.com twimg.com t.co x.com",
        "Telegram": "telegram.org t.me telegram.me",
        "Signal": "signal.org whispersystems.org",
        "Snapchat": "snapchat.com sc-cdn.net",
        "TikTok": "tiktok.com tiktokcdn.com tiktokv.com byteoversea.com",
        "Netflix": "netflix.com nflxvideo.net nflximg.net nflxext.com",
        "Spotify": "spotify.com scdn.co",
        "Dropbox": "dropbox.com dropboxstatic.com dropboxusercontent.com",
        "Mega": "mega.nz mega.co.nz",
        "WeTransfer": "wetransfer.com",
        "Pastebin": "pastebin.com",
        "GitHub": "github.com githubusercontent.com github.io",
        "GitLab": "gitlab.com",
        "LinkedIn": "linkedin.com licdn.com",
        "Reddit": "reddit.com redditstatic.com redd.it",
        "Discord": "discord.com discordapp.com discord.gg discordapp.net",
        "Slack": "slack.com slack-edge.com",
        "Zoom": "zoom.us",
        "Teams": "teams.microsoft.com teams.live.com",
        "Skype_Teams": "skype.com skypeassets.com",
        "Outlook": "outlook.com outlook.office365.com outlook.office.com",
        "MS_OneDrive": "onedrive.live.com onedrive.com 1drv.com",
        "Microsoft365": "office.com office365.com sharepoint.com microsoftonline.com",
        "WindowsUpdate": "windowsupdate.com update.microsoft.com",
        "Xbox": "xboxlive.com xbox.com",
        "Azure": "azure.com azureedge.net windows.net azurewebsites.net",
        "Microsoft": "microsoft.com msftncsi.com msftconnecttest.com live.com msn.com bing.com",
        "AppleiCloud": "icloud.com icloud-content.com",
        "AppleiTunes": "itunes.apple.com mzstatic.com",
        "AppleStore": "apps.apple.com",
        "Apple": "apple.com apple-dns.net aaplimg.com cdn-apple.com",
        "AmazonAWS": "amazonaws.com cloudfront.net awsstatic.com",
        "Amazon": "amazon.com amazon.de amazon.co.uk ssl-images-amazon.com media-amazon.com",
        "Cloudflare": "cloudflare.com cloudflare-dns.com",
        "Wikipedia": "wikipedia.org wikimedia.org",
        "Yahoo": "yahoo.com yimg.com",
        "eBay": "ebay.com ebaystatic.com",
        "PayPal": "paypal.com paypalobjects.com",
        "Twitch": "twitch.tv ttvnw.net jtvnw.net",
        "Steam": "steampowered.com steamcommunity.com steamcontent.com steamstatic.com",
        "Viber": "viber.com",
        "Line": "line.me line-apps.com line-scdn.net",
        "WeChat": "wechat.com weixin.qq.com wx.qq.com",
        "QQ": "qq.com qpic.cn",
        "Badoo": "badoo.com",
        "Tinder": "gotinder.com tinder.com",
        "TeamViewer": "teamviewer.com",
        "AnyDesk": "anydesk.com",
        "RemoteDesktop": "remotedesktop.google.com",
        "SplashtopRemote": "splashtop.com",
        "LogMeIn": "logmein.com gotomypc.com",
        "NgRok": "ngrok.io ngrok.com ngrok-free.app",
        "Tor": "torproject.org",
        "NordVPN": "nordvpn.com",
        "ProtonVPN": "protonvpn.ch protonvpn.com",
        "Protonmail": "protonmail.com protonmail.ch proton.me",
        "Cloudflare_WARP": "cloudflareclient.com",
        "UbuntuONE": "ubuntu.com canonical.com",
        "Mozilla": "mozilla.org mozilla.com mozilla.net firefox.com",
        "Adobe": "adobe.com adobe.io typekit.net",
        "Alibaba": "alibaba.com alicdn.com aliyun.com",
        "Ookla": "speedtest.net ookla.com",
        "ADS_Analytic_Track": "doubleclick.net scorecardresearch.com adnxs.com googlesyndication.com",
    }.items()
    for suffix in suffixes.split()
)
_BY_SUFFIX = dict(SERVICES)
ONION_NAME = re.compile(
    r"www\.[a-z2-7]{6,25}\.(com|net)"
)  # tor-spec: names that a Tor client makes up for its handshake


def service_of(host: str) -> str:
    """The service a host name belongs to by its suffix; empty where none is known."""
    parts = host.lower().rstrip(".").split(".")
    for begin in range(len(parts) - 1):
        name = _BY_SUFFIX.get(".".join(parts[begin:]))
        if name:
            return name
    return ""


def made_up(host: str) -> bool:
    """Whether a name looks like one that a Tor client makes up: `www.`, 8 to 20 letters and digits 2–7, `.com` or `.net`.

    Names of words have vowels spread through them and no digits: only names with a digit inside, or with four consonants
    in a row, are taken.
    """
    if not ONION_NAME.fullmatch(host.lower()):
        return False
    middle = host.lower()[4:-4]
    if len(middle) < 8:
        return False
    digits = sum(c.isdigit() for c in middle)
    runs = re.findall(r"[bcdfghjklmnpqrstvwxz2-7]{5,}", middle)
    return bool((digits and re.search(r"[a-z][2-7]+[a-z]", middle)) or runs)


def by_content(kind: str, client: bytes, server: bytes, ports: tuple[int, int]) -> tuple[str, str]:
    """(protocol, `content` or `port`) of the first bytes of both sides; (`Unknown`, "") where nothing tells.

    `ports` are the client's and the server's.
    """
    port = ports[1]
    if kind == "tcp":
        if tls(client) or tls(server):
            return "TLS", "content"
        if client[:1] and client[0] & 0x80 and client[2:3] == b"\1" and client[3:5] in (b"\0\2", b"\3\0", b"\3\1"):
            return "TLS", "content"  # the hello of SSL 2
        smb = netbios_smb(client) or netbios_smb(server)
        if smb:
            return smb, "content"
    tests = TCP if kind == "tcp" else UDP if kind == "udp" else ()
    for name, test in tests if client or server else ():  # floods and scans have no bytes to test
        if test(client or server, server, port):
            return name, "content"
    for number in (port, ports[0]):
        guessed = PORTS.get((kind, number))
        if guessed and (client or server or number == port):
            return guessed, "port"
    return "Unknown", ""
