"""The view as one HTML document that loads nothing from anywhere."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, select_autoescape

from personalizer.daemon.page.facts import View
from personalizer.words import count, how_far, spoken_duration

__all__ = ["render"]


def render(view: View, nonce: str, csp: str = "") -> str:
    """The page.

    Args:
        view: What it shows.
        nonce: Of its one style sheet and its one script; no other runs.
        csp: Content security policy for where no header can carry it, as in an editor's panel.
    """
    page = _templates().get_template("page.html")
    return page.render(view=view, nonce=nonce, csp=csp, css=_part("page.css"), js=_part("page.js"))


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("personalizer.daemon.page"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["how_far"] = how_far
    made.filters |= {
        "duration": spoken_duration,
        "moment": moment,
        "count": count,
        "sentence": sentence,
    }
    return made


@cache
def _part(name: str) -> str:
    return files("personalizer.daemon.page").joinpath("templates", name).read_text("utf-8")


def sentence(text: str) -> str:
    """With a capital and a full stop.

    Example:
        >>> sentence("all 99 pairs are as trained on")
        'All 99 pairs are as trained on.'
    """
    return f"{text[:1].upper()}{text[1:]}."


def moment(iso: str) -> str:
    """An ISO time to the minute.

    Example:
        >>> moment("2026-11-21T00:39:00+00:00")
        '2026-11-21 00:39 UTC'
    """
    return f"{iso[:10]} {iso[11:16]} UTC"
