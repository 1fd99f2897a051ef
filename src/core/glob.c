#include "core/glob.h"

#include <stdint.h>

static int fold(uint8_t c, bool ignore_case)
{
    return ignore_case && c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* at is behind '['; returns behind the closing bracket, or 0 when there is none. */
static size_t match_set(const char *pt, size_t len, size_t at, int c, bool icase, bool *ret_hit)
{
    bool invert = at < len && (pt[at] == '!' || pt[at] == '^'), hit = false;
    size_t first = at += invert;
    for (; at < len && (pt[at] != ']' || at == first); at++) {
        int lo = fold((uint8_t)pt[at], icase), hi = lo;
        if (at + 2 < len && pt[at + 1] == '-' && pt[at + 2] != ']') {
            hi = fold((uint8_t)pt[at + 2], icase);
            at += 2;
        }
        hit |= c >= lo && c <= hi;
    }
    *ret_hit = hit != invert;
    return at < len ? at + 1 : 0;
}

/* One pattern element against one byte: its length in the pattern, or 0. */
static size_t match_one(const char *pt, size_t len, size_t at, uint8_t byte, bool icase)
{
    int c = fold(byte, icase);
    bool hit;
    if (pt[at] == '?')
        return 1;
    if (pt[at] == '[') {
        size_t behind = match_set(pt, len, at + 1, c, icase, &hit);
        if (behind)
            return hit ? behind - at : 0;
    }
    if (pt[at] == '\\' && at + 1 < len)
        return fold((uint8_t)pt[at + 1], icase) == c ? 2 : 0;
    return fold((uint8_t)pt[at], icase) == c ? 1 : 0;
}

bool evs_glob_match(const char *pt, size_t len, const void *text, size_t n, bool icase)
{
    const uint8_t *s = text;
    size_t at = 0, i = 0, star = len, star_i = 0;
    while (i < n) {
        size_t step = at < len && pt[at] != '*' ? match_one(pt, len, at, s[i], icase) : 0;
        if (at < len && pt[at] == '*') {
            star = at++;
            star_i = i;
        } else if (step) {
            at += step;
            i++;
        } else if (star < len) {
            at = star + 1;
            i = ++star_i;
        } else {
            return false;
        }
    }
    while (at < len && pt[at] == '*')
        at++;
    return at == len;
}

bool evs_glob_is_plain(const char *pattern, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (pattern[i] == '*' || pattern[i] == '?' || pattern[i] == '[' || pattern[i] == '\\')
            return false;
    return true;
}
