"""A standalone Kafka Connect worker with a JDBC sink: the same view of the same topic into
PostgreSQL, the way most people would build it."""
import json
import os
import re
import subprocess
import time

from support import java, paths, proc

SINK = {
    "name": "bench",
    "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
    "tasks.max": "2",
    "insert.mode": "upsert",
    "primary.key.mode": "record_key",
    "schema.evolution": "none",
    "use.reduction.buffer": "true",
    "batch.size": "5000",
    "transforms": "k,v",
    "transforms.k.type": "org.apache.kafka.connect.transforms.HoistField$Key",
    "transforms.k.field": "key",
    "transforms.v.type": "org.apache.kafka.connect.transforms.HoistField$Value",
    "transforms.v.field": "value",
}
WORKER = {
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    "offset.flush.interval.ms": "1000",
    "consumer.max.poll.records": "5000",
}


def libs():
    pom = (paths.SUPPORT / "connect.xml").read_text(encoding="utf-8")
    path = paths.CACHE / f"connect-jdbc-{re.search(r'<connector.version>(.*)</', pom).group(1)}"
    if not path.is_dir():
        subprocess.run([paths.SUPPORT / "deps.sh", "connect"], check=True)
    return path


def properties(path, values):
    path.write_text("".join(f"{k}={v}\n" for k, v in values.items()), encoding="ascii")
    return path


def until(condition, what, daemon, log, pause, timeout=900):
    deadline = time.monotonic() + timeout
    while not condition():
        failed = b"Task threw an uncaught" in log.read_bytes()
        if failed or not daemon.alive() or time.monotonic() > deadline:
            raise SystemExit(f"bench: Kafka Connect: no {what}\n{proc.tail(log)}")
        time.sleep(pause)
    return time.monotonic()


def seconds(brokers, topic, pg_url, query, tmp):
    """From the first row in the table to the last offset committed, so its start does not count.
    query(sql) asks PostgreSQL; the table v(key, value) must be there and empty."""
    user, host, base = re.match(r"postgresql://(\w+)@([^/]+)/(\w+)", pg_url).groups()
    log = tmp / "connect.log"
    worker = properties(tmp / "worker.properties", {
        **WORKER, "bootstrap.servers": brokers, "plugin.path": libs(),
        "offset.storage.file.filename": tmp / "connect.offsets",
        "listeners": f"http://127.0.0.1:{proc.free_port()}"})
    sink = properties(tmp / "sink.properties", {
        **SINK, "topics": topic, "table.name.format": "v",
        "connection.url": f"jdbc:postgresql://{host}/{base}", "connection.username": user,
        "connection.password": "none",
        "consumer.override.group.id": f"bench-connect-{os.getpid()}-{time.monotonic_ns()}"})
    group = re.search("group.id=(.*)", sink.read_text(encoding="ascii")).group(1)
    daemon = proc.Daemon.start(
        java.command("org.apache.kafka.connect.cli.ConnectStandalone", worker, sink, heap="2g"),
        log)

    def through():
        out = subprocess.run([paths.EVENTSCOPE, "lag", "-b", brokers, "--group", group, "--json"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
        found = json.loads(out or "{}").get("groups") or [{}]
        return found[0].get("total_lag") == 0
    try:
        began = until(lambda: query("select 1 from v limit 1"), "first row", daemon, log, 0.05)
        return until(through, "end", daemon, log, 0.25) - began
    finally:
        daemon.stop()
