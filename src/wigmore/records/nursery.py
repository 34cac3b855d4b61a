"""One process that imports the parsers once; the workers are copies of it, made when they are wanted.

The pool holds a socket to it. `n` with two file descriptors (what becomes a worker's standard input and output) makes a worker;
`e` and a process number waits for one to end and is answered by its exit code, as `os.waitstatus_to_exitcode` has it. The
nursery ends when the socket is closed, and its workers with it.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from contextlib import suppress
from typing import IO, Any

NEW, END = b"n", b"e"
NUMBER = struct.Struct("<q")
UNKNOWN = 255  # exit code of a worker whose nursery is gone


class Nursery:
    """The pool's side."""

    def __init__(self, memory: int, errors: IO[Any]) -> None:
        self.socket, other = socket.socketpair()
        self.popen = subprocess.Popen(  # noqa: S603  # our own interpreter and module, no shell
            [sys.executable, "-m", "wigmore.records.worker", str(os.getpid()), str(memory), str(other.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            pass_fds=[other.fileno()],
        )
        other.close()

    def worker(self) -> tuple[IO[bytes], IO[bytes]]:
        """Ask for a worker: what writes to its standard input, and what reads its standard output without waiting."""
        given, write = os.pipe()
        read, taken = os.pipe()
        with suppress(OSError):  # it is gone: its worker's end of file says so
            socket.send_fds(self.socket, [NEW], [given, taken])
        os.close(given)
        os.close(taken)
        os.set_blocking(read, False)
        return os.fdopen(write, "wb"), os.fdopen(read, "rb")

    def end(self, pid: int) -> int:
        """Wait for a worker that ends or was killed; its exit code, negative for a signal."""
        try:
            self.socket.sendall(END + NUMBER.pack(pid))
            answer = self.socket.recv(NUMBER.size, socket.MSG_WAITALL)
            return int(NUMBER.unpack(answer)[0])
        except (OSError, struct.error):
            return UNKNOWN

    def close(self) -> None:
        """End the nursery, whatever it is about; what workers there still are die with it."""
        self.socket.close()
        self.popen.kill()
        self.popen.wait()


def copies(number: int) -> None:
    """Serve as the nursery at the socket of that number; returns in each worker, with its standard input and output set."""
    with socket.socket(fileno=number) as pool:
        while True:
            message, given, _, _ = socket.recv_fds(pool, 1, 2)
            if message == NEW:
                copy = os.fork() == 0
                for target, fd in enumerate(given):
                    if copy:
                        os.dup2(fd, target)
                    os.close(fd)
                if copy:
                    return
            elif message == END:
                (pid,) = NUMBER.unpack(pool.recv(NUMBER.size, socket.MSG_WAITALL))
                pool.sendall(NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
            else:
                os._exit(0)  # the pool is closed: the workers end with their parent
