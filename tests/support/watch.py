"""`eventscope lag --watch --json` of one group, a line at a time."""
import json

import pytest

from . import proc


def row(g, partition=0):
    return next(p for p in g["partitions"] if p["partition"] == partition)


class Watch:
    """eventscope lag --watch --json, a line at a time."""

    def __init__(self, evs, group, *options):
        self.group, self.end = group, None
        self.child = evs.start("lag", "--group", group, "--watch", "500ms", "--json", *options)

    def line(self):
        line = self.child.stdout.readline()
        if not line:
            self.end = self.end or f"exit {self.child.wait(10)}: {self.child.stderr.read()}"
            pytest.fail(self.end)
        doc = json.loads(line)
        found = doc["groups"][0]
        found["at"], found["complete"] = doc["at"], doc["complete"]
        return found

    def after(self, n=3):
        for _ in range(n):
            found = self.line()
        return found

    def until(self, condition, what, timeout=30):
        return proc.wait_until(lambda: (lambda g: condition(g) and g)(self.line()), what, timeout,
                               0)

    def close(self):
        self.child.terminate()
        self.child.communicate(timeout=10)
        return self.child.returncode
