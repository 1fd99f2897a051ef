"""--swap: the new table has what the old one had, and nothing is left hanging on the old one."""
import sqlite3

import pytest

from support import views


@pytest.fixture
def abc(topic, produce):
    name = topic()
    produce(name, [("a", '{"n":1}'), ("b", '{"n":2}')])
    return name


def argv(topic, sink, *options):
    return ("replay", topic, "--sink", sink.url, "--target", "shop.v" if sink.name != "sqlite"
            else "v", "--json", "--yes", "--columns", "n=.value.n", *options)


def indexes(pg, table):
    return {r.replace(table, "T") for r in pg.query(
        "SELECT regexp_replace(indexdef, 'INDEX [^ ]+ ON', 'INDEX ON') FROM pg_indexes"
        f" WHERE tablename = '{table}'")}


def test_postgresql_keeps_types_indexes_and_rights(kevs, pg, abc):
    pg.query("SET client_min_messages = error; DROP SCHEMA IF EXISTS shop CASCADE;"
             " DROP ROLE IF EXISTS dash; CREATE SCHEMA shop; CREATE ROLE dash")
    pg.query("CREATE TABLE shop.v (key varchar(20) PRIMARY KEY, n int CHECK (n > 0),"
             " seen timestamptz NOT NULL DEFAULT now())")
    pg.query("CREATE INDEX by_n ON shop.v (n DESC); GRANT SELECT ON shop.v TO dash, PUBLIC")
    pg.query("INSERT INTO shop.v VALUES ('old', 9)")
    before = pg.query("SELECT relacl FROM pg_class WHERE oid = 'shop.v'::regclass")
    had = indexes(pg, "v")
    kevs(*argv(abc, pg, "--swap")).ok()
    assert sorted(pg.query("SELECT key || n FROM shop.v WHERE seen IS NOT NULL")) == ["a1", "b2"]
    assert pg.query("SELECT key FROM shop.v__old") == ["old"]
    assert indexes(pg, "v") == had and len(had) == 2
    assert pg.query("SELECT relacl FROM pg_class WHERE oid = 'shop.v'::regclass") == before
    assert pg.query("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid ="
                    " 'shop.v'::regclass AND attname = 'key'") == ["character varying(20)"]
    kevs(*argv(abc, pg, "--swap", "--id", "again")).ok()      # and once more
    assert indexes(pg, "v") == had
    pg.query("DROP SCHEMA shop CASCADE; DROP ROLE dash")


@pytest.mark.parametrize("ddl, words", [
    ("CREATE VIEW shop.dashboard AS SELECT n FROM shop.v", "view shop.dashboard"),
    ("CREATE TABLE shop.line (v text REFERENCES shop.v)", "foreign key line_v_fkey"),
    ("CREATE TRIGGER t BEFORE UPDATE ON shop.v FOR EACH ROW EXECUTE FUNCTION"
     " suppress_redundant_updates_trigger()", "trigger t"),
    ("CREATE POLICY mine ON shop.v USING (true)", "policy mine"),
])
def test_postgresql_refuses_to_leave_things_behind(kevs, pg, abc, ddl, words):
    pg.query("SET client_min_messages = error; DROP SCHEMA IF EXISTS shop CASCADE;"
             " CREATE SCHEMA shop; CREATE TABLE shop.v (key text PRIMARY KEY, n int)")
    pg.query(ddl)
    kevs(*argv(abc, pg, "--swap")).failed(1, "--swap", words)
    assert pg.query("SELECT to_regclass('shop.v__new') IS NULL") == ["t"]
    kevs(*argv(abc, pg)).ok()
    pg.query("DROP SCHEMA shop CASCADE")


def test_another_shape_is_the_plans(kevs, pg, abc):
    pg.query("SET client_min_messages = error; DROP SCHEMA IF EXISTS shop CASCADE;"
             " CREATE SCHEMA shop; CREATE TABLE shop.v (key text PRIMARY KEY, other int)")
    kevs(*argv(abc, pg, "--swap")).ok()
    assert sorted(pg.query("SELECT key || n FROM shop.v")) == ["a1", "b2"]
    pg.query("DROP SCHEMA shop CASCADE")


def test_sqlite_keeps_indexes_triggers_and_views(kevs, abc, tmp_path):
    sink = views.Sqlite(tmp_path)
    with sqlite3.connect(sink.path) as db:
        db.executescript("""
            CREATE TABLE "v"(key TEXT PRIMARY KEY, n INTEGER CHECK (n > 0), seen DEFAULT 'now');
            CREATE INDEX by_n ON v(n DESC);
            CREATE TABLE log(what); INSERT INTO v VALUES ('old', 9, '');
            CREATE TRIGGER noted AFTER DELETE ON v BEGIN INSERT INTO log VALUES (old.key); END;
            CREATE VIEW dashboard AS SELECT sum(n) AS total FROM v;""")
    for again in ("one", "two"):
        kevs(*argv(abc, sink, "--swap", "--id", again)).ok()
        assert sink.query("SELECT key, n, seen FROM v ORDER BY key") == [("a", 1, "now"),
                                                                         ("b", 2, "now")]
        assert sink.query("SELECT total FROM dashboard") == [(3,)]
        assert sink.query("SELECT type, name, tbl_name FROM sqlite_master WHERE name IN"
                          " ('by_n', 'noted') ORDER BY name") == [("index", "by_n", "v"),
                                                                  ("trigger", "noted", "v")]
    with sqlite3.connect(sink.path) as db:
        db.execute("DELETE FROM v WHERE key = 'a'")
    assert sink.query("SELECT what FROM log") == [("a",)]
