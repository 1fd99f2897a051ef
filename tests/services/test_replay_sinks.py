"""The sinks' contract (tests/contract/test_sinks.c) against the real servers; servers that die."""
import json
import subprocess

import pytest

from support import paths, proc, stores, tls, views


def test_the_contract_on_servers(postgres, redis, opensearch, elasticsearch):
    program = paths.EVENTSCOPE.parent / "tests/contract/test_sinks"
    subprocess.run(["make", "-s", "-C", paths.EVENTSCOPE.parent, "tests/contract/test_sinks"],
                   check=True, stdout=subprocess.DEVNULL)
    out = subprocess.run(
        [program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "EVENTSCOPE_SINKS": f"{postgres} {redis} "
             f"opensearch+{opensearch} elasticsearch+{elasticsearch}"})
    assert out.returncode == 0, out.stdout


def hostile_topic(any_admin, bootstrap, name, rng, n, fits=lambda key: True):
    """Tombstones, split keys and all, of which a restart may resurrect, lose or age something."""
    admin = any_admin.at(bootstrap)
    admin("create-topic", topic=name, partitions=3, topic_config={})
    admin("produce", topic=name, records=views.hostile(rng, n, True, 3, fits))
    return name


def restarted(evs, bootstrap, name, store, sink, options=()):
    """Something is killed in the middle of a run and started again: the run waits and goes on, or
    stops with one clear line and goes on when told."""
    run = ("replay", name, "--sink", sink.url, "--target", "v", "--json", "--yes", "--resume",
           "--id", "through", *getattr(sink, "options", []), *options)
    program = evs.at(bootstrap)
    child = program.start(*run, "--rate", "800", "--batch", "100")

    def begun():
        assert child.poll() is None, child.communicate()
        return len(sink.latest("v")) > 10
    try:
        proc.wait_until(begun, "the run to write", 40)
        store.kill()
        store.start()
        out, err = child.communicate(timeout=150)
    finally:
        child.kill()
    if child.returncode:
        aside = ("hint:", "counted as skipped", "met on two partitions")
        lines = [line for line in err.decode().splitlines() if not any(a in line for a in aside)]
        assert child.returncode == 1 and len(lines) == 1, (out, err)
        assert lines[0].startswith("eventscope: ")
        result = program(*run).ok().json
    else:
        result = json.loads(out)
    events = views.dump(bootstrap, name)
    assert result["state"] == "done" and result["events"]["read"] == len(events)
    assert sink.latest("v") == views.fold_latest(events)
    return child.returncode


def test_postgresql_dies_and_comes_back(evs, kafka, any_admin, name, rng):
    with stores.Postgres() as store:
        topic = hostile_topic(any_admin, kafka, name(), rng, 3000)
        assert restarted(evs, kafka, topic, store, views.Postgres(store.url)) == 0


def test_redis_dies_and_comes_back(evs, kafka, any_admin, name, rng):
    with stores.Redis() as store:
        topic = hostile_topic(any_admin, kafka, name(), rng, 3000)
        assert restarted(evs, kafka, topic, store, views.Redis(store.url)) == 0


@pytest.mark.parametrize("kind", ["OpenSearch", "Elasticsearch"])
def test_a_search_server_dies_and_comes_back(evs, kafka, any_admin, name, rng, kind):
    with getattr(stores, kind)() as store:
        topic = hostile_topic(any_admin, kafka, name(), rng, 3000, views.OpenSearch.fits)
        assert restarted(evs, kafka, topic, store, getattr(views, kind)(store.url)) == 0


def test_kafka_dies_and_comes_back_as_the_source(evs, broker, any_admin, name, rng, tmp_path):
    k = broker()
    topic = hostile_topic(any_admin, k.bootstrap, name(), rng, 3000)
    restarted(evs, k.bootstrap, topic, k, views.Sqlite(tmp_path))


def test_kafka_dies_and_comes_back_as_source_and_sink(evs, broker, any_admin, name, rng):
    k = broker()
    topic = hostile_topic(any_admin, k.bootstrap, name(), rng, 3000)
    sink = views.Topic(k.bootstrap, any_admin.at(k.bootstrap), name("view"))
    sink.clear()
    restarted(evs, k.bootstrap, topic, k, sink)


def test_kafka_dies_and_comes_back_as_the_sink_alone(evs, kafka, broker, any_admin, name, rng):
    k = broker()
    topic = hostile_topic(any_admin, kafka, name(), rng, 3000)
    sink = views.TopicElsewhere(k.bootstrap, any_admin.at(k.bootstrap), name("view"))
    sink.clear()
    restarted(evs, kafka, topic, k, sink)


def test_redis_versions_grow_and_are_tidied(kevs, kafka, topic, produce, redis, rng):
    """More keys than the first buckets are for, keys written again and again, deleted ones; by the
    run that knows that the target was empty, by another, and by one that began earlier."""
    sink, name = views.Redis(redis), topic(partitions=2)
    sink.clear()
    keys = [f"k{i}" for i in range(4000)]
    for at in range(0, 4000, 1000):
        produce(name, [(k, f"{k}-{i}") for i, k in enumerate(keys[at:at + 1000])])
    produce(name, [(rng.choice(keys[:60]), str(i)) for i in range(6000)])
    produce(name, [(k, None) for k in keys[100:300]])
    run = ("replay", name, "--sink", sink.url, "--target", "v", "--json", "--yes")
    first = kevs(*run, "--batch", "500").ok().json
    events = views.dump(kafka, name)
    assert first["rows"]["deleted"] == 200 and sink.latest("v") == views.fold_latest(events)
    assert set(sink.versions("v")) == {k.encode() for k in keys}
    state = dict(zip(*[iter(sink.ask(["HGETALL", "eventscope_version:v"])[0])] * 2))
    assert int(state[b"buckets"]) > 30 and int(state[b"keys"]) == 4000
    assert int(state[b"rows"]) == 3800
    kept = sum(len(sink.ask(["GET", k])[0]) for k in sink.ask(
        ["KEYS", "eventscope_version.*"])[0])
    assert kept < 3 * sum(24 + len(k) for k in keys)    # not one entry for each event
    again = kevs(*run, "--id", "older", "-o", "beginning", "--batch", "500").ok().json
    assert again["rows"]["written"] == again["rows"]["deleted"] == 0
    assert sink.latest("v") == views.fold_latest(events)
    produce(name, [(k, "back") for k in keys[200:400]] + [("new", "1")])
    kevs(*run, "--id", "later").ok()
    assert sink.latest("v") == views.fold_latest(views.dump(kafka, name))
    assert kevs(*run, "--id", "later", "--verify").ok().json["missing"] == 0
    diff = kevs(*run, "--id", "all", "--diff").ok().json
    assert diff["same"] == 3901 and not diff["insert"] + diff["update"] + diff["delete"], diff


def test_search_over_tls(kevs, kafka, topic, produce, opensearch, tmp_path):
    """To an authority that is trusted, with name and password; to none that is not."""
    name, ca = topic(), tls.Authority(tmp_path)
    produce(name, [(f"k{i}", f"v{i}") for i in range(100)])
    host, port = opensearch.removeprefix("http://").split(":")
    sink = views.OpenSearch(opensearch)
    sink.clear()
    with tls.Front(ca.issue("search"), host, int(port)) as front:
        run = ("replay", name, "--sink", f"opensearch+https://me:pw@127.0.0.1:{front.port}",
               "--target", "v", "--yes")
        kevs(*run).failed(1, "certificate", "SSL_CERT_FILE")
        kevs(*run, env={"SSL_CERT_FILE": str(ca.cert)}).ok()
        assert sink.latest("v") == views.fold_latest(views.dump(kafka, name))
        kevs(*run, "--verify", env={"SSL_CERT_FILE": str(ca.cert)}).ok()
        wrong = tls.Front(ca.issue("wrong", hosts=("example.org",)), host, int(port))
        with wrong:
            kevs("replay", name, "--sink", f"opensearch+https://127.0.0.1:{wrong.port}",
                 "--target", "v", "--yes", env={"SSL_CERT_FILE": str(ca.cert)}).failed(
                     1, "127.0.0.1", "subject name")
