/* topics.c - eventscope topics, eventscope partitions. */
#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "browse/topics.h"
#include "cli/cmds.h"
#include "cli/out.h"
#include "cli/session.h"
#include "core/jsonw.h"
#include "core/num.h"
#include "kafka/client.h"

enum { JSON_CAP = 1 << 30, RATE_MS = 1000 };

static const struct evs_opt opts[] = {
    {'a', "all", EVS_OPT_FLAG, NULL, NULL, "internal topics too"},
    {0, "rate", EVS_OPT_MAYBE, "DURATION", NULL,
     "look twice, this far apart (1s), to tell the rates"},
    {0, "times", EVS_OPT_FLAG, NULL, NULL, "read the time of each topic's newest record"},
    {0, "watch", EVS_OPT_MAYBE_NEXT, "DURATION", NULL,
     "again and again, one line of JSON or one table a tick (2s)"},
    {0},
};

static bool wanted(const struct evs_cli *cli, const struct evs_topic_row *row)
{
    if (cli->n_args == 0)
        return !row->internal || evs_opts_given(&cli->opts, "all");
    for (int i = 0; i < cli->n_args; i++)
        if (fnmatch(cli->args[i], row->name, 0) == 0)
            return true;
    return false;
}

static void json_brokers(struct evs_jsonw *w, const struct evs_topics_sn *sn)
{
    evs_jsonw_obj(w, "cluster");
    evs_jsonw_str(w, "id", sn->cluster_id);
    evs_jsonw_arr(w, "brokers");
    for (int i = 0; i < sn->n_brokers; i++) {
        evs_jsonw_obj(w, NULL);
        evs_jsonw_i64(w, "id", sn->brokers[i].id);
        evs_jsonw_str(w, "host", sn->brokers[i].host);
        evs_jsonw_i64(w, "port", sn->brokers[i].port);
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
    if (sn->controller >= 0)
        evs_jsonw_i64(w, "controller", sn->controller);
    else
        evs_jsonw_null(w, "controller");
    evs_jsonw_end(w);
}

static void json_count(struct evs_jsonw *w, const char *name, int64_t v)
{
    if (v >= 0)
        evs_jsonw_i64(w, name, v);
    else
        evs_jsonw_null(w, name);
}

static void json_row(struct evs_jsonw *w, const struct evs_topic_row *row)
{
    evs_jsonw_obj(w, NULL);
    evs_jsonw_str(w, "name", row->name);
    evs_jsonw_i64(w, "partitions", row->partitions);
    evs_jsonw_i64(w, "replicas", row->replicas);
    json_count(w, "messages", row->messages);
    evs_jsonw_bool(w, "internal", row->internal);
    evs_jsonw_double(w, "rate", row->rate);
    evs_jsonw_obj(w, "skew");
    evs_jsonw_double(w, "max_over_mean", row->max_over_mean);
    evs_jsonw_end(w);
    evs_jsonw_str(w, "cleanup_policy", row->cleanup_policy);
    evs_jsonw_i64(w, "under_replicated", row->under_replicated);
    json_count(w, "last_ts", row->last_ts_ms);
    evs_jsonw_str(w, "status", evs_topic_status_name(row->status));
    evs_jsonw_str(w, "status_reason", row->reason[0] ? row->reason : NULL);
    evs_jsonw_str(w, "error", row->error);
    evs_jsonw_end(w);
}

static void print_json(const struct evs_cli *cli, const struct evs_topics_sn *sn)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(JSON_CAP);
    struct evs_jsonw w;
    bool complete = true;
    evs_jsonw_init(&w, &out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_i64(&w, "at", sn->at_ms);
    json_brokers(&w, sn);
    evs_jsonw_arr(&w, "topics");
    for (int i = 0; i < sn->n; i++)
        if (wanted(cli, &sn->rows[i])) {
            json_row(&w, &sn->rows[i]);
            complete = complete && sn->rows[i].messages >= 0;
        }
    evs_jsonw_end(&w);
    evs_jsonw_bool(&w, "complete", complete);
    evs_jsonw_end(&w);
    evs_out_json(&out);
}

static void cell_number(struct evs_table *t, int64_t v)
{
    char text[EVS_NUM_LEN];
    evs_table_cell(t, "%s", v < 0 ? "-" : evs_num_commas(text, v));
}

static void print_text(const struct evs_cli *cli, const struct evs_topics_sn *sn)
{
    static const char *const heads[] = {"NAME",  ">PART",   ">REPL",   ">MSGS<=", ">RATE/s",
                                        ">SKEW", ">NEWEST", "CLEANUP", "STATE",   NULL};
    struct evs_table *t = evs_table_new(heads);
    int hidden = 0, shown = 0;
    for (int i = 0; i < sn->n; i++) {
        const struct evs_topic_row *row = &sn->rows[i];
        char text[EVS_NUM_LEN];
        if (!wanted(cli, row)) {
            hidden += row->internal;
            continue;
        }
        shown++;
        evs_table_cell_bytes(t, row->name, strlen(row->name));
        evs_table_cell(t, "%d", row->partitions);
        evs_table_cell(t, "%d", row->replicas);
        cell_number(t, row->messages);
        evs_table_cell(t, "%s", isnan(row->rate) ? "" : evs_num_human(text, row->rate));
        if (isnan(row->max_over_mean))
            evs_table_cell(t, "-");
        else
            evs_table_cell(t, "%.2f", row->max_over_mean);
        evs_table_cell(t, "%s",
                       row->last_ts_ms < 0 ? "" : evs_num_ago(text, sn->at_ms - row->last_ts_ms));
        evs_table_cell(t, "%s", row->cleanup_policy ? row->cleanup_policy : "");
        evs_table_cell(t, "%s%s%s", evs_topic_status_name(row->status), row->reason[0] ? ": " : "",
                       row->reason);
    }
    if (shown)
        evs_table_print(t);
    else if (cli->n_args)
        evs_out_text("no topic has such a name (%d topics)", sn->n);
    else
        evs_out_text("no topics visible%s", hidden ? "; --all shows internal ones" : "");
    evs_table_free(t);
}

struct ticking {
    struct evs_topics *topics;
    int64_t wait_ms; /* between polls */
    bool watch, times;
    int silent; /* polls whose result is not shown */
};

static enum evs_rc tick_all(struct evs_cli *cli, struct ticking *tk, bool *ret_complete,
                            struct evs_err *err)
{
    for (;;) {
        struct evs_topics_sn *sn = NULL;
        enum evs_rc rc = evs_topics_poll(tk->topics, NULL, &sn, err);
        if (!rc && tk->times && tk->silent <= 0)
            rc = evs_topics_times(tk->topics, sn, false, err);
        if (rc) {
            if (sn)
                evs_snap_unref(&sn->snap);
            return rc == EVS_AGAIN && tk->watch ? EVS_OK : rc;
        }
        if (tk->silent-- <= 0) {
            cli->json ? print_json(cli, sn) : print_text(cli, sn);
            *ret_complete = sn->complete;
            tk->silent = tk->watch ? 0 : -1;
        }
        evs_snap_unref(&sn->snap);
        if ((tk->silent < 0 && !tk->watch) || evs_out_gone() ||
            evs_stop_wait(cli->stop, tk->wait_ms))
            return EVS_OK;
        if (tk->watch && !cli->json)
            evs_out_text("%s", "");
    }
}

static enum evs_rc interval(const struct evs_cli *cli, const char *name, int64_t def_ms,
                            int64_t *ret_ms, struct evs_err *err)
{
    const char *text = evs_opts_str(&cli->opts, name);
    *ret_ms = def_ms;
    if (!text || !text[0])
        return EVS_OK;
    enum evs_rc rc = evs_num_duration(text, ret_ms, err);
    return rc ? evs_wrap(err, "--%s", name) : EVS_OK;
}

static int run(struct evs_cli *cli)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_client *c = NULL;
    struct ticking tk = {.watch = evs_opts_given(&cli->opts, "watch"),
                         .silent = evs_opts_given(&cli->opts, "rate"),
                         .times = evs_opts_given(&cli->opts, "times")};
    bool complete = true;
    enum evs_rc rc = interval(cli, tk.watch ? "watch" : "rate", tk.watch ? 2 * RATE_MS : RATE_MS,
                              &tk.wait_ms, &err);
    if (!rc)
        rc = evs_session_client(cli, &c, &err);
    if (!rc) {
        tk.topics = evs_topics_new(c);
        rc = tick_all(cli, &tk, &complete, &err);
    }
    evs_topics_free(tk.topics);
    evs_client_free(c);
    if (!rc)
        rc = evs_out_finish(&err);
    return rc ? evs_cli_fail(&err) : EVS_EXIT_OK;
}

const struct evs_cmd evs_cmd_topics = {
    .name = "topics",
    .args = "[GLOB...]",
    .summary = "topics with partitions, messages, rate, skew",
    .about = "MSGS<= is high minus low watermark: an upper bound on compacted and transactional "
             "topics. Rates need two looks: --rate or --watch.",
    .example =
        "  eventscope topics 'shop.*' --rate\n  eventscope topics --json | jq '.topics[].name'",
    .opts = opts,
    .groups = EVS_CMD_CLUSTER,
    .min_args = 0,
    .max_args = -1,
    .run = run,
};
