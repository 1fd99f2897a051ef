/* jobs.c - Jobs: replays, scans and searches of this session; replays of earlier ones, from the
 * state folder. */
#include <string.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "replay/audit.h"
#include "sinks/sink.h"
#include "ui/app.h"
#include "ui/journal.h"
#include "ui/replays.h"
#include "ui/screen.h"
#include "ui/widgets/table.h"

enum { COL_ID, COL_KIND, COL_WHAT, COL_STATE, COL_PROGRESS, COL_RATE, COL_ETA, COL_STARTED };

struct jobs {
    struct evs_ui *ui;
    struct evs_table table;
    struct evs_job_entry *old;
    size_t n_old, n_now, n_works;
    uint64_t told; /* what the works said when last drawn */
};

static const struct evs_column cols[] = {
    {"ID", 10, 30, 0, EVS_COL_GROW | EVS_COL_COMPACT, "exact", "the checkpoint's name"},
    {"KIND", 6, 8, 3, 0, "exact", "replay, dry run, verify, scan or search"},
    {"WHAT", 12, 60, 4, EVS_COL_GROW | EVS_COL_MIDDLE, "exact", "topic and sink"},
    {"STATE", 7, 9, 0, EVS_COL_COMPACT, "exact", "running, paused, stopped, partial, done, failed"},
    {"PROGRESS", 8, 8, 6, EVS_COL_RIGHT | EVS_COL_COMPACT, "span", "share of the offsets"},
    {"RATE/s", 6, 8, 1, EVS_COL_RIGHT, "exact", "events read a second"},
    {"ETA", 6, 10, 5, EVS_COL_RIGHT, "~", "until the frozen end"},
    {"STARTED", 8, 14, 2, 0, "exact", "when it began, or was last seen"},
};

static struct jobs *of(const struct evs_screen *s)
{
    return s->state;
}

static const struct evs_ui_replay *job_at(size_t row)
{
    const struct evs_ui_replay *r = evs_ui_replays();
    while (r && row--)
        r = r->next;
    return r;
}

static size_t count(const void *ctx)
{
    const struct jobs *j = ctx;
    return j->n_now + j->n_works + j->n_old;
}

/* Rows: replays of this session, its scans and searches, replays of earlier ones. */
static const struct evs_job_entry *old_at(const struct jobs *j, size_t row)
{
    size_t before = j->n_now + j->n_works;
    return row != SIZE_MAX && row >= before ? &j->old[row - before] : NULL;
}

static const struct evs_journal_entry *work_at(const struct jobs *j, size_t row)
{
    bool is = row != SIZE_MAX && row >= j->n_now && row < j->n_now + j->n_works;
    return is ? evs_journal_at(row - j->n_now) : NULL;
}

static void work_field(const struct jobs *j, const struct evs_journal_entry *e, int col,
                       struct evs_field *f)
{
    char n[EVS_NUM_LEN];
    switch (col) {
    case COL_ID: evs_field_set(f, EVS_ROLE_TEXT, e->id); break;
    case COL_KIND: evs_field_set(f, EVS_ROLE_TEXT_DIM, e->kind); break;
    case COL_WHAT:
        evs_field_printf(f, EVS_ROLE_TEXT, "%s%s%.60s", e->at.topic, e->at.text ? " " : "",
                         e->at.text ? e->at.text : "");
        break;
    case COL_STATE:
        evs_field_set(f, evs_journal_running(e) ? EVS_ROLE_TEXT_STRONG : EVS_ROLE_TEXT, e->state);
        break;
    case COL_PROGRESS: evs_field_set(f, EVS_ROLE_TEXT, evs_num_share(n, e->share)); break;
    case COL_RATE:
        if (e->rate > 0)
            evs_field_set(f, EVS_ROLE_TEXT, evs_ui_rate(j->ui, n, e->rate));
        break;
    case COL_STARTED:
        evs_field_set(f, EVS_ROLE_TEXT, evs_ui_moment(j->ui, n, e->started_ms));
        break;
    default: break;
    }
}

static void old_field(const struct jobs *j, const struct evs_job_entry *e, int col,
                      struct evs_field *f)
{
    char n[EVS_NUM_LEN];
    int64_t span = e->end - e->from;
    switch (col) {
    case COL_ID: evs_field_set(f, EVS_ROLE_TEXT, e->id); break;
    case COL_KIND: evs_field_set(f, EVS_ROLE_TEXT_DIM, "replay"); break;
    case COL_WHAT:
        evs_field_printf(f, EVS_ROLE_TEXT, "%s %s %s", e->topic ? e->topic : "?",
                         evs_glyph(EVS_G_ARROW), e->sink ? e->sink : "?");
        break;
    case COL_STATE:
        evs_field_set(f, e->error ? EVS_ROLE_BAD : EVS_ROLE_TEXT, e->state ? e->state : "?");
        break;
    case COL_PROGRESS:
        if (span > 0)
            evs_field_set(f, EVS_ROLE_TEXT,
                          evs_num_share(n, (double)(e->next - e->from) / (double)span));
        break;
    case COL_STARTED: evs_field_set(f, EVS_ROLE_TEXT, evs_ui_moment(j->ui, n, e->at_ms)); break;
    default: break;
    }
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    static const char *const kinds[] = {"dry run", "replay", "verify"};
    const struct jobs *j = ctx;
    char n[EVS_NUM_LEN];
    if (work_at(j, row))
        work_field(j, work_at(j, row), col, f);
    else if (old_at(j, row))
        old_field(j, old_at(j, row), col, f);
    if (row >= j->n_now)
        return;
    const struct evs_ui_replay *r = job_at(row);
    if (!r)
        return;
    const struct evs_plan *p = evs_job_plan(r->job);
    bool going = r->sn && !evs_ui_replay_ended(r);
    switch (col) {
    case COL_ID: evs_field_set(f, EVS_ROLE_TEXT, p->id); break;
    case COL_KIND: evs_field_set(f, EVS_ROLE_TEXT_DIM, kinds[evs_job_kind(r->job)]); break;
    case COL_WHAT: {
        char *sink = evs_sink_mask(p->sink);
        evs_field_printf(f, EVS_ROLE_TEXT, "%s %s %s", p->topic, evs_glyph(EVS_G_ARROW), sink);
        evs_free(sink);
        break;
    }
    case COL_STATE: evs_field_set(f, EVS_ROLE_TEXT_STRONG, evs_ui_replay_state(r)); break;
    case COL_PROGRESS:
        evs_field_set(f, EVS_ROLE_TEXT, evs_num_share(n, evs_ui_replay_share(r)));
        break;
    case COL_RATE:
        if (going)
            evs_field_set(f, EVS_ROLE_TEXT, evs_ui_rate(j->ui, n, r->sn->report.rate));
        break;
    case COL_ETA:
        if (going && r->sn->report.eta_seconds >= 0)
            evs_field_set(f, EVS_ROLE_TEXT,
                          evs_num_ago(n, (int64_t)(r->sn->report.eta_seconds * 1000)));
        break;
    default:
        evs_field_set(f, EVS_ROLE_TEXT, evs_ui_moment(j->ui, n, evs_job_started_ms(r->job)));
        break;
    }
}

/* Nothing that runs has a rate, or a time left. */
static bool col_hidden(const void *ctx, int col)
{
    struct evs_field f;
    if (col != COL_RATE && col != COL_ETA)
        return false;
    for (size_t row = 0; row < count(ctx); row++) {
        f.n = 0;
        field(ctx, row, col, &f);
        if (f.n)
            return false;
    }
    return true;
}

static const struct evs_table_ops table_ops = {.cols = cols,
                                               .n_cols = EVS_COUNT(cols),
                                               .count = count,
                                               .field = field,
                                               .col_hidden = col_hidden};

/* Earlier sessions' jobs that this one has not taken up again. */
static void read_old(struct jobs *j)
{
    evs_audit_jobs_free(j->old, j->n_old);
    j->n_old = evs_audit_jobs(&j->old);
    j->n_works = evs_journal_count();
    j->n_now = 0;
    for (const struct evs_ui_replay *r = evs_ui_replays(); r; r = r->next)
        j->n_now++;
}

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct jobs *j = of(s);
    (void)err;
    j->ui = s->ui;
    read_old(j);
    evs_table_init(&j->table, &table_ops, j, COL_ID, -1, false);
    return EVS_OK;
}

static void leave(struct evs_screen *s)
{
    struct jobs *j = of(s);
    evs_table_done(&j->table);
    evs_audit_jobs_free(j->old, j->n_old);
}

static bool refresh(struct evs_screen *s)
{
    struct jobs *j = of(s);
    size_t now = 0;
    uint64_t told = evs_journal_count();
    for (const struct evs_ui_replay *r = evs_ui_replays(); r; r = r->next)
        now++;
    for (int i = 0; i < s->ui->n_stack; i++) { /* what runs below goes on telling */
        struct evs_screen *below = s->ui->stack[i];
        if (below->ops != s->ops)
            (void)below->ops->refresh(below);
    }
    for (size_t i = 0; i < evs_journal_count(); i++)
        told = told * 31 + (uint64_t)(evs_journal_at(i)->share * 1000) +
               (uint64_t)evs_journal_at(i)->state[0];
    if (now == j->n_now && told == j->told)
        return false;
    j->told = told;
    read_old(j);
    evs_table_update(&j->table);
    return true;
}

static void resize(struct evs_screen *s, int rows, int n_cols)
{
    (void)n_cols;
    evs_table_resize(&of(s)->table, rows);
}

static void draw(const struct evs_screen *s, struct evs_view *v)
{
    const struct jobs *j = of(s);
    if (!count(j)) {
        evs_view_wrap(v, 0, 2, 2, EVS_ROLE_TEXT_DIM,
                      "Nothing runs. r on a topic starts a replay; K a scan.");
        return;
    }
    evs_table_draw(&j->table, v);
}

static struct evs_ui_replay *current(const struct jobs *j)
{
    size_t row = evs_table_row(&j->table);
    return row < j->n_now ? (struct evs_ui_replay *)(uintptr_t)job_at(row) : NULL;
}

static void bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct jobs *j = of(s);
    size_t row = evs_table_row(&j->table);
    const struct evs_ui_replay *r = current(j);
    int going = 0;
    for (const struct evs_ui_replay *x = evs_ui_replays(); x; x = x->next)
        going += !evs_ui_replay_ended(x);
    for (size_t i = 0; i < evs_journal_count(); i++)
        going += evs_journal_running(evs_journal_at(i));
    b->live = going > 0;
    evs_bands_say(b->right, sizeof(b->right), "%d running %s %zu kept", going, evs_glyph(EVS_G_DOT),
                  count(j));
    if (r && r->sn && r->sn->err.code && r->sn->err.code != EVS_EOF) {
        b->role = EVS_ROLE_BAD;
        evs_bands_say(b->left, sizeof(b->left), "%s", r->sn->err.msg);
    } else if (old_at(j, row) && old_at(j, row)->error) {
        b->role = EVS_ROLE_BAD;
        evs_bands_say(b->left, sizeof(b->left), "%s", old_at(j, row)->error);
    }
}

static void start(struct evs_screen *s, enum evs_job_kind kind)
{
    struct jobs *j = of(s);
    struct evs_err err = EVS_ERR_INIT;
    struct evs_plan plan = {0};
    size_t row = evs_table_row(&j->table);
    const struct evs_ui_replay *r = current(j);
    enum evs_rc rc = EVS_OK;
    if ((r && !evs_ui_replay_ended(r)) || (!r && !old_at(j, row)))
        return;
    if (evs_ui_locked(s->ui) && kind == EVS_JOB_RUN) {
        evs_ui_say(s->ui, EVS_ROLE_WARN, "This profile is locked: nothing can be written.");
        return;
    }
    if (!r)
        rc = evs_audit_plan(old_at(j, row)->path, &plan, &err);
    if (rc || !evs_ui_replay_start(s->ui, r ? evs_job_plan(r->job) : &plan, kind, EVS_REPLAY_RESUME,
                                   &err))
        evs_ui_fail(s->ui, &err);
    evs_plan_done(&plan);
}

/* The screen of the job as it is. */
static enum evs_handled open_job(struct evs_screen *s)
{
    const struct jobs *j = of(s);
    const struct evs_ui_replay *r = current(j);
    const struct evs_journal_entry *work = work_at(j, evs_table_row(&j->table));
    if (work) {
        evs_ui_open(s->ui, work->screen, &work->at);
        return EVS_HANDLED;
    }
    if (!r) {
        if (old_at(j, evs_table_row(&j->table)))
            evs_ui_say(s->ui, EVS_ROLE_STATUS, "of an earlier session: c resumes, V verifies it");
        return EVS_HANDLED;
    }
    struct evs_place at = EVS_PLACE_INIT;
    evs_place_set(&at.topic, evs_job_plan(r->job)->topic);
    evs_place_set(&at.job, evs_job_plan(r->job)->id);
    at.offset = (int64_t)evs_job_kind(r->job); /* dry run, run and verify share the id */
    evs_ui_open(s->ui, "replay", &at);
    evs_place_done(&at);
    return EVS_HANDLED;
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    struct jobs *j = of(s);
    const struct evs_ui_replay *r = current(j);
    switch (c) {
    case EVS_CMD_OPEN: return open_job(s);
    case EVS_CMD_PAUSE:
        if (r && !evs_ui_replay_ended(r))
            evs_job_pause(r->job, !evs_job_paused(r->job));
        return EVS_HANDLED;
    case EVS_CMD_CONTINUE: start(s, EVS_JOB_RUN); return EVS_HANDLED;
    case EVS_CMD_VERIFY: start(s, EVS_JOB_VERIFY); return EVS_HANDLED;
    case EVS_CMD_REFRESH:
        read_old(j);
        evs_table_update(&j->table);
        return EVS_HANDLED;
    default: return EVS_IGNORED;
    }
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    const struct jobs *j = of(s);
    const struct evs_ui_replay *r = current(j);
    bool going = r && !evs_ui_replay_ended(r);
    size_t row = evs_table_row(&j->table);
    switch (c) {
    case EVS_CMD_OPEN: return r || work_at(j, row);
    case EVS_CMD_PAUSE: return going;
    case EVS_CMD_CONTINUE:
    case EVS_CMD_VERIFY: return (r || old_at(j, row)) && !going;
    default: return true;
    }
}

static bool stop(struct evs_screen *s)
{
    const struct evs_ui_replay *r = current(of(s));
    const struct evs_journal_entry *work = work_at(of(s), evs_table_row(&of(s)->table));
    for (int i = s->ui->n_stack - 2; work && evs_journal_running(work) && i >= 0; i--) {
        struct evs_screen *below = s->ui->stack[i];
        if (!strcmp(below->ops->name, work->screen) && below->ops->stop)
            return below->ops->stop(below);
    }
    if (!r || evs_ui_replay_ended(r))
        return false;
    evs_job_stop(r->job);
    return true;
}

static struct evs_table *table(struct evs_screen *s)
{
    return &of(s)->table;
}

static const struct evs_hint hints[] = {EVS_HINT(OPEN, "open"),
                                        EVS_HINT(PAUSE, "pause"),
                                        EVS_HINT(CONTINUE, "resume"),
                                        EVS_HINT(VERIFY, "verify"),
                                        EVS_HINT(REFRESH, NULL),
                                        EVS_HINT(GO_LOG, "log"),
                                        EVS_HINTS_END};

const struct evs_screen_ops evs_screen_jobs = {
    .name = "jobs",
    .title = "Jobs",
    .about = "scans, searches and replays of this session, replays of earlier ones",
    .state_size = sizeof(struct jobs),
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
    .stop = stop,
};
