"""A proxy on loopback that writes down what it was asked for: CONNECT for TLS, absolute addresses for the rest.

Whatever host is asked for, it connects to the one address it was given: the tests have no network. It prints its port,
writes a line `METHOD TARGET` for each request into its journal, and ends when its standard input does.
"""

import argparse
import os
import socket
import sys
import threading


def head_of(client):
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(65536)
        if not piece:
            return None
        head += piece
    return head


def copy(source, sink):
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client, upstream, journal):
    with client:
        head = head_of(client)
        if head is None:
            return
        line, rest = head.split(b"\r\n", 1)
        method, target, _ = line.decode().split(" ")
        journal.write(f"{method} {target}\n")
        journal.flush()
        with socket.create_connection(upstream) as server:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = "/" + target.split("://", 1)[1].partition("/")[2]
                # One request a connection: what follows would have an absolute address again.
                server.sendall(f"{method} {path} HTTP/1.1\r\nConnection: close\r\n".encode() + rest)
            back = threading.Thread(target=copy, args=(server, client), daemon=True)
            back.start()
            if method == "CONNECT":
                copy(client, server)
            else:
                threading.Thread(target=copy, args=(client, server), daemon=True).start()
            back.join()


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--upstream", required=True, help="HOST:PORT")
    options.add_argument("--journal", required=True)
    chosen = options.parse_args()
    host, port = chosen.upstream.split(":")
    journal = open(chosen.journal, "w", encoding="utf-8")
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def leave_with_parent():
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=leave_with_parent, daemon=True).start()
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, (host, int(port)), journal), daemon=True).start()


if __name__ == "__main__":
    main()
