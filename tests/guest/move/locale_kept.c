// SPDX-License-Identifier: MIT
// A thread's locale, and the character tables that are reached by a cached address, stay its own over stops.
#include "move.h"
#include <ctype.h>
#include <locale.h>
#include <stdbool.h>
#include <wchar.h>
#include <wctype.h>

static void check_locale(struct mover *mover, bool utf8)
{
    const char letter[] = "\xc3\xa9"; // e with acute
    const unsigned short *table = *__ctype_b_loc();
    mbstate_t state = {0};
    wchar_t wide = 0;
    CHECK_EQUAL(MB_CUR_MAX, utf8 ? 6 : 1);
    move(mover);
    CHECK(table == *__ctype_b_loc() && isalpha('x') && !isalpha(0xe9));
    CHECK_EQUAL(mbrtowc(&wide, letter, 2, &state), utf8 ? 2 : (size_t)-1);
    move(mover);
    CHECK_EQUAL(iswalpha(0xe9) != 0, utf8);
    CHECK_EQUAL(MB_CUR_MAX, utf8 ? 6 : 1);
}

static void *body(void *index)
{
    struct mover mover = mover_begin((int)(intptr_t)index);
    locale_t utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", NULL), plain = newlocale(LC_ALL_MASK, "C", NULL);
    CHECK(utf8 && plain);
    for (int i = 0; i < MOVE_ROUNDS / 2; i++) {
        bool wide = (i + (intptr_t)index) % 2;
        uselocale(wide ? utf8 : plain);
        move(&mover);
        CHECK(uselocale(NULL) == (wide ? utf8 : plain));
        check_locale(&mover, wide);
    }
    uselocale(LC_GLOBAL_LOCALE);
    freelocale(utf8);
    freelocale(plain);
    mover_end(&mover);
    return NULL;
}

int main(void)
{
    locale_t utf8 = newlocale(LC_ALL_MASK, "C.UTF-8", NULL);
    if (!utf8) {
        puts("no locale C.UTF-8");
        return 77;
    }
    freelocale(utf8);
    guest_threads(MOVE_THREADS, body);
    puts("every thread kept its locale");
    return move_success();
}
