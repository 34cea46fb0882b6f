"""What students hand in: made from the student's notebook and the page's own solutions."""

import copy
import io
import json
import zipfile

import nbformat

from instructor.kit import page, variants
from student import part, solved

CHAPTER = "09"


def solutions(of):
    """grade_id -> the source of the solution."""
    return {
        page.grade_id(cell): solved(cell.source) if part(cell) == "answer" else "An answer in three sentences."
        for cell in of.nb.cells
        if part(cell) in ("answer", "essay")
    }


def answered(of, answers):
    """The student's notebook of the page with `answers`: grade_id -> source."""
    nb = of.student()
    for cell in nb.cells:
        cell.source = answers.get(page.grade_id(cell), cell.source)
    return nb


def cell_of(nb, grade_id):
    return next(cell for cell in nb.cells if page.grade_id(cell) == grade_id)


def text(nb):
    nb.nbformat, nb.nbformat_minor = 4, 5
    return nbformat.v4.writes(nb)


def as_colab(nb):
    """As Colab saves: no ids of cells, one in the metadata, `outputId`, its own metadata, minor version 0."""
    raw = json.loads(text(nb))
    raw["nbformat_minor"] = 0
    raw["metadata"] = {"colab": {"provenance": []}, "kernelspec": raw["metadata"]["kernelspec"]}
    for number, cell in enumerate(raw["cells"]):
        cell.pop("id")
        cell["metadata"] = {**cell["metadata"], "id": f"aB{number}", "colab": {"base_uri": "https://localhost:8080/"}}
        if cell["cell_type"] == "code":
            cell["metadata"]["outputId"] = "5e0c"
    return json.dumps(raw, indent=0)


def as_vscode(nb):
    """As VS Code saves: lines end as on Windows, ids and language of its own, indented by one."""
    raw = json.loads(text(nb))
    raw["metadata"] |= {"language_info": {"name": "python", "version": "3.12.1"}, "orig_nbformat": 4}
    for number, cell in enumerate(raw["cells"]):
        cell["id"] = f"{number:08x}"
        cell["metadata"]["vscode"] = {"languageId": "python"}
        cell["source"] = [line.replace("\n", "\r\n") for line in cell["source"]]
    return json.dumps(raw, indent=1)


def without_metadata(nb):
    """As a program saves that drops what it does not know."""
    nb = copy.deepcopy(nb)
    for cell in nb.cells:
        cell.metadata = nbformat.NotebookNode()
    return text(nb)


def moodle(files):
    """The zip that Moodle gives: files is id -> (name in the folder, content)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for who, (name, content) in files.items():
            made.writestr(f"Some Body_{who}_assignsubmission_file_/{name}", content)
    return packed.getvalue()


def roster(ids):
    return "id,name\n" + "".join(f"{who},Somebody {number}\n" for number, who in enumerate(ids))


def the_page(chapter=CHAPTER, seed=0):
    return variants.page(chapter, seed)
