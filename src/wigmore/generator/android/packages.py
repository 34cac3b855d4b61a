"""Android installed packages: packages.xml as text (Android 11 and earlier), and WifiConfigStore.xml.

Source: AOSP frameworks/base services/core/java/com/android/server/pm/Settings.java (times `ft`, `it`, `ut` are
hexadecimal milliseconds since 1970 UTC); frameworks/opt/net/wifi WifiConfigStore.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import quoteattr

from wigmore.generator.clocks import posix_ms


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package; `installer` is empty for a system or side-loaded one."""

    name: str
    version: int
    installed: datetime
    updated: datetime
    installer: str = ""
    system: bool = False


def packages_xml(packages: Iterable[Package]) -> bytes:
    """packages.xml."""
    lines = [
        "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>",
        "<packages>",
        '    <version sdkVersion="30" databaseVersion="3" fingerprint="generated" />',
    ]
    for number, package in enumerate(packages):
        place = f"/system/app/{package.name}" if package.system else f"/data/app/~~generated==/{package.name}-1=="
        times = " ".join(
            f'{key}="{posix_ms(moment):x}"'
            for key, moment in (("ft", package.updated), ("it", package.installed), ("ut", package.updated))
        )
        installer = f" installer={quoteattr(package.installer)}" if package.installer else ""
        lines.append(
            f"    <package name={quoteattr(package.name)} codePath={quoteattr(place)} {times} "
            f'version="{package.version}" userId="{10100 + number}"{installer}>'
        )
        lines += ["        <perms>", '            <item name="android.permission.INTERNET" granted="true" flags="0" />']
        lines += ["        </perms>", "    </package>"]
    return "\n".join([*lines, "</packages>", ""]).encode()


def wifi_xml(ssid: str, bssid: str) -> bytes:
    """WifiConfigStore.xml with one network."""
    text = f"""<?xml version='1.0' encoding='utf-8' standalone='yes' ?>
<WifiConfigStoreData>
<int name="Version" value="3" />
<NetworkList>
<Network>
<WifiConfiguration>
<string name="ConfigKey">&quot;{ssid}&quot;WPA_PSK</string>
<string name="SSID">&quot;{ssid}&quot;</string>
<string name="BSSID">{bssid}</string>
<string name="PreSharedKey">&quot;not-a-real-key&quot;</string>
<boolean name="HiddenSSID" value="false" />
</WifiConfiguration>
<NetworkStatus>
<string name="SelectionStatus">NETWORK_SELECTION_ENABLED</string>
<boolean name="HasEverConnected" value="true" />
</NetworkStatus>
</Network>
</NetworkList>
</WifiConfigStoreData>
"""
    return text.encode()
