"""Where formulas stand in the notes' text, and which of them become MathML."""

from __future__ import annotations

import pytest
from lxml import etree

from rag.formulas import LONGEST, MATHML, mathml, pieces


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("It is $x^2$, or $$y$$.", ["It is ", "inline x^2", ", or ", "display y", "."]),
        (r"\(a\) and \[b\]", ["inline a", " and ", "display b"]),
        ("costs $5 and $6, US$7, $ 8 $", ["costs $5 and $6, US$7, $ 8 $"]),
        (r"an escaped \$x$ and $$ alone", [r"an escaped \$x$ and $$ alone"]),
        (r"$a \\[2pt] b$", [r"inline a \\[2pt] b"]),
        (r"$a \) b$", [r"$a \) b$"]),  # would end before its end
        (r"$a \[ b$ $c$", [r"$a \[ b$ ", "inline c"]),
        ("", []),
    ],
)
def test_text_is_cut_at_formulas(text: str, cut: list[str]) -> None:
    assert [piece if form == "prose" else f"{form} {piece}" for form, piece in pieces(text)] == cut


def test_mathml_keeps_its_latex() -> None:
    math = mathml(r"\frac{a}{b}", "display")
    assert math is not None and math.get("display") == "block"
    assert math.findtext(f".//{{{MATHML}}}annotation") == r"\frac{a}{b}"
    ((shown, _),) = math
    assert [
        etree.QName(element).localname for element in shown.iter()
    ] == "mrow mfrac mrow mi mrow mi".split()
    assert mathml("x") is not mathml("x")  # each goes into a tree of its own


@pytest.mark.parametrize(
    "tex",
    [
        r"\href{javascript:alert(1)}{x}",
        r"\style{background:url(x)}{x}",
        r"\class{a}{x}",
        r"\text{<script>alert(1)</script>}",
        r"\text{&entity;}",
        r"\frac{",
        "{" * 1_900,
        "x" * (LONGEST + 1),
        r"\begin{matrix}",
        "\x00",
    ],
    ids=lambda tex: ascii(tex[:20]),
)
def test_what_could_do_something_or_cannot_be_read_is_no_mathml(tex: str) -> None:
    assert mathml(tex) is None
