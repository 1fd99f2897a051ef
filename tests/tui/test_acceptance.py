"""What screens.md asks of every screen: reach, columns, keys in one voice, figures as commands."""
import base64
import re
import shlex
import sqlite3

import pytest

from support.tty import SAMPLE_READY


@pytest.fixture
def demo(demo):
    """With the cursor on the hot topic, alone in the list."""
    def start(*args, **options):
        t = demo(*args, **options)
        return t.send("/", "orders.placed", "enter").wait(re.compile(r"► +shop\.orders\.placed"))
    return start


SCREENS = {                         # at most three keys from Topics: what its breadcrumb says
    "Partitions": (["2"], r"Topics › shop.orders.placed +"),
    "Messages": (["3"], r"shop.orders.placed › Messages"),
    "Keys": (["K"], r"shop.orders.placed › Keys"),
    "Heat": (["H"], r"› Heat"),
    "What-if": (["W"], r"› What-if"),
    "Groups": (["7"], r"Groups"),
    "Group": (["7", "enter"], r"Groups › "),
    "Why": (["7", "enter", "enter"], r"› Why"),
    "Jobs": (["J"], r"Jobs"),
    "Lint": (["9"], r"Lint"),
    "Cluster": (["0"], r"Cluster"),
    "Replay": (["r"], r"› Replay"),
    "Log": (["D"], r"Log"),
    "Help": (["?"], r"Help"),
}


@pytest.mark.parametrize("name", SCREENS)
def test_three_keys_from_topics(name, demo):
    """And at 80x24 it has a name, a body and a footer of at least four keys."""
    keys, crumb = SCREENS[name]
    t = demo(rows=24, cols=80)
    for key in keys:
        if key == "enter":
            t.wait(re.compile(r"^►", re.M), 60)          # there is something to open
        t.send(key)
        t.wait(lambda t: key != "7" or "GROUP" in t.text)
        t.wait(lambda t: keys != ["7", "enter", "enter"] or "› " in t.lines[1] or key == "7")
    t.wait(lambda t: re.search(crumb, t.lines[1]), 30)
    assert any(line.strip() for line in t.lines[2:-2])
    t.wait(lambda t: len(re.findall(r"\S+ [a-z]", t.lines[-1])) >= 3
           and re.search("q back|Esc", t.lines[-1]), 30)


@pytest.mark.parametrize("key,state", [("1", "hot"), ("7", "stall"), ("J", "Nothing runs")])
def test_names_and_states_at_the_smallest_size(key, state, demo):
    t = demo(rows=30, cols=100)
    t.send("esc", key).wait(state, 60)
    t.resize(5, 20)
    t.wait(lambda t: len(t.screen.display) == 5 and any(line.strip() for line in t.lines[1:4]))
    assert all(len(line) <= 20 for line in t.lines)
    assert not any("too small" in line for line in t.lines)
    t.resize(4, 20)
    t.wait("too small")
    t.resize(5, 20)
    t.wait_gone("too small")


def copied(t, *keys):
    """The text that these keys put into the clipboard."""
    osc = re.compile(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)[\x07\x1b]")
    before = len(osc.findall(bytes(t.raw)))
    t.send(*keys).wait(lambda t: len(osc.findall(bytes(t.raw))) > before)
    return base64.b64decode(osc.findall(bytes(t.raw))[-1]).decode()


@pytest.fixture
def orders(topic, admin, rng):
    name = topic(partitions=4)
    admin("produce", topic=name, records=[
        {"key": f"User:{rng.randrange(40)}" if i % 3 else "User:123", "value": f'{{"n": {i}}}',
         "timestamp": 1700000000000 + i * 1000} for i in range(3000)])
    return name


def by_command(t, kevs, *more):
    argv = shlex.split(copied(t, "Y"))
    assert argv[0] == "eventscope"
    return kevs(*argv[1:], *more).ok()


def test_figures_are_those_of_the_command_it_copies(kafka, kevs, orders, tui):
    t = tui("-b", kafka, rows=40, cols=150)
    t.wait(orders).send("/", orders, "enter").wait(re.compile(rf"► +{orders} .*3,000"))
    row, = [r for r in by_command(t, kevs, "--json").json["topics"] if r["name"] == orders]
    assert row["messages"] == 3000
    assert f"{row['skew']['max_over_mean']:.1f}" in t.text
    t.send("enter").wait("fair 25.0 %").wait(re.compile(r"^► .* [\d.]+ %", re.M))
    for part in by_command(t, kevs, "--json").json["partitions"]:
        assert re.search(rf"^[► ] +{part['partition']} .* {part['high']:,} .* "
                         rf"{100 * part['share']:.1f} %", t.text, re.M), part
    t.send("q").wait("SKEW×").send("K").wait(re.compile(r"exact +4 of 4"), 60)
    got = by_command(t, kevs, "--json").json
    assert f"{got['hot_keys'][0]['count']:,}" in t.text
    assert f"distinct keys {got['distinct_keys']['estimate']:.0f}" in t.text
    assert f"Gini {got['skew']['messages']['gini']:.2f}" in t.text
    t.send("q").wait("SKEW×").send("M").wait("END")
    t.send("/", "key:User:1? !grep:7}", "enter").wait(re.compile(r"[\d,]+ kept of 3,000 read"), 60)
    kept = int(re.search(r"([\d,]+) kept of 3,000", t.text).group(1).replace(",", ""))
    assert len(by_command(t, kevs, "--json").lines) == kept > 0


def test_a_stopped_search_goes_on_to_the_same_end(kafka, kevs, topic, produce, tui):
    name = topic(partitions=2)
    for p in range(2):
        produce(name, ((f"k{i % 97}", "v" * 300) for i in range(150_000)), partition=p)
    want = len(kevs("messages", name, "-k", "=k13", "-f", "%o\\n").ok().raw.split())
    slow = 'p:all jq:.key == "k13"'                      # so that there is time to stop it
    t = tui("messages", name, "-b", kafka, "--tui", rows=24, cols=120)
    t.wait("END").send("/", slow, "enter").wait("Esc stop", 60).send("esc")
    t.wait(re.compile(r"partial +\d+ %"), 60)
    t.send("c").wait(re.compile(rf"{want:,} kept of 300,000 read"), 120)


def test_rebound_keys_show_everywhere(evs, tui):
    folder = evs.home / "config" / "eventscope"
    folder.mkdir(parents=True)
    (folder / "keys").write_text("[global]\nZ = go-keys\nK = none\n")
    t = tui("demo", rows=34, cols=120)
    t.wait(SAMPLE_READY, 60)
    t.send("/", "orders.placed", "enter").wait(re.compile(r"► +shop\.orders\.placed"))
    t.wait(lambda t: "Z keys" in t.lines[-1])
    assert "K keys" not in t.lines[-1]
    t.send("?").wait(re.compile(r"^ +Z +keys", re.M)).send("esc")
    t.send(":", "go-keys").wait(re.compile(r"go-keys .* Z$", re.M)).send("esc")
    t.send("K").pump(0.5)
    assert t.lines[1].startswith(" Topics  "), "freed"
    t.send("Z").wait("› Keys")


# What pyte itself draws right: it loses the rest of a line after a Thai vowel sign.
WIDE = ["用户:85", "e\u0301le\u0300ve", "👧 girl", "a\u200bb", "\ufeffbom", "한국어", "ＡＢＣ"]


def settled(t):
    """The screen once nothing was sent for a second."""
    seen = -1
    while seen != len(t.raw):
        seen = len(t.raw)
        t.pump(1.0)
    return t.lines[1:-2] + t.lines[-1:]                 # a key clears what the status line said


def test_no_ghost_cells(kafka, topic, admin, tui):
    """After every key the screen is what a whole repaint would draw."""
    name = topic(partitions=1)
    admin("produce", topic=name, records=[{"key": w, "value": w * 5} for w in WIDE * 6])
    t = tui("messages", name, "-b", kafka, "--tui", rows=20, cols=90)
    t.wait("END")
    for key in "k", "k", "pgup", "v", "v", "enter", "esc", "G", "m", "l", "w", "z", "z":
        shown = settled(t.send(key))
        assert settled(t.send("^l")) == shown, f"after {key}"


def test_two_hundred_resizes_keep_the_record(kafka, orders, tui, rng):
    t = tui("messages", orders, "-b", kafka, "--tui", "-p", "0", rows=30, cols=120)
    t.wait("END")
    settled(t)
    settled(t.send("k", "k", "k"))
    here = re.search(r"► +([\d,]+) ", t.text).group(1)
    for _ in range(200):
        t.resize(rng.randrange(1, 61), rng.randrange(1, 201))
        t.pump(0.002)
    t.resize(30, 120)
    t.wait(re.compile(rf"► +{here} "))


def test_story_of_the_hot_partition(demo):
    """Who, since when, what would fix it, at what price: eight keys from the row."""
    t = demo(rows=40, cols=120)
    t.send("K").wait(re.compile(r"Hot key: User:123 is [\d.]+ %"), 60).wait("Since", 60)
    t.wait(re.compile(r"exact +12 of 12"), 60)
    t.send("H").wait(re.compile(r"Band +p4 since"), 60)
    t.send("W").wait(re.compile(r"Smallest change that works: write User:123 as"), 60)
    t.wait(re.compile(r"► shards:\d+, placed"))
    assert "User:123" in copied(t, "y")


def test_story_of_the_stuck_group(demo):
    """Why is payments-view behind, and on which record does it stand: six keys."""
    t = demo(rows=40, cols=150)
    t.send("7").wait(re.compile(r"payments-view .* stalled"), 90)
    t.send("/", "payments-view", "enter").wait(re.compile(r"► payments-view"))
    t.send("enter").wait(re.compile(r"shop\.payments\.captured +3 .* stalled"), 60)
    t.send("enter").wait("Stuck on one record", 60)
    t.send("enter").wait("not JSON at byte 1,204,113: invalid UTF-8: shown as hex", 60)
    line = 1204113 // 16 * 16                       # the cursor's, in the middle of the screen
    t.wait(re.compile(rf"^ {line:08x}  .* x\.", re.M))
    assert t.lines.index(next(x for x in t.lines if f"{line:08x}" in x)) in range(15, 25)
    t.send("g").wait("value  1.92 MB   not JSON at byte").wait(re.compile(r"headers \d"))
    assert re.fullmatch(r"shop\.payments\.captured/3/\d+", copied(t, "y", "o"))
    t.send("esc").wait(re.compile(r"› Why +lag"))


def test_story_of_a_rebuilt_view(demo, tmp_path):
    """From a window to a verified view: nothing is written before the target was typed."""
    view = tmp_path / "shop.db"
    t = demo(rows=40, cols=130)
    t.send("r").wait(re.compile(r"► Sink +url")).send(*["up"] * 8).send("24h")
    t.wait(re.compile(r"from +24h"))
    t.send(*["down"] * 8).send(f"sqlite:{view}", "tab", "orders_view").wait("Ready:", 30)
    assert re.search(r"swap +no", t.text)
    t.send("enter").wait("in the topic, not in the view", 60).wait("nothing was written")
    insert = int(re.search(r"insert +([\d,]+)", t.text)[1].replace(",", ""))
    t.send("enter").wait("Type the target").send("orders", "enter")
    t.wait("Type the target")                            # not the target: the dialog stays
    assert not view.exists()
    t.send("_view", "enter").wait("done in", 60)
    t.send("V").wait("The view agrees with the topic", 60)
    with sqlite3.connect(view) as db:
        rows, = db.execute("SELECT count(*) FROM orders_view").fetchone()
    assert rows >= insert > 100                          # the demo goes on writing
    t.send("J").wait(re.compile(r"orders_view-\w+ +replay .* done"))
