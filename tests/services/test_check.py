"""`eventscope check`: a monitoring probe's exit codes and words, on a real Kafka."""
import pytest

MURMUR2 = ["-X", "topic.partitioner=murmur2_random"]


@pytest.fixture
def even(topic, produce):
    t = topic(partitions=4, suffix="even")
    for p in range(4):
        produce(t, [(f"k{i}", "v") for i in range(500)], partition=p)
    return t


@pytest.fixture
def skewed(topic, produce):
    t = topic(partitions=4, suffix="skewed")
    produce(t, [("k", "v")] * 1900, partition=2)
    produce(t, [("k", "v")] * 100, partition=1)
    return t


def test_skew(kevs, even, skewed):
    assert kevs("check", even).ok().out== "OK - 1 check of 1 topic and 0 groups\n"
    got = kevs("check", even, skewed, "--json")
    assert got.code == 1 and got.json["status"] == "warning"
    by = {c["subject"]: c for c in got.json["checks"]}
    assert by[even]["status"] == "ok" and by[skewed]["value"] == pytest.approx(3.8)
    got = kevs("check", skewed, "--crit-skew", "3.5")
    assert got.code == 2 and got.out.startswith("CRITICAL - ") and skewed in got.out
    kevs("check", skewed, "--min-messages", "5000").ok()
    kevs("check", skewed, "--warn-skew", "4").ok()


def test_lag(kevs, even, admin, name):
    group = name("group")
    admin("set-group-offsets", group=group, topic=even, offsets={str(p): 400 for p in range(4)})
    at = ["check", even, "--group", group, "--json"]
    got = kevs(*at, "--warn-lag", "401", "--crit-lag", "1000").ok()
    assert [c["value"] for c in got.json["checks"] if c["check"] == "lag"] == [400]
    assert kevs(*at, "--warn-lag", "400").code == 1
    assert kevs(*at, "--warn-lag", "10", "--crit-lag", "400").code == 2
    assert kevs(*at, "--crit-lag-time", "1d").code == 0
    assert kevs(*at, "--crit-lag-time", "1ms").code == 2
    nobody = name("nobody")
    got = kevs("check", even, "--group", nobody, "--warn-lag", "5")
    assert got.code == 3 and got.out.startswith(f"UNKNOWN - lag {nobody}: the group does not exist")
    # A group that is not there hides nothing of the others.
    got = kevs("check", even, "--group", nobody, "--group", group, "--crit-lag", "400")
    assert got.code == 2
    assert got.out.splitlines()[0] == f"CRITICAL - lag {group}: 400 records behind" \
                                      " (2 of 3 checks not ok)"


def test_thresholds_from_a_file(kevs, skewed):
    path = kevs.home / "limits"
    path.write_text("# our limits\nwarn-skew = 2\ncrit-skew = 3.5\n")
    assert kevs("check", skewed, "--thresholds", path).code == 2
    assert kevs("check", skewed, "--thresholds", path, "--crit-skew", "9").code == 1
    path.write_text("warn-skw = 2\n")
    got = kevs("check", skewed, "--thresholds", path)
    assert got.code == 3 and "limits:1" in got.err and "warn-skew" in got.err


def test_lint_counts(kevs, topic, produce):
    t = topic(partitions=2)
    produce(t, [(f"a.{i % 90}@mail.example", "{}") for i in range(2000)], options=MURMUR2)
    kevs("check", t).ok()
    got = kevs("check", t, "--lint", "--json")
    assert got.code == 1
    assert "mutable-key" in {c["check"] for c in got.json["checks"] if c["status"] == "warning"}


def test_what_cannot_be_known(evs, kevs, even):
    """A monitor reads the standard output alone, and often only its first line."""
    got = evs("check", "-b", "127.0.0.1:1", "--timeout", "2s")
    assert got.code == 3 and "Connection refused" in got.out
    assert got.out.startswith("UNKNOWN - ") and len(got.out.splitlines()) == 1
    got = evs("check", "-b", "127.0.0.1:1", "--timeout", "2s", "--json")
    assert got.code == 3 and got.json["status"] == "unknown" and got.json["checks"]
    assert kevs("check", "--no-such-option").code == 3
    assert kevs("check", "no-such-topic-*").code == 3
    got = kevs("check", even, "mistyped")
    assert got.code == 3 and got.out == "UNKNOWN - topic mistyped: no topic has such a name\n"
