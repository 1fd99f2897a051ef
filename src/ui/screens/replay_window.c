/* replay_window.c - the offsets a replay's window means, asked while its fields are typed. */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/num.h"
#include "core/thread.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "ui/screens/replay_int.h"
#include "ui/task.h"

enum { RESTS_MS = 200 }; /* typed text rests so long before the brokers are asked */

struct asking {
    struct evs_client *client;
    struct evs_plan plan; /* only its window */
};

static void free_window(struct evs_snap *snap)
{
    struct replay_window *w = (struct replay_window *)snap;
    evs_ranges_free(w->ranges);
    evs_free(w);
}

static void free_asking(void *ctx)
{
    struct asking *a = ctx;
    evs_plan_done(&a->plan);
    evs_free(a);
}

static void resolve(struct evs_task *t, void *ctx)
{
    struct asking *a = ctx;
    struct evs_range_spec spec;
    if (evs_stop_wait(evs_task_stop_flag(t), RESTS_MS))
        return;
    struct replay_window *w = evs_xcalloc(1, sizeof(*w));
    evs_snap_init(&w->snap, free_window);
    evs_plan_range(&a->plan, &spec);
    spec.now_ms = evs_clock_wall_ms();
    w->err = (struct evs_err)EVS_ERR_INIT;
    (void)!evs_range_resolve(a->client, a->plan.topic, &spec, &w->ranges, &w->err);
    evs_task_publish(t, &w->snap);
}

void replay_window_forget(struct replay *r)
{
    evs_task_drop(r->asking);
    evs_snap_unref(r->window ? &r->window->snap : NULL);
    r->asking = NULL;
    r->window = NULL;
}

void replay_window_ask(struct replay *r)
{
    char asked[sizeof(r->asked)];
    snprintf(asked, sizeof(asked), "%s\n%s\n%s", r->edit[RF_FROM].text, r->edit[RF_TO].text,
             r->edit[RF_PARTITIONS].text);
    if (!evs_ui_client(r->ui) || (!strcmp(asked, r->asked) && (r->asking || r->window)))
        return;
    memcpy(r->asked, asked, sizeof(asked));
    replay_window_forget(r);
    struct asking *a = evs_xcalloc(1, sizeof(*a));
    a->client = evs_ui_client(r->ui);
    evs_plan_set(&a->plan.topic, r->plan.topic);
    evs_plan_set(&a->plan.from, r->plan.from);
    evs_plan_set(&a->plan.to, r->plan.to);
    evs_plan_set(&a->plan.since, r->plan.since);
    evs_plan_set(&a->plan.until, r->plan.until);
    evs_plan_set(&a->plan.partitions, r->plan.partitions);
    r->asking = evs_task_start("replay-window", resolve, a, free_asking, evs_ui_wake(r->ui));
}

bool replay_window_take(struct replay *r)
{
    struct evs_snap *snap = evs_task_take(r->asking, 0);
    if (!snap)
        return false;
    r->window = (struct replay_window *)snap;
    evs_task_drop(r->asking);
    r->asking = NULL;
    return true;
}

/* "p0 8,987,140 … p11 8,985,402" */
static void edges(const struct evs_ranges *rs, bool end, char *to, size_t size)
{
    char n[EVS_NUM_LEN];
    const struct evs_range *first = &rs->parts[0], *last = &rs->parts[rs->n - 1];
    int at = snprintf(to, size, "p%d %s", first->partition,
                      evs_num_commas(n, end ? first->to : first->from));
    if (rs->n > 1 && at > 0 && (size_t)at < size)
        snprintf(to + at, size - (size_t)at, " %s p%d %s", evs_glyph(EVS_G_MORE), last->partition,
                 evs_num_commas(n, end ? last->to : last->from));
}

bool replay_window_says(const struct replay *r, enum replay_field f, char *to, size_t size)
{
    const char *text = f == RF_FROM ? r->plan.since : f == RF_TO ? r->plan.until : NULL;
    char when[EVS_NUM_LEN] = "", offsets[120] = "";
    struct evs_err ignored = EVS_ERR_INIT;
    int64_t ts_ms, now_ms = evs_ui_now_ms(r->ui);
    if (f > RF_TO || !r->edit[f].len || !r->window || !r->window->ranges || !r->window->ranges->n)
        return false;
    if (text && !evs_num_time(text, now_ms, &ts_ms, &ignored)) {
        evs_num_moment(when, ts_ms, now_ms, 1000);
    }
    edges(r->window->ranges, f == RF_TO, offsets, sizeof(offsets));
    snprintf(to, size, "%s%s%s", when, when[0] ? " = " : "", offsets);
    return true;
}

bool replay_window_sum(const struct replay *r, char *to, size_t size)
{
    char n[EVS_NUM_LEN];
    if (!r->window || !r->window->ranges)
        return false;
    int64_t span = evs_ranges_span(r->window->ranges);
    snprintf(to, size, "Would read %s event%s of %zu partition%s.", evs_num_commas(n, span),
             span == 1 ? "" : "s", r->window->ranges->n, r->window->ranges->n == 1 ? "" : "s");
    return true;
}
