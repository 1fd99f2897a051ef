"""Every view in every sink equals an independent fold of kcat's dump, row by row, byte by byte."""
import collections
import json

import pytest

from support import views

COUNT = 1500


SINKS = ["sqlite", "jsonl", "postgresql", "redis", "opensearch", "elasticsearch", "kafka",
         "kafka-elsewhere"]


@pytest.fixture(params=SINKS)
def sink(request, tmp_path):
    return views.make(request.param, request.getfixturevalue, tmp_path)


@pytest.fixture
def filled(admin, topic, rng, sink):
    def fill(binary, partitions=3, n=COUNT):
        name = topic(partitions=partitions)
        records = views.hostile(rng, n, binary, partitions,
                                getattr(sink, "fits", lambda key: True))
        for at in range(0, n, 500):
            admin("produce", topic=name, records=records[at:at + 500])
        return name
    return fill


def replay(kevs, topic, sink, *options, target="v"):
    return kevs("replay", topic, "--sink", sink.url, "--target", target, "--json", "--yes",
                *getattr(sink, "options", []), *options)


@pytest.mark.parametrize("binary", [False, True])
def test_latest(kevs, kafka, sink, filled, binary):
    name = filled(binary)
    report = replay(kevs, name, sink).ok().json
    events = views.dump(kafka, name)
    want = views.fold_latest(events)
    assert sink.latest("v") == want
    assert report["state"] == "done" and report["guarantee"] == getattr(
        sink, "guarantee", "exactly-once")
    assert report["events"]["read"] == report["events"]["matched"] == len(events) == COUNT
    nulls = sum(e.key is None for e in events)
    assert report["events"]["skipped"] == report["null_keys"] == nulls
    assert report["events"]["applied"] == len(events) - nulls
    assert report["split_keys"] > 0
    for p in report["partitions"]:
        assert p["from"] == 0 and p["next"] == p["end"]


def test_latest_again_and_older_never_overwrites(kevs, kafka, sink, filled):
    name = filled(True)
    replay(kevs, name, sink).ok()
    want = sink.latest("v")
    again = replay(kevs, name, sink).ok().json
    assert sink.latest("v") == want and again["rows"]["written"] == 0
    half = sorted(e.ts for e in views.dump(kafka, name))[COUNT // 2]
    old = replay(kevs, name, sink, "-o", "0", "-o", f"e@{half}", "--id", "old").ok()
    assert old.json["events"]["read"] > 0
    assert sink.latest("v") == want


def test_log(kevs, kafka, sink, filled):
    name = filled(True)
    report = replay(kevs, name, sink, "--mode", "log").ok().json
    assert sink.log("v") == views.fold_log(views.dump(kafka, name))
    assert report["rows"]["written"] == COUNT
    if sink.name == "kafka":
        return                  # a topic is appended to: a second replay is a second copy
    replay(kevs, name, sink, "--mode", "log").ok()
    assert sink.log("v") == views.fold_log(views.dump(kafka, name))


def test_count(kevs, kafka, sink, filled):
    name = filled(True)
    replay(kevs, name, sink, "--mode", "count").ok()
    want = views.fold_count(views.dump(kafka, name))
    assert sink.totals("v", "count") == want
    replay(kevs, name, sink, "--mode", "count").failed(2, "count twice", "--restart")
    replay(kevs, name, sink, "--mode", "count", "--restart").ok()
    assert sink.totals("v", "count") == want


def test_sum_is_exact(kevs, admin, sink, topic, rng):
    name = topic(partitions=2)
    amounts = ["184.90", "0.1", "0.2", "9007199254740993", "-3", "1e3", "123456789012345678901.5"]
    want, records = collections.defaultdict(int), []
    from decimal import Decimal, getcontext
    getcontext().prec = 200
    for i in range(400):
        group, amount = rng.choice("abc"), rng.choice(amounts)
        want[group] += Decimal(amount)
        records.append({"partition": i % 2, "key": f"k{i % 9}",
                        "value": '{"g":"%s","amount":%s}' % (group, amount)})
    admin("produce", topic=name, records=records)
    replay(kevs, name, sink, "--mode", "sum", "--group-by", ".value.g", "--value", ".value.amount",
           "--batch", "50").ok()
    got = {k.decode(): Decimal(str(v)) for k, v in sink.totals("v", "sum").items()}
    assert got == want


def test_filter_columns_and_digits(kevs, admin, topic, tmp_path):
    name = topic(partitions=1)
    values = [{"n": 9007199254740993, "t": "184.90", "s": "a"}, {"n": 1, "t": "0.10", "s": None}]
    records = [{"key": f"k{i}", "value": json.dumps(v).replace('"184.90"', "184.90")
                .replace('"0.10"', "0.10")} for i, v in enumerate(values)]
    records += [{"key": "k9", "value": '{"n":5}'}, {"key": "k9"}]
    admin("produce", topic=name, records=records)
    sink = views.Sqlite(tmp_path)
    replay(kevs, name, sink, "--columns", "n=.value.n, t=.value.t, s:text=.value.s",
           "--columns", "up=.key | ascii_upcase").ok()
    assert sink.query("SELECT key, n, t, s, up FROM v ORDER BY key") == [
        ("k0", 9007199254740993, "184.90", "a", "K0"), ("k1", 1, "0.10", None, "K1")]
    replay(kevs, name, sink, "--jq", ".value.n == 1", target="w").ok()
    assert set(sink.latest("w")) == {b"k1"}


def test_values_of_one_mebibyte(kevs, kafka, admin, topic, sink, rng):
    name = topic(partitions=2)
    for i in range(4):
        value = rng.randbytes(1 << 20) if i % 2 else b'{"big":"%s"}' % (b"y" * (1 << 20))
        admin("produce", topic=name, records=[{"partition": i % 2, "key": f"k{i}",
                                               "value_base64": views.b64(value)}])
    replay(kevs, name, sink).ok()
    assert sink.latest("v") == views.fold_latest(views.dump(kafka, name))
