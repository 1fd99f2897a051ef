/* trace.c - one entity's history, with the state after each event. */
#include <stdio.h>
#include <string.h>

#include "browse/envelope.h"
#include "browse/fold.h"
#include "browse/trace.h"
#include "cli/cli.h"
#include "cli/cmds.h"
#include "cli/out.h"
#include "cli/session.h"
#include "core/clock.h"
#include "core/jsonw.h"
#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "decode/kind.h"
#include "kafka/client.h"

enum { LINE_CAP = 512 << 20 };

struct tracing {
    struct evs_cli *cli;
    struct evs_trace_sn *sn;
    const struct evs_trace_opts *opts;
    struct evs_fold *fold; /* NULL without --state and --at */
    struct evs_json *before;
    int64_t at_ms; /* --at; INT64_MAX without */
    bool several;  /* partitions or lanes */
};

/* --- one step --------------------------------------------------------------------------------- */

static void put_changes(struct evs_jsonw *w, const struct evs_changes *c)
{
    evs_jsonw_arr(w, "diff");
    for (size_t i = 0; i < c->n; i++) {
        const struct evs_change *x = &c->list[i];
        evs_jsonw_obj(w, NULL);
        evs_jsonw_str(w, "op", evs_change_op_name(x->op));
        evs_jsonw_str(w, "path", x->path);
        if (x->before)
            evs_jsonw_raw(w, "before", x->before, strlen(x->before));
        if (x->after)
            evs_jsonw_raw(w, "after", x->after, strlen(x->after));
        evs_jsonw_end(w);
    }
    evs_jsonw_end(w);
}

static void put_state(struct evs_jsonw *w, const struct evs_json *state)
{
    if (!state) {
        evs_jsonw_null(w, "state");
        return;
    }
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(LINE_CAP);
    evs_json_print(state, &text);
    evs_jsonw_raw(w, "state", evs_buf_str(&text), text.len);
}

/* Folds the event in; changes and the reason why it could not be folded ("" fine). */
static void step(struct tracing *t, struct evs_event *ev, struct evs_changes *c,
                 struct evs_err *why)
{
    *why = (struct evs_err)EVS_ERR_INIT;
    evs_json_free(t->before);
    const struct evs_json *state = evs_fold_state(t->fold);
    t->before = state ? evs_json_dup(state) : NULL;
    if (evs_fold_step(t->fold, ev, why) == EVS_OK)
        why->msg[0] = '\0';
    evs_changes_of(t->before, evs_fold_state(t->fold), c);
}

static void put_json(struct tracing *t, size_t i, int64_t *last_ts)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(LINE_CAP);
    const struct evs_trace_event *e = &t->sn->events[i];
    struct evs_jsonw w;
    evs_jsonw_init(&w, &out);
    evs_jsonw_obj(&w, NULL);
    evs_envelope_members(&w, e->ev, false);
    evs_jsonw_i64(&w, "step", (int64_t)i + 1);
    char kind[96];
    evs_event_kind(e->ev, kind, sizeof(kind));
    evs_jsonw_str(&w, "event", kind[0] ? kind : NULL);
    if (t->opts->n_lanes > 1)
        evs_jsonw_i64(&w, "lane", e->lane);
    if (i && e->ev->ts_ms >= 0 && *last_ts >= 0)
        evs_jsonw_i64(&w, "since_last_ms", e->ev->ts_ms - *last_ts);
    else
        evs_jsonw_null(&w, "since_last_ms");
    *last_ts = e->ev->ts_ms;
    if (t->fold) {
        struct evs_changes c;
        struct evs_err why;
        step(t, e->ev, &c, &why);
        put_state(&w, evs_fold_state(t->fold));
        put_changes(&w, &c);
        if (why.msg[0])
            evs_jsonw_str(&w, "state_note", why.msg);
        evs_changes_done(&c);
    }
    evs_jsonw_end(&w);
    evs_out_json(&out);
}

static void put_row(struct tracing *t, struct evs_table *table, size_t i, int64_t *last_ts)
{
    const struct evs_trace_event *e = &t->sn->events[i];
    struct evs_event *ev = e->ev;
    char text[EVS_NUM_LEN], kind[96], word[64] = "";
    evs_table_cell(table, "%zu", i + 1);
    evs_table_cell_bytes(table, t->opts->n_lanes > 1 ? ev->topic : "",
                         t->opts->n_lanes > 1 ? strlen(ev->topic) : 0);
    if (t->several)
        evs_table_cell(table, "%d", ev->partition);
    else
        evs_table_cell(table, "%s", "");
    evs_table_cell(table, "%s", evs_num_commas(text, ev->offset));
    evs_table_cell(table, "%s",
                   ev->ts_ms < 0 ? "-" : evs_num_clock(text, ev->ts_ms, evs_clock_wall_ms()));
    int64_t gap = i && ev->ts_ms >= 0 && *last_ts >= 0 ? ev->ts_ms - *last_ts : -1;
    if (gap >= 0 && gap < 1000)
        evs_table_cell(table, "+%lld ms", (long long)gap);
    else
        evs_table_cell(table, "%s%s", gap < 0 ? "" : "+", gap < 0 ? "" : evs_num_ago(text, gap));
    *last_ts = ev->ts_ms;
    evs_event_kind(ev, kind, sizeof(kind));
    evs_table_cell(table, "%s", kind);
    evs_table_cell(table, "%s", ev->value ? evs_num_commas(text, (int64_t)ev->value_len) : "-");
    if (t->fold) {
        struct evs_changes c;
        struct evs_err why;
        step(t, ev, &c, &why);
        evs_changes_word(&c, evs_fold_state(t->fold), word, sizeof(word));
        evs_changes_done(&c);
        evs_table_cell(table, "%s", why.msg[0] ? why.msg : word);
    } else {
        evs_table_cell(table, "%s", "");
    }
}

/* --- before and after ------------------------------------------------------------------------- */

static void put_first_line(const struct tracing *t)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(65536);
    const struct evs_trace_sn *sn = t->sn;
    struct evs_jsonw w;
    evs_jsonw_init(&w, &out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_arr(&w, "candidates");
    for (int i = 0; i < sn->n_candidates; i++) {
        evs_jsonw_obj(&w, NULL);
        evs_jsonw_str(&w, "partitioner", sn->candidates[i].partitioner);
        evs_jsonw_i64(&w, "partition", sn->candidates[i].partition);
        evs_jsonw_bool(&w, "read", sn->candidates[i].read);
        evs_jsonw_end(&w);
    }
    evs_jsonw_end(&w);
    evs_jsonw_str(&w, "partitioner", sn->verdict);
    evs_jsonw_i64(&w, "partitions", sn->partitions);
    evs_jsonw_i64(&w, "sampled", sn->sampled);
    evs_jsonw_i64(&w, "events", (int64_t)sn->n);
    evs_jsonw_i64(&w, "read", sn->read);
    evs_jsonw_i64(&w, "left_out", sn->left_out);
    evs_jsonw_bool(&w, "complete", sn->complete);
    evs_jsonw_end(&w);
    evs_out_json(&out);
}

static void say_first_line(const struct tracing *t)
{
    const struct evs_trace_sn *sn = t->sn;
    EVS_AUTO(evs_buf) struct evs_buf key = EVS_BUF_INIT(4096);
    char number[EVS_NUM_LEN], events[EVS_NUM_LEN + 8], read[EVS_NUM_LEN];
    evs_text_fit(&key, t->opts->key, t->opts->key_len, 40, EVS_CUT_END);
    snprintf(events, sizeof(events), "%s event%s", evs_num_commas(number, (int64_t)sn->n),
             sn->n == 1 ? "" : "s");
    evs_num_commas(read, sn->read);
    if (!strcmp(sn->verdict, "given") || !strcmp(sn->verdict, "all"))
        evs_out_text("%s: %s; %s messages read on %s partitions.", evs_buf_str(&key), events,
                     read, sn->verdict[0] == 'g' ? "the given" : "all");
    else if (!strcmp(sn->verdict, "custom") || !strcmp(sn->verdict, "unknown"))
        evs_out_text(
            "%s: %s; the topic's keys %s, so the partitions of murmur2 and crc32 were "
            "read (%s messages); --all-partitions reads the others.",
            evs_buf_str(&key), events,
            sn->verdict[0] == 'c' ? "follow no known partitioner"
                                  : "are too few to tell the partitioner",
            read);
    else
        evs_out_text("%s hashes to p%d%s (%s); %s; only %s read: %s messages.",
                     evs_buf_str(&key), sn->candidates[0].partition,
                     sn->n_candidates > 1 ? " or another, as two partitioners write" : "",
                     sn->verdict, events, sn->n_candidates > 1 ? "these were" : "it was", read);
}

static void put_at(struct tracing *t)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(LINE_CAP);
    for (size_t i = 0; i < t->sn->n && t->sn->events[i].ev->ts_ms <= t->at_ms; i++) {
        if (evs_stop_raised(t->cli->stop))
            return; /* no state is better than that of another moment */
        struct evs_err why = EVS_ERR_INIT;
        if (evs_fold_step(t->fold, t->sn->events[i].ev, &why) && t->cli->verbose)
            evs_cli_warn(t->cli, "step %zu: %s", i + 1, why.msg);
    }
    const struct evs_json *state = evs_fold_state(t->fold);
    if (state)
        evs_json_print(state, &out);
    else
        evs_buf_adds(&out, "null");
    evs_out_json(&out);
}

/* How many steps are printed: -c stops after so many. */
static size_t wanted(const struct tracing *t)
{
    int64_t most = evs_opts_int(&t->cli->opts, "count");
    return most > 0 && (size_t)most < t->sn->n ? (size_t)most : t->sn->n;
}

static void put_all(struct tracing *t)
{
    int64_t last_ts = -1;
    if (t->at_ms != INT64_MAX) {
        put_at(t);
        return;
    }
    if (t->cli->json) {
        put_first_line(t);
        for (size_t i = 0; i < wanted(t) && !evs_out_gone() && !evs_stop_raised(t->cli->stop); i++)
            put_json(t, i, &last_ts);
        return;
    }
    static const char *const heads[] = {">#",     "TOPIC", ">P",    ">OFFSET", "TIME",
                                        ">AFTER", "EVENT", ">SIZE", "CHANGE",  NULL};
    say_first_line(t);
    if (!t->sn->n)
        return;
    struct evs_table *table = evs_table_new(heads);
    for (size_t i = 0; i < wanted(t) && !evs_stop_raised(t->cli->stop); i++)
        put_row(t, table, i, &last_ts);
    evs_table_print(table);
    evs_table_free(table);
}

/* --- options ---------------------------------------------------------------------------------- */

/* --with TOPIC or TOPIC,header:NAME; copies are in `texts`. */
static enum evs_rc read_lanes(const struct evs_cli *cli, struct evs_trace_opts *o, char **texts,
                              struct evs_err *err)
{
    const char *by = evs_opts_str(&cli->opts, "by"), *with;
    enum evs_rc rc = evs_trace_lane_first(cli->args[0], by, o, err);
    for (size_t i = 0; !rc && (with = evs_opts_nth(&cli->opts, "with", i)); i++) {
        char *copy = texts[i < EVS_TRACE_LANES ? i : EVS_TRACE_LANES] = evs_xstrdup(with);
        rc = evs_trace_lane_add(copy, by, o, err);
    }
    return rc;
}

static enum evs_rc make_fold(const struct evs_cli *cli, struct tracing *t, struct evs_err *err)
{
    const char *rule = evs_opts_str(&cli->opts, "fold"), *map = evs_opts_str(&cli->opts, "map");
    const char *at = evs_opts_str(&cli->opts, "at");
    t->at_ms = INT64_MAX;
    if (at && evs_num_time(at, evs_clock_wall_ms(), &t->at_ms, err))
        return evs_wrap(err, "--at");
    if (!at && !evs_opts_given(&cli->opts, "state") && !map && !evs_opts_given(&cli->opts, "fold"))
        return EVS_OK;
    enum evs_fold_rule kind = EVS_FOLD_LAST;
    while (!map && strcmp(evs_fold_rule_name(kind), rule))
        kind++;
    return evs_fold_new(map ? EVS_FOLD_MAP : kind, map, &t->fold, err);
}

/* --- run -------------------------------------------------------------------------------------- */

static void show_progress(const struct evs_trace_sn *sn)
{
    char read[EVS_NUM_LEN], span[EVS_NUM_LEN], rate[EVS_NUM_LEN];
    if (sn->state == EVS_TRACE_READING && sn->seconds > 0.3)
        evs_progress("trace  %s of %s  %s/s  %zu events", evs_num_commas(read, sn->passed),
                     evs_num_commas(span, sn->span),
                     evs_num_human(rate, (double)sn->read / sn->seconds), sn->n);
}

static struct evs_trace_sn *wait_done(struct evs_cli *cli, struct evs_trace *trace)
{
    struct evs_trace_sn *sn = NULL;
    for (;;) {
        struct evs_trace_sn *newer = evs_trace_take(trace, sn ? sn->snap.generation : 0);
        if (newer) {
            if (sn)
                evs_snap_unref(&sn->snap);
            sn = newer;
            show_progress(sn);
            if (sn->state >= EVS_TRACE_DONE)
                return sn;
        }
        if (evs_stop_wait(cli->stop, newer ? 0 : 20))
            evs_trace_stop(trace);
    }
}

static int finish(struct tracing *t)
{
    struct evs_err err = t->sn->err;
    if (t->sn->state == EVS_TRACE_FAILED)
        return evs_cli_fail(&err);
    if (t->sn->state == EVS_TRACE_STOPPED && !t->sn->span) {
        evs_cli_warn(t->cli, "stopped before anything was read");
        return EVS_EXIT_STOPPED;
    }
    put_all(t);
    if (evs_out_finish(&err))
        return evs_cli_fail(&err);
    if (t->sn->left_out)
        evs_cli_warn(t->cli, "%lld more events did not fit into memory; narrow the window",
                     (long long)t->sn->left_out);
    if (t->sn->err.msg[0])
        return evs_cli_fail(&t->sn->err);
    bool stopped = t->sn->state == EVS_TRACE_STOPPED || evs_stop_raised(t->cli->stop);
    if (stopped)
        evs_cli_warn(t->cli, "stopped: the history is incomplete");
    return t->sn->complete && !stopped ? EVS_EXIT_OK : EVS_EXIT_STOPPED;
}

static int trace(struct evs_cli *cli, struct evs_trace_opts *o, struct evs_client *client)
{
    struct evs_err err = EVS_ERR_INIT;
    struct tracing t = {.cli = cli, .opts = o};
    struct evs_trace *trace = NULL;
    if (make_fold(cli, &t, &err) || evs_trace_open(client, o, NULL, &trace, &err)) {
        evs_fold_free(t.fold);
        return evs_cli_fail(&err);
    }
    evs_progress_enable(!cli->quiet);
    t.sn = wait_done(cli, trace);
    evs_progress_clear();
    t.several = o->n_lanes > 1 || t.sn->found_on > 1;
    int code = finish(&t);
    evs_snap_unref(&t.sn->snap);
    evs_trace_free(trace);
    evs_fold_free(t.fold);
    evs_json_free(t.before);
    return code;
}

static int run(struct evs_cli *cli)
{
    struct evs_err err = EVS_ERR_INIT;
    EVS_AUTO(evs_buf) struct evs_buf key = EVS_BUF_INIT(1 << 20);
    struct evs_trace_opts o = {.all_partitions = evs_opts_given(&cli->opts, "all-partitions")};
    char *texts[EVS_TRACE_LANES + 1] = {NULL};
    struct evs_client *client = NULL;
    int code;
    if (evs_opts_given(&cli->opts, "follow")) {
        evs_fail(&err, EVS_INVALID, "trace: --follow is not possible, a history has an end");
        evs_hint(&err, "eventscope messages %s -k '=%s' --follow", cli->args[0], cli->args[1]);
        code = evs_cli_fail(&err);
    } else if (evs_session_key(cli->args[1], &key, &err) || read_lanes(cli, &o, texts, &err) ||
               evs_session_client(cli, &client, &err)) {
        code = evs_cli_fail(&err);
    } else {
        evs_session_where(cli, client, &o.where);
        o.key = evs_buf_str(&key);
        o.key_len = key.len;
        code = trace(cli, &o, client);
    }
    evs_client_free(client);
    for (size_t i = 0; i < EVS_COUNT(texts); i++)
        evs_free(texts[i]);
    return code;
}

static const struct evs_opt opts[] = {
    {0, "state", EVS_OPT_FLAG, NULL, NULL, "the folded state after each event and what it changed"},
    {0, "fold", EVS_OPT_CHOICE, "RULE", "last",
     "how: the last value, values as JSON merge patches, or none", "last|merge|none"},
    {0, "map", EVS_OPT_STR, "JQ", NULL,
     "how: a jq program over {state,event}; its result is the new state"},
    {0, "at", EVS_OPT_STR, "T", NULL, "only the state as it was at this time, as JSON"},
    {'a', "all-partitions", EVS_OPT_FLAG, NULL, NULL,
     "read all partitions, not only where the key hashes to"},
    {0, "by", EVS_OPT_STR, "HOW", "key",
     "what KEY is compared with: key, header:NAME or json:PATH"},
    {0, "with", EVS_OPT_STR, "TOPIC[,HOW]", NULL, "another topic as a lane beside it",
     .many = true},
    {0},
};

const struct evs_cmd evs_cmd_trace = {
    .name = "trace",
    .args = "TOPIC KEY",
    .summary = "one entity's whole history, with its state after each event",
    .about =
        "Reads the one partition that the key hashes to under the topic's partitioner, told from "
        "a small sample; with two partitioners both. KEY may be hex:6b6579. With --with, other "
        "topics are merged in by time, and each event says how long after the one before it came. "
        "A tombstone ends the state. jq calculates with doubles: with --map, whole numbers past "
        "2^53 are rounded.",
    .example = "eventscope trace shop.orders.placed User:5504 --state --fold merge\n"
               "eventscope trace shop.orders.placed ORD-88 --by json:.orderId "
               "--with shop.shipments.dispatched\n"
               "eventscope trace shop.orders.placed User:5504 --at '2026-11-21 14:00'",
    .opts = opts,
    .groups = EVS_CMD_CLUSTER | EVS_CMD_TOPIC | EVS_CMD_READ,
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
