"""PlatformIO platform that needs no package: the toolchain is `arm-none-eabi-gcc` from PATH."""

from platformio.platform.base import PlatformBase


class Mcubnn_baremetalPlatform(PlatformBase):
    """The name is PlatformIO's: it capitalises `name` of platform.json and appends Platform."""
