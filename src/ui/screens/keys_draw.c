/* keys_draw.c - how Keys looks. */
#include <math.h>
#include <string.h>

#include "core/num.h"
#include "keys/scan.h"
#include "ui/app.h"
#include "ui/screens/keys_int.h"

enum { WIDE = 110, SUMMARY = 3, STACK_ROWS = 18, MIN_LEFT = 50 };

const char *evs_keys_heading(const void *ctx, int col)
{
    const struct keys *k = ctx;
    static char fair[48];
    if (col == KEYS_DISTINCT && k->seen.sn)
        return k->seen.sn->sample || k->seen.sn->ks->part_distinct_error > 0 ? "KEYS~" : "KEYS";
    if (col != KEYS_BAR || !k->seen.sn)
        return NULL;
    struct evs_buf b = EVS_BUF_INIT(sizeof(fair));
    evs_buf_printf(&b, "%s fair share %.1f %%", evs_glyph(EVS_G_TICK),
                   100.0 / k->seen.sn->ks->read);
    strncpy(fair, evs_buf_str(&b), sizeof(fair) - 1);
    evs_buf_done(&b);
    return fair;
}

int evs_finding_draw(struct evs_view *v, int row, int max_rows, const struct evs_finding *f)
{
    bool balanced = !strcmp(f->kind, "balanced") && !f->unjudged;
    enum evs_role role = f->severity == EVS_SEV_CRITICAL ? EVS_ROLE_BAD
                         : f->severity == EVS_SEV_WARN   ? EVS_ROLE_WARN
                         : balanced                      ? EVS_ROLE_OK
                                                         : EVS_ROLE_INFO;
    const char *mark = f->severity == EVS_SEV_CRITICAL ? evs_glyph(EVS_G_ALERT)
                       : f->severity == EVS_SEV_WARN   ? "!"
                       : balanced                      ? evs_glyph(EVS_G_OK)
                                                       : " ";
    evs_view_text(v, row, 2, role, mark);
    struct evs_view text = evs_view_sub(v, row, 4, max_rows, v->cols - 5);
    return evs_view_wrap(&text, 0, 0, max_rows, f->severity ? role : EVS_ROLE_TEXT, f->text);
}

/* At most two findings; returns rows used. */
static int headline(const struct keys *k, struct evs_view *v, int max_rows)
{
    const char *error = evs_ui_scan_error(k->scan);
    const struct evs_scan_sn *sn = k->seen.sn;
    if (error) {
        struct evs_view text = evs_view_sub(v, 0, 4, max_rows, v->cols - 5);
        evs_view_glyph(v, 0, 2, EVS_ROLE_BAD, EVS_G_NO);
        return evs_view_wrap(&text, 0, 0, max_rows, EVS_ROLE_BAD, error);
    }
    if (!sn) {
        evs_view_text(v, 0, 4, EVS_ROLE_TEXT_DIM, "Reading: nothing known yet.");
        return 1;
    }
    const struct evs_report *r = sn->report;
    if (r->n == 0) {
        evs_view_text(
            v, 0, 4, EVS_ROLE_TEXT_DIM,
            evs_ui_scan_how(k->scan)->filter[0]
                ? "Nothing that the filter keeps. / changes what is counted."
                : "No message in this range. Esc goes back, K on a topic reads all of it.");
        return 1;
    }
    int row = 0;
    if (sn->state != EVS_SCAN_DONE)
        evs_view_printf(v, row++, 4, EVS_ROLE_TEXT_DIM, "%s: so far, with %.0f %% read:",
                        sn->state == EVS_SCAN_RUNNING ? "Reading" : "Stopped", 100 * sn->covered);
    for (size_t i = 0; i < r->n && i < 2 && row < max_rows; i++)
        row += evs_finding_draw(v, row, max_rows - row, &r->finding[(k->finding + i) % r->n]);
    return row;
}

static void distinct_line(const struct keys *k, struct evs_buf *b)
{
    const struct evs_scan_sn *sn = k->seen.sn;
    const struct evs_keyset *ks = sn->ks;
    char n[EVS_NUM_LEN];
    const struct evs_skew *s = k->bytes ? &sn->report->bytes : &sn->report->messages;
    evs_buf_printf(b, "distinct keys %s", evs_ui_num(k->ui, n, (int64_t)(ks->distinct + 0.5)));
    if (sn->sample)
        evs_buf_adds(b, " seen");
    else if (ks->distinct_error > 0)
        evs_buf_printf(b, " %s%.1f %%", evs_glyph(EVS_G_PLUSMINUS), 100 * ks->distinct_error);
    evs_buf_printf(b, "   null keys %s", evs_ui_num(k->ui, n, (int64_t)ks->null_keys));
    evs_buf_printf(b, "   tombstones %s", evs_ui_num(k->ui, n, (int64_t)ks->tombstones));
    evs_buf_printf(b, "   works as %.1f of %d partitions   CV %.2f   Gini %.2f", s->effective,
                   (int)ks->read, s->cv, s->gini);
}

static void partitioner_line(const struct keys *k, struct evs_buf *b)
{
    const struct evs_scan_sn *sn = k->seen.sn;
    const struct evs_placement *pl = &sn->report->placement;
    char n[EVS_NUM_LEN];
    evs_buf_printf(b, "partitioner  %s", pl->verdict);
    if (pl->second)
        evs_buf_printf(b, ": %.0f %% %s, %.0f %% %s", 100 * pl->main_records, pl->main->name,
                       100 * pl->second_records, pl->second->name);
    for (int i = 0; pl->main && !pl->second && evs_partitioners[i]; i++)
        if (evs_partitioners[i] == pl->main)
            evs_buf_printf(b, " for %.1f %% of the keys (by chance %.1f %%)", 100 * pl->match[i],
                           100.0 / sn->ks->partitions);
    if (!pl->main && pl->reason)
        evs_buf_printf(b, ": %s", pl->reason);
    evs_buf_printf(b, "   keys on several partitions %s   byte skew %.1f%s",
                   evs_ui_num(k->ui, n, (int64_t)sn->ks->split_keys),
                   sn->report->bytes.max_over_mean, evs_glyph(EVS_G_TIMES));
}

/* Facts with three blanks between them: whole ones, as many as fit. */
static void facts_line(struct evs_view *v, int row, const char *facts)
{
    size_t n = strlen(facts);
    while (n && evs_text_width(facts, n) + 2 > (size_t)v->cols) {
        size_t cut = n - 1;
        while (cut && strncmp(facts + cut, "   ", 3) != 0)
            cut--;
        if (!cut)
            break;
        n = cut;
    }
    evs_view_fit(v, row, 2, v->cols - 2, EVS_ROLE_TEXT, facts, n, EVS_CUT_END);
}

static void summary(const struct keys *k, struct evs_view *v, int row)
{
    if (!k->seen.sn || k->seen.sn->ks->messages == 0)
        return;
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(1024);
    distinct_line(k, &b);
    facts_line(v, row, evs_buf_str(&b));
    evs_buf_reset(&b);
    partitioner_line(k, &b);
    facts_line(v, row + 1, evs_buf_str(&b));
}

static void left_pane(const struct evs_screen *s, struct evs_view *v)
{
    const struct keys *k = s->state;
    struct evs_view body = evs_view_sub(v, 1, 0, v->rows - 1, v->cols);
    evs_view_rule(v, 0, "partitions", k->bytes ? "bytes" : "messages", !k->right);
    evs_table_draw(&k->parts, &body);
}

static void carry_line(const struct keys *k, struct evs_view *v, int row)
{
    const struct evs_scan_sn *sn = k->seen.sn;
    double sum = 0, of = k->bytes ? (double)sn->ks->bytes : (double)sn->ks->messages;
    for (size_t i = 0; i < k->hot.n; i++) {
        const struct evs_key_detail *d = evs_keys_row(k, evs_table_model_row(&k->hot, i));
        sum += k->bytes ? (double)d->bytes : (double)d->count;
    }
    if (k->hot.n > 0 && of > 0)
        evs_view_printf(
            v, row, 2, EVS_ROLE_TEXT_DIM, "%d of %zu shown %s the %zu carry %.1f %% of the %s",
            k->hot.page < (int)k->hot.n ? k->hot.page : (int)k->hot.n, k->hot.n,
            evs_glyph(EVS_G_DOT), k->hot.n, 100 * sum / of, k->bytes ? "bytes" : "messages");
}

static void right_pane(const struct evs_screen *s, struct evs_view *v)
{
    const struct keys *k = s->state;
    char title[64] = "hot keys";
    if (k->only >= 0)
        evs_bands_say(title, sizeof(title), "hot keys of p%d", (int)k->only);
    int foot = v->rows > 8 && k->seen.sn ? 2 : 0;
    struct evs_view body = evs_view_sub(v, 1, 0, v->rows - 1 - foot, v->cols);
    evs_view_rule(v, 0, title, k->bytes ? "bytes" : NULL, k->right);
    evs_table_draw(&k->hot, &body);
    if (foot)
        carry_line(k, v, v->rows - 1);
    const struct evs_scan_sn *sn = k->seen.sn;
    if (sn && sn->ks->messages > 0 && sn->ks->null_keys == sn->ks->messages && body.rows > 2)
        evs_view_text(&body, 1, 2, EVS_ROLE_TEXT_DIM,
                      "No keyed message: partitions are chosen by the producers' batching.");
}

static void split_line(struct evs_view *v, int col)
{
    for (int r = 0; r < v->rows; r++)
        evs_view_glyph(v, r, col, EVS_ROLE_PANE_RULE, EVS_G_SPLIT);
}

static void panes(const struct evs_screen *s, struct evs_view *v)
{
    const struct keys *k = s->state;
    if (s->zoom || (v->cols < WIDE && v->rows < STACK_ROWS)) {
        k->right ? right_pane(s, v) : left_pane(s, v);
    } else if (v->cols >= WIDE) {
        int left = v->cols * 54 / 118;
        left = left < MIN_LEFT ? MIN_LEFT : left;
        struct evs_view a = evs_view_sub(v, 0, 0, v->rows, left - 1);
        struct evs_view b = evs_view_sub(v, 0, left + 2, v->rows, v->cols - left - 2);
        left_pane(s, &a);
        split_line(v, left);
        right_pane(s, &b);
    } else {
        int half = v->rows / 2;
        struct evs_view a = evs_view_sub(v, 0, 0, half, v->cols);
        struct evs_view b = evs_view_sub(v, half, 0, v->rows - half, v->cols);
        left_pane(s, &a);
        right_pane(s, &b);
    }
}

void evs_keys_draw(const struct evs_screen *s, struct evs_view *v)
{
    const struct keys *k = s->state;
    bool tall = v->rows >= 12;
    int head = headline(k, v, tall ? (v->rows >= 20 ? 4 : 2) : 1);
    int foot = tall ? SUMMARY : 0, top = head + (tall ? 1 : 0);
    struct evs_view body = evs_view_sub(v, top, 0, v->rows - top - foot, v->cols);
    if (k->seen.sn || v->rows > 4)
        panes(s, &body);
    if (foot)
        summary(k, v, v->rows - foot + 1);
    if (foot)
        evs_keys_recent(k, v, v->rows - foot);
}

void evs_keys_bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct keys *k = s->state;
    const struct evs_scan_sn *sn = k->seen.sn;
    evs_bands_crumb(b, "Topics", s->at.topic, "Keys");
    evs_ui_scan_scope(k->scan, sn, b->right, sizeof(b->right));
    evs_ui_scan_progress(k->scan, &b->progress);
    if (!sn)
        return;
    char n[EVS_NUM_LEN], m[EVS_NUM_LEN], used[EVS_NUM_LEN], cap[EVS_NUM_LEN];
    char took[EVS_NUM_LEN];
    const char *dot = evs_glyph(EVS_G_DOT);
    if (sn->sample)
        evs_bands_say(b->tag, sizeof(b->tag), "~ sample");
    else if (sn->state == EVS_SCAN_STOPPED)
        evs_bands_say(b->tag, sizeof(b->tag), "partial %.0f %%", 100 * sn->covered);
    else
        evs_bands_say(b->tag, sizeof(b->tag), sn->ks->exact && !sn->troubled ? "exact" : "~");
    evs_bands_say(b->left, sizeof(b->left),
                  "%d of %d partitions %s %s messages, %s in %s %s key table %s of %s",
                  (int)(sn->wanted - sn->troubled), (int)sn->wanted, dot,
                  evs_num_commas(n, (int64_t)sn->ks->messages),
                  evs_num_bytes(m, (double)sn->ks->bytes),
                  evs_num_took(took, sn->elapsed_us / 1000), dot,
                  evs_num_bytes(used, (double)sn->ks->memory_used),
                  evs_num_bytes(cap, (double)sn->memory_bytes));
    for (int32_t p = 0; p < sn->ks->partitions && sn->troubled; p++)
        if (sn->error[p]) {
            evs_bands_say(b->left, sizeof(b->left), "p%d not read: %s (%d in all)", (int)p,
                          sn->error[p], (int)sn->troubled);
            b->role = EVS_ROLE_BAD;
            break;
        }
    if (sn->sample)
        evs_bands_say(b->value, sizeof(b->value), "%.1f %% read", 100 * sn->covered);
    b->live = true;
}
