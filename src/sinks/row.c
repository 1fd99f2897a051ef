#include "sinks/row.h"

#include <string.h>

#include "core/jsonw.h"
#include "core/xalloc.h"

const char *const evs_ckpt_names[EVS_CKPT_FIELDS] = {
    "from",    "next",    "end",           "clock",   "read",    "matched",
    "applied", "skipped", "dead_lettered", "written", "deleted", "bytes",
};

const char *evs_view_mode_name(enum evs_view_mode mode)
{
    static const char *const names[] = {"latest", "log", "count", "sum"};
    return names[mode];
}

bool evs_row_newer(int32_t a_partition, int64_t a_offset, int64_t a_ts_ms, int32_t b_partition,
                   int64_t b_offset, int64_t b_ts_ms)
{
    if (a_partition == b_partition)
        return a_offset > b_offset;
    return a_ts_ms != b_ts_ms ? a_ts_ms > b_ts_ms : a_partition > b_partition;
}

void evs_row_headers_json(const struct evs_row *row, struct evs_buf *out)
{
    struct evs_jsonw w;
    evs_jsonw_init(&w, out);
    evs_jsonw_arr(&w, NULL);
    for (int i = 0; i < row->n_headers; i++) {
        evs_jsonw_bytes(&w, NULL, row->headers[i].name, row->headers[i].name_len);
        evs_jsonw_bytes(&w, NULL, row->headers[i].value, row->headers[i].value_len);
    }
    evs_jsonw_end(&w);
}

void evs_ckpt_text(char **member, const char *text, size_t len)
{
    char *copy = evs_xstrndup(text, len);
    evs_free(*member);
    *member = copy;
}

void evs_ckpt_done(struct evs_ckpt *c)
{
    evs_free(c->id);
    evs_free(c->plan_hash);
    evs_free(c->topic);
    evs_free(c->state);
    evs_free(c->parts);
    memset(c, 0, sizeof(*c));
}

void evs_ckpt_copy(struct evs_ckpt *to, const struct evs_ckpt *from)
{
    *to = *from;
    to->id = evs_xstrdup(from->id);
    to->plan_hash = evs_xstrdup(from->plan_hash);
    to->topic = evs_xstrdup(from->topic);
    to->state = evs_xstrdup(from->state);
    to->parts = NULL;
    if (from->n)
        to->parts = evs_xmemdup(from->parts, from->n * sizeof(*from->parts));
}

struct evs_ckpt_part *evs_ckpt_part(struct evs_ckpt *c, int32_t partition)
{
    size_t at = 0;
    while (at < c->n && c->parts[at].partition < partition)
        at++;
    if (at < c->n && c->parts[at].partition == partition)
        return &c->parts[at];
    c->parts = evs_xgrow(c->parts, c->n + 1, sizeof(*c->parts));
    memmove(c->parts + at + 1, c->parts + at, (c->n - at) * sizeof(*c->parts));
    c->n++;
    c->parts[at] = (struct evs_ckpt_part){.partition = partition};
    return &c->parts[at];
}

void evs_ckpt_add(struct evs_ckpt *to, const struct evs_ckpt *from)
{
    for (size_t i = 0; i < from->n; i++) {
        size_t had = to->n;
        struct evs_ckpt_part *p = evs_ckpt_part(to, from->parts[i].partition);
        if (to->n > had)
            *p = from->parts[i];
    }
}

int64_t evs_ckpt_total(const struct evs_ckpt *c, enum evs_ckpt_field field)
{
    int64_t sum = 0;
    for (size_t i = 0; i < c->n; i++)
        sum += c->parts[i].n[field];
    return sum;
}
