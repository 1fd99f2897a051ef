"""Guided replay on a terminal: form, dry run, typed confirmation, run, verify, Jobs."""
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
