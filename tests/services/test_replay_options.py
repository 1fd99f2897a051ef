"""Options of a replay that meet: filters, plans and what contradicts each other."""
import json
import signal

import pytest

from support import proc, views


@pytest.fixture
def sink(tmp_path):
    return views.Sqlite(tmp_path)


def argv(topic, sink, *options):
    return ("replay", topic, "--sink", sink.url, "--target", "v", "--json", "--yes", *options)


@pytest.fixture
def orders(topic, admin):
    name = topic()
    admin("produce", topic=name, records=[
        {"partition": 0, "key": "a", "value": '{"s":"open"}', "headers": [["src", "web"]]},
        {"partition": 0, "key": "b", "value": '{"s":"closed"}', "headers": []},
        {"partition": 0, "key": "c", "value": '{"s":"open"}', "headers": []}])
    return name


@pytest.mark.parametrize("option, left", [
    (("--not-key", "a*"), {b"b", b"c"}),
    (("--not-grep", "closed"), {b"a", b"c"}),
    (("--not-grep", "CLOSED", "-i"), {b"a", b"c"}),
    (("--not-header", "src=w*"), {b"b", b"c"}),
    (("--not-jq", '.value.s == "open"'), {b"b"}),
    (("--not-key", "a", "--jq", '.value.s == "open"'), {b"c"}),
])
def test_what_is_not_to_be_kept(kevs, sink, orders, tmp_path, option, left):
    """Of every filter option, and by way of a plan file."""
    kevs(*argv(orders, sink, *option)).ok()
    assert sink.latest("v").keys() == left
    plan = tmp_path / "p.plan"
    kevs("replay", orders, "--sink", "jsonl:-", "--save-plan", plan, *option).ok()
    lines = kevs("replay", "--plan", plan, "--yes").ok().out.splitlines()
    assert {json.loads(l)["key"].encode() for l in lines if l.startswith("{")} == left


def test_a_filter_that_is_wrong_is_named(kevs, sink, orders):
    kevs(*argv(orders, sink, "--not-jq", ".value.s ==")).failed(2, "keep", "jq")
    assert not sink.path.exists()


def test_options_override_the_plan(kevs, sink, orders, tmp_path):
    plan = tmp_path / "p.plan"
    kevs("replay", orders, "--sink", sink.url, "--target", "v", "-k", "a", "--columns",
         "x=.value.s", "--save-plan", plan).ok()
    kevs("replay", "--plan", plan, "-k", "b", "--columns", "y=.value.s", "--yes").ok()
    assert sink.query("SELECT key, y FROM v") == [("b", "closed")]


@pytest.mark.parametrize("how", [(), ("--diff",), ("--verify",)])
def test_a_table_of_another_view(kevs, sink, orders, how):
    kevs(*argv(orders, sink, "--columns", "x=.value.s")).ok()
    kevs(*argv(orders, sink, "--id", "other", *how)).failed(1, "table v of", '"topic"', "--target")
    kevs(*argv(orders, sink, "--columns", "y=.value.s", *how)).failed(1, '"y"')


@pytest.mark.parametrize("options", [
    ("--resume", "--restart"), ("--dry-run", "--verify"), ("--diff", "--verify"),
    ("--dry-run", "--diff")])
def test_none_of_two_that_contradict_wins(kevs, sink, orders, options):
    kevs(*argv(orders, sink, *options)).failed(2, *options, "not both")
    assert not sink.path.exists()


def test_tombstones_that_the_filter_holds_back_are_said(kevs, sink, topic, produce):
    name = topic()
    produce(name, [("a", "open"), ("b", "open"), ("a", None), ("b", "closed")])
    got = kevs(*argv(name, sink, "--grep", "open")).ok()
    assert got.json["tombstones_filtered"] == 1 and "1 tombstones" in got.err
    assert sink.latest("v").keys() == {b"a", b"b"}
    assert kevs(*argv(name, sink, "-k", "b", "--id", "x")).ok().json["tombstones_filtered"] == 1
    assert kevs(*argv(name, sink, "--id", "all")).ok().json["tombstones_filtered"] == 0


@pytest.mark.parametrize("options", [("--columns", "n=.value.s,m=(1, 2)"),
                                     ("--mode", "count", "--group-by", ".value.s, 1")])
def test_one_value_a_column(kevs, sink, orders, options):
    kevs(*argv(orders, sink, *options)).failed(1, f"{orders} p0 @ 0", "jq", "several")
    done = kevs(*argv(orders, sink, *options, "--resume", "--on-error", "skip")).ok().json
    assert done["events"]["skipped"] == 3


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_rows_have_standard_output_to_themselves(kevs, orders, how):
    got = kevs("replay", orders, "--sink", "jsonl:-", "--yes", *how).ok()
    assert [r["key"] for r in got.lines] == ["a", "b", "c"]
    assert "done" in got.err and "at-least-once" in got.err


def test_an_empty_window_is_said(kevs, sink, orders):
    window = ("--since", "2020-01-01", "--until", "2020-01-02")
    assert "nothing was left to read" in kevs(*argv(orders, sink, *window)).ok().err


def test_a_plan_that_was_edited_is_said(kevs, sink, orders, tmp_path):
    plan = tmp_path / "p.plan"
    kevs("replay", orders, "--sink", sink.url, "--target", "v", "--save-plan", plan).ok()
    assert kevs("replay", "--plan", plan, "--dry-run", "--target", "w").ok().err == ""
    text = plan.read_text()
    plan.write_text(text.replace('"topic": "' + orders, '"from": "1", "topic": "' + orders))
    assert "was changed since" in kevs("replay", "--plan", plan, "--dry-run").ok().err
    plan.write_text(text.replace('"eventscope_plan": 1', '"eventscope_plan": 2'))
    kevs("replay", "--plan", plan, "--dry-run").failed(2, "p.plan: line 2: eventscope_plan")


def test_a_rate_of_less_than_one(kevs, sink, orders):
    kevs(*argv(orders, sink, "--rate", "0.5")).failed(2, "run.rate", "0.5")


def test_a_killed_run_is_in_the_audit_log(kevs, sink, topic, produce):
    name = topic()
    produce(name, [("a", "1"), ("b", "2")] * 50)
    child = kevs.start(*argv(name, sink, "--rate", "5"))
    log = kevs.home / "state/eventscope/audit.jsonl"
    proc.wait_until(lambda: log.exists() and log.read_text().endswith("\n"), "a line", 20)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    [line] = map(json.loads, log.read_text().splitlines())
    assert line["state"] == "begun" and line["topic"] == name and line["plan_hash"]
    job = json.loads((kevs.home / f"state/eventscope/jobs/{line['id']}.json").read_text())
    assert job["report"]["state"] == "running" and job["pid"] == child.pid


def test_a_password_is_neither_kept_nor_part_of_the_hash(kevs, orders, postgres, sink):
    base = ("replay", orders, "--target", "v", "--json", "--yes", "--id", "pw", "--sink")
    views.Postgres(postgres).clear()
    url = postgres.replace("eventscope@", "eventscope:s3cr3t@")
    aside = f"dead-letter:{url}"
    first = kevs(*base, url, "--on-error", aside).ok().json
    assert kevs(*base, postgres, "--resume").ok().json["plan_hash"] == first["plan_hash"]
    kept = list((kevs.home / "state/eventscope").rglob("*.json*"))
    assert len(kept) >= 2 and not [p for p in kept if "s3cr3t" in p.read_text()]


def test_without_a_state_folder_it_is_said(kevs, sink, orders):
    folder = kevs.home / "state"
    folder.write_text("no folder")
    assert "not in the audit log" in kevs(*argv(orders, sink)).ok().err
