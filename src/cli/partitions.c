/* partitions.c - eventscope partitions: one topic, partition by partition. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "browse/partitions.h"
#include "cli/cmds.h"
#include "cli/out.h"
#include "cli/session.h"
#include "core/clock.h"
#include "core/jsonw.h"
#include "core/num.h"
#include "kafka/client.h"

enum { JSON_CAP = 256 << 20, RATE_MS = 1000 };

static const struct evs_opt opts[] = {
    {0, "rate", EVS_OPT_MAYBE, "DURATION", NULL,
     "look twice, this far apart (1s), to tell the rates"},
    {0, "no-times", EVS_OPT_FLAG, NULL, NULL, "do not read the first and last records' times"},
    {0},
};

static void json_known(struct evs_jsonw *w, const char *name, int64_t v)
{
    if (v >= 0)
        evs_jsonw_i64(w, name, v);
    else
        evs_jsonw_null(w, name);
}

static void json_ids(struct evs_jsonw *w, const char *name, const int32_t *ids, int n)
{
    evs_jsonw_arr(w, name);
    for (int i = 0; i < n; i++)
        evs_jsonw_i64(w, NULL, ids[i]);
    evs_jsonw_end(w);
}

static void json_row(struct evs_jsonw *w, const struct evs_partition_row *row)
{
    evs_jsonw_obj(w, NULL);
    evs_jsonw_i64(w, "partition", row->partition);
    json_known(w, "leader", row->leader);
    json_ids(w, "replicas", row->replicas, row->n_replicas);
    json_ids(w, "isr", row->isr, row->n_isr);
    json_known(w, "low", row->low);
    json_known(w, "high", row->high);
    json_known(w, "lso", row->lso);
    json_known(w, "messages", row->messages);
    evs_jsonw_double(w, "share", row->share);
    evs_jsonw_double(w, "rate", row->rate);
    json_known(w, "first_ts", row->first_ts_ms);
    json_known(w, "last_ts", row->last_ts_ms);
    json_known(w, "open_txn_since_ts", row->open_txn_since_ms);
    evs_jsonw_str(w, "status", evs_partition_status_name(row->status));
    evs_jsonw_str(w, "error", row->error);
    evs_jsonw_end(w);
}

static void json_skew(struct evs_jsonw *w, const struct evs_partitions_sn *sn)
{
    evs_jsonw_obj(w, "skew");
    evs_jsonw_double(w, "max_over_mean", sn->skew_known ? sn->skew.max_over_mean : NAN);
    evs_jsonw_double(w, "cv", sn->skew_known ? sn->skew.cv : NAN);
    evs_jsonw_double(w, "gini", sn->skew_known ? sn->skew.gini : NAN);
    evs_jsonw_double(w, "entropy", sn->skew_known ? sn->skew.entropy : NAN);
    evs_jsonw_double(w, "effective_partitions", sn->skew_known ? sn->skew.effective : NAN);
    evs_jsonw_end(w);
}

static void print_json(const struct evs_partitions_sn *sn)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(JSON_CAP);
    struct evs_jsonw w;
    evs_jsonw_init(&w, &out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_str(&w, "topic", sn->topic);
    evs_jsonw_str(&w, "cleanup_policy", sn->cleanup_policy);
    evs_jsonw_arr(&w, "partitions");
    for (int i = 0; i < sn->n; i++)
        json_row(&w, &sn->rows[i]);
    evs_jsonw_end(&w);
    json_skew(&w, sn);
    evs_jsonw_bool(&w, "complete", sn->complete);
    evs_jsonw_end(&w);
    evs_out_json(&out);
}

static void cell_count(struct evs_table *t, int64_t v)
{
    char text[EVS_NUM_LEN];
    evs_table_cell(t, "%s", v < 0 ? "-" : evs_num_commas(text, v));
}

static void cell_age(struct evs_table *t, int64_t now_ms, int64_t ts_ms)
{
    char text[EVS_NUM_LEN];
    evs_table_cell(t, "%s", ts_ms < 0 ? "-" : evs_num_ago(text, now_ms - ts_ms));
}

static void cell_ids(struct evs_table *t, const int32_t *ids, int n)
{
    char text[256] = "";
    size_t len = 0;
    for (int i = 0; i < n && len + 16 < sizeof(text); i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d", i ? " " : "", ids[i]);
    evs_table_cell(t, "%s", text);
}

static void cell_lso(struct evs_table *t, const struct evs_partition_row *row)
{
    char text[EVS_NUM_LEN];
    if (row->lso < 0)
        evs_table_cell(t, "-");
    else if (row->lso >= row->high)
        evs_table_cell(t, "=");
    else
        evs_table_cell(t, "-%s", evs_num_commas(text, row->high - row->lso));
}

static void print_text(const struct evs_partitions_sn *sn)
{
    static const char *const heads[] = {">P",      ">LEAD",   "REPLICAS", "ISR",    ">LOW",
                                        ">HIGH",   ">LSO",    ">MSGS<=",  ">SHARE", ">RATE/s",
                                        ">OLDEST", ">NEWEST", "STATE",    NULL};
    struct evs_table *t = evs_table_new(heads);
    int64_t now_ms = evs_clock_wall_ms();
    char text[EVS_NUM_LEN];
    for (int i = 0; i < sn->n; i++) {
        const struct evs_partition_row *row = &sn->rows[i];
        evs_table_cell(t, "%d", row->partition);
        evs_table_cell(t, row->leader < 0 ? "-" : "%d", row->leader);
        cell_ids(t, row->replicas, row->n_replicas);
        cell_ids(t, row->isr, row->n_isr);
        cell_count(t, row->low);
        cell_count(t, row->high);
        cell_lso(t, row);
        cell_count(t, row->messages);
        evs_table_cell(t, "%s", isnan(row->share) ? "-" : evs_num_share(text, row->share));
        evs_table_cell(t, "%s", isnan(row->rate) ? "" : evs_num_human(text, row->rate));
        cell_age(t, now_ms, row->first_ts_ms);
        cell_age(t, now_ms, row->last_ts_ms);
        evs_table_cell(t, "%s%s%s", evs_partition_status_name(row->status), row->error ? ": " : "",
                       row->error ? row->error : "");
    }
    evs_table_print(t);
    evs_table_free(t);
    if (sn->skew_known && sn->n > 1)
        evs_out_text("the fullest holds %s its fair share; MSGS<= is high - low%s",
                     evs_num_ratio(text, sn->skew.max_over_mean),
                     sn->cleanup_policy && strstr(sn->cleanup_policy, "compact")
                         ? ", and this topic is compacted"
                         : "");
}

static enum evs_rc look(struct evs_cli *cli, struct evs_partitions *t,
                        struct evs_partitions_sn **ret_sn, struct evs_err *err)
{
    bool times = !evs_opts_given(&cli->opts, "no-times");
    if (evs_opts_given(&cli->opts, "rate")) {
        int64_t wait_ms = RATE_MS;
        const char *text = evs_opts_str(&cli->opts, "rate");
        struct evs_partitions_sn *first = NULL;
        if (text[0] && evs_num_duration(text, &wait_ms, err))
            return evs_wrap(err, "--rate");
        enum evs_rc rc = evs_partitions_poll(t, false, NULL, &first, err);
        if (rc)
            return rc;
        evs_snap_unref(&first->snap);
        (void)evs_stop_wait(cli->stop, wait_ms);
    }
    return evs_partitions_poll(t, times, NULL, ret_sn, err);
}

static int run(struct evs_cli *cli)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_client *c = NULL;
    struct evs_partitions *t = NULL;
    struct evs_partitions_sn *sn = NULL;
    enum evs_rc rc = evs_session_client(cli, &c, &err);
    if (!rc) {
        t = evs_partitions_new(c, cli->args[0]);
        rc = look(cli, t, &sn, &err);
    }
    if (!rc) {
        cli->json ? print_json(sn) : print_text(sn);
        rc = evs_out_finish(&err);
        evs_snap_unref(&sn->snap);
    }
    evs_partitions_free(t);
    evs_client_free(c);
    return rc ? evs_cli_fail(&err) : EVS_EXIT_OK;
}

const struct evs_cmd evs_cmd_partitions = {
    .name = "partitions",
    .args = "TOPIC",
    .summary = "per partition: leader, replicas, watermarks, messages, share, time span",
    .about = "MSGS<= is high minus low watermark: an upper bound on compacted and transactional "
             "topics. LSO is = at the high watermark, else how many offsets wait behind an open "
             "transaction. The rate needs two looks: --rate.",
    .example = "  eventscope partitions shop.orders\n"
               "  eventscope partitions shop.orders --json | jq '.partitions[].high'",
    .opts = opts,
    .groups = EVS_CMD_CLUSTER | EVS_CMD_TOPIC,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
