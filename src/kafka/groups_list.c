/* groups_list.c - which groups there are. */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/xalloc.h"
#include "kafka/groups_int.h"
#include "kafka/meta.h"

enum { TRY_US = 1000000 };

const char *evs_group_state_name(enum evs_group_state s)
{
    static const char *const names[] = {
        "Unknown", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead", "Empty"};
    return names[s];
}

enum evs_group_state evs_group_state_of(rd_kafka_consumer_group_state_t s)
{
    switch (s) {
    case RD_KAFKA_CONSUMER_GROUP_STATE_PREPARING_REBALANCE: return EVS_GROUP_PREPARING;
    case RD_KAFKA_CONSUMER_GROUP_STATE_COMPLETING_REBALANCE: return EVS_GROUP_COMPLETING;
    case RD_KAFKA_CONSUMER_GROUP_STATE_STABLE: return EVS_GROUP_STABLE;
    case RD_KAFKA_CONSUMER_GROUP_STATE_DEAD: return EVS_GROUP_DEAD;
    case RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY: return EVS_GROUP_EMPTY;
    default: return EVS_GROUP_UNKNOWN;
    }
}

rd_kafka_AdminOptions_t *evs_groups_options(rd_kafka_t *rk, rd_kafka_admin_op_t op, int64_t ms)
{
    char why[200];
    rd_kafka_AdminOptions_t *o = rd_kafka_AdminOptions_new(rk, op);
    rd_kafka_AdminOptions_set_request_timeout(o, (int)(ms < EVS_ADMIN_MS ? ms : EVS_ADMIN_MS), why,
                                              sizeof(why));
    return o;
}

static int by_name(const void *a, const void *b)
{
    const struct evs_group_name *x = a, *y = b;
    return strcmp(x->name, y->name);
}

void evs_group_list_done(struct evs_group_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        evs_free(l->groups[i].name);
    evs_free(l->groups);
    evs_free(l->warning);
    *l = (struct evs_group_list){0};
}

/* librdkafka before 2.14.2 may give a group twice. */
static void sort_unique(struct evs_group_list *l)
{
    if (l->n)
        qsort(l->groups, l->n, sizeof(*l->groups), by_name);
    size_t kept = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (kept && !strcmp(l->groups[kept - 1].name, l->groups[i].name))
            evs_free(l->groups[i].name);
        else
            l->groups[kept++] = l->groups[i];
    }
    l->n = kept;
}

static void name_places(struct evs_groups *g)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_meta *m = NULL;
    if (g->places || evs_meta_fetch(g->c, NULL, &m, &err))
        return;
    g->places = rd_kafka_topic_partition_list_new(64);
    for (int t = 0; t < m->n_topics; t++)
        for (int p = 0; p < m->topics[t].n_partitions; p++)
            rd_kafka_topic_partition_list_add(g->places, m->topics[t].name,
                                              m->topics[t].partitions[p].partition);
    evs_meta_free(m);
}

static enum evs_rc take_list(struct evs_groups *g, rd_kafka_event_t *ev,
                             struct evs_group_list *ret_list, struct evs_err *err)
{
    rd_kafka_resp_err_t e = rd_kafka_event_error(ev);
    const rd_kafka_ListConsumerGroups_result_t *r =
        e ? NULL : rd_kafka_event_ListConsumerGroups_result(ev);
    size_t n = 0, n_errors = 0;
    const rd_kafka_ConsumerGroupListing_t **rows =
        r ? rd_kafka_ListConsumerGroups_result_valid(r, &n) : NULL;
    const rd_kafka_error_t **errors =
        r ? rd_kafka_ListConsumerGroups_result_errors(r, &n_errors) : NULL;
    if (!e && !n && n_errors)
        e = rd_kafka_error_code(errors[0]);
    if (e == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
        name_places(g);
    if (e)
        return evs_kafka_fail(g->c, e, err, "list of groups");
    evs_link_good(g->c, -1, 0);
    struct evs_group_list l = {.groups = evs_xcalloc(n + 1, sizeof(*l.groups)), .n = n};
    for (size_t i = 0; i < n; i++)
        l.groups[i] = (struct evs_group_name){
            evs_xstrdup(rd_kafka_ConsumerGroupListing_group_id(rows[i])),
            evs_group_state_of(rd_kafka_ConsumerGroupListing_state(rows[i])),
            rd_kafka_ConsumerGroupListing_is_simple_consumer_group(rows[i]) != 0};
    if (n_errors)
        l.warning =
            evs_xprintf("%zu broker%s did not list groups: %s", n_errors, n_errors > 1 ? "s" : "",
                        evs_meta_error_text(rd_kafka_error_code(errors[0])));
    sort_unique(&l);
    *ret_list = l;
    return EVS_OK;
}

enum evs_rc evs_groups_list(struct evs_groups *g, struct evs_group_list *ret_list,
                            struct evs_err *err)
{
    rd_kafka_t *rk = NULL;
    enum evs_rc rc = evs_handle_shared(g->c, EVS_READ_UNCOMMITTED, &rk, err);
    if (rc)
        return rc;
    rd_kafka_AdminOptions_t *o =
        evs_groups_options(rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, evs_client_timeout_ms(g->c));
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_ListConsumerGroups(rk, o, q);
    rd_kafka_event_t *ev = NULL;
    int64_t start_us = evs_clock_mono_us(), waited_us = 0;
    /* Each time it is tried anew for a while: the connection may be back. */
    while (!ev && waited_us < evs_client_timeout_ms(g->c) * 1000 &&
           !(waited_us > TRY_US && evs_link_hopeless(g->c)) && !evs_client_stopped(g->c)) {
        ev = rd_kafka_queue_poll(q, 100);
        evs_handle_poll(rk);
        waited_us = evs_clock_mono_us() - start_us;
    }
    rc = ev ? take_list(g, ev, ret_list, err)
            : evs_kafka_fail(g->c,
                             evs_client_stopped(g->c) ? RD_KAFKA_RESP_ERR__INTR
                                                      : RD_KAFKA_RESP_ERR__TIMED_OUT,
                             err, "list of groups");
    if (ev)
        rd_kafka_event_destroy(ev);
    rd_kafka_AdminOptions_destroy(o);
    rd_kafka_queue_destroy(q);
    return rc;
}
