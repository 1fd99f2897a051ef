"""Each rule of `eventscope lint` on a real Kafka: the habit is found, the near miss is not."""
import json
import time

import pytest

from support.proc import wait_until

MURMUR2 = ["-X", "topic.partitioner=murmur2_random"]
CRC32 = ["-X", "topic.partitioner=consistent_random"]


@pytest.fixture
def lint(kevs):
    """What a rule says of one topic, above info; the exit code agrees."""
    def run(topic, rule, *options, level=("warn", "critical")):
        got = kevs("lint", topic, "--rule", rule, "--json", *options)
        found = [f for f in got.json["findings"] if f["severity"] in level]
        assert got.code == (4 if any(f["severity"] != "info" for f in found) else 0), str(got)
        assert all(f["rule"] == rule and f["topic"] == topic and f["advice"] for f in found)
        assert got.json["checked"]["topics"] == 1
        return found
    return run


def orders(n, key="User:{}", users=400):
    return [(key.format(i * 7 % users), json.dumps({"type": "placed", "orderId": f"O-{i}",
                                                    "userId": i * 7 % users, "total": i / 4}))
            for i in range(n)]


@pytest.fixture
def made(topic, produce):
    def make(records, partitions=3, options=MURMUR2, suffix="x", called=None, headers=(), **config):
        t = topic(partitions=partitions, suffix=suffix, called=called, **config)
        produce(t, records, options=options, headers=headers)
        return t
    return make


def test_hot_key(lint, made):
    skewed = [("User:123", v) if i % 2 else (k, v) for i, (k, v) in enumerate(orders(6000))]
    found = lint(made(skewed, partitions=6), "hot-key")
    assert len(found) == 1 and "User:123" in found[0]["text"]
    near = [("User:123", v) if i % 50 == 0 else (k, v) for i, (k, v) in enumerate(orders(6000))]
    assert lint(made(near, partitions=6), "hot-key") == []


def test_mixed_partitioners_and_split_keys(lint, made, produce):
    t = made(orders(4000), partitions=6)
    assert lint(t, "mixed-partitioners") == [] and lint(t, "split-key") == []
    produce(t, orders(4000), options=CRC32)
    found = lint(t, "mixed-partitioners")
    assert len(found) == 1 and "murmur2" in found[0]["text"] and "crc32" in found[0]["text"]
    t = made(orders(3000), partitions=6)        # strays by hand, no second hash
    for p in range(6):
        produce(t, orders(300), partition=p)
    assert len(lint(t, "split-key")) == 1


def test_mutable_key_by_looks(lint, made):
    mails = [(f"anna.{i % 300}@mail.example", "{}") for i in range(3000)]
    assert len(lint(made(mails), "mutable-key")) == 1
    phones = [(f"+49 170 {1000000 + i % 300}", "{}") for i in range(3000)]
    assert len(lint(made(phones), "mutable-key")) == 1
    people = [(f"{a} {b}", "{}") for a in ("Anna", "Juan", "Mei", "Tom", "Zo\u00eb")
              for b in ("Schmidt", "Garc\u00eda", "Chen", "O'Neil", "Smith-Jones")] * 80
    found = lint(made(people), "mutable-key")
    assert len(found) == 1 and found[0]["evidence"]["looks_like"] == "personal names"
    places = [(f"{a} {b}", "{}") for a in ("gate", "dock", "bay") for b in range(100)] * 10
    assert lint(made(places), "mutable-key") == []
    near = [(f"order@{i % 300}", "{}") for i in range(3000)]
    assert lint(made(near), "mutable-key") == []


def test_mutable_key_caught_in_the_act(lint, made):
    def customer(i, login):
        return login, json.dumps({"customerId": f"C{i % 40}", "login": login, "rev": i})
    moved = [customer(i, f"user-{i % 40}" + ("-new" if i > 1000 and i % 40 < 9 else ""))
             for i in range(2000)]
    found = lint(made(moved), "mutable-key")
    assert len(found) == 1 and found[0]["evidence"]["id_field"] == "customerId"
    assert found[0]["evidence"]["changes"] >= 9
    # One customer with many orders is no change of key: orderId is an id.
    near = [(f"O{i}", json.dumps({"customerId": f"C{i % 40}", "orderId": f"O{i}"}))
            for i in range(2000)]
    assert lint(made(near), "mutable-key") == []


def test_no_key(lint, made):
    bare = [(None, v) for _, v in orders(2000)]
    found = lint(made(bare), "no-key")
    assert len(found) == 1 and found[0]["evidence"]["entity_field"] == "userId"
    assert "Key by userId" in found[0]["advice"]
    # Log lines have a number of their own each, but belong to nothing.
    near = [(None, json.dumps({"logId": i, "text": "started"})) for i in range(2000)]
    assert lint(made(near), "no-key") == []
    assert lint(made(orders(2000)), "no-key") == []


def test_global_order(lint, made):
    assert len(lint(made(orders(6000), partitions=1), "global-order")) == 1
    assert lint(made(orders(500), partitions=1), "global-order") == []
    assert lint(made(orders(6000), partitions=2), "global-order") == []
    assert lint(made(orders(6000), partitions=1, cleanup_policy="compact"), "global-order") == []
    one = [("config", v) for _, v in orders(6000)]
    assert lint(made(one, partitions=1), "global-order") == []


def test_global_order_by_a_merge(lint, made, produce):
    anywhere = ["-X", "topic.partitioner=random"]
    t = made(orders(3000), partitions=6, options=anywhere)
    produce(t, orders(3000), options=anywhere)
    found = lint(t, "global-order")
    assert len(found) == 1 and "must merge partitions" in found[0]["text"]
    one, other = found[0]["evidence"]["example"], found[0]["evidence"]["and"]
    assert one["partition"] != other["partition"] and one["offset"] >= 0
    # Each key moved once: its events are all here, then all there.
    t = made(orders(3000), partitions=6)
    newest = time.time_ns() // 1_000_000    # what comes now is later than all that is there
    wait_until(lambda: time.time_ns() // 1_000_000 > newest, "the next millisecond")
    produce(t, orders(3000), options=CRC32)
    assert lint(t, "global-order") == []
    assert len(lint(t, "mixed-partitioners")) == 1


def test_topic_names(topic, lint, name):
    tag = name("n").replace("-", "")[-12:]
    good = topic(called=f"shop{tag}.orders.placed")
    bad = topic(called=f"OrdersTopic{tag}_v2"), topic(called=f"shop{tag}_orders_paid")
    near = topic(called=f"eu.shop{tag}.order-items.placed.v2")
    assert lint(good, "topic-name") == [] and lint(near, "topic-name") == []
    assert len(lint(bad[0], "topic-name")) == 1
    assert lint(bad[1], "topic-name")[0]["evidence"]["try"] == f"shop{tag}.orders.paid"


def at(admin, name, times, partition=0):
    admin("produce", topic=name, records=[
        {"partition": partition, "key": f"k{i}", "value": f"v{i}", "timestamp": int(t)}
        for i, t in enumerate(times)])


def test_timestamps(lint, admin, topic):
    now = time.time() * 1000 - 10_000_000
    back = topic()
    at(admin, back, [now + i * 1000 - (600_000 if i % 20 == 19 else 0) for i in range(200)])
    found = lint(back, "timestamp-regression")
    assert len(found) == 1 and found[0]["evidence"]["backwards"] == 10
    assert found[0]["evidence"]["example"]["offset"] % 20 == 19
    near = topic()
    at(admin, near, [now + i * 1000 - (i % 7) * 800 for i in range(200)])
    assert lint(near, "timestamp-regression") == []
    late = topic(message_timestamp_after_max_ms=str(2**62))
    at(admin, late, [now, time.time() * 1000 + 86_400_000])
    assert "future" in lint(late, "timestamp-regression")[0]["text"]
    soon = topic()
    at(admin, soon, [now, time.time() * 1000 + 60_000])
    assert lint(soon, "timestamp-regression") == []


def test_duplicates(lint, made, admin, topic):
    twice = [r for r in orders(400) for _ in range(2)]
    found = lint(made(twice), "duplicate-event")
    assert len(found) == 1 and found[0]["evidence"]["duplicates"] == 400
    other_keys = [(f"u{i}", '{"type":"ping","x":"0123456789"}') for i in range(800)]
    assert lint(made(other_keys), "duplicate-event") == []
    ids = [(f"u{i}", json.dumps({"eventId": f"e{i if i % 100 else i - 1}", "n": i}))
           for i in range(1000)]
    found = lint(made(ids), "duplicate-event")
    assert found[0]["evidence"]["duplicates"] == 9
    assert found[0]["evidence"]["event_id"].strip('"').endswith("99")
    # A state that is told again every ten minutes is no duplicate.
    beat = topic()
    now = time.time() * 1000 - 200 * 600_000
    admin("produce", topic=beat, records=[
        {"partition": 0, "key": "sensor", "value": "temperature is fine, thanks",
         "timestamp": int(now + i * 600_000)} for i in range(200)])
    assert lint(beat, "duplicate-event") == []


def test_schema_drift(lint, made):
    def typed(i, total, **more):
        return f"u{i}", json.dumps({"type": "placed", "id": f"o{i}", "total": total, **more})
    drift = [typed(i, i if i < 900 else str(i)) for i in range(1000)]
    found = lint(made(drift), "schema-drift")
    assert [f["evidence"]["field"] for f in found] == [".total"]
    assert found[0]["evidence"]["types"] == {"number": 900, "string": 100}
    gone = [typed(i, i, **({"carrier": "DHL"} if i < 500 else {})) for i in range(1000)]
    found = lint(made(gone, partitions=1), "schema-drift")
    assert [f["evidence"]["field"] for f in found] == [".carrier"]
    # Optional, null and new fields, and other kinds of events, are no drift.
    fine = [typed(i, i, **({"note": None if i % 3 else "x"} if i % 2 else {}),
                  **({"added": 1} if i > 800 else {})) for i in range(1000)]
    fine += [("a", json.dumps({"type": "audit", "id": 5, "total": "none"})) for _ in range(200)]
    assert lint(made(fine, partitions=1), "schema-drift") == []


def test_oversized(lint, topic, admin):
    big = topic(partitions=1, max_message_bytes=3_000_000)
    admin("produce", topic=big, records=[{"key": str(i), "value": "x" * 200} for i in range(50)])
    assert lint(big, "oversized-record") == []
    admin("produce", topic=big, records=[{"key": "n", "value": "y" * 900_000}])
    assert lint(big, "oversized-record") == []
    admin("produce", topic=big, records=[{"key": "z", "value": "z" * 1_000_000}])
    found = lint(big, "oversized-record")
    assert found[0]["evidence"]["example"] == {"partition": 0, "offset": 51}


def test_tombstones(lint, made):
    records = orders(100) + [("User:1", None)]
    assert len(lint(made(records), "tombstone-not-compacted")) == 1
    assert lint(made(records, cleanup_policy="compact"), "tombstone-not-compacted") == []
    assert lint(made(records, cleanup_policy="compact,delete"), "tombstone-not-compacted") == []
    assert lint(made(orders(100)), "tombstone-not-compacted") == []


def test_replication(evs, any_admin, kafka3, name):
    admin, evs = any_admin.at(kafka3), evs.at(kafka3)

    def said(suffix, replicas, isr):
        t = name(suffix)
        admin("create-topic", topic=t, partitions=1, replicas=replicas,
              topic_config={"min.insync.replicas": str(isr)})
        got = evs("lint", t, "--rule", "replication-risk", "--json").json["findings"]
        admin("delete-topic", topics=[t])
        return [f["severity"] for f in got]
    assert said("single", 1, 1) == ["warn"]
    assert said("loose", 3, 1) == ["warn"]
    assert said("strict", 3, 3) == ["warn"]
    assert said("good", 3, 2) == []


def test_auto_commit(lint, kevs, topic, produce, admin, name):
    def consume(commit, group):
        t = topic(partitions=2)
        produce(t, orders(50))
        admin("consumer-start", name=group, group=group, topics=[t], commit=commit,
              config={**admin.config, "auto.commit.interval.ms": "1000"})
        return t
    by_clock, by_hand = consume("auto", name("auto")), consume("each", name("each"))
    deadline = time.monotonic() + 60
    while True:
        found = lint(by_clock, "auto-commit-risk", level=("info",))
        if found or time.monotonic() > deadline:
            break
    assert len(found) == 1 and found[0]["evidence"]["commits_without_progress"] >= 3
    assert 900 <= found[0]["evidence"]["interval_ms"] <= 1300
    assert lint(by_hand, "auto-commit-risk", level=("info",)) == []


def test_ten_clean_topics(kevs, made, name):
    tag = name("n").replace("-", "")[-12:]
    clean = [made(orders(1500 + 100 * i, key="User:{}", users=300 + i), partitions=3 + i % 3,
                  called=f"clean{tag}.orders{i}.placed") for i in range(10)]
    got = kevs("lint", *clean, "--json").ok()
    assert got.json["checked"]["topics"] == 10 and got.json["complete"] is True
    assert [f for f in got.json["findings"] if f["severity"] != "info"] == []


def test_text_names_the_record_to_look_at(kevs, made):
    """The command it prints shows a record that repeats another."""
    t = made([r for r in orders(400) for _ in range(2)], partitions=1)
    out = kevs("lint", t, "--rule", "duplicate-event").out
    see = next(line for line in out.splitlines() if "see: eventscope" in line)
    argv = see.split("see: eventscope ")[1].split()
    again = kevs(*argv, "--json").ok().lines[0]
    before = kevs("messages", t, "-p", "0", "-o", again["offset"] - 1, "-c", "1", "--json").ok()
    assert before.lines[0]["payload"] == again["payload"]


def test_full_and_sample_say_what_they_read(kevs, made):
    t = made(orders(3000))
    assert kevs("lint", t, "--rule", "no-key", "--json", "--sample", "600").json["checked"][
        "messages"] in range(590, 640)
    whole = kevs("lint", t, "--rule", "no-key", "--json", "--full").json
    assert whole["checked"]["messages"] == 3000


def test_wrong_input(kevs):
    kevs("lint", "no-such-topic-*").failed(1, "no topic matches no-such-topic-*")
    kevs("lint", "--rule", "hotkey").failed(2, "hotkey", "did you mean hot-key?")
    rules = kevs("lint", "--rules").ok().out
    for rule in ("mutable-key", "split-key", "mixed-partitioners", "global-order", "no-key",
                 "hot-key", "topic-name", "timestamp-regression", "duplicate-event",
                 "auto-commit-risk", "schema-drift"):
        assert rule in rules
