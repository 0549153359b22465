# SPDX-License-Identifier: MIT
"""`tasker top` on a terminal: the screen is used whole and given back, keys work, nothing is printed past its last line."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
import unittest

from lib.system import BIN, SLOW, System

ROWS, COLUMNS = 20, 110
ESCAPE = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]")


class Screen:
    """The program in a terminal of its own; `frames` is what it drew, one text per picture."""

    def __init__(self, *args):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.environ.update({"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"})
            os.execv(os.path.join(BIN, "tasker"), ["tasker", *args])
        self.out = b""

    def read_until(self, condition, seconds=20):
        end = time.monotonic() + seconds * SLOW
        while not condition():
            assert time.monotonic() < end, f"not seen: {self.out[-2000:]!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.out += os.read(self.fd, 65536)
                except OSError:  # the other side has closed
                    return

    @property
    def frames(self):
        return [ESCAPE.sub("", f) for f in self.out.decode("utf-8", "replace").split("\x1b[H")]

    def end(self):
        """Reads to the end; the exit status."""
        self.read_until(lambda: False)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Top(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = System()
        cls.addClassCleanup(cls.s.stop)

    def start(self):
        return Screen("top", "--data", self.s.dir, "--interval", "100ms")

    def given_back(self, screen):
        self.assertEqual(screen.end(), 0)
        text = screen.out.decode()
        self.assertTrue(text.startswith("\x1b[?1049h\x1b[?25l"), text[:40])
        self.assertTrue(text.endswith("\x1b[?25h\x1b[?1049l"), text[-40:])

    def test_keys(self):
        screen = self.start()
        screen.read_until(lambda: len(screen.frames) > 3)
        self.assertIn("in order of the service", screen.frames[-2])
        self.assertRegex(screen.frames[-2], r"orchestrator  http://127.0.0.1:\d+  pid \d+  CPU \d+ %")
        os.write(screen.fd, b"s")
        screen.read_until(lambda: "busiest first" in screen.frames[-2])
        os.write(screen.fd, b"f")
        screen.read_until(lambda: "FROZEN" in screen.frames[-2])
        os.write(screen.fd, b"f")
        screen.read_until(lambda: "FROZEN" not in screen.frames[-2])
        os.write(screen.fd, b"q")
        self.given_back(screen)
        self.assertLess(max(f.count("\n") for f in screen.frames), ROWS)

    def test_a_signal_gives_the_screen_back_too(self):
        screen = self.start()
        screen.read_until(lambda: len(screen.frames) > 2)
        os.kill(screen.pid, signal.SIGINT)
        self.given_back(screen)
