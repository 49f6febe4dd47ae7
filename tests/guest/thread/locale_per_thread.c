// SPDX-License-Identifier: MIT
// Claims: uselocale sets the locale of the calling thread alone, and it stays so across blocking.
#include <langinfo.h>
#include <locale.h>
#include <sched.h>
#include <wchar.h>
#include "guest.h"

#define THREADS 12

static pthread_barrier_t meeting;
static locale_t utf8, plain;

static void check_locale(int is_utf8)
{
    wchar_t wide;
    mbstate_t state;
    memset(&state, 0, sizeof(state));
    CHECK(strcmp(nl_langinfo(CODESET), is_utf8 ? "UTF-8" : "ANSI_X3.4-1968") == 0);
    CHECK_EQUAL(MB_CUR_MAX, is_utf8 ? 6 : 1);
    CHECK_EQUAL(mbrtowc(&wide, "\xc3\xa9", 2, &state), is_utf8 ? 2 : -1);
}

static void *body(void *index)
{
    int is_utf8 = (intptr_t)index % 3;
    locale_t mine = is_utf8 ? utf8 : plain;

    check_locale(0);
    CHECK(uselocale(mine) == LC_GLOBAL_LOCALE);
    for (int i = 0; i < 20; i++) {
        check_locale(is_utf8);
        sched_yield();
        pthread_barrier_wait(&meeting);
        CHECK(uselocale((locale_t)0) == mine);
    }
    check_locale(is_utf8);
    return NULL;
}

int main(void)
{
    utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    CHECK(plain != (locale_t)0);
    if (utf8 == (locale_t)0) {
        puts("no C.UTF-8 here");
        return 77;
    }
    CHECK_EQUAL(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    guest_threads(THREADS, body);
    check_locale(0);
    return guest_success();
}
