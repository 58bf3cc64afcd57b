"""Every operator's own kernel gives, bit for bit, what the operator's reference gives."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from mcubnn.ops.registry import device_operators
from tests.kernels.cases import batches
from tests.kernels.harness import Host
from tests.kernels.promises import check_on_host, random_batches


@pytest.mark.parametrize("name", sorted(device_operators()))
@given(data=st.data())
@random_batches
def test_kernel_equals_reference(host: Host, name: str, data: st.DataObject) -> None:
    check_on_host(host, data.draw(batches(name)))
