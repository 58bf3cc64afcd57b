"""What a file that is not ONNX looks like, so that the message can say what to do."""

from __future__ import annotations

from mcubnn.errors import ModelError

_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"PK\x03\x04", "a zip archive, such as a PyTorch checkpoint",
     "export it with torch.onnx.export(model, (example,), 'model.onnx')"),
    (0, b"\x80\x02", "a Python pickle, such as an old PyTorch checkpoint",
     "export it with torch.onnx.export(model, (example,), 'model.onnx')"),
    (4, b"TFL3", "a TensorFlow Lite model", "export the network to ONNX"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as a Keras model",
     "export the network to ONNX"),
    (4, b"ORTM", "an onnxruntime ORT file", "give the .onnx file it was made from"),
    (8, b"{\"", "a safetensors file: weights without a network",
     "load it into the network and export that to ONNX"),
    (0, b"\x93NUMPY", "a numpy array", "give the .onnx file of the network"),
    (0, b"GGUF", "a GGUF file", "give the .onnx file of the network"),
    (0, b"version https://git-lfs", "a Git LFS pointer, not the file itself",
     "fetch it with git lfs pull"),
    (0, b"\x7fELF", "a program", "give the .onnx file of the network"),
    (0, b"\x1f\x8b", "a gzip archive", "unpack it first"),
)  # fmt: skip


def reject_other_kinds(file: str, head: bytes) -> None:
    """Raise ModelError if the first bytes are those of another kind of file.

    Args:
        file: file name, for the message.
        head: at least the first 32 bytes, or the whole file if it is shorter.
    """
    if not head:
        raise ModelError(f"{file}: the file is empty", "export the model again")
    for offset, magic, kind, hint in _SIGNATURES:
        if head[offset : offset + len(magic)] == magic:
            raise ModelError(f"{file}: not an ONNX model; it looks like {kind}", hint)
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head[:32]):
        raise ModelError(
            f"{file}: not an ONNX model; it looks like a text file",
            "give a model in ONNX's binary format",
        )
