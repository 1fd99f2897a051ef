"""eventscope topics against a real Kafka, and the words for a cluster that cannot be reached."""
import socket
import time

import pytest

from support import kcat


def row(result, topic):
    return next(t for t in result.ok().json["topics"] if t["name"] == topic)


def test_counts_policy_and_skew(kevs, topic, produce):
    even, hot = topic(partitions=3, suffix="even"), topic(partitions=4, suffix="hot",
                                                         cleanup_policy="compact")
    for p in range(3):
        produce(even, [("k", "v")] * 100, partition=p)
    produce(hot, [("k", "v")] * 400, partition=2)
    got = kevs("topics", "--json")
    assert row(got, even)["messages"] == 300
    assert row(got, even)["skew"]["max_over_mean"] == 1
    assert row(got, even)["cleanup_policy"] == "delete"
    assert row(got, even)["status"] == "ok"
    assert row(got, hot)["messages"] == 400
    assert row(got, hot)["skew"]["max_over_mean"] == 4
    assert row(got, hot)["cleanup_policy"] == "compact"
    assert row(got, hot)["status"] == "hot" and "p2" in row(got, hot)["status_reason"]
    assert got.json["complete"] is True


def test_cluster_equals_kcat(kevs, kafka, topic):
    topic()
    want, got = kcat.listing(kafka), kevs("topics", "--json", "--all").ok().json
    assert [f"{b['host']}:{b['port']}" for b in got["cluster"]["brokers"]] == \
        [b["name"] for b in want["brokers"]]
    assert got["cluster"]["controller"] == want["controllerid"]
    assert {t["name"]: t["partitions"] for t in got["topics"]} == \
        {t["topic"]: len(t["partitions"]) for t in want["topics"]}


def test_times_and_silence(kevs, admin, topic):
    old, empty, few = topic(partitions=2, suffix="old"), topic(), topic(partitions=9)
    now = int(time.time() * 1000)
    admin("produce", topic=old, records=[
        {"partition": 0, "value": "v", "timestamp": now - 9 * 3600_000},
        {"partition": 1, "value": "v", "timestamp": now - 4 * 3600_000}])
    admin("produce", topic=few, records=[{"partition": 0, "value": "v", "timestamp": now}])
    assert row(kevs("topics", "--json"), old)["last_ts"] is None       # nobody asked
    got = kevs("topics", "--json", "--times")
    assert row(got, old)["last_ts"] == now - 4 * 3600_000
    assert row(got, old)["status"] == "silent"
    assert "silent 4 h" in row(got, old)["status_reason"]
    assert (row(got, empty)["last_ts"], row(got, empty)["status"]) == (None, "empty")
    assert (row(got, few)["last_ts"], row(got, few)["status"]) == (now, "ok")    # too few to judge


def test_globs_and_rates(kevs, topic, produce):
    name = topic(suffix="some.thing")
    produce(name, [("k", "v")])
    got = kevs("topics", name[:-3] + "*", "--rate=0.1s", "--json").ok().json["topics"]
    assert [t["name"] for t in got] == [name]
    assert got[0]["rate"] == 0
    text = kevs("topics", name).ok().out.splitlines()
    assert text[0].split()[:2] == ["NAME", "PART"] and text[1].split()[0] == name
    assert len(text) == 2


@pytest.fixture
def mute():
    """A port that takes connections and never says a word."""
    s = socket.create_server(("127.0.0.1", 0))
    yield "127.0.0.1:%d" % s.getsockname()[1]
    s.close()


@pytest.fixture
def closed():
    s = socket.create_server(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    return f"127.0.0.1:{port}"


def in_time(timeout, run):
    start = time.monotonic()
    got = run()
    assert time.monotonic() - start < timeout + 1
    return got


def test_unreachable(evs, closed, mute):
    in_time(10, lambda: evs.at(closed)("topics")).failed(1, closed, "refused", "hint")
    in_time(2, lambda: evs.at(mute)("topics", "--timeout", "2s")).failed(1, mute)
    in_time(10, lambda: evs("topics", "-b", "no.such.invalid:9092")).failed(
        1, "no.such.invalid:9092", "does not resolve")


def test_wrong_protocol(kevs, kafka):
    for protocol in "ssl", "sasl_plaintext":
        got = in_time(3, lambda p=protocol: kevs(
            "topics", "-X", f"security.protocol={p}", "-X", "sasl.mechanism=PLAIN", "-X",
            "sasl.username=u", "-X", "sasl.password=hunter2", "--timeout", "3s"))
        got.failed(1, kafka, "hint")
        assert "hunter2" not in got.out + got.err


def test_bad_properties(kevs, evs):
    kevs("topics", "-X", "securty.protocol=ssl").failed(2, "did you mean 'security.protocol'")
    kevs("topics", "-X", "security.protocol=tls").failed(2, "security.protocol", "tls")
    kevs("topics", "-X", "novalue").failed(2, "-X novalue")
    evs("topics").failed(2, "no brokers")
