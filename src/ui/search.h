/* search.h - the words of a search: what to keep, where to read; the command line's, one a word.
 *
 * text or grep:TEXT, key:GLOB, header:NAME=GLOB, jq:EXPR (the rest of the line), since:T until:T
 * p:LIST o:FROM n:COUNT; a leading ! inverts a term; -i ignores case. "Quotes" around a value keep
 * its spaces (with \" and \\ in them); other quotes are what they are. p:all reads every
 * partition, p:key the one the key hashes to.
 *
 * Units    as the words.   Threads  none.   Owns  its texts; terms point into them.
 * Errors   EVS_INVALID naming the word.   Cost  O(length).
 */
#ifndef EVS_UI_SEARCH_H
#define EVS_UI_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "filter/filter.h"

enum { EVS_SEARCH_TERMS = 16, EVS_SEARCH_TEXT = 2048 };

struct evs_search {
    char text[EVS_SEARCH_TEXT]; /* the words, cut apart by NULs */
    size_t used;
    struct evs_filter_term terms[EVS_SEARCH_TERMS];
    size_t n_terms;
    const char *partitions, *from, *since, *until; /* NULL: not said */
    int64_t count;                                 /* n: 0 no limit */
    bool every;                                    /* p:all */
    bool ignore_case;                              /* -i, of keys and text */
};

void evs_search_init(struct evs_search *s);
/* Adds the words of a line. */
enum evs_rc evs_search_parse(struct evs_search *s, const char *line,
                             struct evs_err *err) EVS_MUST_USE;
/* Length of the word at p: up to a space outside quotes; jq: takes the rest of the line. */
size_t evs_search_word(const char *p);
/* Whether the terms can be compiled: patterns, jq. */
enum evs_rc evs_search_check(const struct evs_search *s, struct evs_err *err) EVS_MUST_USE;
/* The key when the search is for exactly one (key:=TEXT, or a glob without signs), else NULL. */
const char *evs_search_key(const struct evs_search *s);
/* As options of the command line: " -k =User:123 --grep refund". */
struct evs_buf;
void evs_search_options(const struct evs_search *s, struct evs_buf *out);
/* A word of a shell: quoted when it has to be. */
void evs_shell_word(struct evs_buf *out, const char *word);

#endif
