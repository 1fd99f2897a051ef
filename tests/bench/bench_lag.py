"""lag of 1,001 groups x 12 partitions beside Kafka's ConsumerGroupCommand; then 10,000 groups x 10
partitions: the command, a watch, and the Groups screen scrolled, sorted and filtered while it
refreshes every second."""
import json
import re
import subprocess
import tempfile
import time

from bench_ui import CURSOR, ENV, percentile
from support import paths
from support.admin import Admin
from support.kafka import KafkaBroker
from support.tty import Tui

GROUPS = 1001
MANY, WIDE = 10000, 10


def run(bench):
    topic, at = bench.topic(), bench.kafka
    admin = Admin(at)
    have = set(admin("groups"))
    missing = [g for g in (f"bench-{i:04}" for i in range(GROUPS)) if g not in have]
    if missing:
        admin("set-group-offsets", groups=missing, topic=topic,
              offsets={str(p): 1000 * p for p in range(12)})
    bench.alternate(f"lag of {GROUPS} groups x 12 partitions", [
        ("ConsumerGroupCommand --describe --all-groups", bench.java(
            "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server", at,
            "--describe", "--all-groups")),
        ("eventscope lag --json", [paths.EVENTSCOPE, "lag", "-b", at, "--json", "-q"]),
    ])
    with KafkaBroker(lasting=True, heap="1g") as k:
        fill(admin.at(k.bootstrap))
        many(bench, k.bootstrap)
        screen(k.bootstrap)
    admin.close()


def fill(admin):
    """Groups by the hundred that stand at the same offsets, so that lags differ."""
    admin("create-topic", topic="wide", partitions=WIDE)
    for p in range(WIDE):
        admin("produce", topic="wide", records=[
            {"partition": p, "key": f"k{i}", "value": "v" * 20} for i in range(200)])
    for block in range(0, MANY, 100):
        admin("set-group-offsets", topic="wide",
              groups=[f"team-{i:05}.orders-projection" for i in range(block, block + 100)],
              offsets={str(p): (block // 100 + p) % 200 for p in range(WIDE)})


def many(bench, at):
    print(f"\nlag of {MANY:,} groups x {WIDE} partitions")
    once = sorted((bench.timed([paths.EVENTSCOPE, "lag", "-b", at, "--json", "-q"], capture=True)
                   for _ in range(bench.rounds)), key=lambda r: r.seconds)[bench.rounds // 2]
    doc = json.loads(once.out)
    rows = sum(len(g["partitions"]) for g in doc["groups"])
    assert rows == MANY * WIDE, rows
    print(f"  eventscope lag --json: {once.seconds:.2f} s, {once.peak_kib / 1024:.0f} MiB, "
          f"{rows:,} rows, {doc['requests']} requests")
    watch = subprocess.Popen([paths.EVENTSCOPE, "lag", "-b", at, "--json", "-q", "--watch", "1s"],
                             stdout=subprocess.PIPE)
    began, seconds = time.monotonic(), []
    for i in range(6):
        line = json.loads(watch.stdout.readline())
        if not i:
            print(f"  --watch: first line after {time.monotonic() - began:.2f} s", end="")
        seconds.append(line["seconds"])
    peak = peak_mib(watch.pid)
    watch.terminate()
    watch.communicate()
    print(f", then {' '.join(f'{s:.2f}' for s in seconds[1:])} s a refresh, {peak:.0f} MiB")


def peak_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1]) / 1024


def under_cursor(t):
    for y in range(t.screen.lines):
        if t.screen.buffer[y][0].data == CURSOR:
            return "".join(t.screen.buffer[y][x].data for x in range(2, 40))
    return None


def press(t, times, *keys, until=None):
    """Milliseconds from the key to its effect: another group under the cursor, or `until`."""
    t.pump(0.02)
    before = under_cursor(t)
    for key in keys:
        began = time.monotonic()
        t.send(key)
        done = until or (lambda: under_cursor(t) != before)
        while not done():
            t.pump(0.0005)
            if time.monotonic() - began > 5:
                raise SystemExit(f"bench: no answer to {key!r} within 5 s:\n{t.text}")
        times.append((time.monotonic() - began) * 1000)
        before = under_cursor(t)


def refreshed(t):
    return re.search(r"requests in [\d.]+ s.*?(\d\d:\d\d:\d\d)", t.text)


def tour(t, times):
    """Scroll to the end and back, sort by each column, filter as typed, while it refreshes."""
    for key, n in (("down", 40), ("pgdn", 60), ("G", 1), ("pgup", 30), ("g", 1), ("down", 10)):
        press(t, times["scroll"], *[key] * n)
    for _ in range(9):
        arrow = heading(t)
        press(t, times["sort"], ">", until=lambda a=arrow: heading(t) not in (a, ""))
    arrow = heading(t)
    press(t, times["sort"], "I", until=lambda: heading(t) not in (arrow, ""))
    press(t, [], "/", until=lambda: "/" in t.lines[-2])
    typed = ""
    for c in "-0421":
        typed += c
        press(t, times["filter"], c, until=lambda: f"/{typed}" in t.lines[-2].replace(" ", ""))
    t.send("enter")
    t.wait(re.compile(r"\b1?\d of 10000"))
    t.send("esc")
    t.wait("10000 of 10000")


def heading(t):
    """The heading that carries the arrow of the sort, and the arrow."""
    found = re.search(r"(?:^|  )(\S+(?: \S+)?) [\u25b2\u25bc]", t.lines[2])
    return found[0] if found else ""


def screen(at):
    log = tempfile.NamedTemporaryFile(prefix="eventscope-bench-")
    t = Tui([paths.EVENTSCOPE, "-b", at, "--log", log.name, "-v"], ENV, rows=50, cols=160)
    t.wait("Topics")
    began = time.monotonic()
    t.send("7")
    t.wait("10000 of 10000", timeout=60)
    first = time.monotonic() - began
    t.send("-").wait("every 2 s")
    t.send("-").wait("every 1 s")
    times = {"scroll": [], "sort": [], "filter": []}
    seen = set()
    for _ in range(3):
        tour(t, times)
        found = refreshed(t)
        seen.add(found and found[1])
    peak = peak_mib(t.pid)
    t.send("q", "q")
    t.wait_exit()
    print(f"  Groups screen, every 1 s: whole list after {first:.2f} s, {peak:.0f} MiB")
    for what, ms in times.items():
        print(f"    {what:<6} {len(ms):4} keys to effect: median {percentile(ms, 0.5):.1f} ms, "
              f"p99 {percentile(ms, 0.99):.1f} ms, worst {max(ms):.1f} ms")
    with open(log.name, encoding="utf-8") as f:
        for line in re.findall(r"ui: (\d+ frames, .*)", f.read()):
            print(f"    {line}")
