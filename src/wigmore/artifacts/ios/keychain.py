"""Keychain entries of iOS and macOS by their attributes: class, service, account, access group, times; never secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wigmore.artifacts.generic.plist import load_plist
from wigmore.artifacts.generic.plist_reader import PlistDate, is_plist
from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, apple, read_queries
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.protocols import EvidenceFile, ParseError, Record, Yield
from wigmore.model.times import Time
from wigmore.registry import Claim, parser

SECURITY = "https://developer.apple.com/documentation/security/keychain_services/keychain_items"
SOURCE = "https://github.com/apple-oss-distributions/Security/blob/main/keychain/securityd/SecItemSchema.c"
KEYCHAIN = Layout(
    paths=("keychain-2*.db",),
    tables=(("genp", ("cdat", "mdat", "agrp", "pdmn")), ("inet", ("cdat", "mdat", "agrp", "srvr"))),
)
CLASSES = {"genp": "generic password", "inet": "internet password", "cert": "certificate", "keys": "key"}
PROTECTION = {
    "ak": "when unlocked", "ck": "after first unlock", "dk": "at any time", "aku": "when unlocked, this device only",
    "cku": "after first unlock, this device only", "dku": "at any time, this device only",
    "akpu": "when a passcode is set, this device only",
}  # fmt: skip
NAMES = {
    "acct": "account", "svce": "service", "agrp": "access_group", "labl": "label", "desc": "description", "srvr": "server",
    "ptcl": "protocol", "port": "port", "path": "path", "sdmn": "security_domain", "atyp": "authentication_type",
    "pdmn": "protection", "sync": "synchronised", "tomb": "tombstone", "cdat": "created", "mdat": "modified", "subj": "subject",
    "issr": "issuer", "slnr": "serial_number", "crtr": "creator", "type": "type", "icmt": "comment", "musr": "user",
    "vwht": "view_hint", "UUID": "uuid", "uuid": "uuid", "bsiz": "key_bits", "kcls": "key_class", "tkid": "token",
}  # fmt: skip


def _entry(kind: str, table: str) -> Query:
    def derive(data: Data, database: Database) -> None:
        for stored, name in NAMES.items():
            if stored in data:
                value = data.pop(stored)
                if isinstance(value, bytes):
                    text = _text(value)
                    if text is None and len(value) == 20:
                        data[f"{name}_sha1"] = value.hex()  # attributes are stored as digests, their values encrypted
                        continue
                    value = text if text is not None else value.hex()
                data[name] = value
        if data.get("protection") in PROTECTION:
            data["protection_name"] = PROTECTION[data["protection"]]
        data["class"] = kind

    columns = " ".join(f"k.{c}" for c in dict.fromkeys(NAMES) if c not in ("icmt",))
    return Query(
        "ios.keychain_entry", (f"{table} k",), columns, "k.rowid", {"cdat": apple, "mdat": apple}, ("mdat", "cdat"),
        derive=derive,
    )  # fmt: skip


def _text(value: bytes) -> str | None:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


ENTRIES = tuple(_entry(kind, table) for table, kind in CLASSES.items())


@parser(
    "ios.keychain", claims=KEYCHAIN,
    reads="keychain-2.db of iOS and macOS: attributes of generic and internet passwords, certificates and keys",
    means="an entry of this class and access group was stored, made and last changed then",
    does_not_mean="what the secret is; account and service are digests where the database holds them encrypted",
    refs=(SECURITY, SOURCE), artifacts=("ios.keychain_entry",),
)  # fmt: skip
def keychain(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry, without its secret."""
    yield from read_queries(file, KEYCHAIN, ENTRIES)


LISTS = ("keychain-backup.plist", "backup_keychain_v2.plist", "keychain_decrypted.plist", "keychain.plist")


@parser(
    "ios.keychain_list",
    claims=Claim(paths=LISTS, look=lambda head, path, size: is_plist(head)),
    reads="keychain lists of backups and extraction tools: the same attributes as a property list",
    means="an entry of this class, service and account was stored, made and last changed then",
    does_not_mean="what the secret is; values are left out here",
    refs=(SECURITY,),
    artifacts=("ios.keychain_entry",),
)
def keychain_list(file: EvidenceFile) -> Iterator[Yield]:
    """One record an entry of the four classes, without its secret."""
    root = load_plist(file)
    if not isinstance(root, dict) or not set(root) & set(CLASSES):
        raise ParseError(file.path, None, "no keychain classes genp, inet, cert, keys", "schema_unknown")
    for table, kind in CLASSES.items():
        rows = root.get(table)
        for index, row in enumerate(rows if isinstance(rows, list) else ()):
            if not isinstance(row, dict):
                continue
            data: dict[str, Any] = {"class": kind}
            times: dict[str, Time] = {}
            for stored, name in NAMES.items():
                value = row.get(stored)
                if isinstance(value, PlistDate):
                    if (time := value.time()) is not None:
                        times[name] = time
                    continue
                if isinstance(value, bytes):
                    value = _text(value) or value.hex()[:128]
                if isinstance(value, (str, int, float)) and value != "":
                    data[name] = value
            if data.get("protection") in PROTECTION:
                data["protection_name"] = PROTECTION[data["protection"]]
            dated = next((n for n in ("modified", "created") if n in times), None)
            yield {"kind": "key", "key": f"{table}[{index}]"}, Record(data, times, dated, artifact="ios.keychain_entry")
