#include "kafka/groups.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/xalloc.h"
#include "kafka/groups_int.h"
#include "kafka/meta.h"

enum { HANDLES = 4, SLOTS = EVS_GROUPS_INFLIGHT, MANY = 64 };
enum { WAITS_OFFSETS = 1, WAITS_MEMBERS = 2 };

/* One run of evs_groups_ask. */
struct asking {
    struct evs_groups *g;
    const struct evs_group_ask *asks;
    const struct evs_groups_ops *ops;
    void *ctx;
    size_t next, n; /* the next ask to send */
    bool half;      /* its offsets were sent, its members not yet */
    int turn, flying, sent;
    int64_t news_us; /* when the last answer came */
    uint8_t *waits;  /* of each ask: what was sent and is not answered */
};

/* --- the pool --- */

/* When a broker answers that it does not coordinate the group (it moved, or the broker has just
 * started), librdkafka 2.0.2 asks for the coordinator of the handle's own group without looking
 * whether it has one, and ends the process by a signal. So these handles have one: a group that is
 * asked for anyway. They never subscribe, so they do not join it. */
static enum evs_rc open_handle(struct evs_groups *g, struct pool_handle *h, struct evs_err *err)
{
    /* The queue of a busy connection must not wait for the socket to fill a packet. */
    const struct evs_handle_prop props[] = {
        {"socket.nagle.disable", "true"}, {"group.id", g->first}, {NULL, NULL}};
    enum evs_rc rc =
        evs_handle_new(g->c, RD_KAFKA_CONSUMER, EVS_READ_UNCOMMITTED, props, &h->rk, err);
    if (rc)
        return rc;
    h->queue = rd_kafka_queue_new(h->rk);
    rd_kafka_queue_io_event_enable(h->queue, g->wake.fds[1], "g", 1);
    /* The patience is ours: when librdkafka 2.0.2 gives up a request to a coordinator and the
     * answer comes all the same, it ends the process (eonce->refcnt > 0). */
    int64_t ms = EVS_ADMIN_MS;
    h->offsets = evs_groups_options(h->rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, ms);
    h->members = evs_groups_options(h->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, ms);
    return EVS_OK;
}

static void close_handle(struct pool_handle *h)
{
    if (!h->rk)
        return;
    rd_kafka_AdminOptions_destroy(h->offsets);
    rd_kafka_AdminOptions_destroy(h->members);
    rd_kafka_queue_io_event_enable(h->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(h->queue);
    evs_handle_free(h->rk);
    h->rk = NULL;
}

/* A request to a coordinator that was given up is still waited for inside librdkafka 2.0.2, which
 * ends the process when the broker comes back (eonce->refcnt > 0). So such handles are not used
 * again. */
static void retire(struct evs_groups *g)
{
    for (int i = 0; i < g->n && g->spoiled; i++)
        close_handle(&g->handles[i]);
    g->spoiled = false;
}

/* The first n handles; beyond one they only pay off when there is much to ask. */
static enum evs_rc open_handles(struct evs_groups *g, int n, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    for (int i = 0; i < n && !rc; i++)
        if (!g->handles[i].rk)
            rc = open_handle(g, &g->handles[i], err);
    return rc;
}

enum evs_rc evs_groups_open(struct evs_client *c, int handles, struct evs_groups **ret_g,
                            struct evs_err *err)
{
    struct evs_groups *g = evs_xcalloc(1, sizeof(*g));
    g->c = c;
    g->n = handles > EVS_GROUPS_HANDLES ? EVS_GROUPS_HANDLES : handles > 0 ? handles : HANDLES;
    enum evs_rc rc = evs_wake_init(&g->wake, err);
    if (rc) {
        evs_free(g);
        return rc;
    }
    *ret_g = g;
    return EVS_OK;
}

void evs_groups_close(struct evs_groups *g)
{
    if (!g)
        return;
    for (int i = 0; i < g->n; i++)
        close_handle(&g->handles[i]);
    if (g->places)
        rd_kafka_topic_partition_list_destroy(g->places);
    evs_wake_done(&g->wake);
    evs_free(g->first);
    evs_free(g);
}

/* --- asking for many --- */

enum { RUN_SHIFT = 40 };

static void *ticket(const struct evs_groups *g, size_t ask)
{
    return (void *)(uintptr_t)((uint64_t)(g->run & 0xffff) << RUN_SHIFT | ask);
}

bool evs_groups_unsupported(const struct evs_err *err)
{
    return err->native == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE ||
           err->native == RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION;
}

static void send_offsets(struct asking *a, struct pool_handle *h, const char *name)
{
    rd_kafka_ListConsumerGroupOffsets_t *req =
        rd_kafka_ListConsumerGroupOffsets_new(name, a->g->places);
    rd_kafka_AdminOptions_set_opaque(h->offsets, ticket(a->g, a->next));
    rd_kafka_ListConsumerGroupOffsets(h->rk, &req, 1, h->offsets, h->queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(req);
}

static void send_members(struct asking *a, struct pool_handle *h, const char *name)
{
    rd_kafka_AdminOptions_set_opaque(h->members, ticket(a->g, a->next));
    rd_kafka_DescribeConsumerGroups(h->rk, &name, 1, h->members, h->queue);
}

static void fail_offsets(struct asking *a, size_t i, rd_kafka_resp_err_t e)
{
    struct evs_err err = EVS_ERR_INIT;
    if (evs_kafka_fail(a->g->c, e, &err, "offsets") == EVS_RETRY)
        a->g->spoiled = true;
    a->ops->offsets_failed(a->ctx, i, &err);
}

static void take_offsets(struct asking *a, size_t i, rd_kafka_event_t *ev)
{
    size_t n = 0;
    rd_kafka_resp_err_t e = rd_kafka_event_error(ev);
    const rd_kafka_group_result_t **rows =
        e ? NULL
          : rd_kafka_ListConsumerGroupOffsets_result_groups(
                rd_kafka_event_ListConsumerGroupOffsets_result(ev), &n);
    if (!e && !n)
        e = RD_KAFKA_RESP_ERR__BAD_MSG;
    if (!e && rd_kafka_group_result_error(rows[0]))
        e = rd_kafka_error_code(rd_kafka_group_result_error(rows[0]));
    if (e) {
        fail_offsets(a, i, e);
        return;
    }
    const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(rows[0]);
    size_t count = list ? (size_t)list->cnt : 0;
    struct evs_group_offset *o = evs_xcalloc(count + 1, sizeof(*o));
    size_t kept = 0;
    for (size_t p = 0; p < count; p++) {
        const rd_kafka_topic_partition_t *t = &list->elems[p];
        if (a->g->places && t->offset < 0 && !t->err)
            continue; /* asked for by name, never committed */
        o[kept++] = (struct evs_group_offset){t->topic, t->partition,
                                              t->offset < 0 ? -1 : t->offset, t->err};
    }
    a->ops->offsets(a->ctx, i, o, kept);
    evs_free(o);
}

static void fill_member(struct evs_group_member *m, const rd_kafka_MemberDescription_t *from)
{
    const rd_kafka_MemberAssignment_t *at = rd_kafka_MemberDescription_assignment(from);
    const rd_kafka_topic_partition_list_t *list =
        at ? rd_kafka_MemberAssignment_partitions(at) : NULL;
    *m = (struct evs_group_member){
        .id = rd_kafka_MemberDescription_consumer_id(from),
        .client = rd_kafka_MemberDescription_client_id(from),
        .host = rd_kafka_MemberDescription_host(from),
        .instance = rd_kafka_MemberDescription_group_instance_id(from),
        .n_places = list ? (size_t)list->cnt : 0,
    };
    m->places = evs_xcalloc(m->n_places + 1, sizeof(*m->places));
    for (size_t p = 0; p < m->n_places; p++)
        m->places[p] = (struct evs_group_place){list->elems[p].topic, list->elems[p].partition};
}

static void tell_members(struct asking *a, size_t i, const rd_kafka_ConsumerGroupDescription_t *d)
{
    const rd_kafka_Node_t *node = rd_kafka_ConsumerGroupDescription_coordinator(d);
    size_t n = rd_kafka_ConsumerGroupDescription_member_count(d);
    struct evs_group_member *members = evs_xcalloc(n + 1, sizeof(*members));
    for (size_t m = 0; m < n; m++)
        fill_member(&members[m], rd_kafka_ConsumerGroupDescription_member(d, m));
    struct evs_group_desc desc = {
        .state = evs_group_state_of(rd_kafka_ConsumerGroupDescription_state(d)),
        .assignor = rd_kafka_ConsumerGroupDescription_partition_assignor(d),
        .coordinator = node ? rd_kafka_Node_id(node) : -1,
        .members = members,
        .n_members = n,
    };
    desc.dead = desc.state == EVS_GROUP_DEAD;
    if (!desc.assignor)
        desc.assignor = "";
    a->ops->members(a->ctx, i, &desc);
    for (size_t m = 0; m < n; m++)
        evs_free(members[m].places);
    evs_free(members);
}

static void take_members(struct asking *a, size_t i, rd_kafka_event_t *ev)
{
    size_t n = 0;
    rd_kafka_resp_err_t e = rd_kafka_event_error(ev);
    const rd_kafka_ConsumerGroupDescription_t **rows =
        e ? NULL
          : rd_kafka_DescribeConsumerGroups_result_groups(
                rd_kafka_event_DescribeConsumerGroups_result(ev), &n);
    if (!e && !n)
        e = RD_KAFKA_RESP_ERR__BAD_MSG;
    if (!e && rd_kafka_ConsumerGroupDescription_error(rows[0]))
        e = rd_kafka_error_code(rd_kafka_ConsumerGroupDescription_error(rows[0]));
    if (!e) {
        tell_members(a, i, rows[0]);
        return;
    }
    struct evs_err err = EVS_ERR_INIT;
    if (evs_kafka_fail(a->g->c, e, &err, "members") == EVS_RETRY)
        a->g->spoiled = true;
    a->ops->members_failed(a->ctx, i, &err);
}

static void take_event(struct asking *a, rd_kafka_event_t *ev)
{
    uint64_t t = (uint64_t)(uintptr_t)rd_kafka_event_opaque(ev);
    size_t i = (size_t)(t & ((UINT64_C(1) << RUN_SHIFT) - 1));
    if (t >> RUN_SHIFT != (a->g->run & 0xffff))
        return;
    rd_kafka_event_type_t type = rd_kafka_event_type(ev);
    if (type == RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT) {
        a->waits[i] &= (uint8_t)~WAITS_OFFSETS;
        take_offsets(a, i, ev);
    } else if (type == RD_KAFKA_EVENT_DESCRIBECONSUMERGROUPS_RESULT) {
        a->waits[i] &= (uint8_t)~WAITS_MEMBERS;
        take_members(a, i, ev);
    } else {
        return;
    }
    a->flying--;
}

/* Nothing is answered any more: what is on its way failed, and so did what was not sent. */
static void give_up(struct asking *a)
{
    for (size_t i = 0; i < a->n; i++) {
        bool unsent = i > a->next || (i == a->next && !a->half);
        bool offsets = a->waits[i] & WAITS_OFFSETS || (unsent && a->asks[i].offsets);
        bool members = a->waits[i] & WAITS_MEMBERS ||
                       (a->asks[i].members && (unsent || (i == a->next && a->half)));
        struct evs_err err = EVS_ERR_INIT;
        if (offsets)
            fail_offsets(a, i, RD_KAFKA_RESP_ERR__TIMED_OUT);
        if (members && evs_kafka_fail(a->g->c, RD_KAFKA_RESP_ERR__TIMED_OUT, &err, "members"))
            a->ops->members_failed(a->ctx, i, &err);
    }
    a->g->spoiled = true;
    a->next = a->n;
    a->flying = 0;
}

/* Nor does such a broker describe groups; librdkafka 2.0.2 loses other answers over refusing. */
static void refuse_members(struct asking *a, size_t i)
{
    struct evs_err err = EVS_ERR_INIT;
    if (evs_kafka_fail(a->g->c, RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, &err, "members"))
        a->ops->members_failed(a->ctx, i, &err);
}

static void send_more(struct asking *a)
{
    while (a->next < a->n && a->flying < SLOTS) {
        const struct evs_group_ask *q = &a->asks[a->next];
        struct pool_handle *h = &a->g->handles[a->turn++ % a->g->n];
        if (!h->rk)
            h = &a->g->handles[0];
        bool first = q->offsets && !a->half;
        if (first)
            send_offsets(a, h, q->name);
        else if (q->members && a->g->places)
            refuse_members(a, a->next);
        else if (q->members)
            send_members(a, h, q->name);
        if (first || (q->members && !a->g->places)) {
            a->waits[a->next] |= first ? WAITS_OFFSETS : WAITS_MEMBERS;
            a->flying++;
            a->sent += 2;
        }
        a->half = first && q->members;
        a->next += a->half ? 0 : 1;
    }
}

static bool drain(struct asking *a)
{
    bool any = false;
    for (int i = 0; i < a->g->n; i++) {
        struct pool_handle *h = &a->g->handles[i];
        rd_kafka_event_t *ev = h->rk ? rd_kafka_queue_poll(h->queue, 0) : NULL;
        while (ev) {
            take_event(a, ev);
            rd_kafka_event_destroy(ev);
            any = true;
            ev = rd_kafka_queue_poll(h->queue, 0);
        }
        if (h->rk)
            evs_handle_poll(h->rk);
    }
    return any;
}

enum evs_rc evs_groups_ask(struct evs_groups *g, const struct evs_group_ask *asks, size_t n,
                           const struct evs_groups_ops *ops, void *ctx, struct evs_stop *stop,
                           int *ret_requests, struct evs_err *err)
{
    struct asking a = {.g = g, .asks = asks, .ops = ops, .ctx = ctx, .n = n};
    if (!g->first && n)
        g->first = evs_xstrdup(asks[0].name);
    enum evs_rc rc = n ? open_handles(g, n > MANY ? g->n : 1, err) : EVS_OK;
    int64_t patience_us = evs_client_timeout_ms(g->c) * 1000;
    a.waits = evs_xcalloc(n + 1, 1);
    g->run++;
    a.news_us = evs_clock_mono_us();
    struct pollfd fds[2] = {{g->wake.fds[0], POLLIN, 0}, {-1, POLLIN, 0}};
    if (stop)
        fds[1].fd = stop->wake.fds[0];
    while (!rc && (a.next < n || a.flying > 0)) {
        send_more(&a);
        if (stop && evs_stop_raised(stop)) {
            rc = evs_fail(err, EVS_AGAIN, "stopped");
        } else if (drain(&a)) {
            a.news_us = evs_clock_mono_us();
        } else if (a.flying > 0 && evs_clock_mono_us() - a.news_us > patience_us) {
            give_up(&a);
        } else if (a.flying > 0) {
            poll(fds, stop ? 2 : 1, 100);
            evs_wake_drain(&g->wake);
        }
    }
    if (ret_requests)
        *ret_requests += a.sent;
    g->spoiled |= a.flying > 0;
    retire(g);
    evs_free(a.waits);
    return rc;
}
