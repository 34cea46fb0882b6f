"""The shell of every explorer: state, JavaScript, and what a page shows without it."""

import html
import json
import re
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from gmmlib.explorers._fallback import fallback

HERE = Path(__file__).parent


def finite(name, value, shape=()):
    """Return `value` as floats of `shape` (None: any length), or say what is wrong.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array_like
        What the caller gave.
    shape : tuple
        Expected shape, None where any length will do.

    Returns
    -------
    ndarray or float
        A float when `shape` is ().

    Raises
    ------
    ValueError
        If `value` is not numeric, not finite or not of that shape.
    """
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError) as err:
        raise ValueError(f"{name} must be numeric, got {value!r}") from err
    fits = array.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
    if not fits:
        want = tuple("any" if n is None else n for n in shape)
        raise ValueError(f"{name} must have shape {want}, got {array.shape}".replace("'", ""))
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must be finite")
    return array if shape else float(array)


def bundle(name):
    """Return the explorer `name` as one ES module, its two helpers pasted in front.

    Parameters
    ----------
    name : str
        Name of the explorer and of its file.

    Returns
    -------
    str
        A module without imports: what a widget can carry.
    """
    helpers = [(HERE / f"{part}.js").read_text(encoding="utf-8") for part in ("maths", "draw")]
    helpers = [re.sub(r"^export ", "", text, flags=re.MULTILINE) for text in helpers]
    module = (HERE / f"{name}.js").read_text(encoding="utf-8")
    return "\n".join([*helpers, re.sub(r"^import [^;]*;\n", "", module, flags=re.MULTILINE)])


def _plain(value):
    """Arrays and floats with five significant digits: light enough for a page."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(item) for item in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


class Explorer(anywidget.AnyWidget):
    """One interactive figure: a widget in a notebook, a plain element on a page.

    Parameters
    ----------
    name : str
        Which explorer; a file of that name stands beside this one.
    state : dict
        Where it starts. Numbers are kept to five significant digits.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, name, state):
        self.name, self.start = name, _plain(state)
        super().__init__(_esm=bundle(name), state=self.start)

    def html(self):
        """Return the element that `mount.js` brings to life, with what shows until then.

        Returns
        -------
        str
            The same bytes at every call: it holds the start, not the play.
        """
        packed = json.dumps(self.start, separators=(",", ":"), allow_nan=False)
        return (
            f'<div class="gmm-explorer" data-explorer="{self.name}" '
            f'data-state="{html.escape(packed)}">{fallback(self.name, self.start)}</div>'
        )

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        plain = f"Interactive figure: gmmlib.explorers.{self.name}"
        return data | {"text/plain": plain, "text/html": self.html()}, metadata
