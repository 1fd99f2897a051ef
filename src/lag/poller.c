#include "lag/poller.h"

#include <string.h>

#include "core/clock.h"
#include "core/queue.h"
#include "core/xalloc.h"

enum { COMMANDS = 256, MANY_GROUPS = 200 };

enum kind { PAUSE, INTERVAL, STABLE, REFRESH, ADD, VIEW, FOCUS };

struct command {
    enum kind kind;
    int64_t value;
    char **texts;
    size_t n;
};

struct evs_lag_poller {
    struct evs_thread *thread;
    struct evs_stop stop;
    struct evs_client *c;
    struct evs_survey_opts opts; /* texts copied */
    char **names;
    struct evs_queue *commands;
    struct evs_slot *pictures, *states;
    /* The thread's own: */
    struct evs_survey *survey;
    bool paused, due, stable;
    int64_t interval_ms, failed_since_ms, next_us;
    struct evs_err err;
    size_t groups;
    char **view;
    size_t n_view;
    char *focus_group, *focus_topic;
    int32_t focus_partition;
    /* Pictures given out: the last reference is dropped here, since that of a hundred thousand rows
     * takes longer than a frame may. */
    struct evs_lag_sn **shown;
    size_t n_shown;
};

static void free_command(void *item)
{
    struct command *cmd = item;
    evs_free_texts(cmd->texts, cmd->n);
    evs_free(cmd);
}

static void send(struct evs_lag_poller *p, enum kind kind, int64_t value, const char *const *texts,
                 size_t n)
{
    struct command *cmd = evs_xcalloc(1, sizeof(*cmd));
    *cmd = (struct command){kind, value, evs_xtexts(texts, n), n};
    /* A thread that is behind by so many commands only needs the newest. */
    if (evs_queue_push_drop(p->commands, cmd, 1))
        free_command(cmd);
}

struct evs_lag_sn *evs_lag_poller_take(struct evs_lag_poller *p, uint64_t than)
{
    return (void *)evs_slot_take(p->pictures, than);
}

struct evs_lag_poller_state *evs_lag_poller_state(struct evs_lag_poller *p, uint64_t than)
{
    return (void *)evs_slot_take(p->states, than);
}

void evs_lag_poller_pause(struct evs_lag_poller *p, bool on)
{
    send(p, PAUSE, on, NULL, 0);
}

void evs_lag_poller_interval(struct evs_lag_poller *p, int64_t ms)
{
    send(p, INTERVAL, ms, NULL, 0);
}

void evs_lag_poller_stable(struct evs_lag_poller *p, bool stable)
{
    send(p, STABLE, stable, NULL, 0);
}

void evs_lag_poller_refresh(struct evs_lag_poller *p)
{
    send(p, REFRESH, 0, NULL, 0);
}

void evs_lag_poller_add(struct evs_lag_poller *p, const char *group)
{
    send(p, ADD, 0, &group, 1);
}

void evs_lag_poller_view(struct evs_lag_poller *p, const char *const *groups, size_t n)
{
    send(p, VIEW, 0, groups, n);
}

void evs_lag_poller_focus(struct evs_lag_poller *p, const char *group, const char *topic,
                          int32_t partition)
{
    const char *texts[] = {group, topic};
    send(p, FOCUS, partition, texts, 2);
}

/* --- the thread --- */

static void free_state(struct evs_snap *sn)
{
    evs_free(sn);
}

static void publish_state(struct evs_lag_poller *p, bool busy)
{
    struct evs_lag_poller_state *st = evs_xcalloc(1, sizeof(*st));
    evs_snap_init(&st->snap, free_state);
    st->paused = p->paused;
    st->busy = busy;
    st->stable = p->stable;
    st->interval_ms = p->interval_ms;
    st->failed_since_ms = p->failed_since_ms;
    st->err = p->err;
    if (p->survey && p->focus_group)
        st->charts =
            evs_survey_charts(p->survey, p->focus_group, p->focus_topic, p->focus_partition,
                              evs_clock_wall_ms(), st->lag, st->in, st->out);
    evs_slot_publish(p->states, &st->snap);
}

static void set_view(struct evs_lag_poller *p, struct command *cmd)
{
    evs_free_texts(p->view, p->n_view);
    p->view = cmd->texts;
    p->n_view = cmd->n;
    cmd->texts = NULL;
    cmd->n = 0;
    if (p->survey)
        evs_survey_view(p->survey, (const char *const *)p->view, p->n_view);
}

static void set_focus(struct evs_lag_poller *p, const struct command *cmd)
{
    evs_free(p->focus_group);
    evs_free(p->focus_topic);
    p->focus_group = evs_xstrdup(cmd->texts[0]);
    p->focus_topic = evs_xstrdup(cmd->texts[1]);
    p->focus_partition = (int32_t)cmd->value;
}

static void obey(struct evs_lag_poller *p, struct command *cmd)
{
    switch (cmd->kind) {
    case PAUSE:
        p->paused = cmd->value != 0;
        p->due |= !p->paused;
        break;
    case INTERVAL:
        p->interval_ms = cmd->value < EVS_LAG_POLLER_MIN_MS   ? EVS_LAG_POLLER_MIN_MS
                         : cmd->value > EVS_LAG_POLLER_MAX_MS ? EVS_LAG_POLLER_MAX_MS
                                                              : cmd->value;
        break;
    case STABLE:
        p->stable = cmd->value != 0;
        if (p->survey)
            evs_survey_stable(p->survey, p->stable);
        p->due = true;
        break;
    case REFRESH: p->due = true; break;
    case ADD:
        if (p->survey)
            evs_survey_add(p->survey, cmd->texts[0]);
        p->due = true;
        break;
    case VIEW: set_view(p, cmd); break;
    case FOCUS: set_focus(p, cmd); break;
    }
}

static void drop_seen(struct evs_lag_poller *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_shown; i++)
        if (evs_snap_sole(&p->shown[i]->snap))
            evs_snap_unref(&p->shown[i]->snap);
        else
            p->shown[n++] = p->shown[i];
    p->n_shown = n;
}

static void publish(struct evs_lag_poller *p, struct evs_lag_sn *sn)
{
    p->shown = evs_xgrow(p->shown, p->n_shown + 1, sizeof(struct evs_lag_sn *));
    p->shown[p->n_shown++] = sn;
    (void)evs_snap_ref(&sn->snap);
    evs_slot_publish(p->pictures, &sn->snap);
}

static enum evs_rc refresh_once(struct evs_lag_poller *p, bool only_view)
{
    struct evs_lag_sn *sn = NULL;
    struct evs_err err = EVS_ERR_INIT;
    enum evs_rc rc = EVS_OK;
    if (!p->survey) {
        rc = evs_survey_new(p->c, &p->opts, &p->survey, &err);
        if (!rc && p->n_view)
            evs_survey_view(p->survey, (const char *const *)p->view, p->n_view);
        if (!rc)
            evs_survey_stable(p->survey, p->stable);
    }
    if (!rc)
        rc = evs_survey_refresh(p->survey, only_view, &p->stop, &sn, &err);
    if (evs_stop_raised(&p->stop)) {
        if (sn)
            evs_snap_unref(&sn->snap);
        return EVS_AGAIN;
    }
    if (rc) {
        p->err = err;
        if (!p->failed_since_ms)
            p->failed_since_ms = evs_clock_wall_ms();
        return rc;
    }
    p->failed_since_ms = 0;
    p->groups = sn->n_groups;
    publish(p, sn);
    return EVS_OK;
}

static void refresh(struct evs_lag_poller *p)
{
    publish_state(p, true);
    bool many = p->groups > MANY_GROUPS && p->n_view > 0;
    if (!many || !refresh_once(p, true))
        (void)refresh_once(p, false);
    p->due = false;
    p->next_us = evs_clock_mono_us() + p->interval_ms * 1000;
    if (!evs_stop_raised(&p->stop))
        publish_state(p, false);
}

static void run(void *arg)
{
    enum { LOOK_MS = 100 };
    struct evs_lag_poller *p = arg;
    p->due = true;
    while (!evs_stop_raised(&p->stop)) {
        void *item = NULL;
        int64_t left_ms = (p->next_us - evs_clock_mono_us()) / 1000;
        bool now = p->due || (!p->paused && left_ms <= 0);
        int64_t wait_ms = now ? 0 : p->paused || left_ms > LOOK_MS ? LOOK_MS : left_ms;
        while (!evs_queue_pop(p->commands, wait_ms, &item)) {
            obey(p, item);
            free_command(item);
            wait_ms = 0;
            publish_state(p, false);
        }
        drop_seen(p);
        if (p->due || (!p->paused && evs_clock_mono_us() >= p->next_us))
            refresh(p);
    }
}

enum evs_rc evs_lag_poller_start(struct evs_client *c, const struct evs_survey_opts *o,
                                 int64_t interval_ms, const struct evs_wake *wake,
                                 struct evs_lag_poller **ret_p, struct evs_err *err)
{
    struct evs_lag_poller *p = evs_xcalloc(1, sizeof(*p));
    enum evs_rc rc = evs_stop_init(&p->stop, err);
    if (rc) {
        evs_free(p);
        return rc;
    }
    p->c = c;
    p->opts = *o;
    p->names = evs_xtexts(o->names, o->n_names);
    p->opts.names = (const char *const *)p->names;
    p->opts.globs = NULL;
    p->opts.n_globs = 0;
    p->opts.watch = p->opts.ages = true;
    p->stable = o->stable;
    p->interval_ms = interval_ms;
    p->commands = evs_queue_new(COMMANDS, COMMANDS, free_command);
    p->pictures = evs_slot_new(wake);
    p->states = evs_slot_new(wake);
    rc = evs_thread_start("evs-lag", run, p, &p->thread, err);
    if (rc) {
        evs_lag_poller_free(p);
        return rc;
    }
    *ret_p = p;
    return EVS_OK;
}

void evs_lag_poller_free(struct evs_lag_poller *p)
{
    if (!p)
        return;
    evs_stop_raise(&p->stop);
    evs_thread_join(p->thread);
    evs_survey_free(p->survey);
    evs_queue_free(p->commands);
    evs_slot_free(p->pictures);
    evs_slot_free(p->states);
    for (size_t i = 0; i < p->n_shown; i++)
        evs_snap_unref(&p->shown[i]->snap);
    evs_free(p->shown);
    evs_free_texts(p->names, p->opts.n_names);
    evs_free_texts(p->view, p->n_view);
    evs_free(p->focus_group);
    evs_free(p->focus_topic);
    evs_stop_done(&p->stop);
    evs_free(p);
}
