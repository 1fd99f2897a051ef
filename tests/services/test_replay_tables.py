"""Tables that others made, locked or guarded: what a run does with them, and what it says."""
import pathlib
import signal
import sqlite3
import subprocess

import pytest

from support import proc, views


@pytest.fixture
def abc(topic, produce):
    """Keys a, b and c with the values 1, 2 and 3."""
    name = topic()
    produce(name, [("a", '{"n":1}'), ("b", '{"n":2}'), ("c", '{"n":3}')])
    return name


def argv(topic, sink, *options):
    return ("replay", topic, "--sink", sink.url, "--target", "v", "--json", "--yes", *options)


N = ("--columns", "n=.value.n")


@pytest.mark.parametrize("ddl, words", [
    ("REFERENCES known DEFERRABLE INITIALLY DEFERRED", "violates foreign key"),
    ("REFERENCES known", "violates foreign key"),
])
def test_a_deferred_constraint_names_its_record(kevs, pg, abc, ddl, words):
    """At the commit it would name none, and --on-error skip would leave out the wrong ones."""
    pg.query("CREATE TABLE known (id text PRIMARY KEY); INSERT INTO known VALUES ('a'), ('c')")
    pg.query(f"CREATE TABLE v (key text PRIMARY KEY {ddl}, n bigint)")
    kevs(*argv(abc, pg, *N)).failed(1, f"{abc} p0 @ 1", words)
    done = kevs(*argv(abc, pg, *N, "--resume", "--on-error", "skip")).ok().json
    assert done["events"]["skipped"] == 1
    assert sorted(pg.query("SELECT key FROM v")) == ["a", "c"]


def test_a_trigger_that_refuses_a_row(kevs, pg, abc):
    pg.query("CREATE TABLE v (key text PRIMARY KEY, n bigint)")
    pg.query("CREATE FUNCTION no_b() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
             " IF new.key = 'b' THEN RAISE EXCEPTION 'b is not for this table'; END IF;"
             " RETURN new; END $$")
    pg.query("CREATE TRIGGER no_b BEFORE INSERT ON v FOR EACH ROW EXECUTE FUNCTION no_b()")
    kevs(*argv(abc, pg, *N)).failed(1, f"{abc} p0 @ 1", "b is not for this table")
    kevs(*argv(abc, pg, *N, "--resume", "--on-error", "skip")).ok()
    assert sorted(pg.query("SELECT key FROM v")) == ["a", "c"]


def test_a_table_without_a_key_says_what_it_needs(kevs, pg, abc):
    pg.query("CREATE TABLE v (key text, n bigint)")
    kevs(*argv(abc, pg, *N)).failed(1, "primary key or a unique index")


PLACED = ('(key text PRIMARY KEY, value text, topic text, partition int, "offset" bigint,'
          " ts bigint)")


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_rows_of_others_have_no_place_and_are_older(kevs, abc, request, tmp_path, kind):
    """Their place is NULL: a comparison with it is neither true nor false."""
    sink = views.make(kind, request.getfixturevalue, tmp_path)
    sink.options = []
    rows = "INSERT INTO v (key, value) VALUES ('a', 'old'), ('c', 'old')"
    if kind == "sqlite":
        with sqlite3.connect(sink.path) as db:
            db.execute(f"CREATE TABLE v {PLACED}")
            db.execute(rows)
    else:
        sink.query(f"CREATE TABLE v {PLACED}")
        sink.query(rows)
    diff = kevs(*argv(abc, sink, "--diff")).ok().json
    assert (diff["insert"], diff["update"], diff["newer"]) == (1, 2, 0)
    done = kevs(*argv(abc, sink)).ok().json
    assert done["rows"]["written"] == 3
    kevs(*argv(abc, sink, "--verify")).ok()


def test_a_locked_table_does_not_hold_the_stop(kevs, pg, abc):
    """A stop while the server waits for somebody's lock: cancelled, said, resumed."""
    pg.query("CREATE TABLE v (key text PRIMARY KEY, n bigint)")
    holder = subprocess.Popen(["psql", "-X", "-q", "-d", pg.url, "-c", "BEGIN; LOCK TABLE v IN"
                               " ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600); COMMIT"],
                              stderr=subprocess.DEVNULL)
    proc.wait_until(lambda: pg.query("SELECT count(*) FROM pg_locks WHERE granted AND relation ="
                                     " 'v'::regclass AND mode = 'AccessExclusiveLock'") == ["1"],
                    "the lock", 20)
    waits = ("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'eventscope'"
             " AND wait_event_type = 'Lock'")
    try:
        child = kevs.start(*argv(abc, pg, *N))
        proc.wait_until(lambda: pg.query(waits) == ["1"], "a run that waits for the lock", 20)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
        assert child.returncode == 3, (out, err)
        assert pg.query(waits) == ["0"]
    finally:
        pg.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()")
        holder.wait(20)
    kevs(*argv(abc, pg, *N, "--resume")).ok()
    assert len(pg.query("SELECT key FROM v")) == 3


def test_a_statement_timeout_says_what_helps(kevs, pg, abc):
    pg.query("CREATE TABLE v (key text PRIMARY KEY, n bigint)")
    pg.query("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
             " PERFORM pg_sleep(20); RETURN new; END $$")
    pg.query("CREATE TRIGGER slow BEFORE INSERT ON v FOR EACH ROW EXECUTE FUNCTION slow()")
    pg.url += "?options=-cstatement_timeout%3D300"
    kevs(*argv(abc, pg, *N)).failed(1, "statement timeout", "--batch")


def opened(pid, path):
    return any(p.resolve() == path for p in pathlib.Path(f"/proc/{pid}/fd").iterdir())


@pytest.mark.parametrize("how", [(), ("--dry-run",)])
def test_a_locked_sqlite_file_is_waited_for(kevs, abc, tmp_path, how):
    """Not for ever, not past a stop, and never by a crash."""
    sink = views.Sqlite(tmp_path)
    kevs(*argv(abc, sink)).ok()
    db = sqlite3.connect(sink.path, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    child = kevs.start(*argv(abc, sink, "--id", "other", *how))
    proc.wait_until(lambda: opened(child.pid, sink.path), "the file open", 20)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    assert child.returncode == (1 if how else 3), err
    kevs(*argv(abc, sink, "--id", "other", *how)).failed(1, "view.db", "locked")
    db.execute("COMMIT")
    db.close()
    kevs(*argv(abc, sink, "--id", "other", *how)).ok()


def test_a_missing_folder_is_named(kevs, abc, tmp_path):
    kevs("replay", abc, "--sink", f"sqlite:{tmp_path}/no/view.db", "--target", "v",
         "--yes").failed(1, "no/view.db", "No such file or directory")


TYPED = [("timestamptz", '"2026-01-02T03:04:05Z"'), ("timestamp(0)", '"2026-01-02 03:04:05.4"'),
         ("date", '"2026-1-2"'), ("double precision", "12345678901234567890.5"),
         ("real", "0.1"), ("numeric(8,2)", "12.345"), ("jsonb", '{"b": 1, "a": [1,2]}'),
         ("json", '{"b": 1}'), ("uuid", '"123E4567-E89B-12D3-A456-426614174000"'),
         ("char(5)", '"ab"'), ("inet", '"10.0.0.1/32"'), ("interval", '"90 minutes"'),
         ("bytea", '"\\\\x41"'), ("boolean", "true"), ("bigint", "9007199254740993")]


def test_verify_knows_how_a_type_reads_back(kevs, pg, topic, produce):
    """Right after a run nothing differs, whatever PostgreSQL makes of the text; a change does."""
    name = topic()
    produce(name, [("a", "{" + ",".join(f'"c{i}":{v}' for i, (_, v) in enumerate(TYPED)) + "}"),
                   ("b", "{}"), ("gone", None)])
    columns = ("--columns", ",".join(f"c{i}:{t}=.value.c{i}" for i, (t, _) in enumerate(TYPED)))
    kevs(*argv(name, pg, *columns)).ok()
    diff = kevs(*argv(name, pg, *columns, "--diff")).ok().json
    assert diff["same"] == 2, diff
    kevs(*argv(name, pg, *columns, "--verify")).ok()
    pg.query("UPDATE v SET c0 = c0 + interval '1 second', c5 = 12.35 WHERE key = 'a'")
    got = kevs(*argv(name, pg, *columns, "--verify"))
    assert got.code == 4 and got.json["different"] == 1
    assert got.json["examples"][0]["fields"].keys() == {"c0"}


def test_verify_of_a_value_that_is_jsonb(kevs, pg, abc):
    """A table of the DBA's: nobody says --value-type."""
    pg.query("CREATE TABLE v " + PLACED.replace("value text", "value jsonb"))
    kevs(*argv(abc, pg)).ok()
    kevs(*argv(abc, pg, "--verify")).ok()
    assert kevs(*argv(abc, pg, "--diff", "--id", "x")).ok().json["same"] == 3
    pg.query("""UPDATE v SET value = '{"n":7}' WHERE key = 'b'""")
    assert kevs(*argv(abc, pg, "--verify")).code == 4


def test_verify_of_a_value_beside_one_that_was_skipped(kevs, pg, topic, produce):
    """A value that the type refuses does not keep the others from being compared."""
    name = topic()
    produce(name, [(f"k{i}", '{"t":"2026-01-02T03:04:05Z"}') for i in range(9)]
            + [("bad", '{"t":"no time"}')])
    options = ("--columns", "t:timestamptz=.value.t", "--on-error", "skip")
    kevs(*argv(name, pg, *options)).ok()
    got = kevs(*argv(name, pg, *options, "--verify"))
    assert got.code == 4 and (got.json["missing"], got.json["different"]) == (1, 0)
