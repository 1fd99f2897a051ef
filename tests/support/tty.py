"""The program on a pseudo terminal: what a person would see (pyte) and the raw bytes sent."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import pyte

KEYS = {"enter": "\r", "esc": "\x1b", "tab": "\t", "backspace": "\x7f", "space": " ",
        "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
        "home": "\x1b[1~", "end": "\x1b[4~", "pgup": "\x1b[5~", "pgdn": "\x1b[6~",
        "delete": "\x1b[3~", "f1": "\x1bOP", "btab": "\x1b[Z"}


# The sample cluster's Topics once its worst topic has been judged.
SAMPLE_READY = re.compile(r"shop\.orders\.placed .* (hot|stalled|stopped)")


class Screen(pyte.Screen):
    """With the scrolling (SU, SD) that pyte leaves out and curses uses."""

    def _scroll(self, count, last, step):
        top, bottom = self.margins or (0, self.lines - 1)
        y = self.cursor.y
        for _ in range(count or 1):
            self.cursor.y = bottom if last else top
            step()
        self.cursor.y = y

    def scroll_up(self, count=1):
        self._scroll(count, True, self.index)

    def scroll_down(self, count=1):
        self._scroll(count, False, self.reverse_index)


class Stream(pyte.ByteStream):
    csi = {**pyte.ByteStream.csi, "S": "scroll_up", "T": "scroll_down"}
    events = pyte.ByteStream.events | {"scroll_up", "scroll_down"}


class Tui:
    """TERM is screen-256color: all of it is known to pyte (xterm's `rep` is not). The program is
    the session's leader, which the kernel never stops: for ^Z start it from a shell."""

    def __init__(self, argv, env, rows=40, cols=120):
        self.raw = bytearray()
        self.screen = Screen(cols, rows)
        self.stream = Stream(self.screen)
        self.master, self.slave = pty.openpty()      # the slave stays open: modes after the end
        self._size(rows, cols)
        self.modes_before = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(self.slave, fd)
            os.closerange(3, 64)
            os.chdir(env.get("HOME", "/"))
            try:
                os.execve(argv[0], [str(a) for a in argv], env)
            except OSError as e:
                os.write(2, f"{argv[0]}: {e}\n".encode())
            os._exit(127)
        self.status = None

    def _size(self, rows, cols):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def resize(self, rows, cols):
        self.screen.resize(rows, cols)
        self._size(rows, cols)                       # the kernel sends SIGWINCH

    def send(self, *keys):
        """Names in KEYS, "^x" for control, anything else as typed."""
        for key in keys:
            text = KEYS.get(key)
            if text is None:
                text = chr(ord(key[1]) & 0x1f) if re.fullmatch(r"\^[a-zA-Z]", key) else key
            os.write(self.master, text.encode())
        return self

    def pump(self, seconds=0.0):
        """Read what is there, waiting at most this long for the first byte."""
        while select.select([self.master], [], [], seconds)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            self.raw += data
            self.stream.feed(data)
            seconds = 0.0

    @property
    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self):
        return "\n".join(self.lines)

    def wait(self, what, timeout=20.0):
        """Until the screen holds a text, a compiled pattern, or what(tui) is true."""
        def there():
            if callable(what):
                return what(self)
            if isinstance(what, re.Pattern):
                return what.search(self.text)
            return what in self.text
        end = time.monotonic() + timeout
        while not there():
            if time.monotonic() > end or self.ended():
                self.pump(0.2)
                if there():
                    break
                state = "it ended" if self.ended() else f"{timeout:.0f} s passed"
                raise AssertionError(f"waited for {what!r}, {state}; the screen:\n{self.text}")
            self.pump(0.05)
        return self

    def wait_gone(self, what, timeout=20.0):
        return self.wait(lambda t: what not in t.text, timeout)

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
        return self.status is not None

    def wait_exit(self, timeout=10.0):
        """Exit code, or minus the signal's number."""
        end = time.monotonic() + timeout
        while not self.ended():
            self.pump(0.02)
            if time.monotonic() > end:
                raise AssertionError(f"still running after {timeout:.0f} s:\n{self.text}")
        self.pump(0.1)
        return os.waitstatus_to_exitcode(self.status)

    def kill(self, number=signal.SIGTERM):
        if not self.ended():
            os.kill(self.pid, number)

    def modes(self):
        return termios.tcgetattr(self.slave)

    def close(self):
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.status = 9
        os.close(self.master)
        os.close(self.slave)
