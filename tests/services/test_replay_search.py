"""The search sinks' deletions outlive the server's memory of them."""
import subprocess
import time
import urllib.error

import pytest

from support import proc, stores, views

T0 = int(time.time() * 1000) - 3_600_000
KINDS = {"opensearch": (stores.OpenSearch, views.OpenSearch),
         "elasticsearch": (stores.Elasticsearch, views.Elasticsearch)}


@pytest.fixture(params=["opensearch", pytest.param("elasticsearch", marks=pytest.mark.long)])
def own(request):
    """A server of the test's own, to be killed, and its sink; each start takes ten seconds."""
    made, sink = KINDS[request.param]
    with made() as store:
        view = sink(store.url)
        view.store = store
        yield view


@pytest.fixture(params=list(KINDS))
def shared(request):
    sink = KINDS[request.param][1](request.getfixturevalue(request.param))
    sink.clear()
    return sink


def record(key, value, ms, partition=0):
    return {"partition": partition, "key": key, "timestamp": T0 + ms,
            **({} if value is None else {"value": value})}


@pytest.fixture
def filled(admin, topic):
    """Forty keys at 0 s, half of them changed at 10 s, every third deleted at 20 s, p1 with keys of
    p0 that are older than their deletion, two back at 30 s."""
    def fill():
        name = topic(partitions=2)
        records = [record(f"k{i}", "first", i) for i in range(40)]
        records += [record(f"k{i}", "second", 10_000 + i) for i in range(0, 40, 2)]
        records += [record(f"k{i}", None, 20_000 + i) for i in range(0, 40, 3)]
        records += [record(f"k{i}", "elsewhere", 15_000 + i, 1) for i in range(0, 40, 6)]
        records += [record(f"k{i}", "back", 30_000 + i) for i in (0, 3)]
        admin("produce", topic=name, records=records)
        return name
    return fill


def argv(topic, sink, *options):
    return ("replay", topic, "--sink", sink.url, "--target", "v", "--json", "--yes", *options)


def indices(sink, prefix=""):
    found = [i["index"] for i in sink.ask("GET", "/_cat/indices?format=json&h=index")]
    return sorted(i for i in found if i.startswith(prefix) and not i.startswith("."))


def state(sink):
    """Every document of every index, with its version."""
    found = {}
    for index in indices(sink):
        sink.ask("POST", f"/{index}/_refresh")
        hits = sink.ask("POST", f"/{index}/_search",
                        {"size": 5000, "version": True, "seq_no_primary_term": True})
        found[index] = {h["_id"]: h for h in hits["hits"]["hits"]}
        for h in found[index].values():
            del h["_score"]
    return found


def forget(sink, how="stop", index="v"):
    """All that a server can do to forget deletions: flushed, not kept, merged away, restarted."""
    sink.ask("PUT", f"/{index}/_settings", {"index": {"gc_deletes": "0s"}})
    sink.ask("POST", f"/{index}/_flush?force=true&wait_if_ongoing=true")
    sink.ask("POST", f"/{index}/_forcemerge?max_num_segments=1&flush=true")
    getattr(sink.store, how)()
    sink.store.start()
    proc.wait_until(lambda: sink.ask("GET", f"/{index}/_count"), "the index", 60)


OLDER = ("--id", "older", "--until", str(T0 + 19_000))


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_no_document_comes_back(kevs, kafka, own, filled, how):
    name = filled()
    kevs(*argv(name, own, "--id", "all")).ok()
    want = views.fold_latest(views.dump(kafka, name))
    assert own.latest("v") == want and b"k6" not in want and want[b"k0"][0] == b"back"
    forget(own, how)
    for batch in ("100", "7"):
        diff = kevs(*argv(name, own, *OLDER, "--diff")).ok().json
        assert diff["newer"] + diff["same"] == 40 and not diff["insert"] + diff["update"], diff
        done = kevs(*argv(name, own, *OLDER, "--batch", batch)).ok().json
        assert own.latest("v") == want
        assert done["rows"]["written"] == done["rows"]["deleted"] == 0


def test_memory_that_ends_at_once(kevs, kafka, shared, filled, admin):
    """gc_deletes is 0 and nothing restarts; what was deleted may come back by a newer event."""
    name = filled()
    kevs(*argv(name, shared, "--id", "all")).ok()
    shared.ask("PUT", "/v/_settings", {"index": {"gc_deletes": "0s"}})
    shared.ask("POST", "/v/_flush?force=true&wait_if_ongoing=true")
    kevs(*argv(name, shared, *OLDER)).ok()
    assert shared.latest("v") == views.fold_latest(views.dump(kafka, name))
    admin("produce", topic=name, records=[record(f"k{i}", "anew", 40_000 + i) for i in (6, 9)] +
          [record("k3", None, 40_010)])
    kevs(*argv(name, shared, "--id", "more", "--since", str(T0 + 35_000))).ok()
    shared.ask("PUT", "/v/_settings", {"index": {"gc_deletes": "0s"}})
    kevs(*argv(name, shared, *OLDER, "--restart")).ok()
    got = shared.latest("v")
    assert got == views.fold_latest(views.dump(kafka, name))
    assert got[b"k6"][0] == b"anew" and b"k3" not in got
    verify = kevs(*argv(name, shared, "--id", "fresh", "--verify")).ok().json
    assert verify["sink_rows"] == verify["source_rows"] == len(got)


def test_what_only_reads_changes_nothing(kevs, shared, filled):
    name = filled()
    kevs(*argv(name, shared, "--id", "all")).ok()
    before = state(shared)
    assert [i for i in before if i.startswith("eventscope_tombstones.v.")]
    for how in ("--dry-run", "--diff", "--verify"):
        kevs(*argv(name, shared, "--id", "all", how)).ok()
        kevs(*argv(name, shared, *OLDER, how))
    assert state(shared) == before


def test_a_view_made_anew_begins_without(kevs, kafka, shared, filled):
    """Tombstones are of the index that was there, not of its name."""
    name = filled()
    old = {k: v for k, v in views.fold_latest(
        [e for e in views.dump(kafka, name) if e.ts < T0 + 19_000]).items()}
    kevs(*argv(name, shared, "--id", "all")).ok()
    [tombs] = indices(shared, "eventscope_tombstones.v.")
    shared.ask("DELETE", "/v")
    kevs(*argv(name, shared, *OLDER)).ok()
    assert shared.latest("v") == old and len(old) == 40
    assert tombs not in indices(shared)


def test_a_swap_takes_them_along(kevs, kafka, own, filled, admin):
    """At the first one, when the index gives its name to an alias, and at later ones."""
    name = filled()
    kevs(*argv(name, own, "--id", "all")).ok()
    for i in range(3):
        admin("produce", topic=name, records=[record(f"k{i}", None, 50_000 + i)])
        before = own.latest("v")
        kevs(*argv(name, own, "--swap", "--id", "swap", "--restart")).ok()
        want = views.fold_latest(views.dump(kafka, name))
        assert own.latest("v") == want != before
        live, old = ([*own.ask("GET", f"/{n}/_alias")][0] for n in ("v", "v__old"))
        assert {t.rpartition(".")[0] for t in indices(own, "eventscope_tombstones.")} == {
            f"eventscope_tombstones.{live}", f"eventscope_tombstones.{old}"}
        assert len([d for d in state(own)["eventscope_checkpoint"]
                    if d.startswith("eventscope_tombstones.")]) == 2
        if i == 1:
            forget(own)
        own.ask("PUT", "/v/_settings", {"index": {"gc_deletes": "0s"}})
        own.ask("POST", "/v/_flush?force=true&wait_if_ongoing=true")
        kevs(*argv(name, own, *OLDER, "--restart")).ok()
        assert own.latest("v") == want
        assert own.latest("v__old") == before


def test_killed_anywhere(kevs, kafka, admin, topic, own, rng, request):
    """Run and server are killed again and again; then an older window is replayed."""
    name = topic(partitions=3)
    records = views.hostile(rng, 3000, False, 3, own.fits)
    for at in range(0, 3000, 1000):
        admin("produce", topic=name, records=records[at:at + 1000])
    events = views.dump(kafka, name)
    want = views.fold_latest(events)
    middle = str(sorted(e.ts for e in events)[1500])
    for i in range(10 if request.config.option.long else 1):
        run = argv(name, own, "--id", f"all{i}", "--batch", "60", "--rate", "2000", "--resume")
        child = kevs.start(*run)
        try:
            proc.wait_until(lambda: child.poll() is not None or own.latest("v"), "the run", 30)
            child.communicate(timeout=rng.uniform(0, 1.2))
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
        forget(own, "kill")
        kevs(*argv(name, own, "--id", f"older{i}", "--until", middle, "--batch", "60")).ok()
        assert kevs(*run[:-3], "--resume").ok().json["state"] == "done"
        assert own.latest("v") == want
        forget(own, "kill")
        kevs(*argv(name, own, "--id", f"again{i}", "--until", middle)).ok()
        assert own.latest("v") == want


@pytest.mark.parametrize("first", ["newer", "older"])
def test_times_that_go_back_across_windows(kevs, shared, topic, admin, first):
    """A clock that was ahead before the newer window began: whichever window is written first, the
    later event of the key stays; the versions are those of one run over all."""
    name = topic()
    admin("produce", topic=name, records=[
        record("ahead", "x", 50_000), record("k", "old", 10), record("other", "y", 15),
        record("k", "new", 20), record("k", "newest", 21)])
    windows = {"older": ["-o", "0", "-c", "2"], "newer": ["-o", "3"]}
    order = [first, "older" if first == "newer" else "newer"]
    for window in order:
        kevs(*argv(name, shared, "--id", window, *windows[window])).ok()
    assert shared.latest("v")[b"k"][0] == b"newest", order
    apart = {i: h["_version"] for i, h in state(shared)["v"].items()}
    shared.clear()
    kevs(*argv(name, shared, "--id", "whole")).ok()
    whole = {i: h["_version"] for i, h in state(shared)["v"].items()}
    assert apart == {i: v for i, v in whole.items() if i in apart} and len(apart) == 2


def test_a_total_waits_for_its_shard(kevs, own, topic, admin, tmp_path):
    """A total that cannot be read is not one that begins at 0; a second job adds to the first's."""
    name, log = topic(), tmp_path / "log"
    admin("produce", topic=name, records=[record(f"k{i % 5}", "x", i) for i in range(100)])
    run = argv(name, own, "--mode", "count")
    kevs(*run, "--id", "first").ok()
    admin("produce", topic=name, records=[record(f"k{i % 5}", "x", 10_000) for i in range(50)])
    uuid = own.ask("GET", "/v/_settings")["v"]["settings"]["index"]["uuid"]
    [shards] = own.store.dir.rglob(f"indices/{uuid}")
    own.store.stop()
    (shards / "0").rename(tmp_path / "0")
    whole = own.store.ready
    own.store.ready = lambda: own.ask("GET", "/eventscope_checkpoint/_doc/first")["found"]
    own.store.start()
    child = kevs.start(*run, "--id", "second", "--since", str(T0 + 5_000), "--log", log, "-v")
    try:
        def tried():
            if child.poll() is not None:
                raise proc.Ended(child.communicate())
            return "again in" in log.read_text()
        proc.wait_until(tried, "a try", 60)
        own.store.stop()
        (tmp_path / "0").rename(shards / "0")
        own.store.ready = whole
        own.store.start()
        out, err = child.communicate(timeout=100)
    finally:
        child.kill()
    assert child.returncode == 0, (out, err)
    assert own.totals("v", "count") == {b"k%d" % i: 30 for i in range(5)}


def test_totals_begin_anew_behind_an_alias(kevs, shared, topic, admin):
    name = topic()
    admin("produce", topic=name, records=[record(f"k{i % 5}", "x", i) for i in range(100)])
    run = argv(name, shared, "--mode", "count")
    kevs(*run, "--id", "c").ok()
    kevs(*run, "--id", "swap", "--swap").ok()
    kevs(*run, "--id", "c", "--restart").ok()
    assert shared.totals("v", "count") == {b"k%d" % i: 20 for i in range(5)}
    assert [*shared.ask("GET", "/v/_alias")] != ["v"]


def test_the_first_swap_is_one_step(kevs, shared, topic, produce):
    """A reader meets the old view or the new one; of searches that meet the index while it gives up
    its name some fail whole, which later swaps spare them. Other aliases of the view go along."""
    name, n = topic(), 3000
    produce(name, [(f"k{i}", "old") for i in range(n)])
    kevs(*argv(name, shared)).ok()
    shared.ask("POST", "/_aliases", {"actions": [
        {"add": {"index": "v", "alias": "all"}},
        {"add": {"index": "v", "alias": "k7", "filter": {"term": {"key": "k7"}}}}]})
    aggs = {"size": 0, "track_total_hits": True,
            "aggs": {"old": {"filter": {"match": {"value": "old"}}}}}

    def look():
        try:
            got = shared.ask("POST", "/v/_search", aggs)
            return got["hits"]["total"]["value"], got["aggregations"]["old"]["doc_count"]
        except urllib.error.HTTPError as e:
            return e.code
    for value, failures in (("new", {404, 503}), ("newer", set())):
        produce(name, [(f"k{i}", value) for i in range(n)])
        before = look()
        with proc.Reader(look) as reader:
            kevs(*argv(name, shared, "--swap", "--id", "s", "--restart")).ok()
            seen = len(reader.seen)
            proc.wait_until(lambda r=reader, s=seen: len(r.seen) > s + 2, "another look")
        assert reader.seen[0] == before and reader.seen[-1] == (n, 0)
        assert set(reader.seen) <= {before, (n, 0)} | failures, set(reader.seen)
        assert shared.ask("GET", "/all/_count")["count"] == n
        assert shared.ask("GET", "/k7/_count")["count"] == 1
        hits = shared.ask("POST", "/k7/_search")["hits"]["hits"]
        assert hits[0]["_source"]["value"] == value


def test_an_alias_of_two_indices(kevs, shared, topic, produce):
    name = topic()
    produce(name, [("a", "1")])
    for index in ("one", "two"):
        shared.ask("PUT", f"/{index}", {"aliases": {"v": {}}})
    words = ("v is an alias of several indices", "one", "two")
    kevs(*argv(name, shared)).failed(1, *words)
    kevs(*argv(name, shared, "--swap", "--id", "s")).failed(1, *words)
    shared.ask("DELETE", "/two")
    kevs(*argv(name, shared)).ok()
    assert len(shared.docs("one")) == 1


def test_a_data_stream(kevs, opensearch, topic, produce):
    """Elasticsearch's own test distribution has none."""
    name, sink = topic(), views.OpenSearch(opensearch)
    sink.clear()
    produce(name, [("a", "1")])
    sink.ask("PUT", "/_index_template/streams", {
        "index_patterns": ["stream*"], "data_stream": {}, "priority": 900})
    sink.ask("PUT", "/_data_stream/stream")
    run = ("replay", name, "--sink", sink.url, "--json", "--yes", "--target")
    try:
        kevs(*run, "stream").failed(1, "stream is a data stream", "no update")
        kevs(*run, "stream2").failed(1, "stream2", "data streams only")
    finally:
        sink.ask("DELETE", "/_data_stream/stream")
        sink.ask("DELETE", "/_index_template/streams")
