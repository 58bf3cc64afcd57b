"""A validation as JUnit XML, which every CI system shows."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from mcubnn.artifacts import Comparison

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(
    comparison: Comparison,
    model: str,
    min_accuracy: float | None = None,
    min_agreement: float | None = None,
) -> str:
    """One suite with the checks bit_exact, accuracy and float_agreement.

    Args:
        comparison: the validation.
        model: its name.
        min_accuracy: least share of correct classes; None to only record it.
        min_agreement: least share of classes equal to the framework's; None to only record it.
    """
    suite = ET.Element("testsuite", name=f"mcubnn validate {_clean(model)}")
    _add_bit_exact(suite, comparison)
    _add_share(suite, "accuracy", comparison.accuracy, min_accuracy, "the data set has no labels")
    _add_share(
        suite,
        "float_agreement",
        comparison.float_agreement,
        min_agreement,
        comparison.float_engine,
    )
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    suite.set("time", f"{comparison.seconds:.3f}")
    for case in suite:
        case.set("classname", f"mcubnn.{_clean(model)}.{_clean(comparison.runner)}")
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=False) + "\n"


def _add_bit_exact(suite: ET.Element, comparison: Comparison) -> None:
    case = ET.SubElement(suite, "testcase", name="bit_exact")
    text = f"{comparison.identical} of {comparison.images} images are identical to the reference"
    if comparison.identical == comparison.images:
        ET.SubElement(case, "system-out").text = text
        return
    failure = ET.SubElement(case, "failure", message=text)
    where = comparison.difference
    if where is not None:
        failure.text = _clean(
            f"image {where.image}: node {where.node} ({where.operator}), index "
            f"{list(where.index)}: expected {where.expected}, found {where.found}"
        )


def _add_share(
    suite: ET.Element, name: str, share: float | None, least: float | None, why_not: str
) -> None:
    case = ET.SubElement(suite, "testcase", name=name)
    if share is None:
        # A minimum that cannot be checked has not been met.
        outcome = "skipped" if least is None else "failure"
        ET.SubElement(case, outcome, message=_clean(why_not))
    elif least is not None and share < least:
        ET.SubElement(case, "failure", message=f"{share:.4f} is below {least:.4f}")
    else:
        ET.SubElement(case, "system-out").text = f"{share:.4f}"


def _clean(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return _NOT_XML.sub("?", text)
