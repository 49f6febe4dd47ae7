#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The server on gevent: a greenlet for each connection. (The first line names the python3 that has Debian's gevent.)"""

import argparse
import socket

from gevent.server import StreamServer

INPUT_SIZE = 8192
BAD = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def next_reply(data):
    """The reply to what stands at the start of data, the bytes it answers (0: not whole yet), and whether to hang up."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return (b"", 0, False) if len(data) < INPUT_SIZE else (BAD, len(data), True)
    first, *lines = data[:end].split(b"\r\n")
    if len(first) < len("G / HTTP/1.1") or first[-9:-1] != b" HTTP/1.":
        return BAD, len(data), True
    last = first[-1:] == b"0"
    size = end + 4
    for line in lines:
        line = line.lower()
        if line.startswith(b"content-length:"):
            digits = line[len(b"content-length:"):].strip()
            size += int(digits) if digits.isdigit() else 0
        elif line.startswith(b"connection: close"):
            last = True
        elif line.startswith(b"connection: keep-alive"):
            last = False
    if size > INPUT_SIZE:
        return BAD, len(data), True
    if size > len(data):
        return b"", 0, False
    return head if data.startswith(b"HEAD ") else response, size, last


def serve(connection, _):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    data = b""
    with connection:
        while received := connection.recv(INPUT_SIZE - len(data)):
            data += received
            while data:
                reply, answered, last = next_reply(data)
                if not answered:
                    break
                connection.sendall(reply)
                if last:
                    return
                data = data[answered:]


def echo(connection, _):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        while data := connection.recv(INPUT_SIZE):
            connection.sendall(data)


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--body", type=int, default=1024)
parser.add_argument("--echo", action="store_true")
options = parser.parse_args()
head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {options.body}\r\n\r\n".encode()
response = head + bytes(ord("a") + i % 26 for i in range(options.body))
server = StreamServer(("127.0.0.1", options.port), echo if options.echo else serve, backlog=65535)
server.start()
print(f"listening on {server.server_port}", flush=True)
server.serve_forever()
