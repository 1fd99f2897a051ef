"""How long a key press takes to show while the screen runs at full speed; how fast it opens."""
import statistics
import time

from support import paths
from support.tty import Tui


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, int(len(values) * p))]


def press(t, key, seconds=2.0):
    """Milliseconds from the write of a key to the first byte that answers it."""
    t.pump(0.0)
    began = time.monotonic()
    t.send(key)
    before = len(t.raw)
    while len(t.raw) == before:
        t.pump(0.001)
        if time.monotonic() - began > seconds:
            raise SystemExit(f"bench: no answer to {key!r} within {seconds} s:\n{t.text}")
    return (time.monotonic() - began) * 1000


def run(bench):
    topic, at = bench.topic(), bench.kafka
    env = {"TERM": "screen-256color", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin",
           "HOME": "/nonexistent"}
    opens = []
    for _ in range(bench.rounds):
        began = time.monotonic()
        t = Tui([paths.EVENTSCOPE, "-b", at], env)
        t.wait(topic)
        opens.append((time.monotonic() - began) * 1000)
        t.close()
    print(f"\ninterface: first screen with the topics after {statistics.median(opens):.0f} ms")
    t = Tui([paths.EVENTSCOPE, "messages", topic, "-b", at, "--tui", "-o", "beginning"], env)
    t.wait("order-")
    times = [press(t, key) for key in ["down", "up"] * 250]
    t.close()
    print(f"key to effect over {len(times)} presses during a scan: median "
          f"{statistics.median(times):.1f} ms, p99 {percentile(times, 0.99):.1f} ms")
