/* doctor_clock.c - whether the clocks agree. No request of Kafka tells the time; its records do.
 *
 * A record that arrives while we look was stamped within a moment that we know by our own clock: by
 * its broker (LogAppendTime, and the commits of groups), or by its producer. Where nothing is
 * written, records from the future are all that can be told.
 */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/num.h"
#include "core/thread.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "kafka/doctor_int.h"
#include "kafka/peek.h"

enum {
    PLACES = 200,    /* partitions watched */
    A_TOPIC = 8,     /* of one topic */
    FUTURES = 20,    /* partitions whose newest record is read */
    CLOSE_MS = 100,  /* what a way over the network may take */
    SLACK_MS = 2000, /* a difference that hurts nobody */
    WATCH_MS = 1200,
    LOOK_MS = 150,
    PEEK_MS = 5000
};
#define OFFSETS_TOPIC "__consumer_offsets"

struct watched {
    struct evs_offset_ask was[PLACES], now[PLACES];
    size_t n;
};

static size_t list_places(const struct evs_doctor *d, struct evs_offset_ask *to)
{
    size_t n = 0;
    for (int i = 0; i < d->meta->n_topics; i++) {
        const struct evs_meta_topic *t = &d->meta->topics[i];
        bool offsets = !strcmp(t->name, OFFSETS_TOPIC);
        int most = offsets ? t->n_partitions : A_TOPIC;
        for (int p = 0; p < t->n_partitions && p < most && n < PLACES; p++)
            to[n++] = (struct evs_offset_ask){
                .topic = t->name, .partition = t->partitions[p].partition, .ts_ms = EVS_TS_END};
    }
    return n;
}

/* A record that arrived: when it can have been stamped by our clock, and by whose clock it was. */
struct arrival {
    int64_t ts_ms, after_ms, before_ms;
    bool by_broker;
};

static bool read_arrival(struct evs_doctor *d, struct evs_peek *peek, const struct watched *w,
                         struct arrival *a)
{
    struct evs_err err = EVS_ERR_INIT;
    bool found = false;
    for (size_t i = 0; i < w->n && !(found && a->by_broker); i++) {
        bool moved = !w->was[i].native && !w->now[i].native && w->was[i].offset >= 0 &&
                     w->now[i].offset > w->was[i].offset;
        struct evs_peek_ask ask = {.topic = w->was[i].topic,
                                   .partition = w->was[i].partition,
                                   .offset = w->was[i].offset,
                                   .to = w->now[i].offset,
                                   .max = 1,
                                   .keep = true};
        if (!moved || evs_peek_run(peek, &ask, 1, PEEK_MS, &err) || !ask.first)
            continue;
        bool by_broker = ask.first->tstype == EVS_TS_LOGAPPEND || !strcmp(ask.topic, OFFSETS_TOPIC);
        if (ask.first_ts > 0 && (!found || by_broker)) {
            a->ts_ms = ask.first_ts;
            a->by_broker = by_broker;
            found = true;
        }
        evs_event_free(ask.first);
    }
    (void)d;
    return found;
}

/* Waits for a record to arrive anywhere; a moment longer for one that a broker has stamped. */
static bool watch(struct evs_doctor *d, struct arrival *ret_a)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_peek *peek = NULL;
    struct watched *w = evs_xcalloc(1, sizeof(*w));
    bool found = false;
    int64_t end_us = evs_clock_mono_us() + (int64_t)WATCH_MS * 1000;
    w->n = list_places(d, w->was);
    memcpy(w->now, w->was, sizeof(w->now));
    int64_t sent_ms = evs_clock_wall_ms();
    bool ok = w->n && !evs_peek_open(d->client, EVS_READ_UNCOMMITTED, &peek, &err) &&
              !evs_meta_offsets(d->client, w->was, w->n, EVS_READ_UNCOMMITTED, NULL, &err);
    while (ok && !(found && ret_a->by_broker) && evs_clock_mono_us() < end_us) {
        struct evs_stop none = {.wake = {{-1, -1}}};
        if (evs_stop_wait(d->opts->stop ? d->opts->stop : &none, LOOK_MS))
            break;
        int64_t asked_ms = evs_clock_wall_ms();
        ok = !evs_meta_offsets(d->client, w->now, w->n, EVS_READ_UNCOMMITTED, NULL, &err);
        struct arrival a = {.after_ms = sent_ms, .before_ms = evs_clock_wall_ms()};
        if (ok && read_arrival(d, peek, w, &a) && (!found || a.by_broker)) {
            *ret_a = a;
            found = true;
        }
        memcpy(w->was, w->now, sizeof(w->was));
        sent_ms = asked_ms;
    }
    evs_peek_close(peek);
    evs_free(w);
    return found;
}

static int64_t newest_record(struct evs_doctor *d)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_offset_ask ends[FUTURES];
    struct evs_peek_ask asks[FUTURES];
    struct evs_peek *peek = NULL;
    size_t n = 0, m = 0;
    int64_t newest = -1;
    for (int i = 0; i < d->meta->n_topics && n < FUTURES; i++)
        if (d->meta->topics[i].n_partitions)
            ends[n++] =
                (struct evs_offset_ask){.topic = d->meta->topics[i].name, .ts_ms = EVS_TS_END};
    if (!n || evs_meta_offsets(d->client, ends, n, EVS_READ_UNCOMMITTED, NULL, &err) ||
        evs_peek_open(d->client, EVS_READ_UNCOMMITTED, &peek, &err))
        return -1;
    for (size_t i = 0; i < n; i++)
        if (ends[i].offset > 0)
            asks[m++] = (struct evs_peek_ask){
                .topic = ends[i].topic, .offset = ends[i].offset - 1, .to = INT64_MAX, .max = 1};
    if (m && !evs_peek_run(peek, asks, m, PEEK_MS, &err))
        for (size_t i = 0; i < m; i++)
            newest = asks[i].done && asks[i].first_ts > newest ? asks[i].first_ts : newest;
    evs_peek_close(peek);
    return newest;
}

static void tell_arrival(struct evs_doctor *d, const struct arrival *a)
{
    char text[EVS_NUM_LEN];
    int64_t low = a->ts_ms - a->before_ms, high = a->ts_ms - a->after_ms; /* theirs less ours */
    int64_t off = low > 0 ? low : high < 0 ? -high : 0;
    const char *whose = a->by_broker ? "a broker's" : "a producer's";
    const char *how = a->by_broker ? "so says a record it stamped"
                                   : "so says the newest record (brokers stamp none here)";
    if (off < CLOSE_MS)
        evs_doctor_say(d, "clock", EVS_STEP_OK, NULL,
                       "%s clock agrees with this machine's within %s: %s", whose,
                       evs_num_ago(text, off           ? CLOSE_MS
                                         : -low > high ? -low
                                                       : high),
                       how);
    else if (off <= SLACK_MS)
        evs_doctor_say(d, "clock", EVS_STEP_OK, NULL, "%s clock is %s %s this machine's: %s", whose,
                       evs_num_ago(text, off), low > 0 ? "ahead of" : "behind", how);
    else if (a->by_broker || low > 0)
        evs_doctor_say(d, "clock", EVS_STEP_FAILED,
                       a->by_broker ? "set the broker's clock or this machine's (timedatectl)"
                                    : "set the producer's clock or this machine's (timedatectl)",
                       "%s clock is at least %s %s this machine's: %s", whose,
                       evs_num_ago(text, off), low > 0 ? "ahead of" : "behind", how);
    else
        evs_doctor_say(d, "clock", EVS_STEP_NOTE, NULL,
                       "a record that arrived meanwhile says it was made %s ago: its producer's "
                       "clock is behind, or it took so long to get here",
                       evs_num_ago(text, off));
}

void evs_doctor_clock(struct evs_doctor *d)
{
    struct arrival a = {0};
    char text[EVS_NUM_LEN];
    int64_t newest = newest_record(d), ahead = newest - evs_clock_wall_ms();
    if (newest >= 0 && ahead > SLACK_MS)
        evs_doctor_say(d, "clock", EVS_STEP_FAILED,
                       "set this machine's clock (timedatectl), or the producer's",
                       "the newest record is %s ahead of this machine's clock",
                       evs_num_ago(text, ahead));
    else if (watch(d, &a))
        tell_arrival(d, &a);
    else if (newest < 0)
        evs_doctor_say(d, "clock", EVS_STEP_NOTE, NULL, "cannot be told: no record carries a time");
    else
        evs_doctor_say(d, "clock", EVS_STEP_OK, NULL,
                       "no record is from the future (the newest is %s old); nothing was written "
                       "meanwhile, so a clock that is behind cannot be told",
                       evs_num_ago(text, -ahead));
}
