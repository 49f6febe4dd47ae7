// SPDX-License-Identifier: MIT
// Claims: sendfile, splice, tee and copy_file_range between any two of a file, both ends of a pipe, sockets,
// a device, a directory and nothing give what they give natively: with no bytes, some, what there is, and
// all; with offsets for either end and without; with flags that make sense or none.
#include "io.h"
#include <sys/eventfd.h>
#include <sys/sendfile.h>

enum object { DATA, FULL_PIPE, PIPE_TO_FILL, STREAM, EVENTS, DEV_NULL, FOLDER, NONE, DATAGRAM, LOG, OBJECTS };
enum call { SENDFILE, SPLICE, TEE, COPY, CALLS };
enum offset { NO_OFFSET, OF_SOURCE, NEGATIVE, OF_SINK, OFFSETS };

static char folder[] = "/tmp/weft-splice-XXXXXX";
static char data_name[64], log_name[64];

// *other becomes the other end, -1 when there is none.
static int open_object(enum object object, int *other)
{
    int ends[2] = {-1, -1}, fd = -1;
    switch (object) {
    case DATA:
        fd = open(data_name, O_RDWR | O_CREAT | O_TRUNC, 0600);
        CHECK_EQUAL(write(fd, "0123456789abcdefghij", 20), 20);
        CHECK_EQUAL(lseek(fd, 0, SEEK_SET), 0);
        return fd;
    case FULL_PIPE:
        CHECK_EQUAL(pipe(ends), 0);
        CHECK_EQUAL(write(ends[1], "pipe-data", 9), 9);
        break;
    case PIPE_TO_FILL:
        CHECK_EQUAL(pipe(ends), 0);
        *other = ends[0];
        return ends[1];
    case STREAM:
        unix_pair(SOCK_STREAM, ends);
        CHECK_EQUAL(write(ends[1], "sock-data", 9), 9);
        break;
    case DATAGRAM:
        unix_pair(SOCK_DGRAM, ends);
        CHECK_EQUAL(write(ends[1], "dgram", 5), 5);
        break;
    case EVENTS:
        return eventfd(1, 0);
    case DEV_NULL:
        return open("/dev/null", O_RDWR);
    case FOLDER:
        return open(folder, O_RDONLY);
    case LOG:
        return open(log_name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    default:
        return -1;
    }
    *other = ends[1];
    return ends[0];
}

static void try(enum object from, enum object to, size_t size, enum offset offset, enum call call, int flag)
{
    int other[2] = {-1, -1}, source = open_object(from, &other[0]), sink = open_object(to, &other[1]);
    off_t place = offset == NEGATIVE ? -1 : 2;
    off_t *of_source = offset == OF_SOURCE || offset == NEGATIVE ? &place : NULL;
    off_t *of_sink = offset == OF_SINK ? &place : NULL;
    ssize_t result = -2;
    errno = 0;
    switch (call) {
    case SENDFILE:
        result = sendfile(sink, source, of_source, size);
        break;
    case SPLICE:
        result = splice(source, of_source, sink, of_sink, size, flag ? SPLICE_F_NONBLOCK : 0);
        break;
    case TEE:
        result = tee(source, sink, size, flag ? SPLICE_F_NONBLOCK : 0);
        break;
    default:
        result = copy_file_range(source, of_source, sink, of_sink, size, flag ? 99 : 0);
        break;
    }
    printf(" %zd/%d/%ld/%ld", result, result < 0 ? errno : 0, (long)place,
           from == DATA ? (long)lseek(source, 0, SEEK_CUR) : 0);
    const int all[] = {source, sink, other[0], other[1]};
    for (int i = 0; i < 4; i++)
        if (all[i] >= 0)
            close(all[i]);
}

static void *body(void *unused)
{
    const size_t sizes[] = {0, 4, 9, SIZE_MAX};
    for (enum object from = 0; from < OBJECTS; from++)
        for (enum object to = 0; to < OBJECTS; to++)
            for (enum call call = 0; call < CALLS; call++)
                for (enum offset offset = 0; offset < OFFSETS; offset++) {
                    printf("from %d to %d, call %d, offset %d:", from, to, call, offset);
                    for (int size = 0; size < 4; size++)
                        for (int flag = 0; flag < (call == SENDFILE ? 1 : 2); flag++)
                            try(from, to, sizes[size], offset, call, flag);
                    puts("");
                }
    return unused;
}

int main(void)
{
    CHECK(mkdtemp(folder) != NULL);
    snprintf(data_name, sizeof data_name, "%s/data", folder);
    snprintf(log_name, sizeof log_name, "%s/log", folder);
    CHECK_EQUAL(signal(SIGPIPE, SIG_IGN) == SIG_ERR, 0);
    guest_join(guest_start(body, NULL));
    CHECK(unlink(data_name) == 0 && unlink(log_name) == 0 && rmdir(folder) == 0);
    return guest_success();
}
