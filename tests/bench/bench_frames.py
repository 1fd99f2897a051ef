"""Frames of the key screens on a topic of ten thousand partitions while it is read at full speed:
what the interface's own thread spends from waking to painted (it logs that itself)."""
import re
import subprocess
import tempfile
import time

from support import paths
from support.tty import Tui

PARTITIONS, RECORDS, SECONDS = 10000, 4000000, 8
ENV = {"TERM": "screen-256color", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": "/"}
SCREENS = {    # from Keys: keys that open the screen, and those pressed there
    "Keys": ([], ["down", "down", "s", "S", "pgdn", "end", "home", "tab", "down", "b", "tab"]),
    "Heat": (["H"], ["down", "right", "pgdn", "left", "m", "+", "-", "end", "home"]),
    "What-if": (["W"], ["down", "down", "up", "s", "S"]),
}
LOGGED = re.compile(r"ui: (\d+) frames, (.*): median ([\d.]+) ms, p99 ([\d.]+) ms, "
                    r"worst ([\d.]+) ms")


def measure(bench, at, screen, log):
    opening, keys = SCREENS[screen]
    t = Tui([paths.EVENTSCOPE, "keys", "wide", "-b", at, "--tui", "--log", log], ENV)
    try:
        t.wait("wide")
        t.send(*opening)
        end, i = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            t.pump(0.03)
            t.send(keys[i % len(keys)])
            i += 1
        t.kill()
        t.wait_exit()
    finally:
        t.close()
    with open(log) as f:
        for n, what, *ms in LOGGED.findall(f.read()):
            print(f"  {screen:<8} {what:<26} {n:>5} frames: median {ms[0]:>5} ms, p99 {ms[1]:>5} "
                  f"ms, worst {ms[2]:>5} ms", flush=True)


def run(bench):
    program = bench.tool("wide")
    cluster = subprocess.Popen([program, "wide", str(PARTITIONS), str(RECORDS)],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        at = cluster.stdout.readline().strip()
        print(f"\n{PARTITIONS} partitions, {RECORDS} records, a key every 30 ms:")
        with tempfile.TemporaryDirectory() as folder:
            for screen in SCREENS:
                measure(bench, at, screen, f"{folder}/{screen}.log")
    finally:
        cluster.kill()
        cluster.wait()
