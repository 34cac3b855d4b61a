"""The shared evidence's logs are recognised, and stay readable when torn or damaged."""

from __future__ import annotations

import random
from pathlib import Path

from wigmore.artifacts.logs import framework
from wigmore.evidence.local import LocalFile
from wigmore.model.protocols import Gap, ParseError, Recorder
from wigmore.registry import _found

KNOWN = {
    "syslog/syslog": "logs.syslog",
    "apache_access.log": "web.access",
    "iis/iis10.log": "logs.w3c",
    "bash_history": "linux.history",
    "selinux.log": "linux.audit",
    "apt_history.log": "linux.apt_history",
    "aws_elb_access.log": "cloud.aws_elb",
    "powershell_transcript_ger.txt": "windows.powershell_transcript",
    "sav.txt": "antivirus.sophos",
}


def test_real_logs_are_recognised_under_a_name_that_says_nothing(shared_evidence: Path) -> None:
    framework.load_formats()
    found = {
        name: framework.recognise((shared_evidence / "logs/plaso" / name).read_bytes()[:8192], "x") for name in KNOWN
    }
    assert found == KNOWN


def test_damaged_copies_of_real_logs_are_read_or_refused_but_never_crash(shared_evidence: Path, tmp_path: Path) -> None:
    framework.load_formats()
    parsers = [
        p
        for p in _found["parser"].values()
        if p.origin.startswith(("wigmore.artifacts.logs", "wigmore.artifacts.linux"))
    ]
    dice = random.Random(7)
    target = tmp_path / "content"
    for path in sorted((shared_evidence / "logs/plaso").rglob("*")):
        if not path.is_file() or path.stat().st_size > 50_000:
            continue
        for _ in range(3):
            content = bytearray(path.read_bytes())
            del content[dice.randrange(len(content)) :]
            for _ in range(min(8, len(content))):
                content[dice.randrange(len(content))] = dice.randrange(256)
            target.write_bytes(content)
            file = LocalFile.at(target, path=path.name)
            for parser in parsers:
                if not parser.claims(bytes(content[:8192]), file.path, file.size):
                    continue
                try:
                    for item in parser.function(file):
                        assert isinstance(item, tuple | Gap | Recorder)
                except ParseError as error:
                    assert error.message
