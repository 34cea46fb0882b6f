"""`make collect`: the zip that Moodle or Canvas gives, and a roster, sorted into one submission for each student.

A student is known by an id, or a name, in the file's or folder's name. What a notebook is called does not matter; of
several by one student the newest of this chapter counts. Nothing is thrown away: what is not used is kept aside.
"""

import csv
import io
import re
import unicodedata
import zipfile
from pathlib import Path, PurePosixPath

from . import rebuild
from .course import KitError, new_folder, safe_id, write
from .page import load

EARLIER = "what was collected before"
LARGEST = 50_000_000  # bytes of one unpacked file
IDS = ("id", "student id", "student_id", "id number", "sis user id", "sis login id", "username", "matriculation")
NAMES = ("name", "student", "full name", "fullname", "student name")
FIRST, LAST = ("first name", "firstname", "given name"), ("last name", "lastname", "surname", "family name")


# --- the roster --------------------------------------------------------------------------------


def roster(path):
    """id -> (every other id of the student, name), from a CSV in any usual encoding."""
    try:
        data = Path(path).read_bytes()
    except OSError as err:
        raise KitError(f"the roster {path} cannot be read: {err.strerror}") from err
    text = decoded(data)
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter(text)) if any(row)]
    if not rows:
        raise KitError(f"the roster {path} is empty")
    head = [cell.strip().lower() for cell in rows[0]]
    id_columns = [n for n, name in enumerate(head) if name in IDS]
    if not id_columns:
        raise KitError(f"the roster {path} has no column of ids; call one `id` (its columns: {', '.join(head)})")
    name = [n for n, title in enumerate(head) if title in NAMES][:1]
    name = name or [n for n, title in enumerate(head) if title in FIRST + LAST]
    found = {}
    for line, row in enumerate(rows[1:], 2):
        row = [cell.strip() for cell in row] + [""] * (len(head) - len(row))
        ids = [row[n] for n in id_columns if row[n]]
        if not ids:
            continue
        if not safe_id(ids[0]):
            raise KitError(f"line {line} of the roster: the id {ids[0]!r} has more than letters, digits and @.+-_")
        if ids[0].casefold() in {known.casefold() for known in found}:
            raise KitError(f"line {line} of the roster: the id {ids[0]} stands there twice")
        found[ids[0]] = ids, " ".join(row[n] for n in name)
    if not found:
        raise KitError(f"the roster {path} names nobody")
    return found


def decoded(data):
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        if encoding == "utf-16" and data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            continue
        try:
            return data.decode(encoding)
        except UnicodeError:
            continue
    return data.decode("latin-1")


def delimiter(text):
    head = text.splitlines()[0] if text else ""
    return max(",;\t", key=head.count)


# --- whose is it -------------------------------------------------------------------------------


def letters(text):
    """Names as an LMS spells them in a file's name: no accents, no order, no case."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(sorted(re.sub(r"[^a-z]", "", plain.lower())))


def owner(name, people):
    """The id of the student whose file `name` is, or None when nobody's or more than one's."""
    path = PurePosixPath(name)
    for text in (*path.parts[:-1], path.name):
        tokens = {token.casefold() for token in re.split(r"[_\s/()]+", text.removesuffix(".ipynb")) if token}
        by_id = [who for who, (ids, _) in people.items() if tokens & {known.casefold() for known in ids}]
        if len(by_id) == 1:
            return by_id[0]
    for text in (*path.parts[:-1], path.name):
        first = letters(text.partition("_")[0])
        by_name = [who for who, (_, called) in people.items() if called and letters(called) == first]
        if len(by_name) == 1:
            return by_name[0]
    return None


# --- the zip -----------------------------------------------------------------------------------


def members(path):
    """(name, date, bytes) of each file in a zip, and of each file in a zip in it."""
    try:
        with zipfile.ZipFile(path) as packed:
            infos = [info for info in packed.infolist() if not info.is_dir()]
            if not infos:
                raise KitError(f"{Path(path).name} is an empty zip")
            for info in infos:
                outside(info.filename, path)
                if info.file_size > LARGEST:
                    raise KitError(f"{info.filename} in {Path(path).name} is larger than 50 MB unpacked")
            for info in infos:
                yield from unpacked(info.filename, info.date_time, packed.read(info))
    except OSError as err:
        raise KitError(f"{path} cannot be read: {err.strerror or err}") from err
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, ValueError) as err:
        raise KitError(f"{Path(path).name} is not a zip that can be opened; download it anew ({err})") from err
    except Exception as err:
        if type(err).__module__ == "zlib":
            raise KitError(f"{Path(path).name} is damaged; download it anew ({err})") from err
        raise


def outside(name, path):
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if ".." in parts or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        raise KitError(f"{Path(path).name} has a path that leads out of it, {name!r}; nothing was unpacked")


def unpacked(name, date, data):
    hidden = any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)
    if hidden or name.endswith("onlinetext.html"):
        return
    if name.lower().endswith(".zip"):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as inner:
                for info in inner.infolist():
                    outside(info.filename, name)
                    if not info.is_dir() and info.file_size <= LARGEST and info.filename.lower().endswith(".ipynb"):
                        if not any(p.startswith((".", "__MACOSX")) for p in PurePosixPath(info.filename).parts):
                            yield f"{name}/{info.filename}", info.date_time, inner.read(info)
            return
        except KitError:
            raise
        except Exception:  # then it is what was handed in
            pass
    yield name, date, data


# --- sorting -----------------------------------------------------------------------------------


def collect(course, chapter, zips, roster_path):
    """Sort the files of `zips`; return lines that say what was found."""
    page = load(chapter)
    if not course.of("source", page.assignment).exists():
        raise KitError(f"chapter {page.assignment} was not handed out; run `make assign CH={chapter}` first")
    people, theirs, aside, said = roster(roster_path), {}, [], []
    for path in zips:
        for name, date, data in members(path):
            who = owner(name, people)
            if who is None:
                aside.append((name, data))
                said.append(f"aside: {name}, nobody's on the roster")
            else:
                theirs.setdefault(who, []).append((date, name, data))
    before = course.of("received", page.assignment)
    kept, dates, put_aside = earlier(before)
    chosen = {}
    for who, files in sorted(theirs.items()):
        if who in kept and kept[who] not in [data for *_, data in files]:
            files.append((dates.get(who, ()), EARLIER, kept[who]))
        ranked = []
        for date, name, data in sorted(files):
            kind, why = what_is_it(data, page)
            if kind == "other":
                said.append(f"aside: {name} of {who}, {why}")
                aside.append((f"{who}_{PurePosixPath(name).name}", data))
            else:
                # Of equal dates the last download counts.
                ranked.append((kind == "page", date, name != EARLIER, name, data))
        if ranked:
            ranked.sort(key=lambda entry: entry[:4])
            chosen[who], dates[who] = ranked[-1][4], ranked[-1][1]
            for *_, name, data in ranked[:-1]:
                said.append(f"aside: {name} of {who}, another of theirs counts")
                aside.append((f"{who}_{PurePosixPath(name).name}", data))
    # What was collected before stays where nothing newer came, and what was put aside stays under its number.
    new = [(name, data) for name, data in aside if data not in put_aside.values()]
    first = max([int(name.partition("_")[0]) for name in put_aside], default=-1) + 1
    with new_folder(before) as folder:
        for who, data in (kept | chosen).items():
            write(folder / f"{who}.ipynb", data)
        for name, data in put_aside.items():
            write(folder / "aside" / name, data)
        for number, (name, data) in enumerate(new, first):
            plain = re.sub(r"[^\w.-]", "_", name)[-80:]
            write(folder / "aside" / f"{number:03d}_{plain}", data)
        rows = [[who, name, written(dates.get(who))] for who, (_, name) in people.items()]
        write(folder / "roster.csv", csv_text([["id", "name", "handed in"], *rows]))
    return [*said, f"{len(chosen)} of {len(people)} students handed something in; {len(aside)} files were put aside"]


def earlier(before):
    """What an earlier download left: id -> notebook, id -> its date, name -> what was put aside."""
    kept = {path.stem: path.read_bytes() for path in before.glob("*.ipynb")}
    put_aside = {path.name: path.read_bytes() for path in (before / "aside").glob("*")}
    dates = {}
    if (before / "roster.csv").exists():
        with open(before / "roster.csv", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                dates[row["id"]] = tuple(map(int, re.findall(r"\d+", row.get("handed in") or "")))
    return kept, dates, put_aside


def written(date):
    """A zip's date as text; nothing where there is none."""
    return "{:04d}-{:02d}-{:02d} {:02d}:{:02d}:{:02d}".format(*date) if date else ""


def what_is_it(data, page):
    """("page" | "unreadable" | "other", why)."""
    try:
        nb = rebuild.parse(data)
    except rebuild.Unreadable as err:
        return "unreadable", str(err)
    ours = rebuild.likeness(nb, page)
    others = [load(path.stem) for path in sorted(page.path.parent.glob("*_exercises.ipynb")) if path != page.path]
    best = max(others, key=lambda other: rebuild.likeness(nb, other))
    if rebuild.likeness(nb, best) > ours:
        return "other", f"a submission for chapter {best.assignment}"
    return "page", ""


def csv_text(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
