"""Slow and rewound consumers, real ones: status within three refreshes, and the cause by name on
`lag --why` and on the Why screen."""
import json
import re

import pytest

from support import kcat, proc
from support.watch import Watch, row

REFRESHES = 3


@pytest.fixture
def feed(kafka):
    """feed(topic, rate) goes on producing until the test ends."""
    made = []

    def start(topic, rate):
        made.append(kcat.Feed(kafka, topic, rate))
    yield start
    for f in made:
        f.close()


@pytest.fixture
def reader(admin, name):
    """reader(topic, n, rate=...) is a group's only member that has read n records; answers the
    group and the consumer's name."""
    made = []

    def start(topic, n, **fields):
        group, who = name("group"), name("consumer")
        admin("consumer-start", name=who, group=group, topics=[topic], **fields)
        made.append(who)
        proc.wait_until(lambda: admin("consumer-status", name=who)["records"] >= n, f"{n} records")
        return group, who
    yield start
    for who in made:
        admin("consumer-stop", name=who)


def why(tui, kafka, group, topic):
    """The Why screen of partition 0, by the keys a person would press."""
    t = tui("partitions", topic, "-b", kafka, "--tui", rows=40, cols=200)
    t.wait(topic)
    t.send("L").wait(group)
    t.send("-").wait("every 2 s")
    t.send("-").wait("every 1 s")
    t.send("enter").wait("members")
    t.send("enter").wait("7 suspects")
    return t


def test_a_slow_consumer_is_named(kevs, kafka, topic, feed, reader, tui):
    t = topic(1)
    feed(t, 400)
    group, _ = reader(t, 40, rate=30)
    w = Watch(kevs, group)
    try:
        g = w.after(REFRESHES)
        assert (g["status"], row(g)["status"]) == ("warn", "warn"), g["rule"]
        assert "did not shrink" in g["rule"] and g["eta"] == "grows"
        assert row(g)["consume_rate"] < row(g)["produce_rate"] / 2
    finally:
        w.close()
    doc = kevs("lag", "--why", group, f"{t}:0", "--json").ok().json
    assert doc["status"] == "warn" and not any(s["found"] for s in doc["suspects"])
    said = re.search(r"([\d.]+) messages/s are read while ([\d.]+) arrive", doc["verdict"])
    assert said and float(said[1]) < float(said[2]) / 2, doc["verdict"]
    assert "slow processing is likely" in doc["verdict"]
    screen = why(tui, kafka, group, t)
    screen.wait(re.compile(r"[\d.]+ messages/s are read while [\d.]+ arrive"), timeout=30)
    screen.wait("slow processing is likely")
    screen.wait(re.compile(r"lag [\d,]+ . .* warn"))


def test_a_rewound_consumer_is_named(admin, kevs, kafka, topic, reader, tui):
    t = topic(1)
    kcat.produce(kafka, t, [(f"k{i}", "v") for i in range(600)])
    group, who = reader(t, 600)
    w = Watch(kevs, group)
    try:
        w.until(lambda g: g["total_lag"] == 0, "the commits")
        admin("consumer-set", name=who, rate=0)
        admin("consumer-seek", name=who, offset=500)
        seen = [w.line() for _ in range(REFRESHES)]
        back = [g for g in seen if row(g)["committed"] == 500]
        assert back and back[0]["status"] == "rewind" and "went back" in back[0]["rule"], seen
    finally:
        w.close()
    child = kevs.start("lag", "--why", group, f"{t}:0", "--json")
    at = 480
    while child.poll() is None and at > 100:       # goes back again and again while it is asked
        admin("consumer-seek", name=who, offset=at)
        at -= 1
    doc = json.loads(child.communicate(timeout=30)[0])
    assert doc["status"] == "rewind" and "The committed offset went back" in doc["verdict"]
    screen = why(tui, kafka, group, t)
    admin("consumer-seek", name=who, offset=50)
    screen.wait(re.compile(r"lag 550 . .* rewound"), timeout=30)
    screen.wait("The committed offset went back: what was read is read again.")
