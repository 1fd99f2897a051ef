"""Status by what real consumers do: each within three refreshes, with the rule that fired."""
import json
import time

import pytest
from support import proc
from support.watch import Watch, row

REFRESHES = 3


@pytest.fixture
def watch(kevs):
    made = []

    def start(group, *options):
        made.append(Watch(kevs, group, *options))
        return made[-1]
    yield start
    for w in made:
        if w.child.poll() is None:
            assert w.close() == 0


class Feed:
    """feed(n) puts n records into a partition."""

    def __init__(self, admin, topic):
        self.admin, self.topic = admin, topic

    def __call__(self, n, partition=0, key="k"):
        self.admin("produce", topic=self.topic, records=[
            {"partition": partition, "key": key, "value": "v" * 30} for _ in range(n)])


@pytest.fixture
def consumer(admin, name):
    started = []

    def start(topic, **fields):
        who, group = name("consumer"), fields.pop("group", None) or name("group")
        admin("consumer-start", name=who, group=group, topics=[topic], **fields)
        started.append(who)
        return who, group
    yield start
    for who in started:
        try:
            admin("consumer-stop", name=who)
        except Exception:       # stopped by the test itself
            pass


def read(admin, who, n):
    proc.wait_until(lambda: admin("consumer-status", name=who)["records"] >= n, f"{n} records")


def test_a_stuck_consumer_is_stalled(admin, topic, consumer, watch):
    t = topic(2)
    feed = Feed(admin, t)
    feed(20)
    who, group = consumer(t)
    read(admin, who, 20)
    admin("consumer-set", name=who, rate=0)          # polls on, takes nothing more
    for _ in range(2):                               # two rounds of its loop later
        admin("consumer-commit", name=who)
    feed(30)
    g = watch(group).after()
    assert (g["status"], row(g)["status"]) == ("stall", "stall")
    assert row(g)["lag"] == 30 and row(g)["member"]
    assert "stands still" in g["rule"] and "p0" in g["rule"]


def test_a_stopped_consumer_is_stopped(admin, topic, consumer, watch):
    t = topic(1)
    feed = Feed(admin, t)
    feed(20)
    who, group = consumer(t)
    read(admin, who, 20)
    admin("consumer-stop", name=who)
    feed(5)
    g = watch(group).after()
    assert g["status"] == "stop" and g["members"] == 0 and g["eta"] == "never"


def test_a_slow_consumer_warns_and_its_lag_grows(admin, topic, consumer, watch):
    t = topic(1)
    feed = Feed(admin, t)
    feed(400)
    who, group = consumer(t, rate=20)
    read(admin, who, 10)
    w = watch(group)
    for _ in range(REFRESHES + 1):
        feed(200)
        g = w.line()
    g = w.until(lambda g: feed(200) or g["status"] == "warn", "the warning", 10)
    assert row(g)["consume_rate"] < row(g)["produce_rate"] and g["eta"] == "grows"


def test_a_rewound_consumer(admin, topic, consumer, watch, name):
    t, group = topic(1), name("g")
    feed = Feed(admin, t)
    feed(500)
    who, _ = consumer(t, group=group)
    read(admin, who, 500)
    w = watch(group)
    w.until(lambda g: g["total_lag"] == 0, "the commits")
    admin("consumer-stop", name=who)
    w.until(lambda g: g["members"] == 0, "the group to be empty")
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 10})
    consumer(t, group=group, rate=20)
    g = w.until(lambda g: g["members"] == 1 and row(g)["member"], "the member")
    assert g["status"] == "rewind" and "went back" in g["rule"]


def test_one_partition_with_most_of_the_lag_is_skewed(admin, topic, consumer, watch):
    t = topic(4)
    feed = Feed(admin, t)
    for p in range(4):
        feed(5, p)
    who, group = consumer(t)
    read(admin, who, 20)
    admin("consumer-set", name=who, rate=30)
    w = watch(group)
    w.line()
    feed(3000, 2, key="hot")
    g = w.until(lambda g: g["total_lag"] and g["total_lag"] > 100, "the burst")
    assert g["status"] == "skewed" and f"p2 of {t}" in g["rule"]


def test_behind_an_open_transaction_is_no_stall(admin, topic, consumer, watch, name):
    t, txn = topic(1), name("txn")
    feed = Feed(admin, t)
    feed(10)
    who, group = consumer(t)
    read(admin, who, 10)
    admin("consumer-stop", name=who)
    admin("txn-begin", txn=txn)
    admin("produce", topic=t, txn=txn, records=[{"partition": 0, "key": "k", "value": "v"}] * 7)
    reader = admin.at(admin.bootstrap, **{"isolation.level": "read_committed"})
    late = name("late")
    reader("consumer-start", name=late, group=group, topics=[t])
    g = watch(group).after()
    assert g["status"] == "warn" and "open transaction" in g["rule"]
    assert row(g)["note"] == "open transaction" and row(g)["lag"] == 7
    reader("consumer-stop", name=late)
    admin("txn-abort", txn=txn)


def test_a_healthy_consumer_stays_ok(admin, topic, consumer, watch):
    t = topic(1)
    feed = Feed(admin, t)
    feed(10)
    who, group = consumer(t)
    read(admin, who, 10)
    w = watch(group)
    for _ in range(8):
        feed(50)
        assert w.line()["status"] == "ok"


def test_an_idle_producer_does_not_turn_time_into_nonsense(admin, topic, name, watch):
    """Own readings bracket the age of what came in while we watched, however long all was idle."""
    t, group = topic(1), name("g")
    feed = Feed(admin, t)
    feed(5)
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 5})
    w = watch(group)
    g = w.after(4)
    assert row(g)["lag_seconds"] == 0
    produced = time.time()
    feed(3)
    g = w.until(lambda g: g["total_lag"] == 3, "the records")
    age = row(g)["lag_seconds"]
    assert row(g)["lag_seconds_method"] == "exact"
    assert abs(age - (g["at"] / 1000 - produced)) < 1


def test_behind_on_an_idle_topic_the_age_stays_exact(admin, topic, name, watch):
    """Nothing is produced any more: the age goes on by the clock, neither stops nor jumps."""
    t, group = topic(1), name("g")
    now = int(time.time() * 1000)
    stamps = [now - 86400000 * 3, now - 3600000, now - 60000, now - 59000]
    admin("produce", topic=t, records=[
        {"partition": 0, "key": "k", "value": "v", "timestamp": s} for s in stamps])
    for at, committed in ((1, 1), (0, 0), (3, 3)):
        admin("set-group-offsets", group=group, topic=t, offsets={"0": committed})
        w = watch(group)
        for _ in range(5):
            g = w.line()
            assert row(g)["lag_seconds_method"] == "exact"
            assert abs(row(g)["lag_seconds"] - (g["at"] - stamps[at]) / 1000) < 0.01
            assert g["max_lag_seconds"] == row(g)["lag_seconds"]
        assert w.close() == 0


def test_caught_up_on_an_idle_topic_there_is_no_age(admin, topic, name, watch):
    """Whatever the age of the newest record, and where a group never was."""
    t, group = topic(2), name("g")
    admin("produce", topic=t, records=[{"partition": 0, "key": "k", "value": "v",
                                        "timestamp": int(time.time() * 1000) - 7200000}])
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 1})
    w = watch(group)
    for _ in range(5):
        g = w.line()
        assert (row(g)["lag"], row(g)["lag_seconds"]) == (0, 0)
        assert (row(g, 1)["lag"], row(g, 1)["lag_seconds"]) == (None, None)
        assert g["max_lag_seconds"] in (0, None) and g["eta_seconds"] in (0, None)


def truth_lies_between(doc, topic, stamps):
    """Every row's age is right, or its bracket holds the truth; answers how many are brackets."""
    seen = 0
    for g in doc["groups"]:
        p = g["partitions"][0]
        if p["topic"] != topic:
            continue
        true = (doc["at"] - stamps[p["committed"]]) / 1000
        if p["lag_seconds_method"] == "exact":
            assert abs(p["lag_seconds"] - true) < 0.01, p
            continue
        low, high = p["lag_seconds_between"]
        assert low - 1 <= true and (high is None or true <= high + 1), p
        seen += 1
    return seen


def test_many_rows_are_bracketed_and_the_truth_lies_between(admin, kevs, topic, name):
    t, groups = topic(1), [name(f"g{i}") for i in range(70)]
    now = int(time.time() * 1000)
    ages = [7200, 2000, 400, 90, 10]
    admin("produce", topic=t, records=[
        {"partition": 0, "key": "k", "value": "v", "timestamp": now - s * 1000} for s in ages])
    for i, group in enumerate(groups):
        admin("set-group-offsets", group=group, topic=t, offsets={"0": i % len(ages)})
    glob = groups[0].rsplit("-", 2)[0] + "-*"
    stamps = [now - s * 1000 for s in ages]
    doc = kevs("lag", glob, "--json").ok().json
    assert truth_lies_between(doc, t, stamps) == len(groups)
    child = kevs.start("lag", glob, "--json", "--watch", "200ms")     # idle all the while
    try:
        for _ in range(4):
            truth_lies_between(json.loads(child.stdout.readline()), t, stamps)
    finally:
        child.terminate()
        child.communicate(timeout=10)


def test_watch_survives_a_broker_restart(broker, any_admin, evs, name):
    k = broker()
    admin = any_admin.at(k.bootstrap)
    group = name("g")
    admin("create-topic", topic="t", partitions=1)
    admin("produce", topic="t", records=[{"partition": 0, "key": "k", "value": "v"}] * 5)
    admin("set-group-offsets", group=group, topic="t", offsets={"0": 2})
    w = Watch(evs.at(k.bootstrap), group, "--timeout", "3s")
    try:
        assert w.line()["total_lag"] == 3
        k.kill(1)
        bad = w.until(lambda g: not g["complete"], "the failure on a line", 40)
        assert bad["error"] or row(bad)["note"] not in (None, "")
        assert bad["total_lag"] is None
        k.start(1)
        good = w.until(lambda g: g["complete"] and g["total_lag"] == 3, "the recovery", 60)
        assert good["error"] is None
    finally:
        code = w.close()
    assert code == 0


def test_a_broker_that_stands_still_is_a_state_and_heals(broker, any_admin, evs, name):
    """Answers that come after the patience is over: no crash, no wrong figure, and it goes on."""
    k = broker()
    admin = any_admin.at(k.bootstrap)
    groups = [name(f"g{i}") for i in range(100)]
    admin("create-topic", topic="t", partitions=1)
    admin("produce", topic="t", records=[{"partition": 0, "key": "k", "value": "v"}] * 5)
    admin("set-group-offsets", groups=groups, topic="t", offsets={"0": 2})
    child = evs.at(k.bootstrap).start("lag", "--watch", "200ms", "--json", "--timeout", "1s", "-q")

    def line(good):
        doc = json.loads(child.stdout.readline())
        for g in doc["groups"]:
            assert g["total_lag"] == 3 or (g["total_lag"] is None and g["error"]), g
        return len(doc["groups"]) == 100 and \
            good == all(g["total_lag"] == 3 for g in doc["groups"])
    try:
        for _ in range(3):
            proc.wait_until(lambda: line(True), "all groups", 60, 0)
            k.freeze(1)
            proc.wait_until(lambda: line(False), "the state", 60, 0)
            k.thaw(1)
        proc.wait_until(lambda: line(True), "the recovery", 60, 0)
    finally:
        k.thaw(1)
        child.terminate()
        child.communicate(timeout=20)
    assert child.returncode == 0


def test_lost_permission_is_a_state_and_heals(broker, any_admin, evs, name):
    from support.kafka import AUTHORIZER
    k = broker(listeners={"SASL": "SASL_PLAINTEXT"}, properties={
        "authorizer.class.name": AUTHORIZER, "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl.plain.sasl.jaas.config":
            "org.apache.kafka.common.security.plain.PlainLoginModule required "
            "user_reader=secret;"})
    root = any_admin.at(k.bootstrap)
    group = name("g")
    root("create-topic", topic="t", partitions=1)
    root("produce", topic="t", records=[{"partition": 0, "key": "k", "value": "v"}] * 5)
    root("set-group-offsets", group=group, topic="t", offsets={"0": 2})
    mine = {"principal": "User:reader", "operation": "DESCRIBE"}
    root("acl", resource="GROUP", name=group, **mine)
    root("acl", resource="TOPIC", name="t", **mine)
    login = ["-X", "security.protocol=sasl_plaintext", "-X", "sasl.mechanism=PLAIN",
             "-X", "sasl.username=reader", "-X", "sasl.password=secret"]
    # No permission to list: a named group answers all the same.
    w = Watch(evs.at(k.address("SASL")), group, "--timeout", "5s", *login)
    try:
        assert w.line()["total_lag"] == 3
        root("delete-acls")
        lost = w.until(lambda g: g["error"], "the lost permission", 30)
        assert "not authorized" in lost["error"] and lost["status"] == "unknown"
        assert lost["total_lag"] is None
        root("acl", resource="GROUP", name=group, **mine)
        hidden = w.until(lambda g: not g["error"], "the permission on the group", 60)
        assert row(hidden)["note"] != "topic gone"
        root("acl", resource="TOPIC", name="t", **mine)
        assert w.until(lambda g: g["total_lag"] == 3, "the permission on the topic", 60)
    finally:
        w.close()


def test_a_coordinator_that_moves_is_followed(kafka3, any_admin, evs, name):
    """No line between has a wrong figure: the right one, or none and why."""
    admin, group, t = any_admin.at(kafka3), name("g"), name("t")
    admin("create-topic", topic=t, partitions=1)
    admin("produce", topic=t, records=[{"partition": 0, "key": "k", "value": "v"}] * 5)
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 2})
    w = Watch(evs.at(kafka3), group, "--timeout", "5s")
    try:
        first = w.line()
        assert first["total_lag"] == 3
        old, between = first["coordinator"], []
        for p in admin("describe-topic", topic="__consumer_offsets"):
            if p["leader"] == old:
                admin("reassign", topic="__consumer_offsets", partition=p["partition"],
                      replicas=[*[r for r in p["replicas"] if r != old], old])
        admin("elect")
        w.until(lambda g: between.append(g) or g["coordinator"] not in (None, old)
                and g["total_lag"] == 3 and not g["error"], "the other coordinator", 60)
        for g in between:
            assert g["total_lag"] == 3 or (g["total_lag"] is None and g["error"]), g
    finally:
        assert w.close() == 0
        admin("delete-topic", topics=[t])


@pytest.mark.long
def test_watch_survives_a_coordinator_move(broker, any_admin, evs, name):
    k = broker(nodes=3)
    admin = any_admin.at(k.bootstrap)
    group = name("g")
    admin("create-topic", topic="t", partitions=3, replicas=3)
    admin("produce", topic="t", records=[{"partition": 0, "key": "k", "value": "v"}] * 5)
    admin("set-group-offsets", group=group, topic="t", offsets={"0": 2, "1": 0, "2": 0})
    w = Watch(evs.at(k.bootstrap), group, "--timeout", "5s")
    try:
        first = w.line()
        assert first["total_lag"] == 3
        k.kill(first["coordinator"])
        w.until(lambda g: g["coordinator"] not in (None, first["coordinator"])
                and g["total_lag"] == 3 and not g["error"], "another coordinator", 60)
        k.start(first["coordinator"])
        w.until(lambda g: g["complete"] and g["total_lag"] == 3, "all brokers to answer", 60)
    finally:
        assert w.close() == 0
