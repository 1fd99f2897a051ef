/* keys.c - eventscope keys: key distribution, hotspots, diagnosis, what-if. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cmds.h"
#include "cli/keys_text.h"
#include "cli/out.h"
#include "cli/session.h"
#include "core/attr.h"
#include "core/call.h"
#include "core/clock.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "filter/filter.h"
#include "kafka/client.h"
#include "kafka/range.h"
#include "keys/fields.h"
#include "keys/print.h"
#include "keys/scan.h"
#include "keys/slices.h"
#include "keys/windows.h"

enum {
    JSON_CAP = 256 << 20,
    TEXT_CAP = 1 << 20,
    WAIT_MS = 15,
    WATCH_MS = 2000,
    HEAT_COLUMNS = 108
};

static const struct evs_opt opts[] = {
    {'n', "top", EVS_OPT_INT, "N", "20", "how many hot keys", .min = 1, .max = 1000000},
    {0, "memory", EVS_OPT_SIZE, "SIZE", "256M",
     "for key tables and analysis; past it counts are bounded, not exact"},
    {0, "what-if", EVS_OPT_STR, "STRATEGY", NULL,
     "also partitions:N, partitioner:NAME, shards:N[:random|:KEYS], shards-all:N, "
     "composite:minute|hour|day",
     .many = true},
    {0, "sample", EVS_OPT_MAYBE, "FRACTION|COUNT", NULL,
     "read only evenly spread windows of every partition (400,000 records): seconds for any topic, "
     "an interval for every share"},
    {0, "heat", EVS_OPT_MAYBE, "COLUMNS", NULL,
     "only the heat map of time by partition, from offsets alone: no message is read (108 "
     "columns)"},
    {0, "window", EVS_OPT_DURATION, "DURATION", NULL,
     "beside the whole, what is younger than this (10m; with --follow)", .min = 1},
    {0, "fields", EVS_OPT_FLAG, NULL, NULL,
     "judge the fields of JSON values as keys: which one should it be?"},
    {0, "target", EVS_OPT_NUMBER, "RATIO", "1.25", "max/mean that a change should reach"},
    {0, "watch", EVS_OPT_MAYBE_NEXT, "DURATION", NULL,
     "with --follow: time between outputs (2s); without: outputs while reading"},
    {0},
};

struct run {
    struct evs_cli *cli;
    struct evs_client *client;
    struct evs_ranges *ranges;
    struct evs_filter *filter;
    struct evs_wake wake; /* a snapshot is there */
    struct evs_slot *slot;
    struct evs_scan *scan;
    const char **what_if;
    size_t n_what_if, top;
    double sample; /* fraction; 0: all */
    bool each;     /* print every snapshot */
};

/* --- printing --- */

static void print_sn(const struct run *r, const struct evs_scan_sn *sn)
{
    evs_progress_clear();
    if (!r->cli->json) {
        evs_keys_text(sn, r->top);
        return;
    }
    struct evs_buf json = EVS_BUF_INIT(JSON_CAP);
    evs_scan_json(&json, sn, r->top);
    evs_out_json(&json);
    evs_buf_done(&json);
}

/* --- running --- */

static enum evs_rc check_what_if(struct run *r, struct evs_err *err)
{
    const char *s;
    for (size_t i = 0; (s = evs_opts_nth(&r->cli->opts, "what-if", i)) != NULL; i++) {
        enum evs_rc rc = evs_whatif_check(s, err);
        if (rc)
            return rc;
        r->what_if = evs_xgrow(r->what_if, i + 1, sizeof(*r->what_if));
        r->what_if[i] = s;
        r->n_what_if = i + 1;
    }
    return EVS_OK;
}

static enum evs_rc sample_of(struct run *r, struct evs_err *err)
{
    const struct evs_opts *o = &r->cli->opts;
    if (evs_opts_given(o, "follow"))
        return evs_fail(err, EVS_INVALID, "--sample reads what is there: not with --follow");
    if (evs_opts_given(o, "count"))
        return evs_fail(err, EVS_INVALID, "--sample=N says how many records: not with --count");
    return evs_windows_fraction(evs_opts_str(o, "sample"), evs_ranges_span(r->ranges), &r->sample,
                                err);
}

static enum evs_rc prepare(struct run *r, struct evs_err *err)
{
    struct evs_cli *cli = r->cli;
    enum evs_rc rc = check_what_if(r, err);
    if (!rc && evs_opts_double(&cli->opts, "target") <= 1)
        rc = evs_fail(err, EVS_INVALID, "--target must be above 1: 1 is perfectly even");
    if (!rc && evs_opts_int(&cli->opts, "memory") < (1 << 20))
        rc = evs_fail(err, EVS_INVALID, "--memory must be at least 1M");
    if (!rc)
        rc = evs_session_filter(cli, &r->filter, err);
    if (!rc)
        rc = evs_session_client(cli, &r->client, err);
    if (!rc)
        rc = evs_session_ranges(cli, r->client, cli->args[0], &r->ranges, err);
    if (!rc && evs_opts_given(&cli->opts, "sample"))
        rc = sample_of(r, err);
    return rc;
}

static enum evs_rc watch_ms(const struct run *r, int64_t *ret_ms, struct evs_err *err)
{
    const char *text = evs_opts_str(&r->cli->opts, "watch");
    *ret_ms = r->each ? WATCH_MS : 0;
    if (!text || !text[0])
        return EVS_OK;
    enum evs_rc rc = evs_num_duration(text, ret_ms, err);
    return rc ? evs_wrap(err, "--watch") : EVS_OK;
}

static void show_progress(const struct run *r)
{
    struct evs_scan_progress p;
    char n[EVS_NUM_LEN];
    evs_scan_progress(r->scan, &p);
    double part = p.span > 0 ? (double)p.passed / (double)p.span : 0;
    double seconds = (double)p.elapsed_us / 1e6;
    evs_progress("reading %s: %.0f %%, %s messages, %.0f/s", r->cli->args[0], 100 * part,
                 evs_num_commas(n, p.records), (double)p.records / fmax(seconds, 0.001));
}

/* Waits for the end, printing snapshots on the way where asked. Returns the last one. */
static enum evs_rc follow(struct run *r, struct evs_scan_sn **ret_sn, struct evs_err *err)
{
    uint64_t seen = 0;
    for (bool stopped = false;;) {
        if (!stopped)
            (void)evs_stop_wait_or(r->cli->stop, &r->wake, WAIT_MS);
        enum evs_rc rc = evs_scan_wait(r->scan, stopped ? WAIT_MS : 0, err);
        struct evs_scan_sn *sn = (struct evs_scan_sn *)evs_slot_take(r->slot, seen);
        if (sn)
            seen = sn->snap.generation;
        if (sn && sn->state != EVS_SCAN_RUNNING) {
            *ret_sn = sn;
            rc = evs_scan_wait(r->scan, -1, err);
            return rc == EVS_EOF ? EVS_OK : rc;
        }
        if (sn && r->each)
            print_sn(r, sn);
        if (sn)
            evs_snap_unref(&sn->snap);
        if (rc != EVS_AGAIN && rc != EVS_EOF)
            return rc;
        stopped = evs_stop_raised(r->cli->stop) || evs_out_gone();
        if (stopped)
            evs_scan_stop(r->scan);
        show_progress(r);
    }
}

static int finish(struct run *r, const struct evs_scan_sn *sn)
{
    bool whole = sn->state == EVS_SCAN_DONE && sn->troubled == 0;
    for (int32_t p = 0, said = 0; p < sn->ks->partitions && said < 5; p++)
        if (sn->error[p]) {
            evs_cli_warn(r->cli, "partition %d of %s: %s", (int)p, sn->topic, sn->error[p]);
            said++;
        }
    if (whole || evs_opts_given(&r->cli->opts, "follow"))
        return EVS_EXIT_OK;
    return sn->state == EVS_SCAN_STOPPED ? EVS_EXIT_STOPPED : EVS_EXIT_FAILED;
}

static void run_done(struct run *r)
{
    evs_scan_free(r->scan);
    evs_slot_free(r->slot);
    evs_wake_done(&r->wake);
    evs_filter_free(r->filter);
    evs_ranges_free(r->ranges);
    evs_client_free(r->client);
    evs_free(r->what_if);
}

/* --- from offsets alone --- */

static bool heat_step(void *ctx, struct evs_slices *s)
{
    struct evs_slices **last = ctx;
    evs_slices_free(*last);
    *last = s;
    return true;
}

static void print_heat(const struct evs_slices *s)
{
    char from[EVS_NUM_LEN], to[EVS_NUM_LEN], width[EVS_NUM_LEN];
    const struct evs_heat_grid *g = &s->grid;
    double top = 1;
    for (size_t i = 0; i < g->n * g->rows; i++)
        top = g->cell[i] > top ? (double)g->cell[i] : top;
    for (size_t r = 0; r < g->rows; r++) {
        struct evs_buf b = EVS_BUF_INIT(TEXT_CAP);
        for (size_t c = 0; c < g->n; c++) {
            double v = (double)g->cell[c * g->rows + r];
            evs_buf_addc(&b, " .:-=+*#%@"[v > 0 ? (int)(1 + 8.99 * log1p(v) / log1p(top)) : 0]);
        }
        evs_out_text("p%-4zu %s", r, evs_buf_str(&b));
        evs_buf_done(&b);
    }
    evs_out_text("%s to %s, %s a column; darkest %.0f", evs_num_iso(from, g->start_ms),
                 evs_num_iso(to, g->start_ms + (int64_t)g->n * g->bucket_ms),
                 evs_num_width(width, g->bucket_ms), top);
    EVS_AUTO(evs_buf) struct evs_buf said = EVS_BUF_INIT(65536);
    evs_heat_say(s->pattern, s->n_patterns, "", &said);
    evs_out_part(&said);
    evs_out_text("offsets only, no message was read for the map: %lld look-ups in %s",
                 (long long)s->lookups, evs_num_took(width, s->took_us / 1000));
}

static enum evs_rc heat_times(const struct run *r, struct evs_slices_opts *so, struct evs_err *err)
{
    const struct evs_opts *o = &r->cli->opts;
    const char *columns = evs_opts_str(o, "heat"), *since = evs_opts_str(o, "since");
    const char *until = evs_opts_str(o, "until");
    int64_t now = evs_clock_wall_ms(), n = HEAT_COLUMNS;
    if (columns && columns[0] && evs_num_i64(columns, 2, 2000, &n, err))
        return evs_wrap(err, "--heat");
    so->columns = (size_t)n;
    if (since && evs_num_time(since, now, &so->from_ms, err))
        return evs_wrap(err, "--since");
    if (until && evs_num_time(until, now, &so->to_ms, err))
        return evs_wrap(err, "--until");
    return EVS_OK;
}

static int run_heat(struct run *r)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_slices *s = NULL;
    struct evs_slices_opts so = {.from_ms = -1, .to_ms = -1, .step = heat_step, .ctx = &s};
    enum evs_rc rc = heat_times(r, &so, &err);
    if (!rc)
        rc = evs_session_client(r->cli, &r->client, &err);
    if (!rc)
        rc = evs_slices_run(r->client, r->cli->args[0], &so, &err);
    if (rc == EVS_EOF)
        rc = evs_fail(&err, EVS_FATAL, "topic %s: nothing in this time, or no timestamps",
                      r->cli->args[0]);
    if (!rc && s && s->untimed)
        rc = evs_fail(&err, EVS_FATAL,
                      "topic %s: its brokers do not look times up: run keys without --heat",
                      r->cli->args[0]);
    if (rc)
        goto out;
    if (s && r->cli->json) {
        struct evs_buf json = EVS_BUF_INIT(JSON_CAP);
        evs_slices_json(&json, s);
        evs_out_json(&json);
        evs_buf_done(&json);
    } else if (s) {
        print_heat(s);
    }
out:;
    int code = s && s->failed ? EVS_EXIT_FAILED : EVS_EXIT_OK;
    evs_slices_free(s);
    run_done(r);
    if (!rc)
        rc = evs_out_finish(&err);
    return rc ? evs_cli_fail(&err) : code;
}

static int run(struct evs_cli *cli)
{
    struct evs_err err = EVS_ERR_INIT;
    struct run r = {
        .cli = cli, .wake = {.fds = {-1, -1}}, .top = (size_t)evs_opts_int(&cli->opts, "top")};
    struct evs_scan_sn *sn = NULL;
    int code = EVS_EXIT_OK;
    if (evs_opts_given(&cli->opts, "heat"))
        return run_heat(&r);
    r.each = evs_opts_given(&cli->opts, "watch") || evs_opts_given(&cli->opts, "follow");
    struct evs_scan_opts so = {.memory_bytes = (size_t)evs_opts_int(&cli->opts, "memory"),
                               .details = r.top,
                               .limit = evs_opts_int(&cli->opts, "count"),
                               .target = evs_opts_double(&cli->opts, "target"),
                               .window_ms = evs_opts_int(&cli->opts, "window")};
    enum evs_rc rc = watch_ms(&r, &so.snapshot_ms, &err);
    if (!rc)
        rc = evs_wake_init(&r.wake, &err);
    if (!rc)
        rc = prepare(&r, &err);
    if (!rc) {
        so.filter = r.filter;
        so.sample = r.sample;
        so.fields = evs_opts_given(&cli->opts, "fields");
        so.what_if = r.what_if;
        so.n_what_if = r.n_what_if;
        r.slot = evs_slot_new(&r.wake);
        rc = evs_scan_start(r.client, r.ranges, &so, r.slot, &r.scan, &err);
    }
    if (!rc)
        rc = follow(&r, &sn, &err);
    bool leave = sn && evs_stop_raised(cli->stop) && !EVS_FREES_ALL;
    if (sn) {
        print_sn(&r, sn);
        code = finish(&r, sn);
        if (!leave)
            evs_snap_unref(&sn->snap);
    }
    if (!rc)
        rc = evs_out_finish(&err);
    if (leave)
        evs_call_leave();
    else
        run_done(&r);
    return rc ? evs_cli_fail(&err) : code;
}

const struct evs_cmd evs_cmd_keys = {
    .name = "keys",
    .args = "TOPIC",
    .summary = "key-to-partition distribution, hotspots, diagnosis, what-if",
    .about = "Reads the keys of a topic (or of the range and records chosen) and says whether the "
             "load is even; if not, which key, since when, whose fault, and what would fix it. "
             "Counts are exact while the key table fits --memory; past it every count carries its "
             "error. Nothing is written to the cluster.",
    .example = "  eventscope keys shop.orders.placed --since 2h\n"
               "  eventscope keys shop.orders.placed --what-if shards:8 --what-if partitions:24\n"
               "  eventscope keys shop.orders.placed --json | jq '.diagnosis[0].text'",
    .opts = opts,
    .groups = EVS_CMD_CLUSTER | EVS_CMD_TOPIC | EVS_CMD_READ | EVS_CMD_KEEP,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
