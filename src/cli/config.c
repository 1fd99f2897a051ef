/* config.c - which configuration is in force, where each value came from, and whether it is right.
 * */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cmds.h"
#include "cli/out.h"
#include "cli/setup.h"
#include "core/jsonw.h"
#include "core/text.h"

enum { JSON_CAP = 4 << 20 };

/* --- show ------------------------------------------------------------------------------------- */

struct shown {
    struct evs_table *table; /* or */
    struct evs_jsonw *w;
};

static void show_value(struct shown *to, const char *name, const char *value, const char *origin,
                       bool secret)
{
    if (secret)
        value = "***";
    if (to->table) {
        evs_table_cell(to->table, "%s", name);
        evs_table_cell(to->table, "%s", value);
        evs_table_cell(to->table, "%s", origin);
        return;
    }
    evs_jsonw_obj(to->w, NULL);
    evs_jsonw_str(to->w, "name", name);
    evs_jsonw_strn(to->w, "value", value, strlen(value));
    evs_jsonw_bool(to->w, "secret", secret);
    evs_jsonw_str(to->w, "origin", origin);
    evs_jsonw_end(to->w);
}

static void show_settings(const struct evs_cli *cli, const struct evs_setup *s, struct shown *to)
{
    for (const struct evs_opt *r = evs_settings_defaults; r->name; r++) {
        char origin[300] = "built in";
        const char *value = evs_setup_get(s, r->name, origin, sizeof(origin));
        const char *theme = getenv("EVENTSCOPE_THEME");
        bool is_theme = !strcmp(r->name, "theme"), has_option = strcmp(r->name, "color") != 0 &&
                                                                strcmp(r->name, "mouse") != 0 &&
                                                                strcmp(r->name, "isolation") != 0;
        if (!strcmp(r->name, "cluster")) {
            if (s->profile)
                show_value(to, r->name, s->profile, s->profile_origin, false);
        } else if (has_option && evs_opts_given(&cli->opts, r->name)) {
            const char *given = evs_opts_str(&cli->opts, r->name);
            show_value(to, r->name, *given ? given : "true", "option", false);
        } else if (is_theme && theme && *theme) {
            show_value(to, r->name, theme, "EVENTSCOPE_THEME", false);
        } else if (value || r->def) {
            show_value(to, r->name, value ? value : r->def, origin, false);
        }
    }
}

static void show_all(const struct evs_cli *cli, const struct evs_setup *s, struct shown *to)
{
    show_settings(cli, s, to);
    static const char *const flags[] = {"production", "read-only", "groups"};
    for (size_t i = 0; i < EVS_COUNT(flags); i++) {
        char origin[300];
        const char *value = evs_setup_get(s, flags[i], origin, sizeof(origin));
        if (value)
            show_value(to, flags[i], value, origin, false);
    }
    for (size_t i = 0; i < s->client.n_props; i++) {
        const struct evs_client_prop *p = &s->client.props[i];
        show_value(to, p->name, p->value, p->origin, evs_client_is_secret(p->name));
    }
}

static int show(struct evs_cli *cli)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_setup s;
    if (evs_setup_load(cli, EVS_SETUP_SHOW, &s, &err))
        return evs_cli_fail(&err);
    if (cli->json) {
        EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(JSON_CAP);
        struct evs_jsonw w;
        evs_jsonw_init(&w, &out);
        evs_jsonw_obj(&w, NULL);
        evs_jsonw_str(&w, "file", s.has_file ? s.path : NULL);
        evs_jsonw_str(&w, "cluster", s.profile);
        evs_jsonw_str(&w, "left_out", s.ignored.len ? evs_buf_str(&s.ignored) : NULL);
        evs_jsonw_arr(&w, "values");
        show_all(cli, &s, &(struct shown){.w = &w});
        evs_jsonw_end(&w);
        evs_jsonw_end(&w);
        evs_out_json(&out);
    } else {
        static const char *const heads[] = {"NAME", "VALUE", "FROM", NULL};
        struct shown to = {.table = evs_table_new(heads)};
        show_all(cli, &s, &to);
        evs_table_print(to.table);
        evs_table_free(to.table);
        if (s.ignored.len)
            evs_out_text("left out, only for Java: %s", evs_buf_str(&s.ignored));
    }
    evs_setup_done(&s);
    return EVS_EXIT_OK;
}

/* --- path ------------------------------------------------------------------------------------- */

static int show_path(struct evs_cli *cli)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_setup s;
    if (evs_setup_file(cli, &s, &err))
        return evs_cli_fail(&err);
    if (cli->json) {
        EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(JSON_CAP);
        struct evs_jsonw w;
        evs_jsonw_init(&w, &out);
        evs_jsonw_obj(&w, NULL);
        evs_jsonw_str(&w, "path", s.path);
        evs_jsonw_str(&w, "from", s.path_why);
        evs_jsonw_bool(&w, "exists", s.has_file);
        evs_jsonw_end(&w);
        evs_out_json(&out);
    } else {
        EVS_AUTO(evs_buf) struct evs_buf path = EVS_BUF_INIT(65536);
        if (s.path)
            evs_text_escape(&path, s.path, strlen(s.path));
        evs_out_text("%s  (%s%s)", s.path ? evs_buf_str(&path) : "no home directory is known",
                     s.path_why, s.has_file ? "" : ", does not exist");
    }
    evs_setup_done(&s);
    return EVS_EXIT_OK;
}

/* --- check ------------------------------------------------------------------------------------ */

struct check {
    struct evs_jsonw *w; /* NULL: text */
    bool failed;
};

static void step(struct check *c, const char *name, bool ok, const char *text, const char *fix)
{
    c->failed |= !ok;
    if (c->w) {
        evs_jsonw_obj(c->w, NULL);
        evs_jsonw_str(c->w, "step", name);
        evs_jsonw_bool(c->w, "ok", ok);
        evs_jsonw_strn(c->w, "text", text, strlen(text));
        evs_jsonw_str(c->w, "fix", fix && *fix ? fix : NULL);
        evs_jsonw_end(c->w);
        return;
    }
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(8192);
    evs_text_escape(&line, text, strlen(text));
    evs_out_text("%-4s %-10s %s", ok ? "ok" : "FAIL", name, evs_buf_str(&line));
    if (fix && *fix) {
        evs_buf_reset(&line);
        evs_text_escape(&line, fix, strlen(fix));
        evs_out_text("                fix: %s", evs_buf_str(&line));
    }
}

static void check_client(struct check *c, const struct evs_client_conf *conf)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_client *client = NULL;
    if (!evs_client_conf_get(conf, "bootstrap.servers")) {
        step(c, "brokers", false, "no brokers are given",
             "brokers = HOST:PORT in the profile, or -b");
        return;
    }
    if (evs_client_new(conf, &client, &err)) {
        step(c, "properties", false, err.msg, err.hint);
        return;
    }
    step(c, "properties", true, "librdkafka takes all of them", NULL);
    evs_client_free(client);
}

static void check_steps(struct evs_cli *cli, struct check *c)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_setup s;
    if (evs_setup_file(cli, &s, &err)) {
        step(c, "file", false, err.msg, err.hint);
        return;
    }
    step(c, "file", true, s.has_file ? s.path : "no configuration file: options only", NULL);
    if (evs_setup_exposed(&s))
        step(c, "secrets", false, "the file holds a password and others may read it",
             "chmod 600, or write ${env:NAME} or password_command");
    evs_setup_done(&s);
    if (evs_setup_load(cli, EVS_SETUP_USE, &s, &err)) {
        step(c, "profile", false, err.msg, err.hint);
        return;
    }
    step(c, "profile", true, s.profile ? s.profile : "none", NULL);
    if (s.ignored.len)
        step(c, "left out", true, evs_buf_str(&s.ignored), NULL);
    check_client(c, &s.client);
    evs_setup_done(&s);
}

static int check(struct evs_cli *cli)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(JSON_CAP);
    struct evs_jsonw w;
    evs_jsonw_init(&w, &out);
    struct check c = {.w = cli->json ? &w : NULL};
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_arr(&w, "steps");
    check_steps(cli, &c);
    evs_jsonw_end(&w);
    evs_jsonw_end(&w);
    if (cli->json)
        evs_out_json(&out);
    return c.failed ? EVS_EXIT_USAGE : EVS_EXIT_OK;
}

static int starter(struct evs_cli *cli)
{
    (void)cli;
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(65536);
    evs_setup_starter(&text);
    evs_out_text("%.*s", (int)text.len - 1, evs_buf_str(&text));
    return EVS_EXIT_OK;
}

static int run(struct evs_cli *cli)
{
    static const struct {
        const char *name;
        int (*run)(struct evs_cli *cli);
    } verbs[] = {{"show", show}, {"path", show_path}, {"check", check}, {"starter", starter}};
    struct evs_err err = EVS_ERR_INIT;
    for (size_t i = 0; i < EVS_COUNT(verbs); i++)
        if (!strcmp(cli->args[0], verbs[i].name))
            return verbs[i].run(cli);
    evs_fail(&err, EVS_INVALID, "config %s: no such thing", cli->args[0]);
    evs_hint(&err, "config show, config path, config check or config starter");
    return evs_cli_fail(&err);
}

const struct evs_cmd evs_cmd_config = {
    .name = "config",
    .args = "show|path|check|starter",
    .summary = "the effective configuration and where each value came from",
    .about =
        "show prints every value in force with its origin, secrets masked. path prints which file "
        "is read. check reads the file, the profile and its secrets and lets librdkafka check each "
        "property, without connecting. starter prints a commented file with every setting.\n"
        "The file is --config, else EVENTSCOPE_CONFIG, else eventscope/eventscope.conf below "
        "XDG_CONFIG_HOME or ~/.config. It may be a kcat configuration or a Java "
        "client.properties; kcat's own file and KCAT_CONFIG are read only when named.",
    .example = "eventscope config show -C prod\neventscope config check -F client.properties\n"
               "eventscope config starter > ~/.config/eventscope/eventscope.conf",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
