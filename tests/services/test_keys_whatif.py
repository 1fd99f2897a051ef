"""What-if against a topic that was really produced again with the other keys."""
import collections
import math

import pytest

from support.keycount import Dump, by_murmur2, near

P, RECORDS, START = 6, 12000, 1700000000000
MINUTE, HOUR = 60000, 3600000
SHARDS = 4


@pytest.fixture
def written(kevs, topic, admin, rng):
    """A topic with a hot key over 90 minutes; its records in order and what What-if says."""
    name = topic(partitions=P)
    times = sorted(START + rng.randrange(90 * MINUTE) for _ in range(RECORDS))
    keys = ["whale" if rng.random() < 0.4 else f"fish-{rng.randrange(300)}" for _ in times]
    admin("produce", topic=name, records=[
        {"key": k, "value": "v", "timestamp": ts, "partition": by_murmur2(k.encode(), P)}
        for k, ts in zip(keys, times)])
    asked = [f"shards:{SHARDS}", f"shards:{SHARDS}:random", f"shards-all:{SHARDS}",
             "composite:minute", "composite:hour", "partitions:9", "partitioner:crc32"]
    got = kevs("keys", name, "--json", *[x for s in asked for x in ("--what-if", s)]).ok().json
    said = {w["strategy"] + (":random" if w["placement"] == "random" else ""): w
            for w in got["what_if"]}
    return list(zip(keys, times)), said


def max_over_mean(parts, partitions=P):
    return max(parts.values()) * partitions / sum(parts.values())


def parted(records, places):
    """Pairs of successive records of an entity that lie on different partitions."""
    last, pairs, broken = {}, 0, 0
    for (key, _), p in zip(records, places):
        if key in last:
            pairs += 1
            broken += last[key] != p
        last[key] = p
    return pairs, broken


def near_by_chance(got, stated, pairs):
    share = stated / pairs
    assert abs(got - stated) <= 4 * math.sqrt(pairs * share * (1 - share)) + 1, (got, stated)


@pytest.fixture
def again(kafka, topic, produce):
    """Produces the records with other keys, by murmur2; says where each came to lie."""
    def go(keys, suffix, partitions=P, partitioner="murmur2"):
        name = topic(partitions=partitions, suffix=suffix)
        produce(name, [(k, "v") for k in keys],
                options=["-X", f"topic.partitioner={partitioner}"])
        dump = Dump(kafka, name)
        assert dump.total == len(keys)
        home = {k.decode(): next(iter(on)) for k, on in dump.on.items()}
        return dump, [home[k] for k in keys]
    return go


def test_rehashed(written, again):
    records, said = written
    for strategy, options in (("partitions:9", {"partitions": 9}),
                              ("partitioner:crc32", {"partitioner": "consistent"})):
        dump, _ = again([k for k, _ in records], strategy.replace(":", "-"), **options)
        w, n = said[strategy], options.get("partitions", P)
        near(w["max_over_mean"], max_over_mean(dump.part, n))
        assert w["after"] == pytest.approx([dump.part[p] / RECORDS for p in range(n)])
        assert w["estimate"] is False and w["broken_pairs"] == 0


def test_shards_placed(written, kafka, topic, admin, rng):
    records, said = written
    home = {k: by_murmur2(k.encode(), P) for k, _ in records}
    whales = sum(k == "whale" for k, _ in records)
    for strategy, hot in ((f"shards:{SHARDS}", {"whale"}), (f"shards-all:{SHARDS}", set(home))):
        drawn = [rng.randrange(SHARDS) if k in hot else 0 for k, _ in records]
        places = [(home[k] + i) % P for (k, _), i in zip(records, drawn)]
        name = topic(partitions=P, suffix=strategy.replace(":", "-"))
        admin("produce", topic=name, records=[
            {"key": f"{k}#{i}" if k in hot else k, "value": "v", "partition": p}
            for (k, _), i, p in zip(records, drawn, places)])
        dump, w = Dump(kafka, name), said[strategy]
        salted = whales if len(hot) == 1 else RECORDS
        slack = 5 * math.sqrt(salted / SHARDS)    # of suffixes that are drawn, not dealt
        for p in range(P):
            assert abs(w["after"][p] * RECORDS - dump.part[p]) <= slack
        assert w["max_over_mean"] == pytest.approx(max_over_mean(dump.part),
                                                   abs=slack * P / RECORDS)
        pairs, broken = parted(records, places)
        near_by_chance(broken, w["broken_pairs"], pairs)
        assert w["broken_pair_share"] == pytest.approx(w["broken_pairs"] / pairs, abs=1 / pairs)
        if len(hot) == 1:
            assert w["estimate"] is False
            assert w["hot_key_share"] == pytest.approx(whales / SHARDS / RECORDS)
            assert w["partitions_touched_per_hot_key"] == SHARDS == \
                len({p for k, on in dump.on.items() if k.startswith(b"whale#") for p in on})


def test_shards_at_random(written, again, rng):
    """Five ways to write the suffix are five throws of the dice: 99 % of them are as stated."""
    records, said = written
    w, inside = said[f"shards:{SHARDS}:random"], 0
    for i, mark in enumerate("#-|/~"):
        keys = [f"{k}{mark}{rng.randrange(SHARDS)}" if k == "whale" else k for k, _ in records]
        dump, places = again(keys, f"random-{i}")
        slack = 5 * math.sqrt(RECORDS * 0.4 / SHARDS) * P / RECORDS    # of the drawn suffixes
        inside += w["max_over_mean_low"] - slack <= max_over_mean(dump.part) <= \
            w["max_over_mean_high"] + slack
        at = collections.Counter(p for (k, _), p in zip(records, places) if k == "whale")
        assert len(at) <= SHARDS
    assert w["estimate"] is True and inside >= 4


@pytest.mark.parametrize("unit,ms", [("minute", MINUTE), ("hour", HOUR)])
def test_composite(written, again, unit, ms):
    records, said = written
    w, inside, pairs_broken = said[f"composite:{unit}"], 0, []
    for i, mark in enumerate("|#/" if unit == "hour" else "|"):
        dump, places = again([f"{k}{mark}{ts // ms}" for k, ts in records], f"{unit}-{i}")
        inside += w["max_over_mean_low"] <= max_over_mean(dump.part) <= w["max_over_mean_high"]
        pairs_broken.append(parted(records, places))
    assert w["estimate"] is True and inside >= len(pairs_broken) * 2 / 3
    if unit == "minute":    # many cells: the share is near its expectation
        pairs, broken = pairs_broken[0]
        assert w["broken_pair_share"] == pytest.approx(w["broken_pairs"] / pairs, abs=1 / pairs)
        near_by_chance(broken, w["broken_pairs"], pairs)
    assert w["max_over_mean_low"] <= w["max_over_mean"] <= w["max_over_mean_high"]
