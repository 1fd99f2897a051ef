"""Keys, Heat and What-if on a real Kafka: one hot partition; figures equal to the command's."""

import re

import pytest


@pytest.fixture
def orders(topic, admin, rng):
    """Six partitions over two hours; from half an hour on a whale is 40 % of the messages."""
    name, start = topic(partitions=6, suffix="placed"), 1700000000000
    records = []
    for i in range(12000):
        whale = i > 3000 and rng.random() < 0.4
        key = "User:123" if whale else f"User:{1000 + rng.randrange(3000)}"
        records.append({"key": key, "value": "v" * 40, "timestamp": start + i * 600})
    for i in range(0, len(records), 4000):
        admin("produce", topic=name, records=records[i:i + 4000])
    return name


def test_who_since_when_and_what_would_fix_it(kafka, kevs, orders, tui):
    got = kevs("keys", orders, "--json").ok().json
    hot, first = got["hot_keys"][0], got["diagnosis"][0]
    assert first["kind"] == "hot-key" and hot["key"] == "User:123"
    t = tui("keys", orders, "-b", kafka, "--tui", rows=36, cols=130)
    t.wait(re.compile(r"exact +6 of 6 partitions"))
    assert f"Hot key: User:123 is {100 * hot['share']:.1f} %" in t.text
    assert "Since" in t.text and "none before" in t.text
    assert f"{hot['count']:,}" in t.text
    ratio = got["skew"]["messages"]["max_over_mean"]
    assert f"{ratio:.1f}×" in t.text
    assert "murmur2 for 100.0 % of the keys" in t.text
    t.send("H").wait(re.compile(r"Band +p\d since"))
    assert "no message was read for the map" in t.text
    t.wait(re.compile(r"top key User:123"))
    row = int(re.search(r"^►p(\d)", t.text, re.M).group(1))
    t.send("k" if row else "j").wait(re.compile(rf"^ +p{row - 1 if row else 1}  .*top key ", re.M))
    t.send("q").wait("hot keys")
    t.send("W").wait("Smallest change that works")
    smallest = next(w for w in got["what_if"] if w["smallest"])
    assert re.search(rf"► {smallest['strategy']}, placed +{smallest['max_over_mean']:.1f}×", t.text)
    assert f"{100 * smallest['broken_pair_share']:.1f} %" in t.text
    t.send("+").wait(re.compile(rf"► shards:{int(smallest['strategy'].split(':')[1]) + 1}, placed"))
    t.send("@", "partitions:17\r").wait("partitions:17")
    t.send("q", "q").wait("Topics")


def test_bytes_panes_and_small_sizes(kafka, orders, tui):
    t = tui("keys", orders, "-b", kafka, "--tui", rows=36, cols=130)
    t.wait(re.compile(r"exact +6 of 6 partitions"))
    t.send("u").wait(re.compile(r"partitions +bytes"))
    t.send("tab", "j", "enter").wait("hot keys of p1")
    for rows, cols in (24, 80), (12, 60), (5, 20), (1, 1), (36, 130):
        t.resize(rows, cols)
        t.pump(0.3)
    t.wait("hot keys of p1")
    t.send("esc").wait(re.compile(r"── hot keys +bytes ─"))


def test_heat_by_key_and_range(kafka, orders, tui):
    t = tui("keys", orders, "-b", kafka, "--tui", rows=40, cols=130)
    t.wait(re.compile(r"exact +6 of 6"))
    t.send("H").wait(re.compile(r"Band +p\d"))
    t.send("m").wait("32 buckets of the keys' hash")
    t.send("m").wait(re.compile(r"Band +p\d"))
    t.send("g", "space", "l", "l", "z").wait(re.compile(r"· \d+ × [\d.]+ s · messages"))
    t.send("q").wait("hot keys")


def test_a_topic_that_cannot_be_read_is_told(kafka, tui):
    t = tui("keys", "no-such-topic-here", "-b", kafka, "--tui", rows=30, cols=120)
    t.wait("no-such-topic-here")
    t.wait(re.compile("does not exist"))


def test_many_partitions_by_their_leader(kafka, topic, admin, tui):
    name = topic(partitions=70, suffix="wide")
    admin("produce", topic=name, records=[
        {"key": f"k{i}", "value": "v", "partition": i % 70, "timestamp": 1700000000000 + i * 500}
        for i in range(2100)])
    t = tui("keys", name, "-b", kafka, "--tui", rows=40, cols=130)
    t.wait(re.compile(r"exact +70 of 70"))
    t.send("H").wait("offsets only, no message was read").wait(re.compile(r"^►p\d", re.M))
    t.send("m").wait("messages, by leader").wait(re.compile(r"^►b\d+ ", re.M))
    assert "p0 " not in t.text
    t.send("m").wait("32 buckets of the keys' hash")
    t.send("m").wait(re.compile(r"^►p\d", re.M))


def test_what_is_counted_and_live(kafka, kevs, orders, admin, tui):
    got = kevs("keys", orders, "--json", "-k", "User:12*").ok().json
    t = tui("keys", orders, "-b", kafka, "--tui", rows=36, cols=150)
    t.wait(re.compile(r"exact +6 of 6 partitions · 12,000 messages"))
    t.send("/", "p:1").wait("what to count: text, key:, header:, jq:")
    t.send("esc", "/", "key:User:12*\r")
    t.wait(re.compile(rf"exact +6 of 6 partitions · {got['scan']['messages']:,} messages"))
    t.wait("only key:User:12*")
    t.send("i").wait("read_uncommitted").send("/").wait("counts only these")
    t.send("\x15", "\r").wait(re.compile(r"· 12,000 messages")).wait("no filter")
    t.send("F").wait("no filter, live").wait(re.compile("live +last 5 min: 0 messages"))
    admin("produce", topic=orders, records=[{"key": "late", "value": "v"}] * 300)
    t.wait(re.compile(r"reading +12,300 "))
    t.wait(re.compile(r"last 5 min: 300 messages.*hottest late 100.0 %"))
    t.send("F").wait(re.compile(r"exact .*· 12,300 messages"))
    assert "last 5 min" not in t.text


def mouse(t, row, col, up=False):
    """The left button as this terminal reports it; row and col from 1."""
    return t.send("\x1b[M" + "".join(chr(32 + n) for n in (3 if up else 0, col, row)))


def test_a_drag_selects_a_range_of_the_map(kafka, orders, tui):
    t = tui("keys", orders, "-b", kafka, "--tui", rows=40, cols=130)
    t.wait(re.compile(r"exact +6 of 6"))
    t.send("H").wait(re.compile(r"Band +p\d")).wait("offsets only, no message was read")
    row = next(i for i, line in enumerate(t.lines) if "p2 " in line[:4]) + 1
    mouse(t, row, 20)
    mouse(t, row, 20, up=True).wait(re.compile(r"^►p2", re.M))
    mouse(t, row, 30)
    mouse(t, row, 50, up=True).wait("zoom the range")
    def looked_up():
        return re.search(r"(\d+) offset look-ups", t.text)
    before = looked_up()[1]
    t.send("z").wait(re.compile(r"· \d+ × [\d.]+ s · messages"))
    t.wait(lambda t: looked_up() and looked_up()[1] != before)  # the finer map is there
    mouse(t, row, 40)
    mouse(t, row, 40, up=True).wait(re.compile(r"^►p2", re.M))
    mouse(t, row, 40)
    mouse(t, row, 40, up=True).wait(re.compile(r"› p2 .*list"))


def test_partitions_know_the_scan_and_bytes(kafka, orders, admin, tui):
    admin("produce", topic=orders, records=[
        {"partition": 5, "key": "big", "value": "v" * 20_000} for _ in range(300)])
    t = tui("partitions", orders, "-b", kafka, "--tui", rows=30, cols=130)
    t.wait(re.compile(r"p\d holds [\d.]+ % of the messages"))
    assert "▓" not in t.text
    t.send("K").wait(re.compile(r"exact +1 of 1 partitions"), 60)
    t.send("q").wait(re.compile(r"of which 3,\d{3} are one key \(scan of \d\d:\d\d\)"))
    hot = next(line for line in t.lines if line.startswith("►"))
    assert "▓" in hot
    t.send("u").wait("BYTES~").wait(re.compile(r"~ +messages times the mean size of \d+ that were"))
    t.wait(re.compile(r"^[► ] +5 .* [\d.]+ MB", re.M))
    t.send("u").wait("MSGS")


def test_keys_of_one_partition_and_of_all(kafka, kevs, orders, tui):
    t = tui("messages", orders, "-o", "beginning", "-b", kafka, "--tui", rows=36, cols=130)
    t.wait(re.compile(r"messages loaded"))
    t.wait(re.compile(r"^► *\d+ +\d+ ", re.M))
    at = re.search(r"^► *(\d+) ", t.text, re.M)[1]
    t.send("K").wait(f"Only p{at} was read")
    assert "√" not in t.text    # nothing was judged
    t.wait("whole topic")
    t.send("a").wait("Hot key: User:123")
    t.wait(re.compile(r"exact +6 of 6 partitions"))
    t.send("q").wait(f"Only p{at} was read")


def test_one_partition_is_not_called_balanced(kafka, kevs, topic, produce, tui):
    name = topic(partitions=1)
    produce(name, [(f"k{i % 50}", "v") for i in range(500)])
    first = kevs("keys", name, "--json").ok().json["diagnosis"][0]
    assert first["kind"] == "balanced" and "One partition" in first["text"]
    t = tui("keys", name, "-b", kafka, "--tui", rows=36, cols=130)
    t.wait("One partition takes everything")
    assert "√" not in t.text


def test_messages_of_the_partitions_asked_for(kafka, orders, tui):
    t = tui("messages", orders, "-b", kafka, "-p", "2", "--tui", rows=30, cols=130)
    t.wait(re.compile(r"p2 @ [\d,]+"))
    assert re.search(r"^ +OFFSET +TIME", t.text, re.M)    # no column for the partition: it is one
