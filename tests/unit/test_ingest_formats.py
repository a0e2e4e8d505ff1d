"""What each format's reader makes of a small file: headings, lists, tables, code, formulas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest import limits
from ingest.clean import clean
from ingest.context import contexts
from ingest.pages import page_name
from ingest.read import SUFFIXES, read, reading
from ingest.split import split
from tests.ingest_fakes import failure, write
from tests.samples import SRT, archive, epub, samples


def text(folder: Path, name: str, data: bytes | str) -> str:
    write(folder, {name: data})
    return "\n\n".join(page.text for page in read(folder / name, folder))


def test_every_format_has_a_sample() -> None:
    assert {f".{kind}" for kind in samples()} == SUFFIXES - {".markdown", ".htm", ".xhtml"}


@pytest.mark.parametrize("kind", [kind for kind in samples() if kind not in ("zip", "srt", "vtt")])
def test_a_sample_becomes_passages_with_its_words(tmp_path: Path, kind: str) -> None:
    write(tmp_path, {f"s.{kind}": samples()[kind]})
    passages = split(clean(read(tmp_path / f"s.{kind}", tmp_path)))
    said = " ".join(" ".join((passage.title, passage.text)) for passage in passages)
    assert "train" in said if kind == "ipynb" else "nucleus" in said if "sv" in kind else "ampling" in said
    if kind in ("md", "docx", "html", "tex", "csv", "tsv"):
        row = next(line for passage in passages for line in contexts(passage) if "nucleus" in line)
        assert "Strategy: nucleus" in row  # a row is found by the names of its columns


def test_docx(tmp_path: Path) -> None:
    assert text(tmp_path, "s.docx", samples()["docx"]) == (
        "# Sampling\n\n## Greedy decoding\n\nIt takes the most probable token.\n\nNote: Ties: the first.\n\n"
        "- Top-k\n  - the k best\n1. one\n2. two\n\nStrategy | Parameter\nnucleus | p\n\n"
        r"So $p=\frac{e^{z}}{Z}$"
    )


def test_docx_merged_cells_and_tracked_changes(tmp_path: Path) -> None:
    import docx
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    document = docx.Document()
    said = document.add_paragraph("kept ")
    said._p.append(parse_xml(f"<w:del {nsdecls('w')}><w:r><w:delText>gone</w:delText></w:r></w:del>"))
    said._p.append(parse_xml(f"<w:ins {nsdecls('w')}><w:r><w:t>added</w:t></w:r></w:ins>"))
    table = document.add_table(3, 2)
    for at, words in enumerate(("Kind", "Name", "net", "GAN", "", "VAE")):
        table.cell(at // 2, at % 2).text = words
    table.cell(1, 0).merge(table.cell(2, 0))
    document.save(str(tmp_path / "m.docx"))
    page = read(tmp_path / "m.docx", tmp_path)[0].text
    assert page == "kept added\n\nKind | Name\nnet | GAN\nnet | VAE"


def test_html(tmp_path: Path) -> None:
    page = text(tmp_path, "s.html", samples()["html"])
    assert page.startswith(
        "# Sampling\n\nGreedy decoding takes the most probable token.\n\nAt 10^3 tokens, `argmax`"
    )
    assert "- Top-k\n  - keeps the k best\n- Top-p" in page
    assert "Strategies:\n\nStrategy | Parameter\nnucleus | p" in page
    assert "```\ntoken = scores.argmax()\nprint(token)\n```" in page
    assert "So $p_i = e^{z_i}$ holds." in page
    for gone in ("Home", "alert", "Imprint", "p {}"):
        assert gone not in page


def test_html_without_heading_takes_its_title_and_encoding(tmp_path: Path) -> None:
    data = '<meta charset="windows-1251"><title>Модель</title><p>Шум и образ'.encode("cp1251")
    assert text(tmp_path, "r.htm", data) == "# Модель\n\nШум и образ"


def test_html_table_spans(tmp_path: Path) -> None:
    rows = "<tr><th>Kind<th>Name<tr><td rowspan=2>net<td>GAN<tr><td>VAE<tr><td colspan=2>none"
    assert text(tmp_path, "t.html", f"<table>{rows}</table>") == (
        "Kind | Name\nnet | GAN\nnet | VAE\nnone | –"
    )


def test_html_however_deep_or_wide(tmp_path: Path) -> None:
    deep = "<div>" * 1500 + "bottom" + "<table><tr><td rowspan=99999999 colspan=99999999>x<td>y</table>"
    assert "bottom" in text(tmp_path, "d.html", "<p>top</p>" + deep)


def test_mathml_without_latex(tmp_path: Path) -> None:
    maths = "<math><mfrac><mi>a</mi><mi>b</mi></mfrac><msup><mi>x</mi><mn>2</mn></msup></math>"
    assert text(tmp_path, "m.html", f"<p>So {maths}.") == r"So $\frac{a}{b}x^{2}$."


def test_epub_chapters_in_order_with_titles(tmp_path: Path) -> None:
    assert text(tmp_path, "b.epub", epub()) == (
        "# On Sampling\n\n## Greedy\n\nIt takes the most probable token.\n\n## Others\n\n"
        "Top-k keeps the k best."
    )


def test_copy_protected_epub(tmp_path: Path) -> None:
    locked = (
        b'<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><EncryptedData xmlns="x">'
        b'<CipherReference URI="OEBPS/c.xhtml"/></EncryptedData></encryption>'
    )
    assert "copy-protected" in failure(tmp_path, "l.epub", epub({"META-INF/encryption.xml": locked}))


def test_epub_entities_read_no_files(tmp_path: Path) -> None:
    secret = write(tmp_path, {"secret.txt": "hunter2"}) / "secret.txt"
    bad = f'<!DOCTYPE c [<!ENTITY e SYSTEM "{secret.as_uri()}">]><c><rootfile full-path="&e;"/></c>'
    assert "hunter2" not in failure(tmp_path, "e.epub", epub({"META-INF/container.xml": bad.encode()}))


def test_notebook(tmp_path: Path) -> None:
    page = text(tmp_path, "n.ipynb", samples()["ipynb"])
    assert page == (
        "# Sampling\n\nGreedy one.\n\n```python\n# no heading\ntrain()\n```\n\n```\nstep 1\nstep 2\n```\n\n"
        "– | loss\n1 | 0.5"
    )


def test_notebook_of_version_3(tmp_path: Path) -> None:
    cells = [{"cell_type": "heading", "level": 2, "metadata": {}, "source": ["Old"]}]
    old = {
        "metadata": {},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [{"cells": cells, "metadata": {}}],
    }
    assert text(tmp_path, "o.ipynb", json.dumps(old)) == "## Old"


@pytest.mark.parametrize("data", ["{", "[1]", '{"cells": 3, "nbformat": 4}', '"words"'])
def test_no_notebook(tmp_path: Path, data: str) -> None:
    failure(tmp_path, "n.ipynb", data)


@pytest.mark.parametrize("between", [",", ";", "\t", "|"])
def test_tables_whatever_stands_between(tmp_path: Path, between: str) -> None:
    data = between.join(("Name", "Sum")) + "\n" + between.join(('"a, b; c"', "1")) + "\n"
    assert text(tmp_path, "t.csv", data) == "Name | Sum\na, b; c | 1"


def test_table_with_a_title_above_and_gaps(tmp_path: Path) -> None:
    data = "Marks of 2020,,\n\nName,Points,Grade\nAda,,1\nBob,7 (of 10,2\n"
    assert text(tmp_path, "t.csv", data) == (
        "Marks of 2020\n\nName | Points | Grade\nAda | – | 1\nBob | 7 (of 10) | 2"
    )


def test_table_of_one_column_is_a_list(tmp_path: Path) -> None:
    assert text(tmp_path, "t.csv", "Models\nGAN\nVAE\n") == "Models:\n- GAN\n- VAE"


def test_long_table_names_its_columns_in_every_passage(tmp_path: Path) -> None:
    rows = "".join(f"model {i},{i} million (rounded),a remark on number {i}\n" for i in range(400))
    write(tmp_path, {"t.csv": "Model,Parameters,Remark\n" + rows})
    passages = split(clean(read(tmp_path / "t.csv", tmp_path)))
    assert len(passages) > 20
    assert all(passage.text.startswith("Model | Parameters | Remark\n") for passage in passages)
    assert sum(f"model {i} |" in passage.text for passage in passages for i in range(400)) == 400


def test_latex(tmp_path: Path) -> None:
    page = text(tmp_path, "s.tex", samples()["tex"])
    assert page == (
        "# Sampling from models\n\n## Greedy decoding\n\n"
        "It takes the most probable token, see [knuth] and Schön's $p_i$.\n\n"
        r"$$p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$$"
        "\n\n### Others\n\n- Top-k keeps the $k$ best\n  1. first\n  2. second\n"
        "- Top-p: keeps the smallest set\n\n"
        "Strategy | Parameter\nnucleus | $p$\n\n```\ntoken = scores.argmax()\n```"
    )


def test_latex_in_pieces(tmp_path: Path) -> None:
    page = text(
        tmp_path,
        "p.tex",
        "\\section*{Loss}\nIt is \\mine{low} -- \\footnote{Often.} here % not here\n\n"
        "\\begin{align} a &= b \\\\ c &= d \\end{align}\nand \\[x^2\\] then"
        "\\begin{theorem}[Bayes] It holds.\\end{theorem}",
    )
    assert "## Loss\n\nIt is low – (Note: Often.) here" in page
    assert r"$$\begin{align} a &= b \\ c &= d \end{align}$$" in page
    assert "$$x^2$$" in page and "Theorem (Bayes): It holds." in page
    assert "not here" not in page


def test_latex_slides_and_macros_with_several_arguments(tmp_path: Path) -> None:
    page = text(
        tmp_path,
        "m.tex",
        "\\begin{frame}{A slide}\\textcolor{red}{Red} and \\href{http://y.org}{a site}\\end{frame}"
        "\\begin{tabular}{ll} Kind & Name \\\\ \\cline{1-2} "
        "\\multirow{2}{*}{net} & $P(A | B)$ \\\\ \\end{tabular}",
    )
    assert page == "### A slide\n\nRed and a site\n\nKind | Name\nnet | $P(A|B)$"


def test_unfinished_latex_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    assert "words" in text(tmp_path, "u.tex", "\\section{Open\nwords $x \\begin{itemize} \\item one")


def test_subtitles_have_times_for_pages(tmp_path: Path) -> None:
    for kind in ("srt", "vtt"):
        write(tmp_path, {f"s.{kind}": samples()[kind]})
        pages = read(tmp_path / f"s.{kind}", tmp_path)
        assert [(page.number, page.text) for page in pages] == [
            (1, "Greedy decoding takes the most probable token."),
            (90, "Top-k keeps the k best."),
        ]


def test_rolling_captions_are_said_once(tmp_path: Path) -> None:
    cues = ["one two", "one two\nthree four", "three four\nfive."]
    data = "WEBVTT\n\n" + "\n".join(f"00:0{i}.000 --> 00:0{i + 1}.000\n{cue}\n" for i, cue in enumerate(cues))
    assert text(tmp_path, "r.vtt", data) == "one two three four five."


def test_no_captions(tmp_path: Path) -> None:
    assert "captions" in failure(tmp_path, "n.srt", "just words, a good many of them")
    assert text(tmp_path, "ok.srt", SRT.encode("utf-16"))


def test_names_of_pages() -> None:
    places = (("a.pdf", 3), ("b.PPTX", 3), ("c.srt", 3725), ("d.zip/e.vtt", 65), ("f.md", None))
    assert [page_name(*place) for place in places] == ["p. 3", "slide 3", "1:02:05", "1:05", ""]


def test_pptx_equation(tmp_path: Path) -> None:
    from pptx import Presentation
    from pptx.oxml import parse_xml

    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = "Loss"
    maths = (
        '<a:m xmlns:a="http://schemas.microsoft.com/office/drawing/2010/main"'
        ' xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"><m:oMath><m:rad><m:deg/><m:e><m:r>'
        "<m:t>x</m:t></m:r></m:e></m:rad></m:oMath></a:m>"
    )
    paragraph = slide.shapes.add_textbox(0, 4000000, 100, 100).text_frame.paragraphs[0]
    paragraph.text = "It is "
    paragraph._p.append(parse_xml(maths))
    show.save(str(tmp_path / "e.pptx"))
    assert r"It is $\sqrt{x}$" in read(tmp_path / "e.pptx", tmp_path)[0].text


@pytest.mark.parametrize("kind", ["docx", "pptx", "epub"])
def test_documents_that_are_none(tmp_path: Path, kind: str) -> None:
    failure(tmp_path, f"n.{kind}", b"just some words, a good many of them")
    failure(tmp_path, f"z.{kind}", archive({"a.txt": b"words"}))


def test_what_exceeds_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TEXT_BYTES", 1 << 20)
    assert "too large (2 MB, at most 1 MB are read)" in failure(tmp_path, "l.txt", b"words " * 400_000)
    monkeypatch.setattr(limits, "CHARACTERS", 60)
    write(tmp_path, {"s.srt": SRT})
    found = reading(tmp_path / "s.srt", "s.srt")
    assert [page.number for page in found.pages] == [1]
    assert "from page 90 on" in found.left_out[0]


def test_half_characters_are_no_error(tmp_path: Path) -> None:
    book = json.loads(samples()["ipynb"])
    book["cells"][0]["source"] = "half \ud83d and whole \ud83d\ude00"
    assert "half � and whole 😀" in text(tmp_path, "h.ipynb", json.dumps(book))
