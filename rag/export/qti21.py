"""Items as a QTI 2.1 package: a file an item, a test that holds them all, and imsmanifest.xml, in a ZIP.

After IMS Question and Test Interoperability 2.1 (assessmentItem, assessmentTest) and IMS Content
Packaging 1.2. Formulas are MathML, as the standard has them, with their LaTeX in an annotation; one
that cannot be turned into MathML stands in MathJax's delimiters. What is told of an option, and what
is told to everyone, are modal feedbacks, shown by outcomes of these names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from rag.export import content
from rag.export.packing import SCHEMA, add, identifier, xml, zipped
from rag.items.types import BLANK, Item

QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
METADATA = "http://ltsc.ieee.org/xsd/LOM"
_SCHEMA = f"{QTI} http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1.xsd"
_RESPONSE, _SCORE, _OPTION, _GENERAL = "RESPONSE", "SCORE", "FEEDBACK", "GENERAL"
_EXPLAINED = "explained"


def qti21(items: Sequence[Item], title: str) -> bytes:
    """The items as one test of one section."""
    files = [(f"items/{_name(item)}.xml", xml(_item(item))) for item in items]
    manifest = ("imsmanifest.xml", xml(_manifest(items, title)))
    return zipped([manifest, ("test.xml", xml(_test(items, title))), *files])


def _name(item: Item) -> str:
    return f"u{item.id}"


def _root(kind: str, name: str, title: str) -> Any:
    root = etree.Element(f"{{{QTI}}}{kind}", nsmap={None: QTI})
    root.set(SCHEMA, _SCHEMA)
    root.set("identifier", name)
    root.set("title", title)
    return root


def _item(item: Item) -> Any:
    root = _root("assessmentItem", _name(item), content.title(item))
    root.set("adaptive", "false")
    root.set("timeDependent", "false")
    _declared(root, item)
    score = add(root, "outcomeDeclaration", identifier=_SCORE, cardinality="single", baseType="float")
    score.set("normalMaximum", "1")
    add(add(score, "defaultValue"), "value", "0")
    for name in (_OPTION, _GENERAL):
        add(root, "outcomeDeclaration", identifier=name, cardinality="single", baseType="identifier")
    body = add(root, "itemBody")
    if content.chosen(item):
        _choices(body, item)
    else:
        _entry(body, item)
    _processed(root, item)
    for place, option in enumerate(item.options):
        _feedback(root, _OPTION, content.letter(place), option.feedback)
    told = _feedback(root, _GENERAL, _EXPLAINED, item.explanation)
    _filled(add(add(told, "blockquote"), "p"), item.evidence.quote)
    _filled(add(told, "p"), content.where(item))
    return root


def _declared(root: Any, item: Item) -> None:
    """The response, with its right value; of a typed one, all that count as right, in any case of letters."""
    chosen = content.chosen(item)
    kind = "identifier" if chosen else "string"
    response = add(root, "responseDeclaration", identifier=_RESPONSE, cardinality="single", baseType=kind)
    right = content.letter(item.key) if chosen else content.line(item.answer)
    add(add(response, "correctResponse"), "value", right)
    if not chosen:
        mapping = add(response, "mapping", lowerBound="0", upperBound="1", defaultValue="0")
        for option in item.options:
            add(mapping, "mapEntry", mapKey=content.line(option.text), mappedValue="1", caseSensitive="false")


def _choices(body: Any, item: Item) -> None:
    named = {"responseIdentifier": _RESPONSE, "shuffle": "false", "maxChoices": "1"}
    asked = add(body, "choiceInteraction", **named)
    _filled(add(asked, "prompt"), item.stem)
    for place, option in enumerate(item.options):
        _filled(add(asked, "simpleChoice", identifier=content.letter(place)), option.text)


def _entry(body: Any, item: Item) -> None:
    """The stem with a field for the answer: in place of the blank where there is one, else at its end."""
    stem = content.line(item.stem)
    filling = item.kind == "fill-in" and BLANK in stem
    before, _, after = stem.partition(BLANK) if filling else (f"{stem} ", "", "")
    paragraph = add(body, "p")
    content.filled(paragraph, before, with_mathml=True)
    longest = max(len(content.line(option.text)) for option in item.options)
    add(paragraph, "textEntryInteraction", responseIdentifier=_RESPONSE, expectedLength=str(longest))
    content.filled(paragraph, after, with_mathml=True)


def _processed(root: Any, item: Item) -> None:
    processing = add(root, "responseProcessing")
    if content.chosen(item):
        met = add(add(processing, "responseCondition"), "responseIf")
        match = add(met, "match")
        add(match, "variable", identifier=_RESPONSE)
        add(match, "correct", identifier=_RESPONSE)
        _set(met, _SCORE, "float", "1")
        add(add(processing, "setOutcomeValue", identifier=_OPTION), "variable", identifier=_RESPONSE)
    else:
        add(add(processing, "setOutcomeValue", identifier=_SCORE), "mapResponse", identifier=_RESPONSE)
        condition = add(processing, "responseCondition")
        for place, option in enumerate(item.options):
            met = add(condition, "responseElseIf" if place else "responseIf")
            match = add(met, "stringMatch", caseSensitive="false", substring="false")
            add(match, "variable", identifier=_RESPONSE)
            add(match, "baseValue", content.line(option.text), baseType="string")
            _set(met, _OPTION, "identifier", content.letter(place))
    _set(processing, _GENERAL, "identifier", _EXPLAINED)


def _set(parent: Any, name: str, kind: str, value: str) -> None:
    add(add(parent, "setOutcomeValue", identifier=name), "baseValue", value, baseType=kind)


def _feedback(root: Any, outcome: str, name: str, text: str) -> Any:
    told = add(root, "modalFeedback", outcomeIdentifier=outcome, showHide="show", identifier=name)
    _filled(add(told, "p"), text)
    return told


def _filled(element: Any, text: str) -> None:
    content.filled(element, content.line(text), with_mathml=True)


def _test(items: Sequence[Item], title: str) -> Any:
    root = _root("assessmentTest", _test_name(title), content.line(title) or "Quiz")
    how = {"navigationMode": "nonlinear", "submissionMode": "individual"}
    part = add(root, "testPart", identifier="part", **how)
    add(part, "itemSessionControl", maxAttempts="0", showFeedback="true")
    section = add(part, "assessmentSection", identifier="section", title="Questions", visible="true")
    for item in items:
        add(section, "assessmentItemRef", identifier=_name(item), href=f"items/{_name(item)}.xml")
    return root


def _test_name(title: str) -> str:
    return identifier("test", content.line(title))


def _manifest(items: Sequence[Item], title: str) -> Any:
    root = etree.Element(f"{{{PACKAGE}}}manifest", nsmap={None: PACKAGE, "lom": METADATA})
    root.set("identifier", f"{_test_name(title)}_manifest")
    metadata = add(root, "metadata")
    add(metadata, "schema", "QTIv2.1 Package")
    add(metadata, "schemaversion", "1.0.0")
    add(root, "organizations")
    resources = add(root, "resources")
    kind = "imsqti_test_xmlv2p1"
    test = add(resources, "resource", identifier=_test_name(title), type=kind, href="test.xml")
    add(test, "file", href="test.xml")
    for item in items:
        add(test, "dependency", identifierref=_name(item))
        at = f"items/{_name(item)}.xml"
        made = add(resources, "resource", identifier=_name(item), type="imsqti_item_xmlv2p1", href=at)
        general = add(etree.SubElement(add(made, "metadata"), f"{{{METADATA}}}lom"), "general")
        for tag in content.tags(item):
            add(add(general, "keyword"), "string", tag, language="en")
        add(made, "file", href=at)
    return root
