/* lint.c - Lint findings: designs that will hurt, worst first, with evidence and advice. */
#include <string.h>

#include "core/jsonw.h"
#include "core/num.h"
#include "lint/run.h"
#include "ui/app.h"
#include "ui/screens/lint_evidence.h"
#include "ui/task.h"
#include "ui/widgets/table.h"
#include "ui/widgets/verdict.h"

enum { COL_SEVERITY, COL_RULE, COL_TOPIC, COL_FINDING };
enum { BELOW_ROWS = 8, MIN_TABLE = 5, JSON_CAP = 64 << 20 };

struct lint {
    struct evs_ui *ui;
    struct evs_lint *run;
    struct evs_lint_sn *sn; /* counted; NULL: nothing yet */
    struct evs_table table;
    char *rule; /* :lint RULE; NULL: all */
    bool stopped;
};

static const struct evs_column cols[] = {
    {"SEVERITY", 8, 8, 0, EVS_COL_COMPACT, "exact", "critical, warn or info; – was not checked"},
    {"RULE", 8, 22, 2, 0, "exact", "which habit"},
    {"TOPIC", 12, 40, 1, EVS_COL_GROW | EVS_COL_MIDDLE | EVS_COL_COMPACT, "exact",
     "where it was seen"},
    {"FINDING", 16, 400, 0, EVS_COL_WIDE, "~", "what was seen in the sample"},
};

static struct lint *of(const struct evs_screen *s)
{
    return s->state;
}

/* Findings first, then what could not be checked. */
static const struct evs_lint_finding *finding(const struct lint *l, size_t row)
{
    return l->sn && row < l->sn->n ? &l->sn->findings[row] : NULL;
}

static size_t count(const void *ctx)
{
    const struct lint *l = ctx;
    return l->sn ? l->sn->n + l->sn->n_skipped : 0;
}

static enum evs_role role_of(enum evs_severity severity)
{
    return severity == EVS_SEV_CRITICAL ? EVS_ROLE_BAD
           : severity == EVS_SEV_WARN   ? EVS_ROLE_WARN
                                        : EVS_ROLE_INFO;
}

static void say(struct evs_field *f, const char *text)
{
    f->p = text;
    f->n = strlen(text);
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct lint *l = ctx;
    const struct evs_lint_finding *x = finding(l, row);
    const struct evs_lint_skipped *skipped = x ? NULL : &l->sn->skipped[row - l->sn->n];
    bool is_rule = skipped && evs_lint_find(skipped->what);
    switch (col) {
    case COL_SEVERITY:
        if (x)
            evs_field_set(f, role_of(x->severity), evs_severity_name(x->severity));
        else
            evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(EVS_G_NONE));
        break;
    case COL_RULE: say(f, x ? x->rule : is_rule ? skipped->what : ""); break;
    case COL_TOPIC: say(f, x ? x->topic : is_rule ? "" : skipped->what); break;
    default: say(f, x ? x->text : skipped->why); break;
    }
}

static int compare(const void *ctx, size_t a, size_t b, int col)
{
    const struct lint *l = ctx;
    const struct evs_lint_finding *x = finding(l, a), *y = finding(l, b);
    struct evs_field f = {0}, g = {0};
    if (col == COL_SEVERITY && x && y)
        return (int)y->severity - (int)x->severity;
    if (!x || !y)
        return !x - !y;
    field(ctx, a, col, &f);
    field(ctx, b, col, &g);
    return strcmp(f.p ? f.p : f.text, g.p ? g.p : g.text);
}

static uint64_t id(const void *ctx, size_t row)
{
    const struct evs_lint_finding *x = finding(ctx, row);
    uint64_t h = 1469598103934665603u;
    if (!x)
        return row;
    for (const char *s = x->rule; *s; s++)
        h = (h ^ (uint8_t)*s) * 1099511628211u;
    for (const char *s = x->topic; *s; s++)
        h = (h ^ (uint8_t)*s) * 1099511628211u;
    return (h ^ (uint64_t)(x->partition + 1)) * 1099511628211u ^ (uint64_t)strlen(x->text);
}

static const struct evs_table_ops table_ops = {.cols = cols,
                                               .n_cols = EVS_COUNT(cols),
                                               .count = count,
                                               .field = field,
                                               .compare = compare,
                                               .id = id};

/* --- the run ---------------------------------------------------------------------------------- */

static void free_run(void *run)
{
    evs_lint_free(run);
}

static enum evs_rc start(struct evs_screen *s, struct evs_err *err)
{
    struct lint *l = of(s);
    const char *rule = l->rule;
    struct evs_lint_opts o = {.rules = &rule, .n_rules = rule ? 1 : 0};
    if (l->run)
        evs_task_retire("lint", free_run, l->run);
    l->run = NULL;
    l->stopped = false;
    return evs_lint_open(evs_ui_client(s->ui), &o, evs_ui_wake(s->ui), &l->run, err);
}

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct lint *l = of(s);
    l->ui = s->ui;
    evs_table_init(&l->table, &table_ops, l, COL_FINDING, -1, false);
    if (s->at.text && evs_lint_find(s->at.text))
        l->rule = evs_xstrdup(s->at.text);
    return evs_ui_client(s->ui) ? start(s, err)
                                : evs_fail(err, EVS_INVALID, "lint: no cluster is connected");
}

static void leave(struct evs_screen *s)
{
    struct lint *l = of(s);
    if (l->run)
        evs_task_retire("lint", free_run, l->run);
    if (l->sn)
        evs_snap_unref(&l->sn->snap);
    evs_table_done(&l->table);
    evs_free(l->rule);
}

static bool refresh(struct evs_screen *s)
{
    struct lint *l = of(s);
    if (l->stopped && l->sn) /* what Esc stopped stands as it was then */
        return false;
    struct evs_lint_sn *sn =
        l->run ? evs_lint_take(l->run, l->sn ? l->sn->snap.generation : 0) : NULL;
    if (!sn)
        return false;
    if (l->sn)
        evs_snap_unref(&l->sn->snap);
    l->sn = sn;
    evs_table_update(&l->table);
    return true;
}

static bool stop(struct evs_screen *s)
{
    struct lint *l = of(s);
    if (!l->run || (l->sn && l->sn->done) || l->stopped)
        return false;
    l->stopped = true;
    evs_lint_stop(l->run);
    return true;
}

/* --- drawing ---------------------------------------------------------------------------------- */

static const struct evs_lint_finding *current(const struct lint *l)
{
    size_t row = evs_table_row(&l->table);
    return row == SIZE_MAX ? NULL : finding(l, row);
}

static void draw_below(const struct lint *l, struct evs_view *v)
{
    const struct evs_lint_finding *f = current(l);
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(65536);
    char title[400];
    if (!f)
        return;
    evs_bands_say(title, sizeof(title), "%s  %s", f->rule, f->topic);
    evs_view_rule(v, 0, title, NULL, false);
    int row = 1 + evs_view_wrap(v, 1, 2, 3, EVS_ROLE_TEXT, f->text);
    row += lint_evidence_draw(v, row, v->rows - row > 3 ? 2 : 1, f->evidence, evs_ui_now_ms(l->ui));
    evs_buf_printf(&text, "Advice: %s", f->advice);
    evs_view_wrap(v, row, 2, v->rows - row, EVS_ROLE_TEXT_STRONG, evs_buf_str(&text));
}

static int below_rows(const struct evs_screen *s)
{
    return s->rows >= BELOW_ROWS + MIN_TABLE ? BELOW_ROWS : 0;
}

static void resize(struct evs_screen *s, int rows, int n_cols)
{
    (void)n_cols;
    evs_table_resize(&of(s)->table, rows - below_rows(s));
}

static void draw(const struct evs_screen *s, struct evs_view *v)
{
    const struct lint *l = of(s);
    char topics[EVS_NUM_LEN], messages[EVS_NUM_LEN];
    if (!l->sn || (!l->sn->done && !l->stopped && !count(l))) {
        evs_view_text(v, 0, 2, EVS_ROLE_TEXT_DIM, "Sampling the topics: nothing found so far.");
        return;
    }
    if (l->sn->err.msg[0]) {
        int used = evs_view_wrap(v, 0, 2, 3, EVS_ROLE_BAD, l->sn->err.msg);
        if (l->sn->err.hint[0])
            evs_view_printf(v, used, 2, EVS_ROLE_TEXT_STRONG, "fix: %s", l->sn->err.hint);
        return;
    }
    if (!count(l) && l->stopped && l->sn->topics < l->sn->topics_all) {
        evs_view_printf(v, 0, 2, EVS_ROLE_TEXT,
                        "Stopped after %s of %s topics: nothing found in them. C-r checks again.",
                        evs_num_commas(topics, (int64_t)l->sn->topics),
                        evs_num_commas(messages, (int64_t)l->sn->topics_all));
        return;
    }
    if (!count(l) && !l->sn->topics) {
        evs_view_text(v, 0, 2, EVS_ROLE_TEXT_DIM, "No topics to check.");
        return;
    }
    if (!count(l)) {
        struct evs_verdict clean;
        evs_verdict_say(&clean, EVS_VERDICT_GOOD,
                        "%s topics, %s messages, %d rules: nothing found.",
                        evs_num_commas(topics, (int64_t)l->sn->topics),
                        evs_num_commas(messages, l->sn->messages), l->sn->rules);
        evs_verdict_draw(v, 0, 2, v->cols, &clean, 1);
        return;
    }
    int below = below_rows(s), most = v->rows - below;
    int rows = below && (int)l->table.n + 2 < most ? (int)l->table.n + 2 : most;
    struct evs_view list = evs_view_sub(v, 0, 0, rows, v->cols);
    evs_table_draw(&l->table, &list);
    if (!below)
        return;
    struct evs_view detail = evs_view_sub(v, rows, 0, v->rows - rows, v->cols);
    draw_below(l, &detail);
}

static bool would_fail(const struct lint *l)
{
    return l->sn && l->sn->n && l->sn->findings[0].severity > EVS_SEV_INFO;
}

static void bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct lint *l = of(s);
    const struct evs_lint_sn *sn = l->sn;
    char messages[EVS_NUM_LEN], topics[EVS_NUM_LEN], found[EVS_NUM_LEN];
    const char *dot = evs_glyph(EVS_G_DOT);
    if (!sn) {
        b->progress = (struct evs_progress){.active = !l->stopped,
                                            .what = "lint",
                                            .share = -1,
                                            .eta_s = -1,
                                            .note = "asking for the topics"};
        return;
    }
    evs_bands_say(b->right, sizeof(b->right), "%s topic%s %s %s messages sampled %s %s finding%s",
                  evs_num_commas(topics, (int64_t)sn->topics), sn->topics == 1 ? "" : "s", dot,
                  evs_num_commas(messages, sn->messages), dot,
                  evs_num_commas(found, (int64_t)sn->n), sn->n == 1 ? "" : "s");
    if (!sn->done && !l->stopped) {
        b->progress.active = true;
        b->progress.what = "lint";
        b->progress.done = (int64_t)sn->topics;
        b->progress.total = (int64_t)sn->topics_all;
        b->progress.share = sn->topics_all ? (double)sn->topics / (double)sn->topics_all : 0;
        b->progress.rate = sn->checking_s > 0.5 ? (double)sn->topics / sn->checking_s : 0;
        b->progress.eta_s =
            b->progress.rate > 0 ? (double)(sn->topics_all - sn->topics) / b->progress.rate : -1;
        if (sn->doing)
            evs_bands_say(b->progress.note, sizeof(b->progress.note), "%s", sn->doing);
        else
            evs_bands_say(b->progress.note, sizeof(b->progress.note), "%s findings",
                          evs_num_commas(found, (int64_t)sn->n));
        return;
    }
    evs_bands_say(b->tag, sizeof(b->tag), "~");
    if (l->stopped && sn->topics < sn->topics_all) {
        evs_bands_say(b->tag, sizeof(b->tag), "partial %.0f %%",
                      100.0 * (double)sn->topics / (double)sn->topics_all);
        evs_bands_say(b->left, sizeof(b->left), "stopped after %s of %s topics",
                      evs_num_commas(topics, (int64_t)sn->topics),
                      evs_num_commas(found, (int64_t)sn->topics_all));
        return;
    }
    if (sn->n_skipped)
        evs_bands_say(b->left, sizeof(b->left), "%zu not checked: Enter shows why", sn->n_skipped);
    else
        evs_bands_say(b->left, sizeof(b->left),
                      "sampled %s messages a topic, from both ends of each "
                      "partition",
                      evs_num_commas(messages, EVS_LINT_SAMPLE));
    evs_bands_say(b->value, sizeof(b->value), "exit code of the same check: %d",
                  would_fail(l) ? 4 : 0);
}

/* --- commands --------------------------------------------------------------------------------- */

static enum evs_handled open_finding(struct evs_screen *s)
{
    static const char *const by_keys[] = {"hot-key", "split-key", "mixed-partitioners",
                                          "mutable-key"};
    const struct lint *l = of(s);
    const struct evs_lint_finding *f = current(l);
    size_t row = evs_table_row(&l->table);
    if (!f && row != SIZE_MAX && l->sn) {
        evs_ui_say(s->ui, EVS_ROLE_WARN, "%s", l->sn->skipped[row - l->sn->n].why);
        return EVS_HANDLED;
    }
    if (!f)
        return EVS_HANDLED;
    struct evs_place at = EVS_PLACE_INIT;
    const char *screen = "partitions";
    evs_place_set(&at.topic, f->topic);
    if (evs_lint_record(f, &at.partition, &at.offset))
        screen = "messages";
    for (size_t i = 0; i < EVS_COUNT(by_keys); i++)
        if (!strcmp(f->rule, by_keys[i]) && at.offset < 0)
            screen = "keys";
    evs_ui_open(s->ui, screen, &at);
    evs_place_done(&at);
    return EVS_HANDLED;
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    struct evs_err err = EVS_ERR_INIT;
    if (c == EVS_CMD_OPEN)
        return open_finding(s);
    if (c != EVS_CMD_REFRESH)
        return EVS_IGNORED;
    if (start(s, &err))
        evs_ui_fail(s->ui, &err);
    return EVS_HANDLED;
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    const struct lint *l = of(s);
    switch (c) {
    case EVS_CMD_OPEN: return evs_table_row(&l->table) != SIZE_MAX;
    case EVS_CMD_GO_WHATIF:
    case EVS_CMD_KEEP_LIKE:
    case EVS_CMD_DROP_LIKE:
    case EVS_CMD_COPY:
    case EVS_CMD_SAVE: return current(l) != NULL;
    default: return true;
    }
}

static void place(const struct evs_screen *s, struct evs_place *to)
{
    const struct evs_lint_finding *f = current(of(s));
    if (!f)
        return;
    evs_place_set(&to->topic, f->topic);
    to->partition = f->partition;
}

static struct evs_table *table(struct evs_screen *s)
{
    return &of(s)->table;
}

static bool copy(const struct evs_screen *s, char what, struct evs_buf *out)
{
    const struct evs_lint_finding *f = current(of(s));
    if (!f || what != 'a')
        return false;
    return evs_buf_printf(out, "%s: %s: %s\n%s\n", f->topic, f->rule, f->text, f->advice);
}

static void put_json(const struct evs_lint_finding *f, struct evs_buf *out)
{
    struct evs_jsonw w;
    evs_jsonw_init(&w, out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_str(&w, "rule", f->rule);
    evs_jsonw_str(&w, "severity", evs_severity_name(f->severity));
    evs_jsonw_strn(&w, "topic", f->topic, strlen(f->topic));
    evs_jsonw_strn(&w, "text", f->text, strlen(f->text));
    evs_jsonw_raw(&w, "evidence", f->evidence, strlen(f->evidence));
    evs_jsonw_strn(&w, "advice", f->advice, strlen(f->advice));
    evs_jsonw_end(&w);
    evs_buf_addc(out, '\n');
}

static bool save(const struct evs_screen *s, bool all, struct evs_buf *out)
{
    const struct lint *l = of(s);
    const struct evs_lint_finding *f = current(l);
    if (!all && f)
        put_json(f, out);
    for (size_t i = 0; all && i < l->table.n; i++)
        if (finding(l, evs_table_model_row(&l->table, i)))
            put_json(finding(l, evs_table_model_row(&l->table, i)), out);
    return out->len > 0;
}

static bool command_line(const struct evs_screen *s, struct evs_buf *out)
{
    const struct lint *l = of(s);
    return evs_buf_printf(out, "lint%s%s", l->rule ? " --rule " : "", l->rule ? l->rule : "");
}

static const struct evs_hint hints[] = {
    EVS_HINT(OPEN, "evidence"),       EVS_HINT(GO_WHATIF, "what-if"),
    EVS_HINT(KEEP_LIKE, "keep rule"), EVS_HINT(DROP_LIKE, "drop rule"),
    EVS_HINT(SAVE_ALL, "save"),       EVS_HINT(COPY, "copy"),
    EVS_HINT(REFRESH, "check again"), EVS_HINTS_END};

const struct evs_screen_ops evs_screen_lint = {
    .name = "lint",
    .title = "Lint",
    .about = "designs that will hurt: keys, order, names, drift",
    .state_size = sizeof(struct lint),
    .hints = hints,
    .enter = enter,
    .resize = resize,
    .refresh = refresh,
    .draw = draw,
    .leave = leave,
    .bands = bands,
    .command = command,
    .can = can,
    .table = table,
    .place = place,
    .copy = copy,
    .copy_at_once = true,
    .save = save,
    .command_line = command_line,
    .stop = stop,
};
