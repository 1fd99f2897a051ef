"""Running eventscope headless with a pinned environment."""
import json
import os
import shlex
import signal
import subprocess

from . import paths


class Result:
    def __init__(self, code, out, err, argv):
        self.code, self.raw, self.raw_err, self.argv = code, out, err, argv

    @property
    def out(self):
        return self.raw.decode("utf-8")         # our output is valid UTF-8, always

    @property
    def err(self):
        return self.raw_err.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.raw.split(b"\n")[:-1]]

    def ok(self):
        """This result, or a failure that shows what was printed."""
        assert self.code == 0, f"{self}"
        return self

    def failed(self, code, *words):
        """Exit code, one `eventscope:` line (and at most a hint) holding all the words."""
        assert self.code == code, f"{self}"
        lines = self.err.splitlines()
        assert lines and lines[0].startswith("eventscope: "), f"{self}"
        assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("  hint: ")), f"{self}"
        for word in words:
            assert word in self.err, f"{word!r} is not in it: {self}"
        return self

    def __str__(self):
        return (f"{shlex.join(map(str, self.argv))}: exit {self.code}\n"
                f"stdout: {self.raw[:2000]!r}\nstderr: {self.raw_err[:2000]!r}")


class Evs:
    """evs(*args) runs and answers a Result; evs.start(*args) leaves it running (a Popen)."""

    def __init__(self, home, brokers=None):
        self.home, self.brokers = home, brokers

    def at(self, brokers):
        return Evs(self.home, brokers)

    def argv(self, *args):
        wrapper = shlex.split(os.environ.get("EVENTSCOPE_WRAPPER", ""))
        where = ["-b", self.brokers] if self.brokers and args else []
        return [*wrapper, str(paths.EVENTSCOPE), *args[:1], *where, *args[1:]]

    def env(self, **more):
        kept = {k: v for k, v in os.environ.items()
                if k in ("PATH", "LD_LIBRARY_PATH") or k.endswith("SAN_OPTIONS")}
        return {**kept, "HOME": str(self.home), "TZ": "UTC", "LANG": "C.UTF-8",
                "XDG_CONFIG_HOME": str(self.home / "config"),
                "XDG_STATE_HOME": str(self.home / "state"),
                "TERM": "screen-256color", **{k: str(v) for k, v in more.items()}}

    def start(self, *args, env=None, **popen):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, **popen}
        return subprocess.Popen(self.argv(*map(str, args)), env=self.env(**(env or {})),
                                cwd=self.home, **options)

    def __call__(self, *args, env=None, input=None, timeout=120, **popen):
        argv = self.argv(*map(str, args))
        child = self.start(*args, env=env, **popen,
                           **({"stdin": subprocess.PIPE} if input is not None else {}))
        try:
            out, err = child.communicate(input, timeout)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGABRT)
            out, err = child.communicate()
            late = Result(child.returncode, out or b"", err or b"", argv)
            raise TimeoutError(f"took more than {timeout} s: {late}") from None
        return Result(child.returncode, out or b"", err or b"", argv)
