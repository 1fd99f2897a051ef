/* json_lex.c - the strict pull lexer and what copies tokens: check, compact, pretty. */
#include "core/json.h"

#include <string.h>

#include "core/num.h"
#include "core/text.h"

enum lex_state {
    WANT_VALUE,
    WANT_VALUE_OR_END, /* after [ */
    WANT_NAME_OR_END,  /* after { */
    WANT_NAME,         /* after , in an object */
    WANT_SEPARATOR,    /* after a value inside a container */
    WANT_NOTHING,      /* after the value at the top */
    LEX_OVER
};

void evs_json_lexer_init(struct evs_json_lexer *lx, const void *p, size_t n)
{
    lx->p = p;
    lx->n = n;
    lx->at = 0;
    lx->depth = 0;
    lx->state = WANT_VALUE;
    lx->fault = (struct evs_json_fault){0, NULL};
}

static bool bad(struct evs_json_lexer *lx, struct evs_json_token *tok, size_t at, const char *why)
{
    lx->fault = (struct evs_json_fault){at, why};
    lx->state = LEX_OVER;
    *tok = (struct evs_json_token){EVS_JSON_BAD, at, 0, lx->depth};
    return false;
}

static void skip_space(struct evs_json_lexer *lx)
{
    while (lx->at < lx->n && (lx->p[lx->at] == ' ' || lx->p[lx->at] == '\t' ||
                              lx->p[lx->at] == '\n' || lx->p[lx->at] == '\r'))
        lx->at++;
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* at is on the backslash; returns the escape's length, or 0 with *ret_bad set. */
static size_t escape_len(const uint8_t *p, size_t n, size_t at, size_t *ret_bad)
{
    *ret_bad = at + 1;
    if (at + 1 >= n)
        return 0;
    if (p[at + 1] != 'u')
        return p[at + 1] && strchr("\"\\/bfnrt", p[at + 1]) ? 2 : 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        *ret_bad = i;
        if (i >= n || !is_hex(p[i]))
            return 0;
    }
    return 6;
}

/* From the opening quote at lx->at to after the closing one. */
static bool lex_string(struct evs_json_lexer *lx, struct evs_json_token *tok)
{
    const uint8_t *p = lx->p;
    size_t at = lx->at + 1, n = lx->n;
    while (at < n) {
        uint8_t c = p[at];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
            at++;
        } else if (c == '"') {
            lx->at = at + 1;
            return true;
        } else if (c == '\\') {
            size_t wrong, len = escape_len(p, n, at, &wrong);
            if (!len)
                return bad(lx, tok, wrong, wrong >= n ? "text ends in a string" : "bad escape");
            at += len;
        } else if (c < 0x20) {
            return bad(lx, tok, at, "raw control character in a string");
        } else {
            uint32_t cp;
            int len = evs_text_decode(p + at, n - at, &cp);
            if (!len)
                return bad(lx, tok, at, "invalid UTF-8");
            at += (size_t)len;
        }
    }
    return bad(lx, tok, n, "text ends in a string");
}

static size_t digits(const struct evs_json_lexer *lx, size_t at)
{
    while (at < lx->n && lx->p[at] >= '0' && lx->p[at] <= '9')
        at++;
    return at;
}

static bool lex_number(struct evs_json_lexer *lx, struct evs_json_token *tok)
{
    const uint8_t *p = lx->p;
    size_t n = lx->n, at = lx->at, from;
    at += p[at] == '-';
    from = at;
    at = at < n && p[at] == '0' ? at + 1 : digits(lx, at);
    if (at == from)
        return bad(lx, tok, at, "a digit is missing");
    if (at < n && p[at] == '.') {
        from = at + 1;
        at = digits(lx, from);
        if (at == from)
            return bad(lx, tok, at, "a digit is missing");
    }
    if (at < n && (p[at] == 'e' || p[at] == 'E')) {
        at++;
        at += at < n && (p[at] == '+' || p[at] == '-');
        from = at;
        at = digits(lx, from);
        if (at == from)
            return bad(lx, tok, at, "a digit is missing");
    }
    lx->at = at;
    return true;
}

static bool lex_word(struct evs_json_lexer *lx, struct evs_json_token *tok, const char *word)
{
    for (size_t i = 0; word[i]; i++)
        if (lx->at + i >= lx->n || lx->p[lx->at + i] != (uint8_t)word[i])
            return bad(lx, tok, lx->at + i, "unknown word");
    lx->at += strlen(word);
    return true;
}

static void after_value(struct evs_json_lexer *lx)
{
    lx->state = lx->depth ? WANT_SEPARATOR : WANT_NOTHING;
}

static bool open_container(struct evs_json_lexer *lx, struct evs_json_token *tok, uint8_t c)
{
    if (lx->depth == EVS_JSON_DEPTH)
        return bad(lx, tok, lx->at, "nested deeper than 256 levels");
    tok->type = c == '{' ? EVS_JSON_OBJECT : EVS_JSON_ARRAY;
    lx->open[lx->depth++] = c;
    lx->at++;
    tok->len = 1;
    lx->state = c == '{' ? WANT_NAME_OR_END : WANT_VALUE_OR_END;
    return true;
}

static bool close_container(struct evs_json_lexer *lx, struct evs_json_token *tok, uint8_t c)
{
    uint8_t open = lx->open[lx->depth - 1];
    if ((open == '{') != (c == '}'))
        return bad(lx, tok, lx->at, "closes what is not open");
    lx->depth--;
    lx->at++;
    *tok = (struct evs_json_token){open == '{' ? EVS_JSON_OBJECT_END : EVS_JSON_ARRAY_END,
                                   lx->at - 1, 1, lx->depth};
    after_value(lx);
    return true;
}

static bool lex_value(struct evs_json_lexer *lx, struct evs_json_token *tok)
{
    uint8_t c = lx->p[lx->at];
    bool ok;
    *tok = (struct evs_json_token){EVS_JSON_NUMBER, lx->at, 0, lx->depth};
    if (c == '{' || c == '[')
        return open_container(lx, tok, c);
    if (c == '"') {
        tok->type = EVS_JSON_STRING;
        ok = lex_string(lx, tok);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        ok = lex_number(lx, tok);
    } else if (c == 't' || c == 'f' || c == 'n') {
        tok->type = c == 't' ? EVS_JSON_TRUE : c == 'f' ? EVS_JSON_FALSE : EVS_JSON_NULL;
        ok = lex_word(lx, tok, c == 't' ? "true" : c == 'f' ? "false" : "null");
    } else {
        return bad(lx, tok, lx->at, "no JSON value starts so");
    }
    if (!ok)
        return false;
    tok->len = lx->at - tok->start;
    after_value(lx);
    return true;
}

static bool lex_name(struct evs_json_lexer *lx, struct evs_json_token *tok)
{
    *tok = (struct evs_json_token){EVS_JSON_NAME, lx->at, 0, lx->depth};
    if (lx->p[lx->at] != '"')
        return bad(lx, tok, lx->at, "a member name is missing");
    if (!lex_string(lx, tok))
        return false;
    tok->len = lx->at - tok->start;
    skip_space(lx);
    if (lx->at >= lx->n || lx->p[lx->at] != ':')
        return bad(lx, tok, lx->at, lx->at >= lx->n ? "text ends early" : "a colon is missing");
    lx->at++;
    lx->state = WANT_VALUE;
    return true;
}

/* Past a comma, or at the closing bracket. */
static bool lex_separator(struct evs_json_lexer *lx, struct evs_json_token *tok)
{
    uint8_t c = lx->p[lx->at];
    if (c == '}' || c == ']')
        return close_container(lx, tok, c);
    if (c != ',')
        return bad(lx, tok, lx->at, "a comma or the end of the container is missing");
    lx->at++;
    lx->state = lx->open[lx->depth - 1] == '{' ? WANT_NAME : WANT_VALUE;
    return evs_json_next(lx, tok);
}

bool evs_json_next(struct evs_json_lexer *lx, struct evs_json_token *tok)
{
    if (lx->state == LEX_OVER) {
        *tok = (struct evs_json_token){lx->fault.why ? EVS_JSON_BAD : EVS_JSON_END, lx->at, 0, 0};
        return false;
    }
    skip_space(lx);
    if (lx->at >= lx->n) {
        if (lx->state != WANT_NOTHING)
            return bad(lx, tok, lx->n, lx->n ? "text ends early" : "empty");
        lx->state = LEX_OVER;
        *tok = (struct evs_json_token){EVS_JSON_END, lx->n, 0, 0};
        return false;
    }
    uint8_t c = lx->p[lx->at];
    switch ((enum lex_state)lx->state) {
    case WANT_VALUE: return lex_value(lx, tok);
    case WANT_VALUE_OR_END: return c == ']' ? close_container(lx, tok, c) : lex_value(lx, tok);
    case WANT_NAME_OR_END: return c == '}' ? close_container(lx, tok, c) : lex_name(lx, tok);
    case WANT_NAME: return lex_name(lx, tok);
    case WANT_SEPARATOR: return lex_separator(lx, tok);
    default: return bad(lx, tok, lx->at, "text after the value");
    }
}

bool evs_json_check(const void *p, size_t n, struct evs_json_fault *ret_fault)
{
    struct evs_json_lexer lx;
    struct evs_json_token tok;
    evs_json_lexer_init(&lx, p, n);
    while (evs_json_next(&lx, &tok))
        ;
    if (tok.type == EVS_JSON_BAD && ret_fault)
        *ret_fault = lx.fault;
    return tok.type == EVS_JSON_END;
}

enum evs_rc evs_json_fail(const struct evs_json_fault *fault, struct evs_err *err)
{
    char at[EVS_NUM_LEN];
    enum evs_rc rc = evs_fail(err, EVS_INVALID, "not JSON at byte %s: %s",
                              evs_num_commas(at, (int64_t)fault->at), fault->why);
    err->row = fault->at;
    return rc;
}

struct layout {
    struct evs_buf *out;
    bool pretty, after_name, some; /* some: the container just opened has a member already */
};

static void put_lead(struct layout *l, enum evs_json_type type, int depth)
{
    bool closing = type == EVS_JSON_ARRAY_END || type == EVS_JSON_OBJECT_END;
    if (l->after_name || (closing && !l->some))
        return;
    if (!closing && l->some)
        evs_buf_addc(l->out, ',');
    if (l->pretty && (depth > 0 || closing)) {
        evs_buf_addc(l->out, '\n');
        evs_buf_addn(l->out, ' ', 2 * (size_t)depth);
    }
}

static void put_token(struct layout *l, const char *text, const struct evs_json_token *tok)
{
    put_lead(l, tok->type, tok->depth);
    evs_buf_add(l->out, text + tok->start, tok->len);
    l->after_name = tok->type == EVS_JSON_NAME;
    if (l->after_name)
        evs_buf_add(l->out, ": ", l->pretty ? 2 : 1);
    l->some = tok->type != EVS_JSON_OBJECT && tok->type != EVS_JSON_ARRAY;
}

static enum evs_rc lay_out(struct evs_buf *out, const void *p, size_t n, bool pretty,
                           struct evs_err *err)
{
    struct evs_json_lexer lx;
    struct evs_json_token tok;
    struct layout l = {out, pretty, false, false};
    size_t before = out->len;
    evs_json_lexer_init(&lx, p, n);
    while (evs_json_next(&lx, &tok))
        put_token(&l, p, &tok);
    if (tok.type == EVS_JSON_END)
        return EVS_OK;
    out->len = before;
    if (out->data)
        out->data[before] = '\0';
    return evs_json_fail(&lx.fault, err);
}

enum evs_rc evs_json_compact(struct evs_buf *out, const void *p, size_t n, struct evs_err *err)
{
    return lay_out(out, p, n, false, err);
}

enum evs_rc evs_json_pretty(struct evs_buf *out, const void *p, size_t n, struct evs_err *err)
{
    return lay_out(out, p, n, true, err);
}
