"""What a search server refuses: one clear line, nothing half done, a resume after the repair."""
import json

import pytest

from support import proc, stores, views

KINDS = {"opensearch": (stores.OpenSearch, views.OpenSearch),
         "elasticsearch": (stores.Elasticsearch, views.Elasticsearch)}


@pytest.fixture(params=list(KINDS))
def sink(request):
    made = KINDS[request.param][1](request.getfixturevalue(request.param))
    made.clear()
    return made


def argv(topic, sink, *options):
    return ("replay", topic, "--sink", sink.url, "--target", "v", "--json", "--yes", "--resume",
            "--id", "job", *options)


def holds(kevs, kafka, topic, sink, *options):
    """A resume ends with the whole view."""
    done = kevs(*argv(topic, sink, *options)).ok().json
    assert done["state"] == "done"
    assert sink.latest("v") == views.fold_latest(views.dump(kafka, topic))
    return done


def one_line(got, *words):
    got.failed(1, *words)
    lines = [x for x in got.err.splitlines() if not x.startswith("hint:")]
    assert len([x for x in lines if x.startswith("eventscope: ")]) == 1, got.err
    return got


ALL, LEAST = (["create_index", "manage", "read", "write"],
              ["read", "write", "view_index_metadata", "maintenance"])
VIEW, CKPT, TOMBS = "v*", "eventscope_checkpoint", "eventscope_tombstones.*"
LACK = {"no-checkpoint": ([(VIEW, ALL)], CKPT), "no-view": ([(CKPT, ALL)], "indices [v]"),
        "no-write": ([(VIEW, LEAST[:1] + ALL[:2]), (CKPT, ALL)], "v"),
        "no-tombstones": ([(VIEW, ALL), (CKPT, ALL)], TOMBS[:-2])}


def test_users_and_sizes(kevs, kafka, topic, admin):
    """One server with users and small requests. A batch is sent in parts; a document that is too
    large alone is named. Who lacks a right is told, and nothing of the password is."""
    with stores.SecureElasticsearch({
            **{who: rights for who, (rights, _) in LACK.items()},
            "etl": [(VIEW, ALL), (CKPT, ALL), (TOMBS, ALL)],
            "least": [(VIEW, LEAST), (CKPT, LEAST), (TOMBS, LEAST + ["create_index"])]}) as store:
        sizes(kevs, kafka, topic(suffix="sizes"), admin, store)
        rights(kevs, kafka, topic(suffix="rights"), admin, store)


def sizes(kevs, kafka, name, admin, store):
    sink = views.Elasticsearch(store.url_of("admin"))
    admin("produce", topic=name, records=[
        {"key": f"k{i}", "value": f"{i}" + "x" * 9000} for i in range(300)] + [
        {"key": f"k{i}"} for i in range(0, 300, 7)])
    holds(kevs, kafka, name, sink)
    admin("produce", topic=name, records=[
        {"key": "a", "value": "1"}, {"key": "big", "value": "y" * 1_060_000},
        {"key": "b", "value": "2"}])
    got = one_line(kevs(*argv(name, sink, "--id", "big")), f"{name} p0 @ 344", "413")
    assert got.json["state"] == "failed"
    done = kevs(*argv(name, sink, "--id", "big", "--on-error", "skip")).ok().json
    assert done["events"]["skipped"] == 1
    want = views.fold_latest(views.dump(kafka, name))
    del want[b"big"]
    assert sink.latest("v") == want
    sink.clear()


def rights(kevs, kafka, name, admin, store):
    admin("produce", topic=name, records=[{"key": "a", "value": "1"}, {"key": "b"}])
    wrong = views.Elasticsearch(store.url_of("etl", "wr0ng-pw"))
    got = one_line(kevs(*argv(name, wrong)), "401", "user and password stand in the URL")
    assert "wr0ng-pw" not in got.err and "wr0ng-pw" not in got.out
    for who, (_, where) in LACK.items():
        got = one_line(kevs(*argv(name, views.Elasticsearch(store.url_of(who)), "--id", who)),
                       "403", where, "unauthorized", "create_index, manage, read and write")
        assert store.password not in got.err, got.err
    etl = views.Elasticsearch(store.url_of("etl"))
    holds(kevs, kafka, name, etl)
    # Who may not change the settings of an index that is there runs all the same.
    etl.ask("PUT", "/v/_settings", {"index": {"gc_deletes": "60s"}})
    admin("produce", topic=name, records=[{"key": "c", "value": "1"}, {"key": "a"}])
    least = views.Elasticsearch(store.url_of("least"))
    done = kevs(*argv(name, least, "--id", "least")).ok().json
    assert done["rows"]["written"] == done["rows"]["deleted"] == 1
    assert least.latest("v") == views.fold_latest(views.dump(kafka, name))


def filled(produce, name):
    produce(name, [(f"k{i % 50}", str(i)) for i in range(300)])
    produce(name, [("k7", None)])


def test_an_index_that_is_read_only(kevs, kafka, sink, topic, produce, tmp_path):
    """As the disk's flood stage makes it: waited for, as long as a minute."""
    name = topic()
    filled(produce, name)
    holds(kevs, kafka, name, sink)
    filled(produce, name)
    sink.ask("PUT", "/v/_settings", {"index.blocks.read_only_allow_delete": True})
    log = tmp_path / "log"
    child = kevs.start(*argv(name, sink, "--id", "ro", "--log", log, "-v"))
    try:
        proc.wait_until(lambda: "read-only" in log.read_text(), "a refusal", 40)
    finally:
        sink.ask("PUT", "/v/_settings", {"index.blocks.read_only_allow_delete": None})
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, (out, err)
    assert sink.latest("v") == views.fold_latest(views.dump(kafka, name))


def test_a_server_that_is_busy(kevs, kafka, sink, topic, produce, tmp_path):
    """429 of a breaker: tried again, and in once there is room."""
    name, log = topic(), tmp_path / "log"
    filled(produce, name)
    limit = "network.breaker.inflight_requests.limit"
    kevs(*argv(name, sink, "--id", "first", "-k", "k1")).ok()
    sink.ask("PUT", "/_cluster/settings", {"persistent": {limit: "2kb"}})
    child = kevs.start(*argv(name, sink, "--log", log, "-v"))
    try:
        proc.wait_until(lambda: "429" in log.read_text(), "a refusal", 40)
    finally:
        sink.ask("PUT", "/_cluster/settings", {"persistent": {limit: None}})
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, (out, err)
    assert json.loads(out)["retries"] > 0
    assert sink.latest("v") == views.fold_latest(views.dump(kafka, name))


@pytest.mark.parametrize("how, words", [
    ({"mappings": {"dynamic": "strict", "properties": {"key": {"type": "keyword"}}}},
     ("p0 @ ", "strict")),
    ({"mappings": {"_routing": {"required": True}}}, ("v: HTTP 400", "routing is required")),
    ({"mappings": {"properties": {"value": {"type": "long"}}}}, ("p0 @ 2", "value")),
])
def test_an_index_of_others(kevs, kafka, sink, topic, produce, how, words):
    """Mappings that take none of the documents, or not this one; what the error policy may pass
    is a record's own fault only."""
    name = topic()
    produce(name, [("a", "1"), ("b", "2"), ("bad", "x"), ("c", "3")])
    sink.ask("PUT", "/v", how)
    got = one_line(kevs(*argv(name, sink)), *words)
    assert got.json["state"] == "failed" and got.json["partitions"][0]["next"] == 0
    if "_routing" in how["mappings"]:
        one_line(kevs(*argv(name, sink, "--on-error", "skip")), *words)
    sink.ask("DELETE", "/v")
    holds(kevs, kafka, name, sink)


def test_an_index_that_is_closed(kevs, kafka, sink, topic, produce):
    name = topic()
    filled(produce, name)
    holds(kevs, kafka, name, sink)
    filled(produce, name)
    sink.ask("POST", "/v/_close")
    one_line(kevs(*argv(name, sink, "--id", "closed", "--on-error", "skip")), "closed")
    sink.ask("POST", "/v/_open")
    done = holds(kevs, kafka, name, sink, "--id", "closed", "--on-error", "skip")
    assert done["events"]["skipped"] == 0


def test_templates_of_others(kevs, kafka, sink, topic, produce):
    """A template for every index: strict, no sources, another type for our fields. An index of
    others that keeps no sources takes rows, but no totals, which are read back."""
    name = topic()
    filled(produce, name)
    sink.ask("PUT", "/_index_template/everything", {
        "index_patterns": ["*"], "priority": 900,
        "template": {"settings": {}, "mappings": {
            "dynamic": "strict", "_source": {"enabled": False},
            "properties": {"offset": {"type": "keyword"}, "redo": {"type": "integer"}}}}})
    try:
        holds(kevs, kafka, name, sink)
        filled(produce, name)
        holds(kevs, kafka, name, sink, "--id", "more")
        sink.ask("PUT", "/w", {"mappings": {"dynamic": True}})
        count = ("--mode", "count", "--target", "w")
        kevs(*argv(name, sink, *count, "-c", "50", "--id", "c")).ok()
        one_line(kevs(*argv(name, sink, *count, "--id", "w")), "w keeps no _source")
    finally:
        sink.ask("DELETE", "/_index_template/everything")


def test_keys_that_are_no_ids(kevs, kafka, sink, topic, admin):
    """Each is named; 512 bytes are one, and digits and what JSON or a path would take apart."""
    name = topic()
    good = ["1", "007", "-1", "null", "_id", "a/b?c#d", "x" * 512, "ü" * 256, " ", "\u0001"]
    for key in ("", "x" * 513, "ü" * 257):
        admin("produce", topic=name, records=[{"key": k, "value": "v"} for k in good] + [
            {"key": key, "value": "bad"}])
    got = one_line(kevs(*argv(name, sink)), f"{name} p0 @ 10", "an empty key cannot be an _id")
    assert got.json["partitions"][0]["next"] == 10
    one_line(kevs(*argv(name, sink, "--id", "other", "-o", "12")), "p0 @ 21", "513 bytes")
    done = kevs(*argv(name, sink, "--on-error", "skip")).ok().json
    assert done["events"]["skipped"] == 3
    assert sink.latest("v").keys() == {k.encode() for k in good}
    verify = kevs("replay", name, "--sink", sink.url, "--target", "v", "--json", "--verify").json
    assert verify["missing"] == 3 and not verify["different"] + verify["extra"]


def test_a_total_that_is_refused(kevs, kafka, sink, topic, produce):
    """The others of its batch are in: the resume after the repair adds none of them again."""
    name = topic()
    produce(name, [("big", "x")] * 200 + [("small", "x")] * 10)
    sink.ask("PUT", "/v", {"mappings": {"properties": {"count": {"type": "byte"}}}})
    run = argv(name, sink, "--mode", "count")
    one_line(kevs(*run), f"{name} p0 @ 199", "count", "byte")
    one_line(kevs(*run), "count", "byte")
    sink.ask("PUT", "/v/_mapping",
             {"properties": {"count": {"type": "byte", "ignore_malformed": True}}})
    done = kevs(*run).ok().json
    assert done["state"] == "done" and done["events"]["read"] == 210
    assert sink.totals("v", "count") == {b"big": 200, b"small": 10}
    verify = kevs(*run[:-4], "--mode", "count", "--verify")
    assert verify.ok().json["sink_rows"] == 2


def test_a_plain_run_over_a_teams_totals(kevs, sink, topic, produce, name):
    """What says which batches are in a total stays in it, whoever adds to it."""
    made = topic(partitions=2)
    produce(made, [(f"k{i % 9}", "x") for i in range(90)])
    run = ("replay", made, "--sink", sink.url, "--target", "v", "--json", "--yes", "--mode",
           "count")
    kevs(*run, "--id", "team", "--workers-group", name("team")).ok()

    def names():
        return {d["_id"]: {n.split()[1] for n in d["_source"]["eventscope"]}
                for d in sink.docs("v")}
    before = names()
    assert len(before) == 9 and set.union(*before.values()) == {"team-p0", "team-p1"}
    kevs(*run, "--id", "plain").ok()
    assert sink.totals("v", "count") == {b"k%d" % i: 20 for i in range(9)}
    assert all(v >= before[k] for k, v in names().items())
