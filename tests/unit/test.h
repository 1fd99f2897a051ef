/* test.h - what every unit test includes: cmocka in the order it wants.
 *
 * Threads, ownership, errors: cmocka's.
 */
#ifndef EVS_TEST_H
#define EVS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
