"""Attack logs and captures: is what their authors say they show among the three things that rules name first for the file?

`python bench/labels.py SHARED WORK [--names]`: SHARED holds evidence/ and score_facts.py (whose LABEL says which facts are
labels). The files are copied to WORK under numbers (with `--names`: as they are called), so that no name can help, run as one
case, and `show CASE readings` is cut at rank 3. Two figures: over the three rules with all techniques they name, and over the
first three techniques or (where a rule has none) titles named by them.

How a label in words is read stands in READINGS: what a technique or a title must be to count. A tactic is never enough. A
technique counts as itself, as its parent or as its child, not as its sibling. A label that no reading knows is a miss.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAMED = 3
COMMAND = (sys.executable, "-m", "wigmore.cli.main")


@dataclass(frozen=True)
class Reading:
    """A label whose words match `label` is named by one of these techniques, or by a title that matches `title`."""

    label: str
    techniques: tuple[str, ...] = ()
    title: str = ""


# the first that matches a label holds; techniques are those of ATT&CK's own pages and of the tags in the Sigma rules named
READINGS = (
    Reading("dcsync", ("T1003.006",)),
    Reading("dcshadow", ("T1207",)),
    Reading("sid history", ("T1134.005",)),
    Reading("password spray", ("T1110.003",)),
    Reading("failed .*logon|brute ?force", ("T1110",)),
    Reading("kerberoast", ("T1558.003",)),
    Reading("zerologon", ("T1210", "T1068"), "zerologon"),
    Reading("nopac|samaccountname", ("T1068", "T1078.002", "T1558"), "spoof"),
    Reading("krbrelayup", ("T1068", "T1558", "T1134.001")),
    Reading("(juicy|rogue|sweet)potato|named pipe impersonation", ("T1134.001", "T1134.002", "T1068")),
    Reading("mimikatz through powershell", ("T1003.001", "T1059.001")),
    Reading("lsass", ("T1003.001",)),
    Reading("pass-the-hash", ("T1550.002",)),
    Reading("log was cleared", ("T1070.001",)),
    Reading("fake computer account", ("T1136", "T1036", "T1564.002")),
    Reading("added to administrators", ("T1098.007", "T1136.001", "T1078.001")),
    Reading("rid hijack", ("T1098", "T1078.001"), "number of another"),
    Reading("rdp tunnel|rdp tunnelled over http", ("T1572", "T1090")),
    Reading("netsh port forward", ("T1090", "T1572")),
    Reading("sharprdp", ("T1021.001",)),
    Reading("timestomp", ("T1070.006",)),
    Reading("ppid", ("T1134.004",)),
    Reading("script block logging disabled", ("T1562.002", "T1562.001"), "recording of scripts"),
    Reading("bloodhound", ("T1087.002", "T1069.002", "T1482", "T1018")),
    Reading("psloggedon", ("T1033", "T1049")),
    Reading("msxsl|xsl script", ("T1220",)),
    Reading("squiblydoo|regsvr32", ("T1218.010",)),
    Reading("mshta", ("T1218.005",)),
    Reading("scheduled task", ("T1053.005",)),
    Reading("wmiexec|wmi lateral", ("T1047",)),
    Reading("psexec", ("T1569.002", "T1021.002")),
    Reading("service creation", ("T1543.003", "T1569.002")),
    Reading("accessibility", ("T1546.008",)),
    Reading("wmi event subscription", ("T1546.003",)),
    Reading("uac bypass", ("T1548.002",)),
    Reading("emotet powershell", ("T1059.001", "T1105")),
    Reading("windows defender detections", ("T1204.002", "T1588.001"), "^protection .* (detected|acted)"),
    Reading("web ?shell", ("T1505.003",)),
    Reading("shai-hulud", ("T1195.002",), "shai-hulud"),
    Reading("redsun", ("T1068",)),
    Reading("edr-freeze", ("T1562.001",)),
    Reading("non-existent system dll", ("T1574.001", "T1574.002")),
    Reading("registry hive file staged", (), "registry hive .*(outside|unusual|foreign)"),
    Reading("ntlm coercion", ("T1187",)),
    Reading("certutil.*encoded|encoded .*certutil", ("T1027",)),
    Reading("default file association", ("T1546.001",)),
    Reading("hidden start", ("T1564.003",)),
    Reading("credentials added via cmdkey", ("T1003.005", "T1555.004")),
    Reading("insecure transfer via curl", (), "without checking (its|the) certificate|insecure"),
    Reading("file download|file downloaded", ("T1105",)),
    # nDPI's names of risks
    Reading("clear-?text credentials", ("T1040", "T1552.001"), "clear-?text credentials"),
    Reading("sql injection", ("T1190",), "sql injection"),
    Reading("xss|cross-site", ("T1190", "T1059.007"), "xss"),
    Reading("rce injection|command injection", ("T1190", "T1059"), "injection"),
    Reading("obsolete (tls|ssl)", (), "obsolete tls"),
    Reading("weak .*cipher", (), "weak tls cipher|weak cipher"),
    Reading("self-signed", (), "self-signed"),
    Reading("certificate .*expired|expired", (), "expired"),
    Reading("certificate mismatch", (), "certificate mismatch"),
    Reading("binary (application|file) transfer", ("T1105",), "binary application transfer"),
    Reading("non.?standard port", ("T1571",), "non-standard port"),
    Reading("dga", ("T1568.002",), "dga"),
    Reading("dns (traffic|fragment|large)|suspicious dns", ("T1071.004", "T1572", "T1048"), "dns"),
    Reading("suspicious .*user.?agent", (), "user.agent"),
    Reading("numeric (hostname|ip)", (), "numeric (ip|host)"),
    Reading("obsolete .*server|web server", (), "obsolete.*server"),
    Reading("smb insecure|insecure smb", (), "smb insecure|insecure.*smb"),
    Reading("ssh obsolete", (), "ssh obsolete"),
    Reading("unsafe protocol", (), "unsafe protocol"),
    Reading("desktop|file sharing", ("T1021.001", "T1219"), "desktop|file.sharing"),
    Reading("malformed", (), "malformed"),
    Reading("tls .*sni|missing sni", (), "sni"),
    Reading("error code|error response", (), "error"),
    Reading("periodic flow", (), "periodic"),
    Reading("path traversal", ("T1190", "T1083")),
)


def related(named: str, wanted: str) -> bool:
    """The same technique, its parent or its child."""
    return named == wanted or named.startswith(wanted + ".") or wanted.startswith(named + ".")


def names(label: str, techniques: list[str], titles: list[str]) -> bool | None:
    """Whether a label is named by these techniques or titles; None where no reading knows the label."""
    for reading in READINGS:
        if re.search(reading.label, label, re.IGNORECASE):
            by_technique = any(related(t, w) for t in techniques for w in reading.techniques)
            return by_technique or bool(
                reading.title and any(re.search(reading.title, t, re.IGNORECASE) for t in titles)
            )
    return None


def facts_of(shared: Path) -> list[dict[str, str]]:
    """The label facts, by the shared scorer's own pattern."""
    spec = importlib.util.spec_from_file_location("score_facts", shared / "score_facts.py")
    assert spec and spec.loader
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    with (shared / "evidence" / "FACTS.csv").open(newline="") as stream:
        return [f for f in csv.DictReader(stream) if scorer.LABEL.search(f["question"])]


def readings_of(case: Path) -> dict[str, list[dict[str, Any]]]:
    """`show CASE readings` by path, in order of rank."""
    shown = subprocess.run(
        [*COMMAND, "show", str(case), "readings", "-t", "jsonl"], capture_output=True, text=True, check=True
    )
    out: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in shown.stdout.splitlines():
        row = json.loads(line)
        out[row["path"]].append(row)
    return out


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("shared", type=Path)
    options.add_argument("work", type=Path)
    options.add_argument("--names", action="store_true", help="keep the files' own names and folders")
    given = options.parse_args()
    shared, work = given.shared.resolve(), given.work.resolve()
    facts = facts_of(shared)
    placed: dict[str, str] = {}
    for number, file in enumerate(sorted({f["file"] for f in facts})):
        placed[file] = file if given.names else f"{number:03d}/{number:03d}{Path(file).suffix}"
        target = work / "evidence" / placed[file]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shared / "evidence" / file, target)
    case = work / "case"
    if not case.exists():
        run = [*COMMAND, "run", str(work / "evidence"), "-o", str(case), "--progress", "none"]
        subprocess.run(run, stdout=subprocess.DEVNULL, check=False)
    read = readings_of(case)
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    for fact in facts:
        kind = "/".join(Path(fact["file"]).parts[:2])
        rows = read.get(placed[fact["file"]], [])
        first = rows[:NAMED]
        label = fact["expected_answer"]
        ok = names(label, [t for r in first for t in r["attack"]], [r["title"] for r in first])
        units = [(t, r["title"]) for r in first for t in r["attack"] or [""]][:NAMED]
        strict = names(label, [t for t, _ in units if t], [title for _, title in units])
        tally[kind]["facts"] += 1
        tally[kind]["rules"] += bool(ok)
        tally[kind]["techniques"] += bool(strict)
        if not ok or not strict:
            said = "; ".join(f"{r['rule']} {','.join(r['attack'])}" for r in rows[:5]) or "nothing"
            why = "no reading" if ok is None else "miss" if not ok else "within the rules, not the techniques"
            print(f"{why}: {fact['id']} {label[:90]!r}: {said}")
    tally["all labels"] = sum(tally.values(), Counter())
    for kind, row in tally.items():
        share, narrow = (row[k] / row["facts"] for k in ("rules", "techniques"))
        print(
            f"{kind:26} facts {row['facts']:3}  in 3 rules {row['rules']:3} ({share:.1%})"
            f"  in 3 techniques {row['techniques']:3} ({narrow:.1%})"
        )


if __name__ == "__main__":
    main()
