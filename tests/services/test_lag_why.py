"""lag --why: the cause that a test makes is the cause that is named, and only that."""
import json

import pytest
from support import proc

KINDS = ["record-at-commit", "hot-key", "open-transaction", "retention-loss", "no-owner",
         "all-slow", "slow-processing"]


@pytest.fixture
def stuck(admin, name):
    """stuck(topic, ready) has a member that read `ready` records and polls on without more."""
    made = []

    def start(topic, ready, **fields):
        who, group = name("consumer"), name("group")
        admin("consumer-start", name=who, group=group, topics=[topic], **fields)
        made.append(who)
        proc.wait_until(lambda: admin("consumer-status", name=who)["records"] >= ready, "records")
        admin("consumer-set", name=who, rate=0)
        for _ in range(2):      # two rounds of its loop later it stands still
            admin("consumer-commit", name=who)
        return group, who
    yield start
    for who in made:
        admin("consumer-stop", name=who)


def why(kevs, group, topic, partition, *options):
    doc = kevs("lag", "--why", group, f"{topic}:{partition}", "--json", *options).ok().json
    assert [s["kind"] for s in doc["suspects"]] == KINDS
    doc["found"] = [s["kind"] for s in doc["suspects"] if s["found"]]
    return doc


def event(i, size=40):
    return {"partition": 0, "key": f"k{i}", "value": json.dumps({"n": i, "fill": "x" * size})}


def test_stuck_on_one_record(admin, kevs, topic, stuck):
    t = topic(1)
    admin("produce", topic=t, records=[event(i) for i in range(20)])
    group, who = stuck(t, 20)
    poison = json.dumps({"n": 20, "fill": "y" * 40000})[:-1] + ", broken"
    admin("produce", topic=t, records=[{"partition": 0, "key": "p", "value": poison}])
    admin("produce", topic=t, records=[event(i) for i in range(21, 60)])
    doc = why(kevs, group, t, 0)
    assert doc["found"] == ["record-at-commit"]
    assert "Stuck on one record: 20" in doc["verdict"] and "not valid JSON" in doc["verdict"]
    assert doc["record"]["offset"] == 20 and doc["record"]["payload"] == poison
    assert doc["window"]["messages"] == 40 and doc["window"]["complete"]
    assert doc["status"] == "stall"
    of_itself = kevs("lag", "--why", group, "--json").ok().json     # the partition with most lag
    assert (of_itself["topic"], of_itself["partition"]) == (t, 0)
    assert of_itself["verdict"] == doc["verdict"]


def test_a_hot_key_fills_the_lag(admin, kevs, topic, stuck):
    t = topic(1)
    admin("produce", topic=t, records=[event(i) for i in range(5)])
    group, who = stuck(t, 5)
    admin("produce", topic=t, records=[
        {"partition": 0, "key": "User:123" if i % 4 else f"other{i}", "value": "{}"}
        for i in range(400)])
    doc = why(kevs, group, t, 0)
    assert doc["found"] == ["hot-key"] and "User:123" in doc["verdict"]
    top = doc["hot_keys"][0]
    assert (top["key"], top["count"], top["error"]) == ("User:123", 300, 0)


def test_an_open_transaction(admin, kevs, topic, stuck, name):
    t, txn = topic(1), name("txn")
    admin("produce", topic=t, records=[event(i) for i in range(5)])
    group, who = stuck(t, 5)
    admin("txn-begin", txn=txn)
    admin("produce", topic=t, txn=txn, records=[event(i) for i in range(30)])
    doc = why(kevs, group, t, 0)
    assert doc["found"] == ["open-transaction"] and "open transaction" in doc["verdict"]
    admin("txn-abort", txn=txn)


def test_nobody_and_lost_data(admin, kevs, topic, name):
    t, group = topic(1), name("g")
    admin("produce", topic=t, records=[event(i) for i in range(50)])
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 5})
    admin("delete-records", topic=t, before={"0": 20})
    doc = why(kevs, group, t, 0)
    assert doc["found"] == ["retention-loss", "no-owner"]
    assert "Nobody reads it" in doc["verdict"] and "15 offsets" in doc["verdict"]


def test_nothing_found_is_said(admin, kevs, topic, stuck):
    t = topic(1)
    admin("produce", topic=t, records=[event(i) for i in range(5)])
    group, who = stuck(t, 5)
    admin("produce", topic=t, records=[event(i) for i in range(50)])
    doc = why(kevs, group, t, 0)
    assert doc["found"] == []
    assert "stands still at 5" in doc["verdict"] and "slow processing is likely" in doc["verdict"]
    owner = next(s for s in doc["suspects"] if s["kind"] == "no-owner")
    assert owner["found"] is False and who in owner["text"]


def test_caught_up_and_bad_input(admin, kevs, topic, name):
    t, group = topic(1), name("g")
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 0})
    assert "Nothing waits" in why(kevs, group, t, 0)["verdict"]
    kevs("lag", "--why", group, f"{t}:7").failed(1, "nothing to do with partition 7")
    kevs("lag", "--why", group, t).failed(2, "TOPIC:PARTITION")
    kevs("lag", "--why", group + "x").failed(1, group + "x")
