"""Makes what Windows has and Wine 10 lacks, for the check alone: stand_ins.py FOLDER PYTHON [PROGRAMS]

Two libraries and Wine's table of library sets, changed to let one of them be found. Nothing of it is shipped. The functions
of the first are those that a program below the folders asks the C runtime's mathematics for: numpy's complex ones, which Wine's
runtime names and does not have, are mingw's, and the others stay Wine's.
"""

import re
import subprocess
import sys
from pathlib import Path

COMPILER = "x86_64-w64-mingw32ucrt-gcc"
MATH = "api-ms-win-crt-math-l1-1-0"
SETS = Path("/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/apisetschema.dll")
_ONE = [
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "exp",
    "log",
    "sqrt",
    "asin",
    "acos",
    "atan",
    "asinh",
    "acosh",
    "atanh",
]
_PARTS = ["carg", "cabs", "creal", "cimag"]
# Qt asks ICU for converters between encodings; without any it has its own for UTF-8 and Latin-1.
_ICU = """
typedef int Code;
#define NONE(kind, name, ...) __declspec(dllexport) kind name(__VA_ARGS__) { return (kind)0; }
#define FAILED(kind, name, value, ...) __declspec(dllexport) kind name(__VA_ARGS__) { if (code) *code = 4; return value; }
#define NOTHING(name) __declspec(dllexport) void name(void) {}
FAILED(void *, ucnv_open, 0, const char *name, Code *code)
FAILED(const char *, ucnv_getName, 0, void *one, Code *code)
NONE(const char *, ucnv_getStandardName, const char *a, const char *b, Code *code)
NONE(const char *, ucnv_getAvailableName, int n)
NONE(int, ucnv_countAvailable, void)
NONE(int, ucnv_toUCountPending, void *one, Code *code)
NONE(int, ucnv_fromUCountPending, void *one, Code *code)
__declspec(dllexport) signed char ucnv_getMaxCharSize(void *one) { return 4; }
NOTHING(ucnv_close) NOTHING(ucnv_reset) NOTHING(ucnv_getToUCallBack) NOTHING(ucnv_getFromUCallBack)
NOTHING(ucnv_setToUCallBack) NOTHING(ucnv_setFromUCallBack) NOTHING(ucnv_cbToUWriteUChars) NOTHING(ucnv_cbFromUWriteUChars)
NOTHING(UCNV_FROM_U_CALLBACK_SUBSTITUTE) NOTHING(UCNV_TO_U_CALLBACK_SUBSTITUTE)
__declspec(dllexport) void ucnv_toUnicode(void *c, void **t, const void *te, const char **s, const char *se, int *o,
    signed char flush, Code *code) { if (code) *code = 4; }
__declspec(dllexport) void ucnv_fromUnicode(void *c, char **t, const char *te, const void **s, const void *se, int *o,
    signed char flush, Code *code) { if (code) *code = 4; }
"""
_COMPLEX = """
#include <complex.h>
/* The runtime's complex numbers are structures of two, passed as such. */
typedef struct { double r, i; } D;
typedef struct { float r, i; } F;
static double complex from_D(D z) { return __builtin_complex(z.r, z.i); }
static float complex from_F(F z) { return __builtin_complex(z.r, z.i); }
static D to_D(double complex z) { D told = {__real__ z, __imag__ z}; return told; }
static F to_F(float complex z) { F told = {__real__ z, __imag__ z}; return told; }
"""


def asked_for(folders: list[Path]) -> set[str]:
    sys.path.append(str(folders[0] / "Lib" / "site-packages"))  # of the wheels for Windows
    import pefile

    names: set[str] = set()
    for path in (path for folder in folders for path in folder.rglob("*") if path.suffix in {".pyd", ".dll", ".exe"}):
        read = pefile.PE(str(path), fast_load=True)
        if read.FILE_HEADER.Machine != pefile.MACHINE_TYPE["IMAGE_FILE_MACHINE_AMD64"]:
            continue
        read.parse_data_directories(directories=[pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_IMPORT"]])
        for one in getattr(read, "DIRECTORY_ENTRY_IMPORT", ()):
            if one.dll.lower() == f"{MATH}.dll".encode():
                names |= {function.name.decode() for function in one.imports}
    return names


def mathematics(names: set[str]) -> tuple[str, str]:
    """C source and module definition."""
    source, definition = [_COMPLEX], [f"LIBRARY {MATH}.dll", "EXPORTS"]
    for name in sorted(names):
        found = re.fullmatch(rf"c({'|'.join(_ONE)}|pow)([fl]?)|({'|'.join(_PARTS)})([fl]?)", name)
        if found is None:
            definition.append(f"  {name} = ucrtbase.{name}")
            continue
        definition.append(f"  {name} = own_{name}")
        size = found.group(2) or found.group(4) or ""
        kind, real = ("F", "float") if size == "f" else ("D", "double")
        called = name[:-1] if size == "l" else name  # Windows' long double is a double
        if found.group(3):
            source.append(f"{real} own_{name}({kind} z) {{ return {called}(from_{kind}(z)); }}")
        elif found.group(1) == "pow":
            source.append(
                f"{kind} own_{name}({kind} z, {kind} w) {{ return to_{kind}({called}(from_{kind}(z), from_{kind}(w))); }}"
            )
        else:
            source.append(f"{kind} own_{name}({kind} z) {{ return to_{kind}({called}(from_{kind}(z))); }}")
    return "\n".join(source) + "\n", "\n".join(definition) + "\n"


def main(folder: Path, *programs: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    source, definition = mathematics(asked_for(list(programs)))
    (folder / "math.c").write_text(source)
    (folder / "math.def").write_text(definition)
    (folder / "icu.c").write_text(_ICU)
    compile_ = [COMPILER, "-static-libgcc", "-O2", "-s", "-w", "-shared"]
    subprocess.run([*compile_, "-o", folder / f"{MATH}.dll", folder / "math.c", folder / "math.def"], check=True)
    subprocess.run([*compile_, "-o", folder / "icuuc.dll", folder / "icu.c"], check=True)
    # Wine sends every question for this set to its own runtime; under another name it finds ours.
    known, unknown = (name.encode("utf-16le") for name in ("api-ms-win-crt-math", "api-ms-win-crt-mat_"))
    (folder / "apisetschema.dll").write_bytes(SETS.read_bytes().replace(known, unknown))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
