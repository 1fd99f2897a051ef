"""Every state a group can be in, on a real broker, and beside Kafka's own ConsumerGroupCommand."""
import json
import subprocess
import time

import pytest
from support import java, proc

TOOL = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"


def records(n, partition=0, size=20):
    return [{"partition": partition, "key": f"k{i}", "value": "v" * size} for i in range(n)]


def kafka_tool(bootstrap, group):
    """{(topic, partition): {committed, high, lag}} as ConsumerGroupCommand prints it, - as None."""
    out = subprocess.run(java.command(TOOL, "--bootstrap-server", bootstrap, "--describe",
                                      "--group", group),
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
                         text=True).stdout
    rows = {}
    for line in out.splitlines():
        cells = line.split()
        if len(cells) < 6 or cells[0] != group or not cells[2].isdigit():
            continue
        number = [None if c == "-" else int(c) for c in cells[3:6]]
        rows[cells[1], int(cells[2])] = dict(zip(("committed", "high", "lag"), number))
    return rows


def look(kevs, group, *options):
    """The group as eventscope sees it, its partitions by (topic, partition)."""
    doc = kevs("lag", "--group", group, "--json", *options).ok().json
    assert [g["group"] for g in doc["groups"]] == [group]
    found = doc["groups"][0]
    found["rows"] = {(p["topic"], p["partition"]): p for p in found["partitions"]}
    for row in found["partitions"]:
        assert row["lag"] is None or row["lag"] >= 0
        assert row["lag"] is not None or row["note"]
    return found


def agree(kevs, kafka, group, but=()):
    """What Kafka's tool has a number for, we have the same for, except the rows in `but`."""
    ours, theirs = look(kevs, group), kafka_tool(kafka, group)
    assert theirs
    for place, row in theirs.items():
        if place not in but:
            mine = ours["rows"][place]
            assert {k: mine[k] for k in row if row[k] is not None} == \
                {k: v for k, v in row.items() if v is not None}, place
    return ours


@pytest.fixture
def member(admin, name):
    """member(topics, **fields) starts a consumer in a group of its own and answers the group."""
    started = []

    def start(topics, group=None, **fields):
        group = group or name("group")
        who = name("consumer")
        admin("consumer-start", name=who, group=group, topics=topics, **fields)
        started.append(who)
        start.last = who
        return group
    yield start
    for who in started:
        admin("consumer-stop", name=who)


def drained(admin, who, n):
    proc.wait_until(lambda: admin("consumer-status", name=who)["records"] >= n,
                    f"{who} to read {n} records")


def test_active_members(admin, kevs, kafka, topic, member):
    t = topic(2)
    admin("produce", topic=t, records=records(10) + records(5, 1))
    group = member([t])
    drained(admin, member.last, 15)
    proc.wait_until(lambda: look(kevs, group)["total_lag"] == 0, "the commits")
    g = agree(kevs, kafka, group)
    assert (g["state"], g["status"], g["members"]) == ("Stable", "ok", 1)
    assert g["coordinator"] == 1 and g["assignor"] == "range" and g["topics"] == [t]
    row = g["rows"][t, 1]
    assert row["committed"] == row["high"] == 5 and row["lag_seconds"] == 0
    assert row["host"] and row["client"] == member.last and row["member"].startswith(member.last)
    assert len(g["member_list"][0]["partitions"]) == 2


def test_idle_member_without_a_commit(admin, kevs, kafka, topic, member):
    t = topic(1)
    admin("produce", topic=t, records=records(4))
    g = agree(kevs, kafka, member([t], commit="none", rate=0))
    assert g["members"] == 1 and g["total_lag"] is None and g["status"] == "unknown"
    assert g["rows"][t, 0]["note"] == "no committed offset"
    assert g["rows"][t, 0]["lag"] is None and g["rows"][t, 0]["high"] == 4


def test_empty_group_with_and_without_lag(admin, kevs, kafka, topic, name):
    t, group = topic(2), name("g")
    admin("produce", topic=t, records=records(10) + records(10, 1))
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 10, "1": 10})
    g = agree(kevs, kafka, group)
    assert (g["state"], g["status"], g["members"]) == ("Empty", "empty", 0)
    admin("set-group-offsets", group=group, topic=t, offsets={"1": 4})
    g = agree(kevs, kafka, group)
    assert g["status"] == "stop" and g["total_lag"] == 6 and g["eta"] == "never"
    assert g["rows"][t, 0]["status"] == "empty" and g["rows"][t, 1]["status"] == "stop"


def test_some_partitions_have_no_offset(admin, kevs, kafka, topic, name):
    t, group = topic(3), name("g")
    admin("produce", topic=t, records=records(5) + records(5, 1) + records(5, 2))
    admin("set-group-offsets", group=group, topic=t, offsets={"1": 5})
    g = agree(kevs, kafka, group)
    assert sorted(p["partition"] for p in g["partitions"]) == [0, 1, 2]
    assert g["rows"][t, 0]["note"] == "no committed offset" and g["rows"][t, 0]["lag"] is None
    assert g["total_lag"] == 0


def test_committed_before_the_log_start(admin, kevs, kafka, topic, name):
    t, group = topic(1), name("g")
    admin("produce", topic=t, records=records(50))
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 5})
    admin("delete-records", topic=t, before={"0": 30})
    row = look(kevs, group)["rows"][t, 0]
    assert row["note"] == "offset before log start" and row["lost"] == 25
    assert row["low"] == 30 and row["lag"] == 20
    # Where the contract says otherwise: Kafka's tool counts what is gone as if it could be read.
    theirs = kafka_tool(kafka, group)[t, 0]
    assert theirs == {"committed": row["committed"], "high": row["high"],
                      "lag": row["lag"] + row["lost"]}


def test_past_the_end_of_a_recreated_topic(admin, kevs, kafka, topic, name, member):
    t, group = topic(1), name("g")
    admin("produce", topic=t, records=records(50))
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 50})
    admin("delete-records", topic=t, before={"0": 50})
    admin("delete-topic", topics=[t])
    proc.wait_until(lambda: t not in admin("topics"), "the topic to go")
    admin("create-topic", topic=t, partitions=1)
    admin("produce", topic=t, records=records(3))
    # Kafka drops the offsets of a deleted topic, unless they are written again after it.
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 50})
    g = look(kevs, group)
    row = g["rows"][t, 0]
    assert row["note"] == "offset past log end" and row["lag"] is None and row["high"] == 3
    assert g["status"] == "warn" and g["total_lag"] is None
    # Where the contract says otherwise: Kafka's tool prints a negative lag.
    assert kafka_tool(kafka, group)[t, 0] == {"committed": 50, "high": 3, "lag": -47}
    assert row["committed"] == 50


def test_at_the_end_of_a_transactional_topic(admin, kevs, kafka, topic, name):
    t, group, txn = topic(1), name("g"), name("txn")
    admin("txn-begin", txn=txn)
    admin("produce", topic=t, txn=txn, records=records(5))
    admin("txn-commit", txn=txn)
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 5})
    g = agree(kevs, kafka, group)
    row = g["rows"][t, 0]
    assert row["lag"] == 1 and row["records_behind"] == 0 and row["note"] == "markers only"
    assert row["marker_only"] is True and row["lag_seconds"] == 0
    assert g["status"] == "empty"
    admin("producer-close", txn=txn)


def test_behind_an_open_transaction(admin, kevs, kafka, topic, name):
    t, group, txn = topic(1), name("g"), name("txn")
    admin("produce", topic=t, records=records(10))
    admin("txn-begin", txn=txn)
    admin("produce", topic=t, txn=txn, records=records(7))
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 10})
    row = agree(kevs, kafka, group)["rows"][t, 0]        # the tool counts to the high watermark
    assert row["note"] == "open transaction" and row["lag"] == 7
    assert row["high_watermark"] == 17 and row["last_stable_offset"] == row["lso"] == 10
    stable = look(kevs, group, "--isolation", "read_committed")["rows"][t, 0]
    assert stable["high"] == 10 and stable["lag"] == 0 and stable["note"] == "open transaction"
    admin("txn-abort", txn=txn)
    row = look(kevs, group, "--isolation", "read_committed")["rows"][t, 0]
    assert row["lag"] == 8 and row["records_behind"] == 0 and row["note"] == "markers only"


def test_compacted_topic(admin, kevs, kafka, topic, name):
    t, group = topic(1, cleanup_policy="compact", segment_ms=100, min_cleanable_dirty_ratio=0.01,
                     max_compaction_lag_ms=200), name("g")
    same = [{"partition": 0, "key": "same", "value": str(i)} for i in range(40)]
    admin("produce", topic=t, records=same)
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 10})

    def compacted():
        # A record of a later time starts a new segment, which makes the old one cleanable.
        admin("produce", topic=t, records=[{"partition": 0, "key": "other", "value": "x"}])
        row = look(kevs, group)["rows"][t, 0]
        behind = row["records_behind"]
        return behind is not None and behind <= row["lag"] - 29 and row
    row = proc.wait_until(compacted, "the compaction", 60)
    assert row["lag"] == row["high"] - 10 and row["compacted"] is True
    agree(kevs, kafka, group)


def test_deleted_topic(admin, kevs, kafka, topic, name, member):
    t, other, group = topic(1, "gone"), topic(1, "kept"), name("g")
    admin("produce", topic=t, records=records(5))
    admin("produce", topic=other, records=records(5))
    admin("set-group-offsets", group=group, topic=other, offsets={"0": 5})
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 2})
    child = kevs.start("lag", "--group", group, "--watch", "200ms", "--json")
    try:
        first = json.loads(child.stdout.readline())
        assert first["groups"][0]["total_lag"] == 3
        admin("delete-topic", topics=[t])

        def gone():
            doc = json.loads(child.stdout.readline())
            rows = {p["topic"]: p for p in doc["groups"][0]["partitions"]}
            return rows.get(t, {}).get("note") == "topic gone" and rows
        rows = proc.wait_until(gone, "the topic to be gone on a line", 40)
        assert rows[t]["lag"] is None and rows[t]["high"] is None
        assert rows[other]["lag"] == 0
    finally:
        child.terminate()
        child.communicate(timeout=10)
    # Kafka forgets the offsets of a deleted topic, and so does its tool: the row is not there.
    proc.wait_until(lambda: (t, 0) not in kafka_tool(kafka, group), "Kafka to forget them")
    agree(kevs, kafka, group)
    admin("create-topic", topic=t, partitions=1)


def test_new_protocol_group_is_never_dead(admin, kevs, kafka, topic, member):
    t = topic(2)
    admin("produce", topic=t, records=records(6) + records(6, 1))
    group = member([t], protocol="consumer")
    drained(admin, member.last, 12)
    proc.wait_until(lambda: look(kevs, group)["total_lag"] == 0, "the commits")
    g = agree(kevs, kafka, group)
    assert g["state"] != "Dead" and g["status"] != "empty"
    assert g["members"] is None or g["members"] == 1
    if g["members"] is None:
        assert "new protocol" in g["error"]
    assert g["rows"][t, 0]["lag"] == 0
    assert "Dead" not in kevs("lag", "--group", group).ok().out


def test_static_member(admin, kevs, kafka, topic, member):
    t = topic(1)
    admin("produce", topic=t, records=records(3))
    group = member([t], instance="till-7")
    drained(admin, member.last, 3)
    g = agree(kevs, kafka, group)
    assert g["member_list"][0]["instance"] == "till-7"
    assert g["rows"][t, 0]["instance"] == "till-7"


def test_a_name_with_odd_characters(admin, kevs, topic):
    t = topic(1)
    group = "odd \t\x1b[31m name\u202e \"quoted\" \u65e5\u672c*?[x]"
    admin("produce", topic=t, records=records(3))
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 1})
    assert look(kevs, group)["total_lag"] == 2
    text = kevs("lag", "--group", group).ok().out
    assert "\x1b" not in text and "\u202e" not in text and "\\x1b" in text
    expo = kevs("lag", "--group", group, "--prometheus").ok().out
    assert "\x1b" not in expo and '\\"quoted\\"' in expo


def test_unknown_group_is_one_clear_line(kevs, name):
    kevs("lag", "--group", name("nobody"), "--json").failed(1, "does not exist")
    kevs("lag", name("nobody"), "--json").failed(1, "does not exist")


def test_a_limit_never_holds_for_want_of_a_group(kevs, name):
    """A monitor with a mistyped name must not report that all is well."""
    kevs("lag", name("nobody"), "--fail-over", "10").failed(1, "does not exist")
    kevs("lag", name("nobody") + "*", "--fail-over", "10").failed(1, "no group matches")
    kevs("lag", name("nobody") + "*", "--fail-over-time", "5m", "--json").failed(1)
    found = kevs("lag", name("nobody") + "*").ok()
    assert found.out == "no group matches\n"


def test_globs_pick_groups(admin, kevs, topic, name):
    t, a, b = topic(1), name("a"), name("b")
    for group in (a, b):
        admin("set-group-offsets", group=group, topic=t, offsets={"0": 0})
    found = kevs("lag", a[:-1] + "?", "--json").ok().json
    assert [g["group"] for g in found["groups"]] == [a]


def test_thresholds_have_their_own_exit_code(admin, kevs, topic, name):
    t, group = topic(1), name("g")
    admin("produce", topic=t, records=records(10))
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 4})
    kevs("lag", "--group", group, "--fail-over", "6").ok()
    assert kevs("lag", "--group", group, "--fail-over", "5").code == 4
    kevs("lag", "--group", group, "--fail-over-time", "1h").ok()
    assert kevs("lag", "--group", group, "--fail-over-time", "1ms").code == 4


def test_prometheus_exposition(admin, kevs, topic, name):
    t, group = topic(1), name("g")
    admin("produce", topic=t, records=records(10))
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 4})
    lines = kevs("lag", "--group", group, "--prometheus").ok().out.splitlines()
    assert f'eventscope_group_lag_records{{group="{group}"}} 6' in lines
    assert (f'eventscope_partition_lag_records{{group="{group}",topic="{t}",partition="0"}} 6'
            in lines)
    assert f'eventscope_group_status{{group="{group}",status="stop"}} 1' in lines
    for line in lines:
        assert line.startswith("#") or line.rsplit(" ", 1)[1].replace(".", "").isdigit()


def test_age_is_exact_from_the_record(admin, kevs, topic, name):
    t, group = topic(1, retention_ms=3600000), name("g")
    now = time.time() * 1000
    admin("produce", topic=t, records=[
        {"partition": 0, "key": "k", "value": "v", "timestamp": int(now - 90000)},
        {"partition": 0, "key": "k", "value": "v", "timestamp": int(now - 30000)}])
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 0})
    doc = kevs("lag", "--group", group, "--json").ok().json
    row = doc["groups"][0]["partitions"][0]
    assert row["lag_seconds_method"] == "exact"
    assert abs(row["lag_seconds"] - (doc["at"] - int(now - 90000)) / 1000) < 0.01
    assert abs(row["retention_left_seconds"] + row["lag_seconds"] - 3600) < 0.01
    assert row["compacted"] is False


def test_offsets_topic_agrees_and_knows_commit_times(admin, kevs, topic, name):
    t, group = topic(2), name("g")
    admin("produce", topic=t, records=records(10) + records(10, 1))
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 3, "1": 10})
    asked, read = look(kevs, group), look(kevs, group, "--offsets-topic")
    for place, row in read["rows"].items():
        assert {k: row[k] for k in ("committed", "lag", "status")} == \
            {k: asked["rows"][place][k] for k in ("committed", "lag", "status")}
        assert row["committed_ts"] > 1_500_000_000_000


def test_asking_for_a_group_leaves_no_trace(broker, any_admin, evs):
    """Asking for a coordinator would make the broker create __consumer_offsets."""
    k = broker()
    admin = any_admin.at(k.bootstrap)
    admin("create-topic", topic="t", partitions=1)
    evs.at(k.bootstrap)("lag", "--group", "nobody").failed(1, "nobody", "does not exist")
    assert admin("topics", internal=True) == ["t"]


def test_a_group_deleted_during_a_watch(admin, kevs, topic, name):
    t, group = topic(1), name("g")
    admin("produce", topic=t, records=records(5))
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 2})
    child = kevs.start("lag", "--group", group, "--watch", "200ms", "--json")
    try:
        assert json.loads(child.stdout.readline())["groups"][0]["total_lag"] == 3
        admin("delete-group", groups=[group])
        gone = proc.wait_until(
            lambda: (lambda g: g["error"] and g)(json.loads(child.stdout.readline())["groups"][0]),
            "the group to be gone")
        assert "does not exist" in gone["error"] and gone["total_lag"] is None
        assert gone["partitions"][0]["note"] == "no committed offset"
    finally:
        child.terminate()
        child.communicate(timeout=10)
