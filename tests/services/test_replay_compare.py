"""Dry run, diff and verify: they write nothing, and say what is so."""
import hashlib
import json
import os
import sqlite3
import subprocess

import pytest

from support import views


@pytest.fixture(params=["sqlite", "jsonl", "postgresql", "redis", "opensearch", "elasticsearch"])
def sink(request, tmp_path):
    return views.make(request.param, request.getfixturevalue, tmp_path)


@pytest.fixture
def filled(admin, topic, rng, sink):
    name = topic(partitions=3)
    admin("produce", topic=name, records=views.hostile(
        rng, 1200, False, 3, getattr(sink, "fits", lambda key: True)))
    return name


def argv(topic, sink, *options):
    return ("replay", topic, "--sink", sink.url, "--target", "v", "--json", *options)


def test_the_diff_is_what_the_run_does(kevs, kafka, sink, filled):
    want = views.fold_latest(views.dump(kafka, filled))
    empty = kevs(*argv(filled, sink, "--diff")).ok().json
    assert {k: empty[k] for k in ("insert", "update", "delete", "newer")} == {
        "insert": len(want), "update": 0, "delete": 0, "newer": 0}
    # an older state of the view: the first part of the topic
    kevs(*argv(filled, sink, "--yes", "--id", "part", "-o", "0", "-c", "500")).ok()
    before = sink.latest("v")
    diff = kevs(*argv(filled, sink, "--diff", "--examples", "1000")).ok().json
    assert sink.latest("v") == before
    run = kevs(*argv(filled, sink, "--yes")).ok().json
    after = sink.latest("v")
    assert after == want
    assert diff["insert"] == len(after.keys() - before.keys())
    assert diff["delete"] == len(before.keys() - after.keys())
    assert diff["update"] == sum(before[k] != after[k] for k in before.keys() & after.keys())
    assert diff["insert"] + diff["update"] <= run["rows"]["written"]     # keys on two partitions
    updated = {views.Jsonl.member(e, "key") for e in diff["examples"] if e["change"] == "update"}
    assert updated == {k for k in before.keys() & after.keys() if before[k] != after[k]}
    again = kevs(*argv(filled, sink, "--diff")).ok().json
    assert again["insert"] == again["update"] == again["delete"] == 0
    # the first part once more: nothing older gets in, no deleted key comes back
    older = ["--id", "older", "-o", "0", "-c", "500"]
    diff = kevs(*argv(filled, sink, "--diff", *older)).ok().json
    run = kevs(*argv(filled, sink, "--yes", *older)).ok().json
    assert sink.latest("v") == want and run["rows"]["written"] == 0
    assert diff["insert"] == diff["update"] == diff["delete"] == 0 and diff["newer"] > 0


def test_a_dry_run_leaves_the_file_as_it_was(kevs, topic, produce, tmp_path):
    name = topic()
    produce(name, [("a", "1"), ("b", "2")])
    sink = views.Sqlite(tmp_path)
    report = kevs(*argv(name, sink, "--dry-run")).ok().json
    assert report["state"] == "dry-run"
    assert report["rows"] == {"written": 2, "deleted": 0, "left": 0}
    assert report["diff"]["insert"] == 2 and not list(tmp_path.glob("view*"))
    kevs(*argv(name, sink, "--yes")).ok()
    produce(name, [("a", "3")])
    digest = hashlib.sha256(sink.path.read_bytes()).digest()
    for mode in ("--dry-run", "--diff", "--verify"):
        assert kevs(*argv(name, sink, mode)).code == 0      # verify: the checkpoint's window
        assert hashlib.sha256(sink.path.read_bytes()).digest() == digest
        assert [p.name for p in tmp_path.glob("view*")] == ["view.db"]


def test_verify(kevs, kafka, sink, filled):
    kevs(*argv(filled, sink, "--yes")).ok()
    want = views.fold_latest(views.dump(kafka, filled))
    good = kevs(*argv(filled, sink, "--verify")).ok().json
    assert (good["source_rows"], good["sink_rows"]) == (len(want), len(want))
    assert good["missing"] == good["extra"] == good["different"] == 0 == len(good["examples"])


@pytest.mark.parametrize("mode", ["log", "count"])
def test_verify_other_views(kevs, sink, filled, mode):
    kevs(*argv(filled, sink, "--yes", "--mode", mode)).ok()
    good = kevs(*argv(filled, sink, "--verify", "--mode", mode)).ok().json
    assert good["missing"] == good["extra"] == good["different"] == 0
    assert good["source_rows"] == good["sink_rows"] > 0


def test_verify_finds_what_was_tampered_with(kevs, topic, produce, tmp_path):
    name = topic()
    produce(name, [(f"k{i}", f"v{i}") for i in range(500)])
    sink = views.Sqlite(tmp_path)
    kevs(*argv(name, sink, "--yes")).ok()
    with sqlite3.connect(sink.path) as db:
        db.execute("UPDATE v SET value = 'x' WHERE key = 'k77'")
        db.execute("DELETE FROM v WHERE key = 'k78'")
        db.execute("INSERT INTO v VALUES('new', '1', ?, 0, 3, 0)", (name,))
    got = kevs(*argv(name, sink, "--verify"))
    assert got.code == 4
    assert (got.json["missing"], got.json["extra"], got.json["different"]) == (1, 1, 1)
    by_key = {e["key"]: e for e in got.json["examples"]}
    assert by_key["k77"]["fields"] == {"value": ["x", "v77"]}
    assert by_key["k78"]["change"] == "missing" and by_key["new"]["change"] == "extra"


@pytest.mark.parametrize("mode", ["latest", "log", "count"])
def test_little_memory_gives_the_same_answer(kevs, sink, filled, mode):
    """In several passes over topic and view: nothing twice, nothing left out."""
    run = argv(filled, sink, "--mode", mode, "--examples", "100000")
    kevs(*run, "--yes", "--id", "part", "-o", "0", "-c", "700").ok()
    for what, code in (("--verify", 4), ("--diff", 0)):
        found = [kevs(*run, what, "--memory", memory) for memory in ("1G", "30k")]
        for got in found:
            assert got.code == code, f"{got}"
        whole, sliced = (got.json for got in found)
        order = [sorted(json.dumps({k: v for k, v in e.items() if mode != "count" or
                                    k not in ("partition", "offset")}, sort_keys=True)
                        for e in x.pop("examples")) for x in (whole, sliced)]
        assert order[0] == order[1] and order[0]
        assert sliced == whole


def test_deleted_and_absent_is_no_row(kevs, topic, produce, tmp_path):
    name = topic()
    produce(name, [("a", "1"), ("gone", "2"), ("gone", None)])
    got = kevs(*argv(name, views.Sqlite(tmp_path), "--diff")).ok().json
    assert (got["insert"], got["same"], got["delete"]) == (1, 0, 0)


def test_one_tampered_row_among_a_million(kevs, topic, kafka, postgres, tmp_path):
    n, odd = 1_000_000, 654_321
    name = topic(partitions=4)
    text = tmp_path / "records"
    text.write_text("".join(f'key-{i:07d}\t{{"n":{i},"state":"shipped","total":{i % 1000}.50}}\n'
                            for i in range(n)))
    subprocess.run(["kcat", "-P", "-b", kafka, "-t", name, "-K", "\t", "-X", "linger.ms=50",
                    "-X", "batch.num.messages=100000", "-l", text], check=True, timeout=120)
    for sink in (views.Sqlite(tmp_path), views.Postgres(postgres, binary=False)):
        sink.clear()
        assert kevs(*argv(name, sink, "--yes")).ok().json["rows"]["written"] == n
        good = kevs(*argv(name, sink, "--verify")).ok().json
        assert good["source_rows"] == good["sink_rows"] == n
        tamper = ("UPDATE v SET value = replace(value, 'shipped', 'Shipped')"
                  f" WHERE key = 'key-{odd:07d}'")
        if sink.name == "sqlite":
            with sqlite3.connect(sink.path) as db:
                assert db.execute(tamper).rowcount == 1
        else:
            sink.query(tamper)
        with open(tmp_path / "out", "w+", encoding="utf-8") as out:
            child = kevs.start(*argv(name, sink, "--verify"), stdout=out)
            _pid, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            got = json.load(out)
        assert child.returncode == 4
        assert (got["missing"], got["extra"], got["different"]) == (0, 0, 1)
        [example] = got["examples"]
        assert example["key"] == f"key-{odd:07d}" and "Shipped" in example["fields"]["value"][0]
        if "EVENTSCOPE_SANITIZER" not in os.environ:    # whose own memory counts double
            assert used.ru_maxrss < 900 * 1024          # KiB: half a KiB a row, and a base


def test_columns_compare_by_value(kevs, topic, produce, sink):
    name = topic()
    produce(name, [("a", '{"n":1.50,"s":"x","o":{"b":1,"a":[1,2]},"t":true}'),
                   ("b", '{"n":9007199254740993,"s":null,"t":false}')])
    columns = ("--columns", "n=.value.n, s=.value.s, o=.value.o, t=.value.t")
    if sink.name == "postgresql":
        columns = ("--columns", "n:numeric=.value.n, s=.value.s, o:jsonb=.value.o, "
                                "t:boolean=.value.t")
    kevs(*argv(name, sink, "--yes", *columns)).ok()
    good = kevs(*argv(name, sink, "--verify", *columns))
    assert good.code == 0, good
    same = kevs(*argv(name, sink, "--diff", *columns)).ok().json
    assert same["same"] == 2
