"""eventscope messages against a real Kafka: kcat and Kafka's own tools are the oracle."""
import base64
import json
import os
import subprocess
import time

import pytest

from support import java, kcat


def b64(x):
    return base64.b64encode(x).decode()


def by_place(records):
    return sorted(records, key=lambda r: (r["partition"], r["offset"]))


def same_as_kcat(kevs, kafka, topic, *options, kcat_options=()):
    want = by_place(kcat.consume(kafka, topic, *kcat_options))
    got = by_place(kevs("messages", topic, "--json", *options).ok().lines)
    assert got == want
    return got


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_equals_kcat(kevs, kafka, topic, produce, codec):
    name = topic(partitions=3)
    for p in range(3):
        produce(name, [(f"k{i}", json.dumps({"n": i, "t": "naïve ✓"})) for i in range(200)]
                + [("gone", None), (None, "no key"), (None, None)], partition=p, codec=codec,
                headers=["a=1", "b=", "a=2"])
    assert len(same_as_kcat(kevs, kafka, name)) == 609


def test_large_values(kevs, kafka, topic, produce):
    name = topic(max_message_bytes=12000000)
    produce(name, [("k", "x" * (1 << 20)), ("l", "y" * 9000000), ("m", "z")])
    got = same_as_kcat(kevs, kafka, name)
    assert [len(r["payload"]) for r in got] == [1 << 20, 9000000, 1]


def test_every_byte(kevs, admin, topic):
    """What is not UTF-8 is base64; nothing is lost and nothing raw is printed as text."""
    name = topic()
    every = bytes(range(256))
    admin("produce", topic=name, records=[
        {"key_base64": b64(every), "value_base64": b64(every),
         "headers": [["h", "v"], ["none", None], ["\x1b[31m", "\u202e"]]},
        {"key": "", "value": ""},
        {"key": "\x00\x1b]0;x\x07", "value": "\x9b31m\u2066\ufeff"}])
    first, empty, controls = kevs("messages", name, "--json").ok().lines
    assert base64.b64decode(first["key_base64"]) == every == \
        base64.b64decode(first["payload_base64"])
    assert first["headers"] == ["h", "v", "none", None, "\x1b[31m", "\u202e"]
    assert (empty["key"], empty["payload"]) == ("", "")
    assert (controls["key"], controls["payload"]) == ("\x00\x1b]0;x\x07", "\x9b31m\u2066\ufeff")
    for options in ([], ["--decode"], ["-f", "%k|%s|%h\\n"]):
        out = kevs("messages", name, *options).ok().raw.replace(b"\n", b"")
        assert not any(b < 0x20 or b == 0x7f for b in out)
        text = out.decode("utf-8")
        assert not any(c in text for c in "\x9b\u202e\u2066\ufeff")
    raw = kevs("messages", name, "-f", "%k", "--raw", "-c", "1").ok().raw
    assert raw == every


def test_format_equals_kcat(kevs, kafka, topic, produce):
    name = topic()
    produce(name, [("k1", "v1"), ("k2", None), (None, "v3")], headers=["x=1", "y=two"])
    fmt = "%t %p %o %k %s %K %S %T %h%%\\t|\\x41\\n"
    want = subprocess.run(["kcat", "-C", "-b", kafka, "-t", name, "-e", "-q", "-f", fmt],
                          stdout=subprocess.PIPE, check=True).stdout
    assert kevs("messages", name, "-f", fmt).ok().raw == want.replace(b"%%", b"%")
    assert kevs("messages", "-t", name, "-e", "-q", "-f", "%o\\n").ok().out == "0\n1\n2\n"
    kevs("messages", name, "-f", "%y").failed(2, "%y", "character 1")


def transactional(admin, name):
    """committed 0..2, marker 3, aborted 4..6, marker 7, plain 8, committed 9, marker 10."""
    for what, keys in (("commit", "abc"), ("abort", "xyz")):
        admin("txn-begin", txn=f"{name}-t")
        admin("produce", topic=name, txn=f"{name}-t",
              records=[{"partition": 0, "key": k, "value": what} for k in keys])
        admin(f"txn-{what}", txn=f"{name}-t")
    admin("produce", topic=name, records=[{"partition": 0, "key": "plain", "value": "plain"}])
    admin("txn-begin", txn=f"{name}-t")
    admin("produce", topic=name, txn=f"{name}-t",
          records=[{"partition": 0, "key": "late", "value": "commit"}])
    admin("txn-commit", txn=f"{name}-t")


def test_transactions(kevs, kafka, admin, topic):
    name = topic()
    transactional(admin, name)
    got = same_as_kcat(kevs, kafka, name)
    assert [r["key"] for r in got] == ["a", "b", "c", "plain", "late"]
    everything = same_as_kcat(kevs, kafka, name, "--isolation", "read_uncommitted",
                              kcat_options=["-X", "isolation.level=read_uncommitted"])
    assert [r["key"] for r in everything] == [*"abcxyz", "plain", "late"]
    admin("txn-begin", txn=f"{name}-t")
    admin("produce", topic=name, txn=f"{name}-t", records=[{"partition": 0, "key": "open"}])
    assert [r["key"] for r in kevs("messages", name, "--json").ok().lines] == \
        ["a", "b", "c", "plain", "late"]
    assert kevs("messages", name, "--json", "--isolation",
                "read_uncommitted").ok().lines[-1]["key"] == "open"
    admin("txn-abort", txn=f"{name}-t")


def test_compacted(kevs, kafka, admin, topic, produce):
    """Deleted records show as dirty ratio passes: wait until the cleaner has been there."""
    name = topic(cleanup_policy="compact", min_cleanable_dirty_ratio="0.01", segment_ms="100",
                 min_compaction_lag_ms="0", delete_retention_ms="100")
    deadline = time.monotonic() + 120
    while True:
        produce(name, [("a", str(i)) for i in range(50)] + [("b", "1"), ("c", None)])
        got = kevs("messages", name, "--json").ok().lines
        if len(got) < got[-1]["offset"] + 1:
            break
        assert time.monotonic() < deadline, "the log cleaner never came"
    while True:                                 # the cleaner may pass between two reads
        want = kcat.consume(kafka, name)
        got = kevs("messages", name, "--json").ok().lines
        if kcat.consume(kafka, name) == want:
            break
        assert time.monotonic() < deadline, "the log never came to rest"
    assert got == want and len(got) < got[-1]["offset"] + 1


def test_where_to_read(kevs, admin, topic):
    name = topic(partitions=2)
    for p in range(2):
        admin("produce", topic=name, records=[
            {"partition": p, "key": str(i), "value": "v", "timestamp": 1700000000000 + i * 1000}
            for i in range(10)])

    def keys(*options):
        return [f"{r['partition']}:{r['key']}" for r in
                by_place(kevs("messages", name, "--json", *options).ok().lines)]
    assert keys("-p", "1", "-o", "7") == ["1:7", "1:8", "1:9"]
    assert keys("-o", "-1") == ["0:9", "1:9"]
    assert keys("-p", "0", "-o", "end") == []
    assert keys("-p", "0-1", "-o", "beginning", "-c", "20") == keys()
    assert keys("-p", "0", "-o", "s@1700000003000", "-o", "e@1700000005000") == ["0:3", "0:4"]
    assert keys("-p", "0", "--since", "2023-11-14T22:13:28Z") == ["0:8", "0:9"]
    assert keys("-p", "0", "--until", "1700000002") == ["0:0", "0:1"]
    assert keys("-p", "1", "--since", "1700000001", "--until", "1700000003000") == ["1:1", "1:2"]
    assert len(keys("-n", "3")) == 3
    admin("delete-records", topic=name, before={"0": 4})
    assert keys("-p", "0", "-c", "1") == ["0:4"]
    kevs("messages", name, "-p", "0", "-o", "2").failed(2, "offset 2", "4 to 10")
    kevs("messages", name, "-p", "0", "-o", "11").failed(2, "offset 11", "4 to 10")


@pytest.mark.parametrize("options, words", [
    (["-p", "9"], ["partition 9", "0 to 1"]), (["-p", "1-"], ["1-"]), (["-o", "x"], ["'x'"]),
    (["--since", "soon"], ["--since", "soon"]), (["-o", "5", "--since", "1h"], ["--since"]),
    (["--follow", "--until", "1h"], ["--follow"]), (["-c", "0"], ["count"]),
    (["--isolation", "dirty"], ["isolation"]), (["--jq", ".["], ["jq"]),
    (["-k", "re:("], ["("])])
def test_bad_options(kevs, topic, options, words):
    kevs("messages", topic(partitions=2), *options).failed(2, *words)


def test_unknown_topic(kevs, topic):
    name = topic()
    kevs("messages", name[:-1]).failed(1, "does not exist", f"did you mean '{name}'")
    kevs("messages", "no/such").failed(1, "no/such")
    assert name[:-1] not in [t["name"] for t in kevs("topics", "--json").json["topics"]]


def test_filters(kevs, topic, produce):
    name = topic(partitions=2)
    produce(name, [(f"k{i}", json.dumps({"n": i})) for i in range(20)], headers=["h=yes"])

    def keys(*options):
        return sorted(r["key"] for r in kevs("messages", name, "--json", *options).ok().lines)
    assert keys("-k", "=k7") == ["k7"]
    assert keys("-k", "k1?") == [f"k1{i}" for i in range(10)]
    assert keys("--grep", '"n": 19') == ["k19"]
    assert keys("--header", "h=yes", "-k", "re:^k[34]$") == ["k3", "k4"]
    assert keys("--header", "h=no") == []
    assert keys("--jq", ".value.n > 17") == ["k18", "k19"]
    assert len(keys("--grep", "n", "-c", "5")) == 5
    assert keys("--not-key", "k1*", "--not-grep", '"n": 2', "--not-header", "h=no",
                "--not-jq", ".value.n > 8") == keys("--jq", """
                (.key | startswith("k1") | not) and .value.n != 2 and .value.n <= 8""") != []
    assert keys("--not-header", "h") == []
    assert keys("-k", "K3", "-i") == ["k3"] and keys("-k", "K3") == []


def test_follow(kevs, topic, produce):
    name = topic()
    produce(name, [("k", "old")])
    child = kevs.start("messages", name, "--follow", "-o", "end", "-f", "%s\\n")
    try:
        line, sent, deadline = b"", 0, time.monotonic() + 60
        os.set_blocking(child.stdout.fileno(), False)
        while not line and time.monotonic() < deadline:
            produce(name, [("k", f"new{sent}")])
            sent += 1
            line = child.stdout.readline() or b""
        assert line.startswith(b"new")
        child.terminate()
        assert child.wait(10) == 0
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        child.stderr.close()


@pytest.mark.parametrize("options", [[], ["--sort", "time"]], ids=["by-partition", "by-time"])
def test_follow_reads_partitions_added_meanwhile(options, kevs, admin, topic, produce):
    name = topic()
    produce(name, [("k", "old")])
    child = kevs.start("messages", name, "--follow", "-f", "%p %s\\n", *options)
    try:
        assert child.stdout.readline() == b"0 old\n"
        for to in 2, 4:
            admin("add-partitions", topic=name, to=to)
            produce(name, [("k", f"late{to}")], partition=to - 1)
            assert child.stdout.readline() == b"%d late%d\n" % (to - 1, to)
        produce(name, [("k", "first")], partition=0)
        assert child.stdout.readline() == b"0 first\n"
        produce(name, [("k", "second")], partition=1)
        assert child.stdout.readline() == b"1 second\n"
        child.terminate()
        assert child.wait(10) == 0
        assert "has 4 partitions now, up from 2" in child.stderr.read().decode()
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        child.stderr.close()


def test_follow_stops_at_its_count_wherever_the_last_comes_from(kevs, admin, topic, produce):
    name = topic()
    child = kevs.start("messages", name, "--follow", "-f", "%p %s\\n", "-c", "2")
    try:
        produce(name, [("k", "one")], partition=0)
        assert child.stdout.readline() == b"0 one\n"
        admin("add-partitions", topic=name, to=2)
        produce(name, [("k", "two")], partition=1)
        out, _ = child.communicate(timeout=60)
        assert out == b"1 two\n" and child.returncode == 0
    finally:
        child.kill()
        child.wait()


def test_follow_by_time_puts_late_partitions_in_order(kevs, admin, topic):
    """Records made in the wrong order, the later one first. A head holds a record back until it is
    half a second old: these are stamped three seconds ahead, so that a slow machine keeps up."""
    name = topic(partitions=2)
    child = kevs.start("messages", name, "--follow", "--sort", "time", "-o", "end", "-f",
                       "%p %T\\n", "-c", "12")
    try:
        deadline = time.monotonic() + 60
        while child.poll() is None and time.monotonic() < deadline:
            now = int(time.time() * 1000) + 3000
            admin("produce", topic=name, records=[
                {"partition": 1, "key": "k", "value": "v", "timestamp": now},
                {"partition": 0, "key": "k", "value": "v", "timestamp": now - 1}])
        got = [tuple(map(int, line.split())) for line in child.stdout.read().splitlines()]
        assert len(got) == 12 and {p for p, _ in got} == {0, 1}, got
        assert got == sorted(got, key=lambda x: x[1]), got
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        child.stderr.close()


def test_reader_goes_away(kevs, topic, produce):
    name = topic()
    produce(name, [("k", "v" * 1000)] * 5000)
    argv = kevs.argv("messages", name)
    got = subprocess.run(["sh", "-c", '"$@" | head -n 2; echo "${PIPESTATUS:-}"', "sh", *argv],
                         env=kevs.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         timeout=60)
    assert got.stdout.count(b"\n") == 3 and got.stderr == b""


def test_counts_equal_get_offset_shell(kevs, kafka, admin, topic, produce):
    name = topic(partitions=3)
    produce(name, [(f"k{i}", "v") for i in range(100)])
    out = subprocess.run(java.command("org.apache.kafka.tools.GetOffsetShell") +
                         ["--bootstrap-server", kafka, "--topic", name],
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    want = {int(p): int(n) for _, p, n in (line.rsplit(":", 2) for line in out.split())}
    got = kevs("messages", name, "--json").ok().lines
    assert {p: sum(r["partition"] == p for r in got) for p in want} == want
    assert kevs("topics", name, "--json").json["topics"][0]["messages"] == sum(want.values())


def test_leaves_nothing_behind(kevs, kafka, admin, topic, produce):
    """No group, no topic, no commit."""
    name = topic()
    produce(name, [("k", "v")])
    before = admin("groups"), admin("topics", internal=True)
    kevs("messages", name).ok()
    kevs("messages", name, "--json", "-X", "group.id=evil", "-X", "enable.auto.commit=true").ok()
    kevs("messages", "never-made", "-X", "allow.auto.create.topics=true").failed(1)
    kevs("topics").ok()
    assert (admin("groups"), admin("topics", internal=True)) == before


def test_gaps_say_why(kevs, admin, topic, produce):
    name = topic()
    transactional(admin, name)
    lines = kevs("messages", name, "--gaps", "--json").ok().lines
    gaps = [line["gap"] for line in lines if "gap" in line]
    assert gaps == [
        {"partition": 0, "from": 3, "to": 8, "aborted": 3, "markers": 2, "compacted": 0,
         "reason": "aborted"},
        {"partition": 0, "from": 10, "to": 11, "aborted": 0, "markers": 1, "compacted": 0,
         "reason": "marker"}]
    order = [line["gap"]["from"] if "gap" in line else line["offset"] for line in lines]
    assert order == [0, 1, 2, 3, 8, 9, 10]
    uncommitted = kevs("messages", name, "--gaps", "--json", "--isolation",
                       "read_uncommitted").ok().lines
    assert [(g["gap"]["from"], g["gap"]["to"], g["gap"]["reason"]) for g in uncommitted
            if "gap" in g] == [(3, 4, "marker"), (7, 8, "marker"), (10, 11, "marker")]
    text = kevs("messages", name, "--gaps").ok().out
    assert "5 offsets: 3 aborted, 2 markers" in text
    kevs("messages", name, "--gaps", "--follow").failed(2, "--gaps")


def test_sort_time_merges(kevs, admin, topic, rng):
    """By (timestamp, partition, offset), each partition's own order kept."""
    name = topic(partitions=5)
    records = []
    for p in range(4):                                    # one stays empty
        ts = 1700000000000
        for _ in range(300):
            ts += rng.choice([0, 0, 1, 3, 50])
            records.append({"partition": p, "key": "k", "value": "v", "timestamp": ts})
    admin("produce", topic=name, records=records)
    got = [(r["ts"], r["partition"], r["offset"]) for r in
           kevs("messages", name, "--sort", "time", "--json").ok().lines]
    assert got == sorted(got) and len(got) == 1200
    first = kevs("messages", name, "--sort", "time", "--json", "-c", "50").ok().lines
    assert [(r["ts"], r["partition"], r["offset"]) for r in first] == got[:50]
    admin("produce", topic=name, records=[
        {"partition": 4, "key": "k", "value": "v", "timestamp": 1700000000000 + t}
        for t in (500, 100, 600)])
    late = kevs("messages", name, "--sort", "time", "--json")
    assert [r["offset"] for r in late.ok().lines if r["partition"] == 4] == [0, 1, 2]
    assert "1 records are older" in late.err


def test_ends_in_markers_at_once(kevs, admin, topic):
    """A topic whose last offsets are markers only, and one with nothing else, simply end."""
    name, txn = topic(), "markers-test"
    for _ in range(3):
        admin("txn-begin", txn=txn)
        admin("produce", topic=name, txn=txn, records=[{"partition": 0, "key": "k", "value": "v"}])
        admin("txn-abort", txn=txn)
    for options in [], ["--sort", "time"], ["--gaps"]:
        start = time.monotonic()
        got = kevs("messages", name, "--json", *options).ok().lines
        assert time.monotonic() - start < 5
        assert [line for line in got if "gap" not in line] == []
