"""Remote access as a user's programs remember it: Remote Desktop, PuTTY, WinSCP, and remembered servers of other tools.

Source: Microsoft, "Remove entries from the Remote Desktop Connection Computer box"; PuTTY and WinSCP documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from wigmore.artifacts.windows.registry.families.identity import kept
from wigmore.artifacts.windows.registry.hive import Hive, Key
from wigmore.artifacts.windows.registry.semantics import USER, Finding, finding, reads_keys

CLIENT = "Software\\Microsoft\\Terminal Server Client"


@reads_keys("windows.registry.remote_desktop", USER, f"{CLIENT}\\Servers\\*", f"{CLIENT}\\Default")
def remote_desktop(hive: Hive, key: Key) -> Iterator[Finding]:
    """Servers to which Remote Desktop was pointed, with user name hint; the list of the latest addresses."""
    if key.name.upper() == "DEFAULT":
        for value in key.values.values():
            if value.name.upper().startswith("MRU") and value.name[3:].isdigit():
                position = int(value.name[3:])
                data: dict[str, object] = {
                    "server": key.text(value.name),
                    "position": position,
                    "list": "latest addresses",
                }
                yield finding(key, data, None, "key_last_written" if position == 0 else None, value.name)
        return
    hash_ = key.raw("CertHash")
    yield finding(
        key, kept(server=key.name, user_name_hint=key.text("UsernameHint"), certificate_sha1=hash_.hex() or None)
    )


@reads_keys("windows.registry.ssh_host", USER, "Software\\SimonTatham\\PuTTY\\SshHostKeys")
def host_keys(hive: Hive, key: Key) -> Iterator[Finding]:
    """SSH servers whose key the user accepted in PuTTY: algorithm, port, host."""
    for value in key.values.values():
        algorithm, _, rest = value.name.partition("@")
        port, _, host = rest.partition(":")
        yield finding(
            key, {"program": "PuTTY", "host": host, "port": port, "algorithm": algorithm}, None, None, value.name
        )


@reads_keys(
    "windows.registry.remote_session",
    USER,
    "Software\\SimonTatham\\PuTTY\\Sessions\\*",
    "Software\\Martin Prikryl\\WinSCP 2\\Sessions\\*",
)
def sessions(hive: Hive, key: Key) -> Iterator[Finding]:
    """Saved sessions; passwords are not shown, only whether one is stored."""
    program = "PuTTY" if "PUTTY" in key.path.upper() else "WinSCP"
    data = kept(
        program=program, session=unquote(key.name), host=key.text("HostName"), port=key.number("PortNumber"),
        user_name=key.text("UserName"), protocol=key.text("Protocol") or key.number("FSProtocol"),
        key_file=key.text("PublicKeyFile"), remote_directory=key.text("RemoteDirectory"),
        local_directory=key.text("LocalDirectory"),
        proxy=key.text("ProxyHost"), log_file=key.text("LogFileName"), password_stored="PASSWORD" in key.values or None,
        port_forwardings=key.text("PortForwardings"),
    )  # fmt: skip
    yield finding(key, data)


@reads_keys("windows.registry.proxy", USER, "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings")
def proxy(hive: Hive, key: Key) -> Iterator[Finding]:
    """Proxy of the user's Internet settings."""
    data = kept(
        proxy_enabled=key.number("ProxyEnable"), proxy_server=key.text("ProxyServer"),
        exceptions=key.text("ProxyOverride"),
        configuration_url=key.text("AutoConfigURL"), user_agent=key.text("User Agent"),
    )  # fmt: skip
    if data:
        yield finding(key, data)
