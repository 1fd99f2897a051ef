/* compare_spell.c - expected rows as the sink would give them back.
 *
 * A column of the sink's own type says the same in other words: 2026-01-02T03:04:05Z comes back as
 * 2026-01-02 03:04:05+00 from a timestamptz, 12.345 as 12.35 from a numeric(8,2). Only the sink
 * knows how; it is asked for the expected values before rows are compared.
 */
#include <string.h>

#include "core/json.h"
#include "replay/run_priv.h"

enum { ROWS_AT_ONCE = 20000, BYTES_AT_ONCE = 16 << 20 };

struct spelled {
    struct evs_rows *fold;
    size_t first;
};

static enum evs_cell_type type_of(enum evs_cell_type was, const char *text, size_t len)
{
    struct evs_decimal number;
    struct evs_json_fault fault;
    if (was == EVS_CELL_NUMBER)
        return evs_decimal_read(&number, text, len) ? was : EVS_CELL_TEXT;
    return was == EVS_CELL_JSON && evs_json_check(text, len, &fault) ? was : EVS_CELL_TEXT;
}

static void told(void *ctx, size_t row, int column, const char *text, size_t len)
{
    const struct spelled *sp = ctx;
    struct evs_row *r = &sp->fold->rows[sp->first + row];
    const char *kept = evs_rows_keep(sp->fold, text, len);
    if (column < 0) {
        r->value = kept;
        r->value_len = len;
        return;
    }
    /* the fold's own memory */
    struct evs_row_cell *c = (struct evs_row_cell *)(uintptr_t)&r->cells[column];
    *c = (struct evs_row_cell){type_of(c->type, text, len), kept, len};
}

static size_t chunk(const struct evs_rows *f, size_t at)
{
    size_t n = 0, bytes = 0;
    for (; at + n < f->n && n < ROWS_AT_ONCE && bytes < BYTES_AT_ONCE; n++)
        bytes += f->rows[at + n].value_len + 1;
    return n;
}

enum evs_rc run_spell(struct evs_sink *sink, struct evs_rows *fold, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    for (size_t at = 0, n; !rc && sink->ops->spell && at < fold->n; at += n) {
        struct spelled sp = {fold, at};
        n = chunk(fold, at);
        rc = sink->ops->spell(sink, fold->rows + at, n, told, &sp, err);
    }
    return rc;
}
