#include <string.h>

#include "keys/diagnose.h"

static bool letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static bool digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_email(const uint8_t *p, size_t n)
{
    const uint8_t *at = memchr(p, '@', n);
    if (!at || at == p || memchr(at + 1, '@', n - (size_t)(at + 1 - p)))
        return false;
    const uint8_t *end = p + n, *dot = NULL;
    for (const uint8_t *c = p; c < end; c++) {
        if (*c <= ' ' || *c == ',' || *c == '/' || *c == ':' || *c == ';')
            return false;
        if (c > at && *c == '.')
            dot = c;
    }
    return dot && dot > at + 1 && end - dot >= 3;
}

/* +49 151 2345678, (030) 123-4567: a plus or separators, and 8 to 15 digits. Bare digits are ids.
 * */
static bool is_phone(const uint8_t *p, size_t n)
{
    size_t digits = 0, marks = 0;
    for (size_t i = 0; i < n; i++) {
        if (digit(p[i]))
            digits++;
        else if (strchr("+ -().", p[i]) && p[i])
            marks++;
        else
            return false;
    }
    if (digits < 8 || digits > 15)
        return false;
    return p[0] == '+' || p[0] == '(' || (p[0] == '0' && marks >= 1 && marks <= 4);
}

/* "Ada Lovelace", "Lovelace, Ada": two to four capitalised words of letters. */
static bool is_name(const uint8_t *p, size_t n)
{
    size_t words = 0, len = 0;
    for (size_t i = 0; i <= n; i++) {
        if (i == n || p[i] == ' ') {
            if (len < 2)
                return false;
            words++;
            len = 0;
        } else if (letter(p[i]) || p[i] == '-' || p[i] == '\'' || p[i] == '.') {
            bool upper = (p[i] >= 'A' && p[i] <= 'Z') || p[i] >= 0x80;
            if (len == 0 && !upper)
                return false;
            if (len == 1 && p[i] >= 'A' && p[i] <= 'Z')
                return false;
            len++;
        } else if (!(p[i] == ',' && len >= 2)) {
            return false;
        }
    }
    return words >= 2 && words <= 4;
}

const char *evs_keys_look(const struct evs_key_detail *keys, size_t n, double *ret_share)
{
    static const struct {
        const char *what;
        bool (*is)(const uint8_t *p, size_t n);
        double needs;
    } looks[] = {{"e-mail addresses", is_email, 0.5},
                 {"phone numbers", is_phone, 0.5},
                 {"personal names", is_name, 0.8}};
    for (size_t k = 0; k < sizeof(looks) / sizeof(looks[0]); k++) {
        size_t yes = 0, of = 0;
        for (size_t i = 0; i < n; i++) {
            if (keys[i].key_len == 0)
                continue;
            of++;
            yes += looks[k].is(keys[i].key, keys[i].key_len);
        }
        if (yes >= 3 && (double)yes >= looks[k].needs * (double)of) {
            *ret_share = (double)yes / (double)of;
            return looks[k].what;
        }
    }
    *ret_share = 0;
    return NULL;
}
