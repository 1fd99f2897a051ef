/* messages.c - eventscope messages: browse, search, tail.
 *
 * Workers filter and format into batches of their own; the main thread writes them. A partition
 * belongs to one worker and batches of a worker keep their order, so each partition comes out in
 * offset order.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "browse/envelope.h"
#include "cli/cmds.h"
#include "cli/messages.h"
#include "cli/out.h"
#include "cli/session.h"
#include "core/clock.h"
#include "core/num.h"
#include "core/queue.h"
#include "core/xalloc.h"
#include "filter/filter.h"
#include "kafka/client.h"
#include "kafka/growth.h"
#include "kafka/reader.h"

enum {
    BATCH_BYTES = 128 << 10,
    BATCH_CAP = 1 << 30,
    BATCHES = 48,
    QUEUED_BYTES = 8 << 20,
    SMALL_SPAN = 20000,
    WORKERS_MAX = 16
};

static const struct evs_opt opts[] = {
    {'f', "format", EVS_OPT_STR, "FMT", NULL,
     "kcat's tokens: %t %p %o %k %s %K %S %T %h and \\n \\t \\xHH"},
    {'n', NULL, EVS_OPT_INT, NULL, NULL, NULL, .same_as = "count"},
    {0, "decode", EVS_OPT_FLAG, NULL, NULL, "show keys and values decoded; JSON gains \"value\""},
    {0, "sort", EVS_OPT_CHOICE, "ORDER", "partition",
     "time merges the partitions by (timestamp, partition, offset); with --follow a record waits "
     "up to 0.5 s for older ones of other partitions",
     "partition|time"},
    {0, "gaps", EVS_OPT_FLAG, NULL, NULL, "tell why offsets are missing between records"},
    {0, "raw", EVS_OPT_FLAG, NULL, NULL, "with --format: bytes as they are; not to a terminal"},
    {0},
};

static enum evs_rc setup(struct evs_cli *cli, struct evs_dump *d, struct evs_err *err)
{
    const struct evs_opts *o = &cli->opts;
    const char *format = evs_opts_str(o, "format");
    d->json = cli->json && !format;
    d->decode = evs_opts_given(o, "decode");
    d->raw = evs_opts_given(o, "raw");
    d->follow = evs_opts_given(o, "follow");
    d->count = evs_opts_int(o, "count");
    if (d->raw && !format)
        return evs_fail(err, EVS_INVALID, "--raw needs --format");
    if (d->raw && isatty(STDOUT_FILENO)) {
        evs_fail(err, EVS_INVALID, "--raw: standard output is a terminal");
        return evs_hint(err, "redirect it to a file or a program");
    }
    bool gaps = evs_opts_given(o, "gaps");
    if (gaps && (d->follow || format || !strcmp(evs_opts_str(o, "sort"), "time")))
        return evs_fail(err, EVS_INVALID, "--gaps goes with neither --follow, --format nor --sort");
    if (format) {
        enum evs_rc rc = evs_format_new(format, &d->format, err);
        if (rc)
            return rc;
    }
    return evs_session_filter(cli, &d->filter, err);
}

void evs_dump_put(const struct evs_dump *d, struct evs_buf *out, struct evs_event *ev)
{
    if (d->format) {
        evs_format_put(d->format, out, ev, d->raw);
        return;
    }
    if (d->json)
        evs_envelope_json(out, ev, d->decode);
    else
        evs_envelope_text(out, ev, d->decode);
    evs_buf_addc(out, '\n');
}

enum evs_rc evs_dump_write(struct evs_dump *d, const void *p, size_t n, struct evs_err *err)
{
    const char *at = p;
    evs_progress_clear();
    while (n) {
        ssize_t done = write(STDOUT_FILENO, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && errno == EPIPE) {
            d->gone = true;
            return EVS_EOF;
        }
        if (done < 0)
            return evs_fail_errno(err, errno, "standard output");
        at += done;
        n -= (size_t)done;
    }
    return EVS_OK;
}

/* --- the fast way: workers format, we write --- */

struct batches {
    struct evs_dump *d;
    struct evs_queue *full, *spare, *problems;
    struct evs_filter *filters[WORKERS_MAX];
    struct evs_buf *open[WORKERS_MAX];
    atomic_llong kept;
    atomic_bool too_large;
};

static void free_buf(void *item)
{
    evs_buf_done(item);
    evs_free(item);
}

static struct evs_buf *open_batch(struct batches *b, int worker)
{
    void *item;
    if (b->open[worker])
        return b->open[worker];
    if (evs_queue_pop(b->spare, 0, &item)) {
        struct evs_buf *buf = evs_xcalloc(1, sizeof(*buf));
        *buf = (struct evs_buf)EVS_BUF_INIT(BATCH_CAP);
        item = buf;
    }
    b->open[worker] = item;
    return item;
}

static bool send_batch(struct batches *b, int worker)
{
    struct evs_buf *buf = b->open[worker];
    if (!buf || !buf->len)
        return true;
    b->open[worker] = NULL;
    if (!evs_queue_push(b->full, buf, buf->len, -1))
        return true;
    free_buf(buf);
    return false; /* closed: nobody reads any more */
}

static bool on_event(void *ctx, int worker, struct evs_event *ev)
{
    struct batches *b = ctx;
    if (!evs_filter_keeps(b->filters[worker], ev))
        return true;
    int64_t nth = atomic_fetch_add_explicit(&b->kept, 1, memory_order_relaxed) + 1;
    if (b->d->count && nth > b->d->count)
        return false;
    struct evs_buf *buf = open_batch(b, worker);
    evs_dump_put(b->d, buf, ev);
    if (buf->over) {
        atomic_store(&b->too_large, true);
        return false;
    }
    if (buf->len >= BATCH_BYTES && !send_batch(b, worker))
        return false;
    return nth != b->d->count;
}

static void on_idle(void *ctx, int worker)
{
    (void)send_batch(ctx, worker);
}

static void on_problem(void *ctx, int worker, int32_t partition, const struct evs_err *err)
{
    struct batches *b = ctx;
    struct evs_err *copy = evs_xmemdup(err, sizeof(*err));
    (void)worker;
    (void)partition;
    if (evs_queue_push(b->problems, copy, 1, 0))
        evs_free(copy);
}

static void on_done(void *ctx)
{
    struct batches *b = ctx;
    evs_queue_close(b->full);
}

/* --- partitions that were added since the start --- */

struct grown {
    struct evs_reader *r; /* of all those; NULL none yet */
    int32_t first, known;
    int64_t records; /* of readers before r */
};

static void on_grown_done(void *ctx)
{
    struct batches *b = ctx;
    if (b->d->count && atomic_load(&b->kept) >= b->d->count)
        evs_queue_close(b->full); /* enough */
}

static void end_grown(struct grown *gr)
{
    struct evs_reader_progress p = {0};
    if (gr->r)
        evs_reader_progress(gr->r, &p);
    gr->records += p.records;
    evs_reader_free(gr->r);
    gr->r = NULL;
}

static struct evs_ranges *ranges_of(const struct batches *b, const struct grown *gr, int32_t n)
{
    struct evs_ranges *all = evs_xcalloc(1, sizeof(*all));
    all->topic = evs_xstrdup(b->d->ranges->topic);
    all->isolation = b->d->ranges->isolation;
    all->topic_partitions = n;
    all->n = (size_t)(n - gr->first);
    all->parts = evs_xcalloc(all->n, sizeof(*all->parts));
    for (int32_t p = gr->first; p < n; p++) {
        int64_t at = gr->r ? evs_reader_position(gr->r, p) : 0;
        all->parts[p - gr->first] = (struct evs_range){
            .partition = p, .leader = -1, .from = at < 0 ? 0 : at, .to = EVS_RANGE_OPEN};
    }
    return all;
}

static void take_growth(struct evs_cli *cli, struct batches *b, struct grown *gr)
{
    static const struct evs_reader_ops ops = {
        .event = on_event, .idle = on_idle, .problem = on_problem, .done = on_grown_done};
    struct evs_err err = EVS_ERR_INIT;
    int32_t n = evs_growth_partitions(b->d->growth);
    if (n <= gr->known)
        return;
    if (gr->r) {
        evs_reader_stop(gr->r);
        (void)!evs_reader_wait(gr->r, -1, &err);
    }
    struct evs_ranges *all = ranges_of(b, gr, n);
    struct evs_reader_opts ro = {
        .profile = EVS_READER_TAIL, .workers = 1, .first_worker = WORKERS_MAX - 1, .patient = true};
    end_grown(gr);
    evs_progress_clear();
    if (evs_reader_start(b->d->client, all, &ro, &ops, b, &gr->r, &err))
        evs_cli_warn(cli, "new partitions are not read: %s", err.msg);
    else
        evs_cli_warn(cli, "%s has %d partitions now, up from %d", all->topic, n, gr->known);
    gr->known = n;
    evs_ranges_free(all);
}

/* Warnings at once; the first partition that was given up decides how we end. */
void evs_dump_problem(const struct evs_cli *cli, struct evs_dump *d, const struct evs_err *err)
{
    if (err->code == EVS_RETRY && !d->follow && !cli->verbose) {
        return; /* it heals, or ends in one error that says the same */
    } else if (err->code != EVS_FATAL) {
        evs_progress_clear();
        evs_cli_warn(cli, "%s%s", err->msg, err->code == EVS_RETRY ? "; trying again" : "");
        d->lost = d->lost || err->code == EVS_POISON;
    } else if (d->failures++ == 0) {
        d->failure = *err;
    }
}

static void take_problems(const struct evs_cli *cli, struct batches *b)
{
    void *item;
    while (!evs_queue_pop(b->problems, 0, &item)) {
        evs_dump_problem(cli, b->d, item);
        evs_free(item);
    }
}

static void show_progress(const struct evs_reader *r, int64_t start_us, int64_t kept)
{
    struct evs_reader_progress p;
    char passed[EVS_NUM_LEN], keep[EVS_NUM_LEN], rate[EVS_NUM_LEN];
    double seconds = (double)(evs_clock_mono_us() - start_us) / 1e6;
    evs_reader_progress(r, &p);
    evs_progress("%s records read, %s kept, %s/s%s", evs_num_commas(passed, p.records),
                 evs_num_commas(keep, kept), evs_num_human(rate, (double)p.records / seconds),
                 p.troubled ? ", waiting for a leader" : "");
}

static enum evs_rc write_all(struct evs_cli *cli, struct batches *b, struct evs_reader *r,
                             struct grown *gr, struct evs_err *err)
{
    int64_t start_us = evs_clock_mono_us();
    for (;;) {
        void *item;
        enum evs_rc rc = evs_queue_pop(b->full, 100, &item);
        if (rc == EVS_EOF)
            return EVS_OK;
        if (!rc) {
            struct evs_buf *buf = item;
            rc = evs_dump_write(b->d, buf->data, buf->len, err);
            evs_buf_reset(buf);
            if (buf->alloc > 2 * BATCH_BYTES || evs_queue_push(b->spare, buf, 1, 0))
                free_buf(buf);
            if (rc) {
                evs_queue_close(b->full);
                evs_reader_stop(r);
                return rc == EVS_EOF ? EVS_OK : rc;
            }
        }
        take_problems(cli, b);
        take_growth(cli, b, gr);
        if (evs_stop_raised(cli->stop))
            evs_reader_stop(r);
        show_progress(r, start_us, atomic_load(&b->kept));
    }
}

static enum evs_reader_profile profile_of(const struct evs_dump *d)
{
    int64_t span = evs_ranges_span(d->ranges);
    if (d->count && d->count < SMALL_SPAN && !d->filter)
        return EVS_READER_BROWSE;
    return span > SMALL_SPAN ? EVS_READER_SCAN : d->follow ? EVS_READER_TAIL : EVS_READER_BROWSE;
}

static enum evs_rc run_reader(struct evs_cli *cli, struct batches *b, struct evs_err *err)
{
    static const struct evs_reader_ops ops = {
        .event = on_event, .idle = on_idle, .problem = on_problem, .done = on_done};
    struct evs_dump *d = b->d;
    struct evs_reader_opts ro = {.profile = profile_of(d), .patient = d->follow};
    struct evs_reader *r = NULL;
    enum evs_rc rc = evs_reader_start(d->client, d->ranges, &ro, &ops, b, &r, err);
    if (rc)
        return rc;
    struct grown gr = {.first = d->ranges->topic_partitions, .known = d->ranges->topic_partitions};
    rc = write_all(cli, b, r, &gr, err);
    evs_queue_close(b->full);
    if (gr.r)
        evs_reader_stop(r); /* it was the other that had enough */
    end_grown(&gr);
    if (!rc && !d->gone) {
        rc = evs_reader_wait(r, -1, err);
        rc = rc == EVS_EOF ? EVS_OK : rc;
    }
    take_problems(cli, b);
    struct evs_reader_progress p;
    evs_reader_progress(r, &p);
    d->read = p.records + gr.records;
    d->passed = p.passed;
    evs_reader_free(r);
    if (!rc && atomic_load(&b->too_large))
        rc = evs_fail(err, EVS_FATAL, "a record is larger than 1 GiB as text");
    return rc;
}

static enum evs_rc dump_fast(struct evs_cli *cli, struct evs_dump *d, struct evs_err *err)
{
    struct batches b = {.d = d};
    b.full = evs_queue_new(BATCHES, QUEUED_BYTES, free_buf);
    b.spare = evs_queue_new(BATCHES, BATCHES, free_buf);
    b.problems = evs_queue_new(1000, 1000, evs_free);
    for (int i = 0; d->filter && i < WORKERS_MAX; i++)
        b.filters[i] = evs_filter_clone(d->filter);
    enum evs_rc rc = run_reader(cli, &b, err);
    int64_t kept = atomic_load(&b.kept);
    d->kept = d->count && kept > d->count ? d->count : kept;
    for (int i = 0; i < WORKERS_MAX; i++) {
        d->unjudged += (int64_t)evs_filter_faults(b.filters[i]);
        evs_filter_free(b.filters[i]);
        if (b.open[i])
            free_buf(b.open[i]);
    }
    evs_queue_free(b.full);
    evs_queue_free(b.spare);
    evs_queue_free(b.problems);
    return rc;
}

/* --- the command --- */

static int end_code(struct evs_cli *cli, struct evs_dump *d)
{
    char passed[EVS_NUM_LEN], span[EVS_NUM_LEN];
    if (d->failures) {
        if (d->failures > 1)
            (void)!evs_wrap(&d->failure, "%d partitions could not be read", d->failures);
        return evs_cli_fail(&d->failure);
    }
    bool enough = d->count && d->kept >= d->count;
    d->unjudged += (int64_t)evs_filter_faults(d->filter);
    if (d->unjudged && !evs_stop_raised(cli->stop))
        evs_cli_warn(cli, "%s record%s could not be judged by the filter and %s not kept",
                     evs_num_commas(passed, d->unjudged), d->unjudged == 1 ? "" : "s",
                     d->unjudged == 1 ? "was" : "were");
    if (d->lost)
        return EVS_EXIT_STOPPED;
    if (d->gone || d->follow || enough || !evs_stop_raised(cli->stop))
        return EVS_EXIT_OK;
    evs_cli_warn(cli, "stopped: incomplete, %s of %s offsets were read",
                 evs_num_commas(passed, d->passed),
                 evs_num_commas(span, evs_ranges_span(d->ranges)));
    return EVS_EXIT_STOPPED;
}

static enum evs_rc dump(struct evs_cli *cli, struct evs_dump *d, struct evs_err *err)
{
    enum evs_rc rc = setup(cli, d, err);
    if (!rc)
        rc = evs_session_client(cli, &d->client, err);
    if (!rc)
        rc = evs_session_ranges(cli, d->client, cli->args[0], &d->ranges, err);
    if (rc)
        return rc;
    if (!d->json && !d->format && !cli->quiet) {
        evs_out_text("%s", evs_envelope_heading);
        if (evs_out_finish(err))
            return err->code;
    }
    evs_progress_enable(!cli->quiet && !isatty(STDOUT_FILENO));
    if (d->follow && !evs_opts_given(&cli->opts, "partitions"))
        rc = evs_growth_start(d->client, d->ranges->topic, d->ranges->topic_partitions, &d->growth,
                              err);
    if (rc)
        return rc;
    if (evs_opts_given(&cli->opts, "gaps"))
        return evs_dump_gaps(cli, d, err);
    if (!strcmp(evs_opts_str(&cli->opts, "sort"), "time"))
        return evs_dump_sorted(cli, d, err);
    return dump_fast(cli, d, err);
}

static int run(struct evs_cli *cli)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_dump d = {0};
    enum evs_rc rc = dump(cli, &d, &err);
    evs_progress_clear();
    int code = rc ? evs_cli_fail(&err) : end_code(cli, &d);
    evs_growth_free(d.growth);
    evs_ranges_free(d.ranges);
    evs_filter_free(d.filter);
    evs_format_free(d.format);
    evs_client_free(d.client);
    return code;
}

const struct evs_cmd evs_cmd_messages = {
    .name = "messages",
    .args = "TOPIC",
    .summary = "browse, search, tail",
    .about = "Text by default; --json gives kcat's envelope, one object a line; --format kcat's "
             "format strings. Without --sort each partition comes in its own order.",
    .example = "  eventscope messages shop.orders -o -10 -p 3\n"
               "  eventscope messages shop.orders --since 15m --grep refund --json\n"
               "  eventscope messages shop.orders -k '=User:123' -f '%p %o %s\\n'",
    .opts = opts,
    .groups = EVS_CMD_CLUSTER | EVS_CMD_TOPIC | EVS_CMD_READ | EVS_CMD_KEEP,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
