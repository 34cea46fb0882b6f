"""The data page says which chapters use a data set; the notebooks know."""

import re

from chapters import CHAPTERS

PAGE = (CHAPTERS / "data.md").read_text(encoding="utf-8")


def rows(*columns):
    """The rows of the table whose head ends with `columns`, by the name of the data set."""
    table = PAGE.split(f"| {' | '.join(columns)} |\n")[1].split("\n\n")[0].splitlines()[1:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {row[0]: row for row in cells}


def test_the_data_page_knows_where_each_data_set_is_used():
    loaders = {name: row[1].strip("`") for name, row in rows("loader", "one row is", "N × D", "units").items()}
    said = {name: row[-1] for name, row in rows("licence", "used in chapter").items()}
    assert said.keys() == loaders.keys()
    for name, loader in loaders.items():
        users = [path for path in sorted(CHAPTERS.glob("*.ipynb")) if f"{loader}(" in path.read_text(encoding="utf-8")]
        numbers = ", ".join(dict.fromkeys(str(int(path.stem[:2])) for path in users))
        if numbers:
            assert said[name] == numbers, f"data.md: {name} is used in chapter {numbers}"
        else:
            assert re.match(r"later: \w", said[name]), f"data.md: {name} is used nowhere yet; say `later:` and for what"
