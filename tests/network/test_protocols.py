"""What application protocols say: names, passwords as they are, files with their hashes, certificates, calls."""

from __future__ import annotations

import base64
import gzip
import hashlib
import struct

import capture_builders as made
from capture_builders import Read

ENDS = ((made.CLIENT, 5000), (made.SERVER, 53))


def test_dns_questions_and_answers(read: Read) -> None:
    frames = [
        made.udp(*ENDS, made.question("www.example.org")),
        made.udp(ENDS[1], ENDS[0], made.answer("www.example.org", 1, bytes((203, 0, 113, 9)))),
        made.udp(*ENDS, made.question("c.1.t.example.org", 16, 2)),
        made.udp(ENDS[1], ENDS[0], made.answer("c.1.t.example.org", 16, b"\x05cmd:1", 2)),
    ]
    records, _ = read(made.pcap([*frames, *made.talk([(0, b"hello\r\n")], 8765, server="203.0.113.9")]))
    asked, told, _, answered = (r.data for r in records["dns"])
    assert (asked["message"], asked["name"], asked["type"]) == ("query", "www.example.org", "A")
    assert told["addresses"] == ["203.0.113.9"] and told["response_code"] == "NOERROR"
    assert answered["text"] == "cmd:1" and answered["domain"] == "example.org"
    assert records["conversation"][1].data["resolved_name"] == "www.example.org"


def test_http_exchange_with_form_credentials_and_compressed_answer(read: Read) -> None:
    page = b"<html>welcome</html>" * 50
    packed = gzip.compress(page)
    chunks = (
        b"".join(b"%x\r\n%s\r\n" % (len(packed[i : i + 9]), packed[i : i + 9]) for i in range(0, len(packed), 9))
        + b"0\r\n\r\n"
    )
    form = b"user=anna&password=s3cret&q=%27+or+1%3D1--"
    request = (
        b"POST /login.php?next=%2Fhome HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Test/1.0\r\nCookie: sid=1; lang=de\r\n"
        b"Authorization: Basic "
        + base64.b64encode(b"bob:pw")
        + b"\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: %d\r\n\r\n" % len(form)
    ) + form
    reply = b"HTTP/1.1 200 OK\r\nServer: made/2\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n"
    reply += b"Transfer-Encoding: chunked\r\n"
    records, gaps = read(
        made.pcap(made.talk([(0, request), (1, reply + b"Set-Cookie: t=9; Path=/\r\n\r\n" + chunks)], 80))
    )
    assert gaps == []
    data = records["http"][0].data
    assert (data["method"], data["host"], data["path"], data["user_agent"], data["status"], data["server"]) == (
        "POST",
        "shop.example",
        "/login.php",
        "Test/1.0",
        200,
        "made/2",
    )
    assert data["form"] == {"user": "anna", "password": "s3cret", "q": "' or 1=1--"}
    assert data["cookie_names"] == ["lang", "sid"] and data["set_cookie_names"] == ["t"]
    assert data["response_body_size"] == len(page) and data["response_body_sha256"] == hashlib.sha256(page).hexdigest()
    seen = {(r.data["scheme"], r.data["user"], r.data["password"]) for r in records["credential"]}
    assert seen == {("HTTP Basic", "bob", "pw"), ("HTTP form", "anna", "s3cret")}
    assert records["conversation"][0].data["host"] == "shop.example"


def test_pipelined_requests_keep_their_answers(read: Read) -> None:
    ask = b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % n for n in range(3))
    say = b"".join(b"HTTP/1.1 %d X\r\nContent-Length: 1\r\n\r\n%d" % (200 + n, n) for n in range(3))
    records, _ = read(made.pcap(made.talk([(0, ask), (1, say)], 8080)))
    assert [(r.data["path"], r.data["status"]) for r in records["http"]] == [("/0", 200), ("/1", 201), ("/2", 202)]


def test_ftp_session_with_its_data_connection(read: Read) -> None:
    content = b"MZ" + bytes(500)
    control = made.talk(
        [
            (1, b"220 ready\r\n"),
            (0, b"USER anna\r\n"),
            (1, b"331 password\r\n"),
            (0, b"PASS geheim\r\n"),
            (1, b"230 in\r\n"),
            (0, b"PASV\r\n"),
            (1, b"227 Entering Passive Mode (198,51,100,20,200,1)\r\n"),
            (0, b"RETR tool.exe\r\n"),
            (1, b"150 opening\r\n226 done\r\n"),
        ],
        21,
    )
    data = made.talk([(1, content)], 200 * 256 + 1, (made.CLIENT, 40001), begin=made.BEGIN + 10**9)
    records, _ = read(made.pcap([*control, *data]))
    login = records["credential"][0].data
    assert (login["user"], login["password"], login["result"]) == ("anna", "geheim", "accepted")
    file = records["file"][0].data
    assert (file["name"], file["size"], file["sha256"]) == ("tool.exe", 502, hashlib.sha256(content).hexdigest())
    assert records["capture"][0].data["application_protocols"] == {"FTP_CONTROL": 1, "FTP_DATA": 1}
    assert [r.data["code"] for r in records["command"] if r.data["command"] == "RETR"] == ["226"]


def test_mail_with_login_and_message(read: Read) -> None:
    def coded(value: bytes) -> bytes:
        return base64.b64encode(value) + b"\r\n"

    lines = [
        (1, b"220 mail.example.org ESMTP\r\n"), (0, b"EHLO pc\r\n"), (1, b"250-hi\r\n250 AUTH LOGIN\r\n"), (0,
        b"AUTH LOGIN\r\n"), (1, b"334 x\r\n"),
        (0, coded(b"anna")), (1, b"334 y\r\n"), (0, coded(b"geheim")), (1, b"535 no\r\n"), (0,
        b"MAIL FROM:<a@example.org>\r\n"), (1, b"250 ok\r\n"),
        (0, b"RCPT TO:<b@example.net>\r\n"), (1, b"250 ok\r\n"), (0, b"DATA\r\n"), (1, b"354 go\r\n"),
        (0, b"From: a@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nhello\r\n.\r\n"), (1, b"250 taken\r\n"),
        (0, b"QUIT\r\n"), (1, b"221 bye\r\n"),
    ]  # fmt: skip
    records, _ = read(made.pcap(made.talk(lines, 25)))
    login = records["credential"][0].data
    assert (login["scheme"], login["user"], login["password"], login["result"]) == (
        "AUTH LOGIN",
        "anna",
        "geheim",
        "refused",
    )
    mail = records["mail"][0].data
    assert (mail["sender"], mail["recipients"], mail["subject"]) == ("a@example.org", ["b@example.net"], "Grüße")
    assert records["conversation"][0].data["host"] == "mail.example.org"


def test_typed_lines_of_telnet_and_lines_of_irc(read: Read) -> None:
    telnet = made.talk(
        [
            (1, b"\xff\xfd\x18login: "),
            (0, b"anx\x08na\r\n"),
            (1, b"Password: "),
            (0, b"geheim\r\n"),
            (1, b"$ "),
            (0, b"ls\r\n"),
        ],
        23,
    )
    irc = made.talk(
        [
            (0, b"NICK bot1\r\nUSER x 0 * :x\r\nJOIN #room\r\n"),
            (1, b":boss!u@h PRIVMSG #room :!download http://x.example/a.exe\r\n"),
        ],
        6667,
        (made.CLIENT, 40005),
        begin=made.BEGIN + 10**9,
    )
    records, _ = read(made.pcap([*telnet, *irc]))
    login = records["credential"][0].data
    assert (login["protocol"], login["user"], login["password"]) == ("Telnet", "anna", "geheim")
    assert [r.data["command"] for r in records["command"]] == ["ls", "NICK", "USER", "JOIN", "PRIVMSG"]
    assert records["command"][-1].data["channel"] == "#room"


def hello(name: bytes) -> bytes:
    server_name = struct.pack(">HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
    alpn = struct.pack(">HHHB", 16, 5, 3, 2) + b"h2"
    body = (
        b"\3\3"
        + bytes(32)
        + b"\0"
        + struct.pack(">HHH", 4, 0x1301, 0xC02F)
        + b"\1\0"
        + struct.pack(">H", len(server_name + alpn))
    )
    body += server_name + alpn
    return b"\1" + len(body).to_bytes(3, "big") + body


def test_tls_hello_and_certificate(read: Read) -> None:
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "self.example")])
    made_certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0xABCDEF)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2021, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    raw = made_certificate.public_bytes(serialization.Encoding.DER)
    chain = len(raw).to_bytes(3, "big") + raw
    said = b"\x0b" + (len(chain) + 3).to_bytes(3, "big") + len(chain).to_bytes(3, "big") + chain
    first = hello(b"www.example.org")
    server = b"\2\0\0\x26\3\3" + bytes(32) + b"\0\xc0\x2f\0"
    records, gaps = read(
        made.pcap(
            made.talk(
                [
                    (0, b"\x16\3\1" + struct.pack(">H", len(first)) + first),
                    (1, b"\x16\3\3" + struct.pack(">H", len(server + said)) + server + said),
                ],
                443,
            )
        )
    )
    assert gaps == []
    tls = records["tls"][0].data
    assert (tls["server_name"], tls["alpn"], tls["ja3_text"]) == ("www.example.org", ["h2"], "771,4865-49199,0-16,,")
    assert tls["ja3"] == hashlib.md5(b"771,4865-49199,0-16,,", usedforsecurity=False).hexdigest()
    data = records["certificate"][0]
    assert (data.data["subject"], data.data["serial"], data.data["self_signed"], data.data["expired"]) == (
        "CN=self.example",
        "abcdef",
        True,
        True,
    )
    assert (
        data.data["sha256"] == hashlib.sha256(raw).hexdigest()
        and data.times["valid_to"]["text"] == "2021-01-01T00:00:00Z"
    )


def test_quic_initial_is_opened_and_names_the_host(read: Read) -> None:
    # RFC 9001 A.1: keys of the connection number 0x8394c8f03e515708, as written there
    import hmac

    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from wigmore.formats.capture import quic

    target = bytes.fromhex("8394c8f03e515708")
    secret = quic._expand(hmac.new(quic.SALTS[1], target, hashlib.sha256).digest(), "client in", 32)
    key, vector, mask_key = (quic._expand(secret, f"quic {n}", w) for n, w in (("key", 16), ("iv", 12), ("hp", 16)))
    assert key.hex() == "1f369613dd76d5467730efcbe3b1a22d" and mask_key.hex() == "9f50449e04a0e810283a1e9933adedd2"
    inner = hello(b"quic.example.org")
    plain = b"\6\0" + struct.pack(">H", 0x4000 | len(inner)) + inner + bytes(900)
    head = b"\xc0\0\0\0\1\x08" + target + b"\0\0" + struct.pack(">H", 0x4000 | len(plain) + 17)
    sealed = AESGCM(key).encrypt(vector, plain, head + b"\0")
    mask = Cipher(algorithms.AES(mask_key), modes.ECB()).encryptor().update(sealed[3:19])  # RFC 9001 5.4.3
    packet = bytes((head[0] ^ mask[0] & 15,)) + head[1:] + bytes((mask[1],)) + sealed
    records, _ = read(made.pcap([made.udp((made.CLIENT, 5000), (made.SERVER, 443), packet)]))
    assert records["tls"][0].data["server_name"] == "quic.example.org"
    assert records["conversation"][0].data["protocol"] == "QUIC"


def smb2(command: int, body: bytes, number: int, status: int = 0, answer: bool = False, tree: int = 1) -> bytes:
    head = (
        b"\xfeSMB"
        + struct.pack("<HHIHHIIQIIQ", 64, 0, status, command, 1, int(answer), 0, number, 0, tree, 1)
        + bytes(16)
    )
    return struct.pack(">I", len(head + body)) + head + body


def ntlm(user: str, domain: str) -> bytes:
    names = [b"", bytes(40), domain.encode("utf-16-le"), user.encode("utf-16-le"), "PC7".encode("utf-16-le")]
    at, table, data = 64, b"", b""
    for value in names:
        table += struct.pack("<HHI", len(value), len(value), at + len(data))
        data += value
    return b"NTLMSSP\0\3\0\0\0" + table + bytes(8) + struct.pack("<I", 1) + data


def test_smb2_session_share_and_written_file(read: Read) -> None:
    share, name, content = "\\\\srv\\ADMIN$".encode("utf-16-le"), "tool.exe".encode("utf-16-le"), b"MZ" + bytes(300)
    blob = ntlm("anna", "CORP")
    file_id = bytes(range(16))
    create = bytearray(56)
    create[36:40], create[44:48] = struct.pack("<I", 2), struct.pack("<HH", 120, len(name))
    write = struct.pack("<HHIQ", 49, 112, len(content), 0) + file_id + bytes(16) + content
    lines = [
        (0, smb2(1, struct.pack("<HBBIIHHQ", 25, 0, 0, 0, 0, 88, len(blob), 0) + blob, 1)),
        (1, smb2(1, bytes(8), 1, 0, True)),
        (0, smb2(3, struct.pack("<HHHH", 9, 0, 72, len(share)) + share, 2)),
        (1, smb2(3, bytes(16), 2, 0, True, 5)),
        (0, smb2(5, bytes(create) + name, 3, tree=5)),
        (1, smb2(5, bytes(64) + file_id + bytes(8), 3, 0, True, 5)),
        (0, smb2(9, write, 4, tree=5)),
        (1, smb2(9, bytes(16), 4, 0, True, 5)),
    ]
    records, gaps = read(made.pcap(made.talk(lines, 445)))
    assert gaps == []
    login = records["credential"][0].data
    assert (login["user"], login["domain"], login["workstation"], login["result"], login["clear_text"]) == (
        "anna",
        "CORP",
        "PC7",
        "accepted",
        False,
    )
    created = next(r.data for r in records["smb"] if r.data["command"] == "create")
    assert (created["file"], created["tree"], created["disposition"], created["user"]) == (
        "tool.exe",
        "\\\\srv\\ADMIN$",
        "create",
        "anna",
    )
    file = records["file"][0].data
    assert (file["name"], file["sha256"], file["type"]) == (
        "tool.exe",
        hashlib.sha256(content).hexdigest(),
        "MZ executable",
    )


def test_calls_over_rpc_are_named(read: Read) -> None:
    import uuid

    interface = uuid.UUID("e3514235-4b06-11d1-ab04-00c04fc2dcd2").bytes_le
    bind = struct.pack("<BBBBIHHI", 5, 0, 11, 3, 0x10, 72, 0, 1) + struct.pack("<HHIBBH", 4280, 4280, 0, 1, 0, 0)
    bind += struct.pack("<HBB", 0, 1, 0) + interface + struct.pack("<I", 4) + bytes(20)
    call = struct.pack("<BBBBIHHI", 5, 0, 0, 3, 0x10, 32, 0, 2) + struct.pack("<IHH", 8, 0, 3) + bytes(8)
    records, _ = read(made.pcap(made.talk([(0, bind), (0, call), (0, call)], 49155)))
    made_calls = [
        (r.data["operation"], r.data["interface"], r.data.get("function"), r.data.get("count")) for r in records["rpc"]
    ]
    assert made_calls == [("bind", "drsuapi", None, None), ("call", "drsuapi", "DRSGetNCChanges", 2)]


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return (
        bytes((tag, len(content))) + content
        if len(content) < 128
        else bytes((tag, 0x82)) + struct.pack(">H", len(content)) + content
    )


def test_kerberos_names_and_ldap_password(read: Read) -> None:
    name = der(0x30, der(0xA0, der(2, b"\1")), der(0xA1, der(0x30, der(0x1B, b"anna"))))
    service = der(0x30, der(0xA0, der(2, b"\2")), der(0xA1, der(0x30, der(0x1B, b"krbtgt"), der(0x1B, b"CORP"))))
    kinds = der(0x30, der(2, b"\x17"))
    body = der(0x30, der(0xA1, name), der(0xA2, der(0x1B, b"CORP")), der(0xA3, service), der(0xA8, kinds))
    request = der(0x6A, der(0x30, der(0xA1, der(2, b"\5")), der(0xA2, der(2, b"\x0a")), der(0xA4, body)))
    bind = der(0x30, der(2, b"\1"), der(0x60, der(2, b"\3"), der(4, b"cn=admin"), der(0x80, b"geheim")))
    frames = [made.udp((made.CLIENT, 5001), (made.SERVER, 88), request), *((f) for _, f in made.talk([(0, bind)], 389))]
    records, _ = read(made.pcap(frames))
    data = records["kerberos"][0].data
    assert (data["message"], data["client_name"], data["realm"], data["service_name"]) == (
        "AS-REQ",
        "anna",
        "CORP",
        "krbtgt/CORP",
    )
    assert data["encryption_types"] == ["RC4-HMAC"] and data["pre_authenticated"] is False
    assert (records["credential"][0].data["user"], records["credential"][0].data["password"]) == ("cn=admin", "geheim")


def test_local_protocols_name_hosts_and_conflicts(read: Read) -> None:
    mac = bytes.fromhex("02000000000a")
    dhcp = (
        b"\1\1\6\0"
        + bytes(24)
        + mac
        + bytes(202)
        + b"\x63\x82\x53\x63"
        + b"\x35\1\3"
        + b"\x0c\4pc-7"
        + b"\x32\4\xc0\0\2\x0a"
        + b"\xff"
    )
    echo = b"\x08\0\0\0\0\1\0\1" + b"ssh-tunnelled-content" * 10
    frames = [
        made.udp(("192.0.2.10", 68), ("255.255.255.255", 67), dhcp),
        made.arp(2, "02:00:00:00:00:01", "192.0.2.1", "192.0.2.10"),
        made.arp(2, "02:00:00:00:00:66", "192.0.2.1", "192.0.2.10"),
        *[made.ethernet(made.ip(made.CLIENT, made.SERVER, 1, echo)) for _ in range(6)],
        made.udp(
            (made.CLIENT, 5001),
            (made.SERVER, 161),
            der(
                0x30,
                der(2, b"\1"),
                der(4, b"public"),
                der(0xA0, der(2, b"\1"), der(2, b"\0"), der(2, b"\0"), der(0x30)),
            ),
        ),
        made.udp(
            (made.CLIENT, 5060),
            (made.SERVER, 5060),
            b"REGISTER sip:a SIP/2.0\r\nFrom: <sip:anna@x>\r\nUser-Agent: phone\r\n\r\n",
        ),
    ]
    records, _ = read(made.pcap(frames))
    assert (records["dhcp"][0].data["host_name"], records["dhcp"][0].data["requested_ip"]) == ("pc-7", "192.0.2.10")
    assert all(r.data["conflict"] and len(r.data["claimed_by"]) == 2 for r in records["arp"])
    ping = records["icmp"][0].data
    assert (ping["count"], ping["payloads_unusual"], ping["payload_largest"]) == (6, 6, 210) and ping[
        "payload_text"
    ].startswith("ssh-")
    assert records["snmp"][0].data["community"] == "public" and records["sip"][0].data["user_agent"] == "phone"
    assert next(r.data for r in records["host"] if r.data["address"] == made.CLIENT)["names"] == ["pc-7"]


def test_ssh_and_rdp_are_told_with_their_versions_and_names(read: Read) -> None:
    ssh = made.talk([(1, b"SSH-2.0-OpenSSH_9.6\r\n"), (0, b"SSH-2.0-paramiko_3\r\n")], 2222)
    cookie = b"Cookie: mstshash=anna\r\n\1\0\x08\0\3\0\0\0"
    rdp = made.talk(
        [(0, struct.pack(">BBHBBHHB", 3, 0, 11 + len(cookie), 6 + len(cookie), 0xE0, 0, 0, 0) + cookie)],
        3389,
        (made.CLIENT, 40009),
    )
    records, _ = read(made.pcap([*ssh, *rdp]))
    assert records["ssh"][0].data["server_version"] == "SSH-2.0-OpenSSH_9.6"
    assert records["rdp"][0].data["user"] == "anna" and records["rdp"][0].data["security_asked"] == 3
