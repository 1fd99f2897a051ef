/* json.h - reading JSON without losing a digit.
 *
 * A pull lexer checks RFC 8259 strictly (UTF-8, escapes, no trailing text) and names the first bad
 * byte. On it: check, compact, pretty (the original bytes re-indented), a flat tree over the
 * original bytes for views and look-ups, and a document (cJSON) for what changes: merge patches,
 * plans. In a document numbers and strings that C strings cannot hold (\u0000, lone surrogates)
 * keep their text as written.
 *
 * Units    bytes.   Threads  any, one at a time per object.
 * Owns     a tree owns its nodes and borrows the text; a document owns everything.
 * Errors   struct evs_json_fault; EVS_INVALID "not JSON at byte 1,204,113: ...".
 * Cost     O(bytes); depth at most EVS_JSON_DEPTH.
 * Source   RFC 8259, RFC 7386 (merge patch).
 */
#ifndef EVS_CORE_JSON_H
#define EVS_CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

enum { EVS_JSON_DEPTH = 256 };

enum evs_json_type {
    EVS_JSON_NULL,
    EVS_JSON_FALSE,
    EVS_JSON_TRUE,
    EVS_JSON_NUMBER,
    EVS_JSON_STRING,
    EVS_JSON_ARRAY,
    EVS_JSON_OBJECT,
    /* tokens only */
    EVS_JSON_NAME,
    EVS_JSON_ARRAY_END,
    EVS_JSON_OBJECT_END,
    EVS_JSON_END,
    EVS_JSON_BAD
};

struct evs_json_fault {
    size_t at;       /* offset of the first byte that cannot be JSON; n when the text ends early */
    const char *why; /* static */
};

struct evs_json_lexer {
    const uint8_t *p;
    size_t n, at;
    int depth, state;
    struct evs_json_fault fault;
    uint8_t open[EVS_JSON_DEPTH]; /* '{' or '[' */
};
struct evs_json_token {
    enum evs_json_type type;
    size_t start, len; /* strings and names with their quotes */
    int depth;         /* of the value; containers have their own depth at both ends */
};
void evs_json_lexer_init(struct evs_json_lexer *lx, const void *p, size_t n);
/* false after the end or a fault; then token.type is EVS_JSON_END or EVS_JSON_BAD. */
bool evs_json_next(struct evs_json_lexer *lx, struct evs_json_token *ret_token);

/* ret_fault may be NULL. */
bool evs_json_check(const void *p, size_t n, struct evs_json_fault *ret_fault);
enum evs_rc evs_json_fail(const struct evs_json_fault *fault,
                          struct evs_err *err); /* EVS_INVALID */
/* Appends without white space. On EVS_INVALID out is as before. */
enum evs_rc evs_json_compact(struct evs_buf *out, const void *p, size_t n, struct evs_err *err);
/* Appends with two spaces a level; empty containers stay closed. */
enum evs_rc evs_json_pretty(struct evs_buf *out, const void *p, size_t n, struct evs_err *err);
/* Appends the bytes a quoted string stands for; a lone surrogate gives U+FFFD. false: it had one.
 * */
bool evs_json_unquote(struct evs_buf *out, const char *quoted, size_t len);

/* --- flat tree ------------------------------------------------------------------------------- */
struct evs_json_node {
    uint32_t start, end;     /* bytes of the value in the text */
    uint32_t name, name_len; /* quoted name; name_len 0: none */
    uint32_t parent, next;   /* indexes; the root is its own parent; next 0: last sibling */
    uint32_t size;           /* members or elements */
    uint16_t depth;
    uint8_t type; /* enum evs_json_type */
};
struct evs_json_tree {
    const char *text;            /* borrowed */
    struct evs_json_node *nodes; /* [0] is the root; the children of i begin at i + 1 */
    size_t n, alloc;
};
enum evs_rc evs_json_tree_read(struct evs_json_tree *t, const void *p, size_t n,
                               struct evs_err *err) EVS_MUST_USE;
void evs_json_tree_done(struct evs_json_tree *t);
/* The member called name (unescaped bytes), or NULL. */
const struct evs_json_node *evs_json_member(const struct evs_json_tree *t,
                                            const struct evs_json_node *obj, const char *name);
/* ".a.b[2]" or "a.b"; NULL when there is none. */
const struct evs_json_node *evs_json_path(const struct evs_json_tree *t, const char *path);

/* --- documents ------------------------------------------------------------------------------- */
struct evs_json; /* owned by its root */
enum evs_rc evs_json_parse(const void *p, size_t n, struct evs_json **ret_j,
                           struct evs_err *err) EVS_MUST_USE;
void evs_json_free(struct evs_json *j);                             /* a root; NULL is fine */
void evs_json_print(const struct evs_json *j, struct evs_buf *out); /* compact */
struct evs_json *evs_json_dup(const struct evs_json *j) EVS_MUST_USE;
bool evs_json_equal(const struct evs_json *a, const struct evs_json *b); /* members in any order */
enum evs_json_type evs_json_type(const struct evs_json *j);              /* NULL: EVS_JSON_END */
const struct evs_json *evs_json_get(const struct evs_json *j, const char *name); /* NULL: none */
const struct evs_json *evs_json_first(const struct evs_json *j); /* child; NULL: none */
const struct evs_json *evs_json_after(const struct evs_json *j); /* next sibling */
const char *evs_json_name(const struct evs_json *j);             /* of a member; NULL */
const char *
evs_json_text(const struct evs_json *j); /* a string's text or a number's digits, or NULL */
/* RFC 7386. Takes target (may be NULL: nothing there) and returns the patched document. */
struct evs_json *evs_json_merge(struct evs_json *target, const struct evs_json *patch) EVS_MUST_USE;

#endif
