"""The sinks' contract (tests/contract/test_sinks.c) against the real servers; servers that die."""
import subprocess

from support import paths, proc, stores, views


def test_the_contract_on_servers(postgres, redis, opensearch, elasticsearch):
    program = paths.EVENTSCOPE.parent / "tests/contract/test_sinks"
    subprocess.run(["make", "-s", "-C", paths.EVENTSCOPE.parent, "tests/contract/test_sinks"],
                   check=True, stdout=subprocess.DEVNULL)
    out = subprocess.run(
        [program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "EVENTSCOPE_SINKS": f"{postgres} {redis} "
             f"opensearch+{opensearch} elasticsearch+{elasticsearch}"})
    assert out.returncode == 0, out.stdout


def restarted(kevs, kafka, topic, produce, store, sink):
    """The store is killed in the middle of a run and started again: the run waits and goes on."""
    name = topic(partitions=2)
    for p in range(2):
        produce(name, [(f"k{i % 300}", f"{p} {i}") for i in range(p, 4000, 2)], partition=p)
    child = kevs.start("replay", name, "--sink", sink.url, "--target", "v", "--json", "--yes",
                       "--rate", "1500", "--batch", "100", *getattr(sink, "options", []))

    def begun():
        assert child.poll() is None, child.communicate()
        return len(sink.latest("v")) > 50
    try:
        proc.wait_until(begun, "the run to write", 30)
        store.kill()
        store.start()
        out, err = child.communicate(timeout=120)
    finally:
        child.kill()
    assert child.returncode == 0, (out, err)
    assert sink.latest("v") == views.fold_latest(views.dump(kafka, name))


def test_postgresql_dies_and_comes_back(kevs, kafka, topic, produce):
    with stores.Postgres() as store:
        restarted(kevs, kafka, topic, produce, store, views.Postgres(store.url))


def test_redis_dies_and_comes_back(kevs, kafka, topic, produce):
    with stores.Redis() as store:
        restarted(kevs, kafka, topic, produce, store, views.Redis(store.url))
