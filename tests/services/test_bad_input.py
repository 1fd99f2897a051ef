"""Each wrong thing: one clear line that names it, the right exit code, in time."""

import pytest

from support import proc
from support.kafka import AUTHORIZER

WRONG = {
    # what: (arguments after the command; TOPIC and BROKER are real), exit code, words in the line
    "no-such-command": (["frobnicate"], 2, ["frobnicate"]),
    "no-such-option": (["topics", "--frobnicate"], 2, ["--frobnicate"]),
    "option-without-value": (["messages", "TOPIC", "-o"], 2, ["-o"]),
    "topic-missing": (["messages"], 2, ["TOPIC"]),
    "unknown-topic": (["messages", "no.such.topic"], 1, ["no.such.topic"]),
    "unknown-topic-partitions": (["partitions", "no.such.topic"], 1, ["no.such.topic"]),
    "unknown-topic-keys": (["keys", "no.such.topic"], 1, ["no.such.topic"]),
    "unknown-topic-trace": (["trace", "no.such.topic", "k"], 1, ["no.such.topic"]),
    "bad-topic-name": (["messages", "a b/c"], 1, ["a b/c"]),
    "unknown-partition": (["messages", "TOPIC", "-p", "99"], 2, ["99"]),
    "bad-partition": (["messages", "TOPIC", "-p", "x"], 2, ["x"]),
    "bad-partition-range": (["messages", "TOPIC", "-p", "3-1"], 2, ["3-1"]),
    "bad-offset": (["messages", "TOPIC", "-o", "12x"], 2, ["12x"]),
    "offset-out-of-range": (["messages", "TOPIC", "-p", "0", "-o", "999999999"], 2, ["999999999"]),
    "bad-time": (["messages", "TOPIC", "--since", "yesterdayish"], 2, ["yesterdayish"]),
    "bad-date": (["messages", "TOPIC", "--since", "2026-02-31"], 2, ["2026-02-31"]),
    "bad-count": (["messages", "TOPIC", "-c", "many"], 2, ["many"]),
    "negative-count": (["messages", "TOPIC", "-c", "-5"], 2, ["-5"]),
    "huge-number": (["messages", "TOPIC", "-c", "99999999999999999999"], 2,
                    ["99999999999999999999"]),
    "bad-regex": (["messages", "TOPIC", "-k", "re:("], 2, ["re:("]),
    "bad-jq": (["messages", "TOPIC", "--jq", ".a |"], 2, ["jq", ".a |"]),
    "bad-isolation": (["messages", "TOPIC", "--isolation", "perhaps"], 2, ["perhaps"]),
    "bad-sort": (["messages", "TOPIC", "--sort", "colour"], 2, ["colour"]),
    "bad-format": (["messages", "TOPIC", "-f", "%Q"], 2, ["%Q"]),
    "bad-property": (["topics", "-X", "no.such.property=1"], 2, ["no.such.property"]),
    "bad-property-value": (["topics", "-X", "socket.timeout.ms=soon"], 2, ["socket.timeout.ms"]),
    "property-without-value": (["topics", "-X", "client.id"], 2, ["client.id"]),
    "unknown-profile": (["topics", "-C", "no-such-cluster"], 2, ["no-such-cluster"]),
    "missing-config": (["topics", "-F", "no-such.conf"], 2, ["no-such.conf"]),
    "bad-timeout": (["topics", "--timeout", "soon"], 2, ["soon"]),
    "unknown-sink": (["replay", "TOPIC", "--sink", "mongo://x", "--dry-run"], 2, ["mongo"]),
    "bad-memory": (["keys", "TOPIC", "--memory", "lots"], 2, ["lots"]),
    "bad-what-if": (["keys", "TOPIC", "--what-if", "magic"], 2, ["magic"]),
    "unknown-rule": (["lint", "--rule", "no-such-rule"], 2, ["no-such-rule"]),
    "unknown-group": (["lag", "--group", "no-such-group"], (0, 1), []),
}


@pytest.fixture
def filled(topic, produce):
    t = topic(partitions=2)
    produce(t, [("k", "v")] * 10)
    return t


@pytest.mark.parametrize("what", WRONG)
def test_wrong(what, filled, kevs):
    argv, code, words = WRONG[what]
    with proc.in_time(4):                               # far below the default --timeout
        got = kevs(*[a.replace("TOPIC", filled) if a == "TOPIC" and words != ["TOPIC"] else a
                     for a in argv])
    if isinstance(code, tuple):
        assert got.code in code, f"{got}"
        return
    got.failed(code, *words)
    assert got.raw == b"", "nothing on stdout"


BROKEN_CONFIG = {
    "no-equals": ("[defaults]\nbrokers\n", "2"),
    "unknown-section": ("[defaults]\n\n[colours]\nx = 1\n", "4"),
    "unknown-key": ("[defaults]\nbrokrs = localhost:9092\n", "2"),
    "missing-env": ("[cluster a]\nbrokers = ${env:EVS_NOT_SET_ANYWHERE}\n", "2"),
}


@pytest.mark.parametrize("what", BROKEN_CONFIG)
def test_broken_configuration(what, evs, tmp_path):
    text, line = BROKEN_CONFIG[what]
    file = tmp_path / "broken.conf"
    file.write_text(text)
    profile = ["-C", "a"] if "cluster" in text else []
    evs("topics", "-F", file, *profile).failed(2, f"broken.conf:{line}")
    assert f"broken.conf:{line}" in evs("config", "check", "-F", file).out


def test_a_name_that_does_not_resolve(evs):
    with proc.in_time(3):
        evs.at("no-such-host.invalid:9092")("topics", "--timeout", "2s").failed(
            1, "no-such-host.invalid")


def test_plain_spoken_to_something_else(evs, redis):
    """A Redis in the place of a broker."""
    host = redis.split("/")[2]
    with proc.in_time(3):
        evs.at(host)("topics", "--timeout", "2s").failed(1, host)


PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=\"right\";"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


def sasl(password, mechanism="PLAIN"):
    return [x for p in ("security.protocol=SASL_PLAINTEXT", f"sasl.mechanism={mechanism}",
                        "sasl.username=alice", f"sasl.password={password}")
            for x in ("-X", p)] + ["--timeout", "5s"]


def test_secured_broker(broker, any_admin, evs):
    """Wrong password, plain text to SASL, a denied topic: each named; the right one works."""
    k = broker(listeners={"SASL": "SASL_PLAINTEXT"}, scram={"alice": "right"}, properties={
        "sasl.enabled.mechanisms": "SCRAM-SHA-256,PLAIN",
        "listener.name.sasl.scram-sha-256.sasl.jaas.config": SCRAM,
        "listener.name.sasl.plain.sasl.jaas.config": PLAIN,
        "authorizer.class.name": AUTHORIZER})
    admin = any_admin.at(k.bootstrap)
    for t in ("open", "shut"):
        admin("create-topic", topic=t)
        admin("produce", topic=t, records=[{"value": "x"}])
        admin("acl", resource="TOPIC", name=t, principal="User:alice", operation="DESCRIBE")
    admin("acl", resource="TOPIC", name="open", principal="User:alice", operation="READ")
    def at(*argv):
        with proc.in_time(6):
            return evs.at(k.address("SASL"))(*argv)
    at("messages", "open", *sasl("right")).ok()
    wrong = at("messages", "open", *sasl("wrong-secret")).failed(1)
    assert "uthentication" in wrong.err and "wrong-secret" not in wrong.err
    wrong = at("messages", "open", *sasl("wrong-secret", "SCRAM-SHA-256")).failed(1)
    assert "uthentication" in wrong.err and "wrong-secret" not in wrong.err
    at("messages", "shut", *sasl("right")).failed(1, "shut")
    at("topics", "--timeout", "3s").failed(1, k.address("SASL"))
