/* replay_promote.c - eventscope replay --promote connect: the sink connector that does the same. */
#include <string.h>

#include "cli/out.h"
#include "cli/replay.h"
#include "core/jsonw.h"
#include "core/xalloc.h"
#include "sinks/sink.h"

/* HoistField gives the record a struct with a field of the column's name. JDBC sinks take a
 * tombstone for a deletion only without a schema, and StringConverter gives it one: hoisted, it
 * becomes a row with a null. A search sink looks at the value alone: it is left out there. */
static void hoist(struct evs_jsonw *w, bool search)
{
    evs_jsonw_str(w, "transforms", search ? "value" : "key,value");
    if (!search) {
        evs_jsonw_str(w, "transforms.key.type",
                      "org.apache.kafka.connect.transforms.HoistField$Key");
        evs_jsonw_str(w, "transforms.key.field", "key");
    }
    evs_jsonw_str(w, "transforms.value.type",
                  "org.apache.kafka.connect.transforms.HoistField$Value");
    evs_jsonw_str(w, "transforms.value.field", "value");
    if (!search)
        return;
    evs_jsonw_str(w, "transforms.value.predicate", "tombstone");
    evs_jsonw_str(w, "transforms.value.negate", "true");
    evs_jsonw_str(w, "predicates", "tombstone");
    evs_jsonw_str(w, "predicates.tombstone.type",
                  "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone");
}

/* Debezium's knows no SQLite. */
static void sqlite(const struct evs_plan *p, struct evs_jsonw *w)
{
    char *url = evs_xprintf("jdbc:%s", p->sink);
    bool latest = p->mode == EVS_VIEW_LATEST;
    evs_jsonw_str(w, "connector.class", "io.confluent.connect.jdbc.JdbcSinkConnector");
    evs_jsonw_str(w, "connection.url", url);
    evs_jsonw_str(w, "table.name.format", p->target);
    evs_jsonw_str(w, "insert.mode", latest ? "upsert" : "insert");
    evs_jsonw_str(w, "delete.enabled", "false");
    evs_jsonw_str(w, "pk.mode", latest ? "record_key" : "kafka");
    if (latest)
        evs_jsonw_str(w, "pk.fields", "key");
    evs_jsonw_str(w, "auto.create", "false");
    hoist(w, false);
    evs_free(url);
}

static void jdbc(const struct evs_plan *p, struct evs_jsonw *w)
{
    char *plain = evs_sink_plain(p->sink);
    const char *rest = strstr(plain, "://");
    const char *at = rest ? strchr(rest, '@') : NULL;
    char *url = evs_xprintf("jdbc:postgresql://%s", at ? at + 1 : rest ? rest + 3 : "");
    evs_jsonw_str(w, "connector.class", "io.debezium.connector.jdbc.JdbcSinkConnector");
    evs_jsonw_str(w, "connection.url", url);
    evs_jsonw_str(w, "connection.username", "${file:/path/to/secrets:username}");
    evs_jsonw_str(w, "connection.password", "${file:/path/to/secrets:password}");
    evs_jsonw_str(w, "table.name.format", p->target);
    evs_jsonw_str(w, "insert.mode", p->mode == EVS_VIEW_LATEST ? "upsert" : "insert");
    evs_jsonw_str(w, "delete.enabled", "false");
    evs_jsonw_str(w, "primary.key.mode", p->mode == EVS_VIEW_LATEST ? "record_key" : "kafka");
    evs_jsonw_str(w, "schema.evolution", "none");
    evs_jsonw_str(w, "use.reduction.buffer", "true");
    hoist(w, false);
    evs_free(plain);
    evs_free(url);
}

static void search(const struct evs_plan *p, struct evs_jsonw *w)
{
    char *plain = evs_sink_plain(p->sink);
    const char *url = strchr(plain, '+');
    evs_jsonw_str(w, "connector.class",
                  "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector");
    evs_jsonw_str(w, "connection.url", url ? url + 1 : plain);
    evs_free(plain);
    evs_jsonw_str(w, "key.ignore", p->mode == EVS_VIEW_LATEST ? "false" : "true");
    evs_jsonw_str(w, "schema.ignore", "true");
    evs_jsonw_str(w, "behavior.on.null.values", "delete");
    evs_jsonw_str(w, "write.method", "insert");
    hoist(w, true); /* a document is an object */
}

static bool other(const struct evs_plan *p, struct evs_jsonw *w)
{
    if (!strncmp(p->sink, "jsonl:", 6)) {
        evs_jsonw_str(w, "connector.class",
                      "org.apache.kafka.connect.file.FileStreamSinkConnector");
        evs_jsonw_str(w, "file", p->sink + 6);
    } else if (!strncmp(p->sink, "redis", 5)) {
        evs_jsonw_str(w, "connector.class", "com.redis.kafka.connect.RedisSinkConnector");
        char *plain = evs_sink_plain(p->sink);
        plain[strcspn(plain, "?")] = '\0';
        evs_jsonw_str(w, "redis.uri", plain);
        evs_free(plain);
        evs_jsonw_str(w, "redis.type", p->mode == EVS_VIEW_LOG ? "STREAM" : "STRING");
        evs_jsonw_str(w, "redis.key", p->target);
    } else {
        return false;
    }
    return true;
}

int evs_cli_replay_promote(struct evs_cli *cli, const struct evs_plan *p)
{
    struct evs_err err = EVS_ERR_INIT;
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(1 << 20);
    struct evs_jsonw w;
    bool columns = p->n_columns || p->mode == EVS_VIEW_COUNT || p->mode == EVS_VIEW_SUM;
    bool filter = evs_plan_terms(p) > 0;
    if (columns || filter) {
        evs_fail(&err, EVS_INVALID, "replay: a sink connector has no %s",
                 filter ? "such filter" : "columns by jq, no counts and no sums");
        evs_hint(&err, "Kafka Streams or ksqlDB into a topic first, then a connector from there");
        return evs_cli_fail(&err);
    }
    evs_jsonw_init(&w, &out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_str(&w, "name", p->id);
    evs_jsonw_obj(&w, "config");
    bool known = true;
    bool jdbc_sink = !strncmp(p->sink, "sqlite:", 7) || !strncmp(p->sink, "postgres", 8);
    if (!strncmp(p->sink, "sqlite:", 7))
        sqlite(p, &w);
    else if (!strncmp(p->sink, "postgres", 8))
        jdbc(p, &w);
    else if (strstr(p->sink, "search+"))
        search(p, &w);
    else
        known = other(p, &w);
    evs_jsonw_str(&w, "topics", p->topic);
    evs_jsonw_str(&w, "key.converter", "org.apache.kafka.connect.storage.StringConverter");
    evs_jsonw_str(&w, "value.converter", "org.apache.kafka.connect.storage.StringConverter");
    evs_jsonw_str(&w, "consumer.override.isolation.level",
                  p->isolation ? p->isolation : "read_committed");
    evs_jsonw_str(&w, "errors.tolerance", p->on_error == EVS_ON_ERROR_STOP ? "none" : "all");
    evs_jsonw_str(&w, "tasks.max", "2");
    evs_jsonw_end(&w);
    evs_jsonw_end(&w);
    if (!known) {
        evs_fail(&err, EVS_INVALID, "replay: no sink connector writes to a Kafka topic");
        evs_hint(&err, "MirrorMaker 2 copies topics between clusters");
        return evs_cli_fail(&err);
    }
    evs_out_json(&out);
    evs_cli_warn(cli, "a sink connector delivers at least once and knows no \"newer\" row");
    if (jdbc_sink && p->mode == EVS_VIEW_LATEST)
        evs_cli_warn(cli,
                     "this one deletes nothing: a tombstone becomes a row whose value is null");
    return EVS_EXIT_OK;
}
