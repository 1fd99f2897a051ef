/* range_group.c - where a consumer group stands, as the place to read from. */
#include <string.h>

#include "core/xalloc.h"
#include "kafka/groups.h"
#include "kafka/range_int.h"

struct stand {
    struct evs_ranges *r;
    struct evs_err err; /* code EVS_OK: fine */
    size_t found;
};

static void on_offsets(void *ctx, size_t ask, const struct evs_group_offset *o, size_t n)
{
    struct stand *st = ctx;
    (void)ask;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(o[i].topic, st->r->topic) || o[i].committed < 0)
            continue;
        for (size_t k = 0; k < st->r->n; k++)
            if (st->r->parts[k].partition == o[i].partition && !st->r->parts[k].error) {
                st->r->parts[k].from = o[i].committed;
                st->found++;
            }
    }
}

static void on_failed(void *ctx, size_t ask, const struct evs_err *err)
{
    (void)ask;
    ((struct stand *)ctx)->err = *err;
}

/* Whether a group of this name is there: to ask a coordinator for one that is not would make the
 * broker create its offsets topic, where there is none yet. */
static bool is_there(struct evs_groups *g, const char *name)
{
    struct evs_group_list l = {0};
    struct evs_err err = EVS_ERR_INIT;
    if (evs_groups_list(g, &l, &err))
        return true; /* not allowed to list, or not able to: the coordinator will say */
    bool there = false;
    for (size_t i = 0; i < l.n && !there; i++)
        there = !strcmp(l.groups[i].name, name);
    there = there || l.warning;
    evs_group_list_done(&l);
    return there;
}

enum evs_rc evs_range_from_group(struct evs_client *c, const char *group, struct evs_ranges *r,
                                 struct evs_err *err)
{
    static const struct evs_groups_ops ops = {.offsets = on_offsets, .offsets_failed = on_failed};
    struct stand st = {.r = r, .err = EVS_ERR_INIT};
    struct evs_group_ask ask = {.name = group, .offsets = true};
    struct evs_groups *g = NULL;
    enum evs_rc rc = evs_groups_open(c, 1, &g, err);
    for (size_t i = 0; i < r->n; i++)
        r->parts[i].from = -1;
    if (!rc && is_there(g, group))
        rc = evs_groups_ask(g, &ask, 1, &ops, &st, evs_client_stop(c), NULL, err);
    if (!rc && st.err.code) {
        *err = st.err;
        rc = evs_wrap(err, "group %s", group);
    }
    if (!rc && !st.found) {
        evs_fail(err, EVS_INVALID, "group %s has committed nothing on %s", group, r->topic);
        rc = evs_hint(err, "'eventscope lag' lists groups and their topics");
    }
    evs_groups_close(g);
    return rc;
}
