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
