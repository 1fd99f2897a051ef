/* heat_draw.c - how Heat looks. */
#include <math.h>
#include <string.h>

#include "core/num.h"
#include "keys/scan.h"
#include "ui/app.h"
#include "ui/screens/heat_int.h"
#include "ui/widgets/chart.h"

enum { AXIS_STEP = 18 };

struct scale {
    double low, high;
    int bright;
};

/* From the smallest to the largest cell that is not empty. */
static struct scale scale_of(const struct heat *h)
{
    const struct evs_heat_grid *g = evs_heat_grid_shown(h);
    struct scale s = {0, 0, h->bright};
    for (size_t i = 0; i < g->n * g->rows; i++) {
        double v = (double)g->cell[i];
        if (v <= 0)
            continue;
        s.low = s.low == 0 || v < s.low ? v : s.low;
        s.high = v > s.high ? v : s.high;
    }
    return s;
}

static int level(const struct scale *s, uint64_t cell)
{
    if (cell == 0)
        return 0;
    double span = s->high > s->low ? log(s->high / s->low) : 0;
    double at = span > 0 ? log((double)cell / s->low) / span : 1;
    int l = 1 + (int)(at * 8.99) + s->bright;
    return l < 1 ? 1 : l > 9 ? 9 : l;
}

static const char *row_name(const struct heat *h, size_t row, char *to, size_t size)
{
    if (!h->keys && h->leaders && h->leader_id[row] < 0)
        evs_bands_say(to, size, "none");
    else if (!h->keys && h->leaders)
        evs_bands_say(to, size, "b%d", (int)h->leader_id[row]);
    else
        evs_bands_say(to, size, h->keys ? "#%zu" : "p%zu", row);
    return to;
}

static void map_row(const struct heat *h, const struct scale *sc, struct evs_view *v, int line,
                    size_t row)
{
    const struct evs_heat_grid *g = evs_heat_grid_shown(h);
    size_t from, to;
    evs_heat_range(h, &from, &to);
    if (row == h->row)
        evs_view_glyph(v, line, 0, EVS_ROLE_TEXT_STRONG, EVS_G_CURSOR);
    char name[24];
    evs_view_text(v, line, 1, row == h->row ? EVS_ROLE_TEXT_STRONG : EVS_ROLE_TEXT,
                  row_name(h, row, name, sizeof(name)));
    for (int c = 0; c < v->cols - HEAT_LABEL; c++) {
        size_t col = h->first + (size_t)c;
        if (col >= g->n)
            break;
        int l = level(sc, g->cell[col * g->rows + row]);
        bool here = row == h->row && col == h->col;
        bool inside = h->mark != SIZE_MAX && row == h->row && col >= from && col < to;
        if (here || inside)
            evs_view_text(v, line, HEAT_LABEL + c, EVS_ROLE_HEAT_CURSOR, evs_glyph_heat(l));
        else
            evs_chart_heat(v, line, HEAT_LABEL + c, l);
    }
}

/* As much of the clock as a column is wide. */
static const char *clock_of(const struct heat *h, char *to, int64_t ts_ms)
{
    return evs_num_moment(to, ts_ms, evs_ui_now_ms(h->ui), evs_heat_grid_shown(h)->bucket_ms);
}

static void axis(const struct heat *h, struct evs_view *v, int line)
{
    const struct evs_heat_grid *g = evs_heat_grid_shown(h);
    char t[EVS_NUM_LEN];
    int cursor = HEAT_LABEL + (int)(h->col - h->first);
    evs_view_glyph(v, line, cursor, EVS_ROLE_TEXT_STRONG, EVS_G_SORT_UP);
    evs_view_text(v, line, cursor + 2, EVS_ROLE_TEXT_DIM, "cursor");
    int used = 0;
    bool days = false; /* a label told its day: so does the next one, whatever day it is */
    for (size_t col = h->first; col < g->n; col += AXIS_STEP) {
        int at = HEAT_LABEL + (int)(col - h->first);
        if (at < used || at + 8 >= v->cols)
            continue;
        int64_t ts_ms = g->start_ms + (int64_t)col * g->bucket_ms;
        clock_of(h, t, ts_ms);
        if (days && !strchr(t, ' '))
            evs_num_moment(t, ts_ms, -1, g->bucket_ms);
        days = days || strchr(t, ' ');
        used = at + evs_view_text(v, line + 1, at, EVS_ROLE_TEXT_DIM, t) + 2;
    }
}

static void patterns(const struct heat *h, struct evs_view *v, int line)
{
    int at = 2;
    size_t n;
    const struct evs_heat_pattern *all = evs_heat_patterns_shown(h, &n);
    for (size_t i = 0; !h->keys && i < n && at < v->cols; i++) {
        const struct evs_heat_pattern *p = &all[i];
        char kind[16];
        evs_bands_say(kind, sizeof(kind), "%c%s", p->kind[0] - 'a' + 'A', p->kind + 1);
        at += evs_view_text(v, line, at, i == h->pattern ? EVS_ROLE_TEXT_STRONG : EVS_ROLE_TEXT_DIM,
                            kind) +
              2;
        at += evs_view_text(v, line, at, EVS_ROLE_TEXT, p->text) + 4;
    }
    if (at == 2)
        evs_view_text(v, line, 2, EVS_ROLE_TEXT_DIM,
                      h->keys ? "Rows are 32 buckets of the keys' hash: one bright row is one key, "
                                "or one that shares its bucket."
                              : "No pattern stands out.");
}

static void cell_line(const struct heat *h, struct evs_view *v, int line)
{
    const struct evs_heat_grid *g = evs_heat_grid_shown(h);
    size_t from, to;
    uint64_t count = 0, column = 0;
    char a[EVS_NUM_LEN], b[EVS_NUM_LEN], n[EVS_NUM_LEN], rate[EVS_NUM_LEN], key[200] = "", name[24];
    evs_heat_range(h, &from, &to);
    for (size_t c = from; c < to; c++)
        for (size_t r = 0; r < g->rows; r++) {
            column += g->cell[c * g->rows + r];
            count += r == h->row ? g->cell[c * g->rows + r] : 0;
        }
    int64_t start = g->start_ms + (int64_t)from * g->bucket_ms;
    int64_t end = g->start_ms + (int64_t)to * g->bucket_ms;
    double mean = (double)column / (double)g->rows;
    if (h->cell && evs_heat_by_partition(h) && h->cell->col == h->col && h->cell->row == h->row &&
        h->mark == SIZE_MAX && h->cell->key[0])
        evs_bands_say(key, sizeof(key), "top key %s ~%.0f %% (%s read)", h->cell->key,
                      100 * h->cell->share, evs_num_commas(rate, h->cell->read));
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(1024);
    evs_buf_printf(&text, "%s  %s to %s   %s messages, %s/s",
                   row_name(h, h->row, name, sizeof(name)), clock_of(h, a, start),
                   clock_of(h, b, end), evs_num_commas(n, (int64_t)count),
                   evs_num_human(rate, (double)count * 1000.0 / (double)(end - start)));
    if (mean > 0)
        evs_buf_printf(&text, ", %.1f %s its column's mean", (double)count / mean,
                       evs_glyph(EVS_G_TIMES));
    if (key[0])
        evs_buf_printf(&text, "    %s", key);
    evs_view_wrap(v, line, 2, 2, EVS_ROLE_TEXT, evs_buf_str(&text));
}

void evs_heat_draw(const struct evs_screen *s, struct evs_view *v)
{
    const struct heat *h = s->state;
    const struct evs_heat_grid *g = evs_heat_grid_shown(h);
    if (!g) {
        const char *why = h->scan ? evs_ui_scan_error(h->scan) : NULL;
        if (!h->keys && h->sn && h->sn->error[0])
            why = h->sn->error;
        struct evs_view text = evs_view_sub(v, 1, 4, v->rows - 1, v->cols - 5);
        evs_view_wrap(&text, 0, 0, 4, why ? EVS_ROLE_BAD : EVS_ROLE_TEXT_DIM,
                      why       ? why
                      : h->keys ? "Reading the keys."
                                : "Asking for offsets.");
        return;
    }
    struct scale sc = scale_of(h);
    int rows = v->rows >= 10 ? v->rows - 6 : v->rows;
    int shown = 0;
    for (size_t r = h->top; r < g->rows && shown < rows; r++, shown++)
        map_row(h, &sc, v, shown, r);
    if (v->rows < 10)
        return;
    axis(h, v, shown);
    patterns(h, v, shown + 3);
    cell_line(h, v, shown + 4);
}

void evs_heat_bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct heat *h = s->state;
    const struct evs_heat_grid *g = evs_heat_grid_shown(h);
    const char *dot = evs_glyph(EVS_G_DOT);
    char n[EVS_NUM_LEN], m[EVS_NUM_LEN], span[EVS_NUM_LEN], width[EVS_NUM_LEN];
    char took[EVS_NUM_LEN];
    evs_bands_crumb(b, "Topics", s->at.topic, "Heat");
    if ((h->keys || h->fallback) && h->scan)
        evs_ui_scan_progress(h->scan, &b->progress);
    if (!g)
        return;
    struct scale sc = scale_of(h);
    evs_bands_say(b->right, sizeof(b->right), "%s %s %zu %s %s %s %s %s log",
                  evs_num_width(span, (int64_t)g->n * g->bucket_ms), dot, g->n,
                  evs_glyph(EVS_G_TIMES), evs_num_width(width, g->bucket_ms), dot,
                  h->keys      ? "by key"
                  : h->leaders ? "messages, by leader"
                               : "messages",
                  dot);
    evs_bands_say(b->value, sizeof(b->value), "%s  .:-=+*#%%@  %s", evs_num_human(n, sc.low),
                  evs_num_human(m, sc.high));
    if (h->keys || h->fallback) {
        evs_bands_say(b->tag, sizeof(b->tag), h->seen.sn->sample ? "~ sample" : "exact");
        evs_bands_say(b->left, sizeof(b->left), "from %s messages read%s",
                      evs_num_commas(width, (int64_t)h->seen.sn->ks->messages),
                      h->fallback ? ": these brokers do not look times up" : "");
        return;
    }
    const struct evs_slices *sl = h->sn->s;
    evs_bands_say(b->tag, sizeof(b->tag), "span");
    evs_bands_say(b->left, sizeof(b->left),
                  "offsets only, no message was read for the map %s %s offset look-ups in %s%s",
                  dot, evs_num_commas(n, sl->lookups), evs_num_took(took, sl->took_us / 1000),
                  sl->whole ? "" : ", coarse");
    if (sl->failed) {
        evs_bands_say(b->left, sizeof(b->left), "%d of %zu partitions did not answer",
                      (int)sl->failed, g->rows);
        b->role = EVS_ROLE_BAD;
    }
}
