// SPDX-License-Identifier: MIT
/*
 * microhttpd_server: the files of a folder, by libmicrohttpd with a thread for each connection.
 *
 *     microhttpd_server PORT FOLDER
 *
 * It listens on the loopback address and ends at SIGTERM.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int folder;

static enum MHD_Result answer(void *argument, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data, size_t *size,
                              void **state)
{
    (void)argument, (void)version, (void)data, (void)size, (void)state;
    struct stat status;
    int fd =
        strcmp(method, "GET") == 0 && !strstr(url, "..") ? openat(folder, url + 1, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        if (fd >= 0)
            close(fd);
        struct MHD_Response *missing = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
        enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_NOT_FOUND, missing);
        MHD_destroy_response(missing);
        return result;
    }
    struct MHD_Response *response = MHD_create_response_from_fd((uint64_t)status.st_size, fd);
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

int main(int argc, char **argv)
{
    if (argc != 3 || (folder = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        fprintf(stderr, "usage: microhttpd_server PORT FOLDER\n");
        return 2;
    }
    sigset_t end;
    int number;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, NULL);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, answer,
        NULL, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT, 8000u,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096u, MHD_OPTION_END);
    if (!daemon) {
        fprintf(stderr, "microhttpd_server: cannot listen on port %s\n", argv[1]);
        return 1;
    }
    sigwait(&end, &number);
    MHD_stop_daemon(daemon);
    return 0;
}
