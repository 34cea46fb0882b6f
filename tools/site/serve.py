"""Show the built book on this machine only, until Ctrl-C."""

import errno
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SITE = Path(__file__).resolve().parents[2] / "_build" / "html"


def main(port):
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(SimpleHTTPRequestHandler, directory=str(SITE)))
    except PermissionError:
        sys.exit(f"Port {port} is not for everybody to use; take a higher one, as in: make serve PORT=8000")
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"Port {port} is in use; take another one, as in: make serve PORT={8001 if port == 8000 else 8000}")
    with server:
        print(f"The book is at http://localhost:{port} until you press Ctrl-C", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main(int(sys.argv[1]))
