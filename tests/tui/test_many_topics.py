"""Ten thousand topics on a real broker: every list is still a page, and memory has an end."""
import re

import pytest

N = 10000


@pytest.fixture
def crowd(broker, any_admin):
    k = broker(properties={"log.index.size.max.bytes": "4096"}, heap="1500m")
    admin = any_admin.at(k.bootstrap)
    names = [f"load.topic-{i:05d}.seen" for i in range(N)]
    admin("create-topic", topic=names[4242])
    admin("produce", topic=names[4242], records=[{"key": "k", "value": f"v{i}"}
                                                 for i in range(100)])
    admin("create-topics", topics=[n for n in names if n != names[4242]])
    yield k.bootstrap
    k.kill()                                 # to close ten thousand logs takes a while


def peak_mb(t):
    with open(f"/proc/{t.pid}/status") as f:
        return int(re.search(r"VmHWM:\s+(\d+) kB", f.read()).group(1)) / 1000


def test_ten_thousand_topics(crowd, tui):
    t = tui("-b", crowd, rows=30, cols=120)
    t.wait("10,000 of 10,000", 180)              # the broker makes a folder for each
    t.wait(re.compile(r"► +load\.topic-04242\.seen .* 100 .* ok"), 60)
    t.wait(lambda t: t.text.count(" empty") == len(t.lines) - 6, 60)     # every row has its figure
    for _ in range(9):                                                   # by name, column by column
        if "NAME ▲" not in t.text:
            head = t.lines[2]
            t.send("<").wait(lambda t: t.lines[2] != head)
    t.wait("NAME ▲").send("end").wait(re.compile(r"^► load\.topic-09999\.seen", re.M))
    t.send("pgup").wait(re.compile(r"^► load\.topic-09974\.seen", re.M)).send("home")
    t.wait(re.compile(r"^► load\.topic-00000\.seen", re.M))
    t.send("I").wait("NAME ▼").send("home")
    t.wait(re.compile(r"^► load\.topic-09999\.seen", re.M))
    t.send("/", "777").wait("19 of 10,000 rows").send("enter").wait("19 of 10,000 · every")
    t.send("esc").wait("10,000 of 10,000")
    t.send("m").wait("WORST STATE").send("home")
    t.wait(re.compile(r"- load +10,000 +10,000 +100 ")).send("m")
    t.send(":", "load.topic-07770").wait("1 of 10,").send("enter")
    t.wait("Topics › load.topic-07770.seen").wait("1 partition · 1 replica").send("q")
    t.send("0").wait("10,000 topics, 10,000 partitions").send("enter")
    t.wait("led by broker 1").wait(re.compile(r"load\.topic-\d+\.seen +1")).send("q", "q")
    before = peak_mb(t)
    for _ in range(5):                                                  # polls and reads all again
        t.send("^r", "end", "home", "/", "9", "enter", "esc")
        t.wait(lambda t: "10,000 of 10,000" in t.lines[1])
        t.pump(0.5)
    assert peak_mb(t) < max(1.3 * before, before + 30)
    assert peak_mb(t) < 200
