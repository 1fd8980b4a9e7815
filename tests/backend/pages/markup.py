"""A reader of HTML that notes what is wrong with it: nesting, ids, labels, names, inline code."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

EMPTY = frozenset({"meta", "link", "input", "img", "br", "hr", "use"})
NAMED_BY_CONTENT = frozenset({"a", "button", "summary"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Markup:
    """What was found in one page."""

    elements: list[Element] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    @property
    def ids(self) -> list[str]:
        return [element.attributes["id"] or "" for element in self.elements if "id" in element.attributes]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.markup = Markup()
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.markup.problems.append(f"<{tag}> has an attribute twice: {names}")
        element = Element(tag, dict(attrs))
        self.markup.elements.append(element)
        if tag not in EMPTY:
            self.open.append(element)
        # An image's or sign's words name the link or button around it.
        for outer in self.open:
            outer.text += element.attributes.get("alt") or element.attributes.get("aria-label") or ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1].tag != tag:
            inside = [element.tag for element in self.open[-3:]]
            self.markup.problems.append(f"</{tag}> closes nothing; open are {inside} at {self.getpos()}")
            return
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.markup.text += data
        for element in self.open:
            element.text += data


def read(html: str) -> Markup:
    """Parse and check one page or part."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    markup = reader.markup
    markup.problems += [f"<{element.tag}> is never closed" for element in reader.open]
    _check_names(markup)
    _check_code(markup)
    return markup


def _check_names(markup: Markup) -> None:
    doubled = {one for one in markup.ids if markup.ids.count(one) > 1}
    if doubled:
        markup.problems.append(f"ids used twice: {doubled}")
    labelled = {element.attributes.get("for") for element in markup.all("label")}
    wrapped = [element.text for element in markup.all("label")]
    for element in markup.elements:
        own = element.attributes
        typed = element.tag in {"select", "input"} and own.get("type") not in {"hidden", "checkbox"}
        if typed and "hidden" not in own and own.get("id") not in labelled:
            markup.problems.append(f"<{element.tag} name={own.get('name')}> has no label")
        if own.get("type") == "checkbox" and not any(text.strip() for text in wrapped):
            markup.problems.append("a checkbox has no label")
        if element.tag == "img" and "alt" not in own:
            markup.problems.append("<img> without alt")
        if element.tag in NAMED_BY_CONTENT and not (element.text.strip() or own.get("aria-label")):
            markup.problems.append(f"<{element.tag} {own}> has no name")
        for reference in ("aria-labelledby", "aria-describedby", "aria-controls"):
            if own.get(reference) and own[reference] not in markup.ids:
                markup.problems.append(f"{reference}={own[reference]} points at nothing")


def _check_code(markup: Markup) -> None:
    for element in markup.elements:
        if element.tag == "style" or "style" in element.attributes:
            markup.problems.append(f"inline style at <{element.tag}>")
        if element.tag == "script" and element.text.strip():
            markup.problems.append("inline script")
        handlers = [name for name in element.attributes if name.startswith("on")]
        if handlers:
            markup.problems.append(f"inline handlers {handlers} at <{element.tag}>")
        for name in ("href", "src", "action"):
            value = element.attributes.get(name) or ""
            if value.startswith("javascript:"):
                markup.problems.append(f"{name}={value}")
