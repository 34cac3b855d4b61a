"""Locked items of a shared evidence folder, each with its stated secret: `python bench/encrypted.py EVIDENCE WORK [ONLY]`.

The secrets are those that MANIFEST.csv and FACTS.csv state. Every item is run four times, as a case of its own: with the
secret, with a wrong one, cut in the middle of its header, and without a secret under a password recovery whose budget is
spent at once. Prints what became of each: opened or not, entries inside, and the words that the case has for it. Exit code 1
where a stated secret does not open its item, a wrong one does, or one of the other three has no words for why.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wigmore.evidence.images import image_kind, open_media
from wigmore.evidence.local import LocalFile

SOURCE = Path(__file__).resolve().parent.parent / "src"
SAID = (
    r"password(?: is)? ['\"]?([^\s'\",;)]+)['\"]?(?:$|[\s,;)])",
    r"passphrase ['\"]?([^\s'\",;)]+)",
    r"(\d{6}(?:-\d{6}){7})",
)
NO_SECRETS = ("given", "by", "in", "and", "opens", "protected", "is")  # words behind `password` that are none
HEADERS = {b"LUKS\xba\xbe\0\1": 592, b"LUKS\xba\xbe\0\2": 4096, b"\xeb\x58\x90-FVE-FS-": 512}
TRUECRYPT = 512
CASE = "case: bench\nauthority: {{order: bench, password_recovery: true}}\nsources:\n  - {{id: src, path: {path}}}\n"


@dataclass
class Outcome:
    """What a case says of an item: how many entries inside, and its words for what is locked, unread or broken."""

    opened: bool
    inside: int
    words: list[str]
    locked: str = ""  # the path of what is locked


def stated(evidence: Path) -> dict[str, list[str]]:
    """The secrets that the lists of the shared folder state, by path."""
    out: dict[str, list[str]] = {}
    with (evidence / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["relative_path"], row["ground_truth"]) for row in csv.DictReader(file)]
    with (evidence / "FACTS.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            answer = row["expected_answer"]
            rows.append((row["file"], f"{row['question']} {answer}"))
            if re.search(r"[Ww]hich (?:password|passphrase)", row["question"]):
                rows.append((row["file"], f"password {answer.split(';')[0].strip()}"))
    for path, text in rows:
        if path.startswith("encrypted/"):
            known = out.setdefault(path, [])
            found = [m for pattern in SAID for m in re.findall(pattern, text)]
            known += [secret for secret in found if secret not in known and secret.strip(".").lower() not in NO_SECRETS]
    return out


def wigmore(*args: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", str(SOURCE))}
    command = [sys.executable, "-m", "wigmore.cli.main", *args]
    return subprocess.run(command, env=environment, text=True, capture_output=True, check=False, timeout=900)


def made(case: Path, item: Path, secrets: list[str]) -> None:
    """Write a case file for an item, its secrets in files beside it."""
    shutil.rmtree(case, ignore_errors=True)
    case.mkdir(parents=True)
    lines = CASE.format(path=json.dumps(str(item)))
    references = []
    for number, secret in enumerate(secrets):
        (case / f"secret{number}.txt").write_text(secret, encoding="utf-8")
        references.append(f"secret{number}: file:secret{number}.txt")
    if references:
        lines += f"secrets: {{src: {{{', '.join(references)}}}}}\n"
    (case / "case.yaml").write_text(lines, encoding="utf-8")


def ran(case: Path) -> Outcome:
    """Run a case and read what it says of its item."""
    done = wigmore("run", str(case), "--progress", "none")
    if done.returncode not in (0, 3) or "Traceback" in done.stderr:
        return Outcome(False, 0, [f"exit {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}"])
    records = [json.loads(line) for line in wigmore("show", str(case), "records", "-t", "jsonl").stdout.splitlines()]
    coverage = [json.loads(line) for line in wigmore("show", str(case), "coverage", "-t", "jsonl").stdout.splitlines()]
    opened = any(record["data"].get("secret_name") for record in records)
    listed = [r for r in records if r["artifact"] == "file_listing" and r["data"].get("kind") == "file"]
    words = [said(record) for record in records if record["data"].get("locked")]
    words += [f"{c['outcome']}: {c['reason']}" for c in coverage if c["reason"] and c["outcome"] == "failed"]
    words += [f"{c['parser']}: {c['reason']}" for c in coverage if c["reason"] and c["outcome"] in ("found", "empty")]
    locked = next((str(record["path"]) for record in records if record["data"].get("locked")), "")
    return Outcome(opened, len(listed), list(dict.fromkeys(words)), locked)


def said(record: dict[str, Any]) -> str:
    """A locked container in a line."""
    names = ("encryption", "cipher", "kdf", "hash", "needs", "recovery")
    shown = "; ".join(f"{name}: {record['data'][name]}" for name in names if record["data"].get(name))
    return f"locked ({record['path']}): {shown or 'no more is said'}"


def cut(item: Path, target: Path) -> None:
    """Write the first half of an item's header: of the volume inside an image, else of the whole file."""
    file = LocalFile.at(item)
    with open_media(file, image_kind(item.read_bytes()[:65536], file)) as media:
        first = media.read_at(0, 4096)
    size = next((length for mark, length in HEADERS.items() if first.startswith(mark)), 0)
    size = size or (TRUECRYPT if item.suffix == ".tc" else item.stat().st_size)
    content = first if size <= len(first) else item.read_bytes()
    target.write_bytes(content[: size // 2])


def recovered(case: Path, path: str) -> str:
    """What password recovery says of an item when its budget is three tries."""
    wish = (f"path={path}", "mask=?l?l?l?l?l?l?l?l", "harvest=false", "attempts=3", "seconds=120")
    done = wigmore("tool", str(case), "recover_password", *wish, "--source", "src")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        return f"exit {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}"
    results = " ".join(f"{row['result']} after {row['attempts']} ({row['protected_by']})" for row in lines[1:])
    return f"{lines[0]['outcome']}: {lines[0]['note']}" + (f" [{results}]" if results else "")


def main() -> int:
    """Run all items; 1 where one of them fell short."""
    evidence, work, only = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3:]
    known = stated(evidence)
    short = []
    items = sorted(path for path in (evidence / "encrypted").rglob("*") if path.is_file())
    for item in items:
        name = item.relative_to(evidence).as_posix()
        if only and not any(part in name for part in only):
            continue
        secrets, base = known.get(name, []), work / name.replace("/", "_")
        print(f"\n{name}: {len(secrets)} stated secrets", flush=True)
        made(base / "none", item, [])
        outcome = ran(base / "none")
        show("without a secret", outcome)
        locked = outcome.locked or item.name
        if not outcome.words:
            short.append(f"{name}: not said to be locked")
        for number, secret in enumerate(secrets):
            made(base / f"right{number}", item, [secret])
            outcome = ran(base / f"right{number}")
            show(f"with stated secret {number + 1}", outcome)
            if not outcome.opened:
                short.append(f"{name}: stated secret {number + 1} does not open it")
        made(base / "wrong", item, ["no such secret", "111111-111111-111111-111111-111111-111111-111111-111111"])
        outcome = ran(base / "wrong")
        show("with wrong secrets", outcome)
        if outcome.opened or not outcome.words:
            short.append(f"{name}: a wrong secret {'opens it' if outcome.opened else 'is not said'}")
        cut(item, base / f"cut{item.suffix}")
        made(base / "cut", base / f"cut{item.suffix}", secrets or ["no such secret"])
        outcome = ran(base / "cut")
        show("cut in its header", outcome)
        if not outcome.words:  # an archive may still open in part: its members have headers of their own
            short.append(f"{name}: cut in its header, which is not said")
        told = recovered(base / "none", locked)
        print(f"  budget of three tries: {told}")
        if "budget" not in told:
            short.append(f"{name}: an exhausted budget is told as {told}")
    print(f"\n{len(short)} fall short" + "".join(f"\n  {line}" for line in short))
    return 1 if short else 0


def show(what: str, outcome: Outcome) -> None:
    """Print an outcome."""
    print(f"  {what}: {'OPENED' if outcome.opened else 'not opened'}, {outcome.inside} files listed")
    for word in outcome.words[:6]:
        print(f"      {word[:300]}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
