/* timestamp.c - times that run backwards inside a partition, or lie in the future. */
#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/meta.h"
#include "lint/rules.h"

enum { BACK_MS = 60000, FUTURE_MS = 5 * 60000, MIN_TIMES = 3 };

struct state {
    int64_t *newest; /* by partition; -1: none */
    int32_t partitions;
    int64_t now_ms, records, backwards, future, most_back, most_future;
    int32_t back_partition, future_partition;
    int64_t back_offset, future_offset;
};

static void *open_state(const struct evs_lint_topic *t, void *shared)
{
    struct state *s = evs_xcalloc(1, sizeof(*s));
    (void)shared;
    s->partitions = t->self->n_partitions;
    s->now_ms = t->now_ms;
    s->newest = evs_xcalloc((size_t)s->partitions + 1, sizeof(*s->newest));
    return s;
}

static void close_state(void *state)
{
    struct state *s = state;
    evs_free(s->newest);
    evs_free(s);
}

static void on_event(void *state, const struct evs_lint_event *e)
{
    struct state *s = state;
    const struct evs_event *ev = e->ev;
    if (ev->tstype != EVS_TS_CREATE || ev->ts_ms < 0 || ev->partition >= s->partitions)
        return;
    s->records++;
    int64_t *newest = &s->newest[ev->partition];
    if (!e->first && *newest - ev->ts_ms > BACK_MS) {
        s->backwards++;
        if (*newest - ev->ts_ms > s->most_back) {
            s->most_back = *newest - ev->ts_ms;
            s->back_partition = ev->partition;
            s->back_offset = ev->offset;
        }
    }
    if (ev->ts_ms - s->now_ms > FUTURE_MS) {
        s->future++;
        if (ev->ts_ms - s->now_ms > s->most_future) {
            s->most_future = ev->ts_ms - s->now_ms;
            s->future_partition = ev->partition;
            s->future_offset = ev->offset;
        }
        return; /* one from the future would make all that follow late */
    }
    if (e->first || ev->ts_ms > *newest)
        *newest = ev->ts_ms;
}

static void judge(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    struct state *s = state;
    char far[EVS_NUM_LEN], n[EVS_NUM_LEN], of[EVS_NUM_LEN];
    if (s->backwards >= MIN_TIMES) {
        struct evs_jsonw *w = evs_lint_add(
            out, EVS_SEV_WARN, s->back_partition,
            "%s of %s records are more than a minute older than the one before them in their "
            "partition; p%d @ %lld by %s.",
            evs_num_commas(n, s->backwards), evs_num_commas(of, s->records), s->back_partition,
            (long long)s->back_offset, evs_num_ago(far, s->most_back));
        evs_jsonw_i64(w, "backwards", s->backwards);
        evs_jsonw_i64(w, "most_ms", s->most_back);
        evs_lint_place(w, "example", s->back_partition, s->back_offset);
        evs_jsonw_i64(w, "messages_seen", t->seen);
        evs_lint_close(out,
                       "Windows by time and look-ups by time see these late or not at all. Use "
                       "message.timestamp.type=LogAppendTime, or stamp events when they happen.");
    }
    if (s->future > 0) {
        struct evs_jsonw *w = evs_lint_add(
            out, EVS_SEV_WARN, s->future_partition,
            "%lld records carry a time in the future; p%d @ %lld by %s.", (long long)s->future,
            s->future_partition, (long long)s->future_offset, evs_num_ago(far, s->most_future));
        evs_jsonw_i64(w, "future", s->future);
        evs_jsonw_i64(w, "most_ms", s->most_future);
        evs_lint_place(w, "example", s->future_partition, s->future_offset);
        evs_jsonw_i64(w, "messages_seen", t->seen);
        evs_lint_close(out,
                       "Retention by time keeps their segments until that day has passed. Check "
                       "the producer's clock and its unit: milliseconds.");
    }
}

const struct evs_lint_rule evs_lint_timestamp = {
    .name = "timestamp-regression",
    .help = "times running backwards inside a partition, or from the future",
    .records = true,
    .open = open_state,
    .event = on_event,
    .judge = judge,
    .close = close_state,
};
