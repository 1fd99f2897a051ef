"""Guided replay on a terminal: form, dry run, typed confirmation, run, verify, Jobs."""
import re

from support import views


def test_from_the_form_to_a_verified_view(tui, kafka, topic, produce, tmp_path):
    name, sink = topic(), views.Sqlite(tmp_path)
    produce(name, [(f"k{i % 50}", f"v{i}") for i in range(400)])
    t = tui("-b", kafka, rows=30, cols=120)
    t.wait("Topics")
    t.send(f"/{name}\r")
    t.wait(name)
    t.send("r")
    t.wait(f"default: sqlite:{name}.db")
    t.send(sink.url)
    t.wait("exactly-once")
    t.send("\tview")
    t.wait("Ready:")
    assert not sink.path.exists()
    t.send("\r")
    t.wait("in the topic, not in the view")
    t.wait("nothing was written")
    assert not sink.path.exists()
    t.send("\r")
    t.wait("Type the target")
    t.send("vie\r")
    t.wait("Type the target")           # not the target: the dialog stays
    assert not sink.path.exists()
    t.send("w\r")
    t.wait("done in")
    assert sink.latest("view") == views.fold_latest(views.dump(kafka, name))
    t.send("V")
    t.wait("The view agrees with the topic")
    t.send("J")
    t.wait("kept")
    assert "replay" in t.text
    t.send("g", "enter").wait("The view agrees with the topic").send("q").wait("kept")
    t.send("down", "enter").wait(re.compile(r"done in .* V verifies the view")).send("esc")
    t.wait(re.compile(r"url .*view\.db +a table of an SQLite")).wait(re.compile(r"target +view"))


def test_the_window_is_resolved_as_it_is_typed(tui, kafka, topic, produce):
    name = topic(partitions=3)
    for p in range(3):
        produce(name, [("k", "v")] * 40, partition=p)
    t = tui("-b", kafka, rows=30, cols=120)
    t.wait("Topics").send(f"/{name}\r").wait(name).send("r")
    t.wait("Would read 120 events of 3 partitions")
    t.send(*["up"] * 8).send("10").wait("p0 10 … p2 10").wait("Would read 90 events")
    t.send("down").send("-5").wait("p0 10 … p2 10")
    t.send("^u", "20").wait("p0 20 … p2 20").wait("Would read 30 events")
    t.send("down").send("1").wait(re.compile(r"from +10 +p1 10$", re.M))
    t.wait("Would read 10 events of 1 partition.")
    t.send("^u", "7").wait(re.compile(r"partition|7"))
    assert "Esc back" in t.lines[-1] and "q back" not in t.lines[-1]
    t.send("q").wait(re.compile(r"partitions +7q"))                  # a letter is text here
    t.send("esc").wait("SKEW×")


def test_jobs_list_scans_and_searches(tui, kafka, topic, produce):
    name = topic(partitions=2)
    for p in range(2):
        produce(name, [(f"k{i % 5}", "v") for i in range(200)], partition=p)
    t = tui("-b", kafka, rows=24, cols=130)
    t.wait("Topics").send(f"/{name}\r").wait(name).send("K").wait(re.compile(r"exact +2 of 2"))
    t.send("q").wait("SKEW×").send("M").wait("END")
    t.send("/", "p:all key:=k3\r").wait("80 kept of 400 read").send("J")
    t.wait(re.compile(rf"^► messages-2 +search +{name} p:all key:=k3 +done +100.0 %", re.M))
    t.wait(re.compile(rf"^  keys-1 +scan +{name} +done +100.0 %", re.M)).wait("0 running · 2 kept")
    t.send("enter").wait("80 kept of 400 read").wait("p:all key:=k3").send("q").wait("kept")
    t.send("G", "enter").wait("› Keys").wait(re.compile(r"exact +2 of 2"))
