"""After every read command: no new group, no new topic, no commit, and the broker was sent nothing
but requests that read."""
import json
import re

import pytest

from support import kcat, proc

READS = {
    "API_VERSIONS", "METADATA", "LIST_OFFSETS", "FETCH", "LIST_GROUPS", "DESCRIBE_GROUPS",
    "CONSUMER_GROUP_DESCRIBE", "OFFSET_FETCH", "FIND_COORDINATOR", "DESCRIBE_CONFIGS",
    "DESCRIBE_CLUSTER", "DESCRIBE_ACLS", "OFFSET_FOR_LEADER_EPOCH", "SASL_HANDSHAKE",
    "SASL_AUTHENTICATE", "DESCRIBE_TOPIC_PARTITIONS"}

COMMANDS = {
    "topics": ["topics"],
    "topics-json": ["topics", "--json"],
    "partitions": ["partitions", "TOPIC"],
    "messages": ["messages", "TOPIC", "--json"],
    "messages-sorted": ["messages", "TOPIC", "--sort", "time"],
    "messages-uncommitted": ["messages", "TOPIC", "--isolation", "read_uncommitted"],
    "messages-follow": ["messages", "TOPIC", "--follow", "-c", "10", "-o", "beginning"],
    "messages-unknown-topic": ["messages", "no-such-topic-TOPIC"],
    "trace": ["trace", "TOPIC", "k3"],
    "keys": ["keys", "TOPIC", "--json"],
    "keys-sample": ["keys", "TOPIC", "--json", "--sample"],
    "lag": ["lag", "--json"],
    "lint": ["lint", "TOPIC"],
    "lag-group": ["lag", "--group", "GROUP", "--json"],
    "lag-why": ["lag", "--why", "GROUP", "TOPIC:1"],
    "lag-committed": ["lag", "--isolation", "read_committed", "--json"],
    "lag-unknown-group": ["lag", "--group", "no-such-GROUP"],
    "lag-fail-over": ["lag", "--fail-over", "1000000", "--fail-over-time", "30d"],
    "trace-all": ["trace", "TOPIC", "k3", "--state", "--all-partitions", "--json"],
    "trace-lanes": ["trace", "TOPIC", "k3", "--with", "TOPIC,json:.n"],
    "lint-full": ["lint", "--full", "--json"],
    "doctor": ["doctor"],
    "check": ["check", "TOPIC"],
    "lag-offsets-topic": ["lag", "--offsets-topic", "--json"],
    "lag-prometheus": ["lag", "--prometheus"],
    "lint-all": ["lint"],
    "trace-all": ["trace", "TOPIC", "k3", "--all-partitions", "--state", "--json"],
    "doctor": ["doctor", "--topic", "TOPIC", "--group", "GROUP"],
    "check": ["check", "TOPIC", "--group", "GROUP", "--lint"],
    "replay-dry-run": ["replay", "TOPIC", "--sink", "sqlite:v.db", "--target", "v", "--dry-run"],
    "replay-diff": ["replay", "TOPIC", "--sink", "sqlite:v.db", "--target", "v", "--diff"],
    "keys-follow": ["keys", "TOPIC", "--follow", "-c", "10", "--json"],
    "topics-times": ["topics", "--times", "--rate", "100ms", "--all"],
}


@pytest.fixture(scope="module")
def world(broker_once, any_admin):
    """A broker of our own: whatever it is sent beside the set-up was sent by eventscope."""
    admin = any_admin.at(broker_once.bootstrap)
    topic, group = "orders.order.created", "billing"
    admin("create-topic", topic=topic, partitions=3)
    kcat.produce(broker_once.bootstrap, topic, [(f"k{i % 7}", f'{{"n":{i}}}') for i in range(500)])
    admin("set-group-offsets", group=group, topic=topic, offsets={"0": 1, "1": 2, "2": 3})
    admin("alter-config", type="logger", name="1", set={"kafka.request.logger": "DEBUG"})
    return broker_once, admin, topic, group


@pytest.fixture(scope="module")
def broker_once():
    from support.kafka import KafkaBroker
    with KafkaBroker() as k:
        yield k


def state(admin, group):
    return {"groups": admin("groups"), "topics": sorted(admin("topics", internal=True)),
            "commits": admin("group-offsets", group=group)}


def requests_of(broker, start):
    """Names of the requests in the broker's log from byte start on, sent by librdkafka."""
    with open(broker.log(), encoding="utf-8", errors="replace") as f:
        f.seek(start)
        text = f.read()
    found = set()
    for line in text.splitlines():
        if "Completed request:" in line and '"softwareName":"librdkafka"' in line:
            found.add(json.loads(line.split("Completed request:", 1)[1])
                      ["requestHeader"]["requestApiKeyName"])
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_read_command(command, world, evs):
    broker, admin, topic, group = world
    argv = [a.replace("TOPIC", topic).replace("GROUP", group) for a in COMMANDS[command]]
    before, start = state(admin, group), broker.log().stat().st_size
    got = evs.at(broker.bootstrap)(*argv)
    assert got.code in ((2, 1) if "unknown" in command else (0, 3, 4)) or \
        (command == "check" and got.code in (1, 2)), f"{got}"
    assert state(admin, group) == before
    sent = proc.wait_until(lambda: requests_of(broker, start), "the request log")
    assert sent <= READS, f"not a read: {sorted(sent - READS)}"


def test_a_cluster_that_never_had_a_group(broker, any_admin, evs):
    """Asking for a coordinator makes a broker create __consumer_offsets: so nobody may ask."""
    k = broker()
    admin = any_admin.at(k.bootstrap)
    admin("create-topic", topic="t")
    for argv in (["topics"], ["messages", "t"], ["lag"], ["keys", "t"]):
        evs.at(k.bootstrap)(*argv)
        assert admin("topics", internal=True) == ["t"], argv


@pytest.mark.parametrize("options", [[], ["--offsets-topic"], ["--group", "billing"]])
def test_lag_watched(options, world, evs):
    broker, admin, topic, group = world
    before, start = state(admin, group), broker.log().stat().st_size
    child = evs.at(broker.bootstrap).start("lag", "--watch", "200ms", "--json", *options)
    for _ in range(5):
        assert json.loads(child.stdout.readline())["groups"]
    child.terminate()
    child.communicate(timeout=10)
    assert state(admin, group) == before
    sent = proc.wait_until(lambda: requests_of(broker, start), "the request log")
    assert sent <= READS, f"not a read: {sorted(sent - READS)}"


def test_screens(world, tui):
    """A tour: partitions, messages, trace, keys, groups, a group, why and its evidence, lint,
    cluster; with the isolation switched and everything refreshed."""
    broker, admin, topic, group = world
    before, start = state(admin, group), broker.log().stat().st_size
    t = tui("-b", broker.bootstrap, rows=40, cols=150)
    t.wait(topic).send("enter").wait(re.compile("(?i)partition"))
    t.send("enter").wait(re.compile(r"\bk\d\b"))
    t.send("x").wait("Trace k").wait("messages read")
    t.send("i").wait("read_uncommitted").wait("messages read")
    t.send("a").wait("all 3 partitions were read")
    t.send("q").wait(re.compile(r"\bk\d\b")).send("K").wait("hot keys")
    t.send("7").wait(group).wait("stopped")
    t.send("i").wait("last stable offset").send("enter").wait("COMMITTED")
    t.send("enter").wait("Nobody reads it", timeout=30)
    t.send("]").wait("Nobody reads it", timeout=30)
    t.send("G", "enter").wait("messages")
    t.send("9").wait("exit code of the same check", timeout=60)
    t.send("0").wait("127.0.0.1")
    t.send(":q", "enter")
    t.wait_exit()
    assert state(admin, group) == before
    sent = proc.wait_until(lambda: requests_of(broker, start), "the request log")
    assert sent <= READS, f"not a read: {sorted(sent - READS)}"
