"""replay --promote connect: every option is one that the connector documents."""
import pytest

# Debezium JDBC sink 3.0, Confluent JDBC sink 10, Elasticsearch sink 14, Redis sink 0.9.
KNOWN = {
    "io.debezium.connector.jdbc.JdbcSinkConnector": {
        "connection.url", "connection.username", "connection.password", "table.name.format",
        "insert.mode", "delete.enabled", "primary.key.mode", "schema.evolution",
        "use.reduction.buffer"},
    "io.confluent.connect.jdbc.JdbcSinkConnector": {
        "connection.url", "table.name.format", "insert.mode", "delete.enabled", "pk.mode",
        "pk.fields", "auto.create"},
    "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector": {
        "connection.url", "key.ignore", "schema.ignore", "behavior.on.null.values",
        "write.method"},
    "com.redis.kafka.connect.RedisSinkConnector": {"redis.uri", "redis.type", "redis.key"},
}
COMMON = {"connector.class", "topics", "key.converter", "value.converter", "tasks.max",
          "errors.tolerance", "consumer.override.isolation.level"}


@pytest.mark.parametrize("url", [
    "sqlite:view.db", "postgresql://u:s3cr3t@h/db?sslmode=require&password=s3cr3t",
    "redis://u:s3cr3t@h:6379/1", "rediss://u:s3cr3t@h:6380/1?cacert=ca.pem",
    "opensearch+https://u:s3cr3t@h:9200"])
@pytest.mark.parametrize("mode", ["latest", "log"])
def test_options_are_the_connectors_own(evs, url, mode):
    got = evs("replay", "t", "--sink", url, "--target", "v", "--mode", mode, "--promote",
              "connect").ok()
    config = got.json["config"]
    smt = {k for k in config if k.split(".")[0] in ("transforms", "predicates")}
    assert config.keys() - smt <= COMMON | KNOWN[config["connector.class"]]
    named = [t for t in config.get("transforms", "").split(",") if t]
    assert {k.split(".")[1] for k in smt if k.startswith("transforms.")} == set(named)
    assert "s3cr3t" not in got.out + got.err and config["topics"] == "t"
    assert "at least once" in got.err


def test_what_no_connector_does_is_said(evs):
    base = ("replay", "t", "--sink", "postgresql://h/db", "--target", "v", "--promote", "connect")
    got = evs(*base).ok()
    assert got.json["config"]["delete.enabled"] == "false" and "deletes nothing" in got.err
    evs(*base, "--not-key", "x").failed(2, "filter")
    evs(*base, "--mode", "count").failed(2, "counts")
    evs(*base[:3], "kafka:other", *base[4:]).failed(2, "MirrorMaker")
