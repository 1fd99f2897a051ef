/* replay.c - Guided replay: a form of window, filter, view and sink; dry run, confirm, run. */
#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "sinks/sink.h"
#include "ui/keys.h"
#include "ui/screens/replay_int.h"

const struct replay_field_row replay_fields[RF_FIELDS] = {
    {"Window", "from", "source.from", NULL,
     "beginning, an offset, or a time: 2026-11-21 14:00, 2h"},
    {"", "to", "source.to", NULL, "the end as of the run's start, or a time"},
    {"", "partitions", "source.partitions", NULL, "all, or 0,3-5"},
    {"Keep", "filter", "keep", NULL, "a key glob, or jq:.value.type != \"test\""},
    {"View", "mode", "view.mode", "latest|log|count|sum", NULL},
    {"", "columns", "view.columns", NULL, "id=.key, total:numeric=.value.total"},
    {"", "group by", "view.group_by", NULL, "of count and sum; the key"},
    {"", "value", "view.value", NULL, "of sum, such as .value.amount"},
    {"Sink", "url", "sink.url", NULL,
     "sqlite:PATH, postgresql://host/db, redis://host, kafka:TOPIC"},
    {"", "target", "sink.target", NULL, "table, key prefix or index"},
    {"", "swap", "sink.swap", "no|yes", "yes: build beside, then switch in one step"},
    {"", "on error", "run.on_error", "stop|skip", "or dead-letter:SINK-URL"},
    {"", "rate", "run.rate", NULL, "unlimited, events a second, or 2x"},
};

static struct replay *of(const struct evs_screen *s)
{
    return s->state;
}

static const char *text_of(const struct replay *r, enum replay_field f)
{
    return r->edit[f].len ? r->edit[f].text : NULL;
}

/* A number or a word of kcat's is an offset, anything else a time. */
static bool is_offset(const char *text)
{
    return !strcmp(text, "beginning") || !strcmp(text, "end") || strchr(text, '@') ||
           text[strspn(text, "-0123456789")] == '\0';
}

static void set_window(struct replay *r)
{
    const char *from = text_of(r, RF_FROM), *to = text_of(r, RF_TO);
    if (from)
        evs_plan_set(is_offset(from) ? &r->plan.from : &r->plan.since, from);
    if (to)
        evs_plan_set(is_offset(to) ? &r->plan.to : &r->plan.until, to);
}

static void set_filter(struct replay *r)
{
    const char *text = text_of(r, RF_FILTER);
    if (!text)
        return;
    bool jq = !strncmp(text, "jq:", 3);
    evs_plan_add(jq ? &r->plan.jqs : &r->plan.keys, text + (jq ? 3 : 0));
}

/* Which field a message is about. */
static int field_of(const char *msg)
{
    for (int f = 0; f < RF_FIELDS; f++) {
        size_t n = strlen(replay_fields[f].plan);
        if (!strncmp(msg, replay_fields[f].plan, n) && (msg[n] == ':' || msg[n] == '.'))
            return f;
    }
    return -1;
}

static void rebuild(struct evs_screen *s)
{
    struct replay *r = of(s);
    struct evs_plan *p = &r->plan;
    evs_plan_done(p);
    evs_plan_set(&p->topic, s->at.topic);
    set_window(r);
    set_filter(r);
    evs_plan_set(&p->partitions, text_of(r, RF_PARTITIONS));
    evs_plan_set(&p->mode_text, text_of(r, RF_MODE));
    if (text_of(r, RF_COLUMNS))
        evs_plan_add(&p->column_texts, text_of(r, RF_COLUMNS));
    evs_plan_set(&p->group_by, text_of(r, RF_GROUP));
    evs_plan_set(&p->value, text_of(r, RF_VALUE));
    evs_plan_set(&p->sink, text_of(r, RF_SINK));
    evs_plan_set(&p->target, text_of(r, RF_TARGET));
    if (!p->sink || !*p->sink)
        evs_plan_suggest(p);
    p->swap = text_of(r, RF_SWAP) && !strcmp(text_of(r, RF_SWAP), "yes");
    evs_plan_set(&p->on_error_text, text_of(r, RF_ERROR));
    evs_plan_set(&p->rate, text_of(r, RF_RATE));
    r->problem = (struct evs_err)EVS_ERR_INIT;
    r->valid = !evs_plan_check(p, &r->problem);
    r->wrong = r->valid ? -1 : field_of(r->problem.msg);
    replay_window_ask(r);
}

/* The form as it was when the job was started. */
static void fill_form(struct replay *r, const struct evs_plan *p)
{
    const char *jq = p->jqs.n ? p->jqs.items[0] : NULL;
    char *filter = jq ? evs_xprintf("jq:%s", jq) : p->keys.n ? evs_xstrdup(p->keys.items[0]) : NULL;
    const char *texts[RF_FIELDS] = {
        [RF_FROM] = p->from ? p->from : p->since,
        [RF_TO] = p->to ? p->to : p->until,
        [RF_PARTITIONS] = p->partitions,
        [RF_FILTER] = filter,
        [RF_MODE] = p->mode_text,
        [RF_COLUMNS] = p->column_texts.n ? p->column_texts.items[0] : NULL,
        [RF_GROUP] = p->group_by,
        [RF_VALUE] = p->value,
        [RF_SINK] = p->sink,
        [RF_TARGET] = p->target,
        [RF_SWAP] = p->swap ? "yes" : "no",
        [RF_ERROR] = p->on_error_text,
        [RF_RATE] = p->rate,
    };
    for (int f = 0; f < RF_FIELDS; f++)
        if (texts[f])
            evs_edit_set(&r->edit[f], texts[f]);
    evs_free(filter);
}

/* Opened from Jobs: at the step of that job. */
static void attach(struct evs_screen *s)
{
    struct replay *r = of(s);
    for (struct evs_ui_replay *x = evs_ui_replays(); x; x = x->next) {
        enum evs_job_kind kind = evs_job_kind(x->job);
        if (strcmp(evs_job_plan(x->job)->id, s->at.job) != 0 || s->at.offset != (int64_t)kind)
            continue;
        fill_form(r, evs_job_plan(x->job));
        *(kind == EVS_JOB_DIFF ? &r->diff : kind == EVS_JOB_RUN ? &r->run : &r->verify) = x;
        r->step = kind == EVS_JOB_DIFF ? STEP_DIFF : kind == EVS_JOB_RUN ? STEP_RUN : STEP_VERIFY;
        return;
    }
}

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct replay *r = of(s);
    char text[EVS_NUM_LEN] = "";
    (void)err;
    r->ui = s->ui;
    for (int f = 0; f < RF_FIELDS; f++)
        evs_edit_init(&r->edit[f], "", NULL);
    evs_edit_set(&r->edit[RF_MODE], "latest");
    evs_edit_set(&r->edit[RF_SWAP], "no");
    evs_edit_set(&r->edit[RF_ERROR], "stop");
    if (s->at.from_ms >= 0)
        evs_edit_set(&r->edit[RF_FROM], evs_num_iso(text, s->at.from_ms));
    if (s->at.to_ms >= 0)
        evs_edit_set(&r->edit[RF_TO], evs_num_iso(text, s->at.to_ms));
    if (s->at.offset >= 0 && s->at.partition >= 0) {
        snprintf(text, sizeof(text), "%lld", (long long)s->at.offset);
        evs_edit_set(&r->edit[RF_FROM], text);
    }
    if (s->at.partition >= 0) {
        snprintf(text, sizeof(text), "%d", (int)s->at.partition);
        evs_edit_set(&r->edit[RF_PARTITIONS], text);
    }
    if (s->at.key && !memchr(s->at.key, 0, s->at.key_len) && s->at.key_len < 500) {
        EVS_AUTO(evs_buf) struct evs_buf key = EVS_BUF_INIT(600);
        evs_buf_addc(&key, '=');
        evs_buf_add(&key, s->at.key, s->at.key_len);
        evs_edit_set(&r->edit[RF_FILTER], evs_buf_str(&key));
    }
    r->at = RF_SINK;
    if (s->at.job)
        attach(s);
    rebuild(s);
    return EVS_OK;
}

static void leave(struct evs_screen *s)
{
    replay_window_forget(of(s));
    evs_plan_done(&of(s)->plan); /* the jobs go on */
}

static bool running(const struct evs_ui_replay *job)
{
    return job && !evs_ui_replay_ended(job);
}

static struct evs_ui_replay *current(const struct replay *r)
{
    return r->step == STEP_DIFF     ? r->diff
           : r->step == STEP_RUN    ? r->run
           : r->step == STEP_VERIFY ? r->verify
                                    : NULL;
}

static bool refresh(struct evs_screen *s)
{
    return replay_window_take(of(s)); /* the loop takes the jobs' news (app.c) */
}

/* --- steps ----------------------------------------------------------------------------------- */
static struct evs_ui_replay *start(struct evs_screen *s, enum evs_job_kind kind,
                                   enum evs_replay_how how)
{
    struct replay *r = of(s);
    struct evs_err err = EVS_ERR_INIT;
    struct evs_ui_replay *job = evs_ui_replay_start(s->ui, &r->plan, kind, how, &err);
    if (!job)
        evs_ui_fail(s->ui, &err);
    return job;
}

static void dry_run(struct evs_screen *s)
{
    struct replay *r = of(s);
    if (!r->valid) {
        r->at = r->wrong >= 0 ? r->wrong : r->at;
        evs_ui_say(s->ui, EVS_ROLE_BAD, "%s", r->problem.msg);
        return;
    }
    r->diff = start(s, EVS_JOB_DIFF, EVS_REPLAY_START);
    if (r->diff)
        r->step = STEP_DIFF;
}

static void confirmed(void *ctx)
{
    struct evs_screen *s = ctx;
    struct replay *r = of(s);
    r->run = start(s, EVS_JOB_RUN, EVS_REPLAY_RESUME);
    if (r->run)
        r->step = STEP_RUN;
}

static void confirm(struct evs_screen *s)
{
    struct replay *r = of(s);
    if (!r->diff || !r->diff->sn || !r->diff->sn->compared) {
        evs_ui_say(s->ui, EVS_ROLE_WARN, "a dry run that was stopped cannot be confirmed");
        return;
    }
    const struct evs_comparison *c = &r->diff->sn->cmp;
    char *url = evs_sink_mask(r->plan.sink);
    char a[EVS_NUM_LEN], b[EVS_NUM_LEN], d[EVS_NUM_LEN];
    struct evs_confirm w = {.confirmed = confirmed, .ctx = s};
    const char *target = r->plan.target ? r->plan.target : evs_sink_rest(r->plan.sink);
    evs_bands_say(w.title, sizeof(w.title), "writes to %s", url);
    evs_bands_say(w.line[0], sizeof(w.line[0]), "Replay %s events of %s into %s",
                  evs_num_commas(a, c->report.run_read), r->plan.topic, target);
    evs_bands_say(w.line[1], sizeof(w.line[1]), "insert %s   update %s   delete %s",
                  evs_num_commas(a, c->n[EVS_CHANGE_INSERT]),
                  evs_num_commas(b, c->n[EVS_CHANGE_UPDATE]),
                  evs_num_commas(d, c->n[EVS_CHANGE_DELETE]));
    evs_bands_say(w.line[2], sizeof(w.line[2]),
                  "Stops safely at any moment; Kafka is only read; resume with id %s", r->plan.id);
    evs_bands_say(w.type_this, sizeof(w.type_this), "%s", target);
    evs_free(url);
    evs_ui_confirm(s->ui, &w);
}

static void next_step(struct evs_screen *s)
{
    struct replay *r = of(s);
    if (r->step == STEP_FORM)
        dry_run(s);
    else if (r->step == STEP_DIFF && !running(r->diff))
        confirm(s);
    else if (r->step == STEP_RUN && r->run && !running(r->run))
        evs_ui_say(s->ui, EVS_ROLE_STATUS, "V verifies the view, c resumes what was stopped");
}

static void verify(struct evs_screen *s)
{
    struct replay *r = of(s);
    if (!r->valid || running(r->run) || running(r->verify))
        return;
    r->verify = start(s, EVS_JOB_VERIFY, EVS_REPLAY_START);
    if (r->verify)
        r->step = STEP_VERIFY;
}

static void change_rate(struct evs_screen *s, bool up)
{
    const struct replay *r = of(s);
    int64_t rate = evs_job_rate_now(r->run->job);
    if (up)
        rate = rate ? (rate >= 1000000 ? 0 : rate * 2) : 0;
    else
        rate = rate ? (rate > 1 ? rate / 2 : 1) : 65536;
    evs_job_rate(r->run->job, rate);
}

static bool stop(struct evs_screen *s)
{
    struct replay *r = of(s);
    struct evs_ui_replay *job = current(r);
    if (running(job)) {
        evs_job_stop(job->job);
        return true;
    }
    if (r->step != STEP_FORM) { /* Esc leads back through the steps, then out */
        r->step = r->step == STEP_VERIFY && r->run ? STEP_RUN : STEP_FORM;
        return true;
    }
    return false;
}

static void save_plan(struct evs_screen *s)
{
    struct replay *r = of(s);
    struct evs_err err = EVS_ERR_INIT;
    if (!r->valid) {
        evs_ui_say(s->ui, EVS_ROLE_BAD, "%s", r->problem.msg);
        return;
    }
    char *path = evs_xprintf("%s.plan", r->plan.id);
    if (evs_plan_save(&r->plan, path, &err))
        evs_ui_fail(s->ui, &err);
    else
        evs_ui_say(s->ui, EVS_ROLE_STATUS, "saved %s: eventscope replay --plan %s", path, path);
    evs_free(path);
}

/* --- keys ------------------------------------------------------------------------------------ */
static void cycle(struct replay *r, int step)
{
    const char *choices = replay_fields[r->at].choices;
    const char *list[8] = {""};
    size_t len[8] = {0}, n = 0, now = 0;
    for (const char *c = choices; *c && n < EVS_COUNT(list); n++) {
        list[n] = c;
        len[n] = strcspn(c, "|");
        if (r->edit[r->at].len == len[n] && !strncmp(r->edit[r->at].text, c, len[n]))
            now = n;
        c += len[n] + (c[len[n]] == '|');
    }
    if (!n)
        return;
    now = (now + n + (size_t)(step + (int)n)) % n;
    char word[32];
    snprintf(word, sizeof(word), "%.*s", (int)len[now], list[now]);
    evs_edit_set(&r->edit[r->at], word);
}

static bool key(struct evs_screen *s, int k)
{
    struct replay *r = of(s);
    if (r->step != STEP_FORM)
        return false;
    if (k == EVS_KEY_CTRL('s')) {
        save_plan(s);
        return true;
    }
    bool arrow = k == EVS_KEY_LEFT || k == EVS_KEY_RIGHT;
    if (arrow && replay_fields[r->at].choices) {
        cycle(r, k == EVS_KEY_LEFT ? -1 : 1);
        rebuild(s);
        return true;
    }
    bool text = (k >= 32 && k < EVS_KEY_UP) || arrow || k == EVS_KEY_HOME || k == EVS_KEY_END ||
                k == EVS_KEY_DELETE || k == EVS_KEY_CTRL('u') || k == EVS_KEY_CTRL('w') ||
                k == EVS_KEY_CTRL('a') || k == EVS_KEY_CTRL('e');
    if (!text || (k == '?' && !r->edit[r->at].len))
        return false;
    if (evs_edit_key(&r->edit[r->at], k))
        rebuild(s);
    return true;
}

static enum evs_handled run_command(struct evs_screen *s, enum evs_command c)
{
    struct replay *r = of(s);
    switch (c) {
    case EVS_CMD_PAUSE:
        if (running(r->run))
            evs_job_pause(r->run->job, !evs_job_paused(r->run->job));
        return EVS_HANDLED;
    case EVS_CMD_MORE:
    case EVS_CMD_LESS:
        if (running(r->run))
            change_rate(s, c == EVS_CMD_MORE);
        return EVS_HANDLED;
    case EVS_CMD_CONTINUE:
        if (r->run && !running(r->run))
            confirmed(s);
        return EVS_HANDLED;
    default: return EVS_IGNORED;
    }
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    struct replay *r = of(s);
    switch (c) {
    case EVS_CMD_OPEN: next_step(s); return EVS_HANDLED;
    case EVS_CMD_VERIFY: verify(s); return EVS_HANDLED;
    case EVS_CMD_PANE_NEXT:
    case EVS_CMD_MOVE_DOWN:
        if (r->step == STEP_FORM)
            r->at = (r->at + 1) % RF_FIELDS;
        else
            r->top++;
        return EVS_HANDLED;
    case EVS_CMD_PANE_PREV:
    case EVS_CMD_MOVE_UP:
        if (r->step == STEP_FORM)
            r->at = (r->at + RF_FIELDS - 1) % RF_FIELDS;
        else
            r->top -= r->top > 0;
        return EVS_HANDLED;
    case EVS_CMD_TOP: r->top = 0; return EVS_HANDLED;
    default: return r->step == STEP_RUN ? run_command(s, c) : EVS_IGNORED;
    }
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    const struct replay *r = of(s);
    switch (c) {
    case EVS_CMD_PAUSE:
    case EVS_CMD_MORE: return r->step == STEP_RUN && running(r->run);
    case EVS_CMD_CONTINUE: return r->step == STEP_RUN && r->run && !running(r->run);
    case EVS_CMD_VERIFY: return r->valid && r->step != STEP_FORM && !running(r->run);
    case EVS_CMD_PANE_NEXT: return r->step == STEP_FORM;
    default: return true;
    }
}

static bool command_line(const struct evs_screen *s, struct evs_buf *out)
{
    const struct replay *r = of(s);
    if (!r->valid)
        return false;
    evs_buf_printf(out, "replay --plan %s.plan --diff", r->plan.id);
    return true;
}

static const char *footer(const struct evs_screen *s)
{
    const struct replay *r = of(s);
    if (r->step != STEP_FORM)
        return NULL;
    return replay_fields[r->at].choices
               ? "Enter next  Tab field  Left/Right choose  Esc back  C-s save plan  F1 help"
               : "Enter next  Tab field  C-u clear  Esc back  C-s save plan  F1 help";
}

static const struct evs_hint hints[] = {EVS_HINT(OPEN, "next"),       EVS_HINT(PANE_NEXT, "field"),
                                        EVS_HINT(PAUSE, "pause"),     EVS_HINT2(MORE, LESS, "rate"),
                                        EVS_HINT(CONTINUE, "resume"), EVS_HINT(VERIFY, "verify"),
                                        EVS_HINT(GO_JOBS, "jobs"),    EVS_HINTS_END};

const struct evs_screen_ops evs_screen_replay = {
    .name = "replay",
    .title = "Replay",
    .about = "rebuild or repair a view from this topic, step by step",
    .state_size = sizeof(struct replay),
    .needs_topic = true,
    .hints = hints,
    .enter = enter,
    .refresh = refresh,
    .draw = replay_draw,
    .leave = leave,
    .footer = footer,
    .bands = replay_bands,
    .command = command,
    .can = can,
    .command_line = command_line,
    .stop = stop,
    .key = key,
};
