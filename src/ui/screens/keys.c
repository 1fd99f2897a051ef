/* keys.c - is the load even; if not, which key, since when, whose fault, what fixes it. */
#include <math.h>
#include <string.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "keys/print.h"
#include "keys/scan.h"
#include "keys/windows.h"
#include "ui/app.h"
#include "ui/scans.h"
#include "ui/screens/keys_int.h"
#include "ui/widgets/chart.h"

enum { P_NAME, P_SHARE, P_BAR, P_LOAD, P_KEYS };
enum { K_RANK, K_KEY, K_COUNT, K_ERROR, K_SHARE, K_PART, K_FIRST, K_LAST };
enum { TOP = 20, TOP_STEP = 80, WIDE = 110, LEFT = 54 };

/* --- model --- */

double evs_keys_load(const struct keys *k, size_t p)
{
    const struct evs_key_part *x = &k->seen.sn->ks->part[p];
    return k->bytes ? (double)x->bytes : (double)x->messages;
}

static double total(const struct keys *k)
{
    const struct evs_keyset *ks = k->seen.sn->ks;
    return k->bytes ? (double)ks->bytes : (double)ks->messages;
}

static double share(const struct keys *k, size_t p)
{
    return total(k) > 0 ? evs_keys_load(k, p) / total(k) : 0;
}

const struct evs_key_detail *evs_keys_row(const struct keys *k, size_t row)
{
    const struct evs_keyset *ks = k->seen.sn->ks;
    return k->bytes ? &ks->top_bytes[row] : &ks->top[row];
}

const struct evs_key_detail *evs_keys_selected(const struct keys *k)
{
    size_t row = k->seen.sn ? evs_table_row(&k->hot) : SIZE_MAX;
    return row == SIZE_MAX ? NULL : evs_keys_row(k, row);
}

static double weight(const struct keys *k, const struct evs_key_detail *d)
{
    return k->bytes ? (double)d->bytes : (double)(d->count + d->error);
}

/* --- partitions --- */

static size_t part_count(const void *ctx)
{
    const struct keys *k = ctx;
    return k->seen.sn ? (size_t)k->seen.sn->ks->partitions : 0;
}

static void part_field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct keys *k = ctx;
    const struct evs_scan_sn *sn = k->seen.sn;
    char n[EVS_NUM_LEN];
    double ratio = share(k, row) * sn->ks->read;
    enum evs_role role = ratio >= 3 ? EVS_ROLE_BAD : ratio >= 1.5 ? EVS_ROLE_WARN : EVS_ROLE_TEXT;
    switch (col) {
    case P_NAME: evs_field_printf(f, EVS_ROLE_TEXT, "p%zu", row); break;
    case P_SHARE:
        if (sn->error[row])
            evs_field_set(f, EVS_ROLE_BAD, evs_glyph(EVS_G_NONE));
        else
            evs_field_printf(f, EVS_ROLE_TEXT, "%.1f %%", 100 * share(k, row));
        break;
    case P_LOAD: evs_field_printf(f, role, "%.1f%s", ratio, evs_glyph(EVS_G_TIMES)); break;
    case P_KEYS:
        evs_field_set(f, EVS_ROLE_TEXT,
                      f->exact ? evs_num_commas(n, (int64_t)sn->ks->part[row].distinct)
                               : evs_ui_num(k->ui, n, (int64_t)sn->ks->part[row].distinct));
        break;
    default: break;
    }
}

static void part_chart(const void *ctx, size_t row, int col, struct evs_view *v)
{
    const struct keys *k = ctx;
    const struct evs_key_detail *d = evs_keys_selected(k);
    const struct evs_skew *s =
        k->bytes ? &k->seen.sn->report->bytes : &k->seen.sn->report->messages;
    double top = fmax(s->max_over_mean, 2) / k->seen.sn->ks->read, hot = 0;
    (void)col;
    for (size_t i = 0; d && i < d->n_places; i++)
        if (d->places[i].partition == (int32_t)row)
            hot = (k->bytes ? (double)d->places[i].bytes : (double)d->places[i].count) / total(k);
    evs_chart_bar(v, 0, 0, v->cols,
                  &(struct evs_bar){.value = share(k, row),
                                    .hot = hot,
                                    .top = top,
                                    .tick = 1.0 / k->seen.sn->ks->read,
                                    .role = EVS_ROLE_BAR});
}

static double part_rank(const void *ctx, size_t row, int col)
{
    const struct keys *k = ctx;
    if (col == P_NAME)
        return (double)row;
    return col == P_KEYS ? (double)k->seen.sn->ks->part[row].distinct : evs_keys_load(k, row);
}

static uint64_t part_id(const void *ctx, size_t row)
{
    (void)ctx;
    return row;
}

static const struct evs_column part_cols[] = {
    {"P", 3, 6, 0, EVS_COL_COMPACT, NULL, "partition"},
    {"SHARE", 6, 7, 0, EVS_COL_RIGHT | EVS_COL_DESC | EVS_COL_COMPACT, "exact",
     "share of all that was read; the fair share is 1 / partitions"},
    {"", 8, 24, 5, EVS_COL_CHART | EVS_COL_WIDE | EVS_COL_NOSORT, NULL,
     "share; the hatched end is the selected key's part, the tick the fair share"},
    {"LOAD", 5, 6, 0, EVS_COL_RIGHT | EVS_COL_DESC | EVS_COL_COMPACT, "exact",
     "times the fair share"},
    {"KEYS", 6, 11, 3, EVS_COL_RIGHT | EVS_COL_DESC, "~", "distinct keys on this partition"}};
static bool part_shown(const void *ctx, size_t row)
{
    const struct evs_scan_sn *sn = ((const struct keys *)ctx)->seen.sn;
    return !sn->ks->unread || !sn->ks->unread[row] || sn->error[row];
}

static const struct evs_table_ops part_ops = {part_cols,
                                              5,
                                              2,
                                              part_count,
                                              part_field,
                                              .chart = part_chart,
                                              .rank = part_rank,
                                              .id = part_id,
                                              .shown = part_shown,
                                              .heading = evs_keys_heading};

/* --- hot keys --- */

static size_t hot_count(const void *ctx)
{
    const struct keys *k = ctx;
    if (!k->seen.sn)
        return 0;
    size_t n = k->bytes ? k->seen.sn->ks->n_top_bytes : k->seen.sn->ks->n_top;
    return n < k->top ? n : k->top;
}

static bool hot_shown(const void *ctx, size_t row)
{
    const struct keys *k = ctx;
    const struct evs_key_detail *d = evs_keys_row(k, row);
    for (size_t i = 0; i < d->n_places && k->only >= 0; i++)
        if (d->places[i].partition == k->only)
            return true;
    return k->only < 0;
}

static void hot_numbers(const struct keys *k, const struct evs_key_detail *d, int col,
                        struct evs_field *f)
{
    char n[EVS_NUM_LEN];
    double w = weight(k, d);
    if (col == K_COUNT && k->bytes)
        evs_field_set(f, EVS_ROLE_TEXT,
                      f->exact ? evs_num_commas(n, (int64_t)d->bytes)
                               : evs_ui_bytes(k->ui, n, (int64_t)d->bytes));
    else if (col == K_COUNT)
        evs_field_set(f, d->error ? EVS_ROLE_NUM_EST : EVS_ROLE_TEXT,
                      evs_num_commas(n, (int64_t)w));
    else if (col == K_ERROR)
        evs_field_set(f, EVS_ROLE_TEXT_DIM, evs_num_commas(n, (int64_t)d->error));
    else
        evs_field_printf(f, EVS_ROLE_TEXT, "%.1f %%", total(k) > 0 ? 100 * w / total(k) : 0);
}

static void hot_field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct keys *k = ctx;
    const struct evs_key_detail *d = evs_keys_row(k, row);
    char t[EVS_NUM_LEN];
    switch (col) {
    case K_RANK: evs_field_printf(f, EVS_ROLE_TEXT_DIM, "%zu", row + 1); break;
    case K_KEY:
        if (d->key_len == 0) {
            evs_field_set(f, EVS_ROLE_NULL, "\"\"");
            break;
        }
        f->p = (const char *)d->key;
        f->n = d->key_len;
        break;
    case K_PART:
        if (d->n_places == 1)
            evs_field_printf(f, EVS_ROLE_TEXT, "%d", (int)d->places[0].partition);
        else
            evs_field_printf(f, EVS_ROLE_WARN, "%zu of", d->n_places);
        break;
    case K_FIRST:
        evs_field_set(f, EVS_ROLE_TEXT,
                      d->first_ts < 0 ? evs_glyph(EVS_G_NONE)
                                      : evs_ui_moment(k->ui, t, d->first_ts));
        break;
    case K_LAST:
        evs_field_set(f, EVS_ROLE_TEXT,
                      d->last_ts < 0 ? evs_glyph(EVS_G_NONE)
                                     : evs_num_ago(t, evs_ui_now_ms(k->ui) - d->last_ts));
        break;
    default: hot_numbers(k, d, col, f); break;
    }
}

static int hot_compare(const void *ctx, size_t a, size_t b, int col)
{
    const struct keys *k = ctx;
    const struct evs_key_detail *x = evs_keys_row(k, a), *y = evs_keys_row(k, b);
    size_t n = x->key_len < y->key_len ? x->key_len : y->key_len;
    int c;
    switch (col) {
    case K_KEY:
        c = memcmp(x->key, y->key, n);
        return c ? c : (x->key_len > y->key_len) - (x->key_len < y->key_len);
    case K_ERROR: return (x->error > y->error) - (x->error < y->error);
    case K_PART: return x->places[0].partition - y->places[0].partition;
    case K_FIRST: return (x->first_ts > y->first_ts) - (x->first_ts < y->first_ts);
    case K_LAST: return (x->last_ts > y->last_ts) - (x->last_ts < y->last_ts);
    default: return (weight(k, x) > weight(k, y)) - (weight(k, x) < weight(k, y));
    }
}

static uint64_t hot_id(const void *ctx, size_t row)
{
    const struct evs_key_detail *d = evs_keys_row(ctx, row);
    uint64_t h = UINT64_C(1469598103934665603) + d->key_full;
    for (uint32_t i = 0; i < d->key_len; i++)
        h = (h ^ d->key[i]) * UINT64_C(1099511628211);
    return h;
}

static bool hot_hidden(const void *ctx, int col)
{
    const struct keys *k = ctx;
    return col == K_ERROR && k->seen.sn && k->seen.sn->ks->exact && k->bytes;
}

static const struct evs_column hot_cols[] = {
    {"#", 2, 4, 2, EVS_COL_RIGHT | EVS_COL_NOSORT, NULL, "rank"},
    {"KEY", 8, 60, 0, EVS_COL_GROW | EVS_COL_COMPACT, "exact", "the record key"},
    {"COUNT", 6, 14, 0, EVS_COL_RIGHT | EVS_COL_DESC | EVS_COL_COMPACT, "exact",
     "messages (u: bytes); the true count lies in [count - error, count]"},
    {"±", 1, 10, 4, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "how much too high the count may be"},
    {"SHARE", 6, 7, 5, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "of all that was read"},
    {"P", 2, 6, 6, EVS_COL_RIGHT, "exact", "its partition, or on how many"},
    {"FIRST", 9, 18, 2, 0, "exact", "first message of the key"},
    {"LAST", 4, 12, 1, EVS_COL_DESC, "exact", "age of its last message"}};
static const struct evs_table_ops hot_ops = {hot_cols,
                                             8,
                                             2,
                                             hot_count,
                                             hot_field,
                                             .compare = hot_compare,
                                             .id = hot_id,
                                             .shown = hot_shown,
                                             .col_hidden = hot_hidden};

/* --- life --- */

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct keys *k = s->state;
    (void)err;
    k->ui = s->ui;
    k->top = TOP;
    k->only = -1;
    k->right = true;
    k->scan = evs_ui_scan_open(s->ui, &s->at);
    evs_table_init(&k->parts, &part_ops, k, P_SHARE, P_NAME, false);
    evs_table_init(&k->hot, &hot_ops, k, K_COUNT, -1, false);
    return EVS_OK;
}

static void leave(struct evs_screen *s)
{
    struct keys *k = s->state;
    evs_table_done(&k->parts);
    evs_table_done(&k->hot);
    evs_ui_scan_forget(&k->seen);
    evs_ui_scan_close(k->scan);
}

static bool refresh(struct evs_screen *s)
{
    struct keys *k = s->state;
    if (!evs_ui_scan_take(k->scan, &k->seen))
        return false;
    evs_keys_remember(s);
    evs_table_update(&k->parts);
    evs_table_update(&k->hot);
    return true;
}

static void resize(struct evs_screen *s, int rows, int cols)
{
    struct keys *k = s->state;
    (void)cols;
    evs_table_resize(&k->parts, rows > 9 ? rows - 8 : rows);
    evs_table_resize(&k->hot, rows > 9 ? rows - 8 : rows);
}

static struct evs_table *table(struct evs_screen *s)
{
    struct keys *k = s->state;
    return k->right ? &k->hot : &k->parts;
}

static void show_only(struct keys *k, int32_t partition)
{
    k->only = partition;
    k->right = partition >= 0 || k->right;
    evs_table_update(&k->hot);
}

static bool open_row(struct evs_screen *s)
{
    struct keys *k = s->state;
    size_t row = evs_table_row(k->right ? &k->hot : &k->parts);
    if (row == SIZE_MAX)
        return false;
    if (!k->right) {
        show_only(k, (int32_t)row);
        return true;
    }
    struct evs_place at = EVS_PLACE_INIT;
    evs_place_copy(&at, &s->at);
    s->ops->place(s, &at);
    evs_ui_open(s->ui, "messages", &at);
    evs_place_done(&at);
    return true;
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    struct keys *k = s->state;
    size_t n = k->seen.sn ? k->seen.sn->report->n : 0;
    switch (c) {
    case EVS_CMD_OPEN: return open_row(s) ? EVS_HANDLED : EVS_IGNORED;
    case EVS_CMD_PANE_NEXT:
    case EVS_CMD_PANE_PREV: k->right = !k->right; return EVS_HANDLED;
    case EVS_CMD_UNIT: k->bytes = !k->bytes; break;
    case EVS_CMD_MORE: k->top += TOP_STEP; break;
    case EVS_CMD_LESS: k->top = k->top > TOP + TOP_STEP ? k->top - TOP_STEP : TOP; break;
    case EVS_CMD_MATCH_NEXT: k->finding += n ? 1 : 0; return EVS_HANDLED;
    case EVS_CMD_MATCH_PREV: k->finding += n ? n - 1 : 0; return EVS_HANDLED;
    case EVS_CMD_CONTINUE: return evs_ui_scan_continue(k->scan) ? EVS_HANDLED : EVS_IGNORED;
    case EVS_CMD_REFRESH: evs_ui_scan_again(k->scan); return EVS_HANDLED;
    case EVS_CMD_BACK:
        if (k->only < 0 || evs_ui_scan_running(k->scan))
            return EVS_IGNORED;
        show_only(k, -1);
        return EVS_HANDLED;
    default: return evs_keys_scope(s, c);
    }
    evs_table_update(&k->parts);
    evs_table_update(&k->hot);
    return EVS_HANDLED;
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    const struct keys *k = s->state;
    bool row = k->seen.sn && evs_table_row(k->right ? &k->hot : &k->parts) != SIZE_MAX;
    switch (c) {
    case EVS_CMD_OPEN:
    case EVS_CMD_SAVE: return row;
    case EVS_CMD_TRACE: return row && k->right;
    case EVS_CMD_UNIT:
    case EVS_CMD_PANE_NEXT:
    case EVS_CMD_SAVE_ALL:
    case EVS_CMD_COPY: return k->seen.sn != NULL;
    case EVS_CMD_MORE:
        return k->seen.sn &&
               k->top < (k->bytes ? k->seen.sn->ks->n_top_bytes : k->seen.sn->ks->n_top);
    case EVS_CMD_CONTINUE: return evs_ui_scan_can_continue(k->scan);
    case EVS_CMD_ALL: return s->at.partition >= 0;
    default: return true;
    }
}

static bool stop(struct evs_screen *s)
{
    return evs_ui_scan_stop(((struct keys *)s->state)->scan);
}

static void place(const struct evs_screen *s, struct evs_place *to)
{
    const struct keys *k = s->state;
    size_t row = k->right || !k->seen.sn ? SIZE_MAX : evs_table_row(&k->parts);
    const struct evs_key_detail *d = k->right ? evs_keys_selected(k) : NULL;
    if (row != SIZE_MAX)
        to->partition = (int32_t)row;
    if (d && d->key_full == d->key_len)
        evs_place_set_key(to, d->key, d->key_len);
}

static bool copy(const struct evs_screen *s, char what, struct evs_buf *out)
{
    const struct keys *k = s->state;
    const struct evs_key_detail *d = evs_keys_selected(k);
    if (what == 'k' && d)
        return evs_buf_add(out, d->key, d->key_len);
    if (what == 'r' && k->seen.sn) {
        evs_scan_json(out, k->seen.sn, k->top);
        return true;
    }
    if (!k->seen.sn)
        return false;
    evs_scan_summary(out, k->seen.sn);
    return true;
}

static bool save(const struct evs_screen *s, bool all, struct evs_buf *out)
{
    const struct keys *k = s->state;
    (void)all;
    if (!k->seen.sn)
        return false;
    evs_scan_json(out, k->seen.sn, k->top);
    return evs_buf_addc(out, '\n');
}

static bool command_line(const struct evs_screen *s, struct evs_buf *out)
{
    const struct keys *k = s->state;
    evs_buf_printf(out, "keys '%s' -n %zu", s->at.topic, k->top);
    if (s->at.partition >= 0)
        evs_buf_printf(out, " -p %d", (int)s->at.partition);
    if (s->at.from_ms >= 0)
        evs_buf_printf(out, " -o s@%lld", (long long)s->at.from_ms);
    if (s->at.to_ms >= 0)
        evs_buf_printf(out, " -o e@%lld", (long long)s->at.to_ms);
    evs_keys_scope_options(k, out);
    return true;
}

static const struct evs_hint hints[] = {EVS_HINT(OPEN, "messages"),
                                        EVS_HINT(ALL, "whole topic"),
                                        EVS_HINT(TRACE, "trace"),
                                        EVS_HINT(CONTINUE, "read the rest"),
                                        EVS_HINT(GO_WHATIF, "what-if"),
                                        EVS_HINT(GO_HEAT, "heat"),
                                        EVS_HINT(UNIT, "bytes"),
                                        EVS_HINT(PANE_NEXT, "pane"),
                                        EVS_HINT(SAVE_ALL, "save"),
                                        EVS_HINT(MORE, "more keys"),
                                        EVS_HINT(FILTER, "count only"),
                                        EVS_HINT(FOLLOW, "live"),
                                        EVS_HINTS_END};

static const struct evs_meaning meanings[] = {
    {"▲ ! √",
     "critical, worth a look, good: the verdict, most severe first; n and N show the rest"},
    {"▓", "the part of the partition that the selected key makes"},
    {"┊", "the fair share: 1 / partitions"},
    {"works as", "effective partitions: so many equal ones would carry the load as well"},
    {"by chance", "how many keys a wrong partitioner would explain"},
    {NULL, NULL}};

const struct evs_screen_ops evs_screen_keys = {
    .name = "keys",
    .title = "Keys",
    .about = "key distribution, hotspots and their cause",
    .state_size = sizeof(struct keys),
    .needs_topic = true,
    .hints = hints,
    .meanings = meanings,
    .enter = enter,
    .resize = resize,
    .refresh = refresh,
    .draw = evs_keys_draw,
    .leave = leave,
    .bands = evs_keys_bands,
    .command = command,
    .can = can,
    .table = table,
    .place = place,
    .copy = copy,
    .command_line = command_line,
    .save = save,
    .stop = stop,
};
