/* messages_home.c - the one partition that an exact key can be in: a search then reads no other. */
#include <string.h>

#include "stats/partitioner.h"
#include "ui/screens/messages.h"

enum {
    ENOUGH = 20
}; /* by chance 20 keys of one partitioner fit another in 1 of 4 billion topics */

/* Keyed records in view that a partitioner puts elsewhere; *ret_seen: how many were looked at. */
static size_t misfits(const struct messages *m, const struct evs_partitioner *p, int32_t partitions,
                      size_t *ret_seen)
{
    size_t wrong = 0;
    *ret_seen = 0;
    for (int i = 0; i < m->sn->n_rows; i++) {
        const struct evs_msg_row *r = &m->sn->rows[i];
        if (r->kind != EVS_ROW_RECORD || !r->ev || !r->ev->key)
            continue;
        ++*ret_seen;
        wrong += evs_partitioner_of(p, r->ev->key, r->ev->key_len, partitions) != r->partition;
    }
    return wrong;
}

/* Rows of one partition say nothing about the others; what was told once stands. */
static void tell_partitioner(struct messages *m, int32_t partitions)
{
    int32_t low = INT32_MAX, high = -1;
    for (int i = 0; i < m->sn->n_rows; i++) {
        low = m->sn->rows[i].partition < low ? m->sn->rows[i].partition : low;
        high = m->sn->rows[i].partition > high ? m->sn->rows[i].partition : high;
    }
    for (int i = 0; low < high && i < EVS_PARTITIONERS; i++) {
        size_t seen, wrong = misfits(m, evs_partitioners[i], partitions, &seen);
        if (m->partitioner == evs_partitioners[i] && wrong)
            m->partitioner = NULL;
        if (!wrong && seen >= ENOUGH && !m->partitioner) {
            m->partitioner = evs_partitioners[i];
            m->partitioner_seen = seen;
        }
    }
}

bool messages_home_news(struct messages *m)
{
    const struct evs_partitioner *before = m->partitioner;
    int32_t partitions = evs_data_partitions(m->ui, m->screen->at.topic);
    if (m->sn && partitions > 1)
        tell_partitioner(m, partitions);
    bool news = before != m->partitioner || partitions != m->home_of;
    m->home_of = partitions;
    return news;
}

bool messages_key_home(struct messages *m, const struct evs_search *s,
                       struct evs_key_home *ret_home)
{
    const char *key = evs_search_key(s);
    int32_t partitions = evs_data_partitions(m->ui, m->screen->at.topic);
    if (!m->sn || partitions < 2)
        return false;
    tell_partitioner(m, partitions);
    if (!key || s->every || s->partitions || !m->partitioner)
        return false;
    *ret_home = (struct evs_key_home){
        m->partitioner->name, evs_partitioner_of(m->partitioner, key, strlen(key), partitions),
        m->partitioner_seen};
    return true;
}
