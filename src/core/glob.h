/* glob.h - shell patterns over bytes: * ? [a-z] [!a-z] and \ before a literal.
 *
 * The whole text must match. '*' also matches '.' and '/'. Unclosed brackets are literal. Ignoring
 * case folds ASCII letters only.
 *
 * Threads  any.   Owns  nothing.   Errors  none: every pattern is valid.
 * Cost     O(pattern x text) at worst, no recursion.
 */
#ifndef EVS_CORE_GLOB_H
#define EVS_CORE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

bool evs_glob_match(const char *pattern, size_t pattern_len, const void *text, size_t n,
                    bool ignore_case);
/* No * ? [ or \ in it: equals itself only. */
bool evs_glob_is_plain(const char *pattern, size_t len);

#endif
