#include "ui/journal.h"
#include "ui/scans.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "filter/filter.h"
#include "kafka/client.h"
#include "kafka/range.h"
#include "keys/scan.h"
#include "ui/screen.h"
#include "ui/search.h"
#include "ui/task.h"

/* More than this is sampled first: at two million records a second it would take over a minute. */
#define SAMPLE_OVER 100000000

enum { SNAPSHOT_MS = 400, DETAILS = 1000, WAIT_MS = 30 };

/* Lives with the task, which may outlast the screens. */
struct work {
    struct evs_client *client;
    struct evs_place at;
    struct evs_ui_scan_how how;
    struct evs_slot *slot;
    bool whole; /* even if it is long */
    atomic_bool pause;
    atomic_llong records, passed, span, started_us;
    atomic_bool over, sampled;
};

struct error_sn {
    struct evs_snap snap;
    char text[800];
};

struct evs_ui_scan {
    struct evs_ui *ui;
    struct evs_place at;
    struct evs_ui_scan_how how;
    int refs;
    struct evs_task *task;
    struct work *work; /* of task, valid until it is dropped */
    struct error_sn *error;
    unsigned epoch;   /* raised when it starts anew */
    uint64_t journal; /* its entry in Jobs */
    struct evs_ui_scan *next;
};

static struct evs_ui_scan *scans; /* UI thread only */

static void work_free(void *ctx)
{
    struct work *w = ctx;
    evs_place_done(&w->at);
    evs_slot_free(w->slot);
    evs_free(w);
}

static void error_free(struct evs_snap *sn)
{
    evs_free(sn);
}

static void publish_error(struct evs_task *t, const struct evs_err *err)
{
    struct error_sn *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, error_free);
    snprintf(sn->text, sizeof(sn->text), "%s%s%s", err->msg, err->hint[0] ? "  fix: " : "",
             err->hint);
    evs_task_publish(t, &sn->snap);
}

/* --- on the task's thread --- */

static enum evs_rc resolve(const struct work *w, struct evs_ranges **ret, struct evs_err *err)
{
    char partition[16], from[32], to[32];
    struct evs_range_spec spec = {.now_ms = evs_clock_wall_ms()};
    spec.isolation = w->how.uncommitted ? EVS_READ_UNCOMMITTED : EVS_READ_COMMITTED;
    spec.follow = w->how.live;
    if (w->at.partition >= 0) {
        snprintf(partition, sizeof(partition), "%d", (int)w->at.partition);
        spec.partitions = partition;
    }
    if (w->at.from_ms >= 0) {
        snprintf(from, sizeof(from), "s@%lld", (long long)w->at.from_ms);
        spec.from = from;
    }
    if (w->at.to_ms >= 0 && !w->how.live) {
        snprintf(to, sizeof(to), "e@%lld", (long long)w->at.to_ms);
        spec.to = to;
    }
    return evs_range_resolve(w->client, w->at.topic, &spec, ret, err);
}

static void follow(struct evs_task *t, struct work *w, struct evs_scan *scan, struct evs_err *err)
{
    enum evs_rc rc = EVS_AGAIN;
    bool paused = false, stopping = false;
    while (rc == EVS_AGAIN) {
        struct evs_scan_progress p;
        rc = evs_scan_wait(scan, WAIT_MS, err);
        evs_scan_progress(scan, &p);
        atomic_store(&w->records, p.records);
        atomic_store(&w->passed, p.passed);
        atomic_store(&w->span, p.span);
        if (atomic_load(&w->pause) != paused) {
            paused = !paused;
            evs_scan_pause(scan, paused);
        }
        if (!stopping && evs_stop_raised(evs_task_stop_flag(t))) {
            stopping = true;
            evs_scan_stop(scan);
        }
    }
    if (rc != EVS_EOF)
        publish_error(t, err);
}

static enum evs_rc filter_of(const struct work *w, struct evs_filter **ret, struct evs_err *err)
{
    struct evs_search *s = evs_xcalloc(1, sizeof(*s));
    evs_search_init(s);
    enum evs_rc rc = evs_search_parse(s, w->how.filter, err);
    if (!rc && s->n_terms)
        rc = evs_filter_new(s->terms, s->n_terms, ret, err);
    evs_free(s);
    return rc;
}

static void run(struct evs_task *t, void *ctx)
{
    struct work *w = ctx;
    struct evs_err err = EVS_ERR_INIT;
    struct evs_ranges *ranges = NULL;
    struct evs_scan *scan = NULL;
    struct evs_scan_opts opts = {.snapshot_ms = SNAPSHOT_MS, .details = DETAILS};
    struct evs_filter *filter = NULL;
    enum evs_rc rc = filter_of(w, &filter, &err);
    if (!rc)
        rc = resolve(w, &ranges, &err);
    opts.filter = filter;
    opts.window_ms = w->how.live ? EVS_UI_SCAN_LIVE_MS : 0;
    if (!rc && !w->whole && !w->how.live && evs_ranges_span(ranges) > SAMPLE_OVER) {
        opts.sample = (double)EVS_SCAN_SAMPLE / (double)evs_ranges_span(ranges);
        atomic_store(&w->sampled, true);
    }
    if (!rc)
        rc = evs_scan_start(w->client, ranges, &opts, w->slot, &scan, &err);
    if (rc)
        publish_error(t, &err);
    else
        follow(t, w, scan, &err);
    atomic_store(&w->over, true);
    evs_scan_free(scan);
    evs_filter_free(filter);
    evs_ranges_free(ranges);
}

/* --- on the UI thread --- */

static bool same_place(const struct evs_place *a, const struct evs_place *b)
{
    return !strcmp(a->topic, b->topic) && a->partition == b->partition &&
           a->from_ms == b->from_ms && a->to_ms == b->to_ms;
}

static void start(struct evs_ui_scan *sc, bool whole)
{
    struct work *w = evs_xcalloc(1, sizeof(*w));
    w->client = evs_ui_client(sc->ui);
    w->at = (struct evs_place)EVS_PLACE_INIT;
    w->whole = whole;
    w->how = sc->how;
    evs_place_copy(&w->at, &sc->at);
    w->slot = evs_slot_new(evs_ui_wake(sc->ui));
    atomic_store(&w->started_us, evs_clock_mono_us());
    sc->work = w;
    sc->task = evs_task_start("keys", run, w, work_free, evs_ui_wake(sc->ui));
    if (!sc->task)
        sc->work = NULL;
    evs_journal_left(sc->journal);
    sc->journal = evs_journal_begin("scan", "keys", &sc->at, evs_ui_now_ms(sc->ui));
}

static void tell_jobs(const struct evs_ui_scan *sc, const struct evs_scan_sn *sn)
{
    double seconds = (double)sn->elapsed_us / 1e6;
    evs_journal_say(sc->journal,
                    sn->state == EVS_SCAN_RUNNING                 ? "running"
                    : sn->state == EVS_SCAN_STOPPED || sn->sample ? "partial"
                                                                  : "done",
                    sn->covered, seconds > 0.1 ? (double)sn->ks->messages / seconds : 0);
}

struct evs_ui_scan *evs_ui_scan_open(struct evs_ui *ui, const struct evs_place *at)
{
    for (struct evs_ui_scan *sc = scans; sc; sc = sc->next)
        if (sc->ui == ui && same_place(&sc->at, at)) {
            sc->refs++;
            return sc;
        }
    struct evs_ui_scan *sc = evs_xcalloc(1, sizeof(*sc));
    sc->ui = ui;
    sc->refs = 1;
    sc->at = (struct evs_place)EVS_PLACE_INIT;
    evs_place_copy(&sc->at, at);
    sc->next = scans;
    scans = sc;
    if (evs_ui_client(ui))
        start(sc, false);
    return sc;
}

static void forget_error(struct evs_ui_scan *sc)
{
    if (sc->error)
        evs_snap_unref(&sc->error->snap);
    sc->error = NULL;
}

void evs_ui_scan_close(struct evs_ui_scan *sc)
{
    if (!sc || --sc->refs > 0)
        return;
    struct evs_ui_scan **at = &scans;
    while (*at != sc)
        at = &(*at)->next;
    *at = sc->next;
    evs_task_drop(sc->task);
    evs_journal_left(sc->journal);
    forget_error(sc);
    evs_place_done(&sc->at);
    evs_free(sc);
}

bool evs_ui_scan_take(struct evs_ui_scan *sc, struct evs_ui_scan_seen *seen)
{
    if (!sc->task)
        return false;
    struct error_sn *e =
        (struct error_sn *)evs_task_take(sc->task, sc->error ? sc->error->snap.generation : 0);
    if (e) {
        forget_error(sc);
        sc->error = e;
        evs_journal_say(sc->journal, "failed", -1, 0);
    }
    uint64_t than = seen->sn && seen->epoch == sc->epoch ? seen->sn->snap.generation : 0;
    struct evs_scan_sn *newer = (struct evs_scan_sn *)evs_slot_take(sc->work->slot, than);
    if (newer) {
        evs_ui_scan_forget(seen);
        *seen = (struct evs_ui_scan_seen){newer, sc->epoch};
        tell_jobs(sc, newer);
    }
    return newer || e;
}

void evs_ui_scan_forget(struct evs_ui_scan_seen *seen)
{
    if (seen->sn)
        evs_snap_unref(&seen->sn->snap);
    seen->sn = NULL;
}

const char *evs_ui_scan_error(const struct evs_ui_scan *sc)
{
    return sc->error ? sc->error->text : NULL;
}

bool evs_ui_scan_running(const struct evs_ui_scan *sc)
{
    return sc->work && !atomic_load(&sc->work->over) && !atomic_load(&sc->work->pause);
}

bool evs_ui_scan_stop(struct evs_ui_scan *sc)
{
    if (!evs_ui_scan_running(sc))
        return false;
    atomic_store(&sc->work->pause, true);
    return true;
}

bool evs_ui_scan_can_continue(const struct evs_ui_scan *sc)
{
    return sc->work && (sc->error || atomic_load(&sc->work->sampled) ||
                        (atomic_load(&sc->work->pause) && !atomic_load(&sc->work->over)));
}

bool evs_ui_scan_continue(struct evs_ui_scan *sc)
{
    if (!evs_ui_scan_can_continue(sc))
        return false;
    if (!sc->error && atomic_load(&sc->work->pause) && !atomic_load(&sc->work->over)) {
        atomic_store(&sc->work->pause, false);
        return true;
    }
    evs_ui_scan_again(sc);
    return true;
}

const struct evs_ui_scan_how *evs_ui_scan_how(const struct evs_ui_scan *sc)
{
    return &sc->how;
}

void evs_ui_scan_set(struct evs_ui_scan *sc, const struct evs_ui_scan_how *how)
{
    sc->how = *how;
    evs_task_drop(sc->task);
    forget_error(sc);
    sc->epoch++;
    start(sc, false);
}

void evs_ui_scan_again(struct evs_ui_scan *sc)
{
    evs_task_drop(sc->task);
    forget_error(sc);
    sc->epoch++;
    start(sc, true);
}

void evs_ui_scan_progress(const struct evs_ui_scan *sc, struct evs_progress *p)
{
    *p = (struct evs_progress){.active = evs_ui_scan_running(sc), .what = "reading", .eta_s = -1};
    if (!p->active)
        return;
    double passed = (double)atomic_load(&sc->work->passed);
    double span = (double)atomic_load(&sc->work->span);
    double seconds = (double)(evs_clock_mono_us() - atomic_load(&sc->work->started_us)) / 1000000.0;
    p->done = atomic_load(&sc->work->records);
    p->total = atomic_load(&sc->work->span);
    p->share = span > 0 ? passed / span : -1;
    p->rate = seconds > 0 ? (double)p->done / seconds : 0;
    if (passed > 0 && span > passed)
        p->eta_s = seconds * (span - passed) / passed;
}

void evs_ui_scan_scope(const struct evs_ui_scan *sc, const struct evs_scan_sn *sn, char *to,
                       unsigned size)
{
    char span[EVS_NUM_LEN] = "";
    if (sn && sn->ks->first_ts >= 0)
        evs_num_width(span, sn->ks->last_ts - sn->ks->first_ts);
    const char *dot = evs_glyph(EVS_G_DOT);
    if (sc->at.partition >= 0)
        snprintf(to, size, "p%d %s %s", (int)sc->at.partition, dot, span);
    else
        snprintf(to, size, "%s%s%s", sc->at.from_ms >= 0 ? "window " : "all", span[0] ? " " : "",
                 span);
    size_t n = strlen(to);
    snprintf(to + n, size - n, " %s %s %s %s%.60s%s", dot,
             sc->how.uncommitted ? "read_uncommitted" : "read_committed", dot,
             sc->how.filter[0] ? "only " : "no filter", sc->how.filter,
             sc->how.live ? ", live" : "");
}
