"""What the pages weigh, and what Lighthouse says of them, as a table in Markdown.

    .venv/bin/python tools/site/measure.py [--lighthouse] [SITE]

A page's weight is that of every file a browser asks for until the reader has come to
the end of it, as it lies on disk and gzipped as most hosts send it. Lighthouse plays a
phone of the middle class; its scores mean something on a quiet machine only.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlparse

ROOT = Path(__file__).resolve().parents[2]
LIGHTHOUSE = "lighthouse@13.5.0"
CATEGORIES = ["performance", "accessibility", "best-practices", "seo"]
PACKED = {".html", ".css", ".js", ".json", ".svg", ".txt", ".xml"}


@cache
def sizes(path):
    """Bytes of one file: as it lies there, and as it is sent."""
    content = path.read_bytes()
    return len(content), len(gzip.compress(content, 6)) if path.suffix in PACKED else len(content)


def weigh(site, urls):
    """Bytes of what these addresses of the site bring: raw, gzipped."""
    paths = {Path(site) / unquote(urlparse(url).path).lstrip("/") for url in urls}
    raw, packed = zip(*(sizes(path) for path in paths), strict=True)
    return sum(raw), sum(packed)


class Packing(SimpleHTTPRequestHandler):
    """Sends text gzipped, as hosts do."""

    def log_message(self, *args):
        pass

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if path.suffix not in PACKED or not path.is_file():
            return super().do_GET()
        content = gzip.compress(path.read_bytes(), 6)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def served(folder):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Packing, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def asked_for(browser, url):
    """The addresses a page asks for, pictures far down included."""
    urls = set()
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("request", lambda request: urls.add(request.url) if request.url.startswith("http") else None)
    page.goto(url, wait_until="networkidle")
    page.evaluate("document.querySelectorAll('img[loading=lazy]').forEach(i => i.loading = 'eager')")
    page.wait_for_load_state("networkidle")
    page.close()
    return urls


def lighthouse(url, chromium, flags):
    """Scores from 0 to 100 in the four categories, on a phone."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = ["npx", "--yes", LIGHTHOUSE, url, "--quiet", "--output=json", f"--output-path={report}"]
        command += [f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags=--headless=new {' '.join(flags)}"]
        subprocess.run(command, check=True, cwd=folder, env=os.environ | {"CHROME_PATH": chromium})
        found = json.loads(report.read_text(encoding="utf-8"))["categories"]
    return [round(100 * found[name]["score"]) for name in CATEGORIES]


def main():
    sys.path.insert(0, str(ROOT / "tests" / "site"))
    from browser import FLAGS, MISSING, find
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", nargs="?", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--lighthouse", action="store_true", help=f"run {LIGHTHOUSE} on every page too (by npx)")
    parser.add_argument("--pages", nargs="+", help="only these, as in `intro chapters/notation`")
    options = parser.parse_args()
    chromium = find() or sys.exit(MISSING)
    if options.lighthouse and not shutil.which("npx"):
        sys.exit("Lighthouse needs npx: install node, or leave --lighthouse out.")
    from visit import pages

    names = options.pages or [p.relative_to(options.site).with_suffix("").as_posix() for p in pages(options.site)]
    head = ["page", "requests", "raw kB", "gzipped kB"]
    if options.lighthouse:
        head += [name.replace("-", " ") for name in CATEGORIES]
    print("| " + " | ".join(head) + " |")
    print("|---|" + "--:|" * (len(head) - 1))
    with served(options.site) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for name in names:
            url = f"{address}{name}.html"
            urls = asked_for(browser, url)
            row = [name, len(urls), *(f"{size / 1000:,.0f}" for size in weigh(options.site, urls))]
            if options.lighthouse:
                row += lighthouse(url, chromium, FLAGS)
            print("| " + " | ".join(map(str, row)) + " |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
