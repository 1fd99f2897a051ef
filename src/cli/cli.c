#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmds.h"
#include "core/log.h"
#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "filter/jq.h"

enum { JQ_MS = 10000 };

const struct evs_cmd *const evs_cmds[] = {
    &evs_cmd_topics,
    &evs_cmd_partitions,
    &evs_cmd_demo,
    &evs_cmd_messages,
    &evs_cmd_trace,
    &evs_cmd_keys,
    &evs_cmd_lint,
    &evs_cmd_doctor,
    &evs_cmd_check,
    &evs_cmd_config,
    &evs_cmd_lag,
    &evs_cmd_replay,
    &evs_cmd_completion,
    &evs_cmd_man,
    NULL,
};

const struct evs_cmd *evs_cli_find(const char *name)
{
    for (const struct evs_cmd *const *c = evs_cmds; *c; c++)
        if (!strcmp((*c)->name, name))
            return *c;
    return NULL;
}

static void say(const char *lead, const char *text)
{
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(8192);
    evs_text_escape(&line, text, strlen(text));
    fprintf(stderr, "%s%s\n", lead, evs_buf_str(&line));
}

int evs_cli_fail(const struct evs_err *err)
{
    fflush(stdout);
    say("eventscope: ", err->msg);
    if (err->hint[0])
        say("  hint: ", err->hint);
    evs_log(EVS_LOG_ERROR, "%s", err->msg);
    return err->code == EVS_INVALID ? EVS_EXIT_USAGE
           : err->code == EVS_AGAIN ? EVS_EXIT_STOPPED
                                    : EVS_EXIT_FAILED;
}

void evs_cli_warn(const struct evs_cli *cli, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    evs_log(EVS_LOG_WARN, "%s", text);
    if (!cli->quiet)
        say("eventscope: ", text);
}

static const char *nth_cmd(const void *ctx, size_t i)
{
    (void)ctx;
    return evs_cmds[i] ? evs_cmds[i]->name : NULL;
}

static enum evs_rc pick_command(struct evs_cli *cli, const char *word, struct evs_err *err)
{
    cli->cmd = evs_cli_find(word);
    if (cli->cmd)
        return EVS_OK;
    evs_fail(err, EVS_INVALID, "unknown command '%s'", word);
    const char *near = evs_suggest(word, nth_cmd, NULL);
    return evs_hint(err, near ? "did you mean '%s'?" : "eventscope --help lists the commands%s",
                    near ? near : "");
}

enum { TABLES_MAX = 6 };

static void collect_tables(const struct evs_cmd *cmd, const struct evs_opt *to[TABLES_MAX])
{
    size_t n = 0;
    if (cmd->opts)
        to[n++] = cmd->opts;
    for (unsigned group = EVS_CMD_TOPIC; group <= EVS_CMD_KEEP; group *= 2)
        if (cmd->groups & group)
            to[n++] = evs_cli_options(group);
    to[n++] = evs_cli_options(0);
    to[n] = NULL;
}

static enum evs_rc check_args(struct evs_cli *cli, struct evs_err *err)
{
    const struct evs_cmd *cmd = cli->cmd;
    if ((cmd->groups & EVS_CMD_TOPIC) && evs_opts_given(&cli->opts, "topic")) {
        memmove(cli->args + 1, cli->args, (size_t)cli->n_args * sizeof(*cli->args));
        cli->args[0] = (char *)(uintptr_t)evs_opts_str(&cli->opts, "topic");
        cli->n_args++;
    }
    if (cli->n_args < cmd->min_args) {
        evs_fail(err, EVS_INVALID, "%s: needs %s", cmd->name, cmd->args);
        return evs_hint(err, "eventscope %s --help", cmd->name);
    }
    if (cmd->max_args >= 0 && cli->n_args > cmd->max_args) {
        evs_fail(err, EVS_INVALID, "%s: '%s' is one argument too many", cmd->name,
                 cli->args[cmd->max_args]);
        return evs_hint(err, "eventscope %s --help", cmd->name);
    }
    return EVS_OK;
}

static enum evs_rc apply_global(struct evs_cli *cli, struct evs_err *err)
{
    const struct evs_opts *o = &cli->opts;
    cli->json = evs_opts_given(o, "json");
    cli->quiet = evs_opts_given(o, "quiet");
    cli->timeout_ms = evs_opts_int(o, "timeout");
    while (evs_opts_nth(o, "verbose", (size_t)cli->verbose))
        cli->verbose++;
    if (evs_opts_given(o, "ascii"))
        evs_text_set_ascii(true);
    if (evs_opts_given(o, "utc"))
        evs_num_set_utc(true);
    if (cli->verbose)
        evs_log_set_level(EVS_LOG_DEBUG);
    const char *path = evs_opts_str(o, "log");
    return path ? evs_log_open(path, err) : EVS_OK;
}

/* Before a command ran. */
static int fail_early(const struct evs_cli *cli, const struct evs_err *err)
{
    int code = evs_cli_fail(err);
    return cli->cmd->probe ? 3 : code;
}

static int run_parsed(struct evs_cli *cli)
{
    if (evs_opts_given(&cli->opts, "help")) {
        evs_cli_help(cli->cmd);
        return EVS_EXIT_OK;
    }
    struct evs_err err = EVS_ERR_INIT;
    if (check_args(cli, &err) || apply_global(cli, &err))
        return fail_early(cli, &err);
    if (evs_opts_given(&cli->opts, "tui") && (cli->cmd->groups & EVS_CMD_CLUSTER))
        return evs_cli_tui(cli, cli->cmd->name);
    return cli->cmd->run(cli);
}

static int run_command(struct evs_cli *cli, int argc, char **argv)
{
    struct evs_err err = EVS_ERR_INIT;
    const struct evs_opt *tables[TABLES_MAX];
    collect_tables(cli->cmd, tables);
    cli->opts.tables = tables;
    int used;
    if (evs_opts_parse(&cli->opts, argc, argv, false, cli->args, &cli->n_args, &used, &err)) {
        evs_wrap(&err, "%s", cli->cmd->name);
        return fail_early(cli, &err);
    }
    return run_parsed(cli);
}

static int no_command(struct evs_cli *cli)
{
    if (evs_opts_given(&cli->opts, "version")) {
        evs_cli_version();
        return EVS_EXIT_OK;
    }
    if (evs_opts_given(&cli->opts, "help")) {
        evs_cli_help(NULL);
        return EVS_EXIT_OK;
    }
    struct evs_err err = EVS_ERR_INIT;
    return apply_global(cli, &err) ? evs_cli_fail(&err) : evs_cli_tui(cli, NULL);
}

int evs_cli_run(int argc, char **argv, struct evs_stop *stop, evs_cli_open_face *open_face)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_cli cli = {.stop = stop, .open_face = open_face};
    evs_jq_limits(stop, JQ_MS);
    const struct evs_opt *global[] = {evs_cli_options(0), NULL};
    cli.opts.tables = global;
    cli.args = evs_xcalloc((size_t)argc + 2, sizeof(*cli.args));
    int used = 0, exit_code;
    if (evs_opts_parse(&cli.opts, argc - 1, argv + 1, true, cli.args, &cli.n_args, &used, &err))
        exit_code = evs_cli_fail(&err);
    else if (used == argc - 1 || evs_opts_given(&cli.opts, "version"))
        exit_code = no_command(&cli);
    else if (pick_command(&cli, argv[1 + used], &err))
        exit_code = evs_cli_fail(&err);
    else
        exit_code = run_command(&cli, argc - 2 - used, argv + 2 + used);
    evs_opts_done(&cli.opts);
    evs_free(cli.args);
    return exit_code;
}
