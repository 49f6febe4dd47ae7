// SPDX-License-Identifier: MIT

// The server in Go: a goroutine for each connection. (net/http would do more for each request than the others.)
package main

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
)

const inputSize = 8192

var (
	echo           = flag.Bool("echo", false, "send back what comes")
	bad            = []byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	response, head []byte
)

func hasPrefixFold(line []byte, prefix string) bool {
	return len(line) >= len(prefix) && bytes.EqualFold(line[:len(prefix)], []byte(prefix))
}

// The reply to what stands at the start of input, and the bytes it answers: 0 when the request is not whole yet.
func nextReply(input []byte) (reply []byte, answered int, last bool) {
	if *echo || len(input) == 0 {
		return input, len(input), false
	}
	end := bytes.Index(input, []byte("\r\n\r\n"))
	if end < 0 && len(input) < inputSize {
		return nil, 0, false
	}
	if end < 0 {
		return bad, len(input), true
	}
	text := input[:end+2]
	next := bytes.Index(text, []byte("\r\n"))
	if next < len("G / HTTP/1.1") || string(text[next-9:next-1]) != " HTTP/1." {
		return bad, len(input), true
	}
	last = text[next-1] == '0'
	body := 0
	for text = text[next+2:]; len(text) > 0; text = text[next+2:] {
		next = bytes.Index(text, []byte("\r\n"))
		line := text[:next]
		if hasPrefixFold(line, "Content-Length:") {
			body, _ = strconv.Atoi(string(bytes.TrimSpace(line[len("Content-Length:"):])))
		} else if hasPrefixFold(line, "Connection: close") {
			last = true
		} else if hasPrefixFold(line, "Connection: keep-alive") {
			last = false
		}
	}
	size := end + 4 + body
	if body < 0 || size > inputSize {
		return bad, len(input), true
	}
	if size > len(input) {
		return nil, 0, false
	}
	if bytes.HasPrefix(input, []byte("HEAD ")) {
		return head, size, last
	}
	return response, size, last
}

func serve(connection net.Conn) {
	defer connection.Close()
	input := make([]byte, inputSize)
	used := 0
	for {
		size, err := connection.Read(input[used:])
		if err != nil {
			return
		}
		used += size
		done := 0
		for {
			reply, answered, last := nextReply(input[done:used])
			if answered == 0 {
				break
			}
			if _, err := connection.Write(reply); err != nil || last {
				return
			}
			done += answered
		}
		used = copy(input, input[done:used])
	}
}

func main() {
	port := flag.Int("port", 0, "")
	body := flag.Int("body", 1024, "")
	flag.Parse()
	head = []byte(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", *body))
	response = append([]byte{}, head...)
	for i := 0; i < *body; i++ {
		response = append(response, byte('a'+i%26))
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening on", listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go serve(connection)
	}
}
