/* ui.h - the terminal interface as main.c starts it.
 *
 * Threads  evs_ui_run takes the main thread until the user quits or `stop` is raised.
 * Owns     nothing: options are borrowed for the run.
 * Errors   EVS_INVALID: no terminal, unknown theme, wrong key file; all before the screen is
 * touched.
 * Cost     first frame before any network.
 */
#ifndef EVS_UI_UI_H
#define EVS_UI_UI_H

#include <stdbool.h>

#include "core/err.h"

struct evs_client;
struct evs_stop;
struct evs_place;

/* First run: what to connect to. */
enum evs_ui_connect {
    EVS_CONNECT_SAMPLE,  /* text is not used */
    EVS_CONNECT_BROKERS, /* host:port,host:port */
    EVS_CONNECT_FILE,    /* path of a configuration */
    EVS_CONNECT_PROFILE, /* name of a profile: also in place of the cluster that is there */
    EVS_CONNECT_STARTER  /* writes a starter configuration; no client, *ret_said says where */
};

struct evs_ui_opts {
    struct evs_client *client;          /* borrowed; NULL: the First run screen */
    const char *cluster;                /* name in the header; NULL: first broker */
    const char *screen;                 /* opens here; NULL: Topics */
    const struct evs_place *at;         /* may be NULL */
    const char *const *groups;          /* named groups, NULL ends; NULL: those that are listed */
    const char *theme;                  /* NULL: default */
    const char *config_dir;             /* holds keys, themes/; NULL: none */
    const char *config_file;            /* what E edits and First run may write; NULL: none */
    const char *problem, *problem_hint; /* a broken configuration, shown by First run */
    bool no_color, ascii, no_mouse;
    bool demo;             /* SAMPLE DATA in the header */
    struct evs_stop *stop; /* raised by signals */
    /* First run: a client that the caller owns; may be NULL. Must not wait for a network. */
    enum evs_rc (*connect)(void *ctx, enum evs_ui_connect how, const char *text,
                           struct evs_client **ret_client, char ret_said[200],
                           struct evs_err *err);
    void *ctx;
};

enum evs_rc evs_ui_run(const struct evs_ui_opts *opts, struct evs_err *err) EVS_MUST_USE;
/* After the run: a request could not be interrupted within a second, its thread still uses the
 * client. The process should end without freeing that. */
bool evs_ui_left_work(void);

#endif
