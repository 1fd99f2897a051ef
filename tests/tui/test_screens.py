"""The screens as a person uses them, on the sample cluster: reading, searching, tailing, ways to
see less, and what shows when there is no cluster."""
import re
import time

import pytest

from support.tty import SAMPLE_READY


def goto(t, topic):
    """The cursor on a topic: by the filter, which is then cleared."""
    t.send("/", topic, "enter").wait(topic)
    return t


def quiet(t, seconds=1.0):
    """Bytes sent while nobody presses a key."""
    t.pump(0.3)
    before, end = len(t.raw), time.monotonic() + seconds
    while time.monotonic() < end:
        t.pump(0.1)
    return len(t.raw) - before


def test_from_topics_to_one_record_and_back(demo):
    t = demo(rows=36, cols=120)
    goto(t, "orders.placed").send("enter").wait("fair share")
    t.wait(re.compile(r"12 partitions · 3 replicas"))
    t.wait(re.compile(r"p4 holds .* of the messages, \d\.\d× its fair share"))
    hottest = re.compile(r"► *4 ")
    for _ in range(20):  # rows move while the demo is still being filled, the cursor with its row
        t.send("g").pump(0.5)
        if hottest.search(t.text):
            break
    t.wait(hottest).send("enter").wait(re.compile(r"Topics › shop.orders.placed › p4"))
    t.wait(re.compile(r"key +\d+ B +text +User:\d+ +murmur2 → p4 √"), 60)
    t.wait(re.compile(r'"ledgerId": 9007199254\d{6},'))  # numbers keep their digits
    t.send("enter").wait_gone("── messages")
    assert "── detail" in t.text
    t.send("v").wait("detail  raw").send("v").wait("00000000  7b 22 74 79")
    t.send("esc").wait("── messages").send("q").wait("fair share").send("q").wait("1 of 9")


def test_search_says_its_cost_and_finds(demo):
    t = demo(rows=36, cols=120)
    goto(t, "orders.placed").send("M").wait(re.compile(r'"type":"placed"'), 60)
    t.wait(re.compile(r"END|LIVE"), 60)
    t.send("/").wait("search shop.orders.placed")
    t.send("key:=User:123").wait(re.compile(r"[\d,]+ messages at most"))
    t.wait(re.compile(r"Reads p4 only: the \d+ keys at hand follow murmur2"))
    t.send(" jq:)").wait("jq")
    assert "valid" in t.text
    t.send("^w", "enter").wait(re.compile(r"exact +\d\d,\d+ kept of [\d,]+ read"), 60)
    t.wait(lambda t: len(re.findall(r"User:123 ", t.text)) > 5
           and set(re.findall(r"User:\d+", t.text)) == {"User:123"}, 60)
    t.send("Y").wait("eventscope messages shop.orders.placed")
    assert b"\x1b]52;c;" in t.raw
    t.send("esc").wait("no filter")


def test_tail_pauses(demo):
    t = demo(rows=30, cols=120)
    goto(t, "orders.placed").send("M").wait(re.compile(r"END|LIVE"), 60)
    here = re.search(r"► +\d+ +[\d,]+", t.text).group(0)
    t.pump(2.5)
    assert here in t.text, "without F it stays where it is"
    t.send("F").wait("LIVE")
    last = t.text
    t.wait(lambda t: t.text != last)
    t.send("p").wait("PAUSED")
    t.wait(re.compile(r"behind head [1-9]\d* message"))
    t.send("p").wait("LIVE")


def test_jump(demo):
    t = demo(rows=30, cols=120)
    goto(t, "orders.placed").send("M").wait(re.compile(r"END|LIVE"), 60)
    t.send("@", "p4:100", "enter").wait(re.compile(r"› p4 .*list"))
    t.wait(re.compile(r"► +100 "), 60)
    t.send("@", "p99", "enter").wait("partitions are 0 to 11")
    t.send("esc", "@", "begin", "enter").wait(re.compile(r"► +0 "), 60)


def test_no_color_means_no_colour(demo):
    t = demo(env={"NO_COLOR": "1"}, rows=24, cols=80)
    assert not re.search(rb"\x1b\[[0-9;]*(3[0-7]|38;5|48;5|4[0-7])[;m]", bytes(t.raw))
    t.wait("skewed", 30).wait("empty", 30)
    assert SAMPLE_READY.search(t.text)


@pytest.mark.parametrize("term", ["vt100", "linux", "xterm", "screen"])
def test_other_terminals(term, demo):
    t = demo(env={"TERM": term}, rows=24, cols=80)
    t.wait("skewed", 30)
    assert "? help" in t.text
    t.send("q")
    assert t.wait_exit() == 0


def test_ascii_sends_ascii(demo):
    t = demo("--ascii", rows=24, cols=80)
    t.send("enter").wait("fair").send("?").wait("EVERYWHERE").send("esc")
    t.send("M").wait(re.compile(r"END|LIVE"), 60)
    assert all(b < 0x80 for b in t.raw)


def test_footer_has_keys_and_help_lists_them(demo):
    t = demo(rows=24, cols=80)
    footer = t.lines[-1]
    keys = re.findall(r"(?:^ |  )(\S+) [a-z]", footer)
    assert len(keys) >= 4, footer
    t.send("?").wait("EVERYWHERE")
    for key in keys[:3]:
        assert re.search(rf"{re.escape(key)} ", t.text)


def test_palette_runs_by_word(demo):
    t = demo(rows=24, cols=80)
    t.send(":").wait("who leads what").send("cluster", "enter").wait("this client")
    t.send(":", "nonsense-word", "enter").wait("no command")
    t.send(":", "theme light", "enter").wait("theme light")
    t.send(":", "q", "enter")
    assert t.wait_exit() == 0


def test_idle_screens_send_nothing(demo):
    t = demo(rows=24, cols=80)
    t.send("?").wait("EVERYWHERE")
    assert quiet(t, 2.0) < 200, "at most a clock's minute"


def cursor(t):
    """The end of the name under the cursor: its start may be cut away."""
    found = re.search(r"► (\S+)", t.text)
    return found.group(1)[-5:] if found else None


def test_a_resize_keeps_the_record(demo):
    t = demo(rows=30, cols=120)
    for _ in range(3):
        before = cursor(t)
        t.send("j").wait(lambda t: cursor(t) not in (None, before))
    name = cursor(t)
    for rows, cols in (10, 60), (3, 9), (5, 20), (40, 160), (24, 80):
        t.resize(rows, cols)
        t.pump(0.2)
    t.wait(lambda t: cursor(t) == name)


def test_no_cluster_offers_a_start(tui):
    t = tui(rows=20, cols=100)
    t.wait("Welcome").wait("try it on sample data")
    t.send("enter").wait("SAMPLE DATA").wait(SAMPLE_READY, 60)


def test_typed_brokers(tui):
    t = tui(rows=20, cols=100)
    t.wait("enter brokers").send("down", "127.0.0.1:1", "enter")
    t.wait("not connected").wait("fix:")


def test_an_unreachable_broker(tui):
    t = tui("-b", "127.0.0.1:1", rows=20, cols=110)
    t.wait("not connected").wait("Connecting").wait("fix:")
    assert "D log" in t.text and "try now" in t.text
    t.send("D").wait("Log").send("q").wait("Connecting").send("q")
    began = time.monotonic()
    assert t.wait_exit() == 0
    assert time.monotonic() - began < 5


def test_a_long_reason_leaves_the_rest_its_place(tui):
    """The clock stays, and at the smallest size the mode, the glyph and the step that failed."""
    t = tui("-b", "no-such-host-anywhere.invalid:9092", rows=24, cols=100)
    t.wait("does not resolve").wait(re.compile(r"fix:"))
    assert re.search(r"not connected, .*… +\d\d:\d\d:\d\d \w+$", t.lines[0]), t.lines[0]
    t.resize(5, 20)
    t.wait(re.compile(r"^ no.*…\S+ ro +○\n► × name", re.M))


def test_a_broker_lost_and_back(broker, any_admin, tui):
    """Nothing that was shown is taken away, the header says so, and it heals without a key."""
    k = broker()
    any_admin.at(k.bootstrap)("create-topic", topic="survivor", partitions=2)
    t = tui("-b", k.bootstrap, rows=20, cols=110)
    t.wait(re.compile(r"survivor .* empty"), 30)
    k.kill()
    t.wait("○ lost", 30)
    t.wait("as of")
    assert "survivor" in t.text
    k.start()
    t.wait("● 1 broker", 60).wait_gone("as of", 60)
    assert "survivor" in t.text
