#include "keys/scan.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "core/clock.h"
#include "core/event.h"
#include "core/queue.h"
#include "core/xalloc.h"
#include "filter/filter.h"
#include "kafka/range.h"
#include "kafka/reader.h"
#include "keys/fields.h"
#include "keys/windows.h"

/* Of the memory given, tables take 5/8; the key set and the analyses the rest. */
#define TABLE_SHARE(memory) ((memory) / 8 * 5)

enum { HEAT_CELLS = 1 << 18, HEAT_MIN = 48, HEAT_MAX = 256, HAND_OVER_US = 300000, TURN_MS = 5 };

struct worker {
    struct evs_scan *scan;
    struct evs_keytab *table;
    struct evs_filter *filter;
    struct evs_fields *fields;    /* NULL: not asked for */
    struct evs_keytab *recent[2]; /* of the window: filling, and the one before */
    int64_t turned_ms, now_ms;    /* when they changed places; the wall clock of the last idle */
    uint64_t seen;
    struct evs_queue *back; /* the table on its way back */
    unsigned lent;          /* the last request answered */
    atomic_bool left;       /* calls back no more: its table stands still */
};

struct evs_scan {
    struct evs_ranges *ranges;
    struct evs_windows_part *windows; /* of a sample */
    size_t *at; /* of a sample: index in ranges of each partition's present window */
    struct evs_scan_opts opts;
    struct evs_slot *slot;
    struct evs_reader *reader; /* only the scan's thread touches it once that runs */
    struct evs_reader_progress progress;
    atomic_llong records, bytes, passed, span;
    struct evs_key_room *room; /* of the last key set */
    struct worker *w;
    int n_workers, n_live;  /* with a table; those that the reader made */
    struct evs_queue *over; /* workers lent their tables */
    atomic_uint want;       /* number of the snapshot asked for */
    atomic_bool stopping, pausing;
    bool paused;
    uint64_t seed;
    uint64_t fields_every; /* one of so many values is read for the advice */
    atomic_llong kept;
    char **error; /* per partition; each is written by the worker that owns the partition */
    struct evs_thread *thread;
    struct evs_queue *finished; /* closed when the last snapshot is out */
    struct evs_err failure;
    int64_t started_us, next_us;
    int64_t ended_us;
};

/* --- on the workers --- */

/* The window of a sample that the record lies in. */
static uint32_t window_of(struct evs_scan *s, const struct evs_event *ev)
{
    size_t *at = &s->at[ev->partition];
    while (ev->offset >= s->ranges->parts[*at].to && *at + 1 < s->ranges->n &&
           s->ranges->parts[*at + 1].partition == ev->partition)
        ++*at;
    return (uint32_t)*at;
}

static bool on_event(void *ctx, int worker, struct evs_event *ev)
{
    struct evs_scan *s = ctx;
    struct worker *w = &s->w[worker];
    if (w->filter && !evs_filter_keeps(w->filter, ev))
        return true;
    struct evs_key_rec r = {.key = ev->key,
                            .key_len = ev->key_len,
                            .value_len = ev->value_len,
                            .tombstone = !ev->value,
                            .partition = ev->partition,
                            .offset = ev->offset,
                            .ts_ms = ev->ts_ms};
    if (s->opts.limit) {
        long long before = atomic_fetch_add_explicit(&s->kept, 1, memory_order_relaxed);
        if (before >= s->opts.limit)
            return false;
    }
    if (EVS_UNLIKELY(w->fields != NULL) && w->seen++ % s->fields_every == 0)
        evs_fields_add(w->fields, ev->key, ev->key_len, ev->value, ev->value_len);
    if (s->at)
        w->table->window = window_of(s, ev);
    evs_keytab_add(w->table, &r);
    if (EVS_UNLIKELY(w->recent[0] != NULL) && r.ts_ms > w->now_ms - s->opts.window_ms)
        evs_keytab_add(w->recent[0], &r);
    return true;
}

static struct evs_keytab *recent_new(const struct evs_scan *s)
{
    return evs_keytab_new(s->ranges->topic_partitions,
                          s->opts.memory_bytes / 16 / (size_t)s->n_workers, HEAT_MIN, s->seed);
}

/* Half a window later the older half is forgotten. */
static void turn_window(struct evs_scan *s, struct worker *w)
{
    w->now_ms = evs_clock_wall_ms();
    if (!w->recent[0] || w->now_ms - w->turned_ms < s->opts.window_ms / 2)
        return;
    evs_keytab_free(w->recent[1]);
    w->recent[1] = w->recent[0];
    w->recent[0] = recent_new(s);
    w->turned_ms = w->now_ms;
}

/* Lends the tables for a snapshot and waits for them. */
static void on_idle(void *ctx, int worker)
{
    struct evs_scan *s = ctx;
    struct worker *w = &s->w[worker];
    turn_window(s, w);
    evs_keytab_prepare(w->table);
    unsigned want = atomic_load_explicit(&s->want, memory_order_acquire);
    if (want == w->lent)
        return;
    w->lent = want;
    void *back;
    if (evs_queue_push(s->over, w, sizeof(*w), -1) != EVS_OK)
        return;
    if (evs_queue_pop(w->back, -1, &back) != EVS_OK)
        return;
}

static void on_leave(void *ctx, int worker)
{
    struct evs_scan *s = ctx;
    atomic_store_explicit(&s->w[worker].left, true, memory_order_release);
}

static void on_problem(void *ctx, int worker, int32_t partition, const struct evs_err *err)
{
    struct evs_scan *s = ctx;
    (void)worker;
    if (partition < 0 || partition >= s->ranges->topic_partitions || err->code == EVS_RETRY)
        return;
    if (!s->error[partition])
        s->error[partition] = evs_xstrdup(err->msg);
}

static const struct evs_reader_ops reader_ops = {
    .event = on_event, .idle = on_idle, .problem = on_problem, .leave = on_leave};

/* --- snapshots --- */

static void sn_free(struct evs_snap *snap)
{
    struct evs_scan_sn *sn = (struct evs_scan_sn *)snap;
    for (int32_t p = 0; p < sn->ks->partitions; p++)
        evs_free(sn->error[p]);
    evs_free(sn->error);
    evs_free(sn->asked);
    evs_free(sn->windows);
    evs_whatifs_free(sn->what_if);
    evs_fields_advice_free(sn->fields);
    evs_report_free(sn->report);
    evs_report_free(sn->recent_report);
    evs_keyset_free(sn->recent);
    evs_keyset_free(sn->ks);
    evs_free(sn->topic);
    evs_free(sn);
}

static struct evs_fields_advice *advise(const struct evs_scan *s)
{
    struct evs_fields *all = evs_fields_new(s->ranges->topic_partitions);
    for (int i = 0; i < s->n_workers; i++)
        evs_fields_merge(all, s->w[i].fields);
    struct evs_fields_advice *a = evs_fields_judge(all);
    evs_fields_free(all);
    return a;
}

/* Not asked for, or failed without a record. */
static void mark_unread(struct evs_keyset *ks, const struct evs_scan_sn *sn)
{
    for (int32_t p = 0; p < ks->partitions; p++)
        if (!sn->asked[p] || (sn->error[p] && ks->part[p].messages == 0))
            evs_keyset_unread(ks, p);
}

static void publish(struct evs_scan *s, struct evs_keyset *ks, struct evs_keyset *recent,
                    enum evs_scan_state state)
{
    struct evs_scan_sn *sn = evs_xcalloc(1, sizeof(*sn));
    struct evs_reader_progress p = s->progress;
    evs_snap_init(&sn->snap, sn_free);
    sn->topic = evs_xstrdup(s->ranges->topic);
    sn->state = state;
    sn->ks = ks;
    sn->now_ms = evs_clock_wall_ms();
    sn->memory_bytes = s->opts.memory_bytes;
    sn->error = evs_xcalloc((size_t)ks->partitions, sizeof(*sn->error));
    sn->asked = evs_xcalloc((size_t)ks->partitions, sizeof(*sn->asked));
    for (size_t i = 0; i < s->ranges->n; i++) {
        const struct evs_range *r = &s->ranges->parts[i];
        if (i > 0 && r->partition == r[-1].partition)
            continue;
        sn->wanted++;
        sn->asked[r->partition] = true;
        const char *why = r->error;
        if (!why && state != EVS_SCAN_RUNNING)
            why = s->error[r->partition];
        sn->error[r->partition] = evs_xstrdup(why);
        sn->troubled += why != NULL;
    }
    mark_unread(ks, sn);
    if (recent)
        mark_unread(recent, sn);
    sn->span = p.span;
    sn->covered = p.span > 0 ? (double)p.passed / (double)p.span : 1;
    sn->complete = state == EVS_SCAN_DONE && sn->troubled == 0;
    sn->elapsed_us = evs_clock_mono_us() - s->started_us;
    sn->sample = s->windows != NULL;
    if (sn->sample) {
        sn->windows = evs_xmemdup(s->windows, (size_t)ks->partitions * sizeof(*sn->windows));
        sn->distinct = evs_windows_distinct(ks);
        sn->covered = evs_windows_covered(s->windows, ks->partitions) * sn->covered;
    }
    sn->recent = recent;
    if (recent)
        sn->recent_report = evs_report_new(recent, sn->now_ms, false);
    sn->report = evs_report_new(ks, sn->now_ms, !sn->complete || sn->sample);
    if (state != EVS_SCAN_RUNNING && s->opts.fields)
        sn->fields = advise(s);
    if (state != EVS_SCAN_RUNNING)
        sn->what_if =
            evs_whatif_all(ks, sn->report, s->opts.target, s->opts.what_if, s->opts.n_what_if);
    evs_slot_publish(s->slot, &sn->snap);
}

static struct evs_keyset *build_recent(struct evs_scan *s)
{
    struct evs_keytab **t = evs_xcalloc(2 * (size_t)s->n_workers, sizeof(*t));
    size_t n = 0;
    for (int i = 0; i < s->n_workers; i++)
        for (int k = 0; k < 2; k++)
            if (s->w[i].recent[k])
                t[n++] = s->w[i].recent[k];
    struct evs_keyset *ks = n ? evs_keyset_new(t, n, s->opts.details) : NULL;
    evs_free(t);
    return ks;
}

static struct evs_keyset *build(struct evs_scan *s, struct evs_key_room *room)
{
    struct evs_keytab **t = evs_xcalloc((size_t)s->n_workers, sizeof(*t));
    for (int i = 0; i < s->n_workers; i++)
        t[i] = s->w[i].table;
    struct evs_keyset *ks = evs_keyset_in(room, t, (size_t)s->n_workers, s->opts.details);
    evs_free(t);
    return ks;
}

static int left(const struct evs_scan *s)
{
    int n = 0;
    for (int i = 0; i < s->n_live; i++)
        n += atomic_load_explicit(&s->w[i].left, memory_order_acquire);
    return n;
}

/* Asks all workers for their tables; one that does not answer in time (it waits for a broker) lets
 * the snapshot fall out. False then. */
static bool snapshot(struct evs_scan *s, enum evs_scan_state state)
{
    int64_t from = evs_clock_mono_us();
    int got = 0;
    atomic_fetch_add_explicit(&s->want, 1, memory_order_release);
    struct worker **lent = evs_xcalloc((size_t)s->n_workers, sizeof(*lent));
    for (void *w; got + left(s) < s->n_live && evs_clock_mono_us() - from < HAND_OVER_US;)
        if (evs_queue_pop(s->over, 10, &w) == EVS_OK)
            lent[got++] = w;
    bool all = got + left(s) >= s->n_live;
    struct evs_keyset *ks = all ? build(s, NULL) : NULL, *recent = all ? build_recent(s) : NULL;
    for (int i = 0; i < got; i++)
        if (evs_queue_push(lent[i]->back, lent[i], sizeof(*s->w), -1) != EVS_OK)
            break;
    evs_free(lent);
    if (ks)
        publish(s, ks, recent, state);
    int64_t took = evs_clock_mono_us() - from;
    int64_t pause = s->opts.snapshot_ms * 1000;
    s->next_us = evs_clock_mono_us() + (took * 10 > pause ? took * 10 : pause);
    return ks != NULL;
}

/* A worker that answered after its snapshot was given up. */
static void release_strays(struct evs_scan *s)
{
    void *w;
    while (evs_queue_pop(s->over, 0, &w) == EVS_OK)
        if (evs_queue_push(((struct worker *)w)->back, w, sizeof(struct worker), -1) != EVS_OK)
            return;
}

static void look_at_progress(struct evs_scan *s)
{
    evs_reader_progress(s->reader, &s->progress);
    atomic_store(&s->records, s->progress.records);
    atomic_store(&s->bytes, s->progress.bytes);
    atomic_store(&s->passed, s->progress.passed);
    atomic_store(&s->span, s->progress.span);
}

static void drop_reader(struct evs_scan *s)
{
    evs_reader_free(s->reader);
    s->reader = NULL;
    evs_xalloc_trim();
}

static void run(void *arg)
{
    struct evs_scan *s = arg;
    enum evs_rc rc;
    s->next_us = s->started_us + 100 * 1000;
    do {
        look_at_progress(s);
        bool pause = atomic_load(&s->pausing);
        if (pause != s->paused) {
            evs_reader_pause(s->reader, pause);
            if (!pause || snapshot(s, EVS_SCAN_STOPPED))
                s->paused = pause;
        }
        if (s->opts.snapshot_ms && !pause && evs_clock_mono_us() >= s->next_us)
            snapshot(s, EVS_SCAN_RUNNING);
        release_strays(s);
        rc = evs_reader_wait(s->reader, TURN_MS, &s->failure);
    } while (rc == EVS_AGAIN && !atomic_load(&s->stopping));
    /* Workers may wait for a hand-over that nobody will make any more. */
    evs_queue_close(s->over);
    for (int i = 0; i < s->n_workers; i++)
        evs_queue_close(s->w[i].back);
    evs_reader_stop(s->reader);
    if (rc == EVS_AGAIN)
        rc = evs_reader_wait(s->reader, -1, &s->failure);
    look_at_progress(s);
    bool stopped = atomic_load(&s->stopping);
    if (!stopped)
        drop_reader(s); /* its queues' memory goes to the analyses; a stop is answered first */
    bool limited = s->opts.limit && atomic_load(&s->kept) >= s->opts.limit;
    if (rc == EVS_EOF || stopped)
        s->failure = (struct evs_err)EVS_ERR_INIT;
    if (s->failure.code == EVS_OK || s->progress.records > 0) /* also of what broke off */
        publish(s, build(s, s->room), build_recent(s),
                rc == EVS_EOF && (!stopped || limited) ? EVS_SCAN_DONE : EVS_SCAN_STOPPED);
    evs_queue_close(s->finished);
}

/* --- life --- */

static void workers_new(struct evs_scan *s)
{
    int32_t P = s->ranges->topic_partitions;
    size_t columns = HEAT_CELLS / (size_t)P;
    s->seed = (uint64_t)evs_clock_mono_us() * UINT64_C(0x9e3779b97f4a7c15);
    int64_t every = evs_ranges_span(s->ranges) / EVS_FIELDS_SAMPLE;
    s->fields_every = every > 1 ? (uint64_t)every : 1;
    columns = columns < HEAT_MIN ? HEAT_MIN : columns > HEAT_MAX ? HEAT_MAX : columns;
    s->w = evs_xcalloc((size_t)s->n_workers, sizeof(*s->w));
    s->room = evs_key_room_new((size_t)s->n_workers,
                               TABLE_SHARE(s->opts.memory_bytes) / (size_t)s->n_workers);
    for (int i = 0; i < s->n_workers; i++) {
        s->w[i].scan = s;
        s->w[i].filter = s->opts.filter ? evs_filter_clone(s->opts.filter) : NULL;
        s->w[i].back = evs_queue_new(1, SIZE_MAX, NULL);
        s->w[i].table = evs_keytab_new(P, TABLE_SHARE(s->opts.memory_bytes) / (size_t)s->n_workers,
                                       columns, s->seed);
        evs_key_room_lend(s->room, (size_t)i, s->w[i].table);
        s->w[i].table->sampling = s->at != NULL;
        s->w[i].turned_ms = s->w[i].now_ms = evs_clock_wall_ms();
        if (s->opts.window_ms)
            s->w[i].recent[0] = recent_new(s);
        if (s->opts.fields)
            s->w[i].fields = evs_fields_new(P);
    }
}

static void take_ranges(struct evs_scan *s, const struct evs_ranges *ranges)
{
    size_t P = (size_t)ranges->topic_partitions;
    if (s->opts.sample <= 0 || s->opts.sample >= 1) {
        s->ranges = evs_ranges_copy(ranges);
        return;
    }
    s->ranges = evs_windows_ranges(ranges, s->opts.sample, (uint64_t)evs_clock_mono_us());
    s->windows = evs_xcalloc(P, sizeof(*s->windows));
    evs_windows_parts(ranges, s->ranges, s->windows, ranges->topic_partitions);
    s->at = evs_xcalloc(P, sizeof(*s->at));
    for (size_t i = s->ranges->n; i-- > 0;)
        s->at[s->ranges->parts[i].partition] = i;
}

enum evs_rc evs_scan_start(struct evs_client *c, const struct evs_ranges *ranges,
                           const struct evs_scan_opts *opts, struct evs_slot *slot,
                           struct evs_scan **ret_scan, struct evs_err *err)
{
    struct evs_scan *s = evs_xcalloc(1, sizeof(*s));
    evs_xalloc_streaming();
    s->opts = *opts;
    take_ranges(s, ranges);
    if (!s->opts.memory_bytes)
        s->opts.memory_bytes = EVS_SCAN_MEMORY;
    if (s->opts.target <= 0)
        s->opts.target = EVS_WHATIF_TARGET;
    s->slot = slot;
    s->error = evs_xcalloc((size_t)s->ranges->topic_partitions + 1, sizeof(*s->error));
    s->over = evs_queue_new(64, SIZE_MAX, NULL);
    s->finished = evs_queue_new(1, SIZE_MAX, NULL);
    s->started_us = evs_clock_mono_us();
    s->n_workers = opts->workers > 0 ? opts->workers : evs_scan_workers(s->ranges);
    workers_new(s);
    struct evs_reader_opts ro = {.profile = s->at ? EVS_READER_BROWSE : EVS_READER_SCAN,
                                 .workers = s->n_workers};
    enum evs_rc rc = evs_reader_start(c, s->ranges, &ro, &reader_ops, s, &s->reader, err);
    if (rc == EVS_OK) {
        assert(evs_reader_workers(s->reader) <= s->n_workers);
        s->n_live = evs_reader_workers(s->reader);
        rc = evs_thread_start("keys-scan", run, s, &s->thread, err);
    }
    if (rc) {
        evs_scan_free(s);
        return rc;
    }
    *ret_scan = s;
    return EVS_OK;
}

void evs_scan_pause(struct evs_scan *s, bool on)
{
    atomic_store(&s->pausing, on);
}

void evs_scan_stop(struct evs_scan *s)
{
    atomic_store(&s->stopping, true);
}

enum evs_rc evs_scan_wait(struct evs_scan *s, int64_t wait_ms, struct evs_err *err)
{
    void *none;
    enum evs_rc rc = evs_queue_pop(s->finished, wait_ms, &none);
    if (rc != EVS_EOF)
        return EVS_AGAIN;
    if (s->failure.code == EVS_OK)
        return EVS_EOF;
    *err = s->failure;
    return err->code;
}

void evs_scan_free(struct evs_scan *s)
{
    if (!s)
        return;
    if (s->thread) {
        evs_scan_stop(s);
        evs_thread_join(s->thread);
    }
    evs_reader_free(s->reader);
    for (int i = 0; i < s->n_workers && s->w; i++) {
        evs_keytab_free(s->w[i].table);
        evs_keytab_free(s->w[i].recent[0]);
        evs_keytab_free(s->w[i].recent[1]);
        evs_filter_free(s->w[i].filter);
        evs_fields_free(s->w[i].fields);
        evs_queue_free(s->w[i].back);
    }
    for (int32_t p = 0; p < s->ranges->topic_partitions; p++)
        evs_free(s->error[p]);
    evs_free(s->error);
    evs_free(s->windows);
    evs_free(s->at);
    evs_free(s->w);
    evs_key_room_free(s->room);
    evs_queue_free(s->over);
    evs_queue_free(s->finished);
    evs_ranges_free(s->ranges);
    evs_free(s);
}

void evs_scan_progress(const struct evs_scan *s, struct evs_scan_progress *ret_p)
{
    *ret_p = (struct evs_scan_progress){atomic_load(&s->records), atomic_load(&s->bytes),
                                        atomic_load(&s->passed), atomic_load(&s->span),
                                        evs_clock_mono_us() - s->started_us};
}
