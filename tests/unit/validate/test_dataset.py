from __future__ import annotations

import contextlib
import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcubnn.artifacts import DataSet, InputLayout
from mcubnn.errors import UsageError
from mcubnn.ir.types import DType, TensorType
from mcubnn.validate.dataset import load_dataset

ROOT = Path(__file__).parents[3]
MAP = TensorType((4, 5, 3), DType.UINT8)
GREY = TensorType((4, 5, 1), DType.UINT8)
VECTOR = TensorType((20,), DType.UINT8)
PIXELS = np.arange(6 * 60, dtype=np.uint64).astype(np.uint8).reshape(6, 4, 5, 3)
LABELS = np.array([0, 1, 2, 2, 1, 0], np.uint8)


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    return tmp_path / "data.npz"


def load(path: Path, kind: TensorType = MAP, limit: int | None = None) -> DataSet:
    return load_dataset(path, kind, limit, outputs=3)


def failure(path: Path, kind: TensorType = MAP, limit: int | None = None) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load(path, kind, limit)
    assert caught.value.exit_code == 2
    return caught.value


def header(shape: tuple[int, ...], dtype: str = "|u1") -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    return stream.getvalue()


def test_cubes_need_a_layout(npz: Path) -> None:
    cube = TensorType((3, 3, 3), DType.UINT8)
    images = np.arange(2 * 27, dtype=np.uint8).reshape(2, 3, 3, 3)
    np.savez(npz, images=images)
    assert r"[H, W, C] or [C, H, W]" in failure(npz, cube).message
    last = load_dataset(npz, cube, outputs=3, layout=InputLayout.NHWC)
    np.testing.assert_array_equal(last.images, images)
    first = load_dataset(npz, cube, outputs=3, layout=InputLayout.NCHW)
    np.testing.assert_array_equal(first.images, np.moveaxis(images, 1, -1))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_images_and_labels_are_read(npz: Path, save: Any) -> None:
    save(npz, images=PIXELS, labels=LABELS)
    data = load(npz)
    assert np.array_equal(data.images, PIXELS)
    assert data.labels is not None
    assert data.labels.dtype == np.int64
    assert data.labels.tolist() == LABELS.tolist()
    assert data.source == "data.npz"


@pytest.mark.parametrize(("x", "y"), [("x", "y"), ("x_test", "y_test"), ("data", "targets")])
def test_other_usual_names_are_known(npz: Path, x: str, y: str) -> None:
    arrays: dict[str, Any] = {x: PIXELS, y: LABELS.reshape(6, 1).astype(">i4")}
    np.savez(npz, **arrays)
    data = load(npz)
    assert data.labels is not None
    assert data.labels.tolist() == LABELS.tolist()


def test_labels_are_optional(npz: Path) -> None:
    np.savez(npz, images=PIXELS)
    assert load(npz).labels is None


@pytest.mark.parametrize("limit", [1, 4, 6, 100])
def test_only_the_first_images_are_loaded(npz: Path, limit: int) -> None:
    np.savez(npz, images=PIXELS, labels=LABELS)
    data = load(npz, limit=limit)
    assert np.array_equal(data.images, PIXELS[:limit])
    assert data.labels is not None
    assert len(data.labels) == len(data.images)


@pytest.mark.parametrize(
    ("stored", "kind", "expected"),
    [
        (PIXELS.transpose(0, 3, 1, 2).copy(), MAP, PIXELS),
        (np.asfortranarray(PIXELS), MAP, PIXELS),
        (PIXELS[..., 0].copy(), GREY, PIXELS[..., :1]),
        (PIXELS[:, None, :, :, 0].copy(), GREY, PIXELS[..., :1]),
        (PIXELS[..., 0].reshape(6, 20), GREY, PIXELS[..., :1]),
        (PIXELS[..., 0].reshape(6, 20), VECTOR, PIXELS[..., 0].reshape(6, 20)),
        (PIXELS[..., 0].copy(), VECTOR, PIXELS[..., 0].reshape(6, 20)),
        (PIXELS[..., :1].copy(), VECTOR, PIXELS[..., 0].reshape(6, 20)),
    ],
    ids=["NCHW", "column order", "NHW", "N1HW", "NF to map", "NF", "NHW to F", "NHW1 to F"],
)
def test_every_unambiguous_layout_is_accepted(
    npz: Path, stored: np.ndarray, kind: TensorType, expected: np.ndarray
) -> None:
    np.savez(npz, images=stored)
    images = load(npz, kind, limit=4).images
    assert np.array_equal(images, expected[:4])
    assert images.flags.c_contiguous


@pytest.mark.parametrize(
    "shape", [(6, 5, 4, 3), (6, 60), (6, 4, 15), (6, 4, 5), (6, 12, 5), (6,), (), (0, 4, 5, 3)]
)
def test_a_shape_that_does_not_fit_is_refused(npz: Path, shape: tuple[int, ...]) -> None:
    np.savez(npz, images=np.zeros(shape, np.uint8))
    error = failure(npz)
    assert f"found uint8 {list(shape)}" in error.message


def test_a_shape_error_says_what_the_model_reads_and_what_is_possible(npz: Path) -> None:
    np.savez(npz, images=np.zeros((6, 8, 8, 3), np.uint8))
    error = failure(npz)
    assert "the model reads uint8 [N, 4, 5, 3]; found uint8 [6, 8, 8, 3]" in error.message
    assert "[N, C, H, W]" in error.hint


def test_float_images_are_refused_with_the_conversion(npz: Path) -> None:
    np.savez(npz, images=PIXELS.astype(np.float32))
    error = failure(npz)
    assert "expected uint8; found float32 [6, 4, 5, 3]" in error.message
    assert "numpy.rint(images).astype('uint8')" in error.hint


def test_another_integer_type_is_refused(npz: Path) -> None:
    np.savez(npz, images=PIXELS)
    error = failure(npz, MAP.with_dtype(DType.INT8))
    assert "expected int8; found uint8" in error.message
    assert "astype('int8')" in error.hint


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 1, 2, 3, 1, 0]), "classes 0..2; found 3 for image 3 (1 labels"),
        (np.array([0, -1, 2, 0, 1, 0]), "found -1 for image 1"),
        (np.zeros(5, int), "expected 6 integers, one per image; found int64 [5]"),
        (np.zeros((6, 3), int), "found int64 [6, 3]"),
        (np.zeros(6), "found float64 [6]"),
        (np.zeros((), int), "found int64 []"),
    ],
)
def test_wrong_labels_are_refused(npz: Path, labels: np.ndarray, message: str) -> None:
    np.savez(npz, images=PIXELS, labels=labels)
    error = failure(npz)
    assert message in error.message
    assert error.hint


def test_missing_images_are_reported_with_what_is_there(npz: Path) -> None:
    np.savez(npz, pictures=PIXELS)
    assert "found pictures.npy" in failure(npz).message


@pytest.mark.parametrize("limit", [0, -1])
def test_limit_must_be_positive(npz: Path, limit: int) -> None:
    assert "--limit" in failure(npz, limit=limit).message


def test_a_missing_file_is_reported(npz: Path) -> None:
    assert "does not exist" in failure(npz).message


def test_pickled_objects_are_never_loaded(npz: Path) -> None:
    np.savez(npz, images=np.array([{"a": 1}], object))
    assert "expected numbers" in failure(npz).message


@pytest.mark.parametrize(
    "shape", [(1 << 40, 4, 5, 3), (1 << 26, 4, 5, 3), (-1, 4, 5, 3), (7, 4, 5, 3)]
)
def test_a_header_that_promises_too_much_is_refused(npz: Path, shape: tuple[int, ...]) -> None:
    with zipfile.ZipFile(npz, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", header(shape) + PIXELS.tobytes())
    assert "cannot be read" in failure(npz).message


def test_a_zip_bomb_costs_only_what_is_asked_for(npz: Path) -> None:
    with zipfile.ZipFile(npz, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", header((6, 4, 5, 3)) + bytes(50_000_000))
    assert npz.stat().st_size < 100_000
    assert load(npz).images.nbytes == 360


def test_an_encrypted_member_is_refused(npz: Path) -> None:
    np.savez(npz, images=PIXELS)
    data = bytearray(npz.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature) + offset
        struct.pack_into("<H", data, at, struct.unpack_from("<H", data, at)[0] | 1)
    npz.write_bytes(data)
    assert "encrypted" in failure(npz).message


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_a_damaged_file_raises_nothing_but_usage_error(npz: Path, data: st.DataObject) -> None:
    np.savez_compressed(npz, images=PIXELS, labels=LABELS)
    content = bytearray(npz.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    npz.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(UsageError):
        load(npz)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.text("{}()[],:'descrshape123L \n\t\\", max_size=60),
        st.sampled_from(
            [
                "{'descr': '|u1', 'fortran_order': False, 'shape': (1L,",
                "{1: 2, 'descr': '|u1', 'shape': (1,)}",
                "{'descr': [('a', '<f9')], 'fortran_order': False, 'shape': (1,)}",
                "{'descr': '|u1', 'fortran_order': False, 'shape': (10**9,)}",
                "{'descr': '|u1', 'fortran_order': 3, 'shape': ((((((1))))))}",
                "(" * 5000,
                "-" * 9000 + "1",
            ]
        ),
    ),
    st.sampled_from([b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"]),
)
def test_a_malicious_header_raises_nothing_but_usage_error(
    npz: Path, text: str, version: bytes
) -> None:
    length = struct.pack("<H" if version == b"\x01\x00" else "<I", len(text))
    with zipfile.ZipFile(npz, "w") as archive:
        archive.writestr("images.npy", b"\x93NUMPY" + version + length + text.encode())
    with pytest.raises(UsageError):
        load(npz)


def test_the_example_data_set_loads() -> None:
    data = load_dataset(
        ROOT / "examples/digits/test.npz", TensorType((8, 8, 1), DType.UINT8), 50, outputs=10
    )
    assert data.images.shape == (50, 8, 8, 1)
    assert data.labels is not None
