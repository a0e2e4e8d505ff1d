"""QTI 2.1 and 1.2 packages, read back by the standards' rules: what is shown, scored and told.

The standards' schemas are in no package that could be had, so the readers here hold to the specification:
each walks the processing that a file declares, and the 2.1 items go through onyx2moodle's reader as well.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from rag.export.qti12 import qti12
from rag.export.qti21 import qti21
from rag.items.types import BLANK, Item
from tests.unit.items_strategy import expected, hostile, mathjax, seen, told, typed

TITLE = "Unit 1: GANs & <b>"
QTI = "{http://www.imsglobal.org/xsd/imsqti_v2p1}"
PACKAGE = "{http://www.imsglobal.org/xsd/imscp_v1p1}"
LOM = "{http://ltsc.ieee.org/xsd/LOM}"
MATH = "{http://www.w3.org/1998/Math/MathML}"
NAME = re.compile(r"[A-Za-z_][\w.-]*")  # an identifier that all systems take
# A QTI 2.1 item's parts in the order of its schema.
PARTS = ["responseDeclaration", "outcomeDeclaration", "itemBody", "responseProcessing", "modalFeedback"]
SHOWING = {"p", "span", "blockquote", "prompt", "simpleChoice"}


def files(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        names = package.namelist()
        assert names[0] == "imsmanifest.xml" and len(set(names)) == len(names)
        return {name: package.read(name) for name in names}


def referenced(manifest: Any, namespace: str) -> set[str]:
    """All files that a manifest names, its own identifiers checked on the way."""
    named = [resource.get("identifier") for resource in manifest.iter(f"{namespace}resource")]
    assert len(set(named)) == len(named) and all(map(NAME.fullmatch, named))
    assert {d.get("identifierref") for d in manifest.iter(f"{namespace}dependency")} <= set(named)
    for resource in manifest.iter(f"{namespace}resource"):
        inside = {file.get("href") for file in resource.iter(f"{namespace}file")}
        assert resource.get("href") is None or resource.get("href") in inside
    return {file.get("href") for file in manifest.iter(f"{namespace}file")}


# 2.1


def shown(element: Any) -> str:
    """What is read in an element: its text, and the LaTeX of its formulas, in MathJax's delimiters."""
    text = element.text or ""
    for child in element:
        if child.tag == f"{MATH}math":
            (tex,) = child.iter(f"{MATH}annotation")
            text += f"\\[{tex.text}\\]" if child.get("display") == "block" else f"\\({tex.text}\\)"
        else:
            assert child.tag.removeprefix(QTI) in SHOWING, child.tag
            text += shown(child)
        text += child.tail or ""
    return text


def value(expression: Any, known: dict[str, Any], item: Any) -> Any:
    """What an expression of response processing comes to."""
    name = expression.tag.removeprefix(QTI)
    inner = [value(child, known, item) for child in expression]
    if name == "variable":
        return known.get(expression.get("identifier"))
    if name == "baseValue":
        return float(expression.text) if expression.get("baseType") == "float" else expression.text
    response = item.find(f"{QTI}responseDeclaration")
    if name == "correct":
        return response.findtext(f"{QTI}correctResponse/{QTI}value")
    if name == "mapResponse":
        mapping = response.find(f"{QTI}mapping")
        for entry in mapping:
            assert entry.get("caseSensitive") == "false"
            if entry.get("mapKey").casefold() == known["RESPONSE"].casefold():
                return float(entry.get("mappedValue"))
        return float(mapping.get("defaultValue"))
    if name == "stringMatch":
        assert (expression.get("caseSensitive"), expression.get("substring")) == ("false", "false")
        return inner[0].casefold() == inner[1].casefold()
    assert name == "match"
    return inner[0] == inner[1]


def processed(item: Any, response: str) -> dict[str, Any]:
    """The outcomes of an answer."""
    known: dict[str, Any] = {"RESPONSE": response, "SCORE": 0.0}

    def run(rules: Iterator[Any]) -> None:
        for rule in rules:
            if rule.tag == f"{QTI}setOutcomeValue":
                known[rule.get("identifier")] = value(rule[0], known, item)
                continue
            assert rule.tag == f"{QTI}responseCondition"
            for branch in rule:
                if value(branch[0], known, item):
                    run(iter(branch[1:]))
                    break

    run(iter(item.find(f"{QTI}responseProcessing")))
    declared = {outcome.get("identifier") for outcome in item.iter(f"{QTI}outcomeDeclaration")}
    assert set(known) - {"RESPONSE"} <= declared
    return known


def feedback(item: Any, outcomes: dict[str, Any]) -> dict[str, Any]:
    """The modal feedbacks that outcomes show."""
    return {
        told.get("outcomeIdentifier"): told
        for told in item.findall(f"{QTI}modalFeedback")
        if outcomes.get(told.get("outcomeIdentifier")) == told.get("identifier")
    }


def read_21(item: Any) -> dict[str, Any]:
    order = [child.tag.removeprefix(QTI) for child in item]
    assert order == sorted(order, key=PARTS.index)
    response = item.find(f"{QTI}responseDeclaration")
    body = item.find(f"{QTI}itemBody")
    asked = body.find(f"{QTI}choiceInteraction")
    if asked is not None:
        assert (response.get("baseType"), asked.get("maxChoices")) == ("identifier", "1")
        choices = asked.findall(f"{QTI}simpleChoice")
        answers = {choice.get("identifier"): shown(choice) for choice in choices}
        stem = shown(asked.find(f"{QTI}prompt"))
        kind = "true-false" if list(answers.values()) == ["True", "False"] else "multiple-choice"
    else:
        assert response.get("baseType") == "string"
        (entry,) = body.iter(f"{QTI}textEntryInteraction")
        answers = {one.get("mapKey"): one.get("mapKey") for one in response.iter(f"{QTI}mapEntry")}
        assert int(entry.get("expectedLength")) == max(map(len, answers))
        entry.text, entry.tag = BLANK, f"{QTI}span"
        stem, kind = shown(body[0]), "typed"
    options = []
    for response_value, said in answers.items():
        outcomes = processed(item, response_value)
        met = feedback(item, outcomes)
        options.append((said, shown(met["FEEDBACK"]), outcomes["SCORE"] == 1))
        assert "GENERAL" in met
    explanation, quote, place = map(shown, met["GENERAL"])
    known = {"explanation": explanation, "quote": quote, "where": place}
    return {"kind": kind, "stem": stem, "options": options, **known}


def test_qti_21_reads_back() -> None:
    items = hostile()
    found = files(qti21(items, TITLE))
    manifest = etree.fromstring(found["imsmanifest.xml"])
    assert referenced(manifest, PACKAGE) == set(found) - {"imsmanifest.xml"}
    test = etree.fromstring(found["test.xml"])
    assert test.get("title") == TITLE
    order = [one.get("href") for one in test.iter(f"{QTI}assessmentItemRef")]
    assert order == [f"items/u{item.id}.xml" for item in items]
    resources = {resource.get("href"): resource for resource in manifest.iter(f"{PACKAGE}resource")}
    for item, at in zip(items, order, strict=True):
        root = etree.fromstring(found[at])
        wanted = expected(item)
        if item.kind == "short-answer":
            wanted["stem"] += f" {BLANK}"
        assert read_21(root) == wanted
        keywords = [word.text for word in resources[at].iter(f"{LOM}string")]
        assert f"difficulty: {item.difficulty}" in keywords and root.get("title")


def test_qti_21_gives_no_point_for_a_wrong_answer() -> None:
    item = next(item for item in hostile() if typed(item))
    root = etree.fromstring(files(qti21([item], TITLE))[f"items/u{item.id}.xml"])
    outcomes = processed(root, "something else entirely")
    assert outcomes["SCORE"] == 0 and set(feedback(root, outcomes)) == {"GENERAL"}
    assert processed(root, item.answer.upper())["SCORE"] == 1


def test_qti_21_formulas_are_mathml_that_does_nothing() -> None:
    every = [
        etree.fromstring(content) for name, content in files(qti21(hostile(), TITLE)).items() if "/" in name
    ]
    formulas = [math for root in every for math in root.iter(f"{MATH}math")]
    texts = {math.findtext(f".//{MATH}annotation") for math in formulas}
    assert {r"\frac{a}{b}", r"E = mc^2", r"x_1^2 < y"} <= texts
    assert not texts & {r"\href{javascript:a}{b}", r"\text{<b>}"}  # these stay LaTeX
    assert all("href" not in element.attrib for math in formulas for element in math.iter())


def test_qti_21_by_onyx2moodle(tmp_path: Path) -> None:
    """Its reader takes the first stretch of a text as HTML: texts are compared where they hold no element."""
    from onyx2moodle.parser import parse_item

    for item in hostile():
        at = tmp_path / "item.xml"
        at.write_bytes(files(qti21([item], TITLE))[f"items/u{item.id}.xml"])
        read = parse_item(at)
        (interaction,) = read.interactions
        response = read.response_decls[interaction.response_identifier]
        if typed(item):
            assert interaction.kind == "textEntry" and response.correct_values == [item.answer]
            assert response.mapping == {option.text: 1.0 for option in item.options}
            continue
        letters = "abcd"[: len(item.options)]
        assert (interaction.kind, interaction.max_choices) == ("choice", 1)
        assert response.correct_values == [letters[item.key]]
        assert [choice.identifier for choice in interaction.choices] == list(letters)
        for choice, option in zip(interaction.choices, item.options, strict=True):
            element = etree.fromstring(at.read_bytes()).find(f".//*[@identifier='{choice.identifier}']")
            if len(element) == 0:
                assert choice.html == mathjax(option.text)


# 1.2, as Canvas reads it: several answers to meet in a condition mean any of them


def local(element: Any) -> str:
    return str(etree.QName(element).localname)


def met(condition: Any, response: str) -> bool:
    (tests,) = (child for child in condition if local(child) == "conditionvar")
    names = {local(test) for test in tests}
    assert names in ({"other"}, {"varequal"})
    return names == {"other"} or any(test.text.casefold() == response.casefold() for test in tests)


def answered(item: Any, response: str) -> tuple[float, list[str]]:
    """The score of an answer, and the names of what is told."""
    score, told = 0.0, []
    for condition in item.findall("{*}resprocessing/{*}respcondition"):
        if not met(condition, response):
            continue
        told += [one.get("linkrefid") for one in condition.findall("{*}displayfeedback")]
        for change in condition.findall("{*}setvar"):
            assert (change.get("varname"), change.get("action")) == ("SCORE", "Set")
            score = float(change.text)
        if condition.get("continue") == "No":
            break
    return score, told


def material(parent: Any) -> str:
    (text,) = parent.findall("{*}material/{*}mattext")
    assert text.get("texttype") == "text/html"
    return str(text.text)


def read_12(item: Any) -> dict[str, Any]:
    fields = {field[0].text: field[1].text for field in item.iter("{*}qtimetadatafield")}
    kind = {
        "multiple_choice_question": "multiple-choice",
        "true_false_question": "true-false",
        "short_answer_question": "typed",
    }[fields["question_type"]]
    assert float(fields["points_possible"]) == 1
    presentation = item.find("{*}presentation")
    labels = list(presentation.iter("{*}response_label"))
    if kind == "typed":
        *_, right = item.findall("{*}resprocessing/{*}respcondition")
        answers = {one.text: one.text for one in right.iter("{*}varequal")}
    else:
        answers = {label.get("ident"): seen(material(label)) for label in labels}
        assert list(answers) == fields["original_answer_ids"].split(",")
    told_by = {one.get("ident"): material(one.find("{*}flow_mat")) for one in item.findall("{*}itemfeedback")}
    options = []
    for response, said in answers.items():
        score, (general, own) = answered(item, response)
        options.append((said, seen(told_by[own]), score == 100))
    stem = seen(material(presentation))
    return {"kind": kind, "stem": stem, "options": options, **told(told_by[general])}


def test_qti_12_reads_back() -> None:
    items = hostile()
    found = files(qti12(items, TITLE))
    manifest = etree.fromstring(found["imsmanifest.xml"])
    assert referenced(manifest, "{*}") == set(found) - {"imsmanifest.xml"}
    (at,) = (name for name in found if name.endswith(".xml") and "/" in name and "meta" not in name)
    root = etree.fromstring(found[at])
    read = list(root.iter("{*}item"))
    names = [item.get("ident") for item in read]
    assert len(set(names)) == len(names) == len(items) and all(map(NAME.fullmatch, names))
    for item, one in zip(items, read, strict=True):
        assert read_12(one) == expected(item)
        assert one.get("title")
    settings = etree.fromstring(found[at.rsplit("/", 1)[0] + "/assessment_meta.xml"])
    assert settings.findtext("{*}title") == TITLE
    assert settings.get("identifier") == root[0].get("ident")
    assert float(settings.findtext("{*}points_possible")) == len(items)


@pytest.mark.parametrize("letter", "abcd")
def test_qti_12_scores_the_key_alone(letter: str) -> None:
    item: Item = next(item for item in hostile() if item.kind == "multiple-choice")
    found = files(qti12([item], TITLE))
    (root,) = (etree.fromstring(content) for name, content in found.items() if b"questestinterop" in content)
    (one,) = root.iter("{*}item")
    score, told = answered(one, f"u{item.id}_{letter}")
    assert score == (100 if letter == "abcd"[item.key] else 0)
    assert told == ["general_fb", f"u{item.id}_{letter}_fb"]
    assert mathjax(item.stem) == read_12(one)["stem"]
