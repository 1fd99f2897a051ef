"""`eventscope demo --headless`: what it promises to other processes, and the stories' facts."""
import collections
import json
import signal
import subprocess

import pytest

from support import kcat


class Demo:
    def __init__(self, evs, *args):
        self.child = evs.start("demo", "--headless", *args)
        self.line = self.child.stdout.readline()
        assert self.line, self.child.stderr.read()
        self.json = json.loads(self.line)
        self.brokers = self.json["brokers"]

    def stop(self, sig=signal.SIGTERM):
        self.child.send_signal(sig)
        out, err = self.child.communicate(timeout=20)
        return self.child.returncode, out, err


@pytest.fixture
def demo(evs):
    made = []

    def start(*args):
        made.append(Demo(evs, *args))
        return made[-1]
    yield start
    for d in made:
        if d.child.poll() is None:
            d.stop(signal.SIGKILL)


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_one_json_line_and_a_clean_end(demo, sig):
    d = demo()
    assert set(d.json) == {"brokers", "topics", "groups"}
    listed = {t["topic"]: len(t["partitions"]) for t in kcat.listing(d.brokers)["topics"]}
    assert set(listed) == set(d.json["topics"])
    assert listed["shop.orders.placed"] == 12 and listed["ops.audit.recorded"] == 1
    assert "payments-view" in d.json["groups"]
    assert d.stop(sig) == (0, b"", b"")


def past(brokers, topic):
    """The records by partition and offset, without their times."""
    seen = collections.defaultdict(list)
    for r in kcat.consume(brokers, topic):
        seen[r["partition"]].append((r["offset"], r["key"], r["payload"], str(r.get("headers"))))
    return {p: sorted(records) for p, records in seen.items()}


def test_a_seed_decides_the_records(demo):
    one, same, other = demo("--seed", "7"), demo("--seed", "7"), demo("--seed", "8")
    for topic, n in (("OrdersTopic_v2", 1204), ("crm.customer.changed", 5120)):
        first, second = past(one.brokers, topic), past(same.brokers, topic)
        # the live part is as long as the demo has run: what both have is the same
        both = {p: min(len(first[p]), len(second[p])) for p in first}
        assert sum(both.values()) >= n
        assert all(first[p][:both[p]] == second[p][:both[p]] for p in both)
        assert first != past(other.brokers, topic)


def raw(brokers, *options):
    return subprocess.run(["kcat", "-C", "-b", brokers, "-t", "shop.payments.captured", "-p", "3",
                           "-q", *options], stdout=subprocess.PIPE, check=True, timeout=60).stdout


def test_the_stories_can_be_played(demo):
    d = demo()
    orders = kcat.consume(d.brokers, "shop.orders.placed", "-c", "48000")
    keys = collections.Counter(r["key"] for r in orders)
    hot, count = keys.most_common(1)[0]
    assert hot == "User:123" and 0.36 < count / len(orders) < 0.41
    assert {r["partition"] for r in orders if r["key"] == hot} == {4}
    first = min(r["ts"] for r in orders)
    assert min(r["ts"] for r in orders if r["key"] == hot) > first + 3 * 3600 * 1000
    stock = kcat.consume(d.brokers, "shop.inventory.adjusted", "-c", "83000")
    where = collections.defaultdict(set)
    for r in stock:
        where[r["key"]].add(r["partition"])
    assert where["sku:10077"] == {19, 8}        # murmur2 and crc32 of the key over 24 partitions
    assert sum(len(p) > 1 for p in where.values()) > 1000
    paid = raw(d.brokers, "-f", "%o %S %k\n", "-o", "beginning", "-e").split(b"\n")
    big = [line.split() for line in paid if line and int(line.split()[1]) > 1_000_000]
    assert [line[2] for line in big] == [b"pay_10442"]
    value = raw(d.brokers, "-f", "%s", "-o", big[0][0].decode(), "-c", "1")
    with pytest.raises(UnicodeDecodeError) as broken:
        value.decode()
    assert broken.value.start == 1204113        # the byte that the screens' story names
    assert kcat.consume(d.brokers, "shop.carts.abandoned") == []


def test_its_groups_can_be_asked_for(demo, evs):
    """The mock lists no groups and answers only for partitions that are named."""
    d = demo()
    names = [x for g in d.json["groups"] for x in ("--group", g)]
    groups = {g["group"]: g for g in evs.at(d.brokers)("lag", "--json", *names).json["groups"]}
    assert set(groups) == set(d.json["groups"])
    held = {(p["topic"], p["partition"]): p["lag"]
            for p in groups["payments-view"]["partitions"]}
    assert held[("shop.payments.captured", 3)] > 40
    assert all(lag < 20 for (_, p), lag in held.items() if p != 3)
    assert groups["email-sender"]["total_lag"] >= 60
    assert groups["crm-import"]["total_lag"] is None


def test_times_are_looked_up(demo, evs):
    """The mock answers no question by time; the records it holds do."""
    at = evs.at(demo().brokers)
    topic = "OrdersTopic_v2"            # nothing is written to it any more
    times = sorted(int(t) for t in at("messages", topic, "-f", "%T\\n").ok().out.split())
    moment = times[len(times) // 3]
    late = at("messages", topic, "--since", moment, "-f", "%T\\n").ok().out.split()
    early = at("messages", topic, "--until", moment, "-f", "%T\\n").ok().out.split()
    assert sorted(map(int, late)) == [t for t in times if t >= moment]
    assert sorted(map(int, early)) == [t for t in times if t < moment]
    assert at("messages", topic, "--since", times[-1] + 1, "-f", "%T\\n").ok().out == ""
