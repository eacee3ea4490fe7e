"""Copy the fonts, KaTeX's style, tooltips and slides that the book ships into book/assets.

usage: python -m tools.vendor_assets        (needs npm and the network; the result is committed)

Nothing on a page comes from another host. Files are taken unchanged from npm packages of a fixed version;
only KaTeX's CSS is shortened, to name its woff2 fonts alone.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "book" / "assets"

SERIF = "@fontsource/source-serif-4@5.3.1"
SANS = "@fontsource-variable/source-sans-3@5.3.0"
CODE = "@fontsource/source-code-pro@5.3.1"
KATEX = "katex@0.16.22"  # the version that sphinxcontrib-katex 0.9.11 renders with
SCRIPTS = {  # by folder in book/assets and package
    ("tippy", "tippy.js@6.3.7"): ["dist/tippy-bundle.umd.min.js"],
    ("tippy", "@popperjs/core@2.11.8"): ["dist/umd/popper.min.js"],
    ("reveal", "reveal.js@5.2.1"): ["dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js"],
}
RANGES = {  # a browser loads a subset only for characters that a page has
    "latin": "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+0304,U+0308,U+0329,"
    "U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212,U+2215,U+FEFF,U+FFFD",
    "latin-ext": "U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+02CE-02D7,U+02DD-02FF,U+1E00-1E9F,U+1EF2-1EFF",
    "greek": "U+0370-0377,U+037A-037F,U+0384-038A,U+038C,U+038E-03A1,U+03A3-03FF",
}
NAMES = {SERIF: "Source Serif 4", SANS: "Source Sans 3", CODE: "Source Code Pro"}
FACES = {
    SERIF: ["400-normal", "400-italic", "600-normal"],
    SANS: ["wght-normal"],
    CODE: ["400-normal", "600-normal"],
}


def unpack(package: str, folder: Path) -> Path:
    """Download one npm package and return the folder with its files."""
    pack = subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True, text=True)
    with tarfile.open(folder / pack.stdout.split()[-1]) as archive:
        target = folder / re.sub(r"\W", "-", package)
        archive.extractall(target, filter="data")
    return target / "package"


def font_face(package: str, face: str, file: str, subset: str) -> str:
    """One @font-face rule; a variable font covers all weights."""
    weight, style = face.replace("wght", "200 900").rsplit("-", 1)
    return (
        f'@font-face {{ font-family: "{NAMES[package]}"; font-weight: {weight}; font-style: {style};\n'
        f'  font-display: swap; src: url({file}) format("woff2");\n  unicode-range: {RANGES[subset]}; }}\n'
    )


def copy_fonts(package: str, files: Path) -> str:
    """Copy a family's files and licence; return its style rules."""
    target = ASSETS / "fonts"
    target.mkdir(parents=True, exist_ok=True)
    family = package.split("/")[1].split("@")[0]
    rules = ""
    for face in FACES[package]:
        for subset in RANGES:
            name = f"{family}-{subset}-{face}.woff2"
            shutil.copy(files / "files" / name, target / name)
            rules += font_face(package, face, name, subset)
    shutil.copy(files / "LICENSE", target / f"LICENSE-{family}.txt")
    return rules


def copy_katex(files: Path) -> None:
    target = ASSETS / "katex"
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    css = (files / "dist" / "katex.min.css").read_text(encoding="utf-8")
    css = re.sub(r',url\(fonts/[^)]+\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)', "", css)
    (target / "katex.min.css").write_text(css.replace("font-display:block", "font-display:swap"), encoding="utf-8")
    for font in (files / "dist" / "fonts").glob("*.woff2"):
        shutil.copy(font, target / "fonts" / font.name)
    shutil.copy(files / "LICENSE", target / "LICENSE.txt")


def copy_scripts(folder: str, names: list[str], files: Path) -> None:
    target = ASSETS / folder
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        script = (files / name).read_text(encoding="utf-8")
        script = re.sub(r"\n?//# sourceMappingURL=.*", "", script)
        (target / Path(name).name).write_text(script, encoding="utf-8")
    licence = next(path for path in files.iterdir() if path.name.upper().startswith("LICENSE"))
    shutil.copy(licence, target / f"LICENSE-{Path(names[0]).name.split('.')[0]}.txt")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rules = "".join(copy_fonts(package, unpack(package, folder)) for package in FACES)
        (ASSETS / "fonts" / "fonts.css").write_text(rules, encoding="utf-8")
        copy_katex(unpack(KATEX, folder))
        for (target, package), names in SCRIPTS.items():
            copy_scripts(target, names, unpack(package, folder))
    print(f"Copied into {ASSETS}")


if __name__ == "__main__":
    main()
