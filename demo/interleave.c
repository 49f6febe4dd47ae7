// SPDX-License-Identifier: MIT
/*
 * interleave: two of weft's coroutines, resumed in turn. One has 1 2 3 to say, the other x y z; the result
 * is `1 x 2 y 3 z`.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "weft.h"

/* Yields the words of a NULL-terminated list, one by one. */
static void *speak(void *first_value, void *argument)
{
    (void)first_value;
    for (const char **word = argument; *word != NULL; word++)
        weft_coroutine_yield((void *)*word);
    return NULL;
}

int main(void)
{
    static const char *numbers[] = {"1", "2", "3", NULL};
    static const char *letters[] = {"x", "y", "z", NULL};
    struct weft_coroutine *speakers[2];
    const char *separator = "";
    int error = weft_coroutine_create(&speakers[0], speak, numbers, 0);

    if (error == 0)
        error = weft_coroutine_create(&speakers[1], speak, letters, 0);
    for (unsigned turn = 0; error == 0; turn++) {
        void *word;

        error = weft_coroutine_resume(speakers[turn % 2], NULL, &word);
        if (error != 0 || word == NULL)
            break;
        printf("%s%s", separator, (const char *)word);
        separator = " ";
    }
    printf("\n");
    if (error != 0) {
        fprintf(stderr, "interleave: %s\n", strerror(-error));
        return 1;
    }
    weft_coroutine_close(speakers[0]);
    return weft_coroutine_close(speakers[1]) == 0 ? 0 : 1;
}
