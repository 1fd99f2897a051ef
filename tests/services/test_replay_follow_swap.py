"""--follow keeps a view up to date; --swap builds beside it and switches in one step."""
import json
import signal

import pytest

from support import proc, views


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def sink(request, tmp_path):
    return views.make(request.param, request.getfixturevalue, tmp_path)


def test_follow(kevs, kafka, sink, topic, produce):
    name = topic(partitions=2)
    produce(name, [(f"k{i}", "1") for i in range(20)])
    child = kevs.start("replay", name, "--sink", sink.url, "--target", "v", "--json", "--yes",
                       "--follow", "--id", "tail")
    try:
        proc.wait_until(lambda: len(sink.latest("v")) == 20, "what was there")
        produce(name, [(f"k{i}", "2") for i in range(30)])
        proc.wait_until(lambda: sink.latest("v") == views.fold_latest(views.dump(kafka, name)),
                        "what came later")
    finally:
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
    assert child.returncode == 3, (out, err)
    last = json.loads(out.splitlines()[-1])
    assert last["state"] == "stopped" and last["events"]["read"] == 50
    assert all(p["end"] is None for p in last["partitions"])


def test_swap_keeps_the_old_view(kevs, kafka, topic, produce, sink):
    if sink.name == "redis":
        kevs("replay", "t", "--sink", sink.url, "--target", "v", "--swap",
             "--yes").failed(2, "swap")
        return
    name = topic()
    produce(name, [("a", "1"), ("b", "2")])
    run = ("replay", name, "--sink", sink.url, "--target", "v", "--yes", "--json")
    kevs(*run).ok()
    old = sink.latest("v")
    produce(name, [("b", "3"), ("c", "4")])
    for _ in range(2):                      # a second swap finds the first one's leavings
        kevs(*run, "--swap", "--id", "swap", "--restart").ok()
        assert sink.latest("v") == views.fold_latest(views.dump(kafka, name))
        assert sink.latest("v__old") in (old, sink.latest("v"))
    kevs(*run, "--swap", "--id", "swap", "--resume").ok()   # done: nothing to do
    assert sink.latest("v") == views.fold_latest(views.dump(kafka, name))
