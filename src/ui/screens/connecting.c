/* connecting.c - Connecting: which step between a name and the topics fails, and its fix. */
#include "ui/screens/connecting.h"

#include <stdio.h>
#include <string.h>

#include "browse/topics.h"
#include "core/slot.h"
#include "kafka/client.h"
#include "kafka/doctor.h"
#include "ui/app.h"
#include "ui/task.h"

enum { STEPS = 24, SHOWN_AFTER_MS = 300, AGAIN_MS = 10000, NAME_AT = 4, TEXT_AT = 16 };

struct step {
    enum evs_step_state state;
    bool has_fix;
    char name[16], text[240], fix[240];
};

struct steps_sn { /* all steps told so far */
    struct evs_snap snap;
    struct step step[STEPS];
    int n;
};

/* --- the doctor, on a thread of its own ----------------------------------------------------- */

struct examination {
    struct evs_client_conf conf;
    struct evs_task *task;
    struct step step[STEPS];
    int n;
};

static void free_sn(struct evs_snap *sn)
{
    evs_free(sn);
}

static void note(void *ctx, const struct evs_step *s)
{
    struct examination *x = ctx;
    if (x->n == STEPS)
        return;
    bool shown = !strcmp(s->name, "TLS") || !strcmp(s->name, "clock");
    if ((s->state == EVS_STEP_NOTE && !shown) || !strcmp(s->name, "library"))
        return; /* eventscope doctor tells those */
    struct step *to = &x->step[x->n++];
    *to = (struct step){.state = s->state, .has_fix = s->fix != NULL};
    snprintf(to->name, sizeof(to->name), "%s", s->name);
    snprintf(to->text, sizeof(to->text), "%s", s->text ? s->text : "");
    snprintf(to->fix, sizeof(to->fix), "%s", s->fix ? s->fix : "");
    struct steps_sn *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, free_sn);
    memcpy(sn->step, x->step, sizeof(sn->step));
    sn->n = x->n;
    evs_task_publish(x->task, &sn->snap);
}

static void examine(struct evs_task *t, void *ctx)
{
    struct examination *x = ctx;
    struct evs_err err = EVS_ERR_INIT;
    x->task = t;
    struct evs_doctor_opts opts = {.step = note, .ctx = x, .stop = evs_task_stop_flag(t)};
    (void)!evs_doctor(&x->conf, &opts, &err);
}

static void free_examination(void *ctx)
{
    struct examination *x = ctx;
    evs_client_conf_done(&x->conf);
    evs_free(x);
}

void evs_connecting_examine(struct evs_ui *ui)
{
    struct examination *x = evs_xcalloc(1, sizeof(*x));
    evs_client_conf_init(&x->conf);
    evs_client_conf_copy(&x->conf, evs_client_conf(ui->client));
    evs_task_drop(ui->data.doctor);
    ui->data.doctor_at_ms = ui->now_ms;
    ui->data.doctor_seen = 0;
    ui->data.doctor = evs_task_start("doctor", examine, x, free_examination, &ui->wake);
}

/* Steps of a later run replace those of the one before when there are as many: no flicker. */
bool evs_connecting_refresh(struct evs_ui *ui)
{
    struct evs_data *d = &ui->data;
    bool trouble = evs_data_waiting_ms(ui) > SHOWN_AFTER_MS;
    bool again =
        d->doctor && !evs_task_running(d->doctor) && ui->now_ms - d->doctor_at_ms > AGAIN_MS;
    if (trouble && (!d->doctor || again))
        evs_connecting_examine(ui);
    struct steps_sn *sn = (struct steps_sn *)evs_task_take(d->doctor, d->doctor_seen);
    if (!sn)
        return false;
    const struct steps_sn *have = (const struct steps_sn *)d->doctor_sn;
    d->doctor_seen = sn->snap.generation;
    if (have && sn->n < have->n && evs_task_running(d->doctor)) {
        evs_snap_unref(&sn->snap);
        return false;
    }
    evs_snap_unref(d->doctor_sn);
    d->doctor_sn = &sn->snap;
    return true;
}

const char *evs_connecting_text(const struct evs_ui *ui, const char *step)
{
    const struct steps_sn *sn = (const struct steps_sn *)ui->data.doctor_sn;
    for (int i = 0; sn && i < sn->n; i++)
        if (!strcmp(sn->step[i].name, step) && sn->step[i].state != EVS_STEP_NOT_TRIED)
            return sn->step[i].text;
    return NULL;
}

/* --- drawing -------------------------------------------------------------------------------- */

static const char *broker_of(struct evs_ui *ui)
{
    const char *list = evs_client_conf_get(evs_client_conf(ui->client), "bootstrap.servers");
    return list ? list : "";
}

static void draw_step(struct evs_view *v, int row, const struct step *s, bool first_bad)
{
    static const struct {
        enum evs_glyph glyph;
        enum evs_role role;
    } marks[] = {[EVS_STEP_OK] = {EVS_G_OK, EVS_ROLE_OK},
                 [EVS_STEP_FAILED] = {EVS_G_NO, EVS_ROLE_BAD},
                 [EVS_STEP_NOTE] = {EVS_G_DOT, EVS_ROLE_WARN},
                 [EVS_STEP_NOT_TRIED] = {EVS_G_N, EVS_ROLE_TEXT_DIM}};
    if (first_bad)
        evs_view_glyph(v, row, 0, EVS_ROLE_TEXT_STRONG, EVS_G_CURSOR);
    if (marks[s->state].glyph != EVS_G_N)
        evs_view_glyph(v, row, 2, marks[s->state].role, marks[s->state].glyph);
    bool ascii = evs_glyph_ladder() == EVS_LADDER_ASCII;
    enum evs_role role = s->state == EVS_STEP_NOT_TRIED ? EVS_ROLE_TEXT_DIM : EVS_ROLE_TEXT;
    evs_view_text(v, row, NAME_AT + ascii, role, s->name);
    evs_view_fit(v, row, TEXT_AT, v->cols - TEXT_AT - 1, role, s->text, strlen(s->text),
                 EVS_CUT_END);
}

static void draw_waiting(struct evs_ui *ui, struct evs_view *v)
{
    if (evs_data_waiting_ms(ui) < SHOWN_AFTER_MS)
        return; /* most clusters answer before anybody reads this */
    evs_view_glyph(v, 0, 2, EVS_ROLE_TEXT, EVS_G_WAIT);
    evs_view_text(v, 0, NAME_AT, EVS_ROLE_TEXT, "connect");
    evs_view_printf(v, 0, TEXT_AT, EVS_ROLE_TEXT, "%.200s %s", broker_of(ui),
                    evs_glyph(EVS_G_MORE));
}

void evs_connecting_draw(struct evs_ui *ui, struct evs_view *v)
{
    const struct evs_topics_sn *topics = evs_data_topics(ui);
    const struct steps_sn *sn = (const struct steps_sn *)ui->data.doctor_sn;
    if (!sn || !sn->n) {
        draw_waiting(ui, v);
        return;
    }
    int row = 0, most = v->rows > 10 ? v->rows - 5 : v->rows > 6 ? 4 : v->rows;
    const struct step *bad = NULL;
    int skip = 0; /* where few fit, begin with what fails */
    while (v->rows <= 4 && skip + 1 < sn->n && sn->step[skip].state == EVS_STEP_OK)
        skip++;
    for (int i = skip; i < sn->n && row < most; i++) {
        bool first = !bad && sn->step[i].state == EVS_STEP_FAILED;
        draw_step(v, row++, &sn->step[i], first);
        bad = first ? &sn->step[i] : bad;
    }
    const char *error = topics && topics->error ? topics->error : bad ? bad->text : NULL;
    const char *fix = bad && bad->has_fix ? bad->fix : topics ? topics->hint : NULL;
    char text[300];
    row++;
    if (error)
        row += evs_view_wrap(v, row, 2, 3, EVS_ROLE_TEXT, error);
    if (fix) {
        snprintf(text, sizeof(text), "fix: %.280s", fix);
        evs_view_wrap(v, row, 2, 3, EVS_ROLE_TEXT_STRONG, text);
    }
}

void evs_connecting_bands(struct evs_ui *ui, struct evs_bands *b)
{
    const struct evs_topics_sn *sn = evs_data_topics(ui);
    struct evs_link_state link;
    char since[EVS_NUM_LEN];
    evs_client_link(ui->client, &link);
    b->live = true;
    evs_bands_crumb(b, "Connecting");
    if (sn && sn->error) {
        b->role = EVS_ROLE_BAD;
        evs_bands_say(b->left, sizeof(b->left), "%s", sn->error);
        evs_num_moment(since, link.since_ms, ui->now_ms, 1000);
        evs_bands_say(b->value, sizeof(b->value), "since %s", since);
    } else if (evs_data_waiting_ms(ui) > SHOWN_AFTER_MS) {
        evs_bands_say(b->left, sizeof(b->left), "asking for the topics");
    }
}
