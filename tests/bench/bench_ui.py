"""How fast the interface opens, and how long a key press takes to show its effect while a scan
runs at full speed: from the write of the key to the moment the cursor stands on another record."""
import random
import re
import statistics
import time

from support import paths
from support.tty import Tui

PRESSES = 300
CURSOR = "\u25ba"
ENV = {"TERM": "screen-256color", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin",
       "HOME": "/"}


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, int(len(values) * p))]


def under_cursor(t):
    """Partition and offset of the record under the cursor: rows may move, it does not."""
    for y in range(t.screen.lines):
        if t.screen.buffer[y][0].data == CURSOR:
            return "".join(t.screen.buffer[y][x].data for x in range(1, 16))
    return None


def press(t, key):
    """Milliseconds until the cursor stands on another record."""
    t.pump(0.0)
    before = under_cursor(t)
    began = time.monotonic()
    t.send(key)
    while under_cursor(t) == before:
        t.pump(0.0005)
        if time.monotonic() - began > 2:
            raise SystemExit(f"bench: no answer to {key!r} within 2 s:\n{t.text}")
    return (time.monotonic() - began) * 1000


def opening(bench, topic):
    times = []
    for _ in range(bench.rounds):
        began = time.monotonic()
        t = Tui([paths.EVENTSCOPE, "-b", bench.kafka], ENV)
        t.wait("Topics")
        frame = time.monotonic()
        t.wait(topic[:20])
        times.append(((frame - began) * 1000, (time.monotonic() - began) * 1000))
        t.close()
    print(f"\ninterface: first frame after {statistics.median(a for a, _ in times):.0f} ms, "
          f"topics on it after {statistics.median(b for _, b in times):.0f} ms")


def scanning(t):
    return "Esc stop" in t.text


def run(bench):
    topic = bench.topic()
    opening(bench, topic)
    # A filter that costs much and keeps little: the readers and jq are busy for many seconds.
    t = Tui([paths.EVENTSCOPE, "messages", topic, "-b", bench.kafka, "--tui", "-o", "beginning",
             "--jq", ".offset % 1000 == 0"], ENV)
    t.wait(re.compile(r"[1-9]\d\d found"))
    random.seed(1)
    times, busy = [], 0
    for _ in range(PRESSES):
        t.pump(random.uniform(0.005, 0.03))
        times.append(press(t, "down"))
        busy += scanning(t)
    t.close()
    print(f"key to effect: {PRESSES} presses, {busy} of them while the scan ran: median "
          f"{statistics.median(times):.1f} ms, p99 {percentile(times, 0.99):.1f} ms, worst "
          f"{max(times):.1f} ms")
