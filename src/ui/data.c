#include "ui/data.h"

#include <string.h>

#include "browse/topics.h"
#include "core/clock.h"
#include "lag/poller.h"
#include "ui/app.h"
#include "ui/task.h"

enum { TOPICS_MS = 2000 };

static void start(struct evs_ui *ui)
{
    struct evs_err err = EVS_ERR_INIT;
    if (ui->data.topics || !ui->client)
        return;
    ui->data.started_ms = evs_clock_wall_ms();
    if (evs_topics_poller_start(ui->client, TOPICS_MS, &ui->wake, &ui->data.topics, &err))
        evs_ui_fail(ui, &err);
}

const struct evs_topics_sn *evs_data_topics(struct evs_ui *ui)
{
    start(ui);
    return ui->data.topics_sn;
}

struct evs_topics_poller *evs_data_topics_poller(struct evs_ui *ui)
{
    start(ui);
    return ui->data.topics;
}

int64_t evs_data_waiting_ms(const struct evs_ui *ui)
{
    const struct evs_topics_sn *sn = ui->data.topics_sn;
    return !ui->data.topics || (sn && sn->n) ? 0 : ui->now_ms - ui->data.started_ms;
}

/* --- scans --- */

enum { KNOWN_MAX = 16 };

static void forget(struct evs_known *k)
{
    evs_free(k->topic);
    evs_free(k->part);
    *k = (struct evs_known){0};
}

void evs_data_know(struct evs_ui *ui, const char *topic, const struct evs_known_part *part,
                   int32_t n)
{
    struct evs_data *d = &ui->data;
    int at = 0;
    if (!d->known)
        d->known = evs_xcalloc(KNOWN_MAX, sizeof(*d->known));
    while (at < KNOWN_MAX - 1 && d->known[at].topic && strcmp(d->known[at].topic, topic) != 0)
        at++;
    struct evs_known_part *all = evs_xmemdup(part, sizeof(*part) * (size_t)n);
    for (int32_t p = 0; p < n && p < d->known[at].n; p++)
        if (!all[p].messages && d->known[at].topic && !strcmp(d->known[at].topic, topic))
            all[p] = d->known[at].part[p]; /* this scan was of others */
    forget(&d->known[at]);
    for (; at; at--)
        d->known[at] = d->known[at - 1];
    d->known[0] =
        (struct evs_known){.topic = evs_xstrdup(topic), .part = all, .n = n, .at_ms = ui->now_ms};
}

const struct evs_known *evs_data_known(const struct evs_ui *ui, const char *topic)
{
    const struct evs_known *known = ui->data.known;
    for (int i = 0; known && i < KNOWN_MAX && known[i].topic; i++)
        if (!strcmp(known[i].topic, topic))
            return &known[i];
    return NULL;
}

/* --- lag --- */

struct evs_lag_poller *evs_data_lag_poller(struct evs_ui *ui)
{
    struct evs_err err = EVS_ERR_INIT;
    const char *const *names = ui->switched ? NULL : ui->opts->groups;
    struct evs_survey_opts o = {.names = names};
    while (names && names[o.n_names])
        o.n_names++;
    if (ui->data.lag || !ui->client)
        return ui->data.lag;
    ui->data.lag_wish = (struct evs_lag_wish){.interval_ms = EVS_LAG_POLLER_MS};
    if (evs_lag_poller_start(ui->client, &o, EVS_LAG_POLLER_MS, &ui->wake, &ui->data.lag, &err))
        evs_ui_fail(ui, &err);
    return ui->data.lag;
}

struct evs_lag_wish *evs_data_lag_wish(struct evs_ui *ui)
{
    return &ui->data.lag_wish;
}

const struct evs_lag_sn *evs_data_lag(struct evs_ui *ui)
{
    (void)evs_data_lag_poller(ui);
    return ui->data.lag_sn;
}

const struct evs_lag_poller_state *evs_data_lag_state(struct evs_ui *ui)
{
    (void)evs_data_lag_poller(ui);
    return ui->data.lag_state;
}

static bool refresh_lag(struct evs_data *d)
{
    uint64_t have = d->lag_sn ? d->lag_sn->snap.generation : 0;
    uint64_t known = d->lag_state ? d->lag_state->snap.generation : 0;
    struct evs_lag_sn *sn = d->lag ? evs_lag_poller_take(d->lag, have) : NULL;
    struct evs_lag_poller_state *st = d->lag ? evs_lag_poller_state(d->lag, known) : NULL;
    if (sn) {
        evs_snap_unref(d->lag_sn ? &d->lag_sn->snap : NULL);
        d->lag_sn = sn;
    }
    if (st) {
        evs_snap_unref(d->lag_state ? &d->lag_state->snap : NULL);
        d->lag_state = st;
    }
    return sn || st;
}

/* --- all --- */

static void keep(const struct evs_snap *old, const struct evs_snap *now)
{
    if (now)
        (void)evs_snap_ref((struct evs_snap *)(uintptr_t)now);
    evs_snap_unref((struct evs_snap *)(uintptr_t)old);
}

bool evs_data_keep_topics(const struct evs_topics_sn **mine, const struct evs_topics_sn *now)
{
    if (*mine == now)
        return false;
    keep(*mine ? &(*mine)->snap : NULL, now ? &now->snap : NULL);
    *mine = now;
    return true;
}

bool evs_data_keep_lag(const struct evs_lag_sn **mine, const struct evs_lag_sn *now)
{
    if (*mine == now)
        return false;
    keep(*mine ? &(*mine)->snap : NULL, now ? &now->snap : NULL);
    *mine = now;
    return true;
}

static bool refresh_topics(struct evs_data *d)
{
    struct evs_topics_sn *have = d->topics_sn;
    struct evs_topics_sn *sn =
        d->topics ? evs_topics_take(d->topics, have ? have->snap.generation : 0) : NULL;
    if (!sn)
        return false;
    evs_snap_unref(have ? &have->snap : NULL);
    d->topics_sn = sn;
    return true;
}

bool evs_data_refresh(struct evs_ui *ui)
{
    bool topics = refresh_topics(&ui->data);
    return refresh_lag(&ui->data) || topics;
}

static void free_topics(void *p)
{
    evs_topics_poller_free(p);
}

static void free_lag(void *p)
{
    evs_lag_poller_free(p);
}

void evs_data_done(struct evs_ui *ui)
{
    struct evs_data *d = &ui->data;
    if (d->topics)
        evs_task_retire("topics", free_topics, d->topics);
    if (d->lag)
        evs_task_retire("lag", free_lag, d->lag);
    for (int i = 0; d->known && i < KNOWN_MAX; i++)
        forget(&d->known[i]);
    evs_free(d->known);
    evs_task_drop(d->doctor);
    evs_snap_unref(d->doctor_sn);
    evs_snap_unref(d->topics_sn ? &d->topics_sn->snap : NULL);
    evs_snap_unref(d->lag_sn ? &d->lag_sn->snap : NULL);
    evs_snap_unref(d->lag_state ? &d->lag_state->snap : NULL);
    *d = (struct evs_data){0};
}

const char *evs_data_topic_name(const struct evs_ui *ui, size_t i)
{
    const struct evs_topics_sn *sn = ui->data.topics_sn;
    return sn && i < (size_t)sn->n ? sn->rows[i].name : NULL;
}

const struct evs_topic_row *evs_data_topic(const struct evs_ui *ui, const char *name)
{
    return ui->data.topics_sn && name ? evs_topics_find(ui->data.topics_sn, name) : NULL;
}

int32_t evs_data_partitions(const struct evs_ui *ui, const char *topic)
{
    const struct evs_topic_row *row = evs_data_topic(ui, topic);
    return row ? row->partitions : 0;
}

bool evs_data_has_topic(const struct evs_ui *ui, const char *name)
{
    return evs_data_topic(ui, name) != NULL;
}
