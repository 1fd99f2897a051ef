"""eventscope keys against a real Kafka, with an independent count of a kcat dump as the oracle."""
import collections
import json
import math
import os
import select
import signal
import subprocess

import pytest

from support import paths
from support.keycount import Dump, by_murmur2, key_of, near


def first_of(child):
    """The first line of a scan that may run for only a moment at a time and then stands still: most
    of its topic is unread. SIGCONT lets it go on."""
    line = b""
    while not line.endswith(b"\n"):
        child.send_signal(signal.SIGCONT)
        select.select([child.stdout], [], [], 0.02)
        child.send_signal(signal.SIGSTOP)
        while select.select([child.stdout], [], [], 0)[0]:
            line += os.read(child.stdout.fileno(), 1 << 16)
            assert line, "it ended before its first snapshot"
    return json.loads(line.splitlines()[0])


def check_skew(got, loads):
    n, total = len(loads), sum(loads)
    mean = total / n
    shares = [x / total for x in loads]
    entropy = -sum(p * math.log(p) for p in shares if p)
    near(got["max_over_mean"], max(loads) / mean)
    near(got["cv"], math.sqrt(sum((x - mean) ** 2 for x in loads) / n) / mean)
    near(got["gini"], sum(abs(x - y) for x in loads for y in loads) / (2 * n * total))
    near(got["entropy"], entropy / math.log(n))
    near(got["effective_partitions"], math.exp(entropy))


def check_exact(got, dump, partitions):
    scan = got["scan"]
    assert scan["mode"] == "exact" and scan["complete"] is True
    assert scan["messages"] == dump.total and scan["null_keys"] == dump.nulls
    assert scan["tombstones"] == dump.tombstones
    assert scan["bytes"] == sum(dump.part_bytes.values())
    assert [scan["first_ts"], scan["last_ts"]] == [min(dump.ts), max(dump.ts)]
    assert got["distinct_keys"] == {"estimate": len(dump.count), "relative_error": 0}
    assert {key_of(k): k["count"] for k in got["hot_keys"]} == dict(dump.count)
    for k in got["hot_keys"]:
        key = key_of(k)
        assert k["error"] == 0 and k["bytes"] == dump.bytes[key]
        assert k["partitions"] == sorted(dump.on[key])
        near(k["share"], dump.count[key] / dump.total)
    counts = [k["count"] for k in got["hot_keys"]]
    assert counts == sorted(counts, reverse=True)
    for row in got["partition"]:
        p = row["partition"]
        assert row["messages"] == dump.part[p] and row["bytes"] == dump.part_bytes[p]
        assert row["distinct_keys"] == len(dump.keys_of[p])
        best = sorted((len(on[p]) for on in dump.on.values() if p in on), reverse=True)[:5]
        assert [t["count"] for t in row["top"]] == best
    check_skew(got["skew"]["messages"], [dump.part[p] for p in range(partitions)])
    check_skew(got["skew"]["bytes"], [dump.part_bytes[p] for p in range(partitions)])
    keys = [len(dump.keys_of[p]) for p in range(partitions)]
    mean = sum(keys) / partitions
    near(got["skew"]["messages"]["chi2"], sum((k - mean) ** 2 / mean for k in keys))
    assert got["skew"]["bytes"]["chi2"] is None
    split = {k: on for k, on in dump.on.items() if len(on) > 1}
    assert got["partitioner"]["split_keys"] == len(split)
    for example in got["partitioner"]["split_key_examples"]:
        on = split[key_of(example)]
        assert example["partitions"] == sorted(on)
        for place in example["on"]:
            offsets = on[place["partition"]]
            assert [place["count"], place["first_offset"], place["last_offset"]] == \
                [len(offsets), offsets[0], offsets[-1]]
    rows = got["heat"]["rows"]
    assert [sum(r[p] for r in rows) for p in range(partitions)] == \
        [dump.part[p] for p in range(partitions)]


def test_exact_equals_a_plain_count(kevs, kafka, topic, produce, rng):
    name = topic(partitions=5)
    keys = [f"user-{i}" for i in range(300)] + ["ключ", "x" * 300, "a b\tc"]
    records = [(rng.choice(keys), "v" * rng.randrange(1, 200)) for _ in range(4000)]
    records += [(rng.choice(keys), None) for _ in range(50)]
    records += [(None, "no key")] * 200
    rng.shuffle(records)
    produce(name, records)
    produce(name, [("user-7", "here"), (b"\xff\xfe\x00", "binary")] * 5, partition=0)
    produce(name, [("user-7", "and there")] * 3, partition=3)
    got = kevs("keys", name, "--json", "-n", "100000").ok().json
    check_exact(got, Dump(kafka, name), 5)
    assert got["topic"] == name and got["partitions"] == 5


def test_many_keys_over_two_readers(kevs, kafka, topic, make_zipf):
    name, truth = make_zipf(n=200000, p=8, k=40000, s=0.8)
    got = kevs("keys", name, "--json", "-n", "100000").ok().json
    check_exact(got, Dump(kafka, name), 8)
    assert {k["key"]: [k["count"], k["bytes"]] for k in got["hot_keys"]} == truth
    assert got["partitioner"]["verdict"] == "murmur2"
    assert got["partitioner"]["match"]["murmur2"] == 1


@pytest.fixture
def make_zipf(kafka, name, tmp_path, admin):
    made = []

    def make(**options):
        topic, truth = name("zipf"), tmp_path / "truth"
        flags = [x for k, v in options.items() for x in (f"-{k}", str(v))]
        subprocess.run([str(paths.BUILD / "tests/bench/gen"), "-b", kafka, "-t", topic, "-T",
                        str(truth), *flags], check=True, stdout=subprocess.DEVNULL, timeout=120)
        made.append(topic)
        rows = (line.split("\t") for line in truth.read_text().splitlines())
        return topic, {k: [int(n), int(b)] for k, n, b in rows}
    yield make
    if made:
        admin("delete-topic", topics=made)


@pytest.mark.parametrize("s", [0, 1, 2])
def test_bounded_counts_hold_their_bounds(kevs, make_zipf, s):
    name, truth = make_zipf(n=300000, p=6, k=60000, s=s)
    got = kevs("keys", name, "--json", "-n", "100000", "--memory", "2M").ok().json
    total = sum(n for n, _ in truth.values())
    assert got["scan"]["messages"] == total
    if s == 2:    # few keys occur at all
        assert got["scan"]["mode"] == "exact"
        assert {k["key"]: k["count"] for k in got["hot_keys"]} == {k: n for k, (n, _) in
                                                                  truth.items()}
        return
    assert got["scan"]["mode"] == "bounded"
    bound = got["scan"]["error_bound"]
    assert 0 < bound < total / 1000
    listed = {k["key"]: k for k in got["hot_keys"]}
    for k in listed.values():
        assert k["count"] - k["error"] <= truth[k["key"]][0] <= k["count"] and k["error"] <= bound
    assert all(k in listed for k, (n, _) in truth.items() if n > bound)
    past = 0    # every run hashes by a seed of its own: 0.3 % of the runs are past three errors
    for _ in range(5):
        d = kevs("keys", name, "--json", "--memory", "2M").ok().json["distinct_keys"]
        past += abs(d["estimate"] / len(truth) - 1) > 3 * d["relative_error"]
    assert past <= 1


@pytest.mark.parametrize("kcat_name,verdict", [("murmur2", "murmur2"), ("consistent", "crc32"),
                                               ("fnv1a", "fnv1a")])
def test_partitioner_of_librdkafka(kevs, topic, produce, kcat_name, verdict):
    name = topic(partitions=7)
    produce(name, [(f"k{i % 400}", "v") for i in range(2000)],
            options=["-X", f"topic.partitioner={kcat_name}"])
    got = kevs("keys", name, "--json").ok().json["partitioner"]
    assert got["verdict"] == verdict and got["match"][verdict] == 1
    assert all(x < 0.5 for k, x in got["match"].items() if not k.startswith(verdict))
    assert got["split_keys"] == 0 and got["previous_partitions"] is None


def test_mixed_partitioners(kevs, topic, produce):
    name = topic(partitions=7)
    for how, n in ("murmur2", 600), ("consistent", 400):
        produce(name, [(f"k{i % 200}", "v") for i in range(n)],
                options=["-X", f"topic.partitioner={how}"])
    got = kevs("keys", name, "--json").ok().json
    assert got["diagnosis"][0]["kind"] == "mixed-partitioners"
    assert got["partitioner"]["verdict"] == "mixed"
    assert {got["partitioner"]["first"], got["partitioner"]["second"]} == {"murmur2", "crc32"}
    assert got["partitioner"]["split_keys"] > 100
    assert got["diagnosis"][0]["evidence"]["split_keys"] == got["partitioner"]["split_keys"]


def test_a_partition_count_that_grew(kevs, topic, produce, admin):
    name = topic(partitions=4)
    records = [(f"k{i % 300}", "v") for i in range(1500)]
    produce(name, records, options=["-X", "topic.partitioner=murmur2"])
    admin("add-partitions", topic=name, to=10)
    produce(name, records, options=["-X", "topic.partitioner=murmur2"])
    got = kevs("keys", name, "--json").ok().json
    assert got["partitioner"]["previous_partitions"] == 4
    assert got["partitioner"]["verdict"] == "murmur2"
    assert got["diagnosis"][0]["kind"] == "partition-count-changed"


def test_hot_key_and_what_if(kevs, kafka, topic, produce, rng):
    name = topic(partitions=6)
    produce(name, [("whale" if rng.random() < 0.4 else f"fish-{rng.randrange(3000)}", "v")
                   for _ in range(20000)], options=["-X", "topic.partitioner=murmur2"])
    got = kevs("keys", name, "--json", "--what-if", "partitions:17", "--what-if",
               "partitioner:crc32", "--what-if", "shards:3").ok().json
    first = got["diagnosis"][0]
    assert first["kind"] == "hot-key" and "whale" in first["text"]
    assert first["evidence"]["key"] == "whale"
    near(first["evidence"]["share"], got["hot_keys"][0]["share"])
    dump = Dump(kafka, name)
    what_if = {w["strategy"]: w for w in got["what_if"] if w["placement"] != "random"}
    load = collections.Counter()
    for key, n in dump.count.items():
        load[by_murmur2(key, 17)] += n
    near(what_if["partitions:17"]["max_over_mean"], max(load.values()) * 17 / dump.total)
    assert what_if["partitions:17"]["after"] == pytest.approx(
        [load[p] / dump.total for p in range(17)])
    assert what_if["partitions:17"]["estimate"] is False
    load = dict(dump.part)
    home, whales = by_murmur2(b"whale", 6), dump.count[b"whale"]
    load[home] -= whales
    for i in range(3):
        load[(home + i) % 6] += whales / 3
    near(what_if["shards:3"]["max_over_mean"], max(load.values()) * 6 / dump.total)
    smallest = [w for w in got["what_if"] if w["smallest"]]
    assert len(smallest) == 1 and smallest[0]["max_over_mean"] <= 1.25
    assert smallest[0]["keys_changed"] == 1
    text = kevs("keys", name).ok().out
    assert "Hot key: whale" in text and "Smallest change that works" in text


def test_healthy_topic_is_balanced(kevs, make_zipf):
    name, _ = make_zipf(n=50000, p=6, k=20000, s=0)
    got = kevs("keys", name, "--json").ok().json
    assert [d["kind"] for d in got["diagnosis"]] == ["balanced"]
    assert not any(w["smallest"] for w in got["what_if"])


def test_where_to_read_and_what_to_keep(kevs, kafka, topic, produce):
    name = topic(partitions=3)
    for p in range(3):
        produce(name, [(f"k{i % 10}", "v") for i in range(100)], partition=p)
    def scan(*args):
        return kevs("keys", name, "--json", *args).ok().json
    assert scan("-p", "1")["scan"]["messages"] == 100
    assert scan("-o", "90")["scan"]["messages"] == 30
    assert scan("-o", "-5")["scan"]["messages"] == 15
    assert scan("-k", "k[12]")["scan"]["messages"] == 60
    assert {k["key"] for k in scan("-k", "=k3")["hot_keys"]} == {"k3"}
    got = scan("-c", "17")
    assert got["scan"]["messages"] == 17


def test_empty_topic(kevs, topic):
    name = topic(partitions=3)
    got = kevs("keys", name, "--json").ok().json
    assert got["scan"]["messages"] == 0 and got["hot_keys"] == [] and got["diagnosis"] == []
    assert got["partitioner"]["verdict"] == "unknown"
    kevs("keys", name).ok()


def test_no_keys_at_all(kevs, topic, produce):
    name = topic(partitions=3)
    for p in range(3):
        produce(name, [(None, "v")] * 200, partition=p)
    got = kevs("keys", name, "--json").ok().json
    assert got["scan"]["null_keys"] == 600 and got["hot_keys"] == []
    assert {d["kind"] for d in got["diagnosis"]} == {"balanced", "null-keys"}
    assert all(d["severity"] == "info" for d in got["diagnosis"])


def test_hostile_keys_never_reach_a_terminal_raw(kevs, topic, produce):
    name = topic(partitions=1)
    produce(name, [(b"\x1b[2J\x07evil\xc2\x9b", "v")] * 100)
    out = kevs("keys", name).ok().out
    assert "\x1b" not in out and "\x07" not in out and "\x9b" not in out
    assert "\\x1b[2J" in out


def test_follow_goes_on_and_stops(kevs, topic, produce):
    name = topic(partitions=3)
    produce(name, [(f"k{i}", "v") for i in range(50)])
    child = kevs.start("keys", name, "--follow", "--json", "--watch", "200ms")
    try:
        def until(n):
            for line in child.stdout:
                got = json.loads(line)
                if got["scan"]["messages"] >= n:
                    return got
            raise AssertionError("the output ended")
        until(50)
        produce(name, [("late", "v")] * 25)
        got = until(75)
        assert got["hot_keys"][0] == {**got["hot_keys"][0], "key": "late", "count": 25}
        child.send_signal(signal.SIGINT)
        rest = child.stdout.read()
        assert child.wait(timeout=10) == 0
        assert json.loads(rest.splitlines()[-1])["scan"]["messages"] == 75
    finally:
        child.kill()


def test_stopped_early_keeps_what_is_known(kevs, make_zipf):
    name, _ = make_zipf(n=1500000, p=6, k=50000, s=0.5)
    child = kevs.start("keys", name, "--json", "--watch", "100ms")
    try:
        first = first_of(child)
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGCONT)
        last = json.loads(child.stdout.read().splitlines()[-1])
        assert child.wait(timeout=10) == 3
    finally:
        child.kill()
    assert last["scan"]["complete"] is False
    assert first["scan"]["messages"] <= last["scan"]["messages"] < 1500000
    assert 0 < last["scan"]["covered"] < 1
    assert sum(p["messages"] for p in last["partition"]) == last["scan"]["messages"]


def test_wrong_words(kevs, topic):
    name = topic(partitions=1)
    kevs("keys", name, "--what-if", "salt:4").failed(2, "salt:4")
    kevs("keys", name, "--what-if", "partitions:0").failed(2, "partitions")
    kevs("keys", name, "--target", "0.5").failed(2, "--target")
    kevs("keys", name, "--memory", "1k").failed(2, "--memory")
    kevs("keys", "no-such-topic-here").failed(1, "no-such-topic-here")
    kevs("keys", name, "-p", "7").failed(2, "7")


def test_sample_states_intervals_that_hold(kevs, make_zipf):
    name, truth = make_zipf(n=400000, p=8, k=20000, s=1.0)
    total = sum(n for n, _ in truth.values())
    inside = stated = 0
    for _ in range(5):
        got = kevs("keys", name, "--sample=5%", "--json").ok().json
        scan = got["scan"]
        assert scan["mode"] == "sample" and scan["complete"] is True
        assert abs(scan["messages"] / total - 0.05) < 0.005
        assert scan["sample_fraction"] == pytest.approx(0.05, abs=0.005)
        for k in got["hot_keys"][:10]:
            true = truth[k["key"]][0]
            assert (k["share_low"] <= true / total <= k["share_high"]) == \
                (k["count"] - k["error"] <= true <= k["count"])
            stated += 1
            inside += k["share_low"] <= true / total <= k["share_high"]
            assert k["share_high"] - k["share_low"] < 0.05
        assert got["partitioner"]["verdict"] == "murmur2"
        assert len(truth) >= got["distinct_keys"]["seen"]
    assert inside >= 0.9 * stated
    kevs("keys", name, "--sample=0").failed(2, "--sample")
    kevs("keys", name, "--sample", "--follow").failed(2, "--follow")
    whole = kevs("keys", name, "--sample=1.0", "--json").ok().json
    assert whole["scan"]["mode"] == "exact" and whole["scan"]["messages"] == total


def test_heat_from_offsets_equals_the_timestamps(kevs, kafka, topic, admin, rng):
    name, start = topic(partitions=3), 1700000000000
    records, ts = [], start
    for i in range(1500):
        ts += rng.randrange(0, 4000)
        records.append({"partition": rng.randrange(3), "key": f"k{i % 50}", "value": "v",
                        "timestamp": ts})
    admin("produce", topic=name, records=records)
    got = kevs("keys", name, "--heat=40", "--json").ok().json
    heat = got["heat"]
    width, rows = heat["bucket_ms"], heat["rows"]
    assert len(rows) <= 40 and heat["start_ts"] <= start + 4000
    want = [[0] * 3 for _ in rows]
    for r in records:
        want[(r["timestamp"] - heat["start_ts"]) // width][r["partition"]] += 1
    assert rows == want
    assert got["complete"] is True and got["lookups"] == 3 * (len(rows) - 1)
    read = kevs("keys", name, "--json").ok().json["heat"]["rows"]
    assert [sum(r[p] for r in read) for p in range(3)] == [sum(r[p] for r in rows)
                                                           for p in range(3)]
    text = kevs("keys", name, "--heat").ok().out
    assert "offsets only, no message was read" in text
    kevs("keys", topic(suffix="empty"), "--heat").failed(1, "nothing in this time")


def test_the_last_minutes_beside_the_whole(kevs, topic, admin, produce):
    name = topic(partitions=2)
    admin("produce", topic=name, records=[
        {"key": f"old-{i % 7}", "value": "v", "timestamp": 1700000000000 + i} for i in range(300)])
    produce(name, [("fresh", "v")] * 40)
    child = kevs.start("keys", name, "--follow", "--json", "--watch", "200ms", "--window", "30m")
    try:
        for line in child.stdout:
            got = json.loads(line)
            if got["scan"]["messages"] == 340:
                break
        recent = got["recent"]
        assert recent["messages"] == 40 and recent["distinct_keys"] == 1
        assert [k["key"] for k in recent["hot_keys"]] == ["fresh"]
        assert sum(p["messages"] for p in recent["partition"]) == 40
        assert {k["key"] for k in got["hot_keys"]} == {f"old-{i}" for i in range(7)} | {"fresh"}
    finally:
        child.kill()


def test_fields_as_keys(kevs, topic, produce):
    name = topic(partitions=4)
    produce(name, [(f"c-{i % 90}", json.dumps({"customer": f"c-{i % 90}", "status": "open",
                                               "email": f"c{i % 90}@example.com"}))
                   for i in range(3000)])
    got = kevs("keys", name, "--fields", "--json").ok().json["fields"]
    assert got["objects"] == 3000
    by_name = {c["field"]: c for c in got["candidates"]}
    assert got["candidates"][0]["field"] == "customer"
    assert by_name["customer"]["relation"] == "same"
    assert by_name["email"]["looks"] == "e-mail addresses"
    assert by_name["status"]["score"] < 5
    assert "customer" in kevs("keys", name, "--fields").ok().out


def test_of_one_partition_nothing_is_said_about_the_others(kevs, topic, produce):
    name = topic(partitions=6)
    produce(name, [(f"k{i % 500}", "v") for i in range(6000)],
            options=["-X", "topic.partitioner=murmur2"])
    one = kevs("keys", name, "-p", "3", "--json").ok().json
    assert [d["kind"] for d in one["diagnosis"]] == ["balanced"]
    assert "Only p3 was read" in one["diagnosis"][0]["text"]
    assert one["skew"]["messages"]["max_over_mean"] == 1
    assert one["what_if"] == [] and one["heat"]["patterns"] == []
    assert one["partitioner"]["verdict"] == "murmur2"
    some = kevs("keys", name, "-p", "1-4", "--json").ok().json
    counts = [p["messages"] for p in some["partition"] if 1 <= p["partition"] <= 4]
    near(some["skew"]["messages"]["max_over_mean"], max(counts) * 4 / sum(counts))
    assert all(d["severity"] == "info" for d in some["diagnosis"])


def test_a_lost_broker_leaves_what_was_read(evs, broker):
    k = broker()
    subprocess.run([str(paths.BUILD / "tests/bench/gen"), "-b", k.bootstrap, "-t", "t", "-n",
                    "2500000", "-p", "4", "-k", "1000"], check=True, stdout=subprocess.DEVNULL,
                   timeout=120)
    child = evs.at(k.bootstrap).start("keys", "t", "--json", "--watch", "100ms", "--timeout", "2s")
    try:
        first = first_of(child)
        k.kill()
        child.send_signal(signal.SIGCONT)
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 1 and err.startswith(b"eventscope: reading t")
    last = json.loads(out.splitlines()[-1])
    assert last["scan"]["complete"] is False
    assert first["scan"]["messages"] <= last["scan"]["messages"] < 2500000
    assert sum(p["messages"] for p in last["partition"]) == last["scan"]["messages"]
