"""Outputs: kept once, whole, and checked whenever they are read."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from wigmore.ledger import Damage, OutputDamaged, OutputMissing, Outputs, durable_file, sweep
from wigmore.ledger.outputs import SEAL


def only_file(case: Path) -> Path:
    (file,) = case.rglob("*.zst")
    return file


def test_the_same_bytes_are_kept_once_under_their_hash(case: Path) -> None:
    outputs = Outputs(case)
    data = b"complete output\n" * 1000
    name = outputs.put(data)
    assert outputs.put(data) == name
    assert only_file(case) == case / "outputs" / name[:2] / f"{name[2:]}.zst"
    assert only_file(case).stat().st_size < 200
    assert outputs.get(name) == data
    assert outputs.check(name) is None


def test_many_outputs_are_kept_in_one_go(case: Path) -> None:
    outputs = Outputs(case)
    many = [b"", b"a", b"b" * 10_000, b"a", *(random.Random(n).randbytes(n) for n in range(200))]
    names = outputs.put_many(many)
    assert [outputs.get(name) for name in names] == many
    assert len(list(case.rglob("*.zst"))) == len(set(many))
    assert not list(case.rglob("*.part"))


def test_a_missing_output_is_named(case: Path) -> None:
    outputs = Outputs(case)
    name = outputs.put(b"here")
    only_file(case).unlink()
    with pytest.raises(OutputMissing, match="not in the case"):
        outputs.get(name)
    assert outputs.check(name) == Damage("output_missing", f"output {name[:16]}…", "the output is not in the case")
    for wrong in ("../../etc/passwd", "", "A" * 64, "0" * 63):
        with pytest.raises(OutputMissing, match="no SHA-256"):
            outputs.get(wrong)


def test_every_flipped_bit_and_every_cut_of_an_output_is_found(case: Path) -> None:
    outputs = Outputs(case)
    name = outputs.put(bytes(range(256)) + b"text " * 50)
    file = only_file(case)
    whole = file.read_bytes()
    for position in range(len(whole)):
        flipped = [whole[:position] + bytes([whole[position] ^ 1 << bit]) + whole[position + 1 :] for bit in range(8)]
        for damaged in (whole[:position], *flipped):
            file.write_bytes(damaged)
            damage = outputs.check(name)
            assert damage and damage.code == "output_damaged", position


def test_other_readers_of_zstandard_read_an_output(case: Path) -> None:
    import zstandard

    data = b"complete output\n" * 1000
    Outputs(case).put(data)
    with only_file(case).open("rb") as stream:
        reader = zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
        assert reader.read() == data


def test_an_output_with_something_behind_it_is_damaged(case: Path) -> None:
    outputs = Outputs(case)
    name = outputs.put(b"data")
    file = only_file(case)
    whole = file.read_bytes()
    for damaged in (whole + b"x", whole + whole, b""):
        file.write_bytes(damaged)
        assert outputs.check(name)


def test_a_damaged_twin_is_replaced(case: Path) -> None:
    outputs = Outputs(case)
    name = outputs.put(b"data")
    only_file(case).write_bytes(b"torn")
    assert outputs.put(b"data") == name
    assert outputs.get(name) == b"data"


def test_an_output_that_claims_to_be_huge_is_not_unpacked(case: Path) -> None:
    outputs = Outputs(case)
    name = outputs.put(b"data")
    packed = b"\x28\xb5\x2f\xfd\xe0" + (1 << 60).to_bytes(8, "little") + b"\x01\x00\x00"
    only_file(case).write_bytes(packed + SEAL + hashlib.sha256(packed).digest())
    with pytest.raises(OutputDamaged, match="claims to unpack"):
        outputs.get(name)


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    target = tmp_path / "new" / "report.html"
    with durable_file(target) as temporary:
        temporary.write_text("first")
        assert not target.exists()
    with pytest.raises(RuntimeError), durable_file(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "first"
    assert [file.name for file in target.parent.iterdir()] == ["report.html"]


def test_what_killed_processes_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".part-0.parquet.0123456789ab.part").write_text("half")
    (tmp_path / "a" / "kept.part").write_text("ours")
    assert sweep(tmp_path) == 1
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["kept.part"]
