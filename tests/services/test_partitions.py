"""eventscope partitions against a real Kafka: its own tools are the oracle."""


def rows(kevs, name, *options):
    got = kevs("partitions", name, "--json", *options).ok().json
    assert got["topic"] == name and got["complete"] is True
    return got["partitions"]


def test_offsets_shares_and_times(kevs, admin, topic):
    name = topic(partitions=3)
    admin("produce", topic=name, records=[
        {"partition": p, "key": "k", "value": "v", "timestamp": 1700000000000 + i}
        for p, n in ((0, 10), (1, 30)) for i in range(n)])
    admin("delete-records", topic=name, before={"1": 10})
    got = rows(kevs, name)
    for at, key in (("earliest", "low"), ("latest", "high")):
        want = {int(p): int(o) for p, o in admin("offsets", topic=name, at=at).items()}
        assert {r["partition"]: r[key] for r in got} == want
    assert [r["messages"] for r in got] == [10, 20, 0]
    assert [round(r["share"], 3) for r in got] == [0.333, 0.667, 0]
    assert [r["first_ts"] for r in got] == [1700000000000, 1700000000010, None]
    assert [r["last_ts"] for r in got] == [1700000000009, 1700000000029, None]
    assert [r["status"] for r in got] == ["ok", "ok", "empty"]
    assert all(r["leader"] in r["isr"] and r["isr"] == r["replicas"] for r in got)
    text = kevs("partitions", name).ok().out.splitlines()
    assert text[0].split()[:2] == ["P", "LEAD"] and len(text) == 5


def test_markers_at_the_end_and_an_open_transaction(kevs, admin, topic):
    name, txn = topic(), "partitions-test"
    for i in range(30):                        # 30 records, 30 markers
        admin("txn-begin", txn=txn)
        admin("produce", topic=name, txn=txn, records=[
            {"partition": 0, "key": "k", "value": "v", "timestamp": 1700000000000 + i}])
        admin("txn-commit" if i < 3 else "txn-abort", txn=txn)
    row, = rows(kevs, name)
    assert (row["low"], row["high"], row["lso"]) == (0, 60, 60)
    assert (row["first_ts"], row["last_ts"]) == (1700000000000, 1700000000002)
    assert row["status"] == "ok" and row["open_txn_since_ts"] is None
    admin("txn-begin", txn=txn)
    admin("produce", topic=name, txn=txn, records=[
        {"partition": 0, "key": "k", "value": "v", "timestamp": 1700000001000 + i}
        for i in range(5)])
    row, = rows(kevs, name)
    assert (row["high"], row["lso"]) == (65, 60)
    assert row["status"] == "open-transaction"
    assert row["open_txn_since_ts"] == 1700000001000
    assert "-5" in kevs("partitions", name).ok().out
    admin("txn-abort", txn=txn)


def test_rate_and_errors(kevs, topic, produce):
    name = topic(partitions=2)
    produce(name, [("k", "v")])
    assert [r["rate"] for r in rows(kevs, name, "--rate=0.1s", "--no-times")] == [0, 0]
    kevs("partitions", name + "y").failed(1, "does not exist", name)
    kevs("partitions").failed(2, "TOPIC")
