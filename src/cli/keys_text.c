#include "cli/keys_text.h"

#include <math.h>
#include <string.h>

#include "cli/out.h"
#include "core/num.h"
#include "keys/fields.h"
#include "keys/print.h"
#include "keys/windows.h"

enum { TEXT_CAP = 1 << 20, TEXT_PARTITIONS = 64 };

static void ratio_cell(struct evs_table *t, double x)
{
    if (isnan(x))
        evs_table_cell(t, "-");
    else
        evs_table_cell(t, "%.2f", x);
}

static void print_partitions(const struct evs_scan_sn *sn)
{
    static const char *const heads[] = {"P",     ">MESSAGES", ">SHARE",  ">LOAD", ">BYTES",
                                        ">KEYS", ">NULL",     "TOP KEY", "ERROR", NULL};
    const struct evs_keyset *ks = sn->ks;
    struct evs_table *t = evs_table_new(heads);
    char n[EVS_NUM_LEN];
    for (int32_t p = 0; p < ks->partitions && p < TEXT_PARTITIONS; p++) {
        const struct evs_key_part *x = &ks->part[p];
        const struct evs_key_part_top *top = &ks->part_top[(size_t)p * EVS_KEY_PART_TOP];
        double share = ks->messages ? (double)x->messages / (double)ks->messages : 0;
        if (ks->unread && ks->unread[p] && !sn->error[p])
            continue;
        evs_table_cell(t, "%d", (int)p);
        evs_table_cell(t, "%s", evs_num_commas(n, (int64_t)x->messages));
        evs_table_cell(t, "%.1f %%", 100 * share);
        evs_table_cell(t, "%.2f", share * ks->read);
        evs_table_cell(t, "%s", evs_num_bytes(n, (double)x->bytes));
        evs_table_cell(t, "%s", evs_num_commas(n, (int64_t)x->distinct));
        evs_table_cell(t, "%s", x->null_keys ? evs_num_commas(n, (int64_t)x->null_keys) : "");
        evs_table_cell_bytes(t, top->key ? (const void *)top->key : "", top->key_len);
        evs_table_cell(t, "%s", sn->error[p] ? sn->error[p] : "");
    }
    evs_table_print(t);
    evs_table_free(t);
    if (ks->partitions > TEXT_PARTITIONS)
        evs_out_text("... %d more partitions (--json has all)",
                     (int)ks->partitions - TEXT_PARTITIONS);
}

static void print_hot(const struct evs_scan_sn *sn, size_t top)
{
    static const char *const heads[] = {">#",     "KEY", ">COUNT", ">+-",  ">SHARE", "95 % RANGE",
                                        ">BYTES", "P",   "FIRST",  "LAST", NULL};
    const struct evs_keyset *ks = sn->ks;
    struct evs_table *t = evs_table_new(heads);
    char n[EVS_NUM_LEN];
    for (size_t i = 0; i < ks->n_top && i < top; i++) {
        const struct evs_key_detail *k = &ks->top[i];
        uint64_t count = k->count + k->error;
        struct evs_interval in = {0, 0};
        if (sn->sample)
            in = evs_windows_share(ks, k, sn->windows);
        evs_table_cell(t, "%zu", i + 1);
        evs_table_cell_bytes(t, k->key_len ? (const void *)k->key : "\"\"",
                             k->key_len ? k->key_len : 2);
        evs_table_cell(t, "%s", evs_num_commas(n, (int64_t)count));
        evs_table_cell(t, "%s", k->error ? evs_num_commas(n, (int64_t)k->error) : "");
        evs_table_cell(t, "%.2f %%", 100 * (double)count / (double)ks->messages);
        if (sn->sample)
            evs_table_cell(t, "%.2f to %.2f %%", 100 * in.low, 100 * in.high);
        else
            evs_table_cell(t, "%s", "");
        evs_table_cell(t, "%s", evs_num_bytes(n, (double)k->bytes));
        if (k->n_places == 1)
            evs_table_cell(t, "%d", (int)k->places[0].partition);
        else
            evs_table_cell(t, "%zu of them", k->n_places);
        evs_table_cell(t, "%s", k->first_ts < 0 ? "-" : evs_num_clock(n, k->first_ts, sn->now_ms));
        evs_table_cell(t, "%s", k->last_ts < 0 ? "-" : evs_num_clock(n, k->last_ts, sn->now_ms));
    }
    evs_table_print(t);
    evs_table_free(t);
}

static void what_if_row(struct evs_table *t, const struct evs_whatif *w)
{
    char n[EVS_NUM_LEN];
    evs_table_cell(t, "%s", w->smallest ? "*" : "");
    evs_table_cell(t, "%s%s%s", w->strategy, w->placement ? ", " : "",
                   w->placement ? w->placement : "");
    ratio_cell(t, w->max_over_mean);
    if (w->estimate && w->high > w->low)
        evs_table_cell(t, "%.2f to %.2f", w->low, w->high);
    else
        evs_table_cell(t, "%s", w->estimate ? "about" : "");
    w->peak_estimate ? evs_table_cell(t, "~%.2f", w->peak) : ratio_cell(t, w->peak);
    bool known = !isnan(w->hot_key_share); /* a sample does not show how keys lie in time */
    known ? evs_table_cell(t, "%.1f %%", 100 * w->hot_key_share) : evs_table_cell(t, "-");
    known ? evs_table_cell(t, "%.1f", w->partitions_per_hot_key) : evs_table_cell(t, "-");
    if (w->broken_pairs)
        evs_table_cell(t, "%s, %.1f %% of pairs", w->ordering, 100 * w->broken_pair_share);
    else
        evs_table_cell(t, "%s", w->ordering);
    evs_table_cell(t, "%s", w->keys_changed ? evs_num_commas(n, (int64_t)w->keys_changed) : "");
}

static void print_what_if(const struct evs_scan_sn *sn)
{
    static const char *const heads[] = {
        " ",        "STRATEGY", ">MAX/MEAN", ">RANGE",        ">PEAK",
        ">HOTTEST", ">P/KEY",   "ORDER",     ">KEYS CHANGED", NULL};
    if (!sn->what_if)
        return;
    struct evs_table *t = evs_table_new(heads);
    what_if_row(t, &sn->what_if->now);
    for (size_t i = 0; i < sn->what_if->n; i++)
        what_if_row(t, &sn->what_if->w[i]);
    evs_out_text("\n%s", sn->what_if->advice);
    evs_table_print(t);
    evs_table_free(t);
}

static void print_fields(const struct evs_fields_advice *a)
{
    static const char *const heads[] = {">SCORE",    "FIELD",    ">PRESENT", ">VALUES~", ">TOP",
                                        ">MAX/MEAN", ">CHANGES", "VERDICT",  NULL};
    char n[EVS_NUM_LEN];
    if (!a)
        return;
    evs_out_text("\nfields as keys, from %llu values of which %llu are JSON objects",
                 (unsigned long long)a->read, (unsigned long long)a->objects);
    if (a->n == 0)
        return;
    struct evs_table *t = evs_table_new(heads);
    for (size_t i = 0; i < a->n; i++) {
        const struct evs_field_advice *x = &a->field[i];
        evs_table_cell(t, "%.0f", x->score);
        evs_table_cell_bytes(t, x->name, strlen(x->name));
        evs_table_cell(t, "%.0f %%", 100 * x->present);
        evs_table_cell(t, "%s", evs_num_human(n, x->distinct));
        evs_table_cell(t, "%.1f %%", 100 * x->top_share);
        ratio_cell(t, x->max_over_mean);
        if (isnan(x->changes_within_key))
            evs_table_cell(t, "-");
        else
            evs_table_cell(t, "%.0f %%", 100 * x->changes_within_key);
        evs_table_cell(t, "%s", x->verdict);
    }
    evs_table_print(t);
    evs_table_free(t);
}

void evs_keys_text(const struct evs_scan_sn *sn, size_t top)
{
    struct evs_buf b = EVS_BUF_INIT(TEXT_CAP);
    evs_scan_summary(&b, sn);
    evs_out_text("%s", evs_buf_str(&b));
    evs_buf_done(&b);
    print_partitions(sn);
    if (sn->ks->n_top) {
        evs_out_text("%s", "");
        print_hot(sn, top);
    }
    print_what_if(sn);
    print_fields(sn->fields);
}
