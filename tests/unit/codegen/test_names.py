from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcubnn.codegen.names import identifier, model_prefix


@given(st.text(max_size=80))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_any_text_becomes_an_identifier(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9_]{1,32}", identifier(name))
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,36}", model_prefix(name))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("digits", "digits"),
        ("My Net-v2", "my_net_v2"),
        ("/features/0/conv", "features_0_conv"),
        ("__a__", "a"),
        ("***", "node"),
        ("x" * 40 + "_tail", "x" * 27 + "_tail"),
    ],
)
def test_identifier_keeps_what_it_can(name: str, expected: str) -> None:
    assert identifier(name) == expected


@pytest.mark.parametrize(
    "name",
    ["string", "stdint", "port", "protocol", "model", "mcubnn", "mcubnn_types", "2nd", "bits"],
)
def test_prefix_that_is_taken_is_moved(name: str) -> None:
    assert model_prefix(name) == f"net_{name}"
