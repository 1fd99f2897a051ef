#include "ui/data.h"

#include "browse/topics.h"
#include "core/clock.h"
#include "ui/app.h"
#include "ui/task.h"

enum { TOPICS_MS = 2000 };

static void start(struct evs_ui *ui)
{
    struct evs_err err = EVS_ERR_INIT;
    if (ui->data.topics || !ui->client)
        return;
    ui->data.started_ms = evs_clock_wall_ms();
    if (evs_topics_poller_start(ui->client, TOPICS_MS, &ui->wake, &ui->data.topics, &err))
        evs_ui_fail(ui, &err);
}

const struct evs_topics_sn *evs_data_topics(struct evs_ui *ui)
{
    start(ui);
    return ui->data.topics_sn;
}

struct evs_topics_poller *evs_data_topics_poller(struct evs_ui *ui)
{
    start(ui);
    return ui->data.topics;
}

int64_t evs_data_waiting_ms(const struct evs_ui *ui)
{
    const struct evs_topics_sn *sn = ui->data.topics_sn;
    return !ui->data.topics || (sn && sn->n) ? 0 : ui->now_ms - ui->data.started_ms;
}

bool evs_data_refresh(struct evs_ui *ui)
{
    struct evs_topics_sn *have = ui->data.topics_sn;
    struct evs_topics_sn *sn =
        ui->data.topics ? evs_topics_take(ui->data.topics, have ? have->snap.generation : 0) : NULL;
    if (!sn)
        return false;
    evs_snap_unref(have ? &have->snap : NULL);
    ui->data.topics_sn = sn;
    return true;
}

static void free_topics(void *p)
{
    evs_topics_poller_free(p);
}

void evs_data_done(struct evs_ui *ui)
{
    struct evs_topics_sn *sn = ui->data.topics_sn;
    evs_task_retire("topics", free_topics, ui->data.topics);
    evs_snap_unref(sn ? &sn->snap : NULL);
    ui->data = (struct evs_data){NULL, NULL, 0};
}

const char *evs_data_topic_name(const struct evs_ui *ui, size_t i)
{
    const struct evs_topics_sn *sn = ui->data.topics_sn;
    return sn && i < (size_t)sn->n ? sn->rows[i].name : NULL;
}

const struct evs_topic_row *evs_data_topic(const struct evs_ui *ui, const char *name)
{
    return ui->data.topics_sn && name ? evs_topics_find(ui->data.topics_sn, name) : NULL;
}

bool evs_data_has_topic(const struct evs_ui *ui, const char *name)
{
    return evs_data_topic(ui, name) != NULL;
}
