"""DCE/RPC: which interfaces were bound and which of their functions were called, over TCP or a pipe.

Sources: The Open Group C706 chapter 12 (packets); the MS-… documents of each interface for numbers and names.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from wigmore.formats.capture import ntlm
from wigmore.formats.capture.flows import Stream
from wigmore.formats.capture.found import Found
from wigmore.formats.capture.talk import Talk

INTERFACES: dict[str, tuple[str, dict[int, str]]] = {
    "e1af8308-5d1f-11c9-91a4-08002b14a0fa": ("epmapper", {2: "ept_lookup", 3: "ept_map"}),
    "367abb81-9844-35f1-ad32-98f038001003": ("svcctl", {0: "RCloseServiceHandle", 1: "RControlService", 2: "RDeleteService",
        6: "RQueryServiceStatus", 11: "RChangeServiceConfigW", 12: "RCreateServiceW", 14: "REnumServicesStatusW",
        15: "ROpenSCManagerW", 16: "ROpenServiceW",
        19: "RStartServiceW", 24: "RCreateServiceA", 27: "ROpenSCManagerA", 28: "ROpenServiceA", 31: "RStartServiceA",
        44: "RCreateServiceWOW64A", 45: "RCreateServiceWOW64W"}),
    "1ff70682-0a51-30e8-076d-740be8cee98b": ("atsvc", {0: "NetrJobAdd", 1: "NetrJobDel", 2: "NetrJobEnum"}),
    "86d35949-83c9-4044-b424-db363231fd0c": ("ITaskSchedulerService", {1: "SchRpcRegisterTask", 2: "SchRpcRetrieveTask",
    7: "SchRpcEnumTasks", 12: "SchRpcRun", 13: "SchRpcDelete"}),
    "378e52b0-c0a9-11cf-822d-00aa0051e40f": ("sasec", {}),
    "12345778-1234-abcd-ef00-0123456789ac": ("samr", {0: "SamrConnect", 5: "SamrLookupDomainInSamServer",
    6: "SamrEnumerateDomainsInSamServer", 7: "SamrOpenDomain", 11: "SamrEnumerateGroupsInDomain",
        13: "SamrEnumerateUsersInDomain", 15: "SamrEnumerateAliasesInDomain", 16: "SamrGetAliasMembership",
        17: "SamrLookupNamesInDomain", 19: "SamrOpenGroup", 25: "SamrGetMembersInGroup",
        33: "SamrGetMembersInAlias", 34: "SamrOpenUser", 36: "SamrQueryInformationUser", 39: "SamrGetGroupsForUser",
        40: "SamrQueryDisplayInformation", 37: "SamrSetInformationUser", 50: "SamrCreateUser2InDomain",
        55: "SamrUnicodeChangePasswordUser2",
        57: "SamrConnect2", 58: "SamrSetInformationUser2", 64: "SamrConnect5"}),
    "12345778-1234-abcd-ef00-0123456789ab": ("lsarpc", {6: "LsarOpenPolicy", 7: "LsarQueryInformationPolicy",
    14: "LsarLookupNames", 15: "LsarLookupSids", 44: "LsarOpenPolicy2",
        57: "LsarLookupSids2", 58: "LsarLookupNames2", 76: "LsarLookupSids3", 77: "LsarLookupNames4",
        42: "LsarRetrievePrivateData"}),
    "12345678-1234-abcd-ef00-01234567cffb": ("netlogon", {4: "NetrServerReqChallenge", 2: "NetrLogonSamLogon",
    15: "NetrServerAuthenticate2", 21: "NetrLogonGetCapabilities", 26: "NetrServerAuthenticate3",
        29: "NetrLogonGetDomainInfo", 30: "NetrServerPasswordSet2", 34: "DsrGetDcNameEx2", 39: "NetrLogonSamLogonEx",
        40: "DsrEnumerateDomainTrusts", 45: "NetrLogonSamLogonWithFlags"}),
    "e3514235-4b06-11d1-ab04-00c04fc2dcd2": ("drsuapi", {0: "DRSBind", 1: "DRSUnbind", 3: "DRSGetNCChanges",
    5: "DRSReplicaAdd", 12: "DRSCrackNames", 16: "DRSDomainControllerInfo", 17: "DRSAddEntry", 28: "DRSWriteSPN"}),
    "4b324fc8-1670-01d3-1278-5a47bf6ee188": ("srvsvc", {8: "NetrConnectionEnum", 9: "NetrFileEnum", 12: "NetrSessionEnum",
    15: "NetrShareEnum", 16: "NetrShareGetInfo", 21: "NetrServerGetInfo", 28: "NetrRemoteTOD", 31: "NetprPathCanonicalize",
    32: "NetprPathCompare"}),
    "6bffd098-a112-3610-9833-46c3f87e345a": ("wkssvc", {0: "NetrWkstaGetInfo", 2: "NetrWkstaUserEnum"}),
    "338cd001-2244-31f1-aaaa-900038001003": ("winreg", {2: "OpenLocalMachine", 4: "OpenUsers", 6: "BaseRegCreateKey",
    8: "BaseRegDeleteValue", 15: "BaseRegOpenKey", 17: "BaseRegQueryValue", 20: "BaseRegSaveKey", 22: "BaseRegSetValue",
    31: "BaseRegSaveKeyEx"}),
    "12345678-1234-abcd-ef00-0123456789ab": ("spoolss", {0: "RpcEnumPrinters", 1: "RpcOpenPrinter",
    9: "RpcAddPrinterDriver", 65: "RpcRemoteFindFirstPrinterChangeNotificationEx", 69: "RpcOpenPrinterEx",
    89: "RpcAddPrinterDriverEx"}),
    "76f03f96-cdfd-44fc-a22c-64950a001209": ("IRemoteWinspool", {39: "RpcAsyncAddPrinterDriver"}),
    "c681d488-d850-11d0-8c52-00c04fd90f7e": ("efsrpc", {0: "EfsRpcOpenFileRaw", 4: "EfsRpcEncryptFileSrv",
    5: "EfsRpcDecryptFileSrv", 6: "EfsRpcQueryUsersOnFile", 7: "EfsRpcQueryRecoveryAgents", 9: "EfsRpcAddUsersToFile"}),
    "df1941c5-fe89-4e79-bf10-463657acf44d": ("efsrpc", {0: "EfsRpcOpenFileRaw", 4: "EfsRpcEncryptFileSrv",
    5: "EfsRpcDecryptFileSrv"}),
    "4fc742e0-4a10-11cf-8273-00aa004ae673": ("netdfs", {12: "NetrDfsAddStdRoot", 13: "NetrDfsRemoveStdRoot",
    21: "NetrDfsEnumEx"}),
    "a8e0653c-2744-4389-a61d-7373df8b2292": ("FileServerVssAgent", {8: "IsPathSupported", 9: "IsPathShadowCopied"}),
    "82273fdc-e32a-18c3-3f78-827929dc23ea": ("eventlog", {0: "ElfrClearELFW", 7: "ElfrOpenELW", 10: "ElfrReadELW"}),
    "f6beaff7-1e19-4fbb-9f8f-b89e2018337c": ("even6", {5: "EvtRpcRegisterLogQuery", 6: "EvtRpcClearLog"}),
    "000001a0-0000-0000-c000-000000000046": ("IRemoteSCMActivator", {3: "RemoteGetClassObject", 4: "RemoteCreateInstance"}),
    "99fcfec4-5260-101b-bbcb-00aa0021347a": ("IObjectExporter", {0: "ResolveOxid", 3: "ServerAlive", 5: "ServerAlive2"}),
    "00000131-0000-0000-c000-000000000046": ("IRemUnknown", {}), "00000143-0000-0000-c000-000000000046": ("IRemUnknown2", {}),
    "9556dc99-828c-11cf-a37e-00aa003240c7": ("IWbemServices", {6: "GetObject", 20: "ExecQuery", 24: "ExecMethod"}),
    "f309ad18-d86a-11d0-a075-00c04fb68820": ("IWbemLevel1Login", {3: "EstablishPosition", 6: "NTLMLogin"}),
    "d4781cd6-e5d3-44df-ad94-930efe48a887": ("IWbemLoginClientID", {}),
    "027947e1-d731-11ce-a357-000000000001": ("IEnumWbemClassObject", {}),
    "00000000-0000-0000-c000-000000000046": ("IUnknown", {}), "00020400-0000-0000-c000-000000000046": ("IDispatch",
    {6: "Invoke"}),
    "91ae6020-9e3c-11cf-8d7c-00aa00c091be": ("ICertPassage", {0: "CertServerRequest"}),
    "5a7b91f8-ff00-11d0-a9b2-00c04fb6e6fc": ("msgsvcsend", {0: "NetrSendMessage"}),
    "3919286a-b10c-11d0-9ba8-00c04fd92ef5": ("dssetup", {0: "DsRolerGetPrimaryDomainInformation"}),
    "f5cc5a18-4264-101a-8c59-08002b2f8426": ("nspi", {}), "3dde7c30-165d-11d1-ab8f-00805f14db40": ("bkrp", {0: "BackuprKey"}),
    "897e2e5f-93f3-4376-9c9c-fd2277495c27": ("FrsTransport", {}), "50abc2a4-574d-40b3-9d66-ee4fd5fba076": ("dnsserver",
    {0: "R_DnssrvOperation", 5: "R_DnssrvOperation2"}),
}  # fmt: skip
TRANSFER = "8a885d04-1ceb-11c9-9fe8-08002b104860"
MOST_KINDS = 2000


class Calls:
    """Interfaces and calls of one connection, counted by function."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.bound: dict[tuple[bytes, int], str] = {}
        self.calls: dict[tuple[str, int, str], dict[str, Any]] = {}

    def take(
        self, side: int, stream: Stream, at: int, raw: bytes, pipe: bytes = b"", name: str = ""
    ) -> Iterator[Found]:
        """The packets in some bytes that one side sent (or wrote to a pipe)."""
        for _ in range(256):
            if len(raw) < 16 or raw[0] != 5 or raw[1] > 1:
                return
            order = "little" if raw[4] & 0x10 else "big"
            length = int.from_bytes(raw[8:10], order)  # type: ignore[arg-type]
            if length < 16:
                return
            yield from self._packet(side, stream, at, raw[:length], order, pipe, name)
            raw, at = raw[length:], at + length

    def _packet(
        self, side: int, stream: Stream, at: int, raw: bytes, order: Any, pipe: bytes, name: str
    ) -> Iterator[Found]:
        kind = raw[2]
        if kind in (11, 14) and len(raw) > 28:
            place = 28
            for _ in range(min(raw[24], 64)):
                entry = raw[place : place + 44]
                if len(entry) < 24:
                    break
                found = uuid.UUID(bytes_le=entry[4:20]) if order == "little" else uuid.UUID(bytes=entry[4:20])
                bound = str(found)
                context = int.from_bytes(entry[:2], order)
                self.bound.setdefault((pipe, context), bound)
                shown = INTERFACES.get(bound, (bound, {}))[0]
                yield self.talk.found(
                    "rpc", stream, at + place,
                    {"protocol": "DCE/RPC", "operation": "bind", "interface": shown, "interface_uuid": bound, "pipe": name,
                     "authentication": ntlm.read(raw).get("ntlm_message")},
                )  # fmt: skip
                place += 24 + entry[2] * 20
            return
        if kind == 16:
            told = ntlm.read(raw)
            if told.get("user"):
                yield self.talk.found(
                    "credential", stream, at, {"protocol": "DCE/RPC", "scheme": "NTLM", **told, "clear_text": False}
                )
            return
        if kind != 0 or len(raw) < 24 or side:
            return
        if not raw[3] & 1:
            return  # a further fragment
        context, number = int.from_bytes(raw[20:22], order), int.from_bytes(raw[22:24], order)
        value = self.bound.get((pipe, context), "")
        interface, names = INTERFACES.get(value, (value or "not bound in the capture", {}))
        key = (value, number, name)
        known = self.calls.get(key)
        if known is None:
            if len(self.calls) >= MOST_KINDS:
                return
            known = self.calls[key] = {"place": (stream, at), "count": 0, "interface": interface,
                                       "function": names.get(number, f"opnum {number}"), "pipe": name}  # fmt: skip
        known["count"] += 1
        body = raw[24:]
        words = (
            _strings(body)
            if interface
            in (
                "svcctl",
                "atsvc",
                "ITaskSchedulerService",
                "winreg",
                "spoolss",
                "efsrpc",
                "samr",
                "drsuapi",
                "netlogon",
            )
            else []
        )
        kept = known.setdefault("texts", [])
        kept += [t for t in words if t not in kept][: max(0, 40 - len(kept))]
        # the request ends in the client's credential (8 bytes) and flags (4): zeros are what CVE-2020-1472 sends
        if interface == "netlogon" and number in (15, 26) and len(body) > 12 and body[-12:-4] == bytes(8):
            known["zero_credential"] = True

    def end(self) -> Iterator[Found]:
        """Each function that was called, with how often."""
        for (value, number, _), known in self.calls.items():
            stream, at = known.pop("place")
            yield self.talk.found(
                "rpc",
                stream,
                at,
                {"protocol": "DCE/RPC", "operation": "call", "interface_uuid": value, "opnum": number, **known},
            )


def _strings(raw: bytes) -> list[str]:
    """Wide texts of four characters or more in a call's parameters (not those that are encrypted)."""
    import re

    return [m.group(0).decode("utf-16-le")[:1000] for m in re.finditer(rb"(?:[\x20-\x7e]\0){4,}", raw[:65536])][:40]


def calls(talk: Talk) -> Iterator[Found]:
    """Binds and calls of a connection over TCP."""
    import heapq

    known = Calls(talk)

    def of(stream: Stream, side: int) -> Iterator[tuple[int, int, int, bytes]]:
        at = 0
        for _ in range(50_000):
            head = stream.read(at, 16)
            if len(head) < 16 or head[0] != 5 or head[1] > 1:
                return
            length = int.from_bytes(head[8:10], "little" if head[4] & 0x10 else "big")
            if length < 16:
                return
            yield stream.place(at)[0], side, at, stream.read(at, length)
            at += length

    for _, side, at, raw in heapq.merge(of(talk.client, 0), of(talk.server, 1), key=lambda m: m[:3]):
        yield from known.take(side, talk.server if side else talk.client, at, raw)
    yield from known.end()
