/* doctor.c - step by step from name resolution to permissions. */
#include <string.h>

#include "cli/cli.h"
#include "cli/cmds.h"
#include "cli/out.h"
#include "cli/session.h"
#include "core/jsonw.h"
#include "core/text.h"
#include "kafka/client.h"
#include "kafka/doctor.h"

enum { JSON_CAP = 4 << 20 };

struct telling {
    struct evs_jsonw *w; /* NULL: text */
    int failed;
};

static void tell_json(struct telling *t, const struct evs_step *s)
{
    static const char *const states[] = {"ok", "failed", "note", "not-tried"};
    evs_jsonw_obj(t->w, NULL);
    evs_jsonw_str(t->w, "step", s->name);
    if (s->state == EVS_STEP_NOT_TRIED)
        evs_jsonw_null(t->w, "ok");
    else
        evs_jsonw_bool(t->w, "ok", s->state != EVS_STEP_FAILED);
    evs_jsonw_str(t->w, "state", states[s->state]);
    evs_jsonw_strn(t->w, "text", s->text, strlen(s->text));
    if (s->fix)
        evs_jsonw_strn(t->w, "fix", s->fix, strlen(s->fix));
    else
        evs_jsonw_null(t->w, "fix");
    evs_jsonw_end(t->w);
}

static void tell(void *ctx, const struct evs_step *s)
{
    static const char *const utf8[] = {"√", "×", "!", " "}, *const ascii[] = {"ok", "x", "!", "-"};
    struct telling *t = ctx;
    t->failed += s->state == EVS_STEP_FAILED;
    if (t->w) {
        tell_json(t, s);
        return;
    }
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(8192), fix = EVS_BUF_INIT(8192);
    const char *mark = evs_text_ascii() ? ascii[s->state] : utf8[s->state];
    evs_text_escape(&text, s->text, strlen(s->text));
    evs_out_text("  %s%s %-11s %s", mark, evs_text_ascii() && !mark[1] ? " " : "", s->name,
                 evs_buf_str(&text));
    if (!s->fix)
        return;
    evs_text_escape(&fix, s->fix, strlen(s->fix));
    evs_out_text("                fix: %s", evs_buf_str(&fix));
}

static int run(struct evs_cli *cli)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_client_conf conf;
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(JSON_CAP);
    struct evs_jsonw w;
    if (evs_session_conf(cli, &conf, &err))
        return evs_cli_fail(&err);
    if (!evs_client_conf_get(&conf, "bootstrap.servers")) {
        evs_client_conf_done(&conf);
        evs_fail(&err, EVS_INVALID, "doctor: no brokers are given");
        evs_hint(&err, "--brokers HOST:PORT, or --cluster NAME of a configuration file");
        return evs_cli_fail(&err);
    }
    struct telling t = {.w = cli->json ? &w : NULL};
    struct evs_doctor_opts o = {evs_opts_str(&cli->opts, "topic"),
                                evs_opts_str(&cli->opts, "group"), tell, &t, cli->stop};
    evs_jsonw_init(&w, &out);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_arr(&w, "steps");
    enum evs_rc rc = evs_doctor(&conf, &o, &err);
    evs_jsonw_end(&w);
    evs_jsonw_i64(&w, "failed", t.failed);
    evs_jsonw_bool(&w, "complete", !rc);
    evs_jsonw_end(&w);
    evs_client_conf_done(&conf);
    if (cli->json)
        evs_out_json(&out);
    if (evs_out_finish(&err))
        return evs_cli_fail(&err);
    return rc ? EVS_EXIT_STOPPED : t.failed ? EVS_EXIT_FOUND : EVS_EXIT_OK;
}

static const struct evs_opt opts[] = {
    {'t', "topic", EVS_OPT_STR, "TOPIC", NULL, "whose permissions are tried (the first seen)"},
    {'g', "group", EVS_OPT_STR, "GROUP", NULL, "whose offsets are asked for (the first seen)"},
    {0},
};

const struct evs_cmd evs_cmd_doctor = {
    .name = "doctor",
    .args = "",
    .summary = "what works and what fails, from name resolution to permissions, with the fix",
    .about =
        "Looks at the connection layer by layer: name, TCP, TLS chain and expiry, login, metadata, "
        "advertised listeners, clock, the library's known defects, and what this user may do. "
        "Writes nothing and joins no group. Exit 4 when a step failed.",
    .example = "eventscope doctor -b broker:9093 -X security.protocol=ssl\n"
               "eventscope doctor -C prod --json",
    .opts = opts,
    .groups = EVS_CMD_CLUSTER,
    .run = run,
};
