#include "cli/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/import.h"

enum { VALUE_CAP = 1 << 20, ORIGIN_LEN = 300 };

void evs_setup_done(struct evs_setup *s)
{
    evs_conf_done(&s->file);
    evs_client_conf_done(&s->client);
    evs_buf_done(&s->ignored);
    evs_free(s->path);
    evs_free(s->profile);
    evs_free(s->profile_origin);
    memset(s, 0, sizeof(*s));
}

/* --- checking the file ------------------------------------------------------------------------ */

static const struct evs_opt *rows_of(const char *section)
{
    if (!strcmp(section, "defaults"))
        return evs_settings_defaults;
    if (!strncmp(section, "cluster ", 8) && section[8])
        return evs_settings_cluster;
    return !strncmp(section, "sink ", 5) && section[5] ? evs_settings_sink : NULL;
}

static const char *nth_row(const void *ctx, size_t i)
{
    return ((const struct evs_opt *)ctx)[i].name;
}

static const char *nth_section(const void *ctx, size_t i)
{
    static const char *const names[] = {"defaults", "cluster NAME", "sink NAME"};
    (void)ctx;
    return i < EVS_COUNT(names) ? names[i] : NULL;
}

/* librdkafka's names have dots; the few without are these. */
static bool is_property(const struct evs_opt *rows, const char *name)
{
    return rows != evs_settings_sink &&
           (strchr(name, '.') || !strcmp(name, "debug") || !strcmp(name, "enable_sasl_queue"));
}

static enum evs_rc check_value(const struct evs_conf *file, const struct evs_conf_item *item,
                               const struct evs_opt *rows, struct evs_err *err)
{
    const struct evs_opt *const tables[] = {rows, NULL};
    struct evs_opts scratch = {.tables = tables};
    enum evs_rc rc = evs_opts_set(&scratch, item->name, item->value, err);
    evs_opts_done(&scratch);
    if (!rc)
        return EVS_OK;
    char said[300];
    snprintf(said, sizeof(said), "%.299s", err->msg + (strncmp(err->msg, "--", 2) ? 0 : 2));
    return evs_conf_fail(file, item, err, "%s", said);
}

static enum evs_rc check_item(const struct evs_conf *file, const struct evs_conf_item *item,
                              struct evs_err *err)
{
    const struct evs_opt *rows = rows_of(item->section);
    if (!rows) {
        const char *near = evs_suggest(item->section, nth_section, NULL);
        if (!*item->section)
            return evs_conf_fail(file, item, err, "\"%s\" stands before any [section]", item->name);
        return evs_conf_fail(file, item, err, "unknown section [%s]: %s", item->section,
                             near ? near : "[defaults], [cluster NAME] and [sink NAME] are known");
    }
    const struct evs_opt *const tables[] = {rows, NULL};
    if (evs_opt_find(tables, item->name, strlen(item->name)))
        return strstr(item->value, "${") ? EVS_OK : check_value(file, item, rows, err);
    if (is_property(rows, item->name))
        return EVS_OK;
    const char *near = evs_suggest(item->name, nth_row, rows);
    return near ? evs_conf_fail(file, item, err, "unknown key \"%s\": did you mean \"%s\"?",
                                item->name, near)
                : evs_conf_fail(file, item, err, "unknown key \"%s\"", item->name);
}

/* --- the file --------------------------------------------------------------------------------- */

static const char *env(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

char *evs_setup_where(const struct evs_cli *cli)
{
    const char *given = evs_opts_str(&cli->opts, "config");
    if (!given)
        given = env("EVENTSCOPE_CONFIG");
    return given ? evs_xstrdup(given) : evs_conf_home("eventscope.conf");
}

enum evs_rc evs_setup_file(const struct evs_cli *cli, struct evs_setup *s, struct evs_err *err)
{
    memset(s, 0, sizeof(*s));
    evs_client_conf_init(&s->client);
    s->ignored = (struct evs_buf)EVS_BUF_INIT(65536);
    const char *given = evs_opts_str(&cli->opts, "config");
    s->path_why = given ? "--config" : env("EVENTSCOPE_CONFIG") ? "EVENTSCOPE_CONFIG" : "default";
    if (!given)
        given = env("EVENTSCOPE_CONFIG");
    s->path = evs_setup_where(cli);
    if (!s->path || (!given && access(s->path, F_OK)))
        return EVS_OK;
    enum evs_rc rc = evs_conf_read(s->path, given ? NULL : "eventscope.conf", &s->file, err);
    s->has_file = !rc;
    for (size_t i = 0; !rc && s->file.kind == EVS_CONF_OWN && i < s->file.n; i++)
        rc = check_item(&s->file, &s->file.items[i], err);
    if (rc) {
        char *path = s->path;
        s->path = NULL;
        evs_setup_done(s);
        if (err->code == EVS_FATAL)
            err->code = EVS_INVALID; /* a file that cannot be read is a wrong setting */
        if (!err->hint[0])
            evs_hint(err, "the file is %s", path);
        evs_free(path);
        return err->code;
    }
    return EVS_OK;
}

bool evs_setup_exposed(const struct evs_setup *s)
{
    bool secret = false;
    for (size_t i = 0; s->has_file && i < s->file.n; i++)
        secret |=
            evs_client_is_secret(s->file.items[i].name) && !strstr(s->file.items[i].value, "${");
    return secret && s->file.exposed;
}

/* --- the profile ------------------------------------------------------------------------------ */

static const char *nth_profile(const void *ctx, size_t i)
{
    const struct evs_conf *file = ctx;
    const char *last = "";
    for (size_t k = 0; k < file->n; k++) {
        const char *section = file->items[k].section;
        if (strncmp(section, "cluster ", 8) || !strcmp(section, last))
            continue;
        last = section;
        if (i-- == 0)
            return section + 8;
    }
    return NULL;
}

static void use_profile(struct evs_setup *s, const char *name, const char *origin)
{
    s->profile = evs_xstrdup(name);
    s->profile_origin = evs_xstrdup(origin);
}

static enum evs_rc pick_profile(const struct evs_cli *cli, struct evs_setup *s, struct evs_err *err)
{
    const char *option = evs_opts_str(&cli->opts, "cluster");
    char origin[ORIGIN_LEN];
    bool own = s->has_file && s->file.kind == EVS_CONF_OWN;
    if (option)
        use_profile(s, option, "--cluster");
    else if (evs_opts_str(&cli->opts, "brokers"))
        return EVS_OK;
    else if (env("EVENTSCOPE_CLUSTER"))
        use_profile(s, env("EVENTSCOPE_CLUSTER"), "EVENTSCOPE_CLUSTER");
    else if (own && evs_setup_get(s, "cluster", origin, sizeof(origin)))
        use_profile(s, evs_setup_get(s, "cluster", NULL, 0), origin);
    else if (own && nth_profile(&s->file, 0) && !nth_profile(&s->file, 1))
        use_profile(s, nth_profile(&s->file, 0), "the only profile");
    if (!s->profile)
        return EVS_OK;
    const char *known;
    for (size_t i = 0; own && (known = nth_profile(&s->file, i)); i++)
        if (!strcmp(known, s->profile))
            return EVS_OK;
    const char *near = own ? evs_suggest(s->profile, nth_profile, &s->file) : NULL;
    evs_fail(err, EVS_INVALID, "%s: no profile [cluster %s] in %s", s->profile_origin, s->profile,
             own       ? s->file.shown
             : s->path ? s->path
                       : "any file");
    return near ? evs_hint(err, "did you mean %s?", near)
                : evs_hint(err, "eventscope config path shows which file is read");
}

static void section_of_profile(const struct evs_setup *s, char *to, size_t n)
{
    snprintf(to, n, "cluster %s", s->profile ? s->profile : "");
}

const char *evs_setup_get(const struct evs_setup *s, const char *name, char *origin, size_t n)
{
    char section[300];
    const struct evs_conf_item *item = NULL;
    if (!s->has_file || s->file.kind != EVS_CONF_OWN)
        return NULL;
    section_of_profile(s, section, sizeof(section));
    if (s->profile)
        item = evs_conf_find(&s->file, section, name);
    if (!item)
        item = evs_conf_find(&s->file, "defaults", name);
    if (item && origin)
        evs_conf_origin(&s->file, item, origin, n);
    return item ? item->value : NULL;
}

const char **evs_setup_groups(const struct evs_setup *s, char **ret_text)
{
    const char *list = evs_setup_get(s, "groups", NULL, 0);
    size_t n = 0;
    if (!list)
        return NULL;
    char *at = *ret_text = evs_xstrdup(list);
    const char **names = evs_xcalloc(strlen(list) + 2, sizeof(*names));
    for (at += strspn(at, ", "); *at; at += strspn(at, ", ")) {
        names[n++] = at;
        at += strcspn(at, ",");
        char *end = at;
        while (end > names[n - 1] && end[-1] == ' ')
            end--;
        at += *at == ',';
        *end = '\0';
    }
    return names;
}

bool evs_setup_flag(const struct evs_setup *s, const char *name)
{
    const char *value = evs_setup_get(s, name, NULL, 0);
    return value && !strcmp(value, "true");
}

/* --- the client ------------------------------------------------------------------------------- */

static const char *property_of(const char *key)
{
    if (!strcmp(key, "brokers"))
        return "bootstrap.servers";
    if (!strcmp(key, "isolation"))
        return "isolation.level";
    return !strcmp(key, "password_command") ? "sasl.password" : key;
}

static enum evs_rc apply_item(struct evs_setup *s, const struct evs_conf_item *item,
                              enum evs_setup_how how, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf value = EVS_BUF_INIT(VALUE_CAP);
    char origin[ORIGIN_LEN];
    bool command = !strcmp(item->name, "password_command");
    const char *name = property_of(item->name);
    if (name == item->name && !is_property(evs_settings_cluster, name))
        return EVS_OK;
    enum evs_rc rc = EVS_OK;
    if (command && how == EVS_SETUP_SHOW)
        evs_buf_adds(&value, "(not run)");
    else if (command)
        rc = evs_conf_command(item->value, &value, err);
    else
        rc = evs_conf_expand(item->value, &value, NULL, err);
    evs_conf_origin(&s->file, item, origin, sizeof(origin));
    if (rc)
        return evs_wrap(err, "%s: %s", origin, item->name);
    evs_client_conf_set(&s->client, name, evs_buf_str(&value), origin);
    return EVS_OK;
}

static enum evs_rc apply_section(struct evs_setup *s, const char *section, enum evs_setup_how how,
                                 struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; !rc && i < s->file.n; i++)
        if (!strcmp(s->file.items[i].section, section))
            rc = apply_item(s, &s->file.items[i], how, err);
    return rc;
}

static enum evs_rc apply_file(struct evs_setup *s, enum evs_setup_how how, struct evs_err *err)
{
    char section[300];
    if (!s->has_file)
        return EVS_OK;
    if (s->file.kind != EVS_CONF_OWN)
        return evs_import(&s->file, &s->client, &s->ignored, err);
    enum evs_rc rc = apply_section(s, "defaults", how, err);
    section_of_profile(s, section, sizeof(section));
    return rc || !s->profile ? rc : apply_section(s, section, how, err);
}

static enum evs_rc set_property(struct evs_client_conf *conf, const char *text, struct evs_err *err)
{
    char name[128];
    const char *eq = strchr(text, '=');
    if (eq)
        text = evs_import_name(text);
    if (!eq || eq == text || (size_t)(eq - text) >= sizeof(name)) {
        evs_fail(err, EVS_INVALID, "-X %.*s: not PROPERTY=VALUE", (int)strcspn(text, "="), text);
        return evs_hint(err, "for example -X security.protocol=ssl");
    }
    memcpy(name, text, (size_t)(eq - text));
    name[eq - text] = '\0';
    evs_client_conf_set(conf, name, eq + 1, "-X");
    return EVS_OK;
}

static enum evs_rc apply_options(const struct evs_cli *cli, struct evs_setup *s,
                                 struct evs_err *err)
{
    struct evs_client_conf *conf = &s->client;
    const char *brokers = evs_opts_str(&cli->opts, "brokers"), *prop, *timeout;
    enum evs_rc rc = EVS_OK;
    if (brokers)
        evs_client_conf_set(conf, "bootstrap.servers", brokers, "--brokers");
    for (size_t i = 0; !rc && (prop = evs_opts_nth(&cli->opts, "property", i)); i++)
        rc = set_property(conf, prop, err);
    if (rc)
        return rc;
    timeout = evs_setup_get(s, "timeout", NULL, 0);
    conf->timeout_ms = cli->timeout_ms;
    if (timeout && !evs_opts_given(&cli->opts, "timeout"))
        rc = evs_num_duration(timeout, &conf->timeout_ms, err);
    conf->cluster = evs_xstrdup(s->profile);
    conf->production = evs_setup_flag(s, "production");
    conf->read_only = evs_setup_flag(s, "read-only");
    conf->allow_writes = evs_opts_given(&cli->opts, "allow-writes");
    char origin[ORIGIN_LEN];
    if (!rc && conf->read_only && conf->allow_writes) {
        evs_setup_get(s, "read-only", origin, sizeof(origin));
        evs_fail(err, EVS_INVALID, "--allow-writes: this profile is locked (%s: read-only = true)",
                 origin);
        rc = evs_hint(err, "nothing overrides it; use a profile without it");
    }
    return rc;
}

enum evs_rc evs_setup_load(const struct evs_cli *cli, enum evs_setup_how how, struct evs_setup *s,
                           struct evs_err *err)
{
    enum evs_rc rc = evs_setup_file(cli, s, err);
    if (rc)
        return rc;
    if (!rc)
        rc = pick_profile(cli, s, err);
    if (!rc)
        rc = apply_file(s, how, err);
    if (!rc)
        rc = apply_options(cli, s, err);
    if (rc)
        evs_setup_done(s);
    return rc;
}
