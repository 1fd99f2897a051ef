/* messages_jump.c - `@`: one prompt for offsets, times and partitions, resolved before it jumps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/screens/messages.h"

struct jump {
    int32_t partition; /* -1: as it is */
    char from[320];    /* "" : not by offset */
    char since[64];
};

static bool number(const char *s)
{
    return *s && strspn(s, "0123456789") == strlen(s);
}

static void parse_place(const char *text, struct jump *j)
{
    if (!strcmp(text, "begin") || !strcmp(text, "beginning"))
        snprintf(j->from, sizeof(j->from), "beginning");
    else if (!strcmp(text, "end"))
        snprintf(j->from, sizeof(j->from), "end");
    else if ((*text == '-' && number(text + 1)) || number(text) ||
             (!strncmp(text, "group:", 6) && text[6]))
        snprintf(j->from, sizeof(j->from), "%s", text);
    else
        snprintf(j->since, sizeof(j->since), "%s", text);
}

static bool parse(const struct messages *m, const char *text, struct jump *j, char *say)
{
    struct evs_err err = EVS_ERR_INIT;
    int64_t v;
    *j = (struct jump){.partition = -1};
    if (*text == 'p' && text[1] >= '0' && text[1] <= '9') {
        char digits[16];
        size_t n = strspn(text + 1, "0123456789");
        snprintf(digits, sizeof(digits), "%.*s", (int)(n < 15 ? n : 15), text + 1);
        int32_t count = evs_data_partitions(m->ui, m->screen->at.topic);
        if (evs_num_i64(digits, 0, count > 0 ? count - 1 : INT32_MAX, &v, &err)) {
            snprintf(say, EVS_PROMPT_SAY, "partitions are 0 to %d", count - 1);
            return false;
        }
        j->partition = (int32_t)v;
        text += 1 + n;
        if (*text == ':')
            text++;
    }
    if (*text)
        parse_place(text, j);
    if (j->since[0] && evs_num_time(j->since, m->ui->now_ms, &v, &err)) {
        snprintf(say, EVS_PROMPT_SAY, "%.150s", err.msg);
        return false;
    }
    return true;
}

static void query_of(const struct messages *m, const struct jump *j, char partition[16],
                     struct evs_messages_query *q)
{
    int32_t p = j->partition >= 0 ? j->partition : m->screen->at.partition;
    snprintf(partition, 16, "%d", p);
    *q = (struct evs_messages_query){.partitions = p >= 0 ? partition : NULL,
                                     .from = j->from[0] ? j->from : NULL,
                                     .since = j->since[0] ? j->since : NULL,
                                     .isolation = m->isolation};
}

static bool changed(void *ctx, const char *text, char say[EVS_PROMPT_SAY])
{
    struct messages *m = ctx;
    struct jump j;
    char partition[16];
    struct evs_messages_query q;
    if (!*text) {
        snprintf(say, EVS_PROMPT_SAY,
                 "1234  -500  begin  end  2h  2026-11-21 14:00  p3  p3:1234  group:NAME");
        return true;
    }
    if (!parse(m, text, &j, say))
        return false;
    query_of(m, &j, partition, &q);
    evs_messages_plan(m->session, &q);
    return true;
}

/* The offsets that the words stand for, as soon as the cluster has said them. */
static bool resolved(void *ctx, const char *text, char say[EVS_PROMPT_SAY])
{
    const struct messages *m = ctx;
    const struct evs_messages_sn *sn = m->sn;
    char num[EVS_NUM_LEN];
    *say = '\0';
    if (!*text || !sn)
        return true;
    if (sn->plan_error) {
        snprintf(say, EVS_PROMPT_SAY, "%.150s", sn->plan_error);
        return false;
    }
    if (!sn->plan || !sn->plan->n) {
        snprintf(say, EVS_PROMPT_SAY, "%s", evs_glyph(EVS_G_MORE));
        return true;
    }
    size_t n = 0;
    for (size_t i = 0; i < sn->plan->n && i < 3 && n < 100; i++)
        n += (size_t)snprintf(say + n, EVS_PROMPT_SAY - n, "%sp%d @ %s", i ? "  " : "",
                              sn->plan->parts[i].partition,
                              evs_num_commas(num, sn->plan->parts[i].from));
    if (sn->plan->n > 3)
        snprintf(say + n, EVS_PROMPT_SAY - n, "  %s %zu more", evs_glyph(EVS_G_MORE),
                 sn->plan->n - 3);
    return true;
}

static bool done(void *ctx, const char *text)
{
    struct messages *m = ctx;
    struct jump j;
    char say[EVS_PROMPT_SAY];
    if (!*text)
        return true;
    if (!parse(m, text, &j, say)) {
        evs_ui_say(m->ui, EVS_ROLE_WARN, "%s", say);
        return false;
    }
    if (j.partition >= 0)
        m->screen->at.partition = j.partition;
    m->follow = false;
    m->search.since = m->search.until = NULL;
    m->search.from = NULL;
    m->where[0] = '\0';
    snprintf(m->from, sizeof(m->from), "%s", j.from);
    if (j.since[0]) {
        struct evs_err err = EVS_ERR_INIT;
        snprintf(m->where, sizeof(m->where), "since:\"%s\"", j.since);
        if (evs_search_parse(&m->search, m->where, &err))
            evs_ui_fail(m->ui, &err);
    }
    messages_requery(m);
    return true;
}

void messages_jump_open(struct messages *m)
{
    evs_ui_prompt(m->ui, &(struct evs_prompt_spec){.label = "@",
                                                   .history = "jump",
                                                   .changed = changed,
                                                   .resolved = resolved,
                                                   .done = done,
                                                   .hints = "Enter jump  Up history  Esc cancel",
                                                   .ctx = m});
}
