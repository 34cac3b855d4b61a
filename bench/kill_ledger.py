"""Kill a writer with SIGKILL at random moments: `python bench/kill_ledger.py [KILLS] [SEED]`.

One case takes all the kills. After each, the case is opened again and verified, every acknowledged head must stand in
its chain, no batch may be there in part, and every output named must be there. Exit code 1 at the first that fails.
"""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from wigmore.ledger import Event, Head, Ledger, Outputs, verify_case

LONGEST = 0.02  # seconds until the kill; most fall below


def clock() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


def write_until_killed(case: Path, acknowledge: int, seed: int) -> None:
    """Append batches of 1 to 12 events, some with outputs; write the head at first, and after each `append`."""
    choice = random.Random(seed)
    outputs = Outputs(case)
    with Ledger.open(case, clock) as ledger:
        os.write(acknowledge, f"{ledger.head()}\n".encode())
        while True:
            size = choice.choice((1, 1, 1, 4, 12))
            body = {"id": f"e-{choice.randrange(500)}", "size": size, "text": "x" * choice.randrange(2000)}
            if choice.random() < 0.2:
                body["output_sha256"] = outputs.put(choice.randbytes(choice.randrange(3000)))
            ledger.append([Event(choice.choice(("fact", "lead", "round")), {**body, "n": n}) for n in range(size)])
            os.write(acknowledge, f"{ledger.head()}\n".encode())


def kill_once(case: Path, after: float, opened: bool, seed: int) -> list[Head]:
    """Let a child write, kill it so long after its start (or after it has `opened`); what it had acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            write_until_killed(case, writing, seed)
        finally:
            os._exit(3)  # only reached when the writer failed: it never ends by itself
    os.close(writing)
    if opened:
        select.select([reading], [], [])
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise SystemExit(f"the writer failed by itself before it was killed: status {status}")
    with os.fdopen(reading, "rb") as pipe:
        # a line is written whole or not at all (shorter than PIPE_BUF)
        return [Head.parse(line.decode()) for line in pipe.read().splitlines()]


def check(case: Path, acknowledged: list[Head]) -> tuple[int, int]:
    """Verify the case as it lies, then as a writer opens it; the number of its events and of unacknowledged ones."""
    problems = [str(damage) for damage in verify_case(case, acknowledged[-1] if acknowledged else None)]
    with Ledger.open(case, clock) as ledger:
        problems += [str(damage) for damage in ledger.recovery]
        problems += [f"acknowledged {head} is gone" for head in acknowledged if ledger.head(head.seq) != head]
        head = ledger.head()
        after = acknowledged[-1].seq if acknowledged else max(0, head.seq - 12)
        tail = list(ledger.events(after=after))
    if (
        acknowledged
        and tail
        and (len(tail) != tail[0].body["size"] or [e.body["n"] for e in tail] != [*range(len(tail))])
    ):
        problems.append(f"half a batch was kept after event {after}")
    if problems:
        raise SystemExit("\n".join(problems))
    return head.seq, len(tail) if acknowledged else 0


def main() -> None:
    """Kill, check, and print one line of figures."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
    choice, started = random.Random(seed), time.perf_counter()
    acknowledged = opening = unacknowledged = events = 0
    with tempfile.TemporaryDirectory(prefix="wigmore-kill-") as folder:
        case = Path(folder) / "case"
        Ledger.create(case, clock).close()
        for _ in range(kills):
            heads = kill_once(case, LONGEST * choice.random() ** 2, choice.random() < 0.8, choice.randrange(1 << 32))
            events, more = check(case, heads)
            acknowledged += max(0, len(heads) - 1)  # the first is what it found
            opening += not heads
            unacknowledged += more
    print(
        f"{kills} kills (seed {seed}): {acknowledged} batches acknowledged, all there; {events} events verified; "
        f"{opening} kills while opening; {unacknowledged} events committed but not yet acknowledged; "
        f"{time.perf_counter() - started:.1f} s"
    )


if __name__ == "__main__":
    main()
