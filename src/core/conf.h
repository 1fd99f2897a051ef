/* conf.h - configuration files as lists of values that know where they stand.
 *
 * Three kinds are told apart by content: eventscope's own (sections, over inih), kcat's
 * (name=value) and Java's client.properties (also "name: value", continued lines, escapes). What
 * names mean is the reader's business; here are lines, layers' origins, and ${env:X} and ${file:X}
 * in values.
 *
 * Threads  one at a time (inih is configured by globals).   Owns  a conf owns its items.
 * Errors   EVS_INVALID "eventscope.conf:14: ..."; EVS_FATAL (errno) for an unreadable file.
 * Cost     O(bytes), at most EVS_CONF_CAP.
 */
#ifndef EVS_CORE_CONF_H
#define EVS_CORE_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"

enum { EVS_CONF_CAP = 1 << 20 };

enum evs_conf_kind { EVS_CONF_OWN, EVS_CONF_KCAT, EVS_CONF_JAVA };

struct evs_conf_item {
    char *section; /* "cluster prod-eu"; "" outside of any */
    char *name, *value;
    int line;
};

struct evs_conf {
    char *path;
    char *shown; /* how origins and errors name it */
    enum evs_conf_kind kind;
    bool exposed; /* its mode lets group or others read it */
    struct evs_conf_item *items;
    size_t n;
};

/* shown NULL: the path. */
enum evs_rc evs_conf_read(const char *path, const char *shown, struct evs_conf *ret_conf,
                          struct evs_err *err) EVS_MUST_USE;
/* The same from text (tests, fuzzing). */
enum evs_rc evs_conf_parse(const char *text, size_t n, const char *shown, struct evs_conf *ret_conf,
                           struct evs_err *err) EVS_MUST_USE;
void evs_conf_done(struct evs_conf *conf);
/* The last of that name in the section, or NULL. */
const struct evs_conf_item *evs_conf_find(const struct evs_conf *conf, const char *section,
                                          const char *name);
/* "eventscope.conf:14" into a buffer of the caller. */
const char *evs_conf_origin(const struct evs_conf *conf, const struct evs_conf_item *item, char *to,
                            size_t n);
/* EVS_INVALID "eventscope.conf:14: text". */
enum evs_rc evs_conf_fail(const struct evs_conf *conf, const struct evs_conf_item *item,
                          struct evs_err *err, const char *fmt, ...) EVS_PRINTF(4, 5);
/* Appends value with ${env:X} and ${file:X} (its text without the last line end) replaced; "$$" is
 * a dollar. *ret_outside (may be NULL): something was taken from outside the file. */
enum evs_rc evs_conf_expand(const char *value, struct evs_buf *out, bool *ret_outside,
                            struct evs_err *err) EVS_MUST_USE;
/* The first line that a command prints, by sh. EVS_INVALID when it fails or prints nothing. */
enum evs_rc evs_conf_command(const char *command, struct evs_buf *out,
                             struct evs_err *err) EVS_MUST_USE;
/* $XDG_CONFIG_HOME/eventscope/NAME, else ~/.config/eventscope/NAME; NULL without a home. Owned. */
char *evs_conf_home(const char *name);

#endif
