#include "replay/rows.h"

#include <string.h>

#include "core/map.h"
#include "core/xalloc.h"
#include "replay/rows_priv.h"

enum {
    CHUNK_BYTES = 1 << 20,
    AHEAD = 16,         /* events that wait while what they need comes into the cache */
    AHEAD_ROW = 5,      /* so many later the row of their key is asked for, */
    AHEAD_ROOM = 10,    /* and so many later the key's bytes and the room */
    AHEAD_BYTES = 1024, /* longer events do not wait */
    CACHE_LINE = 64
};

struct evs_rows_chunk {
    struct evs_rows_chunk *next;
    size_t used, size;
    char data[];
};

struct evs_rows_slot {
    uint32_t hash, row; /* row + 1; 0 is free */
};

struct evs_rows_extra {
    char *room; /* where the row's value and cells lie */
    size_t room_bytes;
    struct evs_decimal *sum;
};

/* A large map is slow by its cache misses, three in a row for one event: slot, row, key. Events of
 * a view `latest` wait here for a few others, so that the misses of many overlap. */
struct evs_rows_ahead {
    size_t first, n;
    struct {
        struct evs_row row;
        uint32_t hash;
        char bytes[AHEAD_BYTES];
    } at[AHEAD];
};

void evs_rows_init(struct evs_rows *f, enum evs_view_mode mode, size_t n_cells)
{
    memset(f, 0, sizeof(*f));
    f->mode = mode;
    f->n_cells = n_cells;
}

void evs_rows_done(struct evs_rows *f)
{
    for (struct evs_rows_chunk *c = f->chunks, *next; c; c = next) {
        next = c->next;
        evs_free(c);
    }
    for (size_t i = 0; f->extra && i < f->n; i++)
        evs_free(f->extra[i].sum);
    evs_free(f->slots);
    evs_free(f->runs);
    evs_free(f->rows);
    evs_free(f->extra);
    evs_free(f->ahead);
    memset(f, 0, sizeof(*f));
}

static char *take(struct evs_rows *f, size_t n)
{
    n = (n + 7) & ~(size_t)7;
    struct evs_rows_chunk *c = f->chunks;
    if (!c || c->size - c->used < n) {
        size_t size = n > CHUNK_BYTES / 4 ? n : CHUNK_BYTES;
        c = evs_xmalloc(sizeof(*c) + size);
        c->used = 0;
        c->size = size;
        c->next = f->chunks;
        f->chunks = c;
    }
    char *p = c->data + c->used;
    c->used += n;
    f->bytes += n;
    return p;
}

/* Bytes that a row keeps besides its key. */
static size_t kept_bytes(const struct evs_rows *f, const struct evs_row *r)
{
    size_t n = r->value ? r->value_len + 1 : 0;
    if (r->cells)
        n += f->n_cells * sizeof(*r->cells) + 8;
    for (size_t i = 0; r->cells && i < f->n_cells; i++)
        n += r->cells[i].len;
    if (r->n_headers > 0)
        n += (size_t)r->n_headers * sizeof(*r->headers) + 8;
    for (int i = 0; i < r->n_headers; i++)
        n += r->headers[i].name_len + r->headers[i].value_len + 2;
    return n;
}

static char *copy(char **at, const void *p, size_t n)
{
    char *to = *at;
    memcpy(to, p, n);
    *at += n;
    return to;
}

static char *aligned(char *p)
{
    return p + (8 - (uintptr_t)p % 8) % 8;
}

/* Value, cells and headers of r into room, laid down for `to`. */
static void copy_kept(struct evs_rows *f, struct evs_row *to, const struct evs_row *r, char *room)
{
    if (r->cells) {
        room = aligned(room);
        struct evs_row_cell *cells = (struct evs_row_cell *)(void *)room;
        memcpy(cells, r->cells, f->n_cells * sizeof(*cells));
        room += f->n_cells * sizeof(*cells);
        for (size_t i = 0; i < f->n_cells; i++)
            if (cells[i].p)
                cells[i].p = copy(&room, r->cells[i].p, cells[i].len);
        to->cells = cells;
    }
    if (r->n_headers > 0) {
        room = aligned(room);
        struct evs_header *headers = (struct evs_header *)(void *)room;
        memcpy(headers, r->headers, (size_t)r->n_headers * sizeof(*headers));
        room += (size_t)r->n_headers * sizeof(*headers);
        for (int i = 0; i < r->n_headers; i++) {
            headers[i].name = copy(&room, r->headers[i].name, headers[i].name_len);
            if (headers[i].value)
                headers[i].value = copy(&room, r->headers[i].value, headers[i].value_len);
        }
        to->headers = headers;
    }
    if (r->value)
        to->value = copy(&room, r->value, r->value_len);
}

static void keep(struct evs_rows *f, size_t at, const struct evs_row *r)
{
    struct evs_row *to = &f->rows[at];
    struct evs_rows_extra *x = &f->extra[at];
    const void *key = to->key;
    size_t need = kept_bytes(f, r);
    if (need > x->room_bytes) {
        need += need / 4; /* values of one key are about as long: the next one fits too */
        x->room = take(f, need);
        x->room_bytes = need;
    }
    *to = *r;
    to->key = key;
    copy_kept(f, to, r, x->room);
}

static size_t new_row(struct evs_rows *f)
{
    if (f->n == f->alloc) {
        f->alloc = f->alloc ? f->alloc * 2 : 256;
        f->rows = evs_xgrow(f->rows, f->alloc, sizeof(*f->rows));
        f->extra = evs_xgrow(f->extra, f->alloc, sizeof(*f->extra));
    }
    memset(&f->rows[f->n], 0, sizeof(*f->rows));
    memset(&f->extra[f->n], 0, sizeof(*f->extra));
    f->bytes += sizeof(*f->rows);
    return f->n++;
}

/* The slot that holds the key, or the free one where it would go. */
static struct evs_rows_slot *find(const struct evs_rows *f, const void *key, size_t len,
                                  uint32_t hash)
{
    size_t at = hash & (f->n_slots - 1);
    for (; f->slots[at].row; at = (at + 1) & (f->n_slots - 1)) {
        const struct evs_row *r = &f->rows[f->slots[at].row - 1];
        if (f->slots[at].hash == hash && r->key_len == len &&
            (!len || !memcmp(r->key, key, len)))
            break;
    }
    return &f->slots[at];
}

static void grow_slots(struct evs_rows *f)
{
    size_t n = f->n_slots ? f->n_slots * 2 : 1024;
    struct evs_rows_slot *slots = evs_xcalloc(n, sizeof(*slots));
    for (size_t i = 0; i < f->n_slots; i++) {
        size_t at = f->slots[i].hash & (n - 1);
        if (!f->slots[i].row)
            continue;
        while (slots[at].row)
            at = (at + 1) & (n - 1);
        slots[at] = f->slots[i];
    }
    evs_free(f->slots);
    f->slots = slots;
    f->n_slots = n;
}

/* The row of the key, made when new. */
static size_t place_of(struct evs_rows *f, const void *key, size_t len, uint32_t hash,
                       bool *ret_new)
{
    if ((f->n - rows_run_begin(f) + 1) * 2 > f->n_slots)
        grow_slots(f);
    struct evs_rows_slot *slot = find(f, key, len, hash);
    *ret_new = !slot->row;
    if (!slot->row) {
        size_t at = new_row(f);
        char *copied = take(f, len + 1);
        if (len)
            memcpy(copied, key, len);
        copied[len] = '\0';
        f->rows[at].key = copied;
        f->rows[at].key_len = len;
        f->bytes += 2 * sizeof(*slot);
        slot->hash = hash;
        slot->row = (uint32_t)at + 1;
    }
    return slot->row - 1;
}

static enum evs_rc add_total(struct evs_rows *f, size_t at, const struct evs_row *r,
                             struct evs_err *err)
{
    struct evs_row *to = &f->rows[at];
    struct evs_rows_extra *x = &f->extra[at];
    struct evs_decimal v;
    if (f->mode == EVS_VIEW_SUM) {
        if (!x->sum) {
            x->sum = evs_xmalloc(sizeof(*x->sum));
            evs_decimal_zero(x->sum);
            f->bytes += sizeof(*x->sum);
        }
        if (!evs_decimal_read(&v, r->sum, strlen(r->sum)) || !evs_decimal_add(x->sum, &v))
            return evs_fail(err, EVS_POISON, "the sum of this group gets longer than %d digits",
                            EVS_DECIMAL_DIGITS);
    }
    to->count += r->count;
    to->partition = r->partition; /* the last event of the group stands for it in messages */
    to->offset = r->offset;
    to->ts_ms = r->ts_ms;
    to->rank = r->rank > to->rank ? r->rank : to->rank;
    return EVS_OK;
}

static void put_latest(struct evs_rows *f, const struct evs_row *row, uint32_t hash)
{
    bool first = false;
    size_t at = place_of(f, row->key, row->key_len, hash, &first);
    struct evs_row *have = &f->rows[at];
    if (!first && have->partition != row->partition)
        f->split++;
    if (first || evs_row_newer(row->partition, row->offset, row->ts_ms, have->partition,
                               have->offset, have->ts_ms))
        keep(f, at, row);
}

/* --- events that wait ------------------------------------------------------------------------ */
static void put_first(struct evs_rows *f)
{
    struct evs_rows_ahead *a = f->ahead;
    size_t at = a->first;
    a->first = (a->first + 1) % AHEAD;
    a->n--;
    put_latest(f, &a->at[at].row, a->at[at].hash);
}

static void put_all(struct evs_rows *f)
{
    while (f->ahead && f->ahead->n)
        put_first(f);
}

/* The row that probably is the key's, or NULL. */
static const struct evs_row *likely(const struct evs_rows *f, uint32_t hash)
{
    const struct evs_rows_slot *slot = &f->slots[hash & (f->n_slots - 1)];
    return slot->row && slot->hash == hash ? &f->rows[slot->row - 1] : NULL;
}

static void wait_ahead(struct evs_rows *f, const struct evs_row *row)
{
    if (!f->ahead) {
        f->ahead = evs_xmalloc(sizeof(*f->ahead));
        f->ahead->first = f->ahead->n = 0;
    }
    struct evs_rows_ahead *a = f->ahead;
    if (a->n == AHEAD)
        put_first(f);
    size_t at = (a->first + a->n++) % AHEAD;
    char *bytes = a->at[at].bytes;
    struct evs_row *to = &a->at[at].row;
    *to = *row;
    to->key = bytes;
    if (row->key_len)
        memcpy(bytes, row->key, row->key_len);
    if (row->value)
        to->value = memcpy(bytes + row->key_len, row->value, row->value_len);
    a->at[at].hash = (uint32_t)evs_map_hash(row->key, row->key_len);
    if (a->n < AHEAD || !f->n_slots)
        return;
    EVS_PREFETCH(&f->slots[a->at[at].hash & (f->n_slots - 1)]);
    const struct evs_row *due = likely(f, a->at[(at + AHEAD - AHEAD_ROW) % AHEAD].hash);
    if (due) {
        EVS_PREFETCH(due);
        EVS_PREFETCH((const char *)due + CACHE_LINE);
        EVS_PREFETCH(&f->extra[due - f->rows]);
    }
    due = likely(f, a->at[(at + AHEAD - AHEAD_ROOM) % AHEAD].hash);
    if (due) {
        EVS_PREFETCH(due->key);
        EVS_PREFETCH(f->extra[due - f->rows].room);
    }
}

static void add_latest(struct evs_rows *f, const struct evs_row *row)
{
    if (!row->cells && row->key_len + row->value_len <= AHEAD_BYTES) {
        wait_ahead(f, row);
        return;
    }
    put_all(f);
    put_latest(f, row, (uint32_t)evs_map_hash(row->key, row->key_len));
}

static void add_log(struct evs_rows *f, const struct evs_row *row)
{
    size_t at = new_row(f);
    keep(f, at, row);
    if (row->key) {
        char *key = take(f, row->key_len + 1);
        memcpy(key, row->key, row->key_len);
        f->rows[at].key = key;
    }
}

enum evs_rc evs_rows_add(struct evs_rows *f, const struct evs_row *row, struct evs_err *err)
{
    bool first;
    switch (f->mode) {
    case EVS_VIEW_LATEST: add_latest(f, row); return EVS_OK;
    case EVS_VIEW_LOG: add_log(f, row); return EVS_OK;
    default: break;
    }
    uint32_t hash = (uint32_t)evs_map_hash(row->key, row->key_len);
    return add_total(f, place_of(f, row->key, row->key_len, hash, &first), row, err);
}

void evs_rows_seal(struct evs_rows *f)
{
    put_all(f);
    if (f->n == rows_run_begin(f) || f->mode != EVS_VIEW_LATEST)
        return;
    rows_sort_run(f);
    if (!f->n_runs)
        rows_add_run(f, 0);
    rows_add_run(f, f->n);
    memset(f->slots, 0, f->n_slots * sizeof(*f->slots));
}

void evs_rows_join(struct evs_rows *f, struct evs_rows *other)
{
    evs_rows_seal(f);
    evs_rows_seal(other);
    for (size_t i = 0; i < other->n; i++) {
        size_t at = new_row(f);
        f->rows[at] = other->rows[i];
    }
    size_t base = f->n - other->n;
    for (size_t i = 0; i + 1 < other->n_runs; i++)
        rows_add_run(f, base + other->runs[i + 1]);
}

void evs_rows_finish(struct evs_rows *f, bool sorted)
{
    if (f->final)
        return;
    put_all(f);
    f->final = true;
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(2 * EVS_DECIMAL_DIGITS);
    for (size_t i = 0; f->mode == EVS_VIEW_SUM && i < f->n; i++) {
        evs_buf_reset(&text);
        evs_decimal_print(f->extra[i].sum, &text);
        char *sum = take(f, text.len + 1);
        memcpy(sum, evs_buf_str(&text), text.len + 1);
        f->rows[i].sum = sum;
    }
    if ((sorted || f->n_runs > 1) && f->mode != EVS_VIEW_LOG && f->n)
        rows_sort(f);
}

const struct evs_row *evs_rows_find(const struct evs_rows *f, const void *key, size_t len)
{
    if (!f->n_slots)
        return NULL;
    size_t at = find(f, key, len, (uint32_t)evs_map_hash(key, len))->row;
    return at ? &f->rows[at - 1] : NULL;
}

const char *evs_rows_keep(struct evs_rows *f, const char *p, size_t n)
{
    char *to = take(f, n + 1);
    memcpy(to, p, n);
    to[n] = '\0';
    return to;
}
