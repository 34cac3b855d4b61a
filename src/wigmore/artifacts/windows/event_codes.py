"""Names of the codes inside Windows events: logon types, status values, message parameters, well-known SIDs.

Sources: Microsoft Learn, audit event pages 4624, 4625, 4688; MS-ERREF 2.3 (NTSTATUS); RFC 4120 7.5.9 (Kerberos errors);
MS-DTYP 2.4.2.4 (well-known SIDs).
"""

from __future__ import annotations

LOGON_TYPES = {
    0: "system",
    2: "interactive",
    3: "network",
    4: "batch",
    5: "service",
    7: "unlock",
    8: "network cleartext",
    9: "new credentials",
    10: "remote interactive",
    11: "cached interactive",
    12: "cached remote interactive",
    13: "cached unlock",
}

STATUS = {
    0x00000000: "success",
    0xC000005E: "no logon servers available",
    0xC0000064: "account does not exist",
    0xC000006A: "wrong password",
    0xC000006D: "wrong user name or authentication information",
    0xC000006E: "account restriction",
    0xC000006F: "outside permitted hours",
    0xC0000070: "workstation not permitted",
    0xC0000071: "password expired",
    0xC0000072: "account disabled",
    0xC00000DC: "wrong server state",
    0xC0000133: "clocks of client and server too far apart",
    0xC000015B: "logon type not granted",
    0xC000018C: "trust relationship failed",
    0xC0000192: "logon service not started",
    0xC0000193: "account expired",
    0xC0000224: "password must be changed",
    0xC0000234: "account locked out",
    0xC0000413: "authentication firewall refused",
}

KERBEROS_STATUS = {
    0x0: "success",
    0x6: "client not found in the database",
    0x7: "server not found in the database",
    0xC: "policy rejects the request",
    0xE: "encryption type not supported",
    0x12: "client's credentials revoked",
    0x17: "password expired",
    0x18: "pre-authentication information was invalid",
    0x19: "additional pre-authentication required",
    0x1B: "server principal valid for user-to-user only",
    0x1F: "integrity check failed",
    0x20: "ticket expired",
    0x25: "clock skew too great",
}

PARAMETERS = {
    "%%1842": "yes",
    "%%1843": "no",
    "%%1936": "default token",
    "%%1937": "elevated token",
    "%%1938": "limited token",
    "%%2304": "error during logon",
    "%%2305": "account expired",
    "%%2307": "account locked out",
    "%%2309": "password expired",
    "%%2310": "account disabled",
    "%%2313": "unknown user name or wrong password",
}

_WELL_KNOWN = {
    "S-1-5-18": "Local System",
    "S-1-5-19": "Local Service",
    "S-1-5-20": "Network Service",
    "S-1-5-7": "Anonymous",
    "S-1-1-0": "Everyone",
    "S-1-5-11": "Authenticated Users",
    "S-1-5-32-544": "Administrators (built-in group)",
    "S-1-5-32-545": "Users (built-in group)",
    "S-1-5-32-546": "Guests (built-in group)",
    "S-1-5-32-551": "Backup Operators (built-in group)",
    "S-1-5-32-555": "Remote Desktop Users (built-in group)",
    "S-1-5-32-580": "Remote Management Users (built-in group)",
}
_RIDS = {
    "500": "Administrator (built-in account, RID 500)",
    "501": "Guest (built-in account, RID 501)",
    "502": "krbtgt (RID 502)",
    "503": "DefaultAccount (RID 503)",
    "504": "WDAGUtilityAccount (RID 504)",
    "512": "Domain Admins (RID 512)",
    "513": "Domain Users or None (RID 513)",
    "518": "Schema Admins (RID 518)",
    "519": "Enterprise Admins (RID 519)",
}


def well_known(sid: str) -> str | None:
    """What a SID stands for on every Windows, or None (MS-DTYP 2.4.2.4); names given to such accounts may differ."""
    known = _WELL_KNOWN.get(sid)
    if known is None and sid.startswith("S-1-5-21-"):
        return _RIDS.get(sid.rpartition("-")[2])
    return known
