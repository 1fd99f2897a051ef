/* tui.c - from a command to the same place in the interface. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/session.h"
#include "cli/setup.h"
#include "core/buf.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "kafka/mock.h"

/* Commands whose screen has another name. */
static const struct {
    const char *command, *screen;
} screens[] = {{"lag", "groups"}};

/* What First run and :cluster made; freed when the interface has ended, as its tasks may go on
 * using a cluster that was left. */
enum { MADE_MAX = 32 };
static struct evs_client *made[MADE_MAX];
static size_t n_made;
static struct evs_mock *sample;

static enum evs_rc connect_to(struct evs_cli *cli, const char *brokers, const char *name,
                              struct evs_client **ret_client, struct evs_err *err)
{
    struct evs_client_conf conf;
    enum evs_rc rc = evs_session_conf(cli, &conf, err);
    if (rc)
        return rc;
    evs_client_conf_set(&conf, "bootstrap.servers", brokers, "typed");
    if (name && !conf.cluster)
        conf.cluster = evs_xstrdup(name);
    rc = evs_client_new(&conf, ret_client, err);
    evs_client_conf_done(&conf);
    return rc;
}

static enum evs_rc connect_sample(struct evs_cli *cli, struct evs_client **ret_client,
                                  struct evs_err *err)
{
    struct evs_mock_spec spec = {.seed = 1, .live = true};
    enum evs_rc rc = sample ? EVS_OK : evs_mock_start(&spec, &sample, err);
    return rc ? rc : connect_to(cli, evs_mock_brokers(sample), "demo", ret_client, err);
}

/* As if started with -C: what the command line said of another cluster does not count. */
static enum evs_rc connect_profile(struct evs_cli *cli, const char *name,
                                   struct evs_client **ret_client, struct evs_err *err)
{
    struct evs_cli other = *cli;
    other.opts = (struct evs_opts){.tables = cli->opts.tables};
    const char *file =
        evs_opts_given(&cli->opts, "config") ? evs_opts_str(&cli->opts, "config") : NULL;
    enum evs_rc rc = evs_opts_set(&other.opts, "cluster", name, err);
    if (!rc && file)
        rc = evs_opts_set(&other.opts, "config", file, err);
    if (!rc)
        rc = evs_session_client(&other, ret_client, err);
    evs_opts_done(&other.opts);
    return rc;
}

/* dir/eventscope.conf, never over one that is there. */
static enum evs_rc write_starter(const char *dir, char ret_said[200], struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(1 << 20);
    char path[512];
    snprintf(path, sizeof(path), "%s", dir);
    for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) { /* its parents */
        *p = '\0';
        (void)mkdir(path, 0755);
        *p = '/';
    }
    (void)mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/eventscope.conf", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return evs_fail(err, EVS_INVALID, "a file exists already: %s", path);
    if (fd < 0)
        return evs_fail_errno(err, errno, "%s", path);
    evs_setup_starter(&text);
    bool whole = write(fd, evs_buf_str(&text), text.len) == (ssize_t)text.len;
    int why = errno;
    if (close(fd) || !whole)
        return evs_fail_errno(err, why, "%s", path);
    snprintf(ret_said, 200, "wrote %.180s", path);
    return EVS_OK;
}

enum evs_rc evs_cli_connect(struct evs_cli *cli, char how, const char *text,
                            struct evs_client **ret_client, char ret_said[200], struct evs_err *err)
{
    enum evs_rc rc;
    struct evs_client *new = NULL;
    ret_said[0] = '\0';
    if (how == 'w')
        return write_starter(text, ret_said, err);
    if (n_made == MADE_MAX)
        return evs_fail(err, EVS_INVALID, "%d clusters in one session: start anew", MADE_MAX);
    if (how == 's') {
        rc = connect_sample(cli, &new, err);
    } else if (how == 'b') {
        rc = connect_to(cli, text, NULL, &new, err);
    } else if (how == 'c') {
        rc = connect_profile(cli, text, &new, err);
    } else {
        rc = evs_opts_set(&cli->opts, "config", text, err);
        rc = rc ? rc : evs_session_client(cli, &new, err);
    }
    if (rc)
        return rc;
    evs_client_stop_by(new, NULL);
    *ret_client = made[n_made++] = new;
    return EVS_OK;
}

static void add_word(struct evs_buf *to, const char *lead, const char *value)
{
    evs_buf_printf(to, "%s%s", to->len ? " " : "", lead);
    evs_text_word(to, value);
}

/* The options of "where to read" and "what to keep" as the words of the search entry; jq comes
 * last, because it takes the rest of the line. A plain -o alone is a place, not a search. */
static void search_words(const struct evs_cli *cli, struct evs_buf *to)
{
    static const struct {
        const char *option, *lead;
        unsigned group;
    } words[] = {{"key", "key:", EVS_CMD_KEEP},        {"grep", "grep:", EVS_CMD_KEEP},
                 {"header", "header:", EVS_CMD_KEEP},  {"not-key", "!key:", EVS_CMD_KEEP},
                 {"not-grep", "!grep:", EVS_CMD_KEEP}, {"not-header", "!header:", EVS_CMD_KEEP},
                 {"since", "since:", EVS_CMD_READ},    {"until", "until:", EVS_CMD_READ},
                 {"partitions", "p:", EVS_CMD_READ},   {"count", "n:", EVS_CMD_READ}};
    const struct evs_opts *o = &cli->opts;
    const char *value;
    for (size_t w = 0; w < EVS_COUNT(words); w++)
        for (size_t i = 0; cli->cmd->groups & words[w].group; i++) {
            value = evs_opts_given(o, words[w].option) ? evs_opts_nth(o, words[w].option, i) : NULL;
            if (!value)
                break;
            add_word(to, words[w].lead, value);
        }
    if (cli->cmd->groups & EVS_CMD_KEEP && evs_opts_given(o, "ignore-case"))
        evs_buf_printf(to, "%s-i", to->len ? " " : "");
    bool jq =
        cli->cmd->groups & EVS_CMD_KEEP && (evs_opts_given(o, "jq") || evs_opts_given(o, "not-jq"));
    value = cli->cmd->groups & EVS_CMD_READ ? evs_opts_str(o, "offset") : NULL;
    if (value && (to->len || jq || strspn(value, "0123456789") != strlen(value)))
        add_word(to, "o:", value);
    size_t n = 0;
    for (size_t i = 0; jq && (value = evs_opts_nth(o, "jq", i)) != NULL; i++)
        evs_buf_printf(to, "%s(%s)", n++ ? " and " : to->len ? " jq:" : "jq:", value);
    for (size_t i = 0; jq && (value = evs_opts_nth(o, "not-jq", i)) != NULL; i++)
        evs_buf_printf(to, "%s(%s | not)", n++ ? " and " : to->len ? " jq:" : "jq:", value);
    if (!to->len && cli->cmd->groups & EVS_CMD_READ && evs_opts_given(o, "follow"))
        evs_buf_adds(to, "follow");
}

/* trace --with, --by, --fold, --map, isolation and window, as the words of its screen. */
static void trace_words(const struct evs_cli *cli, struct evs_buf *to)
{
    static const struct {
        const char *option, *lead;
    } words[] = {{"with", "with:"}, {"by", "by:"},        {"since", "since:"},
                 {"until", "until:"}, {"partitions", "p:"}, {"isolation", "isolation:"},
                 {"fold", "fold:"}, {"map", "map:"}};
    evs_buf_adds(to, evs_opts_given(&cli->opts, "all-partitions") ? "trace: all" : "trace:");
    for (size_t w = 0; w < EVS_COUNT(words); w++) {
        const char *value;
        for (size_t i = 0; evs_opts_given(&cli->opts, words[w].option) &&
                           (value = evs_opts_nth(&cli->opts, words[w].option, i)) != NULL;
             i++) {
            bool quote = strchr(value, ' ') && strcmp(words[w].option, "map") != 0;
            evs_buf_printf(to, " %s%s%s%s", words[w].lead, quote ? "\"" : "", value,
                           quote ? "\"" : "");
        }
    }
}

/* lag --group NAME --tui: those groups, and with one that group. */
static const char **named_groups(const struct evs_cli *cli, struct evs_cli_face *face)
{
    size_t n = 0;
    if (!cli->cmd || strcmp(cli->cmd->name, "lag") != 0)
        return NULL;
    while (evs_opts_nth(&cli->opts, "group", n))
        n++;
    const char **names = evs_xcalloc(n + 1, sizeof(*names));
    for (size_t i = 0; i < n; i++)
        names[i] = evs_opts_nth(&cli->opts, "group", i);
    face->groups = n ? names : NULL;
    if (n == 1) {
        face->screen = "group";
        face->group = names[0];
    }
    return names;
}

static bool is_off(const struct evs_setup *s, const char *name)
{
    const char *value = evs_setup_get(s, name, NULL, 0);
    return value && !strcmp(value, "false");
}

/* What the file says of the interface; its mistakes are told by whoever makes the client. */
static bool apply_settings(const struct evs_cli *cli, struct evs_setup *s,
                           struct evs_cli_face *face)
{
    struct evs_err err = EVS_ERR_INIT;
    if (evs_setup_load(cli, EVS_SETUP_SHOW, s, &err)) {
        s->path = evs_setup_where(cli);
        face->config_file = s->path; /* so that E can mend it */
        return false;
    }
    face->theme = evs_setup_get(s, "theme", NULL, 0);
    face->config_file = s->has_file ? s->path : NULL;
    face->no_color = is_off(s, "color");
    face->no_mouse = is_off(s, "mouse");
    if (evs_setup_flag(s, "ascii"))
        evs_text_set_ascii(true);
    return true;
}

int evs_cli_tui(struct evs_cli *cli, const char *screen)
{
    EVS_AUTO(evs_buf) struct evs_buf words = EVS_BUF_INIT(4096);
    EVS_AUTO(evs_buf) struct evs_buf key = EVS_BUF_INIT(1 << 20);
    struct evs_err err = EVS_ERR_INIT;
    struct evs_cli_face face = {.screen = screen, .partition = -1};
    for (size_t i = 0; screen && i < EVS_COUNT(screens); i++)
        if (!strcmp(screens[i].command, screen))
            face.screen = screens[i].screen;
    const char **names = named_groups(cli, &face);
    if (cli->cmd && (cli->cmd->groups & EVS_CMD_TOPIC) && cli->n_args > 0)
        face.topic = cli->args[0];
    if (cli->cmd && !strcmp(cli->cmd->name, "trace"))
        trace_words(cli, &words);
    else if (cli->cmd)
        search_words(cli, &words);
    if (words.len)
        face.words = evs_buf_str(&words);
    else if (cli->cmd && (cli->cmd->groups & EVS_CMD_READ))
        face.offset = evs_opts_str(&cli->opts, "offset");
    if (!strcmp(face.screen ? face.screen : "", "trace") && cli->n_args > 1) {
        if (evs_session_key(cli->args[1], &key, &err))
            return evs_cli_fail(&err);
        face.key = evs_buf_str(&key);
        face.key_len = key.len;
    }
    struct evs_setup setup = {0};
    char *text = NULL;
    bool known = apply_settings(cli, &setup, &face);
    bool none = known && !evs_client_conf_get(&setup.client, "bootstrap.servers");
    const char **of_profile = known && !face.groups ? evs_setup_groups(&setup, &text) : NULL;
    if (of_profile)
        face.groups = of_profile;
    if (!none && evs_session_client(cli, &face.client, &err)) {
        face.client = NULL;
        face.problem = &err;
    }
    if (face.client)
        evs_client_stop_by(face.client,
                           NULL); /* its requests run in tasks, which nobody waits for */
    int exit_code = cli->open_face(cli, &face);
    evs_setup_done(&setup);
    evs_free(of_profile);
    evs_free(text);
    evs_free(names);
    evs_client_free(face.client);
    while (n_made)
        evs_client_free(made[--n_made]);
    evs_mock_free(sample);
    return exit_code;
}
