#include "browse/times.h"

#include "core/clock.h"
#include "core/xalloc.h"
#include "kafka/peek.h"

enum { LAST_BACK = 16, LAST_GROW = 64, CHUNK = 500 };

static struct evs_peek_ask *new_asks(const struct evs_time_ask *asks, size_t n)
{
    struct evs_peek_ask *to = evs_xcalloc(n + 1, sizeof(*to));
    for (size_t i = 0; i < n; i++)
        to[i] = (struct evs_peek_ask){.topic = asks[i].topic,
                                      .partition = asks[i].partition,
                                      .offset = asks[i].from,
                                      .to = asks[i].to,
                                      .max = 1};
    return to;
}

static enum evs_rc first(struct evs_peek *p, struct evs_time_ask *asks, size_t n,
                         struct evs_err *err)
{
    struct evs_peek_ask *looks = new_asks(asks, n);
    enum evs_rc rc = evs_peek_run(p, looks, n, EVS_TIMES_MS, err);
    for (size_t i = 0; !rc && i < n; i++)
        asks[i].ts_ms = looks[i].first_ts;
    evs_free(looks);
    return rc;
}

/* Where to look in this step: the stretch before the one looked at last, LAST_GROW times as long.
 * */
static bool step_back(const struct evs_time_ask *ask, struct evs_peek_ask *look, int64_t back)
{
    bool settled =
        look->records || (back > LAST_BACK && (!look->done || look->offset <= ask->from));
    look->to = back == LAST_BACK ? ask->to : look->offset;
    look->offset = ask->to - ask->from > back ? ask->to - back : ask->from;
    look->max = INT64_MAX;
    if (settled)
        look->to = look->offset = ask->from; /* nothing more to see */
    return !settled && look->to > look->offset;
}

static enum evs_rc last(struct evs_peek *p, struct evs_time_ask *asks, size_t n,
                        struct evs_err *err)
{
    struct evs_peek_ask *looks = new_asks(asks, n);
    enum evs_rc rc = EVS_OK;
    int64_t until_us = evs_clock_mono_us() + EVS_TIMES_MS * 1000LL;
    for (int64_t back = LAST_BACK; !rc && evs_clock_mono_us() < until_us; back *= LAST_GROW) {
        size_t open = 0;
        for (size_t i = 0; i < n; i++)
            open += step_back(&asks[i], &looks[i], back);
        if (!open)
            break;
        rc = evs_peek_run(p, looks, n, (until_us - evs_clock_mono_us()) / 1000, err);
        for (size_t i = 0; !rc && i < n; i++)
            if (looks[i].records)
                asks[i].ts_ms = looks[i].last_ts;
    }
    evs_free(looks);
    return rc;
}

static enum evs_rc
look(struct evs_client *c, enum evs_isolation isolation, struct evs_time_ask *asks, size_t n,
     enum evs_rc (*how)(struct evs_peek *, struct evs_time_ask *, size_t, struct evs_err *),
     struct evs_err *err)
{
    struct evs_peek *p = NULL;
    for (size_t i = 0; i < n; i++)
        asks[i].ts_ms = -1;
    enum evs_rc rc = n ? evs_peek_open(c, isolation, &p, err) : EVS_OK;
    for (size_t i = 0; !rc && i < n; i += CHUNK)
        rc = how(p, asks + i, n - i < CHUNK ? n - i : CHUNK, err);
    evs_peek_close(p);
    return rc;
}

enum evs_rc evs_times_first(struct evs_client *c, enum evs_isolation isolation,
                            struct evs_time_ask *asks, size_t n, struct evs_err *err)
{
    return look(c, isolation, asks, n, first, err);
}

enum evs_rc evs_times_last(struct evs_client *c, enum evs_isolation isolation,
                           struct evs_time_ask *asks, size_t n, struct evs_err *err)
{
    return look(c, isolation, asks, n, last, err);
}
