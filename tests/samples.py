"""A small valid file of every format that is read, made here, for tests and the bench of bad files."""

from __future__ import annotations

import functools
import io
import json
import zipfile

from tests.ingest_fakes import deck, pdf

TEXT = """# Sampling

Greedy decoding takes the *most probable* token at every step.

- Top-k keeps the k best tokens
  - the others get nothing
- Top-p keeps the smallest set

| Strategy | Parameter |
| --- | --- |
| nucleus | p |

$$ p_i = \\frac{e^{z_i / T}}{\\sum_j e^{z_j / T}} $$

```python
token = scores.argmax()
```
"""
HTML = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>Sampling</title><style>p {}</style></head>
<body><nav><a href="/">Home</a></nav><main><h1>Sampling</h1>
<p>Greedy decoding takes the <b>most probable</b> token.
<p>At 10<sup>3</sup> tokens, <code>argmax</code> is cheap.</p>
<ul><li>Top-k<ul><li>keeps the k best</li></ul></li><li>Top-p</li></ul>
<table><caption>Strategies</caption><tr><th>Strategy</th><th>Parameter</th></tr><tr><td>nucleus</td><td>p</td></tr></table>
<pre>token = scores.argmax()
print(token)</pre>
<p>So <math alttext="p_i = e^{z_i}"><mi>p</mi></math> holds.</p></main>
<script>alert(1)</script><footer>Imprint</footer></body></html>"""
TEX = r"""\documentclass{article}
\title{Sampling from \emph{models}}
\begin{document}
\maketitle
\section{Greedy decoding} % the simplest
It takes the \textbf{most probable} token, see \cite{knuth} and Sch\"on's $p_i$.

\begin{equation}\label{eq:p}
p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}
\end{equation}
\subsection{Others}
\begin{itemize}
\item Top-k keeps the $k$ best
  \begin{enumerate} \item first \item second \end{enumerate}
\item[Top-p] keeps the smallest set
\end{itemize}
\begin{tabular}{ll}
\hline Strategy & Parameter \\ nucleus & $p$ \\
\end{tabular}
\begin{verbatim}
token = scores.argmax()
\end{verbatim}
\end{document}
"""
SRT = """1
00:00:01,000 --> 00:00:04,000
Greedy decoding takes

2
00:00:04,000 --> 00:00:10,500
the most probable token.

3
00:01:30,000 --> 00:01:33,000
<i>Top-k keeps the k best.</i>
"""
VTT = "WEBVTT\n\nNOTE a remark\n\n" + SRT.split("\n", 1)[1].replace(",", ".").replace("\n2\n", "\n").replace(
    "\n3\n", "\n"
)
CSV = 'Strategy,Parameter,Remark\nnucleus,p,"smallest set, by mass"\ntop-k,k,1) simple\n'


@functools.cache
def samples() -> dict[str, bytes]:
    """Suffix without its dot: the content of a file of that kind."""
    return {
        "pdf": pdf([[("Sampling", 18.0), ("Greedy decoding takes the most probable token.", 11.0)]] * 3),
        "pptx": deck(
            [("Sampling", [(0, "An overview")], ""), ("Greedy", [(0, "takes"), (1, "the best")], "Slowly.")]
        ),
        "docx": docx(),
        "md": TEXT.encode(),
        "txt": TEXT.replace("#", "").encode("utf-16"),
        "html": HTML.encode(),
        "epub": epub(),
        "ipynb": notebook(),
        "csv": CSV.encode(),
        "tsv": CSV.replace(",", "\t").encode(),
        "tex": TEX.encode(),
        "srt": SRT.encode(),
        "vtt": VTT.encode(),
        "zip": archive(
            {"week 1/notes.md": TEXT.encode(), "week 1/table.csv": CSV.encode(), "page.html": HTML.encode()}
        ),
    }


def archive(files: dict[str, bytes]) -> bytes:
    """A ZIP archive of files by name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return out.getvalue()


def docx() -> bytes:
    """A Word document with headings, lists, a table, code, an equation and a footnote."""
    import docx
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    document = docx.Document()
    document.add_heading("Sampling", 0)
    document.add_heading("Greedy decoding", 1)
    noted = document.add_paragraph("It takes the ")
    noted.add_run("most probable").bold = True
    noted.add_run(" token.")
    noted._p.append(parse_xml(f'<w:r {nsdecls("w")}><w:footnoteReference w:id="2"/></w:r>'))
    for style, text in (
        ("List Bullet", "Top-k"),
        ("List Bullet 2", "the k best"),
        ("List Number", "one"),
        ("List Number", "two"),
    ):
        document.add_paragraph(text, style=style)
    table = document.add_table(2, 2)
    for cell, text in zip(
        (c for row in table.rows for c in row.cells), ("Strategy", "Parameter", "nucleus", "p"), strict=True
    ):
        cell.text = text
    m = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    maths = (
        f"<m:oMath {m}><m:r><m:t>p=</m:t></m:r><m:f><m:num><m:sSup>"
        "<m:e><m:r><m:t>e</m:t></m:r></m:e><m:sup><m:r>"
        "<m:t>z</m:t></m:r></m:sup></m:sSup></m:num><m:den><m:r><m:t>Z</m:t></m:r></m:den></m:f></m:oMath>"
    )
    document.add_paragraph("So ")._p.append(parse_xml(maths))
    note = '<w:footnote w:id="2"><w:p><w:r><w:t>Ties: the first.</w:t></w:r></w:p></w:footnote>'
    notes = f"<w:footnotes {nsdecls('w')}>{note}</w:footnotes>"
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    part = Part(PackURI("/word/footnotes.xml"), kind, notes.encode(), document.part.package)
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def epub(extra: dict[str, bytes] | None = None) -> bytes:
    """A book of two chapters, the first named only by the table of contents."""
    page = '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html>'
    files = {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": b'<?xml version="1.0"?>'
        b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"'
        b' version="1.0"><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        "OEBPS/book.opf": b'<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/'
        b'elements/1.1/"><dc:title>On Sampling</dc:title></metadata><manifest>'
        b'<item id="n" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
        b'<item id="a" href="a%20b.xhtml" media-type="application/xhtml+xml"/>'
        b'<item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest>'
        b'<spine><itemref idref="a"/>'
        b'<itemref idref="c"/></spine></package>',
        "OEBPS/nav.xhtml": page.format(
            '<nav><ol><li><a href="a%20b.xhtml">Greedy</a></li></ol></nav>'
        ).encode(),
        "OEBPS/a b.xhtml": page.format("<p>It takes the most probable token.</p>").encode(),
        "OEBPS/c.xhtml": page.format("<h1>Others</h1><p>Top-k keeps the k best.</p>").encode(),
    }
    return archive({**files, **(extra or {})})


def notebook() -> bytes:
    """A notebook of a text, a code cell with what it gave, and a table."""
    frame = "<table><tr><th></th><th>loss</th></tr><tr><th>1</th><td>0.5</td></tr></table>"
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": ["step 1\n", "step 2\n"]},
        {
            "output_type": "execute_result",
            "execution_count": 1,
            "metadata": {},
            "data": {"text/plain": ["   loss"], "text/html": [frame]},
        },
    ]
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Sampling\n", "\n", "Greedy one."]},
        {
            "cell_type": "code", "id": "b", "metadata": {}, "execution_count": 1, "outputs": outputs,
            "source": ["# no heading\n", "train()"],
        },
    ]  # fmt: skip
    book = {
        "cells": cells,
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book).encode()
