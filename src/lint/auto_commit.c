/* auto_commit.c - groups that commit by the clock: offsets committed before the work is done are
 * lost work after a crash. Told from __consumer_offsets: the same interval again and again, also
 * where nothing moved (a consumer that commits after its work commits only what it did). */
#include <stdlib.h>
#include <string.h>

#include "core/map.h"
#include "core/num.h"
#include "core/thread.h"
#include "core/xalloc.h"
#include "kafka/meta.h"
#include "kafka/range.h"
#include "kafka/reader.h"
#include "lag/commits.h"
#include "lint/rules.h"

enum { WINDOW = 4000, MAX_TIMES = 64, MIN_TIMES = 5, MIN_STILL = 3 };

/* The newest commits of one (topic, group, partition). */
struct series {
    int64_t ts[MAX_TIMES], offset[MAX_TIMES];
    int n; /* total; the newest MAX_TIMES are kept, as a ring */
};

struct shared {
    struct evs_map series; /* "topic\0group\0" and the partition's 4 bytes */
    struct evs_buf name;
};

static bool on_event(void *ctx, int worker, struct evs_event *ev)
{
    struct shared *s = ctx;
    struct evs_commit c;
    (void)worker;
    if (!ev->key || s->series.n >= EVS_LINT_MAP_CAP ||
        evs_commit_decode(ev->key, ev->key_len, ev->value, ev->value_len, &c) != EVS_COMMIT_OFFSET)
        return true;
    evs_buf_reset(&s->name);
    evs_buf_add(&s->name, c.topic, c.topic_len);
    evs_buf_addc(&s->name, '\0');
    evs_buf_add(&s->name, c.group, c.group_len);
    evs_buf_addc(&s->name, '\0');
    evs_buf_add(&s->name, &c.partition, sizeof(c.partition));
    void **place = evs_map_put(&s->series, s->name.data, s->name.len);
    struct series *one = *place;
    if (!one)
        *place = one = evs_xcalloc(1, sizeof(*one));
    one->ts[one->n % MAX_TIMES] = c.ts_ms;
    one->offset[one->n++ % MAX_TIMES] = c.offset;
    return true;
}

static void end(void *shared)
{
    struct shared *s = shared;
    evs_map_done(&s->series, evs_free);
    evs_buf_done(&s->name);
    evs_free(s);
}

static enum evs_rc begin(struct evs_client *c, struct evs_stop *stop, void **ret_shared,
                         struct evs_err *err)
{
    static const struct evs_reader_ops ops = {.event = on_event};
    struct evs_reader_opts ro = {.profile = EVS_READER_SCAN, .workers = 1};
    struct evs_range_spec spec = {.isolation = EVS_READ_COMMITTED};
    struct evs_ranges *ranges = NULL;
    struct evs_reader *r = NULL;
    enum evs_rc rc = evs_range_resolve(c, "__consumer_offsets", &spec, &ranges, err);
    if (rc && !evs_meta_no_topic(err))
        return rc;
    struct shared *s = evs_xcalloc(1, sizeof(*s));
    s->name = (struct evs_buf)EVS_BUF_INIT(65536);
    *ret_shared = s;
    if (rc)
        return EVS_OK; /* no group has ever committed anything here */
    for (size_t i = 0; i < ranges->n; i++)
        if (ranges->parts[i].to - ranges->parts[i].from > WINDOW)
            ranges->parts[i].from = ranges->parts[i].to - WINDOW;
    rc = evs_reader_start(c, ranges, &ro, &ops, s, &r, err);
    while (!rc && evs_reader_wait(r, 50, err) == EVS_AGAIN)
        if (evs_stop_raised(stop))
            evs_reader_stop(r);
    evs_reader_free(r);
    evs_ranges_free(ranges);
    if (rc) {
        end(s);
        *ret_shared = NULL;
    }
    return rc;
}

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The interval of a clock, or 0: at least four in five intervals within a tenth of their median. */
static int64_t clock_of(const struct series *s, int *ret_still, int *ret_times)
{
    int n = s->n < MAX_TIMES ? s->n : MAX_TIMES, first = s->n - n, regular = 0, still = 0;
    int64_t gaps[MAX_TIMES];
    for (int i = 1; i < n; i++) {
        int now = (first + i) % MAX_TIMES, before = (first + i - 1) % MAX_TIMES;
        gaps[i - 1] = s->ts[now] - s->ts[before];
        still += s->offset[now] == s->offset[before];
    }
    *ret_still = still;
    *ret_times = n;
    if (n < MIN_TIMES)
        return 0;
    qsort(gaps, (size_t)n - 1, sizeof(gaps[0]), by_size);
    int64_t median = gaps[(n - 1) / 2], slack = median / 10 > 250 ? median / 10 : 250;
    for (int i = 0; i < n - 1; i++)
        regular += gaps[i] >= median - slack && gaps[i] <= median + slack;
    return median >= 900 && regular * 5 >= (n - 1) * 4 ? median : 0;
}

static void *open_state(const struct evs_lint_topic *t, void *shared)
{
    (void)t;
    return shared;
}

static void judge(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    struct shared *s = state;
    size_t len = strlen(t->name) + 1;
    struct evs_map told = EVS_MAP_INIT;
    for (size_t i = 0; i < s->series.n; i++) {
        const struct evs_map_item *item = &s->series.items[i];
        const char *group = item->key + len;
        int still, times;
        if (item->key_len <= len || memcmp(item->key, t->name, len) != 0)
            continue;
        int64_t every = clock_of(item->value, &still, &times);
        if (!every || still < MIN_STILL || *evs_map_puts(&told, group))
            continue;
        *evs_map_puts(&told, group) = s;
        char text[EVS_NUM_LEN];
        int32_t partition;
        memcpy(&partition, item->key + item->key_len - sizeof(partition), sizeof(partition));
        struct evs_jsonw *w = evs_lint_add(out, EVS_SEV_INFO, partition,
                                           "%s commits every %s, also when nothing moved", group,
                                           evs_num_ago(text, every));
        evs_jsonw_str(w, "group", group);
        evs_jsonw_i64(w, "interval_ms", every);
        evs_jsonw_i64(w, "commits", times);
        evs_jsonw_i64(w, "commits_without_progress", still);
        evs_lint_close(out,
                       "Looks like enable.auto.commit: what was fetched counts as done. Commit "
                       "after the work instead, then a crash repeats records but loses none.");
    }
    evs_map_done(&told, NULL);
}

const struct evs_lint_rule evs_lint_auto_commit = {
    .name = "auto-commit-risk",
    .help = "groups that commit by the clock, done or not",
    .begin = begin,
    .end = end,
    .open = open_state,
    .judge = judge,
};
