/* topics_poller.c - browse/topics on a thread of its own; the newest records' times. */
#include <string.h>

#include "browse/poller.h"
#include "browse/topics_int.h"
#include "core/log.h"
#include "core/xalloc.h"

enum { TIMES_MAX = 1000 };

/* --- times --- */

static bool due(const struct past *past, bool still)
{
    if (past->end < 0 || past->timed_end == past->end || past->n_parts > TIMES_MAX)
        return false;
    return !still || past->end == past->end_before;
}

static void set_times(struct evs_topics *t, struct evs_topics_sn *sn,
                      const struct evs_time_ask *asks, size_t n)
{
    for (size_t i = 0; i < n;) {
        struct past *past = topics_past(t, asks[i].topic);
        size_t end = i + past->n_parts;
        past->last_ts_ms = -1;
        for (; i < end && i < n; i++)
            if (asks[i].ts_ms > past->last_ts_ms)
                past->last_ts_ms = asks[i].ts_ms;
        past->timed_end = past->end;
    }
    for (int i = 0; i < sn->n; i++) {
        const struct past *past = topics_past(t, sn->rows[i].name);
        if (past->end < 0 || past->timed_end != past->end)
            continue;
        sn->rows[i].last_ts_ms = past->last_ts_ms;
        topics_set_status(&sn->rows[i]);
    }
}

enum evs_rc evs_topics_times(struct evs_topics *t, struct evs_topics_sn *sn, bool still,
                             struct evs_err *err)
{
    struct evs_time_ask *asks = NULL;
    size_t n = 0;
    for (int i = 0; i < sn->n && n < TIMES_MAX; i++) {
        const struct past *past = topics_past(t, sn->rows[i].name);
        if (!due(past, still) || past->n_parts == 0)
            continue;
        asks = evs_xgrow(asks, n + past->n_parts, sizeof(*asks));
        for (size_t k = 0; k < past->n_parts; k++) {
            asks[n] = past->parts[k];
            asks[n++].topic = sn->rows[i].name;
        }
    }
    enum evs_rc rc = evs_times_last(t->c, EVS_READ_COMMITTED, asks, n, err);
    if (!rc)
        set_times(t, sn, asks, n);
    evs_free(asks);
    return rc;
}

/* --- the poller --- */

struct evs_topics_poller {
    struct evs_topics *topics;
    struct evs_poller *poller;
};

/* The last rows again, with what went wrong. */
static struct evs_topics_sn *failed_sn(struct evs_slot *slot, const struct evs_err *err)
{
    struct evs_topics_sn *last = (void *)evs_slot_take(slot, 0);
    struct evs_topics_sn *sn = evs_xcalloc(1, sizeof(*sn));
    if (last) {
        /* All but the counter, which others move meanwhile. */
        memcpy((char *)sn + sizeof(sn->snap), (const char *)last + sizeof(last->snap),
               sizeof(*sn) - sizeof(sn->snap));
        sn->base = last;
        if (last->base) {
            sn->base = last->base;
            evs_snap_ref(&last->base->snap);
            evs_snap_unref(&last->snap);
        }
    }
    sn->failures = sn->failures + 1;
    evs_snap_init(&sn->snap, topics_free_sn);
    sn->error = evs_xstrdup(err->msg);
    sn->hint = err->hint[0] ? evs_xstrdup(err->hint) : NULL;
    return sn;
}

static bool poll_once(void *ctx, struct evs_slot *slot, int failures)
{
    struct evs_topics_poller *p = ctx;
    struct evs_err err = EVS_ERR_INIT;
    struct evs_topics_sn *sn = NULL;
    bool first = !failures && !p->topics->past.n;
    if (evs_topics_poll(p->topics, first ? slot : NULL, &sn, &err)) {
        evs_slot_publish(slot, &failed_sn(slot, &err)->snap);
        return false;
    }
    struct evs_err late = EVS_ERR_INIT; /* times are worth something, not a poll */
    if (evs_topics_times(p->topics, sn, true, &late))
        evs_log(EVS_LOG_DEBUG, "times of topics: %s", late.msg);
    evs_slot_publish(slot, &sn->snap);
    return true;
}

enum evs_rc evs_topics_poller_start(struct evs_client *c, int64_t interval_ms,
                                    const struct evs_wake *wake, struct evs_topics_poller **ret_p,
                                    struct evs_err *err)
{
    struct evs_topics_poller *p = evs_xcalloc(1, sizeof(*p));
    p->topics = evs_topics_new(c);
    enum evs_rc rc =
        evs_poller_start("evs-topics", c, poll_once, p, interval_ms, wake, &p->poller, err);
    if (rc) {
        evs_topics_poller_free(p);
        return rc;
    }
    *ret_p = p;
    return EVS_OK;
}

void evs_topics_poller_free(struct evs_topics_poller *p)
{
    if (!p)
        return;
    evs_poller_free(p->poller);
    evs_topics_free(p->topics);
    evs_free(p);
}

struct evs_topics_sn *evs_topics_take(struct evs_topics_poller *p, uint64_t than)
{
    return (void *)evs_poller_take(p->poller, than);
}

void evs_topics_refresh(struct evs_topics_poller *p)
{
    evs_poller_refresh(p->poller);
}

void evs_topics_pause(struct evs_topics_poller *p, bool on)
{
    evs_poller_pause(p->poller, on);
}

void evs_topics_interval(struct evs_topics_poller *p, int64_t interval_ms)
{
    evs_poller_interval(p->poller, interval_ms);
}
