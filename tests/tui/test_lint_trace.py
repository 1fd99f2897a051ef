"""Lint and Trace on a real Kafka: the screens say what the commands say."""
import json
import re

import pytest

MURMUR2 = ["-X", "topic.partitioner=murmur2_random"]


@pytest.fixture
def orders(topic, produce):
    t = topic(partitions=6, suffix="placed")
    kinds = ["placed", "paid", "shipped"]
    produce(t, [(f"User:{i % 50}", json.dumps(
        {"type": kinds[i // 50 % 3], "orderId": f"O-{i}", "status": kinds[i // 50 % 3]}))
        for i in range(3000)] + [("User:7", None)], options=MURMUR2)
    return t


def test_trace_steps_states_and_time_travel(kafka, kevs, orders, tui):
    told = kevs("trace", orders, "User:7", "--json", "--state", "--fold", "merge").ok()
    first, *steps = told.lines
    p = first["candidates"][0]["partition"]
    t = tui("trace", orders, "User:7", "-b", kafka, "--tui", rows=30, cols=130)
    t.wait(f"User:7 hashes to p{p} (murmur2, as all keys of this topic); {len(steps)} events")
    t.wait(re.compile(rf"► +{len(steps)} .*\(delete\).*gone"))
    t.wait(f"#{len(steps)} of {len(steps)}")
    t.send("[").wait(f"state after #{len(steps) - 1}, diff to #{len(steps) - 2}")
    now, before = steps[-2]["state"], steps[-3]["state"]
    t.wait(f'-   "orderId": "{before["orderId"]}"').wait(f'+   "orderId": "{now["orderId"]}"')
    t.send("d").wait(re.compile(rf'│ +"orderId": "{now["orderId"]}"'))
    t.send("@", "#1\r").wait(f"#1 of {len(steps)}").wait(f'"{steps[0]["state"]["orderId"]}"')
    t.send("m").wait("fold: none")
    t.send("a").wait(f"{len(steps)} events").wait("all 6 partitions were read")
    t.send("enter").wait("messages").wait("User:7")


def test_trace_of_nothing_and_small_sizes(kafka, orders, tui):
    t = tui("trace", orders, "nobody", "-b", kafka, "--tui", rows=30, cols=130)
    t.wait(re.compile(r"No event of nobody on p\d\. a reads the other 5\."))
    for rows, cols in (24, 80), (12, 60), (5, 20), (1, 1), (30, 130):
        t.resize(rows, cols)
        t.pump(0.2)
    t.wait("No event of nobody")


def test_lint_findings_and_where_they_lead(kafka, kevs, topic, produce, tui):
    t1 = topic(suffix="mails", partitions=3)
    produce(t1, [(f"anna.{i % 90}@mail.example", "{}") for i in range(2000)], options=MURMUR2)
    t = tui("lint", "-b", kafka, "--tui", rows=40, cols=140)
    t.wait("exit code of the same check: 4", timeout=120)
    t.send("/", "mutable\r").wait(re.compile(r"warn +mutable-key"))
    t.wait("Advice: Key by an id that never changes")
    t.send("enter").wait(re.compile(r"Keys|Partitions"))


def test_several_topics_are_lanes_with_the_time_between(admin, kafka, kevs, topic, tui, tmp_path):
    names = [topic(1, s) for s in ("placed", "paid", "sent")]
    base = 1_790_000_000_000
    for i in range(4):
        for name, after in zip(names, (0, 1234, 61000)):
            admin("produce", topic=name, records=[{
                "partition": 0, "key": "o1", "timestamp": base + i * 600000 + after,
                "value": json.dumps({"type": name.rsplit("-", 1)[1], "n": i})}])
    options = ["--with", names[1], "--with", f"{names[2]},key"]
    told = kevs("trace", names[0], "o1", "--json", *options).ok().lines[1:]
    assert [s["since_last_ms"] for s in told][1:4] == [1234, 59766, 539000]
    t = tui("trace", names[0], "o1", "-b", kafka, "--tui", *options, rows=30, cols=150)
    t.wait("12 events on 3 topics").wait("AFTER")
    lines = [line.split("│")[0] for line in t.lines if re.match(r"^[► ] +\d+ ", line)]
    for event, line in zip(told, lines, strict=True):
        assert event["event"] in line
        assert event["step"] == int(re.search(r"\d+", line)[0])
    starts = [line.index(e["event"]) for e, line in zip(told, lines)]
    assert len(set(starts)) == 3 and starts[:3] == sorted(starts[:3])     # one column a topic
    assert "+1.23 s" in lines[1] and "+59.8 s" in lines[2] and "+8 m 59 s" in lines[3]
    t.send("f", " map:(.state // 0) + 1\r").wait("fold: map")
    t.wait("state after #12").wait(re.compile(r"\+ 12\b"))
    saved = tmp_path / "states.jsonl"
    t.send("S").wait("save").send(f"{saved}\r").wait(re.compile("saved|wrote"))
    states = [json.loads(line) for line in saved.read_text().splitlines()]
    assert [s["state"] for s in states] == list(range(1, 13))
    assert [(s["topic"], s["offset"], s["step"]) for s in states] == \
        [(s["topic"], s["offset"], s["step"]) for s in told]
    t.send("f", "\x15by:colour").wait("neither key, header:NAME nor json:PATH")
    t.send("esc").wait_gone("by:colour").send("m").wait("fold: none")


def test_isolation_of_a_trace(admin, kafka, topic, name, tui):
    t1, txn = topic(1), name("txn")
    admin("produce", topic=t1, records=[{"partition": 0, "key": "k", "value": '{"n":1}'}])
    admin("txn-begin", txn=txn)
    admin("produce", topic=t1, txn=txn, records=[{"partition": 0, "key": "k", "value": '{"n":2}'}])
    admin("txn-abort", txn=txn)
    t = tui("trace", t1, "k", "-b", kafka, "--tui", rows=30, cols=130)
    t.wait("read_committed").wait("#1 of 1")
    t.send("i").wait("read_uncommitted").wait("#2 of 2")
    t.send("i").wait("#1 of 1")


def test_options_of_a_trace_reach_its_screen(admin, kafka, topic, tui):
    name = topic(partitions=1)
    admin("produce", topic=name, records=[{"key": "k\x01", "value": '{"a": 1}'}])
    admin("txn-begin", txn=f"{name}-x")
    admin("produce", topic=name, txn=f"{name}-x", records=[{"key": "k\x01", "value": '{"b": 2}'}])
    admin("txn-abort", txn=f"{name}-x")
    t = tui("trace", name, "hex:6b01", "-b", kafka, "--tui", "--isolation", "read_uncommitted",
            "--fold", "last", rows=24, cols=130)
    t.wait("fold: last · all that is kept · read_uncommitted").wait("#2 of 2")
    assert r"Trace k\x01" in t.lines[1]
    bad = tui("trace", name, "hex:6b0", "-b", kafka, "--tui")
    assert bad.wait_exit() == 2
    assert "not an even number of hex digits" in bad.text


def test_lint_of_no_topics_judges_nothing(broker, tui):
    t = tui("lint", "-b", broker().bootstrap, "--tui", rows=20, cols=100)
    t.wait("No topics to check.", 60)
    assert "nothing found" not in t.text
