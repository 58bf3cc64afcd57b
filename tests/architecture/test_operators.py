"""Every operator is complete: meaning, documentation, C file, header and library entry."""

from __future__ import annotations

import inspect
import json
import re

import pytest

from mcubnn import errors
from mcubnn.artifacts import InputOptions
from mcubnn.ops.registry import device_operators, operators
from mcubnn.passes.pipeline import default_pipeline, pass_name
from tests.architecture.sources import ROOT, tracked

_EXIT_CODES = {
    "UsageError": 2,
    "ModelError": 3,
    "BudgetError": 4,
    "BuildError": 5,
    "TargetError": 6,
    "MismatchError": 7,
    "InternalError": 70,
}


@pytest.mark.parametrize("name", operators())
def test_operator_states_its_rule(name: str) -> None:
    operator = operators()[name]
    text = operator.__dict__.get("__doc__") or ""
    assert len(text.split()) >= 3, "the docstring is the rule that users read"
    assert inspect.getfile(operator).endswith(".py")


@pytest.mark.parametrize("name", device_operators())
def test_device_operator_has_header_and_source(name: str) -> None:
    runtime = ROOT / "runtime_c"
    header = (runtime / "include" / "mcubnn" / f"{name}.h").read_text(encoding="utf-8")
    source = (runtime / "src" / f"{name}.c").read_text(encoding="utf-8")
    assert f"mcubnn_status mcubnn_{name}(" in header
    assert f"mcubnn_{name}_params" in header
    assert re.search(rf"mcubnn_status mcubnn_{name}\(", source)
    overview = (runtime / "include" / "mcubnn" / "mcubnn.h").read_text(encoding="utf-8")
    assert f'#include "mcubnn/{name}.h"' in overview


def test_library_lists_its_folders() -> None:
    listing = json.loads((ROOT / "runtime_c" / "library.json").read_text(encoding="utf-8"))
    assert listing["build"]["srcDir"] == "src"
    assert listing["build"]["includeDir"] == "include"


def test_error_classes_have_the_documented_exit_codes() -> None:
    classes = {
        name: member.exit_code
        for name, member in inspect.getmembers(errors, inspect.isclass)
        if issubclass(member, errors.McubnnError) and member is not errors.McubnnError
    }
    assert classes == _EXIT_CODES
    assert len(set(classes.values())) == len(classes)


def test_every_pass_file_is_in_the_pipeline_or_serves_one() -> None:
    """A pass is a function named after its file."""
    listed = {pass_name(step) for step in default_pipeline(InputOptions(), None)}
    for path in tracked("mcubnn/passes/*.py"):
        if f"\ndef {path.stem}(graph: Graph" in path.read_text(encoding="utf-8"):
            assert path.stem in listed


def test_every_operator_is_documented_by_a_test() -> None:
    """Each operator's class is named in some test, so that deleting its file fails one."""
    text = "".join(p.read_text(encoding="utf-8") for p in tracked("tests/*.py"))
    missing = [n for n, op in operators().items() if not re.search(rf"\b{op.__name__}\b", text)]
    assert missing == []
