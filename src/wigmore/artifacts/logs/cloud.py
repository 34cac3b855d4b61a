"""Access logs of Amazon's services: load balancers (application, network, classic) and S3 server access."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wigmore.artifacts.logs.access import numbered, request_fields, unquoted
from wigmore.artifacts.logs.clock import apache, written
from wigmore.artifacts.logs.framework import dated, entries, present, share, text_format
from wigmore.model.protocols import EvidenceFile, Record, Yield

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\S+')
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?"
BALANCER = re.compile(
    rf"(?:(?P<type>https?|h2|grpcs|wss?) )?(?P<stamp>{_ISO}) (?P<elb>\S+) (?P<client>\S+:\d+) (?P<target>\S+) "
    rf"-?[\d.]+ -?[\d.]+ "
)
NETWORK = re.compile(rf"tls \d\.\d (?P<stamp>{_ISO}) (?P<elb>\S+) (?P<listener>\S+) (?P<client>\S+:\d+) ")
BOTH = re.compile(f"{BALANCER.pattern.replace('(?P<', '(?P<b_')}|{NETWORK.pattern.replace('(?P<', '(?P<n_')}")
S3 = re.compile(
    r"[0-9a-f]{64} (?P<bucket>\S+) \[(?P<stamp>[^\]]+)\] (?P<client>\S+) (?P<requester>\S+) (?P<request_id>\S+) "
    r"(?P<operation>[A-Z]+\.[\w.]+) "
)

_APPLICATION = [
    "type",
    "time",
    "elb",
    "client",
    "target",
    "request_processing_time",
    "target_processing_time",
    "response_processing_time",
    "elb_status_code",
    "target_status_code",
    "received_bytes",
    "sent_bytes",
    "request",
    "user_agent",
    "ssl_cipher",
    "ssl_protocol",
    "target_group_arn",
    "trace_id",
    "domain_name",
    "chosen_cert_arn",
    "matched_rule_priority",
    "request_creation_time",
    "actions_executed",
    "redirect_url",
    "error_reason",
    "target_port_list",
    "target_status_code_list",
    "classification",
    "classification_reason",
    "conn_trace_id",
]
_CLASSIC = [
    "time",
    "elb",
    "client",
    "backend",
    "request_processing_time",
    "backend_processing_time",
    "response_processing_time",
    "elb_status_code",
    "backend_status_code",
    "received_bytes",
    "sent_bytes",
    "request",
    "user_agent",
    "ssl_cipher",
    "ssl_protocol",
]
_TLS = [
    "type",
    "version",
    "time",
    "elb",
    "listener",
    "client",
    "destination",
    "connection_time",
    "tls_handshake_time",
    "received_bytes",
    "sent_bytes",
    "incoming_tls_alert",
    "chosen_cert_arn",
    "chosen_cert_serial",
    "tls_cipher",
    "tls_protocol_version",
    "tls_named_group",
    "domain_name",
    "alpn_fe_protocol",
    "alpn_be_protocol",
    "alpn_client_preference_list",
    "tls_connection_creation_time",
]
_OBJECTS = [
    "bucket_owner",
    "bucket",
    "time",
    "client",
    "requester",
    "request_id",
    "operation",
    "key",
    "request",
    "status",
    "error_code",
    "bytes",
    "object_size",
    "total_time",
    "turn_around_time",
    "referrer",
    "user_agent",
    "version_id",
    "host_id",
    "signature_version",
    "cipher_suite",
    "authentication_type",
    "host_header",
    "tls_version",
    "access_point_arn",
    "acl_required",
]
_MEANS = "the service logged a request from this peer address at its own (UTC) clock, answered with this status"
_NOT = "who the person was; that every request was logged (delivery is best effort); that agent and referrer are true"


def _fields(text: str, names: list[str]) -> dict[str, object]:
    values = [unquoted(token) for token in _TOKEN.findall(text)]
    data: dict[str, object] = dict(zip(names, values, strict=False))
    if len(values) > len(names):
        data["more"] = " ".join(value or "" for value in values[len(names) :])
    request = str(data.get("request") or "")
    data |= {name: value for name, value in request_fields(request).items() if name not in data}
    return present(data)


def _ported(data: dict[str, object], *names: str) -> None:
    for name in names:
        address, mark, port = str(data.get(name, "")).rpartition(":")
        if mark and port.isdigit():
            data[name], data[f"{name}_port"] = address, int(port)


def _balancer(match: re.Match[str], text: str) -> Record:
    names = _TLS if text.startswith("tls ") else _APPLICATION if match["b_type"] else _CLASSIC
    data = _fields(text, names)
    stamp = str(data.pop("time"))
    created = data.pop("request_creation_time", None) or data.pop("tls_connection_creation_time", None)
    _ported(data, "client", "target", "backend", "destination")
    if "elb_status_code" in data:
        data["status"] = data["elb_status_code"]
    numbered(
        data, "status", "elb_status_code", "target_status_code", "backend_status_code", "received_bytes", "sent_bytes"
    )
    source = "load balancer logs are UTC"
    return dated(
        data,
        answered_at=written(stamp, zone="Z", source=source),
        received_at=written(str(created), zone="Z", source=source) if created else None,
    )


@text_format(
    "cloud.aws_elb",
    share(BOTH),
    reads="access logs of Amazon application, network (TLS) and classic load balancers",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=(
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html",
    ),
)
def load_balancer(file: EvidenceFile) -> Iterator[Yield]:
    """One record a request or TLS connection, under Amazon's field names."""
    yield from entries(file, BOTH, _balancer)


def _object(match: re.Match[str], text: str) -> Record:
    data = _fields(text, _OBJECTS)
    stamp = str(data.pop("time", "")).strip("[]")
    return dated(numbered(data, "status", "bytes", "object_size"), requested_at=apache(stamp))


@text_format(
    "cloud.aws_s3",
    share(S3),
    reads="Amazon S3 server access logs",
    means=_MEANS,
    does_not_mean=_NOT,
    refs=("https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html",),
)
def object_store(file: EvidenceFile) -> Iterator[Yield]:
    """One record a request, under Amazon's field names."""
    yield from entries(file, S3, _object)
