#include "ui/widgets/chart.h"

#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "ui/screen.h"

void evs_chart_spark(struct evs_view *v, int row, int col, int cols, const double *values, size_t n,
                     double top, enum evs_role role)
{
    size_t from = n > (size_t)cols ? n - (size_t)cols : 0;
    if (!(top > 0)) {
        top = 0;
        for (size_t i = from; i < n; i++)
            top = values[i] > top ? values[i] : top;
    }
    int at = col + cols - (int)(n - from);
    for (size_t i = from; i < n; i++, at++) {
        double share = values[i] >= 0 ? (top > 0 ? values[i] / top : 0) : -1;
        if (share >= 0)
            evs_view_text(v, row, at, role, evs_glyph_spark(share));
    }
}

void evs_chart_bar(struct evs_view *v, int row, int col, int cols, const struct evs_bar *b)
{
    if (cols <= 0 || !(b->top > 0))
        return;
    double share = b->value / b->top;
    share = share < 0 || share != share ? 0 : share > 1 ? 1 : share;
    int eighths = (int)(share * cols * 8 + 0.5);
    int full = eighths / 8, rest = eighths % 8;
    int hot = b->hot > 0 ? (int)(b->hot / b->top * cols + 0.5) : 0;
    hot = hot > full ? full : hot;
    evs_view_fill(v, row, col, full - hot, b->role, evs_glyph(EVS_G_BAR));
    evs_view_fill(v, row, col + full - hot, hot, EVS_ROLE_BAR_HOT, evs_glyph(EVS_G_HOT));
    int end = full;
    if (rest && full < cols)
        end += evs_view_text(v, row, col + full, hot ? EVS_ROLE_BAR_HOT : b->role,
                             evs_glyph_eighth(rest));
    if (b->tick >= 0) {
        int tick = (int)(b->tick / b->top * cols);
        if (tick >= end && tick < cols)
            evs_view_glyph(v, row, col + tick, EVS_ROLE_BAR_MEAN, EVS_G_TICK);
    }
}

void evs_chart_heat(struct evs_view *v, int row, int col, int level)
{
    if (level < 0)
        return;
    level = level > 9 ? 9 : level;
    evs_view_text(v, row, col, (enum evs_role)(EVS_ROLE_HEAT_0 + level), evs_glyph_heat(level));
}

static int add(struct evs_view *v, int row, int at, const char *text)
{
    return *text ? at + evs_view_text(v, row, at, EVS_ROLE_STATUS, text) + 2 : at;
}

void evs_chart_progress(struct evs_view *v, int row, const struct evs_progress *p)
{
    char text[160], done[EVS_NUM_LEN], total[EVS_NUM_LEN], num[EVS_NUM_LEN];
    int at = add(v, row, 1, p->what ? p->what : "working");
    if (p->share >= 0) {
        int cols = v->cols >= 100 ? 22 : v->cols >= 60 ? 12 : 6;
        evs_chart_bar(v, row, at, cols, &(struct evs_bar){p->share, 0, 1, -1, EVS_ROLE_PROGRESS});
        at += cols + 1;
        snprintf(text, sizeof(text), "%3.0f %%",
                 p->share * 100 > 99.4 && p->share < 1 ? 99.0 : p->share * 100);
        at = add(v, row, at, text);
    }
    evs_num_commas(done, p->done);
    if (p->total > 0)
        snprintf(text, sizeof(text), "%s of %s", done, evs_num_commas(total, p->total));
    else
        snprintf(text, sizeof(text), "%s", done);
    if (v->cols >= 60)
        at = add(v, row, at, text);
    if (p->rate > 0 && v->cols >= 80) {
        snprintf(text, sizeof(text), "%s/s", evs_num_human(num, p->rate));
        at = add(v, row, at, text);
    }
    if (p->eta_s >= 0 && v->cols >= 60) {
        snprintf(text, sizeof(text), "ETA %s", evs_num_ago(num, (int64_t)(p->eta_s * 1000)));
        at = add(v, row, at, text);
    }
    snprintf(text, sizeof(text), "%s%sEsc stop", p->note, p->note[0] ? "  " : "");
    int width = (int)evs_text_width(text, strlen(text));
    if (at + width <= v->cols - 1)
        evs_view_right(v, row, v->cols - 1, EVS_ROLE_STATUS, text);
    else if (at + 8 <= v->cols)
        evs_view_right(v, row, v->cols, EVS_ROLE_STATUS, "Esc stop");
}
