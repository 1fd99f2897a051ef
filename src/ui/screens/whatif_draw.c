/* whatif_draw.c - how What-if looks. */
#include <math.h>
#include <string.h>

#include "core/num.h"
#include "keys/scan.h"
#include "ui/screens/whatif_int.h"
#include "ui/widgets/chart.h"

enum { WIDE = 110, BARS = 40, LABEL = 5 };

static void bars(const struct whatif *w, struct evs_view *v)
{
    const struct evs_whatif *x = evs_whatif_selected(w), *now = &w->all->now;
    char title[96];
    evs_bands_say(title, sizeof(title), "%s%s%s", x->strategy, x->placement ? ", " : "",
                  x->placement ? x->placement : "");
    evs_view_rule(v, 0, title, NULL, false);
    double top = 0;
    int half = (v->cols - LABEL - 8) / 2;
    for (int32_t p = 0; p < now->partitions; p++)
        top = fmax(top, now->after[p]);
    evs_view_text(v, 1, LABEL + 2, EVS_ROLE_TABLE_HEAD, "now");
    evs_view_text(v, 1, LABEL + 2 + half + 1, EVS_ROLE_TABLE_HEAD, "after");
    int32_t most = x->partitions > now->partitions ? x->partitions : now->partitions;
    for (int32_t p = 0; p < most && p + 2 < v->rows; p++) {
        int line = (int)p + 2;
        evs_view_printf(v, line, 1, EVS_ROLE_TEXT, "p%d", (int)p);
        if (p < now->partitions)
            evs_chart_bar(v, line, LABEL + 1, half,
                          &(struct evs_bar){.value = now->after[p],
                                            .top = top,
                                            .tick = 1.0 / now->partitions,
                                            .role = EVS_ROLE_BAR});
        if (p >= x->partitions || isnan(x->max_over_mean))
            continue;
        evs_chart_bar(v, line, LABEL + 2 + half, half,
                      &(struct evs_bar){.value = x->after[p],
                                        .top = top,
                                        .tick = 1.0 / x->partitions,
                                        .role = EVS_ROLE_BAR_AFTER});
        char n[16];
        evs_bands_say(n, sizeof(n), "%.1f", x->after[p] * x->partitions);
        evs_view_right(v, line, v->cols - 1, EVS_ROLE_TEXT, n);
    }
}

static int headline(const struct whatif *w, struct evs_view *v, int max_rows)
{
    const char *error = evs_ui_scan_error(w->scan);
    struct evs_view text = evs_view_sub(v, 0, 2, max_rows, v->cols - 3);
    if (error)
        return evs_view_wrap(&text, 0, 0, max_rows, EVS_ROLE_BAD, error);
    if (!w->all)
        return evs_view_wrap(&text, 0, 0, max_rows, EVS_ROLE_TEXT_DIM,
                             "Reading the keys first; Esc stops and works with what is known.");
    return evs_view_wrap(&text, 0, 0, max_rows, EVS_ROLE_TEXT_STRONG, w->all->advice);
}

static void order_line(const struct whatif *w, struct evs_view *v, int line)
{
    const struct evs_whatif *x = evs_whatif_selected(w);
    char a[EVS_NUM_LEN], b[EVS_NUM_LEN];
    if (!x || isnan(x->broken_pair_share))
        return;
    if (!x->broken_pairs) {
        evs_view_printf(v, line, 2, EVS_ROLE_TEXT, "Order: %s.", x->ordering);
        return;
    }
    evs_view_printf(
        v, line, 2, EVS_ROLE_TEXT, "Order: %s of %s same-key pairs (%.1f %%) would part%s",
        evs_num_commas(a, (int64_t)x->broken_pairs),
        evs_num_commas(b, (int64_t)w->seen.sn->ks->key_pairs), 100 * x->broken_pair_share,
        x->keys_changed < w->seen.sn->ks->n ? "; every other key keeps its order." : ".");
}

void evs_whatif_draw(const struct evs_screen *s, struct evs_view *v)
{
    const struct whatif *w = s->state;
    bool tall = v->rows >= 10;
    int top = headline(w, v, tall ? 3 : 1) + (tall ? 1 : 0), foot = tall ? 2 : 0;
    if (!w->all)
        return;
    struct evs_view body = evs_view_sub(v, top, 0, v->rows - top - foot, v->cols);
    bool wide = v->cols >= WIDE && evs_whatif_selected(w);
    int left = wide ? v->cols - BARS - 3 : v->cols;
    struct evs_view head = evs_view_sub(&body, 0, 0, 1, left);
    evs_view_rule(&head, 0, "strategies", NULL, true);
    struct evs_view list = evs_view_sub(&body, 1, 0, body.rows - 1, left);
    evs_table_draw(&w->table, &list);
    if (wide) {
        struct evs_view right = evs_view_sub(&body, 0, left + 3, body.rows, BARS);
        for (int r = 0; r < body.rows; r++)
            evs_view_glyph(&body, r, left + 1, EVS_ROLE_PANE_RULE, EVS_G_SPLIT);
        bars(w, &right);
    }
    if (foot)
        order_line(w, v, v->rows - 1);
}

void evs_whatif_bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct whatif *w = s->state;
    const struct evs_scan_sn *sn = w->seen.sn;
    char t[EVS_NUM_LEN], n[EVS_NUM_LEN];
    evs_bands_crumb(b, "Topics", s->at.topic, "Keys", "What-if");
    evs_ui_scan_progress(w->scan, &b->progress);
    if (!sn || !w->all)
        return;
    evs_bands_say(b->right, sizeof(b->right), "from the scan of %s %s target %.2f%s",
                  evs_num_moment(t, sn->now_ms, evs_ui_now_ms(s->ui), 0), evs_glyph(EVS_G_DOT),
                  w->target, evs_glyph(EVS_G_TIMES));
    bool exact = sn->ks->exact && !sn->sample && sn->complete;
    evs_bands_say(b->tag, sizeof(b->tag), exact ? "exact" : "~");
    evs_bands_say(b->left, sizeof(b->left),
                  "composite and random rows are estimates; the rest re-hash all %s keys seen",
                  evs_num_commas(n, (int64_t)sn->ks->n));
    const struct evs_whatif *x = evs_whatif_selected(w);
    if (x && x->estimate && x->high > x->low)
        evs_bands_say(b->left, sizeof(b->left), "estimate: %.2f to %.2f in 99 %% of even hashes",
                      x->low, x->high);
    else if (x && isnan(x->peak))
        evs_bands_say(b->value, sizeof(b->value), "PEAK: not known for this one");
}
