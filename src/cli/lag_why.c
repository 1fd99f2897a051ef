/* lag_why.c - eventscope lag --why: the seven suspects of one partition's lag. */
#include <string.h>

#include "browse/envelope.h"
#include "cli/lag_out.h"
#include "cli/out.h"
#include "cli/session.h"
#include "core/jsonw.h"
#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "lag/survey.h"
#include "lag/why.h"

enum { JSON_CAP = 64 << 20, READINGS = 3, READING_MS = 1000 };

static void json_head(struct evs_jsonw *w, const struct evs_why *y)
{
    evs_jsonw_i64(w, "at", y->at_ms);
    evs_jsonw_str(w, "group", y->group);
    evs_jsonw_str(w, "topic", y->topic);
    evs_jsonw_i64(w, "partition", y->partition);
    if (y->row.f.lag >= 0)
        evs_jsonw_i64(w, "lag", y->row.f.lag);
    else
        evs_jsonw_null(w, "lag");
    evs_jsonw_str(w, "status", evs_lag_status_name(y->row.verdict.status));
    evs_jsonw_str(w, "rule", evs_lag_rule_text(y->row.verdict.rule));
    evs_jsonw_str(w, "verdict", y->verdict);
}

static void json_suspects(struct evs_jsonw *w, const struct evs_why *y)
{
    evs_jsonw_arr(w, "suspects");
    for (int i = 0; i < EVS_SUSPECT_N; i++) {
        const struct evs_suspect *s = &y->suspects[i];
        evs_jsonw_obj(w, NULL);
        evs_jsonw_str(w, "kind", evs_suspect_name((enum evs_suspect_kind)i));
        if (s->found == EVS_UNKNOWN)
            evs_jsonw_null(w, "found");
        else
            evs_jsonw_bool(w, "found", s->found == EVS_FOUND);
        evs_jsonw_str(w, "text", s->text);
        evs_jsonw_str(w, "evidence", s->evidence);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
}

static void json_keys(struct evs_jsonw *w, const struct evs_why *y)
{
    evs_jsonw_arr(w, "hot_keys");
    for (size_t i = 0; i < y->n_keys; i++) {
        const struct evs_why_key *k = &y->keys[i];
        evs_jsonw_obj(w, NULL);
        evs_jsonw_bytes(w, "key", k->key, k->len < sizeof(k->key) ? k->len : sizeof(k->key));
        evs_jsonw_bool(w, "cut", k->len > sizeof(k->key));
        evs_jsonw_i64(w, "count", (int64_t)k->count);
        evs_jsonw_i64(w, "error", (int64_t)k->error);
        evs_jsonw_double(w, "share", (double)k->count / (double)y->read);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
}

static void print_json(const struct evs_why *y)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(JSON_CAP);
    struct evs_jsonw w;
    evs_jsonw_init(&w, &out);
    evs_jsonw_obj(&w, NULL);
    json_head(&w, y);
    json_suspects(&w, y);
    if (y->record) {
        evs_jsonw_obj(&w, "record");
        evs_envelope_members(&w, y->record, false);
        evs_jsonw_str(&w, "broken", y->record_why[0] ? y->record_why : NULL);
        evs_jsonw_end(&w);
    } else {
        evs_jsonw_null(&w, "record");
    }
    json_keys(&w, y);
    evs_jsonw_obj(&w, "window");
    evs_jsonw_i64(&w, "from", y->from);
    evs_jsonw_i64(&w, "to", y->to);
    evs_jsonw_i64(&w, "messages", y->read);
    evs_jsonw_i64(&w, "bytes", y->bytes);
    evs_jsonw_bool(&w, "complete", y->whole);
    evs_jsonw_double(&w, "seconds", y->seconds);
    evs_jsonw_end(&w);
    evs_jsonw_end(&w);
    evs_out_json(&out);
}

static void print_text(const struct evs_why *y)
{
    static const char *const heads[] = {"", "SUSPECT", "FINDING", "EVIDENCE", NULL};
    static const char *const words[] = {"cleared", "unknown", "FOUND"};
    EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT(4096);
    char lag[EVS_NUM_LEN];
    evs_text_escape(&name, y->group, strlen(y->group));
    evs_out_text("%s, %s p%d: lag %s, %s", evs_buf_str(&name), y->topic, (int)y->partition,
                 y->row.f.lag < 0 ? "unknown" : evs_num_commas(lag, y->row.f.lag),
                 evs_lag_status_word(y->row.verdict.status));
    evs_out_text("%s\n", y->verdict);
    struct evs_table *t = evs_table_new(heads);
    for (int i = 0; i < EVS_SUSPECT_N; i++) {
        evs_table_cell(t, "%s", words[y->suspects[i].found]);
        evs_table_cell(t, "%s", evs_suspect_title((enum evs_suspect_kind)i));
        evs_table_cell(t, "%s", y->suspects[i].text);
        evs_table_cell(t, "%s", y->suspects[i].evidence);
    }
    evs_table_print(t);
    evs_table_free(t);
}

/* TOPIC:PARTITION; a topic's name holds no colon. */
static enum evs_rc parse(const char *text, char **ret_topic, int32_t *ret_partition,
                         struct evs_err *err)
{
    const char *colon = strrchr(text, ':');
    int64_t p;
    if (!colon || colon == text)
        return evs_fail(err, EVS_INVALID, "'%s': not TOPIC:PARTITION", text);
    enum evs_rc rc = evs_num_i64(colon + 1, 0, INT32_MAX, &p, err);
    if (rc)
        return evs_wrap(err, "'%s'", text);
    *ret_topic = evs_xstrndup(text, (size_t)(colon - text));
    *ret_partition = (int32_t)p;
    return EVS_OK;
}

/* A trend needs readings. */
static enum evs_rc look(struct evs_cli *cli, struct evs_survey *s, struct evs_lag_sn **ret_sn,
                        struct evs_err *err)
{
    for (int i = 0; i < READINGS; i++) {
        struct evs_lag_sn *sn = NULL;
        enum evs_rc rc = evs_survey_refresh(s, false, cli->stop, &sn, err);
        if (rc)
            return rc;
        if (*ret_sn)
            evs_snap_unref(&(*ret_sn)->snap);
        *ret_sn = sn;
        if (i + 1 < READINGS && evs_stop_wait(cli->stop, READING_MS))
            return evs_fail(err, EVS_AGAIN, "stopped");
    }
    return EVS_OK;
}

/* The partition asked for; without one, that which the Groups screen would open. */
static const struct evs_lag_row *pick(const struct evs_lag_group_row *g, const char *topic,
                                      int32_t partition)
{
    if (!g)
        return NULL;
    return topic ? evs_lag_find_row(g, topic, partition) : evs_lag_main_row(g);
}

static enum evs_rc explain(struct evs_cli *cli, struct evs_client *c, const struct evs_lag_sn *sn,
                           const char *group, const char *topic, int32_t partition,
                           struct evs_err *err)
{
    const struct evs_lag_group_row *g = evs_lag_find(sn, group);
    const struct evs_lag_row *row = pick(g, topic, partition);
    if (!row && !topic)
        return evs_fail(err, EVS_FATAL, "group %s: no such group, or nothing committed", group);
    if (!row) {
        evs_fail(err, EVS_FATAL, "group %s has nothing to do with partition %d of topic %s", group,
                 (int)partition, topic);
        return evs_hint(err, "eventscope lag --group NAME shows its partitions");
    }
    struct evs_why *y = NULL;
    enum evs_rc rc = evs_lag_why(c, sn, g, row, cli->stop, &y, err);
    if (rc)
        return rc;
    cli->json ? print_json(y) : print_text(y);
    evs_snap_unref(&y->snap);
    return EVS_OK;
}

enum evs_rc evs_lag_explain(struct evs_cli *cli, struct evs_client *c, const char *group,
                            struct evs_err *err)
{
    struct evs_survey_opts o = {
        .names = &group,
        .n_names = 1,
        .watch = false,
        .ages = true,
        .stable = !strcmp(evs_opts_str(&cli->opts, "isolation"), "read_committed"),
        .source = EVS_SOURCE_ADMIN};
    struct evs_survey *s = NULL;
    struct evs_lag_sn *sn = NULL;
    char *topic = NULL;
    int32_t partition = -1;
    enum evs_rc rc = cli->n_args ? parse(cli->args[0], &topic, &partition, err) : EVS_OK;
    if (!rc)
        rc = evs_survey_new(c, &o, &s, err);
    if (!rc)
        rc = look(cli, s, &sn, err);
    if (!rc)
        rc = explain(cli, c, sn, group, topic, partition, err);
    if (sn)
        evs_snap_unref(&sn->snap);
    evs_survey_free(s);
    evs_free(topic);
    return rc;
}
