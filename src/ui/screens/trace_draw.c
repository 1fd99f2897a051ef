/* trace_draw.c - the Trace screen's words, panes and bands. */
#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "core/text.h"
#include "ui/screens/trace_int.h"

enum { HEAD_ROWS = 2 };

/* --- words ------------------------------------------------------------------------------------ */

static void put_key(const struct evs_screen *s, struct evs_buf *to)
{
    if (s->at.key)
        evs_text_fit(to, s->at.key, s->at.key_len, 40, EVS_CUT_END);
    else
        evs_text_fit(to, s->at.text ? s->at.text : "", strlen(s->at.text ? s->at.text : ""), 40,
                     EVS_CUT_END);
}

static void put_places(const struct evs_trace_sn *sn, struct evs_buf *to, const char *between)
{
    for (int i = 0; i < sn->n_candidates; i++)
        evs_buf_printf(to, "%sp%d", i ? between : "", (int)sn->candidates[i].partition);
}

void evs_trace_conclude(struct evs_screen *s)
{
    struct trace *t = s->state;
    const struct evs_trace_sn *sn = t->sn;
    EVS_AUTO(evs_buf) struct evs_buf key = EVS_BUF_INIT(1024), at = EVS_BUF_INIT(1024);
    char n[EVS_NUM_LEN], ago[EVS_NUM_LEN], span[96] = "";
    put_key(s, &key);
    put_places(sn, &at, " or ");
    evs_num_commas(n, (int64_t)sn->n);
    const char *one = sn->n == 1 ? "" : "s";
    int64_t newest = sn->n ? sn->events[sn->n - 1].ev->ts_ms : -1;
    if (sn->n > 1 && sn->from_ms >= 0 && newest >= sn->from_ms)
        evs_bands_say(span, sizeof(span), " in %s", evs_num_ago(ago, newest - sn->from_ms));
    bool known = strcmp(sn->verdict, "custom") != 0 && strcmp(sn->verdict, "unknown") != 0;
    const char *k = evs_buf_str(&key), *p = evs_buf_str(&at);
    if (sn->state == EVS_TRACE_FAILED)
        evs_verdict_say(&t->verdict, EVS_VERDICT_CRITICAL, "%s", sn->err.msg);
    else if (sn->found_on > 1)
        evs_verdict_say(&t->verdict, EVS_VERDICT_WARN,
                        "%s is on %d partitions: order between them is by time only; %s event%s%s.",
                        k, sn->found_on, n, one, span);
    else if (t->all)
        evs_verdict_say(&t->verdict, EVS_VERDICT_PLAIN,
                        "%s: %s event%s%s; all %d partitions were read.", k, n, one, span,
                        (int)sn->partitions);
    else if (sn->state == EVS_TRACE_LOOKING)
        evs_verdict_say(&t->verdict, EVS_VERDICT_PLAIN, "Looking which partition %s hashes to.", k);
    else if (!sn->n && sn->state == EVS_TRACE_DONE)
        evs_verdict_say(&t->verdict, EVS_VERDICT_WARN,
                        "No event of %s on %s. a reads the other %d.", k, p,
                        (int)sn->partitions - sn->n_candidates);
    else if (known)
        evs_verdict_say(
            &t->verdict, EVS_VERDICT_PLAIN,
            "%s hashes to %s (%s%s); %s event%s%s. Only %s was read (a: all).", k, p, sn->verdict,
            sn->n_candidates > 1 ? ": two partitioners write here" : ", as all keys of this topic",
            n, one, span, p);
    else
        evs_verdict_say(&t->verdict, EVS_VERDICT_WARN,
                        "%s, so %s were read; %s events of %s. a reads all.",
                        sn->verdict[0] == 'c' ? "Keys here follow no known partitioner"
                                              : "Too few keys here tell the partitioner",
                        p, n, k);
    if (t->ask.o.n_lanes > 1 && sn->state != EVS_TRACE_FAILED)
        evs_verdict_say(&t->verdict, EVS_VERDICT_PLAIN,
                        "%s: %s event%s on %d topics%s, in the order of their times. AFTER is the "
                        "time since the event before.",
                        k, n, one, t->ask.o.n_lanes, span);
    int rows = evs_verdict_draw(NULL, 0, HEAD_ROWS, s->cols, &t->verdict, 1);
    t->head = s->rows >= 8 ? rows : s->rows >= 5 ? 1 : 0;
}

/* --- drawing ---------------------------------------------------------------------------------- */

static void left_pane(const struct evs_screen *s, struct evs_view *v)
{
    const struct trace *t = s->state;
    EVS_AUTO(evs_buf) struct evs_buf title = EVS_BUF_INIT(2048);
    struct evs_view body = evs_view_sub(v, 1, 0, v->rows - 1, v->cols);
    evs_buf_adds(&title, "events of ");
    put_key(s, &title);
    if (t->sn && t->sn->n_candidates && t->sn->found_on < 2 && !t->all) {
        evs_buf_adds(&title, "  ");
        put_places(t->sn, &title, " ");
    }
    evs_view_rule(v, 0, evs_buf_str(&title), NULL, !t->right);
    evs_table_draw(&t->table, &body);
}

static void right_pane(const struct evs_screen *s, struct evs_view *v)
{
    const struct trace *t = s->state;
    char title[120];
    size_t row = t->shown == SIZE_MAX ? 0 : t->shown + 1;
    struct evs_view body = evs_view_sub(v, 1, 0, v->rows - 1, v->cols);
    if (t->rule == EVS_FOLD_NONE)
        evs_bands_say(title, sizeof(title), "event #%zu", row);
    else if (t->diff && row > 1)
        evs_bands_say(title, sizeof(title), "state after #%zu, diff to #%zu", row, row - 1);
    else
        evs_bands_say(title, sizeof(title), "state after #%zu", row);
    evs_view_rule(v, 0, title, NULL, t->right);
    evs_pager_draw(&t->pager, &body);
}

void evs_trace_draw(const struct evs_screen *s, struct evs_view *v)
{
    const struct trace *t = s->state;
    if (!t->sn) {
        evs_view_text(v, 0, 2, EVS_ROLE_TEXT_DIM, "asking for the topic");
        return;
    }
    if (t->head)
        evs_verdict_draw(v, 0, t->head, v->cols, &t->verdict, 1);
    struct evs_view body = evs_view_sub(v, t->head, 0, v->rows - t->head, v->cols);
    if (s->zoom || (v->cols < TRACE_WIDE && body.rows < TRACE_STACK_ROWS)) {
        t->right ? right_pane(s, &body) : left_pane(s, &body);
        return;
    }
    bool wide = v->cols >= TRACE_WIDE;
    int left = evs_trace_left(t, v->cols), half = body.rows / 2;
    struct evs_view a = wide ? evs_view_sub(&body, 0, 0, body.rows, left - 1)
                             : evs_view_sub(&body, 0, 0, half, body.cols);
    struct evs_view b = wide ? evs_view_sub(&body, 0, left + 2, body.rows, body.cols - left - 2)
                             : evs_view_sub(&body, half, 0, body.rows - half, body.cols);
    left_pane(s, &a);
    for (int r = 0; wide && r < body.rows; r++)
        evs_view_glyph(&body, r, left, EVS_ROLE_PANE_RULE, EVS_G_SPLIT);
    right_pane(s, &b);
}

/* The longest time between two neighbours, and the number of the one after it. */
static int64_t longest_silence(const struct evs_trace_sn *sn, size_t *ret_before)
{
    int64_t most = -1;
    for (size_t i = 1; i < sn->n; i++) {
        int64_t gap = sn->events[i].ev->ts_ms - sn->events[i - 1].ev->ts_ms;
        if (gap > most && sn->events[i - 1].ev->ts_ms >= 0) {
            most = gap;
            *ret_before = i + 1;
        }
    }
    return most;
}

void evs_trace_bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct trace *t = s->state;
    const struct evs_trace_sn *sn = t->sn;
    char part[300], n[EVS_NUM_LEN], text[EVS_NUM_LEN];
    const char *dot = evs_glyph(EVS_G_DOT);
    EVS_AUTO(evs_buf) struct evs_buf key = EVS_BUF_INIT(1024);
    put_key(s, &key);
    evs_bands_say(part, sizeof(part), "Trace %s", evs_buf_str(&key));
    evs_bands_crumb(b, "Topics", s->at.topic ? s->at.topic : "", part, NULL);
    bool window = t->ask.o.where.since || t->ask.o.where.until || t->ask.o.where.partitions;
    evs_bands_say(b->right, sizeof(b->right), "fold: %s %s %s %s %s", evs_fold_rule_name(t->rule),
                  dot, window ? t->ask.words : "all that is kept", dot,
                  t->uncommitted ? "read_uncommitted" : "read_committed");
    if (!sn)
        return;
    if (sn->state <= EVS_TRACE_READING) {
        b->progress.active = sn->state == EVS_TRACE_READING;
        b->progress.what = "trace";
        b->progress.done = sn->passed;
        b->progress.total = sn->span;
        b->progress.share = sn->span ? (double)sn->passed / (double)sn->span : 0;
        b->progress.rate = sn->seconds > 0 ? (double)sn->read / sn->seconds : 0;
        b->progress.eta_s =
            b->progress.rate > 0 ? (double)(sn->span - sn->passed) / b->progress.rate : -1;
        evs_bands_say(b->progress.note, sizeof(b->progress.note), "%s events",
                      evs_num_commas(n, (int64_t)sn->n));
        return;
    }
    size_t before = 0;
    int64_t gap = longest_silence(sn, &before);
    if (sn->complete)
        evs_bands_say(b->tag, sizeof(b->tag), "exact");
    else
        evs_bands_say(b->tag, sizeof(b->tag), "partial %d %%",
                      sn->span ? (int)(100 * sn->passed / sn->span) : 0);
    evs_num_commas(n, sn->read);
    if (gap >= 0)
        evs_bands_say(b->left, sizeof(b->left),
                      "%s messages read %s longest silence %s before #%zu", n, dot,
                      evs_num_ago(text, gap), before);
    else
        evs_bands_say(b->left, sizeof(b->left), "%s messages read", n);
    if (sn->err.msg[0] && sn->state != EVS_TRACE_FAILED) {
        b->role = EVS_ROLE_WARN;
        evs_bands_say(b->left, sizeof(b->left), "%s", sn->err.msg);
    }
    size_t row = evs_table_row(&t->table);
    if (row != SIZE_MAX)
        evs_bands_say(b->value, sizeof(b->value), "#%zu of %s", row + 1,
                      evs_num_commas(n, (int64_t)sn->n));
}
