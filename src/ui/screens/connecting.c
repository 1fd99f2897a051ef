/* connecting.c - Connecting: which step between a name and the topics fails, and its fix. */
#include "ui/screens/connecting.h"

#include <stdio.h>
#include <string.h>

#include "browse/topics.h"
#include "kafka/client.h"
#include "ui/app.h"

static const char *broker_of(struct evs_ui *ui)
{
    const char *list = evs_client_conf_get(evs_client_conf(ui->client), "bootstrap.servers");
    return list ? list : "";
}

static void line(struct evs_view *v, int row, enum evs_glyph mark, enum evs_role role,
                 const char *step, const char *text)
{
    if (mark != EVS_G_N)
        evs_view_glyph(v, row, 2, role, mark);
    evs_view_text(v, row, 4 + (evs_glyph_ladder() == EVS_LADDER_ASCII), role, step);
    evs_view_fit(v, row, 14, v->cols - 15, EVS_ROLE_TEXT, text, strlen(text), EVS_CUT_END);
}

void evs_connecting_draw(struct evs_ui *ui, struct evs_view *v)
{
    const struct evs_topics_sn *sn = evs_data_topics(ui);
    const char *error = sn ? sn->error : NULL;
    char text[400];
    if (!error) {
        if (evs_data_waiting_ms(ui) < 300)
            return; /* most clusters answer before anybody reads this */
        snprintf(text, sizeof(text), "%.300s %s", broker_of(ui), evs_glyph(EVS_G_MORE));
        line(v, 0, EVS_G_WAIT, EVS_ROLE_TEXT, "reach", text);
        line(v, 1, EVS_G_N, EVS_ROLE_TEXT_DIM, "topics", "not tried");
        return;
    }
    snprintf(text, sizeof(text), "%.300s", broker_of(ui));
    line(v, 0, EVS_G_NO, EVS_ROLE_BAD, "reach", text);
    line(v, 1, EVS_G_N, EVS_ROLE_TEXT_DIM, "topics", "not tried");
    int row = 3;
    row += evs_view_wrap(v, row, 2, 4, EVS_ROLE_TEXT, error);
    if (sn->hint) {
        snprintf(text, sizeof(text), "fix: %s", sn->hint);
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
        evs_num_clock(since, link.since_ms, ui->now_ms);
        since[8] = '\0';
        evs_bands_say(b->value, sizeof(b->value), "since %s", since);
    } else if (evs_data_waiting_ms(ui) > 300) {
        evs_bands_say(b->left, sizeof(b->left), "asking for the topics");
    }
}
