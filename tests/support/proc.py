"""Background processes, free ports and waiting for a condition with a deadline."""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

_taken = set()


def free_port():
    """A port nobody listens on, below the range the kernel gives to outgoing connections, so
    that a service that is restarted finds its port again."""
    for _ in range(1000):
        port = random.SystemRandom().randrange(20000, 32000)
        if port in _taken:
            continue
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                s.bind(("127.0.0.1", port))
                _taken.add(port)
                return port
    raise RuntimeError("no free port between 20000 and 32000")


class Ended(Exception):
    """What was waited for can no longer come."""


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition, what, timeout=30.0, pause=0.05):
    """Call condition() until it answers something true; return that. Errors count as not yet."""
    end = time.monotonic() + timeout
    last = None
    while True:
        try:
            found = condition()
            if found:
                return found
        except Ended:
            raise
        except Exception as e:  # noqa: BLE001 - the last one is reported
            last = e
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout:.0f} s for {what}" + (f": {last}" if last else ""))
        time.sleep(pause)


def _born(pid):
    """When a process started, in kernel ticks; None if it is gone (or only waits to be reaped)."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


class Daemon:
    """One background process, known by pid and birth, so that a reused pid is never signalled."""

    def __init__(self, pid, born, child=None):
        self.pid, self.born, self._child = pid, born, child

    @classmethod
    def start(cls, argv, log, env=None, user=None, cwd=None):
        """Start argv in a session of its own, output to the file log, as user if we are root."""
        if user and os.getuid() == 0:
            argv = ["setpriv", f"--reuid={user}", f"--regid={_group_of(user)}",
                    "--clear-groups", *map(str, argv)]
        with open(log, "ab") as out:
            child = subprocess.Popen(
                [str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}, cwd=cwd,
                start_new_session=True)
        return cls(child.pid, _born(child.pid), child)

    def alive(self):
        if self._child is not None:
            self._child.poll()
        return self.born is not None and _born(self.pid) == self.born

    def send(self, number):
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self):
        self.stop(signal.SIGKILL, 10)

    def stop(self, number=signal.SIGTERM, timeout=15):
        """Signal and wait; past the deadline kill. Never fails on a process already gone."""
        self.send(number)
        try:
            wait_until(lambda: not self.alive(), f"process {self.pid} to end", timeout, 0.02)
        except TimeoutError:
            self.send(signal.SIGKILL)
            wait_until(lambda: not self.alive(), f"process {self.pid} to die", 10, 0.02)


def _group_of(user):
    import grp
    import pwd
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


def scratch(name, user=None):
    """A new folder for a service's data, readable by that service's user."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"eventscope-{name}-"))
    path.chmod(0o755)
    if user and os.getuid() == 0:
        shutil.chown(path, user, _group_of(user))
    return path


@contextlib.contextmanager
def in_time(seconds, slack=2.5):
    """What is inside takes no longer; slack is a busy machine's share, so look for what would take
    much longer."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < seconds + slack, f"took {took:.1f} s of {seconds} s"


def tail(path, lines=15):
    """The end of a log, for a failure's message."""
    try:
        text = pathlib.Path(path).read_text(errors="replace")
    except OSError as e:
        return f"({e})"
    return "\n".join(text.splitlines()[-lines:])


class Reader:
    """Looks at something again and again, in a thread, until the block ends."""

    def __init__(self, look):
        self.look, self.seen, self.over = look, [], threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.is_set():
            self.seen.append(self.look())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
