"""Messages on a real Kafka: the filter as a form, lanes, a tail by time, wire fields, jumps."""
import base64
import re
import time

import pytest


@pytest.fixture
def numbers(topic, produce):
    t = topic(partitions=4)
    for p in range(4):
        produce(t, [(f"k{i % 5}", f'{{"n": {i}, "p": {p}}}') for i in range(100)], partition=p)
    return t


@pytest.fixture
def screen(kafka, tui):
    def start(topic, *options, **size):
        t = tui("messages", topic, "-b", kafka, "--tui", *options,
                **{"rows": 34, "cols": 118, **size})
        return t.wait(re.compile(r"END|loaded|kept of"), 60)
    return start


def test_the_filter_as_a_form(screen, numbers):
    t = screen(numbers)
    t.send("f").wait(f"filter {numbers}").wait("400 messages at most")
    t.send(r'"\"p\": 2}"').send("down", "=k3").wait("--grep '\"p\": 2}' ")
    t.send("^u", "re:(").wait("re:(: ").send("enter").wait("a glob, re:PATTERN or =TEXT")   # stays
    t.send("^u", "=k3", "enter").wait(re.compile(r"20 kept of 400 read"), 60)
    assert 'grep:"\\"p\\": 2}" key:=k3' in t.lines[1]
    t.send("f").wait(re.compile(r"text +\"\\\"p\\\": 2}\"")).wait(re.compile(r"key +=k3"))
    t.send("down", "^u", "enter").wait(re.compile(r"100 kept of 400 read"), 60)
    t.resize(5, 20)
    t.send("f").wait("filter")
    t.send("esc")


def test_lanes_are_marked_and_scrolled(screen, numbers):
    t = screen(numbers, cols=70)
    t.send("m").wait("2 of 4 partitions, Space marks lanes").wait(re.compile(r"TIME +p0 +p1"))
    t.send("l", "space").wait(re.compile(r"TIME +\*p0 +p1"))
    t.send("l", "l").wait(re.compile(r"TIME +\*p0 +p2"))
    t.send("l").wait(re.compile(r"TIME +\*p0 +p3"))
    t.send("l").send("h").wait(re.compile(r"TIME +\*p0 +p2"))
    t.send("U").wait(re.compile(r"TIME +p0 +p1"))
    t.send("m").wait("messages by time").send("m").wait(re.compile(r"list · read_committed"))


def test_lanes_cut_between_characters(screen, topic, admin):
    """A key longer than its lane, and one with a zero byte: whole characters, to their end."""
    name = topic(partitions=2)
    admin("produce", topic=name, records=[
        {"partition": 0, "key": "键" * 100, "value": "v", "timestamp": 1700000000000},
        {"partition": 1, "key": "the start\0the end", "value": "v", "timestamp": 1700000001020}])
    t = screen(name)
    t.send("m").wait("键键键").wait("the start\\x00the end  v").wait("+1.02 s")
    assert "\\xe" not in t.text
    t.send("@", "p1:0", "enter").wait(re.compile(r"› p1"))
    t.send("m").wait("one partition: nothing to lay out")


def test_a_tail_by_time(screen, topic, admin):
    """Made in the wrong order within the half second that each record waits."""
    name = topic(partitions=2)
    admin("produce", topic=name, records=[{"partition": 0, "key": "k", "value": "first"}])
    t = screen(name)
    t.send("m", "m").wait("messages by time").send("F").wait("LIVE")

    rounds = 6
    for n in range(rounds):
        now = int(time.time() * 1000)
        admin("produce", topic=name, records=[
            {"partition": 1, "key": "late", "value": f"v{n}", "timestamp": now},
            {"partition": 0, "key": "soon", "value": f"v{n}", "timestamp": now - 50}])
        t.wait(lambda t: t.text.count(f" v{n}") >= 2)
    rows = re.findall(r"\b(late|soon) +2 v(\d)", t.text)
    good = [n for n in range(rounds)
            if rows.index(("late", str(n))) == rows.index(("soon", str(n))) + 1]
    assert len(good) >= rounds - 1, rows            # one may have come later than half a second
    assert "merged to" in t.text


def test_wire_fields(screen, topic, admin):
    name = topic()
    value = b"\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01"
    admin("produce", topic=name, records=[
        {"key": "j", "value": '{"a":1}'},
        {"key": "p", "value_base64": base64.b64encode(value).decode()}])
    t = screen(name)
    t.wait(re.compile(r"► +1 .* p "))
    t.send("v").wait("detail  raw").send("v").wait("detail  hex").send("v").wait("wire fields")
    t.wait('2: "testing"').wait(re.compile(r"3: \{"))
    t.send("k").wait("no wire fields at byte 1: no such wire type: shown")
    t.send("v").wait("detail  pretty").send("v", "v").wait("detail  hex")
    t.send("v").wait("detail  pretty")              # wire fields only where there are any


def test_a_jump_shows_where_before_it_goes(screen, kevs, numbers, admin):
    group = f"g-{numbers}"
    admin("set-group-offsets", group=group, topic=numbers, offsets={"0": 7, "2": 50})
    got = kevs("messages", numbers, "-o", f"group:{group}", "--json").ok().lines
    assert sorted({(r["partition"], min(x["offset"] for x in got
                                        if x["partition"] == r["partition"])) for r in got}
                  ) == [(0, 7), (2, 50)]            # no commit: from the end, as a consumer would
    kevs("messages", numbers, "-o", "group:nobody").failed(2, "nobody", "has committed nothing")
    t = screen(numbers)
    t.send("@", "p2:40").wait(re.compile(r"@p2:40 +p2 @ 40"))
    t.send("^u", f"group:{group}").wait(re.compile(r"p0 @ 7  p1 @ 100  p2 @ 50  … 1 more"))
    t.send("^u", "group:nobody").wait("has committed nothing")
    t.send("^u", f"p2:group:{group}").wait("p2 @ 50").send("enter")
    t.wait(re.compile(r"› p2 .*list")).wait(re.compile(r"► +50 "))
    admin("delete-group", groups=[group])


def test_one_huge_record_does_not_decide_the_estimate(screen, topic, admin):
    name = topic()
    admin("produce", topic=name, records=[{"key": "k", "value": "v" * 99}] * 60)
    admin("produce", topic=name, records=[{"key": "k", "value": "v" * 900_000}])
    t = screen(name)
    t.send("/").wait("sizes from 100 B a message")


def test_so_many_and_no_more(screen, numbers):
    t = screen(numbers)
    t.send("/", "key:=k3", "tab", "p:all n:7", "enter").wait("n:7 reached: more may follow")
    t.wait(re.compile(r"\b7 kept of")).wait(lambda t: len(re.findall(r"\bk3 ", t.text)) >= 7)
    t.send("/", "^u", "tab", "^u", "n:5 p:1 o:10", "enter").wait("n:5 reached")
    assert re.findall(r"^[► ] +(1\d) ", t.text, re.M) == ["10", "11", "12", "13", "14"]
    t.send("f").wait(re.compile(r"at most +5 ")).send("esc")
    t.send("/", "tab", "^u", "n:1000", "enter").wait(re.compile(r"\b400 kept of 400 read"))
    assert "reached" not in t.text
    t.send("/", "tab", "^u", "n:x").wait(re.compile(r"n: *x|number|integer", re.I)).send("esc")


def test_esc_at_once_stops_the_search_it_began(screen, numbers):
    """Both keys come before the search has: it is stopped, its words stay and c goes on."""
    t = screen(numbers)
    t.send("/", "p:all key:=k3").wait(re.compile(r"what +p:all key:=k3 .* valid"))
    t.send("\r\x1b").wait("c continues")                 # one write: no news between the two
    assert "key:=k3" in t.lines[1]
    t.send("c").wait(re.compile(r"80 kept of 400 read"))
    t.send("esc").wait("no filter")


def test_esc_stops_a_search_that_only_begins(broker, any_admin, tui):
    """The list is empty and the brokers have not yet said where the search begins."""
    k = broker()
    admin = any_admin.at(k.bootstrap)
    admin("create-topic", topic="slow", partitions=2)
    admin("produce", topic="slow", records=[
        {"partition": i % 2, "key": f"k{i % 5}", "value": "v"} for i in range(100)])
    t = tui("messages", "slow", "-b", k.bootstrap, "--tui", rows=34, cols=118)
    t.wait("END").send("/", "p:all key:=k3").wait(re.compile(r"[\d,]+ messages at most"))
    k.freeze()
    t.send("\r").wait(lambda t: "search slow" not in t.text and " k2 " not in t.text)
    t.send("\x1b").pump(0.5)
    k.thaw()
    t.wait("c continues", 60)
    assert "key:=k3" in t.lines[1]


def test_the_entry_learns_what_is_known_later(kafka, topic, admin, tui):
    """A key typed before the first records came: where it hashes to is said when they have."""
    name = topic(partitions=4)
    admin("produce", topic=name, records=[
        {"key": f"User:{i}", "value": "v", "timestamp": 1700000000000 + i} for i in range(500)])
    t = tui("messages", name, "-b", kafka, "--tui", rows=34, cols=118)
    t.send("/", "key:=User:7").wait(re.compile(r"Reads p\d only: the \d+ keys at hand follow"))


def test_a_tail_reads_partitions_that_are_added(screen, topic, produce, admin):
    name = topic(partitions=1)
    produce(name, [("old", "v")])
    t = screen(name)
    t.send("F").wait("LIVE")
    admin("add-partitions", topic=name, to=3)
    for p in range(3):
        admin("produce", topic=name, records=[{"partition": p, "key": f"new{p}", "value": "v"}])
    t.wait("2 partitions added", 60).wait("new0").wait("new1").wait("new2").wait("LIVE")
    admin("produce", topic=name, records=[{"partition": 2, "key": "later", "value": "v"}])
    t.wait("later")
