/* opt.h - option tables: one row an option, its documentation inside the row.
 *
 * The same rows drive the command line, --help, the man page, completions, sink URLs and plan
 * files. A table ends with an empty row. Values are checked by type when parsed; the last one
 * wins, `many` keeps all. A row with `same_as` is another spelling of a row in any table of the
 * same parse.
 *
 * Threads  none.   Owns  evs_opts copies its texts.   Errors  EVS_INVALID, with the nearest known
 *          name.
 * Cost     O(options x rows).
 */
#ifndef EVS_CORE_OPT_H
#define EVS_CORE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum evs_opt_type {
    EVS_OPT_FLAG,
    EVS_OPT_STR,
    EVS_OPT_INT,       /* min..max when max > 0 */
    EVS_OPT_NUMBER,    /* a double */
    EVS_OPT_SIZE,      /* evs_num_size, bytes */
    EVS_OPT_DURATION,  /* evs_num_duration, milliseconds */
    EVS_OPT_CHOICE,    /* one of `choices`, "a|b|c" */
    EVS_OPT_MAYBE,     /* a flag that may carry =VALUE */
    EVS_OPT_MAYBE_NEXT /* the same, or takes the next word when it starts with a digit */
};

struct evs_opt {
    char letter;      /* 0: none */
    const char *name; /* without dashes; NULL for letter-only aliases */
    enum evs_opt_type type;
    const char *arg; /* "TOPIC", shown in help; NULL for flags */
    const char *def; /* shown in help and returned when not given; NULL: none */
    const char *help;
    const char *choices;
    int64_t min, max;
    bool many;
    const char *same_as;
};

struct evs_opt_value {
    const struct evs_opt *opt; /* the canonical row */
    char *text;                /* "" for a bare flag or MAYBE */
    int64_t number;            /* INT, SIZE, DURATION */
};

struct evs_opts {
    const struct evs_opt *const *tables; /* NULL-terminated, borrowed */
    struct evs_opt_value *values;
    size_t n;
};

/* Parses argv[0..argc). With first_only, stops at the first word that is no option. Words that are
 * no options go to ret_args (borrowed; at most argc), "--" ends options. Adds to o, which holds
 * tables. */
enum evs_rc evs_opts_parse(struct evs_opts *o, int argc, char **argv, bool first_only,
                           char **ret_args, int *ret_n_args, int *ret_used, struct evs_err *err);
/* One value by name, as a config file or URL gives it. */
enum evs_rc evs_opts_set(struct evs_opts *o, const char *name, const char *value,
                         struct evs_err *err);
void evs_opts_done(struct evs_opts *o);

bool evs_opts_given(const struct evs_opts *o, const char *name);
/* The last value, else the row's default, else NULL. Asserts that the row exists. */
const char *evs_opts_str(const struct evs_opts *o, const char *name);
int64_t evs_opts_int(const struct evs_opts *o,
                     const char *name); /* INT, SIZE, DURATION; 0 if none */
double evs_opts_double(const struct evs_opts *o, const char *name);
/* The i-th value of a `many` option, NULL past the end. */
const char *evs_opts_nth(const struct evs_opts *o, const char *name, size_t i);
/* The row by long name in NULL-terminated tables, following same_as. */
const struct evs_opt *evs_opt_find(const struct evs_opt *const *tables, const char *name,
                                   size_t len);

/* The nearest of names (each call gives one, NULL ends) within a third of its length, else NULL. */
const char *evs_suggest(const char *word, const char *(*nth)(const void *ctx, size_t i),
                        const void *ctx);

#endif
