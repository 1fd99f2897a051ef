/* replay_draw.c - the steps of Guided replay as screens.md draws them. */
#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "kafka/range.h"
#include "sinks/sink.h"
#include "ui/screens/replay_int.h"
#include "ui/widgets/chart.h"

enum { LABEL_COL = 11, TEXT_COL = 22, EFFECT_COL = 50 };

static const char *const step_names[] = {"1 Window",  "2 Keep",    "3 View", "4 Sink",
                                         "5 Dry run", "6 Confirm", "7 Run",  "8 Verify"};

static const struct replay *of(const struct evs_screen *s)
{
    return s->state;
}

/* Which of the eight is being done, and how many are. */
static int now_at(const struct replay *r)
{
    static const int at[] = {3, 4, 5, 6, 7};
    return at[r->step];
}

static void draw_rail(const struct replay *r, struct evs_view *v)
{
    int col = 2, now = now_at(r);
    bool narrow = v->cols < 78; /* the other steps by their number */
    for (int i = 0; i < 8 && col < v->cols; i++) {
        bool done = i < now && (i > 3 || r->valid);
        if (i == now)
            col += evs_view_printf(v, 0, col, EVS_ROLE_TEXT_STRONG, "[%s]", step_names[i]);
        else
            col += evs_view_printf(v, 0, col, done ? EVS_ROLE_OK : EVS_ROLE_TEXT_DIM, "%.*s",
                                   narrow ? 1 : 20, step_names[i]);
        if (done)
            col += evs_view_printf(v, 0, col, EVS_ROLE_OK, " %s", evs_glyph(EVS_G_OK));
        col += v->cols < 90 ? 1 : 2;
    }
}

/* --- the form -------------------------------------------------------------------------------- */
static const char *effect(const struct replay *r, int f, enum evs_role *role, char *to, size_t size)
{
    *role = EVS_ROLE_TEXT_DIM;
    if (f == r->wrong) {
        *role = EVS_ROLE_PROMPT_BAD;
        const char *why = strstr(r->problem.msg, ": ");
        return why ? why + 2 : r->problem.msg;
    }
    if (replay_window_says(r, (enum replay_field)f, to, size))
        return to;
    if (f == RF_FROM && r->window && !r->window->ranges) {
        *role = EVS_ROLE_PROMPT_BAD;
        return r->window->err.msg;
    }
    const struct evs_sink_ops *ops = NULL;
    struct evs_err ignored = EVS_ERR_INIT;
    switch (f) {
    case RF_MODE:
        return r->plan.mode == EVS_VIEW_LATEST
                   ? "one row a key; a tombstone deletes; an older event never overwrites"
               : r->plan.mode == EVS_VIEW_LOG ? "one row an event"
                                              : "one row a group, exact";
    case RF_SINK:
        if (!r->plan.sink || evs_sink_find(r->plan.sink, &ops, &ignored))
            break;
        if (!r->edit[f].len) {
            snprintf(to, size, "default: %s, %s", r->plan.sink, evs_sink_guarantee(ops));
            return to;
        }
        snprintf(to, size, "%s, %s", ops->help, evs_sink_guarantee(ops));
        return to;
    case RF_TARGET:
        if (r->edit[f].len || !r->plan.target || !*r->plan.target)
            break;
        snprintf(to, size, "default: %s", r->plan.target);
        return to;
    case RF_SWAP:
        if (r->plan.swap)
            return "the old one is kept as TARGET__old";
        break;
    default: break;
    }
    return r->edit[f].len ? "" : replay_fields[f].hint ? replay_fields[f].hint : "";
}

static void draw_form(const struct replay *r, struct evs_view *v)
{
    bool wide = v->cols >= 90;
    int first = 0, rows = v->rows - 3;
    if (r->at >= rows && rows > 0)
        first = r->at - rows + 1;
    for (int f = first; f < RF_FIELDS && f - first < rows; f++) {
        char text[300];
        enum evs_role role;
        int row = 1 + f - first, end = wide ? EFFECT_COL : v->cols;
        bool now = f == r->at;
        if (now)
            evs_view_glyph(v, row, 0, EVS_ROLE_ROW_CURSOR, EVS_G_CURSOR);
        evs_view_text(v, row, 2, EVS_ROLE_TEXT_STRONG, replay_fields[f].group);
        evs_view_text(v, row, LABEL_COL, EVS_ROLE_TEXT_DIM, replay_fields[f].name);
        evs_edit_draw(&r->edit[f], v, row, TEXT_COL, end - TEXT_COL - 1,
                      f == r->wrong ? EVS_ROLE_PROMPT_BAD : EVS_ROLE_TEXT, now);
        const char *say = effect(r, f, &role, text, sizeof(text));
        int at = TEXT_COL + 2 + (int)evs_text_width(r->edit[f].text, r->edit[f].len);
        at = wide ? EFFECT_COL : at; /* else behind what is given */
        if (at + 8 < v->cols)
            evs_view_fit(v, row, at, v->cols - at, role, say, strlen(say), EVS_CUT_END);
    }
    int row = v->rows - 1;
    if (!r->valid)
        evs_view_fit(v, row, 2, v->cols - 2, EVS_ROLE_WARN, r->problem.msg, strlen(r->problem.msg),
                     EVS_CUT_END);
    else {
        char text[400], sum[120] = "Asking where the window lies.";
        (void)replay_window_sum(r, sum, sizeof(sum));
        snprintf(text, sizeof(text), "Ready: %s.  %s  Enter: dry run, writes nothing.", r->plan.id,
                 sum);
        evs_view_fit(v, row, 2, v->cols - 2, EVS_ROLE_TEXT, text, strlen(text), EVS_CUT_END);
    }
}

/* --- dry run and verify ---------------------------------------------------------------------- */
static void draw_counts(const struct evs_comparison *c, bool verify, struct evs_view *v)
{
    static const char *const words[EVS_CHANGES] = {
        [EVS_CHANGE_INSERT] = "in the topic, not in the view",
        [EVS_CHANGE_UPDATE] = "differ; the event is newer",
        [EVS_CHANGE_DELETE] = "last event is a tombstone",
        [EVS_CHANGE_SAME] = "already right: not written",
        [EVS_CHANGE_NEWER] = "the view holds something later: left alone",
        [EVS_CHANGE_MISSING] = "expected, not found",
        [EVS_CHANGE_EXTRA] = "found, not expected",
        [EVS_CHANGE_DIFFERENT] = "found with other content",
        [EVS_CHANGE_OUTSIDE] = "outside the window: untouched",
    };
    int row = 1;
    char n[EVS_NUM_LEN];
    for (int i = 0; i < EVS_CHANGES; i++) {
        if (verify ? i < EVS_CHANGE_MISSING : i > EVS_CHANGE_NEWER)
            continue;
        evs_view_text(v, row, 2, EVS_ROLE_TEXT_STRONG, evs_change_names[i]);
        evs_view_right(v, row, 32, EVS_ROLE_TEXT, evs_num_commas(n, c->n[i]));
        evs_view_text(v, row++, 35, EVS_ROLE_TEXT_DIM, words[i]);
    }
}

static void draw_example(const struct evs_example *e, struct evs_view *v, int row)
{
    char at[80], n[EVS_NUM_LEN];
    int col = 2 + evs_view_fit(v, row, 2, 24, EVS_ROLE_TEXT, e->key ? e->key : "(null)",
                               e->key ? e->key_len : 6, EVS_CUT_END);
    col = col < 28 ? 28 : col + 2;
    snprintf(at, sizeof(at), "p%d @ %s", e->partition, evs_num_commas(n, e->offset));
    col += evs_view_text(v, row, col, EVS_ROLE_TEXT_DIM, at) + 2;
    evs_view_fit(v, row, col, v->cols - col, EVS_ROLE_TEXT, e->fields, strlen(e->fields),
                 EVS_CUT_END);
}

static void draw_comparison(const struct replay *r, const struct evs_ui_replay *job, bool verify,
                            struct evs_view *v)
{
    const struct evs_comparison *c = &job->sn->cmp;
    int64_t wrong = c->n[EVS_CHANGE_MISSING] + c->n[EVS_CHANGE_EXTRA] + c->n[EVS_CHANGE_DIFFERENT];
    char a[EVS_NUM_LEN], b[EVS_NUM_LEN];
    draw_counts(c, verify, v);
    int row = verify ? 6 : 7;
    if (verify)
        evs_view_printf(v, row++, 2, wrong ? EVS_ROLE_WARN : EVS_ROLE_OK,
                        "%s %s: %s rows expected, %s found", wrong ? "!" : evs_glyph(EVS_G_OK),
                        wrong ? "The view differs from the topic"
                              : "The view agrees with the topic",
                        evs_num_commas(a, c->source_rows), evs_num_commas(b, c->sink_rows));
    char title[80];
    snprintf(title, sizeof(title), "%zu examples", c->n_examples);
    evs_view_rule(v, row++, title, NULL, false);
    size_t top = r->top < c->n_examples ? r->top : 0;
    for (size_t i = top; i < c->n_examples && row < v->rows; i++, row++)
        draw_example(&c->examples[i], v, row);
}

/* --- run ------------------------------------------------------------------------------------- */
static void draw_partitions(const struct evs_report *rep, struct evs_view *v, int row)
{
    int col = 2;
    for (size_t i = 0; i < rep->ckpt.n && row < v->rows; i++) {
        const int64_t *n = rep->ckpt.parts[i].n;
        int64_t span = n[EVS_CKPT_END] == EVS_RANGE_OPEN ? 0 : n[EVS_CKPT_END] - n[EVS_CKPT_FROM];
        double share = span ? (double)(n[EVS_CKPT_NEXT] - n[EVS_CKPT_FROM]) / (double)span : 1;
        char text[40], s[EVS_NUM_LEN];
        snprintf(text, sizeof(text), "p%d %s", (int)rep->ckpt.parts[i].partition,
                 evs_num_share(s, share));
        if (col + 14 > v->cols) {
            col = 2;
            row++;
        }
        evs_view_text(v, row, col, EVS_ROLE_TEXT, text);
        col += 14;
    }
}

static void draw_run(const struct evs_ui_replay *job, struct evs_view *v)
{
    const struct evs_report *rep = &job->sn->report;
    char a[EVS_NUM_LEN], b[EVS_NUM_LEN], c[EVS_NUM_LEN], d[EVS_NUM_LEN];
    int64_t rate = evs_job_rate_now(job->job);
    evs_view_printf(v, 1, 2, EVS_ROLE_TEXT, "read     %s of %s   %s/s   ETA %s",
                    evs_num_commas(a, evs_ckpt_total(&rep->ckpt, EVS_CKPT_READ)),
                    evs_num_commas(b, rep->span), evs_num_human(c, rep->rate),
                    rep->eta_seconds < 0 ? "-"
                                         : evs_num_ago(d, (int64_t)(rep->eta_seconds * 1000)));
    evs_view_printf(v, 2, 2, EVS_ROLE_TEXT,
                    "applied  %s row writes, %s deleted   skipped %s   dead letters %s",
                    evs_num_commas(a, evs_ckpt_total(&rep->ckpt, EVS_CKPT_WRITTEN)),
                    evs_num_commas(b, evs_ckpt_total(&rep->ckpt, EVS_CKPT_DELETED)),
                    evs_num_commas(c, evs_ckpt_total(&rep->ckpt, EVS_CKPT_SKIPPED)),
                    evs_num_commas(d, evs_ckpt_total(&rep->ckpt, EVS_CKPT_DEAD)));
    evs_view_printf(v, 3, 2, EVS_ROLE_TEXT_DIM,
                    "last batch %lld ms   waits for sink %s, source %s   rate limit %s   id %s",
                    (long long)rep->batch_ms, evs_num_share(a, rep->wait_sink),
                    evs_num_share(b, rep->wait_source),
                    rate ? evs_num_human(c, (double)rate) : "none", rep->id ? rep->id : "");
    draw_partitions(rep, v, 4);
    if (!evs_ui_replay_ended(job))
        return;
    if (job->sn->err.code && job->sn->err.code != EVS_EOF) {
        int used = evs_view_wrap(v, 6, 2, 3, EVS_ROLE_BAD, job->sn->err.msg);
        if (job->sn->err.hint[0])
            evs_view_printf(v, 6 + used, 2, EVS_ROLE_TEXT_STRONG, "fix: %s", job->sn->err.hint);
    } else {
        evs_view_printf(v, 6, 2, EVS_ROLE_OK, "%s in %s, %s.  V verifies the view.",
                        evs_ui_replay_state(job), evs_num_ago(a, (int64_t)(rep->seconds * 1000)),
                        rep->guarantee);
    }
}

static void draw_problem(const struct evs_ui_replay *job, struct evs_view *v)
{
    int used = evs_view_wrap(v, 2, 2, 4, EVS_ROLE_BAD, job->sn->err.msg);
    if (job->sn->err.hint[0])
        evs_view_printf(v, 2 + used, 2, EVS_ROLE_TEXT_STRONG, "fix: %s", job->sn->err.hint);
}

void replay_draw(const struct evs_screen *s, struct evs_view *v)
{
    const struct replay *r = of(s);
    draw_rail(r, v);
    if (r->step == STEP_FORM) {
        draw_form(r, v);
        return;
    }
    const struct evs_ui_replay *job = r->step == STEP_DIFF     ? r->diff
                                      : r->step == STEP_VERIFY ? r->verify
                                                               : r->run;
    if (!job || !job->sn)
        evs_view_text(v, 2, 2, EVS_ROLE_TEXT_DIM, "Starting.");
    else if (r->step == STEP_RUN)
        draw_run(job, v);
    else if (evs_ui_replay_ended(job) && job->sn->compared)
        draw_comparison(r, job, r->step == STEP_VERIFY, v);
    else if (evs_ui_replay_ended(job))
        draw_problem(job, v);
    else
        evs_view_text(v, 2, 2, EVS_ROLE_TEXT_DIM,
                      "Reading the window and folding it; then it is compared with the view.");
}

void replay_bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct replay *r = of(s);
    const struct evs_ui_replay *job = r->step == STEP_DIFF     ? r->diff
                                      : r->step == STEP_VERIFY ? r->verify
                                      : r->step == STEP_RUN    ? r->run
                                                               : NULL;
    char n[EVS_NUM_LEN];
    evs_bands_crumb(b, "Topics", s->at.topic, "Replay");
    if (r->plan.id)
        evs_bands_say(b->right, sizeof(b->right), "plan %s", r->plan.id);
    if (job && !evs_ui_replay_ended(job)) {
        b->live = true;
        b->progress.active = true;
        b->progress.what = evs_ui_replay_state(job);
        b->progress.share = evs_ui_replay_share(job);
        b->progress.done = job->sn ? job->sn->report.run_read : 0;
        b->progress.total = job->sn ? job->sn->report.span : 0;
        b->progress.rate = job->sn ? job->sn->report.rate : 0;
        b->progress.eta_s = job->sn ? job->sn->report.eta_seconds : -1;
    } else if (job && job->sn) {
        evs_bands_say(b->tag, sizeof(b->tag), "exact");
        evs_bands_say(b->left, sizeof(b->left), "%s events read in %s%s",
                      evs_num_commas(n, job->sn->report.run_read),
                      evs_num_ago(b->value, (int64_t)(job->sn->report.seconds * 1000)),
                      r->step == STEP_RUN ? "" : "; nothing was written");
        b->value[0] = '\0';
    } else {
        evs_bands_say(b->tag, sizeof(b->tag), "span");
        evs_bands_say(b->left, sizeof(b->left),
                      "events = high %s low of the window; the filter applies while reading",
                      evs_glyph(EVS_G_MINUS));
    }
}
