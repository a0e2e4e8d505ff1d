"""Build the sample unit's PDF and slide deck from the Markdown in data/source.

Reads a small dialect: `#` to `###` headings, paragraphs, `-` and `1.` lists, pipe tables, `**bold**` and
`*italic*`. In a deck each `##` starts a slide and a `>` line holds the speaker's notes. Output is the same
bytes every time. It knows no nested lists, links or pictures. Run: python data/make_notes.py
"""

import datetime
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pptx import Presentation
from pptx.slide import Slide
from pptx.util import Inches, Pt
from reportlab.lib import colors
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))  # from reportlab; its bullet survives extraction
HERE = Path(__file__).parent
RUNNING_HEAD = "Foundations of Generative AI"
STAMP = datetime.datetime(2025, 1, 15)
# Where a long word may be broken at a line's end: before these endings, after these beginnings.
ENDINGS = re.compile(r"(?<=[a-z]{4})(?=(?:tion|tions|ment|ness|sion|tive|tional)\b)")
BEGINNINGS = re.compile(r"\b(auto|inter|trans|discrim|gener|proba|con|com|per|pro|dis)(?=[a-z]{5})", re.I)

Block = tuple[str, list[str]]  # kind: h1 h2 h3 p ul ol table notes; then its lines, items or rows


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a Markdown text, neighbouring lines of one kind together."""
    kind = ""
    held: list[str] = []
    for line in [*text.splitlines(), ""]:
        new = kind_of(line)
        if kind and (new != kind or new[0] == "h"):
            yield kind, held
            held = []
        kind = new
        if kind:
            held.append(re.sub(r"^(#+|-|\d+\.|>) ", "", line))


def kind_of(line: str) -> str:
    if heading := re.match(r"#{1,3} ", line):
        return f"h{len(heading[0]) - 1}"
    for start, kind in ((r"- ", "ul"), (r"\d+\. ", "ol"), (r"\|", "table"), (r"> ", "notes")):
        if re.match(start, line):
            return kind
    return "p" if line.strip() else ""


def rows_of(lines: list[str]) -> list[list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if not set("".join(row)) <= set("- ")]


def markup(text: str) -> str:
    """Markdown emphasis as reportlab tags, with soft hyphens in long words."""
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text.replace("&", "&amp;"))
    text = re.sub(r"\*(.+?)\*", r"<i>\1</i>", text)
    parts = re.split(r"(<[^>]+>|&\w+;)", text)
    parts[::2] = [BEGINNINGS.sub("\\1\u00ad", ENDINGS.sub("\u00ad", part)) for part in parts[::2]]
    return "".join(parts)


def style(name: str, font: str = "Times-Roman", size: float = 11, **more: object) -> ParagraphStyle:
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.32, **more)


BODY = style("body", alignment=TA_JUSTIFY, spaceAfter=6)
ITEM = style(
    "item",
    parent=BODY,
    alignment=TA_JUSTIFY,
    leftIndent=16,
    bulletIndent=4,
    spaceAfter=2.5,
    bulletFontName="Vera",
    bulletFontSize=9,
)
CELL, HEAD_CELL = style("cell", size=9.5), style("head", "Helvetica-Bold", 9)
HEADINGS = {
    "h1": style("h1", "Helvetica-Bold", 20, spaceAfter=12),
    "h2": style("h2", "Helvetica-Bold", 14, spaceBefore=12, spaceAfter=5, keepWithNext=1),
    "h3": style("h3", "Helvetica-BoldOblique", 11.5, spaceBefore=7, spaceAfter=3, keepWithNext=1),
}


def flowables(kind: str, lines: list[str]) -> list[Flowable]:
    """What one block looks like on a page."""
    if kind in HEADINGS:
        return [Paragraph(lines[0], HEADINGS[kind])]
    if kind == "ul":
        return [Paragraph(markup(item), ITEM, bulletText="•") for item in lines]
    if kind == "ol":
        return [Paragraph(markup(item), ITEM, bulletText=f"{n}.") for n, item in enumerate(lines, 1)]
    if kind == "table":
        rows = rows_of(lines)
        cells = [[Paragraph(cell, CELL if n else HEAD_CELL) for cell in row] for n, row in enumerate(rows)]
        weights = [max(len(row[n]) for row in rows) + 6 for n in range(len(rows[0]))]
        look = TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e6ebf2")),
            ]
        )
        widths = [15.6 * cm * weight / sum(weights) for weight in weights]
        return [Spacer(1, 4), Table(cells, widths, style=look, repeatRows=1), Spacer(1, 10)]
    return [Paragraph(markup(" ".join(lines)), BODY)]


def furniture(canvas: Canvas, doc: SimpleDocTemplate) -> None:
    """The running header and the page number."""
    width, height = A4
    canvas.setFont("Helvetica", 8.5)
    canvas.setFillColor(colors.HexColor("#555555"))
    canvas.drawString(2.7 * cm, height - 1.5 * cm, RUNNING_HEAD)
    canvas.drawRightString(width - 2.7 * cm, height - 1.5 * cm, "Unit 1 · Handout 2")
    canvas.line(2.7 * cm, height - 1.65 * cm, width - 2.7 * cm, height - 1.65 * cm)
    canvas.drawCentredString(width / 2, 1.3 * cm, f"Page {doc.page}")


def make_pdf(source: Path, target: Path) -> None:
    story = [item for kind, lines in blocks(source.read_text("utf-8")) for item in flowables(kind, lines)]
    doc = SimpleDocTemplate(
        str(target),
        pagesize=A4,
        leftMargin=2.7 * cm,
        rightMargin=2.7 * cm,
        invariant=1,
        topMargin=2.4 * cm,
        bottomMargin=2.2 * cm,
        title=source.stem,
        author="Unitutor",
    )
    doc.build(story, onFirstPage=furniture, onLaterPages=furniture)


def fill_slide(slide: Slide, content: list[Block]) -> None:
    body = slide.placeholders[1]
    for kind, lines in content:
        if kind == "notes":
            notes = slide.notes_slide.notes_text_frame
            assert notes is not None
            notes.text = " ".join(lines)
        elif kind == "table":
            rows = rows_of(lines)
            body._element.getparent().remove(body._element)
            place = (Inches(0.6), Inches(1.7), Inches(8.8), Inches(0.45 * len(rows)))
            table = slide.shapes.add_table(len(rows), len(rows[0]), *place).table
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    table.cell(r, c).text = cell
        else:
            body.text_frame.text = "\n".join(lines)
            for paragraph in body.text_frame.paragraphs:
                paragraph.font.size = Pt(22)


def make_deck(source: Path, target: Path) -> None:
    deck = Presentation()
    slides: list[tuple[str, list[Block]]] = []
    for kind, lines in blocks(source.read_text("utf-8")):
        if kind in ("h1", "h2"):
            slides.append((lines[0], []))
        else:
            slides[-1][1].append((kind, lines))
    for number, (title, content) in enumerate(slides):
        slide = deck.slides.add_slide(deck.slide_layouts[min(number, 1)])
        slide.shapes.title.text = title
        fill_slide(slide, content)
    deck.core_properties.title = slides[0][0]
    deck.core_properties.author = "Unitutor"
    deck.core_properties.created = deck.core_properties.modified = STAMP
    raw = io.BytesIO()
    deck.save(raw)
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():  # a fixed time for each member, so that the bytes never change
            new.writestr(zipfile.ZipInfo(name, STAMP.timetuple()[:6]), old.read(name), zipfile.ZIP_DEFLATED)


def main() -> None:
    for source in sorted((HERE / "source").glob("*.md")):
        make, ending = (make_pdf, ".pdf") if source.stem.startswith("02") else (make_deck, ".pptx")
        target = HERE / "notes" / (source.stem + ending)
        make(source, target)
        print(f"{source.name} -> {target.name}")


if __name__ == "__main__":
    main()
