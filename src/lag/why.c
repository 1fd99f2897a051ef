#include "lag/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/clock.h"
#include "core/json.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/peek.h"
#include "kafka/range.h"
#include "kafka/reader.h"
#include "lag/why_judge.h"
#include "stats/topk.h"

enum { READ_MS = 2000, PEEK_MS = 3000, COUNTERS = 1024, CHECKED = 200 };

static void free_why(struct evs_snap *snap)
{
    struct evs_why *w = (void *)snap;
    evs_event_free(w->record);
    evs_free(w->group);
    evs_free(w->topic);
    evs_free(w);
}

struct evs_why *evs_lag_why_start(const struct evs_lag_sn *sn, const struct evs_lag_group_row *g,
                                  const struct evs_lag_row *row)
{
    struct evs_why *w = evs_xcalloc(1, sizeof(*w));
    evs_snap_init(&w->snap, free_why);
    w->at_ms = sn->at_ms;
    w->group = evs_xstrdup(g->name);
    w->topic = evs_xstrdup(row->topic);
    w->partition = row->partition;
    w->row = *row;
    w->row.topic = w->row.error = NULL;
    if (row->member >= 0 && (size_t)row->member < g->n_members) {
        snprintf(w->member, sizeof(w->member), "%s", g->members[row->member].client);
        snprintf(w->host, sizeof(w->host), "%s", g->members[row->member].host);
    }
    w->from = row->committed > row->low ? row->committed : row->low;
    w->to = row->f.high;
    evs_why_judge_rows(w, g, row);
    return w;
}

/* --- what waits --- */

struct window {
    struct evs_topk keys;
    int64_t records, bytes, nulls;
    int64_t others, other_bytes; /* without the first */
    int checked, json;           /* of the first values after the first record */
    int64_t skip;                /* the record at the commit */
};

static bool on_event(void *ctx, int worker, struct evs_event *ev)
{
    struct window *w = ctx;
    (void)worker;
    size_t size = ev->key_len + ev->value_len;
    w->records++;
    w->bytes += (int64_t)size;
    if (ev->key)
        evs_topk_add(&w->keys, XXH3_64bits(ev->key, ev->key_len), ev->key, ev->key_len, 1);
    else
        w->nulls++;
    if (ev->offset == w->skip)
        return true;
    w->others++;
    w->other_bytes += (int64_t)size;
    if (w->checked < CHECKED && ev->value) {
        w->checked++;
        w->json += evs_json_check(ev->value, ev->value_len, NULL) ? 1 : 0;
    }
    return true;
}

static void take_keys(struct evs_why *w, const struct window *win)
{
    const struct evs_topk_item *items[EVS_WHY_KEYS];
    w->n_keys = evs_topk_sorted(&win->keys, items, EVS_WHY_KEYS);
    for (size_t i = 0; i < w->n_keys; i++) {
        struct evs_why_key *k = &w->keys[i];
        k->len = items[i]->key_len;
        k->count = items[i]->count;
        k->error = items[i]->error;
        memcpy(k->key, items[i]->key, k->len < sizeof(k->key) ? k->len : sizeof(k->key));
    }
}

static enum evs_rc resolve(struct evs_client *c, const struct evs_why *w, bool stable,
                           struct evs_ranges **ret_ranges, struct evs_err *err)
{
    char part[16], from[24], to[24];
    snprintf(part, sizeof(part), "%d", (int)w->partition);
    snprintf(from, sizeof(from), "%lld", (long long)w->from);
    snprintf(to, sizeof(to), "%lld", (long long)w->to);
    struct evs_range_spec spec = {.partitions = part,
                                  .from = from,
                                  .to = to,
                                  .now_ms = evs_clock_wall_ms(),
                                  .isolation = stable ? EVS_READ_COMMITTED : EVS_READ_UNCOMMITTED};
    return evs_range_resolve(c, w->topic, &spec, ret_ranges, err);
}

static enum evs_rc read_window(struct evs_client *c, struct evs_why *w, bool stable,
                               struct window *win, struct evs_stop *stop, struct evs_err *err)
{
    static const struct evs_reader_ops ops = {.event = on_event};
    static const struct evs_reader_opts opts = {.profile = EVS_READER_SCAN, .workers = 1};
    struct evs_ranges *ranges = NULL;
    struct evs_reader *r = NULL;
    int64_t start_us = evs_clock_mono_us();
    enum evs_rc rc = resolve(c, w, stable, &ranges, err);
    if (!rc)
        rc = evs_reader_start(c, ranges, &opts, &ops, win, &r, err);
    while (!rc || rc == EVS_AGAIN) {
        rc = evs_reader_wait(r, 50, err);
        bool late = evs_clock_mono_us() - start_us > (int64_t)READ_MS * 1000;
        if (rc == EVS_AGAIN && (late || (stop && evs_stop_raised(stop))))
            break;
    }
    w->whole = rc == EVS_EOF;
    evs_reader_free(r); /* joins: the window is ours again */
    evs_ranges_free(ranges);
    w->seconds = (double)(evs_clock_mono_us() - start_us) / 1e6;
    return rc == EVS_EOF || rc == EVS_AGAIN ? EVS_OK : rc;
}

static enum evs_rc read_record(struct evs_client *c, struct evs_why *w, bool stable,
                               struct evs_err *err)
{
    struct evs_peek *p = NULL;
    struct evs_peek_ask ask = {.topic = w->topic,
                               .partition = w->partition,
                               .offset = w->from,
                               .to = w->to,
                               .max = 1,
                               .keep = true};
    enum evs_rc rc = evs_peek_open(c, stable ? EVS_READ_COMMITTED : EVS_READ_UNCOMMITTED, &p, err);
    if (!rc)
        rc = evs_peek_run(p, &ask, 1, PEEK_MS, err);
    evs_peek_close(p);
    w->record = ask.first;
    if (!rc && !ask.done)
        rc = evs_fail(err, EVS_RETRY, "offset %lld: %s", (long long)w->from,
                      evs_meta_error_text(ask.native));
    return rc;
}

enum evs_rc evs_lag_why(struct evs_client *c, const struct evs_lag_sn *sn,
                        const struct evs_lag_group_row *g, const struct evs_lag_row *row,
                        struct evs_stop *stop, struct evs_why **ret_w, struct evs_err *err)
{
    struct evs_why *w = evs_lag_why_start(sn, g, row);
    struct window win = {.skip = -1};
    struct evs_err record_err = EVS_ERR_INIT, window_err = EVS_ERR_INIT;
    evs_topk_init(&win.keys, COUNTERS);
    if (row->f.lag > 0 && w->to > w->from) {
        (void)read_record(c, w, sn->stable, &record_err);
        win.skip = w->record ? w->record->offset : -1;
        (void)read_window(c, w, sn->stable, &win, stop, &window_err);
        w->read = win.records;
        w->bytes = win.bytes;
        w->mean_bytes = win.others ? (double)win.other_bytes / (double)win.others : -1;
        take_keys(w, &win);
        struct evs_why_read read = {win.checked, win.json, record_err.msg, window_err.msg};
        evs_why_judge_records(w, &read);
    }
    evs_topk_done(&win.keys);
    evs_why_conclude(w, g, row);
    if (stop && evs_stop_raised(stop)) {
        evs_snap_unref(&w->snap);
        return evs_fail(err, EVS_AGAIN, "stopped");
    }
    *ret_w = w;
    return EVS_OK;
}
