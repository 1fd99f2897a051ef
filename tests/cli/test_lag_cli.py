"""lag on the embedded cluster, which neither lists nor describes groups; bad command lines."""
import json
import signal

import pytest


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    from support.program import Evs
    child = Evs(tmp_path_factory.mktemp("demo")).start("demo", "--headless")
    yield json.loads(child.stdout.readline())
    child.send_signal(signal.SIGTERM)
    assert child.wait(10) == 0


def groups(evs, demo, *options):
    named = [word for g in demo["groups"] for word in ("--group", g)]
    doc = evs.at(demo["brokers"])("lag", *named, "--json", *options).ok().lines[-1]
    assert doc["complete"] and [g["group"] for g in doc["groups"]] == sorted(demo["groups"])
    return {g["group"]: g for g in doc["groups"]}


def test_the_demos_groups_answer_by_name(evs, demo):
    found = groups(evs, demo)
    stuck = found["payments-view"]
    assert stuck["members"] is None and stuck["error"] is None and stuck["total_lag"] > 0
    worst = max(stuck["partitions"], key=lambda p: p["lag"] or 0)
    assert (worst["topic"], worst["partition"]) == ("shop.payments.captured", 3)
    assert worst["lag_seconds_method"] == "exact" and worst["lag_seconds"] > 60
    for g in found.values():
        for p in g["partitions"]:
            assert p["lag"] is None or p["lag"] >= 0
            assert p["lag"] is not None or p["note"]


def test_a_watch_tells_stalled_from_moving(evs, demo):
    found = groups(evs, demo, "--watch", "700ms", "--count", "5")
    assert found["payments-view"]["status"] in ("stall", "skewed")
    worst = next(p for p in found["payments-view"]["partitions"] if p["partition"] == 3)
    assert worst["status"] == "stall" and worst["consume_rate"] == 0
    assert found["stock-cache"]["consume_rate"] > 0


def test_why_names_the_record(evs, demo):
    doc = evs.at(demo["brokers"])("lag", "--why", "payments-view", "shop.payments.captured:3",
                                  "--json").ok().json
    assert [s["kind"] for s in doc["suspects"] if s["found"]] == ["record-at-commit"]
    assert "not valid JSON" in doc["record"]["broken"]
    owner = next(s for s in doc["suspects"] if s["kind"] == "no-owner")
    assert owner["found"] is None


@pytest.mark.parametrize("options, words", [
    (["--count", "3"], "--watch"),
    (["--prometheus", "--json"], "--prometheus"),
    (["--watch", "5ms"], "100ms"),
    (["--why", "g", "orders:0", "orders:1"], "one TOPIC:PARTITION"),
    (["--why", "g", "orders"], "TOPIC:PARTITION"),
    (["--why", "g", "orders:x"], "orders:x"),
    (["--fail-over", "-1"], "fail-over"),
    (["--isolation", "dirty"], "dirty"),
])
def test_bad_command_lines(evs, demo, options, words):
    evs.at(demo["brokers"])("lag", *options).failed(2, words)


def test_no_cluster_is_one_clear_line(evs):
    evs.at("127.0.0.1:1")("lag", "--timeout", "2s").failed(1, "127.0.0.1:1")


def test_the_profile_names_the_groups(evs, demo, tmp_path):
    """No option and no permission to list (the embedded cluster cannot): those of the profile."""
    two = sorted(demo["groups"])[:2]
    conf = tmp_path / "eventscope.conf"
    conf.write_text(f"[cluster demo]\nbrokers = {demo['brokers']}\ngroups = {', '.join(two)}\n")

    def shown(*args):
        return [g["group"] for g in
                evs("lag", "-F", str(conf), "-C", "demo", "--json", *args).ok().json["groups"]]
    assert shown() == two
    assert shown("--group", demo["groups"][0]) == [demo["groups"][0]]
