"""All kernel variants, one row each; the portable kernels are the operators' own."""

from __future__ import annotations

from mcubnn.ops.variants.base import KernelVariant
from mcubnn.ops.variants.binary_conv2d_f2c import BinaryConv2dF2cPixel, BinaryConv2dF2cRows
from mcubnn.ops.variants.binary_conv2d_f2t import BinaryConv2dF2t
from mcubnn.ops.variants.binary_conv2d_mdfa import BinaryConv2dMdfa
from mcubnn.ops.variants.binary_dense_f2c import BinaryDenseF2c
from mcubnn.ops.variants.binary_dense_mdfa import BinaryDenseMdfa
from mcubnn.ops.variants.input_conv2d_tab import InputConv2dTab

VARIANTS: tuple[KernelVariant, ...] = (
    BinaryConv2dF2cRows(),
    BinaryConv2dF2cPixel(),
    BinaryConv2dF2t(),
    BinaryConv2dMdfa(),
    BinaryDenseF2c(),
    BinaryDenseMdfa(),
    InputConv2dTab(),
)
