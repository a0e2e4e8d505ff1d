"""Items as a QTI 1.2 package, in the shape in which Canvas writes and reads its quizzes.

After IMS Question & Test Interoperability 1.2.1 and Canvas's own exports: one file with all items, one
with the quiz's settings, and imsmanifest.xml, in a ZIP. text2qti makes the same of Markdown, which our
plain text is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from rag.export import content
from rag.export.packing import SCHEMA, add, identifier, xml, zipped
from rag.items.types import Item

QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
CANVAS = "http://canvas.instructure.com/xsd/cccv1p0"
PACKAGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
METADATA = "http://www.imsglobal.org/xsd/imsmd_v1p2"
_TYPES = {"multiple-choice": "multiple_choice_question", "true-false": "true_false_question"}
_GENERAL = "general_fb"


def qti12(items: Sequence[Item], title: str) -> bytes:
    """The items as one quiz for practice, that is, without an entry in the grade book."""
    name = identifier("quiz", content.line(title))
    return zipped(
        [
            ("imsmanifest.xml", xml(_manifest(name, title))),
            (f"{name}/{name}.xml", xml(_assessment(name, items, title))),
            (f"{name}/assessment_meta.xml", xml(_settings(name, items, title))),
        ]
    )


def _manifest(name: str, title: str) -> Any:
    root = etree.Element(f"{{{PACKAGE}}}manifest", nsmap={None: PACKAGE, "imsmd": METADATA})
    root.set("identifier", f"{name}_manifest")
    metadata = add(root, "metadata")
    add(metadata, "schema", "IMS Content")
    add(metadata, "schemaversion", "1.1.3")
    general = add(etree.SubElement(metadata, f"{{{METADATA}}}lom"), "general")
    add(add(general, "title"), "string", content.line(title))
    add(root, "organizations")
    resources = add(root, "resources")
    quiz = add(resources, "resource", identifier=name, type="imsqti_xmlv1p2")
    add(quiz, "file", href=f"{name}/{name}.xml")
    add(quiz, "dependency", identifierref=f"{name}_settings")
    at = f"{name}/assessment_meta.xml"
    kind = "associatedcontent/imscc_xmlv1p1/learning-application-resource"
    settings = add(resources, "resource", identifier=f"{name}_settings", type=kind, href=at)
    add(settings, "file", href=at)
    return root


def _settings(name: str, items: Sequence[Item], title: str) -> Any:
    quiz = etree.Element(f"{{{CANVAS}}}quiz", nsmap={None: CANVAS})
    quiz.set("identifier", name)
    add(quiz, "title", content.line(title))
    add(quiz, "description", "")
    add(quiz, "shuffle_answers", "false")
    add(quiz, "scoring_policy", "keep_highest")
    add(quiz, "quiz_type", "practice_quiz")
    add(quiz, "points_possible", f"{len(items):.1f}")
    add(quiz, "show_correct_answers", "true")
    add(quiz, "allowed_attempts", "-1")
    add(quiz, "available", "false")
    return quiz


def _assessment(name: str, items: Sequence[Item], title: str) -> Any:
    root = etree.Element(f"{{{QTI}}}questestinterop", nsmap={None: QTI})
    root.set(SCHEMA, f"{QTI} http://www.imsglobal.org/xsd/ims_qtiasiv1p2p1.xsd")
    assessment = add(root, "assessment", ident=name, title=content.line(title))
    _fields(add(assessment, "qtimetadata"), {"cc_maxattempts": "unlimited"})
    section = add(assessment, "section", ident="root_section")
    for item in items:
        _item(section, item)
    return root


def _item(section: Any, item: Item) -> None:
    made = add(section, "item", ident=f"u{item.id}", title=content.title(item))
    named = [f"u{item.id}_{content.letter(place)}" for place in range(len(item.options))]
    values = {
        "question_type": _TYPES.get(item.kind, "short_answer_question"),
        "points_possible": "1.0",
        "original_answer_ids": ",".join(named),
        "assessment_question_identifierref": f"u{item.id}_question",
        "qmd_topic": content.line(item.topic),
        "qmd_levelofdifficulty": item.difficulty,
        "qmd_keywords": ", ".join(content.tags(item)),
    }
    _fields(add(add(made, "itemmetadata"), "qtimetadata"), values)
    presentation = add(made, "presentation")
    _material(presentation, content.html(item.stem))
    if content.chosen(item):
        response = add(presentation, "response_lid", ident="response1", rcardinality="Single")
        shown = add(response, "render_choice")
        for name, option in zip(named, item.options, strict=True):
            _material(add(shown, "response_label", ident=name), content.html(option.text))
    else:
        response = add(presentation, "response_str", ident="response1", rcardinality="Single")
        add(add(response, "render_fib"), "response_label", ident="answer1", rshuffle="No")
    _scored(made, item, named)
    _feedback(made, _GENERAL, content.explained(item))
    for name, option in zip(named, item.options, strict=True):
        _feedback(made, f"{name}_fb", content.html(option.feedback))


def _scored(made: Any, item: Item, named: Sequence[str]) -> None:
    """What is done with an answer: what is told, then the score. Several answers to meet mean any of them,
    as Canvas has it."""
    scored = add(made, "resprocessing")
    limits = {"maxvalue": "100", "minvalue": "0", "varname": "SCORE", "vartype": "Decimal"}
    add(add(scored, "outcomes"), "decvar", **limits)
    general = add(scored, "respcondition", **{"continue": "Yes"})
    add(add(general, "conditionvar"), "other")
    add(general, "displayfeedback", feedbacktype="Response", linkrefid=_GENERAL)
    chosen = content.chosen(item)
    answers = named if chosen else [content.line(option.text) for option in item.options]
    for name, answer in zip(named, answers, strict=True):
        condition = add(scored, "respcondition", **{"continue": "Yes"})
        add(add(condition, "conditionvar"), "varequal", answer, respident="response1")
        add(condition, "displayfeedback", feedbacktype="Response", linkrefid=f"{name}_fb")
    right = add(scored, "respcondition", **{"continue": "No"})
    met = add(right, "conditionvar")
    for answer in [answers[item.key]] if chosen else answers:
        add(met, "varequal", answer, respident="response1")
    add(right, "setvar", "100", action="Set", varname="SCORE")


def _fields(metadata: Any, values: dict[str, str]) -> None:
    for label, entry in values.items():
        field = add(metadata, "qtimetadatafield")
        add(field, "fieldlabel", label)
        add(field, "fieldentry", entry)


def _feedback(made: Any, name: str, html: str) -> None:
    _material(add(add(made, "itemfeedback", ident=name), "flow_mat"), html)


def _material(parent: Any, html: str) -> None:
    add(add(parent, "material"), "mattext", html, texttype="text/html")
