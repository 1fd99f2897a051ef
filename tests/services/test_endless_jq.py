"""An expression that does not end: a signal still ends the command, Esc and q the screens."""
import json
import signal
import time

import pytest

ENDLESS = "last(repeat(.))"
COMMANDS = {
    "messages": ["messages", "TOPIC", "--jq", "def f: f; f"],
    "ordered": ["messages", "TOPIC", "--sort", "time", "--jq", ENDLESS],
    "growing": ["messages", "TOPIC", "--jq", "[repeat(1)]"],
    "keys": ["keys", "TOPIC", "--jq", ENDLESS],
    "trace": ["trace", "TOPIC", "k3", "--state", "--map", ENDLESS],
    "replay": ["replay", "TOPIC", "--sink", "sqlite:view.db", "--target", "view", "--yes",
               "--columns", f"n={ENDLESS}"],
}


@pytest.fixture
def events(topic, produce):
    t = topic(partitions=3)
    produce(t, [(f"k{i % 50}", json.dumps({"n": i})) for i in range(3000)])
    return t


def busy(pid):
    """Seconds of processor that the process has had: it evaluates, and does not wait."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


@pytest.mark.parametrize("command", COMMANDS)
def test_a_signal_ends_it(command, events, kevs):
    child = kevs.start(*[a.replace("TOPIC", events) for a in COMMANDS[command]])
    end = time.monotonic() + 30
    while busy(child.pid) < 0.4 and child.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=20)
    assert child.returncode == 3, (out[-500:], err)


def test_a_record_that_takes_too_long_is_one_that_failed(events, tui, kafka):
    """On screens after a second; three of them and the rest is not tried: the search ends."""
    t = tui("messages", events, "-b", kafka, "--tui", "--jq", ENDLESS, rows=30, cols=120)
    t.wait("Esc stop")
    t.send("esc").wait_gone("Esc stop")
    t.send("q", "q", "q")
    assert t.wait_exit() == 0
