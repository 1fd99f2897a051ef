#include "lag/history.h"

#include <string.h>

const int64_t evs_grid_back_ms[EVS_GRID_STEPS] = {60000,   300000,   900000,
                                                  3600000, 21600000, 86400000};

void evs_cells_init(struct evs_cells *s)
{
    s->newest = 0;
    for (int i = 0; i < EVS_CELLS; i++)
        s->cell[i] = -1;
}

void evs_cells_put(struct evs_cells *s, int64_t at_ms, double v)
{
    int64_t cell = at_ms / EVS_CELL_MS;
    if (!s->newest || cell - s->newest >= EVS_CELLS || cell < s->newest) {
        evs_cells_init(s);
        s->newest = cell;
    }
    while (s->newest < cell)
        s->cell[++s->newest % EVS_CELLS] = -1;
    s->cell[cell % EVS_CELLS] = v < 0 ? -1.0f : (float)v;
}

void evs_cells_get(const struct evs_cells *s, int64_t now_ms, int n, double *ret_v)
{
    int64_t last = now_ms / EVS_CELL_MS;
    if (s->newest && last - s->newest == 1)
        last = s->newest; /* the present cell has no reading yet */
    for (int i = 0; i < n; i++) {
        int64_t cell = last - (n - 1 - i);
        bool held = s->newest && cell <= s->newest && cell > s->newest - EVS_CELLS;
        ret_v[i] = held && cell > 0 ? (double)s->cell[cell % EVS_CELLS] : -1;
    }
}

void evs_track_init(struct evs_track *t)
{
    memset(t, 0, sizeof(*t));
    evs_cells_init(&t->ends);
    for (int i = 0; i < EVS_GRID_STEPS; i++)
        t->grid[i] = EVS_LAG_NULL;
}

void evs_track_add(struct evs_track *t, int64_t at_ms, int64_t low, int64_t end)
{
    if (t->n && (end < t->end[t->n - 1] || at_ms < t->at_ms[t->n - 1]))
        evs_track_init(t);
    if (!t->low_at_ms || low < t->low_first) {
        t->low_at_ms = at_ms;
        t->low_first = low;
    }
    if (!t->n)
        t->ends_base = end;
    evs_cells_put(&t->ends, at_ms, (double)(end - t->ends_base));
    if (t->n >= 2 && t->end[t->n - 1] == end && t->end[t->n - 2] == end) {
        t->at_ms[t->n - 1] = at_ms; /* a flat run is its two outer points */
        return;
    }
    if (t->n == EVS_TRACK_POINTS) {
        memmove(t->at_ms, t->at_ms + 1, (EVS_TRACK_POINTS - 1) * sizeof(*t->at_ms));
        memmove(t->end, t->end + 1, (EVS_TRACK_POINTS - 1) * sizeof(*t->end));
        t->n--;
    }
    t->at_ms[t->n] = at_ms;
    t->end[t->n++] = end;
}

double evs_track_rate(const struct evs_track *t, int64_t window_ms)
{
    if (t->n < 2)
        return -1;
    int last = t->n - 1, first = last;
    while (first > 0 && t->at_ms[last] - t->at_ms[first] < window_ms)
        first--;
    int64_t span_ms = t->at_ms[last] - t->at_ms[first];
    if (span_ms <= 0)
        return -1;
    return (double)(t->end[last] - t->end[first]) * 1000.0 / (double)span_ms;
}

const char *evs_lag_method_name(enum evs_lag_method m)
{
    static const char *const names[] = {NULL, "exact", "interpolated", "bracket"};
    return names[m];
}

/* offset lies between `from` (at or after time a) and `to` (reached by time b). */
static void on_the_line(int64_t offset, int64_t from, int64_t a_ms, int64_t to, int64_t b_ms,
                        int64_t now_ms, struct evs_lag_time *ret_t)
{
    double share = to > from ? (double)(offset - from) / (double)(to - from) : 0;
    int64_t at_ms = a_ms + (int64_t)(share * (double)(b_ms - a_ms));
    *ret_t = (struct evs_lag_time){EVS_METHOD_INTERPOLATED, now_ms - at_ms, now_ms - b_ms,
                                   now_ms - a_ms};
}

/* Between two ends that we saw: the record was appended between those two moments. */
static bool by_samples(const struct evs_track *t, int64_t offset, int64_t now_ms,
                       struct evs_lag_time *ret_t)
{
    for (int i = t->n - 1; i > 0; i--) {
        if (offset >= t->end[i - 1] && offset < t->end[i]) {
            on_the_line(offset, t->end[i - 1], t->at_ms[i - 1], t->end[i], t->at_ms[i], now_ms,
                        ret_t);
            return true;
        }
    }
    return false;
}

void evs_track_age(const struct evs_track *t, int64_t offset, int64_t end, int64_t now_ms,
                   struct evs_lag_time *ret_t)
{
    *ret_t = (struct evs_lag_time){EVS_METHOD_NONE, EVS_LAG_NULL, 0, EVS_LAG_NULL};
    if (offset >= end) {
        *ret_t = (struct evs_lag_time){EVS_METHOD_EXACT, 0, 0, 0};
        return;
    }
    if (by_samples(t, offset, now_ms, ret_t) || !t->grid_at_ms)
        return;
    int64_t newer = t->n ? t->end[0] : end, newer_ms = t->n ? t->at_ms[0] : now_ms;
    if (newer_ms < t->grid_at_ms) {
        newer = end;
        newer_ms = now_ms;
    }
    for (int i = 0; i < EVS_GRID_STEPS; i++) {
        int64_t at_ms = t->grid_at_ms - evs_grid_back_ms[i];
        int64_t from = t->grid[i] < 0 ? newer : t->grid[i];
        if (offset >= from && from < newer) {
            on_the_line(offset, from, at_ms, newer, newer_ms, now_ms, ret_t);
            return;
        }
        newer = from;
        newer_ms = at_ms;
    }
    *ret_t =
        (struct evs_lag_time){EVS_METHOD_BRACKET, EVS_LAG_NULL, now_ms - newer_ms, EVS_LAG_NULL};
}

void evs_trail_init(struct evs_trail *t)
{
    memset(t, 0, sizeof(*t));
    evs_cells_init(&t->lags);
}

void evs_trail_add(struct evs_trail *t, int64_t at_ms, int64_t committed, int64_t lag)
{
    if (!t->first_ms)
        t->first_ms = at_ms;
    int64_t before = t->n ? t->readings[t->n - 1].committed : EVS_LAG_NULL;
    if (t->n && committed != before) {
        if (t->moved_ms && before >= 0 && at_ms - t->moved_ms > t->commit_gap_ms)
            t->commit_gap_ms = at_ms - t->moved_ms;
        t->moved_ms = at_ms;
    }
    if (t->n == EVS_LAG_WINDOW) {
        memmove(t->readings, t->readings + 1, (EVS_LAG_WINDOW - 1) * sizeof(*t->readings));
        t->n--;
    }
    t->readings[t->n++] = (struct evs_lag_reading){at_ms, committed, lag};
    evs_cells_put(&t->lags, at_ms, (double)lag);
}

double evs_trail_rate(const struct evs_trail *t)
{
    int first = t->n - 1;
    if (first < 0 || t->readings[first].committed < 0)
        return -1;
    while (first > 0 && t->readings[first - 1].committed >= 0 &&
           t->readings[first - 1].committed <= t->readings[first].committed)
        first--;
    const struct evs_lag_reading *a = &t->readings[first], *b = &t->readings[t->n - 1];
    if (b->at_ms <= a->at_ms)
        return -1;
    return (double)(b->committed - a->committed) * 1000.0 / (double)(b->at_ms - a->at_ms);
}

struct evs_lag_eta evs_lag_eta(int64_t lag, double consume, double produce, bool nobody)
{
    if (lag == 0)
        return (struct evs_lag_eta){EVS_ETA_DONE, 0};
    if (lag < 0)
        return (struct evs_lag_eta){EVS_ETA_UNKNOWN, 0};
    if (nobody)
        return (struct evs_lag_eta){EVS_ETA_NEVER, 0};
    if (consume < 0 || produce < 0)
        return (struct evs_lag_eta){EVS_ETA_UNKNOWN, 0};
    if (consume == 0 && produce == 0)
        return (struct evs_lag_eta){EVS_ETA_NEVER, 0}; /* it stands, and does not grow */
    if (consume <= produce)
        return (struct evs_lag_eta){EVS_ETA_GROWS, 0};
    return (struct evs_lag_eta){EVS_ETA_TIME, (double)lag / (consume - produce)};
}

struct evs_lag_eta evs_lag_eta_slower(struct evs_lag_eta a, struct evs_lag_eta b)
{
    static const int order[] = {[EVS_ETA_DONE] = 0,
                                [EVS_ETA_TIME] = 1,
                                [EVS_ETA_UNKNOWN] = 2,
                                [EVS_ETA_GROWS] = 3,
                                [EVS_ETA_NEVER] = 4};
    if (order[a.kind] != order[b.kind])
        return order[a.kind] > order[b.kind] ? a : b;
    return a.seconds >= b.seconds ? a : b;
}

double evs_retention_left_s(const struct evs_track *t, int64_t at_ms, int64_t low,
                            int64_t committed)
{
    if (!t->low_at_ms || at_ms <= t->low_at_ms || low <= t->low_first || committed < low)
        return -1;
    double a_second = (double)(low - t->low_first) * 1000.0 / (double)(at_ms - t->low_at_ms);
    return (double)(committed - low) / a_second;
}
