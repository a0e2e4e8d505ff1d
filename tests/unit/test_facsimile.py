"""A page of the notes as a picture: of a file in the index, drawn apart, the quote found where it stands."""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from ingest.build import build
from ingest.errors import NotesError
from ingest.store import peek
from tests.ingest_fakes import FakeEncoder, locked_pdf, pdf, picture_pdf, write
from tests.samples import archive
from ui import facsimile
from ui.facsimile import Original, Picture, Pictures, drawable, original
from ui.finding import found

QUOTE = "The generator turns random noise into samples that should look real."
LINES = [
    ("Adversarial networks", 16.0),
    ("The generator turns random noise into sam-", 11.0),
    ("ples that should look real.", 11.0),
    ("Something else stands here.", 11.0),
]
TWO = pdf([[("Another page", 12.0)], LINES])


def spans(quote: str, page: str, around: str = "") -> list[str]:
    return [page[start:end] for start, end in found(quote, list(page), around)]


def test_a_quote_is_found_though_the_page_writes_it_otherwise() -> None:
    assert spans("one two", "zero one\r\ntwo three") == ["one\r\ntwo"]
    assert spans("sampling methods", "of sam-\r\npling methods.") == ["sam-\r\npling methods"]
    assert spans("the first office", "The \ufb01rst o\ufb03ce") == ["The \ufb01rst o\ufb03ce"]
    assert spans("naïve Bayes", "Nai\u0308ve\u00a0Bayes") == ["Nai\u0308ve\u00a0Bayes"]
    assert spans("- $x_1$ is small", "• x1 is small") == ["x1 is small"]
    assert spans("", "text") == spans("...", "text") == spans("word", "") == spans("other", "text") == []


def test_a_quote_that_was_repaired_is_found_word_by_word() -> None:
    page = "Header 3 In AI the models Al learns draw new samples from DALLÂ·E and noise. Next line."
    assert spans("the models AI learns draw new samples from DALL·E and noise", page) == [
        "the models Al learns draw new samples from DALLÂ·E and noise"
    ]
    assert spans("the models nobody wrote are here about quite another thing", page) == []
    far = "the models " + "filler words stand here " * 40 + "draw new samples"
    assert spans("the models that learn draw new pretty samples", far) == []


def test_of_several_places_the_one_of_the_passage_is_meant() -> None:
    page = "Sampling. Greedy sampling. Later: top-k sampling keeps k tokens."
    (found_,) = found("sampling", list(page), "top-k sampling keeps k")
    assert page[found_[0] :].startswith("sampling keeps")


def test_a_page_is_drawn_with_its_marks(tmp_path: Path) -> None:
    path = write(tmp_path, {"two.pdf": TWO}) / "two.pdf"
    file = Original(path, "two.pdf", "", "sha")
    drawn = Pictures()
    picture = drawn.page(file, 2, QUOTE, QUOTE)
    assert (picture.kind, picture.number, picture.count) == ("image/png", 2, 2)
    image = Image.open(io.BytesIO(base64.b64decode(picture.code))).convert("L")
    assert image.width == facsimile.WIDTH
    assert len(picture.marks) == 2  # a box for each line
    for left, top, width, height in picture.marks:
        box = (left * image.width, top * image.height)
        part = image.crop(
            (*map(int, box), int(box[0] + width * image.width), int(box[1] + height * image.height))
        )
        assert min(part.getdata()) < 100, "there is nothing printed where the mark is"
    assert 0.09 < picture.marks[0][0] < 0.11 and picture.marks[0][1] < picture.marks[1][1] < 0.1
    assert drawn.page(file, 1, QUOTE, QUOTE).marks == ()
    beyond = drawn.page(file, 1, QUOTE, QUOTE, near=True)  # the passage goes on over the page's end
    assert (beyond.number, beyond.marks) == (2, picture.marks)
    path.unlink()
    assert drawn.page(file, 2, QUOTE, QUOTE) is picture  # kept
    with pytest.raises(NotesError, match=r"This page of two.pdf cannot be shown: cannot be read"):
        drawn.page(file, 1)


def test_files_that_cannot_be_drawn_are_one_line(tmp_path: Path) -> None:
    scanned, locked, broken = picture_pdf(1), locked_pdf(TWO, "secret"), TWO[: len(TWO) // 2]
    write(tmp_path, {"scan.pdf": scanned, "locked.pdf": locked, "broken.pdf": broken})
    write(tmp_path, {"in.zip": archive({"a/two.pdf": TWO})})
    drawn = Pictures()
    assert drawn.page(Original(tmp_path / "scan.pdf", "scan.pdf", "", "1"), 9, QUOTE).marks == ()
    zipped = drawn.page(Original(tmp_path / "in.zip", "in.zip/a/two.pdf", "a/two.pdf", "2"), 2, QUOTE)
    assert len(zipped.marks) == 2
    with pytest.raises(NotesError, match=r"locked.pdf cannot be shown: cannot be opened as a PDF") as caught:
        drawn.page(Original(tmp_path / "locked.pdf", "locked.pdf", "", "3"), 1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.abort()",
        "print('nonsense')",
        """print('{"kind": "image/png", "picture": "<script>", "number": 1, "count": 1, "marks": []}')""",
        """print('{"kind": "text/html", "picture": "QUJD", "number": 1, "count": 1, "marks": []}')""",
        """print('{"kind": "image/png", "picture": "QUJD", "number": 1, "count": 1, "marks": [["a"]]}')""",
        """print('{"kind": "image/png", "picture": "QUJD", "number": 2, "count": 1, "marks": []}')""",
        "print('[]')",
    ],
)
def test_a_process_that_breaks_or_lies_is_one_line(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = facsimile.subprocess.Popen

    def other(command: list[str], **settings: object) -> object:
        return started([sys.executable, "-S", "-c", program], **settings)  # type: ignore[call-overload]

    monkeypatch.setattr(facsimile.subprocess, "Popen", other)
    with pytest.raises(NotesError, match="the file is damaged"):
        Pictures().page(Original(tmp_path / "a.pdf", "a.pdf", "", ""), 1)


def test_a_process_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = facsimile.subprocess.Popen
    begun = []

    def other(command: list[str], **settings: object) -> object:
        begun.append(started([sys.executable, "-S", "-c", "while True: pass"], **settings))  # type: ignore[call-overload]
        return begun[-1]

    monkeypatch.setattr(facsimile.subprocess, "Popen", other)
    monkeypatch.setattr(facsimile, "SECONDS", 0.3)
    with pytest.raises(NotesError, match="not drawn within"):
        Pictures().page(Original(tmp_path / "a.pdf", "a.pdf", "", ""), 1)
    assert begun[0].poll() is not None


def test_only_a_file_of_the_index_as_it_was_is_opened(tmp_path: Path) -> None:
    notes = write(tmp_path / "notes", {"deep/two.pdf": TWO, "all.zip": archive({"x.pdf": TWO})})
    write(tmp_path, {"secret.pdf": TWO})
    folder = tmp_path / "index"
    build([notes], folder, FakeEncoder())
    manifest = peek(folder)
    assert manifest is not None
    files = manifest.files
    assert original("deep/two.pdf", files, folder, ()) == Original(
        notes / "deep" / "two.pdf", "deep/two.pdf", "", files["deep/two.pdf"]
    )
    assert original("all.zip/x.pdf", files, folder, (notes,)).member == "x.pdf"
    for stranger in ("../secret.pdf", str(tmp_path / "secret.pdf"), "secret.pdf", ""):
        with pytest.raises(NotesError, match="not in the index"):
            original(stranger, files, folder, ())
    with pytest.raises(NotesError, match="is not where the notes were"):  # it is named, but lies elsewhere
        original("../secret.pdf", {**files, "../secret.pdf": files["deep/two.pdf"]}, folder, ())
    with pytest.raises(NotesError, match="not on this machine"):
        original("deep/two.pdf", files, None, ())
    (notes / "deep" / "two.pdf").write_bytes(TWO + b"\n")
    with pytest.raises(NotesError, match=r"two\.pdf has changed"):
        original("deep/two.pdf", files, folder, ())
    (notes / "deep" / "two.pdf").unlink()
    (notes / "deep" / "two.pdf").symlink_to(tmp_path / "secret.pdf")  # the same bytes, out of the folder
    with pytest.raises(NotesError, match="is not where the notes were"):
        original("deep/two.pdf", files, folder, ())
    notes.rename(tmp_path / "away")
    with pytest.raises(NotesError, match="is not where the notes were"):
        original("deep/two.pdf", files, folder, ())


def test_only_pdf_is_drawn() -> None:
    assert drawable("a/b.PDF") and not drawable("a.pptx") and not drawable("pdf")
    assert Picture("image/png", "QUJD", 1, 1, ()).marks == ()
