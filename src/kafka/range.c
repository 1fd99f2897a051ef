#include "kafka/range.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/range_int.h"

/* --- partitions --- */

static int by_number(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static enum evs_rc parse_number(const char *text, size_t n, int64_t *ret_v, struct evs_err *err)
{
    char word[16];
    if (n == 0 || n >= sizeof(word))
        return evs_fail(err, EVS_INVALID, "not a partition number");
    memcpy(word, text, n);
    word[n] = '\0';
    return evs_num_i64(word, 0, INT32_MAX, ret_v, err);
}

/* One piece, "3" or "3-5", of n bytes. */
static enum evs_rc parse_piece(const char *text, size_t n, int64_t *ret_from, int64_t *ret_to,
                               struct evs_err *err)
{
    const char *dash = memchr(text, '-', n);
    size_t left = dash ? (size_t)(dash - text) : n;
    enum evs_rc rc = parse_number(text, left, ret_from, err);
    *ret_to = *ret_from;
    if (!rc && dash)
        rc = parse_number(dash + 1, n - left - 1, ret_to, err);
    if (!rc && *ret_to < *ret_from)
        rc = evs_fail(err, EVS_INVALID, "%.*s runs backwards", (int)n, text);
    return rc;
}

enum evs_rc evs_range_partitions(const char *text, int32_t count, int32_t **ret_list, size_t *ret_n,
                                 struct evs_err *err)
{
    int32_t *list = evs_xcalloc((size_t)count + 1, sizeof(*list));
    bool *wanted = evs_xcalloc((size_t)count + 1, sizeof(*wanted));
    enum evs_rc rc = EVS_OK;
    size_t n = 0;
    for (const char *at = text; !rc;) {
        size_t len = strcspn(at, ",");
        int64_t from = 0, to = 0;
        rc = parse_piece(at, len, &from, &to, err);
        if (rc) {
            evs_wrap(err, "partitions '%s'", text);
            evs_hint(err, "a list such as 0,3-5");
        } else if (to >= count) {
            rc = evs_fail(err, EVS_INVALID, "partition %lld does not exist: there are 0 to %d",
                          (long long)(from >= count ? from : to), count - 1);
        }
        for (int64_t p = from; !rc && p <= to; p++)
            wanted[p] = true;
        if (!at[len])
            break;
        at += len + 1;
    }
    for (int32_t p = 0; p < count; p++)
        if (wanted[p])
            list[n++] = p;
    evs_free(wanted);
    if (rc) {
        evs_free(list);
        return rc;
    }
    qsort(list, n, sizeof(*list), by_number);
    *ret_list = list;
    *ret_n = n;
    return EVS_OK;
}

/* --- places --- */

enum place_kind {
    PLACE_LOW,
    PLACE_END,
    PLACE_OFFSET,
    PLACE_BACK, /* value records before the end */
    PLACE_TIME,
    PLACE_GROUP, /* text: the group's name */
    PLACE_OPEN
};

struct place {
    enum place_kind kind;
    int64_t value;
    const char *text;
};

static enum evs_rc bad_offset(const char *text, struct evs_err *err)
{
    evs_fail(err, EVS_INVALID, "offset '%s': not understood", text);
    return evs_hint(
        err, "beginning, end, N, -N (the last N), s@MS, group:NAME; and as the end N or e@MS");
}

static enum evs_rc parse_offset(const char *text, bool is_end, struct place *to,
                                struct evs_err *err)
{
    const char *mark = is_end ? "e@" : "s@";
    *to = (struct place){.text = text};
    if (!strcmp(text, "beginning") && !is_end) {
        to->kind = PLACE_LOW;
        return EVS_OK;
    }
    if (!strcmp(text, "end")) {
        to->kind = PLACE_END;
        return EVS_OK;
    }
    if (!strncmp(text, "group:", 6) && text[6] && !is_end) {
        *to = (struct place){.kind = PLACE_GROUP, .text = text + 6};
        return EVS_OK;
    }
    bool time = !strncmp(text, mark, 2), back = !time && text[0] == '-' && !is_end;
    to->kind = time ? PLACE_TIME : back ? PLACE_BACK : PLACE_OFFSET;
    if (evs_num_i64(text + (time ? 2 : back ? 1 : 0), 0, INT64_MAX, &to->value, err))
        return bad_offset(text, err);
    return EVS_OK;
}

static enum evs_rc parse_time(const char *text, const char *what, int64_t now_ms, struct place *to,
                              struct evs_err *err)
{
    *to = (struct place){.kind = PLACE_TIME, .text = text};
    return evs_num_time(text, now_ms, &to->value, err) ? evs_wrap(err, "%s", what) : EVS_OK;
}

static enum evs_rc parse_spec(const struct evs_range_spec *spec, struct place *from,
                              struct place *to, struct evs_err *err)
{
    int64_t now_ms = spec->now_ms ? spec->now_ms : evs_clock_wall_ms();
    enum evs_rc rc = EVS_OK;
    *from = (struct place){.kind = PLACE_LOW};
    *to = (struct place){.kind = spec->follow ? PLACE_OPEN : PLACE_END};
    if (spec->from && spec->since)
        return evs_fail(err, EVS_INVALID, "--offset %s and --since %s both say where to begin",
                        spec->from, spec->since);
    if (spec->to && spec->until)
        return evs_fail(err, EVS_INVALID, "--offset %s and --until %s both say where to end",
                        spec->to, spec->until);
    if (spec->follow && (spec->to || spec->until))
        return evs_fail(err, EVS_INVALID, "--follow has no end, but %s gives one",
                        spec->to ? spec->to : spec->until);
    if (spec->from)
        rc = parse_offset(spec->from, false, from, err);
    else if (spec->since)
        rc = parse_time(spec->since, "--since", now_ms, from, err);
    if (!rc && spec->to)
        rc = parse_offset(spec->to, true, to, err);
    else if (!rc && spec->until)
        rc = parse_time(spec->until, "--until", now_ms, to, err);
    if (!rc && from->kind == PLACE_TIME && to->kind == PLACE_TIME && from->value > to->value)
        rc = evs_fail(err, EVS_INVALID, "the window ends (%s) before it begins (%s)", to->text,
                      from->text);
    return rc;
}

/* --- resolving --- */

struct resolving {
    struct evs_client *c;
    struct evs_ranges *r;
    struct evs_offset_ask *asks; /* one for each part without error */
    size_t n;
};

static int by_ask(const void *a, const void *b)
{
    const struct evs_offset_ask *x = a, *y = b;
    return (x->partition > y->partition) - (x->partition < y->partition);
}

/* The ask of a part: both stand sorted by partition. */
static const struct evs_offset_ask *ask_of(const struct resolving *rs, const struct evs_range *part)
{
    const struct evs_offset_ask key = {.partition = part->partition};
    return bsearch(&key, rs->asks, rs->n, sizeof(*rs->asks), by_ask);
}

static void drop_bad(struct resolving *rs)
{
    for (size_t i = 0; i < rs->r->n; i++) {
        struct evs_range *part = &rs->r->parts[i];
        const struct evs_offset_ask *a = part->error ? NULL : ask_of(rs, part);
        if (a && a->native)
            part->error = evs_xstrdup(evs_meta_error_text(a->native));
    }
}

/* Asks ts_ms of all good parts; the answers stand in rs->asks, in the order of the good parts. */
static enum evs_rc ask(struct resolving *rs, int64_t ts_ms, enum evs_isolation isolation,
                       struct evs_err *err)
{
    rs->n = 0;
    for (size_t i = 0; i < rs->r->n; i++)
        if (!rs->r->parts[i].error)
            rs->asks[rs->n++] = (struct evs_offset_ask){
                .topic = rs->r->topic, .ts_ms = ts_ms, .partition = rs->r->parts[i].partition};
    enum evs_rc rc = evs_meta_offsets(rs->c, rs->asks, rs->n, isolation, NULL, err);
    if (!rc)
        drop_bad(rs);
    return rc ? evs_wrap(err, "topic %s", rs->r->topic) : EVS_OK;
}

static int64_t end_of(const struct evs_ranges *r, const struct evs_range *part)
{
    return r->isolation == EVS_READ_COMMITTED ? part->lso : part->high;
}

/* low first and high last: what moves meanwhile only makes the span larger, never negative. */
static enum evs_rc ask_ends(struct resolving *rs, struct evs_err *err)
{
    static const struct {
        int64_t ts_ms;
        enum evs_isolation isolation;
        size_t at;
    } wants[] = {
        {EVS_TS_BEGINNING, EVS_READ_UNCOMMITTED, offsetof(struct evs_range, low)},
        {EVS_TS_END, EVS_READ_COMMITTED, offsetof(struct evs_range, lso)},
        {EVS_TS_END, EVS_READ_UNCOMMITTED, offsetof(struct evs_range, high)},
    };
    for (size_t w = 0; w < EVS_COUNT(wants); w++) {
        enum evs_rc rc = ask(rs, wants[w].ts_ms, wants[w].isolation, err);
        if (rc)
            return rc;
        for (size_t i = 0; i < rs->r->n; i++)
            if (!rs->r->parts[i].error)
                *(int64_t *)(void *)((char *)&rs->r->parts[i] + wants[w].at) =
                    ask_of(rs, &rs->r->parts[i])->offset;
    }
    return EVS_OK;
}

static int64_t place_in(const struct resolving *rs, const struct place *at,
                        const struct evs_range *part)
{
    int64_t end = end_of(rs->r, part), to;
    switch (at->kind) {
    case PLACE_LOW: return part->low;
    case PLACE_OFFSET: to = at->value; break;
    case PLACE_BACK: to = at->value > end - part->low ? part->low : end - at->value; break;
    case PLACE_TIME: to = ask_of(rs, part)->offset; break;
    case PLACE_GROUP: to = part->from; break; /* is there already; none: at the end */
    case PLACE_OPEN: return EVS_RANGE_OPEN;
    case PLACE_END:
    default: return end;
    }
    if (to < 0)
        to = end; /* nothing that late */
    return to < part->low ? part->low : to > end ? end : to;
}

static enum evs_rc place_all(struct resolving *rs, const struct place *at, size_t member,
                             struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    if (at->kind == PLACE_TIME)
        rc = ask(rs, at->value, rs->r->isolation, err);
    else if (at->kind == PLACE_GROUP)
        rc = evs_range_from_group(rs->c, at->text, rs->r, err);
    for (size_t i = 0; !rc && i < rs->r->n; i++)
        if (!rs->r->parts[i].error)
            *(int64_t *)(void *)((char *)&rs->r->parts[i] + member) =
                place_in(rs, at, &rs->r->parts[i]);
    return rc;
}

/* An absolute offset that no wanted partition holds is a mistake, not an empty answer. */
static enum evs_rc check_offset(const struct evs_ranges *r, const struct place *at,
                                struct evs_err *err)
{
    const struct evs_range *bad = NULL;
    if (at->kind != PLACE_OFFSET)
        return EVS_OK;
    for (size_t i = 0; i < r->n; i++) {
        const struct evs_range *part = &r->parts[i];
        if (part->error)
            continue;
        if (at->value >= part->low && at->value <= part->high)
            return EVS_OK;
        bad = part;
    }
    if (!bad)
        return EVS_OK;
    evs_fail(err, EVS_INVALID, "topic %s: offset %lld is out of range", r->topic,
             (long long)at->value);
    return evs_hint(err, "partition %d holds offsets %lld to %lld", bad->partition,
                    (long long)bad->low, (long long)bad->high);
}

static struct evs_ranges *new_ranges(const struct evs_meta_topic *t, const int32_t *list, size_t n,
                                     enum evs_isolation isolation)
{
    struct evs_ranges *r = evs_xcalloc(1, sizeof(*r));
    r->topic = evs_xstrdup(t->name);
    r->topic_partitions = t->n_partitions;
    r->isolation = isolation;
    r->at_ms = evs_clock_wall_ms();
    r->n = n;
    r->parts = evs_xcalloc(n + 1, sizeof(*r->parts));
    for (size_t i = 0; i < n; i++) {
        const struct evs_meta_partition *p = &t->partitions[list[i]];
        r->parts[i] = (struct evs_range){.partition = p->partition, .leader = p->leader};
        if (p->leader < 0)
            r->parts[i].error = evs_xstrdup(p->error ? p->error : "no leader");
    }
    return r;
}

static enum evs_rc pick_parts(const struct evs_meta *meta, const struct evs_range_spec *spec,
                              struct evs_ranges **ret_r, struct evs_err *err)
{
    const struct evs_meta_topic *t = &meta->topics[0];
    int32_t *list = NULL;
    size_t n = 0;
    char all[24];
    snprintf(all, sizeof(all), "0-%d", t->n_partitions - 1);
    enum evs_rc rc = evs_range_partitions(spec->partitions ? spec->partitions : all,
                                          t->n_partitions, &list, &n, err);
    if (rc)
        return evs_wrap(err, "topic %s", t->name);
    *ret_r = new_ranges(t, list, n, spec->isolation);
    evs_free(list);
    return EVS_OK;
}

enum evs_rc evs_range_resolve(struct evs_client *c, const char *topic,
                              const struct evs_range_spec *spec, struct evs_ranges **ret_ranges,
                              struct evs_err *err)
{
    struct place from, to;
    struct evs_meta *meta = NULL;
    struct resolving rs = {.c = c};
    enum evs_rc rc = parse_spec(spec, &from, &to, err);
    if (!rc)
        rc = evs_meta_fetch(c, topic, &meta, err);
    if (!rc)
        rc = pick_parts(meta, spec, &rs.r, err);
    if (rc)
        goto out;
    rs.asks = evs_xcalloc(rs.r->n + 1, sizeof(*rs.asks));
    rc = ask_ends(&rs, err);
    if (!rc)
        rc = check_offset(rs.r, &from, err);
    if (!rc)
        rc = place_all(&rs, &from, offsetof(struct evs_range, from), err);
    if (!rc)
        rc = place_all(&rs, &to, offsetof(struct evs_range, to), err);
    if (rc)
        goto out;
    for (size_t i = 0; i < rs.r->n; i++)
        if (rs.r->parts[i].to < rs.r->parts[i].from)
            rs.r->parts[i].to = rs.r->parts[i].from;
    *ret_ranges = rs.r;
    rs.r = NULL;
out:
    evs_meta_free(meta);
    evs_ranges_free(rs.r);
    evs_free(rs.asks);
    return rc;
}

void evs_ranges_free(struct evs_ranges *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++)
        evs_free(r->parts[i].error);
    evs_free(r->parts);
    evs_free(r->topic);
    evs_free(r);
}

struct evs_ranges *evs_ranges_copy(const struct evs_ranges *r)
{
    struct evs_ranges *to = evs_xmemdup(r, sizeof(*r));
    to->topic = evs_xstrdup(r->topic);
    to->parts = evs_xmemdup(r->parts, sizeof(*r->parts) * r->n);
    for (size_t i = 0; i < r->n; i++)
        to->parts[i].error = evs_xstrdup(r->parts[i].error);
    return to;
}

int64_t evs_ranges_span(const struct evs_ranges *r)
{
    int64_t span = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct evs_range *part = &r->parts[i];
        int64_t to = part->to == EVS_RANGE_OPEN ? end_of(r, part) : part->to;
        if (!part->error && to > part->from)
            span += to - part->from;
    }
    return span;
}
