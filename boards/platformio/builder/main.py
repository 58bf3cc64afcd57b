"""Build and upload steps; an SCons script that PlatformIO runs.

Everything about the board and the flags comes from the project's `boards/<id>.json`. Beside each
object gcc leaves a `.su` and a `.ci` file (stack use, call graph), and the linker a `.map`.
"""

import shutil
import sys

from SCons.Script import AlwaysBuild, COMMAND_LINE_TARGETS, Default, DefaultEnvironment

COMPILER = "arm-none-eabi-gcc"

env = DefaultEnvironment()
build = env.BoardConfig().get("build")
upload = env.BoardConfig().get("upload", {})

if shutil.which(COMPILER, path=env["ENV"]["PATH"]) is None:
    sys.stderr.write(
        "Error: %s is not in PATH; install it (Debian: apt install gcc-arm-none-eabi, "
        "macOS: brew install --cask gcc-arm-embedded), or run: mcubnn setup\n" % COMPILER
    )
    env.Exit(1)

env.Replace(
    CC=COMPILER,
    AS=COMPILER,
    LINK=COMPILER,
    AR="arm-none-eabi-gcc-ar",
    RANLIB="arm-none-eabi-gcc-ranlib",
    OBJCOPY="arm-none-eabi-objcopy",
    SIZETOOL="arm-none-eabi-size",
    SIZEPROGREGEXP=r"^(?:\.text|\.rodata|\.data|\.mcubnn_hot|\.ARM\.exidx)\s+(\d+).*",
    SIZEDATAREGEXP=r"^(?:\.data|\.mcubnn_hot|\.bss|\.mcubnn_arena|\.mcubnn_stack)\s+(\d+).*",
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
    SIZEPRINTCMD="$SIZETOOL -B -d $SOURCES",
    ARFLAGS=["rcD"],
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
)
env.Append(
    CCFLAGS=build["machine_flags"] + ["-fstack-usage", "-fcallgraph-info=su"],
    CFLAGS=build["compile_flags"],
    ASPPFLAGS=build["machine_flags"],
    CPPDEFINES=[tuple(define) for define in build["defines"]],
    CPPPATH=["$PROJECT_SRC_DIR", "$PROJECT_SRC_DIR/port"],
    LINKFLAGS=build["machine_flags"]
    + [
        "-nostartfiles",
        "--specs=nano.specs",
        "-Wl,--gc-sections",
        # Relative to the project, where SCons runs: these are words of a shell command, and the
        # project may lie in a folder whose name has blanks or quotes.
        "-Wl,-Map=${TARGET.base}.map",
        "-Wl,-T,linker.ld",
    ],
)

program = "$BUILD_DIR/${PROGNAME}.elf"
if "nobuild" not in COMMAND_LINE_TARGETS:
    program = env.BuildProgram()
    env.Depends(program, "$PROJECT_DIR/linker.ld")

env.AddPlatformTarget(
    "size",
    program,
    env.VerboseAction("$SIZEPRINTCMD", "Calculating size $SOURCE"),
    "Program Size",
)

if upload.get("openocd_config"):
    env.Replace(
        UPLOADER="openocd",
        UPLOADERFLAGS=["-f", upload["openocd_config"]],
        UPLOADCMD='$UPLOADER $UPLOADERFLAGS -c "program {$SOURCE} verify reset exit"',
    )
    AlwaysBuild(
        env.Alias("upload", program, env.VerboseAction("$UPLOADCMD", "Uploading $SOURCE"))
    )

Default([program])
