/* replay_promote.c - eventscope replay --promote connect: the sink connector that does the same. */
#include <string.h>

#include "cli/out.h"
#include "cli/replay.h"
#include "core/jsonw.h"
#include "core/xalloc.h"
#include "sinks/sink.h"

static void jdbc(const struct evs_plan *p, struct evs_jsonw *w)
{
    const char *rest = strstr(p->sink, "://");
    const char *at = rest ? strchr(rest, '@') : NULL;
    char *url = !strncmp(p->sink, "sqlite:", 7)
                    ? evs_xprintf("jdbc:%s", p->sink)
                    : evs_xprintf("jdbc:postgresql://%s", at     ? at + 1
                                                          : rest ? rest + 3
                                                                 : "");
    evs_jsonw_str(w, "connector.class", "io.debezium.connector.jdbc.JdbcSinkConnector");
    evs_jsonw_str(w, "connection.url", url);
    evs_jsonw_str(w, "connection.username", "${file:/path/to/secrets:username}");
    evs_jsonw_str(w, "connection.password", "${file:/path/to/secrets:password}");
    evs_jsonw_str(w, "table.name.format", p->target);
    evs_jsonw_str(w, "insert.mode", p->mode == EVS_VIEW_LATEST ? "upsert" : "insert");
    evs_jsonw_str(w, "delete.enabled", p->mode == EVS_VIEW_LATEST ? "true" : "false");
    evs_jsonw_str(w, "primary.key.mode", p->mode == EVS_VIEW_LATEST ? "record_key" : "kafka");
    evs_jsonw_str(w, "schema.evolution", "none");
    evs_jsonw_str(w, "use.reduction.buffer", "true");
    evs_jsonw_str(w, "transforms", "key,value");
    evs_jsonw_str(w, "transforms.key.type", "org.apache.kafka.connect.transforms.HoistField$Key");
    evs_jsonw_str(w, "transforms.key.field", "key");
    evs_jsonw_str(w, "transforms.value.type",
                  "org.apache.kafka.connect.transforms.HoistField$Value");
    evs_jsonw_str(w, "transforms.value.field", "value");
    evs_free(url);
}

static void search(const struct evs_plan *p, struct evs_jsonw *w)
{
    const char *url = strchr(p->sink, '+');
    evs_jsonw_str(w, "connector.class",
                  "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector");
    evs_jsonw_str(w, "connection.url", url ? url + 1 : p->sink);
    evs_jsonw_str(w, "key.ignore", p->mode == EVS_VIEW_LATEST ? "false" : "true");
    evs_jsonw_str(w, "schema.ignore", "true");
    evs_jsonw_str(w, "behavior.on.null.values", "delete");
    evs_jsonw_str(w, "write.method", "insert");
}

static bool other(const struct evs_plan *p, struct evs_jsonw *w)
{
    if (!strncmp(p->sink, "jsonl:", 6)) {
        evs_jsonw_str(w, "connector.class",
                      "org.apache.kafka.connect.file.FileStreamSinkConnector");
        evs_jsonw_str(w, "file", p->sink + 6);
    } else if (!strncmp(p->sink, "redis", 5)) {
        evs_jsonw_str(w, "connector.class", "com.redis.kafka.connect.RedisSinkConnector");
        evs_jsonw_str(w, "redis.uri", p->sink);
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
    if (!strncmp(p->sink, "sqlite:", 7) || !strncmp(p->sink, "postgres", 8))
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
    return EVS_EXIT_OK;
}
