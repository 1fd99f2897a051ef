"""--follow of a topic that gets more partitions: their events too, in every sink."""
import json
import signal

import pytest

from support import proc, views


@pytest.fixture(params=["sqlite", "postgresql", "redis", "kafka", "kafka-elsewhere", "jsonl",
                        "opensearch"])
def sink(request, tmp_path):
    return views.make(request.param, request.getfixturevalue, tmp_path)


def put(admin, topic, keys, partitions):
    admin("produce", topic=topic, records=[
        {"partition": i % partitions, "key": k, "value": f"value of {k}"}
        for i, k in enumerate(keys)])


def holds(kafka, topic, sink):
    """Counts add up wrongly where an event is read twice."""
    return sink.totals("v", "count") == views.fold_count(views.dump(kafka, topic))


def ended(child):
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=40)
    assert child.returncode == 3, (out, err)
    return json.loads(out.splitlines()[-1])


def test_partitions_that_are_added(kevs, kafka, admin, topic, sink):
    name = topic(partitions=2)
    run = ("replay", name, "--sink", sink.url, "--target", "v", "--mode", "count", "--yes",
           "--json", "--id", "tail", "--resume", *getattr(sink, "options", []))
    put(admin, name, ["a", "b", "c"] * 20, 2)
    child = kevs.start(*run, "--follow")
    try:
        proc.wait_until(lambda: holds(kafka, name, sink), "the first", 30)
        admin("add-partitions", topic=name, to=4)
        put(admin, name, ["a", "d", "e", "f"] * 20, 4)
        proc.wait_until(lambda: holds(kafka, name, sink), "the added partitions' events", 40)
        put(admin, name, ["a", "g"] * 20, 4)
        proc.wait_until(lambda: holds(kafka, name, sink), "what came after", 40)
        assert [p["partition"] for p in ended(child)["partitions"]] == [0, 1, 2, 3]
        admin("add-partitions", topic=name, to=5)       # while nobody follows
        put(admin, name, ["a", "h", "i", "j", "k"] * 20, 5)
        child = kevs.start(*run, "--follow")
        proc.wait_until(lambda: holds(kafka, name, sink), "all five", 40)
        report = ended(child)
    finally:
        child.kill()
        child.communicate()
    assert [p["partition"] for p in report["partitions"]] == [0, 1, 2, 3, 4]
    assert report["events"]["read"] == len(views.dump(kafka, name))


def test_a_team_takes_them_too(kevs, kafka, admin, topic, name, tmp_path):
    sink, topic_name = views.Sqlite(tmp_path), topic(partitions=1)
    put(admin, topic_name, ["a", "b"], 1)
    child = kevs.start("replay", topic_name, "--sink", sink.url, "--target", "v", "--mode", "count",
                       "--yes", "--json", "--follow", "--workers-group", name("team"), "-X",
                       "topic.metadata.refresh.interval.ms=500")
    try:
        proc.wait_until(lambda: sink.path.exists() and len(sink.query(
            "SELECT name FROM sqlite_master WHERE name = 'v'")) == 1
            and holds(kafka, topic_name, sink), "the first", 40)
        admin("add-partitions", topic=topic_name, to=2)
        put(admin, topic_name, ["c", "d"] * 5, 2)
        proc.wait_until(lambda: holds(kafka, topic_name, sink), "the added", 40)
    finally:
        child.kill()
        child.communicate()


def test_a_window_stays_as_it_was(kevs, kafka, admin, topic, tmp_path):
    """Without --follow its ends were fixed before: partitions added since are not in it."""
    sink, name = views.Sqlite(tmp_path), topic(partitions=1)
    put(admin, name, [f"k{i}" for i in range(40)], 1)
    run = ("replay", name, "--sink", sink.url, "--target", "v", "--yes", "--json")
    child = kevs.start(*run, "--rate", "10")
    proc.wait_until(lambda: sink.path.exists() and len(sink.query(
        "SELECT name FROM sqlite_master WHERE name = 'v'")) == 1 and len(sink.latest("v")) > 3,
        "some rows", 30)
    ended(child)
    admin("add-partitions", topic=name, to=2)
    put(admin, name, ["late", "later"], 2)
    done = kevs(*run, "--resume").ok().json
    assert [p["partition"] for p in done["partitions"]] == [0]
    assert len(sink.latest("v")) == 40
