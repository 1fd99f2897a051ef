"""Groups, Group and Why on a real broker: what they say is what was done to the groups."""
import json
import re

import pytest
from support import proc


@pytest.fixture
def stalled(admin, name):
    """A group of one member that stands still before one broken record; answers (group, topic)."""
    topic, group, who = name("topic"), name("group"), name("consumer")
    admin("create-topic", topic=topic, partitions=2)
    admin("produce", topic=topic, records=[
        {"partition": p, "key": f"k{i}", "value": json.dumps({"n": i})}
        for p in (0, 1) for i in range(10)])
    admin("consumer-start", name=who, group=group, topics=[topic])
    proc.wait_until(lambda: admin("consumer-status", name=who)["records"] >= 20, "records")
    admin("consumer-set", name=who, rate=0)
    for _ in range(2):
        admin("consumer-commit", name=who)
    admin("produce", topic=topic, records=[
        {"partition": 1, "key": "bad", "value": '{"n": "' + "x" * 30000}] + [
        {"partition": 1, "key": f"k{i}", "value": json.dumps({"n": i})} for i in range(40)])
    yield group, topic
    admin("consumer-stop", name=who)
    admin("delete-topic", topics=[topic])


def test_from_groups_to_the_cause_in_two_keys(tui, kafka, stalled):
    group, topic = stalled
    t = tui("-b", kafka, rows=40, cols=240)
    t.wait("Topics")
    t.send("7")
    t.wait("STATUS")
    t.send("/", *group, "enter")
    t.send("-", "-").wait("every 1 s")
    t.wait(re.compile(rf"{group} +Stable .* 41 .* stalled"), timeout=40)
    t.send("enter")
    t.wait("no partition of this member moves")
    t.wait(re.compile(rf"{topic} 1 .* 41 .* stalled"))
    t.send("enter")
    t.wait("Stuck on one record: 10", timeout=30)
    t.wait("not valid JSON")
    t.wait("7 suspects, 1 confirmed")
    for title in ("hot key in the lag", "open transaction", "data lost to retention", "no owner",
                  "all partitions slow", "slow processing"):
        assert title in t.text
    t.send("]")
    t.wait("Nothing waits")
    t.send("q")
    t.wait("members")
    t.send("q")
    t.wait("high watermark (i)")
    t.send("i")
    t.wait("last stable offset (i)")


def test_groups_of_one_topic_and_hidden_empty_ones(admin, tui, kafka, topic, name):
    t1, behind, done = topic(1), name("behind"), name("done")
    admin("produce", topic=t1, records=[{"partition": 0, "key": "k", "value": "v"}] * 9)
    admin("set-group-offsets", group=behind, topic=t1, offsets={"0": 2})
    admin("set-group-offsets", group=done, topic=t1, offsets={"0": 9})
    t = tui("partitions", t1, "-b", kafka, "--tui", rows=30, cols=240)
    t.wait("Topics")
    t.send("L")
    t.wait(behind)
    t.wait("stopped")
    assert done not in t.text
    t.send("a")
    t.wait(done)


def test_a_cluster_without_groups_and_a_named_one(broker, any_admin, tui):
    k = broker()
    t = tui("-b", k.bootstrap, rows=24, cols=80)
    t.wait("Topics")
    t.send("7")
    t.wait(":group NAME")
    any_admin.at(k.bootstrap)("create-topic", topic="t", partitions=1)
    any_admin.at(k.bootstrap)("set-group-offsets", group="late", topic="t", offsets={"0": 0})
    t.send("a")
    t.wait("late", timeout=40)
