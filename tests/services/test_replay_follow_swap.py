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


SWAPS = ["sqlite", "postgresql", "redis", "opensearch", "elasticsearch"]


@pytest.fixture(params=SWAPS)
def swaps(request, tmp_path):
    return views.make(request.param, request.getfixturevalue, tmp_path)


def test_swap_keeps_the_old_view(kevs, kafka, topic, produce, swaps):
    sink, name = swaps, topic()
    produce(name, [("a", "1"), ("b", "2"), ("gone", "x")])
    run = ("replay", name, "--sink", sink.url, "--target", "v", "--yes", "--json")
    kevs(*run).ok()
    for i in range(3):                      # a later swap finds the earlier one's leavings
        old = sink.latest("v")
        produce(name, [("b", f"3{i}"), (f"c{i}", "4"), ("gone", None)])
        kevs(*run, "--swap", "--id", "swap", "--restart").ok()
        assert sink.latest("v") == views.fold_latest(views.dump(kafka, name)) != old
        assert sink.latest("v__old") == old
        if sink.name not in ("sqlite", "postgresql"):
            assert sink.latest("v__new") == {}
    kevs(*run, "--swap", "--id", "swap", "--resume").ok()   # done: nothing to do
    produce(name, [("b", "9")])
    kevs(*run, "--id", "after").ok()        # a plain run goes on with what is live
    assert sink.latest("v") == views.fold_latest(views.dump(kafka, name))
    assert sink.latest("v__old") == old


@pytest.mark.parametrize("mode", ["log", "count"])
def test_swap_of_other_views(kevs, kafka, topic, produce, swaps, mode):
    sink, name = swaps, topic(partitions=2)
    produce(name, [(f"k{i % 7}", str(i)) for i in range(50)])
    run = ("replay", name, "--sink", sink.url, "--target", "v", "--yes", "--json", "--mode", mode)
    kevs(*run).ok()
    produce(name, [("k0", "more")])
    kevs(*run, "--swap", "--id", "swap").ok()
    events = views.dump(kafka, name)
    if mode == "log":
        assert sink.log("v") == views.fold_log(events)
        assert len(sink.log("v__old")) == 50
    else:
        want = views.fold_count(events)
        assert {k: int(n) for k, n in sink.totals("v", "count").items()} == want
        assert sum(int(n) for n in sink.totals("v__old", "count").values()) == 50


def test_a_reader_sees_the_old_view_or_the_new_one(kevs, topic, produce, redis, opensearch):
    n, name = 5000, topic()
    produce(name, [(f"k{i}", "old") for i in range(n)])
    store, search = views.Redis(redis), views.OpenSearch(opensearch)
    looks = {
        store: lambda: tuple(store.ask(["MGET", "v:k0", f"v:k{n // 2}", f"v:k{n - 1}"])[0]),
        search: lambda: (search.ask("POST", "/v/_search?q=value:old&size=0")["hits"]["total"],),
    }
    for sink in looks:
        sink.clear()
        kevs("replay", name, "--sink", sink.url, "--target", "v", "--yes").ok()
    # An index gives its name to an alias at its first swap: see test_replay_search.
    kevs("replay", name, "--sink", search.url, "--target", "v", "--yes", "--swap").ok()
    produce(name, [(f"k{i}", "new") for i in range(n)])
    for sink, look in looks.items():
        with proc.Reader(look) as reader:
            kevs("replay", name, "--sink", sink.url, "--target", "v", "--yes", "--swap", "--id",
                 "live").ok()
            before = len(reader.seen)
            proc.wait_until(lambda r=reader, b=before: len(r.seen) > b + 2, "another look")
        kinds = list(dict.fromkeys(str(s) for s in reader.seen))
        assert len(kinds) == 2, kinds       # first the one, then the other, nothing between
        assert str(reader.seen[0]) == kinds[0] and str(reader.seen[-1]) == kinds[1]


def test_no_swap_where_nothing_can_be_switched(kevs, tmp_path):
    for url in (f"jsonl:{tmp_path}/v.jsonl", "kafka:other"):
        kevs("replay", "t", "--sink", url, "--swap", "--yes").failed(2, "swap")
