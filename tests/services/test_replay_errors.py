"""Records that cannot pass and sinks that will not take them: coordinates, exit codes, policies."""
import json
import socket
import subprocess
import threading
import urllib.parse

import pytest

from support import stores, views


@pytest.fixture
def with_nul(admin, topic):
    """Ten keys; the value at p0 @ 5 has a NUL, k5's value before it is at offset 2."""
    name = topic()
    records = [{"partition": 0, "key": f"k{i}", "value": f"v{i}"} for i in range(5)]
    records[2]["key"] = "k5"
    records.append({"partition": 0, "key": "k5", "value_base64": views.b64(b"a\0b")})
    records += [{"partition": 0, "key": f"k{i}", "value": f"v{i}"} for i in range(6, 10)]
    admin("produce", topic=name, records=records)
    return name


def argv(topic, sink, *options):
    return ("replay", topic, "--sink", sink.url, "--target", "v", "--json", "--yes", *options)


def test_stop_names_the_record_and_resume_passes_it(kevs, pg, with_nul):
    got = kevs(*argv(with_nul, pg))
    got.failed(1, f"{with_nul} p0 @ 5", "NUL at byte 1", "bytea")
    assert got.json["state"] == "failed" and got.json["partitions"][0]["next"] == 5
    assert pg.latest("v").keys() == {b"k0", b"k1", b"k5", b"k3", b"k4"}
    kevs(*argv(with_nul, pg)).failed(2, "half done", "--resume")
    kevs(*argv(with_nul, pg, "--resume")).failed(1, "p0 @ 5")
    done = kevs(*argv(with_nul, pg, "--resume", "--on-error", "skip")).ok().json
    assert done["state"] == "done" and done["events"]["skipped"] == 1
    rows = pg.latest("v")
    assert rows[b"k5"][:3] == (b"v2", 0, 2) and len(rows) == 9


def test_dead_letter(kevs, pg, with_nul, tmp_path):
    aside = views.Jsonl(tmp_path)
    done = kevs(*argv(with_nul, pg, "--on-error", f"dead-letter:{aside.url}")).ok().json
    assert done["events"]["dead_lettered"] == 1 and len(pg.latest("v")) == 9
    [row] = aside.lines()
    assert (row["partition"], row["offset"]) == (0, 5)
    assert views.Jsonl.member(row, "payload") == b"a\0b"
    assert "eventscope.error" in row["headers"] and "NUL" in json.dumps(row["headers"])


@pytest.mark.parametrize("ddl, words", [
    ("value varchar(3)", "value too long"),
    ("value text CHECK (value <> 'too long')", "violates check"),
])
def test_a_column_that_refuses_the_value(kevs, pg, topic, produce, ddl, words):
    name = topic()
    produce(name, [("a", "1"), ("b", "2"), ("b", "too long"), ("c", "3")])
    pg.query(f"CREATE TABLE v (key text PRIMARY KEY, {ddl}, topic text, partition int,"
             " \"offset\" bigint, ts bigint)")
    got = kevs(*argv(name, pg))
    got.failed(1, words, f"{name} p0 @ 2")
    assert pg.latest("v") == {}
    kevs(*argv(name, pg, "--resume", "--on-error", "skip")).ok()
    assert {k: v[0] for k, v in pg.latest("v").items()} == {b"a": b"1", b"b": b"2", b"c": b"3"}


@pytest.mark.parametrize("ddl, bad, words", [
    ("value varchar(3)", "too long", "value too long"),
    ("value int", "4711x", "invalid input syntax for type integer"),
    ("value smallint", "70000", "out of range"),
    ("value jsonb", '{"a":', "invalid input syntax for type json"),
    ("value text", "a\0b", "NUL at byte 1"),
])
def test_a_dry_run_says_what_would_be_refused(kevs, pg, topic, produce, ddl, bad, words):
    name = topic()
    produce(name, [(f"k{i}", "1") for i in range(37)] + [("bad", bad)] + [("k3", "2")] * 9)
    pg.query(f"CREATE TABLE v (key text PRIMARY KEY, {ddl}, topic text, partition int,"
             " \"offset\" bigint, ts bigint)")
    for how in ("--dry-run", "--diff"):
        kevs(*argv(name, pg, how)).failed(1, words, f"{name} p0 @ 37", "hint")
    kevs(*argv(name, pg)).failed(1, words, f"{name} p0 @ 37")
    got = kevs(*argv(name, pg, "--diff", "--on-error", "skip", "-k", "k*")).ok().json
    assert got["insert"] + got["same"] + got["update"] == 37
    assert kevs(*argv(name, pg, "--diff", "-k", "k*")).ok().json == got | {
        "examples": got["examples"]}


def test_jq_that_fails_on_a_record(kevs, topic, produce, tmp_path):
    name, sink = topic(), views.Sqlite(tmp_path)
    produce(name, [("a", '{"n":1}'), ("b", '{"n":"x"}'), ("c", '{"n":3}')])
    columns = ("--columns", "n=.value.n + 1")
    kevs(*argv(name, sink, *columns)).failed(1, "p0 @ 1", "jq")
    done = kevs(*argv(name, sink, *columns, "--resume", "--on-error", "skip")).ok().json
    assert done["events"]["skipped"] == 1
    assert sink.query("SELECT key, n FROM v ORDER BY key") == [("a", 2), ("c", 4)]


def test_index_mapping_conflict(kevs, topic, produce, opensearch):
    sink = views.OpenSearch(opensearch)
    sink.clear()
    name = topic()
    produce(name, [("a", '{"n":1}'), ("b", '{"n":"no number"}'), ("c", '{"n":3}')])
    columns = ("--columns", "n:integer=.value.n")
    kevs(*argv(name, sink, *columns)).failed(1, "p0 @ 1", "n")
    kevs(*argv(name, sink, *columns, "--resume", "--on-error", "skip")).ok()
    assert {d["_id"]: d["_source"]["n"] for d in sink.docs("v")} == {"a": 1, "c": 3}


def test_words_for_sinks_that_are_not_there(kevs, topic, produce, postgres, tmp_path):
    name = topic()
    produce(name, [("a", "1")])
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    for url in (f"postgresql://x@127.0.0.1:{port}/y", f"redis://127.0.0.1:{port}/0",
                f"opensearch+http://127.0.0.1:{port}"):
        kevs("replay", name, "--sink", url, "--target", "v", "--yes").failed(1, str(port))
    secret = "s3cr3t-pass"
    got = kevs("replay", name, "--sink", postgres.replace("eventscope@", f"nobody:{secret}@"),
               "--target", "v", "--yes").failed(1, "nobody")
    assert secret not in got.err
    got = kevs("replay", name, "--sink", f"postgresql://u:{secret}@[bad", "--target", "v", "--yes")
    assert got.code == 2 and secret not in got.err
    folder = tmp_path / "folder"
    folder.mkdir()
    kevs("replay", name, "--sink", f"sqlite:{folder}", "--target", "v", "--yes").failed(1, "folder")
    text = tmp_path / "text.db"
    text.write_text("this is no database, whatever its name says" * 100)
    kevs("replay", name, "--sink", f"sqlite:{text}", "--target", "v", "--yes").failed(
        1, "not a database")


def test_wrong_password(kevs, kafka, topic, produce):
    """Refused in one line without the password; the view is made once it is right."""
    name = topic()
    produce(name, [("a", "1")])
    want = views.fold_latest(views.dump(kafka, name))
    with stores.Redis() as store:
        sink = views.Redis(store.url)
        sink.ask(["ACL", "SETUSER", "etl", "on", ">right", "~*", "+@all"])
        for password, code in (("wr0ng", 1), ("right", 0)):
            url = store.url.replace("//", f"//etl:{password}@")
            got = kevs("replay", name, "--sink", url, "--target", "v", "--yes")
            assert got.code == code and password not in got.err
            if code:
                got.failed(1, "WRONGPASS")
        assert sink.latest("v") == want
    with stores.Postgres() as store:
        store.sql("CREATE ROLE etl LOGIN PASSWORD 'right'; GRANT ALL ON SCHEMA public TO etl")
        rules = store.dir / "data" / "pg_hba.conf"
        rules.write_text("host all etl 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        store.sql("SELECT pg_reload_conf()")
        for password, code in (("wr0ng", 1), ("right", 0)):
            url = store.url.replace("eventscope@", f"etl:{password}@")
            got = kevs("replay", name, "--sink", url, "--target", "v", "--yes")
            assert got.code == code and password not in got.err
            if code:
                got.failed(1, "password authentication failed")
        assert views.Postgres(store.url).latest("v") == want


def test_missing_rights(kevs, kafka, topic, produce, pg):
    name = topic()
    produce(name, [("a", "1"), ("b", "2")])
    pg.query("SET client_min_messages = error; DROP ROLE IF EXISTS reader;"
             "CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA public TO PUBLIC")
    reader = views.Postgres(pg.url.replace("eventscope@", "reader@"), binary=False)
    kevs(*argv(name, reader)).failed(1, "permission denied")
    # Rights to everything but the view's own rows: known at the first batch.
    kevs(*argv(name, pg, "--id", "first", "-k", "a")).ok()
    pg.query("GRANT ALL ON ALL TABLES IN SCHEMA public TO reader; REVOKE INSERT ON v FROM reader;"
             "GRANT CREATE ON SCHEMA public TO reader")
    got = kevs(*argv(name, reader))
    got.failed(1, "permission denied", "v")
    assert pg.latest("v").keys() == {b"a"}
    pg.query("GRANT INSERT ON v TO reader")
    again = kevs(*argv(name, reader, "--resume")).ok().json
    assert again["state"] == "done" and again["events"]["applied"] == 2
    assert pg.latest("v") == views.fold_latest(views.dump(kafka, name))
    pg.query("DROP OWNED BY reader; DROP ROLE reader")


class Proxy:
    """A TCP relay that can be cut: every connection at once, in the middle of what it says."""

    def __init__(self, port):
        self.to, self.pairs = port, []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                a, _ = self.server.accept()
                b = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                return
            self.pairs.append((a, b))
            for x, y in ((a, b), (b, a)):
                threading.Thread(target=self.relay, args=(x, y), daemon=True).start()

    @staticmethod
    def relay(x, y):
        try:
            while data := x.recv(4096):
                y.sendall(data)
        except OSError:
            pass

    def cut(self):
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                s.close()
        return len(pairs)


CUT = [(kind, mode) for kind in ("postgresql", "redis", "opensearch", "elasticsearch")
       for mode in ("latest", "count")]


@pytest.mark.parametrize("kind, mode", CUT)
def test_connection_cut(kevs, kafka, admin, topic, rng, request, tmp_path, kind, mode):
    """Cut again and again while it writes: each batch is in once, and the run gets through."""
    sink = views.make(kind, request.getfixturevalue, tmp_path)
    name = topic(partitions=2)
    admin("produce", topic=name, records=views.hostile(
        rng, 1500, False, 2, getattr(sink, "fits", lambda key: True)))
    port = urllib.parse.urlsplit(sink.url).port
    proxy = Proxy(port)
    child = kevs.start("replay", name, "--sink", sink.url.replace(f":{port}", f":{proxy.port}"),
                       "--target", "v", "--json", "--yes", "--batch", "40", "--rate", "500",
                       "--mode", mode, *getattr(sink, "options", []))
    cuts = 0
    while child.poll() is None:
        try:
            child.wait(rng.uniform(0.05, 0.25))
        except subprocess.TimeoutExpired:
            cuts += proxy.cut() > 0
    out, err = child.communicate()
    proxy.server.close()
    assert child.returncode == 0, (out, err)
    assert cuts > 3
    events = views.dump(kafka, name)
    if mode == "latest":
        assert sink.latest("v") == views.fold_latest(events)
    else:
        assert {k: int(n) for k, n in sink.totals("v", "count").items()} == views.fold_count(events)
    assert json.loads(out)["events"]["read"] == len(events)


def test_bad_plans_and_options(kevs, tmp_path):
    plan = tmp_path / "p.plan"
    plan.write_text('{\n "source": {"topic": "t"},\n "sink": {\n  "url": "mongo://x"\n }\n}')
    kevs("replay", "--plan", plan).failed(2, "line 4", "sink.url", "unknown sink 'mongo'")
    plan.write_text('{\n "source": {\n  "topik": "t"\n }\n}')
    kevs("replay", "--plan", plan).failed(2, "line 3", "source.topik", "topic?")
    plan.write_text('{"source": {"topic": 5 5}}')
    kevs("replay", "--plan", plan).failed(2, "line 1", "not JSON")
    base = ("replay", "t", "--sink", "sqlite:x.db")
    kevs(*base).failed(2, "--target")
    kevs(*base, "--target", "v").failed(2, "--yes")
    kevs(*base, "--target", "v", "--mode", "sum").failed(2, "--value")
    kevs(*base, "--target", "v", "--columns", "x").failed(2, "NAME[:TYPE]=JQ")
    kevs(*base, "--target", "v", "--columns", "a:int; DROP=.key").failed(2, "no type")
    kevs(*base, "--target", "v", "--on-error", "explode").failed(2, "explode")
    kevs("replay", "t", "--sink", "sqlit:x").failed(2, "did you mean sqlite")
    kevs("replay", "a.b-c").failed(2, "no sink", "--sink sqlite:a.b-c.db --target a_b_c")
    kevs("replay").failed(2, "no topic")


def test_a_plan_file_round_trips(kevs, topic, produce, tmp_path):
    name, sink = topic(), views.Sqlite(tmp_path)
    produce(name, [("a", '{"n":1}'), ("b", '{"n":2}')])
    plan = tmp_path / "orders.plan"
    kevs(*argv(name, sink, "--columns", "n=.value.n", "-k", "b", "--save-plan", plan)[:-2],
         "--save-plan", plan)
    kevs("replay", name, "--sink", sink.url, "--target", "v", "--columns", "n=.value.n", "-k", "b",
         "--save-plan", plan).ok()
    sink.clear()
    text = json.loads(plan.read_text())
    assert text["sink"] == {"url": sink.url, "target": "v"} and text["keep"] == {"key": ["b"]}
    report = kevs("replay", "--plan", plan, "--yes", "--json").ok().json
    assert report["plan_hash"] == text["hash"]
    assert sink.query("SELECT key, n FROM v") == [("b", 2)]


def test_every_run_that_wrote_is_in_the_audit_log(kevs, topic, produce, tmp_path):
    name, sink = topic(), views.Sqlite(tmp_path)
    produce(name, [("a", "1")])
    report = kevs(*argv(name, sink)).ok().json
    line = json.loads((kevs.home / "state/eventscope/audit.jsonl").read_text().splitlines()[-1])
    assert line["plan_hash"] == report["plan_hash"] and line["state"] == "done"
    assert line["topic"] == name and line["user"] and line["cluster"]


