/* messages_ordered.c - the ways of `eventscope messages` that need one stream: --sort time,
 * --gaps. */
#include <string.h>

#include "browse/gaps.h"
#include "cli/cli.h"
#include "cli/messages.h"
#include "cli/out.h"
#include "core/clock.h"
#include "core/num.h"
#include "filter/filter.h"
#include "kafka/configs.h"
#include "kafka/growth.h"
#include "kafka/merge.h"
#include "kafka/range.h"

enum { BATCH_BYTES = 128 << 10, BATCH_CAP = 1 << 30, WAIT_MS = 100, PROGRESS_EVERY = 4096 };

struct ordered {
    struct evs_cli *cli;
    struct evs_dump *d;
    struct evs_merge *merge;
    struct evs_buf out;
    int64_t start_us;
    int32_t partitions; /* of the topic, that are known */
};

static enum evs_rc flush(struct ordered *o, struct evs_err *err)
{
    enum evs_rc rc = evs_buf_check(&o->out, "a record as text", err);
    if (!rc && o->out.len)
        rc = evs_dump_write(o->d, o->out.data, o->out.len, err);
    evs_buf_reset(&o->out);
    return rc;
}

static void progress(const struct ordered *o)
{
    char read[EVS_NUM_LEN], kept[EVS_NUM_LEN], rate[EVS_NUM_LEN];
    double seconds = (double)(evs_clock_mono_us() - o->start_us) / 1e6;
    evs_progress("%s records read, %s kept, %s/s", evs_num_commas(read, o->d->read),
                 evs_num_commas(kept, o->d->kept),
                 evs_num_human(rate, (double)o->d->read / seconds));
}

/* EVS_EOF when enough was kept. */
static enum evs_rc put(struct ordered *o, struct evs_event *ev, struct evs_err *err)
{
    struct evs_dump *d = o->d;
    d->read++;
    if (d->read % PROGRESS_EVERY == 0)
        progress(o);
    if (!evs_filter_keeps(d->filter, ev))
        return EVS_OK;
    evs_dump_put(d, &o->out, ev);
    d->kept++;
    enum evs_rc rc = o->out.len >= BATCH_BYTES ? flush(o, err) : EVS_OK;
    return !rc && d->count && d->kept >= d->count ? EVS_EOF : rc;
}

static void take_growth(struct ordered *o)
{
    const char *topic = o->d->ranges->topic;
    int32_t n = evs_growth_partitions(o->d->growth);
    if (n <= o->partitions)
        return;
    evs_progress_clear();
    evs_cli_warn(o->cli, "%s has %d partitions now, up from %d", topic, n, o->partitions);
    for (; o->partitions < n; o->partitions++)
        evs_merge_add(o->merge, o->partitions, 0, EVS_RANGE_OPEN);
}

/* The next record, or EVS_AGAIN only when we were told to stop. */
static enum evs_rc next(struct ordered *o, struct evs_event **ret_ev, struct evs_err *err)
{
    for (;;) {
        if (o->d->growth)
            take_growth(o);
        enum evs_rc rc = evs_merge_next(o->merge, 0, ret_ev, err);
        if (rc == EVS_AGAIN) {
            rc = flush(o, err);
            if (!rc)
                rc = evs_merge_next(o->merge, WAIT_MS, ret_ev, err);
        }
        if (rc != EVS_AGAIN || evs_stop_raised(o->cli->stop))
            return rc;
        progress(o);
    }
}

static enum evs_rc read_sorted(struct ordered *o, struct evs_err *err)
{
    struct evs_event *ev;
    enum evs_rc rc = EVS_OK;
    while (!rc && !evs_stop_raised(o->cli->stop)) {
        rc = next(o, &ev, err);
        if (!rc)
            rc = put(o, ev, err);
    }
    return rc;
}

enum evs_rc evs_dump_sorted(struct evs_cli *cli, struct evs_dump *d, struct evs_err *err)
{
    struct ordered o = {.cli = cli,
                        .d = d,
                        .out = EVS_BUF_INIT(BATCH_CAP),
                        .start_us = evs_clock_mono_us(),
                        .partitions = d->ranges->topic_partitions};
    enum evs_rc rc = evs_merge_open(d->client, d->ranges, &o.merge, err);
    if (rc)
        return rc;
    rc = read_sorted(&o, err);
    if (!rc || rc == EVS_EOF || rc == EVS_AGAIN)
        rc = d->gone ? EVS_OK : flush(&o, err);
    for (size_t i = 0; i < d->ranges->n; i++) {
        const struct evs_range *p = &d->ranges->parts[i];
        d->passed += p->error ? 0 : evs_merge_position(o.merge, p->partition) - p->from;
    }
    int64_t disorder = evs_merge_disorder(o.merge);
    if (disorder && !rc) {
        char text[EVS_NUM_LEN];
        evs_progress_clear();
        evs_cli_warn(cli,
                     "%s records are older than the one before them in their partition; "
                     "their partition's order was kept",
                     evs_num_commas(text, disorder));
    }
    evs_merge_close(o.merge);
    evs_buf_done(&o.out);
    return rc == EVS_EOF ? EVS_OK : rc;
}

/* --- gaps --- */

static enum evs_rc put_gap(struct ordered *o, struct evs_gaps *gaps, int32_t partition,
                           int64_t from, int64_t to, struct evs_err *err)
{
    struct evs_gap gap;
    enum evs_rc rc = evs_gaps_explain(gaps, partition, from, to, &gap, err);
    if (rc)
        return rc;
    if (o->d->json) {
        evs_gap_json(&o->out, &gap);
    } else {
        evs_buf_printf(&o->out, "%4d %12lld - %lld  ", partition, (long long)from,
                       (long long)to - 1);
        evs_gap_text(&o->out, &gap);
    }
    evs_buf_addc(&o->out, '\n');
    return EVS_OK;
}

static enum evs_rc read_with_gaps(struct ordered *o, struct evs_gaps *gaps,
                                  const struct evs_range *part, struct evs_err *err)
{
    int64_t at = part->from;
    for (;;) {
        struct evs_event *ev = NULL;
        enum evs_rc rc = next(o, &ev, err);
        if (rc && rc != EVS_EOF)
            return rc;
        int64_t to = rc ? part->to : ev->offset;
        enum evs_rc gap_rc = to > at ? put_gap(o, gaps, part->partition, at, to, err) : EVS_OK;
        if (gap_rc)
            return gap_rc;
        if (rc)
            return EVS_OK;
        at = to + 1;
        rc = put(o, ev, err);
        if (rc)
            return rc;
        if (evs_stop_raised(o->cli->stop))
            return EVS_AGAIN;
    }
}

static enum evs_rc gaps_of_part(struct ordered *o, size_t at, const char *policy,
                                struct evs_err *err)
{
    struct evs_ranges one = *o->d->ranges;
    one.parts = &o->d->ranges->parts[at];
    one.n = 1;
    struct evs_gaps *gaps = NULL;
    enum evs_rc rc = evs_merge_open(o->d->client, &one, &o->merge, err);
    if (!rc)
        rc = evs_gaps_open(o->d->client, &one, policy, &gaps, err);
    if (!rc)
        rc = read_with_gaps(o, gaps, one.parts, err);
    if (o->merge)
        o->d->passed += evs_merge_position(o->merge, one.parts->partition) - one.parts->from;
    evs_gaps_close(gaps);
    evs_merge_close(o->merge);
    o->merge = NULL;
    return rc;
}

enum evs_rc evs_dump_gaps(struct evs_cli *cli, struct evs_dump *d, struct evs_err *err)
{
    struct ordered o = {
        .cli = cli, .d = d, .out = EVS_BUF_INIT(BATCH_CAP), .start_us = evs_clock_mono_us()};
    struct evs_topic_config config = {.topic = d->ranges->topic};
    struct evs_err unused = EVS_ERR_INIT;
    (void)!evs_topic_configs(d->client, &config, 1, &unused); /* a policy unknown is said so */
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; !rc && i < d->ranges->n; i++) {
        const struct evs_range *part = &d->ranges->parts[i];
        if (part->error) {
            (void)!evs_fail(err, EVS_FATAL, "partition %d of %s: %s", part->partition,
                            d->ranges->topic, part->error);
            evs_dump_problem(cli, d, err);
        } else {
            rc = gaps_of_part(&o, i, config.cleanup_policy, err);
        }
    }
    if (!rc || rc == EVS_EOF || rc == EVS_AGAIN)
        rc = d->gone ? EVS_OK : flush(&o, err);
    evs_topic_configs_done(&config, 1);
    evs_buf_done(&o.out);
    return rc == EVS_EOF ? EVS_OK : rc;
}
