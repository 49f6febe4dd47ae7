# SPDX-License-Identifier: MIT
"""The HTTP server behind the proxies: one process, one thread, epoll.

usage: origin.py FOLDER [PORT]

Serves the files of FOLDER, one request a connection, and prints `listening on PORT`; without one, a port of its own choice.
It does nothing but that, so that what a test finds wrong is wrong in the program between it and the client.
"""
import os
import selectors
import socket
import sys

REQUEST_MAX = 65536


class Connection:
    def __init__(self, origin, connection):
        self.origin, self.socket = origin, connection
        self.request = b""
        self.header = memoryview(b"")
        self.file, self.offset, self.size = -1, 0, 0

    def close(self):
        self.origin.selector.unregister(self.socket)
        self.socket.close()

    def read(self):
        data = self.socket.recv(REQUEST_MAX)
        self.request += data
        if not data or len(self.request) > REQUEST_MAX:
            self.close()
        elif b"\r\n\r\n" in self.request:
            self.answer()

    def answer(self):
        words = self.request.split(b"\r\n", 1)[0].split(b" ")
        name = words[1].lstrip(b"/").decode() if len(words) == 3 and words[0] == b"GET" else ""
        status = "404 Not Found"
        if name in self.origin.files:
            status = "200 OK"
            self.file, self.size = self.origin.files[name]
        self.header = memoryview(f"HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\n"
                                 f"Content-Length: {self.size}\r\nConnection: close\r\n\r\n".encode())
        self.origin.selector.modify(self.socket, selectors.EVENT_WRITE, self.write)
        self.write()

    def write(self):
        while self.header:
            self.header = self.header[self.socket.send(self.header):]
        while self.offset < self.size:
            self.offset += os.sendfile(self.socket.fileno(), self.file, self.offset, self.size - self.offset)
        self.close()


class Origin:
    def __init__(self, folder, port):
        self.files = {}
        for name in os.listdir(folder):
            file = os.open(os.path.join(folder, name), os.O_RDONLY)
            self.files[name] = file, os.fstat(file).st_size
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)

    def accept(self):
        connection = self.listener.accept()[0]
        connection.setblocking(False)
        self.selector.register(connection, selectors.EVENT_READ, Connection(self, connection).read)

    def serve(self):
        print("listening on", self.listener.getsockname()[1], flush=True)
        while True:
            for key, _ in self.selector.select():
                try:
                    key.data()
                except BlockingIOError:
                    pass
                except (ConnectionError, OSError):
                    key.data.__self__.close()


if len(sys.argv) not in (2, 3):
    sys.exit(__doc__)
Origin(sys.argv[1], int((sys.argv + [0])[2])).serve()
