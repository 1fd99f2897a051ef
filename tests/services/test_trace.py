"""`eventscope trace` on a real Kafka: one partition read, kcat has the same, own folds agree."""
import json

import pytest

from support import kcat

MURMUR2 = ["-X", "topic.partitioner=murmur2_random"]
CRC32 = ["-X", "topic.partitioner=consistent_random"]


def history(rng, keys, n):
    """Events of n records: JSON values, merge patches, broken ones, tombstones."""
    def value():
        r = rng.random()
        if r < 0.05:
            return None
        if r < 0.08:
            return "{broken"
        patch = {rng.choice("abcd"): rng.choice([None, 1, "x", {"y": rng.randrange(3)}, [1, 2]])
                 for _ in range(rng.randrange(4))}
        return json.dumps(patch)
    return [(rng.choice(keys), value()) for _ in range(n)]


def merge(target, patch):
    """RFC 7386, as its own pseudo code says it."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = merge(target.get(name), value)
    return target


@pytest.fixture
def orders(topic, produce, rng):
    name = topic(partitions=12)
    records = history(rng, [f"User:{i}" for i in range(600)], 24000)
    produce(name, records, options=MURMUR2)
    return name


def test_reads_one_partition_and_equals_kcat(kevs, kafka, orders):
    whole = kcat.consume(kafka, orders)
    for key in ("User:7", "User:311", "User:599"):
        first, *steps = kevs("trace", orders, key, "--json").ok().lines
        assert first["partitioner"] == "murmur2" and len(first["candidates"]) == 1
        p = first["candidates"][0]["partition"]
        assert first["read"] == sum(r["partition"] == p for r in whole)
        assert first["complete"] is True
        want = [(r["partition"], r["offset"], r["ts"], r["payload"])
                for r in whole if r["key"] == key]
        assert [(s["partition"], s["offset"], s["ts"], s["payload"]) for s in steps] == want
        assert [s["step"] for s in steps] == list(range(1, len(want) + 1))


@pytest.mark.parametrize("rule", ["last", "merge"])
def test_states_equal_an_independent_fold(kevs, orders, rule):
    _, *steps = kevs("trace", orders, "User:42", "--json", "--state", "--fold", rule).ok().lines
    state = None
    for s in steps:
        before = state
        if s["payload"] is None:
            state = None
        elif s["payload"] == "{broken":
            state = "{broken" if rule == "last" else state
            assert rule == "last" or "not JSON at byte 1" in s["state_note"]
        else:
            value = json.loads(s["payload"])
            state = merge(state, value) if rule == "merge" else value
        assert s["state"] == state, s
        assert (s["diff"] == []) == (before == state), s


def test_state_at_a_moment(kevs, orders):
    _, *steps = kevs("trace", orders, "User:42", "--json", "--state").ok().lines
    moment = steps[len(steps) // 2]["ts"]
    want = [s for s in steps if s["ts"] <= moment][-1]["state"]
    assert kevs("trace", orders, "User:42", "--at", moment).ok().json == want


def test_two_partitioners_read_both_places(kevs, kafka, topic, produce):
    name = topic(partitions=12)
    keys = [f"sku:{i}" for i in range(400)]
    produce(name, [(k, "java") for k in keys], options=MURMUR2)
    produce(name, [(k, "c") for k in keys], options=CRC32)
    where = {}
    for r in kcat.consume(kafka, name):
        where.setdefault(r["key"], []).append(r["partition"])
    key = next(k for k, p in where.items() if p[0] != p[1])
    first, *steps = kevs("trace", name, key, "--json").ok().lines
    assert first["partitioner"] == "mixed"
    assert {c["partition"] for c in first["candidates"]} == set(where[key])
    assert sorted(s["payload"] for s in steps) == ["c", "java"]


def test_elsewhere_only_when_asked(kevs, orders, produce):
    produce(orders, [("User:stray", "a")], partition=0)
    produce(orders, [("User:stray", "b")], partition=1)
    found = kevs("trace", orders, "User:stray", "--json").ok().lines[1:]
    everywhere = kevs("trace", orders, "User:stray", "--json", "-a").ok().lines[1:]
    assert [s["payload"] for s in everywhere] == ["a", "b"] and len(found) < 2
    given = kevs("trace", orders, "User:stray", "--json", "-p", "1").ok().lines[1:]
    assert [s["payload"] for s in given] == ["b"]


def test_lanes_by_key_header_and_path(kevs, topic, produce):
    a, b, c = topic(suffix="a", partitions=3), topic(suffix="b"), topic(suffix="c")
    produce(a, [("o1", '{"type":"placed"}'), ("o2", "{}")])
    produce(b, [(None, "x")], headers=["order=o1"])
    produce(c, [("s1", '{"order":{"id":"o1"}}'), ("s2", '{"order":{"id":"\\u006f1"}}')])
    first, *steps = kevs("trace", a, "o1", "--json", "--with", f"{b},header:order",
                         "--with", f"{c},json:.order.id").ok().lines
    assert [(s["topic"], s["lane"]) for s in steps] == [(a, 0), (b, 1), (c, 2), (c, 2)]
    assert steps[0]["event"] == "placed" and steps[0]["since_last_ms"] is None
    assert [s["since_last_ms"] for s in steps[1:]] == \
        [y["ts"] - x["ts"] for x, y in zip(steps, steps[1:])]
    assert first["complete"]


def test_keys_of_any_bytes(kevs, admin, topic):
    name = topic(partitions=3)
    admin("produce", topic=name, records=[{"key_base64": "AAH/", "value": "v"}])
    steps = kevs("trace", name, "hex:0001ff", "--json", "-a").ok().lines[1:]
    assert [s["key_base64"] for s in steps] == ["AAH/"]


def test_wrong_input(kevs, orders):
    kevs("trace", "no-such-topic", "k").failed(1, "no-such-topic")
    kevs("trace", orders, "hex:0").failed(2, "hex:0")
    kevs("trace", orders, "k", "--by", "colour:x").failed(2, "colour:x")
    kevs("trace", orders, "k", "--map", ".a )").failed(2, "jq")
    kevs("trace", orders, "k", "--at", "soonish").failed(2, "--at", "soonish")
    kevs("trace", orders, "k", "--follow").failed(2, "--follow", "messages")
    assert len(kevs("trace", orders, "User:42", "--json", "-c", "3").ok().lines) == 4
    assert "0 events" in kevs("trace", orders, "nobody").ok().out
