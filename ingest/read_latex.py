"""LaTeX source as light Markdown: sections as headings, equations as they are written.

What is not here: files that are included by \\input, and macros of the author's own, which are read
as the text in them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ingest.errors import NotesError
from ingest.read_text import decoded
from ingest.rows import rows

_SECTIONS = {
    "part": 1, "chapter": 1, "title": 1, "section": 2, "subsection": 3, "frametitle": 3,
    "subsubsection": 4, "paragraph": 5, "subparagraph": 6,
}  # fmt: skip
_MATHS = frozenset(
    "equation align gather multline eqnarray displaymath alignat flalign math dmath subequations".split()
)
_CODE = frozenset("verbatim lstlisting minted Verbatim alltt".split())
_LISTS = frozenset("itemize enumerate description compactitem compactenum".split())
_SILENT = frozenset(
    "label includegraphics vspace hspace usepackage documentclass bibliography bibliographystyle centering"
    " maketitle tableofcontents newpage clearpage input include pagestyle thispagestyle setlength hline"
    " toprule midrule bottomrule cline cmidrule setcounter pause"
    " small footnotesize large Large noindent index newcommand"
    " renewcommand".split()
)
_LAST = frozenset("href multicolumn multirow textcolor colorbox parbox makebox framebox".split())
_MORE = {  # macro: its arguments, as pylatexenc writes them
    "href": "{{", "multicolumn": "{{{", "multirow": "{{{", "textcolor": "{{", "colorbox": "{{", "cline": "{",
    "cmidrule": "{", "caption": "[{", "paragraph": "*[{", "subparagraph": "*[{", "frametitle": "[{",
    "parbox": "{{", "vspace": "*{", "hspace": "*{", "setlength": "{{", "setcounter": "{{",
    "newcommand": "*{[[{", "renewcommand": "*{[[{", "hyperref": "[{", "subfloat": "[{",
}  # fmt: skip
_CLAIMS = tuple("theorem definition lemma proof example corollary proposition remark abstract".split())
_REFERENCES = frozenset("cite citep citet citealp ref eqref pageref autoref cref Cref url".split())
_ACCENTS = frozenset("\"'`^~=.Hcbdkrtuv")
_TABLES = frozenset("tabular tabularx tabulary longtable array tabular*".split())


def read_latex(data: bytes) -> Iterator[tuple[None, str]]:
    """One page without number; raises NotesError if it is no text."""
    from pylatexenc.latexwalker import LatexWalker, LatexWalkerError

    text = decoded(data)
    body = re.search(r"\\begin\s*\{document\}(.*?)(?:\\end\s*\{document\}|\Z)", text, re.S)
    title = re.search(r"\\title\s*(?:\[[^\]]*\])?\{((?:[^{}]|\{[^{}]*\})*)\}", text)
    source = (title[0] + "\n\n" if title and body and title.start() < body.start(1) else "") + (
        body[1] if body else text
    )
    try:
        nodes, _, _ = LatexWalker(source, _context(), tolerant_parsing=True).get_latex_nodes()
    except LatexWalkerError as err:
        raise NotesError("damaged LaTeX: check that it compiles") from err
    writer = _Writer()
    writer.nodes(nodes)
    writer.end()
    yield None, "\n\n".join(writer.blocks)


class _Writer:
    """Blocks of light Markdown, and the paragraph that is being written."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.line = ""

    def end(self) -> None:
        text, self.line = " ".join(self.line.split()), ""
        if text:
            self.blocks.append(text)

    def block(self, text: str) -> None:
        self.end()
        if text.strip():
            self.blocks.append(text)

    def nodes(self, nodes: Sequence[Any]) -> None:
        for node in nodes or ():
            if node is not None:
                self.node(node)

    def node(self, node: Any) -> None:
        kind = type(node).__name__
        if kind == "LatexCharsNode":
            parts = re.split(r"\n\s*\n", node.chars)
            for at, part in enumerate(parts):
                if at:
                    self.end()
                self.line += _typeset(part)
        elif kind == "LatexGroupNode":
            self.nodes(node.nodelist)
        elif kind == "LatexMathNode":
            code = " ".join(node.latex_verbatim().split())
            if node.displaytype == "display":
                self.block("$$" + re.sub(r"^(?:\$\$|\\\[)|(?:\$\$|\\\])$", "", code).strip() + "$$")
            else:
                self.line += "$" + re.sub(r"^(?:\$|\\\()|(?:\$|\\\))$", "", code).strip() + "$"
        elif kind == "LatexEnvironmentNode":
            self.environment(node)
        elif kind == "LatexMacroNode":
            self.macro(node)
        elif kind == "LatexSpecialsNode":
            if node.specials_chars.strip():
                self.line += _simple(node)
            else:
                self.end()  # a blank line

    def macro(self, node: Any) -> None:
        name = node.macroname
        if name in _SECTIONS:
            self.block("#" * _SECTIONS[name] + " " + _inline(_arguments(node)[-1:]))
        elif name in _SILENT:
            return
        elif name in _REFERENCES:
            self.line += f"[{_inline(_arguments(node)[-1:])}]"
        elif name in ("caption", "footnote"):
            words = _inline(_arguments(node)[-1:])
            self.line += f" (Note: {words}) " if name == "footnote" else ""
            if name == "caption":
                self.block(words)
        elif name in ("\\", "par", "newline"):
            self.end()
        elif name == "verb":
            self.line += f"`{getattr(node.nodeargd, 'verbatim_text', '')}`"
        elif name in _LAST:
            self.line += _inline(_arguments(node)[-1:])
        elif _arguments(node) and name not in _ACCENTS:
            self.nodes(_arguments(node))  # \emph{…} and the like, and the author's own
        else:
            self.line += _simple(node)

    def environment(self, node: Any) -> None:
        name = node.environmentname
        bare = name.rstrip("*")
        if bare in _MATHS:
            inner = re.sub(r"\\label\s*\{[^}]*\}", "", _inside(node))
            body = " ".join(inner.split())
            several = "&" in body or r"\\" in body
            plain = bare in ("equation", "math", "displaymath") or not several
            self.block(f"$${body}$$" if plain else f"$$\\begin{{{name}}} {body} \\end{{{name}}}$$")
        elif bare in _CODE:
            code = re.sub(r"^\[[^\]\n]*\](?:\{\w+\})?|^\{\w+\}", "", _inside(node))
            self.block("```\n" + code.strip("\n").replace("```", "'''").replace("~~~", "---") + "\n```")
        elif name in _TABLES:
            self.block(rows(_cells(node)))
        elif bare in _LISTS:
            self.block("\n".join(_items(node, 0)))
        else:
            self.end()
            if bare in _CLAIMS:
                title = _inline(_arguments(node))
                self.line = f"{bare.capitalize()}{f' ({title})' if title else ''}: "
            nodes = list(node.nodelist or ())
            if bare == "frame" and nodes and type(nodes[0]).__name__ == "LatexGroupNode":
                self.block(f"### {_inline(nodes[:1])}")
                del nodes[0]
            self.nodes(nodes)
            self.end()


def _items(node: Any, depth: int) -> Iterator[str]:
    number, inner = 0, _Writer()
    mark = ""

    def item() -> Iterator[str]:
        inner.end()
        words, rest = inner.blocks, []
        inner.blocks = []
        for block in words:
            # Within an item only a list of its own has lines.
            rest += block.split("\n") if re.match(r" *(?:- |\d+\. )", block) else []
        text = " ".join(block for block in words if not re.match(r" *(?:- |\d+\. )", block))
        if text or rest:
            yield "  " * min(depth, 4) + (mark or "- ") + text
        yield from rest

    for child in node.nodelist:
        if type(child).__name__ == "LatexMacroNode" and child.macroname == "item":
            yield from item()
            number += 1
            term = _inline(_arguments(child))
            mark = (
                f"{number}. "
                if "enum" in node.environmentname
                else f"- {term.rstrip(':')}: "
                if term
                else "- "
            )
        elif type(child).__name__ == "LatexEnvironmentNode" and child.environmentname.rstrip("*") in _LISTS:
            inner.block("\n".join(_items(child, depth + 1)))
        else:
            inner.node(child)
    yield from item()


def _cells(node: Any) -> Iterator[list[str]]:
    cells: list[list[Any]] = [[]]
    for child in node.nodelist:
        kind = type(child).__name__
        if kind == "LatexSpecialsNode" and child.specials_chars == "&":
            cells.append([])
        elif kind == "LatexMacroNode" and child.macroname in ("\\", "tabularnewline"):
            yield [_inline(cell) for cell in cells]
            cells = [[]]
        else:
            cells[-1].append(child)
    yield [_inline(cell) for cell in cells]


def _inline(nodes: Sequence[Any]) -> str:
    writer = _Writer()
    writer.nodes(nodes)
    writer.end()
    return " ".join(" ".join(writer.blocks).split())


@functools.cache
def _context() -> Any:
    """What pylatexenc knows of LaTeX, and the arguments of some more macros."""
    from pylatexenc.latexwalker import get_default_latex_context_db
    from pylatexenc.macrospec import std_environment, std_macro

    known = get_default_latex_context_db()
    macros = [std_macro(name, arguments) for name, arguments in _MORE.items()]
    environments = [std_environment(name, "[") for name in (*_CLAIMS, "frame", "figure", "table")]
    known.add_context_category("more", macros=macros, environments=environments, prepend=True)
    return known


def _arguments(node: Any) -> list[Any]:
    found = getattr(node, "nodeargd", None)
    return [argument for argument in (getattr(found, "argnlist", None) or ()) if argument is not None]


def _inside(node: Any) -> str:
    verbatim = node.latex_verbatim()
    begin = re.match(r"\\begin\s*\{[^}]*\}", verbatim)
    return re.sub(r"\\end\s*\{[^}]*\}$", "", verbatim[begin.end() if begin else 0 :])


def _simple(node: Any) -> str:
    """An accent, a symbol, a sign, as Unicode."""
    return str(_to_text().nodelist_to_text([node]))


@functools.cache
def _to_text() -> Any:
    from pylatexenc.latex2text import LatexNodes2Text

    return LatexNodes2Text(math_mode="verbatim", strict_latex_spaces=False)


def _typeset(chars: str) -> str:
    return (
        chars.replace("---", "—").replace("--", "–").replace("``", "“").replace("''", "”").replace("~", " ")
    )
