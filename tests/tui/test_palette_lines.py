"""Lines of the palette that take an argument, the Cluster screen, and what is saved to files."""
import re

import pytest

from support.proc import wait_until
from support.tls import Authority


@pytest.fixture
def profiles(evs):
    """Two profiles on the same broker, told apart by the header."""
    def write(kafka):
        folder = evs.home / "config" / "eventscope"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "eventscope.conf").write_text(
            f"[cluster one]\nbrokers = {kafka}\n\n"
            f"[cluster two]\nbrokers = {kafka}\nread-only = true\n")
    return write


def test_another_cluster_in_its_place(kafka, topic, profiles, tui):
    name = topic()
    profiles(kafka)
    t = tui("topics", "-C", "one", "--tui", rows=24, cols=180)
    t.wait(name).wait(lambda t: " one " in t.lines[0])
    t.send("M").wait("list · read_committed")
    t.send(":", "cluster tw", "o", "enter").wait(lambda t: " two " in t.lines[0])
    t.wait("locked").wait(name).wait(lambda t: t.lines[1].startswith(" Topics "))
    t.send(":", "cluster nosuch", "enter").wait("nosuch")
    assert " two " in t.lines[0], "what was there stays"
    t.send("q")
    assert t.wait_exit() == 0


def test_the_screen_as_text(kafka, topic, tui, evs):
    name = topic()
    t = tui("-b", kafka, rows=20, cols=200)
    t.wait(re.compile(rf"{name} .* empty"))
    t.send(":", "dump", "enter").wait(":dump ")         # asks for the rest
    t.send("screen.txt", "enter").wait("to screen.txt")
    text = (evs.home / "screen.txt").read_text().splitlines()
    assert len(text) == 20 and any(name in line for line in text)
    t.send(":", "dump screen.txt", "enter").wait("screen.txt: File exists")
    assert (evs.home / "screen.txt").read_text().splitlines() == text


def test_records_are_saved_while_keys_are_taken(kafka, topic, produce, tui, evs):
    name = topic()
    produce(name, [("k", f"v{i}") for i in range(20)])
    t = tui("messages", name, "-b", kafka, "--tui", rows=24, cols=110)
    t.wait("v19").send("S").wait("save all to").send("all.jsonl", "enter").wait("to all.jsonl")
    lines = wait_until((evs.home / "all.jsonl").read_text().splitlines, "the file")
    assert len(lines) == 20 and '"payload":"v19"' in lines[-1]
    t.send("s").wait("save to").send("no/such/folder", "enter").wait("no/such/folder: No such file")


def test_the_target_of_what_if(kafka, topic, produce, tui):
    name = topic(partitions=4)
    produce(name, [("hot", "v")] * 600 + [(f"k{i}", "v") for i in range(400)])
    t = tui("keys", name, "-b", kafka, "--tui", rows=34, cols=120)
    t.wait(re.compile(r"exact +4 of 4"), 60)
    t.send(":", "target 1.1", "enter").wait("6 opens it")
    t.send("W").wait("target 1.25×").send(":", "target 1.1", "enter").wait("target 1.1")
    t.send(":", "target 0.5", "enter").wait("above 1")
    t.send(":", "what-if partitions:17", "enter").wait("partitions:17")


def test_the_topics_a_broker_leads(kafka, topic, tui):
    name = topic(partitions=3)
    t = tui("-b", kafka, rows=30, cols=120)
    t.wait(name).send("0").wait(re.compile(r"► +1 .* controller +\d+ .* [\d.]+ ms"), 30)
    t.send("enter").wait("led by broker 1").wait(re.compile(rf"{name} +3 +p0 p1 p2"))
    t.send("/", name, "enter").wait(re.compile(rf"► {name}"))
    t.send("enter").wait("no messages yet").send("q").wait("led by broker 1")
    t.send("esc").wait("this client")


def test_certificate_and_clock(broker, any_admin, tui, tmp_path):
    """What the client's pane says of a broker with TLS."""
    ca = Authority(tmp_path)
    k = broker(listeners={"TLS": "SSL"}, properties=ca.broker_properties("TLS"))
    any_admin.at(k.bootstrap)("create-topic", topic="t")
    t = tui("-b", k.address("TLS"), "-X", "security.protocol=ssl", "-X",
            f"ssl.ca.location={ca.cert}", rows=30, cols=120)
    t.wait("empty", 30).send("0").wait(re.compile(r"TLS +.* \d{4}-\d\d-\d\d"), 30)
