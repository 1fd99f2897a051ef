#include "browse/messages.h"

#include "browse/messages_int.h"
#include "core/xalloc.h"

enum { MEMORY = 64 << 20, PAGE = 200, VIEW = 50, COMMANDS = 256 };

/* --- queries --- */

struct query *query_new(const struct evs_messages_query *from)
{
    struct query *to = evs_xcalloc(1, sizeof(*to));
    to->q = *from;
    to->q.partitions = evs_xstrdup(from->partitions);
    to->q.from = evs_xstrdup(from->from);
    to->q.to = evs_xstrdup(from->to);
    to->q.since = evs_xstrdup(from->since);
    to->q.until = evs_xstrdup(from->until);
    to->terms = evs_xcalloc(from->n_terms + 1, sizeof(*to->terms));
    for (size_t i = 0; i < from->n_terms; i++) {
        to->terms[i] = from->terms[i];
        to->terms[i].text = evs_xstrdup(from->terms[i].text);
    }
    to->q.terms = to->terms;
    return to;
}

void query_drop(const char *text)
{
    evs_free((void *)(uintptr_t)text);
}

void query_free(struct query *q)
{
    if (!q)
        return;
    query_drop(q->q.partitions);
    query_drop(q->q.from);
    query_drop(q->q.to);
    query_drop(q->q.since);
    query_drop(q->q.until);
    for (size_t i = 0; i < q->q.n_terms; i++)
        query_drop(q->terms[i].text);
    evs_free(q->terms);
    evs_free(q);
}

void command_free(void *item)
{
    struct command *cmd = item;
    query_free(cmd->query);
    evs_free(cmd);
}

/* --- the screen's side --- */

static void send(struct evs_messages *m, struct command cmd)
{
    struct command *item = evs_xmemdup(&cmd, sizeof(cmd));
    if (evs_queue_push(m->commands, item, 1, 1000))
        command_free(item);
}

void evs_messages_view(struct evs_messages *m, int64_t top_seq, int n)
{
    send(m, (struct command){.kind = CMD_VIEW, .at = top_seq, .n = n});
}

uint64_t evs_messages_query(struct evs_messages *m, const struct evs_messages_query *q)
{
    uint64_t number = atomic_fetch_add(&m->asked, 1) + 1;
    send(m, (struct command){.kind = CMD_QUERY, .query = query_new(q), .at = (int64_t)number});
    return number;
}

void evs_messages_follow(struct evs_messages *m, bool on)
{
    send(m, (struct command){.kind = CMD_FOLLOW, .on = on});
}

void evs_messages_pause(struct evs_messages *m, bool on)
{
    send(m, (struct command){.kind = CMD_PAUSE, .on = on});
}

void evs_messages_merge(struct evs_messages *m, bool on)
{
    send(m, (struct command){.kind = CMD_MERGE, .on = on});
}

void evs_messages_stop(struct evs_messages *m)
{
    send(m, (struct command){.kind = CMD_STOP});
}

void evs_messages_resume(struct evs_messages *m)
{
    send(m, (struct command){.kind = CMD_RESUME});
}

void evs_messages_fetch(struct evs_messages *m, int32_t partition, int64_t offset)
{
    send(m, (struct command){.kind = CMD_FETCH, .partition = partition, .at = offset});
}

void evs_messages_plan(struct evs_messages *m, const struct evs_messages_query *q)
{
    send(m, (struct command){.kind = CMD_PLAN, .query = query_new(q)});
}

struct evs_messages_sn *evs_messages_take(struct evs_messages *m, uint64_t than)
{
    return (void *)evs_slot_take(m->slot, than);
}

enum evs_rc evs_messages_open(struct evs_client *c, const struct evs_messages_opts *opts,
                              const struct evs_wake *wake, struct evs_messages **ret_m,
                              struct evs_err *err)
{
    struct evs_messages *m = evs_xcalloc(1, sizeof(*m));
    m->c = c;
    m->topic = evs_xstrdup(opts->topic);
    m->memory_limit = opts->memory_bytes ? opts->memory_bytes : MEMORY;
    m->page = opts->page > 0 ? opts->page : PAGE;
    m->view_n = VIEW;
    m->view_top = INT64_MAX;
    m->detail_offset = -1;
    m->behind = -1;
    m->slot = evs_slot_new(wake);
    m->commands = evs_queue_new(COMMANDS, COMMANDS, command_free);
    evs_rate_init(&m->rate);
    (void)evs_messages_query(m, &opts->query);
    enum evs_rc rc = evs_thread_start("evs-messages", messages_run, m, &m->thread, err);
    if (rc) {
        evs_messages_free(m);
        return rc;
    }
    *ret_m = m;
    return EVS_OK;
}

void evs_messages_free(struct evs_messages *m)
{
    if (!m)
        return;
    atomic_store(&m->quit, true);
    evs_queue_close(m->commands);
    evs_thread_join(m->thread);
    evs_queue_free(m->commands);
    evs_slot_free(m->slot);
    query_free(m->query);
    evs_free(m->held);
    body_unref(m->detail);
    evs_ranges_free(m->plan);
    evs_free(m->plan_error);
    evs_free(m->policy);
    evs_free(m->topic);
    evs_free(m);
}
