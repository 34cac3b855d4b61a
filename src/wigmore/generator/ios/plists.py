"""iOS property lists: system version, lockdown data, and known Wi-Fi networks.

Source: Apple property-list format (plistlib); keys as iOS writes them, after published examinations.
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Network:
    """A known Wi-Fi network with its last joins (UTC)."""

    ssid: str
    bssid: str
    added: datetime
    last_joined: datetime


def system_version(version: str = "15.7.1", build: str = "19H117") -> bytes:
    """SystemVersion.plist."""
    content = {
        "BuildID": "00000000-0000-11ED-8000-000000000000",
        "ProductBuildVersion": build,
        "ProductName": "iPhone OS",
        "ProductVersion": version,
    }
    return plistlib.dumps(content, fmt=plistlib.FMT_XML, sort_keys=True)


def data_ark(device_name: str, phone: str, zone: str, udid: str, serial: str) -> bytes:
    """data_ark.plist of lockdownd."""
    content = {
        "-DeviceName": device_name,
        "-TimeZone": zone,
        "-BasebandStatus": "BBInfoAvailable",
        "-PhoneNumber": phone,
        "-SerialNumber": serial,
        "-UniqueDeviceID": udid,
        "com.apple.mobile.data_sync-Calendars": {},
        "com.apple.Accessibility-VoiceOverTouchEnabledByiTunes": False,
        "com.apple.international-Language": "en",
        "com.apple.international-Locale": "en_US",
    }
    return plistlib.dumps(content, fmt=plistlib.FMT_BINARY, sort_keys=True)


def line(phone: str, imei: str) -> bytes:
    """com.apple.commcenter.device_specific_nobackup.plist: the number last reported and the device's IMEI."""
    content = {"ReportedPhoneNumber": phone, "imeis": [imei], "PhoneNumberRegistrationVersion": 1}
    return plistlib.dumps(content, fmt=plistlib.FMT_BINARY, sort_keys=True)


def known_networks(networks: list[Network]) -> bytes:
    """com.apple.wifi.known-networks.plist (iOS 14 and later); its dates are UTC."""
    content = {}
    for network in networks:
        content[f"wifi.network.ssid.{network.ssid}"] = {
            "SSID": network.ssid.encode(),
            "AddedAt": network.added.replace(tzinfo=None, microsecond=0),
            "AddReason": "WiFi Settings",
            "JoinedByUserAt": network.last_joined.replace(tzinfo=None, microsecond=0),
            "SupportedSecurityTypes": "WPA2 Personal",
            "BSSList": [
                {"BSSID": network.bssid, "LastAssociatedAt": network.last_joined.replace(tzinfo=None, microsecond=0)}
            ],
        }
    return plistlib.dumps(content, fmt=plistlib.FMT_BINARY, sort_keys=True)
