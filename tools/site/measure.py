"""What the pages weigh, and what Lighthouse says of them, as a table in Markdown.

    .venv/bin/python tools/site/measure.py [--lighthouse] [--write] [SITE]

A page's weight is that of every file a browser asks for until the reader has come to
the end of it, as it lies on disk and gzipped as most hosts send it. Lighthouse plays a
phone of the middle class, three times, and the median counts; its scores for performance
mean something on a quiet machine only, so the table says how busy it was.
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
import time
from contextlib import contextmanager
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median_low
from urllib.parse import unquote, urlparse

ROOT = Path(__file__).resolve().parents[2]
LIGHTHOUSE = "lighthouse@13.5.0"
CATEGORIES = ["performance", "accessibility", "best-practices", "seo"]
TABLE = ROOT / "benchmarks" / "site.md"
# Raw and gzipped kB of the pages as the theme made them, before this folder's tools took things out.
BEFORE = {
    "intro": (3651, 1142),
    "chapters/05_mixtures": (4547, 1850),
    "chapters/06_responsibilities": (4182, 1510),
    "chapters/09_em_gaussian_mixtures": (4552, 1853),
    "chapters/notation": (3791, 1268),
}
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


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A browser that hangs up in the middle of a file, as Lighthouse does, is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def served(folder):
    server = Server(("127.0.0.1", 0), partial(Packing, directory=str(folder)))
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


def table(rows, scored):
    """Rows of (page, requests, raw, gzipped, scores) in Markdown, with what the pages weighed before."""
    head = ["page", "requests", "raw kB", "gzipped kB", "raw before", "gzipped before"]
    head += [name.replace("-", " ") for name in CATEGORIES] * scored
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    for name, requests, raw, packed, scores in rows:
        before = [f"{size:,}" for size in BEFORE.get(name, ())] or ["–", "–"]
        cells = [name, requests, f"{raw / 1000:,.0f}", f"{packed / 1000:,.0f}", *before, *scores]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def said(scored, runs, load):
    """What a reader must know of the figures."""
    text = "Weight: every file a browser asks for until the reader has come to the end of the page.\n"
    if scored:
        text += f"Scores: {LIGHTHOUSE}, a phone, median of {runs}, with {os.cpu_count()} cores "
        text += f"and a load of {min(load):.1f} to {max(load):.1f} (of one minute) before the runs.\n"
        text += "A score for performance that was taken under load says too little.\n" * (max(load) > 1)
    return f"<!-- Made by `make measure`. -->\n\n{text}\n"


def main():
    sys.path.insert(0, str(ROOT / "tests" / "site"))
    from browser import FLAGS, MISSING, find
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", nargs="?", type=Path, default=ROOT / "_build" / "html")
    parser.add_argument("--lighthouse", action="store_true", help=f"run {LIGHTHOUSE} on every page too (by npx)")
    parser.add_argument("--runs", type=int, default=3, help="runs of Lighthouse a page, of which the median counts")
    parser.add_argument("--pages", nargs="+", help="only these, as in `intro chapters/notation`")
    parser.add_argument("--write", action="store_true", help=f"write the table to {TABLE.relative_to(ROOT)}")
    options = parser.parse_args()
    chromium = find() or sys.exit(MISSING)
    if options.lighthouse and not shutil.which("npx"):
        sys.exit("Lighthouse needs npx: install node, or leave --lighthouse out.")
    from visit import pages

    names = options.pages or [p.relative_to(options.site).with_suffix("").as_posix() for p in pages(options.site)]
    rows, load = [], []
    with served(options.site) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        weights = {name: asked_for(browser, f"{address}{name}.html") for name in names}
        browser.close()
        for name, urls in weights.items():
            scores = []
            for _ in range(options.runs * options.lighthouse):
                load.append(os.getloadavg()[0])
                scores.append(lighthouse(f"{address}{name}.html", chromium, FLAGS))
            rows.append((name, len(urls), *weigh(options.site, urls), [*map(median_low, zip(*scores, strict=True))]))
            print(f"{time.strftime('%H:%M:%S')} {name} {rows[-1][1:]}", file=sys.stderr, flush=True)
    made = said(options.lighthouse, options.runs, load) + table(rows, options.lighthouse)
    if options.write:
        TABLE.write_text(made, encoding="utf-8")
    print(made, end="")


if __name__ == "__main__":
    main()
