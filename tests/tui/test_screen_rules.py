"""Rules of screens.md for every screen: offsets without holes, numbers with their tag, work
that says how far it is and stops, silence while nothing happens, little output for a key."""
import os
import re
import time

import pytest

from support import proc

ROW = re.compile(r"^[► ] +([\d,]+) \d\d:\d\d:\d\d", re.M)
GAP = re.compile(r"^[► ] +([\d,]+)(?: – ([\d,]+))? +(\d[\d,]*) offsets?: ([a-z0-9][^│…]*)", re.M)


def number(text):
    return int(text.replace(",", ""))


def covered(text):
    """[(from, to)] of the rows shown, in their order: records and gaps."""
    spans = []
    for line in text.splitlines():
        gap, row = GAP.match(line), ROW.match(line)
        if gap:
            spans.append((number(gap[1]), number(gap[1]) + number(gap[3])))
        elif row:
            spans.append((number(row[1]), number(row[1]) + 1))
    return spans


@pytest.fixture
def holes(topic, admin):
    """Offsets with records, aborted ones and markers between them; and what was deleted."""
    name = topic(partitions=1)
    for n in range(6):
        txn = f"{name}-{n}"
        admin("txn-begin", txn=txn)
        admin("produce", topic=name, txn=txn, records=[
            {"key": f"k{n}", "value": f"{n}/{i}"} for i in range(n + 1)])
        admin("txn-abort" if n % 2 else "txn-commit", txn=txn)
        admin("produce", topic=name, records=[{"key": "plain", "value": f"{n}"}])
    admin("delete-records", topic=name, before={"0": 2})
    return name


@pytest.mark.parametrize("isolation,aborted", [([], "aborted"), (["i"], None)])
def test_no_hole_between_offsets(isolation, aborted, kafka, kevs, holes, tui):
    t = tui("messages", holes, "-b", kafka, "--tui", "-o", "beginning", rows=60, cols=120)
    t.wait(re.compile(r"messages loaded")).send(*isolation)
    t.wait("read_uncommitted" if isolation else "read_committed")
    low, high = 2, 33
    end = kevs("partitions", holes, "--json").ok().json["partitions"][0]
    assert (end["low"], end["high"]) == (low, high)

    def whole(t):
        spans = covered(t.text)
        return (spans and spans[0][0] == low and spans[-1][1] == high
                and all(a[1] == b[0] for a, b in zip(spans, spans[1:])))

    def list_says(word):
        return word in "".join(line.split("│")[0] for line in t.lines[2:])
    t.wait(lambda t: whole(t) and list_says("aborted") == bool(aborted))    # reasons come later
    assert "reason unknown" not in t.text


def test_no_number_is_more_than_is_known(kafka, topic, admin, name, tui):
    """Counts of compacted topics are spans; a lag is never below 0."""
    squeezed = topic(partitions=1, cleanup_policy="compact")
    admin("produce", topic=squeezed, records=[{"key": "k", "value": str(i)} for i in range(40)])
    ahead = name("ahead")
    admin("set-group-offsets", group=ahead, topic=squeezed, offsets={"0": 100})
    t = tui("-b", kafka, rows=30, cols=150)
    t.wait("MSGS≤").send("/", squeezed, "enter").wait(re.compile(r"► +test-.* 40 "))
    t.wait("MSGS≤").wait(re.compile(r"^ span +MSGS≤ is high − low, an upper bound", re.M))
    t.send("7").wait(ahead, 60).send("/", ahead, "enter").wait(re.compile(rf"► {ahead}"), 60)
    t.send("enter").wait("ahead").wait(re.compile(rf"{squeezed}"))
    assert not re.search(r"(?<= )[-−][1-9]", "\n".join(t.lines[2:-2])), t.text
    admin("delete-group", groups=[ahead])


def shown_progress(t):
    """What the status line says of running work."""
    return next((line for line in t.lines[-2:] if "Esc stop" in line), None)


def stops(t, tag):
    """Esc: at most four more frames (a fifth of a second of them) still count up, and what was
    found stays, tagged."""
    t.send("esc")
    counts = set()
    while shown_progress(t):
        counts.add(shown_progress(t))
        t.pump(0.01)
    assert len(counts) <= 4 + 1, counts
    t.wait(re.compile(tag))
    stands = re.search(tag, t.text).group(0)
    t.pump(0.5)
    assert stands in t.text


FULL_BAR = re.compile(r"\d %.* \d[\d,]* of \d.*(/s|ETA).*Esc stop")


@pytest.fixture
def long(topic, produce):
    name = topic(partitions=2)
    for p in range(2):
        produce(name, ((f"k{i % 9973}", f'{{"n": {i}, "pad": "{"v" * 200}"}}')
                       for i in range(200_000)), partition=p)
    return name


WORK = {
    "search": (["messages"], ["/", 'p:all jq:.key == "k13"', "enter"], r"partial +\d+ %"),
    "keys": (["keys", "--jq", "[range(60)] | length == 60"], [], r"partial +\d+ %"),
    "trace": (["trace", "-a", "--by", "json:.n"], [], r"partial +\d+ %"),
}


@pytest.mark.parametrize("what", WORK)
def test_work_says_how_far_it_is_and_stops(what, kafka, long, tui):
    """Percent, count of total, rate, ETA, and Esc."""
    (command, keys, tag) = WORK[what]
    words = ["13"] if what == "trace" else []
    t = tui(*command, long, *words, "-b", kafka, "--tui", rows=24, cols=130)
    t.wait("END" if keys else what.capitalize()).send(*keys)
    t.wait(lambda t: FULL_BAR.search(shown_progress(t) or ""), 60)
    stops(t, tag)


def test_lint_says_how_far_it_is_and_stops(kafka, admin, name, tui):
    many = [f"{name('lint')}-{i}" for i in range(300)]
    admin("create-topics", topics=many)
    t = tui("lint", "-b", kafka, "--tui", rows=24, cols=130)
    t.wait(lambda t: FULL_BAR.search(shown_progress(t) or ""), 60)
    stops(t, r"partial \d+ % +stopped after [\d,]+ of [\d,]+ topics")
    admin("delete-topic", topics=many)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        user, system = f.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("seconds", [15, pytest.param(60, marks=pytest.mark.long)])
def test_idle(kafka, topic, tui, seconds):
    """No rate on the screen: nothing is sent but the clock's minute, and almost nothing done."""
    t = tui("-b", kafka, rows=24, cols=80)
    t.wait(topic(partitions=1)[:20]).send("p").wait("paused").send("?").wait("EVERYWHERE")
    end = time.monotonic() + 5
    sent = -1
    while sent != len(t.raw) and time.monotonic() < end:
        sent = len(t.raw)
        t.pump(1.0)
    before, used, end = len(t.raw), cpu_seconds(t.pid), time.monotonic() + seconds
    while time.monotonic() < end:
        t.pump(1.0)
    assert len(t.raw) - before <= 2 * 64, bytes(t.raw[before:])
    assert cpu_seconds(t.pid) - used <= 0.005 * seconds + 0.01   # ticks of 10 ms


def test_little_is_sent_for_a_key(kafka, topic, admin, tui):
    name = topic(partitions=1)
    admin("produce", topic=name, records=[
        {"key": f"User:{i}", "value": f'{{"n": {i}, "text": "{"x" * 60}"}}'} for i in range(300)])
    t = tui("messages", name, "-b", kafka, "--tui", rows=40, cols=120)
    t.wait("END")
    for key in "k", "k", "up", "j", "pgup", "pgup", "tab", "j", "tab", "v", "v":
        proc.wait_until(lambda: not t.pump(0.3) and still(t), "silence")
        before = len(t.raw)
        t.send(key).pump(1.0)
        still(t)
        assert len(t.raw) - before <= 4096, (key, len(t.raw) - before)


def still(t):
    """True once nothing was sent for a moment."""
    seen = len(t.raw)
    t.pump(0.4)
    return seen == len(t.raw)


def test_a_gap_says_whose_it_is(kafka, topic, admin, tui):
    """Among several partitions a gap row carries its partition, as every row does."""
    name = topic(partitions=2)
    admin("txn-begin", txn=f"{name}-t")
    admin("produce", topic=name, txn=f"{name}-t", records=[
        {"partition": 1, "key": "k", "value": "v"}] * 3)
    admin("txn-abort", txn=f"{name}-t")
    admin("produce", topic=name, records=[{"partition": 0, "key": "k", "value": "v"}])
    t = tui("messages", name, "-b", kafka, "--tui", rows=24, cols=120)
    t.wait(re.compile(r"^[► ]   1 +0 – 3  4 offsets: 3 aborted, 1 marker", re.M))
