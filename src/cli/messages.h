/* messages.h - one run of `eventscope messages`, shared by its ways of reading.
 *
 * Threads  main; evs_dump_put from workers too (it changes nothing in d).
 * Owns     what setup opened.   Errors  as returned.   Cost  none of its own.
 */
#ifndef EVS_CLI_MESSAGES_H
#define EVS_CLI_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

struct evs_cli;
struct evs_client;
struct evs_event;
struct evs_filter;
struct evs_format;
struct evs_growth;
struct evs_ranges;

struct evs_dump {
    struct evs_client *client;
    struct evs_ranges *ranges;
    struct evs_filter *filter; /* NULL keeps all */
    struct evs_format *format; /* NULL: JSON or text */
    bool json, decode, raw, follow;
    struct evs_growth *growth; /* NULL: the partitions are those of the start */
    int64_t count; /* 0: no limit */
    /* results */
    int64_t kept, read, passed;
    int64_t unjudged; /* a filter failed on them; not kept */
    bool gone; /* stdout's reader went away */
    bool lost; /* offsets were deleted while we read */
    int failures;
    struct evs_err failure; /* the first */
};

/* Appends one record as asked for. */
void evs_dump_put(const struct evs_dump *d, struct evs_buf *out, struct evs_event *ev);
/* EVS_EOF when the reader of stdout has gone. */
enum evs_rc evs_dump_write(struct evs_dump *d, const void *p, size_t n,
                           struct evs_err *err) EVS_MUST_USE;
void evs_dump_problem(const struct evs_cli *cli, struct evs_dump *d, const struct evs_err *err);
/* --sort time; --gaps. */
enum evs_rc evs_dump_sorted(struct evs_cli *cli, struct evs_dump *d,
                            struct evs_err *err) EVS_MUST_USE;
enum evs_rc evs_dump_gaps(struct evs_cli *cli, struct evs_dump *d,
                          struct evs_err *err) EVS_MUST_USE;

#endif
