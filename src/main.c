/* main.c - locale, signals, then one of the two faces. Nothing else exits the program. */
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/call.h"
#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "ui/place.h"
#include "ui/ui.h"

static struct evs_stop stop;

static void on_signal(int sig)
{
    (void)sig;
    evs_stop_raise(&stop);
}

static void catch_signals(void)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = on_signal;
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
    sa.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &sa, NULL);
}

/* The user's folder: $XDG_CONFIG_HOME/eventscope, else ~/.config/eventscope; NULL: no home. */
static char *config_dir(void)
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (xdg && *xdg)
        return evs_xprintf("%s/eventscope", xdg);
    return home && *home ? evs_xprintf("%s/.config/eventscope", home) : NULL;
}

static void place_of(const struct evs_cli_face *face, struct evs_place *at)
{
    struct evs_err err = EVS_ERR_INIT;
    evs_place_set(&at->topic, face->topic);
    evs_place_set(&at->group, face->group);
    if (face->key)
        evs_place_set_key(at, face->key, face->key_len);
    at->partition = face->partition;
    evs_place_set(&at->text, face->words);
    if (face->offset && evs_num_i64(face->offset, 0, INT64_MAX, &at->offset, &err))
        at->offset = -1; /* too long a number is no offset */
}

static enum evs_rc connect_client(void *ctx, enum evs_ui_connect how, const char *text,
                                  struct evs_client **ret_client, char ret_said[200],
                                  struct evs_err *err)
{
    static const char kinds[] = {[EVS_CONNECT_SAMPLE] = 's',
                                 [EVS_CONNECT_BROKERS] = 'b',
                                 [EVS_CONNECT_FILE] = 'f',
                                 [EVS_CONNECT_PROFILE] = 'c',
                                 [EVS_CONNECT_STARTER] = 'w'};
    return evs_cli_connect(ctx, kinds[how], text, ret_client, ret_said, err);
}

static int open_face(struct evs_cli *cli, const struct evs_cli_face *face)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_place at = EVS_PLACE_INIT;
    place_of(face, &at);
    char *dir = config_dir();
    const char *theme = evs_opts_str(&cli->opts, "theme");
    const char *env = getenv("EVENTSCOPE_THEME");
    struct evs_ui_opts opts = {
        .client = face->client,
        .screen = face->screen,
        .at = &at,
        .theme = theme         ? theme
                 : env && *env ? env
                               : face->theme,
        .config_dir = dir,
        .problem = face->problem ? face->problem->msg : NULL,
        .problem_hint = face->problem ? face->problem->hint : NULL,
        .config_file = face->config_file,
        .no_color = evs_opts_given(&cli->opts, "no-color") || face->no_color,
        .no_mouse = face->no_mouse,
        .ascii = evs_opts_given(&cli->opts, "ascii"),
        .groups = face->groups,
        .demo = face->demo,
        .stop = cli->stop,
        .connect = connect_client,
        .ctx = cli,
    };
    enum evs_rc rc = evs_ui_run(&opts, &err);
    if (evs_ui_left_work())
        _exit(rc ? evs_cli_fail(&err) : EVS_EXIT_OK); /* a request to a dead broker still runs */
    evs_place_done(&at);
    evs_free(dir);
    return rc ? evs_cli_fail(&err) : EVS_EXIT_OK;
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    evs_text_set_ascii(strcmp(nl_langinfo(CODESET), "UTF-8") != 0);
    struct evs_err err = EVS_ERR_INIT;
    if (evs_stop_init(&stop, &err))
        return evs_cli_fail(&err);
    catch_signals();
    int exit_code = evs_cli_run(argc, argv, &stop, open_face);
    if (evs_call_left()) { /* a request that was stopped still waits for its answer */
        fflush(NULL);
        _exit(exit_code);
    }
    evs_stop_done(&stop);
    return exit_code;
}
