"""`wigmore audit --bundle`: one sealed file of a case, for who checks it without this program (format: wigmore.verify).

What goes in is fixed by the ledger's head: two bundles of the same state, audited alike, have equal bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from wigmore import __version__
from wigmore.api.audit import audit
from wigmore.api.cases import UseError, is_case
from wigmore.graph.joins import in_force, rejected
from wigmore.graph.state import GraphState
from wigmore.graph.views import conclusion
from wigmore.investigation.audit import Audit
from wigmore.investigation.case_file import CaseFile, read_case
from wigmore.ledger import Head, Ledger, LedgerDamaged, LedgerError, Outputs, durable_file
from wigmore.model.canonical import canonical

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAGIC = b"wigmore-bundle 1\n"
SIGNED = b"wigmore-bundle 1 signature\n"  # stands before the hash that is signed
BELIEF = ("title", "prior_prob", "log_odds", "confidence", "status")


def audit_and_bundle(
    case: Path, target: Path, key: Path | None = None, *, expect_head: str | None = None, jobs: int = 2
) -> tuple[Audit, dict[str, Any]]:
    """Audit a case and write its bundle, whatever the audit found; `{path, bytes, seal, head, public_key}` of the file.

    A ledger too damaged to be written out is one more `block` of the audit, and the second value is empty. Raises UseError
    where `target` exists or lies inside the case or a source, for a key that is none, and as `audit` does.
    """
    if not is_case(case):
        raise UseError(f"{case} is no case (no case.yaml in it)")
    file, signer = read_case(case), _signer(key) if key else None
    if target.exists():
        raise UseError(f"{target} exists: name a new file")
    for place in (case, *(s.path for s in file.sources)):
        if target.resolve().is_relative_to(place.resolve()):
            raise UseError(f"{target} lies inside {place}: a bundle goes beside the case and its evidence")
    result = audit(case, expect_head=expect_head, jobs=jobs)
    try:
        return result, write_bundle(file, result, target, signer)
    except LedgerError as error:
        result.add("block", "bundle_unwritten", error.damage.message, error.damage.where)
    return result, {}


def write_bundle(file: CaseFile, result: Audit, target: Path, signer: Ed25519PrivateKey | None) -> dict[str, Any]:
    """Write the bundle of a case; raises LedgerError where the ledger cannot be read, OSError."""
    with Ledger.open_readonly(file.folder) as ledger, durable_file(target) as temporary:
        head = ledger.head()
        state, cited = _graph(ledger, head)
        with temporary.open("w+b") as stream:
            out = _Sealed(stream)
            out.write(MAGIC)
            out.member("ledger", sum(map(len, _lines(ledger, head))), _lines(ledger, head))
            missing, outputs = [], Outputs(file.folder)
            for name in sorted(cited):
                try:
                    data = outputs.get(name)
                except LedgerError as error:  # the audit names it; whoever checks the bundle will find it lacking
                    missing.append({"sha256": name, "reason": error.message})
                    continue
                out.member(f"output/{name}", len(data), [data])
            manifest = canonical(
                {
                    "format": 1,
                    "wigmore": __version__,
                    "case": file.case,
                    "head": str(head),
                    "members": out.members,
                    "missing": missing,
                    **stated(state),
                    "audit": result.to_dict(),
                }
            )
            out.write(b"manifest %d\n%s\n" % (len(manifest), manifest))
            public = ""
            if signer is not None:
                public = signer.public_key().public_bytes_raw().hex()
                signature = signer.sign(SIGNED + out.digest.digest()).hex()
                out.write(f"signature ed25519 {public} {signature}\n".encode())
            seal = out.digest.hexdigest()
            out.write(f"seal sha256 {seal}\n".encode())
            size = stream.tell()
    return {"path": str(target), "bytes": size, "seal": seal, "head": str(head), "public_key": public}


class _Sealed:
    """A file under the running hash of all that was written to it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.digest = hashlib.sha256()
        self.members: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        self.stream.write(data)
        self.digest.update(data)

    def member(self, name: str, size: int, pieces: Iterable[bytes]) -> None:
        own = hashlib.sha256()
        self.write(f"member {name} {size}\n".encode())
        for piece in pieces:
            self.write(piece)
            own.update(piece)
        self.write(b"\n")
        self.members.append({"name": name, "size": size, "sha256": own.hexdigest()})


def _lines(ledger: Ledger, head: Head) -> Iterator[bytes]:
    """The events as lines; LedgerDamaged for one that was changed so that it is no line."""
    for seq, kind, at, body, chained in ledger.stored(head.seq):
        if b" " in kind + at or b"\n" in kind + at + body or len(chained) != 32:
            message = "its stored bytes were changed so that a bundle cannot hold it"
            raise LedgerDamaged(ledger.file, f"event {seq}", message, "Run `wigmore audit` for the extent")
        yield b"%d %s %s %s %s\n" % (seq, chained.hex().encode(), kind, at, body)


def _graph(ledger: Ledger, head: Head) -> tuple[GraphState, set[str]]:
    """The graph up to the head under the weights of the last run, and the outputs that facts and answers cite."""
    config: dict[str, Any] = {}
    outputs: dict[str, str] = {}
    try:
        for event in ledger.events("run.started", "invocation", upto=head.seq):
            if event.kind == "invocation":
                outputs[event.body["id"]] = event.body["output_sha256"]
            else:
                config = event.body.get("config") or {}
        state = GraphState(config.get("hypothesis_log_lr"), config.get("damping", "per_type"))
        state.fold(ledger.events(upto=head.seq))
    except LedgerError:
        raise
    except Exception as error:  # a damaged event may fold into anything; that is the finding
        message = f"its events make no graph: {type(error).__name__}: {error}"[:300]
        raise LedgerDamaged(ledger.file, "", message, "Run `wigmore audit` for the extent") from error
    cited = {fact.citation.output_sha256 for p in state.phenomena.values() for fact in p.verified_facts}
    asked = {str(q["invocation_id"]) for q in state.questions.values() if q.get("invocation_id")}
    return state, cited | {outputs[name] for name in asked if name in outputs}


def stated(state: GraphState) -> dict[str, Any]:
    """What a bundle says of the graph: weights, damping, conclusions about acts, beliefs on identities, links in force."""
    conclusions: list[dict[str, Any]] = []
    identities: list[dict[str, Any]] = []
    for name, hypothesis in sorted(state.hypotheses.items()):
        view = state.hypothesis_view(name)
        row = {"hypothesis_id": name, **{key: view[key] for key in BELIEF}}
        if hypothesis.of_identity:
            identities.append(row)
        else:
            conclusions.append({**row, "verdict": conclusion(state, hypothesis).verdict})
    turned_down = rejected(state)
    links = (x for x in state.links.values() if x.relation == "same_as" and in_force(state, x, turned_down))
    return {
        "weights": state.table,
        "damping": state.damping,
        "conclusions": conclusions,
        "identities": identities,
        "links_in_force": sorted(link.id for link in links),
    }


def _signer(file: Path) -> Ed25519PrivateKey:
    """The Ed25519 key of a PEM file (PKCS #8, without a password); raises UseError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UseError(f"{file}: no private key in PEM without a password ({error})") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UseError(f"{file}: no Ed25519 key; `openssl genpkey -algorithm ed25519 -out {file}` makes one")
    return key
