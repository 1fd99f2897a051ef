/* heat_cell.c - the key that fills the cell under the cursor, from its first records. */
#include <string.h>

#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "kafka/range.h"
#include "keys/scan.h"
#include "ui/screens/heat_int.h"

enum { CELL_READS = 2000 };

struct cell_work {
    struct evs_client *client;
    struct evs_ranges ranges;
    struct evs_range part;
    size_t col, row;
};

static void cell_free(void *ctx)
{
    struct cell_work *w = ctx;
    evs_free(w->ranges.topic);
    evs_free(w);
}

static void cell_sn_free(struct evs_snap *snap)
{
    evs_free(snap);
}

static void cell_publish(struct evs_task *t, const struct cell_work *w, const struct evs_keyset *ks)
{
    struct cell_sn *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, cell_sn_free);
    sn->col = w->col;
    sn->row = w->row;
    sn->read = (int64_t)ks->messages;
    if (ks->n_top > 0 && ks->messages > 0) {
        struct evs_buf b = EVS_BUF_INIT(sizeof(sn->key));
        evs_text_fit(&b, ks->top[0].key, ks->top[0].key_len, 40, EVS_CUT_END);
        evs_bands_say(sn->key, sizeof(sn->key), "%s", evs_buf_str(&b));
        evs_buf_done(&b);
        sn->share = (double)ks->top[0].count / (double)ks->messages;
    }
    evs_task_publish(t, &sn->snap);
}

static void cell_run(struct evs_task *t, void *ctx)
{
    struct cell_work *w = ctx;
    struct evs_err err = EVS_ERR_INIT;
    struct evs_scan *scan = NULL;
    struct evs_slot *slot = evs_slot_new(NULL);
    struct evs_scan_opts opts = {.limit = CELL_READS, .memory_bytes = 8 << 20, .workers = 1};
    enum evs_rc rc = evs_scan_start(w->client, &w->ranges, &opts, slot, &scan, &err);
    while (rc == EVS_OK || rc == EVS_AGAIN) {
        rc = evs_scan_wait(scan, 20, &err);
        if (evs_stop_raised(evs_task_stop_flag(t)))
            evs_scan_stop(scan);
    }
    struct evs_scan_sn *sn = (struct evs_scan_sn *)evs_slot_take(slot, 0);
    if (sn) {
        cell_publish(t, w, sn->ks);
        evs_snap_unref(&sn->snap);
    }
    evs_scan_free(scan);
    evs_slot_free(slot);
}

void evs_heat_ask_cell(struct evs_screen *s)
{
    struct heat *h = s->state;
    int64_t from = evs_heat_edge(h, h->col, h->row), to = evs_heat_edge(h, h->col + 1, h->row);
    h->asked = true;
    if (to <= from)
        return;
    struct cell_work *w = evs_xcalloc(1, sizeof(*w));
    w->client = evs_ui_client(s->ui);
    w->col = h->col;
    w->row = h->row;
    w->part = (struct evs_range){.partition = (int32_t)h->row,
                                 .leader = -1,
                                 .from = from,
                                 .to = to,
                                 .low = from,
                                 .high = to,
                                 .lso = to};
    w->ranges = (struct evs_ranges){.topic = evs_xstrdup(s->at.topic),
                                    .parts = &w->part,
                                    .n = 1,
                                    .topic_partitions = (int32_t)h->sn->s->grid.rows};
    evs_task_drop(h->cell_task);
    if (h->cell) /* each task counts its own snapshots */
        evs_snap_unref(&h->cell->snap);
    h->cell = NULL;
    h->cell_task = evs_task_start("heat-cell", cell_run, w, cell_free, evs_ui_wake(s->ui));
}

/* --- the mouse --- */

/* The cell at a place of the body; false: beside the map. */
static bool cell_at(const struct heat *h, int row, int col, size_t *ret_col, size_t *ret_row)
{
    const struct evs_heat_grid *g = evs_heat_grid_shown(h);
    if (!g || row < 0 || row >= h->map_rows || col < HEAT_LABEL)
        return false;
    *ret_col = h->first + (size_t)(col - HEAT_LABEL);
    *ret_row = h->top + (size_t)row;
    return *ret_col < g->n && *ret_row < g->rows;
}

bool evs_heat_click(struct evs_screen *s, int row, int col)
{
    struct heat *h = s->state;
    size_t to_col, to_row;
    h->held = SIZE_MAX;
    if (!cell_at(h, row, col, &to_col, &to_row))
        return false;
    h->again = to_col == h->col && to_row == h->row && h->mark == SIZE_MAX;
    h->mark = SIZE_MAX;
    h->held = h->col = to_col;
    h->row = to_row;
    evs_heat_moved(h);
    return false; /* it may become a drag */
}

bool evs_heat_let_go(struct evs_screen *s, int row, int col)
{
    struct heat *h = s->state;
    const struct evs_heat_grid *g = evs_heat_grid_shown(h);
    size_t from = h->held;
    (void)row; /* a range is one of time */
    h->held = SIZE_MAX;
    if (from == SIZE_MAX || !g)
        return false;
    size_t to = col < HEAT_LABEL ? h->first : h->first + (size_t)(col - HEAT_LABEL);
    to = to < g->n ? to : g->n - 1;
    if (to == from)
        return h->again;
    h->mark = from;
    h->col = to;
    evs_heat_moved(h);
    return false;
}
