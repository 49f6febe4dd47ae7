// SPDX-License-Identifier: MIT
// Eight threads use popen at the same time, reading a command's lines and writing to one's input; each
// sees its own output and exit status.
#include "io.h"

static void *reader(void *argument)
{
    char command[100];
    int self = (int)(intptr_t)argument, sum = 0, number;
    snprintf(command, sizeof command, "echo %d; read line < /dev/null; echo %d; exit %d", self, self * 10,
             self);
    FILE *in = popen(command, "r");
    CHECK(in);
    while (fscanf(in, "%d", &number) == 1)
        sum += number;
    int status = pclose(in);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == self && sum == self * 11);
    FILE *out = popen("read a b; exit $((a + b))", "w");
    CHECK(out && fprintf(out, "%d 5\n", self) > 0);
    status = pclose(out);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == self + 5);
    return (void *)(intptr_t)sum;
}

int main(void)
{
    printf("%ld\n", (long)guest_threads(8, reader));
    return guest_success();
}
