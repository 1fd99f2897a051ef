"""A target topic that does not take every record: which one, said at once, skipped exactly."""
import os

import pytest

from support import proc, views


@pytest.fixture
def target(topic, kafka, admin):
    def make(**config):
        made = views.Topic(kafka, admin, "unused")
        made.made = topic(suffix="target", **config)
        made.url = "kafka:" + made.made
        return made
    return make


def argv(source, sink, *options):
    return ("replay", source, "--sink", sink.url, "--json", "--yes", *options)


def test_a_record_too_large_for_the_topic(kevs, kafka, topic, produce, target, tmp_path):
    """Its neighbours, in one batch with it, are neither blamed nor lost."""
    name, sink = topic(), target(max_message_bytes=600)
    produce(name, [(f"k{i}", os.urandom(60).hex()) for i in range(40)]
            + [("big", os.urandom(3000).hex())] + [(f"k{i}", "2") for i in range(20, 60)])
    with proc.in_time(30):
        kevs(*argv(name, sink)).failed(1, f"{name} p0 @ 40", "max.message.bytes")
    aside = views.Jsonl(tmp_path)
    done = kevs(*argv(name, sink, "--resume", "--on-error", f"dead-letter:{aside.url}")).ok().json
    assert done["events"]["dead_lettered"] == 1
    assert [(r["partition"], r["offset"]) for r in aside.lines()] == [(0, 40)]
    want = views.fold_latest(views.dump(kafka, name))
    assert want.pop(b"big") and sink.latest("v") == want


def test_small_records_fill_no_batch_too_large(kevs, kafka, topic, produce, target):
    name, sink = topic(), target(max_message_bytes=600)
    produce(name, [(f"k{i}", os.urandom(100).hex()) for i in range(500)])
    kevs(*argv(name, sink)).ok()
    assert sink.latest("v") == views.fold_latest(views.dump(kafka, name))


def test_a_compacted_topic_takes_no_record_without_a_key(kevs, topic, admin, target):
    name, sink = topic(), target(cleanup_policy="compact")
    admin("produce", topic=name, records=[{"partition": 0, "key": k, "value": "v"}
                                          for k in ("a", None, "c")])
    kevs(*argv(name, sink, "--mode", "log")).failed(1, f"{name} p0 @ 1", "compacted", "key")
    kevs(*argv(name, sink, "--mode", "log", "--resume", "--on-error", "skip")).ok()
    assert [r[3] for r in sink.records()] == [b"a", b"c"]


def test_a_timestamp_the_topic_does_not_take(kevs, topic, admin, target):
    name, sink = topic(), target(message_timestamp_before_max_ms=1000)
    admin("produce", topic=name, records=[
        {"partition": 0, "key": "a", "value": "v", "timestamp": 1_600_000_000_000}])
    with proc.in_time(30):
        kevs(*argv(name, sink)).failed(1, "timestamp", "message.timestamp.before.max.ms")
    assert sink.records() == []
